// SPDX-License-Identifier: Apache-2.0
/* traffic_model_test.c — tables against the maths library and theory, arrivals against their shape.
 */
#include "traffic/traffic_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fail.h"

#define MONDAY_MS INT64_C(1793577600000) /* 2026-11-02T00:00:00Z */

static bool near(double value, double want, double share)
{
    return fabs(value - want) <= fabs(want) * share;
}

static void test_exp_and_log(void **state)
{
    (void)state;
    for (int i = -4000; i <= 4000; i += 37) {
        double x = i / 100.0;
        assert_true(near(cm_model_exp(x), exp(x), 1e-13));
    }
    assert_true(cm_model_exp(0.0) == 1.0);
    double x = 1e-18;
    for (int i = 0; i < 156; i++) { /* up to 1e18 */
        x *= 1.7;
        assert_true(fabs(cm_model_log(x) - log(x)) <= 1e-14 * (1.0 + fabs(log(x))));
    }
    assert_true(cm_model_log(1.0) == 0.0);
}

static double mean_of(const struct cm_quantiles *table, struct cm_prng *prng, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        sum += cm_quantiles_draw(table, cm_prng_next(prng));
    }
    return sum / n;
}

static void test_lognormal(void **state)
{
    (void)state;
    const uint32_t middle = CM_QUANTILES / 2;
    struct cm_quantiles table;
    cm_quantiles_lognormal(&table, 107000.0, 1.0);
    assert_true(near(table.edge[middle], 107000.0, 1e-4));
    /* 84.134 % lies one sigma up. */
    assert_true(near(table.edge[(uint32_t)(0.841345 * CM_QUANTILES)], 107000.0 * exp(1.0), 0.01));
    assert_true(near(table.edge[(uint32_t)(0.158655 * CM_QUANTILES)], 107000.0 / exp(1.0), 0.01));
    for (uint32_t i = 1; i <= CM_QUANTILES; i++) {
        assert_true(table.edge[i] >= table.edge[i - 1]);
    }
    struct cm_prng prng;
    cm_prng_seed(&prng, 1);
    assert_true(near(mean_of(&table, &prng, 400000), 107000.0 * exp(0.5), 0.02));
}

static void test_exponential(void **state)
{
    (void)state;
    const uint32_t middle = CM_QUANTILES / 2;
    struct cm_quantiles table;
    cm_quantiles_exponential(&table, 350000.0);
    assert_true(near(table.edge[middle], 350000.0 * log(2.0), 1e-4));
    assert_in_range(table.edge[0], 0, 100);
    struct cm_prng prng;
    cm_prng_seed(&prng, 2);
    assert_true(near(mean_of(&table, &prng, 400000), 350000.0, 0.01));
}

static void assert_pinned(const struct cm_quantiles *table, uint64_t want)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i <= CM_QUANTILES; i++) {
        sum = sum * 31 + table->edge[i];
    }
    if (sum != want) {
        fail_msg("the table's sum is %#llx", (unsigned long long)sum);
    }
}

/* The same bits on every machine: a change here changes every seeded data set. */
static void test_tables_are_pinned(void **state)
{
    (void)state;
    struct cm_quantiles table;
    cm_quantiles_lognormal(&table, 126000.0, 0.88);
    assert_pinned(&table, UINT64_C(0x982942ea93055f0f));
    cm_quantiles_exponential(&table, 350000.0);
    assert_pinned(&table, UINT64_C(0xe2f39b25cdc23f0a));
}

static void test_arrivals_follow_the_shapes(void **state)
{
    (void)state;
    struct cm_arrivals arrivals;
    struct cm_prng prng;
    cm_prng_seed(&prng, 4);
    cm_arrivals_init(&arrivals, NULL, 3e6, MONDAY_MS);
    double hours[24] = {0};
    double days[7] = {0};
    double total = 0;
    int64_t last = MONDAY_MS;
    for (;;) {
        int64_t at = cm_arrivals_next(&arrivals, &prng);
        assert_true(at >= last);
        last = at;
        if (at >= MONDAY_MS + 7 * CM_MS_PER_D) {
            break;
        }
        hours[(at - MONDAY_MS) / CM_MS_PER_H % 24]++;
        days[(at - MONDAY_MS) / CM_MS_PER_D]++;
        total++;
    }
    assert_true(near(total, 3e6 * 7 / 30, 0.01));
    const double *shape = cm_arrivals_day_shape();
    double sum = 0;
    for (int h = 0; h < 24; h++) {
        sum += shape[h];
        assert_true(fabs(hours[h] / total - shape[h]) < 0.006); /* slopes run between hours */
        assert_true(hours[h] > 0);
    }
    assert_true(near(sum, 1.0, 1e-9));
    assert_true(near(hours[10] / total, 0.0985, 0.03));
    assert_true(days[0] > days[4] && days[4] > days[5] && days[5] > days[6]); /* weekend low */
    assert_true(near(days[6] / days[0], 0.50 / 1.08, 0.05));
    assert_true(near(cm_arrivals_peak_per_s(3e6), 3e6 / 30 * 7 / 6.17 * 1.08 * 0.1 / 3600, 1e-6));
}

static void test_arrivals_follow_the_zone(void **state)
{
    (void)state;
    struct cm_zone *zone = NULL;
    if (cm_zone_load("Asia/Shanghai", &zone) < 0) {
        print_message("%s\n", cm_fail_text());
        skip(); /* no zone files on this machine */
    }
    struct cm_arrivals here;
    struct cm_arrivals there;
    struct cm_prng a;
    struct cm_prng b;
    cm_prng_seed(&a, 5);
    cm_prng_seed(&b, 5);
    cm_arrivals_init(&here, NULL, 1e6, MONDAY_MS);
    cm_arrivals_init(&there, zone, 1e6, MONDAY_MS - 8 * CM_MS_PER_H);
    for (int i = 0; i < 50000; i++) {
        int64_t one = cm_arrivals_next(&here, &a);
        int64_t two = cm_arrivals_next(&there, &b) + 8 * CM_MS_PER_H;
        assert_in_range(one - two + 1, 0, 2); /* to a rounded ms the same, eight hours apart */
        assert_int_equal(here.local_hour, there.local_hour);
    }
    cm_zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp_and_log),
        cmocka_unit_test(test_lognormal),
        cmocka_unit_test(test_exponential),
        cmocka_unit_test(test_tables_are_pinned),
        cmocka_unit_test(test_arrivals_follow_the_shapes),
        cmocka_unit_test(test_arrivals_follow_the_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
