// SPDX-License-Identifier: Apache-2.0
/* judgements_test.c — which leg a judgement belongs to, when it counts, and what it adds. */
#include "window/judgements.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/fail.h"

#define PANE_MS 1000
#define SPAN    0u
#define END_MS  INT64_C(2000000000)
#define LONG_MS INT64_C(604800000) /* judge_within, 7 d */
#define NOBODY  CM_JUDGED_NONE
#define NOW_ON  INT64_C(1000000000)

#define CHUNK_LINES ((size_t)8192)
#define LINE_BYTES  ((size_t)24)

/* Seat s1 of team t1; a judgement's own units are the seat and the centre. */
struct bench {
    struct cm_config *config;
    struct cm_units *units;
    struct cm_sums *sums;
    struct cm_unit_sets *sets;
    struct cm_judgements *judgements;
    struct cm_marks marks;
    struct cm_judged judged; /* of the leg before it */
    uint32_t s1, t1, centre, own;
    uint32_t key_a, key_b;
};

static void ignore(void *context, uint32_t span, uint32_t unit)
{
    (void)context;
    (void)span;
    (void)unit;
}

static void open(struct bench *b)
{
    static const char yaml[] = "compliance:\n"
                               "  checks: {a: {weight: 3}, b: {weight: 2, veto: true}}\n"
                               "  rules: {short_hold: {when: \"hold_ms <= 120000\", weight: 1}}\n";
    memset(b, 0, sizeof(*b));
    if (cm_config_parse("test.yaml", yaml, sizeof(yaml) - 1, NULL, 0, &b->config) != 0) {
        fail_msg("%s", cm_fail_text());
    }
    assert_int_equal(b->config->judge_within_ms, LONG_MS);
    b->units = cm_units_create();
    b->s1 = cm_units_intern(b->units, CM_KIND_SEAT, CM_STR("s1"));
    b->t1 = cm_units_intern(b->units, CM_KIND_TEAM, CM_STR("t1"));
    b->centre = cm_units_intern(b->units, CM_KIND_CENTRE, CM_STR("main"));
    b->sums = cm_sums_create(PANE_MS, ignore, NULL);
    assert_int_equal(cm_sums_add_span(b->sums, false, (1u << CM_KIND_COUNT) - 1), SPAN);
    b->key_a = cm_sums_name_key(b->sums, CM_STR("a"));
    b->key_b = cm_sums_name_key(b->sums, CM_STR("b"));
    b->sets = cm_unit_sets_create();
    b->own = cm_unit_sets_intern(b->sets, (const uint32_t[]){b->s1, b->centre}, 2);
    b->judgements = cm_judgements_create(b->config, b->sums, b->sets, b->units);
}

static void close(struct bench *b)
{
    cm_judgements_destroy(b->judgements);
    cm_unit_sets_destroy(b->sets);
    cm_sums_destroy(b->sums);
    cm_units_destroy(b->units);
    cm_marks_free(&b->marks);
    cm_config_free(b->config);
}

static struct cm_str str(const char *text)
{
    return (struct cm_str){text, (uint32_t)strlen(text)};
}

/* A leg of seat s1, for s1 and t1. */
static uint32_t leg(struct bench *b, const char *call, int64_t ts_ms, bool checked, bool compliant)
{
    struct cm_event event = {
        .type = CM_EVENT_CDR, .ts_ms = ts_ms, .call = str(call), .seat = CM_STR("s1")};
    uint32_t units[] = {b->s1, b->t1};
    uint32_t set = cm_unit_sets_intern(b->sets, units, 2);
    return cm_judgements_add_leg(b->judgements, &event, set, checked, compliant, b->judged, ts_ms);
}

