// SPDX-License-Identifier: Apache-2.0
/* lane.h — a worker's end of the consumer: its queue, and what may come out of it. Inside the room
 * only.
 *
 *   partition queues ──► queue of the lane ──► pulled[] ──► filter by slot ──► batch
 *                          │ empty -> not empty: 8 bytes into fd
 *
 * A slot a partition says whether its records are delivered and which offset comes next. Offsets of
 * a partition only rise between two cm_lane_begin(): what does not fit is dropped and noted as odd,
 * and the coordinator finds out why (the log was cut at its head or its tail).
 *
 * THREADS   The worker calls cm_lane_fetch(). The coordinator changes slots between cm_lane_lock()
 *           and cm_lane_unlock(); a fetch in that time returns 0 and the worker is woken
 * afterwards. So a seek and its slot change together, and no pull sees one without the other. One
 *           uncontended lock a batch, not a record.
 */
#ifndef CM_KAFKA_LANE_H
#define CM_KAFKA_LANE_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "kafka/kafka.h"

enum cm_lane_oddity {
    CM_LANE_EVEN = 0,
    CM_LANE_GAP,   /* offsets are missing: compaction, transactions, or retention passed us */
    CM_LANE_STRAY, /* an offset below the expected one: librdkafka starts over at the head of the
                      log */
};

struct cm_lane_slot {
    bool active;
    int64_t next; /* offset expected next; -1: any, the start was not a number */
    enum cm_lane_oddity oddity;
    int64_t odd_expected, odd_seen;
    int64_t begun_ns;    /* when the slot was set, other than by a doubt */
    int64_t doubted;     /* 1 + the `next` at which an end behind it was not believed; 0: none */
    uint32_t generation; /* rises whenever the slot is set anew; 0: never was */
    int64_t high;        /* own data plane: end of the log, -1 unknown */
};

struct cm_fetcher;

struct cm_lane {
    pthread_mutex_t lock;
    rd_kafka_queue_t *queue;
    struct cm_fetcher
        *fetcher; /* the own data plane; NULL: librdkafka's queue carries the records */
    int fd;
    atomic_bool odd;            /* some slot is: set by the worker, cleared by the coordinator */
    struct cm_lane_slot *slots; /* by partition; under the lock, like all below */
    uint32_t slots_count;
    rd_kafka_message_t *pulled[CM_BATCH_RECORDS]; /* [pulled_at, pulled_count) still to be mapped */
    uint32_t pulled_at, pulled_count;
};

/* 0 or -CM_ERR_IO (no descriptor left). */
CM_NODISCARD int cm_lane_open(struct cm_lane *lane, rd_kafka_t *rk);
/* Before the handle is destroyed; the worker does not fetch any more. */
void cm_lane_close(struct cm_lane *lane);

void cm_lane_lock(struct cm_lane *lane);
void cm_lane_unlock(struct cm_lane *lane); /* and wakes the worker */
/* Under the lock: from now on the partition is delivered, from offset `next` (-1: any). */
void cm_lane_begin(struct cm_lane *lane, int32_t partition, int64_t next);
/* Under the lock: from now on nothing of the partition is delivered. */
void cm_lane_stop(struct cm_lane *lane, int32_t partition);

/* The worker: cm_kafka_fetch(). */
uint32_t cm_lane_fetch(struct cm_lane *lane, struct cm_batch *batch);

#endif
