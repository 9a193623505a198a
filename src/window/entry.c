// SPDX-License-Identifier: Apache-2.0
#include "window/entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"

#define CHUNK_BYTES 65536u
#define BINS_TRIED  8u

/* What fills whole vectors, and the few that are left over (see tally.c). */
#define COUNT_WHOLE (CM_TALLY_COUNT_N / 4 * 4)
#define SUM_WHOLE   (CM_TALLY_SUM_N / 4 * 4)

_Static_assert(sizeof(struct cm_more) == 16, "there are several of them an entry");
_Static_assert(CM_HIST_BINS <= CM_MORE_CHECKS, "keys of bins and of names are apart");
_Static_assert(sizeof(struct cm_entry) <= 88, "an entry is meant to stay compact");

/* ---- the pool */

struct cm_pool_chunk {
    struct cm_pool_chunk *next;
    size_t used; /* of the bytes behind this */
};

void cm_entry_pool_free(struct cm_entry_pool *pool)
{
    while (pool->chunks != NULL) {
        struct cm_pool_chunk *next = pool->chunks->next;
        free(pool->chunks);
        pool->chunks = next;
    }
    *pool = (struct cm_entry_pool){.chunks = NULL};
}

/* Both sizes are multiples of 8. */
static void *from_chunk(struct cm_entry_pool *pool, size_t bytes)
{
    struct cm_pool_chunk *chunk = pool->chunks;
    if (chunk == NULL || chunk->used + bytes > CHUNK_BYTES - sizeof(*chunk)) {
        chunk = cm_realloc(NULL, CHUNK_BYTES, 1);
        *chunk = (struct cm_pool_chunk){.next = pool->chunks};
        pool->chunks = chunk;
        pool->bytes += CHUNK_BYTES;
    }
    void *at = (uint8_t *)(chunk + 1) + chunk->used;
    chunk->used += bytes;
    return at;
}

struct cm_entry *cm_entry_new(struct cm_entry_pool *pool)
{
    struct cm_entry *entry = pool->free_entries;
    if (entry == NULL) {
        entry = from_chunk(pool, sizeof(*entry));
    } else {
        pool->free_entries = (void *)entry->more;
        __builtin_prefetch(pool->free_entries, 1);
    }
    memset(entry, 0, sizeof(*entry));
    return entry;
}

static struct cm_more *more_new(struct cm_entry_pool *pool)
{
    struct cm_more *more = pool->free_more;
    if (more == NULL) {
        return from_chunk(pool, sizeof(*more));
    }
    pool->free_more = more->next;
    __builtin_prefetch(pool->free_more, 1);
    return more;
}

void cm_entry_release(struct cm_entry_pool *pool, struct cm_entry *entry)
{
    while (entry->more != NULL) {
        struct cm_more *next = entry->more->next;
        entry->more->next = pool->free_more;
        pool->free_more = entry->more;
        entry->more = next;
    }
    entry->more = (void *)pool->free_entries;
    pool->free_entries = entry;
}

/* ---- legs */

bool cm_entry_fits(const struct cm_entry *entry, const struct cm_leg *leg)
{
    uint32_t over = 0;
    for (unsigned i = 0; i < CM_TALLY_COUNT_N; i++) {
        over |= ((uint32_t)entry->count[i] + leg->count[i]) >> 16;
    }
    uint64_t over_sum = 0;
    for (unsigned i = 0; i < CM_TALLY_SUM_N; i++) {
        over_sum |= ((uint64_t)entry->sum[i] + leg->sum[i]) >> 32;
    }
    return over == 0 && over_sum == 0;
}

/* Adds 1 (and `passed`, 0 or 1) to a key: verdicts stand in front of bins. Of bins only the first
 * few are looked at: a centre has hundreds in a pane, and one that comes again costs less than the
 * search for it. */
static void more_add(struct cm_entry_pool *pool, struct cm_entry *entry, uint32_t key,
                     uint32_t passed)
{
    struct cm_more **link = &entry->more;
    bool is_bin = key < CM_MORE_CHECKS;
    while (is_bin && *link != NULL && (*link)->key >= CM_MORE_CHECKS) {
        link = &(*link)->next;
    }
    struct cm_more *more = *link;
    for (uint32_t i = 0; more != NULL && (is_bin ? i < BINS_TRIED : more->key >= CM_MORE_CHECKS);
         i++, more = more->next) {
        if (more->key == key && more->count < UINT16_MAX) {
            more->count++;
            more->passed = (uint16_t)(more->passed + passed);
            return;
        }
    }
    struct cm_more *fresh = more_new(pool);
    *fresh = (struct cm_more){*link, (uint16_t)key, 1, (uint16_t)passed};
    *link = fresh;
}

