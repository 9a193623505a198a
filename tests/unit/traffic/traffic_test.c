// SPDX-License-Identifier: Apache-2.0
/* traffic_test.c — the whole generator: same bytes for a seed, options, order, shares, what the
 * wire adds. */
#include "traffic/traffic.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/hash.h"

#define MONDAY_MS INT64_C(1793577600000) /* 2026-11-02T00:00:00Z */

static struct cm_traffic_options hours(int64_t from, int64_t to)
{
    struct cm_traffic_options options;
    cm_traffic_defaults(&options);
    options.seats = 200;
    options.start_ms = MONDAY_MS + from * CM_MS_PER_H;
    options.end_ms = MONDAY_MS + to * CM_MS_PER_H;
    return options;
}

static struct cm_traffic *opened(const struct cm_traffic_options *options)
{
    struct cm_traffic *traffic = NULL;
    if (cm_traffic_create(options, &traffic) < 0) {
        fail_msg("%s", cm_fail_text());
    }
    return traffic;
}

/* A hash over all lines, times and keys. */
static uint64_t whole(const struct cm_traffic_options *options, uint32_t *lines)
{
    struct cm_traffic *traffic = opened(options);
    struct cm_text line = {0};
    struct cm_str key;
    int64_t ts_ms;
    uint64_t hash = 0;
    *lines = 0;
    while (cm_traffic_next(traffic, &line, &ts_ms, &key)) {
        hash = hash * 31 + cm_hash64(line.data, line.len);
        hash = hash * 31 + cm_hash64(key.p, key.len) + (uint64_t)ts_ms;
        ++*lines;
    }
    assert_false(cm_traffic_next(traffic, &line, &ts_ms, &key)); /* the end stays the end */
    cm_text_free(&line);
    cm_traffic_free(traffic);
    return hash;
}

static void test_same_bytes_for_a_seed(void **state)
{
    (void)state;
    struct cm_traffic_options options = hours(9, 10);
    options.live_events = true;
    options.judgements = 0.05;
    options.revisions = 0.05;
    options.duplicates = 0.05;
    options.disorder = 0.3;
    options.disorder_ms_max = 7000;
    options.rubbish = 0.01;
    uint32_t one_lines;
    uint32_t two_lines;
    uint64_t one = whole(&options, &one_lines);
    uint64_t two = whole(&options, &two_lines);
    assert_true(one == two);
    assert_int_equal(one_lines, two_lines);
    assert_true(one_lines > 10000);
    options.seed++;
    assert_true(whole(&options, &two_lines) != one);
}

/* On any machine: only a change of the generator may change these. */
static void test_bytes_are_pinned(void **state)
{
    (void)state;
    struct cm_traffic_options options = hours(9, 10);
    options.live_events = true;
    options.revisions = 0.05;
    options.disorder = 0.3;
    options.disorder_ms_max = 7000;
    uint32_t lines;
    uint64_t hash = whole(&options, &lines);
    if (hash != UINT64_C(0xe35d4cd8438ecc8e) || lines != 23015) {
        fail_msg("%u lines, hash %#llx", lines, (unsigned long long)hash);
    }
}

static void collect_cdrs(const struct cm_traffic_options *options, struct cm_text *out)
{
    struct cm_traffic *traffic = opened(options);
    struct cm_text line = {0};
    struct cm_str key;
    int64_t ts_ms;
    while (cm_traffic_next(traffic, &line, &ts_ms, &key)) {
        if (strncmp(cm_text_cstr(&line), "{\"type\":\"cdr\"", 13) == 0 &&
            strstr(line.data, ",\"rev\":") == NULL) {
            cm_text_add(out, line.data, line.len);
            cm_text_addc(out, '\n');
        }
    }
    cm_text_free(&line);
    cm_traffic_free(traffic);
}

static void test_extras_leave_the_calls_alone(void **state)
{
    (void)state;
    struct cm_traffic_options options = hours(9, 10);
    struct cm_text plain = {0};
    struct cm_text extra = {0};
    collect_cdrs(&options, &plain);
    options.live_events = true;
    options.judgements = 0.3;
    options.revisions = 0.3;
    collect_cdrs(&options, &extra);
    assert_int_equal(plain.len, extra.len);
    assert_memory_equal(plain.data, extra.data, plain.len);
    cm_text_free(&plain);
    cm_text_free(&extra);
}

