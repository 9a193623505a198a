// SPDX-License-Identifier: Apache-2.0
/* histogram.h — log-linear integer histogram of durations in ms: 32 bins an octave, exact below 64.
 *
 * Counters only, so histograms add and subtract without loss and give the same answer in any order
 * and on any machine. A bin is at most 1/32 of its lower edge wide; the value reported is the
 * middle of the bin, so a percentile is off by at most 1.6 %.
 *
 *   bin    0 .. 63        one value each
 *   bin   64 .. 95        64 .. 127, two values each      (octave 6)
 *   bin   96 .. 127       128 .. 255, four values each    (octave 7)  ...
 *
 * OWNERSHIP A cm_hist owns its cells, but for those that it was lent; zero-initialised is an empty
 *           one; cm_hist_free() empties it.
 * COST      16 bytes empty. Sparse: a sorted array of 4-byte cells (bin 10 bits, count 22 bits);
 * dense (32-bit counts for all bins) when cells or a count no longer fit.
 */
#ifndef CM_BASE_HISTOGRAM_H
#define CM_BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define CM_HIST_BINS 864u /* values up to 2^31 - 1 ms, 24.8 days */

struct cm_hist {
    uint32_t *cells; /* NULL: empty */
    uint16_t used;   /* sparse: cells in use; dense: CM_HIST_BINS */
    uint16_t cap;    /* sparse: cells allocated; dense: 0 with cells != NULL */
    uint32_t filled; /* dense: bins with a count; sparse: CM_HIST_LENT, or 0 */
};

#define CM_HIST_LENT UINT32_MAX

/* Gives an empty histogram its first cells, at most 192, which live as long as it does and lie
 * beside whatever it is part of. It takes other ones when it needs more. */
void cm_hist_lend(struct cm_hist *hist, uint32_t *cells, uint16_t count);

/* The bin of a value; values above 2^31 - 1 count in the last one. */
static inline uint32_t cm_hist_bin(uint64_t value_ms)
{
    if (value_ms < 64) {
        return (uint32_t)value_ms;
    }
    if (value_ms > INT32_MAX) {
        return CM_HIST_BINS - 1;
    }
    uint32_t octave = 63u - (uint32_t)__builtin_clzll(value_ms);
    return (octave - 4u) * 32u + (uint32_t)((value_ms >> (octave - 5u)) & 31u);
}

/* A cell of a sparse histogram: at most 2^22 - 1 of a bin. */
static inline uint32_t cm_hist_cell(uint32_t bin, uint32_t count)
{
    return bin << 22 | count;
}

/* The middle of a bin, ms, rounded up. */
uint64_t cm_hist_bin_value(uint32_t bin);

/* A hint: that bin is added to, or taken from, soon. */
static inline void cm_hist_expect(const struct cm_hist *hist, uint32_t bin)
{
    if (hist->cap == 0 && hist->cells != NULL && bin < CM_HIST_BINS) {
        cm_prefetch_write(&hist->cells[bin]);
    } else { /* it is searched by halving */
        cm_prefetch_write(&hist->cells[hist->used / 2]);
        cm_prefetch_write(&hist->cells[hist->used / 4]);
        cm_prefetch_write(&hist->cells[hist->used / 4 * 3]);
    }
}

/* At most 2^32 - 1 of a bin (CM_ASSERT). */
void cm_hist_add(struct cm_hist *hist, uint32_t bin, uint32_t count);
/* The counts must be there (CM_ASSERT): only what was added is taken away. */
void cm_hist_sub(struct cm_hist *hist, uint32_t bin, uint32_t count);
/* Adds all of `from`, which must be another one. */
void cm_hist_merge(struct cm_hist *into, const struct cm_hist *from);
/* Nearest rank: the value at rank ceil(per_mille * total / 1000), counted from 1. `total` is the
 * number of values that the histogram holds and must be > 0. */
uint64_t cm_hist_quantile(const struct cm_hist *hist, uint64_t total, uint32_t per_mille);
/* Calls visit for every bin with a count, in rising order. */
void cm_hist_each(const struct cm_hist *hist,
                  void (*visit)(void *context, uint32_t bin, uint32_t count), void *context);
/* Replaces `into`, whose memory is used again where it is about right. */
void cm_hist_copy(struct cm_hist *into, const struct cm_hist *from);
void cm_hist_free(struct cm_hist *hist);
/* Empties it; a sparse one keeps its cells for what comes next. */
void cm_hist_clear(struct cm_hist *hist);
size_t cm_hist_bytes(const struct cm_hist *hist); /* heap bytes held */

#endif
