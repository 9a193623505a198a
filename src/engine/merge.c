// SPDX-License-Identifier: Apache-2.0
#include "engine/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"

struct share {
    struct cm_measures m;
    int64_t asof_ms;
};

struct cm_merge {
    uint32_t workers, windows;
    struct cm_units *units;
    struct share **shares; /* [unit * workers + worker]: `windows` of them, or NULL */
    uint32_t units_cap;
    struct numbers { /* of a worker: its number of a unit -> ours + 1; 0: not known */
        uint32_t *at;
        uint32_t cap;
    } * numbers;
    struct cm_measures sum;       /* of the last round; owned */
    struct cm_unit_order changed; /* units of the round that is being taken */
    uint16_t *bits;               /* of each unit: the windows that changed */
    int64_t asof_ms[CM_WINDOWS_MAX];
};

struct cm_merge *cm_merge_create(uint32_t workers, uint32_t windows)
{
    struct cm_merge *merge = cm_alloc(1, sizeof(*merge));
    merge->workers = workers;
    merge->windows = windows;
    merge->units = cm_units_create();
    merge->numbers = cm_alloc(workers, sizeof(*merge->numbers));
    return merge;
}

static void share_free(struct cm_merge *merge, uint32_t unit, uint32_t worker)
{
    struct share **share = &merge->shares[(size_t)unit * merge->workers + worker];
    for (uint32_t i = 0; *share != NULL && i < merge->windows; i++) {
        cm_measures_free(&(*share)[i].m);
    }
    free(*share);
    *share = NULL;
}

void cm_merge_forget(struct cm_merge *merge, uint32_t worker)
{
    for (uint32_t u = 0; u < merge->units_cap; u++) {
        share_free(merge, u, worker);
    }
    free(merge->numbers[worker].at);
    merge->numbers[worker] = (struct numbers){0};
}

void cm_merge_destroy(struct cm_merge *merge)
{
    if (merge == NULL) {
        return;
    }
    for (uint32_t worker = 0; worker < merge->workers; worker++) {
        cm_merge_forget(merge, worker);
    }
    free(merge->shares);
    free(merge->numbers);
    cm_unit_order_free(&merge->changed);
    free(merge->bits);
    cm_measures_free(&merge->sum);
    cm_units_destroy(merge->units);
    free(merge);
}

static void grow(struct cm_merge *merge, uint32_t unit)
{
    uint32_t cap = merge->units_cap == 0 ? 1024 : merge->units_cap;
    while (cap <= unit) {
        cap *= 2;
    }
    size_t old = (size_t)merge->units_cap * merge->workers;
    size_t now = (size_t)cap * merge->workers;
    merge->shares = cm_realloc(merge->shares, now, sizeof(struct share *));
    memset(&merge->shares[old], 0, (now - old) * sizeof(struct share *));
    merge->bits = cm_realloc(merge->bits, cap, sizeof(*merge->bits));
    memset(&merge->bits[merge->units_cap], 0, (cap - merge->units_cap) * sizeof(*merge->bits));
    merge->units_cap = cap;
}

static uint32_t intern(struct cm_merge *merge, const struct cm_unit_key *key)
{
    uint32_t unit = cm_units_intern(merge->units, key->kind, key->id);
    if (unit >= merge->units_cap) {
        grow(merge, unit);
    }
    return unit;
}

/* Takes what m owns over, and leaves it what the share had before. */
static void keep_share(struct cm_merge *merge, uint32_t worker, uint32_t unit, uint32_t window,
                       int64_t asof_ms, struct cm_measures *m)
{
    CM_ASSERT(worker < merge->workers && window < merge->windows);
    struct share **shares = &merge->shares[(size_t)unit * merge->workers + worker];
    if (*shares == NULL) {
        *shares = cm_alloc(merge->windows, sizeof(struct share));
    }
    struct share *share = &(*shares)[window];
    struct cm_hist handle = share->m.handle;
    struct cm_details details = share->m.details;
    *share = (struct share){*m, asof_ms};
    m->handle = handle;
    m->details = details;
}

static void add_share(struct cm_measures *sum, const struct cm_measures *share)
{
    cm_tally_merge(&sum->tally, &share->tally);
    cm_hist_merge(&sum->handle, &share->handle);
    sum->busy_ms += share->busy_ms;
    sum->available_ms += share->available_ms;
    if (share->details.count > 0) {
        cm_details_merge(&sum->details, &share->details);
    }
}

static void begin_sum(struct cm_merge *merge)
{
    cm_measures_free(&merge->sum);
    memset(&merge->sum, 0, sizeof(merge->sum));
}

/* The one worker that has a share of the unit: most units' events come by one partition. NONE:
 * there are several. */
static uint32_t only_worker(const struct cm_merge *merge, struct share *const *shares)
{
    uint32_t only = CM_UNIT_NONE;
    for (uint32_t w = 0; w < merge->workers; w++) {
        if (shares[w] != NULL) {
            if (only != CM_UNIT_NONE) {
                return CM_UNIT_NONE;
            }
            only = w;
        }
    }
    return only;
}

/* As of an instant: what has not changed since a worker reported it has run on. */
static const struct cm_measures *sum_shares(struct cm_merge *merge, uint32_t unit, uint32_t window,
                                            int64_t asof_ms)
{
    struct share **shares = &merge->shares[(size_t)unit * merge->workers];
    uint32_t only = only_worker(merge, shares);
    if (only != CM_UNIT_NONE && shares[only][window].asof_ms == asof_ms) {
        return &shares[only][window].m;
    }
    begin_sum(merge);
    for (uint32_t w = 0; w < merge->workers; w++) {
        if (shares[w] != NULL) {
            const struct share *share = &shares[w][window];
            add_share(&merge->sum, &share->m);
            cm_measures_run_on(&merge->sum, share->m.running, asof_ms - share->asof_ms);
        }
    }
    return &merge->sum;
}