/* a and b: 1 passed, 0 failed, -1 not applicable */
static void judge(struct bench *b, const char *call, int64_t ts_ms, enum cm_source source,
                  int32_t a_result, int32_t b_result)
{
    const struct cm_check checks[] = {
        {CM_STR("a"), a_result}, {CM_STR("b"), b_result}, {CM_STR("short_hold"), 0}};
    struct cm_event event = {
        .type = CM_EVENT_CHECK,
        .ts_ms = ts_ms,
        .call = str(call),
        .seat = CM_STR("s1"),
        .source = (uint8_t)source,
        .checks = checks,
        .checks_count = 3,
    };
    cm_marks_judge(&b->marks, &event, b->config);
    cm_judgements_take(b->judgements, &event, &b->marks, b->own, INT64_MIN);
}

/* All up to that ts. */
static void settle(struct bench *b, int64_t ts_ms)
{
    cm_judgements_settle(b->judgements, ts_ms + 1);
}

/* Looks at one second; only forward. */
static void look(struct bench *b, int64_t ts_ms)
{
    cm_sums_move(b->sums, SPAN, ts_ms / PANE_MS, ts_ms / PANE_MS + 1);
}

static void look_at_all(struct bench *b)
{
    cm_sums_move(b->sums, SPAN, 0, END_MS / PANE_MS);
}

static void expect(const struct bench *b, uint32_t unit, uint32_t key, int64_t first,
                   int64_t second)
{
    struct cm_sum sum = cm_sums_get(b->sums, SPAN, unit, key);
    assert_int_equal((int64_t)sum.a, first);
    assert_int_equal((int64_t)sum.b, second);
}

static void it_counts_at_its_leg_for_the_leg_s_units(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    assert_int_not_equal(leg(&b, "c1", 50000, false, false), NOBODY);
    judge(&b, "c1", 90000, CM_SOURCE_SPOT, 1, 0);
    settle(&b, 90000);
    look(&b, 50000);
    expect(&b, b.t1, CM_SUM_JUDGED, 1, 0);
    expect(&b, b.t1, CM_SUM_WEIGHT, 3 + 2, 3);
    expect(&b, b.t1, CM_SUM_VETO, 1, 0);
    expect(&b, b.t1, CM_SUM_SOURCE + CM_SOURCE_SPOT, 2, 1);
    expect(&b, b.t1, CM_SUM_SOURCE + CM_SOURCE_SELF, 0, 0);
    expect(&b, b.t1, b.key_a, 1, 1);
    expect(&b, b.t1, b.key_b, 1, 0);
    expect(&b, b.s1, b.key_b, 1, 0);
    expect(&b, b.centre, b.key_a, 0, 0);
    look(&b, 90000); /* and nowhere else */
    expect(&b, b.t1, b.key_a, 0, 0);
    close(&b);
}

static void it_waits_for_the_watermark(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    assert_int_equal(cm_judgements_next_ms(b.judgements), INT64_MAX);
    judge(&b, "c1", 90000, CM_SOURCE_SELF, 1, -1);
    judge(&b, "c2", 80000, CM_SOURCE_SELF, 1, -1);
    assert_int_equal(cm_judgements_next_ms(b.judgements), 80000);
    (void)leg(&b, "c1", 70000, false, false); /* comes after its judgement, and is found */
    settle(&b, 79999);
    assert_int_equal(cm_judgements_next_ms(b.judgements), 80000);
    settle(&b, 89999);
    assert_int_equal(cm_judgements_next_ms(b.judgements), 90000);
    look_at_all(&b);
    expect(&b, b.s1, b.key_a, 1, 1);
    expect(&b, b.t1, b.key_a, 0, 0);
    settle(&b, 90000);
    assert_int_equal(cm_judgements_next_ms(b.judgements), INT64_MAX);
    expect(&b, b.t1, b.key_a, 1, 1);
    settle(&b, 200000); /* once, for good */
    (void)leg(&b, "c2", 75000, false, false);
    settle(&b, 300000);
    expect(&b, b.s1, b.key_a, 2, 2);
    expect(&b, b.t1, b.key_a, 1, 1);
    close(&b);
}

