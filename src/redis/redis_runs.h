// SPDX-License-Identifier: Apache-2.0
/* redis_runs.h — the queue of commands without an answer: runs of (how many, whom to tell), so that
 * a thousand commands of one caller cost one entry.
 *
 * OWNERSHIP Zero-initialised is an empty queue; cm_redis_runs_free() gives its memory back.
 */
#ifndef CM_REDIS_REDIS_RUNS_H
#define CM_REDIS_REDIS_RUNS_H

#include <stdint.h>

#include "redis/redis.h"

struct cm_redis_run {
    uint32_t commands;
    cm_redis_reply_fn done;
    void *context;
};

struct cm_redis_runs {
    struct cm_redis_run *items; /* a ring */
    uint32_t cap;               /* a power of two, or 0 */
    uint32_t head;
    uint32_t len;
    uint32_t commands; /* in all of them */
};

void cm_redis_runs_push(struct cm_redis_runs *runs, uint32_t commands, cm_redis_reply_fn done,
                        void *context);
/* Takes out the oldest command (there must be one) and tells its owner. */
void cm_redis_runs_answer(struct cm_redis_runs *runs, const struct redisReply *reply);
void cm_redis_runs_free(struct cm_redis_runs *runs);

#endif
