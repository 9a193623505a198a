// SPDX-License-Identifier: Apache-2.0
/* windows_fold.c — accumulators follow their windows when somebody looks, not when panes move.
 *
 *   a unit's track   i  i  i  i  i  i  i  i  i
 *                    gone  ▲ leave     ▲ fold    not folded in yet
 *                          left_no     fold_no
 *
 * What is folded in is exactly the unit's legs in panes [left_no, fold_no) of the reach, which may
 * lag behind the window. To catch up, entries that left are subtracted and new ones are added, for
 * all windows in one walk; a reach that lies before the window altogether starts again from
 * nothing, so what came and went unseen costs no arithmetic. Before a pane is given back its
 * entries are let go of (sliding windows) or folded in (periods). */
#include "base/fail.h"
#include "window/windows_state.h"

#define AHEAD 6u /* entries that are on their way from memory while one is added */

/* Takes out what lies before left_no; only then may a pane be given back. */
static void let_go(const struct cm_track *track, struct cm_accumulator *acc, struct reach *reach,
                   int64_t left_no)
{
    if (reach->fold_no <= left_no) {
        if (reach->leave < reach->fold) {
            cm_accumulator_clear(acc);
        }
        reach->leave = reach->fold = cm_track_lower(track, left_no);
        reach->left_no = reach->fold_no = left_no;
        return;
    }
    while (reach->leave < reach->fold) {
        const struct cm_item *item = cm_track_at(track, reach->leave);
        if (item->no >= left_no) {
            break;
        }
        if (reach->leave + AHEAD < reach->fold) {
            __builtin_prefetch(cm_track_at(track, reach->leave + AHEAD)->entry);
        }
        cm_accumulator_subtract_entry(acc, item->entry);
        reach->leave++;
    }
    reach->left_no = left_no;
}

/* Nothing of what is folded in is inside the window any more. A period's sum was cleared when the
 * period began. */
static void begin_at_left(const struct cm_windows *w, const struct cm_track *track,
                          struct cm_accumulator *acc, struct reach *reach, uint32_t window,
                          int64_t left_no)
{
    if (w->config->all[window].is_period) {
        reach->fold = cm_track_lower(track, left_no);
        reach->left_no = reach->fold_no = left_no;
    } else {
        let_go(track, acc, reach, left_no);
    }
}

/* The windows of a view that have the same pane to fold up to as this one and have not done so,
 * itself included; each is put where its sum begins. In the order of that, the latest first. */
static uint32_t behind(const struct cm_windows *w, enum cm_view view, uint32_t window,
                       struct unit_state *state, uint8_t group[CM_WINDOWS_MAX])
{
    const struct span *spans = w->views[view].spans;
    struct unit_sums *sums = &state->sums[view];
    int64_t fold_no = spans[window].fold_no;
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->config->all_count; i++) {
        struct reach *reach = &sums->reach[i];
        if (!spans[i].used || spans[i].fold_no != fold_no || reach->fold_no >= fold_no) {
            continue;
        }
        if (reach->fold_no <= spans[i].left_no) {
            begin_at_left(w, &state->track, &sums->at[i], reach, i, spans[i].left_no);
        }
        uint32_t at = count++;
        for (; at > 0 && sums->reach[group[at - 1]].fold < reach->fold; at--) {
            group[at] = group[at - 1];
        }
        group[at] = (uint8_t)i;
    }
    return count;
}

/* Gives a window `count` entries that its sum lacks; several are in w->sum. */
static void give(const struct cm_windows *w, struct cm_accumulator *acc,
                 const struct cm_entry *first, uint64_t count)
{
    if (count == 1) {
        cm_accumulator_add_entry(acc, first);
    } else if (count > 1) {
        cm_accumulator_add_sum(acc, &w->sum);
    }
    if (acc->hist.used == 0) {
        cm_hist_free(&acc->hist);
    }
}

/* Folds in what the windows lack, all that have the same pane to fold up to. From the newest entry
 * back: what one window has in its sum, those that begin earlier have, too, so each entry is added
 * up once. */
