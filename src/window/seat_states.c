// SPDX-License-Identifier: Apache-2.0
#include "window/seat_states.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct change {
    int64_t ts_ms;
    char *id;
    uint32_t set;
    uint8_t id_bytes;
    uint8_t state;
};

/* Changes in the order of (ts, id): a queue [first, first + count). */
struct seat {
    struct change *at;
    uint32_t first, count, cap;
};

struct picture {
    uint32_t seats[CM_STATE_COUNT];
    bool known, changed;
};

struct cm_seat_states {
    struct cm_sums *sums;
    struct cm_unit_sets *sets;
    const struct cm_units *units;
    int64_t keep_ms;
    struct seat *seats; /* by unit number */
    struct picture *pictures;
    uint32_t cap;
    uint32_t *changed;
    uint32_t changed_count, changed_cap;
};

struct cm_seat_states *cm_seat_states_create(struct cm_sums *sums, struct cm_unit_sets *sets,
                                             const struct cm_units *units, int64_t keep_ms)
{
    struct cm_seat_states *s = cm_alloc(1, sizeof(*s));
    s->sums = sums;
    s->sets = sets;
    s->units = units;
    s->keep_ms = keep_ms;
    return s;
}

void cm_seat_states_destroy(struct cm_seat_states *s)
{
    if (s == NULL) {
        return;
    }
    for (uint32_t i = 0; i < s->cap; i++) {
        for (uint32_t k = 0; k < s->seats[i].count; k++) {
            free(s->seats[i].at[s->seats[i].first + k].id);
        }
        free(s->seats[i].at);
    }
    free(s->seats);
    free(s->pictures);
    free(s->changed);
    free(s);
}

static void grow(struct cm_seat_states *s, uint32_t unit)
{
    uint32_t cap = s->cap == 0 ? 256 : s->cap;
    while (cap <= unit) {
        cap *= 2;
    }
    if (cap > s->cap) {
        s->seats = cm_realloc(s->seats, cap, sizeof(*s->seats));
        memset(&s->seats[s->cap], 0, (cap - s->cap) * sizeof(*s->seats));
        s->pictures = cm_realloc(s->pictures, cap, sizeof(*s->pictures));
        memset(&s->pictures[s->cap], 0, (cap - s->cap) * sizeof(*s->pictures));
        s->cap = cap;
    }
}

/* ---- the live picture */

static void note_changed(struct cm_seat_states *s, uint32_t unit)
{
    if (s->pictures[unit].changed) {
        return;
    }
    s->pictures[unit].changed = true;
    s->pictures[unit].known = true;
    if (s->changed_count == s->changed_cap) {
        s->changed_cap = s->changed_cap == 0 ? 256 : 2 * s->changed_cap;
        s->changed = cm_realloc(s->changed, s->changed_cap, sizeof(*s->changed));
    }
    s->changed[s->changed_count++] = unit;
}

static void count_now(struct cm_seat_states *s, const struct change *change, bool in)
{
    const struct cm_unit_set *set = cm_unit_sets_at(s->sets, change->set);
    for (uint32_t i = 0; i < set->count; i++) {
        grow(s, set->units[i]);
        s->pictures[set->units[i]].seats[change->state] += in ? 1u : UINT32_MAX;
        note_changed(s, set->units[i]);
    }
}

/* ---- changes */

/* One seat enters (or leaves) the state of a change at an instant. */
static void step(struct cm_seat_states *s, const struct change *change, int64_t ts_ms, bool in)
{
    /* By value: what is added may make new cells, but no new sets. */
    struct cm_unit_set set = *cm_unit_sets_at(s->sets, change->set);
    uint64_t one = in ? 1 : UINT64_MAX;
    struct cm_sum sum = {one, one * (uint64_t)ts_ms};
    for (uint32_t i = 0; i < set.count; i++) {
        cm_sums_add(s->sums, set.units[i], cm_units_key(s->units, set.units[i])->kind,
                    CM_SUM_STATE + change->state, ts_ms, sum);
    }
}

