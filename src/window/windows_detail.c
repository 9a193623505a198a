// SPDX-License-Identifier: Apache-2.0
/* windows_detail.c — the part of windows.h beside the tallies: seat states, judgements, checks by
 * name, gauges. They live in sums (sums.h), whose spans follow the windows of both views. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "window/windows_state.h"

/* Time that only runs on is shown this often; what changes is shown at once. */
#define RUNNING_STEP_MS 5000

#define FEW_NAMES 16u /* of checks */

static void sums_changed(void *context, uint32_t span, uint32_t unit)
{
    struct cm_windows *w = context;
    cm_windows_note_unit(w, unit);
    cm_windows_mark(w, w->detail.view_of[span], unit, 1u << w->detail.window_of[span]);
}

/* Windows whose rules look at a figure that runs on by itself. */
static uint32_t running_rules(const struct cm_config *config)
{
    uint32_t windows = 0;
    for (uint32_t i = 0; i < config->rules.count; i++) {
        if (config->rules.at[i].metric == CM_FIGURE_occupancy) {
            windows |= 1u << config->rules.at[i].window;
        }
    }
    return windows;
}

static int64_t longest_ms(const struct cm_config *config)
{
    int64_t longest_ms = 0;
    for (uint32_t i = 0; i < config->windows.count; i++) {
        int64_t length_ms = config->windows.at[i].length_ms;
        longest_ms = length_ms > longest_ms ? length_ms : longest_ms;
    }
    return longest_ms;
}

void cm_windows_detail_open(struct cm_windows *w)
{
    const struct cm_config *config = w->config;
    struct detail *d = &w->detail;
    d->sums = cm_sums_create(w->pane_ms, sums_changed, w);
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        for (uint32_t i = 0; i < config->all_count; i++) {
            if (!w->views[v].spans[i].used) {
                continue;
            }
            uint32_t span = cm_sums_add_span(d->sums, config->all[i].is_period, w->views[v].kinds);
            if (v == CM_VIEW_ROWS && !config->all[i].is_period) {
                cm_sums_tell_left(d->sums, span);
            }
            d->span[v][i] = (uint8_t)span;
            d->view_of[span] = (uint8_t)v;
            d->window_of[span] = (uint8_t)i;
        }
    }
    d->sets = cm_unit_sets_create();
    d->states = cm_seat_states_create(d->sums, d->sets, w->units,
                                      longest_ms(config) + config->allowed_lateness_ms);
    d->judgements = cm_judgements_create(config, d->sums, d->sets, w->units);
    int64_t keep_ms = config->allowed_lateness_ms > config->dedupe_ms ? config->allowed_lateness_ms
                                                                      : config->dedupe_ms;
    d->waits = cm_queue_waits_create(d->sets, config->orphan_after_ms, keep_ms);
    d->running_rules = running_rules(config);
    d->settled_ms = INT64_MIN;
    d->next_ms = INT64_MAX;
}

void cm_windows_detail_close(struct cm_windows *w)
{
    struct detail *d = &w->detail;
    cm_queue_waits_destroy(d->waits);
    cm_judgements_destroy(d->judgements);
    cm_seat_states_destroy(d->states);
    cm_unit_sets_destroy(d->sets);
    cm_sums_destroy(d->sums);
    cm_marks_free(&d->marks);
    free(d->checks);
    cm_details_free(&d->scratch);
    free(d->gauges);
}

/* ---- taking events */

static uint32_t set_of(struct cm_windows *w, const struct cm_event *event,
                       const struct cm_hint *hint)
{
    uint32_t set = hinted_set(w, hint);
    if (set != CM_UNIT_NONE) {
        return set; /* that of an earlier leg, so its units are there */
    }
    struct cm_unit_set units;
    (void)cm_attribution_resolve(w->attribution, event, &units);
    for (uint32_t i = 0; i < units.count; i++) {
        cm_windows_note_unit(w, units.units[i]);
    }
    return cm_unit_sets_intern(w->detail.sets, units.units, units.count);
}

/* One that comes when its instant is settled counts at once. */
static void take_check(struct cm_windows *w, const struct cm_event *event,
                       const struct cm_hint *hint)
{
    struct detail *d = &w->detail;
    bool late = event->ts_ms < d->settled_ms;
    cm_judgements_take(d->judgements, event, &d->marks, set_of(w, event, hint),
                       late ? w->clock_ms : INT64_MIN);
    if (late) {
        cm_judgements_settle(d->judgements, event->ts_ms + 1);
    }
    d->next_ms = cm_judgements_next_ms(d->judgements);
}

