// SPDX-License-Identifier: Apache-2.0
/* windows_state.h — what windows.c (taking events), windows_move.c (moving on), windows_cells.c
 * (what counts for the same units), windows_fold.c (catching up) and windows_read.c (looking)
 * share. Nobody else. */
#ifndef CM_WINDOW_WINDOWS_STATE_H
#define CM_WINDOW_WINDOWS_STATE_H

#include "base/bump.h"
#include "window/accumulator.h"
#include "window/attribution.h"
#include "window/journal.h"
#include "window/judgements.h"
#include "window/leg_log.h"
#include "window/pane.h"
#include "window/queue_waits.h"
#include "window/seat_states.h"
#include "window/sums.h"
#include "window/unit_sets.h"
#include "window/windows.h"

/* How much of a cell is in the sums of a window: its items [leave, fold), of panes
 * [left_no, fold_no). INT64_MIN: nothing yet. And their longest times; stale: to be found again. A
 * period outlives its panes: of one, the longest of the legs that no revision can take back any
 * more. */
struct reach {
    int64_t left_no, fold_no;
    uint32_t leave, fold; /* places in the track, modulo 2^32; leave is not kept for periods */
    uint32_t wait_max_ms;
    uint32_t handle_max_ms : 31, is_stale : 1; /* at most 3 * 7 d < 2^31 ms */
};

/* What counts for the same units: a set of unit_sets.h, by the same number; mostly a seat and one
 * of its queues. A leg lies in one place, with its cell; the sums are the units'. */
struct cell {
    struct cm_track track;
    uint32_t units[CM_UNIT_SET_MAX];
    uint8_t units_count; /* 0: not made yet */
    bool is_leaving;     /* in cm_windows.leaving */
    uint32_t round;      /* of the tail that it is in (struct tail) */
};

_Static_assert(sizeof(struct reach) == 32 && sizeof(struct cell) == 64,
               "a cell has one line, and half a line a window");

/* Where a unit's links begin: the number of the first one + 1. Of no account when it was made in
 * another round. */
struct tail_head {
    uint32_t round, link;
};

struct tail_link {
    uint32_t cell, next; /* number of the next link + 1; 0: none */
};

/* Cells with items that whoever looks has to add himself, by unit: those of panes from from_no on.
 * Made when somebody looks. */
struct tail {
    bool is_valid;
    int64_t from_no;
    uint32_t round;
    struct tail_head *heads; /* by unit number; heads_cap of them */
    struct tail_link *links;
    uint32_t heads_cap, links_count, links_cap;
};

/* One window of one view. Pane numbers are event time / pane length. */
struct span {
    bool used;
    int64_t asof_ms;       /* INT64_MIN: never advanced */
    int64_t left_no;       /* first pane inside */
    int64_t fold_no;       /* first pane not to be folded in; left_no <= fold_no once advanced */
    struct cm_pane *leave; /* oldest pane >= left_no, NULL when there is none */
    struct cm_pane *enter; /* oldest pane >= fold_no */
};

/* What a leg of a pane means for the windows of a view, whichever its unit: those in which the unit
 * has changed, and those that may have folded it in already. */
struct impact {
    uint32_t changed, folded;
};

struct view {
    uint32_t kinds; /* bit a kind; 0: there is no such view */
    struct span spans[CM_WINDOWS_MAX];
    /* What a leg of a pane means (see struct impact); valid until a window moves. */
    int64_t impact_no; /* INT64_MIN: of none */
    struct impact impact;
    /* Of its periods: a bit each; the first pane that all of them hold; the first one that some
     * have not folded in. INT64_MAX when there are none. See cm_windows_note_periods(). */
    uint32_t periods;
    int64_t periods_left_no, periods_fold_no;
    uint32_t dirty;                  /* windows with a changed unit */
    struct cm_changed_unit *changed; /* units with a bit in marks */
    uint32_t changed_count, changed_cap;
    uint16_t *marks;        /* by unit number: windows in which it has changed; state_cap of them */
    struct reach *reach;    /* by cell and window; NULL where there is no such view */
    uint16_t *live;         /* by cell: sliding windows that have something of it */
    uint16_t *behind_marks; /* by cell: windows whose sums lack something of it */
    uint32_t *behind;       /* cells with a bit there */
    uint32_t behind_count, behind_cap;
    struct cm_changed_unit *taken; /* handed out by the last call */
    uint32_t taken_cap;
};

