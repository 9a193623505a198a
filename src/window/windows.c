// SPDX-License-Identifier: Apache-2.0
#include "window/windows.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "window/windows_state.h"

/* Records of the journal whose cells, and whose legs, are on their way from memory. */
#define EXPIRED_AHEAD 8u
#define EXPIRED_LEGS  16u

_Static_assert(CM_WINDOWS_MAX <= 16, "changed marks are 16 bits");

static int64_t gcd(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

struct cm_windows *cm_windows_create(const struct cm_config *config, const struct cm_roster *roster,
                                     uint32_t rules_windows, uint32_t rules_kinds)
{
    struct cm_windows *w = cm_alloc(1, sizeof(*w));
    w->config = config;
    w->units = cm_units_create();
    w->attribution = cm_attribution_create(config, roster, w->units);
    w->journal = cm_journal_create(config->dedupe_ms);
    w->clock_ms = INT64_MIN;
    w->most_fold_no = INT64_MIN;
    w->source_ms = INT64_MIN;
    for (uint32_t i = 0; i < config->all_count; i++) {
        w->pane_ms = gcd(config->all[i].step_ms, w->pane_ms);
    }
    w->panes = cm_panes_create(w->pane_ms);
    w->views[CM_VIEW_ROWS].kinds = (1u << CM_KIND_COUNT) - 1;
    w->views[CM_VIEW_RULES].kinds = rules_windows == 0 ? 0 : rules_kinds;
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        w->views[v].impact_no = INT64_MIN;
        for (uint32_t i = 0; i < config->all_count; i++) {
            struct span *span = &w->views[v].spans[i];
            span->used =
                v == CM_VIEW_ROWS || (w->views[v].kinds != 0 && (rules_windows >> i & 1u) != 0);
            span->asof_ms = INT64_MIN;
            span->left_no = INT64_MIN;
            span->fold_no = INT64_MIN;
        }
    }
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        cm_windows_note_periods(w, v);
    }
    cm_windows_detail_open(w);
    return w;
}

static void unit_free(struct cm_windows *w, uint32_t unit)
{
    free(w->state[unit].cells);
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        for (uint32_t i = 0; i < w->config->all_count; i++) {
            struct cm_accumulator *sums = cm_windows_peek_sums(w, v, unit, i);
            if (sums != NULL) {
                cm_accumulator_free(sums);
            }
        }
    }
}

void cm_windows_destroy(struct cm_windows *w)
{
    if (w == NULL) {
        return;
    }
    for (uint32_t u = 0; u < w->state_cap; u++) {
        unit_free(w, u);
    }
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        free(w->views[v].changed);
        free(w->views[v].marks);
        free(w->views[v].taken);
    }
    cm_windows_detail_close(w);
    cm_windows_cells_free(w);
    cm_bump_free(&w->sums);
    free(w->state);
    free(w->kinds);
    cm_leg_sum_free(&w->sum);
    cm_hist_free(&w->scratch);
    cm_check_sums_free(&w->check_scratch);
    cm_panes_destroy(w->panes);
    cm_journal_destroy(w->journal);
    cm_leg_log_free(&w->legs);
    cm_attribution_destroy(w->attribution);
    cm_units_destroy(w->units);
    free(w);
}

void cm_windows_set_roster(struct cm_windows *w, const struct cm_roster *roster)
{
    cm_attribution_set_roster(w->attribution, roster);
}

void cm_windows_set_clock(struct cm_windows *w, int64_t source_ms, int64_t slowest_ms)
{
    w->has_sources = true;
    w->source_ms = source_ms;
    w->slowest_ms = slowest_ms;
}

struct cm_units *cm_windows_units(struct cm_windows *w)
{
    return w->units;
}

int64_t cm_windows_pane_ms(const struct cm_windows *w)
{
    return w->pane_ms;
}

/* ---- units */

static void state_grow(struct cm_windows *w, uint32_t unit)
{
    uint32_t cap = w->state_cap == 0 ? 1024 : w->state_cap;
    while (cap <= unit) {
        cap *= 2;
    }
    w->state = cm_realloc(w->state, cap, sizeof(*w->state));
    memset(&w->state[w->state_cap], 0, (cap - w->state_cap) * sizeof(*w->state));
    w->kinds = cm_realloc(w->kinds, cap, sizeof(*w->kinds));
    memset(&w->kinds[w->state_cap], 0, (cap - w->state_cap) * sizeof(*w->kinds));
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        uint16_t **marks = &w->views[v].marks;
        *marks = cm_realloc(*marks, cap, sizeof(**marks));
        memset(*marks + w->state_cap, 0, (cap - w->state_cap) * sizeof(**marks));
    }
    w->state_cap = cap;
}

