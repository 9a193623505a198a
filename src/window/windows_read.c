// SPDX-License-Identifier: Apache-2.0
/* windows_read.c — the half of windows.h that looks: figures of a unit, lists of what changed,
 * memory. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "window/windows_state.h"

#define AHEAD_CELLS 16u /* cells that are on their way from memory while one is looked at */

struct longest {
    uint32_t wait_ms, handle_ms;
};

static void note_longest(struct longest *longest, uint32_t wait_ms, uint32_t handle_ms)
{
    longest->wait_ms = max_u32(longest->wait_ms, wait_ms);
    longest->handle_ms = max_u32(longest->handle_ms, handle_ms);
}

/* The longest of the cell's items [place, end), modulo 2^32. */
static void note_items(const struct cm_windows *w, const struct cm_track *track, uint32_t place,
                       uint32_t end, struct longest *longest)
{
    for (; place != end; place++) {
        const struct cm_leg *leg = leg_of(w, cm_track_at(track, place));
        note_longest(longest, leg->wait_ms, cm_leg_handle_ms(leg));
    }
}

/* Of a period after a revision: legs whose panes are there, and those that only the journal has.
 * Those that nothing takes back any more stand with the cells. */
static void period_longest(struct cm_windows *w, const struct span *span, uint32_t unit,
                           struct longest *longest)
{
    const struct unit_state *state = &w->state[unit];
    for (uint32_t c = 0; c < state->cells_count; c++) {
        const struct cm_track *track = &w->cells[state->cells[c]].track;
        uint64_t end = cm_track_lower(track, span->fold_no);
        uint64_t begin = cm_track_lower(track, span->left_no);
        note_items(w, track, (uint32_t)(begin < end ? begin : end), (uint32_t)end, longest);
    }
    uint64_t end = 0;
    uint64_t left = w->orphans;
    for (uint64_t s = cm_journal_range(w->journal, &end); s < end && left > 0; s++) {
        const struct cm_journal_record *record = cm_journal_at(w->journal, s);
        const struct cm_leg *leg = record->has_leg ? cm_leg_log_at(&w->legs, record->leg) : NULL;
        if (leg == NULL || !leg->is_orphan) {
            continue;
        }
        left--;
        if (pane_no(w, leg->ts_ms) >= span->left_no && cell_has_unit(cell_of(w, leg), unit)) {
            note_longest(longest, leg->wait_ms, cm_leg_handle_ms(leg));
        }
    }
}

static void refresh_maxima(struct cm_windows *w, enum cm_view view, uint32_t window, uint32_t unit)
{
    const struct unit_state *state = &w->state[unit];
    struct longest longest = {0, 0};
    if (w->config->all[window].is_period) {
        period_longest(w, &w->views[view].spans[window], unit, &longest);
    }
    const uint16_t *live = w->views[view].live;
    uint32_t wanted = w->config->all[window].is_period ? 0 : 1u << window;
    for (uint32_t c = 0; c < state->cells_count; c++) {
        if (state->cells_count - c > AHEAD_CELLS) {
            uint32_t next = state->cells[c + AHEAD_CELLS];
            if ((live[next] & wanted) == wanted) {
                cm_prefetch(&reach_of(w, view, &w->cells[next])[window]);
            }
        }
        if ((live[state->cells[c]] & wanted) != wanted) {
            continue; /* of a short window most have nothing */
        }
        struct cell *cell = &w->cells[state->cells[c]];
        struct reach *reach = &reach_of(w, view, cell)[window];
        if (reach->is_stale) {
            struct longest found = {0, 0};
            note_items(w, &cell->track, reach->leave, reach->fold, &found);
            reach_forget(reach);
            reach_add(reach, found.wait_ms, found.handle_ms);
        }
        note_longest(&longest, reach->wait_max_ms, reach->handle_max_ms);
    }
    struct cm_tally *tally = &cm_windows_peek_sums(w, view, unit, window)->tally;
    tally->wait_max_ms = longest.wait_ms;
    tally->handle_max_ms = longest.handle_ms;
    tally->reserved = 0;
}

static void add_leg(struct cm_windows *w, const struct cm_leg *leg, struct cm_measures *out)
{
    struct cm_accumulator sum = {
        .tally = out->tally, .hist = w->scratch, .checks = w->check_scratch};
    cm_accumulator_add_leg(&sum, leg);
    out->tally = sum.tally;
    out->handle = w->scratch = sum.hist;
    w->check_scratch = sum.checks;
}

