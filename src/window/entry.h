// SPDX-License-Identifier: Apache-2.0
/* entry.h — what legs of one cell in one pane add up to: counts, sums, longest times, handle times
 * by bin, verdicts by name. An entry adds to and is subtracted from running sums (accumulator.h).
 *
 *   pool   chunks of entries and of further cells; what is given back is used again first
 *
 * THREADS   One thread a pool. OWNERSHIP A pool owns its entries; an address never changes.
 * COST      88 bytes an entry, and 16 for each further bin and each name.
 */
#ifndef CM_WINDOW_ENTRY_H
#define CM_WINDOW_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
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

struct cm_entry {
    struct cm_more *more;    /* NULL: nothing */
    uint16_t bin, bin_count; /* first bin of the handle times; count 0: none */
    uint16_t count[CM_TALLY_COUNT_N];
    uint32_t sum[CM_TALLY_SUM_N];
    uint32_t wait_max_ms, handle_max_ms;
};

struct cm_pool_chunk;

/* Zero-initialised is an empty one. */
struct cm_entry_pool {
    struct cm_pool_chunk *chunks;
    struct cm_entry *free_entries; /* by `more` */
    struct cm_more *free_more;
    size_t bytes;
};

void cm_entry_pool_free(struct cm_entry_pool *pool);
/* An empty entry. */
struct cm_entry *cm_entry_new(struct cm_entry_pool *pool);
/* Gives it back. */
void cm_entry_release(struct cm_entry_pool *pool, struct cm_entry *entry);

/* Whether the leg can be added: no count and no sum overflows. */
bool cm_entry_fits(const struct cm_entry *entry, const struct cm_leg *leg);
void cm_entry_add_leg(struct cm_entry_pool *pool, struct cm_entry *entry, const struct cm_leg *leg);
/* Takes it away again; it is in there. Returns whether the maxima are right; when not, the caller
 * finds them among the legs that are left and stores them. */
CM_NODISCARD bool cm_entry_subtract_leg(struct cm_entry *entry, const struct cm_leg *leg);
/* Whether the entry is just that leg: equal counts and sums have the same bin and maxima, too. */
bool cm_entry_is_leg(const struct cm_entry *entry, const struct cm_leg *leg);

/* into += entry and into -= entry, histogram and checks included; subtracting leaves the maxima. */
void cm_entry_add_to(const struct cm_entry *entry, struct cm_tally *into, struct cm_hist *hist,
                     struct cm_check_sums *checks);
void cm_entry_subtract_from(const struct cm_entry *entry, struct cm_tally *into,
                            struct cm_hist *hist, struct cm_check_sums *checks);
/* The same addition, of many to a sum that others get. */
void cm_entry_add_to_sum(const struct cm_entry *entry, struct cm_tally *into,
                         struct cm_hist_sum *hist, struct cm_check_sums *checks);

#endif
