// SPDX-License-Identifier: Apache-2.0
/* One member on the mock broker: starts, ends, rewinds, commits, trouble. */
#include "io/ring.h"
#include "kafka/kafka.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "kafka/mock_broker.h"
#include "kafka/producer.h"
#include "support/kafka_member.h"

#define PATIENCE_MS 60000
#define PARTITIONS  4

static struct cm_mock_broker *mock;
static struct cm_producer *producer;

/* Joining a group of the mock broker takes 3 s, so all members join at once, in setup. */
enum { READER, LATER, THREADED, WIDE, ODD, CUT, AWAY, MEMBERS };
static struct cm_member members[MEMBERS];
static struct cm_member *member; /* of the test that runs */

static int64_t calls_end[PARTITIONS]; /* of topic `calls` */

static void produce_to(const char *topic, int32_t partition, int from, int count)
{
    for (int i = from; i < from + count; i++) {
        char value[64];
        int len = snprintf(value, sizeof value, "record %d of %d", i, (int)partition);
        while (!cm_producer_try_send(producer, topic, partition, NULL, 0, value, (size_t)len)) {
            cm_producer_poll(producer, 10);
        }
    }
    assert_true(cm_producer_flush(producer, PATIENCE_MS));
    if (strcmp(topic, "calls") == 0) {
        calls_end[partition] += count;
    }
}

static bool has_read_calls(const struct cm_member *who)
{
    for (int p = 0; p < PARTITIONS; p++) {
        if (who->at[p].end != calls_end[p]) {
            return false;
        }
    }
    return true;
}

/* Turns until the condition holds; the patience is for machines that are busy, not for the test. */
#define TURN_UNTIL(condition)                                                                      \
    do {                                                                                           \
        int64_t end_ns_ = cm_clock_mono_ns() + PATIENCE_MS * CM_NS_PER_MS;                         \
        while (!(condition)) {                                                                     \
            assert_true(cm_clock_mono_ns() < end_ns_);                                             \
            cm_member_turn(member, 5);                                                             \
        }                                                                                          \
    } while (0)

static int open_member(int which, const char *topic, uint32_t workers, bool start_at_once)
{
    static char groups[MEMBERS][16];

    (void)snprintf(groups[which], sizeof groups[which], "group-%d", which);
    cm_member_init(&members[which], cm_mock_broker_address(mock), topic, groups[which]);
    members[which].config.start = which == AWAY ? "latest" : "earliest";
    members[which].start_at_once = start_at_once;
    return cm_member_open(&members[which], workers);
}

/* A consumer outside of any membership. */
static rd_kafka_t *plain_consumer(const char *group)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(
        rd_kafka_conf_set(conf, "bootstrap.servers", cm_mock_broker_address(mock), why, sizeof why),
        RD_KAFKA_CONF_OK);
    assert_int_equal(rd_kafka_conf_set(conf, "group.id", group, why, sizeof why), RD_KAFKA_CONF_OK);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    assert_non_null(rk);
    return rk;
}

static const int64_t committed[PARTITIONS] = {0, 100, 200, 500};

/* Positions of READER's group, before it joins: none for 0; metadata of ours for 2, of a stranger
 * for 3. */
static void commit_beforehand(void)
{
    rd_kafka_t *rk = plain_consumer("group-0");
    rd_kafka_topic_partition_list_t *rows = rd_kafka_topic_partition_list_new(3);

    for (int32_t p = 1; p < PARTITIONS; p++) {
        rd_kafka_topic_partition_t *row = rd_kafka_topic_partition_list_add(rows, "calls", p);
        row->offset = committed[p];
        if (p >= 2) {
            row->metadata_size = p == 2 ? 11 : 64;
            row->metadata = cm_alloc(row->metadata_size, 1);
            memset(row->metadata, 'm', row->metadata_size);
            memcpy(row->metadata, "v1 safe=200", 11);
        }
    }
    assert_int_equal(rd_kafka_commit(rk, rows, 0), 0);
    rd_kafka_topic_partition_list_destroy(rows);
    rd_kafka_destroy(rk);
}

