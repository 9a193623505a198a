// SPDX-License-Identifier: Apache-2.0
/* windows_fold.c — the sums of units follow their windows when somebody looks, not when panes move.
 *
 *   a cell's track   i  i  i  i  i  i  i  i  i
 *                    gone  ▲ leave     ▲ fold    not folded in yet
 *                          left_no     fold_no
 *
 * What a window has of a cell is exactly its legs in panes [left_no, fold_no) of the reach, which
 * may lag behind the window. To catch up, legs that left are subtracted and new ones are added,
 * for all windows in one walk and then for all units; a reach that lies before the window
 * altogether starts again, so what came and went unseen costs no arithmetic. Before a pane is given
 * back its legs are let go of (sliding windows) or folded in (periods). */
#include "base/fail.h"
#include "base/memory.h"
#include "window/windows_state.h"

#define AHEAD 6u /* legs that are on their way from memory while one is added */

/* ---- what several units get */

/* A window's sums of all units get `count` legs; several are in w->sum. */
static void give(struct cm_windows *w, enum cm_view view, uint32_t window, const struct cell *cell,
                 const struct cm_leg *first, uint64_t count)
{
    for (uint32_t u = 0; u < cell->units_count && count > 0; u++) {
        if (!in_view(w, view, cell->units[u])) {
            continue;
        }
        struct cm_accumulator *acc = cm_windows_sums(w, view, cell->units[u], window);
        if (count == 1) {
            cm_accumulator_add_leg(acc, first);
        } else {
            cm_accumulator_add_sum(acc, &w->sum);
        }
    }
}

/* They lose them again. */
static void take(struct cm_windows *w, enum cm_view view, uint32_t window, const struct cell *cell,
                 const struct cm_leg *first, uint64_t count)
{
    for (uint32_t u = 0; u < cell->units_count && count > 0; u++) {
        if (!in_view(w, view, cell->units[u])) {
            continue;
        }
        struct cm_accumulator *acc = cm_windows_sums(w, view, cell->units[u], window);
        if (count == 1) {
            cm_accumulator_subtract_leg(acc, first);
        } else {
            cm_accumulator_subtract_sum(acc, &w->sum);
        }
        cm_accumulator_shrink(acc);
    }
}

/* ---- leaving */

/* Takes out what lies before left_no; only then may a pane be given back. */
static void let_go(struct cm_windows *w, enum cm_view view, uint32_t window, struct cell *cell,
                   int64_t left_no)
{
    struct reach *reach = &reach_of(w, view, cell)[window];
    const struct cm_leg *first = NULL;
    uint64_t count = 0;
    for (; reach->leave != reach->fold; reach->leave++) {
        const struct cm_item *item = cm_track_at(&cell->track, reach->leave);
        if (cm_item_no(item) >= left_no) {
            break;
        }
        if ((uint32_t)(reach->fold - reach->leave) > AHEAD) {
            cm_prefetch(leg_of(w, cm_track_at(&cell->track, reach->leave + AHEAD)));
        }
        const struct cm_leg *leg = leg_of(w, item);
        if (++count == 1) {
            first = leg;
        } else {
            if (count == 2) { /* worth a sum */
                cm_leg_sum_add(&w->sum, first);
            }
            cm_leg_sum_add(&w->sum, leg);
        }
        reach_subtract(reach, leg->wait_ms, cm_leg_handle_ms(leg));
    }
    take(w, view, window, cell, first, count);
    if (count > 1) {
        cm_leg_sum_clear(&w->sum);
    }
    reach->left_no = left_no;
    if (reach->leave == reach->fold) {
        uint16_t *live = &w->views[view].live[cell - w->cells];
        *live = (uint16_t)(*live & ~(1u << window));
        reach_forget(reach);
    }
    if (reach->fold_no <= left_no) {
        reach->leave = reach->fold = (uint32_t)cm_track_lower(&cell->track, left_no);
        reach->fold_no = left_no;
    }
}

/* Nothing of what is folded in is inside the window any more. A period's sums were cleared when the
 * period began. */
static void begin_at_left(struct cm_windows *w, enum cm_view view, uint32_t window,
                          struct cell *cell, int64_t left_no)
{
    struct reach *reach = &reach_of(w, view, cell)[window];
    if (w->config->all[window].is_period) {
        reach->fold = (uint32_t)cm_track_lower(&cell->track, left_no);
        reach->left_no = reach->fold_no = left_no;
    } else {
        let_go(w, view, window, cell, left_no);
    }
}

