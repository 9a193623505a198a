// SPDX-License-Identifier: Apache-2.0
/* histogram.c — a sorted array of (bin, count) cells that turns into plain counters when it grows.
 *
 *   sparse   cells[0 .. used)   bin << 22 | count, rising; cap cells allocated
 *   dense    cells[bin]         a count each; `filled` bins are not 0, cap is 0
 *
 * The bin sits in the high bits, so cells compare like their bins and `bin << 22` is a lower bound
 * for the cell of that bin. A dense histogram stays dense until it is empty: going back and forth
 * at the border would cost more than the 3.4 KiB.
 *
 * THREADS   One writer; readers need the writer's silence.
 */
#include "base/histogram.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"

#define COUNT_BITS   22u
#define COUNT_MAX    ((UINT32_C(1) << COUNT_BITS) - 1)
#define SPARSE_CELLS 192u
#define COPY_CELLS   4u /* a copy has room for so many, at least: it may be copied over */

static uint32_t cell_bin(uint32_t cell)
{
    return cell >> COUNT_BITS;
}

static uint32_t cell_count(uint32_t cell)
{
    return cell & COUNT_MAX;
}

static bool is_dense(const struct cm_hist *hist)
{
    return hist->cells != NULL && hist->cap == 0;
}

static bool is_lent(const struct cm_hist *hist)
{
    return hist->filled == CM_HIST_LENT;
}

void cm_hist_lend(struct cm_hist *hist, uint32_t *cells, uint16_t count)
{
    CM_ASSERT(hist->cells == NULL && count > 0 && count <= SPARSE_CELLS);
    *hist = (struct cm_hist){.cells = cells, .cap = count, .filled = CM_HIST_LENT};
}

uint64_t cm_hist_bin_value(uint32_t bin)
{
    if (bin < 64) {
        return bin;
    }
    uint32_t octave = bin / 32 + 4;
    uint64_t width = UINT64_C(1) << (octave - 5);
    return (UINT64_C(32) + bin % 32) * width + width / 2;
}

/* Index of the first cell whose bin is not below `bin`. */
static uint32_t find(const struct cm_hist *hist, uint32_t bin)
{
    uint32_t key = bin << COUNT_BITS;
    const uint32_t *at = hist->cells;
    uint32_t left = hist->used;
    while (left > 1) { /* no branch hangs on a cell: which way it goes cannot be foreseen */
        uint32_t half = left / 2;
        const uint32_t *later = at + half;
        at = __builtin_expect_with_probability(later[-1] < key, 1, 0.5) ? later : at;
        left -= half;
    }
    return (uint32_t)(at - hist->cells) + (left == 1 && *at < key);
}

static void add_dense(struct cm_hist *hist, uint32_t bin, uint32_t count)
{
    hist->filled += hist->cells[bin] == 0;
    CM_ASSERT(!__builtin_add_overflow(hist->cells[bin], count, &hist->cells[bin]));
}

static void make_dense(struct cm_hist *hist)
{
    uint32_t *counts = cm_alloc(CM_HIST_BINS, sizeof *counts);
    for (uint32_t i = 0; i < hist->used; i++) {
        counts[cell_bin(hist->cells[i])] = cell_count(hist->cells[i]);
    }
    uint32_t filled = hist->used;
    cm_hist_free(hist);
    *hist = (struct cm_hist){.cells = counts, .used = CM_HIST_BINS, .filled = filled};
}

static void reserve(struct cm_hist *hist, uint32_t cells)
{
    if (cells > hist->cap) {
        uint32_t cap = hist->cap < 4 ? 4u
                                     : hist->cap + 4u +
                                           hist->cap / 8u; /* there are many, and most are small */
        cap = cap < cells ? cells : cap;
        cap = cap > SPARSE_CELLS ? SPARSE_CELLS : cap;
        uint32_t *lent = is_lent(hist) ? hist->cells : NULL;
        hist->cells = cm_realloc(lent != NULL ? NULL : hist->cells, cap, sizeof *hist->cells);
        if (lent != NULL) {
            memcpy(hist->cells, lent, hist->used * sizeof *hist->cells);
            hist->filled = 0;
        }
        hist->cap = (uint16_t)cap;
    }
}

