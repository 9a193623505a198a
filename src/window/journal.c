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

/* tag: of the id, its low bits say where the slot belongs: moving slots up needs no look at the
 * records, which lie anywhere. place: index in the ring plus 1, 0 for a free slot. */
struct slot {
    uint32_t tag, place;
};

struct cm_journal {
    int64_t dedupe_ms;
    struct cm_journal_record *ring;
    uint32_t ring_size;
    uint32_t first_at;    /* index of the record `first` */
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

/* Index of a record that is kept, or of the next one. */
static uint32_t index_of(const struct cm_journal *j, uint64_t sequence)
{
    uint64_t at = j->first_at + (sequence - j->first); /* below 2 * ring_size: no division */
    return (uint32_t)(at < j->ring_size ? at : at - j->ring_size);
}

static struct cm_journal_record *record_at(const struct cm_journal *j, uint64_t sequence)
{
    return &j->ring[index_of(j, sequence)];
}

static bool same_id(struct cm_hash128 a, struct cm_hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

static uint32_t tag_of(struct cm_hash128 id)
{
    return (uint32_t)id.low;
}

/* The slot that holds the id, or the free slot where it would go. */
static uint32_t probe(const struct cm_journal *j, struct cm_hash128 id)
{
    uint32_t mask = table_mask(j);
    uint32_t tag = tag_of(id);
    uint32_t at = tag & mask;
    while (j->table[at].place != 0) {
        if (j->table[at].tag == tag && same_id(j->ring[j->table[at].place - 1].id, id)) {
            return at;
        }
        at = (at + 1) & mask;
    }
    return at;
}

/* The slot of that tag and place, or the free slot at which a search for it ends. */
static uint32_t probe_place(const struct cm_journal *j, uint32_t tag, uint32_t place)
{
    uint32_t mask = table_mask(j);
    uint32_t at = tag & mask;
    while (j->table[at].place != 0 && j->table[at].place != place) {
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
        uint32_t home = j->table[i].tag & mask;
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
        cm_prefetch_write(&j->table[tag_of(id) & table_mask(j)]);
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
    if (j->next - j->first > AHEAD) {
        cm_journal_expect(j, record_at(j, j->first + AHEAD)->id); /* the slots of what goes next */
    }
    uint32_t at = probe_place(j, tag_of(j->ring[j->first_at].id), j->first_at + 1);
    if (j->table[at].place != 0) { /* else a newer record of the same id has its slot */
        erase(j, at);
    }
    j->first++;
    j->first_at = j->first_at + 1 < j->ring_size ? j->first_at + 1 : 0;
}

/* A larger table with the same slots. */
static void grow_table(struct cm_journal *j, uint32_t table_size)
{
    struct slot *old = j->table;
    uint32_t old_size = j->table_size;
    uint32_t mask = table_size - 1;

    j->table_size = table_size;
    j->table = cm_alloc(table_size, sizeof(*j->table));
    for (uint32_t i = 0; i < old_size; i++) {
        if (old[i].place != 0) {
            uint32_t at = old[i].tag & mask;
            while (j->table[at].place != 0) {
                at = (at + 1) & mask;
            }
            j->table[at] = old[i];
        }
    }
    free(old);
}

/* The ring is full. Room comes between its newest record and its oldest: where those wrap. */
static void grow(struct cm_journal *j)
{
    /* By a quarter once it is large: the ring is most of a busy centre's journal. */
    uint32_t more = j->ring_size < RING_LARGE ? j->ring_size : j->ring_size / 4;
    uint32_t table_size = j->table_size;
    CM_ASSERT(more < UINT32_MAX - j->ring_size);
    j->ring = cm_realloc(j->ring, j->ring_size + more, sizeof(*j->ring));
    memmove(&j->ring[j->first_at + more], &j->ring[j->first_at],
            (j->ring_size - j->first_at) * sizeof(*j->ring));
    for (uint32_t i = 0; i < table_size; i++) {
        j->table[i].place += j->table[i].place > j->first_at ? more : 0;
    }
    j->first_at += more;
    j->ring_size += more;
    while (table_size < j->ring_size + j->ring_size / 2) {
        CM_ASSERT(table_size <= UINT32_MAX / 2);
        table_size *= 2;
    }
    if (table_size > j->table_size) {
        grow_table(j, table_size);
    }
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
    uint32_t index = index_of(j, sequence);
    struct cm_journal_record *record = &j->ring[index];
    /* The slot of an older record of this id is found through that record, so look before writing.
     */
    uint32_t at = probe(j, id);
    *record = (struct cm_journal_record){.id = id, .seen_ms = clock_ms};
    j->table[at] = (struct slot){tag_of(id), index + 1};
    return sequence;
}

struct cm_journal_record *cm_journal_at(struct cm_journal *j, uint64_t sequence)
{
    return sequence - j->first < j->next - j->first ? record_at(j, sequence) : NULL;
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