/* Adds what the unit has in [fold, asof) to what is folded. */
static void add_tail(struct cm_windows *w, const struct span *span, uint32_t unit,
                     struct cm_measures *out, const struct cm_check_sums **checks)
{
    int64_t asof_no = pane_no(w, span->asof_ms);
    uint32_t link = span->fold_no < asof_no ? cm_windows_tail(w, span->fold_no, unit) : 0;
    bool copied = false;
    for (; link != 0; link = w->tail.links[link - 1].next) {
        const struct cm_track *track = &w->cells[w->tail.links[link - 1].cell].track;
        for (uint64_t place = cm_track_lower(track, span->fold_no); place < cm_track_end(track);
             place++) {
            const struct cm_item *item = cm_track_at(track, place);
            if (cm_item_no(item) >= asof_no) {
                break;
            }
            if (!copied) {
                cm_hist_copy(&w->scratch, &out->handle);
                cm_check_sums_copy(&w->check_scratch, *checks);
                *checks = &w->check_scratch;
                copied = true;
            }
            add_leg(w, leg_of(w, item), out);
        }
    }
}

bool cm_windows_measure(struct cm_windows *w, enum cm_view view, uint32_t window, uint32_t unit,
                        struct cm_measures *out)
{
    const struct span *span = &w->views[view].spans[window];
    static const struct cm_check_sums none;
    const struct cm_check_sums *checks = &none;
    memset(out, 0, sizeof(*out));
    if (unit >= w->state_cap || span->asof_ms == INT64_MIN) {
        return false;
    }
    cm_windows_catch_up(w, view);
    const struct cm_accumulator *sums = cm_windows_peek_sums(w, view, unit, window);
    if (sums != NULL) {
        if (sums->tally.reserved != 0) {
            refresh_maxima(w, view, window, unit);
        }
        out->tally = sums->tally;
        out->handle = sums->hist;
        checks = &sums->checks;
    }
    add_tail(w, span, unit, out, &checks);
    cm_windows_detail_measure(w, view, window, unit, checks, out);
    return !cm_measures_are_empty(out);
}

/* How far ahead of the unit that is measured: where its sums are, its sums, what these point to. */
#define AHEAD_STATE 12u
#define AHEAD_SUMS  8u
#define AHEAD_PARTS 4u

static void expect_bytes(const void *at, size_t bytes)
{
    for (size_t line = 0; line < bytes; line += CM_CACHE_LINE) {
        cm_prefetch((const char *)at + line);
    }
}

/* Each step reads what the one before has fetched. */
static void expect_sums(const struct cm_windows *w, enum cm_view view,
                        const struct cm_changed_unit *unit)
{
    for (uint32_t bits = unit->windows; bits != 0; bits &= bits - 1) {
        const struct cm_accumulator *sums =
            cm_windows_peek_sums(w, view, unit->unit, (uint32_t)__builtin_ctz(bits));
        if (sums != NULL) {
            expect_bytes(sums, sizeof(*sums));
        }
    }
}

static void expect_parts(const struct cm_windows *w, enum cm_view view,
                         const struct cm_changed_unit *unit)
{
    for (uint32_t bits = unit->windows; bits != 0; bits &= bits - 1) {
        const struct cm_accumulator *sums =
            cm_windows_peek_sums(w, view, unit->unit, (uint32_t)__builtin_ctz(bits));
        if (sums != NULL && sums->hist.cells != NULL) {
            cm_prefetch(sums->hist.cells);
        }
        if (sums != NULL && sums->checks.at != NULL) {
            cm_prefetch(sums->checks.at);
        }
    }
}

void cm_windows_expect_rows(const struct cm_windows *w, enum cm_view view,
                            const struct cm_changed_unit *changed, uint32_t count, uint32_t at)
{
    if (count - at > AHEAD_STATE && changed[at + AHEAD_STATE].unit < w->state_cap) {
        cm_prefetch(&w->state[changed[at + AHEAD_STATE].unit]);
    }
    if (count - at > AHEAD_SUMS && changed[at + AHEAD_SUMS].unit < w->state_cap) {
        expect_sums(w, view, &changed[at + AHEAD_SUMS]);
    }
    if (count - at > AHEAD_PARTS && changed[at + AHEAD_PARTS].unit < w->state_cap) {
        expect_parts(w, view, &changed[at + AHEAD_PARTS]);
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
    cm_windows_mark_moved(w);
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
    cm_windows_mark_moved(w);
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
    return cm_panes_entries(w->panes);
}

void cm_windows_memory(const struct cm_windows *w, struct cm_windows_memory *out)
{
    out->entries = cm_panes_entries(w->panes);
    out->units = cm_units_count(w->units);
    out->panes_bytes = cm_panes_bytes(w->panes) + w->legs.bytes;
    out->journal_bytes = cm_journal_bytes(w->journal);
    out->accumulator_bytes =
        w->accumulator_bytes + w->sums.bytes + w->state_cap * sizeof(*w->state);
    for (uint32_t u = 0; u < w->state_cap; u++) {
        for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
            for (uint32_t i = 0; i < w->config->all_count; i++) {
                const struct cm_accumulator *sums = cm_windows_peek_sums(w, v, u, i);
                out->accumulator_bytes += sums == NULL ? 0 : cm_accumulator_bytes(sums);
            }
        }
    }
}
