// SPDX-License-Identifier: Apache-2.0
/* windows_state.h — what windows.c (taking events), windows_move.c (moving on),
 * windows_fold.c (catching up) and windows_read.c (looking) share.
 * Nobody else. */
#ifndef CM_WINDOW_WINDOWS_STATE_H
#define CM_WINDOW_WINDOWS_STATE_H

#include "window/accumulator.h"
#include "window/attribution.h"
#include "window/journal.h"
#include "window/judgements.h"
#include "window/mark_log.h"
#include "window/pane.h"
#include "window/queue_waits.h"
#include "window/seat_states.h"
#include "window/sums.h"
#include "window/unit_sets.h"
#include "window/windows.h"

/* How far an accumulator has followed its window: it is the sum of the unit's items
 * [leave, fold), of panes [left_no, fold_no). INT64_MIN: not yet. */
struct reach {
    int64_t left_no, fold_no;
    uint64_t leave, fold; /* places in the track; leave is not kept for periods */
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
    uint32_t dirty;                  /* windows with a changed unit */
    struct cm_changed_unit *changed; /* units with a bit in marks */
    uint32_t changed_count, changed_cap;
    uint16_t *marks; /* by unit number: windows in which it has changed; state_cap of them */
    struct cm_changed_unit *taken; /* handed out by the last call */
    uint32_t taken_cap;
};

/* What a unit has in a view: one accumulator a window, then the maxima of the periods. */
struct unit_sums {
    struct cm_accumulator *at;       /* brought up to date by cm_windows_caught_up() */
    struct reach *reach;             /* in the same block */
    struct cm_period_maxima *maxima; /* in the same block */
    int64_t settled_no; /* panes below may be given back as far as these are concerned */
};

struct unit_state {
    struct cm_track track;
    struct unit_sums sums[CM_VIEW_COUNT];
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
    struct cm_mark_log mark_log;
    struct cm_leg_check *checks; /* of the last leg */
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
    int64_t pane_ms;
    int64_t clock_ms;  /* newest event time seen, of the slowest source: for giving memory back */
    int64_t source_ms; /* of the source of the present event: for remembering ids */
    int64_t slowest_ms;
    bool has_sources; /* cm_windows_set_clock() gives source_ms and slowest_ms */
    uint64_t orphans; /* records of the journal with is_orphan */
    struct view views[CM_VIEW_COUNT];
    struct cm_pane *moved;    /* panes with windows in `moved`, of the ROWS view */
    struct unit_state *state; /* by unit number */
    uint8_t *kinds;           /* by unit number, apart: marking looks at nothing else */
    int64_t most_fold_no;     /* greatest fold_no of all spans */
    uint32_t state_cap;
    size_t accumulator_bytes;
    struct cm_entry_sum sum; /* empty between folds */
    struct cm_hist scratch;  /* of the last measure, as is the next one */
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

/* Periods stand behind the windows in config->all. */
static inline struct cm_period_maxima *maxima_of(const struct cm_windows *w,
                                                 const struct unit_sums *sums, uint32_t window)
{
    return w->config->all[window].is_period ? &sums->maxima[window - w->config->windows.count]
                                            : NULL;
}

static inline bool leg_has_unit(const struct cm_leg_packed *leg, uint32_t unit)
{
    for (uint32_t i = 0; i < leg->units_count; i++) {
        if (leg->units[i] == unit) {
            return true;
        }
    }
    return false;
}

static inline bool in_view(const struct cm_windows *w, enum cm_view view, uint32_t unit)
{
    return (w->views[view].kinds >> w->kinds[unit] & 1u) != 0;
}

/* The unit's accumulators in a view, made when they are not there. */
struct unit_sums *cm_windows_sums(struct cm_windows *windows, enum cm_view view,
                                  struct unit_state *state);
/* Brings the unit's accumulator of a window to where that window is. */
struct unit_sums *cm_windows_caught_up(struct cm_windows *windows, enum cm_view view,
                                       uint32_t window, struct unit_state *state);
/* A new period begins, before its window has moved: all units' sums are marked and start again. */
void cm_windows_clear_period(struct cm_windows *windows, enum cm_view view, uint32_t window);
/* An item has been made in that pane; what is folded in by now has its leg. */
void cm_windows_note_item(struct cm_windows *windows, uint32_t unit, int64_t no);
/* Gives back what the units of that pane have in it and in all below floor_no: no window needs it.
 */
void cm_windows_give_back(struct cm_windows *windows, const struct cm_pane *pane, int64_t floor_no);
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
/* Gives a leg the verdicts of its event, or of its record in the journal; they hold until the next
 * leg. */
void cm_windows_detail_checks(struct cm_windows *windows, struct cm_leg *leg);
void cm_windows_detail_checks_again(struct cm_windows *windows,
                                    const struct cm_journal_record *record, struct cm_leg *leg);
/* A leg that counts now; `record` is NULL when nothing is remembered. */
void cm_windows_detail_leg(struct cm_windows *windows, const struct cm_event *event,
                           const struct cm_leg *leg, struct cm_journal_record *record);
void cm_windows_detail_take_back(struct cm_windows *windows,
                                 const struct cm_journal_record *record);
/* The oldest record of the journal goes. */
void cm_windows_detail_forget(struct cm_windows *windows, const struct cm_journal_record *record);
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
