// SPDX-License-Identifier: Apache-2.0
#include "window/accumulator.h"

#include <string.h>

#include "base/fail.h"

static void maxima_add(struct cm_accumulator *acc, uint32_t wait_ms, uint32_t handle_ms)
{
    struct cm_tally *tally = &acc->tally;
    tally->wait_max_ms = wait_ms > tally->wait_max_ms ? wait_ms : tally->wait_max_ms;
    tally->handle_max_ms = handle_ms > tally->handle_max_ms ? handle_ms : tally->handle_max_ms;
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

void cm_accumulator_add_leg(struct cm_accumulator *acc, const struct cm_leg *leg)
{
    for (unsigned i = 0; i < CM_TALLY_COUNT_N; i++) {
        acc->tally.count[i] += leg->count[i];
    }
    for (unsigned i = 0; i < CM_TALLY_SUM_N; i++) {
        acc->tally.sum[i] += leg->sum[i];
    }
    if (leg->handle_bin != CM_LEG_NO_BIN) {
        cm_hist_add(&acc->hist, leg->handle_bin, 1);
    }
    for (uint32_t i = 0; i < leg->checks_count; i++) {
        cm_check_sums_add(&acc->checks, leg->checks[i].name, 1, leg->checks[i].passed);
    }
    maxima_add(acc, leg->wait_max_ms, leg->handle_max_ms);
}

void cm_accumulator_subtract_leg(struct cm_accumulator *acc, const struct cm_leg *leg)
{
    for (unsigned i = 0; i < CM_TALLY_COUNT_N; i++) {
        CM_ASSERT(acc->tally.count[i] >= leg->count[i]);
        acc->tally.count[i] -= leg->count[i];
    }
    for (unsigned i = 0; i < CM_TALLY_SUM_N; i++) {
        CM_ASSERT(acc->tally.sum[i] >= leg->sum[i]);
        acc->tally.sum[i] -= leg->sum[i];
    }
    if (leg->handle_bin != CM_LEG_NO_BIN) {
        cm_hist_sub(&acc->hist, leg->handle_bin, 1);
    }
    for (uint32_t i = 0; i < leg->checks_count; i++) {
        cm_check_sums_subtract(&acc->checks, leg->checks[i].name, 1, leg->checks[i].passed);
    }
    maxima_subtract(acc, leg->wait_max_ms, leg->handle_max_ms);
}

void cm_accumulator_add_entry(struct cm_accumulator *acc, const struct cm_entry *entry)
{
    cm_entry_add_to(entry, &acc->tally, &acc->hist, &acc->checks);
}

void cm_accumulator_subtract_entry(struct cm_accumulator *acc, const struct cm_entry *entry)
{
    cm_entry_subtract_from(entry, &acc->tally, &acc->hist, &acc->checks);
    maxima_subtract(acc, entry->wait_max_ms, entry->handle_max_ms);
}

void cm_entry_sum_add(struct cm_entry_sum *sum, const struct cm_entry *entry)
{
    cm_entry_add_to_sum(entry, &sum->tally, &sum->hist, &sum->checks);
}

void cm_entry_sum_clear(struct cm_entry_sum *sum)
{
    memset(&sum->tally, 0, sizeof(sum->tally));
    cm_hist_sum_clear(&sum->hist);
    cm_check_sums_clear(&sum->checks);
}

void cm_entry_sum_free(struct cm_entry_sum *sum)
{
    cm_check_sums_free(&sum->checks);
}

void cm_accumulator_add_sum(struct cm_accumulator *acc, const struct cm_entry_sum *sum)
{
    cm_tally_merge(&acc->tally, &sum->tally);
    cm_hist_sum_give(&sum->hist, &acc->hist);
    cm_check_sums_merge(&acc->checks, &sum->checks);
}

void cm_accumulator_subtract_sum(struct cm_accumulator *acc, const struct cm_entry_sum *sum)
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
