// SPDX-License-Identifier: Apache-2.0
/* freshness_probe.c — how long a record takes from the producer's call until its figures can be
 * read from Redis, while many others pass.
 *
 *   main thread: background records at a steady rate, event time = now ──┐
 *                and now and then a probe, on a seat that nobody else has ├─► Kafka ─► callmill ─►
 * Redis watcher thread: EXISTS cm:seat:<probe> for each probe under way, every millisecond
 * ◄──────────────┘
 *
 *   freshness_probe --brokers HOST:PORT --topic NAME --redis HOST:PORT --tick MS
 *                   [--rate N] [--seconds N] [--seats N] [--json FILE]
 *
 * The gaps between probes are random (30 to 130 ms), so that they do not walk in step with the
 * ticks. The time counts from before the record is handed to the producer, so its batching (linger)
 * is in it, and ends when the answer of Redis is here; the watcher adds about a millisecond.
 *
 * THREADS   `sent` is written by the main thread and read by the watcher: release / acquire. A
 * probe is written before its number is counted in.
 */
#include <hiredis/hiredis.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/prng.h"
#include "bench/bench.h"
#include "bench/plain_consumer.h"
#include "kafka/producer.h"

#define PROBES_MAX  20000u
#define UNDER_WAY   64u /* probes asked for at once; more wait for their turn */
#define WARM_NS     (2 * CM_NS_PER_S)
#define PATIENCE_NS (20 * CM_NS_PER_S)

struct probe {
    int64_t sent_ns, seen_ns; /* seen 0: not yet */
    bool warm;                /* before the measured time */
};

struct run {
    const char *brokers, *topic;
    char redis_host[64];
    int redis_port;
    uint64_t rate, seconds, seats, tick_ms;
    char stamp[16]; /* makes the ids of this run its own */
    struct cm_producer *producer;
    struct cm_prng prng;
    uint64_t records, late_ms_max; /* how far producing fell behind its pace */
    struct probe probes[PROBES_MAX];
    int64_t read_ns[PROBES_MAX]; /* by the plain consumer; 0: not yet */
    rd_kafka_t *reader;
    _Atomic uint32_t sent;
    _Atomic bool finished;
};

/* A record as they are: some 330 bytes, with checks. */
static int write_record(struct run *r, const char *seat, char *out, size_t size)
{
    uint64_t bits = cm_prng_next(&r->prng);
    return snprintf(out, size,
                    "{\"type\":\"cdr\",\"id\":\"%s-%llu\",\"ts\":%lld,\"call\":\"%s-c%llu\","
                    "\"seat\":\"%s\",\"agent\":\"a-%s\",\"queue\":\"q%u\",\"centre\":\"main\","
                    "\"ch\":\"voice\",\"outcome\":\"answered\",\"wait_ms\":%u,\"ring_ms\":%u,"
                    "\"talk_ms\":%u,\"hold_ms\":%u,\"acw_ms\":%u,\"hold_n\":1,\"transfers\":0,"
                    "\"end\":\"caller\",\"on_hold\":false,\"rating\":%u,"
                    "\"checks\":{\"greeting\":true,\"identity\":%s,\"consent\":null}}",
                    r->stamp, (unsigned long long)r->records, (long long)cm_clock_wall_ms(),
                    r->stamp, (unsigned long long)r->records, seat, seat, (unsigned)(bits & 7),
                    (unsigned)(bits >> 3 & 16383), (unsigned)(bits >> 17 & 4095),
                    (unsigned)(bits >> 29 & 262143), (unsigned)(bits >> 47 & 1023),
                    (unsigned)(bits >> 57 & 127) * 100, (unsigned)(bits >> 20 & 63) + 30,
                    (bits >> 40 & 15) == 0 ? "false" : "true");
}

static void send_record(struct run *r, const char *seat)
{
    char record[1024];
    int len = write_record(r, seat, record, sizeof(record));
    CM_ASSERT(len > 0 && (size_t)len < sizeof(record));
    while (
        !cm_producer_try_send(r->producer, r->topic, -1, seat, strlen(seat), record, (size_t)len)) {
        cm_producer_poll(r->producer, 1);
    }
    r->records++;
}