struct unit_state {
    /* Of sliding windows and of periods, each NULL until there is something in it; by window: see
     * cm_windows_peek_sums(), cm_windows_catch_up(). */
    struct cm_accumulator *sliding[CM_VIEW_COUNT], *periods[CM_VIEW_COUNT];
    uint32_t *cells; /* that count for it */
    uint32_t cells_count, cells_cap;
};

/* What is kept beside the tallies (windows_detail.c). */
struct detail {
    struct cm_sums *sums;
    uint8_t span[CM_VIEW_COUNT][CM_WINDOWS_MAX]; /* of sums, by view and window; and back: */
    uint8_t view_of[CM_VIEW_COUNT * CM_WINDOWS_MAX], window_of[CM_VIEW_COUNT * CM_WINDOWS_MAX];
    int64_t settled_ms;     /* judgements before that instant count; INT64_MIN: none yet */
    uint32_t running_rules; /* windows whose rules look at what runs on by itself */
    struct cm_unit_sets *sets;
    struct cm_seat_states *states;
    struct cm_judgements *judgements;
    struct cm_queue_waits *waits;
    struct cm_marks marks;   /* of the present event */
    struct cm_judged judged; /* of the leg that the present event revises */
    uint16_t *checks;        /* of the last leg */
    uint32_t checks_cap;
    struct cm_details scratch;    /* of the last measure */
    struct cm_unit_gauge *gauges; /* of the last look */
    uint32_t gauges_count, gauges_cap;
};

struct cm_windows {
    const struct cm_config *config;
    struct cm_units *units;
    struct cm_attribution *attribution;
    struct cm_panes *panes;
    struct cm_journal *journal;
    struct cm_leg_log legs;
    int64_t pane_ms;
    int64_t clock_ms;  /* newest event time seen, of the slowest source: for giving memory back */
    int64_t source_ms; /* of the source of the present event: for remembering ids */
    int64_t slowest_ms;
    bool has_sources;   /* cm_windows_set_clock() gives source_ms and slowest_ms */
    uint64_t orphans;   /* legs with is_orphan */
    uint32_t forgotten; /* legs before that place are not in the journal any more */
    struct view views[CM_VIEW_COUNT];
    struct cm_pane *moved; /* panes with windows in `moved`, of the ROWS view */
    struct cell *cells;    /* by number */
    uint32_t cells_count, cells_cap;
    uint32_t *leaving; /* cells that have something to give back; empty between calls */
    uint32_t leaving_count, leaving_cap;
    struct tail tail;
    struct unit_state *state; /* by unit number */
    uint8_t *kinds;           /* by unit number, apart: marking looks at nothing else */
    int64_t most_fold_no;     /* greatest fold_no of all spans */
    uint32_t state_cap;
    struct cm_bump sums;      /* has the accumulators */
    size_t accumulator_bytes; /* of what is not in there */
    struct cm_leg_sum sum;    /* empty between folds */
    struct cm_hist scratch;   /* of the last measure, as is the next one */
    struct cm_check_sums check_scratch;
    struct detail detail;
};

static inline uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static inline int64_t divide_down(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return a % b < 0 ? q - 1 : q;
}

static inline int64_t pane_no(const struct cm_windows *w, int64_t ts_ms)
{
    return divide_down(ts_ms, w->pane_ms);
}