static struct unit_state *state_of(struct cm_windows *w, uint32_t unit)
{
    if (CM_UNLIKELY(unit >= w->state_cap)) {
        state_grow(w, unit);
    }
    struct unit_state *state = &w->state[unit];
    if (CM_UNLIKELY(state->cells == NULL)) {
        w->kinds[unit] = cm_units_key(w->units, unit)->kind;
    }
    return state;
}

void cm_windows_note_unit(struct cm_windows *w, uint32_t unit)
{
    (void)state_of(w, unit);
}

struct cm_accumulator *cm_windows_make_sums(struct cm_windows *w, enum cm_view view, uint32_t unit,
                                            uint32_t window)
{
    struct unit_state *state = &w->state[unit];
    uint32_t sliding = w->config->windows.count;
    bool is_sliding = window < sliding;
    uint32_t count = is_sliding ? sliding : w->config->all_count - sliding;
    struct cm_accumulator *sums = cm_bump_alloc(&w->sums, count * sizeof(*sums));
    for (uint32_t i = 0; i < count; i++) {
        cm_accumulator_open(&sums[i]);
    }
    *(is_sliding ? &state->sliding[view] : &state->periods[view]) = sums;
    return cm_windows_peek_sums(w, view, unit, window);
}

void cm_windows_list(struct view *v, uint32_t unit)
{
    if (v->changed_count == v->changed_cap) {
        v->changed_cap = v->changed_cap == 0 ? 1024 : 2 * v->changed_cap;
        v->changed = cm_realloc(v->changed, v->changed_cap, sizeof(*v->changed));
    }
    v->changed[v->changed_count++].unit = unit;
}

/* ---- taking events */

static struct impact find_impact(const struct cm_windows *w, enum cm_view view, int64_t no)
{
    struct impact impact = {0, 0};
    for (uint32_t i = 0; i < w->config->all_count; i++) {
        const struct span *span = &w->views[view].spans[i];
        if (!span->used) {
            continue;
        }
        /* What is still ahead of the window is marked when it comes in; what has left it already
         * may be missing in the row that was written last, whose asof then holds no longer. */
        bool left = no < span->left_no;
        bool stands = left ? view == CM_VIEW_ROWS && !w->config->all[i].is_period
                           : no < span->fold_no || no * w->pane_ms < span->asof_ms;
        impact.changed |= (uint32_t)stands << i;
        impact.folded |= (uint32_t)(no < span->fold_no) << i; /* else seen when somebody looks */
    }
    return impact;
}

static struct impact impact_of(struct cm_windows *w, enum cm_view view, int64_t no)
{
    struct view *v = &w->views[view];
    if (v->kinds == 0) {
        return (struct impact){0, 0};
    }
    if (v->impact_no != no) {
        v->impact = find_impact(w, view, no);
        v->impact_no = no;
    }
    return v->impact;
}

/* Windows whose sums have that pane of the cell, so that a leg has to be added, or taken out, here.
 * Of a pane that was given back no sliding window holds anything any more, and a period everything.
 */
static uint32_t folded_in(const struct cm_windows *w, enum cm_view view, const struct cell *cell,
                          int64_t no, uint32_t windows)
{
    const struct reach *reach = reach_of(w, view, cell);
    bool gone = no < cm_panes_floor(w->panes);
    uint32_t folded = 0;
    for (uint32_t bits = windows; bits != 0; bits &= bits - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);
        bool period = w->config->all[i].is_period;
        bool has = gone ? period : no < reach[i].fold_no && no >= reach[i].left_no;
        has = has && !(period && no < w->views[view].spans[i].left_no);
        folded |= (uint32_t)has << i;
    }
    return folded;
}

/* What the windows have of the cell changes by that leg, too; and what they still lack, or have too
 * much, is found when somebody looks. */
