// SPDX-License-Identifier: Apache-2.0
/* windows_read.c — the half of windows.h that looks: figures of a unit, lists of what changed,
 * memory. */
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/memory.h"
#include "window/windows_state.h"

bool cm_windows_measure(struct cm_windows *w, enum cm_view view, uint32_t window, uint32_t unit,
                        struct cm_measures *out)
{
    static const struct cm_check_sums none;
    const struct cm_check_sums *checks = &none;
    struct cm_check_sums few_checks;
    memset(out, 0, sizeof(*out));
    if (unit >= w->state_cap || w->views[view].spans[window].asof_ms == INT64_MIN) {
        return false;
    }
    cm_windows_catch_up(w, view);
    if (w->config->all[window].is_period) {
        cm_windows_flush(w, view, unit);
    }
    const struct cm_few_sums *few = cm_windows_few(w, view, unit, window);
    if (few != NULL || cm_windows_many(w, view, unit, window) != NULL) {
        cm_windows_find_longest(w, view, window, unit);
    }
    const struct cm_accumulator *sums = cm_windows_many(w, view, unit, window);
    if (few != NULL && sums == NULL) {
        cm_few_sums_look(few, &w->detail.look, &out->tally, &out->handle, &few_checks);
        checks = &few_checks;
    } else if (sums != NULL) {
        out->tally = sums->tally;
        out->handle = sums->hist;
        checks = &sums->checks;
    }
    cm_windows_detail_measure(w, view, window, unit, checks, out);
    return !cm_measures_are_empty(out);
}

/* How far ahead of the unit that is measured: where its sums are, its sums, what these point to,
 * and where its longest times are to be found again, its cells, their newest legs, and those
 * before. */
#define AHEAD_STATE 16u
#define AHEAD_SUMS  12u
#define AHEAD_PARTS 9u
#define AHEAD_CELLS 6u
#define AHEAD_LEGS  4u
#define AHEAD_OLDER 2u

static void expect_bytes(const void *at, size_t bytes)
{
    for (size_t line = 0; line < bytes; line += CM_CACHE_LINE) {
        cm_prefetch((const char *)at + line);
    }
}

/* Each step reads what the one before has fetched. Of periods also what they lack. */
static void expect_sums(const struct cm_windows *w, enum cm_view view,
                        const struct cm_changed_unit *unit)
{
    const struct unit_state *state = &w->state[unit->unit];
    uint32_t periods = unit->windows & w->views[view].periods;
    if (periods != 0 && state->pending[view] != NULL) {
        expect_bytes(state->pending[view], sizeof(*state->pending[view]));
    }
    for (uint32_t bits = unit->windows; bits != 0; bits &= bits - 1) {
        uint32_t window = (uint32_t)__builtin_ctz(bits);
        const struct cm_few_sums *few = cm_windows_few(w, view, unit->unit, window);
        if (few != NULL) {
            expect_bytes(few, w->few_at[window + 1] - w->few_at[window]);
            continue;
        }
        const struct cm_accumulator *sums = cm_windows_many(w, view, unit->unit, window);
        if (sums != NULL) {
            expect_bytes(sums, sizeof(*sums));
        }
    }
}

static void expect_parts(const struct cm_windows *w, enum cm_view view,
                         const struct cm_changed_unit *unit)
{
    const struct unit_state *state = &w->state[unit->unit];
    bool seat = is_seat(w, unit->unit);
    for (uint32_t bits = unit->windows & ~w->views[view].periods; bits != 0; bits &= bits - 1) {
        const struct cm_accumulator *sums =
            cm_windows_many(w, view, unit->unit, (uint32_t)__builtin_ctz(bits));
        if (sums == NULL) {
            continue;
        }
        if (seat) {
            expect_bytes(sums, sizeof(*sums));
            continue;
        }
        if (sums->hist.cells != sums->few_bins) {
            cm_prefetch(sums->hist.cells);
        }
        if (sums->longest != NULL) {
            cm_prefetch(sums->longest);
        }
    }
    if (seat) {
        cm_prefetch(state->cells);
    }
}

