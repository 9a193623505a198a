// SPDX-License-Identifier: Apache-2.0
/* windows_cells.c — cells: what counts for the same units lies once, and the sums of these units
 * follow it.
 *
 *   legs ──► cell (seat 7, team 2, room 1, centre, queue a) ──┬─► sums of seat 7, one a window
 *                                                             ├─► sums of team 2
 *            cell (seat 7, team 2, room 1, centre, queue b) ──┴─► ...
 *
 * A pane that comes into a window, or leaves it, puts its cells on the list of those that are
 * behind. Before anybody looks, these are folded in or let go of (windows_fold.c), and no others:
 * of a cell that is not on the list nothing came or went. What is newer than a window folds in
 * stays out of the sums: the tail, added by whoever looks. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "window/windows_state.h"

#define CELLS_LARGE 65536u
/* How many cells ahead in the list of those behind: the cell, what it points to, the sums of its
 * units, what these point to. */
#define AHEAD_CELL  16u
#define AHEAD_REACH 12u
#define AHEAD_SUMS  8u
#define AHEAD_LEGS  4u
#define UNITS_AHEAD 2u /* a cell's seat and team; those above are used all the time */

/* ---- cells */

static uint16_t *marks_grow(uint16_t *marks, uint32_t count, uint32_t cap)
{
    uint16_t *grown = cm_realloc(marks, cap, sizeof(*grown));
    memset(grown + count, 0, (cap - count) * sizeof(*grown));
    return grown;
}

static void cells_grow(struct cm_windows *w, uint32_t cell)
{
    uint32_t cap = w->cells_cap == 0 ? 1024 : w->cells_cap;
    while (cap <= cell) { /* by a quarter once there are many: they are most of what a seat takes */
        cap += cap < CELLS_LARGE ? cap : cap / 4;
    }
    struct cell *cells = cm_alloc_lines(cap * sizeof(*cells));
    if (w->cells != NULL) {
        memcpy(cells, w->cells, w->cells_cap * sizeof(*cells));
    }
    free(w->cells);
    w->cells = cells;
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        struct view *view = &w->views[v];
        size_t windows = view->kinds == 0 ? 0 : w->config->all_count;
        if (windows == 0) {
            continue;
        }
        view->behind_marks = marks_grow(view->behind_marks, w->cells_cap, cap);
        view->live = marks_grow(view->live, w->cells_cap, cap);
        struct reach *reach = cm_alloc_lines(cap * windows * sizeof(*reach));
        if (view->reach != NULL) {
            memcpy(reach, view->reach, w->cells_cap * windows * sizeof(*reach));
        }
        free(view->reach);
        view->reach = reach;
    }
    w->cells_cap = cap;
}

static void give_cell(struct cm_windows *w, uint32_t unit, uint32_t cell)
{
    struct unit_state *state = &w->state[unit];
    if (state->cells_count == state->cells_cap) {
        uint32_t cap = state->cells_cap == 0 ? 2 : 2 * state->cells_cap;
        w->accumulator_bytes += (cap - state->cells_cap) * sizeof(*state->cells);
        state->cells = cm_realloc(state->cells, cap, sizeof(*state->cells));
        state->cells_cap = cap;
    }
    state->cells[state->cells_count++] = cell;
}

void cm_windows_note_cell(struct cm_windows *w, uint32_t cell, const struct cm_unit_set *units)
{
    if (cell >= w->cells_cap) {
        cells_grow(w, cell);
    }
    struct cell *fresh = &w->cells[cell];
    if (fresh->units_count > 0) {
        return;
    }
    for (uint32_t i = 0; i < units->count; i++) {
        cm_windows_note_unit(w, units->units[i]);
        give_cell(w, units->units[i], cell);
        fresh->units[i] = units->units[i];
    }
    fresh->units_count = (uint8_t)units->count;
    uint32_t windows = w->config->all_count;
    size_t bytes = sizeof(*fresh);
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        for (uint32_t i = 0; w->views[v].kinds != 0 && i < windows; i++) {
            reach_of(w, v, fresh)[i] = (struct reach){.left_no = INT64_MIN, .fold_no = INT64_MIN};
            bytes += sizeof(struct reach);
        }
    }
    w->accumulator_bytes += bytes;
    w->cells_count = max_u32(w->cells_count, cell + 1);
}

