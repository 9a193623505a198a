// SPDX-License-Identifier: Apache-2.0
/* The consumer and the producer against a real Apache Kafka broker: every record exactly once with
 * its bytes, positions, starts by time, an idle topic, moving partitions, a broker that goes away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "kafka/kafka.h"
#include "kafka/producer.h"
#include "support/kafka_member.h"
#include "support/kafka_server.h"

#define PATIENCE_MS 120000
#define PARTITIONS  4
#define PER_CODEC   20000

static struct kafka_server server;
static struct cm_producer *producer;

static int64_t deadline(void)
{
    return cm_clock_mono_ns() + PATIENCE_MS * CM_NS_PER_MS;
}

#define TURN_UNTIL(member, condition)                                                              \
    do {                                                                                           \
        int64_t end_ns_ = deadline();                                                              \
        while (!(condition)) {                                                                     \
            assert_true(cm_clock_mono_ns() < end_ns_);                                             \
            cm_member_turn((member), 5);                                                           \
        }                                                                                          \
    } while (0)

static void send(struct cm_producer *to, const char *topic, int32_t partition, const char *key,
                 const char *value, size_t len)
{
    while (!cm_producer_try_send(to, topic, partition, key, key == NULL ? 0 : strlen(key), value,
                                 len)) {
        cm_producer_poll(to, 10);
    }
}

static void send_some(const char *topic, int count)
{
    for (int i = 0; i < count; i++) {
        send(producer, topic, i % PARTITIONS, NULL, "value", 5);
    }
    assert_true(cm_producer_flush(producer, PATIENCE_MS));
}

static void make_topic(const char *topic)
{
    assert_int_equal(cm_producer_create_topic(producer, topic, PARTITIONS), 0);
}

/* Bytes that depend on the number, of very different lengths, some of them binary. */
static size_t make_value(char *out, uint32_t number)
{
    size_t len = 4 + (size_t)number * 2654435761U % 700;

    memcpy(out, &number, 4);
    for (size_t i = 4; i < len; i++) {
        out[i] = (char)(number % 3 == 0 ? (size_t)number * 31 + i * 7 : 'a' + (number + i) % 11);
    }
    return len;
}

static int setup(void **state)
{
    (void)state;
    cm_log_set_level(CM_LOG_ERROR);
    return cm_producer_open(server.address, NULL, "none", &producer);
}

static int teardown(void **state)
{
    (void)state;
    cm_producer_close(producer);
    return 0;
}

/* Reads the topic with two workers and marks the number in every value. */
struct reader {
    struct cm_kafka *kafka;
    uint8_t *seen;
    uint32_t total, records, twice, damaged, misplaced;
    int64_t next[PARTITIONS];
};

static void reader_assigned(void *context, const struct cm_position *positions, uint32_t count)
{
    struct reader *reader = context;
    for (uint32_t i = 0; i < count; i++) {
        cm_kafka_start(reader->kafka, positions[i].partition, positions[i].offset,
                       (uint32_t)positions[i].partition % 2);
    }
}

static void reader_revoked(void *context, const int32_t *partitions, uint32_t count, bool lost)
{
    (void)context;
    (void)partitions;
    (void)count;
    (void)lost;
}

static void read_batch(struct reader *reader, uint32_t worker, const struct cm_batch *batch)
{
    char want[1024];

    for (uint32_t i = 0; i < batch->count; i++) {
        const struct cm_record *record = &batch->at[i];
        uint32_t number = 0;
        memcpy(&number, record->value, 4);
        size_t len = make_value(want, number);
        reader->records++;
        if (number >= reader->total || record->value_bytes != len ||
            memcmp(want, record->value, len) != 0) {
            reader->damaged++;
            continue;
        }
        reader->twice += reader->seen[number];
        reader->seen[number] = 1;
        reader->misplaced += (uint32_t)record->partition % 2 != worker ||
                             record->offset != reader->next[record->partition];
        reader->next[record->partition] = record->offset + 1;
    }
}