static inline struct cell *cell_of(const struct cm_windows *w, const struct cm_leg *leg)
{
    return &w->cells[leg->cell];
}

static inline struct cm_leg *leg_of(const struct cm_windows *w, const struct cm_item *item)
{
    return cm_leg_log_at(&w->legs, item->leg);
}

/* Whether a revision may take the leg at that place back. */
static inline bool is_remembered(const struct cm_windows *w, uint32_t place)
{
    return w->config->dedupe_ms > 0 && (int32_t)(place - w->forgotten) >= 0;
}

/* How far the windows of a view have that cell, by window. */
static inline struct reach *reach_of(const struct cm_windows *w, enum cm_view view,
                                     const struct cell *cell)
{
    return &w->views[view].reach[(size_t)(cell - w->cells) * w->config->all_count];
}

static inline void mark_live(const struct cm_windows *w, enum cm_view view, const struct cell *cell,
                             uint32_t window)
{
    uint16_t *live = &w->views[view].live[cell - w->cells];
    *live = (uint16_t)(*live | 1u << window);
}

/* What it has is at least that long. */
static inline void reach_add(struct reach *reach, uint32_t wait_ms, uint32_t handle_ms)
{
    reach->wait_max_ms = max_u32(reach->wait_max_ms, wait_ms);
    reach->handle_max_ms = max_u32(reach->handle_max_ms, handle_ms) & (uint32_t)INT32_MAX;
}

/* That goes: the longest may be gone with it. */
static inline void reach_subtract(struct reach *reach, uint32_t wait_ms, uint32_t handle_ms)
{
    reach->is_stale |= wait_ms >= reach->wait_max_ms || handle_ms >= reach->handle_max_ms;
}

static inline void reach_forget(struct reach *reach)
{
    reach->wait_max_ms = 0;
    reach->handle_max_ms = 0;
    reach->is_stale = 0;
}

static inline bool cell_has_unit(const struct cell *cell, uint32_t unit)
{
    for (uint32_t i = 0; i < cell->units_count; i++) {
        if (cell->units[i] == unit) {
            return true;
        }
    }
    return false;
}

static inline bool in_view(const struct cm_windows *w, enum cm_view view, uint32_t unit)
{
    return (w->views[view].kinds >> w->kinds[unit] & 1u) != 0;
}

/* What has the unit's sums in a window of a view; NULL: it never had anything. */
static inline struct cm_accumulator *
cm_windows_peek_sums(const struct cm_windows *w, enum cm_view view, uint32_t unit, uint32_t window)
{
    const struct unit_state *state = &w->state[unit];
    uint32_t first = w->config->windows.count;
    struct cm_accumulator *sums = window < first ? state->sliding[view] : state->periods[view];
    return sums == NULL ? NULL : &sums[window < first ? window : window - first];
}

/* Makes them. */
struct cm_accumulator *cm_windows_make_sums(struct cm_windows *windows, enum cm_view view,
                                            uint32_t unit, uint32_t window);

static inline struct cm_accumulator *cm_windows_sums(struct cm_windows *w, enum cm_view view,
                                                     uint32_t unit, uint32_t window)
{
    struct cm_accumulator *sums = cm_windows_peek_sums(w, view, unit, window);
    return CM_LIKELY(sums != NULL) ? sums : cm_windows_make_sums(w, view, unit, window);
}

/* A span of a period has moved. */
void cm_windows_note_periods(struct cm_windows *windows, enum cm_view view);
/* Makes the cell of that number exist, with these units. */
void cm_windows_note_cell(struct cm_windows *windows, uint32_t cell,
                          const struct cm_unit_set *units);
void cm_windows_cells_free(struct cm_windows *windows);
/* These windows lack something of that cell, or have too much. */
void cm_windows_mark_behind(struct cm_windows *w, enum cm_view view, uint32_t cell,
                            uint32_t windows);