void cm_windows_cells_free(struct cm_windows *w)
{
    for (uint32_t c = 0; c < w->cells_cap; c++) {
        cm_track_free(&w->cells[c].track);
    }
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        free(w->views[v].reach);
        free(w->views[v].behind_marks);
        free(w->views[v].live);
        free(w->views[v].behind);
    }
    free(w->cells);
    free(w->leaving);
    free(w->tail.heads);
    free(w->tail.links);
}

/* ---- catching up */

void cm_windows_mark_behind(struct cm_windows *w, enum cm_view view, uint32_t cell,
                            uint32_t windows)
{
    struct view *v = &w->views[view];
    if (v->behind_marks[cell] == 0) {
        if (v->behind_count == v->behind_cap) {
            v->behind_cap = v->behind_cap == 0 ? 1024 : 2 * v->behind_cap;
            v->behind = cm_realloc(v->behind, v->behind_cap, sizeof(*v->behind));
        }
        v->behind[v->behind_count++] = cell;
    }
    v->behind_marks[cell] = (uint16_t)(v->behind_marks[cell] | windows);
}

static void expect_bytes(const void *at, size_t bytes)
{
    for (size_t line = 0; line < bytes; line += CM_CACHE_LINE) {
        cm_prefetch_write((const char *)at + line);
    }
}

static bool has_place(const struct cm_track *track, uint32_t place)
{
    return (uint32_t)(place - (uint32_t)track->first) < track->count;
}

static void expect_leg(const struct cm_windows *w, const struct cm_track *track, uint32_t place)
{
    if (has_place(track, place)) {
        cm_prefetch(leg_of(w, cm_track_at(track, place)));
    }
}

static void expect_item(const struct cm_track *track, uint32_t place)
{
    if (has_place(track, place)) {
        cm_prefetch(cm_track_at(track, place));
    }
}

/* What the cell itself points to: its newest items, how far windows have it, its own units. */
static void expect_cell(const struct cm_windows *w, enum cm_view view, const struct cell *cell,
                        uint32_t windows)
{
    cm_track_expect(&cell->track);
    for (uint32_t bits = windows; bits != 0; bits &= bits - 1) {
        cm_prefetch_write(&reach_of(w, view, cell)[__builtin_ctz(bits)]);
    }
    for (uint32_t u = 0; u < cell->units_count && u < UNITS_AHEAD; u++) {
        cm_prefetch(&w->state[cell->units[u]]);
    }
}

/* The sums of its units, and the items that come and go. */
static void expect_sums(const struct cm_windows *w, enum cm_view view, const struct cell *cell,
                        uint32_t windows)
{
    for (uint32_t bits = windows; bits != 0; bits &= bits - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);
        for (uint32_t u = 0; u < cell->units_count && u < UNITS_AHEAD; u++) {
            const struct cm_accumulator *sums = cm_windows_peek_sums(w, view, cell->units[u], i);
            if (sums != NULL) {
                expect_bytes(sums, sizeof(*sums));
            }
        }
        expect_item(&cell->track, reach_of(w, view, cell)[i].leave);
    }
}

static void expect_legs(const struct cm_windows *w, enum cm_view view, const struct cell *cell,
                        uint32_t windows)
{
    expect_leg(w, &cell->track, (uint32_t)cm_track_end(&cell->track) - 1);
    for (uint32_t bits = windows; bits != 0; bits &= bits - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);
        for (uint32_t u = 0; u < cell->units_count && u < UNITS_AHEAD; u++) {
            const struct cm_accumulator *sums = cm_windows_peek_sums(w, view, cell->units[u], i);
            if (sums != NULL && sums->hist.cells != NULL) {
                cm_prefetch_write(sums->hist.cells);
            }
            if (sums != NULL && sums->checks.at != NULL) {
                cm_prefetch_write(sums->checks.at);
            }
        }
        expect_leg(w, &cell->track, reach_of(w, view, cell)[i].leave);
    }
}

