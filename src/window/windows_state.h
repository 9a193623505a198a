// SPDX-License-Identifier: Apache-2.0
/* windows_state.h — what windows.c (taking events), windows_move.c (moving on), windows_units.c
 * (units, their sums, and cells), windows_periods.c (periods), windows_fold.c (catching up),
 * windows_longest.c (longest times) and windows_read.c (looking) share. Nobody else. */
#ifndef CM_WINDOW_WINDOWS_STATE_H
#define CM_WINDOW_WINDOWS_STATE_H

#include "base/bump.h"
#include "window/accumulator.h"
#include "window/attribution.h"
#include "window/few_sums.h"
#include "window/journal.h"
#include "window/judgements.h"
#include "window/leg_log.h"
#include "window/pane.h"
#include "window/pending.h"
#include "window/queue_waits.h"
#include "window/seat_states.h"
#include "window/sums.h"
#include "window/unit_sets.h"
#include "window/windows.h"

/* What counts for the same units: a set of unit_sets.h, by the same number; mostly a seat and one
 * of its queues. */
struct cell {
    uint32_t units[CM_UNIT_SET_MAX];
    uint32_t units_count; /* 0: not made yet */
    uint32_t last;        /* place of its newest leg, which knows the one before it */
};

_Static_assert(sizeof(struct cell) == CM_CACHE_LINE / 2, "a cell has half a line");

/* One window of one view. Pane numbers are event time / pane length. */
struct span {
    bool used;
    int64_t asof_ms;       /* INT64_MIN: never advanced */
    int64_t left_no;       /* first pane inside */
    int64_t asof_no;       /* first pane not inside */
    struct cm_pane *leave; /* oldest pane >= left_no of a sliding window, NULL when there is none */
    struct cm_pane *enter; /* oldest pane >= asof_no */
};

struct view {
    uint32_t kinds; /* bit a kind; 0: there is no such view */
    struct span spans[CM_WINDOWS_MAX];
    /* Windows in which the units of a leg of a pane change; valid until a window moves. */
    int64_t impact_no; /* INT64_MIN: of none */
    uint32_t impact;
    /* Of its periods: a bit each; the first pane that all of them hold; the first one that some
     * do not. See cm_windows_note_periods(). */
    uint32_t periods;
    int64_t periods_left_no, periods_asof_no; /* INT64_MIN and INT64_MAX when there are none */
    uint32_t dirty;                           /* windows with a changed unit */
    struct cm_changed_unit *changed;          /* units with a bit in marks */
    uint32_t changed_count, changed_cap;
    uint16_t *marks; /* by unit number: windows in which it has changed; state_cap */
    /* Panes that something is to be made up for, by next_use; and the last of them. */
    struct cm_pane *listed, *listed_last;
    struct cm_changed_unit *taken; /* handed out by the last call */
    uint32_t taken_cap;
};

/* Sums of a sliding window, of all but seats. */
struct window_sums {
    struct cm_accumulator acc;
    struct cm_top top; /* its own, until it has a `longest` */
};

struct unit_state {
    /* By view, each NULL until there is something in it; of sliding windows and of periods by
     * window: see cm_windows_many() and cm_windows_few(). pending: what several periods lack. */
    union {
        struct window_sums *sliding[CM_VIEW_COUNT];
        char *few[CM_VIEW_COUNT]; /* of a seat: one after the other, at cm_windows.few_at */
    };
    struct cm_accumulator *periods[CM_VIEW_COUNT];
    struct cm_pending *pending[CM_VIEW_COUNT];
    uint32_t *cells; /* that count for it */
    uint32_t cells_count, cells_cap;
};

_Static_assert(sizeof(struct unit_state) == CM_CACHE_LINE, "a unit has one line");

/* A leg on its way into sums, or out of them; bits of windows. */
struct work {
    int64_t no;
    uint32_t leg;
    uint16_t add, subtract, marks;
};

#define WORK_MOST 1024u

