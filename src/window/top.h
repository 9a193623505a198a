// SPDX-License-Identifier: Apache-2.0
/* top.h — the longest wait and handle time over a sliding window, and the next ones, in one line of
 * memory.
 *
 *   pane     12    13    17      20, 21       the first three that nothing newer is as long as;
 *   ms      900   700   350      left out     what follows the first takes its place when it leaves
 *
 * Only when all three have left, and there had been more, somebody has to search: about once in a
 * window's length. Where that takes long, all of them are kept: longest.h.
 *
 * THREADS   One thread. UNITS ms; panes by number, modulo 2^32: less than 2^31 apart.
 */
#ifndef CM_WINDOW_TOP_H
#define CM_WINDOW_TOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

#define CM_TOP_ITEMS 3u

/* Zero-initialised is an empty one. */
struct cm_top_row {
    uint32_t ms[CM_TOP_ITEMS]; /* falls */
    uint32_t no[CM_TOP_ITEMS]; /* rises */
    uint32_t out_no;           /* newest of those that were left out */
    uint8_t count;
    bool is_short; /* shorter ones, newer than the last, were left out */
};

struct cm_top {
    struct cm_top_row wait, handle;
};

_Static_assert(sizeof(struct cm_top) == CM_CACHE_LINE, "it has one line");

/* Adds a leg of that pane, in any order; 0 ms add nothing. */
void cm_top_add(struct cm_top *top, int64_t no, uint32_t wait_ms, uint32_t handle_ms);
/* Whether such a leg is among those that are kept: when it is taken back, it may have hidden
 * others. */
bool cm_top_has(const struct cm_top *top, int64_t no, uint32_t wait_ms, uint32_t handle_ms);
/* Forgets what is older than left_no. false: the longest is not known any more: empty it, and add
 * all that are there, in any order. */
bool cm_top_leave(struct cm_top *top, int64_t left_no);

/* The longest; 0 where there is none. */
static inline uint32_t cm_top_ms(const struct cm_top_row *row)
{
    return row->count > 0 ? row->ms[0] : 0;
}

#endif
