// SPDX-License-Identifier: Apache-2.0
/* rule_steps.h — walks the RULES view up to the watermark, step by step, and hands breach rules
 * their figures.
 *
 * Every as-of instant T (a multiple of a rule window's step) is visited once the watermark has
 * passed it, in the order T, window; so breaches depend on event time only, and a replay raises the
 * same ones.
 *
 * With several workers each walks its own share and writes down what it saw (cm_rule_log); the
 * service thread merges the logs: a unit that lives in two workers is summed.
 *
 * THREADS   A log belongs to the worker until it is handed over whole.
 */
#ifndef CM_ENGINE_RULE_STEPS_H
#define CM_ENGINE_RULE_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "rule/breach.h"
#include "window/windows.h"

/* Bits of the windows and of the kinds that the configuration's rules look at. */
uint32_t cm_rule_windows(const struct cm_config *config);
uint32_t cm_rule_kinds(const struct cm_config *config);

/* The figures of one unit as of one step. */
struct cm_observation {
    int64_t asof_ms;
    uint32_t window;
    struct cm_unit_key key; /* text borrowed from the units' table */
    struct cm_measures m;   /* owned */
};

struct cm_rule_log {
    struct cm_observation *at;
    uint32_t count, cap;
};

void cm_rule_log_clear(struct cm_rule_log *log);
void cm_rule_log_free(struct cm_rule_log *log);

/* Moves all windows of the RULES view to their last as-of instant <= watermark_ms and appends what
 * changed. */
void cm_rule_walk(struct cm_windows *windows, const struct cm_config *config, int64_t watermark_ms,
                  struct cm_rule_log *log);

/* Feeds the rules: everything in `log` (in order of asof_ms, window) and the steps in between that
 * timers need, up to watermark_ms. */
struct cm_rule_feed {
    int64_t last_ms[CM_WINDOWS_MAX]; /* INT64_MIN: no step yet */
    int64_t end_ms[CM_WINDOWS_MAX];  /* no step of that window after it; INT64_MAX: no end */
};
void cm_rule_feed_init(struct cm_rule_feed *feed);
void cm_rule_feed_run(struct cm_rule_feed *feed, const struct cm_config *config,
                      struct cm_breaches *breaches, const struct cm_rule_log *log,
                      int64_t watermark_ms);

#endif
