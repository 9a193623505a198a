// SPDX-License-Identifier: Apache-2.0
#include "window/pane.h"

#include <stdlib.h>
#include <string.h>

#include "base/bump.h"
#include "base/fail.h"
#include "base/memory.h"

#define TABLE_MIN   1024u
#define SPARE_BYTES ((size_t)1 << 20) /* of lists that wait for the next panes */

struct cm_panes {
    int64_t pane_ms;
    int64_t floor_no;
    struct cm_pane *oldest, *newest;
    struct cm_pane *recent; /* the pane found last */
    struct cm_pane **table; /* table_size, a power of two */
    uint32_t table_size;
    uint32_t count;
    struct cm_bump store;
    struct cm_pane *spare; /* by `newer` */
    size_t spare_bytes;    /* of their lists */
    uint64_t legs;
    size_t list_bytes; /* of all lists */
};

struct cm_panes *cm_panes_create(int64_t pane_ms)
{
    struct cm_panes *panes = cm_alloc(1, sizeof(*panes));
    panes->pane_ms = pane_ms;
    panes->floor_no = INT64_MIN;
    panes->table_size = TABLE_MIN;
    panes->table = cm_alloc(panes->table_size, sizeof(struct cm_pane *));
    return panes;
}

static size_t list_bytes(const struct cm_pane *pane)
{
    return pane->legs == pane->few ? 0 : pane->legs_cap * sizeof(*pane->legs);
}

static void list_free(struct cm_panes *panes, struct cm_pane *pane)
{
    if (pane->legs != pane->few) {
        panes->list_bytes -= list_bytes(pane);
        free(pane->legs);
    }
    pane->legs = pane->few;
    pane->legs_cap = CM_PANE_FEW;
}

/* Kept for the next one, with the memory of its list. */
static void pane_recycle(struct cm_panes *panes, struct cm_pane *pane)
{
    panes->count--;
    if (panes->spare_bytes + list_bytes(pane) > SPARE_BYTES) {
        list_free(panes, pane);
    }
    panes->spare_bytes += list_bytes(pane);
    pane->newer = panes->spare;
    panes->spare = pane;
}

static struct cm_pane *pane_new(struct cm_panes *panes)
{
    struct cm_pane *pane = panes->spare;
    if (pane == NULL) {
        pane = cm_bump_alloc(&panes->store, sizeof(*pane));
        list_free(panes, pane);
        return pane;
    }
    panes->spare = pane->newer;
    cm_prefetch_write(panes->spare); /* the one after it */
    panes->spare_bytes -= list_bytes(pane);
    *pane = (struct cm_pane){.legs = pane->legs, .legs_cap = pane->legs_cap};
    return pane;
}

void cm_panes_destroy(struct cm_panes *panes)
{
    if (panes == NULL) {
        return;
    }
    cm_panes_drop(panes, INT64_MAX);
    for (struct cm_pane *pane = panes->spare; pane != NULL; pane = pane->newer) {
        list_free(panes, pane);
    }
    cm_bump_free(&panes->store);
    free(panes->table);
    free(panes);
}

int64_t cm_panes_ms(const struct cm_panes *panes)
{
    return panes->pane_ms;
}

struct cm_pane *cm_panes_oldest(const struct cm_panes *panes)
{
    return panes->oldest;
}

struct cm_pane *cm_panes_newest(const struct cm_panes *panes)
{
    return panes->newest;
}

int64_t cm_panes_floor(const struct cm_panes *panes)
{
    return panes->floor_no;
}

uint64_t cm_panes_legs(const struct cm_panes *panes)
{
    return panes->legs;
}

size_t cm_panes_bytes(const struct cm_panes *panes)
{
    return panes->store.bytes + panes->list_bytes + panes->table_size * sizeof(struct cm_pane *);
}

/* Panes come one after the other, and so do their places. */
static struct cm_pane **bucket(const struct cm_panes *panes, int64_t no)
{
    return &panes->table[(uint64_t)no & (panes->table_size - 1)];
}

static void table_grow(struct cm_panes *panes)
{
    struct cm_pane **old = panes->table;
    panes->table_size *= 2;
    panes->table = cm_alloc(panes->table_size, sizeof(struct cm_pane *));
    free(old);
    for (struct cm_pane *pane = panes->oldest; pane != NULL; pane = pane->newer) {
        struct cm_pane **head = bucket(panes, pane->no);
        pane->hash_next = *head;
        *head = pane;
    }
}

