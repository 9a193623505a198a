// SPDX-License-Identifier: Apache-2.0
#include "engine/run_time.h"

#include "base/clock.h"
#include "window/windows.h"

void cm_run_time_init(struct cm_run_time *t)
{
    t->now_ms = t->watermark_ms = t->first_ms = t->clock_ms = t->lead_ns = INT64_MIN;
}

void cm_run_time_take_up(struct cm_run_time *t, int64_t now_ns)
{
    t->lead_ns = (cm_clock_wall_ms() + t->clock_ms) * CM_NS_PER_MS - now_ns;
    t->clock_ms = INT64_MIN;
}

/* Where calendar periods begin: known when all workers have begun. */
static void note_first(struct cm_run_time *t, struct cm_worker *const *workers, uint32_t count)
{
    int64_t first_ms = INT64_MAX;
    for (uint32_t w = 0; w < count; w++) {
        int64_t mine_ms = cm_worker_first_ms(workers[w]);
        first_ms = mine_ms < first_ms ? mine_ms : first_ms;
    }
    if (t->first_ms == INT64_MIN && first_ms != INT64_MAX) {
        t->first_ms = first_ms;
    }
}

void cm_run_time_note(struct cm_run_time *t, int64_t lateness_ms, struct cm_worker *const *workers,
                      uint32_t count, int64_t now_ns)
{
    int64_t watermark_ms = INT64_MAX;
    note_first(t, workers, count);
    if (t->lead_ns != INT64_MIN) {
        int64_t now_ms = (now_ns + t->lead_ns) / CM_NS_PER_MS;
        t->now_ms = now_ms > t->now_ms && t->now_ms != INT64_MIN ? now_ms : t->now_ms;
    }
    for (uint32_t w = 0; w < count; w++) {
        int64_t now_ms = cm_worker_event_now_ms(workers[w], now_ns);
        t->now_ms = now_ms > t->now_ms ? now_ms : t->now_ms;
        int64_t mine_ms = cm_worker_watermark_ms(workers[w]);
        watermark_ms = mine_ms < watermark_ms ? mine_ms : watermark_ms;
    }
    if (t->now_ms == INT64_MIN) {
        return;
    }
    int64_t most_ms = t->now_ms - lateness_ms;
    watermark_ms = watermark_ms < most_ms ? watermark_ms : most_ms;
    t->watermark_ms = watermark_ms > t->watermark_ms ? watermark_ms : t->watermark_ms;
}

static int64_t period_asof_ms(const struct cm_config *config, uint32_t window, int64_t now_ms,
                              int64_t watermark_ms)
{
    const struct cm_window_spec *spec = &config->all[window];
    int64_t asof_ms = cm_window_next_asof(spec, now_ms);
    int64_t end_ms = cm_zone_period_end_ms(config->zone, spec->period, watermark_ms);
    return asof_ms < end_ms ? asof_ms : end_ms;
}

bool cm_run_time_is_before(const struct cm_run_time *t, const struct cm_config *config,
                           int64_t now_ms, int64_t watermark_ms)
{
    bool before = false;
    for (uint32_t i = 0; i < config->all_count && watermark_ms > 0 && !before; i++) {
        before = config->all[i].is_period &&
                 (t->watermark_ms < 0 || period_asof_ms(config, i, t->now_ms, t->watermark_ms) <
                                             period_asof_ms(config, i, now_ms, watermark_ms));
    }
    return before;
}