static void more_subtract(struct cm_entry *entry, uint32_t key, uint32_t passed)
{
    struct cm_more *more = entry->more;
    while (more != NULL &&
           (more->key != key || (passed > 0 ? more->passed == 0 : more->count == more->passed))) {
        more = more->next;
    }
    CM_ASSERT(more != NULL); /* it was added */
    more->count--;
    more->passed = (uint16_t)(more->passed - passed);
}

static void bin_add(struct cm_entry_pool *pool, struct cm_entry *entry, uint16_t bin)
{
    if (entry->bin_count == 0 || entry->bin == bin) {
        entry->bin = bin;
        entry->bin_count++; /* at most 65,535: cm_entry_fits() bounds the answered legs of an entry
                             */
        return;
    }
    more_add(pool, entry, bin, 0);
}

static void bin_subtract(struct cm_entry *entry, uint16_t bin)
{
    if (entry->bin == bin && entry->bin_count > 0) {
        entry->bin_count--;
        return;
    }
    more_subtract(entry, bin, 0);
}

void cm_entry_add_leg(struct cm_entry_pool *pool, struct cm_entry *entry, const struct cm_leg *leg)
{
    for (unsigned i = 0; i < CM_TALLY_COUNT_N; i++) {
        entry->count[i] = (uint16_t)(entry->count[i] + leg->count[i]);
    }
    for (unsigned i = 0; i < CM_TALLY_SUM_N; i++) {
        entry->sum[i] += leg->sum[i];
    }
    entry->wait_max_ms =
        leg->wait_max_ms > entry->wait_max_ms ? leg->wait_max_ms : entry->wait_max_ms;
    entry->handle_max_ms =
        leg->handle_max_ms > entry->handle_max_ms ? leg->handle_max_ms : entry->handle_max_ms;
    if (leg->handle_bin != CM_LEG_NO_BIN) {
        bin_add(pool, entry, leg->handle_bin);
    }
    for (uint32_t i = 0; i < leg->checks_count; i++) {
        const struct cm_leg_check *check = &leg->checks[i];
        more_add(pool, entry, CM_MORE_CHECKS + check->name, check->passed);
    }
}

bool cm_entry_subtract_leg(struct cm_entry *entry, const struct cm_leg *leg)
{
    uint32_t legs = 0;
    for (unsigned i = 0; i < CM_TALLY_COUNT_N; i++) {
        CM_ASSERT(entry->count[i] >= leg->count[i]);
        entry->count[i] = (uint16_t)(entry->count[i] - leg->count[i]);
        legs |= entry->count[i];
    }
    for (unsigned i = 0; i < CM_TALLY_SUM_N; i++) {
        CM_ASSERT(entry->sum[i] >= leg->sum[i]);
        entry->sum[i] -= leg->sum[i];
    }
    if (leg->handle_bin != CM_LEG_NO_BIN) {
        bin_subtract(entry, leg->handle_bin);
    }
    for (uint32_t i = 0; i < leg->checks_count; i++) {
        const struct cm_leg_check *check = &leg->checks[i];
        more_subtract(entry, CM_MORE_CHECKS + check->name, check->passed);
    }
    if (legs == 0) {
        entry->wait_max_ms = 0;
        entry->handle_max_ms = 0;
        return true;
    }
    return (leg->wait_max_ms == 0 || leg->wait_max_ms < entry->wait_max_ms) &&
           (leg->handle_max_ms == 0 || leg->handle_max_ms < entry->handle_max_ms);
}

static const struct cm_more *more_find(const struct cm_entry *entry, uint32_t key)
{
    const struct cm_more *more = entry->more;
    while (more != NULL && more->key != key) {
        more = more->next;
    }
    return more;
}

/* Whether the entry has just the verdicts of that leg. A name may come twice in a leg, as the one
 * for all that are too many. */
static bool has_checks(const struct cm_entry *entry, const struct cm_leg *leg)
{
    uint32_t count = 0;
    for (const struct cm_more *more = entry->more; more != NULL; more = more->next) {
        count += more->key >= CM_MORE_CHECKS ? more->count : 0;
    }
    bool equal = count == leg->checks_count;
    for (uint32_t i = 0; equal && i < leg->checks_count; i++) {
        const struct cm_more *more = more_find(entry, CM_MORE_CHECKS + leg->checks[i].name);
        uint32_t evaluated = 0;
        uint32_t passed = 0;
        for (uint32_t k = 0; k < leg->checks_count; k++) {
            bool same = leg->checks[k].name == leg->checks[i].name;
            evaluated += same;
            passed += same && leg->checks[k].passed;
        }
        equal = more != NULL && more->count == evaluated && more->passed == passed;
    }
    return equal;
}

