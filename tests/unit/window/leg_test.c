// SPDX-License-Identifier: Apache-2.0
/* leg_test.c — how one leg is judged: outcomes, edges of the service level, compliance. */
#include "window/leg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/histogram.h"

static const char yaml[] = "short_abandon: 5s\nservice_level: {target: 20s}\n"
                           "compliance:\n"
                           "  checks: {id: {weight: 3, veto: true}, closing: {weight: 0}}\n"
                           "  rules: {hold: {when: \"hold_ms <= 1000\", weight: 5, veto: true},"
                           " rated: {when: \"rating >= 60\", weight: 7}}\n";

static struct cm_config *config;

static int setup(void **state)
{
    (void)state;
    return cm_config_parse("t.yaml", yaml, sizeof(yaml) - 1, NULL, 0, &config);
}

static int teardown(void **state)
{
    (void)state;
    cm_config_free(config);
    return 0;
}

static struct cm_marks marks;

static struct cm_leg judge(const struct cm_event *event)
{
    struct cm_leg leg;
    memset(&leg, 0xee, sizeof(leg)); /* whatever was there before */
    cm_leg_judge(&leg, event, config, &marks);
    return leg;
}

/* What the leg adds, as whoever adds it up sees it. */
static struct cm_tally tally_of(const struct cm_leg *leg)
{
    struct cm_tally tally;
    memset(&tally, 0xee, sizeof(tally));
    cm_leg_tally(leg, &tally);
    assert_int_equal(tally.reserved, 0);
    return tally;
}

static struct cm_tally judged(const struct cm_event *event)
{
    struct cm_leg leg = judge(event);
    return tally_of(&leg);
}

static void outcomes_count_once(void **state)
{
    (void)state;
    static const unsigned counts[CM_OUTCOME_COUNT] = {
        [CM_OUTCOME_ANSWERED] = CM_TALLY_AT_answered,
        [CM_OUTCOME_ABANDONED] = CM_TALLY_AT_abandoned,
        [CM_OUTCOME_NO_ANSWER] = CM_TALLY_AT_no_answer,
        [CM_OUTCOME_REJECTED] = CM_TALLY_AT_rejected,
        [CM_OUTCOME_OVERFLOW] = CM_TALLY_AT_flow_out,
        [CM_OUTCOME_TIMEOUT] = CM_TALLY_AT_flow_out,
        [CM_OUTCOME_CALLBACK] = CM_TALLY_AT_flow_out};
    for (unsigned outcome = 0; outcome < CM_OUTCOME_COUNT; outcome++) {
        struct cm_event event = {.outcome = (uint8_t)outcome,
                                 .rating = -1,
                                 .wait_ms = 30000,
                                 .talk_ms = 10,
                                 .hold_ms = 20,
                                 .acw_ms = 30,
                                 .transfers = 2};
        struct cm_leg leg = judge(&event);
        struct cm_tally tally = tally_of(&leg);
        unsigned sum = 0;
        for (unsigned i = CM_TALLY_AT_answered; i <= CM_TALLY_AT_flow_out; i++) {
            sum += tally.count[i];
        }
        assert_int_equal(sum, 1);
        assert_int_equal(tally.count[counts[outcome]], 1);
        assert_int_equal(tally.transfers, 2);
        bool answered = outcome == CM_OUTCOME_ANSWERED;
        assert_int_equal(tally.talk_ms, answered ? 10 : 0);
        assert_int_equal(tally.handle_max_ms, answered ? 60 : 0);
        assert_int_equal(leg.bin, answered ? cm_hist_bin(60) : CM_LEG_NO_BIN);
        uint32_t waited_ms = outcome <= CM_OUTCOME_ABANDONED ? 30000 : 0;
        assert_int_equal(tally.wait_max_ms, waited_ms);
        assert_int_equal(tally.wait_ms, answered ? waited_ms : 0);
        assert_int_equal(tally.abandon_wait_ms, answered ? 0 : waited_ms);
        assert_true(cm_leg_counts(&leg));
        struct cm_tally total = {0};
        cm_tally_add(&total, &tally);
        assert_int_equal(total.count[counts[outcome]], 1);
        assert_int_equal(total.wait_max_ms, 0); /* left to whoever adds */
        cm_tally_subtract(&total, &tally);
        assert_true(cm_tally_is_empty(&total));
    }
}

