// SPDX-License-Identifier: Apache-2.0
/* assignment.h — which partitions are ours, and what became of each. Inside the room only.
 *
 *   absent ──assigned──► owned ──positions known, on_assign──► told ──start──► wanted ──► running
 *      ▲                                                                        │  ▲        │
 *      └────────── revoked, lost, close: stop the lane, then on_revoke ◄────────┘  └─rewind─┘
 *
 * THREADS   The coordinator's. Lanes are shared with their workers, see lane.h.
 */
#ifndef CM_KAFKA_ASSIGNMENT_H
#define CM_KAFKA_ASSIGNMENT_H

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "kafka/kafka.h"
#include "kafka/lane.h"
#include "kafka/start_point.h"

struct cm_held_partition {
    bool owned;     /* assigned to us by the group */
    bool told;      /* on_assign had it */
    bool wanted;    /* cm_kafka_start was called */
    bool running;   /* its lane delivers it */
    bool known;     /* `offset` is; not so while the configured start has to be asked for */
    int64_t offset; /* wanted from there; maybe one of librdkafka's logical ones */
    uint32_t worker;
    int64_t retry_ns;
    enum cm_lane_oddity oddity;
    int64_t odd_expected, odd_seen, odd_checked_ns;
};

struct cm_assignment {
    rd_kafka_t *rk; /* all borrowed but partitions */
    const char *topic;
    struct cm_lane *lanes;
    uint32_t lanes_count;
    bool native; /* the lanes fetch for themselves: librdkafka is assigned nothing */
    struct cm_kafka_callbacks callbacks;
    struct cm_start_point start;
    struct cm_held_partition *partitions; /* by number */
    uint32_t partitions_count;
    bool rebalancing; /* inside librdkafka's callback: starts go into the assignment */
    bool lost;        /* inside on_revoke of lost partitions: nothing may be committed */
    bool closing;     /* given up for good */
    bool unassigning; /* unassign_thread is there and not joined */
    pthread_t unassign_thread;
    int64_t positions_ns; /* when to ask for positions (again); 0: nothing to ask */
    int64_t ghost_ms;     /* how long a member that was killed may stay in the group; 0: never */
    int64_t whole_by_ns;  /* until then a part of the topic is not begun with; 0: none was given */
    bool begun;           /* on_assign was called */
};

/* What the group gave or took: librdkafka's rebalance callback. Waits up to 5 s each for positions
 * and, where the start is a time, for offsets. */
void cm_assignment_rebalance(struct cm_assignment *held, rd_kafka_resp_err_t error,
                             rd_kafka_topic_partition_list_t *rows);
/* cm_kafka_start(). */
void cm_assignment_start(struct cm_assignment *held, int32_t partition, int64_t offset,
                         uint32_t worker);
/* Whether something waits to be tried again soon. */
bool cm_assignment_pending(const struct cm_assignment *held);
/* Tries again what is due. Waits up to 1 s a request, only when there is one. */
void cm_assignment_service(struct cm_assignment *held);
bool cm_assignment_owns(const struct cm_assignment *held, int32_t partition);
/* Whether no request to let go of the assignment is under way any more; waits for it up to 500 ms.
 * Only while closing. When it still is, its thread must be detached. */
bool cm_assignment_unassigned(struct cm_assignment *held);
/* Stops delivery of all that is owned, calls on_revoke, forgets it. */
void cm_assignment_give_up(struct cm_assignment *held, bool lost);

#endif
