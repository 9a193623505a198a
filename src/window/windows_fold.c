// SPDX-License-Identifier: Apache-2.0
/* windows_fold.c — accumulators follow their windows when somebody looks, not when panes move.
 *
 *   a unit's chain   e ── e ── e ── e ── e ── e ── e
 *                    gone   ▲ leave           ▲ last    not folded in yet
 *                           left_no           fold_no
 *
 * What is folded in is exactly the unit's legs in panes [left_no, fold_no) of the reach, which may
 * lag behind the window. To catch up, entries that left are subtracted and new ones are added, for
 * all windows in one walk; a reach that lies before the window altogether starts again from
 * nothing, so what came and went unseen costs no arithmetic. Before a pane is given back its entries are let go of (sliding
 * windows) or folded in (periods). */
#include "base/fail.h"
#include "base/memory.h"
#include "window/windows_state.h"

/* The newest entry that is folded in or was passed; NULL when it is gone. */
static struct cm_entry *last_of(const struct cm_windows *w, const struct reach *reach)
{
    return reach->last != NULL && reach->last_no >= cm_panes_floor(w->panes) ? reach->last : NULL;
}

static void set_last(struct reach *reach, struct cm_entry *entry)
{
    reach->last = entry;
    reach->last_no = cm_entry_no(entry);
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
    while (entry != NULL && cm_entry_no(entry) < left_no) {
        cm_accumulator_subtract_entry(acc, entry);
        entry = entry == reach->last ? NULL : entry->after;
    }
    reach->leave = entry;
    reach->left_no = left_no;
}

/* Nothing of what is folded in is inside the window any more. A period's sum was cleared when the
 * period began. */
static void begin_at_left(const struct cm_windows *w, struct cm_accumulator *acc,
                          struct reach *reach, uint32_t window, int64_t left_no)
{
    if (w->config->all[window].is_period) {
        reach->leave = NULL;
        reach->left_no = reach->fold_no = left_no;
    } else {
        let_go(acc, reach, left_no);
    }
}

/* The windows of a view that have the same pane to fold up to as this one and have not done so,
 * itself included; each is put where its sum begins. In the order of that, the latest first. */
static uint32_t behind(const struct cm_windows *w, enum cm_view view, uint32_t window,
                       struct unit_sums *sums, uint8_t group[CM_WINDOWS_MAX])
{
    const struct span *spans = w->views[view].spans;
    int64_t fold_no = spans[window].fold_no;
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->config->all_count; i++) {
        struct reach *reach = &sums->reach[i];
        if (!spans[i].used || spans[i].fold_no != fold_no || reach->fold_no >= fold_no) {
            continue;
        }
        if (reach->fold_no <= spans[i].left_no) {
            begin_at_left(w, &sums->at[i], reach, i, spans[i].left_no);
        }
        uint32_t at = count++;
        for (; at > 0 && sums->reach[group[at - 1]].fold_no < reach->fold_no; at--) {
            group[at] = group[at - 1];
        }
        group[at] = (uint8_t)i;
    }
    return count;
}

/* The newest entry of the unit that one of these windows has passed and that is older than
 * from_no; NULL when all of those are gone. */
static struct cm_entry *last_passed(const struct cm_windows *w, const struct unit_sums *sums,
                                    const uint8_t *group, uint32_t count, int64_t from_no)
{
    struct cm_entry *last = NULL;
    int64_t last_no = INT64_MIN;
    for (uint32_t i = 0; i < count; i++) {
        const struct reach *reach = &sums->reach[group[i]];
        struct cm_entry *passed = last_of(w, reach);
        if (passed != NULL && reach->last_no < from_no && reach->last_no >= last_no) {
            last = passed;
            last_no = reach->last_no;
        }
    }
    return last;
}

static void walk_add(struct walk *walk, struct cm_entry *entry)
{
    if (walk->count == walk->cap) {
        walk->cap = walk->cap == 0 ? 64 : walk->cap * 2;
        walk->at = cm_realloc(walk->at, walk->cap, sizeof(struct cm_entry *));
    }
    walk->at[walk->count++] = entry;
}

/* Puts the unit's entries of panes [from_no, fold_no) into the walk, in the order of time. Returns
 * the newest one below fold_no, of those that were looked at. */
static struct cm_entry *collect(struct cm_windows *w, const struct unit_state *state,
                                struct cm_entry *last, int64_t from_no, int64_t fold_no)
{
    struct walk *walk = &w->walk;
    walk->count = 0;
    struct cm_entry *entry = last;
    if (entry == NULL) { /* from the newest one back */
        entry = state->chain.newest_no < cm_panes_floor(w->panes) ? NULL : state->chain.newest;
        while (entry != NULL && entry->before != NULL && cm_entry_no(entry) >= from_no) {
            entry = entry->before;
        }
    } else {
        entry = entry->after;
    }
    for (; entry != NULL && cm_entry_no(entry) < fold_no; entry = entry->after) {
        last = entry;
        if (cm_entry_no(entry) >= from_no) {
            walk_add(walk, entry);
        }
    }
    return last;
}

/* Gives a window what its sum lacks: the entries of the walk from `first` on, which are in w->sum
 * when there are several. */
static void give(const struct cm_windows *w, struct cm_accumulator *acc, struct reach *reach,
                 uint32_t first)
{
    uint32_t count = w->walk.count - first;
    if (count == 1) {
        cm_accumulator_add_entry(acc, w->walk.at[first]);
    } else if (count > 1) {
        cm_accumulator_add_sum(acc, &w->sum);
    }
    if (count > 0 && reach->leave == NULL) {
        reach->leave = w->walk.at[first];
    }
    if (acc->hist.used == 0) {
        cm_hist_free(&acc->hist);
    }
}

/* Folds in what the windows lack, all that have the same pane to fold up to. From the newest entry
 * back: what one window has in its sum, those that begin earlier have, too, so each entry is added
 * up once. */
static void fold(struct cm_windows *w, enum cm_view view, uint32_t window,
                 const struct unit_state *state, struct unit_sums *sums)
{
    int64_t fold_no = w->views[view].spans[window].fold_no;
    uint8_t group[CM_WINDOWS_MAX];
    uint32_t count = behind(w, view, window, sums, group);
    int64_t from_no = sums->reach[group[count - 1]].fold_no;
    struct cm_entry *last = last_passed(w, sums, group, count, from_no);
    last = collect(w, state, last, from_no, fold_no);

    uint32_t first = w->walk.count;
    for (uint32_t i = 0; i < count; i++) {
        struct reach *reach = &sums->reach[group[i]];
        while (first > 0 && cm_entry_no(w->walk.at[first - 1]) >= reach->fold_no) {
            first--;
            if (first + 2 == w->walk.count) { /* a second one: worth a sum */
                cm_entry_sum_add(&w->sum, w->walk.at[first + 1]);
            }
            if (first + 2 <= w->walk.count) {
                cm_entry_sum_add(&w->sum, w->walk.at[first]);
            }
        }
        give(w, &sums->at[group[i]], reach, first);
        reach->fold_no = fold_no;
        if (last != NULL) {
            set_last(reach, last);
        }
    }
    if (w->walk.count > 1) {
        cm_entry_sum_clear(&w->sum);
    }
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
        fold(w, view, window, state, sums);
    } else if (sums->at[window].hist.used == 0) {
        cm_hist_free(&sums->at[window].hist);
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
    int64_t no = cm_entry_no(entry);
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
