// SPDX-License-Identifier: Apache-2.0
#include "window/pending.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define SECOND_CAP 64u

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
    p->counts = cm_alloc(CM_HIST_BINS, sizeof(*p->counts));
    for (uint32_t i = 0; i < p->used; i++) {
        p->counts[p->bins[i]]++;
    }
    drop_bins(p);
}

static CM_NOINLINE void make_room(struct cm_pending *p)
{
    if (p->cap == CM_PENDING_MOST) {
        make_counts(p);
        return;
    }
    uint16_t *old = p->bins == p->few_bins ? NULL : p->bins;
    p->cap = p->cap < SECOND_CAP ? SECOND_CAP : CM_PENDING_MOST;
    p->bins = cm_realloc(old, p->cap, sizeof(*p->bins));
    if (old == NULL) {
        memcpy(p->bins, p->few_bins, sizeof(p->few_bins));
    }
}

static void add_bin(struct cm_pending *p, uint16_t bin)
{
    if (CM_UNLIKELY(p->used == p->cap) && p->counts == NULL) {
        make_room(p);
    }
    if (p->counts != NULL) {
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

/* Cells of a sparse histogram, rising; returns how many. */
static uint32_t sort_bins(const struct cm_pending *p, uint32_t cells[CM_PENDING_MOST])
{
    uint64_t seen[WORDS] = {0};
    uint16_t count[CM_HIST_BINS]; /* of those seen */
    uint32_t used = 0;
    for (uint32_t i = 0; i < p->used; i++) {
        uint32_t bin = p->bins[i];
        uint64_t bit = UINT64_C(1) << (bin % 64);
        count[bin] = (uint16_t)((seen[bin / 64] & bit) != 0 ? count[bin] + 1 : 1);
        seen[bin / 64] |= bit;
    }
    for (uint32_t word = 0; word < WORDS; word++) {
        for (uint64_t bits = seen[word]; bits != 0; bits &= bits - 1) {
            uint32_t bin = word * 64 + (uint32_t)__builtin_ctzll(bits);
            cells[used++] = cm_hist_cell(bin, count[bin]);
        }
    }
    return used;
}

static uint32_t filled(const uint32_t *counts)
{
    uint32_t bins = 0;
    for (uint32_t i = 0; i < CM_HIST_BINS; i++) {
        bins += counts[i] != 0;
    }
    return bins;
}

const struct cm_accumulator *cm_pending_look(const struct cm_pending *p,
                                             struct cm_pending_look *look)
{
    struct cm_accumulator *sums = &look->sums;
    sums->tally = p->tally;
    sums->settled_wait_ms = p->settled_wait_ms;
    sums->settled_handle_ms = p->settled_handle_ms;
    sums->checks = p->checks;
    if (p->counts != NULL) {
        sums->hist =
            (struct cm_hist){.cells = p->counts, .used = CM_HIST_BINS, .filled = filled(p->counts)};
    } else {
        sums->hist = (struct cm_hist){.cells = look->cells,
                                      .used = (uint16_t)sort_bins(p, look->cells),
                                      .cap = CM_PENDING_MOST,
                                      .filled = CM_HIST_LENT};
    }
    return sums;
}

void cm_pending_clear(struct cm_pending *p)
{
    memset(&p->tally, 0, sizeof(p->tally));
    p->settled_wait_ms = p->settled_handle_ms = 0;
    free(p->counts);
    p->counts = NULL;
    drop_bins(p);
    cm_check_sums_clear(&p->checks);
}

void cm_pending_free(struct cm_pending *p)
{
    free(p->counts);
    p->counts = NULL;
    drop_bins(p);
    cm_check_sums_free(&p->checks);
}

size_t cm_pending_bytes(const struct cm_pending *p)
{
    size_t bytes = cm_check_sums_bytes(&p->checks);
    bytes += p->counts == NULL ? 0 : CM_HIST_BINS * sizeof(*p->counts);
    return p->bins == p->few_bins ? bytes : bytes + p->cap * sizeof(*p->bins);
}
