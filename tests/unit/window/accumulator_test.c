// SPDX-License-Identifier: Apache-2.0
/* accumulator_test.c — legs in and out, when a maximum is stale, and sums of periods. */
#include "window/accumulator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct cm_leg a_leg(uint32_t wait_ms, uint32_t talk_ms)
{
    return (struct cm_leg){.flags = 1u << CM_TALLY_AT_answered,
                           .wait_ms = wait_ms,
                           .talk_ms = talk_ms,
                           .bin = (uint16_t)cm_hist_bin(talk_ms)};
}

static void add(struct cm_accumulator *acc, const struct cm_leg *leg, int64_t no)
{
    struct cm_addend addend;
    cm_addend_make(&addend, leg, no);
    cm_accumulator_add(acc, &addend);
}

static void subtract(struct cm_accumulator *acc, const struct cm_leg *leg)
{
    struct cm_addend addend;
    cm_addend_make(&addend, leg, 0);
    cm_accumulator_subtract(acc, &addend);
}

static void take_back(struct cm_accumulator *acc, const struct cm_leg *leg, int64_t no)
{
    struct cm_addend addend;
    cm_addend_make(&addend, leg, no);
    cm_accumulator_take_back(acc, &addend);
}

static void settle(struct cm_accumulator *acc, const struct cm_leg *leg)
{
    struct cm_addend addend;
    cm_addend_make(&addend, leg, 0);
    cm_accumulator_settle(acc, &addend);
}

static void legs_add_up_and_leave_nothing_behind(void **state)
{
    (void)state;
    struct cm_accumulator acc;
    memset(&acc, 0, sizeof(acc));
    struct cm_leg one = a_leg(5, 100);
    struct cm_leg two = a_leg(9, 50);
    add(&acc, &one, 0);
    add(&acc, &two, 0);
    assert_int_equal(acc.tally.answered, 2);
    assert_int_equal(acc.tally.wait_ms, 14);
    assert_int_equal(acc.tally.talk_ms, 150);
    assert_int_equal(acc.tally.wait_max_ms, 9);
    assert_int_equal(acc.tally.handle_max_ms, 100);
    assert_int_equal(cm_hist_quantile(&acc.hist, 2, 1), cm_hist_bin_value(cm_hist_bin(50)));
    subtract(&acc, &one);
    assert_int_equal(acc.tally.reserved, CM_STALE_HANDLE); /* its wait was not the longest */
    subtract(&acc, &two);
    assert_int_equal(acc.tally.reserved, CM_STALE_HANDLE | CM_STALE_WAIT);
    assert_true(cm_tally_is_empty(&acc.tally));
    assert_int_equal(acc.hist.used, 0);
    cm_accumulator_clear(&acc);
    assert_int_equal(acc.tally.reserved, 0);
    assert_int_equal(acc.tally.wait_max_ms, 0);
}

static void a_leg_without_times_makes_nothing_stale(void **state)
{
    (void)state;
    struct cm_accumulator acc;
    memset(&acc, 0, sizeof(acc));
    struct cm_leg leg = a_leg(0, 0);
    add(&acc, &leg, 0);
    subtract(&acc, &leg);
    assert_int_equal(acc.tally.reserved, 0);
    cm_accumulator_clear(&acc);
}

static void expect_same(const struct cm_accumulator *a, const struct cm_accumulator *b,
                        uint64_t legs)
{
    assert_memory_equal(&a->tally, &b->tally, sizeof(a->tally));
    assert_int_equal(a->checks.count, b->checks.count);
    assert_memory_equal(a->checks.at, b->checks.at, a->checks.count * sizeof(*a->checks.at));
    for (uint32_t i = 1; i <= 1000; i += 37) {
        assert_int_equal(cm_hist_quantile(&a->hist, legs, i), cm_hist_quantile(&b->hist, legs, i));
    }
}

