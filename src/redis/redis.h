// SPDX-License-Identifier: Apache-2.0
/* redis.h — one pipelined connection to Redis: hiredis formats cold commands and parses replies,
 * io_uring carries the bytes.
 *
 *   commands ──► filling buffer ──► buffers to send ──► socket ──► redisReader ──► callbacks
 *                (grows)            (one send in flight)           in order of commands
 *
 * Connects by itself (AUTH from the configured file, SELECT, CLIENT SETNAME) and again after a
 * loss, after 100 ms, 200 ms ... 10 s, each +-25 %. A connection counts as lost, too, when a send
 * gets no further for 10 s or an answer does not come for 10 s. Commands that were in flight then
 * are answered with NULL; what to do about it is the caller's business (callmill publishes
 * everything again).
 *
 * THREADS   One thread, that of the ring.
 * ERRORS    An error reply comes to the callback as REDIS_REPLY_ERROR. Wrong password, LOADING, a
 *           read-only replica at connect time are logged and tried again, and so is an address that
 *           cannot be resolved.
 * COST      A host name (not a numeric address) is resolved by getaddrinfo(), which may block for
 *           as long as the resolver takes, at each connect; so name the server by number, or put
 *           it into /etc/hosts.
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

/* reply NULL: the connection was lost before the answer. The reply is freed by the caller of this.
 * It may queue commands while cm_redis_is_ready(), but not wait in the ring, poll or destroy. */
typedef void (*cm_redis_reply_fn)(void *context, const struct redisReply *reply);

struct cm_redis_options {
    const char *address;       /* host:port, [v6]:port or unix:PATH */
    const char *username;      /* "" for none */
    const char *password_file; /* "" for none; its first line, read at each connect */
    int64_t database;
    const char *client_name;         /* "" for none; no blanks */
    void (*on_ready)(void *context); /* connected and set up; may be NULL */
    void (*on_lost)(void *context);  /* once for each on_ready, after the last NULL; may be NULL */
    void *context;
};

/* Copies what the options point to. Does not connect yet. */
struct cm_redis *cm_redis_create(struct cm_ring *ring, const struct cm_redis_options *options);
/* Commands without an answer are answered with NULL; on_lost is not called. Waits in the ring. */
void cm_redis_destroy(struct cm_redis *redis);
/* Connects, reconnects when due, starts sending. Call at least every 100 ms. */
void cm_redis_poll(struct cm_redis *redis, int64_t now_mono_ns);
bool cm_redis_is_ready(const struct cm_redis *redis);
/* Gives the connection up, as if it were lost, and connects anew when due: its answers no longer
 * make sense. Also from a callback. Not ready: nothing. */
void cm_redis_drop(struct cm_redis *redis, const char *reason);
/* Queues one command. Only while ready (CM_ASSERT). */
void cm_redis_command(struct cm_redis *redis, int argc, const char *const *argv,
                      const size_t *argv_len, cm_redis_reply_fn done, void *context);
/* For hot commands: the caller encodes RESP itself at the end of this buffer ... (ask for it anew
 * after each poll or wait in the ring). Only while ready. */
struct cm_text *cm_redis_buffer(struct cm_redis *redis);
/* A large text changes hands instead of being copied: what it holds goes behind what the buffer has
 * so far; it comes back empty. Ask for the buffer anew. */
void cm_redis_give(struct cm_redis *redis, struct cm_text *text);
/* ... and says how many commands it has added, whole ones, before the next poll or wait in the
 * ring; done is called for each of them (NULL: nobody cares). Cost does not depend on how many. */
void cm_redis_added(struct cm_redis *redis, uint32_t commands, cm_redis_reply_fn done,
                    void *context);
/* Commands without an answer yet, and bytes not yet sent. */
uint32_t cm_redis_pending(const struct cm_redis *redis);
size_t cm_redis_unsent_bytes(const struct cm_redis *redis);
/* Text of the newest failure, "" when there was none. */
const char *cm_redis_last_error(const struct cm_redis *redis);

#endif