/* Whether a longest time of a seat is to be found among its legs. */
static bool is_searched(const struct cm_windows *w, enum cm_view view,
                        const struct cm_changed_unit *unit)
{
    char *few = w->state[unit->unit].few[view];
    bool stale = false;
    if (!is_seat(w, unit->unit) || few == NULL) {
        return false;
    }
    for (uint32_t bits = unit->windows & ~w->views[view].periods; bits != 0; bits &= bits - 1) {
        const struct cm_few_sums *sums = few_of(w, few, (uint32_t)__builtin_ctz(bits));
        const struct cm_accumulator *many = cm_few_sums_many(sums);
        stale |= many == NULL ? sums->is_stale != 0 : many->tally.reserved != 0;
    }
    return stale;
}

void cm_windows_expect_rows(const struct cm_windows *w, enum cm_view view,
                            const struct cm_changed_unit *changed, uint32_t count, uint32_t at)
{
    const struct cm_changed_unit *next = &changed[at];
    if (CM_UNLIKELY(count - at <= AHEAD_STATE)) {
        return;
    }
    cm_prefetch(&w->state[next[AHEAD_STATE].unit]);
    expect_sums(w, view, &next[AHEAD_SUMS]);
    expect_parts(w, view, &next[AHEAD_PARTS]);
    if (is_searched(w, view, &next[AHEAD_CELLS])) {
        cm_windows_expect_cells(w, next[AHEAD_CELLS].unit);
    }
    if (is_searched(w, view, &next[AHEAD_LEGS])) {
        cm_windows_expect_legs(w, next[AHEAD_LEGS].unit);
    }
}

static struct cm_changed_unit *take(struct view *v, uint32_t *taken)
{
    if (v->taken_cap < v->changed_count) {
        v->taken_cap = v->changed_cap;
        v->taken = cm_realloc(v->taken, v->taken_cap, sizeof(*v->taken));
    }
    *taken = 0;
    return v->taken;
}

const struct cm_changed_unit *cm_windows_changed(struct cm_windows *w, enum cm_view view,
                                                 uint32_t *count)
{
    struct view *v = &w->views[view];
    cm_windows_catch_up(w, view);
    struct cm_changed_unit *taken = take(v, count);
    for (uint32_t i = 0; i < v->changed_count; i++) {
        uint32_t unit = v->changed[i].unit;
        taken[(*count)++] = (struct cm_changed_unit){unit, v->marks[unit]};
        v->marks[unit] = 0;
    }
    v->changed_count = 0;
    v->dirty = 0;
    return taken;
}

const struct cm_changed_unit *cm_windows_changed_in(struct cm_windows *w, enum cm_view view,
                                                    uint32_t window, uint32_t *count)
{
    struct view *v = &w->views[view];
    cm_windows_catch_up(w, view);
    struct cm_changed_unit *taken = take(v, count);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < v->changed_count; i++) {
        uint32_t unit = v->changed[i].unit;
        uint16_t *marks = &v->marks[unit];
        if (((uint32_t)*marks >> window & 1u) != 0) {
            taken[(*count)++] = (struct cm_changed_unit){unit, 1u << window};
            *marks = (uint16_t)(*marks & ~(1u << window));
        }
        if (*marks != 0) {
            v->changed[kept++].unit = unit;
        }
    }
    v->changed_count = kept;
    v->dirty &= ~(1u << window);
    return taken;
}

void cm_windows_touch_all(struct cm_windows *w, enum cm_view view)
{
    uint32_t all = (1u << w->config->all_count) - 1;
    for (uint32_t u = 0; u < cm_units_count(w->units) && u < w->state_cap; u++) {
        if (w->state[u].cells_count > 0 || cm_sums_keys(w->detail.sums, u) > 0) {
            cm_windows_mark(w, view, u, all);
        }
    }
    if (view == CM_VIEW_ROWS) {
        cm_seat_states_touch_all(w->detail.states);
    }
}

uint64_t cm_windows_entries(const struct cm_windows *w)
{
    return cm_panes_legs(w->panes);
}

void cm_windows_memory(const struct cm_windows *w, struct cm_windows_memory *out)
{
    out->entries = cm_panes_legs(w->panes);
    out->units = cm_units_count(w->units);
    out->panes_bytes = cm_panes_bytes(w->panes) + w->legs.bytes;
    out->journal_bytes = cm_journal_bytes(w->journal);
    out->accumulator_bytes = cm_windows_units_bytes(w);
}