static void test_order_and_span(void **state)
{
    (void)state;
    struct cm_traffic_options options = hours(8, 10);
    struct cm_traffic *traffic = opened(&options);
    struct cm_text line = {0};
    struct cm_str key;
    int64_t ts_ms;
    int64_t last_ms = options.start_ms;
    int64_t first_ms = 0;
    while (cm_traffic_next(traffic, &line, &ts_ms, &key)) {
        first_ms = first_ms == 0 ? ts_ms : first_ms;
        assert_true(ts_ms >= last_ms && ts_ms < options.end_ms);
        last_ms = ts_ms;
        assert_in_range(key.len, 5, 17);
    }
    assert_true(first_ms - options.start_ms < 20000); /* as busy at the first line as later */
    assert_true(options.end_ms - last_ms < 20000);
    cm_text_free(&line);
    cm_traffic_free(traffic);
}

struct sums {
    double lines, seat, answered, abandoned, no_wait, wait, talk, long_talk, rated, bytes;
    double hours[24];
    double revised, checks, bad, again;
    json_t *ids;
};

static void add_up(struct sums *sums, const struct cm_text *line, int64_t ts_ms)
{
    json_error_t error;
    json_t *root = json_loadb(line->data, line->len, JSON_REJECT_DUPLICATES, &error);
    const char *id = json_string_value(json_object_get(root, "id"));
    const char *outcome = json_string_value(json_object_get(root, "outcome"));
    const json_t *ts = json_object_get(root, "ts");
    const json_t *acw = json_object_get(root, "acw_ms");
    sums->lines++;
    if (id == NULL || !json_is_integer(ts) || json_integer_value(acw) < 0 ||
        (outcome != NULL && strcmp(outcome, "perhaps") == 0)) {
        sums->bad++;
        json_decref(root);
        return;
    }
    assert_true(json_integer_value(ts) == ts_ms);
    const char *type = json_string_value(json_object_get(root, "type"));
    if (strcmp(type, "check") == 0) {
        sums->checks++;
    } else if (json_object_get(root, "rev") != NULL) {
        sums->revised++;
        assert_non_null(json_object_get(sums->ids, id)); /* of one that came before */
    } else if (json_object_get(sums->ids, id) != NULL) {
        sums->again++;
    } else {
        json_object_set_new(sums->ids, id, json_true());
        sums->hours[(ts_ms - MONDAY_MS) / CM_MS_PER_H % 24]++;
        const char *channel = json_string_value(json_object_get(root, "ch"));
        assert_non_null(channel);
        if (outcome != NULL && strcmp(channel, "voice") == 0) {
            double wait = (double)json_integer_value(json_object_get(root, "wait_ms"));
            double talk = (double)json_integer_value(json_object_get(root, "talk_ms"));
            sums->seat++;
            sums->abandoned += strcmp(outcome, "abandoned") == 0;
            if (strcmp(outcome, "answered") == 0) {
                sums->answered++;
                sums->no_wait += wait == 0;
                sums->wait += wait;
                sums->talk += talk;
                sums->long_talk += talk > 107000;
                sums->rated += json_object_get(root, "rating") != NULL;
                sums->bytes += (double)line->len;
            }
        }
    }
    json_decref(root);
}

static void sum_all(const struct cm_traffic_options *options, struct sums *sums)
{
    memset(sums, 0, sizeof(*sums));
    sums->ids = json_object();
    struct cm_traffic *traffic = opened(options);
    struct cm_text line = {0};
    struct cm_str key;
    int64_t ts_ms;
    while (cm_traffic_next(traffic, &line, &ts_ms, &key)) {
        add_up(sums, &line, ts_ms);
    }
    json_decref(sums->ids);
    cm_text_free(&line);
    cm_traffic_free(traffic);
}

static void assert_share(double part, double all, double low, double high)
{
    double share = part / all;
    if (!(share >= low && share <= high)) {
        fail_msg("%g of %g is %g, not within %g and %g", part, all, share, low, high);
    }
}

static void test_a_day(void **state)
{
    (void)state;
    struct cm_traffic_options options = hours(0, 24);
    options.seats = 60;
    struct sums sums;
    sum_all(&options, &sums);
    assert_true(sums.bad == 0 && sums.again == 0 && sums.revised == 0);
    assert_share(sums.lines, 13e6 / 30 * 60 / 1240 * 7 / 6.17 * 1.08, 0.97, 1.08);
    assert_share(sums.abandoned, sums.seat, 0.07, 0.14);
    assert_share(sums.no_wait, sums.answered, 0.40, 0.56);
    assert_share(sums.wait, sums.answered, 20000, 50000);
    assert_share(sums.talk, sums.answered, 160000, 190000);
    assert_share(sums.long_talk, sums.answered, 0.46, 0.54); /* the median */
    assert_share(sums.rated, sums.answered, 0.22, 0.28);
    assert_share(sums.bytes, sums.answered, 320, 400);
    assert_share(sums.hours[10], sums.lines, 0.09, 0.11); /* noon of a call centre: ten o'clock */
    assert_share(sums.hours[20], sums.lines, 0.02, 0.04);
    assert_share(sums.hours[3], sums.lines, 0.0005, 0.004);
}