static void every_record_once_with_its_bytes(void **state)
{
    (void)state;
    static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    char value[1024];
    uint32_t number = 0;

    make_topic("bytes");
    make_topic("bytes"); /* there already: fine */
    for (size_t c = 0; c < CM_ARRAY_LEN(codecs); c++) {
        struct cm_producer *with = NULL;
        assert_int_equal(cm_producer_open(server.address, NULL, codecs[c], &with), 0);
        for (int i = 0; i < PER_CODEC; i++, number++) {
            char key[16];
            (void)snprintf(key, sizeof key, "seat-%u", number % 50);
            send(with, "bytes", -1, number % 2 == 0 ? key : NULL, value, make_value(value, number));
        }
        assert_true(cm_producer_flush(with, PATIENCE_MS));
        assert_int_equal(cm_producer_delivered(with), PER_CODEC);
        cm_producer_close(with);
    }

    static struct cm_member config;
    struct reader reader = {.total = number, .seen = cm_alloc(number, 1)};
    struct cm_kafka_callbacks callbacks = {reader_assigned, reader_revoked, &reader};
    struct cm_batch *batch = cm_alloc(1, sizeof *batch);
    cm_member_init(&config, server.address, "bytes", "bytes");
    assert_int_equal(cm_kafka_open(&config.config, 2, &callbacks, &reader.kafka), 0);
    for (int64_t end_ns = deadline(); reader.records < number;) {
        assert_true(cm_clock_mono_ns() < end_ns);
        assert_int_equal(cm_kafka_poll(reader.kafka, 2), 0);
        for (uint32_t worker = 0; worker < 2; worker++) {
            while (cm_kafka_fetch(reader.kafka, worker, batch) > 0) {
                read_batch(&reader, worker, batch);
                cm_kafka_release(reader.kafka, batch);
            }
        }
    }
    assert_int_equal(reader.damaged, 0);
    assert_int_equal(reader.twice, 0);
    assert_int_equal(reader.misplaced, 0);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        assert_true(reader.next[p] > 0); /* keys and no keys spread over all */
        assert_int_equal(cm_kafka_high(reader.kafka, p), reader.next[p]);
    }
    cm_kafka_close(reader.kafka);
    free(reader.seen);
    free(batch);
}

static void continues_at_its_commit(void **state)
{
    (void)state;
    static struct cm_member member;
    make_topic("positions");
    send_some("positions", 400);
    cm_member_init(&member, server.address, "positions", "positions");
    assert_int_equal(cm_member_open(&member, 2), 0);
    TURN_UNTIL(&member, member.records == 400);
    struct cm_position positions[PARTITIONS];
    for (int32_t p = 0; p < PARTITIONS; p++) {
        positions[p] = (struct cm_position){p, 90 + p, "v1 safe=7"};
    }
    assert_int_equal(cm_kafka_commit(member.kafka, positions, 2, true), 0);
    assert_int_equal(cm_kafka_commit(member.kafka, positions + 2, 1, false), 0);
    assert_int_equal(cm_kafka_commit(member.kafka, positions + 3, 1, true), 0);
    cm_member_close(&member);

    cm_member_init(&member, server.address, "positions", "positions");
    assert_int_equal(cm_member_open(&member, 3), 0);
    TURN_UNTIL(&member, member.ends == PARTITIONS);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        assert_int_equal(member.at[p].position.offset, 90 + p);
        assert_string_equal(member.at[p].position.metadata, "v1 safe=7");
        assert_int_equal(member.at[p].first, 90 + p);
        assert_int_equal(member.at[p].records, 10 - p);
    }
    /* And a rewind on the real thing. */
    cm_member_start(&member, 2, 5, 0);
    TURN_UNTIL(&member, member.at[2].end == 100);
    assert_int_equal(member.at[2].first, 5);
    assert_int_equal(member.disorder + member.foreign, 0);
    cm_member_close(&member);
}

static void open_at(struct cm_member *member, const char *group, const char *start)
{
    cm_member_init(member, server.address, "starts", group);
    member->config.start = start;
    assert_int_equal(cm_member_open(member, 1), 0);
}

