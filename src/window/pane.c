// SPDX-License-Identifier: Apache-2.0
#include "window/pane.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"

#define TABLE_MIN   1024u
#define CHUNK_FIRST 8u
#define CHUNK_MOST  128u
#define MORE_FIRST  4u
#define MORE_MOST   512u
#define BINS_TRIED  8u

struct cm_panes {
    int64_t pane_ms;
    int64_t floor_no;
    struct cm_pane *oldest, *newest;
    struct cm_pane *recent; /* the pane found last */
    struct cm_pane **table; /* table_size, a power of two */
    uint32_t table_size;
    uint32_t count;
    uint64_t entries;
    size_t bytes;
};

_Static_assert(sizeof(struct cm_more) == 16, "there are several of them an entry");
_Static_assert(CM_HIST_BINS <= CM_MORE_CHECKS, "keys of bins and of names are apart");
_Static_assert(sizeof(struct cm_entry) <= 112, "an entry is meant to stay compact");

struct cm_panes *cm_panes_create(int64_t pane_ms)
{
    struct cm_panes *panes = cm_alloc(1, sizeof(*panes));
    panes->pane_ms = pane_ms;
    panes->floor_no = INT64_MIN;
    panes->table_size = TABLE_MIN;
    panes->table = cm_alloc(panes->table_size, sizeof(struct cm_pane *));
    return panes;
}

static void pane_free(struct cm_panes *panes, struct cm_pane *pane)
{
    struct cm_entry_chunk *chunk = pane->chunks;
    while (chunk != NULL) {
        struct cm_entry_chunk *next = chunk->next;
        for (uint32_t i = 0; i < chunk->used; i++) { /* chains end where panes are given back */
            if (chunk->at[i].after != NULL) {
                chunk->at[i].after->before = NULL;
            }
        }
        panes->entries -= chunk->used;
        panes->bytes -= sizeof(*chunk) + chunk->cap * sizeof(struct cm_entry);
        free(chunk);
        chunk = next;
    }
    while (pane->more != NULL) {
        struct cm_more_chunk *next = pane->more->next;
        panes->bytes -= sizeof(*next) + pane->more->cap * sizeof(struct cm_more);
        free(pane->more);
        pane->more = next;
    }
    panes->bytes -= sizeof(*pane);
    panes->count--;
    free(pane);
}

void cm_panes_destroy(struct cm_panes *panes)
{
    if (panes == NULL) {
        return;
    }
    cm_panes_drop(panes, INT64_MAX);
    free(panes->table);
    free(panes);
}

int64_t cm_panes_ms(const struct cm_panes *panes)
{
    return panes->pane_ms;
}

struct cm_pane *cm_panes_oldest(const struct cm_panes *panes)
{
    return panes->oldest;
}

struct cm_pane *cm_panes_newest(const struct cm_panes *panes)
{
    return panes->newest;
}

int64_t cm_panes_floor(const struct cm_panes *panes)
{
    return panes->floor_no;
}

uint64_t cm_panes_entries(const struct cm_panes *panes)
{
    return panes->entries;
}

size_t cm_panes_bytes(const struct cm_panes *panes)
{
    return panes->bytes + panes->table_size * sizeof(struct cm_pane *);
}

static struct cm_pane **bucket(const struct cm_panes *panes, int64_t no)
{
    uint64_t mixed = (uint64_t)no * UINT64_C(0x9e3779b97f4a7c15);
    return &panes->table[(mixed >> 32) & (panes->table_size - 1)];
}

static void table_grow(struct cm_panes *panes)
{
    struct cm_pane **old = panes->table;
    panes->table_size *= 2;
    panes->table = cm_alloc(panes->table_size, sizeof(struct cm_pane *));
    free(old);
    for (struct cm_pane *pane = panes->oldest; pane != NULL; pane = pane->newer) {
        struct cm_pane **head = bucket(panes, pane->no);
        pane->hash_next = *head;
        *head = pane;
    }
}