struct cm_pane *cm_panes_find(struct cm_panes *panes, int64_t no)
{
    if (panes->recent != NULL && panes->recent->no == no) {
        return panes->recent;
    }
    for (struct cm_pane *pane = *bucket(panes, no); pane != NULL; pane = pane->hash_next) {
        if (pane->no == no) {
            panes->recent = pane;
            return pane;
        }
    }
    return NULL;
}

void cm_panes_expect(const struct cm_panes *panes, int64_t no)
{
    const struct cm_pane *pane = *bucket(panes, no);
    if (pane != NULL) {
        cm_prefetch(pane);
        cm_prefetch((const char *)pane + CM_CACHE_LINE);
    }
}

static struct cm_pane *pane_insert(struct cm_panes *panes, int64_t no)
{
    struct cm_pane *pane = pane_new(panes);
    pane->no = no;

    struct cm_pane *after = panes->newest; /* the one that it follows */
    if (panes->recent != NULL && panes->newest->no - no > llabs(panes->recent->no - no)) {
        after = panes->recent;
        while (after->newer != NULL && after->newer->no < no) {
            after = after->newer;
        }
    }
    while (after != NULL && after->no > no) {
        after = after->older;
    }
    pane->older = after;
    pane->newer = after == NULL ? panes->oldest : after->newer;
    *(pane->older == NULL ? &panes->oldest : &pane->older->newer) = pane;
    *(pane->newer == NULL ? &panes->newest : &pane->newer->older) = pane;

    panes->count++;
    struct cm_pane **head = bucket(panes, no);
    pane->hash_next = *head;
    *head = pane;
    if (panes->count > panes->table_size) {
        table_grow(panes);
    }
    panes->recent = pane;
    return pane;
}

struct cm_pane *cm_panes_get(struct cm_panes *panes, int64_t no)
{
    CM_ASSERT(no >= panes->floor_no);
    struct cm_pane *pane = cm_panes_find(panes, no);
    return pane != NULL ? pane : pane_insert(panes, no);
}

void cm_panes_drop(struct cm_panes *panes, int64_t floor_no)
{
    if (floor_no <= panes->floor_no) {
        return;
    }
    panes->floor_no = floor_no;
    while (panes->oldest != NULL && panes->oldest->no < floor_no) {
        struct cm_pane *pane = panes->oldest;
        struct cm_pane **link = bucket(panes, pane->no);
        while (*link != pane) {
            link = &(*link)->hash_next;
        }
        *link = pane->hash_next;
        panes->oldest = pane->newer;
        panes->legs -= pane->legs_count;
        *(pane->newer == NULL ? &panes->newest : &pane->newer->older) = NULL;
        if (panes->recent == pane) {
            panes->recent = NULL;
        }
        pane_recycle(panes, pane);
    }
}

static void list_grow(struct cm_panes *panes, struct cm_pane *pane)
{
    uint32_t *few = pane->legs == pane->few ? pane->few : NULL;
    uint32_t cap = few != NULL ? 4 * CM_PANE_FEW : pane->legs_cap + pane->legs_cap / 2;
    panes->list_bytes += cap * sizeof(*pane->legs) - list_bytes(pane);
    pane->legs = cm_realloc(few != NULL ? NULL : pane->legs, cap, sizeof(*pane->legs));
    if (few != NULL) {
        memcpy(pane->legs, few, sizeof(pane->few));
    }
    pane->legs_cap = cap;
}

void cm_panes_add(struct cm_panes *panes, struct cm_pane *pane, uint32_t leg)
{
    if (CM_UNLIKELY(pane->legs_count == pane->legs_cap)) {
        list_grow(panes, pane);
    }
    pane->legs[pane->legs_count++] = leg;
    panes->legs++;
}

uint32_t cm_pane_index(const struct cm_pane *pane, uint32_t leg)
{
    uint32_t low = 0;
    uint32_t high = pane->legs_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if ((int32_t)(pane->legs[middle] - leg) > 0) {
            high = middle;
        } else {
            low = middle;
        }
    }
    CM_ASSERT(low < pane->legs_count && pane->legs[low] == leg);
    return low;
}
