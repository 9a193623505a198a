// SPDX-License-Identifier: Apache-2.0
#include "engine/rule_steps.h"

#include <stdlib.h>

#include "base/memory.h"

uint32_t cm_rule_windows(const struct cm_config *config)
{
    uint32_t windows = 0;
    for (uint32_t i = 0; i < config->rules.count; i++) {
        windows |= 1u << config->rules.at[i].window;
    }
    return windows;
}

uint32_t cm_rule_kinds(const struct cm_config *config)
{
    uint32_t kinds = 0;
    for (uint32_t i = 0; i < config->rules.count; i++) {
        kinds |= 1u << config->rules.at[i].kind;
    }
    return kinds;
}

void cm_rule_log_clear(struct cm_rule_log *log)
{
    for (uint32_t i = 0; i < log->count; i++) {
        cm_measures_free(&log->at[i].m);
    }
    log->count = 0;
}

void cm_rule_log_free(struct cm_rule_log *log)
{
    cm_rule_log_clear(log);
    free(log->at);
    log->at = NULL;
    log->cap = 0;
}

static struct cm_observation *log_add(struct cm_rule_log *log)
{
    if (log->count == log->cap) {
        log->cap = log->cap == 0 ? 256 : 2 * log->cap;
        log->at = cm_realloc(log->at, log->cap, sizeof(*log->at));
    }
    return &log->at[log->count++];
}

/* The last multiple of the step that the watermark has passed. */
static int64_t last_asof(const struct cm_window_spec *window, int64_t watermark_ms)
{
    return cm_window_next_asof(window, watermark_ms) - window->step_ms;
}

static void write_down(struct cm_windows *windows, uint32_t window, int64_t asof_ms,
                       struct cm_rule_log *log)
{
    uint32_t count = 0;
    const struct cm_changed_unit *changed =
        cm_windows_changed_in(windows, CM_VIEW_RULES, window, &count);
    for (uint32_t i = 0; i < count; i++) {
        struct cm_measures m;
        (void)cm_windows_measure(windows, CM_VIEW_RULES, window, changed[i].unit, &m);
        struct cm_observation *seen = log_add(log);
        seen->asof_ms = asof_ms;
        seen->window = window;
        seen->key = *cm_units_key(cm_windows_units(windows), changed[i].unit);
        cm_measures_own(&seen->m, &m);
    }
}

void cm_rule_walk(struct cm_windows *windows, const struct cm_config *config, int64_t watermark_ms,
                  struct cm_rule_log *log)
{
    uint32_t wanted = cm_rule_windows(config);
    if (wanted == 0 || watermark_ms == INT64_MIN) {
        return;
    }
    for (;;) {
        /* The earliest open step over all windows; ties go to the window that is configured first.
         */
        int64_t next_ms = INT64_MAX;
        uint32_t next = 0;
        for (uint32_t i = 0; i < config->all_count; i++) {
            if ((wanted >> i & 1u) == 0) {
                continue;
            }
            int64_t step_ms = cm_windows_next_change(windows, CM_VIEW_RULES, i);
            if (step_ms < next_ms) {
                next_ms = step_ms;
                next = i;
            }
        }
        if (next_ms > watermark_ms) {
            break;
        }
        cm_windows_advance(windows, CM_VIEW_RULES, next, next_ms);
        write_down(windows, next, next_ms, log);
    }
    /* Nothing changes on the rest of the way. */
    for (uint32_t i = 0; i < config->all_count; i++) {
        int64_t asof_ms = last_asof(&config->all[i], watermark_ms);
        if ((wanted >> i & 1u) != 0 && asof_ms > cm_windows_asof(windows, CM_VIEW_RULES, i)) {
            cm_windows_advance(windows, CM_VIEW_RULES, i, asof_ms);
        }
    }
}

void cm_rule_feed_init(struct cm_rule_feed *feed)
{
    for (uint32_t i = 0; i < CM_WINDOWS_MAX; i++) {
        feed->last_ms[i] = INT64_MIN;
        feed->end_ms[i] = INT64_MAX;
    }
}

/* The next step that somebody needs: the next observation, or the step at which a timer runs out.
 */
static bool next_step(const struct cm_rule_feed *feed, const struct cm_config *config,
                      const struct cm_breaches *breaches, const struct cm_observation *seen,
                      int64_t watermark_ms, int64_t *asof_ms, uint32_t *window)
{
    *asof_ms = INT64_MAX;
    if (seen != NULL) {
        *asof_ms = seen->asof_ms;
        *window = seen->window;
    }
    for (uint32_t i = 0; i < config->all_count; i++) {
        int64_t wake_ms = cm_breaches_wake_ms(breaches, i);
        if (feed->last_ms[i] == INT64_MIN || wake_ms > watermark_ms) {
            continue;
        }
        int64_t timer_ms = cm_window_next_asof(&config->all[i], wake_ms - 1);
        int64_t least_ms = feed->last_ms[i] + config->all[i].step_ms;
        timer_ms = timer_ms < least_ms ? least_ms : timer_ms;
        if (timer_ms <= watermark_ms && timer_ms <= feed->end_ms[i] &&
            (timer_ms < *asof_ms || (timer_ms == *asof_ms && i < *window))) {
            *asof_ms = timer_ms;
            *window = i;
        }
    }
    return *asof_ms != INT64_MAX;
}

static uint32_t skip_ended(const struct cm_rule_feed *feed, const struct cm_rule_log *log,
                           uint32_t at)
{
    while (at < log->count && log->at[at].asof_ms > feed->end_ms[log->at[at].window]) {
        at++;
    }
    return at;
}

void cm_rule_feed_run(struct cm_rule_feed *feed, const struct cm_config *config,
                      struct cm_breaches *breaches, const struct cm_rule_log *log,
                      int64_t watermark_ms)
{
    uint32_t at = skip_ended(feed, log, 0);
    int64_t asof_ms = 0;
    uint32_t window = 0;
    while (next_step(feed, config, breaches, at < log->count ? &log->at[at] : NULL, watermark_ms,
                     &asof_ms, &window)) {
        for (; at < log->count && log->at[at].asof_ms == asof_ms && log->at[at].window == window;
             at++) {
            const struct cm_observation *seen = &log->at[at];
            bool empty = cm_measures_are_empty(&seen->m);
            cm_breaches_observe(breaches, window, asof_ms, seen->key.kind, seen->key.id,
                                empty ? NULL : &seen->m);
        }
        cm_breaches_step(breaches, window, asof_ms);
        feed->last_ms[window] = asof_ms;
        at = skip_ended(feed, log, at);
    }
}