struct cm_pane *cm_panes_find(struct cm_panes *panes, int64_t no)
{
    if (panes->recent != NULL && panes->recent->no == no) {
        return panes->recent;
    }
    for (struct cm_pane *pane = *bucket(panes, no); pane != NULL; pane = pane->hash_next) {
        if (pane->no == no) {
            panes->recent = pane;
            return pane;
        }
    }
    return NULL;
}

static struct cm_pane *pane_insert(struct cm_panes *panes, int64_t no)
{
    struct cm_pane *pane = cm_alloc(1, sizeof(*pane));
    pane->no = no;
    pane->journal_newest = UINT64_MAX;
    pane->first_seen_ms = INT64_MIN;

    struct cm_pane *after = panes->newest; /* the one that it follows */
    if (panes->recent != NULL && panes->newest->no - no > llabs(panes->recent->no - no)) {
        after = panes->recent;
        while (after->newer != NULL && after->newer->no < no) {
            after = after->newer;
        }
    }
    while (after != NULL && after->no > no) {
        after = after->older;
    }
    pane->older = after;
    pane->newer = after == NULL ? panes->oldest : after->newer;
    *(pane->older == NULL ? &panes->oldest : &pane->older->newer) = pane;
    *(pane->newer == NULL ? &panes->newest : &pane->newer->older) = pane;

    panes->count++;
    panes->bytes += sizeof(*pane);
    struct cm_pane **head = bucket(panes, no);
    pane->hash_next = *head;
    *head = pane;
    if (panes->count > panes->table_size) {
        table_grow(panes);
    }
    panes->recent = pane;
    return pane;
}

struct cm_pane *cm_panes_get(struct cm_panes *panes, int64_t no)
{
    CM_ASSERT(no >= panes->floor_no);
    struct cm_pane *pane = cm_panes_find(panes, no);
    return pane != NULL ? pane : pane_insert(panes, no);
}

void cm_panes_drop(struct cm_panes *panes, int64_t floor_no)
{
    if (floor_no <= panes->floor_no) {
        return;
    }
    panes->floor_no = floor_no;
    while (panes->oldest != NULL && panes->oldest->no < floor_no) {
        struct cm_pane *pane = panes->oldest;
        struct cm_pane **link = bucket(panes, pane->no);
        while (*link != pane) {
            link = &(*link)->hash_next;
        }
        *link = pane->hash_next;
        panes->oldest = pane->newer;
        *(pane->newer == NULL ? &panes->newest : &pane->newer->older) = NULL;
        if (panes->recent == pane) {
            panes->recent = NULL;
        }
        pane_free(panes, pane);
    }
}

static struct cm_entry *entry_new(struct cm_panes *panes, struct cm_pane *pane, uint32_t unit)
{
    struct cm_entry_chunk *chunk = pane->last;
    if (chunk == NULL || chunk->used == chunk->cap) {
        uint32_t cap = chunk == NULL ? CHUNK_FIRST : chunk->cap * 2;
        cap = cap > CHUNK_MOST ? CHUNK_MOST : cap;
        struct cm_entry_chunk *fresh = cm_alloc(1, sizeof(*fresh) + cap * sizeof(struct cm_entry));
        fresh->cap = cap;
        panes->bytes += sizeof(*fresh) + cap * sizeof(struct cm_entry);
        *(chunk == NULL ? &pane->chunks : &chunk->next) = fresh;
        pane->last = fresh;
        chunk = fresh;
    }
    struct cm_entry *entry = &chunk->at[chunk->used++];
    entry->unit = unit;
    entry->no = (uint32_t)(uint64_t)pane->no;
    entry->no_high = (uint16_t)((uint64_t)pane->no >> 32);
    panes->entries++;
    return entry;
}