const struct cm_measures *cm_merge_put(struct cm_merge *merge, uint32_t worker,
                                       const struct cm_unit_key *key, uint32_t window,
                                       int64_t asof_ms, struct cm_measures *m)
{
    if (merge->workers == 1) {
        return m;
    }
    uint32_t unit = intern(merge, key);
    keep_share(merge, worker, unit, window, asof_ms, m);
    cm_measures_free(m);
    return sum_shares(merge, unit, window, asof_ms);
}

/* ---- a round */

static void emit_alone(const struct cm_frame *frame, cm_merge_fn emit, void *context)
{
    for (uint32_t i = 0; i < frame->rows_count; i++) {
        const struct cm_frame_row *row = &frame->rows[i];
        if (!row->is_history) {
            emit(context, &row->key, row->unit, row->window, row->asof_ms, &row->m);
        }
    }
}

/* Our number of a row's unit. */
static uint32_t unit_of(struct cm_merge *merge, uint32_t worker, const struct cm_frame_row *row)
{
    struct numbers *numbers = &merge->numbers[worker];
    if (row->unit >= numbers->cap) {
        uint32_t cap = numbers->cap == 0 ? 1024 : numbers->cap;
        while (cap <= row->unit) {
            cap *= 2;
        }
        numbers->at = cm_realloc(numbers->at, cap, sizeof(*numbers->at));
        memset(numbers->at + numbers->cap, 0, (cap - numbers->cap) * sizeof(*numbers->at));
        numbers->cap = cap;
    }
    if (numbers->at[row->unit] == 0) {
        numbers->at[row->unit] = intern(merge, &row->key) + 1;
    }
    return numbers->at[row->unit] - 1;
}

static void note_row(struct cm_merge *merge, uint32_t worker, struct cm_frame_row *row)
{
    uint32_t unit = unit_of(merge, worker, row);
    keep_share(merge, worker, unit, row->window, row->asof_ms, &row->m);
    if (merge->bits[unit] == 0) {
        cm_unit_order_add(&merge->changed, unit, 0);
    }
    merge->bits[unit] = (uint16_t)(merge->bits[unit] | 1u << row->window);
    merge->asof_ms[row->window] = row->asof_ms;
}

void cm_merge_rows(struct cm_merge *merge, struct cm_frame *const *frames, cm_merge_fn emit,
                   void *context)
{
    if (merge->workers == 1) {
        emit_alone(frames[0], emit, context);
        return;
    }
    merge->changed.count = 0;
    for (uint32_t w = 0; w < merge->workers; w++) {
        for (uint32_t i = 0; i < frames[w]->rows_count; i++) {
            if (!frames[w]->rows[i].is_history) {
                note_row(merge, w, &frames[w]->rows[i]);
            }
        }
    }
    cm_unit_order_sort(&merge->changed);
    for (uint32_t i = 0; i < merge->changed.count; i++) {
        uint32_t unit = merge->changed.items[i].unit;
        for (uint32_t bits = merge->bits[unit]; bits != 0; bits &= bits - 1) {
            uint32_t window = (uint32_t)__builtin_ctz(bits);
            emit(context, cm_units_key(merge->units, unit), unit, window, merge->asof_ms[window],
                 sum_shares(merge, unit, window, merge->asof_ms[window]));
        }
        merge->bits[unit] = 0;
    }
}

static int compare_closed(const void *a, const void *b)
{
    const struct cm_frame_row *x = *(const struct cm_frame_row *const *)a;
    const struct cm_frame_row *y = *(const struct cm_frame_row *const *)b;
    if (x->window != y->window) {
        return x->window < y->window ? -1 : 1;
    }
    if (x->asof_ms != y->asof_ms) {
        return x->asof_ms < y->asof_ms ? -1 : 1;
    }
    return cm_unit_key_cmp(&x->key, &y->key);
}

void cm_merge_history(struct cm_frame *const *frames, uint32_t count, cm_merge_fn emit,
                      void *context)
{
    size_t rows = 0;
    size_t closed_count = 0;
    for (uint32_t w = 0; w < count; w++) {
        rows += frames[w]->rows_count;
    }
    const struct cm_frame_row **closed = cm_alloc(rows + 1, sizeof(*closed));
    for (uint32_t w = 0; w < count; w++) {
        for (uint32_t i = 0; i < frames[w]->rows_count; i++) {
            if (frames[w]->rows[i].is_history) {
                closed[closed_count++] = &frames[w]->rows[i];
            }
        }
    }
    qsort(closed, closed_count, sizeof(*closed), compare_closed);
    for (size_t first = 0, end; first < closed_count; first = end) {
        struct cm_measures sum = {.busy_ms = 0};
        for (end = first; end < closed_count && compare_closed(&closed[first], &closed[end]) == 0;
             end++) {
            add_share(&sum, &closed[end]->m);
        }
        if (!cm_measures_are_empty(&sum)) {
            emit(context, &closed[first]->key, CM_UNIT_NONE, closed[first]->window,
                 closed[first]->asof_ms, &sum);
        }
        cm_measures_free(&sum);
    }
    free(closed);
}
