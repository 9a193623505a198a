// SPDX-License-Identifier: Apache-2.0
/* redis_sweep.c — see redis_sweep.h: SCAN, UNLINK, until the cursor is 0 again. */
#include "cli/redis_sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"
#include "io/ring.h"
#include "redis/redis.h"

#define WAIT_NS (20 * CM_NS_PER_MS)

struct sweep {
    struct cm_redis *redis;
    char pattern[256];
    char cursor[32];
    uint32_t open; /* commands without an answer */
    bool scanned, done;
    char refused[160];
};

static void on_unlinked(void *context, const struct redisReply *reply)
{
    struct sweep *s = context;
    s->open--;
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR) {
        (void)snprintf(s->refused, sizeof(s->refused), "%.150s", reply->str);
    }
}

static void unlink_keys(struct sweep *s, const struct redisReply *keys)
{
    size_t words = keys->elements + 1;
    if (keys->elements == 0) {
        return;
    }
    const char **argv = cm_alloc(words, sizeof(*argv));
    size_t *lens = cm_alloc(words, sizeof(*lens));
    argv[0] = "UNLINK";
    lens[0] = 6;
    for (size_t i = 0; i < keys->elements; i++) {
        argv[i + 1] = keys->element[i]->str;
        lens[i + 1] = keys->element[i]->len;
    }
    s->open++;
    cm_redis_command(s->redis, (int)words, argv, lens, on_unlinked, s);
    free(argv);
    free(lens);
}

static void on_scanned(void *context, const struct redisReply *reply)
{
    struct sweep *s = context;
    s->open--;
    s->scanned = false;
    if (reply == NULL) {
        (void)snprintf(s->cursor, sizeof(s->cursor), "0"); /* from the beginning */
        return;
    }
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
        (void)snprintf(s->refused, sizeof(s->refused), "%.150s",
                       reply->type == REDIS_REPLY_ERROR ? reply->str : "odd answer to SCAN");
        return;
    }
    (void)snprintf(s->cursor, sizeof(s->cursor), "%s", reply->element[0]->str);
    unlink_keys(s, reply->element[1]);
    s->done = strcmp(s->cursor, "0") == 0;
}

static void scan(struct sweep *s)
{
    const char *argv[] = {"SCAN", s->cursor, "MATCH", s->pattern, "COUNT", "1000"};
    size_t lens[CM_ARRAY_LEN(argv)];
    for (size_t i = 0; i < CM_ARRAY_LEN(argv); i++) {
        lens[i] = strlen(argv[i]);
    }
    s->scanned = true;
    s->open++;
    cm_redis_command(s->redis, (int)CM_ARRAY_LEN(argv), argv, lens, on_scanned, s);
}

int cm_redis_sweep(const char *address, const char *prefix, int64_t limit_ms)
{
    struct sweep s = {.cursor = "0"};
    struct cm_ring *ring = NULL;
    int rc = cm_ring_open(16, CM_RING_AUTO, &ring);
    if (rc < 0) {
        return rc;
    }
    (void)snprintf(s.pattern, sizeof(s.pattern), "%s*", prefix);
    const struct cm_redis_options options = {
        .address = address, .username = "", .password_file = "", .client_name = "callmill-demo"};
    s.redis = cm_redis_create(ring, &options);
    int64_t until_ns = cm_clock_mono_ns() + limit_ms * CM_NS_PER_MS;
    while (!(s.done && s.open == 0) && s.refused[0] == '\0' && cm_clock_mono_ns() < until_ns) {
        cm_redis_poll(s.redis, cm_clock_mono_ns());
        if (cm_redis_is_ready(s.redis) && !s.done && !s.scanned) {
            scan(&s);
            cm_redis_poll(s.redis, cm_clock_mono_ns());
        }
        (void)cm_ring_wait(ring, WAIT_NS);
    }
    if (!(s.done && s.open == 0)) {
        const char *why = s.refused[0] != '\0' ? s.refused : cm_redis_last_error(s.redis);
        rc = cm_fail(CM_ERR_REDIS, "Redis %s: %s", address, why[0] != '\0' ? why : "no answer");
    }
    cm_redis_destroy(s.redis);
    cm_ring_destroy(ring);
    return rc;
}
