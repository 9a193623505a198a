// SPDX-License-Identifier: Apache-2.0
#include "engine/frame_fill.h"

#include "base/memory.h"
#include "engine/ownership.h"

static void add_row(struct cm_fill *f, uint32_t unit, uint32_t window, bool is_history)
{
    struct cm_measures m;
    if (cm_windows_asof(f->windows, CM_VIEW_ROWS, window) == INT64_MIN) {
        return; /* a period that has not begun */
    }
    bool counts = cm_windows_measure(f->windows, CM_VIEW_ROWS, window, unit, &m);
    if (is_history && !counts && m.details.count == 0) { /* time in offline is a share too */
        return;
    }
    struct cm_frame_row *row = cm_frame_add_row(f->frame);
    row->key = *cm_units_key(cm_windows_units(f->windows), unit);
    row->unit = unit;
    row->window = window;
    row->is_history = is_history;
    row->asof_ms = cm_windows_asof(f->windows, CM_VIEW_ROWS, window);
    cm_measures_copy(&row->m, &m);
}

static void add_history(struct cm_fill *f, uint32_t window, int64_t end_ms)
{
    int64_t start_ms =
        cm_zone_period_start_ms(f->config->zone, f->config->all[window].period, end_ms - 1);
    if (!f->request->emit_history || start_ms < f->request->whole_ms) {
        return;
    }
    uint32_t units = cm_units_count(cm_windows_units(f->windows));
    for (uint32_t u = 0; u < units; u++) {
        add_row(f, u, window, true);
    }
}

/* Into the period after the one that ends at end_ms, and over those that nothing lies in. */
static void next_period(struct cm_fill *f, uint32_t window, int64_t end_ms, int64_t asof_ms)
{
    int64_t watermark_ms = f->request->watermark_ms;
    int64_t least_ms = end_ms + f->config->all[window].step_ms;
    int64_t next_ms = cm_window_next_asof(&f->config->all[window], watermark_ms);
    int64_t entry_ms = cm_windows_next_entry(f->windows, CM_VIEW_ROWS, window);
    next_ms = entry_ms < next_ms ? entry_ms : next_ms;
    next_ms = asof_ms < next_ms ? asof_ms : next_ms;
    next_ms = next_ms < least_ms ? least_ms : next_ms;
    cm_windows_advance(f->windows, CM_VIEW_ROWS, window, next_ms);
}

/* Closes the calendar periods that the watermark has passed; returns how far the window may go.
 * Until its end has passed, a period stays as of its end, so that what comes late within the
 * lateness is still in it. The first one is that of the first event: so what is closed does not
 * hang on how much is read between two ticks. INT64_MIN: not yet. */
static int64_t close_periods(struct cm_fill *f, uint32_t window, int64_t asof_ms)
{
    const struct cm_frame_request *r = f->request;
    if (cm_windows_asof(f->windows, CM_VIEW_ROWS, window) == INT64_MIN) {
        if (r->first_ms == INT64_MIN) {
            return INT64_MIN;
        }
        int64_t first_ms = cm_window_next_asof(&f->config->all[window], r->first_ms);
        first_ms = first_ms < asof_ms ? first_ms : asof_ms;
        cm_windows_advance(f->windows, CM_VIEW_ROWS, window, first_ms);
    }
    for (;;) {
        int64_t at_ms = cm_windows_asof(f->windows, CM_VIEW_ROWS, window);
        int64_t end_ms =
            cm_zone_period_end_ms(f->config->zone, f->config->all[window].period, at_ms - 1);
        if (asof_ms <= end_ms) {
            return asof_ms;
        }
        if ((r->hold_periods && end_ms > r->passed_ms) || r->watermark_ms < end_ms) {
            return end_ms;
        }
        cm_windows_advance(f->windows, CM_VIEW_ROWS, window, end_ms);
        add_history(f, window, end_ms);
        next_period(f, window, end_ms, asof_ms);
    }
}

static void advance_rows(struct cm_fill *f)
{
    const struct cm_frame_request *r = f->request;
    for (uint32_t i = 0; i < f->config->all_count; i++) {
        int64_t asof_ms = cm_window_next_asof(&f->config->all[i], r->now_ms);
        if (f->config->all[i].is_period) {
            asof_ms = close_periods(f, i, asof_ms);
        }
        if (asof_ms == INT64_MIN || asof_ms < cm_windows_asof(f->windows, CM_VIEW_ROWS, i)) {
            continue;
        }
        cm_windows_advance(f->windows, CM_VIEW_ROWS, i, asof_ms);
    }
}

/* Whether no period stands whose end lies at or before that instant. */
static bool is_closed(const struct cm_fill *f, uint32_t window, int64_t until_ms)
{
    int64_t at_ms = cm_windows_asof(f->windows, CM_VIEW_ROWS, window);
    return at_ms == INT64_MIN ||
           cm_zone_period_end_ms(f->config->zone, f->config->all[window].period, at_ms - 1) >
               until_ms;
}

/* Rules, and ends of periods, up to the watermark. A judgement counts in what is as of later than
 * itself: before each one, what is as of up to it. */
