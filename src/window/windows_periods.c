// SPDX-License-Identifier: Apache-2.0
/* windows_periods.c — calendar periods: day, week, month and quarter mostly get the same legs.
 *
 *   leg ──► pending ──┬─► day        when somebody looks at the unit, or a period begins
 *                     ├─► week
 *                     └─► month ...
 *
 * What several periods of a view lack is added up once a unit, in `pending`, and given to each of
 * them later: mostly what all lack; while a day that has ended is not yet passed, what the others
 * do, and then what the day does. */
#include "window/windows_state.h"

#define BULK_LEGS 32u /* of a catching up that works off a backlog */

void cm_windows_note_periods(struct cm_windows *w, enum cm_view view)
{
    struct view *v = &w->views[view];
    v->periods = 0;
    v->periods_left_no = INT64_MIN;
    v->periods_asof_no = INT64_MAX;
    for (uint32_t i = w->config->windows.count; i < w->config->all_count; i++) {
        const struct span *span = &v->spans[i];
        if (span->used) {
            v->periods |= 1u << i;
            v->periods_left_no =
                span->left_no > v->periods_left_no ? span->left_no : v->periods_left_no;
            v->periods_asof_no =
                span->asof_no < v->periods_asof_no ? span->asof_no : v->periods_asof_no;
        }
    }
}

uint32_t cm_windows_periods_with(const struct cm_windows *w, enum cm_view view, int64_t no)
{
    const struct view *v = &w->views[view];
    if (CM_LIKELY(no >= v->periods_left_no && no < v->periods_asof_no)) {
        return v->periods;
    }
    uint32_t with = 0;
    for (uint32_t bits = v->periods; bits != 0; bits &= bits - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);
        with |= (uint32_t)(no >= v->spans[i].left_no && no < v->spans[i].asof_no) << i;
    }
    return with;
}

/* Where legs for these periods gather; NULL: they are to go to each by itself. Of a few legs only
 * what all periods lack gathers: others would make it change hands with each leg. */
static struct cm_pending *pending_for(struct cm_windows *w, enum cm_view view, uint32_t unit,
                                      uint32_t periods)
{
    struct cm_pending *pending = w->state[unit].pending[view];
    if (CM_UNLIKELY(pending == NULL)) {
        pending = cm_windows_make_pending(w, view, unit);
    }
    if (CM_LIKELY(pending->periods == periods)) {
        return pending;
    }
    if (periods != w->views[view].periods && w->work_count < BULK_LEGS) {
        return NULL;
    }
    cm_windows_flush(w, view, unit);
    pending->periods = (uint16_t)periods;
    return pending;
}

void cm_windows_flush(struct cm_windows *w, enum cm_view view, uint32_t unit)
{
    struct cm_pending *pending = w->state[unit].pending[view];
    if (pending == NULL || cm_pending_is_empty(pending)) {
        return;
    }
    struct cm_pending_look look;
    const struct cm_accumulator *sums = cm_pending_look(pending, &look);
    for (uint32_t bits = pending->periods; bits != 0; bits &= bits - 1) {
        cm_accumulator_merge(cm_windows_period(w, view, unit, (uint32_t)__builtin_ctz(bits)), sums);
    }
    cm_pending_clear(pending);
}

void cm_windows_add_periods(struct cm_windows *w, enum cm_view view, uint32_t unit,
                            const struct cm_addend *addend, uint32_t periods)
{
    struct cm_pending *pending = pending_for(w, view, unit, periods);
    if (CM_LIKELY(pending != NULL)) {
        cm_pending_add(pending, addend);
        return;
    }
    for (uint32_t bits = periods; bits != 0; bits &= bits - 1) {
        cm_accumulator_add(cm_windows_period(w, view, unit, (uint32_t)__builtin_ctz(bits)), addend);
    }
}

void cm_windows_settle_periods(struct cm_windows *w, enum cm_view view, uint32_t unit,
                               const struct cm_addend *addend, uint32_t periods)
{
    struct cm_pending *pending = pending_for(w, view, unit, periods);
    if (CM_LIKELY(pending != NULL)) {
        cm_pending_settle(pending, addend);
        return;
    }
    for (uint32_t bits = periods; bits != 0; bits &= bits - 1) {
        cm_accumulator_settle(cm_windows_period(w, view, unit, (uint32_t)__builtin_ctz(bits)),
                              addend);
    }
}

void cm_windows_clear_period(struct cm_windows *w, enum cm_view view, uint32_t window,
                             int64_t left_no)
{
    for (uint32_t u = 0; u < cm_units_count(w->units) && u < w->state_cap; u++) {
        cm_windows_flush(w, view, u);
        struct cm_accumulator *acc = cm_windows_many(w, view, u, window);
        if (acc == NULL) {
            continue;
        }
        if (!cm_tally_is_empty(&acc->tally)) {
            cm_windows_mark(w, view, u, 1u << window);
        }
        cm_accumulator_clear(acc);
    }
    for (struct cm_pane *pane = cm_panes_oldest(w->panes); pane != NULL && pane->no < left_no;
         pane = pane->newer) {
        struct cm_pane_use *use = &pane->uses[view];
        use->in = (uint16_t)(use->in & ~(1u << window));
        use->want = (uint16_t)(use->want & ~(1u << window));
    }
}
