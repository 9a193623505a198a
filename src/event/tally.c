// SPDX-License-Identifier: Apache-2.0
/* tally.c — adding and subtracting tallies: the inner loop of every pane that closes.
 *
 * The two arrays are walked by constant trip counts over pointers that do not alias, so the
 * compiler turns each into a few vector additions. Their lengths follow the tables of tally.h.
 *
 * THREADS   No state. COST  One tally is 136 bytes.
 */
#include "event/tally.h"

#include "base/fail.h"

/* What fills whole vectors, and the few that are left over: a constant multiple of 4 is what a
 * compiler takes for a vector loop at -O2. */
#define COUNT_WHOLE (CM_TALLY_COUNT_N / 4 * 4)
#define SUM_WHOLE   (CM_TALLY_SUM_N / 4 * 4)

static void add(uint32_t *restrict count, uint64_t *restrict sum,
                const uint32_t *restrict from_count, const uint64_t *restrict from_sum)
{
    for (unsigned i = 0; i < COUNT_WHOLE; i++) {
        count[i] += from_count[i];
    }
    for (unsigned i = COUNT_WHOLE; i < CM_TALLY_COUNT_N; i++) {
        count[i] += from_count[i];
    }
    for (unsigned i = 0; i < SUM_WHOLE; i++) {
        sum[i] += from_sum[i];
    }
    for (unsigned i = SUM_WHOLE; i < CM_TALLY_SUM_N; i++) {
        sum[i] += from_sum[i];
    }
}

static void subtract(uint32_t *restrict count, uint64_t *restrict sum,
                     const uint32_t *restrict from_count, const uint64_t *restrict from_sum)
{
    for (unsigned i = 0; i < COUNT_WHOLE; i++) {
        count[i] -= from_count[i];
    }
    for (unsigned i = COUNT_WHOLE; i < CM_TALLY_COUNT_N; i++) {
        count[i] -= from_count[i];
    }
    for (unsigned i = 0; i < SUM_WHOLE; i++) {
        sum[i] -= from_sum[i];
    }
    for (unsigned i = SUM_WHOLE; i < CM_TALLY_SUM_N; i++) {
        sum[i] -= from_sum[i];
    }
}

void cm_tally_merge(struct cm_tally *into, const struct cm_tally *from)
{
    CM_ASSERT(into != from);
    add(into->count, into->sum, from->count, from->sum);
    into->wait_max_ms =
        into->wait_max_ms > from->wait_max_ms ? into->wait_max_ms : from->wait_max_ms;
    into->handle_max_ms =
        into->handle_max_ms > from->handle_max_ms ? into->handle_max_ms : from->handle_max_ms;
}

void cm_tally_subtract(struct cm_tally *into, const struct cm_tally *from)
{
    CM_ASSERT(into != from);
    CM_ASSERT(cm_tally_offered(into) >= cm_tally_offered(from));
    subtract(into->count, into->sum, from->count, from->sum);
}

bool cm_tally_is_empty(const struct cm_tally *tally)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < CM_TALLY_COUNT_N; i++) {
        any |= tally->count[i];
    }
    for (unsigned i = 0; i < CM_TALLY_SUM_N; i++) {
        any |= tally->sum[i];
    }
    return any == 0;
}