static int setup(void **state)
{
    (void)state;
    char *large = cm_alloc(1, 200000);
    memset(large, 'x', 200000);
    memset(calls_end, 0, sizeof calls_end);
    cm_log_set_level(CM_LOG_ERROR);
    int rc = cm_mock_broker_open("calls", PARTITIONS, &mock);
    rc = rc != 0 ? rc : cm_mock_broker_topic(mock, "wide", 100);
    rc = rc != 0 ? rc : cm_mock_broker_topic(mock, "odd", 1);
    rc = rc != 0 ? rc : cm_mock_broker_topic(mock, "cut", 2);
    rc = rc != 0 ? rc : cm_producer_open(cm_mock_broker_address(mock), NULL, "none", &producer);
    commit_beforehand();
    rc = rc != 0 ? rc : open_member(READER, "calls", 2, true);
    rc = rc != 0 ? rc : open_member(LATER, "calls", 2, false);
    rc = rc != 0 ? rc : open_member(THREADED, "calls", 1, false);
    rc = rc != 0 ? rc : open_member(WIDE, "wide", 1, true);
    rc = rc != 0 ? rc : open_member(ODD, "odd", 1, true);
    rc = rc != 0 ? rc : open_member(CUT, "cut", 1, false);
    rc = rc != 0 ? rc : open_member(AWAY, "calls", 2, true);
    for (int32_t p = 0; rc == 0 && p < PARTITIONS; p++) {
        produce_to("calls", p, 0, 500);
    }
    for (int i = 0; rc == 0 && i < 60; i++) { /* 12 MB: the mock keeps 5 */
        assert_true(cm_producer_try_send(producer, "cut", 0, NULL, 0, large, 200000));
        assert_true(cm_producer_flush(producer, PATIENCE_MS));
    }
    produce_to("cut", 1, 0, 10);
    free(large);
    return rc;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < MEMBERS; i++) {
        if (members[i].kafka != NULL) {
            cm_member_close(&members[i]);
        }
    }
    cm_producer_close(producer);
    cm_mock_broker_close(mock);
    return 0;
}

static void assert_clean(void)
{
    assert_int_equal(member->foreign, 0);
    assert_int_equal(member->disorder, 0);
}

static void starts_at_what_was_committed(void **state)
{
    (void)state;
    member = &members[READER];
    TURN_UNTIL(member->ends >= PARTITIONS && member->records == 500 + 400 + 300 + 0);
    assert_clean();
    for (int32_t p = 0; p < PARTITIONS; p++) {
        const struct cm_member_partition *at = &member->at[p];
        assert_int_equal(at->position.offset, p == 0 ? CM_OFFSET_NONE : committed[p]);
        assert_int_equal(at->first, p == 3 ? -1 : committed[p]);
        assert_int_equal(at->end, 500);
        assert_true(p == 3 || at->last_append_ms > 0);
        assert_int_equal(cm_kafka_high(member->kafka, p), 500);
    }
    assert_string_equal(member->at[0].position.metadata, "");
    assert_string_equal(member->at[1].position.metadata, "");
    assert_string_equal(member->at[2].position.metadata, "v1 safe=200");
    assert_string_equal(member->at[3].position.metadata, ""); /* too long to be ours */
    assert_int_equal(cm_kafka_high(member->kafka, -1), -1);
    assert_int_equal(cm_kafka_high(member->kafka, 77), -1);
}

static void commits_can_be_read_back(void **state)
{
    (void)state;
    struct cm_position positions[2] = {{1, 41, "v1 \"x\""}, {2, INT64_C(1) << 40, ""}};
    member = &members[READER];
    TURN_UNTIL(member->owned == PARTITIONS);
    memset(positions[1].metadata, 'm', sizeof positions[1].metadata - 1);
    assert_int_equal(cm_kafka_commit(member->kafka, positions, 2, true), 0);

    rd_kafka_t *rk = plain_consumer(member->config.group);
    rd_kafka_topic_partition_list_t *rows = rd_kafka_topic_partition_list_new(2);
    (void)rd_kafka_topic_partition_list_add_range(rows, "calls", 1, 2);
    assert_int_equal(rd_kafka_committed(rk, rows, PATIENCE_MS), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rows->elems[i].offset, positions[i].offset);
        assert_int_equal(rows->elems[i].metadata_size, strlen(positions[i].metadata));
        assert_memory_equal(rows->elems[i].metadata, positions[i].metadata,
                            rows->elems[i].metadata_size);
    }
    rd_kafka_topic_partition_list_destroy(rows);
    rd_kafka_destroy(rk);
}

