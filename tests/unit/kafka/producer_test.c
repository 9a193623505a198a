// SPDX-License-Identifier: Apache-2.0
/* The producer on the mock broker; read back with a consumer. */
#include "kafka/producer.h"

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
#include "base/log.h"
#include "base/memory.h"
#include "kafka/mock_broker.h"
#include "support/kafka_member.h"

#define PATIENCE_MS 60000
/* murmur2("21") is -973932308 in Java's client; without its sign bit, modulo 4: */
#define KEY_PARTITION 0

static struct cm_mock_broker *mock;

static int setup(void **state)
{
    (void)state;
    cm_log_set_level(CM_LOG_ERROR);
    return cm_mock_broker_open("calls", 4, &mock);
}

static int teardown(void **state)
{
    (void)state;
    cm_mock_broker_close(mock);
    return 0;
}

static void every_codec_arrives_by_key_and_by_partition(void **state)
{
    (void)state;
    static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    static struct cm_member member;
    uint64_t sent = 0;
    cm_member_init(&member, cm_mock_broker_address(mock), "calls", "producer");
    assert_int_equal(cm_member_open(&member, 1), 0);
    for (size_t c = 0; c < CM_ARRAY_LEN(codecs); c++) {
        struct cm_producer *producer = NULL;
        assert_int_equal(cm_producer_open(cm_mock_broker_address(mock), NULL, codecs[c], &producer),
                         0);
        for (int i = 0; i < 100; i++, sent++) {
            bool keyed = i % 2 == 0;
            assert_true(cm_producer_try_send(producer, "calls", keyed ? -1 : 1, keyed ? "21" : NULL,
                                             keyed ? 2 : 0, "{\"n\":1}", 7));
        }
        assert_true(cm_producer_flush(producer, PATIENCE_MS));
        assert_int_equal(cm_producer_delivered(producer), 100);
        assert_int_equal(cm_producer_failed(producer), 0);
        cm_producer_close(producer);
    }
    int64_t end_ns = cm_clock_mono_ns() + PATIENCE_MS * CM_NS_PER_MS;
    while (member.records < sent) {
        assert_true(cm_clock_mono_ns() < end_ns);
        cm_member_turn(&member, 5);
    }
    assert_int_equal(member.at[1].records, 250);
    int32_t keyed = -1;
    for (int32_t p = 0; p < 4; p++) {
        if (p != 1 && member.at[p].records > 0) {
            assert_int_equal(keyed, -1); /* one key, one partition */
            keyed = p;
        }
    }
    assert_int_equal(keyed, KEY_PARTITION);
    assert_int_equal(member.disorder + member.foreign, 0);
    cm_member_close(&member);
}

static void a_full_queue_is_said_and_clears(void **state)
{
    (void)state;
    struct cm_property small = {"queue.buffering.max.messages", "10", false};
    struct cm_properties properties = {&small, 1};
    struct cm_producer *producer = NULL;
    assert_int_equal(cm_producer_open(cm_mock_broker_address(mock), &properties, "none", &producer),
                     0);
    cm_mock_broker_set_up(mock, false);
    int sent = 0;
    while (sent < 1000 && cm_producer_try_send(producer, "calls", 0, NULL, 0, "x", 1)) {
        sent++;
    }
    assert_int_equal(sent, 10);
    assert_false(cm_producer_flush(producer, 20));
    cm_mock_broker_set_up(mock, true);
    int64_t end_ns = cm_clock_mono_ns() + PATIENCE_MS * CM_NS_PER_MS;
    while (!cm_producer_try_send(producer, "calls", 0, NULL, 0, "x", 1)) {
        assert_true(cm_clock_mono_ns() < end_ns);
        cm_producer_poll(producer, 10);
    }
    assert_true(cm_producer_flush(producer, PATIENCE_MS));
    assert_int_equal(cm_producer_delivered(producer), 11);
    cm_producer_close(producer);
}

