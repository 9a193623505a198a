// SPDX-License-Identifier: Apache-2.0
/* windows_move.c — the part of windows.h that moves on: panes come in and leave, periods begin,
 * panes are given back. */
#include "base/fail.h"
#include "window/windows_state.h"

/* The legs of that pane are to come into that window, or to leave it; their units have changed. */
static void move_pane(struct cm_windows *w, enum cm_view view, uint32_t window,
                      struct cm_pane *pane, bool in)
{
    struct cm_pane_use *use = &pane->uses[view];
    uint32_t bit = 1u << window;
    use->want = (uint16_t)(in ? use->want | bit : use->want & ~bit);
    use->moved = (uint16_t)(use->moved | bit);
    w->views[view].dirty |= bit;
    cm_windows_list_pane(&w->views[view], view, pane);
}

static void move_left(struct cm_windows *w, enum cm_view view, uint32_t window, int64_t left_no)
{
    struct span *span = &w->views[view].spans[window];
    if (w->config->all[window].is_period) {
        if (span->left_no != INT64_MIN) {
            cm_windows_clear_period(w, view, window, left_no);
        }
    }
    for (; span->leave != NULL && span->leave->no < left_no; span->leave = span->leave->newer) {
        cm_panes_expect(w->panes, span->leave->no + CM_PANES_AHEAD);
        if (span->leave->no < span->asof_no) { /* else it was never in */
            move_pane(w, view, window, span->leave, false);
        }
    }
    span->left_no = left_no;
}

void cm_windows_advance(struct cm_windows *w, enum cm_view view, uint32_t window, int64_t asof_ms)
{
    struct span *span = &w->views[view].spans[window];
    CM_ASSERT(span->used && asof_ms >= span->asof_ms);
    CM_ASSERT(asof_ms % w->config->all[window].step_ms == 0);
    w->views[view].impact_no = INT64_MIN;

    int64_t left_no = pane_no(w, cm_windows_left_ms(w, window, asof_ms));
    if (left_no > span->left_no) {
        move_left(w, view, window, left_no);
    }
    int64_t asof_no = pane_no(w, asof_ms);
    for (; span->enter != NULL && span->enter->no < asof_no; span->enter = span->enter->newer) {
        cm_panes_expect(w->panes, span->enter->no + CM_PANES_AHEAD);
        if (span->enter->no >= left_no) {
            move_pane(w, view, window, span->enter, true);
        }
    }
    span->asof_no = asof_no;
    cm_windows_detail_advance(w, view, window, span->left_no, asof_no);
    span->asof_ms = asof_ms;
    if (w->config->all[window].is_period) {
        cm_windows_note_periods(w, view);
    }
}

int64_t cm_windows_next_entry(const struct cm_windows *w, enum cm_view view, uint32_t window)
{
    const struct span *span = &w->views[view].spans[window];
    int64_t detail_ms = cm_windows_detail_entry_ms(w, view, window);
    if (span->enter == NULL) {
        return detail_ms;
    }
    /* The first step at or after the pane's end. */
    int64_t entry_ms =
        cm_window_next_asof(&w->config->all[window], (span->enter->no + 1) * w->pane_ms - 1);
    return detail_ms < entry_ms ? detail_ms : entry_ms;
}

int64_t cm_windows_next_change(const struct cm_windows *w, enum cm_view view, uint32_t window)
{
    const struct view *v = &w->views[view];
    const struct span *span = &v->spans[window];
    const struct cm_window_spec *spec = &w->config->all[window];
    int64_t least_ms = span->asof_ms == INT64_MIN ? INT64_MIN : span->asof_ms + spec->step_ms;
    int64_t next_ms = cm_windows_next_entry(w, view, window);

    if (span->asof_ms == INT64_MIN) {
        return next_ms;
    }
    if ((v->dirty >> window & 1u) != 0) {
        return least_ms;
    }
    int64_t leave_ms = INT64_MAX;
    if (spec->is_period) { /* the period still holds all of itself as of its end, and nothing one
                              step later */
        leave_ms =
            cm_zone_period_end_ms(w->config->zone, spec->period, span->asof_ms - 1) + spec->step_ms;
    } else if (span->leave != NULL && span->leave->no < span->asof_no) {
        leave_ms =
            cm_window_next_asof(spec, (span->leave->no + 1) * w->pane_ms + spec->length_ms - 1);
    }
    next_ms = leave_ms < next_ms ? leave_ms : next_ms;
    int64_t detail_ms = cm_windows_detail_change_ms(w, view, window, least_ms);
    next_ms = detail_ms < next_ms ? detail_ms : next_ms;
    return next_ms < least_ms ? least_ms : next_ms;
}

int64_t cm_windows_asof(const struct cm_windows *w, enum cm_view view, uint32_t window)
{
    return w->views[view].spans[window].asof_ms;
}

/* Forgets the oldest legs, those that neither a pane nor the journal has. */
static void trim_legs(struct cm_windows *w)
{
    struct cm_leg_log *legs = &w->legs;
    int64_t floor_no = cm_panes_floor(w->panes);
    while (legs->first != legs->end && !is_remembered(w, legs->first) &&
           pane_no(w, cm_leg_log_at(legs, legs->first)->ts_ms) < floor_no) {
        cm_leg_log_drop(legs);
    }
}

void cm_windows_trim(struct cm_windows *w)
{
    int64_t floor_no = INT64_MAX;
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        for (uint32_t i = 0; i < w->config->all_count; i++) {
            const struct span *span = &w->views[v].spans[i];
            if (span->used) {
                int64_t needed_no = w->config->all[i].is_period ? span->asof_no : span->left_no;
                floor_no = needed_no < floor_no ? needed_no : floor_no;
            }
        }
    }
    cm_windows_give_back(w, floor_no);
    cm_panes_drop(w->panes, floor_no);
    trim_legs(w);
    cm_sums_trim(w->detail.sums);
}
