// SPDX-License-Identifier: Apache-2.0
/* tally.h — the additive primitives of the contract, for one unit over one span of event time.
 *
 * Integers that add up and subtract without loss, in any order; `offered` is the sum of the
 * outcomes and `handle_ms` is talk + hold + acw, so neither is stored. Ratios are computed in
 * figures.h, never here. The two maxima only grow by merging; whoever subtracts has to find them
 * again (window/).
 *
 * UNITS     counts of legs, or ms.
 */
#ifndef CM_EVENT_TALLY_H
#define CM_EVENT_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/fail.h"
#include "event/event.h"

// clang-format off
#define CM_TALLY_COUNTS(X) \
    X(answered) X(abandoned) X(no_answer) X(rejected) X(flow_out) X(short_abandoned) X(hold_abandoned) \
    X(sl_met) X(sl_abandoned) X(ratings) X(checked) X(compliant) X(vetoes)
#define CM_TALLY_SUMS(X) \
    X(wait_ms) X(talk_ms) X(hold_ms) X(acw_ms) X(abandon_wait_ms) X(transfers) X(rating_sum) \
    X(check_weight) X(check_weight_passed)
// clang-format on

#define X(name) CM_TALLY_AT_##name,
enum cm_tally_count_at { CM_TALLY_COUNTS(X) CM_TALLY_COUNT_N };
#undef X
#define X(name) CM_TALLY_AT_##name,
enum cm_tally_sum_at { CM_TALLY_SUMS(X) CM_TALLY_SUM_N };
#undef X

struct cm_tally {
    union {
        struct {
#define X(name) uint32_t name;
            CM_TALLY_COUNTS(X)
#undef X
        };
        uint32_t count[CM_TALLY_COUNT_N];
    };
    uint32_t wait_max_ms;
    union {
        struct {
#define X(name) uint64_t name;
            CM_TALLY_SUMS(X)
#undef X
        };
        uint64_t sum[CM_TALLY_SUM_N];
    };
    uint32_t handle_max_ms;
    uint32_t reserved;
};

static inline uint64_t cm_tally_offered(const struct cm_tally *t)
{
    return (uint64_t)t->answered + t->abandoned + t->no_answer + t->rejected + t->flow_out;
}

static inline uint64_t cm_tally_handle_ms(const struct cm_tally *t)
{
    return t->talk_ms + t->hold_ms + t->acw_ms;
}

/* What fills whole vectors, and the few that are left over: a constant multiple of 4 is what a
 * compiler takes for a vector loop. The arrays do not alias. */
#define CM_TALLY_COUNT_WHOLE (CM_TALLY_COUNT_N / 4 * 4)
#define CM_TALLY_SUM_WHOLE   (CM_TALLY_SUM_N / 4 * 4)

/* into += from, counts and sums; the maxima stay as they are. */
static inline void cm_tally_add(struct cm_tally *restrict into,
                                const struct cm_tally *restrict from)
{
    for (unsigned i = 0; i < CM_TALLY_COUNT_WHOLE; i++) {
        into->count[i] += from->count[i];
    }
    for (unsigned i = CM_TALLY_COUNT_WHOLE; i < CM_TALLY_COUNT_N; i++) {
        into->count[i] += from->count[i];
    }
    for (unsigned i = 0; i < CM_TALLY_SUM_WHOLE; i++) {
        into->sum[i] += from->sum[i];
    }
    for (unsigned i = CM_TALLY_SUM_WHOLE; i < CM_TALLY_SUM_N; i++) {
        into->sum[i] += from->sum[i];
    }
}

/* into -= from, counts and sums; the maxima stay as they are. Every part must be there (CM_ASSERT
 * on offered). */
static inline void cm_tally_subtract(struct cm_tally *restrict into,
                                     const struct cm_tally *restrict from)
{
    CM_ASSERT(cm_tally_offered(into) >= cm_tally_offered(from));
    for (unsigned i = 0; i < CM_TALLY_COUNT_WHOLE; i++) {
        into->count[i] -= from->count[i];
    }
    for (unsigned i = CM_TALLY_COUNT_WHOLE; i < CM_TALLY_COUNT_N; i++) {
        into->count[i] -= from->count[i];
    }
    for (unsigned i = 0; i < CM_TALLY_SUM_WHOLE; i++) {
        into->sum[i] -= from->sum[i];
    }
    for (unsigned i = CM_TALLY_SUM_WHOLE; i < CM_TALLY_SUM_N; i++) {
        into->sum[i] -= from->sum[i];
    }
}

/* into += from; the maxima become the greater. */
void cm_tally_merge(struct cm_tally *into, const struct cm_tally *from);
/* No count and no sum is set. */
bool cm_tally_is_empty(const struct cm_tally *tally);

#endif