bool cm_entry_is_leg(const struct cm_entry *entry, const struct cm_leg *leg)
{
    bool equal = has_checks(entry, leg);
    for (unsigned i = 0; i < CM_TALLY_COUNT_N; i++) {
        equal = equal && entry->count[i] == leg->count[i];
    }
    for (unsigned i = 0; i < CM_TALLY_SUM_N; i++) {
        equal = equal && entry->sum[i] == leg->sum[i];
    }
    return equal;
}

/* ---- running sums */

static void add_tally(const struct cm_entry *restrict entry, struct cm_tally *restrict into)
{
    for (unsigned i = 0; i < COUNT_WHOLE; i++) {
        into->count[i] += entry->count[i];
    }
    for (unsigned i = COUNT_WHOLE; i < CM_TALLY_COUNT_N; i++) {
        into->count[i] += entry->count[i];
    }
    for (unsigned i = 0; i < SUM_WHOLE; i++) {
        into->sum[i] += entry->sum[i];
    }
    for (unsigned i = SUM_WHOLE; i < CM_TALLY_SUM_N; i++) {
        into->sum[i] += entry->sum[i];
    }
    into->wait_max_ms =
        entry->wait_max_ms > into->wait_max_ms ? entry->wait_max_ms : into->wait_max_ms;
    into->handle_max_ms =
        entry->handle_max_ms > into->handle_max_ms ? entry->handle_max_ms : into->handle_max_ms;
}

static void subtract_tally(const struct cm_entry *restrict entry, struct cm_tally *restrict into)
{
    for (unsigned i = 0; i < COUNT_WHOLE; i++) {
        into->count[i] -= entry->count[i];
    }
    for (unsigned i = COUNT_WHOLE; i < CM_TALLY_COUNT_N; i++) {
        into->count[i] -= entry->count[i];
    }
    for (unsigned i = 0; i < SUM_WHOLE; i++) {
        into->sum[i] -= entry->sum[i];
    }
    for (unsigned i = SUM_WHOLE; i < CM_TALLY_SUM_N; i++) {
        into->sum[i] -= entry->sum[i];
    }
}

void cm_entry_add_to(const struct cm_entry *entry, struct cm_tally *into, struct cm_hist *hist,
                     struct cm_check_sums *checks)
{
    add_tally(entry, into);
    if (entry->bin_count > 0) {
        cm_hist_add(hist, entry->bin, entry->bin_count);
    }
    for (const struct cm_more *more = entry->more; more != NULL; more = more->next) {
        if (more->count == 0) {
            continue; /* taken back */
        }
        if (more->key >= CM_MORE_CHECKS) {
            cm_check_sums_add(checks, more->key - CM_MORE_CHECKS, more->count, more->passed);
        } else {
            cm_hist_add(hist, more->key, more->count);
        }
    }
}

void cm_entry_add_to_sum(const struct cm_entry *entry, struct cm_tally *into,
                         struct cm_hist_sum *hist, struct cm_check_sums *checks)
{
    add_tally(entry, into);
    cm_hist_sum_add(hist, entry->bin, entry->bin_count);
    for (const struct cm_more *more = entry->more; more != NULL; more = more->next) {
        if (more->key < CM_MORE_CHECKS) {
            cm_hist_sum_add(hist, more->key, more->count);
        } else if (more->count > 0) {
            cm_check_sums_add(checks, more->key - CM_MORE_CHECKS, more->count, more->passed);
        }
    }
}

void cm_entry_subtract_from(const struct cm_entry *entry, struct cm_tally *into,
                            struct cm_hist *hist, struct cm_check_sums *checks)
{
    subtract_tally(entry, into);
    if (entry->bin_count > 0) {
        cm_hist_sub(hist, entry->bin, entry->bin_count);
    }
    for (const struct cm_more *more = entry->more; more != NULL; more = more->next) {
        if (more->count == 0) {
            continue;
        }
        if (more->key >= CM_MORE_CHECKS) {
            cm_check_sums_subtract(checks, more->key - CM_MORE_CHECKS, more->count, more->passed);
        } else {
            cm_hist_sub(hist, more->key, more->count);
        }
    }
}