bool cm_windows_take_other(struct cm_windows *w, const struct cm_event *event,
                           const struct cm_hint *hint)
{
    struct detail *d = &w->detail;
    uint32_t seat = hint->seat;
    switch ((enum cm_event_type)event->type) {
    case CM_EVENT_SEAT_STATE:
        seat = seat != CM_UNIT_NONE ? seat : cm_units_intern(w->units, CM_KIND_SEAT, event->seat);
        return cm_seat_states_take(d->states, seat, set_of(w, event, hint), event, w->clock_ms);
    case CM_EVENT_CHECK:
        cm_marks_judge(&d->marks, event, w->config);
        take_check(w, event, hint);
        return true;
    case CM_EVENT_QUEUE_ENTER:
    case CM_EVENT_QUEUE_EXIT:
        cm_queue_waits_take(d->waits, event, set_of(w, event, hint), w->clock_ms);
        return true;
    case CM_EVENT_CDR:
    case CM_EVENT_CASE:
    case CM_EVENT_COUNT:
        break;
    }
    return true;
}

void cm_windows_detail_checks(struct cm_windows *w, struct cm_leg *leg)
{
    struct detail *d = &w->detail;
    uint32_t count = d->marks.count;
    if (count > d->checks_cap) {
        d->checks_cap = 2 * count;
        d->checks = cm_realloc(d->checks, d->checks_cap, sizeof(*d->checks));
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t name = cm_sums_name_key(d->sums, d->marks.at[i].name) - CM_SUM_NAMES;
        d->checks[i] = (uint16_t)(name << 1 | d->marks.at[i].passed);
    }
    cm_leg_log_set_checks(&w->legs, leg, d->checks, count);
}

uint32_t cm_windows_detail_set(struct cm_windows *w, const struct cm_unit_set *units)
{
    uint32_t set = cm_unit_sets_intern(w->detail.sets, units->units, units->count);
    cm_attribution_note_set(w->attribution, set);
    return set;
}

void cm_windows_detail_leg(struct cm_windows *w, const struct cm_event *event,
                           const struct cm_leg *leg, struct cm_journal_record *record)
{
    struct detail *d = &w->detail;
    uint32_t place = CM_JUDGED_NONE;
    if (event->seat.len > 0) { /* else no judgement speaks of it */
        place = cm_judgements_add_leg(
            d->judgements, event, leg->cell, cm_leg_has(leg, CM_TALLY_AT_checked),
            cm_leg_has(leg, CM_TALLY_AT_compliant), d->judged, w->clock_ms);
    }
    if (record != NULL) {
        record->judged = place;
    }
    cm_queue_waits_take(d->waits, event, 0, w->clock_ms);
}

void cm_windows_detail_take_back(struct cm_windows *w, const struct cm_journal_record *record)
{
    w->detail.judged = cm_judgements_drop_leg(w->detail.judgements, record->judged);
}

static CM_NOINLINE void settle(struct detail *d, int64_t before_ms)
{
    cm_judgements_settle(d->judgements, before_ms);
    d->next_ms = cm_judgements_next_ms(d->judgements);
}

void cm_windows_settle(struct cm_windows *w, int64_t before_ms)
{
    struct detail *d = &w->detail;
    d->settled_ms = before_ms > d->settled_ms ? before_ms : d->settled_ms;
    if (CM_UNLIKELY(d->next_ms < before_ms)) {
        settle(d, before_ms);
    }
}

int64_t cm_windows_next_judgement(const struct cm_windows *w)
{
    return w->detail.next_ms;
}

/* ---- moving on */

void cm_windows_detail_advance(struct cm_windows *w, enum cm_view view, uint32_t window,
                               int64_t left_no, int64_t asof_no)
{
    struct detail *d = &w->detail;
    uint32_t span = d->span[view][window];
    int64_t before_ms = w->views[view].spans[window].asof_ms;
    cm_sums_move(d->sums, span, left_no, asof_no);
    bool due =
        view == CM_VIEW_RULES
            ? (d->running_rules >> window & 1u) != 0 && cm_sums_is_running(d->sums, span)
            : before_ms == INT64_MIN || divide_down(before_ms, RUNNING_STEP_MS) !=
                                            divide_down(asof_no * w->pane_ms, RUNNING_STEP_MS);
    if (due) {
        cm_sums_mark_running(d->sums, span);
    }
}

int64_t cm_windows_detail_entry_ms(const struct cm_windows *w, enum cm_view view, uint32_t window)
{
    int64_t no = cm_sums_next_entry_no(w->detail.sums, w->detail.span[view][window]);
    return no == INT64_MAX
               ? INT64_MAX
               : cm_window_next_asof(&w->config->all[window], (no + 1) * w->pane_ms - 1);
}

