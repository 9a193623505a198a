// SPDX-License-Identifier: Apache-2.0
/* few_sums.h — the running sum of a seat over a sliding window: three lines of memory while it
 * has few legs, as it mostly has; an accumulator elsewhere once it has had more.
 *
 *   few    [ counts of 16 bits | sums of 32 bits | longest | checks | bins of the legs, rising ]
 *   many   [ CM_FEW_AT_MANY    | pointer ] ──► accumulator (accumulator.h)
 *
 *   longest, of waits and of handle times   900 @ 12   700 @ 13   350 @ 17    pane of each
 *
 * Of the longest times, the first three are kept that nothing newer is as long as: when the longest
 * leaves, what follows takes its place. Only when all three have left, and there had been more,
 * somebody has to search (windows_longest.c).
 *
 * A leg is one of few when its times are below 2^26 ms (18 h) and its other numbers small, so that
 * CM_FEW_LEGS of them overflow nothing: see cm_addend.is_few. One that is not makes it many, and it
 * stays so.
 *
 * THREADS   One thread. OWNERSHIP Accumulators come from a bump; what these have grown is theirs.
 * UNITS     counts of legs, ms.
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

#define CM_FEW_ROW 3u

/* Zero-initialised is an empty one. */
struct cm_few_row {
    uint32_t ms[CM_FEW_ROW]; /* falls */
    uint32_t no[CM_FEW_ROW]; /* of its pane, modulo 2^32; rises */
    uint32_t out_no;         /* newest of those that were left out */
    uint8_t count;
    bool is_short; /* shorter ones, newer than the last, were left out */
};

/* Zero-initialised, and then opened, is an empty one. */
struct cm_few_sums {
    uint16_t count[CM_ADDEND_COUNTS]; /* as cm_tally.count; see above */
    union {
        uint32_t sum[CM_TALLY_SUM_N]; /* as cm_tally.sum */
        struct cm_accumulator *many;
    };
    struct cm_few_row wait, handle;
    struct {
        uint8_t evaluated, passed;
    } check[CM_ADDEND_NAMES]; /* by the number of its name */
    uint16_t search_debt;     /* see windows_longest.c */
    uint8_t is_stale;         /* one of the longest was taken back: all are to be found again */
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

/* The longest times in panes from left_no on; older ones are forgotten. false: they have to be
 * found again: cm_few_sums_forget(), and a cm_few_sums_keep() for each leg in any order. Of few. */
bool cm_few_sums_longest(struct cm_few_sums *few, int64_t left_no);
void cm_few_sums_forget(struct cm_few_sums *few);
void cm_few_sums_keep(struct cm_few_sums *few, int64_t no, uint32_t wait_ms, uint32_t handle_ms);

/* What a look at few makes of them; the histogram and the sums of checks borrow it. */
struct cm_few_look {
    uint32_t cells[CM_FEW_LEGS];
    struct cm_check_sum checks[CM_ADDEND_NAMES];
};

/* Of few, whose longest times are right. */
void cm_few_sums_look(const struct cm_few_sums *few, struct cm_few_look *look,
                      struct cm_tally *tally, struct cm_hist *hist, struct cm_check_sums *checks);

void cm_few_sums_free(struct cm_few_sums *few);          /* what its accumulator has grown */
size_t cm_few_sums_bytes(const struct cm_few_sums *few); /* the same */

#endif
