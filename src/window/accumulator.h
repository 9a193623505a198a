// SPDX-License-Identifier: Apache-2.0
/* accumulator.h — the running sum of one unit over one window, and how its two maxima survive
 * subtraction.
 *
 * Sums and histogram subtract exactly. A maximum does not: when what leaves may have been the
 * longest, the maximum is marked stale, and whoever reads it finds it again among what is left
 * (windows.c knows where). A calendar period outlives its panes, so it keeps its four longest
 * values beside the sum; they can only run out when revisions take back all four.
 */
#ifndef CM_WINDOW_ACCUMULATOR_H
#define CM_WINDOW_ACCUMULATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "event/tally.h"
#include "window/leg.h"
#include "window/pane.h"

#define CM_TOPS 4u

/* The longest values, falling; zeros at the end. Values dropped from the list were never above
 * `dropped_ms`. */
struct cm_tops {
    uint32_t at_ms[CM_TOPS];
    uint32_t dropped_ms;
};

struct cm_period_maxima {
    struct cm_tops wait, handle;
};

struct cm_accumulator {
    struct cm_tally tally; /* tally.reserved: CM_STALE_* */
    struct cm_hist hist;
};

#define CM_STALE_WAIT   1u
#define CM_STALE_HANDLE 2u

/* maxima NULL: a sliding window. */
void cm_accumulator_add_leg(struct cm_accumulator *acc, const struct cm_leg *leg,
                            struct cm_period_maxima *maxima);
void cm_accumulator_subtract_leg(struct cm_accumulator *acc, const struct cm_leg *leg,
                                 struct cm_period_maxima *maxima);
void cm_accumulator_add_entry(struct cm_accumulator *acc, const struct cm_entry *entry,
                              const struct cm_pane *pane, struct cm_period_maxima *maxima);
void cm_accumulator_subtract_entry(struct cm_accumulator *acc, const struct cm_entry *entry,
                                   const struct cm_pane *pane);
void cm_accumulator_clear(struct cm_accumulator *acc, struct cm_period_maxima *maxima);

#endif
