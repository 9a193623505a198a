// SPDX-License-Identifier: Apache-2.0
/* accumulator_test.c — legs and sums of legs in and out, and when a maximum is stale. */
#include "window/accumulator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct cm_leg a_leg(uint32_t wait_ms, uint32_t talk_ms)
{
    return (struct cm_leg){.flags = 1u << CM_TALLY_AT_answered,
                           .wait_ms = wait_ms,
                           .talk_ms = talk_ms,
                           .bin = (uint16_t)cm_hist_bin(talk_ms)};
}

static void legs_add_up_and_leave_nothing_behind(void **state)
{
    (void)state;
    struct cm_accumulator acc;
    memset(&acc, 0, sizeof(acc));
    struct cm_leg one = a_leg(5, 100);
    struct cm_leg two = a_leg(9, 50);
    cm_accumulator_add_leg(&acc, &one);
    cm_accumulator_add_leg(&acc, &two);
    assert_int_equal(acc.tally.answered, 2);
    assert_int_equal(acc.tally.wait_ms, 14);
    assert_int_equal(acc.tally.talk_ms, 150);
    assert_int_equal(acc.tally.wait_max_ms, 9);
    assert_int_equal(acc.tally.handle_max_ms, 100);
    assert_int_equal(cm_hist_quantile(&acc.hist, 2, 1), cm_hist_bin_value(cm_hist_bin(50)));
    cm_accumulator_subtract_leg(&acc, &one);
    assert_int_equal(acc.tally.reserved, CM_STALE_HANDLE); /* its wait was not the longest */
    cm_accumulator_subtract_leg(&acc, &two);
    assert_int_equal(acc.tally.reserved, CM_STALE_HANDLE | CM_STALE_WAIT);
    assert_true(cm_tally_is_empty(&acc.tally));
    assert_null(acc.hist.cells);
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
    cm_accumulator_add_leg(&acc, &leg);
    cm_accumulator_subtract_leg(&acc, &leg);
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

/* What is added up first, and then given, is what the legs add one by one. */
static void sums_are_the_sum_of_their_legs(void **state)
{
    (void)state;
    enum { LEGS = 40 };
    static struct cm_leg_sum sum;
    struct cm_leg legs[LEGS];
    struct cm_accumulator by_legs = {0};
    struct cm_accumulator by_sum = {0};
    for (uint32_t i = 0; i < LEGS; i++) { /* several bins, some of them twice */
        legs[i] = a_leg(i, 1000 * (i % 7));
        legs[i].checks_count = (uint16_t)(i % 3);
        legs[i].checks[0] = (uint16_t)((i % 3) << 1 | (i % 2 == 0));
        legs[i].checks[1] = 9 << 1 | 1;
        cm_accumulator_add_leg(&by_legs, &legs[i]);
        cm_leg_sum_add(&sum, &legs[i]);
    }
    cm_accumulator_add_sum(&by_sum, &sum);
    expect_same(&by_legs, &by_sum, LEGS);
    assert_int_equal(by_sum.checks.count, 10);
    assert_int_equal(by_sum.checks.at[9].passed, 13);

    cm_accumulator_add_sum(&by_sum, &sum); /* onto what is there */
    assert_int_equal(by_sum.tally.talk_ms, 2 * by_legs.tally.talk_ms);
    cm_accumulator_subtract_sum(&by_sum, &sum); /* the longest may have gone with it */
    assert_int_equal(by_sum.tally.reserved, CM_STALE_WAIT | CM_STALE_HANDLE);
    by_sum.tally.reserved = 0;
    expect_same(&by_legs, &by_sum, LEGS);
    cm_leg_sum_clear(&sum);
    cm_accumulator_add_sum(&by_sum, &sum); /* it is empty again */
    expect_same(&by_legs, &by_sum, LEGS);
    cm_leg_sum_free(&sum);

    for (uint32_t i = 0; i < LEGS; i++) {
        cm_accumulator_subtract_leg(&by_sum, &legs[i]);
    }
    assert_true(cm_tally_is_empty(&by_sum.tally));
    assert_null(by_sum.hist.cells);
    assert_int_equal(by_sum.checks.at[9].evaluated, 0);
    assert_int_equal(by_sum.tally.reserved, CM_STALE_WAIT | CM_STALE_HANDLE);
    cm_accumulator_clear(&by_legs);
    assert_int_equal(by_legs.hist.used, 0);
    cm_accumulator_free(&by_legs);
    cm_accumulator_free(&by_sum);
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
        cm_accumulator_add_leg(&acc, &leg);
    }
    for (uint32_t i = 0; i < 100; i++) {
        struct cm_leg leg = a_leg(1, i < 64 ? i : 1000 * i);
        cm_accumulator_shrink(&acc); /* not as long as something is in it */
        cm_accumulator_subtract_leg(&acc, &leg);
    }
    cm_accumulator_shrink(&acc);
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
        cmocka_unit_test(sums_are_the_sum_of_their_legs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