void cm_windows_expect_cells(const struct cm_windows *w, enum cm_view view, const uint32_t *next,
                             uint32_t count, uint32_t windows)
{
    const uint16_t *marks = w->views[view].behind_marks;
    if (count > AHEAD_CELL) {
        cm_prefetch_write(&w->cells[next[AHEAD_CELL]]);
    }
    if (count > AHEAD_REACH) {
        uint32_t cell = next[AHEAD_REACH];
        expect_cell(w, view, &w->cells[cell], marks[cell] & windows);
    }
    if (count > AHEAD_SUMS) {
        uint32_t cell = next[AHEAD_SUMS];
        expect_sums(w, view, &w->cells[cell], marks[cell] & windows);
    }
    if (count > AHEAD_LEGS) {
        uint32_t cell = next[AHEAD_LEGS];
        expect_legs(w, view, &w->cells[cell], marks[cell] & windows);
    }
}

void cm_windows_catch_up(struct cm_windows *w, enum cm_view view)
{
    struct view *v = &w->views[view];
    if (view == CM_VIEW_ROWS && w->moved != NULL) {
        cm_windows_mark_moved(w);
    }
    for (uint32_t i = 0; i < v->behind_count; i++) {
        cm_windows_expect_cells(w, view, &v->behind[i], v->behind_count - i, UINT32_MAX);
        uint32_t cell = v->behind[i];
        uint32_t bits = v->behind_marks[cell];
        v->behind_marks[cell] = 0;
        cm_windows_fold_cell(w, view, &w->cells[cell], bits);
    }
    v->behind_count = 0;
}

/* ---- the tail */

static void tail_add(struct tail *tail, uint32_t unit, uint32_t cell)
{
    if (tail->links_count == tail->links_cap) {
        tail->links_cap = tail->links_cap == 0 ? 1024 : 2 * tail->links_cap;
        tail->links = cm_realloc(tail->links, tail->links_cap, sizeof(*tail->links));
    }
    struct tail_head *head = &tail->heads[unit];
    uint32_t next = head->round == tail->round ? head->link : 0;
    tail->links[tail->links_count++] = (struct tail_link){cell, next};
    *head = (struct tail_head){tail->round, tail->links_count};
}

static void tail_make(struct cm_windows *w, int64_t from_no)
{
    struct tail *tail = &w->tail;
    tail->is_valid = true;
    tail->from_no = from_no;
    tail->links_count = 0;
    tail->round++; /* after 2^32 rounds an old one could be taken for this one: cleared below */
    if (tail->heads_cap < w->state_cap || tail->round == 0) {
        free(tail->heads);
        tail->heads = cm_alloc(w->state_cap, sizeof(*tail->heads));
        tail->heads_cap = w->state_cap;
        tail->round = 1;
        for (uint32_t c = 0; c < w->cells_cap; c++) {
            w->cells[c].round = 0;
        }
    }
    for (const struct cm_pane *pane = cm_panes_newest(w->panes);
         pane != NULL && pane->no >= from_no; pane = pane->older) {
        for (uint32_t i = 0; i < pane->cells_count; i++) {
            struct cell *cell = &w->cells[pane->cells[i]];
            for (uint32_t u = 0; cell->round != tail->round && u < cell->units_count; u++) {
                tail_add(tail, cell->units[u], pane->cells[i]);
            }
            cell->round = tail->round;
        }
    }
}

uint32_t cm_windows_tail(struct cm_windows *w, int64_t from_no, uint32_t unit)
{
    const struct cm_pane *newest = cm_panes_newest(w->panes);
    if (newest == NULL || newest->no < from_no) {
        return 0;
    }
    struct tail *tail = &w->tail;
    if (!tail->is_valid || tail->from_no != from_no) {
        tail_make(w, from_no);
    }
    bool present = unit < tail->heads_cap && tail->heads[unit].round == tail->round;
    return present ? tail->heads[unit].link : 0;
}
