// SPDX-License-Identifier: Apache-2.0
#include "bench/live.h"

#include "base/clock.h"

#define TICK_MS 200

void cm_bench_live_init(struct cm_bench_live *live, struct cm_windows *windows,
                        const struct cm_config *config, bool trailing)
{
    *live = (struct cm_bench_live){
        .windows = windows,
        .config = config,
        .trailing = trailing,
        .reads = true,
        .tick_ms = TICK_MS,
        .next_tick_ms = INT64_MIN,
        .watermark_ms = INT64_MIN,
    };
}

static void advance(struct cm_bench_live *live, int64_t now_ms)
{
    const struct cm_config *config = live->config;
    for (uint32_t i = 0; i < config->all_count; i++) {
        const struct cm_window_spec *window = &config->all[i];
        /* As advance_rows() of engine/frame_fill.c, or as one that nobody looks at. */
        int64_t asof_ms = live->trailing ? live->watermark_ms - live->watermark_ms % window->step_ms
                                         : cm_window_next_asof(window, now_ms);
        if (asof_ms >= cm_windows_asof(live->windows, CM_VIEW_ROWS, i)) {
            cm_windows_advance(live->windows, CM_VIEW_ROWS, i, asof_ms);
        }
    }
}

static void read_changed(struct cm_bench_live *live)
{
    uint32_t count = 0;
    const struct cm_changed_unit *changed = cm_windows_changed(live->windows, CM_VIEW_ROWS, &count);
    for (uint32_t i = 0; live->reads && i < count; i++) {
        cm_windows_expect_rows(live->windows, CM_VIEW_ROWS, changed, count, i);
        for (uint32_t bits = changed[i].windows; bits != 0; bits &= bits - 1) {
            struct cm_measures m;
            (void)cm_windows_measure(live->windows, CM_VIEW_ROWS, (uint32_t)__builtin_ctz(bits),
                                     changed[i].unit, &m);
            live->checksum += m.tally.sum[0];
            live->rows++;
        }
    }
}

static void tick(struct cm_bench_live *live, int64_t now_ms)
{
    live->watermark_ms = now_ms - live->config->allowed_lateness_ms;
    int64_t begin_ns = cm_clock_mono_ns();
    advance(live, now_ms);
    int64_t advanced_ns = cm_clock_mono_ns();
    live->advance_ns += advanced_ns - begin_ns;
    if (!live->trailing) {
        read_changed(live);
    }
    int64_t read_ns = cm_clock_mono_ns();
    live->rows_ns += read_ns - advanced_ns;
    cm_windows_trim(live->windows);
    live->advance_ns += cm_clock_mono_ns() - read_ns;
    live->ticks++;
}

void cm_bench_live_apply(struct cm_bench_live *live, const struct cm_event *event,
                         const struct cm_hint *hint)
{
    if (live->next_tick_ms == INT64_MIN) {
        live->next_tick_ms = event->ts_ms - event->ts_ms % live->tick_ms + live->tick_ms;
    }
    while (live->next_tick_ms <= event->ts_ms) {
        tick(live, live->next_tick_ms);
        live->next_tick_ms += live->tick_ms;
    }
    live->checksum += cm_windows_apply(live->windows, event, hint, live->watermark_ms);
}