void cm_hist_add(struct cm_hist *hist, uint32_t bin, uint32_t count)
{
    CM_ASSERT(bin < CM_HIST_BINS);
    if (count == 0) {
        return;
    }
    if (!is_dense(hist)) {
        uint32_t at = find(hist, bin);
        bool found = at < hist->used && cell_bin(hist->cells[at]) == bin;
        uint32_t held = found ? cell_count(hist->cells[at]) : 0;
        if (count <= COUNT_MAX - held && (found || hist->used < SPARSE_CELLS)) {
            if (found) {
                hist->cells[at] += count;
                return;
            }
            reserve(hist, hist->used + 1u);
            memmove(hist->cells + at + 1, hist->cells + at,
                    (hist->used - at) * sizeof *hist->cells);
            hist->cells[at] = cm_hist_cell(bin, count);
            hist->used++;
            return;
        }
        make_dense(hist);
    }
    add_dense(hist, bin, count);
}

static void sub_dense(struct cm_hist *hist, uint32_t bin, uint32_t count)
{
    CM_ASSERT(hist->cells[bin] >= count);
    hist->cells[bin] -= count;
    hist->filled -= hist->cells[bin] == 0;
    if (hist->filled == 0) {
        cm_hist_free(hist);
    }
}

void cm_hist_sub(struct cm_hist *hist, uint32_t bin, uint32_t count)
{
    CM_ASSERT(bin < CM_HIST_BINS);
    if (count == 0) {
        return;
    }
    if (is_dense(hist)) {
        sub_dense(hist, bin, count);
        return;
    }
    uint32_t at = find(hist, bin);
    CM_ASSERT(at < hist->used && cell_bin(hist->cells[at]) == bin &&
              cell_count(hist->cells[at]) >= count);
    hist->cells[at] -= count;
    if (cell_count(hist->cells[at]) > 0) {
        return;
    }
    hist->used--;
    memmove(hist->cells + at, hist->cells + at + 1, (hist->used - at) * sizeof *hist->cells);
    if (is_lent(hist)) {
        return;
    }
    if (hist->used == 0) {
        cm_hist_free(hist);
    } else if (hist->cap >= 16 && hist->used <= hist->cap / 4) {
        hist->cap /= 2;
        hist->cells = cm_realloc(hist->cells, hist->cap, sizeof *hist->cells);
    }
}

/* Cells of the union of two sparse histograms; 0 when it must be dense. */
static uint32_t union_cells(const struct cm_hist *a, const struct cm_hist *b)
{
    uint32_t cells = 0;
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < a->used && j < b->used) {
        uint32_t a_bin = cell_bin(a->cells[i]);
        uint32_t b_bin = cell_bin(b->cells[j]);
        if (a_bin == b_bin && cell_count(a->cells[i]) + cell_count(b->cells[j]) > COUNT_MAX) {
            return 0;
        }
        i += a_bin <= b_bin;
        j += b_bin <= a_bin;
        cells++;
    }
    cells += (a->used - i) + (b->used - j);
    return cells <= SPARSE_CELLS ? cells : 0;
}

/* Both sparse, `cells` in the union: fills from the end, so that no cell is overwritten unread. */
static void merge_sparse(struct cm_hist *into, const struct cm_hist *from, uint32_t cells)
{
    uint32_t i = into->used;
    uint32_t j = from->used;
    uint32_t to = cells;
    reserve(into, cells);
    while (j > 0) {
        uint32_t theirs = from->cells[j - 1];
        if (i > 0 && cell_bin(into->cells[i - 1]) == cell_bin(theirs)) {
            into->cells[--to] = into->cells[--i] + cell_count(theirs);
            j--;
        } else if (i > 0 && into->cells[i - 1] > theirs) {
            into->cells[--to] = into->cells[--i];
        } else {
            into->cells[--to] = theirs;
            j--;
        }
    }
    into->used = (uint16_t)cells;
}

