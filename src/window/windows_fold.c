// SPDX-License-Identifier: Apache-2.0
/* windows_fold.c — accumulators follow their windows when somebody looks, not when panes move.
 *
 *   a unit's chain   e ── e ── e ── e ── e ── e ── e
 *                    gone   ▲ leave           ▲ last    not folded in yet
 *                           left_no           fold_no
 *
 * What is folded in is exactly the unit's legs in panes [left_no, fold_no) of the reach, which may
 * lag behind the window. To catch up, entries that left are subtracted and new ones are added; a
 * reach that lies before the window altogether starts again from nothing, so what came and went
 * unseen costs no arithmetic. Before a pane is given back its entries are let go of (sliding
 * windows) or folded in (periods). */
#include "base/fail.h"
#include "window/windows_state.h"

static int64_t no_of(const struct cm_entry *entry)
{
    return (int64_t)((uint64_t)entry->no_high << 32 | entry->no);
}

/* Only entries with several bins need their pane. */
static const struct cm_pane *pane_of(struct cm_windows *w, const struct cm_entry *entry)
{
    return entry->more_bins == 0 ? NULL : cm_panes_find(w->panes, no_of(entry));
}

static struct cm_entry *first_unfolded(const struct cm_windows *w, const struct unit_state *state,
                                       const struct reach *reach)
{
    if (reach->last != NULL) {
        return reach->last->after;
    }
    struct cm_entry *entry =
        state->chain.newest_no < cm_panes_floor(w->panes) ? NULL : state->chain.newest;
    while (entry != NULL && entry->before != NULL) {
        entry = entry->before;
    }
    return entry;
}

/* Takes out what lies before left_no; only then may a pane be given back. */
static void let_go(struct cm_windows *w, struct cm_accumulator *acc, struct reach *reach,
                   int64_t left_no)
{
    if (reach->fold_no <= left_no) {
        if (reach->leave != NULL) {
            cm_accumulator_clear(acc);
            acc->tally.reserved = 0;
        }
        reach->leave = NULL;
        reach->left_no = reach->fold_no = left_no;
        return;
    }
    struct cm_entry *entry = reach->leave;
    while (entry != NULL && no_of(entry) < left_no) {
        cm_accumulator_subtract_entry(acc, entry, pane_of(w, entry));
        entry = entry == reach->last ? NULL : entry->after;
    }
    reach->leave = entry;
    reach->left_no = left_no;
}

static void fold(struct cm_windows *w, const struct unit_state *state, struct cm_accumulator *acc,
                 struct reach *reach, int64_t fold_no)
{
    struct cm_entry *entry = first_unfolded(w, state, reach);
    for (; entry != NULL && no_of(entry) < fold_no; entry = entry->after) {
        if (no_of(entry) >= reach->left_no) {
            cm_accumulator_add_entry(acc, entry, pane_of(w, entry));
            reach->leave = reach->leave == NULL ? entry : reach->leave;
        }
        reach->last = entry;
    }
    reach->fold_no = fold_no;
}

struct unit_sums *cm_windows_caught_up(struct cm_windows *w, enum cm_view view, uint32_t window,
                                       struct unit_state *state)
{
    const struct span *span = &w->views[view].spans[window];
    struct unit_sums *sums = cm_windows_sums(w, view, state);
    struct reach *reach = &sums->reach[window];
    CM_ASSERT(reach->fold_no <= span->fold_no && reach->left_no <= span->left_no);
    if (reach->left_no < span->left_no) {
        if (w->config->all[window].is_period) { /* cleared when it began */
            reach->left_no = span->left_no;
            reach->leave = NULL;
        } else {
            let_go(w, &sums->at[window], reach, span->left_no);
        }
    }
    if (reach->fold_no < span->fold_no) {
        fold(w, state, &sums->at[window], reach, span->fold_no);
    }
    return sums;
}

void cm_windows_clear_period(struct cm_windows *w, enum cm_view view, uint32_t window)
{
    for (uint32_t u = 0; u < cm_units_count(w->units) && u < w->state_cap; u++) {
        struct unit_state *state = &w->state[u];
        if (!in_view(w, view, u) || (state->chain.newest == NULL && state->sums[view].at == NULL)) {
            continue;
        }
        struct unit_sums *sums = cm_windows_caught_up(w, view, window, state);
        if (!cm_tally_is_empty(&sums->at[window].tally)) {
            cm_windows_mark(w, view, u, 1u << window);
        }
        cm_accumulator_clear(&sums->at[window]);
        sums->at[window].tally.reserved = 0;
        sums->reach[window].leave = NULL;
        *maxima_of(w, sums, window) = (struct cm_period_maxima){0, 0};
    }
}

void cm_windows_note_entry(struct cm_windows *w, uint32_t unit, struct cm_entry *entry)
{
    int64_t no = no_of(entry);
    struct unit_state *state = &w->state[unit];
    if (no >= w->most_fold_no) {
        return;
    }
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        struct unit_sums *sums = &state->sums[v];
        for (uint32_t i = 0; sums->at != NULL && i < w->config->all_count; i++) {
            struct reach *reach = &sums->reach[i];
            if (no >= reach->fold_no) {
                continue;
            }
            if (reach->last == entry->before) {
                reach->last = entry;
            }
            if (no >= reach->left_no && (reach->leave == NULL || reach->leave == entry->after)) {
                reach->leave = entry;
            }
        }
    }
}

static void give_back(struct cm_windows *w, enum cm_view view, struct cm_entry *entry)
{
    struct unit_state *state = &w->state[entry->unit];
    int64_t no = no_of(entry);
    for (uint32_t i = 0; i < w->config->all_count; i++) {
        const struct span *span = &w->views[view].spans[i];
        if (!span->used) {
            continue;
        }
        bool period = w->config->all[i].is_period;
        struct unit_sums *sums = &state->sums[view];
        if (period && no >= span->left_no) {
            sums = cm_windows_caught_up(w, view, i, state);
        }
        if (sums->at == NULL) {
            continue;
        }
        struct reach *reach = &sums->reach[i];
        if (!period && reach->left_no <= no && no < reach->fold_no) {
            let_go(w, &sums->at[i], reach, span->left_no);
        }
        reach->last = reach->last == entry ? NULL : reach->last;
        reach->leave = reach->leave == entry ? NULL : reach->leave;
    }
}

void cm_windows_give_back(struct cm_windows *w, const struct cm_pane *pane)
{
    for (struct cm_entry_chunk *chunk = pane->chunks; chunk != NULL; chunk = chunk->next) {
        for (uint32_t e = 0; e < chunk->used; e++) {
            for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
                if (in_view(w, v, chunk->at[e].unit)) {
                    give_back(w, v, &chunk->at[e]);
                }
            }
        }
    }
}
