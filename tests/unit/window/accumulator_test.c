// SPDX-License-Identifier: Apache-2.0
/* accumulator_test.c — legs and entries in and out, and when a maximum is stale. */
#include "window/accumulator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct cm_leg a_leg(uint32_t wait_ms, uint32_t talk_ms)
{
    struct cm_leg leg;
    memset(&leg, 0, sizeof(leg));
    leg.count[CM_TALLY_AT_answered] = 1;
    leg.sum[CM_TALLY_AT_wait_ms] = wait_ms;
    leg.sum[CM_TALLY_AT_talk_ms] = talk_ms;
    leg.wait_max_ms = wait_ms;
    leg.handle_max_ms = talk_ms;
    leg.handle_bin = (uint16_t)cm_hist_bin(talk_ms);
    return leg;
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

static void entries_are_the_sum_of_their_legs(void **state)
{
    (void)state;
    struct cm_entry_pool pool = {.chunks = NULL};
    struct cm_entry *entry = cm_entry_new(&pool);
    struct cm_accumulator by_legs, by_entry;
    memset(&by_legs, 0, sizeof(by_legs));
    memset(&by_entry, 0, sizeof(by_entry));
    for (uint32_t i = 0; i < 40; i++) { /* several bins, some of them twice */
        struct cm_leg leg = a_leg(i, 1000 * (i % 7));
        const struct cm_leg_check checks[] = {{(uint16_t)(i % 3), i % 2 == 0}, {9, true}};
        leg.checks = checks;
        leg.checks_count = i % 3;
        cm_accumulator_add_leg(&by_legs, &leg);
        assert_true(cm_entry_fits(entry, &leg));
        cm_entry_add_leg(&pool, entry, &leg);
    }
    cm_accumulator_add_entry(&by_entry, entry);
    assert_memory_equal(&by_legs.tally, &by_entry.tally, sizeof(by_legs.tally));
    assert_int_equal(by_entry.checks.count, 10);
    assert_memory_equal(by_legs.checks.at, by_entry.checks.at, 10 * sizeof(*by_legs.checks.at));
    assert_int_equal(by_entry.checks.at[9].passed, 13);
    for (uint32_t i = 1; i <= 1000; i += 37) {
        assert_int_equal(cm_hist_quantile(&by_legs.hist, 40, i),
                         cm_hist_quantile(&by_entry.hist, 40, i));
    }

    /* Twice the entry, added up first, into one that has it already and one that has nothing. */
    static struct cm_entry_sum sum;
    cm_entry_sum_add(&sum, entry);
    cm_entry_sum_add(&sum, entry);
    struct cm_accumulator fresh = {0};
    cm_accumulator_add_sum(&fresh, &sum);
    cm_accumulator_add_sum(&by_entry, &sum);
    cm_accumulator_add_sum(&by_entry, &sum);
    cm_accumulator_subtract_sum(&by_entry, &sum); /* the longest may have gone with it */
    assert_int_equal(by_entry.tally.reserved, CM_STALE_WAIT | CM_STALE_HANDLE);
    by_entry.tally.reserved = 0;
    cm_entry_sum_clear(&sum);
    cm_accumulator_add_entry(&fresh, entry);
    assert_memory_equal(&fresh.tally, &by_entry.tally, sizeof(fresh.tally));
    assert_int_equal(fresh.tally.talk_ms, 3 * by_legs.tally.talk_ms);
    assert_memory_equal(fresh.checks.at, by_entry.checks.at, 10 * sizeof(*fresh.checks.at));
    for (uint32_t i = 1; i <= 1000; i += 37) {
        assert_int_equal(cm_hist_quantile(&fresh.hist, 120, i),
                         cm_hist_quantile(&by_legs.hist, 40, i));
    }
    cm_accumulator_add_sum(&fresh, &sum); /* it is empty again */
    assert_memory_equal(&fresh.tally, &by_entry.tally, sizeof(fresh.tally));
    cm_accumulator_subtract_entry(&by_entry, entry);
    cm_accumulator_subtract_entry(&by_entry, entry);
    cm_accumulator_clear(&fresh);
    assert_int_equal(fresh.hist.used, 0);
    cm_accumulator_free(&fresh);
    cm_entry_sum_free(&sum);

    cm_accumulator_subtract_entry(&by_entry, entry);
    assert_true(cm_tally_is_empty(&by_entry.tally));
    assert_null(by_entry.hist.cells);
    assert_int_equal(by_entry.checks.at[9].evaluated, 0);
    assert_int_equal(by_entry.tally.reserved, CM_STALE_WAIT | CM_STALE_HANDLE);
    cm_accumulator_free(&by_legs);
    cm_accumulator_free(&by_entry);
    cm_entry_pool_free(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(legs_add_up_and_leave_nothing_behind),
        cmocka_unit_test(a_leg_without_times_makes_nothing_stale),
        cmocka_unit_test(entries_are_the_sum_of_their_legs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
