// SPDX-License-Identifier: Apache-2.0
/* windows_move.c — the part of windows.h that moves on: panes come in and leave, periods begin,
 * panes are given back. */
#include "base/fail.h"
#include "window/windows_state.h"

#define AHEAD 8u /* cells that are on their way from memory while one is marked */

static void mark_units(struct cm_windows *w, enum cm_view view, uint32_t windows,
                       const struct cm_pane *pane)
{
    for (uint32_t i = 0; i < pane->cells_count; i++) {
        const struct cell *cell = &w->cells[pane->cells[i]];
        if (pane->cells_count - i > AHEAD) {
            cm_prefetch(&w->cells[pane->cells[i + AHEAD]].units);
        }
        cm_windows_mark_behind(w, view, pane->cells[i], windows);
        for (uint32_t u = 0; u < cell->units_count; u++) {
            if (in_view(w, view, cell->units[u])) {
                cm_windows_mark(w, view, cell->units[u], windows);
            }
        }
    }
}

void cm_windows_mark_moved(struct cm_windows *w)
{
    struct cm_pane *pane = w->moved;
    w->moved = NULL;
    while (pane != NULL) {
        struct cm_pane *next = pane->moved_next;
        for (uint32_t i = 0; next != NULL && i < next->cells_count && i < AHEAD; i++) {
            cm_prefetch(&w->cells[next->cells[i]].units);
        }
        mark_units(w, CM_VIEW_ROWS, pane->moved, pane);
        pane->moved = 0;
        pane->moved_next = NULL;
        pane = next;
    }
}

/* The cells of that pane are behind in that window, and their units have changed. Those of rows are
 * marked when somebody asks: a pane comes into several windows at once. */
static void mark_pane(struct cm_windows *w, enum cm_view view, uint32_t window,
                      struct cm_pane *pane)
{
    if (view != CM_VIEW_ROWS) {
        mark_units(w, view, 1u << window, pane);
        return;
    }
    if (pane->moved == 0) {
        pane->moved_next = w->moved;
        w->moved = pane;
    }
    pane->moved |= 1u << window;
    w->views[view].dirty |= 1u << window;
}

static void move_left(struct cm_windows *w, enum cm_view view, uint32_t window, int64_t left_no)
{
    struct span *span = &w->views[view].spans[window];
    bool period = w->config->all[window].is_period;
    if (period && span->left_no != left_no && span->left_no != INT64_MIN) {
        cm_windows_clear_period(w, view, window);
    }
    while (span->leave != NULL && span->leave->no < left_no) {
        if (!period || span->leave->no >= span->fold_no) {
            mark_pane(w, view, window, span->leave);
        }
        span->leave = span->leave->newer;
    }
    span->left_no = left_no;
}

void cm_windows_note_periods(struct cm_windows *w, enum cm_view view)
{
    struct view *v = &w->views[view];
    v->periods = 0;
    v->periods_left_no = INT64_MIN;
    v->periods_fold_no = INT64_MAX;
    for (uint32_t i = w->config->windows.count; i < w->config->all_count; i++) {
        const struct span *span = &v->spans[i];
        if (span->used) {
            v->periods |= 1u << i;
            v->periods_left_no =
                span->left_no > v->periods_left_no ? span->left_no : v->periods_left_no;
            v->periods_fold_no =
                span->fold_no < v->periods_fold_no ? span->fold_no : v->periods_fold_no;
        }
    }
}

void cm_windows_advance(struct cm_windows *w, enum cm_view view, uint32_t window, int64_t asof_ms,
                        int64_t fold_ms)
{
    struct span *span = &w->views[view].spans[window];
    CM_ASSERT(span->used && asof_ms >= span->asof_ms && fold_ms <= asof_ms);
    CM_ASSERT(asof_ms % w->config->all[window].step_ms == 0);
    w->views[view].impact_no = INT64_MIN;

    int64_t left_no = pane_no(w, cm_windows_left_ms(w, window, asof_ms));
    if (left_no > span->left_no) {
        move_left(w, view, window, left_no);
    }
    int64_t asof_no = pane_no(w, asof_ms);
    int64_t fold_no = pane_no(w, fold_ms);
    fold_no = fold_no < left_no ? left_no : fold_no;
    while (span->enter != NULL && span->enter->no < fold_no) {
        if (span->enter->no >= left_no) {
            mark_pane(w, view, window, span->enter);
        }
        span->enter = span->enter->newer;
    }
    if (fold_no > span->fold_no) {
        span->fold_no = fold_no;
        w->most_fold_no = fold_no > w->most_fold_no ? fold_no : w->most_fold_no;
    }
    /* What was ahead of the window and is not folded yet comes into it. */
    int64_t from_no = span->asof_ms == INT64_MIN ? left_no : pane_no(w, span->asof_ms);
    from_no = from_no < span->fold_no ? span->fold_no : from_no;
    for (struct cm_pane *p = from_no < asof_no ? cm_panes_newest(w->panes) : NULL;
         p != NULL && p->no >= from_no; p = p->older) {
        if (p->no < asof_no) {
            mark_pane(w, view, window, p);
        }
    }
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
    } else if (span->leave != NULL && span->leave->no < span->fold_no) {
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
                int64_t needed_no = w->config->all[i].is_period ? span->fold_no : span->left_no;
                floor_no = needed_no < floor_no ? needed_no : floor_no;
            }
        }
    }
    /* The cursors of periods may still point below; they have nothing to take out of there. */
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        for (uint32_t i = 0; i < w->config->all_count; i++) {
            struct span *span = &w->views[v].spans[i];
            while (span->leave != NULL && span->leave->no < floor_no) {
                span->leave = span->leave->newer;
            }
        }
    }
    if (w->moved != NULL && cm_panes_oldest(w->panes) != NULL &&
        cm_panes_oldest(w->panes)->no < floor_no) {
        cm_windows_mark_moved(w); /* before they are gone */
    }
    cm_windows_give_back(w, floor_no);
    cm_panes_drop(w->panes, floor_no);
    trim_legs(w);
    cm_sums_trim(w->detail.sums);
}
