// SPDX-License-Identifier: Apache-2.0
/* entry.h — what one unit has in one pane: counts, sums, longest times, handle times by bin,
 * verdicts by name.
 *
 * An entry adds to and is subtracted from running sums (accumulator.h). Who makes entries, chains
 * them and gives them back: pane.h.
 *
 * THREADS   No state. COST 112 bytes, and 16 for each further bin and each name.
 */
#ifndef CM_WINDOW_ENTRY_H
#define CM_WINDOW_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "event/tally.h"
#include "window/check_sums.h"

/* What an entry holds beyond its first bin: further bins of handle times, and verdicts by name. A
 * key may come again, when a count has reached its most. */
struct cm_more {
    struct cm_more *next;
    uint16_t key;           /* a bin, or CM_MORE_CHECKS + the number of a name */
    uint16_t count, passed; /* of a bin: legs; of a name: evaluated, passed */
};
#define CM_MORE_CHECKS 1024u

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

static inline int64_t cm_entry_no(const struct cm_entry *entry)
{
    return (int64_t)((uint64_t)entry->no_high << 32 | entry->no);
}

/* The entry before this one in its unit's chain, and its pane's number in *no (in: this entry's);
 * NULL at the end. */
static inline struct cm_entry *cm_entry_before(const struct cm_entry *entry, int64_t *no)
{
    if (entry->before != NULL) {
        *no = cm_entry_no(entry->before);
    }
    return entry->before;
}

/* into += entry and into -= entry, histogram and checks included; subtracting leaves the maxima. */
void cm_entry_add_to(const struct cm_entry *entry, struct cm_tally *into, struct cm_hist *hist,
                     struct cm_check_sums *checks);
void cm_entry_subtract_from(const struct cm_entry *entry, struct cm_tally *into,
                            struct cm_hist *hist, struct cm_check_sums *checks);
/* The same addition, of many to a sum that others get. */
void cm_entry_add_to_sum(const struct cm_entry *entry, struct cm_tally *into,
                         struct cm_hist_sum *hist, struct cm_check_sums *checks);

#endif
