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
#include "window/entry.h"
#include "window/leg.h"

struct cm_more_chunk {
    struct cm_more_chunk *next;
    uint32_t used, cap;
    struct cm_more at[];
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

#endif