static void failures_are_counted_once(void **state)
{
    (void)state;
    struct cm_producer *producer = NULL;
    char *large = cm_alloc(2000000, 1);
    assert_int_equal(cm_producer_open(cm_mock_broker_address(mock), NULL, "none", &producer), 0);
    assert_true(cm_producer_try_send(producer, "calls", 0, NULL, 0, large, 2000000));
    assert_int_equal(cm_producer_failed(producer), 1);
    assert_false(cm_producer_flush(producer, PATIENCE_MS));
    assert_true(
        cm_producer_try_send(producer, "calls", 77, NULL, 0, "x", 1)); /* no such partition */
    assert_true(cm_producer_try_send(producer, "calls", 0, NULL, 0, "x", 1));
    assert_false(cm_producer_flush(producer, PATIENCE_MS));
    assert_int_equal(cm_producer_failed(producer), 2);
    assert_int_equal(cm_producer_delivered(producer), 1);
    assert_true(cm_producer_flush(producer, PATIENCE_MS)); /* nothing new has failed */
    cm_producer_close(producer);
    free(large);
}

static void more_topics_than_handles(void **state)
{
    (void)state;
    struct cm_producer *producer = NULL;
    assert_int_equal(cm_producer_open(cm_mock_broker_address(mock), NULL, "none", &producer), 0);
    for (int i = 0; i < 60; i++) {
        char topic[16];
        (void)snprintf(topic, sizeof topic, "topic-%d", i % 20);
        assert_true(cm_producer_try_send(producer, topic, -1, NULL, 0, "x", 1));
    }
    assert_true(cm_producer_flush(producer, PATIENCE_MS));
    assert_int_equal(cm_producer_delivered(producer), 60);
    cm_producer_close(producer);
}

static void topics_are_created(void **state)
{
    (void)state;
    struct cm_producer *producer = NULL;
    assert_int_equal(cm_producer_open(cm_mock_broker_address(mock), NULL, "none", &producer), 0);
    assert_int_equal(cm_producer_create_topic(producer, "made", 4), 0);
    assert_int_equal(cm_producer_create_topic(producer, "made", 4), 0);
    assert_int_equal(cm_producer_create_topic(producer, "made", 0), -CM_ERR_KAFKA);
    assert_true(cm_producer_try_send(producer, "made", 3, NULL, 0, "x", 1));
    assert_true(cm_producer_flush(producer, PATIENCE_MS));
    cm_producer_close(producer);
}

static void ends_without_a_broker(void **state)
{
    (void)state;
    struct cm_producer *producer = NULL;
    assert_int_equal(cm_producer_open("127.0.0.1:1", NULL, "lz4", &producer), 0);
    assert_true(cm_producer_try_send(producer, "calls", 0, NULL, 0, "x", 1));
    assert_false(cm_producer_flush(producer, 10));
    cm_producer_close(producer); /* about a second; the suite's time limit catches a hang */
}

static void refuses_what_it_cannot_do(void **state)
{
    (void)state;
    struct cm_producer *producer = NULL;
    struct cm_property property = {"enable.idempotence", "false", false};
    struct cm_properties properties = {&property, 1};
    assert_int_equal(cm_producer_open("", NULL, "none", &producer), -CM_ERR_CONFIG);
    assert_int_equal(cm_producer_open("h:1", NULL, "rar", &producer), -CM_ERR_CONFIG);
    assert_int_equal(cm_producer_open("h:1", &properties, "none", &producer), -CM_ERR_CONFIG);
    property = (struct cm_property){"acks", "0", false}; /* not with idempotence */
    assert_int_equal(cm_producer_open("h:1", &properties, "none", &producer), -CM_ERR_CONFIG);
    assert_null(producer);
    cm_producer_close(NULL);
}

int main(void)
{
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec_arrives_by_key_and_by_partition),
        cmocka_unit_test(a_full_queue_is_said_and_clears),
        cmocka_unit_test(failures_are_counted_once),
        cmocka_unit_test(more_topics_than_handles),
        cmocka_unit_test(topics_are_created),
        cmocka_unit_test(ends_without_a_broker),
        cmocka_unit_test(refuses_what_it_cannot_do),
    };
    return cmocka_run_group_tests_name("producer", tests, setup, teardown);
}
