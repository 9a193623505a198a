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

struct cm_journal *cm_journal_create(int64_t dedupe_ms)
{
    struct cm_journal *j = cm_alloc(1, sizeof(*j));
    j->dedupe_ms = dedupe_ms;
    if (dedupe_ms > 0) {
        j->ring_size = RING_MIN;
        j->ring = cm_alloc(j->ring_size, sizeof(*j->ring));
        j->ring_end = j->ring + j->ring_size;
        j->oldest = j->ring;
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

static bool same_id(struct cm_hash128 a, struct cm_hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

/* The slot that holds the id, or the free slot where it would go. */
static uint32_t probe(const struct cm_journal *j, struct cm_hash128 id)
{
    uint32_t mask = table_mask(j);
    uint32_t tag = cm_journal_tag(id);
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
    j->table[hole] = (struct cm_journal_slot){0, 0};
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
    const struct cm_journal_slot *slot = &j->table[probe(j, id)];
    if (slot->place == 0) {
        return NULL;
    }
    struct cm_journal_record *record = &j->ring[slot->place - 1];
    return is_remembered(j, record, clock_ms) ? record : NULL;
}

void cm_journal_drop_oldest(struct cm_journal *j)
{
    CM_ASSERT(j->count > 0 && j->oldest != NULL);
    const struct cm_journal_record *next = cm_journal_oldest(j, AHEAD);
    if (next != NULL) {
        cm_journal_expect(j, next->id); /* the slots of what goes next */
    }
    uint32_t at = probe_place(j, cm_journal_tag(j->oldest->id), j->first_at + 1);
    if (j->table[at].place != 0) { /* else a newer record of the same id has its slot */
        erase(j, at);
    }
    j->count--;
    j->first_at++;
    j->oldest++;
    if (CM_UNLIKELY(j->oldest == j->ring_end)) {
        j->first_at = 0;
        j->oldest = j->ring;
    }
}

/* A larger table with the same slots. */
static void grow_table(struct cm_journal *j, uint32_t table_size)
{
    struct cm_journal_slot *old = j->table;
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
static CM_NOINLINE void grow(struct cm_journal *j)
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
    j->ring_end = j->ring + j->ring_size;
    j->oldest = j->ring + j->first_at;
    while (table_size < j->ring_size + j->ring_size / 2) {
        CM_ASSERT(table_size <= UINT32_MAX / 2);
        table_size *= 2;
    }
    if (table_size > j->table_size) {
        grow_table(j, table_size);
    }
}

struct cm_journal_record *cm_journal_add(struct cm_journal *j, struct cm_hash128 id,
                                         int64_t clock_ms)
{
    if (CM_UNLIKELY(j->count == j->ring_size)) {
        if (j->dedupe_ms == 0) {
            return NULL; /* the ring has no room, and gets none */
        }
        grow(j);
    }
    uint32_t index = j->next_at;
    j->next_at = index + 1 < j->ring_size ? index + 1 : 0;
    j->count++;
    struct cm_journal_record *record = &j->ring[index];
    /* The slot of an older record of this id is found through that record, so look before writing.
     */
    uint32_t at = probe(j, id);
    *record = (struct cm_journal_record){.id = id, .seen_ms = clock_ms};
    j->table[at] = (struct cm_journal_slot){cm_journal_tag(id), index + 1};
    return record;
}

size_t cm_journal_bytes(const struct cm_journal *j)
{
    return j->ring_size * sizeof(*j->ring) + j->table_size * sizeof(*j->table);
}
