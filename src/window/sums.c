// SPDX-License-Identifier: Apache-2.0
#include "window/sums.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/memory.h"
#include "event/unit.h"
#include "window/sums_state.h"

#define NAME_SLOTS  ((size_t)2 * CM_SUM_NAMES_MAX)
#define SWEEP_UNITS 16u /* looked at by each trimming */

struct cm_sums *cm_sums_create(int64_t pane_ms, cm_sums_changed_fn changed, void *context)
{
    struct cm_sums *s = cm_alloc(1, sizeof(*s));
    s->pane_ms = pane_ms;
    s->changed = changed;
    s->context = context;
    s->floor_no = INT64_MIN;
    s->most_asof_no = INT64_MIN;
    return s;
}

void cm_sums_destroy(struct cm_sums *s)
{
    if (s == NULL) {
        return;
    }
    for (uint32_t i = 0; i < s->cells_count; i++) {
        free(s->cells[i].at);
    }
    for (uint32_t i = 0; i < s->units_cap; i++) {
        free(s->units[i].at);
        free(s->units[i].places);
        free(s->units[i].items);
        free(s->units[i].late);
    }
    for (uint32_t i = 0; i < s->count; i++) {
        free(s->panes[s->first + i].units);
    }
    for (uint32_t i = 0; i < s->names_count; i++) {
        free((void *)(uintptr_t)s->names[i].text.p);
    }
    free(s->cells);
    free(s->running);
    free(s->units);
    free(s->panes);
    free(s->names);
    free(s->name_slots);
    free(s->name_order);
    free(s);
}

uint32_t cm_sums_add_span(struct cm_sums *s, bool is_period, uint32_t kinds)
{
    CM_ASSERT(s->spans_count < CM_SUM_SPANS_MAX && s->cells_count == 0);
    s->spans[s->spans_count] = (struct span){
        .is_period = is_period, .kinds = kinds, .left_no = INT64_MIN, .asof_no = INT64_MIN};
    return s->spans_count++;
}

void cm_sums_tell_left(struct cm_sums *s, uint32_t span)
{
    CM_ASSERT(!s->spans[span].is_period);
    s->spans[span].tells_left = true;
}

/* ---- names of checks */

static inline bool is_name(const struct name *at, struct cm_str name)
{
    if (at->text.len != name.len) {
        return false;
    }
    if (CM_UNLIKELY(name.len > CM_WORDS_BYTES)) {
        return memcmp(at->text.p, name.p, name.len) == 0;
    }
    return cm_words_are(at->words, name.p, name.len);
}

/* The slot of that name, or the free one where it belongs. */
static size_t name_slot(const struct cm_sums *s, struct cm_str name)
{
    size_t slot = cm_hash64(name.p, name.len) % NAME_SLOTS;
    for (; s->name_slots[slot] != 0; slot = (slot + 1) % NAME_SLOTS) {
        if (is_name(&s->names[s->name_slots[slot] - 1u], name)) {
            break;
        }
    }
    return slot;
}

/* The newest name comes where it belongs among the others. */
static void order_name(struct cm_sums *s)
{
    uint32_t name = s->names_count - 1;
    uint32_t to = name;
    struct cm_str text = cm_sums_name(s, CM_SUM_NAMES + name);
    for (; to > 0; to--) {
        uint16_t before = s->name_order[to - 1];
        if (cm_str_cmp(cm_sums_name(s, CM_SUM_NAMES + before), text) < 0) {
            break;
        }
        s->name_order[to] = before;
    }
    s->name_order[to] = (uint16_t)name;
}

static void add_name(struct cm_sums *s, struct cm_str name)
{
    struct cm_words words = {0, 0};
    if (name.len <= CM_WORDS_BYTES) {
        words = cm_words_of(name.p, name.len);
    }
    struct cm_str text = {cm_strndup(name.p, name.len), name.len};
    s->names[s->names_count++] = (struct name){text, words, 0};
    order_name(s);
}

