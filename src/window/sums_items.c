// SPDX-License-Identifier: Apache-2.0
/* sums_items.c — what was added to a unit's cells, in the order of time, and how they follow the
 * cursors of the windows. */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "window/sums_state.h"

static int by_pane(const void *a, const void *b)
{
    int64_t x = ((const struct item *)a)->no;
    int64_t y = ((const struct item *)b)->no;
    return x < y ? -1 : x > y;
}

/* Puts what came late at its place: one pass over the items behind the first of them. */
static void merge_late(struct unit_cells *cells)
{
    qsort(cells->late, cells->late_count, sizeof(*cells->late), by_pane);
    for (uint32_t bits = cells->places == NULL ? 0 : cells->spans; bits != 0; bits &= bits - 1) {
        struct place *place = &cells->places[__builtin_ctz(bits)];
        for (uint32_t i = 0; i < cells->late_count; i++) { /* those were added when they came */
            place->at[0] += cells->late[i].no < place->no[0];
            place->at[1] += cells->late[i].no < place->no[1];
        }
    }
    uint32_t from = cells->items_count;
    uint32_t late = cells->late_count;
    uint32_t to = from + late;
    cells->items_count = to;
    while (late > 0) {
        bool is_late = from == 0 || cells->items[from - 1].no <= cells->late[late - 1].no;
        cells->items[--to] = is_late ? cells->late[--late] : cells->items[--from];
    }
    for (uint32_t i = to; i < cells->items_count; i++) {
        struct slot *slot = &cells->at[cells->items[i].key];
        if (cells->items[i].no >= slot->newest_no) {
            slot->newest_no = cells->items[i].no;
            slot->newest_at = i;
        }
    }
    cells->late_count = 0;
}

/* Whether a cursor that goes on to to_no comes past something late that it does not have yet. */
static bool meets_late(const struct unit_cells *cells, int64_t from_no, int64_t to_no)
{
    return cells->late_count > 0 && cells->late_least_no < to_no && cells->late_most_no >= from_no;
}

static void pass_items(const struct cm_sums *s, struct unit_cells *cells, uint32_t span,
                       uint32_t cursor, int64_t to_no)
{
    struct place *place = &cells->places[span];
    if (meets_late(cells, place->no[cursor], to_no)) {
        merge_late(cells);
    }
    uint32_t at = place->at[cursor];
    for (; at < cells->items_count && cells->items[at].no < to_no; at++) {
        const struct item *item = &cells->items[at];
        add(&sums_of(s, cells, item->key, span)[cursor], item->sum);
    }
    place->at[cursor] = at;
    place->no[cursor] = to_no;
    cells->furthest_no = to_no > cells->furthest_no ? to_no : cells->furthest_no;
}

/* A period's left cursor goes on from where its asof cursor stands: that was in the period before,
 * and what lies between may be gone. */
static void jump(const struct cm_sums *s, const struct unit_cells *cells, uint32_t span)
{
    struct place *place = &cells->places[span];
    for (uint32_t key = 0; key < cells->count; key++) {
        if (cells->at[key].cell != 0) {
            struct cm_sum *at = sums_of(s, cells, key, span);
            at[1] = at[0];
        }
    }
    place->no[1] = place->no[0];
    place->at[1] = place->at[0];
}

void cm_sums_catch_up(const struct cm_sums *s, struct unit_cells *cells, uint32_t span)
{
    const struct span *to = &s->spans[span];
    if (CM_UNLIKELY(cells->places == NULL)) {
        cells->places = cm_alloc(s->spans_count, sizeof(*cells->places));
        for (uint32_t i = 0; i < s->spans_count; i++) {
            cells->places[i].no[0] = cells->places[i].no[1] = INT64_MIN;
        }
    }
    struct place *place = &cells->places[span];
    if (place->no[1] < to->left_no) {
        if (to->is_period) {
            CM_ASSERT(place->no[0] <= to->left_no);
            jump(s, cells, span);
        }
        pass_items(s, cells, span, 1, to->left_no);
    }
    if (place->no[0] < to->asof_no) {
        pass_items(s, cells, span, 0, to->asof_no);
    }
}