static void starts_by_time_duration_and_at_the_end(void **state)
{
    (void)state;
    static struct cm_member by_time, back, beyond, latest, earliest;
    char between[32];

    make_topic("starts");
    send_some("starts", 40);
    /* Records carry the time at which they were sent, in ms: the next ones are at least 20 ms
     * later. */
    int64_t between_ms = cm_clock_wall_ms() + 10;
    while (cm_clock_wall_ms() < between_ms + 10) {
        cm_producer_poll(producer, 5);
    }
    send_some("starts", 20);

    open_at(&by_time, "by-time", cm_format_rfc3339(between_ms, between));
    open_at(&back, "back", "1h");
    open_at(&beyond, "beyond", "2090-01-01T00:00:00Z");
    open_at(&latest, "latest", "latest");
    open_at(&earliest, "earliest", "earliest");
    struct cm_member *all[] = {&by_time, &back, &beyond, &latest, &earliest};
    static const uint64_t want[] = {5, 15, 0, 0, 15};
    for (size_t i = 0; i < CM_ARRAY_LEN(all); i++) {
        TURN_UNTIL(all[i], all[i]->ends >= PARTITIONS);
        for (int p = 0; p < PARTITIONS; p++) {
            assert_int_equal(all[i]->at[p].records, want[i]);
            assert_int_equal(all[i]->at[p].end, 15);
        }
    }
    send_some("starts", 4);
    for (size_t i = 0; i < CM_ARRAY_LEN(all); i++) {
        TURN_UNTIL(all[i], all[i]->records == 4 * want[i] + 4);
        assert_int_equal(all[i]->disorder + all[i]->foreign, 0);
        cm_member_close(all[i]);
    }
}