int64_t cm_windows_detail_change_ms(const struct cm_windows *w, enum cm_view view, uint32_t window,
                                    int64_t least_ms)
{
    const struct detail *d = &w->detail;
    const struct cm_window_spec *spec = &w->config->all[window];
    uint32_t span = d->span[view][window];
    if (view == CM_VIEW_RULES && (d->running_rules >> window & 1u) != 0 &&
        cm_sums_is_running(d->sums, span) && !cm_sums_is_steady(d->sums, span)) {
        return least_ms;
    }
    int64_t leave_no = spec->is_period ? INT64_MAX : cm_sums_next_leave_no(d->sums, span);
    int64_t asof_no = pane_no(w, w->views[view].spans[window].asof_ms);
    int64_t leave_ms =
        leave_no < asof_no
            ? cm_window_next_asof(spec, (leave_no + 1) * w->pane_ms + spec->length_ms - 1)
            : INT64_MAX;
    int64_t entry_ms = cm_windows_detail_entry_ms(w, view, window);
    return leave_ms < entry_ms ? leave_ms : entry_ms;
}

/* ---- looking */

static void correct_tally(struct cm_windows *w, uint32_t span, uint32_t unit,
                          struct cm_tally *tally)
{
    const struct cm_sums *sums = w->detail.sums;
    struct cm_sum judged = cm_sums_get(sums, span, unit, CM_SUM_JUDGED);
    struct cm_sum weight = cm_sums_get(sums, span, unit, CM_SUM_WEIGHT);
    struct cm_sum veto = cm_sums_get(sums, span, unit, CM_SUM_VETO);
    tally->checked += (uint32_t)judged.a;
    tally->compliant += (uint32_t)judged.b;
    tally->check_weight += weight.a;
    tally->check_weight_passed += weight.b;
    tally->vetoes += (uint32_t)veto.a;
}

static void add_states(struct cm_windows *w, uint32_t span, uint32_t unit, struct cm_measures *out)
{
    for (uint32_t state = 0; state < CM_STATE_COUNT; state++) {
        const struct cm_sums *sums = w->detail.sums;
        uint64_t ms = cm_sums_state_ms(sums, span, unit, (enum cm_state)state);
        out->running[state] = cm_sums_state_running(sums, span, unit, (enum cm_state)state);
        if (ms == 0) {
            continue;
        }
        cm_details_add(&w->detail.scratch,
                       &(struct cm_detail){CM_DETAIL_STATE, (uint8_t)state, {0}, ms, 0});
        cm_measures_add_state(out, (enum cm_state)state, ms);
    }
}

/* Of that name: those of the legs and those of judgements. Adds the former to `record`. */
static void add_name(struct cm_windows *w, uint32_t span, uint32_t unit, uint32_t name,
                     const struct cm_check_sums *checks, struct cm_detail *record)
{
    struct cm_sum sum = {0, 0};
    if (name < checks->count) {
        sum = (struct cm_sum){checks->at[name].evaluated, checks->at[name].passed};
        record->count += sum.a;
        record->passed += sum.b;
    }
    if (unit != CM_UNIT_NONE) {
        struct cm_sum more = cm_sums_get(w->detail.sums, span, unit, CM_SUM_NAMES + name);
        sum = (struct cm_sum){sum.a + more.a, sum.b + more.b};
    }
    if (sum.a != 0) {
        struct cm_str text = cm_sums_name(w->detail.sums, CM_SUM_NAMES + name);
        cm_details_add(&w->detail.scratch,
                       &(struct cm_detail){CM_DETAIL_CHECK, 0, text, sum.a, sum.b});
    }
}

/* By name, of legs alone, in the order of details. */
static void add_own_checks(struct cm_windows *w, const struct cm_check_sums *checks,
                           const uint16_t *order, uint32_t names, struct cm_detail *record)
{
    for (uint32_t i = 0; i < names; i++) {
        uint32_t name = order[i];
        if (name < checks->count && checks->at[name].evaluated > 0) {
            struct cm_str text = cm_sums_name(w->detail.sums, CM_SUM_NAMES + name);
            struct cm_detail item = {CM_DETAIL_CHECK, 0, text, checks->at[name].evaluated,
                                     checks->at[name].passed};
            record->count += item.count;
            record->passed += item.passed;
            cm_details_add(&w->detail.scratch, &item);
        }
    }
}

/* By name, and by source: each judgement's, and the record's own. In the order of details, unless
 * there are so many names that looking at those of the unit and sorting them takes less. */
