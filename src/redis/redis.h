// SPDX-License-Identifier: Apache-2.0
/* redis.h — one pipelined connection to Redis: hiredis formats cold commands and parses replies, io_uring
 * carries the bytes.
 *
 *   commands ──► filling buffer ──► sending buffer ──► socket        replies ──► redisReader ──► callbacks
 *                (grows)            (one send in flight)                          in order of commands
 *
 * Connects by itself (AUTH from the configured file, SELECT, CLIENT SETNAME) and again after a loss, after
 * 100 ms, 200 ms ... 10 s with jitter. Commands that were in flight when the connection was lost are
 * answered with NULL; what to do then is the caller's business (callmill publishes everything again).
 *
 * THREADS   One thread, that of the ring.
 * ERRORS    An error reply comes to the callback as REDIS_REPLY_ERROR. Wrong password, LOADING, READONLY at
 *           connect time are logged and tried again.
 */
#ifndef CM_REDIS_REDIS_H
#define CM_REDIS_REDIS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "io/ring.h"

struct cm_redis;

/* reply NULL: the connection was lost before the answer. The reply is freed by the caller of this. */
typedef void (*cm_redis_reply_fn)(void *context, const struct redisReply *reply);

struct cm_redis_options {
    const char *address;       /* host:port or unix:PATH */
    const char *username;      /* "" for none */
    const char *password_file; /* "" for none */
    int64_t database;
    const char *client_name;
    void (*on_ready)(void *context); /* connected and set up; may be NULL */
    void (*on_lost)(void *context);
    void *context;
};

struct cm_redis *cm_redis_create(struct cm_ring *ring, const struct cm_redis_options *options);
void cm_redis_destroy(struct cm_redis *redis);
/* Connects, reconnects when due, starts sending. Call at least every 100 ms. */
void cm_redis_poll(struct cm_redis *redis, int64_t now_mono_ns);
bool cm_redis_is_ready(const struct cm_redis *redis);
/* Queues one command. Only while ready (CM_ASSERT). */
void cm_redis_command(struct cm_redis *redis, int argc, const char *const *argv, const size_t *argv_len,
                      cm_redis_reply_fn done, void *context);
/* For hot commands: the caller encodes RESP itself into this buffer ... */
struct cm_text *cm_redis_buffer(struct cm_redis *redis);
/* ... and says how many commands it has added; done is called for each of them. */
void cm_redis_added(struct cm_redis *redis, uint32_t commands, cm_redis_reply_fn done, void *context);
/* Commands without an answer yet, and bytes not yet sent. */
uint32_t cm_redis_pending(const struct cm_redis *redis);
size_t cm_redis_unsent_bytes(const struct cm_redis *redis);
/* Text of the newest failure, "" when there was none. */
const char *cm_redis_last_error(const struct cm_redis *redis);

#endif
