// SPDX-License-Identifier: Apache-2.0
/* check_set.c — see check_set.h. */
#include "decode/check_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/memory.h"

void cm_check_set_clear(struct cm_check_set *set)
{
    set->count = 0;
}

/* The slot that holds the name, or the free one where it belongs. */
static uint16_t *find_slot(const struct cm_check_set *set, struct cm_str name)
{
    uint32_t at = (uint32_t)cm_hash64(name.p, name.len) % CM_CHECK_SET_SLOTS;
    while (set->slots[at] != 0 && !cm_str_eq(set->items[set->slots[at] - 1].name, name)) {
        at = (at + 1) % CM_CHECK_SET_SLOTS;
    }
    return &set->slots[at];
}

static void index_all(struct cm_check_set *set)
{
    if (set->slots == NULL) {
        set->slots = cm_alloc(CM_CHECK_SET_SLOTS, sizeof *set->slots);
    }
    memset(set->slots, 0, CM_CHECK_SET_SLOTS * sizeof *set->slots);
    for (uint32_t i = 0; i < set->count; i++) {
        *find_slot(set, set->items[i].name) = (uint16_t)(i + 1);
    }
}

static struct cm_check *find(struct cm_check_set *set, struct cm_str name)
{
    if (set->count > CM_CHECK_SET_FEW) {
        uint16_t slot = *find_slot(set, name);
        return slot == 0 ? NULL : &set->items[slot - 1];
    }
    for (uint32_t i = 0; i < set->count; i++) {
        if (cm_str_eq(set->items[i].name, name)) {
            return &set->items[i];
        }
    }
    return NULL;
}

void cm_check_set_put(struct cm_check_set *set, struct cm_str name, int32_t result)
{
    struct cm_check *known = find(set, name);
    if (known != NULL) {
        known->result = result;
        return;
    }
    CM_ASSERT(set->count < CM_CHECK_SET_SLOTS / 2);
    if (set->items == NULL || set->count == set->cap) {
        set->cap = set->cap == 0 ? 64 : set->cap * 2;
        set->items = cm_realloc(set->items, set->cap, sizeof *set->items);
    }
    set->items[set->count++] = (struct cm_check){name, result};
    if (set->count == CM_CHECK_SET_FEW + 1) {
        index_all(set);
    } else if (set->count > CM_CHECK_SET_FEW) {
        *find_slot(set, name) = (uint16_t)set->count;
    }
}

void cm_check_set_free(struct cm_check_set *set)
{
    free(set->items);
    free(set->slots);
    *set = (struct cm_check_set){0};
}
