// SPDX-License-Identifier: Apache-2.0
/* ownership.h — which partitions this process reads, with which worker, and how far it is.
 *
 *   committed:  from ───────────────── offset          (partition.h: struct cm_rebuild)
 *               │ read again, to build  │ news
 *               │ windows and periods   │
 *               └ `offset` moves ►      └ known_offset
 *
 * While `offset` is below `known_offset` figures are knowingly incomplete; what is committed
 * meanwhile stays known_offset, as it says what was dealt with, not what is in memory.
 *
 * THREADS   The service thread.
 */
#ifndef CM_ENGINE_OWNERSHIP_H
#define CM_ENGINE_OWNERSHIP_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/frame.h"
#include "engine/partition.h"
#include "kafka/kafka.h"

struct cm_owned {
    int32_t partition;
    uint32_t worker;
    int64_t offset; /* next to read, as of the last frame; CM_OFFSET_NONE: as configured */
    int64_t known_offset;
    int64_t whole_ms;                /* see struct cm_rebuild */
    char metadata[CM_REBUILD_BYTES]; /* to commit; "" before the first frame */
};

struct cm_ownership {
    struct cm_owned at[CM_PARTITIONS_MAX];
    uint32_t count;
};

struct cm_owned *cm_owned_find(struct cm_ownership *own, int32_t partition);
/* A partition as it is assigned; *clock_ms becomes the greatest that a commit tells. */
struct cm_owned cm_owned_begin(const struct cm_position *position, uint32_t worker,
                               int64_t *clock_ms);
/* Takes a worker's positions; returns whether any has moved. */
bool cm_ownership_take(struct cm_ownership *own, uint32_t worker, const struct cm_frame *frame);
/* Records not yet read. */
uint64_t cm_ownership_lag(const struct cm_ownership *own, const struct cm_kafka *kafka);
/* Whether all that was dealt with before has been read again; a log that ends sooner counts. */
bool cm_ownership_is_rebuilt(struct cm_ownership *own, const struct cm_kafka *kafka);
/* Whether everything that there is has been read. */
bool cm_ownership_is_read(const struct cm_ownership *own, const struct cm_kafka *kafka);
/* From which event time on everything has been or will be read. */
int64_t cm_ownership_whole_ms(const struct cm_ownership *own);
/* What to commit; returns how many. */
uint32_t cm_ownership_positions(const struct cm_ownership *own,
                                struct cm_position positions[CM_PARTITIONS_MAX]);
/* Whether a worker loses a partition that its windows hold records of. */
bool cm_ownership_loses(const struct cm_ownership *own, uint32_t worker,
                        const struct cm_position *positions, uint32_t count);

#endif
