// SPDX-License-Identifier: Apache-2.0
/* breach_feed.h — breach events into Redis: the stream, the channel and the hash of active ones.
 *
 *   add ─► queue ─► MULTI, (XADD, PUBLISH, HSET or HDEL) for up to 64 events, EXEC ─► answered:
 * gone 65,536                                                                  └► else: again
 *
 * One transaction, so that the active hash never contradicts the stream, and a batch that failed is
 * sent again as a whole, in order. At least once: when the connection is lost before the answer,
 * the batch may be in already. Therefore what the stream has (its newest 32,000 entries) and what
 * is active is read at each connect, and an event whose id is there, or was sent before, is left
 * out.
 *
 * THREADS   That of the ring. ERRORS Refused for the moment (out of memory, read-only): again after
 *           a second. A key of the wrong type: the event is logged and given up, as sending it
 * again would not help.
 */
#ifndef CM_PUBLISH_BREACH_FEED_H
#define CM_PUBLISH_BREACH_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "config/config.h"
#include "redis/redis.h"

#define CM_BREACH_FEED_MAX 65536u

struct cm_breach_feed;

struct cm_breach_feed *cm_breach_feed_create(const struct cm_config *config);
/* After the Redis client is gone. */
void cm_breach_feed_destroy(struct cm_breach_feed *feed);
/* Copies. json is one CloudEvent with an id. */
void cm_breach_feed_add(struct cm_breach_feed *feed, struct cm_str dedup_key, struct cm_str json,
                        bool firing);
/* Redis is ready; asks what it has. */
void cm_breach_feed_connected(struct cm_breach_feed *feed, struct cm_redis *redis);
void cm_breach_feed_lost(struct cm_breach_feed *feed);
void cm_breach_feed_poll(struct cm_breach_feed *feed, int64_t now_mono_ns);
/* Events not yet in Redis. */
uint32_t cm_breach_feed_waiting(const struct cm_breach_feed *feed);
/* Written; left out because Redis had them; dropped from a full queue or given up. */
uint64_t cm_breach_feed_sent(const struct cm_breach_feed *feed);
uint64_t cm_breach_feed_known(const struct cm_breach_feed *feed);
uint64_t cm_breach_feed_dropped(const struct cm_breach_feed *feed);

#endif
