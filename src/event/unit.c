// SPDX-License-Identifier: Apache-2.0
/* unit.c — a hash table from (kind, id) to dense numbers, over keys that never move.
 *
 *   slots      [hash | unit + 1 | kind, len]   open addressing, a power of two, at most half full
 *                        │
 *   segments   1024 keys, 1024, 2048, 4096 ..  segment k doubles all that is there: no key is
 * copied │ blocks     64 KiB of text each             ids back to back
 *
 * Segments that double need 22 pointers for all 2^32 numbers, so their directory is part of the
 * table and does not move either: a thread that was handed a number reads its key while the owner
 * adds others.
 *
 * THREADS   One owner; cm_units_key() for numbers handed over, from any thread.
 * OWNERSHIP The table owns keys and text; both live until cm_units_destroy().
 */
#include "event/unit.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/memory.h"

#define SEGMENT_KEYS_LOG2 10u
#define SEGMENTS          (32u - SEGMENT_KEYS_LOG2 + 1u)
#define BLOCK_BYTES       65536u
#define SLOTS_FIRST       64u

struct slot {
    uint64_t hash;
    uint32_t number; /* unit + 1; 0: free */
    uint32_t shape;  /* kind and length of the id */
};

struct block {
    struct block *next;
    uint32_t used;
    char text[BLOCK_BYTES];
};

struct cm_units {
    struct slot *slots;
    uint64_t mask;
    uint32_t count;
    struct block *blocks; /* the newest first */
    struct cm_unit_key *segments[SEGMENTS];
};

static const char *const kind_names[] = {
#define X(code, text) text,
    CM_KINDS(X)
#undef X
};

const char *cm_kind_name(unsigned kind)
{
    return kind < CM_ARRAY_LEN(kind_names) ? kind_names[kind] : "?";
}

bool cm_kind_parse(struct cm_str name, enum cm_kind *kind)
{
    for (uint32_t i = 0; i < CM_ARRAY_LEN(kind_names); i++) {
        if (strlen(kind_names[i]) == name.len && memcmp(kind_names[i], name.p, name.len) == 0) {
            *kind = (enum cm_kind)i;
            return true;
        }
    }
    return false;
}

int cm_unit_key_cmp(const struct cm_unit_key *a, const struct cm_unit_key *b)
{
    return a->kind != b->kind ? (a->kind > b->kind) - (a->kind < b->kind)
                              : cm_str_cmp(a->id, b->id);
}

/* Segment 0 holds [0, 1024), segment k > 0 holds [512 << k, 1024 << k). */
static uint32_t segment_of(uint32_t unit)
{
    uint32_t high = unit >> SEGMENT_KEYS_LOG2;
    return high == 0 ? 0 : 32u - (uint32_t)__builtin_clz(high);
}

static uint32_t segment_first(uint32_t segment)
{
    return segment == 0 ? 0 : UINT32_C(1) << (SEGMENT_KEYS_LOG2 + segment - 1);
}

static uint64_t hash_of(enum cm_kind kind, struct cm_str id)
{
    return XXH3_64bits_withSeed(id.len == 0 ? "" : id.p, id.len, (uint64_t)kind + 1);
}

/* Lengths are below 2^24 (asserted where ids come in). */
static uint32_t shape_of(enum cm_kind kind, struct cm_str id)
{
    return (uint32_t)kind << 24 | id.len;
}

struct cm_units *cm_units_create(void)
{
    struct cm_units *units = cm_alloc(1, sizeof(*units));
    units->slots = cm_alloc(SLOTS_FIRST, sizeof(*units->slots));
    units->mask = SLOTS_FIRST - 1;
    return units;
}

void cm_units_destroy(struct cm_units *units)
{
    if (units == NULL) {
        return;
    }
    for (uint32_t i = 0; i < SEGMENTS; i++) {
        free(units->segments[i]);
    }
    while (units->blocks != NULL) {
        struct block *next = units->blocks->next;
        free(units->blocks);
        units->blocks = next;
    }
    free(units->slots);
    free(units);
}