/* The unit's newest entry in that pane or an older one; NULL when there is none. */
static struct cm_entry *chain_seek(const struct cm_panes *panes, struct cm_chain *chain, int64_t no)
{
    struct cm_entry *entry = chain->newest;
    if (entry == NULL || chain->newest_no < panes->floor_no) {
        return NULL; /* everything that the unit had is gone */
    }
    if (chain->newest_no <= no) {
        return entry;
    }
    if (chain->finger != NULL && chain->finger_no >= panes->floor_no &&
        llabs(chain->finger_no - no) < chain->newest_no - no) {
        entry = chain->finger;
        while (entry->after != NULL && cm_entry_no(entry->after) <= no) {
            entry = entry->after;
        }
    }
    while (entry != NULL && cm_entry_no(entry) > no) {
        entry = entry->before;
    }
    if (entry != NULL) {
        chain->finger = entry;
        chain->finger_no = cm_entry_no(entry);
    }
    return entry;
}

/* Puts the entry at its place in time: in front of those of its own pane, behind those of newer
 * ones. */
static void chain_insert(const struct cm_panes *panes, struct cm_chain *chain,
                         struct cm_entry *entry, int64_t no)
{
    struct cm_entry *older = chain_seek(panes, chain, no);
    bool alive = chain->newest != NULL && chain->newest_no >= panes->floor_no;
    struct cm_entry *newer = NULL;

    if (older != NULL) {
        newer = older->after;
        older->after = entry;
    } else if (alive) { /* all that there is is newer: find the oldest */
        bool near = chain->finger != NULL && chain->finger_no >= panes->floor_no;
        newer = near ? chain->finger : chain->newest;
        while (newer->before != NULL) {
            newer = newer->before;
        }
    }
    entry->before = older;
    entry->after = newer;
    if (newer == NULL) {
        chain->newest = entry;
        chain->newest_no = no;
    } else {
        newer->before = entry;
        chain->finger = entry;
        chain->finger_no = no;
    }
}

/* The unit's newest entry in that pane, NULL when it has none there. */
static struct cm_entry *chain_find(const struct cm_panes *panes, struct cm_chain *chain, int64_t no)
{
    struct cm_entry *entry = chain_seek(panes, chain, no);
    return entry != NULL && cm_entry_no(entry) == no ? entry : NULL;
}

static bool fits(const struct cm_entry *entry, const struct cm_leg *leg)
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

static struct cm_more *more_new(struct cm_panes *panes, struct cm_pane *pane)
{
    struct cm_more_chunk *chunk = pane->more;
    if (chunk == NULL || chunk->used == chunk->cap) {
        uint32_t cap = chunk == NULL ? MORE_FIRST : chunk->cap * 2;
        cap = cap > MORE_MOST ? MORE_MOST : cap;
        struct cm_more_chunk *fresh = cm_alloc(1, sizeof(*fresh) + cap * sizeof(struct cm_more));
        *fresh = (struct cm_more_chunk){.next = chunk, .cap = cap};
        panes->bytes += sizeof(*fresh) + cap * sizeof(struct cm_more);
        pane->more = chunk = fresh;
    }
    return &chunk->at[chunk->used++];
}

/* Adds 1 (and `passed`, 0 or 1) to a key: verdicts stand in front of bins. Of bins only the first
 * few are looked at: a centre has hundreds in a pane, and one that comes again costs less than the
 * search for it. */
static void more_add(struct cm_panes *panes, struct cm_pane *pane, struct cm_entry *entry,
                     uint32_t key, uint32_t passed)
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
    struct cm_more *fresh = more_new(panes, pane);
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

static void bin_add(struct cm_panes *panes, struct cm_pane *pane, struct cm_entry *entry,
                    uint16_t bin)
{
    if (entry->bin_count == 0 || entry->bin == bin) {
        entry->bin = bin;
        entry->bin_count++; /* at most 65,535: fits() bounds the answered legs of an entry */
        return;
    }
    more_add(panes, pane, entry, bin, 0);
}

