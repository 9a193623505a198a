// SPDX-License-Identifier: Apache-2.0
/* prng_test.c — known values, bounds, and the shape of the distributions with fixed seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>

#include "base/compiler.h"
#include "base/prng.h"

static void test_known_stream(void **state)
{
    (void)state;
    /* The state 1, 2, 3, 4 and its stream are those of the authors' reference program. */
    static const uint64_t expected[] = {
        UINT64_C(11520),
        UINT64_C(0),
        UINT64_C(1509978240),
        UINT64_C(1215971899390074240),
    };
    struct cm_prng prng = {{1, 2, 3, 4}};
    for (size_t i = 0; i < CM_ARRAY_LEN(expected); i++) {
        assert_true(cm_prng_next(&prng) == expected[i]);
    }
    /* splitmix64 from 0. */
    cm_prng_seed(&prng, 0);
    assert_true(prng.s[0] == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(prng.s[1] == UINT64_C(0x6e789e6aa1b965f4));
    assert_true(prng.s[2] == UINT64_C(0x06c45d188009454f));
    assert_true(prng.s[3] == UINT64_C(0xf88bb8a8724c81ec));
}

static void test_same_seed_same_stream(void **state)
{
    (void)state;
    struct cm_prng a;
    struct cm_prng b;
    struct cm_prng c;
    cm_prng_seed(&a, 42);
    cm_prng_seed(&b, 42);
    cm_prng_seed(&c, 43);
    unsigned same = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t value = cm_prng_next(&a);
        assert_true(value == cm_prng_next(&b));
        same += value == cm_prng_next(&c);
    }
    assert_int_equal(same, 0);
}

static void test_below_is_within_and_even(void **state)
{
    (void)state;
    struct cm_prng prng;
    unsigned counts[7] = {0};
    cm_prng_seed(&prng, 7);
    for (int i = 0; i < 70000; i++) {
        uint64_t value = cm_prng_below(&prng, 7);
        assert_true(value < 7);
        counts[value]++;
    }
    for (size_t i = 0; i < 7; i++) {
        assert_in_range(counts[i], 9600, 10400); /* 4 standard deviations */
    }
    unsigned upper = 0;
    const uint64_t bound = UINT64_C(3) << 62; /* modulo alone would favour the lower third */
    for (int i = 0; i < 30000; i++) {
        uint64_t value = cm_prng_below(&prng, bound);
        assert_true(value < bound);
        upper += value >= bound / 3 * 2;
        assert_true(cm_prng_below(&prng, 1) == 0);
    }
    assert_in_range(upper, 9670, 10330);
}

static void test_moments_of_the_distributions(void **state)
{
    (void)state;
    enum { DRAWS = 200000 };
    struct cm_prng prng;
    double unit = 0;
    double exponential = 0;
    double normal = 0;
    double normal_square = 0;
    unsigned below_median = 0;
    cm_prng_seed(&prng, 11);
    for (int i = 0; i < DRAWS; i++) {
        double u = cm_prng_unit(&prng);
        assert_true(u >= 0 && u < 1);
        unit += u;
        double e = cm_prng_exponential(&prng, 250);
        assert_true(e >= 0 && isfinite(e));
        exponential += e;
        double n = cm_prng_normal(&prng);
        assert_true(isfinite(n));
        normal += n;
        normal_square += n * n;
        double l = cm_prng_lognormal(&prng, log(300), 0.5);
        assert_true(l > 0);
        below_median += l < 300;
    }
    assert_true(fabs(unit / DRAWS - 0.5) < 0.003);
    assert_true(fabs(exponential / DRAWS - 250) < 2.5);
    assert_true(fabs(normal / DRAWS) < 0.01);
    assert_true(fabs(normal_square / DRAWS - 1) < 0.015);
    assert_true(fabs((double)below_median / DRAWS - 0.5) < 0.005);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_stream),
        cmocka_unit_test(test_same_seed_same_stream),
        cmocka_unit_test(test_below_is_within_and_even),
        cmocka_unit_test(test_moments_of_the_distributions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
