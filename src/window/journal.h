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

#include "base/hash.h"

#define CM_JOURNAL_NONE UINT64_MAX

struct cm_journal_record {
    struct cm_hash128 id;
    int64_t seen_ms; /* the clock when it came */
    uint32_t rev;
    uint32_t judged; /* place in the log of judgements.h, modulo 2^32 */
    uint32_t leg;    /* place in the log of legs (leg_log.h); has_leg only */
    bool is_cdr : 1;
    bool has_leg : 1; /* it had one that counted; that was taken back when it counts no more */
};

struct cm_journal;

/* dedupe_ms 0: nothing is ever remembered. */
struct cm_journal *cm_journal_create(int64_t dedupe_ms);
void cm_journal_destroy(struct cm_journal *journal);
/* The remembered record of an id, NULL when there is none. `clock_ms`: newest event time before
 * this event. Valid until the next add. */
struct cm_journal_record *cm_journal_find(struct cm_journal *journal, struct cm_hash128 id,
                                          int64_t clock_ms);
/* A hint: that id is looked for soon. */
void cm_journal_expect(const struct cm_journal *journal, struct cm_hash128 id);
/* Appends; an older record of the same id is no longer found. Returns its sequence number; the
 * record is at cm_journal_at(). clock_ms: newest event time, this event included; never falls. */
uint64_t cm_journal_add(struct cm_journal *journal, struct cm_hash128 id, int64_t clock_ms);
/* The oldest record, once it came more than the horizon ago; NULL: none has. */
const struct cm_journal_record *cm_journal_expired(const struct cm_journal *journal,
                                                   int64_t clock_ms);
/* Drops the oldest record, which must be there. */
void cm_journal_drop_oldest(struct cm_journal *journal);
/* NULL when that record is gone. */
struct cm_journal_record *cm_journal_at(struct cm_journal *journal, uint64_t sequence);
/* First sequence that is kept; *end: one past the last. */
uint64_t cm_journal_range(const struct cm_journal *journal, uint64_t *end);
size_t cm_journal_bytes(const struct cm_journal *journal);

#endif
