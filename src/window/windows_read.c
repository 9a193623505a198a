// SPDX-License-Identifier: Apache-2.0
/* windows_read.c — the half of windows.h that looks: figures of a unit, lists of what changed,
 * memory. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "window/windows_state.h"

/* The maxima over the unit's entries in [from_no, to_no). */
static void track_maxima(const struct cm_track *track, int64_t from_no, int64_t to_no,
                         struct cm_tally *tally)
{
    for (uint64_t place = cm_track_lower(track, from_no); place < cm_track_end(track); place++) {
        const struct cm_item *item = cm_track_at(track, place);
        if (item->no >= to_no) {
            return;
        }
        tally->wait_max_ms = max_u32(tally->wait_max_ms, item->entry->wait_max_ms);
        tally->handle_max_ms = max_u32(tally->handle_max_ms, item->entry->handle_max_ms);
    }
}

/* The maxima of a period after a revision: legs that nothing takes back any more, legs whose panes
 * are there, and those in between, which only the journal has. */
static void period_maxima(struct cm_windows *w, const struct span *span, uint32_t unit,
                          const struct cm_period_maxima *maxima, struct cm_tally *tally)
{
    tally->wait_max_ms = maxima->wait_ms;
    tally->handle_max_ms = maxima->handle_ms;
    track_maxima(&w->state[unit].track, span->left_no, span->fold_no, tally);
    uint64_t end = 0;
    uint64_t left = w->orphans;
    for (uint64_t s = cm_journal_range(w->journal, &end); s < end && left > 0; s++) {
        const struct cm_journal_record *record = cm_journal_at(w->journal, s);
        if (!record->is_orphan) {
            continue;
        }
        left--;
        if (pane_no(w, record->ts_ms) >= span->left_no && leg_has_unit(&record->leg, unit)) {
            struct cm_leg leg;
            cm_leg_unpack(&leg, &record->leg, record->ts_ms);
            tally->wait_max_ms = max_u32(tally->wait_max_ms, leg.wait_max_ms);
            tally->handle_max_ms = max_u32(tally->handle_max_ms, leg.handle_max_ms);
        }
    }
}

static void refresh_maxima(struct cm_windows *w, enum cm_view view, uint32_t window, uint32_t unit)
{
    const struct span *span = &w->views[view].spans[window];
    struct unit_state *state = &w->state[unit];
    struct cm_tally *tally = &state->sums[view].at[window].tally;
    const struct cm_period_maxima *maxima = maxima_of(w, &state->sums[view], window);

    tally->reserved = 0;
    if (maxima != NULL) {
        period_maxima(w, span, unit, maxima, tally);
        return;
    }
    tally->wait_max_ms = 0;
    tally->handle_max_ms = 0;
    track_maxima(&state->track, span->left_no, span->fold_no, tally);
}

