// SPDX-License-Identifier: Apache-2.0
#include "window/few_sums.h"

#include <string.h>

#include "base/fail.h"

#define BINS_A_LINE (CM_CACHE_LINE / sizeof(uint16_t))
#define BINS_MOST   CM_FEW_LEGS

static size_t bins_in(size_t size_bytes)
{
    return (size_bytes - offsetof(struct cm_few_sums, bin)) / sizeof(uint16_t);
}

size_t cm_few_sums_size(uint32_t legs)
{
    size_t bytes = (size_t)3 * CM_CACHE_LINE;
    while (bins_in(bytes) < legs && legs <= BINS_MOST &&
           bins_in(bytes) + BINS_A_LINE <= BINS_MOST) {
        bytes += CM_CACHE_LINE;
    }
    return bytes;
}

void cm_few_sums_open(struct cm_few_sums *few, size_t size_bytes)
{
    few->bins_cap = (uint8_t)bins_in(size_bytes);
}

static void clear(struct cm_few_sums *few)
{
    uint8_t bins_cap = few->bins_cap;
    *few = (struct cm_few_sums){.bins_cap = bins_cap};
}

struct cm_accumulator *cm_few_sums_make_many(struct cm_few_sums *few, struct cm_bump *store)
{
    struct cm_accumulator *many = cm_bump_alloc(store, sizeof(*many));
    cm_accumulator_open(many);
    for (uint32_t i = 0; i < CM_TALLY_COUNT_N; i++) {
        many->tally.count[i] = few->count[i];
    }
    for (uint32_t i = 0; i < CM_TALLY_SUM_N; i++) {
        many->tally.sum[i] = few->sum[i];
    }
    many->tally.reserved = CM_STALE_WAIT | CM_STALE_HANDLE;
    many->search_debt = few->search_debt;
    for (uint32_t i = 0; i < few->bins; i++) {
        cm_hist_add(&many->hist, few->bin[i], 1);
    }
    for (uint32_t i = 0; i < CM_ADDEND_NAMES; i++) {
        if (few->check[i].evaluated > 0) {
            cm_check_sums_add(&many->checks, i, few->check[i].evaluated, few->check[i].passed);
        }
    }
    clear(few);
    few->count[CM_FEW_AT_MANY] = 1;
    few->many = many;
    return many;
}

static void add_bin(struct cm_few_sums *few, uint16_t bin)
{
    uint32_t at = few->bins++;
    for (; at > 0 && few->bin[at - 1] > bin; at--) {
        few->bin[at] = few->bin[at - 1];
    }
    few->bin[at] = bin;
}

static void drop_bin(struct cm_few_sums *few, uint16_t bin)
{
    uint32_t at = 0;
    while (at < few->bins && few->bin[at] != bin) {
        at++;
    }
    CM_ASSERT(at < few->bins);
    few->bins--;
    for (; at < few->bins; at++) {
        few->bin[at] = few->bin[at + 1];
    }
}

static bool has_room(const struct cm_few_sums *few, const struct cm_addend *a)
{
    return a->is_few && few->count[CM_FEW_AT_LEGS] < CM_FEW_LEGS &&
           (a->bin == CM_LEG_NO_BIN || few->bins < few->bins_cap);
}

void cm_few_sums_add(struct cm_few_sums *few, const struct cm_addend *a, struct cm_bump *store)
{
    if (CM_UNLIKELY(few->count[CM_FEW_AT_MANY] != 0)) {
        cm_accumulator_add(few->many, a);
        return;
    }
    if (CM_UNLIKELY(!has_room(few, a))) {
        cm_accumulator_add(cm_few_sums_make_many(few, store), a);
        return;
    }
    for (uint32_t i = 0; i < CM_ADDEND_COUNTS; i++) {
        few->count[i] = (uint16_t)(few->count[i] + a->few_count[i]);
    }
    for (uint32_t i = 0; i < CM_TALLY_SUM_N; i++) {
        few->sum[i] += a->few_sum[i];
    }
    cm_top_add(&few->top, a->no, a->tally.wait_max_ms, a->tally.handle_max_ms);
    if (a->bin != CM_LEG_NO_BIN) {
        add_bin(few, (uint16_t)a->bin);
    }
    for (uint32_t i = 0; i < a->checks_count; i++) {
        few->check[a->checks[i] >> 1].evaluated++;
        few->check[a->checks[i] >> 1].passed =
            (uint8_t)(few->check[a->checks[i] >> 1].passed + (a->checks[i] & 1u));
    }
}