/* A name that does not come where it came last. */
static CM_NOINLINE uint32_t find_name(struct cm_sums *s, struct cm_str name)
{
    if (s->name_slots == NULL) {
        s->name_slots = cm_alloc(NAME_SLOTS, sizeof(*s->name_slots));
        s->names = cm_alloc(CM_SUM_NAMES_MAX, sizeof(*s->names));
        s->name_order = cm_alloc(CM_SUM_NAMES_MAX, sizeof(*s->name_order));
    }
    size_t slot = name_slot(s, name);
    if (s->name_slots[slot] == 0 && s->names_count + 1 >= CM_SUM_NAMES_MAX) {
        name = CM_STR("*");
        slot = name_slot(s, name);
    }
    if (s->name_slots[slot] == 0) {
        add_name(s, name);
        s->name_slots[slot] = (uint16_t)s->names_count;
    }
    uint32_t found = s->name_slots[slot] - 1u;
    s->names[s->last_name].after = found;
    s->last_name = found;
    return CM_SUM_NAMES + found;
}

uint32_t cm_sums_name_key(struct cm_sums *s, struct cm_str name)
{
    if (CM_LIKELY(s->names != NULL)) {
        uint32_t guess = s->names[s->last_name].after;
        if (CM_LIKELY(is_name(&s->names[guess], name))) {
            s->last_name = guess;
            return CM_SUM_NAMES + guess;
        }
    }
    return find_name(s, name);
}

struct cm_str cm_sums_name(const struct cm_sums *s, uint32_t key)
{
    return s->names[key - CM_SUM_NAMES].text;
}

const uint16_t *cm_sums_name_order(const struct cm_sums *s, uint32_t *count)
{
    *count = s->names_count;
    return s->name_order;
}

/* ---- cells */

/* Windows of few kinds stand behind those of all. */
static uint32_t spans_of(const struct cm_sums *s, uint32_t kind, uint32_t *used)
{
    uint32_t spans = 0;
    *used = 0;
    for (uint32_t i = 0; i < s->spans_count; i++) {
        if ((s->spans[i].kinds >> kind & 1u) != 0) {
            spans |= 1u << i;
            *used = i + 1;
        }
    }
    return spans;
}

/* Seats in a state that goes on. */
static inline bool is_on_key(uint32_t key)
{
    return key < CM_SUM_SOURCE && key != CM_SUM_STATE + CM_STATE_OFFLINE;
}

static uint32_t make_cell(struct cm_sums *s, uint32_t unit, uint32_t kind, uint32_t key)
{
    if (s->cells_count == s->cells_cap) {
        s->cells_cap = s->cells_cap == 0 ? 256 : 2 * s->cells_cap;
        s->cells = cm_realloc(s->cells, s->cells_cap, sizeof(*s->cells));
    }
    struct cell *cell = &s->cells[s->cells_count];
    *cell = (struct cell){.unit = unit};
    cell->is_on = is_on_key(key);
    cell->is_share = key == CM_SUM_STATE + CM_STATE_OFFLINE && kind != CM_KIND_SEAT;
    if (cell->is_on || cell->is_share) {
        if (s->running_count == s->running_cap) {
            s->running_cap = s->running_cap == 0 ? 256 : 2 * s->running_cap;
            s->running = cm_realloc(s->running, s->running_cap, sizeof(*s->running));
        }
        s->running[s->running_count++] = s->cells_count;
    }
    uint32_t used = 0;
    (void)spans_of(s, kind, &used);
    cell->at = cm_alloc((size_t)2 * used + 1, sizeof(*cell->at));
    s->bytes += sizeof(*cell) + (2 * used + 1) * sizeof(*cell->at);
    return s->cells_count++;
}

static struct unit_cells *cells_of(struct cm_sums *s, uint32_t unit, uint32_t kind)
{
    if (CM_UNLIKELY(unit >= s->units_cap)) {
        uint32_t cap = s->units_cap == 0 ? 256 : s->units_cap;
        while (cap <= unit) {
            cap *= 2;
        }
        s->units = cm_realloc(s->units, cap, sizeof(*s->units));
        memset(&s->units[s->units_cap], 0, (cap - s->units_cap) * sizeof(*s->units));
        s->units_cap = cap;
    }
    struct unit_cells *cells = &s->units[unit];
    if (CM_UNLIKELY(cells->spans == 0)) {
        uint32_t used = 0;
        cells->spans = spans_of(s, kind, &used);
        cells->noted_no = cells->furthest_no = INT64_MIN;
    }
    return cells;
}