static void commits_only_what_is_ours(void **state)
{
    (void)state;
    member = &members[AWAY];
    struct cm_position position = {1, 5, ""};
    assert_int_equal(cm_kafka_commit(member->kafka, &position, 0, true), 0);
    TURN_UNTIL(member->owned == PARTITIONS);
    assert_int_equal(cm_kafka_commit(member->kafka, &position, 1, true), 0);
    assert_int_equal(cm_kafka_commit(member->kafka, &position, 1, false), 0);
    position.partition = 99;
    assert_int_equal(cm_kafka_commit(member->kafka, &position, 1, true), -CM_ERR_KAFKA);
    assert_non_null(strstr(cm_fail_text(), "99"));
    /* A start of what is not owned is ignored. */
    cm_kafka_start(member->kafka, 99, 0, 0);
    cm_kafka_start(member->kafka, -1, 0, 0);
}

static void nothing_comes_before_its_start(void **state)
{
    (void)state;
    member = &members[LATER];
    TURN_UNTIL(member->owned == PARTITIONS);
    cm_member_start(member, 1, 490, 1);
    TURN_UNTIL(member->at[1].end == 500);
    for (int i = 0; i < 20; i++) { /* live records of partitions that nobody has started */
        produce_to("calls", i % 2 == 0 ? 0 : 3, 0, 1);
        cm_member_turn(member, 10);
    }
    assert_int_equal(member->records, 10);
    assert_int_equal(member->at[1].first, 490);
    cm_member_start(member, 0, 0, 0);
    cm_member_start(member, 3, CM_OFFSET_NONE, 0);
    cm_member_start(member, 2, 499, 1);
    TURN_UNTIL(member->at[0].end == 510 && member->at[3].end == 510 && member->at[2].end == 500);
    assert_int_equal(member->at[0].first, 0);
    assert_int_equal(member->at[3].first, 0);
    assert_int_equal(member->at[2].records, 1);
    assert_clean();
}

static void rewinds_exactly(void **state)
{
    (void)state;
    member = &members[READER];
    for (int i = 0; i < 60; i++) {
        int32_t partition = i % 3;
        int64_t offset = i * 7919 % 480;
        /* Sometimes in the middle of things, sometimes with a full queue, sometimes at rest; now
         * and then to another worker, now and then twice in a row. */
        if (i % 4 == 1) {
            assert_int_equal(cm_kafka_poll(member->kafka, 20), 0);
        } else if (i % 4 == 2) {
            TURN_UNTIL(member->at[partition].end >= 500);
        }
        if (i % 5 == 0) {
            cm_member_start(member, partition, 479 - offset, 0);
        }
        cm_member_start(member, partition, offset, (uint32_t)(i / 3) % 2);
        if (i % 2 == 0) {
            TURN_UNTIL(member->at[partition].first >= 0);
            assert_int_equal(member->at[partition].first, offset);
        }
        assert_clean();
    }
    TURN_UNTIL(member->at[0].end >= 500 && member->at[1].end >= 500 && member->at[2].end >= 500);
    assert_clean();
}

/* A worker in a thread of its own, while the coordinator rewinds: what comes is the next offset, or
 * the offset of a later start. */
struct fetcher {
    struct cm_kafka *kafka;
    _Atomic int64_t wanted; /* generation << 32 | offset; negative while the start is under way */
    _Atomic int64_t seen;   /* generation of the start that was seen to take effect */
    atomic_bool stop;
    int64_t stale;
};