/* Brings all accumulators of a view to where their windows are. */
void cm_windows_catch_up(struct cm_windows *windows, enum cm_view view);
/* The first link of a unit in the tail from that pane on, + 1; 0: nothing there. Valid until the
 * next event. */
uint32_t cm_windows_tail(struct cm_windows *windows, int64_t from_no, uint32_t unit);

/* Brings the sums of these windows to where the windows are, as far as the cell is concerned. */
void cm_windows_fold_cell(struct cm_windows *w, enum cm_view view, struct cell *cell,
                          uint32_t windows);
/* A new period begins, before its window has moved: all units' sums are marked and start again. */
void cm_windows_clear_period(struct cm_windows *windows, enum cm_view view, uint32_t window);
/* A leg has come into that pane; what is folded in by now has it. */
void cm_windows_note_item(struct cm_windows *windows, struct cell *cell, int64_t no);
/* Gives back what cells have in panes below floor_no: no window needs it. */
void cm_windows_give_back(struct cm_windows *windows, int64_t floor_no);
/* Fetches from memory what the cells that come next have, for those of these windows in which they
 * are behind. next: the cell whose turn it is, and those after it. */
void cm_windows_expect_cells(const struct cm_windows *w, enum cm_view view, const uint32_t *next,
                             uint32_t count, uint32_t windows);
/* The first instant inside a window as of asof_ms. */
int64_t cm_windows_left_ms(const struct cm_windows *windows, uint32_t window, int64_t asof_ms);
/* Puts a unit that has no mark yet on the list of the changed ones. */
void cm_windows_list(struct view *view, uint32_t unit);
/* Marks a unit as changed in a set of windows. */
static inline void cm_windows_mark(struct cm_windows *w, enum cm_view view, uint32_t unit,
                                   uint32_t windows)
{
    struct view *v = &w->views[view];
    if (v->marks[unit] == 0) {
        cm_windows_list(v, unit);
    }
    v->marks[unit] = (uint16_t)(v->marks[unit] | windows);
    v->dirty |= windows;
}
/* Marks the units of the panes that have come into windows or left them. */
void cm_windows_mark_moved(struct cm_windows *windows);
/* Makes the state of a unit exist. */
void cm_windows_note_unit(struct cm_windows *windows, uint32_t unit);

/* The parts of windows_detail.c. */
void cm_windows_detail_open(struct cm_windows *windows);
void cm_windows_detail_close(struct cm_windows *windows);
/* An event that is no cdr; false: too old. */
bool cm_windows_take_other(struct cm_windows *windows, const struct cm_event *event);
/* Gives a leg the verdicts of its event. */
void cm_windows_detail_checks(struct cm_windows *windows, struct cm_leg *leg);
/* The number of a set of units that the attribution does not know yet. */
uint32_t cm_windows_detail_set(struct cm_windows *windows, const struct cm_unit_set *units);
/* A leg that counts now; `record` is NULL when nothing is remembered. */
void cm_windows_detail_leg(struct cm_windows *windows, const struct cm_event *event,
                           const struct cm_leg *leg, struct cm_journal_record *record);
void cm_windows_detail_take_back(struct cm_windows *windows,
                                 const struct cm_journal_record *record);
void cm_windows_detail_advance(struct cm_windows *windows, enum cm_view view, uint32_t window,
                               int64_t left_no, int64_t asof_no);
/* See cm_windows_next_entry() and cm_windows_next_change(). */
int64_t cm_windows_detail_entry_ms(const struct cm_windows *windows, enum cm_view view,
                                   uint32_t window);
int64_t cm_windows_detail_change_ms(const struct cm_windows *windows, enum cm_view view,
                                    uint32_t window, int64_t least_ms);
/* Adds to what was measured; out->details is borrowed. */
void cm_windows_detail_measure(struct cm_windows *windows, enum cm_view view, uint32_t window,
                               uint32_t unit, const struct cm_check_sums *checks,
                               struct cm_measures *out);

#endif