/* A sparse one, into whatever is there. */
static void merge_from_sparse(struct cm_hist *into, const struct cm_hist *from)
{
    if (!is_dense(into) && into->used == 0) {
        reserve(into, from->used);
        memcpy(into->cells, from->cells, from->used * sizeof *into->cells);
        into->used = from->used;
        return;
    }
    /* A few cells into many: searching each is cheaper than walking all. */
    if (!is_dense(into) && from->used >= into->used / 8) {
        uint32_t cells = union_cells(into, from);
        if (cells > 0) {
            merge_sparse(into, from, cells);
            return;
        }
    }
    for (uint32_t i = 0; i < from->used; i++) {
        cm_hist_add(into, cell_bin(from->cells[i]), cell_count(from->cells[i]));
    }
}

void cm_hist_merge(struct cm_hist *into, const struct cm_hist *from)
{
    CM_ASSERT(into != from);
    if (from->used == 0) {
        return;
    }
    if (into->cells == NULL) {
        cm_hist_copy(into, from);
        return;
    }
    if (is_dense(from)) {
        if (!is_dense(into)) {
            make_dense(into);
        }
        for (uint32_t bin = 0; bin < CM_HIST_BINS; bin++) {
            if (from->cells[bin] > 0) {
                add_dense(into, bin, from->cells[bin]);
            }
        }
        return;
    }
    merge_from_sparse(into, from);
}

uint64_t cm_hist_quantile(const struct cm_hist *hist, uint64_t total, uint32_t per_mille)
{
    CM_ASSERT(total > 0 && per_mille <= 1000);
    /* ceil(per_mille * total / 1000) without the overflow of the product. */
    uint64_t rank = total / 1000 * per_mille + (total % 1000 * per_mille + 999) / 1000;
    bool dense = is_dense(hist);
    uint64_t seen = 0;
    rank = rank == 0 ? 1 : rank;
    for (uint32_t i = 0; i < hist->used; i++) {
        seen += dense ? hist->cells[i] : cell_count(hist->cells[i]);
        if (seen >= rank) {
            return cm_hist_bin_value(dense ? i : cell_bin(hist->cells[i]));
        }
    }
    CM_ASSERT(seen >= rank); /* total is more than the histogram holds */
    return 0;
}

void cm_hist_each(const struct cm_hist *hist,
                  void (*visit)(void *context, uint32_t bin, uint32_t count), void *context)
{
    bool dense = is_dense(hist);
    for (uint32_t i = 0; i < hist->used; i++) {
        uint32_t bin = dense ? i : cell_bin(hist->cells[i]);
        uint32_t count = dense ? hist->cells[i] : cell_count(hist->cells[i]);
        if (count > 0) {
            visit(context, bin, count);
        }
    }
}

void cm_hist_copy(struct cm_hist *into, const struct cm_hist *from)
{
    if (into == from) {
        return;
    }
    if (from->used == 0) {
        cm_hist_free(into);
        return;
    }
    bool dense = is_dense(from);
    uint32_t cells = from->used < COPY_CELLS ? COPY_CELLS : from->used;
    bool fits = into->cells != NULL && is_dense(into) == dense &&
                (dense || (into->cap >= from->used && into->cap <= 2 * cells));
    if (!fits) {
        cm_hist_free(into);
        into->cap = dense ? 0 : (uint16_t)cells;
        into->cells = cm_realloc(NULL, cells, sizeof *into->cells);
    }
    memcpy(into->cells, from->cells, from->used * sizeof *into->cells);
    into->used = from->used;
    if (dense) {
        into->filled = from->filled;
    }
}

void cm_hist_free(struct cm_hist *hist)
{
    if (!is_lent(hist)) {
        free(hist->cells);
    }
    *hist = (struct cm_hist){0};
}

void cm_hist_clear(struct cm_hist *hist)
{
    if (is_dense(hist)) {
        cm_hist_free(hist);
    }
    hist->used = 0;
}

size_t cm_hist_bytes(const struct cm_hist *hist)
{
    if (hist->cells == NULL || is_lent(hist)) {
        return 0;
    }
    return (is_dense(hist) ? CM_HIST_BINS : hist->cap) * sizeof *hist->cells;
}