static void follow_cell(struct cm_windows *w, enum cm_view view, struct cell *cell,
                        const struct cm_leg *leg, uint32_t windows, uint32_t folded, bool add)
{
    int64_t no = pane_no(w, leg->ts_ms);
    uint32_t behind = windows & ~folded;
    for (uint32_t bits = folded; bits != 0; bits &= bits - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);
        behind |= (uint32_t)(no < w->views[view].spans[i].left_no) << i;
        if (w->config->all[i].is_period) {
            continue;
        }
        if (add) {
            reach_add(&reach_of(w, view, cell)[i], leg->wait_ms, cm_leg_handle_ms(leg));
            mark_live(w, view, cell, i);
        } else {
            reach_subtract(&reach_of(w, view, cell)[i], leg->wait_ms, cm_leg_handle_ms(leg));
        }
    }
    if (behind != 0) {
        cm_windows_mark_behind(w, view, (uint32_t)(cell - w->cells), behind);
    }
}

/* Adds or takes back a leg of a unit in these windows. */
static void accumulate_leg(struct cm_windows *w, enum cm_view view, uint32_t unit,
                           const struct cm_leg *leg, uint32_t windows, bool add)
{
    for (uint32_t bits = windows; bits != 0; bits &= bits - 1) {
        struct cm_accumulator *at = cm_windows_sums(w, view, unit, (uint32_t)__builtin_ctz(bits));
        if (add) {
            cm_accumulator_add_leg(at, leg);
        } else {
            cm_accumulator_subtract_leg(at, leg);
        }
    }
}

static void accumulate(struct cm_windows *w, struct cell *cell, const struct cm_leg *leg, bool add)
{
    int64_t no = pane_no(w, leg->ts_ms);
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        struct impact impact = impact_of(w, v, no);
        if ((impact.changed | impact.folded) == 0) {
            continue;
        }
        uint32_t folded = folded_in(w, v, cell, no, impact.folded);
        follow_cell(w, v, cell, leg, impact.folded, folded, add);
        for (uint32_t i = 0; i < cell->units_count; i++) {
            uint32_t unit = cell->units[i];
            if (!in_view(w, v, unit)) {
                continue;
            }
            if (folded != 0) {
                accumulate_leg(w, v, unit, leg, folded, add);
            }
            if (impact.changed != 0) {
                cm_windows_mark(w, v, unit, impact.changed);
            }
        }
    }
}

/* A pane that was made just now may be the next one to enter or to leave. */
static void note_pane(struct cm_windows *w, struct cm_pane *pane)
{
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        for (uint32_t i = 0; i < w->config->all_count; i++) {
            struct span *span = &w->views[v].spans[i];
            if (span->used && pane->no >= span->left_no &&
                (span->leave == NULL || pane->no < span->leave->no)) {
                span->leave = pane;
            }
            if (span->used && pane->no >= span->fold_no &&
                (span->enter == NULL || pane->no < span->enter->no)) {
                span->enter = pane;
            }
        }
    }
}

static void count_leg(struct cm_windows *w, struct cm_leg *leg, uint32_t place, bool is_remembered)
{
    struct cell *cell = cell_of(w, leg);
    accumulate(w, cell, leg, true);
    int64_t no = pane_no(w, leg->ts_ms);
    if (no < cm_panes_floor(w->panes)) {
        leg->is_orphan = is_remembered; /* only periods hold it, and they have folded it */
        w->orphans += is_remembered;
        return;
    }
    struct cm_pane *pane = cm_panes_get(w->panes, no);
    if (pane->cells_count == 0) {
        note_pane(w, pane);
    }
    cm_panes_add(w->panes, pane, &cell->track, leg->cell, place);
    w->tail.is_valid = false;
    if (no < w->most_fold_no) {
        cm_windows_note_item(w, cell, no);
    }
}

static void take_back(struct cm_windows *w, const struct cm_journal_record *record)
{
    struct cm_leg *leg = cm_leg_log_at(&w->legs, record->leg);
    accumulate(w, cell_of(w, leg), leg, false);
    cm_windows_detail_take_back(w, record);
    w->orphans -= leg->is_orphan;
    cm_leg_log_clear(&w->legs, leg);
}

int64_t cm_window_next_asof(const struct cm_window_spec *window, int64_t ts_ms)
{
    return (divide_down(ts_ms, window->step_ms) + 1) * window->step_ms;
}