static void send_probe(struct run *r, bool warm)
{
    /* relaxed: only this thread writes it. */
    uint32_t number = atomic_load_explicit(&r->sent, memory_order_relaxed);
    char seat[48];
    if (number == PROBES_MAX) {
        return;
    }
    snprintf(seat, sizeof(seat), "probe-%s-%u", r->stamp, number);
    r->probes[number] = (struct probe){.sent_ns = cm_clock_mono_ns(), .warm = warm};
    send_record(r, seat);
    /* Release: the probe is whole; pairs with the acquire in watch(). */
    atomic_store_explicit(&r->sent, number + 1, memory_order_release);
}

static void produce(struct run *r)
{
    int64_t begin_ns = cm_clock_mono_ns(), probe_ns = begin_ns;
    int64_t end_ns = begin_ns + WARM_NS + (int64_t)r->seconds * CM_NS_PER_S;
    for (int64_t now_ns = begin_ns; now_ns < end_ns; now_ns = cm_clock_mono_ns()) {
        uint64_t due = (uint64_t)((double)(now_ns - begin_ns) * (double)r->rate / 1e9);
        if (due > r->records) {
            uint64_t behind_ms = (due - r->records) * 1000 / r->rate;
            r->late_ms_max = behind_ms > r->late_ms_max ? behind_ms : r->late_ms_max;
        }
        for (int i = 0; i < 1000 && r->records < due; i++) {
            char seat[24];
            snprintf(seat, sizeof(seat), "s%04llu",
                     (unsigned long long)cm_prng_below(&r->prng, r->seats) + 1);
            send_record(r, seat);
        }
        if (now_ns >= probe_ns) {
            send_probe(r, now_ns - begin_ns < WARM_NS);
            probe_ns = now_ns + (int64_t)(30 + cm_prng_below(&r->prng, 101)) * CM_NS_PER_MS;
        }
        cm_producer_poll(r->producer, 0);
        if (r->records >= due) {
            (void)nanosleep(&(struct timespec){0, 500000}, NULL);
        }
    }
    if (!cm_producer_flush(r->producer, 20000)) {
        cm_bench_die("freshness_probe: not everything was acknowledged");
    }
}

static redisContext *open_redis(const struct run *r)
{
    redisContext *redis = redisConnect(r->redis_host, r->redis_port);
    if (redis == NULL || redis->err != 0) {
        cm_bench_die("freshness_probe: no Redis at %s:%d", r->redis_host, r->redis_port);
    }
    return redis;
}

