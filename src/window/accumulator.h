// SPDX-License-Identifier: Apache-2.0
/* accumulator.h — the running sum of one unit over one window, and how its two maxima survive
 * subtraction.
 *
 * Sums and histogram subtract exactly. A maximum does not: when what leaves may have been the
 * longest, the maximum is marked stale, and whoever reads it finds it again among what is left
 * (windows_read.c knows where).
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

/* Most seats have few legs in a window: what they need lies within, and is not to be looked for
 * elsewhere. */
#define CM_ACCUMULATOR_BINS   30u
#define CM_ACCUMULATOR_CHECKS 4u

/* Zero-initialised, and then opened, is an empty one. It stays where it is: see cm_hist_lend(). */
struct cm_accumulator {
    struct cm_tally tally; /* tally.reserved: CM_STALE_* */
    struct cm_hist hist;
    struct cm_check_sums checks;
    struct cm_check_sum few_checks[CM_ACCUMULATOR_CHECKS];
    uint32_t few_bins[CM_ACCUMULATOR_BINS];
};

_Static_assert(sizeof(struct cm_accumulator) <= 5 * CM_CACHE_LINE, "there are several a seat");

void cm_accumulator_open(struct cm_accumulator *acc);

/* Legs added up once, for several accumulators. Zero-initialised is an empty one. */
struct cm_leg_sum {
    struct cm_tally tally;
    struct cm_hist_sum hist;
    struct cm_check_sums checks;
};

#define CM_STALE_WAIT   1u
#define CM_STALE_HANDLE 2u

void cm_accumulator_add_leg(struct cm_accumulator *acc, const struct cm_leg *leg);
void cm_accumulator_subtract_leg(struct cm_accumulator *acc, const struct cm_leg *leg);
void cm_leg_sum_add(struct cm_leg_sum *sum, const struct cm_leg *leg);
void cm_leg_sum_clear(struct cm_leg_sum *sum); /* keeps the memory of its checks */
void cm_leg_sum_free(struct cm_leg_sum *sum);
void cm_accumulator_add_sum(struct cm_accumulator *acc, const struct cm_leg_sum *sum);
void cm_accumulator_subtract_sum(struct cm_accumulator *acc, const struct cm_leg_sum *sum);
/* What it has outgrown goes back when nothing is in it: call after subtracting. */
void cm_accumulator_shrink(struct cm_accumulator *acc);
/* Stale no longer. */
void cm_accumulator_clear(struct cm_accumulator *acc);
void cm_accumulator_free(struct cm_accumulator *acc);
size_t cm_accumulator_bytes(const struct cm_accumulator *acc); /* heap bytes held */

#endif
