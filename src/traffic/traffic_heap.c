// SPDX-License-Identifier: Apache-2.0
/* traffic_heap.c — see traffic_heap.h. */
#include "traffic/traffic_heap.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"

#define FANOUT 4u

static bool before(const struct cm_heap_item *a, const struct cm_heap_item *b)
{
    return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && (int32_t)(a->order - b->order) < 0);
}

void cm_heap_free(struct cm_heap *heap)
{
    free(heap->items);
    memset(heap, 0, sizeof(*heap));
}

void cm_heap_push(struct cm_heap *heap, int64_t at_ms, uint32_t ref)
{
    if (heap->count == heap->cap) {
        heap->cap = heap->cap > 0 ? heap->cap * 2 : 64;
        heap->items = cm_realloc(heap->items, heap->cap, sizeof(*heap->items));
    }
    struct cm_heap_item item = {at_ms, heap->pushed++, ref};
    uint32_t at = heap->count++;
    while (at > 0) {
        uint32_t parent = (at - 1) / FANOUT;
        if (!before(&item, &heap->items[parent])) {
            break;
        }
        heap->items[at] = heap->items[parent];
        at = parent;
    }
    heap->items[at] = item;
}

struct cm_heap_item cm_heap_pop(struct cm_heap *heap)
{
    CM_ASSERT(heap->count > 0);
    struct cm_heap_item top = heap->items[0];
    struct cm_heap_item item = heap->items[--heap->count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = at * FANOUT + 1;
        if (child >= heap->count) {
            break;
        }
        uint32_t last = child + FANOUT < heap->count ? child + FANOUT : heap->count;
        uint32_t least = child;
        for (uint32_t other = child + 1; other < last; other++) {
            least = before(&heap->items[other], &heap->items[least]) ? other : least;
        }
        if (!before(&heap->items[least], &item)) {
            break;
        }
        heap->items[at] = heap->items[least];
        at = least;
    }
    heap->items[at] = item;
    return top;
}