static struct slot *slot_of(struct cm_sums *s, struct unit_cells *cells, uint32_t unit,
                            uint32_t kind, uint32_t key)
{
    if (CM_UNLIKELY(key >= cells->count)) {
        uint32_t count = key + 1;
        cells->at = cm_realloc(cells->at, count, sizeof(*cells->at));
        memset(&cells->at[cells->count], 0, (count - cells->count) * sizeof(*cells->at));
        s->bytes += (count - cells->count) * sizeof(*cells->at);
        cells->count = count;
    }
    struct slot *slot = &cells->at[key];
    if (CM_UNLIKELY(slot->cell == 0)) {
        *slot = (struct slot){make_cell(s, unit, kind, key) + 1, 0, INT64_MIN};
    }
    return slot;
}

/* ---- panes */

/* Index of the first pane with a number >= no. */
static uint32_t lower_bound(const struct cm_sums *s, int64_t no)
{
    uint32_t low = s->first;
    uint32_t high = s->first + s->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->panes[middle].no < no) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Makes room for one more behind the last one. */
static void room_for_pane(struct cm_sums *s)
{
    if (s->first + s->count < s->cap) {
        return;
    }
    if (s->first > s->cap / 2) {
        memmove(s->panes, &s->panes[s->first], s->count * sizeof(*s->panes));
        s->first = 0;
        return;
    }
    s->cap = s->cap == 0 ? 64 : 2 * s->cap;
    s->panes = cm_realloc(s->panes, s->cap, sizeof(*s->panes));
}

static struct pane *pane_of(struct cm_sums *s, int64_t no)
{
    uint32_t end = s->first + s->count;
    if (CM_LIKELY(s->count > 0 && s->panes[end - 1].no == no)) {
        return &s->panes[end - 1];
    }
    uint32_t at = lower_bound(s, no);
    if (at < end && s->panes[at].no == no) {
        return &s->panes[at];
    }
    at -= s->first;
    room_for_pane(s);
    at += s->first;
    end = s->first + s->count;
    memmove(&s->panes[at + 1], &s->panes[at], (end - at) * sizeof(*s->panes));
    s->panes[at] = (struct pane){.no = no};
    s->count++;
    return &s->panes[at];
}

static void note_unit(struct cm_sums *s, struct unit_cells *cells, uint32_t unit, int64_t no)
{
    if (cells->noted_no == no) {
        return;
    }
    struct pane *pane = pane_of(s, no);
    if (pane->count == pane->cap) {
        uint32_t cap = pane->cap == 0 ? 8 : 2 * pane->cap;
        pane->units = cm_realloc(pane->units, cap, sizeof(*pane->units));
        s->bytes += (cap - pane->cap) * sizeof(*pane->units);
        pane->cap = cap;
    }
    pane->units[pane->count++] = unit;
    cells->noted_no = no;
}

/* Tells which windows change, now or when they pass the pane. */
static void tell(struct cm_sums *s, struct unit_cells *cells, uint32_t unit, uint32_t kind,
                 uint32_t key, int64_t no, struct cm_sum sum)
{
    uint32_t behind = no < s->most_asof_no ? cells->spans : 0;
    bool is_on = is_on_key(key);
    for (uint32_t bits = behind; bits != 0; bits &= bits - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);
        struct span *span = &s->spans[i];
        if (CM_LIKELY(no >= span->asof_no)) {
            continue;
        }
        span->on[0] += is_on ? sum.a : 0;
        span->on[1] += is_on && no < span->left_no ? sum.a : 0;
        /* A state goes on into the window. */
        if (no >= span->left_no || key < CM_SUM_SOURCE || span->tells_left) {
            s->changed(s->context, i, unit);
        }
    }
    if (CM_LIKELY(no >= s->floor_no)) {
        note_unit(s, cells, unit, no);
        if (is_on) {
            pane_of(s, no)->on[kind] += sum.a;
        }
    }
}