/* Adds the unit's entries in [fold, asof) to what is folded. */
static void add_unfolded(struct cm_windows *w, const struct span *span,
                         const struct unit_state *state, struct cm_measures *out,
                         const struct cm_check_sums **checks)
{
    const struct cm_track *track = &state->track;
    int64_t asof_no = pane_no(w, span->asof_ms);
    bool copied = false;
    for (uint64_t place = cm_track_lower(track, span->fold_no); place < cm_track_end(track);
         place++) {
        const struct cm_item *item = cm_track_at(track, place);
        if (item->no >= asof_no) {
            return;
        }
        if (!copied) {
            cm_hist_copy(&w->scratch, &out->handle);
            cm_check_sums_copy(&w->check_scratch, *checks);
            *checks = &w->check_scratch;
            copied = true;
        }
        cm_entry_add_to(item->entry, &out->tally, &w->scratch, &w->check_scratch);
        out->handle = w->scratch;
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
    struct unit_state *state = &w->state[unit];
    if (in_view(w, view, unit) && (state->sums[view].at != NULL || state->track.at != NULL)) {
        (void)cm_windows_caught_up(w, view, window, state);
        if (state->sums[view].at[window].tally.reserved != 0) {
            refresh_maxima(w, view, window, unit);
        }
        out->tally = state->sums[view].at[window].tally;
        out->handle = state->sums[view].at[window].hist;
        checks = &state->sums[view].at[window].checks;
    }
    add_unfolded(w, span, state, out, &checks);
    cm_windows_detail_measure(w, view, window, unit, checks, out);
    return !cm_measures_are_empty(out);
}

/* How far ahead of the unit that is measured: where its sums are, its sums, what these point to. */
#define AHEAD_STATE   12u
#define AHEAD_SUMS    8u
#define AHEAD_ENTRIES 4u

static void expect_bytes(const void *at, size_t bytes)
{
    for (size_t line = 0; line < bytes; line += CM_CACHE_LINE) {
        __builtin_prefetch((const char *)at + line);
    }
}

/* Each step reads what the one before has fetched. */
static void expect_sums(const struct cm_windows *w, enum cm_view view,
                        const struct cm_changed_unit *unit)
{
    const struct unit_state *state = &w->state[unit->unit];
    const struct unit_sums *sums = &state->sums[view];
    cm_track_expect(&state->track);
    for (uint32_t bits = sums->at == NULL ? 0 : unit->windows; bits != 0; bits &= bits - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);
        expect_bytes(&sums->at[i], sizeof(sums->at[i]));
        __builtin_prefetch(&sums->reach[i]);
    }
}

static void expect_entries(const struct cm_windows *w, enum cm_view view,
                           const struct cm_changed_unit *unit)
{
    const struct unit_state *state = &w->state[unit->unit];
    const struct unit_sums *sums = &state->sums[view];
    uint64_t end = cm_track_end(&state->track);
    if (state->track.count > 0) {
        __builtin_prefetch(cm_track_at(&state->track, end - 1)->entry);
    }
    for (uint32_t bits = sums->at == NULL ? 0 : unit->windows; bits != 0; bits &= bits - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);
        if (sums->at[i].hist.cells != NULL) {
            __builtin_prefetch(sums->at[i].hist.cells);
        }
        if (sums->at[i].checks.at != NULL) {
            __builtin_prefetch(sums->at[i].checks.at);
        }
        uint64_t leave = sums->reach[i].leave;
        if (leave >= state->track.first && leave < end) {
            __builtin_prefetch(cm_track_at(&state->track, leave));
        }
    }
}

void cm_windows_expect_rows(const struct cm_windows *w, enum cm_view view,
                            const struct cm_changed_unit *changed, uint32_t count, uint32_t at)
{
    if (count - at > AHEAD_STATE && changed[at + AHEAD_STATE].unit < w->state_cap) {
        expect_bytes(&w->state[changed[at + AHEAD_STATE].unit], sizeof(*w->state));
    }
    if (count - at > AHEAD_SUMS && changed[at + AHEAD_SUMS].unit < w->state_cap) {
        expect_sums(w, view, &changed[at + AHEAD_SUMS]);
    }
    if (count - at > AHEAD_ENTRIES && changed[at + AHEAD_ENTRIES].unit < w->state_cap) {
        expect_entries(w, view, &changed[at + AHEAD_ENTRIES]);
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
        if (w->state[u].track.at != NULL || w->state[u].sums[view].at != NULL ||
            cm_sums_keys(w->detail.sums, u) > 0) {
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
    out->panes_bytes = cm_panes_bytes(w->panes);
    out->journal_bytes = cm_journal_bytes(w->journal);
    out->accumulator_bytes = w->accumulator_bytes + w->state_cap * sizeof(*w->state);
    for (uint32_t u = 0; u < w->state_cap; u++) {
        for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
            for (uint32_t i = 0; w->state[u].sums[v].at != NULL && i < w->config->all_count; i++) {
                out->accumulator_bytes += cm_accumulator_bytes(&w->state[u].sums[v].at[i]);
            }
        }
    }
}