static bool is_before(const struct change *a, const struct change *b)
{
    if (a->ts_ms != b->ts_ms) {
        return a->ts_ms < b->ts_ms;
    }
    return cm_str_cmp((struct cm_str){a->id, a->id_bytes}, (struct cm_str){b->id, b->id_bytes}) < 0;
}

/* Makes a hole behind the `after`-th of the seat's changes and puts this one there. */
static struct change *insert(struct seat *seat, uint32_t after, const struct change *change)
{
    if (seat->first + seat->count == seat->cap && seat->first > seat->cap / 2) {
        memmove(seat->at, &seat->at[seat->first], seat->count * sizeof(*seat->at));
        seat->first = 0;
    }
    if (seat->first + seat->count == seat->cap) {
        seat->cap = seat->cap == 0 ? 4 : 2 * seat->cap;
        seat->at = cm_realloc(seat->at, seat->cap, sizeof(*seat->at));
    }
    struct change *at = &seat->at[seat->first + after];
    memmove(at + 1, at, (seat->count - after) * sizeof(*at));
    *at = *change;
    seat->count++;
    return at;
}

/* Forgets what no change can come before any more; the last one stays whatever its age. */
static void forget(struct seat *seat, int64_t limit_ms)
{
    while (seat->count > 1 && seat->at[seat->first + 1].ts_ms < limit_ms) {
        free(seat->at[seat->first].id);
        seat->first++;
        seat->count--;
    }
}

bool cm_seat_states_take(struct cm_seat_states *s, uint32_t number, uint32_t set,
                         const struct cm_event *event, int64_t newest_ms)
{
    int64_t limit_ms = newest_ms - s->keep_ms;
    if (event->ts_ms < limit_ms) {
        return false;
    }
    grow(s, number);
    struct seat *seat = &s->seats[number];
    struct change change = {event->ts_ms, cm_strndup(event->id.p, event->id.len), set,
                            (uint8_t)event->id.len, event->state};
    uint32_t after = seat->count;
    while (after > 0 && is_before(&change, &seat->at[seat->first + after - 1])) {
        after--;
    }
    struct change *at = insert(seat, after, &change);
    bool newest = after + 1 == seat->count;
    /* The state before it ends here now, and this one holds up to where that one did. */
    step(s, at, at->ts_ms, true);
    if (!newest) {
        step(s, at, at[1].ts_ms, false);
    }
    if (after > 0) {
        step(s, at - 1, at->ts_ms, false);
        if (!newest) {
            step(s, at - 1, at[1].ts_ms, true);
        }
    }
    if (newest) {
        if (after > 0) {
            count_now(s, at - 1, false);
        }
        count_now(s, at, true);
    }
    forget(&s->seats[number], limit_ms);
    return true;
}

bool cm_seat_states_now(const struct cm_seat_states *s, uint32_t number, enum cm_state *state,
                        int64_t *since_ms)
{
    if (number >= s->cap || s->seats[number].count == 0) {
        return false;
    }
    const struct seat *seat = &s->seats[number];
    const struct change *newest = &seat->at[seat->first + seat->count - 1];
    *state = (enum cm_state)newest->state;
    *since_ms = newest->ts_ms;
    return true;
}

const uint32_t *cm_seat_states_counts(const struct cm_seat_states *s, uint32_t unit)
{
    return unit < s->cap && s->pictures[unit].known ? s->pictures[unit].seats : NULL;
}

bool cm_seat_states_is_on(const struct cm_seat_states *s, uint32_t unit)
{
    bool on = false;
    for (uint32_t i = 0; unit < s->cap && i < CM_STATE_COUNT; i++) {
        on = on || (i != CM_STATE_OFFLINE && s->pictures[unit].seats[i] > 0);
    }
    return on;
}

const uint32_t *cm_seat_states_changed(struct cm_seat_states *s, uint32_t *count)
{
    *count = s->changed_count;
    for (uint32_t i = 0; i < s->changed_count; i++) {
        s->pictures[s->changed[i]].changed = false;
    }
    s->changed_count = 0;
    return s->changed;
}

void cm_seat_states_touch_all(struct cm_seat_states *s)
{
    for (uint32_t i = 0; i < s->cap; i++) {
        if (s->pictures[i].known) {
            note_changed(s, i);
        }
    }
}
