// SPDX-License-Identifier: Apache-2.0
/* fetch_known.h — what a fetcher knows of each partition beside its slot (lane.h). Inside the room
 * only.
 *
 * It belongs to a generation of the slot: when that is set anew, all is forgotten.
 *
 * THREADS   Its fetcher's, under the lane's lock.
 */
#ifndef CM_KAFKA_FETCH_KNOWN_H
#define CM_KAFKA_FETCH_KNOWN_H

#include <stdint.h>

#include "kafka/fetch_pace.h"
#include "kafka/lane.h"

struct cm_fetch_known {
    uint32_t generation; /* of the slot that the rest belongs to */
    int64_t planned;     /* to ask from next, once what is there has been walked; -1: the slot's */
    int64_t epoch_at;    /* the leader's epoch of the record before that offset is last_epoch */
    int32_t last_epoch;
    int64_t end_told; /* the end that was handed over last; -1: none */
    int64_t retry_ns;
    int64_t log_end; /* as a response said last; -1: not known */
    struct cm_fetch_pace pace;
    uint64_t claimed_turn; /* fetch_walk.c: something earlier of it comes first */
};

struct cm_fetch_table {
    struct cm_fetch_known *at; /* by partition */
    uint32_t count;
};

void cm_fetch_table_free(struct cm_fetch_table *table);
/* As it stands for the slot of today. The pointer holds until the next call. */
struct cm_fetch_known *cm_fetch_known(struct cm_fetch_table *table, const struct cm_lane *lane,
                                      uint32_t partition);

#endif
