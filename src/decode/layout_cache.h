// SPDX-License-Identifier: Apache-2.0
/* layout_cache.h — the layouts of the records seen lately, found by what a look over a record
 * shows.
 *
 *   anchors, quotes, the 8 bytes behind `{"type":"`  ──► slot ──► layout ──► (next of that slot)
 *
 * A topic carries a handful of layouts, mixed: a few types, with and without a seat, a rating, a
 * reason. So the layout is not guessed from the record before but looked up; two that look alike
 * are tried one after the other.
 *
 * Learning costs several records' time, so it is paid from a credit: every record read by a layout
 * earns one unit, every learning costs CM_LAYOUT_PRICE. A producer that shuffles its fields spends
 * the first credit and is then learnt from at most once in CM_LAYOUT_PRICE records.
 *
 * THREADS   Belongs to one decoder. OWNERSHIP The cache owns its layouts; zero-initialised is an
 *           empty one. COST No allocation once CM_LAYOUT_CACHE_MAX layouts are known.
 */
#ifndef CM_DECODE_LAYOUT_CACHE_H
#define CM_DECODE_LAYOUT_CACHE_H

#include "decode/layout.h"

#define CM_LAYOUT_CACHE_MAX 24u
#define CM_LAYOUT_TRIES_MAX 4u /* layouts that one record is compared with */
#define CM_LAYOUT_PRICE     64
#define CM_LAYOUT_CREDIT    (CM_LAYOUT_PRICE * 32)

struct cm_layout_cache {
    uint8_t slots[64]; /* index + 1 of the first layout, 0: none */
    uint32_t count;    /* layouts known */
    uint32_t room;     /* layouts allocated */
    uint32_t oldest;   /* the next to give way */
    int32_t credit;    /* spent down to -CM_LAYOUT_CREDIT, so that an empty cache may learn */
    struct cm_layout *at[CM_LAYOUT_CACHE_MAX];
    struct cm_layout_work work;
    cm_layout_reader *read;
};

/* Equal for records of one layout; of two layouts it may be equal, too. The type's first letters
 * stand in it when the type comes first, and never a value that varies from record to record. */
static inline uint64_t cm_layout_key(const struct cm_shape *shape, const char *bytes)
{
    const uint64_t head = CM_KEY('"', 't', 'y', 'p', 'e', '"', ':') | (uint64_t)'"' << 56;
    uint64_t key = (uint64_t)shape->count << 16 | shape->quotes;
    bool type_first = cm_json_load(bytes + 1) == head; /* behind the brace */
    uint64_t word = cm_json_load(bytes + 9) & (UINT64_MAX >> 8);
    key += type_first ? word * UINT64_C(0x9e3779b97f4a7c15) : 0;
    return key * UINT64_C(0xd6e8feb86659fd93);
}

static inline uint32_t cm_layout_slot(uint64_t key)
{
    return (uint32_t)(key >> 58);
}

/* Reads the record by one of the layouts, as a cm_layout_reader does. */
static inline bool cm_layout_cache_read(struct cm_layout_cache *cache, const char *bytes,
                                        struct cm_event *event)
{
    uint64_t key = cm_layout_key(cache->work.shape, bytes);
    uint32_t tries = CM_LAYOUT_TRIES_MAX;
    uint8_t i = cache->slots[cm_layout_slot(key)];
    while (i != 0 && tries > 0) {
        const struct cm_layout *layout = cache->at[i - 1];
        if (CM_LIKELY(layout->key == key)) {
            if (CM_LIKELY(cache->read(layout, &cache->work, bytes, event))) {
                cache->credit += cache->credit < CM_LAYOUT_CREDIT;
                return true;
            }
            tries--;
        }
        i = layout->next;
    }
    cache->credit += cache->credit < 0; /* a refused record earns, too, but no stock */
    return false;
}
/* The record could not be read and the general parser has taken it, as one of this type: learns its
 * layout, when there is credit. cache->work is as it was for reading. */
void cm_layout_cache_learn(struct cm_layout_cache *cache, const char *bytes, uint32_t len,
                           unsigned type);
/* Forgets all that was learnt, words as well. */
void cm_layout_cache_clear(struct cm_layout_cache *cache);
void cm_layout_cache_free(struct cm_layout_cache *cache);

#endif
