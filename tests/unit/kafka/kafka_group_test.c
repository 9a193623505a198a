// SPDX-License-Identifier: Apache-2.0
/* Two members of one group on the mock broker: partitions move, and what was queued for the old
 * owner is gone; positions that cannot be read yet; a member that lost its membership. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "kafka/kafka.h"
#include "kafka/mock_broker.h"
#include "kafka/producer.h"
#include "support/kafka_member.h"

#define PATIENCE_MS    60000
#define PARTITIONS     4
#define OFFSET_FETCH   9
#define HEARTBEAT      12
#define UNKNOWN_MEMBER 25
#define OUT_OF_RANGE   1

static struct cm_mock_broker *mock;
static struct cm_producer *producer;

static void produce(int count)
{
    for (int i = 0; i < count; i++) {
        for (int32_t p = 0; p < PARTITIONS; p++) {
            while (!cm_producer_try_send(producer, "calls", p, NULL, 0, "value", 5)) {
                cm_producer_poll(producer, 10);
            }
        }
    }
    assert_true(cm_producer_flush(producer, PATIENCE_MS));
}

/* Each test has a broker of its own: what one leaves behind when it fails cannot reach the next. */
static int setup(void **state)
{
    (void)state;
    cm_log_set_level(CM_LOG_ERROR);
    int rc = cm_mock_broker_open("calls", PARTITIONS, &mock);
    return rc != 0 ? rc : cm_producer_open(cm_mock_broker_address(mock), NULL, "none", &producer);
}

static int teardown(void **state)
{
    (void)state;
    cm_producer_close(producer);
    cm_mock_broker_close(mock);
    return 0;
}

static void commit_all(struct cm_member *member)
{
    for (int32_t p = 0; p < PARTITIONS; p++) {
        struct cm_position position = {p, member->at[p].next, ""};
        if (member->at[p].owned && position.offset >= 0) {
            assert_int_equal(cm_kafka_commit(member->kafka, &position, 1, true), 0);
        }
    }
}

/* Each partition is with one of the two, and was read up to `next`. */
static bool shared(const struct cm_member *a, const struct cm_member *b, int64_t next)
{
    bool all = a->owned == 2 && b->owned == 2;

    for (int p = 0; p < PARTITIONS; p++) {
        const struct cm_member *owner = a->at[p].owned ? a : b;
        all = all && a->at[p].owned != b->at[p].owned && owner->at[p].next == next;
    }
    return all;
}

/* The next owner begins at what was committed, and every record is read by somebody. (The mock
 * broker takes no commits once a group is changing; the real one is asked in tests/integration.) */
static void partitions_move_without_loss(void **state)
{
    (void)state;
    static struct cm_member a, b;
    produce(200);
    cm_member_init(&a, cm_mock_broker_address(mock), "calls", "moving");
    cm_member_init(&b, cm_mock_broker_address(mock), "calls", "moving");
    assert_int_equal(cm_member_open(&a, 2), 0);
    int64_t end_ns = cm_clock_mono_ns() + PATIENCE_MS * CM_NS_PER_MS;
    while (a.records < UINT64_C(4) * 200) {
        assert_true(cm_clock_mono_ns() < end_ns);
        cm_member_turn(&a, 5);
    }
    commit_all(&a);
    assert_int_equal(cm_member_open(&b, 1), 0);
    uint64_t produced = 200;
    while (a.owned != 2 || b.owned != 2) {
        assert_true(cm_clock_mono_ns() < end_ns);
        if (a.revoked == 0) { /* it moves in the middle of traffic */
            produce(1);
            produced++;
        }
        cm_member_turn(&a, 2);
        cm_member_turn(&b, 2);
    }
    produce(10);
    produced += 10;
    while (!shared(&a, &b, (int64_t)produced)) {
        assert_true(cm_clock_mono_ns() < end_ns);
        cm_member_turn(&a, 2);
        cm_member_turn(&b, 2);
    }
    for (int p = 0; p < PARTITIONS; p++) {
        struct cm_member *last = a.at[p].owned ? &a : &b;
        assert_int_equal(last->at[p].position.offset, 200);
        assert_int_equal(last->at[p].first, 200);
        assert_int_equal(last->at[p].next, produced);
        /* Nobody commits for what belongs to the other. */
        struct cm_position position = {p, 1, ""};
        struct cm_member *other = a.at[p].owned ? &b : &a;
        assert_int_equal(cm_kafka_commit(other->kafka, &position, 1, true), -CM_ERR_KAFKA);
    }
    /* However often the group settled anew: nothing is given before the last was taken back. */
    assert_true(a.assigned >= 2);
    assert_int_equal(a.revoked, a.assigned - 1);
    assert_int_equal(b.revoked, b.assigned - 1);
    assert_int_equal(a.lost + b.lost, 0);
    assert_int_equal(a.foreign + b.foreign, 0);
    assert_int_equal(a.disorder + b.disorder, 0);
    cm_member_close(&b);
    cm_member_close(&a);
    assert_int_equal(b.revoked, b.assigned);
    assert_int_equal(a.revoked, a.assigned);
}

