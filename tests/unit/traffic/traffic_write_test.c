// SPDX-License-Identifier: Apache-2.0
/* traffic_write_test.c — each kind of line read back by jansson, extremes included; roster and
 * queues. */
#include "traffic/traffic_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static struct cm_traffic_options small(void)
{
    struct cm_traffic_options options;
    cm_traffic_defaults(&options);
    options.seats = 30;
    options.seats_per_team = 4;
    options.teams_per_room = 3;
    options.queues = 14;
    options.centre = "north";
    return options;
}

static json_t *parsed(const struct cm_traffic_line *line)
{
    json_error_t error;
    json_t *root = json_loadb(line->text.data, line->text.len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        fail_msg("%s in %.*s", error.text, (int)line->text.len, line->text.data);
    }
    assert_true(line->text.len < CM_TRAFFIC_LINE_BYTES - 64);
    return root;
}

static void assert_text(const json_t *root, const char *key, const char *want)
{
    const char *text = json_string_value(json_object_get(root, key));
    assert_non_null(text);
    assert_string_equal(text, want);
}

static void assert_number(const json_t *root, const char *key, json_int_t want)
{
    const json_t *value = json_object_get(root, key);
    assert_true(json_is_integer(value));
    assert_true(json_integer_value(value) == want);
}

static void test_answered(void **state)
{
    (void)state;
    struct cm_traffic_options options = small();
    struct cm_labels labels;
    cm_labels_make(&labels, &options);
    struct cm_traffic_line line = {.ts_ms = 1793491200123};
    struct cm_leg leg = {.number = UINT64_C(0x09afedcb00000001),
                         .seat = 6,
                         .agent = 21,
                         .wait_ms = 0,
                         .ring_ms = 7,
                         .talk_ms = UINT32_MAX,
                         .hold_ms = 99,
                         .acw_ms = 100,
                         .queue = 1,
                         .outcome = CM_OUTCOME_ANSWERED,
                         .end = CM_END_CALLER,
                         .leg = 2,
                         .hold_n = 3,
                         .transfers = 1,
                         .rev = 1,
                         .rating = 100,
                         .checks = 5, /* identity failed, greeting does not apply, consent given */
                         .on_hold = true};
    cm_write_cdr(&line, &labels, &leg);
    json_t *root = parsed(&line);
    assert_text(root, "type", "cdr");
    assert_text(root, "id", "c09afedcb00000001-2");
    assert_text(root, "call", "c09afedcb00000001");
    assert_number(root, "ts", 1793491200123);
    assert_text(root, "seat", "s0007");
    assert_text(root, "agent", "a00021");
    assert_text(root, "queue", "broadband");
    assert_text(root, "centre", "north");
    assert_text(root, "ch", "voice");
    assert_text(root, "outcome", "answered");
    assert_text(root, "end", "caller");
    assert_number(root, "wait_ms", 0);
    assert_number(root, "ring_ms", 7);
    assert_number(root, "talk_ms", UINT32_MAX);
    assert_number(root, "hold_ms", 99);
    assert_number(root, "acw_ms", 100);
    assert_number(root, "hold_n", 3);
    assert_number(root, "transfers", 1);
    assert_number(root, "rating", 100);
    assert_number(root, "rev", 1);
    assert_true(json_is_true(json_object_get(root, "on_hold")));
    const json_t *checks = json_object_get(root, "checks");
    assert_true(json_is_null(json_object_get(checks, "greeting")));
    assert_true(json_is_false(json_object_get(checks, "identity")));
    assert_true(json_is_true(json_object_get(checks, "consent")));
    assert_int_equal(line.key_len, 5);
    assert_memory_equal(line.key, "s0007", 5);
    json_decref(root);
    cm_text_free(&line.text);
    cm_labels_free(&labels);
}

static void test_without_seat(void **state)
{
    (void)state;
    struct cm_traffic_options options = small();
    options.centre = NULL;
    struct cm_labels labels;
    cm_labels_make(&labels, &options);
    struct cm_traffic_line line = {.ts_ms = 1};
    struct cm_leg leg = {.number = UINT64_MAX,
                         .seat = CM_NO_SEAT,
                         .wait_ms = 43000,
                         .queue = 13,
                         .outcome = CM_OUTCOME_ABANDONED,
                         .end = CM_END_CALLER,
                         .leg = 1,
                         .rating = -1,
                         .checks = CM_NO_CHECKS};
    cm_write_cdr(&line, &labels, &leg);
    json_t *root = parsed(&line);
    assert_text(root, "outcome", "abandoned");
    assert_text(root, "queue", "queue14"); /* beyond the names */
    assert_number(root, "wait_ms", 43000);
    static const char *const absent[] = {"seat",   "agent", "centre", "talk_ms",
                                         "rating", "rev",   "checks"};
    for (size_t i = 0; i < CM_ARRAY_LEN(absent); i++) {
        assert_null(json_object_get(root, absent[i]));
    }
    assert_int_equal(line.key_len, 17);
    assert_memory_equal(line.key, "cffffffffffffffff", 17);
    json_decref(root);
    cm_text_free(&line.text);
    cm_labels_free(&labels);
}

