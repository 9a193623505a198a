// SPDX-License-Identifier: Apache-2.0
#include "window/windows.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "window/windows_state.h"

/* Records of the journal whose cells, and whose legs, are on their way from memory. */
#define EXPIRED_CELLS 8u
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
    w->source_ms = INT64_MIN;
    for (uint32_t i = 0; i < config->all_count; i++) {
        w->pane_ms = gcd(config->all[i].step_ms, w->pane_ms);
    }
    w->panes = cm_panes_create(w->pane_ms);
    cm_windows_size_few(w);
    w->work = cm_alloc(WORK_MOST, sizeof(*w->work));
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
            span->asof_no = INT64_MIN;
        }
    }
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        cm_windows_note_periods(w, v);
    }
    cm_windows_detail_open(w);
    return w;
}

void cm_windows_destroy(struct cm_windows *w)
{
    if (w == NULL) {
        return;
    }
    cm_windows_detail_close(w);
    cm_windows_units_free(w);
    free(w->work);
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
    w->rosters++;
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

/* ---- taking events */

static uint32_t find_impact(const struct cm_windows *w, enum cm_view view, int64_t no)
{
    uint32_t changed = 0;
    for (uint32_t i = 0; i < w->config->all_count; i++) {
        const struct span *span = &w->views[view].spans[i];
        if (!span->used) {
            continue;
        }
        /* What is still ahead of the window is marked when it comes in; what has left it already
         * may be missing in the row that was written last, whose asof then holds no longer. */
        bool stands = no < span->left_no ? view == CM_VIEW_ROWS && !w->config->all[i].is_period
                                         : no < span->asof_no;
        changed |= (uint32_t)stands << i;
    }
    return changed;
}

/* The windows in which the units of a leg of that pane change by it. */
static uint32_t impact_of(struct cm_windows *w, enum cm_view view, int64_t no)
{
    struct view *v = &w->views[view];
    if (v->kinds == 0) {
        return 0;
    }
    if (v->impact_no != no) {
        v->impact = find_impact(w, view, no);
        v->impact_no = no;
    }
    return v->impact;
}

/* A pane that was made just now: windows may hold it, and it may be the next one to enter or to
 * leave. */
static CM_NOINLINE void note_pane(struct cm_windows *w, struct cm_pane *pane)
{
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        for (uint32_t i = 0; i < w->config->all_count; i++) {
            struct span *span = &w->views[v].spans[i];
            if (!span->used || pane->no < span->left_no) {
                continue;
            }
            if (!w->config->all[i].is_period &&
                (span->leave == NULL || pane->no < span->leave->no)) {
                span->leave = pane;
            }
            if (pane->no < span->asof_no) {
                pane->uses[v].want = (uint16_t)(pane->uses[v].want | 1u << i);
            } else if (span->enter == NULL || pane->no < span->enter->no) {
                span->enter = pane;
            }
        }
    }
}

/* A leg that comes when its pane was given back: no sliding window holds it any more. */
static CM_NOINLINE void count_gone(struct cm_windows *w, const struct cm_leg *leg, int64_t no)
{
    const struct cell *cell = cell_of(w, leg);
    struct cm_addend addend;
    cm_addend_make(&addend, leg, no);
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        uint32_t changed = impact_of(w, v, no);
        uint32_t periods = w->views[v].kinds == 0 ? 0 : cm_windows_periods_with(w, v, no);
        for (uint32_t u = 0; (changed | periods) != 0 && u < cell->units_count; u++) {
            if (!in_view(w, v, cell->units[u])) {
                continue;
            }
            if (periods != 0) {
                cm_windows_add_periods(w, v, cell->units[u], &addend, periods);
            }
            if (changed != 0) {
                cm_windows_mark(w, v, cell->units[u], changed);
            }
        }
    }
}

/* Puts it into its pane; sums and marks follow when somebody looks. */
static void count_leg(struct cm_windows *w, struct cm_leg *leg, uint32_t place, int64_t no)
{
    struct cell *cell = cell_of(w, leg);
    CM_ASSERT(cell->units_count > 0); /* whoever named it */
    leg->before = cell->last;
    cell->last = place;
    if (CM_UNLIKELY(no < cm_panes_floor(w->panes))) {
        count_gone(w, leg, no);
        return;
    }
    struct cm_pane *pane = cm_panes_get(w->panes, no);
    if (pane->legs_count == 0) {
        note_pane(w, pane);
    }
    cm_panes_add(w->panes, pane, place);
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        if (w->views[v].kinds == 0) {
            continue;
        }
        uint32_t changed = impact_of(w, v, no);
        struct cm_pane_use *use = &pane->uses[v];
        use->fresh = (uint16_t)(use->fresh | changed);
        w->views[v].dirty |= changed;
        if ((changed | use->want) != 0) {
            cm_windows_list_pane(&w->views[v], v, pane);
        }
    }
}