static void without_a_leg_it_is_a_leg_of_its_own(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    judge(&b, "none", 40000, CM_SOURCE_THIRD_PARTY, 1, 1);
    judge(&b, "", 40000, CM_SOURCE_THIRD_PARTY, 0, -1); /* no call at all */
    settle(&b, 40000);
    look(&b, 40000);
    expect(&b, b.s1, CM_SUM_JUDGED, 2, 1);
    expect(&b, b.centre, CM_SUM_JUDGED, 2, 1);
    expect(&b, b.centre, CM_SUM_WEIGHT, 3 + 2 + 3, 3 + 2);
    expect(&b, b.centre, CM_SUM_SOURCE + CM_SOURCE_THIRD_PARTY, 3, 2);
    expect(&b, b.t1, CM_SUM_JUDGED, 0, 0);
    close(&b);
}

static void of_nothing_applicable_nothing_comes(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    (void)leg(&b, "c1", 30000, false, false);
    judge(&b, "c1", 40000, CM_SOURCE_SELF, -1, -1); /* and the rule's name is passed over */
    assert_int_equal(cm_judgements_next_ms(b.judgements), INT64_MAX);
    settle(&b, 40000);
    look_at_all(&b);
    expect(&b, b.s1, CM_SUM_JUDGED, 0, 0);
    expect(&b, b.s1, CM_SUM_SOURCE + CM_SOURCE_SELF, 0, 0);
    close(&b);
}

/* Several legs of one call at one seat: the one that ended last before the judgement. */
static void the_last_leg_before_it_is_meant(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    (void)leg(&b, "c1", 30000, false, false);
    (void)leg(&b, "c1", 10000, false, false);
    (void)leg(&b, "c1", 50001, false, false); /* after it */
    (void)leg(&b, "c2", 49000, false, false); /* another call */
    judge(&b, "c1", 50000, CM_SOURCE_SELF, 1, -1);
    settle(&b, 60000);
    judge(&b, "c1", 50001, CM_SOURCE_SELF, 0, -1); /* that one ended just then */
    settle(&b, 60000);
    look(&b, 10000);
    expect(&b, b.t1, b.key_a, 0, 0);
    look(&b, 30000);
    expect(&b, b.t1, b.key_a, 1, 1);
    look(&b, 49000);
    expect(&b, b.t1, b.key_a, 0, 0);
    look(&b, 50001);
    expect(&b, b.t1, b.key_a, 1, 0);
    close(&b);
}

