// SPDX-License-Identifier: Apache-2.0
/* windows_units.c — units and their sums, cells, marks.
 *
 *   legs ──► cell (seat 7, team 2, room 1, centre, queue a) ──┬─► sums of seat 7, one a window
 *                                                             ├─► sums of team 2
 *            cell (seat 7, team 2, room 1, centre, queue b) ──┴─► ...
 *
 * A leg knows its cell, and that its units: 4 bytes in place of 20. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "window/windows_state.h"

#define CELLS_LARGE 65536u
/* A seat seldom has more answered legs: room for so many is made in what is within. */
#define LEG_EVERY_MS (2 * CM_MS_PER_M)

/* ---- units */

static void *grow_zeroed(void *old, size_t count, size_t cap, size_t size_bytes)
{
    char *grown = cm_realloc(old, cap, size_bytes);
    memset(grown + count * size_bytes, 0, (cap - count) * size_bytes);
    return grown;
}

static void *grow_lines(void *old, size_t count, size_t cap, size_t size_bytes)
{
    void *grown = cm_alloc_lines(cap * size_bytes);
    if (old != NULL) {
        memcpy(grown, old, count * size_bytes);
    }
    free(old);
    return grown;
}

static void state_grow(struct cm_windows *w, uint32_t unit)
{
    uint32_t cap = w->state_cap == 0 ? 1024 : w->state_cap;
    while (cap <= unit) {
        cap *= 2;
    }
    w->state = grow_lines(w->state, w->state_cap, cap, sizeof(*w->state));
    w->kinds = grow_zeroed(w->kinds, w->state_cap, cap, sizeof(*w->kinds));
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        uint16_t **marks = &w->views[v].marks;
        *marks = grow_zeroed(*marks, w->state_cap, cap, sizeof(**marks));
    }
    w->state_cap = cap;
}

void cm_windows_note_unit(struct cm_windows *w, uint32_t unit)
{
    if (CM_UNLIKELY(unit >= w->state_cap)) {
        state_grow(w, unit);
    }
    if (CM_UNLIKELY(w->state[unit].cells == NULL)) {
        w->kinds[unit] = cm_units_key(w->units, unit)->kind;
    }
}

static struct cm_accumulator *make(struct cm_windows *w, uint32_t count)
{
    struct cm_accumulator *sums = cm_bump_alloc(&w->sums, count * sizeof(*sums));
    for (uint32_t i = 0; i < count; i++) {
        cm_accumulator_open(&sums[i]);
    }
    return sums;
}

static struct window_sums *make_window_sums(struct cm_windows *w, uint32_t count)
{
    struct window_sums *sums = cm_bump_alloc(&w->sums, count * sizeof(*sums));
    for (uint32_t i = 0; i < count; i++) {
        cm_accumulator_open(&sums[i].acc);
        cm_accumulator_lend_top(&sums[i].acc, &sums[i].top);
    }
    return sums;
}

void cm_windows_make_sliding(struct cm_windows *w, enum cm_view view, uint32_t unit)
{
    struct unit_state *state = &w->state[unit];
    uint32_t sliding = w->config->windows.count;
    if (!is_seat(w, unit)) {
        state->sliding[view] = make_window_sums(w, sliding);
        return;
    }
    state->few[view] = cm_bump_alloc(&w->sums, w->few_at[sliding]);
    for (uint32_t i = 0; i < sliding; i++) {
        cm_few_sums_open(few_of(w, state->few[view], i), w->few_at[i + 1] - w->few_at[i]);
    }
}

void cm_windows_make_periods(struct cm_windows *w, enum cm_view view, uint32_t unit)
{
    w->state[unit].periods[view] = make(w, w->config->all_count - w->config->windows.count);
}

void cm_windows_size_few(struct cm_windows *w)
{
    for (uint32_t i = 0; i < w->config->windows.count; i++) {
        int64_t legs = w->config->all[i].length_ms / LEG_EVERY_MS;
        legs = legs < UINT32_MAX ? legs : UINT32_MAX;
        w->few_at[i + 1] = w->few_at[i] + (uint32_t)cm_few_sums_size((uint32_t)legs);
    }
}

struct cm_pending *cm_windows_make_pending(struct cm_windows *w, enum cm_view view, uint32_t unit)
{
    struct cm_pending *pending = cm_bump_alloc(&w->sums, sizeof(*pending));
    cm_pending_open(pending);
    w->state[unit].pending[view] = pending;
    return pending;
}

