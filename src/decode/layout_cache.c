// SPDX-License-Identifier: Apache-2.0
/* layout_cache.c — see layout_cache.h. */
#include "decode/layout_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/memory.h"
#include "decode/layout_learn.h"

/* Takes the layout out of its slot. */
static void forget(struct cm_layout_cache *cache, uint32_t index)
{
    uint8_t *link = &cache->slots[cm_layout_slot(cache->at[index]->key)];
    while (*link != 0 && *link != index + 1) {
        link = &cache->at[*link - 1]->next;
    }
    if (*link != 0) {
        *link = cache->at[index]->next;
    }
}

void cm_layout_cache_learn(struct cm_layout_cache *cache, const char *bytes, uint32_t len,
                           unsigned type)
{
    const struct cm_shape *shape = cache->work.shape;
    uint32_t index = cache->count;
    if (cache->credit < CM_LAYOUT_PRICE - CM_LAYOUT_CREDIT) {
        return;
    }
    cache->credit -= CM_LAYOUT_PRICE;
    if (index < CM_LAYOUT_CACHE_MAX) {
        if (index == cache->room) {
            cache->at[index] = cm_alloc_lines(sizeof *cache->at[index]);
            cache->room++;
        }
        cache->count++;
    } else {
        index = cache->oldest;
        cache->oldest = (cache->oldest + 1) % CM_LAYOUT_CACHE_MAX;
        forget(cache, index);
    }
    struct cm_layout *layout = cache->at[index];
    layout->next = 0;
    layout->key = cm_layout_key(shape, bytes);
    if (!cm_layout_learn(layout, shape, bytes, len, type, cache->work.scan)) {
        layout->lanes = 0; /* fits no record, and is in no slot */
        return;
    }
    uint8_t *first = &cache->slots[cm_layout_slot(layout->key)];
    layout->next = *first;
    *first = (uint8_t)(index + 1);
}

void cm_layout_cache_clear(struct cm_layout_cache *cache)
{
    memset(cache->slots, 0, sizeof cache->slots);
    memset(&cache->work.words, 0, sizeof cache->work.words);
    cache->count = 0;
    cache->oldest = 0;
    cache->credit = 0;
}

void cm_layout_cache_free(struct cm_layout_cache *cache)
{
    for (uint32_t i = 0; i < cache->room; i++) {
        free(cache->at[i]);
    }
    *cache = (struct cm_layout_cache){0};
}
