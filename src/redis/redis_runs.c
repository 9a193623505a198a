// SPDX-License-Identifier: Apache-2.0
/* redis_runs.c — a growing ring of runs; neighbours with the same owner melt into one. */
#include "redis/redis_runs.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"

#define FIRST_CAP 64u

static struct cm_redis_run *item(struct cm_redis_runs *runs, uint32_t i)
{
    return &runs->items[(runs->head + i) & (runs->cap - 1)];
}

static void grow(struct cm_redis_runs *runs)
{
    uint32_t cap = runs->cap == 0 ? FIRST_CAP : runs->cap * 2;
    struct cm_redis_run *items = cm_alloc(cap, sizeof(*items));
    for (uint32_t i = 0; i < runs->len; i++) {
        items[i] = *item(runs, i);
    }
    free(runs->items);
    runs->items = items;
    runs->cap = cap;
    runs->head = 0;
}

void cm_redis_runs_push(struct cm_redis_runs *runs, uint32_t commands, cm_redis_reply_fn done,
                        void *context)
{
    CM_ASSERT(commands > 0 && commands <= UINT32_MAX - runs->commands);
    runs->commands += commands;
    if (runs->len > 0) {
        struct cm_redis_run *last = item(runs, runs->len - 1);
        if (last->done == done && last->context == context) {
            last->commands += commands;
            return;
        }
    }
    if (runs->len == runs->cap) {
        grow(runs);
    }
    *item(runs, runs->len) = (struct cm_redis_run){commands, done, context};
    runs->len++;
}

void cm_redis_runs_answer(struct cm_redis_runs *runs, const struct redisReply *reply)
{
    CM_ASSERT(runs->commands > 0);
    struct cm_redis_run *oldest = item(runs, 0);
    cm_redis_reply_fn done = oldest->done;
    void *context = oldest->context;
    /* Out before the call: the callback may push, and the ring may move. */
    runs->commands--;
    oldest->commands--;
    if (oldest->commands == 0) {
        runs->head = (runs->head + 1) & (runs->cap - 1);
        runs->len--;
    }
    if (done != NULL) {
        done(context, reply);
    }
}

void cm_redis_runs_free(struct cm_redis_runs *runs)
{
    free(runs->items);
    memset(runs, 0, sizeof(*runs));
}