const struct cm_unit_key *cm_units_key(const struct cm_units *units, uint32_t unit)
{
    /* No look at `count`: the owner may be writing it. */
    uint32_t segment = segment_of(unit);
    CM_ASSERT(units->segments[segment] != NULL);
    const struct cm_unit_key *key = &units->segments[segment][unit - segment_first(segment)];
    CM_ASSERT(key->id.p != NULL);
    return key;
}

uint32_t cm_units_count(const struct cm_units *units)
{
    return units->count;
}

/* The slot of the unit, or the free one where it belongs. */
static struct slot *probe(const struct cm_units *units, uint64_t hash, enum cm_kind kind,
                          struct cm_str id)
{
    uint32_t shape = shape_of(kind, id);
    for (uint64_t at = hash & units->mask;; at = (at + 1) & units->mask) {
        struct slot *slot = &units->slots[at];
        if (slot->number == 0) {
            return slot;
        }
        if (slot->hash == hash && slot->shape == shape &&
            cm_str_eq(cm_units_key(units, slot->number - 1)->id, id)) {
            return slot;
        }
    }
}

static void rehash(struct cm_units *units)
{
    uint64_t mask = units->mask * 2 + 1;
    struct slot *slots = cm_alloc(mask + 1, sizeof(*slots));
    for (uint64_t i = 0; i <= units->mask; i++) {
        const struct slot *old = &units->slots[i];
        if (old->number != 0) {
            uint64_t at = old->hash & mask;
            while (slots[at].number != 0) {
                at = (at + 1) & mask;
            }
            slots[at] = *old;
        }
    }
    free(units->slots);
    units->slots = slots;
    units->mask = mask;
}

static const char *keep_text(struct cm_units *units, struct cm_str id)
{
    if (units->blocks == NULL || BLOCK_BYTES - units->blocks->used < id.len) {
        struct block *block = cm_alloc(1, sizeof(*block));
        block->next = units->blocks;
        units->blocks = block;
    }
    char *text = units->blocks->text + units->blocks->used;
    if (id.len > 0) {
        memcpy(text, id.p, id.len);
        units->blocks->used += id.len;
    }
    return text;
}

static uint32_t append(struct cm_units *units, enum cm_kind kind, struct cm_str id)
{
    uint32_t unit = units->count;
    CM_ASSERT(unit < CM_UNIT_NONE);
    uint32_t segment = segment_of(unit);
    if (units->segments[segment] == NULL) {
        uint32_t keys = segment == 0 ? UINT32_C(1) << SEGMENT_KEYS_LOG2 : segment_first(segment);
        units->segments[segment] = cm_alloc(keys, sizeof(struct cm_unit_key));
    }
    units->segments[segment][unit - segment_first(segment)] = (struct cm_unit_key){
        .kind = (uint8_t)kind,
        .id = {.p = keep_text(units, id), .len = id.len},
    };
    units->count = unit + 1;
    return unit;
}

void cm_units_expect(const struct cm_units *units, enum cm_kind kind, struct cm_str id)
{
    __builtin_prefetch(&units->slots[hash_of(kind, id) & units->mask]);
}

uint32_t cm_units_intern(struct cm_units *units, enum cm_kind kind, struct cm_str id)
{
    CM_ASSERT((unsigned)kind < CM_KIND_COUNT && id.len <= BLOCK_BYTES);
    uint64_t hash = hash_of(kind, id);
    struct slot *slot = probe(units, hash, kind, id);
    if (CM_LIKELY(slot->number != 0)) {
        return slot->number - 1;
    }
    if (((uint64_t)units->count + 1) * 2 > units->mask + 1) {
        rehash(units);
        slot = probe(units, hash, kind, id);
    }
    uint32_t unit = append(units, kind, id);
    *slot = (struct slot){.hash = hash, .number = unit + 1, .shape = shape_of(kind, id)};
    return unit;
}

uint32_t cm_units_find(const struct cm_units *units, enum cm_kind kind, struct cm_str id)
{
    CM_ASSERT((unsigned)kind < CM_KIND_COUNT);
    if (id.len > BLOCK_BYTES) {
        return CM_UNIT_NONE;
    }
    const struct slot *slot = probe(units, hash_of(kind, id), kind, id);
    return slot->number == 0 ? CM_UNIT_NONE : slot->number - 1;
}
