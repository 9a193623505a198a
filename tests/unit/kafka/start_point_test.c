// SPDX-License-Identifier: Apache-2.0
/* The grammar, and what needs no broker. Times are asked of a real broker in tests/integration. */
#include "kafka/start_point.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/fail.h"
#include "base/log.h"

static void parses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct cm_start_point want;
    } good[] = {
        {NULL, {CM_START_EARLIEST, 0}},
        {"", {CM_START_EARLIEST, 0}},
        {"earliest", {CM_START_EARLIEST, 0}},
        {"latest", {CM_START_LATEST, 0}},
        {"1970-01-01T00:00:01Z", {CM_START_TIME, 1000}},
        {"1970-01-01T08:00:00.5+08:00", {CM_START_TIME, 500}},
        {"2h", {CM_START_BACK, 7200000}},
        {"250ms", {CM_START_BACK, 250}},
    };
    for (size_t i = 0; i < CM_ARRAY_LEN(good); i++) {
        struct cm_start_point got = {CM_START_TIME, -7};
        assert_int_equal(cm_start_point_parse(good[i].text, &got), 0);
        assert_int_equal(got.kind, good[i].want.kind);
        assert_int_equal(got.ms, good[i].want.ms);
    }
    static const char *const bad[] = {
        "Earliest",           "2", "-2h", "yesterday", "2026-13-01T00:00:00Z", "latest ",
        "2026-11-01T08:00:00"};
    for (size_t i = 0; i < CM_ARRAY_LEN(bad); i++) {
        struct cm_start_point got;
        assert_int_equal(cm_start_point_parse(bad[i], &got), -CM_ERR_CONFIG);
        assert_non_null(strstr(cm_fail_text(), bad[i]));
    }
}

static void resolves_without_a_broker_what_needs_none(void **state)
{
    (void)state;
    cm_log_set_level(CM_LOG_ERROR);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];
    rd_kafka_conf_set_log_cb(conf, NULL);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    assert_non_null(rk);
    rd_kafka_topic_partition_list_t *rows = rd_kafka_topic_partition_list_new(2);
    (void)rd_kafka_topic_partition_list_add_range(rows, "t", 0, 1);
    const struct cm_start_point earliest = {CM_START_EARLIEST, 0};
    assert_true(cm_start_point_resolve(&earliest, rk, 5, rows, 0));
    assert_int_equal(rows->elems[0].offset, RD_KAFKA_OFFSET_BEGINNING);
    assert_int_equal(rows->elems[1].offset, RD_KAFKA_OFFSET_BEGINNING);
    const struct cm_start_point latest = {CM_START_LATEST, 0};
    assert_true(cm_start_point_resolve(&latest, rk, 5, rows, 0));
    assert_int_equal(rows->elems[1].offset, RD_KAFKA_OFFSET_END);
    /* A time needs an answer, and nobody is there to give one. */
    const struct cm_start_point back = {CM_START_BACK, 1000};
    assert_false(cm_start_point_resolve(&back, rk, 5000, rows, 20));
    rd_kafka_topic_partition_list_destroy(rows);
    rows = rd_kafka_topic_partition_list_new(0);
    assert_true(cm_start_point_resolve(&back, rk, 5000, rows, 0));
    rd_kafka_topic_partition_list_destroy(rows);
    rd_kafka_destroy(rk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(resolves_without_a_broker_what_needs_none),
    };
    return cmocka_run_group_tests_name("start_point", tests, NULL, NULL);
}