static void fold(struct cm_windows *w, enum cm_view view, uint32_t window, struct unit_state *state)
{
    const struct cm_track *track = &state->track;
    struct unit_sums *sums = &state->sums[view];
    int64_t fold_no = w->views[view].spans[window].fold_no;
    uint8_t group[CM_WINDOWS_MAX];
    uint32_t count = behind(w, view, window, state, group);
    CM_ASSERT(count > 0); /* that window at least */
    uint64_t end = cm_track_lower(track, fold_no);
    uint64_t from = sums->reach[group[count - 1]].fold;
    uint64_t place = end;
    for (uint32_t i = 0; i < count; i++) {
        struct reach *reach = &sums->reach[group[i]];
        while (place > reach->fold) {
            place--;
            const struct cm_item *item = cm_track_at(track, place);
            if (place >= from + AHEAD) {
                __builtin_prefetch(cm_track_at(track, place - AHEAD)->entry);
            }
            if (place + 2 == end) { /* a second one: worth a sum */
                cm_entry_sum_add(&w->sum, cm_track_at(track, place + 1)->entry);
            }
            if (place + 2 <= end) {
                cm_entry_sum_add(&w->sum, item->entry);
            }
        }
        give(w, &sums->at[group[i]], end > place ? cm_track_at(track, place)->entry : NULL,
             end - place);
        reach->fold = end;
        reach->fold_no = fold_no;
    }
    if (end - place > 1) {
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
        } else {
            let_go(&state->track, &sums->at[window], reach, span->left_no);
        }
    }
    if (reach->fold_no < span->fold_no) {
        fold(w, view, window, state);
    } else if (sums->at[window].hist.used == 0) {
        cm_hist_free(&sums->at[window].hist);
    }
    return sums;
}

void cm_windows_clear_period(struct cm_windows *w, enum cm_view view, uint32_t window)
{
    for (uint32_t u = 0; u < cm_units_count(w->units) && u < w->state_cap; u++) {
        struct unit_state *state = &w->state[u];
        if (!in_view(w, view, u) || (state->track.at == NULL && state->sums[view].at == NULL)) {
            continue;
        }
        struct unit_sums *sums = cm_windows_caught_up(w, view, window, state);
        if (!cm_tally_is_empty(&sums->at[window].tally)) {
            cm_windows_mark(w, view, u, 1u << window);
        }
        cm_accumulator_clear(&sums->at[window]);
        *maxima_of(w, sums, window) = (struct cm_period_maxima){0, 0};
    }
}

void cm_windows_note_item(struct cm_windows *w, uint32_t unit, int64_t no)
{
    struct unit_state *state = &w->state[unit];
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        struct unit_sums *sums = &state->sums[v];
        for (uint32_t i = 0; sums->at != NULL && i < w->config->all_count; i++) {
            struct reach *reach = &sums->reach[i];
            reach->fold += no < reach->fold_no;
            reach->leave += no < reach->left_no;
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
                   sums->reach[i].leave < sums->reach[i].fold) {
            let_go(&state->track, &sums->at[i], &sums->reach[i], span->left_no);
        }
    }
    sums->settled_no = floor_no;
}

/* Fetches from memory what a pane's units have: first all states, then what these point to. */
static void expect_oldest(const struct cm_windows *w, const struct cm_pane *pane)
{
    for (uint32_t i = 0; i < pane->units_count; i++) {
        __builtin_prefetch(&w->state[pane->units[i]], 1);
    }
    for (uint32_t i = 0; i < pane->units_count; i++) {
        const struct cm_track *track = &w->state[pane->units[i]].track;
        if (track->count > 0) {
            __builtin_prefetch(cm_track_at(track, track->first));
        }
    }
    for (uint32_t i = 0; i < pane->units_count; i++) {
        const struct cm_track *track = &w->state[pane->units[i]].track;
        if (track->count > 0) {
            __builtin_prefetch(cm_track_at(track, track->first)->entry, 1);
        }
    }
}

void cm_windows_give_back(struct cm_windows *w, const struct cm_pane *pane, int64_t floor_no)
{
    expect_oldest(w, pane);
    for (uint32_t i = 0; i < pane->units_count; i++) {
        struct unit_state *state = &w->state[pane->units[i]];
        for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
            if (state->sums[v].settled_no < floor_no && in_view(w, v, pane->units[i])) {
                settle_unit(w, v, state, floor_no);
            }
        }
        cm_panes_release(w->panes, &state->track, floor_no);
    }
}
