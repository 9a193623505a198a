// SPDX-License-Identifier: Apache-2.0
/* accumulator.h — the running sum of one unit over one window, and how its two maxima survive
 * subtraction.
 *
 * Sums and histogram subtract exactly. A maximum does not: when what leaves may have been the
 * longest, the maximum is marked stale, and whoever reads it finds it again among what is left
 * (windows_longest.c knows where), or those that may still become the longest are kept: the first
 * of them (top.h), or all (longest.h).
 * A seat's sliding windows mostly hold few legs: see few_sums.h.
 */
#ifndef CM_WINDOW_ACCUMULATOR_H
#define CM_WINDOW_ACCUMULATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/histogram.h"
#include "event/tally.h"
#include "window/check_sums.h"
#include "window/leg.h"
#include "window/longest.h"
#include "window/top.h"

/* Most seats have few legs in a window: what they need lies within, and is not to be looked for
 * elsewhere. */
#define CM_ACCUMULATOR_BINS   24u
#define CM_ACCUMULATOR_CHECKS 4u

/* Zero-initialised, and then opened, is an empty one. It stays where it is: see cm_hist_lend(). */
struct cm_accumulator {
    struct cm_tally tally;      /* tally.reserved: CM_STALE_* */
    struct cm_top *top;         /* of a sliding window; NULL: it has none */
    struct cm_longest *longest; /* in place of it, of many legs; without either the maxima are in
                                   the tally */
    union {
        uint32_t settled_wait_ms; /* of a period: see cm_accumulator_settle() */
        uint32_t search_debt;     /* of a sliding window: see windows_longest.c */
    };
    uint32_t settled_handle_ms;
    struct cm_hist hist;
    struct cm_check_sums checks;
    struct cm_check_sum few_checks[CM_ACCUMULATOR_CHECKS];
    uint32_t few_bins[CM_ACCUMULATOR_BINS];
};

_Static_assert(sizeof(struct cm_accumulator) <= 5 * CM_CACHE_LINE, "there are several a seat");

void cm_accumulator_open(struct cm_accumulator *acc);
/* Gives an empty one a top, which is empty as well and lives as long. */
void cm_accumulator_lend_top(struct cm_accumulator *acc, struct cm_top *top);

#define CM_STALE_WAIT   1u
#define CM_STALE_HANDLE 2u

#define CM_ADDEND_COUNTS 16u
#define CM_ADDEND_NAMES  4u

/* A leg in the form in which sums take it; made once for all of them. Borrows the leg. */
struct cm_addend {
    struct cm_tally tally;
    const uint16_t *checks;
    uint32_t checks_count, bin;
    int64_t no; /* its pane */
    /* The same for few_sums.h, set by cm_addend_make_few(), when it is one of few: times below
     * 2^26 ms, at most four verdicts, of the first CM_ADDEND_NAMES names, up to 1,000 vetoes. */
    bool is_few;
    uint16_t few_count[CM_ADDEND_COUNTS]; /* as the tally's, then 1 for the leg, then 0 */
    uint32_t few_sum[CM_TALLY_SUM_N];
};

void cm_addend_make(struct cm_addend *addend, const struct cm_leg *leg, int64_t no);
/* For sums of few legs as well: once it is made. */
void cm_addend_make_few(struct cm_addend *addend);

void cm_accumulator_add(struct cm_accumulator *acc, const struct cm_addend *addend);
/* One that leaves the window: its pane lies before the left of it from now on. */
void cm_accumulator_subtract(struct cm_accumulator *acc, const struct cm_addend *addend);
/* One that a revision replaces. */
void cm_accumulator_take_back(struct cm_accumulator *acc, const struct cm_addend *addend);
/* Of a period: that leg is not taken back any more. */
void cm_accumulator_settle(struct cm_accumulator *acc, const struct cm_addend *addend);
/* into += from, of periods. */
void cm_accumulator_merge(struct cm_accumulator *into, const struct cm_accumulator *from);
/* Nothing is in it, and nothing stale. */
void cm_accumulator_clear(struct cm_accumulator *acc);
void cm_accumulator_free(struct cm_accumulator *acc);
size_t cm_accumulator_bytes(const struct cm_accumulator *acc); /* heap bytes held */

#endif