/* What is added up first, and then merged, is what the legs add one by one. */
static void merged_sums_are_the_sum_of_their_legs(void **state)
{
    (void)state;
    enum { LEGS = 40 };
    struct cm_leg legs[LEGS];
    struct cm_accumulator by_legs = {0};
    struct cm_accumulator by_sum = {0};
    struct cm_accumulator sum = {0};
    cm_accumulator_open(&sum);
    for (uint32_t i = 0; i < LEGS; i++) { /* several bins, some of them twice */
        legs[i] = a_leg(i, 1000 * (i % 7));
        legs[i].checks_count = (uint16_t)(i % 3);
        legs[i].checks[0] = (uint16_t)((i % 3) << 1 | (i % 2 == 0));
        legs[i].checks[1] = 9 << 1 | 1;
        add(&by_legs, &legs[i], 0);
        add(&sum, &legs[i], 0);
    }
    settle(&sum, &legs[30]);
    settle(&sum, &legs[13]);
    cm_accumulator_merge(&by_sum, &sum);
    expect_same(&by_legs, &by_sum, LEGS);
    assert_int_equal(by_sum.checks.count, 10);
    assert_int_equal(by_sum.checks.at[9].passed, 13);
    assert_int_equal(by_sum.settled_wait_ms, 30);
    assert_int_equal(by_sum.settled_handle_ms, 6000);

    cm_accumulator_merge(&by_sum, &sum); /* onto what is there */
    assert_int_equal(by_sum.tally.talk_ms, 2 * by_legs.tally.talk_ms);
    for (uint32_t i = 0; i < LEGS; i++) { /* the longest may go with it */
        take_back(&by_sum, &legs[i], 0);
    }
    assert_int_equal(by_sum.tally.reserved, CM_STALE_WAIT | CM_STALE_HANDLE);
    by_sum.tally.reserved = 0;
    expect_same(&by_legs, &by_sum, LEGS);
    cm_accumulator_clear(&sum);
    assert_int_equal(sum.settled_wait_ms, 0);
    cm_accumulator_merge(&by_sum, &sum); /* it is empty again */
    expect_same(&by_legs, &by_sum, LEGS);
    assert_int_equal(by_sum.settled_wait_ms, 30);
    cm_accumulator_free(&by_legs);
    cm_accumulator_free(&by_sum);
    cm_accumulator_free(&sum);
}

/* Those that may become the longest are kept; they follow what is added and taken back. */
static void the_longest_are_kept_where_that_is_wanted(void **state)
{
    (void)state;
    struct cm_accumulator acc = {.longest = calloc(1, sizeof(struct cm_longest))};
    uint32_t wait_ms, handle_ms;
    struct cm_leg one = a_leg(50, 100);
    struct cm_leg two = a_leg(9, 200);
    assert_non_null(acc.longest);
    add(&acc, &one, 7);
    add(&acc, &two, 8);
    cm_longest_get(acc.longest, 8, &wait_ms, &handle_ms);
    assert_int_equal(wait_ms, 9);
    assert_int_equal(handle_ms, 200);
    subtract(&acc, &one); /* it left */
    assert_false(acc.longest->is_stale);
    take_back(&acc, &two, 8);
    assert_true(acc.longest->is_stale);
    cm_accumulator_clear(&acc);
    assert_false(acc.longest->is_stale);
    assert_int_equal(cm_accumulator_bytes(&acc) - cm_hist_bytes(&acc.hist),
                     sizeof(struct cm_longest));
    cm_accumulator_free(&acc);
    assert_null(acc.longest);
}

/* A few lie within; what was outgrown goes back when it is empty. */
static void few_legs_lie_within(void **state)
{
    (void)state;
    struct cm_accumulator acc = {0};
    cm_accumulator_open(&acc);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(acc.hist.cells == acc.few_bins, i <= CM_ACCUMULATOR_BINS);
        struct cm_leg leg = a_leg(1, i < 64 ? i : 1000 * i);
        add(&acc, &leg, 0);
    }
    for (uint32_t i = 0; i < 100; i++) {
        struct cm_leg leg = a_leg(1, i < 64 ? i : 1000 * i);
        subtract(&acc, &leg);
    }
    assert_ptr_equal(acc.hist.cells, acc.few_bins);
    assert_int_equal(acc.hist.used, 0);
    assert_int_equal(cm_accumulator_bytes(&acc), 0);
    cm_accumulator_free(&acc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(legs_add_up_and_leave_nothing_behind),
        cmocka_unit_test(a_leg_without_times_makes_nothing_stale),
        cmocka_unit_test(few_legs_lie_within),
        cmocka_unit_test(merged_sums_are_the_sum_of_their_legs),
        cmocka_unit_test(the_longest_are_kept_where_that_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