/* A record that is produced reaches an idle consumer at once: the long poll ends with it. */
static void a_record_arrives_soon(void **state)
{
    (void)state;
    static struct cm_member member;
    make_topic("fresh");
    cm_member_init(&member, server.address, "fresh", "fresh");
    assert_int_equal(cm_member_open(&member, 1), 0);
    TURN_UNTIL(&member, member.ends == PARTITIONS);
    int64_t best_ns = INT64_MAX;
    for (int i = 0; i < 20; i++) {
        uint64_t records = member.records;
        send(producer, "fresh", 0, NULL, "x", 1);
        assert_true(cm_producer_flush(producer, PATIENCE_MS));
        int64_t begin_ns = cm_clock_mono_ns();
        for (int64_t end_ns = deadline(); member.records == records;) {
            assert_true(cm_clock_mono_ns() < end_ns);
            assert_int_equal(cm_kafka_poll(member.kafka, 0), 0);
            (void)cm_member_drain(&member);
        }
        int64_t took_ns = cm_clock_mono_ns() - begin_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    (void)printf("# best of 20: %lld us after the acknowledgement\n", (long long)best_ns / 1000);
    cm_member_close(&member);
}

/* Polled by the coordinator alone, with nothing to read for longer than max.poll.interval.ms. */
static void an_idle_topic_keeps_its_member(void **state)
{
    (void)state;
    static struct cm_member member;
    make_topic("idle");
    cm_member_init(&member, server.address, "idle", "idle");
    cm_member_set(&member, "max.poll.interval.ms", "6000");
    assert_int_equal(cm_member_open(&member, 2), 0);
    TURN_UNTIL(&member, member.ends == PARTITIONS);
    for (int64_t end_ns = cm_clock_mono_ns() + 8 * CM_NS_PER_S; cm_clock_mono_ns() < end_ns;) {
        assert_int_equal(cm_kafka_poll(member.kafka, 100), 0);
    }
    assert_int_equal(member.revoked, 0);
    send_some("idle", 40);
    TURN_UNTIL(&member, member.records == 40);
    assert_int_equal(member.assigned, 1);
    cm_member_close(&member);
}

/* A real broker takes commits while a group is changing, so nothing is read twice. */
static void partitions_move_without_loss_or_repeats(void **state)
{
    (void)state;
    static struct cm_member a, b;
    uint64_t produced = 400;
    make_topic("moving");
    send_some("moving", 400);
    cm_member_init(&a, server.address, "moving", "moving");
    cm_member_init(&b, server.address, "moving", "moving");
    a.commit_on_revoke = b.commit_on_revoke = true;
    assert_int_equal(cm_member_open(&a, 2), 0);
    TURN_UNTIL(&a, a.records == 400);
    assert_int_equal(cm_member_open(&b, 1), 0);
    int64_t end_ns = deadline();
    while (a.owned != 2 || b.owned != 2 || a.records + b.records < produced) {
        assert_true(cm_clock_mono_ns() < end_ns);
        if (produced < 4000) {
            send_some("moving", 40);
            produced += 40;
        }
        cm_member_turn(&a, 2);
        cm_member_turn(&b, 2);
    }
    cm_member_close(&a);
    while (b.owned != 4) {
        assert_true(cm_clock_mono_ns() < end_ns);
        cm_member_turn(&b, 5);
    }
    send_some("moving", 40);
    produced += 40;
    uint64_t ends = b.ends;
    while (a.records + b.records < produced || b.ends < ends + 4) {
        assert_true(cm_clock_mono_ns() < end_ns);
        cm_member_turn(&b, 5);
    }
    assert_int_equal(a.records + b.records, produced);
    assert_int_equal(a.disorder + a.foreign + b.disorder + b.foreign, 0);
    assert_int_equal(a.lost + b.lost, 0);
    assert_int_equal(a.commit_failures + b.commit_failures, 0);
    cm_member_close(&b);
}

static void survives_a_restart_of_the_broker(void **state)
{
    (void)state;
    static struct cm_member member;
    make_topic("restart");
    send_some("restart", 400);
    cm_member_init(&member, server.address, "restart", "restart");
    cm_member_set(&member, "session.timeout.ms", "45000"); /* longer than it is away */
    member.commit_on_revoke = true;
    assert_int_equal(cm_member_open(&member, 2), 0);
    TURN_UNTIL(&member, member.records == 400);
    char address[64];
    (void)snprintf(address, sizeof address, "%s", server.address);
    assert_int_equal(kafka_server_stop(&server), 0);
    cm_member_turn(&member, 100);
    assert_true(cm_producer_try_send(producer, "restart", 0, NULL, 0, "away", 4));
    assert_int_equal(kafka_server_restart(&server), 0);
    assert_string_equal(server.address, address);
    send_some("restart", 399); /* 100, 100, 100, 99, and the one of before */
    for (int64_t end_ns = deadline(); member.records < 800;) {
        assert_true(cm_clock_mono_ns() < end_ns);
        cm_member_turn(&member, 5);
    }
    for (int i = 0; i < 40; i++) {
        cm_member_turn(&member, 5);
    }
    assert_int_equal(member.records, 800);
    assert_int_equal(member.disorder + member.foreign, 0);
    cm_member_close(&member);
}

/* A broker that keeps its connections and says nothing more: closing does not wait for it. */
static void closes_while_the_broker_hangs(void **state)
{
    (void)state;
    static struct cm_member member;
    make_topic("hung");
    send_some("hung", 40);
    cm_member_init(&member, server.address, "hung", "hung");
    member.commit_on_revoke = true;
    assert_int_equal(cm_member_open(&member, 2), 0);
    TURN_UNTIL(&member, member.records == 40);
    kafka_server_pause(&server);
    cm_member_turn(&member, 100);
    int64_t begin_ns = cm_clock_mono_ns();
    cm_member_close(&member);
    int64_t took_ms = (cm_clock_mono_ns() - begin_ns) / CM_NS_PER_MS;
    kafka_server_resume(&server);
    (void)printf("# closed in %lld ms\n", (long long)took_ms);
    assert_int_equal(member.commit_failures, 1);
    assert_true(took_ms < 15000); /* about 3 s; the rest is for busy machines */
}

int main(void)
{
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    int rc = kafka_server_start(&server);
    if (rc != 0) {
        return rc;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_once_with_its_bytes),
        cmocka_unit_test(continues_at_its_commit),
        cmocka_unit_test(starts_by_time_duration_and_at_the_end),
        cmocka_unit_test(a_record_arrives_soon),
        cmocka_unit_test(an_idle_topic_keeps_its_member),
        cmocka_unit_test(partitions_move_without_loss_or_repeats),
        cmocka_unit_test(survives_a_restart_of_the_broker),
        cmocka_unit_test(closes_while_the_broker_hangs),
    };
    rc = cmocka_run_group_tests_name("kafka_plane", tests, setup, teardown);
    kafka_server_remove(&server);
    return rc;
}