static void pass_judgements(struct cm_fill *f)
{
    const struct cm_frame_request *whole = f->request;
    struct cm_frame_request part = *whole;
    int64_t next_ms = cm_windows_next_judgement(f->windows);
    f->request = &part;
    for (; next_ms < whole->watermark_ms; next_ms = cm_windows_next_judgement(f->windows)) {
        part.watermark_ms = next_ms;
        cm_rule_walk(f->windows, f->config, next_ms, &f->frame->rules);
        bool closed = true;
        for (uint32_t i = f->config->windows.count; i < f->config->all_count; i++) {
            int64_t asof_ms = cm_window_next_asof(&f->config->all[i], whole->now_ms);
            (void)close_periods(f, i, asof_ms);
            closed = closed && is_closed(f, i, next_ms);
        }
        if (whole->hold_judgements && !closed) {
            break;
        }
        cm_windows_settle(f->windows, next_ms + 1);
    }
    f->request = whole;
    next_ms = next_ms < whole->watermark_ms ? next_ms : whole->watermark_ms;
    cm_windows_settle(f->windows, next_ms);
    cm_rule_walk(f->windows, f->config, next_ms, &f->frame->rules);
}

static void add_gauges(struct cm_fill *f)
{
    uint32_t count = 0;
    const struct cm_unit_gauge *gauges = cm_windows_gauges(f->windows, f->request->now_ms, &count);
    for (uint32_t i = 0; i < count; i++) {
        struct cm_frame_gauge *gauge = cm_frame_add_gauge(f->frame);
        gauge->key = *cm_units_key(cm_windows_units(f->windows), gauges[i].unit);
        gauge->gauge = gauges[i].gauge;
    }
}

/* The oldest event time that a window, a period or a judgement still reaches into, and the ids
 * before it. */
static int64_t rebuild_from_ms(const struct cm_fill *f)
{
    int64_t from_ms = INT64_MAX;
    for (uint32_t i = 0; i < f->config->all_count; i++) {
        const struct cm_window_spec *window = &f->config->all[i];
        int64_t asof_ms = cm_windows_asof(f->windows, CM_VIEW_ROWS, i);
        if (asof_ms == INT64_MIN) {
            return 0;
        }
        int64_t left_ms = window->is_period ? cm_zone_period_start_ms(f->config->zone,
                                                                      window->period, asof_ms - 1)
                                            : asof_ms - window->length_ms;
        from_ms = left_ms < from_ms ? left_ms : from_ms;
    }
    /* A judgement looks for its call further back than windows may reach. */
    int64_t judged_ms =
        f->request->now_ms == INT64_MIN ? 0 : f->request->now_ms - f->config->judge_within_ms;
    from_ms = judged_ms < from_ms ? judged_ms : from_ms;
    from_ms -= f->config->dedupe_ms + f->config->allowed_lateness_ms;
    return from_ms > 0 ? from_ms : 0;
}

static void add_positions(struct cm_fill *f)
{
    struct cm_frame *frame = f->frame;
    if (frame->positions_cap < f->partitions_count) {
        frame->positions_cap = f->partitions_count;
        frame->positions =
            cm_realloc(frame->positions, frame->positions_cap, sizeof(*frame->positions));
    }
    int64_t from_ms = rebuild_from_ms(f);
    int64_t whole_ms = from_ms > f->request->whole_ms ? from_ms : f->request->whole_ms;
    for (uint32_t i = 0; i < f->partitions_count; i++) {
        if (f->partitions[i].next_offset == CM_OFFSET_NONE) {
            continue;
        }
        struct cm_position *position = &frame->positions[frame->positions_count++];
        position->partition = f->partitions[i].id;
        position->offset = f->partitions[i].next_offset;
        int64_t from = cm_partition_rebuild_offset(&f->partitions[i], from_ms);
        cm_rebuild_write(&(struct cm_rebuild){from, whole_ms, f->request->clock_ms},
                         position->metadata);
    }
}

static void add_changed(struct cm_fill *f)
{
    uint32_t count = 0;
    const struct cm_changed_unit *changed = cm_windows_changed(f->windows, CM_VIEW_ROWS, &count);
    struct cm_unit_order *order = &f->frame->order;
    order->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        cm_unit_order_add(order, changed[i].unit, changed[i].windows);
    }
    cm_unit_order_sort(order);
    for (uint32_t i = 0; i < order->count; i++) {
        cm_windows_expect_rows(f->windows, CM_VIEW_ROWS, order->items, order->count, i);
        for (uint32_t bits = order->items[i].windows; bits != 0; bits &= bits - 1) {
            add_row(f, order->items[i].unit, (uint32_t)__builtin_ctz(bits), false);
        }
    }
}

void cm_frame_fill(const struct cm_fill *fill)
{
    struct cm_fill own = *fill;
    struct cm_fill *f = &own;
    const struct cm_frame_request *r = f->request;

    cm_frame_clear(f->frame);
    if (r->now_ms != INT64_MIN) {
        pass_judgements(f);
        advance_rows(f);
        if (r->resync) {
            cm_windows_touch_all(f->windows, CM_VIEW_ROWS);
        }
        if (r->emit_rows) {
            add_changed(f);
            add_gauges(f);
        }
        cm_windows_trim(f->windows);
    }
    add_positions(f);
}
