// SPDX-License-Identifier: Apache-2.0
/* traffic_heap.h — things to happen, earliest first, equal times in the order of pushing.
 *
 * A heap of four children a node: half the levels of a binary one, and the children lie side by
 * side. `ref` is the caller's.
 *
 * THREADS   One. OWNERSHIP a heap owns its array; zero-initialised is an empty one.
 */
#ifndef CM_TRAFFIC_TRAFFIC_HEAP_H
#define CM_TRAFFIC_TRAFFIC_HEAP_H

#include <stdbool.h>
#include <stdint.h>

struct cm_heap_item {
    int64_t at_ms;
    uint32_t order; /* of pushing; wraps: fewer than 2^31 pushes lie between two items held */
    uint32_t ref;
};

struct cm_heap {
    struct cm_heap_item *items;
    uint32_t count, cap, pushed;
};

void cm_heap_free(struct cm_heap *heap);
void cm_heap_push(struct cm_heap *heap, int64_t at_ms, uint32_t ref);
/* The heap must not be empty. */
struct cm_heap_item cm_heap_pop(struct cm_heap *heap);

/* When the first item is due; INT64_MAX when there is none. */
static inline int64_t cm_heap_due_ms(const struct cm_heap *heap)
{
    return heap->count > 0 ? heap->items[0].at_ms : INT64_MAX;
}

#endif
