// SPDX-License-Identifier: Apache-2.0
/* metrics.h — the counters of the process, and Prometheus text about them over HTTP.
 *
 *   engine, workers ── relaxed stores ──► struct cm_counters ── relaxed loads ──► GET /metrics
 *
 * THREADS   Each counter has one writer. The server answers in a thread of libmicrohttpd, which
 * only reads. Numbers of one page may be some instants apart; each by itself is right. OWNERSHIP
 * The counters are borrowed and must outlive the server. COST      A store a counter and tick;
 * nothing on the path of a record needs more. A page is some 5 KiB, made when asked for.
 */
#ifndef CM_PUBLISH_METRICS_H
#define CM_PUBLISH_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/text.h"
#include "event/reason.h"
#include "publish/counters_table.h"

struct cm_counters {
#define X(name, type, unit, help, advice) _Atomic uint64_t name;
    CM_COUNTERS(X)
#undef X
#define X(name, type, unit, help, advice) _Atomic uint64_t name[CM_REASON_COUNT];
    CM_COUNTERS_BY_REASON(X)
#undef X
};

/* By the single writer of that counter. relaxed: each number stands for itself. */
static inline void cm_counter_set(_Atomic uint64_t *counter, uint64_t value)
{
    atomic_store_explicit(counter, value, memory_order_relaxed);
}

static inline void cm_counter_add(_Atomic uint64_t *counter, uint64_t more)
{
    /* relaxed: its only writer is this thread. */
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + more, memory_order_relaxed);
}

/* The page, text format 0.0.4. */
void cm_counters_write(struct cm_text *out, const struct cm_counters *counters);
/* docs/counters.md. */
void cm_counters_reference(struct cm_text *out);

struct cm_metrics;

/* Serves GET /metrics on host:port ("[::1]:9464", "localhost:0"; port 0: a free one). NULL with the
 * reason in cm_fail_text(): bad address, port taken. */
struct cm_metrics *cm_metrics_start(const char *listen, const struct cm_counters *counters);
uint16_t cm_metrics_port(const struct cm_metrics *metrics);
/* Waits for the answer being given. NULL: nothing. */
void cm_metrics_stop(struct cm_metrics *metrics);

#endif
