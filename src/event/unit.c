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
#include "base/words.h"

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

/* Lengths are below 2^24 (asserted where ids come in). */
static uint32_t shape_of(enum cm_kind kind, struct cm_str id)
{
    return (uint32_t)kind << 24 | id.len;
}

/* Both halves of the product, folded: each bit of it hangs on all that came in. */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Ids of units are short as a rule, and then two products do (the way of wyhash). */
static inline uint64_t hash_words(struct cm_words words, uint32_t shape)
{
    uint64_t seed = UINT64_C(0xa0761d6478bd642f) ^ shape;
    return mix(mix(words.a ^ UINT64_C(0xe7037ed1a0b428db), words.b ^ seed), seed);
}

static uint64_t hash_long(struct cm_str id, uint32_t shape)
{
    return XXH3_64bits_withSeed(id.p, id.len, shape);
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

/* The unit of a short id that is where it belongs; CM_UNIT_NONE: it is further on, or nowhere. */
static inline uint32_t find_home(const struct cm_units *units, uint64_t hash, uint32_t shape,
                                 struct cm_words words, uint32_t len)
{
    const struct slot *slot = &units->slots[hash & units->mask];
    if (slot->hash != hash || slot->shape != shape || slot->number == 0) {
        return CM_UNIT_NONE;
    }
    const char *text = cm_units_key(units, slot->number - 1)->id.p;
    return cm_words_are(words, text, len) ? slot->number - 1 : CM_UNIT_NONE;
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

uint64_t cm_units_expect(const struct cm_units *units, enum cm_kind kind, struct cm_str id)
{
    uint32_t shape = shape_of(kind, id);
    uint64_t hash = CM_LIKELY(id.len <= CM_WORDS_BYTES)
                        ? hash_words(cm_words_of(id.p, id.len), shape)
                        : hash_long(id, shape);
    cm_prefetch(&units->slots[hash & units->mask]);
    return hash;
}

/* A unit that is not there. */
static CM_NOINLINE uint32_t add(struct cm_units *units, enum cm_kind kind, struct cm_str id,
                                uint64_t hash)
{
    if (((uint64_t)units->count + 1) * 2 > units->mask + 1) {
        rehash(units);
    }
    uint64_t at = hash & units->mask;
    while (units->slots[at].number != 0) {
        at = (at + 1) & units->mask;
    }
    uint32_t unit = append(units, kind, id);
    units->slots[at] = (struct slot){.hash = hash, .number = unit + 1, .shape = shape_of(kind, id)};
    return unit;
}

/* Of any id, wherever it is. */
static CM_NOINLINE uint32_t search(const struct cm_units *units, enum cm_kind kind,
                                   struct cm_str id, uint64_t hash)
{
    uint32_t shape = shape_of(kind, id);
    for (uint64_t at = hash & units->mask;; at = (at + 1) & units->mask) {
        const struct slot *slot = &units->slots[at];
        if (slot->number == 0) {
            return CM_UNIT_NONE;
        }
        if (slot->hash == hash && slot->shape == shape &&
            cm_str_eq(cm_units_key(units, slot->number - 1)->id, id)) {
            return slot->number - 1;
        }
    }
}

static CM_NOINLINE uint32_t search_or_add(struct cm_units *units, enum cm_kind kind,
                                          struct cm_str id, uint64_t hash)
{
    CM_ASSERT(id.len <= BLOCK_BYTES);
    uint32_t unit = search(units, kind, id, hash);
    return unit != CM_UNIT_NONE ? unit : add(units, kind, id, hash);
}

/* Below, the rarer cases are left by a jump, so that the others need no frame. */

static CM_NOINLINE uint32_t intern_long(struct cm_units *units, enum cm_kind kind, struct cm_str id)
{
    return search_or_add(units, kind, id, hash_long(id, shape_of(kind, id)));
}

uint32_t cm_units_intern(struct cm_units *units, enum cm_kind kind, struct cm_str id)
{
    CM_ASSERT((unsigned)kind < CM_KIND_COUNT);
    if (CM_UNLIKELY(id.len > CM_WORDS_BYTES)) {
        return intern_long(units, kind, id);
    }
    uint32_t shape = shape_of(kind, id);
    struct cm_words words = cm_words_of(id.p, id.len);
    uint64_t hash = hash_words(words, shape);
    uint32_t unit = find_home(units, hash, shape, words, id.len);
    return CM_LIKELY(unit != CM_UNIT_NONE) ? unit : search_or_add(units, kind, id, hash);
}

static CM_NOINLINE uint32_t find_long(const struct cm_units *units, enum cm_kind kind,
                                      struct cm_str id)
{
    return search(units, kind, id, hash_long(id, shape_of(kind, id)));
}

uint32_t cm_units_find(const struct cm_units *units, enum cm_kind kind, struct cm_str id)
{
    CM_ASSERT((unsigned)kind < CM_KIND_COUNT);
    if (CM_UNLIKELY(id.len > CM_WORDS_BYTES)) {
        return find_long(units, kind, id);
    }
    uint32_t shape = shape_of(kind, id);
    struct cm_words words = cm_words_of(id.p, id.len);
    uint64_t hash = hash_words(words, shape);
    uint32_t unit = find_home(units, hash, shape, words, id.len);
    return CM_LIKELY(unit != CM_UNIT_NONE) ? unit : search(units, kind, id, hash);
}

uint32_t cm_units_find_hashed(const struct cm_units *units, enum cm_kind kind, struct cm_str id,
                              uint64_t hash)
{
    CM_ASSERT((unsigned)kind < CM_KIND_COUNT);
    if (CM_UNLIKELY(id.len > CM_WORDS_BYTES)) {
        return search(units, kind, id, hash);
    }
    struct cm_words words = cm_words_of(id.p, id.len);
    uint32_t unit = find_home(units, hash, shape_of(kind, id), words, id.len);
    return CM_LIKELY(unit != CM_UNIT_NONE) ? unit : search(units, kind, id, hash);
}