static void test_live_lines(void **state)
{
    (void)state;
    struct cm_traffic_options options = small();
    struct cm_labels labels;
    cm_labels_make(&labels, &options);
    struct cm_traffic_line line = {.ts_ms = 1793491200000};
    struct cm_leg leg = {.number = 0x2a, .seat = 0, .outcome = CM_OUTCOME_ABANDONED};
    cm_write_queue(&line, &labels, &leg, 1, true);
    json_t *root = parsed(&line);
    assert_text(root, "type", "queue_enter");
    assert_text(root, "id", "e0000000000000001");
    assert_text(root, "call", "c000000000000002a");
    assert_text(root, "queue", "billing");
    assert_memory_equal(line.key, "c000000000000002a", line.key_len);
    json_decref(root);
    cm_write_queue(&line, &labels, &leg, 2, false);
    root = parsed(&line);
    assert_text(root, "type", "queue_exit");
    assert_text(root, "reason", "abandoned");
    json_decref(root);
    for (unsigned s = 0; s < CM_STATE_COUNT; s++) {
        cm_write_state(&line, &labels, 29, (enum cm_state)s, 3);
        root = parsed(&line);
        assert_text(root, "type", "seat_state");
        assert_text(root, "seat", "s0030");
        assert_text(root, "state", cm_state_name(s));
        json_decref(root);
    }
    leg.checks = 0;
    cm_write_check(&line, &labels, &leg, CM_SOURCE_THIRD_PARTY, 88, 4);
    root = parsed(&line);
    assert_text(root, "type", "check");
    assert_text(root, "source", "third_party");
    assert_number(root, "score", 88);
    assert_int_equal(json_object_size(json_object_get(root, "checks")), CM_TRAFFIC_CHECKS);
    json_decref(root);
    cm_text_free(&line.text);
    cm_labels_free(&labels);
}

static void test_numbers(void **state)
{
    (void)state;
    struct cm_traffic_options options = small();
    struct cm_labels labels;
    cm_labels_make(&labels, &options);
    struct cm_traffic_line line = {0};
    for (uint64_t value = 1, i = 0; i < 32; i++, value = value * 2) {
        for (int off = -1; off <= 1; off++) { /* 9, 10, 11, .. 99, 100, 101 are near some of them */
            uint64_t number = value + (uint64_t)(int64_t)off;
            struct cm_leg leg = {.number = number * UINT64_C(0x9e3779b97f4a7c15),
                                 .seat = 1,
                                 .agent = (uint32_t)number,
                                 .wait_ms = (uint32_t)number,
                                 .ring_ms = (uint32_t)(number * 10 / 16),
                                 .outcome = CM_OUTCOME_NO_ANSWER};
            line.ts_ms = (int64_t)number;
            cm_write_cdr(&line, &labels, &leg);
            json_t *root = parsed(&line);
            assert_number(root, "wait_ms", leg.wait_ms);
            assert_number(root, "ring_ms", leg.ring_ms);
            assert_number(root, "ts", line.ts_ms);
            char want[32];
            snprintf(want, sizeof(want), "c%016llx", (unsigned long long)leg.number);
            assert_text(root, "call", want);
            snprintf(want, sizeof(want), "a%05u", leg.agent);
            assert_text(root, "agent", want);
            json_decref(root);
        }
    }
    cm_text_free(&line.text);
    cm_labels_free(&labels);
}

static void test_roster_and_queues(void **state)
{
    (void)state;
    struct cm_traffic_options options = small();
    struct cm_text out = {0};
    cm_write_roster(&out, &options);
    const char *csv = cm_text_cstr(&out);
    assert_ptr_equal(strstr(csv, "seat,team,room,centre\ns0001,t1,r1,north\n"), csv);
    assert_non_null(strstr(csv, "\ns0012,t3,r1,north\ns0013,t4,r2,north\n"));
    assert_non_null(strstr(csv, "\ns0030,t8,r3,north\n"));
    out.len = 0;
    cm_write_queues(&out, &options);
    const char *yaml = cm_text_cstr(&out);
    assert_ptr_equal(strstr(yaml, "queues:\n  billing: {owner: \"room:r1\"}\n"), yaml);
    assert_non_null(
        strstr(yaml, "  mobile: {owner: \"room:r3\"}\n  faults: {owner: \"room:r1\"}\n"));
    assert_non_null(strstr(yaml, "  queue14: {owner: \"room:r2\"}\n"));
    cm_text_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answered),          cmocka_unit_test(test_without_seat),
        cmocka_unit_test(test_live_lines),        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_roster_and_queues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
