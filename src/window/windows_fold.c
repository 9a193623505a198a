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

/* The newest entry that is folded in or was passed; NULL when it is gone. */
static struct cm_entry *last_of(const struct cm_windows *w, const struct reach *reach)
{
    return reach->last != NULL && reach->last_no >= cm_panes_floor(w->panes) ? reach->last : NULL;
}

static void set_last(struct reach *reach, struct cm_entry *entry)
{
    reach->last = entry;
    reach->last_no = no_of(entry);
}

/* Where folding goes on. When `last` was given back: at the oldest entry there is, though what is
 * about to be given back may be folded in. */
static struct cm_entry *first_unfolded(const struct cm_windows *w, const struct unit_state *state,
                                       const struct reach *reach)
{
    struct cm_entry *last = last_of(w, reach);
    if (last != NULL) {
        return last->after;
    }
    struct cm_entry *entry =
        state->chain.newest_no < cm_panes_floor(w->panes) ? NULL : state->chain.newest;
    while (entry != NULL && entry->before != NULL) {
        entry = entry->before;
    }
    return entry;
}

/* Takes out what lies before left_no; only then may a pane be given back. */
static void let_go(struct cm_accumulator *acc, struct reach *reach, int64_t left_no)
{
    if (reach->fold_no <= left_no) {
        if (reach->leave != NULL) {
            cm_accumulator_clear(acc);
        }
        reach->leave = NULL;
        reach->left_no = reach->fold_no = left_no;
        return;
    }
    struct cm_entry *entry = reach->leave;
    while (entry != NULL && no_of(entry) < left_no) {
        cm_accumulator_subtract_entry(acc, entry);
        entry = entry == reach->last ? NULL : entry->after;
    }
    reach->leave = entry;
    reach->left_no = left_no;
}

static void fold(struct cm_windows *w, const struct unit_state *state, struct cm_accumulator *acc,
                 struct reach *reach, int64_t fold_no)
{
    struct cm_entry *entry = first_unfolded(w, state, reach);
    int64_t from_no = reach->fold_no > reach->left_no ? reach->fold_no : reach->left_no;
    for (; entry != NULL && no_of(entry) < fold_no; entry = entry->after) {
        if (no_of(entry) >= from_no) {
            cm_accumulator_add_entry(acc, entry);
            reach->leave = reach->leave == NULL ? entry : reach->leave;
        }
        set_last(reach, entry);
    }
    reach->fold_no = fold_no;
}

/* The windows that have the same to fold in as this one, itself included, a bit each: all that were
 * looked at together. Not one that begins behind what is folded in. */
static uint32_t companions(const struct cm_windows *w, enum cm_view view, uint32_t window,
                           const struct unit_sums *sums)
{
    const struct span *spans = w->views[view].spans;
    const struct reach *mine = &sums->reach[window];
    uint32_t group = 0;
    for (uint32_t i = 0; i < w->config->all_count; i++) {
        const struct reach *reach = &sums->reach[i];
        bool same = spans[i].used && reach->fold_no == mine->fold_no &&
                    spans[i].fold_no == spans[window].fold_no && reach->last == mine->last &&
                    spans[i].left_no <= reach->fold_no;
        group |= (uint32_t)same << i;
    }
    return group;
}

static void reach_to(struct reach *reach, struct cm_entry *first, struct cm_entry *last,
                     int64_t fold_no)
{
    if (first != NULL) {
        reach->leave = reach->leave == NULL ? first : reach->leave;
    }
    if (last != NULL) {
        set_last(reach, last);
    }
    reach->fold_no = fold_no;
}

/* What all of them have to fold in is added up once. */
static void fold_group(struct cm_windows *w, const struct unit_state *state, struct unit_sums *sums,
                       uint32_t group, int64_t fold_no)
{
    const struct reach *reach = &sums->reach[__builtin_ctz(group)];
    int64_t from_no = reach->fold_no;
    struct cm_entry *entry = first_unfolded(w, state, reach);
    struct cm_entry *first = NULL;
    struct cm_entry *last = NULL;
    struct cm_accumulator sum = {0};
    uint32_t count = 0;
    for (; entry != NULL && no_of(entry) < fold_no; entry = entry->after) {
        last = entry;
        if (no_of(entry) < from_no) {
            continue;
        }
        if (count == 1) { /* worth a sum of its own */
            cm_accumulator_add_entry(&sum, first);
        }
        if (count > 0) {
            cm_accumulator_add_entry(&sum, entry);
        }
        first = first == NULL ? entry : first;
        count++;
    }
    for (uint32_t bits = group; bits != 0; bits &= bits - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);
        if (count == 1) {
            cm_accumulator_add_entry(&sums->at[i], first);
        } else if (count > 1) {
            cm_accumulator_merge(&sums->at[i], &sum);
        }
        reach_to(&sums->reach[i], first, last, fold_no);
    }
    cm_accumulator_free(&sum);
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
            let_go(&sums->at[window], reach, span->left_no);
        }
    }
    if (reach->fold_no < span->fold_no) {
        uint32_t group = companions(w, view, window, sums);
        if ((group >> window & 1u) != 0 && (group & (group - 1)) != 0) {
            fold_group(w, state, sums, group, span->fold_no);
        } else {
            fold(w, state, &sums->at[window], reach, span->fold_no);
        }
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
            if (last_of(w, reach) == entry->before) {
                set_last(reach, entry);
            }
            if (no >= reach->left_no && (reach->leave == NULL || reach->leave == entry->after)) {
                reach->leave = entry;
            }
        }
    }
}

/* Lets go of all that the unit has below floor_no, or folds it in. */
static void settle_unit(struct cm_windows *w, enum cm_view view, struct unit_state *state,
                        int64_t floor_no)
{
    struct unit_sums *sums = &state->sums[view];
    for (uint32_t i = 0; i < w->config->all_count; i++) {
        const struct span *span = &w->views[view].spans[i];
        if (!span->used) {
            continue;
        }
        if (w->config->all[i].is_period) {
            sums = cm_windows_caught_up(w, view, i, state);
        } else if (sums->at != NULL && sums->reach[i].left_no < floor_no &&
                   sums->reach[i].leave != NULL) {
            let_go(&sums->at[i], &sums->reach[i], span->left_no);
        }
    }
    sums->settled_no = floor_no;
}

void cm_windows_give_back(struct cm_windows *w, const struct cm_pane *pane, int64_t floor_no)
{
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        struct cm_entry_chunk *chunk = w->views[v].kinds == 0 ? NULL : pane->chunks;
        for (; chunk != NULL; chunk = chunk->next) {
            for (uint32_t e = 0; e < chunk->used; e++) {
                uint32_t unit = chunk->at[e].unit;
                struct unit_state *state = &w->state[unit];
                if (state->sums[v].settled_no < floor_no && in_view(w, v, unit)) {
                    settle_unit(w, v, state, floor_no);
                }
            }
        }
    }
}
