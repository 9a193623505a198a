// SPDX-License-Identifier: Apache-2.0
#include "window/pending.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define SPARSE_CELLS 192u /* a histogram with more is dense */

static uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

void cm_pending_open(struct cm_pending *p)
{
    p->bins = p->few_bins;
    p->cap = CM_PENDING_BINS;
    cm_check_sums_lend(&p->checks, p->few_checks, CM_PENDING_CHECKS);
}

static bool has_counts(const struct cm_pending *p)
{
    return p->cap == 0;
}

static void drop_bins(struct cm_pending *p)
{
    if (p->bins != p->few_bins) {
        free(p->bins);
        p->bins = p->few_bins;
        p->cap = CM_PENDING_BINS;
    }
    p->used = 0;
}

/* Bins one by one become counts. */
static void make_counts(struct cm_pending *p)
{
    uint32_t *counts = cm_alloc(CM_HIST_BINS, sizeof(*counts));
    for (uint32_t i = 0; i < p->used; i++) {
        counts[p->bins[i]]++;
    }
    drop_bins(p);
    p->counts = counts;
    p->cap = 0;
}

static CM_NOINLINE void make_room(struct cm_pending *p)
{
    if (p->cap == CM_PENDING_MOST) {
        make_counts(p);
        return;
    }
    uint16_t *old = p->bins == p->few_bins ? NULL : p->bins;
    p->cap = 2 * p->cap < CM_PENDING_MOST ? (uint16_t)(2 * p->cap) : CM_PENDING_MOST;
    p->bins = cm_realloc(old, p->cap, sizeof(*p->bins));
    if (old == NULL) {
        memcpy(p->bins, p->few_bins, sizeof(p->few_bins));
    }
}

static void add_bin(struct cm_pending *p, uint16_t bin)
{
    if (CM_UNLIKELY(p->used == p->cap) && !has_counts(p)) {
        make_room(p);
    }
    if (has_counts(p)) {
        p->counts[bin]++;
        return;
    }
    p->bins[p->used++] = bin;
}

void cm_pending_add(struct cm_pending *p, const struct cm_addend *a)
{
    cm_tally_add(&p->tally, &a->tally);
    p->tally.wait_max_ms = max_u32(p->tally.wait_max_ms, a->tally.wait_max_ms);
    p->tally.handle_max_ms = max_u32(p->tally.handle_max_ms, a->tally.handle_max_ms);
    if (a->bin != CM_LEG_NO_BIN) {
        add_bin(p, (uint16_t)a->bin);
    }
    for (uint32_t i = 0; i < a->checks_count; i++) {
        cm_check_sums_add(&p->checks, a->checks[i] >> 1, 1, a->checks[i] & 1u);
    }
}

void cm_pending_settle(struct cm_pending *p, const struct cm_addend *a)
{
    p->settled_wait_ms = max_u32(p->settled_wait_ms, a->tally.wait_max_ms);
    p->settled_handle_ms = max_u32(p->settled_handle_ms, a->tally.handle_max_ms);
}

bool cm_pending_is_empty(const struct cm_pending *p)
{
    return cm_tally_offered(&p->tally) == 0 && (p->settled_wait_ms | p->settled_handle_ms) == 0;
}

#define WORDS ((CM_HIST_BINS + 63) / 64)

/* Of bins one by one: cells of a sparse histogram, rising, or counts where these are too many. */
static struct cm_hist sort_bins(const struct cm_pending *p, uint32_t cells[CM_HIST_BINS])
{
    uint64_t seen[WORDS] = {0};
    uint16_t count[CM_HIST_BINS]; /* of those seen */
    uint32_t used = 0;
    for (uint32_t i = 0; i < p->used; i++) {
        uint32_t bin = p->bins[i];
        uint64_t bit = UINT64_C(1) << (bin % 64);
        bool again = (seen[bin / 64] & bit) != 0;
        count[bin] = (uint16_t)(again ? count[bin] + 1 : 1);
        used += !again;
        seen[bin / 64] |= bit;
    }
    bool sparse = used <= SPARSE_CELLS;
    uint32_t to = 0;
    if (!sparse) {
        memset(cells, 0, CM_HIST_BINS * sizeof(*cells));
    }
    for (uint32_t word = 0; word < WORDS; word++) {
        for (uint64_t bits = seen[word]; bits != 0; bits &= bits - 1) {
            uint32_t bin = word * 64 + (uint32_t)__builtin_ctzll(bits);
            if (sparse) {
                cells[to++] = cm_hist_cell(bin, count[bin]);
            } else {
                cells[bin] = count[bin];
            }
        }
    }
    return sparse ? (struct cm_hist){.cells = cells,
                                     .used = (uint16_t)used,
                                     .cap = SPARSE_CELLS,
                                     .filled = CM_HIST_LENT}
                  : (struct cm_hist){.cells = cells, .used = CM_HIST_BINS, .filled = used};
}

static struct cm_hist counts_hist(const struct cm_pending *p)
{
    uint32_t filled = 0;
    for (uint32_t i = 0; i < CM_HIST_BINS; i++) {
        filled += p->counts[i] != 0;
    }
    return (struct cm_hist){.cells = p->counts, .used = CM_HIST_BINS, .filled = filled};
}

const struct cm_accumulator *cm_pending_look(const struct cm_pending *p,
                                             struct cm_pending_look *look)
{
    struct cm_accumulator *sums = &look->sums;
    sums->tally = p->tally;
    sums->settled_wait_ms = p->settled_wait_ms;
    sums->settled_handle_ms = p->settled_handle_ms;
    sums->checks = p->checks;
    sums->hist = has_counts(p) ? counts_hist(p) : sort_bins(p, look->cells);
    return sums;
}

void cm_pending_clear(struct cm_pending *p)
{
    memset(&p->tally, 0, sizeof(p->tally));
    p->settled_wait_ms = p->settled_handle_ms = 0;
    drop_bins(p);
    cm_check_sums_clear(&p->checks);
}

void cm_pending_free(struct cm_pending *p)
{
    drop_bins(p);
    cm_check_sums_free(&p->checks);
}

size_t cm_pending_bytes(const struct cm_pending *p)
{
    size_t bytes = cm_check_sums_bytes(&p->checks);
    if (has_counts(p)) {
        return bytes + CM_HIST_BINS * sizeof(*p->counts);
    }
    return p->bins == p->few_bins ? bytes : bytes + p->cap * sizeof(*p->bins);
}