void cm_sums_add(struct cm_sums *s, uint32_t unit, uint32_t kind, uint32_t key, int64_t ts_ms,
                 struct cm_sum sum)
{
    int64_t no = ts_ms / s->pane_ms - (ts_ms % s->pane_ms < 0);
    struct unit_cells *cells = cells_of(s, unit, kind);
    (void)slot_of(s, cells, unit, kind, key);
    tell(s, cells, unit, kind, key, no, sum);
    cm_sums_add_item(s, cells, &(struct item){no, key, sum});
}

/* ---- moving on */

/* One of a window's cursors passes the panes in [from_no, to_no). */
static void pass(struct cm_sums *s, uint32_t span, uint32_t cursor, int64_t from_no, int64_t to_no)
{
    struct span *at = &s->spans[span];
    uint32_t end = s->first + s->count;
    for (uint32_t p = lower_bound(s, from_no); p < end && s->panes[p].no < to_no; p++) {
        const struct pane *pane = &s->panes[p];
        for (uint32_t kind = 0; kind < CM_KIND_COUNT; kind++) {
            at->on[cursor] += (at->kinds >> kind & 1u) != 0 ? pane->on[kind] : 0;
        }
        for (uint32_t i = 0; i < pane->count; i++) {
            if ((s->units[pane->units[i]].spans >> span & 1u) != 0) {
                s->changed(s->context, span, pane->units[i]);
            }
        }
    }
}

/* A new period begins: nothing of what its asof cursor has passed lies in it. */
static void begin_period(struct cm_sums *s, uint32_t span)
{
    for (uint32_t i = 0; i < s->cells_count; i++) {
        const struct cell *cell = &s->cells[i];
        if ((s->units[cell->unit].spans >> span & 1u) == 0) {
            continue;
        }
        cm_sums_catch_up(s, &s->units[cell->unit], span);
        const struct cm_sum *at = &cell->at[(size_t)2 * span];
        if (at[0].a != at[1].a || at[0].b != at[1].b || at[0].a != 0) {
            s->changed(s->context, span, cell->unit);
        }
    }
    s->spans[span].on[1] = s->spans[span].on[0];
}

void cm_sums_move(struct cm_sums *s, uint32_t span, int64_t left_no, int64_t asof_no)
{
    struct span *at = &s->spans[span];
    CM_ASSERT(left_no >= at->left_no && asof_no >= at->asof_no && left_no <= asof_no);
    if (left_no > at->left_no) {
        int64_t from_no = at->left_no;
        if (at->is_period) {
            CM_ASSERT(at->asof_no <= left_no);
            begin_period(s, span);
            from_no = at->asof_no;
        }
        pass(s, span, 1, from_no, left_no);
    }
    pass(s, span, 0, at->asof_no, asof_no);
    at->left_no = left_no;
    at->asof_no = asof_no;
    s->most_asof_no = asof_no > s->most_asof_no ? asof_no : s->most_asof_no;
}

/* A few units at a time: those that get nothing more keep nothing either. */
static void sweep(struct cm_sums *s)
{
    for (uint32_t i = 0; i < SWEEP_UNITS && i < s->units_cap; i++) {
        s->swept = s->swept + 1 < s->units_cap ? s->swept + 1 : 0;
        struct unit_cells *cells = &s->units[s->swept];
        if (cells->items_count == 0 ||
            cells->items[cells->items_count / 2].no >= s->floor_no) { /* moving them costs all */
            continue;
        }
        cm_sums_drop_passed(s, cells);
        if (cells->items_count == 0) {
            s->bytes -= (cells->items_cap + cells->late_cap) * sizeof(*cells->items);
            free(cells->items);
            free(cells->late);
            cells->items = cells->late = NULL;
            cells->items_cap = cells->late_cap = 0;
        }
    }
}

