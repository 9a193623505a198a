// SPDX-License-Identifier: Apache-2.0
/* journal.h — the events of the dedupe horizon: which ids were seen, and which leg each of them is.
 *
 *   arrival order ─►  [ expired ... | remembered ................ newest ]
 *                               clock - dedupe                    clock
 *
 * An id is remembered while the newest event time seen (the clock) is at most `dedupe` past the
 * clock at which it came. After that its record expires, and whoever counted it takes note and
 * drops it.
 *
 * Ids are 128-bit hashes: with a million ids in the horizon two of them meet with
 * probability 1.5e-27.
 *
 * THREADS   One thread. COST 40 bytes a record and 16 of table; find: one probe of 8 bytes, one
 * record.
 */
#ifndef CM_WINDOW_JOURNAL_H
#define CM_WINDOW_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/hash.h"

struct cm_journal_record {
    struct cm_hash128 id;
    int64_t seen_ms; /* the clock when it came */
    uint32_t rev;
    uint32_t judged; /* place in the log of judgements.h, modulo 2^32 */
    uint32_t leg;    /* place in the log of legs (leg_log.h); has_leg only */
    bool is_cdr : 1;
    bool has_leg : 1; /* it had one that counted; that was taken back when it counts no more */
};

/* tag: of the id, its low bits say where the slot belongs: moving slots up needs no look at the
 * records, which lie anywhere. place: index in the ring plus 1, 0 for a free slot. */
struct cm_journal_slot {
    uint32_t tag, place;
};

/* Nobody but journal.c and the functions below looks into it. */
struct cm_journal {
    int64_t dedupe_ms;
    struct cm_journal_record *ring, *ring_end;
    struct cm_journal_record *oldest; /* at first_at */
    struct cm_journal_slot *table;
    uint32_t ring_size, count; /* records there is room for, and those that are kept */
    uint32_t first_at;         /* index of the oldest one */
    uint32_t next_at;          /* and of the next that comes: first_at when the ring is full */
    uint32_t table_size;       /* a power of two, at least 1.5 * ring_size */
};

/* dedupe_ms 0: nothing is ever remembered. */
struct cm_journal *cm_journal_create(int64_t dedupe_ms);
void cm_journal_destroy(struct cm_journal *journal);
/* The remembered record of an id, NULL when there is none. `clock_ms`: newest event time before
 * this event. Valid until the next add. */
struct cm_journal_record *cm_journal_find(struct cm_journal *journal, struct cm_hash128 id,
                                          int64_t clock_ms);
/* Appends; an older record of the same id is no longer found. Valid until the next add; NULL when
 * nothing is ever remembered. clock_ms: newest event time, this event included; never falls. */
struct cm_journal_record *cm_journal_add(struct cm_journal *journal, struct cm_hash128 id,
                                         int64_t clock_ms);
/* Drops the oldest record, which must be there. */
void cm_journal_drop_oldest(struct cm_journal *journal);
size_t cm_journal_bytes(const struct cm_journal *journal);

static inline uint32_t cm_journal_tag(struct cm_hash128 id)
{
    return (uint32_t)id.low;
}

/* A hint: that id is looked for soon. */
static inline void cm_journal_expect(const struct cm_journal *j, struct cm_hash128 id)
{
    if (j->dedupe_ms > 0) {
        cm_prefetch_write(&j->table[cm_journal_tag(id) & (j->table_size - 1)]);
    }
}

/* The record that goes after `before` others; NULL when there are not that many. */
static inline const struct cm_journal_record *cm_journal_oldest(const struct cm_journal *j,
                                                                uint32_t before)
{
    if (before >= j->count) {
        return NULL;
    }
    const struct cm_journal_record *at = j->oldest + before;
    return at < j->ring_end ? at : at - j->ring_size;
}

/* The oldest record, once it came more than the horizon ago; NULL: none has. */
static inline const struct cm_journal_record *cm_journal_expired(const struct cm_journal *j,
                                                                 int64_t clock_ms)
{
    return j->count > 0 && clock_ms - j->oldest->seen_ms > j->dedupe_ms ? j->oldest : NULL;
}

#endif