/* Of a view's sums. */
static void take_back_of(struct cm_windows *w, enum cm_view view, const struct cell *cell,
                         const struct cm_addend *addend, uint32_t windows, uint32_t changed)
{
    for (uint32_t u = 0; u < cell->units_count; u++) {
        uint32_t unit = cell->units[u];
        if (!in_view(w, view, unit)) {
            continue;
        }
        if ((windows & w->views[view].periods) != 0) {
            cm_windows_flush(w, view, unit);
        }
        for (uint32_t bits = windows; bits != 0; bits &= bits - 1) {
            uint32_t window = (uint32_t)__builtin_ctz(bits);
            struct cm_few_sums *few = cm_windows_few(w, view, unit, window);
            if (few != NULL) {
                cm_few_sums_take_back(few, addend);
            } else {
                cm_accumulator_take_back(cm_windows_many(w, view, unit, window), addend);
            }
        }
        if (changed != 0) {
            cm_windows_mark(w, view, unit, changed);
        }
    }
}

static CM_NOINLINE void take_back(struct cm_windows *w, const struct cm_journal_record *record)
{
    struct cm_leg *leg = cm_leg_log_at(&w->legs, record->leg);
    int64_t no = pane_no(w, leg->ts_ms);
    const struct cm_pane *pane = no < cm_panes_floor(w->panes) ? NULL : cm_panes_find(w->panes, no);
    uint32_t index = pane == NULL ? 0 : cm_pane_index(pane, record->leg);
    struct cm_addend addend;
    cm_addend_make(&addend, leg, no);
    cm_addend_make_few(&addend);
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        if (w->views[v].kinds == 0) {
            continue;
        }
        uint32_t windows = pane == NULL ? cm_windows_periods_with(w, v, no) : 0;
        uint32_t changed = impact_of(w, v, no);
        if (pane != NULL) { /* marks that wait find it empty: they are set here */
            const struct cm_pane_use *use = &pane->uses[v];
            windows = index < use->done ? use->in : 0;
            changed |= (uint32_t)use->moved | use->fresh;
        }
        take_back_of(w, v, cell_of(w, leg), &addend, windows, changed);
    }
    cm_windows_detail_take_back(w, record);
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

/* Panes below this number are in every period that may hold them; INT64_MAX when there are none. */
static int64_t settled_no(const struct cm_windows *w)
{
    int64_t rows_no = w->views[CM_VIEW_ROWS].periods_asof_no;
    int64_t rules_no = w->views[CM_VIEW_RULES].periods_asof_no;
    return rows_no < rules_no ? rows_no : rules_no;
}

/* The periods of a view whose sums have the leg at that place. */
static uint32_t periods_that_have(struct cm_windows *w, enum cm_view view, int64_t no,
                                  uint32_t place)
{
    const struct cm_pane *pane = cm_panes_find(w->panes, no);
    if (pane == NULL) { /* given back */
        return cm_windows_periods_with(w, view, no);
    }
    const struct cm_pane_use *use = &pane->uses[view];
    uint32_t in = use->in & w->views[view].periods;
    return in != 0 && use->is_listed && cm_pane_index(pane, place) >= use->done ? 0 : in;
}

static CM_NOINLINE void settle_in(struct cm_windows *w, enum cm_view view, const struct cm_leg *leg,
                                  int64_t no, uint32_t periods)
{
    const struct cell *cell = cell_of(w, leg);
    struct cm_addend addend;
    cm_addend_make(&addend, leg, no);
    for (uint32_t u = 0; u < cell->units_count; u++) {
        if (in_view(w, view, cell->units[u])) {
            cm_windows_settle_periods(w, view, cell->units[u], &addend, periods);
        }
    }
}

/* From now on nothing takes that leg back: its longest times stand in the periods that hold it. Of
 * those that do not have it yet, they will when they get it. */
static void settle(struct cm_windows *w, const struct cm_leg *leg, uint32_t place, int64_t no)
{
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        uint32_t periods = w->views[v].periods == 0 ? 0 : periods_that_have(w, v, no, place);
        if (CM_UNLIKELY(periods != 0)) { /* mostly, where nobody looks, there are none */
            settle_in(w, v, leg, no, periods);
        }
    }
}

/* Fetches from memory what the records that go next have: legs first, then what these tell of. */
static void expect_expired(const struct cm_windows *w)
{
    const struct cm_journal_record *later = cm_journal_oldest(w->journal, EXPIRED_LEGS);
    if (later == NULL) {
        return;
    }
    if (later->has_leg) {
        cm_prefetch(cm_leg_log_at(&w->legs, later->leg));
    }
    const struct cm_journal_record *next = cm_journal_oldest(w->journal, EXPIRED_CELLS);
    if (next->has_leg) {
        cm_prefetch(cell_of(w, cm_leg_log_at(&w->legs, next->leg)));
    }
}

/* Drops what has expired in the journal. A record stays until every period holds its pane: a leg
 * may be in none of these, or in the sum. */