void cm_sums_trim(struct cm_sums *s)
{
    int64_t floor_no = INT64_MAX;
    for (uint32_t i = 0; i < s->spans_count; i++) {
        const struct span *span = &s->spans[i];
        int64_t needed_no = span->is_period ? span->asof_no : span->left_no;
        floor_no = needed_no < floor_no ? needed_no : floor_no;
    }
    while (s->count > 0 && s->panes[s->first].no < floor_no) {
        struct pane *pane = &s->panes[s->first];
        s->bytes -= pane->cap * sizeof(*pane->units);
        free(pane->units);
        s->first++;
        s->count--;
    }
    s->floor_no = floor_no > s->floor_no && floor_no != INT64_MAX ? floor_no : s->floor_no;
    sweep(s);
}

static int64_t first_no(const struct cm_sums *s, int64_t from_no)
{
    uint32_t at = lower_bound(s, from_no);
    return at < s->first + s->count ? s->panes[at].no : INT64_MAX;
}

int64_t cm_sums_next_entry_no(const struct cm_sums *s, uint32_t span)
{
    return first_no(s, s->spans[span].asof_no);
}

int64_t cm_sums_next_leave_no(const struct cm_sums *s, uint32_t span)
{
    return first_no(s, s->spans[span].left_no);
}

bool cm_sums_is_running(const struct cm_sums *s, uint32_t span)
{
    return s->spans[span].on[0] != 0 || s->spans[span].on[1] != 0;
}

bool cm_sums_is_steady(const struct cm_sums *s, uint32_t span)
{
    const struct span *at = &s->spans[span];
    return !at->is_period && first_no(s, at->left_no) >= at->asof_no;
}

void cm_sums_mark_running(struct cm_sums *s, uint32_t span)
{
    for (uint32_t i = 0; i < s->running_count; i++) {
        const struct cell *cell = &s->cells[s->running[i]];
        if ((s->units[cell->unit].spans >> span & 1u) == 0) {
            continue;
        }
        cm_sums_catch_up(s, &s->units[cell->unit], span);
        const struct cm_sum *at = &cell->at[(size_t)2 * span];
        if (at[0].a != 0 || at[1].a != 0) {
            s->changed(s->context, span, cell->unit);
        }
    }
}

/* ---- looking */

uint32_t cm_sums_keys(const struct cm_sums *s, uint32_t unit)
{
    return unit < s->units_cap ? s->units[unit].count : 0;
}

static const struct cm_sum *cursors(const struct cm_sums *s, uint32_t span, uint32_t unit,
                                    uint32_t key)
{
    if (key >= cm_sums_keys(s, unit) || s->units[unit].at[key].cell == 0) {
        return NULL;
    }
    if ((s->units[unit].spans >> span & 1u) == 0) {
        return NULL;
    }
    cm_sums_catch_up(s, &s->units[unit], span);
    return sums_of(s, &s->units[unit], key, span);
}

struct cm_sum cm_sums_get(const struct cm_sums *s, uint32_t span, uint32_t unit, uint32_t key)
{
    const struct cm_sum *at = cursors(s, span, unit, key);
    return at == NULL ? (struct cm_sum){0, 0}
                      : (struct cm_sum){at[0].a - at[1].a, at[0].b - at[1].b};
}

uint64_t cm_sums_state_ms(const struct cm_sums *s, uint32_t span, uint32_t unit,
                          enum cm_state state)
{
    const struct cm_sum *at = cursors(s, span, unit, CM_SUM_STATE + state);
    if (at == NULL || s->spans[span].asof_no == INT64_MIN) {
        return 0;
    }
    uint64_t asof_ms = (uint64_t)(s->spans[span].asof_no * s->pane_ms);
    uint64_t left_ms = (uint64_t)(s->spans[span].left_no * s->pane_ms);
    return (at[0].a * asof_ms - at[0].b) - (at[1].a * left_ms - at[1].b);
}

int32_t cm_sums_state_running(const struct cm_sums *s, uint32_t span, uint32_t unit,
                              enum cm_state state)
{
    const struct cm_sum *at = cursors(s, span, unit, CM_SUM_STATE + state);
    if (at == NULL || s->spans[span].asof_no == INT64_MIN) {
        return 0;
    }
    return (int32_t)(at[0].a - (s->spans[span].is_period ? 0 : at[1].a));
}

size_t cm_sums_bytes(const struct cm_sums *s)
{
    return s->bytes + s->cap * sizeof(*s->panes) + s->units_cap * sizeof(*s->units);
}
