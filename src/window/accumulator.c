// SPDX-License-Identifier: Apache-2.0
#include "window/accumulator.h"

#include <stdlib.h>
#include <string.h>

static uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

void cm_accumulator_open(struct cm_accumulator *acc)
{
    cm_hist_lend(&acc->hist, acc->few_bins, CM_ACCUMULATOR_BINS);
    cm_check_sums_lend(&acc->checks, acc->few_checks, CM_ACCUMULATOR_CHECKS);
}

void cm_accumulator_lend_top(struct cm_accumulator *acc, struct cm_top *top)
{
    acc->top = top;
}

/* What it has outgrown goes back when nothing is in it. */
static void shrink(struct cm_accumulator *acc)
{
    if (acc->hist.used == 0 && acc->hist.cells != acc->few_bins) {
        cm_hist_free(&acc->hist);
        cm_hist_lend(&acc->hist, acc->few_bins, CM_ACCUMULATOR_BINS);
    }
}

#define FEW_MOST     ((uint64_t)1 << 26)
#define FEW_VERDICTS 4u
#define FEW_VETOES   1000u

void cm_addend_make_few(struct cm_addend *a)
{
    uint64_t all = 0;
    bool few = a->checks_count <= FEW_VERDICTS && a->tally.vetoes <= FEW_VETOES;
    for (uint32_t i = 0; i < CM_TALLY_COUNT_N; i++) {
        a->few_count[i] = (uint16_t)a->tally.count[i];
    }
    a->few_count[CM_TALLY_COUNT_N] = 1;
    for (uint32_t i = CM_TALLY_COUNT_N + 1; i < CM_ADDEND_COUNTS; i++) {
        a->few_count[i] = 0;
    }
    for (uint32_t i = 0; i < CM_TALLY_SUM_N; i++) {
        all |= a->tally.sum[i];
        a->few_sum[i] = (uint32_t)a->tally.sum[i];
    }
    for (uint32_t i = 0; i < a->checks_count && few; i++) {
        few = a->checks[i] >> 1 < CM_ADDEND_NAMES;
    }
    a->is_few = few && all < FEW_MOST;
}

void cm_addend_make(struct cm_addend *addend, const struct cm_leg *leg, int64_t no)
{
    cm_leg_tally(leg, &addend->tally);
    addend->checks = cm_leg_checks(leg);
    addend->checks_count = leg->checks_count;
    addend->bin = leg->bin;
    addend->no = no;
    addend->is_few = false;
}

void cm_accumulator_add(struct cm_accumulator *acc, const struct cm_addend *a)
{
    cm_tally_add(&acc->tally, &a->tally);
    acc->tally.wait_max_ms = max_u32(acc->tally.wait_max_ms, a->tally.wait_max_ms);
    acc->tally.handle_max_ms = max_u32(acc->tally.handle_max_ms, a->tally.handle_max_ms);
    if (a->bin != CM_LEG_NO_BIN) {
        cm_hist_add(&acc->hist, a->bin, 1);
    }
    for (uint32_t i = 0; i < a->checks_count; i++) {
        cm_check_sums_add(&acc->checks, a->checks[i] >> 1, 1, a->checks[i] & 1u);
    }
    if (acc->top != NULL) {
        cm_top_add(acc->top, a->no, a->tally.wait_max_ms, a->tally.handle_max_ms);
    } else if (acc->longest != NULL) {
        cm_longest_add(acc->longest, a->no, a->tally.wait_max_ms, a->tally.handle_max_ms);
    }
}

void cm_accumulator_subtract(struct cm_accumulator *acc, const struct cm_addend *a)
{
    cm_tally_subtract(&acc->tally, &a->tally);
    if (a->bin != CM_LEG_NO_BIN) {
        cm_hist_sub(&acc->hist, a->bin, 1);
        shrink(acc);
    }
    for (uint32_t i = 0; i < a->checks_count; i++) {
        cm_check_sums_subtract(&acc->checks, a->checks[i] >> 1, 1, a->checks[i] & 1u);
    }
    if (acc->top != NULL) {
        return; /* it knows which one left */
    }
    bool wait = a->tally.wait_max_ms > 0 && a->tally.wait_max_ms >= acc->tally.wait_max_ms;
    bool handle = a->tally.handle_max_ms > 0 && a->tally.handle_max_ms >= acc->tally.handle_max_ms;
    acc->tally.reserved |= (wait ? CM_STALE_WAIT : 0) | (handle ? CM_STALE_HANDLE : 0);
}

void cm_accumulator_take_back(struct cm_accumulator *acc, const struct cm_addend *a)
{
    cm_accumulator_subtract(acc, a);
    if (acc->top != NULL &&
        cm_top_has(acc->top, a->no, a->tally.wait_max_ms, a->tally.handle_max_ms)) {
        acc->tally.reserved |= CM_STALE_WAIT | CM_STALE_HANDLE;
    }
    if (acc->longest != NULL) {
        cm_longest_take_back(acc->longest, a->no, a->tally.wait_max_ms, a->tally.handle_max_ms);
    }
}

void cm_accumulator_settle(struct cm_accumulator *acc, const struct cm_addend *a)
{
    acc->settled_wait_ms = max_u32(acc->settled_wait_ms, a->tally.wait_max_ms);
    acc->settled_handle_ms = max_u32(acc->settled_handle_ms, a->tally.handle_max_ms);
}

void cm_accumulator_merge(struct cm_accumulator *into, const struct cm_accumulator *from)
{
    cm_tally_merge(&into->tally, &from->tally);
    into->tally.reserved |= from->tally.reserved;
    cm_hist_merge(&into->hist, &from->hist);
    cm_check_sums_merge(&into->checks, &from->checks);
    into->settled_wait_ms = max_u32(into->settled_wait_ms, from->settled_wait_ms);
    into->settled_handle_ms = max_u32(into->settled_handle_ms, from->settled_handle_ms);
}

void cm_accumulator_clear(struct cm_accumulator *acc)
{
    memset(&acc->tally, 0, sizeof(acc->tally));
    acc->settled_wait_ms = acc->settled_handle_ms = 0;
    cm_hist_clear(&acc->hist);
    shrink(acc);
    cm_check_sums_clear(&acc->checks);
    if (acc->longest != NULL) {
        cm_longest_clear(acc->longest);
    }
}

void cm_accumulator_free(struct cm_accumulator *acc)
{
    cm_hist_free(&acc->hist);
    cm_check_sums_free(&acc->checks);
    if (acc->longest != NULL) {
        cm_longest_free(acc->longest);
        free(acc->longest);
        acc->longest = NULL;
    }
}

size_t cm_accumulator_bytes(const struct cm_accumulator *acc)
{
    size_t bytes = cm_hist_bytes(&acc->hist) + cm_check_sums_bytes(&acc->checks);
    return acc->longest == NULL ? bytes
                                : bytes + sizeof(*acc->longest) + cm_longest_bytes(acc->longest);
}