int64_t cm_windows_left_ms(const struct cm_windows *w, uint32_t window, int64_t asof_ms)
{
    const struct cm_window_spec *spec = &w->config->all[window];
    return spec->is_period ? cm_zone_period_start_ms(w->config->zone, spec->period, asof_ms - 1)
                           : asof_ms - spec->length_ms;
}

bool cm_windows_covered(const struct cm_windows *w, int64_t ts_ms, int64_t watermark_ms)
{
    if (ts_ms >= watermark_ms) {
        return true;
    }
    for (uint32_t i = 0; i < w->config->all_count; i++) {
        if (ts_ms >=
            cm_windows_left_ms(w, i, cm_window_next_asof(&w->config->all[i], watermark_ms))) {
            return true;
        }
    }
    return false;
}

/* Panes below this number are folded in by every period; INT64_MAX when there are none. */
static int64_t settled_no(const struct cm_windows *w)
{
    int64_t rows_no = w->views[CM_VIEW_ROWS].periods_fold_no;
    int64_t rules_no = w->views[CM_VIEW_RULES].periods_fold_no;
    return rows_no < rules_no ? rows_no : rules_no;
}

/* The periods of a view that hold that pane, a bit each. */
static uint32_t periods_over(const struct cm_windows *w, enum cm_view view, int64_t no)
{
    const struct view *v = &w->views[view];
    uint32_t periods = v->periods;
    for (uint32_t bits = no >= v->periods_left_no ? 0 : periods; bits != 0; bits &= bits - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(bits);
        periods &= ~((uint32_t)(no < v->spans[i].left_no) << i);
    }
    return periods;
}

/* From now on nothing takes that leg back: its longest times stand in the periods that hold it. */
static void settle(struct cm_windows *w, struct cm_leg *leg)
{
    struct cell *cell = cell_of(w, leg);
    int64_t no = pane_no(w, leg->ts_ms);
    w->orphans -= leg->is_orphan;
    leg->is_orphan = false;
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        uint32_t periods = w->views[v].kinds == 0 ? 0 : periods_over(w, v, no);
        for (uint32_t bits = periods; bits != 0; bits &= bits - 1) {
            reach_add(&reach_of(w, v, cell)[__builtin_ctz(bits)], leg->wait_ms,
                      cm_leg_handle_ms(leg));
        }
    }
}

/* Fetches from memory what the records that go next have: legs first, then what these tell of. */
static void expect_expired(const struct cm_windows *w)
{
    uint64_t end = 0;
    uint64_t first = cm_journal_range(w->journal, &end);
    if (end - first <= EXPIRED_LEGS) {
        return;
    }
    const struct cm_journal_record *later = cm_journal_at(w->journal, first + EXPIRED_LEGS);
    if (later->has_leg) {
        cm_prefetch(cm_leg_log_at(&w->legs, later->leg));
    }
    const struct cm_journal_record *next = cm_journal_at(w->journal, first + EXPIRED_AHEAD);
    if (next->has_leg) {
        const struct cm_leg *leg = cm_leg_log_at(&w->legs, next->leg);
        const struct reach *reach = reach_of(w, CM_VIEW_ROWS, cell_of(w, leg));
        for (uint32_t i = w->config->windows.count; i < w->config->all_count; i += 2) {
            cm_prefetch_write(&reach[i]); /* two of them a line */
        }
    }
}

/* Drops what has expired in the journal. A record stays until every period has folded its pane: a
 * leg may be in none of these, or in the sum. */
static void drop_expired(struct cm_windows *w)
{
    const struct cm_journal_record *record = cm_journal_expired(w->journal, w->clock_ms);
    int64_t settled = settled_no(w);
    while (record != NULL) {
        struct cm_leg *leg = record->has_leg ? cm_leg_log_at(&w->legs, record->leg) : NULL;
        if (leg != NULL && cm_leg_counts(leg)) {
            if (pane_no(w, leg->ts_ms) >= settled) {
                return;
            }
            settle(w, leg);
        }
        w->forgotten = leg != NULL ? record->leg + 1 : w->forgotten;
        expect_expired(w);
        cm_journal_drop_oldest(w->journal);
        record = cm_journal_expired(w->journal, w->clock_ms);
    }
}

