// SPDX-License-Identifier: Apache-2.0
#include "window/accumulator.h"

#include <string.h>

void cm_accumulator_open(struct cm_accumulator *acc)
{
    cm_hist_lend(&acc->hist, acc->few_bins, CM_ACCUMULATOR_BINS);
    cm_check_sums_lend(&acc->checks, acc->few_checks, CM_ACCUMULATOR_CHECKS);
}

void cm_accumulator_shrink(struct cm_accumulator *acc)
{
    if (acc->hist.used == 0 && acc->hist.cells != acc->few_bins) {
        cm_hist_free(&acc->hist);
        cm_hist_lend(&acc->hist, acc->few_bins, CM_ACCUMULATOR_BINS);
    }
}

static void maxima_subtract(struct cm_accumulator *acc, uint32_t wait_ms, uint32_t handle_ms)
{
    if (wait_ms > 0 && wait_ms >= acc->tally.wait_max_ms) {
        acc->tally.reserved |= CM_STALE_WAIT;
    }
    if (handle_ms > 0 && handle_ms >= acc->tally.handle_max_ms) {
        acc->tally.reserved |= CM_STALE_HANDLE;
    }
}

static void add_checks(struct cm_check_sums *into, const struct cm_leg *leg)
{
    const uint16_t *checks = cm_leg_checks(leg);
    for (uint32_t i = 0; i < leg->checks_count; i++) {
        cm_check_sums_add(into, checks[i] >> 1, 1, checks[i] & 1u);
    }
}

void cm_accumulator_add_leg(struct cm_accumulator *acc, const struct cm_leg *leg)
{
    cm_leg_add_tally(leg, &acc->tally);
    if (leg->bin != CM_LEG_NO_BIN) {
        cm_hist_add(&acc->hist, leg->bin, 1);
    }
    add_checks(&acc->checks, leg);
}

void cm_accumulator_subtract_leg(struct cm_accumulator *acc, const struct cm_leg *leg)
{
    const uint16_t *checks = cm_leg_checks(leg);
    cm_leg_subtract_tally(leg, &acc->tally);
    if (leg->bin != CM_LEG_NO_BIN) {
        cm_hist_sub(&acc->hist, leg->bin, 1);
    }
    for (uint32_t i = 0; i < leg->checks_count; i++) {
        cm_check_sums_subtract(&acc->checks, checks[i] >> 1, 1, checks[i] & 1u);
    }
    maxima_subtract(acc, leg->wait_ms, cm_leg_handle_ms(leg));
}

void cm_leg_sum_add(struct cm_leg_sum *sum, const struct cm_leg *leg)
{
    cm_leg_add_tally(leg, &sum->tally);
    if (leg->bin != CM_LEG_NO_BIN) {
        cm_hist_sum_add(&sum->hist, leg->bin, 1);
    }
    add_checks(&sum->checks, leg);
}

void cm_leg_sum_clear(struct cm_leg_sum *sum)
{
    memset(&sum->tally, 0, sizeof(sum->tally));
    cm_hist_sum_clear(&sum->hist);
    cm_check_sums_clear(&sum->checks);
}

void cm_leg_sum_free(struct cm_leg_sum *sum)
{
    cm_check_sums_free(&sum->checks);
}

void cm_accumulator_add_sum(struct cm_accumulator *acc, const struct cm_leg_sum *sum)
{
    cm_tally_merge(&acc->tally, &sum->tally);
    cm_hist_sum_give(&sum->hist, &acc->hist);
    cm_check_sums_merge(&acc->checks, &sum->checks);
}

void cm_accumulator_subtract_sum(struct cm_accumulator *acc, const struct cm_leg_sum *sum)
{
    cm_tally_subtract(&acc->tally, &sum->tally);
    cm_hist_sum_take(&sum->hist, &acc->hist);
    cm_check_sums_take(&acc->checks, &sum->checks);
    maxima_subtract(acc, sum->tally.wait_max_ms, sum->tally.handle_max_ms);
}

void cm_accumulator_clear(struct cm_accumulator *acc)
{
    memset(&acc->tally, 0, sizeof(acc->tally));
    cm_hist_clear(&acc->hist);
    cm_accumulator_shrink(acc);
    cm_check_sums_clear(&acc->checks);
}

void cm_accumulator_free(struct cm_accumulator *acc)
{
    cm_hist_free(&acc->hist);
    cm_check_sums_free(&acc->checks);
}

size_t cm_accumulator_bytes(const struct cm_accumulator *acc)
{
    return cm_hist_bytes(&acc->hist) + cm_check_sums_bytes(&acc->checks);
}