/* Whoever is given a part of the topic first waits for the rest: the others may be those of a
 * member that is no more. */
static void begins_with_the_whole_topic(void **state)
{
    (void)state;
    static struct cm_member a, b;
    produce(5);
    cm_member_init(&a, cm_mock_broker_address(mock), "calls", "whole");
    cm_member_init(&b, cm_mock_broker_address(mock), "calls", "whole");
    cm_member_set(&b, "session.timeout.ms",
                  "60000"); /* the mock broker tells nobody's end before */
    assert_int_equal(cm_member_open(&a, 1), 0);
    int64_t end_ns = cm_clock_mono_ns() + PATIENCE_MS * CM_NS_PER_MS;
    while (a.ends < PARTITIONS) {
        assert_true(cm_clock_mono_ns() < end_ns);
        cm_member_turn(&a, 5);
    }
    assert_int_equal(cm_member_open(&b, 1), 0);
    while (a.owned != 2) {
        assert_true(cm_clock_mono_ns() < end_ns);
        cm_member_turn(&a, 2);
        cm_member_turn(&b, 2);
    }
    for (int i = 0; i < 200; i++) { /* its own share has come, too */
        cm_member_turn(&a, 2);
        cm_member_turn(&b, 2);
    }
    assert_int_equal(b.assigned, 0);
    assert_int_equal(a.assigned, a.revoked + 1); /* who has begun goes on with what it is given */
    cm_member_close(&a);
    while (b.ends < PARTITIONS) {
        assert_true(cm_clock_mono_ns() < end_ns);
        cm_member_turn(&b, 5);
    }
    assert_int_equal(b.assigned, 1);
    assert_int_equal(b.revoked, 0);
    assert_int_equal(b.owned, PARTITIONS);
    cm_member_close(&b);
}

/* Watches a fetch inside on_revoke and after it, with records in librdkafka's queues. */
struct watcher {
    struct cm_kafka *kafka;
    uint32_t told, delivered_in_revoke;
};

static void watcher_assigned(void *context, const struct cm_position *positions, uint32_t count)
{
    struct watcher *watcher = context;
    for (uint32_t i = 0; i < count; i++) {
        cm_kafka_start(watcher->kafka, positions[i].partition, 0, 0);
    }
    watcher->told = count;
}

static void watcher_revoked(void *context, const int32_t *partitions, uint32_t count, bool lost)
{
    struct watcher *watcher = context;
    struct cm_batch *batch = cm_alloc(1, sizeof *batch);

    (void)partitions;
    assert_int_equal(count, watcher->told);
    assert_false(lost);
    watcher->delivered_in_revoke = cm_kafka_fetch(watcher->kafka, 0, batch);
    cm_kafka_release(watcher->kafka, batch);
    free(batch);
    watcher->told = 0;
}

