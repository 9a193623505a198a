// SPDX-License-Identifier: Apache-2.0
#include "window/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"

#define RING_MIN   1024u
#define RING_LARGE 65536u
#define AHEAD      8u

_Static_assert(sizeof(struct cm_journal_record) <= 40, "a record is meant to stay compact");

/* tag: high half of the id's hash; place: index in the ring plus 1, 0 for a free slot. */
struct slot {
    uint32_t tag, place;
};

struct cm_journal {
    int64_t dedupe_ms;
    struct cm_journal_record *ring;
    uint32_t ring_size;
    uint32_t table_size;  /* a power of two, at least 1.5 * ring_size */
    uint64_t first, next; /* sequences: [first, next) are kept */
    struct slot *table;
};

struct cm_journal *cm_journal_create(int64_t dedupe_ms)
{
    struct cm_journal *j = cm_alloc(1, sizeof(*j));
    j->dedupe_ms = dedupe_ms;
    if (dedupe_ms > 0) {
        j->ring_size = RING_MIN;
        j->ring = cm_alloc(j->ring_size, sizeof(*j->ring));
        j->table_size = 2 * RING_MIN;
        j->table = cm_alloc(j->table_size, sizeof(*j->table));
    }
    return j;
}

void cm_journal_destroy(struct cm_journal *j)
{
    if (j == NULL) {
        return;
    }
    free(j->ring);
    free(j->table);
    free(j);
}

static uint32_t table_mask(const struct cm_journal *j)
{
    return j->table_size - 1;
}

static struct cm_journal_record *record_at(const struct cm_journal *j, uint64_t sequence)
{
    return &j->ring[sequence % j->ring_size];
}

static bool same_id(struct cm_hash128 a, struct cm_hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

/* The slot that holds the id, or the free slot where it would go. */
static uint32_t probe(const struct cm_journal *j, struct cm_hash128 id)
{
    uint32_t mask = table_mask(j);
    uint32_t tag = (uint32_t)(id.high >> 32);
    uint32_t at = (uint32_t)id.low & mask;
    while (j->table[at].place != 0) {
        if (j->table[at].tag == tag && same_id(j->ring[j->table[at].place - 1].id, id)) {
            return at;
        }
        at = (at + 1) & mask;
    }
    return at;
}

/* Empties a slot and moves up what had been pushed past it. */
static void erase(struct cm_journal *j, uint32_t at)
{
    uint32_t mask = table_mask(j);
    uint32_t hole = at;
    for (uint32_t i = (at + 1) & mask; j->table[i].place != 0; i = (i + 1) & mask) {
        uint32_t home = (uint32_t)j->ring[j->table[i].place - 1].id.low & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            j->table[hole] = j->table[i];
            hole = i;
        }
    }
    j->table[hole] = (struct slot){0, 0};
}

static bool is_remembered(const struct cm_journal *j, const struct cm_journal_record *record,
                          int64_t clock_ms)
{
    return clock_ms - record->seen_ms <= j->dedupe_ms;
}

struct cm_journal_record *cm_journal_find(struct cm_journal *j, struct cm_hash128 id,
                                          int64_t clock_ms)
{
    if (j->dedupe_ms == 0) {
        return NULL;
    }
    const struct slot *slot = &j->table[probe(j, id)];
    if (slot->place == 0) {
        return NULL;
    }
    struct cm_journal_record *record = &j->ring[slot->place - 1];
    return is_remembered(j, record, clock_ms) ? record : NULL;
}

void cm_journal_expect(const struct cm_journal *j, struct cm_hash128 id)
{
    if (j->dedupe_ms > 0) {
        __builtin_prefetch(&j->table[(uint32_t)id.low & table_mask(j)], 1);
    }
}

const struct cm_journal_record *cm_journal_expired(const struct cm_journal *j, int64_t clock_ms)
{
    if (j->first == j->next) {
        return NULL;
    }
    const struct cm_journal_record *oldest = record_at(j, j->first);
    return clock_ms - oldest->seen_ms > j->dedupe_ms ? oldest : NULL;
}

void cm_journal_drop_oldest(struct cm_journal *j)
{
    CM_ASSERT(j->first < j->next);
    struct cm_journal_record *record = record_at(j, j->first);
    if (j->next - j->first > AHEAD) {
        cm_journal_expect(j, record_at(j, j->first + AHEAD)->id); /* the slots of what goes next */
    }
    uint32_t at = probe(j, record->id);
    if (j->table[at].place == (uint32_t)(j->first % j->ring_size) + 1) {
        erase(j, at);
    }
    j->first++;
}

static void grow(struct cm_journal *j)
{
    struct cm_journal_record *old = j->ring;
    uint32_t old_size = j->ring_size;

    /* By a quarter once it is large: the ring is most of a busy centre's journal. */
    j->ring_size += j->ring_size < RING_LARGE ? j->ring_size : j->ring_size / 4;
    CM_ASSERT(j->ring_size > old_size);
    j->ring = cm_alloc(j->ring_size, sizeof(*j->ring));
    free(j->table);
    while (j->table_size < j->ring_size + j->ring_size / 2) {
        j->table_size *= 2;
    }
    j->table = cm_alloc(j->table_size, sizeof(*j->table));
    for (uint64_t s = j->first; s < j->next; s++) {
        struct cm_journal_record *record = record_at(j, s);
        *record = old[s % old_size];
        /* Of two records of one id the newer one is found: it comes later and takes the slot. */
        uint32_t at = probe(j, record->id);
        j->table[at].tag = (uint32_t)(record->id.high >> 32);
        j->table[at].place = (uint32_t)(s % j->ring_size) + 1;
    }
    free(old);
}

uint64_t cm_journal_add(struct cm_journal *j, struct cm_hash128 id, int64_t clock_ms)
{
    if (j->dedupe_ms == 0) {
        return CM_JOURNAL_NONE;
    }
    if (j->next - j->first == j->ring_size) {
        grow(j);
    }
    uint64_t sequence = j->next++;
    struct cm_journal_record *record = record_at(j, sequence);
    /* The slot of an older record of this id is found through that record, so look before writing.
     */
    uint32_t at = probe(j, id);
    memset(record, 0, sizeof(*record));
    record->id = id;
    record->seen_ms = clock_ms;
    j->table[at].tag = (uint32_t)(id.high >> 32);
    j->table[at].place = (uint32_t)(sequence % j->ring_size) + 1;
    return sequence;
}

struct cm_journal_record *cm_journal_at(struct cm_journal *j, uint64_t sequence)
{
    return sequence >= j->first && sequence < j->next ? record_at(j, sequence) : NULL;
}

uint64_t cm_journal_range(const struct cm_journal *j, uint64_t *end)
{
    *end = j->next;
    return j->first;
}

size_t cm_journal_bytes(const struct cm_journal *j)
{
    return j->ring_size * sizeof(*j->ring) + j->table_size * sizeof(*j->table);
}
