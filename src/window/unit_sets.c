// SPDX-License-Identifier: Apache-2.0
#include "window/unit_sets.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/memory.h"

struct cm_unit_sets {
    struct cm_unit_set *at;
    uint32_t count, cap;
    uint32_t *slots; /* set + 1, 0 = free */
    uint32_t slots_count;
};

struct cm_unit_sets *cm_unit_sets_create(void)
{
    return cm_alloc(1, sizeof(struct cm_unit_sets));
}

void cm_unit_sets_destroy(struct cm_unit_sets *sets)
{
    if (sets == NULL) {
        return;
    }
    free(sets->at);
    free(sets->slots);
    free(sets);
}

/* The slot of an equal set, or the free one where it belongs. */
static uint32_t find_slot(const struct cm_unit_sets *sets, const struct cm_unit_set *set)
{
    uint32_t mask = sets->slots_count - 1;
    uint32_t slot = (uint32_t)cm_hash64(set->units, sizeof(set->units)) & mask;
    while (sets->slots[slot] != 0 &&
           memcmp(&sets->at[sets->slots[slot] - 1], set, sizeof(*set)) != 0) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

static void grow(struct cm_unit_sets *sets)
{
    sets->cap = sets->cap == 0 ? 512 : 2 * sets->cap;
    sets->at = cm_realloc(sets->at, sets->cap, sizeof(*sets->at));
    free(sets->slots);
    sets->slots_count = 2 * sets->cap;
    sets->slots = cm_alloc(sets->slots_count, sizeof(*sets->slots));
    for (uint32_t i = 0; i < sets->count; i++) {
        sets->slots[find_slot(sets, &sets->at[i])] = i + 1;
    }
}

uint32_t cm_unit_sets_intern(struct cm_unit_sets *sets, const uint32_t *units, uint32_t count)
{
    CM_ASSERT(count <= CM_UNIT_SET_MAX);
    struct cm_unit_set set = {.count = count};
    memcpy(set.units, units, count * sizeof(*units));
    if (sets->count == sets->cap) {
        grow(sets);
    }
    uint32_t slot = find_slot(sets, &set);
    if (sets->slots[slot] == 0) {
        sets->at[sets->count++] = set;
        sets->slots[slot] = sets->count;
    }
    return sets->slots[slot] - 1;
}

const struct cm_unit_set *cm_unit_sets_at(const struct cm_unit_sets *sets, uint32_t number)
{
    CM_ASSERT(number < sets->count);
    return &sets->at[number];
}
