// SPDX-License-Identifier: Apache-2.0
/* breach_feed.c — see breach_feed.h. The queue is a ring; its first `batch` events are in flight.
 */
#include "publish/breach_feed.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "publish/event_ids.h"
#include "publish/keys.h"
#include "publish/resp.h"

#define BATCH_MAX 64u
#define RETRY_NS  CM_NS_PER_S
#define TAIL_PAGE 1000u
#define TAIL_MAX  32000u /* what cm_event_ids surely keeps */

struct event {
    char *bytes; /* the dedup key, then the JSON */
    uint32_t key_len, json_len;
    bool firing;
};

struct cm_breach_feed {
    const struct cm_config *config;
    struct cm_redis *redis; /* NULL: not connected */
    struct event *queue;    /* a ring, cap a power of two */
    uint32_t head, len, cap;
    uint32_t batch;   /* events in flight, those at the head */
    uint32_t replies; /* still to come for them */
    uint32_t known_in_batch;
    bool refused;
    int64_t now_ns, retry_ns; /* no batch before retry */
    uint32_t reading;         /* answers to come about what Redis has */
    uint32_t tail;            /* entries of the stream read so far */
    struct cm_event_ids ids;
    uint64_t sent, known, dropped;
};

struct cm_breach_feed *cm_breach_feed_create(const struct cm_config *config)
{
    struct cm_breach_feed *feed = cm_alloc(1, sizeof(*feed));
    feed->config = config;
    feed->retry_ns = INT64_MIN;
    return feed;
}

/* --- the queue --- */

static struct event *event_at(struct cm_breach_feed *feed, uint32_t i)
{
    return &feed->queue[(feed->head + i) & (feed->cap - 1)];
}

static struct cm_str key_of(const struct event *event)
{
    return (struct cm_str){event->bytes, event->key_len};
}

static struct cm_str json_of(const struct event *event)
{
    return (struct cm_str){event->bytes + event->key_len, event->json_len};
}

static void grow(struct cm_breach_feed *feed)
{
    uint32_t cap = feed->cap == 0 ? 64 : feed->cap * 2;
    struct event *queue = cm_alloc(cap, sizeof(*queue));
    for (uint32_t i = 0; i < feed->len; i++) {
        queue[i] = *event_at(feed, i);
    }
    free(feed->queue);
    feed->queue = queue;
    feed->head = 0;
    feed->cap = cap;
}

static void pop(struct cm_breach_feed *feed)
{
    free(event_at(feed, 0)->bytes);
    feed->head = (feed->head + 1) & (feed->cap - 1);
    feed->len--;
}

/* The oldest that is not in flight goes: those before it move up by one. */
static void drop_oldest(struct cm_breach_feed *feed)
{
    struct event oldest = *event_at(feed, feed->batch);
    for (uint32_t i = feed->batch; i > 0; i--) {
        *event_at(feed, i) = *event_at(feed, i - 1);
    }
    *event_at(feed, 0) = oldest;
    pop(feed);
    feed->dropped++;
    cm_log(CM_LOG_ERROR, "breach.dropped", "reason=\"queue is full\" limit=%u dropped=%" PRIu64,
           CM_BREACH_FEED_MAX, feed->dropped);
}

void cm_breach_feed_destroy(struct cm_breach_feed *feed)
{
    if (feed == NULL) {
        return;
    }
    while (feed->len > 0) {
        pop(feed);
    }
    free(feed->queue);
    cm_event_ids_clear(&feed->ids);
    free(feed);
}

void cm_breach_feed_add(struct cm_breach_feed *feed, struct cm_str dedup_key, struct cm_str json,
                        bool firing)
{
    if (feed->len == CM_BREACH_FEED_MAX) {
        drop_oldest(feed);
    }
    if (feed->len == feed->cap) {
        grow(feed);
    }
    struct event event = {.bytes = cm_alloc((size_t)dedup_key.len + json.len + 1, 1),
                          .key_len = dedup_key.len,
                          .json_len = json.len,
                          .firing = firing};
    memcpy(event.bytes, dedup_key.len == 0 ? "" : dedup_key.p, dedup_key.len);
    memcpy(event.bytes + dedup_key.len, json.len == 0 ? "" : json.p, json.len);
    feed->len++;
    *event_at(feed, feed->len - 1) = event;
}

/* --- a batch --- */