static void test_what_the_wire_adds(void **state)
{
    (void)state;
    struct cm_traffic_options options = hours(9, 12);
    options.seats = 150;
    options.rubbish = 0.02;
    options.duplicates = 0.03;
    options.judgements = 0.2;
    struct sums sums;
    sum_all(&options, &sums);
    assert_share(sums.bad, sums.lines, 0.015, 0.025);
    assert_share(sums.again, sums.lines, 0.02, 0.035);
    assert_share(sums.checks, sums.answered, 0.15, 0.22);
    options.rubbish = 0;
    options.duplicates = 0;
    options.revisions = 0.1;
    sum_all(&options, &sums);
    assert_share(sums.revised, sums.answered, 0.08, 0.12);
    assert_true(sums.again == 0 && sums.bad == 0);
}

static void refuses(const struct cm_traffic_options *options, const char *word)
{
    struct cm_traffic *traffic = NULL;
    assert_int_equal(cm_traffic_create(options, &traffic), -CM_ERR_USAGE);
    assert_null(traffic);
    if (strstr(cm_fail_text(), word) == NULL) {
        fail_msg("no %s in: %s", word, cm_fail_text());
    }
}

static void test_wrong_options(void **state)
{
    (void)state;
    struct cm_traffic_options good = hours(9, 10);
    struct cm_traffic_options o = good;
    o.seats = 0;
    refuses(&o, "seats");
    o = good;
    o.seats_per_team = 0;
    refuses(&o, "seats_per_team");
    o = good;
    o.agents_per_seat = 25;
    refuses(&o, "agents_per_seat");
    o = good;
    o.queues = CM_TRAFFIC_QUEUES_MAX + 1;
    refuses(&o, "queues");
    o = good;
    o.rubbish = 1.01;
    refuses(&o, "rubbish");
    o = good;
    o.disorder = (double)NAN;
    refuses(&o, "disorder");
    o = good;
    o.disorder_ms_max = -1;
    refuses(&o, "disorder_ms_max");
    o = good;
    o.self_service = 1.5;
    refuses(&o, "self_service");
    o = good;
    o.calls_per_month = 0;
    refuses(&o, "calls_per_month");
    o = good;
    o.end_ms = o.start_ms;
    refuses(&o, "end_ms");
    o = good;
    o.start_ms = CM_MS_PER_D;
    refuses(&o, "start_ms");
    o = good;
    o.centre = "no \"quotes\"";
    refuses(&o, "centre");
    o.centre = "";
    refuses(&o, "centre");
}

static void test_self_service(void **state)
{
    (void)state;
    struct cm_traffic_options options = hours(9, 10);
    struct cm_traffic *traffic = opened(&options);
    assert_true(cm_traffic_self_service(traffic) > 0.6 && cm_traffic_self_service(traffic) < 0.7);
    cm_traffic_free(traffic);
    options.calls_per_month = 1000; /* nothing that the seats could not carry */
    traffic = opened(&options);
    assert_true(cm_traffic_self_service(traffic) == 0.0);
    cm_traffic_free(traffic);
    options.self_service = 1.0;
    options.calls_per_month = 1e6;
    struct sums sums;
    sum_all(&options, &sums);
    assert_true(sums.lines > 1000 && sums.seat == 0);
    options.end_ms = INT64_MAX; /* without end: the first lines come all the same */
    options.self_service = CM_TRAFFIC_AUTO;
    traffic = opened(&options);
    struct cm_text line = {0};
    struct cm_str key;
    int64_t ts_ms;
    for (int i = 0; i < 1000; i++) {
        assert_true(cm_traffic_next(traffic, &line, &ts_ms, &key));
    }
    cm_text_free(&line);
    cm_traffic_free(traffic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes_for_a_seed),
        cmocka_unit_test(test_bytes_are_pinned),
        cmocka_unit_test(test_extras_leave_the_calls_alone),
        cmocka_unit_test(test_order_and_span),
        cmocka_unit_test(test_a_day),
        cmocka_unit_test(test_what_the_wire_adds),
        cmocka_unit_test(test_wrong_options),
        cmocka_unit_test(test_self_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