static void subtract_checks(struct cm_few_sums *few, const struct cm_addend *a)
{
    for (uint32_t i = 0; i < a->checks_count; i++) {
        uint32_t name = a->checks[i] >> 1;
        uint8_t passed = a->checks[i] & 1u;
        CM_ASSERT(few->check[name].evaluated > 0 && few->check[name].passed >= passed);
        few->check[name].evaluated--;
        few->check[name].passed = (uint8_t)(few->check[name].passed - passed);
    }
}

void cm_few_sums_subtract(struct cm_few_sums *few, const struct cm_addend *a)
{
    if (CM_UNLIKELY(few->count[CM_FEW_AT_MANY] != 0)) {
        cm_accumulator_subtract(few->many, a);
        return;
    }
    CM_ASSERT(a->is_few && few->count[CM_FEW_AT_LEGS] > 0);
    for (uint32_t i = 0; i < CM_ADDEND_COUNTS; i++) {
        few->count[i] = (uint16_t)(few->count[i] - a->few_count[i]);
    }
    for (uint32_t i = 0; i < CM_TALLY_SUM_N; i++) {
        few->sum[i] -= a->few_sum[i];
    }
    if (a->bin != CM_LEG_NO_BIN) {
        drop_bin(few, (uint16_t)a->bin);
    }
    subtract_checks(few, a);
}

void cm_few_sums_take_back(struct cm_few_sums *few, const struct cm_addend *a)
{
    if (few->count[CM_FEW_AT_MANY] != 0) {
        cm_accumulator_take_back(few->many, a);
        return;
    }
    cm_few_sums_subtract(few, a);
    few->is_stale |= cm_top_has(&few->top, a->no, a->tally.wait_max_ms, a->tally.handle_max_ms);
}

static void look_at_bins(const struct cm_few_sums *few, uint32_t *cells, struct cm_hist *hist)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i < few->bins; i++) {
        if (used > 0 && few->bin[i - 1] == few->bin[i]) {
            cells[used - 1]++;
        } else {
            cells[used++] = cm_hist_cell(few->bin[i], 1);
        }
    }
    *hist = (struct cm_hist){.cells = NULL};
    if (used > 0) {
        cm_hist_lend(hist, cells, (uint16_t)used);
        hist->used = (uint16_t)used;
    }
}

void cm_few_sums_look(const struct cm_few_sums *few, struct cm_few_look *look,
                      struct cm_tally *tally, struct cm_hist *hist, struct cm_check_sums *checks)
{
    for (uint32_t i = 0; i < CM_TALLY_COUNT_N; i++) {
        tally->count[i] = few->count[i];
    }
    for (uint32_t i = 0; i < CM_TALLY_SUM_N; i++) {
        tally->sum[i] = few->sum[i];
    }
    tally->wait_max_ms = cm_top_ms(&few->top.wait);
    tally->handle_max_ms = cm_top_ms(&few->top.handle);
    tally->reserved = 0;
    look_at_bins(few, look->cells, hist);
    for (uint32_t i = 0; i < CM_ADDEND_NAMES; i++) {
        look->checks[i] = (struct cm_check_sum){few->check[i].evaluated, few->check[i].passed};
    }
    *checks = (struct cm_check_sums){look->checks, CM_ADDEND_NAMES, true};
}