void cm_sums_drop_passed(const struct cm_sums *s, struct unit_cells *cells)
{
    if (cells->late_count > 0) {
        merge_late(cells);
    }
    uint32_t passed = cells->items_count;
    for (uint32_t bits = cells->spans; bits != 0; bits &= bits - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);
        cm_sums_catch_up(s, cells, i);
        uint32_t at = cells->places[i].at[s->spans[i].is_period ? 0 : 1];
        passed = at < passed ? at : passed;
    }
    if (passed == 0) {
        return;
    }
    for (uint32_t bits = cells->spans; bits != 0; bits &= bits - 1) {
        struct place *place = &cells->places[__builtin_ctz(bits)];
        place->at[0] -= passed;
        place->at[1] -= passed < place->at[1] ? passed : place->at[1];
    }
    for (uint32_t key = 0; key < cells->count; key++) {
        struct slot *slot = &cells->at[key];
        if (slot->newest_at < passed) {
            slot->newest_no = INT64_MIN;
        } else {
            slot->newest_at -= passed;
        }
    }
    cells->items_count -= passed;
    memmove(cells->items, &cells->items[passed], cells->items_count * sizeof(*cells->items));
}

/* Index of the first item of a pane with a number > no. */
static uint32_t behind_pane(const struct unit_cells *cells, int64_t no)
{
    uint32_t low = 0;
    uint32_t high = cells->items_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (cells->items[middle].no <= no) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void make_room(struct cm_sums *s, struct unit_cells *cells)
{
    if (cells->items_count > 0 && cells->items[0].no < s->floor_no) {
        cm_sums_drop_passed(s, cells);
    } else if (cells->late_count > 0) {
        merge_late(cells);
    }
    if (cells->items_count > cells->items_cap / 2 || cells->items_cap == 0) {
        uint32_t cap = cells->items_cap == 0 ? 4 : cells->items_cap + cells->items_cap / 2;
        cells->items = cm_realloc(cells->items, cap, sizeof(*cells->items));
        s->bytes += (cap - cells->items_cap) * sizeof(*cells->items);
        cells->items_cap = cap;
    }
}

static void append_item(struct unit_cells *cells, const struct item *item)
{
    struct slot *slot = &cells->at[item->key];
    uint32_t passed = item->no >= cells->furthest_no ? 0 : cells->spans;
    for (uint32_t bits = passed; bits != 0; bits &= bits - 1) {
        struct place *place = &cells->places[__builtin_ctz(bits)];
        place->at[0] += item->no < place->no[0];
        place->at[1] += item->no < place->no[1];
    }
    slot->newest_no = item->no;
    slot->newest_at = cells->items_count;
    cells->items[cells->items_count++] = *item;
}

static void keep_late(struct cm_sums *s, struct unit_cells *cells, const struct item *item)
{
    if (cells->late_count == cells->late_cap) {
        uint32_t cap = cells->late_cap == 0 ? 4 : 2 * cells->late_cap;
        cells->late = cm_realloc(cells->late, cap, sizeof(*cells->late));
        s->bytes += (cap - cells->late_cap) * sizeof(*cells->late);
        cells->late_cap = cap;
    }
    bool first = cells->late_count == 0;
    cells->late[cells->late_count++] = *item;
    cells->late_least_no =
        first || item->no < cells->late_least_no ? item->no : cells->late_least_no;
    cells->late_most_no = first || item->no > cells->late_most_no ? item->no : cells->late_most_no;
}

/* There is room. */
static void put_item(struct cm_sums *s, struct unit_cells *cells, const struct item *item)
{
    const struct slot *slot = &cells->at[item->key];
    if (slot->newest_no == item->no) {
        add(&cells->items[slot->newest_at].sum, item->sum);
        return;
    }
    if (cells->items_count == 0 || cells->items[cells->items_count - 1].no <= item->no) {
        append_item(cells, item);
        return;
    }
    uint32_t at = item->no < slot->newest_no ? behind_pane(cells, item->no) : 0;
    for (; at > 0 && cells->items[at - 1].no == item->no; at--) {
        if (cells->items[at - 1].key == item->key) {
            add(&cells->items[at - 1].sum, item->sum);
            return;
        }
    }
    keep_late(s, cells, item);
}

/* To the cursors that have passed it. Whether there is one that has not. */
static bool add_passed(const struct cm_sums *s, const struct unit_cells *cells,
                       const struct item *item)
{
    bool waits = item->no >= cells->furthest_no;
    for (uint32_t bits = waits ? 0 : cells->spans; bits != 0; bits &= bits - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);
        const struct place *place = &cells->places[i];
        struct cm_sum *at = sums_of(s, cells, item->key, i);
        if (item->no < place->no[0]) {
            add(&at[0], item->sum);
        }
        if (item->no < place->no[1]) {
            add(&at[1], item->sum);
        }
        waits = waits || item->no >= place->no[s->spans[i].is_period ? 0 : 1];
    }
    return waits;
}

void cm_sums_add_item(struct cm_sums *s, struct unit_cells *cells, const struct item *item)
{
    if (cells->items_count + cells->late_count == cells->items_cap) {
        make_room(s, cells); /* moves cursors, so before it is asked which have passed */
    }
    if (add_passed(s, cells, item)) {
        put_item(s, cells, item);
    }
}