static void count_cdr(struct cm_windows *w, const struct cm_event *event, struct cm_hash128 id)
{
    struct cm_leg *leg = cm_leg_log_add(&w->legs);
    uint32_t place = w->legs.end - 1;
    struct cm_unit_set units;
    cm_leg_judge(leg, event, w->config, &w->detail.marks);
    cm_windows_detail_checks(w, leg);
    leg->cell = cm_attribution_resolve(w->attribution, event, &units);
    if (leg->cell == CM_UNIT_NONE) {
        leg->cell = cm_windows_detail_set(w, &units);
    }
    cm_windows_note_cell(w, leg->cell, &units);
    struct cm_journal_record *record =
        cm_journal_at(w->journal, cm_journal_add(w->journal, id, w->source_ms));
    if (record != NULL) {
        record->rev = event->rev;
        record->is_cdr = true;
        record->has_leg = true;
        record->leg = place;
    }
    count_leg(w, leg, place, record != NULL);
    cm_windows_detail_leg(w, event, leg, record);
}

static void move_clock(struct cm_windows *w, int64_t ts_ms)
{
    w->source_ms = ts_ms > w->source_ms ? ts_ms : w->source_ms;
    bool bounded = w->has_sources && w->slowest_ms < w->source_ms && w->clock_ms != INT64_MIN;
    int64_t clock_ms = bounded ? w->slowest_ms : w->source_ms;
    w->clock_ms = clock_ms > w->clock_ms ? clock_ms : w->clock_ms;
}

void cm_windows_expect(const struct cm_windows *w, const struct cm_event *const *events,
                       uint32_t count)
{
    uint32_t seats[CM_WINDOWS_EXPECT];
    uint32_t cells[CM_WINDOWS_EXPECT];
    CM_ASSERT(count <= CM_WINDOWS_EXPECT);
    for (uint32_t i = 0; i < count; i++) {
        cm_journal_expect(w->journal, cm_hash128(events[i]->id.p, events[i]->id.len));
        cm_units_expect(w->units, CM_KIND_SEAT, events[i]->seat);
    }
    for (uint32_t i = 0; i < count; i++) {
        seats[i] = cm_units_find(w->units, CM_KIND_SEAT, events[i]->seat);
        cm_panes_expect(w->panes, pane_no(w, events[i]->ts_ms));
        cm_attribution_expect(w->attribution, seats[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t queue = cm_units_find(w->units, CM_KIND_QUEUE, events[i]->queue);
        cells[i] = cm_attribution_set(w->attribution, seats[i], queue);
        if (cells[i] < w->cells_cap) {
            cm_prefetch_write(&w->cells[cells[i]]);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (cells[i] < w->cells_cap) {
            cm_track_expect(&w->cells[cells[i]].track);
        }
    }
}

enum cm_verdict cm_windows_apply(struct cm_windows *w, const struct cm_event *event,
                                 int64_t watermark_ms)
{
    struct cm_hash128 id = cm_hash128(event->id.p, event->id.len);
    int64_t before_ms = w->source_ms == INT64_MIN ? event->ts_ms : w->source_ms;
    struct cm_journal_record *known = cm_journal_find(w->journal, id, before_ms);
    move_clock(w, event->ts_ms);
    bool revises =
        known != NULL && known->is_cdr && event->type == CM_EVENT_CDR && event->rev > known->rev;
    if (known != NULL && !revises) {
        return CM_VERDICT_DUPLICATE;
    }
    w->detail.judged = (struct cm_judged){false, false};
    if (revises && known->has_leg && cm_leg_counts(cm_leg_log_at(&w->legs, known->leg))) {
        take_back(w, known);
    }
    drop_expired(w);
    if (!cm_windows_covered(w, event->ts_ms, watermark_ms)) {
        if (revises) { /* the newest revision is known, and counts nowhere */
            struct cm_journal_record *late =
                cm_journal_at(w->journal, cm_journal_add(w->journal, id, w->source_ms));
            late->rev = event->rev;
            late->is_cdr = true;
        }
        return CM_VERDICT_LATE;
    }
    if (event->type == CM_EVENT_CDR) {
        count_cdr(w, event, id);
        return revises ? CM_VERDICT_REVISED : CM_VERDICT_COUNTED;
    }
    if (!cm_windows_take_other(w, event)) {
        return CM_VERDICT_LATE;
    }
    (void)cm_journal_add(w->journal, id, w->source_ms);
    return CM_VERDICT_COUNTED;
}