/* ---- coming in */

/* Of these windows of a view those that have the same pane to fold up to as this one and have not
 * done so, itself included; each is put where what it has begins. In the order of that, the latest
 * first. */
static uint32_t lacking(struct cm_windows *w, enum cm_view view, uint32_t window, struct cell *cell,
                        uint32_t windows, uint8_t group[CM_WINDOWS_MAX])
{
    const struct span *spans = w->views[view].spans;
    struct reach *reaches = reach_of(w, view, cell);
    int64_t fold_no = spans[window].fold_no;
    uint32_t count = 0;
    for (uint32_t bits = windows; bits != 0; bits &= bits - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);
        struct reach *reach = &reaches[i];
        if (!spans[i].used || spans[i].fold_no != fold_no || reach->fold_no >= fold_no) {
            continue;
        }
        if (reach->fold_no <= spans[i].left_no) {
            begin_at_left(w, view, i, cell, spans[i].left_no);
        }
        uint32_t at = count++;
        for (; at > 0 && (int32_t)(reaches[group[at - 1]].fold - reach->fold) < 0; at--) {
            group[at] = group[at - 1];
        }
        group[at] = (uint8_t)i;
    }
    return count;
}

/* What was walked over so far, from the newest item back. */
struct walk {
    uint32_t place, end;
    uint32_t wait_max_ms, handle_max_ms;
};

/* Goes on to `until`; the first leg is added up when there is a second one. Nobody goes further
 * back than `from`. */
static void walk_back(struct cm_windows *w, const struct cm_track *track, struct walk *walk,
                      uint32_t until, uint32_t from)
{
    while (walk->place != until) {
        uint32_t place = --walk->place;
        uint32_t count = walk->end - place;
        const struct cm_leg *leg = leg_of(w, cm_track_at(track, place));
        if ((uint32_t)(place - from) >= AHEAD) {
            cm_prefetch(leg_of(w, cm_track_at(track, (uint32_t)(place - AHEAD))));
        }
        if (count == 2) {
            cm_leg_sum_add(&w->sum, leg_of(w, cm_track_at(track, (uint32_t)(place + 1))));
        }
        if (count >= 2) {
            cm_leg_sum_add(&w->sum, leg);
        }
        walk->wait_max_ms = max_u32(walk->wait_max_ms, leg->wait_ms);
        walk->handle_max_ms = max_u32(walk->handle_max_ms, cm_leg_handle_ms(leg));
    }
}

/* Folds in what these windows lack, all that have the same pane to fold up to. From the newest leg
 * back: what one window has, those that begin earlier have, too, so each leg is added up once. */
static void fold(struct cm_windows *w, enum cm_view view, uint32_t window, struct cell *cell,
                 uint32_t windows)
{
    const struct cm_track *track = &cell->track;
    struct reach *reaches = reach_of(w, view, cell);
    int64_t fold_no = w->views[view].spans[window].fold_no;
    uint8_t group[CM_WINDOWS_MAX];
    uint32_t count = lacking(w, view, window, cell, windows, group);
    CM_ASSERT(count > 0); /* that window at least */
    uint32_t end = (uint32_t)cm_track_lower(track, fold_no);
    uint32_t from = reaches[group[count - 1]].fold;
    struct walk walk = {end, end, 0, 0};
    for (uint32_t i = 0; i < count; i++) {
        struct reach *reach = &reaches[group[i]];
        walk_back(w, track, &walk, reach->fold, from);
        if (end != walk.place) {
            give(w, view, group[i], cell, leg_of(w, cm_track_at(track, walk.place)),
                 (uint32_t)(end - walk.place));
            if (!w->config->all[group[i]].is_period) {
                reach_add(reach, walk.wait_max_ms, walk.handle_max_ms);
                mark_live(w, view, cell, group[i]);
            }
        }
        reach->fold = end;
        reach->fold_no = fold_no;
    }
    if ((uint32_t)(end - walk.place) > 1) {
        cm_leg_sum_clear(&w->sum);
    }
}

void cm_windows_fold_cell(struct cm_windows *w, enum cm_view view, struct cell *cell,
                          uint32_t windows)
{
    struct reach *reaches = reach_of(w, view, cell);
    for (uint32_t bits = windows; bits != 0; bits &= bits - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);
        const struct span *span = &w->views[view].spans[i];
        struct reach *reach = &reaches[i];
        CM_ASSERT(reach->fold_no <= span->fold_no && reach->left_no <= span->left_no);
        if (reach->left_no < span->left_no) {
            if (w->config->all[i].is_period) { /* cleared when it began */
                reach->left_no = span->left_no;
            } else {
                let_go(w, view, i, cell, span->left_no);
            }
        }
        if (reach->fold_no < span->fold_no) {
            fold(w, view, i, cell, windows);
        }
    }
}