static void sums_free(struct cm_accumulator *sums, uint32_t count)
{
    for (uint32_t i = 0; sums != NULL && i < count; i++) {
        cm_accumulator_free(&sums[i]);
    }
}

static void sliding_free(const struct cm_windows *w, uint32_t unit, enum cm_view view)
{
    for (uint32_t i = 0; i < w->config->windows.count; i++) {
        struct cm_accumulator *sums = cm_windows_many(w, view, unit, i);
        if (sums != NULL) {
            cm_accumulator_free(sums);
        }
    }
}

static size_t sliding_bytes(const struct cm_windows *w, uint32_t unit, enum cm_view view)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < w->config->windows.count; i++) {
        const struct cm_accumulator *sums = cm_windows_many(w, view, unit, i);
        bytes += sums == NULL ? 0 : cm_accumulator_bytes(sums);
    }
    return bytes;
}

static size_t sums_bytes(const struct cm_accumulator *sums, uint32_t count)
{
    size_t bytes = 0;
    for (uint32_t i = 0; sums != NULL && i < count; i++) {
        bytes += cm_accumulator_bytes(&sums[i]);
    }
    return bytes;
}

void cm_windows_units_free(struct cm_windows *w)
{
    uint32_t sliding = w->config->windows.count;
    for (uint32_t u = 0; u < w->state_cap; u++) {
        struct unit_state *state = &w->state[u];
        free(state->cells);
        for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
            sliding_free(w, u, v);
            sums_free(state->periods[v], w->config->all_count - sliding);
            if (state->pending[v] != NULL) {
                cm_pending_free(state->pending[v]);
            }
        }
    }
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        free(w->views[v].changed);
        free(w->views[v].marks);
        free(w->views[v].taken);
    }
    cm_bump_free(&w->sums);
    free(w->state);
    free(w->kinds);
    free(w->cells);
}

size_t cm_windows_units_bytes(const struct cm_windows *w)
{
    uint32_t sliding = w->config->windows.count;
    size_t bytes = w->cell_bytes + w->sums.bytes + w->state_cap * sizeof(*w->state);
    for (uint32_t u = 0; u < w->state_cap; u++) {
        const struct unit_state *state = &w->state[u];
        for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
            bytes += sliding_bytes(w, u, v) +
                     sums_bytes(state->periods[v], w->config->all_count - sliding) +
                     (state->pending[v] == NULL ? 0 : cm_pending_bytes(state->pending[v]));
        }
    }
    return bytes;
}

void cm_windows_list(struct view *v, uint32_t unit)
{
    if (v->changed_count == v->changed_cap) {
        v->changed_cap = v->changed_cap == 0 ? 1024 : 2 * v->changed_cap;
        v->changed = cm_realloc(v->changed, v->changed_cap, sizeof(*v->changed));
    }
    v->changed[v->changed_count++].unit = unit;
}

/* ---- cells */

static void cells_grow(struct cm_windows *w, uint32_t cell)
{
    uint32_t cap = w->cells_cap == 0 ? 1024 : w->cells_cap;
    while (cap <= cell) { /* by a quarter once there are many */
        cap += cap < CELLS_LARGE ? cap : cap / 4;
    }
    w->cells = grow_lines(w->cells, w->cells_cap, cap, sizeof(*w->cells));
    w->cell_bytes += (cap - w->cells_cap) * sizeof(*w->cells);
    w->cells_cap = cap;
}

static void give_cell(struct cm_windows *w, uint32_t unit, uint32_t cell)
{
    struct unit_state *state = &w->state[unit];
    if (state->cells_count == state->cells_cap) {
        uint32_t cap = state->cells_cap == 0 ? 2 : 2 * state->cells_cap;
        w->cell_bytes += (cap - state->cells_cap) * sizeof(*state->cells);
        state->cells = cm_realloc(state->cells, cap, sizeof(*state->cells));
        state->cells_cap = cap;
    }
    state->cells[state->cells_count++] = cell;
}

void cm_windows_note_cell(struct cm_windows *w, uint32_t cell, const struct cm_unit_set *units)
{
    if (CM_UNLIKELY(cell >= w->cells_cap)) {
        cells_grow(w, cell);
    }
    struct cell *fresh = &w->cells[cell];
    if (CM_LIKELY(fresh->units_count > 0)) {
        return;
    }
    for (uint32_t i = 0; i < units->count; i++) {
        cm_windows_note_unit(w, units->units[i]);
        give_cell(w, units->units[i], cell);
        fresh->units[i] = units->units[i];
    }
    fresh->units_count = units->count;
    fresh->last = w->legs.first - 1; /* no leg has that place */
}