static void bin_subtract(struct cm_entry *entry, uint16_t bin)
{
    if (entry->bin == bin && entry->bin_count > 0) {
        entry->bin_count--;
        return;
    }
    more_subtract(entry, bin, 0);
}

/* How many entries of the unit in that pane are older than this one; CM_ENTRY_ALONE for so many or
 * more. */
static uint8_t ordinal_of(const struct cm_entry *entry, int64_t no)
{
    uint8_t ordinal = 0;
    int64_t at_no = no;
    while ((entry = cm_entry_before(entry, &at_no)) != NULL && at_no == no &&
           ordinal < CM_ENTRY_ALONE) {
        ordinal++;
    }
    return ordinal;
}

uint8_t cm_panes_add(struct cm_panes *panes, struct cm_pane *pane, struct cm_chain *chain,
                     uint32_t unit, const struct cm_leg *leg, bool alone)
{
    struct cm_entry *entry = alone ? NULL : chain_find(panes, chain, pane->no);
    uint8_t ordinal = alone ? CM_ENTRY_ALONE : 0;
    bool fresh = entry == NULL;
    if (entry != NULL) {
        ordinal = ordinal_of(entry, pane->no);
        fresh = ordinal == CM_ENTRY_ALONE || !fits(entry, leg);
        ordinal = (uint8_t)(ordinal + (fresh && ordinal < CM_ENTRY_ALONE));
    }
    if (fresh) {
        entry = entry_new(panes, pane, unit);
        chain_insert(panes, chain, entry, pane->no);
    }
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
        bin_add(panes, pane, entry, leg->handle_bin);
    }
    for (uint32_t i = 0; i < leg->checks_count; i++) {
        const struct cm_leg_check *check = &leg->checks[i];
        more_add(panes, pane, entry, CM_MORE_CHECKS + check->name, check->passed);
    }
    return ordinal;
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

/* Whether the entry is just that leg: equal counts and sums have the same bin and maxima, too. */
static bool is_leg(const struct cm_entry *entry, const struct cm_leg *leg)
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

/* The unit's entry in that pane with that ordinal. Entries of one leg stand in front of all shared
 * ones, and of two that are equal either will do. */
static struct cm_entry *entry_of(const struct cm_panes *panes, const struct cm_pane *pane,
                                 struct cm_chain *chain, const struct cm_leg *leg, uint8_t ordinal)
{
    struct cm_entry *newest = chain_find(panes, chain, pane->no);
    struct cm_entry *entry = newest;
    int64_t no = pane->no;
    uint32_t newer = 0; /* entries of the pane in front of the one wanted */
    for (; ordinal != CM_ENTRY_ALONE && entry != NULL && no == pane->no; newer++) {
        entry = cm_entry_before(entry, &no);
    }
    CM_ASSERT(ordinal == CM_ENTRY_ALONE || newer > ordinal);
    newer -= ordinal == CM_ENTRY_ALONE ? 0 : ordinal + 1u;

    entry = newest;
    no = pane->no;
    while (entry != NULL && no == pane->no &&
           (ordinal == CM_ENTRY_ALONE ? !is_leg(entry, leg) : newer-- > 0)) {
        entry = cm_entry_before(entry, &no);
    }
    return no == pane->no ? entry : NULL;
}

bool cm_panes_subtract(struct cm_panes *panes, struct cm_pane *pane, struct cm_chain *chain,
                       const struct cm_leg *leg, uint8_t ordinal, struct cm_entry **out)
{
    struct cm_entry *entry = entry_of(panes, pane, chain, leg, ordinal);
    CM_ASSERT(entry != NULL);
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
    *out = entry;
    if (legs == 0) {
        entry->wait_max_ms = 0;
        entry->handle_max_ms = 0;
        return true;
    }
    return (leg->wait_max_ms == 0 || leg->wait_max_ms < entry->wait_max_ms) &&
           (leg->handle_max_ms == 0 || leg->handle_max_ms < entry->handle_max_ms);
}
