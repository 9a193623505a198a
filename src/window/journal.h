// SPDX-License-Identifier: Apache-2.0
/* journal.h — the events of the dedupe horizon: which ids were seen, and what each of their legs
 * added.
 *
 *   arrival order ─►  [ expired ... | kept for maxima ... | remembered ................ newest ]
 *                                    clock - 2 * dedupe    clock - dedupe          clock
 *
 * An id is remembered while the newest event time seen (the clock) is at most `dedupe` past the
 * clock at which it came. Records stay for twice as long: when a revision takes back the longest
 * leg of a pane, the second longest is found among the legs of that pane, and these all came within
 * two horizons of it. After that they expire, and whoever counted them takes note and drops them.
 *
 * Ids are 128-bit hashes: with a million ids in the horizon two of them meet with
 * probability 1.5e-27.
 *
 * THREADS   One thread. COST 96 bytes a record and 16 of table; find: one probe of 8 bytes, one
 * record.
 */
#ifndef CM_WINDOW_JOURNAL_H
#define CM_WINDOW_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "window/leg.h"

#define CM_JOURNAL_NONE UINT64_MAX

/* A leg in 40 bytes: flags instead of counts, a number instead of units. */
struct cm_leg_packed {
    uint32_t set; /* of its units (unit_sets.h), + 1 */
    uint32_t wait_ms, talk_ms, hold_ms, acw_ms, transfers, check_weight, check_weight_passed;
    uint16_t flags; /* bit i: count[i] is 1; vetoes apart */
    uint16_t vetoes;
    int8_t rating;        /* -1: none */
    uint16_t marks_count; /* the journal's; not of the leg */
};

struct cm_journal_record {
    struct cm_hash128 id;
    int64_t ts_ms;
    int64_t seen_ms; /* the clock when it came */
    uint64_t before; /* sequence of the record before it in the same pane, CM_JOURNAL_NONE */
    struct cm_leg_packed leg;
    uint32_t rev;
    uint32_t judged; /* place in the log of judgements.h, modulo 2^32 */
    uint32_t marks;  /* place of the first verdict by name in mark_log.h, leg.marks_count of them */
    uint8_t ordinal; /* of the entry that has the leg in its pane (pane.h) */
    bool is_cdr : 1;
    bool is_counted : 1; /* its leg stands in panes or periods */
    bool is_orphan : 1;  /* its leg is counted, but its pane has been given back */
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
/* The oldest record, once it came more than two horizons ago; NULL: none has. */
const struct cm_journal_record *cm_journal_expired(const struct cm_journal *journal,
                                                   int64_t clock_ms);
/* Drops the oldest record, which must be there. */
void cm_journal_drop_oldest(struct cm_journal *journal);
/* NULL when that record is gone. */
struct cm_journal_record *cm_journal_at(struct cm_journal *journal, uint64_t sequence);
/* First sequence that is kept; *end: one past the last. */
uint64_t cm_journal_range(const struct cm_journal *journal, uint64_t *end);
size_t cm_journal_bytes(const struct cm_journal *journal);

/* Handle time of a packed leg, 0 when it was not answered. */
static inline uint32_t cm_leg_packed_handle_ms(const struct cm_leg_packed *packed)
{
    bool answered = (packed->flags >> CM_TALLY_AT_answered & 1u) != 0;
    return answered ? packed->talk_ms + packed->hold_ms + packed->acw_ms : 0;
}
void cm_leg_pack(struct cm_leg_packed *packed, const struct cm_leg *leg);
/* All but the units and the verdicts by name. */
void cm_leg_unpack(struct cm_leg *leg, const struct cm_leg_packed *packed, int64_t ts_ms);

#endif