void cm_windows_clear_period(struct cm_windows *w, enum cm_view view, uint32_t window)
{
    cm_windows_catch_up(w, view);
    for (uint32_t u = 0; u < cm_units_count(w->units) && u < w->state_cap; u++) {
        struct cm_accumulator *acc = cm_windows_peek_sums(w, view, u, window);
        if (acc == NULL) {
            continue;
        }
        if (!cm_tally_is_empty(&acc->tally)) {
            cm_windows_mark(w, view, u, 1u << window);
        }
        cm_accumulator_clear(acc);
    }
    for (uint32_t c = 0; c < w->cells_count; c++) {
        reach_forget(&reach_of(w, view, &w->cells[c])[window]);
    }
}

void cm_windows_note_item(struct cm_windows *w, struct cell *cell, int64_t no)
{
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        struct reach *reach = w->views[v].kinds == 0 ? NULL : reach_of(w, v, cell);
        for (uint32_t i = 0; reach != NULL && i < w->config->all_count; i++) {
            reach[i].fold += no < reach[i].fold_no;
            reach[i].leave += no < reach[i].left_no;
        }
    }
}

/* ---- giving back */

/* Lets go of all that the cell has below floor_no, or folds it in. */
static void settle_cell(struct cm_windows *w, enum cm_view view, struct cell *cell,
                        int64_t floor_no, uint32_t periods)
{
    for (uint32_t i = 0; i < w->config->windows.count; i++) {
        const struct span *span = &w->views[view].spans[i];
        const struct reach *reach = &reach_of(w, view, cell)[i];
        if (span->used && reach->left_no < floor_no && reach->leave != reach->fold) {
            let_go(w, view, i, cell, span->left_no);
        }
    }
    if (periods != 0) {
        cm_windows_fold_cell(w, view, cell, periods);
    }
}

/* Those that can still be taken back lose their track: from now on only the journal tells of them.
 */
static void release(struct cm_windows *w, struct cell *cell, int64_t floor_no)
{
    const struct cm_track *track = &cell->track;
    uint64_t end = cm_track_lower(track, floor_no);
    for (uint64_t place = track->first; place < end; place++) {
        const struct cm_item *item = cm_track_at(track, place);
        if (is_remembered(w, item->leg) && cm_leg_counts(leg_of(w, item))) {
            leg_of(w, item)->is_orphan = true;
            w->orphans++;
        }
    }
    cm_panes_release(w->panes, &cell->track, floor_no);
}

static void note_leaving(struct cm_windows *w, uint32_t cell)
{
    if (w->cells[cell].is_leaving) {
        return;
    }
    if (w->leaving_count == w->leaving_cap) {
        w->leaving_cap = w->leaving_cap == 0 ? 1024 : 2 * w->leaving_cap;
        w->leaving = cm_realloc(w->leaving, w->leaving_cap, sizeof(*w->leaving));
    }
    w->cells[cell].is_leaving = true;
    w->leaving[w->leaving_count++] = cell;
}

void cm_windows_give_back(struct cm_windows *w, int64_t floor_no)
{
    for (const struct cm_pane *pane = cm_panes_oldest(w->panes);
         pane != NULL && pane->no < floor_no; pane = pane->newer) {
        for (uint32_t i = 0; i < pane->cells_count; i++) {
            if (pane->cells_count - i > AHEAD) {
                cm_prefetch_write(&w->cells[pane->cells[i + AHEAD]]);
            }
            note_leaving(w, pane->cells[i]);
        }
    }
    for (uint32_t i = 0; i < w->leaving_count; i++) {
        struct cell *cell = &w->cells[w->leaving[i]];
        cm_windows_expect_cells(w, CM_VIEW_ROWS, &w->leaving[i], w->leaving_count - i,
                                w->views[CM_VIEW_ROWS].periods);
        for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
            if (w->views[v].kinds != 0) {
                settle_cell(w, v, cell, floor_no, w->views[v].periods);
            }
        }
        cell->is_leaving = false;
        release(w, cell, floor_no);
    }
    w->leaving_count = 0;
}
