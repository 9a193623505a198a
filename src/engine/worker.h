// SPDX-License-Identifier: Apache-2.0
/* worker.h — one thread that owns partitions: fetch, decode, apply; at each tick a frame.
 *
 *            ┌── ring: event descriptor of the queue, wake ──┐
 *   Kafka ─► batch ─► decoder ─► windows                      │
 *                                   └─► frame at a request ───┘─► service thread (merge, publish)
 *
 * THREADS   cm_worker_* below are called by the service thread; everything inside runs on the
 * worker's own. Partitions change hands through an order that the worker takes between two batches
 * (mutex, cold).
 */
#ifndef CM_ENGINE_WORKER_H
#define CM_ENGINE_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "engine/frame.h"
#include "event/roster.h"
#include "io/wake.h"
#include "kafka/kafka.h"

struct cm_worker;

/* `ready` is posted whenever a frame that was asked for is there; borrowed until the stop. */
CM_NODISCARD int cm_worker_start(uint32_t index, const struct cm_config *config,
                                 const struct cm_roster *roster, struct cm_kafka *const *kafka,
                                 const struct cm_wake *ready, struct cm_worker **out);
/* What the rings of a process go by: source.kafka.plane. */
static inline enum cm_ring_choice cm_worker_ring(const struct cm_config *config)
{
    return config->plane == CM_PLANE_IO_URING ? CM_RING_IO_URING_ONLY
           : config->plane == CM_PLANE_EPOLL  ? CM_RING_EPOLL_ONLY
                                              : CM_RING_AUTO;
}
/* Ends the thread, gives everything back. */
void cm_worker_stop(struct cm_worker *worker);

struct cm_worker_partition {
    int32_t id;
    int64_t known_offset; /* records below are read to rebuild: no second dead letter for them */
    int64_t clock_ms;     /* see struct cm_rebuild */
};

/* The partitions that the worker owns from now on; reset: its windows become empty, as of the same
 * instants. Returns when the worker has taken the order. Positions of partitions that it keeps are
 * kept. */
void cm_worker_set_partitions(struct cm_worker *worker,
                              const struct cm_worker_partition *partitions, uint32_t count,
                              bool reset);
/* From now on for events to come. */
void cm_worker_set_roster(struct cm_worker *worker, const struct cm_roster *roster);

/* Asks for a frame. Only when none is outstanding. */
void cm_worker_request(struct cm_worker *worker, const struct cm_frame_request *request);
/* The frame asked for, NULL while it is not ready. It stays until the next request. */
struct cm_frame *cm_worker_frame(struct cm_worker *worker);

/* Event time of the newest event, going on at the pace of the clock: ms at monotonic time now;
 * INT64_MIN: none. */
int64_t cm_worker_event_now_ms(const struct cm_worker *worker, int64_t now_mono_ns);
/* Least event time seen, INT64_MAX: none; INT64_MIN while a partition has not begun. */
int64_t cm_worker_first_ms(const struct cm_worker *worker);
/* See cm_partitions_watermark(). */
int64_t cm_worker_watermark_ms(const struct cm_worker *worker);
/* Records taken so far, bad ones included. */
uint64_t cm_worker_records(const struct cm_worker *worker);

#endif