static void *fetch_all(void *argument)
{
    struct fetcher *fetcher = argument;
    struct cm_batch *batch = cm_alloc(1, sizeof *batch);
    int64_t generation = 0;
    int64_t next = -1;

    while (!atomic_load(&fetcher->stop)) {
        int64_t before = atomic_load(&fetcher->wanted);
        (void)cm_kafka_fetch(fetcher->kafka, 0, batch);
        int64_t after = atomic_load(&fetcher->wanted);
        int64_t promised = after < 0 ? -after : after;
        for (uint32_t i = 0; i < batch->count; i++) {
            int64_t offset = batch->at[i].offset;
            bool first = offset == (promised & UINT32_MAX);
            if (first) {
                generation = promised >> 32;
                atomic_store(&fetcher->seen, generation);
            }
            /* A fetch that lies wholly behind the return of cm_kafka_start() gives its first
             * record, and then the one behind that, and no other. */
            if (before == after && after > 0 && !first &&
                (generation != promised >> 32 || offset != next)) {
                fetcher->stale++;
            }
            next = offset + 1;
        }
        cm_kafka_release(fetcher->kafka, batch);
    }
    free(batch);
    return NULL;
}

static void rewinds_under_a_running_worker(void **state)
{
    (void)state;
    member = &members[THREADED];
    struct fetcher fetcher = {0};
    pthread_t thread;

    TURN_UNTIL(member->owned == PARTITIONS);
    fetcher.kafka = member->kafka;
    assert_int_equal(pthread_create(&thread, NULL, fetch_all, &fetcher), 0);
    int64_t end_ns = cm_clock_mono_ns() + PATIENCE_MS * CM_NS_PER_MS;
    bool patient = true;
    for (int64_t generation = 1; generation <= 100 && patient; generation++) {
        int64_t offset = generation * 7919 % 490;
        atomic_store(&fetcher.wanted, -(generation << 32 | offset));
        cm_kafka_start(member->kafka, 2, offset, 0);
        atomic_store(&fetcher.wanted, generation << 32 | offset);
        while (generation % 10 == 0 && patient && atomic_load(&fetcher.seen) != generation) {
            assert_int_equal(cm_kafka_poll(member->kafka, 1), 0);
            patient = cm_clock_mono_ns() < end_ns;
        }
    }
    atomic_store(&fetcher.stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(patient);
    assert_int_equal(fetcher.stale, 0);
}

static void descriptor_wakes_the_worker(void **state)
{
    (void)state;
    member = &members[READER];
    uint64_t count = 0;

    int64_t end_of_1 = cm_kafka_high(member->kafka, 1);
    cm_member_start(member, 1, end_of_1, 0);
    TURN_UNTIL(member->at[1].end == end_of_1);
    uint64_t records = member->records;
    int fd = cm_kafka_fd(member->kafka, 0);
    while (read(fd, &count, sizeof count) > 0) {
    }
    produce_to("calls", 1, 0, 1);
    int64_t end_ns = cm_clock_mono_ns() + PATIENCE_MS * CM_NS_PER_MS;
    while (read(fd, &count, sizeof count) < 0) {
        assert_true(cm_clock_mono_ns() < end_ns);
        assert_int_equal(cm_kafka_poll(member->kafka, 5), 0);
    }
    assert_int_equal(count, 1);
    (void)cm_member_drain(member);
    assert_int_equal(member->records, records + 1);
    assert_clean();
}

static void more_ends_than_a_batch_holds(void **state)
{
    (void)state;
    member = &members[WIDE];
    assert_int_equal(cm_mock_broker_topic(mock, "wide", 100), -CM_ERR_KAFKA);
    int64_t end_ns = cm_clock_mono_ns() + PATIENCE_MS * CM_NS_PER_MS;
    for (int i = 0; i < 40; i++) { /* let them pile up */
        assert_true(cm_clock_mono_ns() < end_ns);
        assert_int_equal(cm_kafka_poll(member->kafka, member->owned == 0 ? 100 : 5), 0);
    }
    TURN_UNTIL(member->ends >= 100);
    for (int p = 0; p < 100; p++) {
        assert_int_equal(member->at[p].end, 0);
    }
}

static void values_may_be_absent_or_empty(void **state)
{
    (void)state;
    member = &members[ODD];
    assert_true(cm_producer_try_send(producer, "odd", 0, "k", 1, NULL, 0));
    assert_true(cm_producer_try_send(producer, "odd", 0, NULL, 0, "", 0));
    assert_true(cm_producer_try_send(producer, "odd", 0, "", 0, "\0x", 2));
    assert_true(cm_producer_flush(producer, PATIENCE_MS));
    struct cm_batch *batch = cm_alloc(1, sizeof *batch);
    uint32_t seen = 0;
    int64_t end_ns = cm_clock_mono_ns() + PATIENCE_MS * CM_NS_PER_MS;
    while (seen < 3) {
        assert_true(cm_clock_mono_ns() < end_ns);
        assert_int_equal(cm_kafka_poll(member->kafka, 5), 0);
        if (member->ring != NULL) {
            (void)cm_ring_wait(member->ring, CM_NS_PER_MS);
        }
        (void)cm_kafka_fetch(member->kafka, 0, batch);
        for (uint32_t i = 0; i < batch->count; i++, seen++) {
            const struct cm_record *record = &batch->at[i];
            assert_int_equal(record->offset, seen);
            assert_int_equal(record->value_bytes, seen == 2 ? 2 : 0);
            assert_true((record->value == NULL) == (seen == 0));
        }
        cm_kafka_release(member->kafka, batch);
        assert_int_equal(batch->owner_count, 0);
    }
    free(batch);
}

static void survives_a_log_that_was_cut(void **state)
{
    (void)state;
    member = &members[CUT];
    TURN_UNTIL(member->owned == 2);
    /* The head is gone: goes on at what is there. */
    cm_member_start(member, 0, 3, 0);
    TURN_UNTIL(member->at[0].end == 60);
    assert_true(member->at[0].first > 3);
    assert_int_equal(member->at[0].next, 60);
    assert_int_equal(member->disorder, 1);
    /* The position lies behind the end: nothing below it comes, and new records do. */
    cm_member_start(member, 1, 1000, 0);
    TURN_UNTIL(member->at[1].end == 10);
    assert_int_equal(member->at[1].records, 0);
    member->at[1].next = 10;
    produce_to("cut", 1, 10, 5);
    TURN_UNTIL(member->at[1].end == 15);
    assert_int_equal(member->at[1].first, 10);
    assert_int_equal(member->at[1].records, 5);
    assert_int_equal(member->disorder, 1);
}

static void survives_a_broker_that_was_away(void **state)
{
    (void)state;
    member = &members[AWAY];
    TURN_UNTIL(has_read_calls(member)); /* also what the tests before this one have produced */
    assert_true(member->at[0].end >= 500 && member->at[0].records < 500); /* it began at the end */
    uint64_t records = member->records;
    cm_mock_broker_set_up(mock, false);
    for (int i = 0; i < 20; i++) {
        cm_member_turn(member, 10);
    }
    struct cm_position position = {0, 1, ""};
    assert_int_equal(cm_kafka_commit(member->kafka, &position, 1, false), 0);
    cm_mock_broker_set_up(mock, true);
    produce_to("calls", 0, 0, 5);
    TURN_UNTIL(member->records >= records + 5);
    assert_int_equal(member->records, records + 5);
    assert_clean();
}

static void closes_in_time_without_a_broker(void **state)
{
    (void)state;
    member = &members[AWAY];
    member->commit_on_revoke = true; /* cannot work, and must not take long to say so */
    cm_mock_broker_set_up(mock, false);
    assert_int_equal(cm_kafka_poll(member->kafka, 50), 0);
    int64_t begin_ns = cm_clock_mono_ns();
    cm_member_close(member);
    int64_t took_ms = (cm_clock_mono_ns() - begin_ns) / CM_NS_PER_MS;
    cm_mock_broker_set_up(mock, true);
    assert_int_equal(member->revoked, 1);
    assert_int_equal(member->lost, 0);
    assert_true(took_ms < 10000); /* about 3 s; the rest is for busy machines */
}

static void closes_without_ever_seeing_a_broker(void **state)
{
    static struct cm_member never;
    (void)state;
    member = &never;
    cm_member_init(member, "127.0.0.1:1", "calls", "never");
    assert_int_equal(cm_member_open(member, 1), 0);
    cm_member_turn(member, 50);
    assert_int_equal(member->assigned, 0);
    cm_member_close(member);
    assert_int_equal(member->revoked, 0);
}

static void refuses_what_it_cannot_do(void **state)
{
    (void)state;
    static struct cm_member bad_one;
    member = &bad_one;
    static const struct cm_property bad[] = {
        {"enable.auto.commit", "true", false},
        {"group.id", "other", false},
        {"bootstrap.servers", "elsewhere:1", false},
        {"auto.offset.reset", "latest", false},
        {"partition.assignment.strategy", "cooperative-sticky", false},
        {"no.such.property", "1", false},
        {"session.timeout.ms", "soon", false},
        {"security.protocol", "hunter2", true},
    };
    for (size_t i = 0; i < CM_ARRAY_LEN(bad); i++) {
        struct cm_property copy = bad[i];
        cm_member_init(member, "127.0.0.1:1", "calls", "bad");
        member->config.properties = (struct cm_properties){&copy, 1};
        assert_int_equal(cm_member_open(member, 1), -CM_ERR_CONFIG);
        assert_non_null(strstr(cm_fail_text(), bad[i].name));
        assert_null(strstr(cm_fail_text(), "hunter2"));
        free(member->batch);
    }
    static const char *const fields[][4] = {
        {"", "calls", "g", "earliest"},          {"h:1", "", "g", "earliest"},
        {"h:1", "^calls", "g", "earliest"},      {"h:1", "calls", "", "earliest"},
        {"h:1", "calls", "g", "the day before"},
    };
    for (size_t i = 0; i < CM_ARRAY_LEN(fields); i++) {
        cm_member_init(member, fields[i][0], fields[i][1], fields[i][2]);
        member->config.start = fields[i][3];
        assert_int_equal(cm_member_open(member, 1), -CM_ERR_CONFIG);
        assert_non_null(strstr(cm_fail_text(), "source.kafka."));
        free(member->batch);
    }
}

int main(void)
{
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_at_what_was_committed),
        cmocka_unit_test(commits_can_be_read_back),
        cmocka_unit_test(commits_only_what_is_ours),
        cmocka_unit_test(nothing_comes_before_its_start),
        cmocka_unit_test(rewinds_exactly),
        cmocka_unit_test(rewinds_under_a_running_worker),
        cmocka_unit_test(descriptor_wakes_the_worker),
        cmocka_unit_test(more_ends_than_a_batch_holds),
        cmocka_unit_test(values_may_be_absent_or_empty),
        cmocka_unit_test(survives_a_log_that_was_cut),
        cmocka_unit_test(survives_a_broker_that_was_away),
        cmocka_unit_test(closes_in_time_without_a_broker),
        cmocka_unit_test(closes_without_ever_seeing_a_broker),
        cmocka_unit_test(refuses_what_it_cannot_do),
    };
    int failed = cmocka_run_group_tests_name("kafka", tests, setup, teardown);
    /* And once more over the own data plane, but for what looks into librdkafka's queue. */
    const struct CMUnitTest native[] = {
        cmocka_unit_test(starts_at_what_was_committed),
        cmocka_unit_test(commits_can_be_read_back),
        cmocka_unit_test(commits_only_what_is_ours),
        cmocka_unit_test(nothing_comes_before_its_start),
        cmocka_unit_test(rewinds_exactly),
        cmocka_unit_test(more_ends_than_a_batch_holds),
        cmocka_unit_test(values_may_be_absent_or_empty),
        cmocka_unit_test(survives_a_log_that_was_cut),
        cmocka_unit_test(survives_a_broker_that_was_away),
        cmocka_unit_test(closes_in_time_without_a_broker),
        cmocka_unit_test(closes_without_ever_seeing_a_broker),
    };
    cm_member_use(CM_PLANE_IO_URING);
    failed += cmocka_run_group_tests_name("kafka, own plane", native, setup, teardown);
    cm_member_use(CM_PLANE_EPOLL);
    failed += cmocka_run_group_tests_name("kafka, own plane over epoll", native, setup, teardown);
    return failed;
}