static void write_event(const struct cm_breach_feed *feed, const struct event *event,
                        struct cm_text *out)
{
    const char *prefix = feed->config->redis_prefix;
    struct cm_str key = key_of(event);
    struct cm_str json = json_of(event);
    cm_resp_array(out, 8);
    cm_resp_word(out, "XADD");
    cm_key_plain(out, prefix, "breaches");
    cm_resp_word(out, "MAXLEN");
    cm_resp_word(out, "~");
    cm_resp_i64(out, feed->config->breaches_keep);
    cm_resp_word(out, "*");
    cm_resp_word(out, "event");
    cm_resp_bulk(out, json.p, json.len);

    cm_resp_array(out, 3);
    cm_resp_word(out, "PUBLISH");
    cm_key_plain(out, prefix, "breaches");
    cm_resp_bulk(out, json.p, json.len);

    cm_resp_array(out, event->firing ? 4 : 3);
    cm_resp_word(out, event->firing ? "HSET" : "HDEL");
    cm_key_plain(out, prefix, "breaches:active");
    cm_resp_bulk(out, key.p, key.len);
    if (event->firing) {
        cm_resp_bulk(out, json.p, json.len);
    }
}

static void batch_answered(void *context, const struct redisReply *reply);

static bool may_send(const struct cm_breach_feed *feed)
{
    return feed->redis != NULL && cm_redis_is_ready(feed->redis) && feed->reading == 0 &&
           feed->batch == 0 && feed->len > 0 && feed->now_ns >= feed->retry_ns;
}

static void send_batch(struct cm_breach_feed *feed)
{
    while (may_send(feed)) {
        uint32_t limit = feed->len < BATCH_MAX ? feed->len : BATCH_MAX;
        uint32_t fresh = 0;
        struct cm_text *out = cm_redis_buffer(feed->redis);
        for (uint32_t i = 0; i < limit; i++) {
            const struct event *event = event_at(feed, i);
            struct cm_str id = cm_event_id_of(json_of(event));
            if (id.len > 0 && cm_event_ids_has(&feed->ids, id)) {
                continue;
            }
            if (fresh == 0) {
                cm_resp_array(out, 1);
                cm_resp_word(out, "MULTI");
            }
            fresh++;
            write_event(feed, event, out);
            if (id.len > 0) {
                cm_event_ids_add(&feed->ids, id); /* taken back by reading anew, if it fails */
            }
        }
        feed->known_in_batch = limit - fresh;
        if (fresh == 0) {
            feed->known += limit;
            for (uint32_t i = 0; i < limit; i++) {
                pop(feed);
            }
            continue;
        }
        cm_resp_array(out, 1);
        cm_resp_word(out, "EXEC");
        feed->batch = limit;
        feed->replies = 2 + 3 * fresh;
        feed->refused = false;
        cm_redis_added(feed->redis, feed->replies, batch_answered, feed);
    }
}

/* What Redis says to a transaction that it carried out. */
static void look_into(struct cm_breach_feed *feed, const struct redisReply *reply)
{
    for (size_t i = 0; i < reply->elements; i++) {
        if (reply->element[i]->type == REDIS_REPLY_ERROR) {
            feed->dropped += i % 3 == 0; /* the XADD */
            cm_log(CM_LOG_ERROR, "breach.refused", "error=\"%s\"", reply->element[i]->str);
        }
    }
}

static void read_what_is_there(struct cm_breach_feed *feed);

static void batch_answered(void *context, const struct redisReply *reply)
{
    struct cm_breach_feed *feed = context;
    if (reply == NULL) {
        return; /* cm_breach_feed_lost() sees to it */
    }
    feed->replies--;
    if (reply->type == REDIS_REPLY_ERROR && !feed->refused) {
        feed->refused = true;
        cm_log(CM_LOG_ERROR, "breach.refused", "error=\"%s\" retry_ms=%" PRId64, reply->str,
               RETRY_NS / CM_NS_PER_MS);
    }
    if (feed->replies > 0) {
        return;
    }
    uint32_t batch = feed->batch;
    feed->batch = 0;
    if (feed->refused || reply->type != REDIS_REPLY_ARRAY) {
        feed->retry_ns = feed->now_ns + RETRY_NS;
        read_what_is_there(feed); /* the ids of this batch are not there */
        return;
    }
    look_into(feed, reply);
    feed->sent += batch - feed->known_in_batch;
    feed->known += feed->known_in_batch;
    for (uint32_t i = 0; i < batch; i++) {
        pop(feed);
    }
    send_batch(feed);
}

/* --- what Redis has --- */

static void remember(struct cm_breach_feed *feed, const struct redisReply *value)
{
    if (value->type == REDIS_REPLY_STRING) {
        struct cm_str id = cm_event_id_of((struct cm_str){value->str, (uint32_t)value->len});
        if (id.len > 0) {
            cm_event_ids_add(&feed->ids, id);
        }
    }
}