static void queued_records_die_with_the_ownership(void **state)
{
    (void)state;
    static struct cm_member config;
    struct watcher watcher = {0};
    struct cm_kafka_callbacks callbacks = {watcher_assigned, watcher_revoked, &watcher};
    produce(1);
    cm_member_init(&config, cm_mock_broker_address(mock), "calls", "watched");
    assert_int_equal(cm_kafka_open(&config.config, 1, &callbacks, &watcher.kafka), 0);
    struct cm_batch *batch = cm_alloc(1, sizeof *batch);
    int64_t end_ns = cm_clock_mono_ns() + PATIENCE_MS * CM_NS_PER_MS;
    while (cm_kafka_fetch(watcher.kafka, 0, batch) == 0) {
        assert_true(cm_clock_mono_ns() < end_ns);
        assert_int_equal(cm_kafka_poll(watcher.kafka, 5), 0);
    }
    cm_kafka_release(watcher.kafka, batch);
    free(batch);
    for (int i = 0; i < 10; i++) { /* more piles up in the queue */
        produce(100);
        assert_int_equal(cm_kafka_poll(watcher.kafka, 5), 0);
    }
    cm_kafka_close(watcher.kafka);
    assert_int_equal(watcher.told, 0);
    assert_int_equal(watcher.delivered_in_revoke, 0);
}

static void waits_for_positions_and_does_not_guess(void **state)
{
    (void)state;
    static struct cm_member member;
    produce(1);
    cm_mock_broker_fail_requests(mock, OFFSET_FETCH, 1,
                                 3); /* an error that librdkafka does not retry */
    cm_member_init(&member, cm_mock_broker_address(mock), "calls", "unknown");
    assert_int_equal(cm_member_open(&member, 1), 0);
    int64_t end_ns = cm_clock_mono_ns() + PATIENCE_MS * CM_NS_PER_MS;
    while (member.ends < PARTITIONS) {
        assert_true(cm_clock_mono_ns() < end_ns);
        cm_member_turn(&member, 5);
        assert_true(member.assigned > 0 || member.records + member.ends == 0);
    }
    assert_int_equal(member.assigned, 1);
    assert_int_equal(member.foreign, 0);
    for (int p = 0; p < PARTITIONS; p++) {
        assert_int_equal(member.at[p].first, 0);
        assert_int_equal(member.at[p].position.offset, CM_OFFSET_NONE);
    }
    cm_member_close(&member);
}

static void lost_partitions_are_not_committed(void **state)
{
    (void)state;
    static struct cm_member member;
    produce(1);
    cm_member_init(&member, cm_mock_broker_address(mock), "calls", "lost");
    member.commit_on_revoke = true;
    assert_int_equal(cm_member_open(&member, 1), 0);
    int64_t end_ns = cm_clock_mono_ns() + PATIENCE_MS * CM_NS_PER_MS;
    while (member.ends < PARTITIONS) {
        assert_true(cm_clock_mono_ns() < end_ns);
        cm_member_turn(&member, 5);
    }
    /* The broker forgets the member: it is told so at its next heartbeat. */
    cm_mock_broker_fail_requests(mock, HEARTBEAT, UNKNOWN_MEMBER, 1);
    while (member.revoked == 0) {
        assert_true(cm_clock_mono_ns() < end_ns);
        cm_member_turn(&member, 5);
    }
    assert_int_equal(member.lost, 1);
    assert_int_equal(member.commit_failures, 1);
    cm_member_close(&member);
}

int main(void)
{
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(partitions_move_without_loss, setup, teardown),
        cmocka_unit_test_setup_teardown(begins_with_the_whole_topic, setup, teardown),
        cmocka_unit_test_setup_teardown(queued_records_die_with_the_ownership, setup, teardown),
        cmocka_unit_test_setup_teardown(waits_for_positions_and_does_not_guess, setup, teardown),
        cmocka_unit_test_setup_teardown(lost_partitions_are_not_committed, setup, teardown),
    };
    int failed = cmocka_run_group_tests_name("kafka_group", tests, NULL, NULL);
    const struct CMUnitTest native[] = {
        cmocka_unit_test_setup_teardown(partitions_move_without_loss, setup, teardown),
        cmocka_unit_test_setup_teardown(waits_for_positions_and_does_not_guess, setup, teardown),
        cmocka_unit_test_setup_teardown(lost_partitions_are_not_committed, setup, teardown),
    };
    cm_member_use(CM_PLANE_IO_URING);
    failed += cmocka_run_group_tests_name("kafka_group, own plane", native, NULL, NULL);
    return failed;
}