/* One round: asks for up to UNDER_WAY probes in [*first, sent). */
static void look(struct run *r, redisContext *redis, uint32_t *first, uint32_t sent)
{
    uint32_t asked[UNDER_WAY], count = 0;
    while (*first < sent && r->probes[*first].seen_ns != 0) {
        (*first)++;
    }
    for (uint32_t i = *first; i < sent && count < UNDER_WAY; i++) {
        if (r->probes[i].seen_ns == 0) {
            redisAppendCommand(redis, "EXISTS cm:seat:probe-%s-%u", r->stamp, i);
            asked[count++] = i;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        redisReply *reply = NULL;
        if (redisGetReply(redis, (void **)&reply) != REDIS_OK) {
            cm_bench_die("freshness_probe: Redis: %s", redis->errstr);
        }
        if (reply->type == REDIS_REPLY_INTEGER && reply->integer == 1) {
            r->probes[asked[i]].seen_ns = cm_clock_mono_ns();
        }
        freeReplyObject(reply);
    }
}

static void *watch(void *context)
{
    struct run *r = context;
    redisContext *redis = open_redis(r);
    uint32_t first = 0;
    int64_t finished_ns = 0;
    for (;;) {
        /* Acquire: pairs with the release in main(): what was sent before it is counted in. */
        bool finished = atomic_load_explicit(&r->finished, memory_order_acquire);
        /* Acquire: pairs with the release in send_probe(). */
        uint32_t sent = atomic_load_explicit(&r->sent, memory_order_acquire);
        look(r, redis, &first, sent);
        int64_t now_ns = cm_clock_mono_ns();
        finished_ns = finished && finished_ns == 0 ? now_ns : finished_ns;
        if (finished && (first == sent || now_ns - finished_ns > PATIENCE_NS)) {
            break;
        }
        (void)nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    redisFree(redis);
    return NULL;
}

/* The number in "probe-STAMP-N", the key of a probe. */
static bool probe_number(const struct run *r, const rd_kafka_message_t *message, uint64_t *number)
{
    char head[32];
    int len = snprintf(head, sizeof(head), "probe-%s-", r->stamp);
    const char *key = message->key;
    return message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->key_len > (size_t)len &&
           memcmp(key, head, (size_t)len) == 0 &&
           cm_parse_u64(key + len, message->key_len - (size_t)len, number) && *number < PROBES_MAX;
}

static void *read_plain(void *context)
{
    static rd_kafka_message_t *batch[1024];
    struct run *r = context;
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(r->reader);
    ssize_t count = 0;
    /* Acquire: as in watch(). Everything is acknowledged by then; the last reads find nothing. */
    while (!atomic_load_explicit(&r->finished, memory_order_acquire) || count > 0) {
        count = rd_kafka_consume_batch_queue(queue, 20, batch, CM_ARRAY_LEN(batch));
        int64_t now_ns = cm_clock_mono_ns();
        for (ssize_t i = 0; i < count; i++) {
            uint64_t number = 0;
            if (probe_number(r, batch[i], &number)) {
                r->read_ns[number] = now_ns;
            }
            rd_kafka_message_destroy(batch[i]);
        }
    }
    rd_kafka_queue_destroy(queue);
    return NULL;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Nearest rank. */
static double rank(const double *sorted, uint32_t count, double share)
{
    uint32_t at = (uint32_t)(share * count + 0.999999);
    return sorted[at == 0 ? 0 : (at > count ? count : at) - 1];
}

enum span { SENT_TO_SEEN, SENT_TO_READ, READ_TO_SEEN };

/* How long it took; false: it has not come to that. What was seen before the plain consumer had it
 * counts as 0. */
static bool span_of(const struct run *r, uint32_t probe, enum span span, double *ms)
{
    int64_t from_ns = span == READ_TO_SEEN ? r->read_ns[probe] : r->probes[probe].sent_ns;
    int64_t to_ns = span == SENT_TO_READ ? r->read_ns[probe] : r->probes[probe].seen_ns;
    *ms = to_ns > from_ns ? (double)(to_ns - from_ns) / 1e6 : 0;
    return from_ns != 0 && to_ns != 0;
}

/* Percentiles of a span; returns the share within two ticks. */
static double add_latencies(struct run *r, struct cm_bench_row *row, enum span span)
{
    static double ms[PROBES_MAX];
    uint32_t sent = atomic_load_explicit(&r->sent, memory_order_relaxed); /* relaxed: joined */
    uint32_t seen = 0, all = 0, within = 0;
    for (uint32_t i = 0; i < sent; i++) {
        all += !r->probes[i].warm;
        if (!r->probes[i].warm && span_of(r, i, span, &ms[seen])) {
            within += ms[seen] <= 2.0 * (double)r->tick_ms;
            seen++;
        }
    }
    qsort(ms, seen, sizeof(ms[0]), compare_doubles);
    cm_bench_set(row, "probes", all);
    cm_bench_set(row, "missing", all - seen);
    if (seen > 0) {
        cm_bench_set(row, "p50_ms", rank(ms, seen, 0.50));
        cm_bench_set(row, "p90_ms", rank(ms, seen, 0.90));
        cm_bench_set(row, "p99_ms", rank(ms, seen, 0.99));
        cm_bench_set(row, "max_ms", ms[seen - 1]);
    }
    return all > 0 ? 100.0 * within / all : 0;
}

static void report(struct run *r, struct cm_bench *bench, double seconds)
{
    char name[64];
    snprintf(name, sizeof(name), "tick %llu ms", (unsigned long long)r->tick_ms);
    struct cm_bench_row *row = cm_bench_add(bench, name);
    double within = add_latencies(r, row, SENT_TO_SEEN);
    cm_bench_set(row, "within_2_ticks%", within);
    cm_bench_set(row, "records/s", (double)r->records / seconds);
    cm_bench_set(row, "producer_late_ms", (double)r->late_ms_max);
    cm_bench_note(bench, "%s: within 2 ticks: %.1f %%", name, within);
    snprintf(name, sizeof(name), "tick %llu ms, limit: plain consumer",
             (unsigned long long)r->tick_ms);
    (void)add_latencies(r, cm_bench_add(bench, name), SENT_TO_READ);
    snprintf(name, sizeof(name), "tick %llu ms, behind that consumer",
             (unsigned long long)r->tick_ms);
    (void)add_latencies(r, cm_bench_add(bench, name), READ_TO_SEEN);
}

static const char *parse(struct run *r, int argc, char **argv)
{
    const char *json = NULL, *redis = NULL;
    for (int i = 1; i < argc; i += 2) {
        const char *flag = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(flag, "--brokers") == 0) {
            r->brokers = value;
        } else if (strcmp(flag, "--topic") == 0) {
            r->topic = value;
        } else if (strcmp(flag, "--redis") == 0) {
            redis = value;
        } else if (strcmp(flag, "--rate") == 0) {
            r->rate = cm_bench_number(flag, value, 1, 10000000);
        } else if (strcmp(flag, "--seconds") == 0) {
            r->seconds = cm_bench_number(flag, value, 1, 1000);
        } else if (strcmp(flag, "--seats") == 0) {
            r->seats = cm_bench_number(flag, value, 1, 1000000);
        } else if (strcmp(flag, "--tick") == 0) {
            r->tick_ms = cm_bench_number(flag, value, 1, 60000);
        } else if (strcmp(flag, "--json") == 0) {
            json = value;
        } else {
            redis = NULL;
            break;
        }
    }
    const char *colon = redis != NULL ? strrchr(redis, ':') : NULL;
    if (r->brokers == NULL || r->topic == NULL || colon == NULL) {
        fputs("freshness_probe --brokers HOST:PORT --topic NAME --redis HOST:PORT --tick MS\n"
              "    [--rate N] [--seconds N] [--seats N] [--json FILE]\n",
              stderr);
        exit(2);
    }
    snprintf(r->redis_host, sizeof(r->redis_host), "%.*s", (int)(colon - redis), redis);
    r->redis_port = (int)cm_bench_number("--redis", colon + 1, 1, 65535);
    return json;
}

int main(int argc, char **argv)
{
    static struct run r = {.rate = 20000, .seconds = 20, .seats = 1240, .tick_ms = 200};
    pthread_t watcher, reader;
    const char *json = parse(&r, argc, argv);
    struct cm_bench *bench = cm_bench_open("freshness", json);

    snprintf(r.stamp, sizeof(r.stamp), "%llx", (unsigned long long)cm_clock_wall_ms());
    cm_prng_seed(&r.prng, 1);
    if (cm_producer_open(r.brokers, NULL, "lz4", &r.producer) < 0) {
        cm_bench_die("freshness_probe: %s", cm_fail_text());
    }
    r.reader = cm_bench_consumer(r.brokers);
    cm_bench_assign(r.reader, r.topic, RD_KAFKA_OFFSET_END);
    if (pthread_create(&watcher, NULL, watch, &r) != 0 ||
        pthread_create(&reader, NULL, read_plain, &r) != 0) {
        cm_bench_die("freshness_probe: no thread");
    }
    int64_t begin_ns = cm_clock_mono_ns();
    produce(&r);
    double seconds = (double)(cm_clock_mono_ns() - begin_ns) / 1e9;
    /* Release: all probes are counted in; pairs with the acquire in watch(). */
    atomic_store_explicit(&r.finished, true, memory_order_release);
    pthread_join(watcher, NULL);
    pthread_join(reader, NULL);
    (void)rd_kafka_consumer_close(r.reader);
    rd_kafka_destroy(r.reader);
    cm_producer_close(r.producer);
    report(&r, bench, seconds);
    return cm_bench_close(bench);
}
