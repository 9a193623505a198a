// SPDX-License-Identifier: Apache-2.0
/* run_counters.h — the sums over all workers' frames, for `meta` in Redis and for the metrics page.
 *
 * THREADS   The service thread writes; the metrics server reads the counters (relaxed, one by one).
 */
#ifndef CM_ENGINE_RUN_COUNTERS_H
#define CM_ENGINE_RUN_COUNTERS_H

#include "engine/frame.h"
#include "publish/metrics.h"
#include "publish/publisher.h"
#include "rule/breach.h"

/* Begins a sum with nothing in it. */
void cm_frame_counters_clear(struct cm_frame_counters *sum);
void cm_frame_counters_add(struct cm_frame_counters *sum, const struct cm_frame_counters *worker);
/* What `meta` says of the sum. */
void cm_frame_counters_meta(const struct cm_frame_counters *sum, struct cm_publisher_meta *meta);
/* The metrics page as of this tick. breaches may be NULL: there are no rules. */
void cm_run_count(struct cm_counters *counters, const struct cm_frame_counters *sum,
                  const struct cm_publisher_meta *meta, const struct cm_publisher *publisher,
                  const struct cm_breaches *breaches, uint64_t breaches_emitted);
/* The line of the log that says how far everything is. */
void cm_run_report(const struct cm_publisher_meta *meta, const struct cm_publisher *publisher);

#endif