/* [[entry id, [field, value, ...]], ...] */
static void remember_stream(struct cm_breach_feed *feed, const struct redisReply *reply)
{
    for (size_t i = 0; i < reply->elements; i++) {
        const struct redisReply *entry = reply->element[i];
        if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2) {
            continue;
        }
        const struct redisReply *fields = entry->element[1];
        for (size_t k = 0; fields->type == REDIS_REPLY_ARRAY && k + 1 < fields->elements; k += 2) {
            remember(feed, fields->element[k + 1]);
        }
    }
}

static void told(struct cm_breach_feed *feed, const struct redisReply *reply)
{
    feed->reading--;
    if (reply->type == REDIS_REPLY_ERROR) {
        cm_log(CM_LOG_ERROR, "breach.unreadable", "error=\"%s\"", reply->str);
    }
    send_batch(feed);
}

static void stream_answered(void *context, const struct redisReply *reply);

/* A page of the stream, from the newest entry or from before the one given, backwards. */
static void read_page(struct cm_breach_feed *feed, struct cm_str before)
{
    struct cm_text *out = cm_redis_buffer(feed->redis);
    struct cm_str end[2] = {CM_STR("("), before};
    feed->reading++;
    cm_resp_array(out, 6);
    cm_resp_word(out, "XREVRANGE");
    cm_key_plain(out, feed->config->redis_prefix, "breaches");
    if (before.len == 0) {
        cm_resp_word(out, "+");
    } else {
        cm_resp_pieces(out, end, CM_ARRAY_LEN(end));
    }
    cm_resp_word(out, "-");
    cm_resp_word(out, "COUNT");
    cm_resp_i64(out, TAIL_PAGE);
    cm_redis_added(feed->redis, 1, stream_answered, feed);
}

static void stream_answered(void *context, const struct redisReply *reply)
{
    struct cm_breach_feed *feed = context;
    if (reply == NULL) {
        return;
    }
    if (reply->type == REDIS_REPLY_ARRAY) {
        remember_stream(feed, reply);
        feed->tail += (uint32_t)reply->elements;
        const struct redisReply *oldest =
            reply->elements == TAIL_PAGE ? reply->element[TAIL_PAGE - 1] : NULL;
        if (oldest != NULL && feed->tail < TAIL_MAX && oldest->type == REDIS_REPLY_ARRAY &&
            oldest->elements == 2 && oldest->element[0]->type == REDIS_REPLY_STRING) {
            read_page(feed,
                      (struct cm_str){oldest->element[0]->str, (uint32_t)oldest->element[0]->len});
        }
    }
    told(feed, reply);
}

static void active_answered(void *context, const struct redisReply *reply)
{
    struct cm_breach_feed *feed = context;
    if (reply == NULL) {
        return;
    }
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
        remember(feed, reply->element[i]);
    }
    told(feed, reply);
}

static void read_what_is_there(struct cm_breach_feed *feed)
{
    const char *prefix = feed->config->redis_prefix;
    cm_event_ids_clear(&feed->ids);
    feed->reading = 1; /* the active ones; pages count themselves */
    feed->tail = 0;
    read_page(feed, CM_STR(""));
    struct cm_text *out = cm_redis_buffer(feed->redis);
    cm_resp_array(out, 2);
    cm_resp_word(out, "HVALS");
    cm_key_plain(out, prefix, "breaches:active");
    cm_redis_added(feed->redis, 1, active_answered, feed);
}

/* --- the agent --- */

void cm_breach_feed_connected(struct cm_breach_feed *feed, struct cm_redis *redis)
{
    feed->redis = redis;
    read_what_is_there(feed);
}

void cm_breach_feed_lost(struct cm_breach_feed *feed)
{
    feed->redis = NULL;
    feed->batch = 0;
    feed->reading = 0;
    feed->retry_ns = INT64_MIN;
}

void cm_breach_feed_poll(struct cm_breach_feed *feed, int64_t now_mono_ns)
{
    feed->now_ns = now_mono_ns;
    send_batch(feed);
}

uint32_t cm_breach_feed_waiting(const struct cm_breach_feed *feed)
{
    return feed->len;
}

uint64_t cm_breach_feed_sent(const struct cm_breach_feed *feed)
{
    return feed->sent;
}

uint64_t cm_breach_feed_known(const struct cm_breach_feed *feed)
{
    return feed->known;
}

uint64_t cm_breach_feed_dropped(const struct cm_breach_feed *feed)
{
    return feed->dropped;
}