/* What is kept beside the tallies (windows_detail.c). */
struct detail {
    struct cm_sums *sums;
    uint8_t span[CM_VIEW_COUNT][CM_WINDOWS_MAX]; /* of sums, by view and window; and back: */
    uint8_t view_of[CM_VIEW_COUNT * CM_WINDOWS_MAX], window_of[CM_VIEW_COUNT * CM_WINDOWS_MAX];
    int64_t settled_ms;     /* judgements before that instant count; INT64_MIN: none yet */
    int64_t next_ms;        /* of the earliest judgement that waits; INT64_MAX: none */
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
    struct cm_few_look look;      /* the same */
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
    uint32_t rosters;   /* exchanged, modulo 2^32 */
    uint32_t forgotten; /* legs before that place are not in the journal any more */
    struct view views[CM_VIEW_COUNT];
    struct cell *cells; /* by number */
    uint32_t cells_count, cells_cap;
    struct unit_state *state; /* by unit number */
    uint8_t *kinds;           /* by unit number, apart: marking looks at nothing else */
    uint32_t state_cap;
    struct cm_bump sums;                 /* has the accumulators, and those of few */
    uint32_t few_at[CM_WINDOWS_MAX + 1]; /* bytes of a seat's sums before those of a window */
    size_t cell_bytes;
    struct work *work; /* WORK_MOST */
    uint32_t work_count;
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

/* Whether a revision may take the leg at that place back. */
static inline bool is_remembered(const struct cm_windows *w, uint32_t place)
{
    return w->config->dedupe_ms > 0 && (int32_t)(place - w->forgotten) >= 0;
}

static inline bool in_view(const struct cm_windows *w, enum cm_view view, uint32_t unit)
{
    return (w->views[view].kinds >> w->kinds[unit] & 1u) != 0;
}

static inline bool is_seat(const struct cm_windows *w, uint32_t unit)
{
    return w->kinds[unit] == CM_KIND_SEAT;
}

/* Of a seat that has sums of sliding windows. */
static inline struct cm_few_sums *few_of(const struct cm_windows *w, char *few, uint32_t window)
{
    return (struct cm_few_sums *)(void *)(few + w->few_at[window]);
}

/* What has a seat's sums in a sliding window of a view; else NULL. */
static inline struct cm_few_sums *cm_windows_few(const struct cm_windows *w, enum cm_view view,
                                                 uint32_t unit, uint32_t window)
{
    char *few = w->state[unit].few[view];
    bool has = window < w->config->windows.count && few != NULL && is_seat(w, unit);
    return has ? few_of(w, few, window) : NULL;
}

/* What has any other unit's sums, or those of a period, or of a seat with many legs; NULL: it has
 * few, or never had anything. */
static inline struct cm_accumulator *cm_windows_many(const struct cm_windows *w, enum cm_view view,
                                                     uint32_t unit, uint32_t window)
{
    const struct unit_state *state = &w->state[unit];
    uint32_t first = w->config->windows.count;
    if (window >= first) {
        return state->periods[view] == NULL ? NULL : &state->periods[view][window - first];
    }
    if (state->sliding[view] == NULL) {
        return NULL;
    }
    return is_seat(w, unit) ? cm_few_sums_many(few_of(w, state->few[view], window))
                            : &state->sliding[view][window].acc;
}

/* Make those of all sliding windows, and of all periods, and what several of these lack. */
void cm_windows_make_sliding(struct cm_windows *windows, enum cm_view view, uint32_t unit);
void cm_windows_make_periods(struct cm_windows *windows, enum cm_view view, uint32_t unit);

/* Those of a period. */
static inline struct cm_accumulator *cm_windows_period(struct cm_windows *w, enum cm_view view,
                                                       uint32_t unit, uint32_t window)
{
    if (CM_UNLIKELY(w->state[unit].periods[view] == NULL)) {
        cm_windows_make_periods(w, view, unit);
    }
    return &w->state[unit].periods[view][window - w->config->windows.count];
}

struct cm_pending *cm_windows_make_pending(struct cm_windows *windows, enum cm_view view,
                                           uint32_t unit);
/* Sets few_at. */
void cm_windows_size_few(struct cm_windows *windows);
void cm_windows_units_free(struct cm_windows *windows);
size_t cm_windows_units_bytes(const struct cm_windows *windows);

/* The periods of a view that hold that pane, a bit each. */
uint32_t cm_windows_periods_with(const struct cm_windows *windows, enum cm_view view, int64_t no);
/* What its periods lack goes into their sums. */
void cm_windows_flush(struct cm_windows *windows, enum cm_view view, uint32_t unit);
/* Adds a leg to the sums of these periods. */
void cm_windows_add_periods(struct cm_windows *windows, enum cm_view view, uint32_t unit,
                            const struct cm_addend *addend, uint32_t periods);
/* Nothing takes that leg back any more: its longest times stand in these periods, which have it. */
void cm_windows_settle_periods(struct cm_windows *windows, enum cm_view view, uint32_t unit,
                               const struct cm_addend *addend, uint32_t periods);
/* A new period begins, before its window has moved: all units' sums are marked and start again. */
void cm_windows_clear_period(struct cm_windows *windows, enum cm_view view, uint32_t window,
                             int64_t left_no);
/* A span of a period has moved. */
void cm_windows_note_periods(struct cm_windows *windows, enum cm_view view);

/* Makes the cell of that number exist, with these units. */
void cm_windows_note_cell(struct cm_windows *windows, uint32_t cell,
                          const struct cm_unit_set *units);

/* Something is to be made up for in that pane. */
void cm_windows_list_pane(struct view *view, enum cm_view number, struct cm_pane *pane);
/* Brings all sums of a view to where their windows are, and marks the units that have changed. */
void cm_windows_catch_up(struct cm_windows *windows, enum cm_view view);
/* The same for panes below floor_no, which no window needs after that: they may be dropped. */
void cm_windows_give_back(struct cm_windows *windows, int64_t floor_no);
/* Sees to it that the longest times of a unit in a window are right. Its sums are there and caught
 * up with. */
void cm_windows_find_longest(struct cm_windows *windows, enum cm_view view, uint32_t window,
                             uint32_t unit);
/* Fetches from memory what that will look at: cells, and later their newest legs. */
void cm_windows_expect_cells(const struct cm_windows *windows, uint32_t unit);
void cm_windows_expect_legs(const struct cm_windows *windows, uint32_t unit);
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
/* The set that a hint tells of; CM_UNIT_NONE when it has to be looked up. */
static inline uint32_t hinted_set(const struct cm_windows *w, const struct cm_hint *hint)
{
    return CM_LIKELY(hint->rosters == w->rosters) ? hint->set : CM_UNIT_NONE;
}

/* Makes the state of a unit exist. */
void cm_windows_note_unit(struct cm_windows *windows, uint32_t unit);

/* The parts of windows_detail.c. */
void cm_windows_detail_open(struct cm_windows *windows);
void cm_windows_detail_close(struct cm_windows *windows);
/* An event that is no cdr; false: too old. */
bool cm_windows_take_other(struct cm_windows *windows, const struct cm_event *event,
                           const struct cm_hint *hint);
/* Gives a leg the verdicts of its event. */
void cm_windows_detail_checks(struct cm_windows *windows, struct cm_leg *leg);
/* The number of a set of units that the attribution does not know yet, which it does afterwards. */
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