static void add_checks(struct cm_windows *w, uint32_t span, uint32_t unit, uint32_t keys,
                       const struct cm_check_sums *checks)
{
    const struct cm_sums *sums = w->detail.sums;
    struct cm_detail record = {CM_DETAIL_SOURCE, CM_DETAIL_SOURCE_RECORD, {0}, 0, 0};
    uint32_t judged = keys > CM_SUM_NAMES ? keys - CM_SUM_NAMES : 0;
    uint32_t judged_unit = judged > 0 ? unit : CM_UNIT_NONE;
    uint32_t own = judged > checks->count ? judged : checks->count;
    uint32_t names;
    const uint16_t *order = cm_sums_name_order(sums, &names);
    bool in_order = names <= FEW_NAMES + 2 * own;
    own = own < names ? own : names;
    if (judged == 0 && in_order) {
        add_own_checks(w, checks, order, names, &record);
    } else {
        for (uint32_t i = 0; i < (in_order ? names : own); i++) {
            add_name(w, span, judged_unit, in_order ? order[i] : i, checks, &record);
        }
    }
    if (record.count != 0) {
        cm_details_add(&w->detail.scratch, &record);
    }
    for (uint32_t i = 0; keys > CM_SUM_SOURCE && i < CM_SOURCE_COUNT; i++) {
        struct cm_sum sum = cm_sums_get(sums, span, unit, CM_SUM_SOURCE + i);
        if (sum.a != 0) {
            cm_details_add(
                &w->detail.scratch,
                &(struct cm_detail){CM_DETAIL_SOURCE, (uint8_t)(1 + i), {0}, sum.a, sum.b});
        }
    }
    if (!in_order) {
        cm_details_sort(&w->detail.scratch);
    }
}

void cm_windows_detail_measure(struct cm_windows *w, enum cm_view view, uint32_t window,
                               uint32_t unit, const struct cm_check_sums *checks,
                               struct cm_measures *out)
{
    struct cm_details *scratch = &w->detail.scratch;
    uint32_t span = w->detail.span[view][window];
    uint32_t keys = cm_sums_keys(w->detail.sums, unit);
    scratch->count = 0;
    if (keys > 0) {
        correct_tally(w, span, unit, &out->tally);
        add_states(w, span, unit, out);
    }
    if (keys > 0 || checks->count > 0) {
        add_checks(w, span, unit, keys, checks);
        out->details = *scratch;
    }
}

/* ---- gauges */

static struct cm_unit_gauge *add_gauge(struct cm_windows *w, uint32_t unit)
{
    struct detail *d = &w->detail;
    if (d->gauges_count == d->gauges_cap) {
        d->gauges_cap = d->gauges_cap == 0 ? 256 : 2 * d->gauges_cap;
        d->gauges = cm_realloc(d->gauges, d->gauges_cap, sizeof(*d->gauges));
    }
    struct cm_unit_gauge *gauge = &d->gauges[d->gauges_count++];
    memset(gauge, 0, sizeof(*gauge));
    gauge->unit = unit;
    return gauge;
}

const struct cm_unit_gauge *cm_windows_gauges(struct cm_windows *w, int64_t now_ms, uint32_t *count)
{
    struct detail *d = &w->detail;
    uint32_t changed = 0;
    d->gauges_count = 0;
    cm_queue_waits_expire(d->waits, now_ms);
    const struct cm_queue_gauge *waits = cm_queue_waits_look(d->waits, &changed);
    for (uint32_t i = 0; i < changed; i++) {
        struct cm_gauge *gauge = &add_gauge(w, waits[i].unit)->gauge;
        gauge->has_waits = true;
        gauge->calls_waiting = waits[i].calls;
        gauge->waiting_since_ms = waits[i].since_ms;
    }
    const uint32_t *units = cm_seat_states_changed(d->states, &changed);
    for (uint32_t i = 0; i < changed; i++) {
        struct cm_gauge *gauge = &add_gauge(w, units[i])->gauge;
        gauge->has_states = true;
        memcpy(gauge->seats, cm_seat_states_counts(d->states, units[i]), sizeof(gauge->seats));
        if (!cm_seat_states_now(d->states, units[i], &gauge->state, &gauge->since_ms)) {
            gauge->since_ms = INT64_MIN;
        }
    }
    *count = d->gauges_count;
    return d->gauges;
}

void cm_windows_carry_orphans(struct cm_windows *w, const struct cm_windows *before)
{
    cm_queue_waits_carry(w->detail.waits, before->detail.waits);
}

uint64_t cm_windows_orphans(const struct cm_windows *w)
{
    return cm_queue_waits_orphans(w->detail.waits);
}
