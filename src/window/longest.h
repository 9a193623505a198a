// SPDX-License-Identifier: Apache-2.0
/* longest.h — the longest wait and handle time over a sliding window of many legs, when legs leave
 * it at one end and come in nearly in order at the other.
 *
 *   pane     12    13    17    20         only what nothing newer is as long as:
 *   ms      900   700   350    40         the first one is the longest, and what follows it takes
 *            ▲                            its place when it leaves
 *            begin
 *
 * Nothing is looked for again when the longest leg leaves. One that is taken back may have hidden
 * others: then it is stale, and whoever reads it makes it anew.
 *
 * THREADS   One thread. UNITS ms; panes by number, modulo 2^32: less than 2^31 apart.
 * COST      Two lines, and 8 bytes for each beyond four that is kept: of n times in no order about
 * ln n.
 */
#ifndef CM_WINDOW_LONGEST_H
#define CM_WINDOW_LONGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cm_longest_item {
    uint32_t no, ms;
};

#define CM_LONGEST_FEW 4u

struct cm_longest_row {
    struct cm_longest_item *at; /* [begin, begin + count): no rises, ms falls */
    uint32_t begin, count, cap; /* cap 0: none yet; CM_LONGEST_FEW: `few` */
    struct cm_longest_item few[CM_LONGEST_FEW];
};

/* Zero-initialised is an empty one. It stays where it is. */
struct cm_longest {
    struct cm_longest_row wait, handle;
    bool is_stale;
};

/* Adds a leg of that pane; 0 ms add nothing. */
void cm_longest_add(struct cm_longest *longest, int64_t no, uint32_t wait_ms, uint32_t handle_ms);
/* A leg of that pane is taken back. */
void cm_longest_take_back(struct cm_longest *longest, int64_t no, uint32_t wait_ms,
                          uint32_t handle_ms);
/* The longest of panes from left_no on; older ones are forgotten. 0 where there is none. */
void cm_longest_get(struct cm_longest *longest, int64_t left_no, uint32_t *wait_ms,
                    uint32_t *handle_ms);
/* Empty, and not stale. */
void cm_longest_clear(struct cm_longest *longest);
void cm_longest_free(struct cm_longest *longest);
size_t cm_longest_bytes(const struct cm_longest *longest); /* heap bytes held */

#endif