static void a_leg_counts_once_and_fails_once(void **state)
{
    (void)state;
    static const struct {
        bool checked, compliant; /* by its record */
        int32_t first, second;   /* verdicts of two judgements */
        int64_t judged[2][2];    /* what they make of it together, after each */
    } cases[] = {
        {false, false, 1, 1, {{1, 1}, {1, 1}}}, {false, false, 1, 0, {{1, 1}, {1, 0}}},
        {false, false, 0, 1, {{1, 0}, {1, 0}}}, {false, false, 0, 0, {{1, 0}, {1, 0}}},
        {true, true, 1, 1, {{0, 0}, {0, 0}}},   {true, true, 1, 0, {{0, 0}, {0, -1}}},
        {true, true, 0, 1, {{0, -1}, {0, -1}}}, {true, true, 0, 0, {{0, -1}, {0, -1}}},
        {true, false, 1, 0, {{0, 0}, {0, 0}}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench b;
        open(&b);
        (void)leg(&b, "c1", 30000, cases[i].checked, cases[i].compliant);
        look_at_all(&b);
        for (int k = 0; k < 2; k++) {
            judge(&b, "c1", 40000 + k, k == 0 ? CM_SOURCE_SELF : CM_SOURCE_SPOT,
                  k == 0 ? cases[i].first : cases[i].second, -1);
            settle(&b, 50000);
            expect(&b, b.t1, CM_SUM_JUDGED, cases[i].judged[k][0], cases[i].judged[k][1]);
        }
        expect(&b, b.t1, b.key_a, 2, cases[i].first + cases[i].second); /* judged twice */
        close(&b);
    }
}

static void a_leg_that_is_too_old_is_not_found(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    (void)leg(&b, "young", NOW_ON - LONG_MS, false, false);
    (void)leg(&b, "old", NOW_ON - LONG_MS - 1, false, false);
    judge(&b, "young", NOW_ON, CM_SOURCE_SELF, 1, -1);
    judge(&b, "old", NOW_ON, CM_SOURCE_SELF, 1, -1);
    settle(&b, NOW_ON);
    look_at_all(&b);
    expect(&b, b.t1, b.key_a, 1, 1);
    expect(&b, b.s1, b.key_a, 2, 2);
    expect(&b, b.centre, b.key_a, 1, 1);
    close(&b);
}

static void a_leg_taken_back_is_not_found(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    (void)leg(&b, "c1", 20000, false, false);
    uint32_t place = leg(&b, "c1", 30000, false, false);
    assert_false(cm_judgements_drop_leg(b.judgements, place).any);
    assert_false(cm_judgements_drop_leg(b.judgements, NOBODY).any);
    judge(&b, "c1", 40000, CM_SOURCE_SELF, 1, -1);
    settle(&b, 40000);
    look(&b, 20000);
    expect(&b, b.t1, b.key_a, 1, 1);
    close(&b);
}

/* Judged as failed, it was no longer compliant; the revision takes that over. */
static void a_revised_leg_and_its_judgement_are_one_leg(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    look_at_all(&b);
    uint32_t before = leg(&b, "c1", 30000, true, true);
    judge(&b, "c1", 40000, CM_SOURCE_SELF, 0, -1);
    settle(&b, 40000);
    expect(&b, b.t1, CM_SUM_JUDGED, 0, -1);
    b.judged = cm_judgements_drop_leg(b.judgements, before);
    assert_true(b.judged.any && b.judged.failed);
    expect(&b, b.t1, CM_SUM_JUDGED, 0, 0);
    expect(&b, b.t1, b.key_a, 1, 0); /* what it counted stays */
    uint32_t after = leg(&b, "c1", 30000, true, true);
    expect(&b, b.t1, CM_SUM_JUDGED, 0, -1);
    b.judged = (struct cm_judged){false, false};
    judge(&b, "c1", 50000, CM_SOURCE_SPOT, 0, -1); /* it had failed before */
    settle(&b, 50000);
    expect(&b, b.t1, CM_SUM_JUDGED, 0, -1);
    b.judged = cm_judgements_drop_leg(b.judgements, after);
    (void)leg(&b, "c1", 30000, true, false); /* and now by its record too */
    expect(&b, b.t1, CM_SUM_JUDGED, 0, 0);
    close(&b);
}

static void a_leg_without_call_or_seat_is_not_written_down(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    assert_int_equal(leg(&b, "", 20000, false, false), NOBODY);
    struct cm_event event = {.type = CM_EVENT_CDR, .ts_ms = 20000, .call = CM_STR("c1")};
    assert_false(cm_judgements_keeps(b.judgements, &event));
    assert_int_equal(
        cm_judgements_add_leg(b.judgements, &event, b.own, false, false, b.judged, 20000), NOBODY);
    close(&b);
}

/* The log and its index grow and forget; each call is found as long as it is young enough. */
static void many_legs_over_weeks(void **state)
{
    (void)state;
    enum { LEGS = 100000 };
    const int64_t step_ms = END_MS / LEGS;
    struct bench b;
    char call[16];
    open(&b);
    look_at_all(&b);
    for (int64_t i = 0; i < LEGS; i++) {
        (void)snprintf(call, sizeof(call), "c%d", (int)i);
        (void)leg(&b, call, i * step_ms, false, false);
        if (i % 7 == 3) { /* of the half that is remembered, and of before */
            int64_t back = i % 2 == 0 ? LONG_MS / step_ms : LONG_MS / step_ms + 1;
            (void)snprintf(call, sizeof(call), "c%d", (int)(i > back ? i - back : i / 2));
            judge(&b, call, i * step_ms, CM_SOURCE_SELF, 1, -1);
            settle(&b, i * step_ms);
        }
    }
    int64_t found = 0, all = 0;
    for (int64_t i = 3; i < LEGS; i += 7) {
        bool old = i % 2 == 1 && i > LONG_MS / step_ms + 1;
        all++;
        found += !old;
    }
    expect(&b, b.s1, b.key_a, all, all);
    expect(&b, b.t1, b.key_a, found, found);
    expect(&b, b.centre, b.key_a, all - found, all - found);
    /* Those of judge_within and a little, in chunks, and an index of a power of two. */
    size_t lines = (size_t)(LONG_MS / step_ms) + 1000 + 2 * CHUNK_LINES;
    assert_true(cm_judgements_bytes(b.judgements) < lines * LINE_BYTES + ((size_t)8 << 17));
    close(&b);
}

/* Nothing is taken up ahead, and nothing is copied when there are more. */
static void memory_follows_the_legs(void **state)
{
    (void)state;
    struct bench b;
    char call[16];
    open(&b);
    for (size_t i = 0; i < 50000; i++) {
        size_t bytes = cm_judgements_bytes(b.judgements);
        assert_true(bytes >= i * LINE_BYTES && bytes < (i + CHUNK_LINES) * LINE_BYTES);
        (void)snprintf(call, sizeof(call), "c%zu", i);
        assert_int_equal(leg(&b, call, NOW_ON + (int64_t)i, false, false), i);
    }
    close(&b);
}

/* One call has legs in every chunk: what is past is let go of below those that are not. */
static void the_last_leg_is_found_above_those_let_go_of(void **state)
{
    (void)state;
    enum { LEGS = 60000, EVERY = 1500 };
    const int64_t step_ms = END_MS / LEGS;
    struct bench b;
    char call[16];
    int64_t judged = 0;
    open(&b);
    look_at_all(&b);
    for (int64_t i = 0; i < LEGS; i++) {
        bool is_long = i % EVERY == 0;
        (void)snprintf(call, sizeof(call), "c%d", (int)(i % 20000));
        (void)leg(&b, is_long ? "long" : call, i * step_ms, false, false);
        if (i % EVERY == EVERY - 1) { /* before the next one, and for two: the call's and another */
            judge(&b, "long", i * step_ms, CM_SOURCE_SELF, 1, -1);
            judge(&b, call, i * step_ms, CM_SOURCE_SELF, 1, -1);
            settle(&b, i * step_ms);
            judged += 2;
        }
    }
    expect(&b, b.t1, b.key_a, judged, judged);
    expect(&b, b.t1, CM_SUM_JUDGED, judged, judged); /* each a leg of its own */
    expect(&b, b.centre, b.key_a, 0, 0);
    close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_counts_at_its_leg_for_the_leg_s_units),
        cmocka_unit_test(it_waits_for_the_watermark),
        cmocka_unit_test(without_a_leg_it_is_a_leg_of_its_own),
        cmocka_unit_test(of_nothing_applicable_nothing_comes),
        cmocka_unit_test(the_last_leg_before_it_is_meant),
        cmocka_unit_test(a_leg_counts_once_and_fails_once),
        cmocka_unit_test(a_leg_that_is_too_old_is_not_found),
        cmocka_unit_test(a_leg_taken_back_is_not_found),
        cmocka_unit_test(a_revised_leg_and_its_judgement_are_one_leg),
        cmocka_unit_test(a_leg_without_call_or_seat_is_not_written_down),
        cmocka_unit_test(many_legs_over_weeks),
        cmocka_unit_test(memory_follows_the_legs),
        cmocka_unit_test(the_last_leg_is_found_above_those_let_go_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