static void drop_expired(struct cm_windows *w)
{
    const struct cm_journal_record *record = cm_journal_expired(w->journal, w->clock_ms);
    int64_t settled = settled_no(w);
    while (record != NULL) {
        const struct cm_leg *leg = record->has_leg ? cm_leg_log_at(&w->legs, record->leg) : NULL;
        if (leg != NULL && cm_leg_counts(leg)) {
            int64_t no = pane_no(w, leg->ts_ms);
            if (no >= settled) {
                return;
            }
            settle(w, leg, record->leg, no);
        }
        w->forgotten = leg != NULL ? record->leg + 1 : w->forgotten;
        expect_expired(w);
        cm_journal_drop_oldest(w->journal);
        record = cm_journal_expired(w->journal, w->clock_ms);
    }
}

/* The cell of an event whose hint does not know it. */
static CM_NOINLINE uint32_t find_cell(struct cm_windows *w, const struct cm_event *event)
{
    struct cm_unit_set units;
    uint32_t cell = cm_attribution_resolve(w->attribution, event, &units);
    if (cell == CM_UNIT_NONE) {
        cell = cm_windows_detail_set(w, &units);
    }
    cm_windows_note_cell(w, cell, &units);
    return cell;
}

static void count_cdr(struct cm_windows *w, const struct cm_event *event,
                      const struct cm_hint *hint, struct cm_hash128 id)
{
    struct cm_leg *leg = cm_leg_log_add(&w->legs, event->ts_ms);
    uint32_t place = w->legs.end - 1;
    cm_leg_judge(leg, event, w->config, &w->detail.marks);
    if (w->detail.marks.count > 0) {
        cm_windows_detail_checks(w, leg);
    }
    leg->cell = hinted_set(w, hint); /* of an earlier leg: its cell is there */
    if (CM_UNLIKELY(leg->cell == CM_UNIT_NONE)) {
        leg->cell = find_cell(w, event);
    }
    struct cm_journal_record *record = cm_journal_add(w->journal, id, w->source_ms);
    if (record != NULL) {
        record->rev = event->rev;
        record->is_cdr = true;
        record->has_leg = true;
        record->leg = place;
    }
    count_leg(w, leg, place, hint->pane_no);
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
                       uint32_t count, struct cm_hint *hints)
{
    uint64_t seats[CM_WINDOWS_EXPECT]; /* hashes */
    CM_ASSERT(count <= CM_WINDOWS_EXPECT);
    for (uint32_t i = 0; i < count; i++) {
        struct cm_hash128 id = cm_hash128(events[i]->id.p, events[i]->id.len);
        cm_journal_expect(w->journal, id);
        if (events[i]->seat.len > 0) {
            seats[i] = cm_units_expect(w->units, CM_KIND_SEAT, events[i]->seat);
        }
        hints[i].id_low = id.low;
        hints[i].id_high = id.high;
        hints[i].rosters = w->rosters;
    }
    for (uint32_t i = 0; i < count; i++) {
        hints[i].pane_no = pane_no(w, events[i]->ts_ms);
        cm_panes_expect(w->panes, hints[i].pane_no);
        hints[i].seat = CM_UNIT_NONE;
        if (events[i]->seat.len > 0) {
            hints[i].seat = cm_units_find_hashed(w->units, CM_KIND_SEAT, events[i]->seat, seats[i]);
            cm_attribution_expect(w->attribution, hints[i].seat);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t queue = cm_units_find(w->units, CM_KIND_QUEUE, events[i]->queue);
        hints[i].set = cm_attribution_set(w->attribution, events[i], hints[i].seat, queue);
        if (hints[i].set != CM_UNIT_NONE) {
            cm_prefetch_write(&w->cells[hints[i].set]);
        }
    }
}

static struct cm_hint hint_of(const struct cm_windows *w, const struct cm_event *event)
{
    struct cm_hash128 id = cm_hash128(event->id.p, event->id.len);
    return (struct cm_hint){.id_low = id.low,
                            .id_high = id.high,
                            .pane_no = pane_no(w, event->ts_ms),
                            .seat = CM_UNIT_NONE,
                            .set = CM_UNIT_NONE};
}

enum cm_verdict cm_windows_apply(struct cm_windows *w, const struct cm_event *event,
                                 const struct cm_hint *hint, int64_t watermark_ms)
{
    struct cm_hint least;
    if (CM_UNLIKELY(hint == NULL)) {
        least = hint_of(w, event);
        hint = &least;
    }
    struct cm_hash128 id = {hint->id_low, hint->id_high};
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
            struct cm_journal_record *late = cm_journal_add(w->journal, id, w->source_ms);
            late->rev = event->rev;
            late->is_cdr = true;
        }
        return CM_VERDICT_LATE;
    }
    if (event->type == CM_EVENT_CDR) {
        count_cdr(w, event, hint, id);
        return revises ? CM_VERDICT_REVISED : CM_VERDICT_COUNTED;
    }
    if (!cm_windows_take_other(w, event, hint)) {
        return CM_VERDICT_LATE;
    }
    (void)cm_journal_add(w->journal, id, w->source_ms);
    return CM_VERDICT_COUNTED;
}
