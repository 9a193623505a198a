// SPDX-License-Identifier: Apache-2.0
/* pending.h — what several periods of a unit lack (windows_periods.c): four lines that legs are
 * added to, given to each period, and emptied.
 *
 *   leg ──► tally, checks | bins of answered legs, as they come, up to 512 ──► counts of all bins
 *
 * Nothing is taken from it, and nobody looks into it but to merge it: so bins need no order until
 * then, and an answered leg costs a write behind the last one.
 *
 * THREADS   One thread. OWNERSHIP Lies where its maker put it and stays there; what it has grown is
 * to be freed.
 */
#ifndef CM_WINDOW_PENDING_H
#define CM_WINDOW_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "window/accumulator.h"

#define CM_PENDING_BINS   24u
#define CM_PENDING_MOST   512u /* of bins one by one */
#define CM_PENDING_CHECKS 4u

/* Zero-initialised, and then opened, is an empty one. */
struct cm_pending {
    struct cm_tally tally;
    uint32_t settled_wait_ms, settled_handle_ms; /* see cm_accumulator_settle() */
    union {
        uint16_t *bins;
        uint32_t *counts; /* of all bins, when cap is 0 */
    };
    uint16_t used, cap;
    uint16_t periods; /* those that lack it, a bit each; its owner's, no matter when it is empty */
    struct cm_check_sums checks;
    struct cm_check_sum few_checks[CM_PENDING_CHECKS];
    uint16_t few_bins[CM_PENDING_BINS];
};

_Static_assert(sizeof(struct cm_pending) <= 4 * CM_CACHE_LINE, "there is one a seat");

void cm_pending_open(struct cm_pending *pending);
/* As cm_accumulator_add() and cm_accumulator_settle(). */
void cm_pending_add(struct cm_pending *pending, const struct cm_addend *addend);
void cm_pending_settle(struct cm_pending *pending, const struct cm_addend *addend);
/* No leg is in it, and none was settled. */
bool cm_pending_is_empty(const struct cm_pending *pending);
/* A hint: a leg with that bin is added soon. */
static inline void cm_pending_expect(const struct cm_pending *pending, uint32_t bin)
{
    if (pending->cap == 0 && bin < CM_HIST_BINS) {
        cm_prefetch_write(&pending->counts[bin]);
    } else if (pending->bins != pending->few_bins) {
        cm_prefetch_write(&pending->bins[pending->used]);
    }
}

/* What it has, in the form that merges. */
struct cm_pending_look {
    struct cm_accumulator sums; /* tally, settled, hist, checks */
    uint32_t cells[CM_HIST_BINS];
};

/* For cm_accumulator_merge(); borrows both, until the next leg. */
const struct cm_accumulator *cm_pending_look(const struct cm_pending *pending,
                                             struct cm_pending_look *look);
/* What it has grown goes back. */
void cm_pending_clear(struct cm_pending *pending);
void cm_pending_free(struct cm_pending *pending);
size_t cm_pending_bytes(const struct cm_pending *pending); /* heap bytes held */

#endif
