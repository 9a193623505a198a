// SPDX-License-Identifier: Apache-2.0
/* few_sums.h — the running sum of a seat over a sliding window: three lines of memory while it
 * has few legs, as it mostly has; an accumulator elsewhere once it has had more.
 *
 *   few    [ counts, 16 bits | sums, 32 bits | top (top.h) | checks | bins of legs, rising ]
 *   many   [ CM_FEW_AT_MANY  | pointer ] ──► accumulator (accumulator.h)
 *
 * A leg is one of few when its times are below 2^26 ms (18 h) and its other numbers small, so that
 * CM_FEW_LEGS of them overflow nothing: see cm_addend.is_few. One that is not makes it many, and it
 * stays so.
 *
 * THREADS   One thread. UNITS counts of legs, ms.
 * OWNERSHIP Accumulators come from a bump; what they have grown is to be freed.
 */
#ifndef CM_WINDOW_FEW_SUMS_H
#define CM_WINDOW_FEW_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bump.h"
#include "base/compiler.h"
#include "window/accumulator.h"

#define CM_FEW_LEGS    63u
#define CM_FEW_AT_LEGS CM_TALLY_COUNT_N       /* in count[]: legs that are in it */
#define CM_FEW_AT_MANY (CM_ADDEND_COUNTS - 1) /* in count[]: 1 when it is many */

_Static_assert(CM_TALLY_COUNT_N < CM_FEW_AT_MANY, "one more for legs, and one for many");

/* Zero-initialised, and then opened, is an empty one. */
struct cm_few_sums {
    uint16_t count[CM_ADDEND_COUNTS]; /* as cm_tally.count; see above */
    union {
        uint32_t sum[CM_TALLY_SUM_N]; /* as cm_tally.sum */
        struct cm_accumulator *many;
    };
    struct cm_top top;
    struct {
        uint8_t evaluated, passed;
    } check[CM_ADDEND_NAMES]; /* by the number of its name */
    uint16_t search_debt;     /* see windows_longest.c */
    uint8_t is_stale;         /* one of the top was taken back: it is to be made anew */
    uint8_t bins;             /* in bin[] */
    uint8_t bins_cap;
    uint16_t bin[]; /* rising; some in the first three lines, 32 in each further one */
};

_Static_assert(offsetof(struct cm_few_sums, bin) + 20 * sizeof(uint16_t) <= 3 * CM_CACHE_LINE,
               "there are several a seat");

/* The bytes, whole lines, of one with room for about so many answered legs; of many, the least. */
size_t cm_few_sums_size(uint32_t legs);
/* size_bytes: as above. */
void cm_few_sums_open(struct cm_few_sums *few, size_t size_bytes);

/* Its accumulator when it is many, else NULL. */
static inline struct cm_accumulator *cm_few_sums_many(const struct cm_few_sums *few)
{
    return few->count[CM_FEW_AT_MANY] != 0 ? few->many : NULL;
}

/* Makes it many. */
struct cm_accumulator *cm_few_sums_make_many(struct cm_few_sums *few, struct cm_bump *store);

/* As those of accumulator.h. */
void cm_few_sums_add(struct cm_few_sums *few, const struct cm_addend *addend,
                     struct cm_bump *store);
void cm_few_sums_subtract(struct cm_few_sums *few, const struct cm_addend *addend);
void cm_few_sums_take_back(struct cm_few_sums *few, const struct cm_addend *addend);

/* What a look at few makes of them; the histogram and the sums of checks borrow it. */
struct cm_few_look {
    uint32_t cells[CM_FEW_LEGS];
    struct cm_check_sum checks[CM_ADDEND_NAMES];
};

/* Of few, whose top is right. */
void cm_few_sums_look(const struct cm_few_sums *few, struct cm_few_look *look,
                      struct cm_tally *tally, struct cm_hist *hist, struct cm_check_sums *checks);

#endif