static void edges_belong_to_the_good_side(void **state)
{
    (void)state;
    struct cm_event event = {.outcome = CM_OUTCOME_ABANDONED, .rating = -1};
    for (int more = 0; more < 2; more++) {
        event.wait_ms = 5000 + (uint32_t)more;
        assert_int_equal(judged(&event).short_abandoned, !more);
        event.wait_ms = 20000 + (uint32_t)more;
        assert_int_equal(judged(&event).sl_abandoned, !more);
    }
    event.outcome = CM_OUTCOME_ANSWERED;
    assert_int_equal(judged(&event).sl_met, 0);
    event.wait_ms--;
    assert_int_equal(judged(&event).sl_met, 1);
}

static void hold_abandons_need_hold_and_caller(void **state)
{
    (void)state;
    struct cm_event event = {
        .outcome = CM_OUTCOME_ANSWERED, .rating = -1, .on_hold = true, .end = CM_END_CALLER};
    assert_int_equal(judged(&event).hold_abandoned, 1);
    event.end = CM_END_AGENT;
    assert_int_equal(judged(&event).hold_abandoned, 0);
    event.end = CM_END_CALLER;
    event.outcome = CM_OUTCOME_REJECTED;
    assert_int_equal(judged(&event).hold_abandoned, 0);
}

static void compliance_weighs_checks_and_rules(void **state)
{
    (void)state;
    /* `hold` as a check gives way to the rule of that name; null is not applicable. */
    static const struct cm_check checks[] = {{{"id", 2}, 0},
                                             {{"closing", 7}, 0},
                                             {{"unlisted", 8}, 1},
                                             {{"hold", 4}, 0},
                                             {{"x", 1}, -1}};
    struct cm_event event = {.outcome = CM_OUTCOME_ANSWERED,
                             .rating = -1,
                             .hold_ms = 1000,
                             .checks = checks,
                             .checks_count = 5};
    struct cm_tally leg = judged(&event);
    assert_int_equal(leg.count[CM_TALLY_AT_checked], 1);
    assert_int_equal(leg.count[CM_TALLY_AT_compliant], 0);
    assert_int_equal(leg.count[CM_TALLY_AT_vetoes], 1);
    assert_int_equal(leg.sum[CM_TALLY_AT_check_weight], 3 + 0 + 1 + 5);
    assert_int_equal(leg.sum[CM_TALLY_AT_check_weight_passed], 1 + 5);
    event.checks_count = 0;
    event.hold_ms = 1001;
    event.rating = 60;
    leg = judged(&event);
    assert_int_equal(leg.count[CM_TALLY_AT_vetoes], 1);
    assert_int_equal(leg.count[CM_TALLY_AT_ratings], 1);
    assert_int_equal(leg.sum[CM_TALLY_AT_rating_sum], 60);
    assert_int_equal(leg.sum[CM_TALLY_AT_check_weight], 12);
    assert_int_equal(leg.sum[CM_TALLY_AT_check_weight_passed], 7);
}

static void the_longest_legs_do_not_wrap(void **state)
{
    (void)state;
    uint32_t most = (uint32_t)CM_PART_MS_MAX;
    struct cm_event event = {.outcome = CM_OUTCOME_ANSWERED,
                             .rating = -1,
                             .wait_ms = most,
                             .talk_ms = most,
                             .hold_ms = most,
                             .acw_ms = most};
    struct cm_leg leg = judge(&event);
    assert_int_equal(tally_of(&leg).handle_max_ms, 3 * (uint64_t)most);
    assert_int_equal(leg.bin, cm_hist_bin(3 * (uint64_t)most));
    assert_true(leg.bin < CM_HIST_BINS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes_count_once),
        cmocka_unit_test(edges_belong_to_the_good_side),
        cmocka_unit_test(hold_abandons_need_hold_and_caller),
        cmocka_unit_test(compliance_weighs_checks_and_rules),
        cmocka_unit_test(the_longest_legs_do_not_wrap),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
