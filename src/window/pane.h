// SPDX-License-Identifier: Apache-2.0
/* pane.h — event time cut into panes; a pane is an append-only array of entries, one a touched
 * unit.
 *
 *   panes by time   [ 07:59:58 ] ─ [ 07:59:59 ] ─ [ 08:00:01 ] ─ ...        (only those with
 * entries) │ e e e        │ e e          │ e e e e e unit's chain      e ◄──────────── e
 * ◄───────────────── e ◄── newest     (entry.before)
 *
 * An event touches, for each of its units, one entry, however many windows there are. Entries are
 * compact (112 bytes: counts of 16, sums of 32 bits); when a field would overflow, the unit gets a
 * second entry for that pane. Which of them holds a leg is told by its ordinal, so that taking the
 * leg back hits just that one. Chains run strictly back in time and end where panes have been given
 * back.
 *
 * THREADS   One thread. OWNERSHIP A store owns its panes; an entry's address never changes.
 * COST      find: the newest pane is tried first, then a hash table.
 */
#ifndef CM_WINDOW_PANE_H
#define CM_WINDOW_PANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "event/tally.h"
#include "window/check_sums.h"
#include "window/leg.h"

/* What an entry holds beyond its first bin: further bins of handle times, and verdicts by name. A
 * key may come again, when a count has reached its most. */
struct cm_more {
    struct cm_more *next;
    uint16_t key;           /* a bin, or CM_MORE_CHECKS + the number of a name */
    uint16_t count, passed; /* of a bin: legs; of a name: evaluated, passed */
};
#define CM_MORE_CHECKS 1024u

struct cm_more_chunk {
    struct cm_more_chunk *next;
    uint32_t used, cap;
    struct cm_more at[];
};

struct cm_entry {
    struct cm_entry *before,
        *after;           /* same unit: in an older (or this) pane, in a newer (or this) */
    struct cm_more *more; /* the pane's; NULL: nothing */
    uint32_t unit;
    uint32_t no;             /* the pane's number, low 32 bits */
    uint16_t no_high;        /* and the bits above: event times and panes are >= 0 */
    uint16_t bin, bin_count; /* first bin of the handle times; count 0: none */
    uint16_t count[CM_TALLY_COUNT_N];
    uint32_t sum[CM_TALLY_SUM_N];
    uint32_t wait_max_ms, handle_max_ms;
};

struct cm_entry_chunk {
    struct cm_entry_chunk *next;
    uint32_t used, cap;
    struct cm_entry at[];
};

struct cm_pane {
    int64_t no; /* event time / pane length */
    struct cm_pane *older, *newer;
    struct cm_pane *hash_next;
    struct cm_entry_chunk *chunks, *last;
    struct cm_more_chunk *more; /* the one that is filling, then older ones */
    uint32_t moved; /* windows that it came into or left, and its units do not know it yet */
    struct cm_pane *moved_next;
    uint64_t journal_newest; /* newest leg of this pane in the journal */
    int64_t first_seen_ms;   /* the clock when its first leg came; INT64_MIN before */
};

/* Where a unit's chain begins, and where it was looked at last: when partitions are read at
 * different paces, each goes on near its own last place, however far that is from the newest one.
 */
struct cm_chain {
    struct cm_entry *newest, *finger;
    int64_t newest_no, finger_no;
};

struct cm_panes;

struct cm_panes *cm_panes_create(int64_t pane_ms);
void cm_panes_destroy(struct cm_panes *panes);
int64_t cm_panes_ms(const struct cm_panes *panes);
/* The pane of that number; made when it is not there. Asserts that it is not below
 * cm_panes_floor(). */
struct cm_pane *cm_panes_get(struct cm_panes *panes, int64_t no);
struct cm_pane *cm_panes_find(struct cm_panes *panes, int64_t no); /* NULL when it is not there */
struct cm_pane *cm_panes_oldest(const struct cm_panes *panes);
struct cm_pane *cm_panes_newest(const struct cm_panes *panes);
/* Panes below this number have been given back and are not made again. */
int64_t cm_panes_floor(const struct cm_panes *panes);
/* Gives back all panes with a number below floor_no; never falls. */
void cm_panes_drop(struct cm_panes *panes, int64_t floor_no);
uint64_t cm_panes_entries(const struct cm_panes *panes);
size_t cm_panes_bytes(const struct cm_panes *panes);

/* The entry before this one in its unit's chain, and its pane's number in *no (in: this entry's);
 * NULL at the end. */
struct cm_entry *cm_entry_before(const struct cm_entry *entry, int64_t *no);
/* The ordinal of a leg that has an entry to itself. */
#define CM_ENTRY_ALONE UINT8_MAX
/* Adds a leg to the unit's newest entry in that pane; alone: to an entry of its own, and so for
 * this pane from now on. Returns the entry's ordinal among the unit's entries there, or
 * CM_ENTRY_ALONE. */
uint8_t cm_panes_add(struct cm_panes *panes, struct cm_pane *pane, struct cm_chain *chain,
                     uint32_t unit, const struct cm_leg *leg, bool alone);
/* Takes it away again, by the ordinal that it was given; *out is the entry that held it. Returns
 * whether the entry's maxima are right; when not, the caller finds them among the legs of that
 * entry that are left and stores them. */
CM_NODISCARD bool cm_panes_subtract(struct cm_panes *panes, struct cm_pane *pane,
                                    struct cm_chain *chain, const struct cm_leg *leg,
                                    uint8_t ordinal, struct cm_entry **out);
/* into += entry and into -= entry, histogram and checks included; subtracting leaves the maxima. */
void cm_entry_add_to(const struct cm_entry *entry, struct cm_tally *into, struct cm_hist *hist,
                     struct cm_check_sums *checks);
void cm_entry_subtract_from(const struct cm_entry *entry, struct cm_tally *into,
                            struct cm_hist *hist, struct cm_check_sums *checks);

#endif
