// SPDX-License-Identifier: Apache-2.0
/* tally_test.c — tallies add and subtract without loss; maxima only grow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "event/tally.h"

/* Every field by its name, so that a field which the arrays miss is seen. */
#define X(name)                                                                                    \
    static uint64_t get_##name(const struct cm_tally *t)                                           \
    {                                                                                              \
        return t->name;                                                                            \
    }
CM_TALLY_COUNTS(X)
CM_TALLY_SUMS(X)
#undef X

static uint64_t (*const getters[])(const struct cm_tally *) = {
#define X(name) get_##name,
    CM_TALLY_COUNTS(X) CM_TALLY_SUMS(X)
#undef X
};

static struct cm_tally random_tally(struct cm_prng *prng)
{
    struct cm_tally t = {0};
    for (unsigned i = 0; i < CM_TALLY_COUNT_N; i++) {
        t.count[i] = (uint32_t)cm_prng_below(prng, 1000);
    }
    for (unsigned i = 0; i < CM_TALLY_SUM_N; i++) {
        t.sum[i] = cm_prng_below(prng, UINT64_C(1) << 40);
    }
    t.wait_max_ms = (uint32_t)cm_prng_below(prng, 1u << 30);
    t.handle_max_ms = (uint32_t)cm_prng_below(prng, 1u << 30);
    return t;
}

static void layout(void **state)
{
    (void)state;
    assert_int_equal(CM_ARRAY_LEN(getters), CM_TALLY_COUNT_N + CM_TALLY_SUM_N);
    struct cm_tally t = {0};
    t.count[CM_TALLY_AT_vetoes] = 3;
    t.sum[CM_TALLY_AT_check_weight_passed] = UINT64_C(1) << 50;
    assert_int_equal(t.vetoes, 3);
    assert_true(t.check_weight_passed == UINT64_C(1) << 50);
}

static void merge_adds_each_field(void **state)
{
    (void)state;
    struct cm_prng prng;
    cm_prng_seed(&prng, 7);
    for (int round = 0; round < 200; round++) {
        struct cm_tally a = random_tally(&prng);
        struct cm_tally b = random_tally(&prng);
        struct cm_tally sum = a;
        cm_tally_merge(&sum, &b);
        for (size_t i = 0; i < CM_ARRAY_LEN(getters); i++) {
            assert_true(getters[i](&sum) == getters[i](&a) + getters[i](&b));
        }
        assert_int_equal(sum.wait_max_ms,
                         a.wait_max_ms > b.wait_max_ms ? a.wait_max_ms : b.wait_max_ms);
        assert_int_equal(sum.handle_max_ms,
                         a.handle_max_ms > b.handle_max_ms ? a.handle_max_ms : b.handle_max_ms);
    }
}

static void subtract_undoes_merge(void **state)
{
    (void)state;
    struct cm_prng prng;
    cm_prng_seed(&prng, 8);
    struct cm_tally parts[50];
    struct cm_tally sum = {0};
    for (size_t i = 0; i < CM_ARRAY_LEN(parts); i++) {
        parts[i] = random_tally(&prng);
        cm_tally_merge(&sum, &parts[i]);
    }
    uint32_t wait_max_ms = sum.wait_max_ms;
    for (size_t i = 0; i < CM_ARRAY_LEN(parts); i++) { /* in another order than they came */
        assert_false(cm_tally_is_empty(&sum));
        cm_tally_subtract(&sum, &parts[(i * 7 + 3) % CM_ARRAY_LEN(parts)]);
    }
    assert_true(cm_tally_is_empty(&sum));
    assert_int_equal(sum.wait_max_ms, wait_max_ms);
}

static void sums_go_beyond_32_bits(void **state)
{
    (void)state;
    struct cm_tally sum = {0};
    struct cm_tally one = {0};
    one.answered = 1;
    one.talk_ms = CM_PART_MS_MAX;
    one.hold_ms = CM_PART_MS_MAX;
    one.acw_ms = CM_PART_MS_MAX;
    for (int i = 0; i < 1000; i++) {
        cm_tally_merge(&sum, &one);
    }
    assert_true(cm_tally_handle_ms(&sum) == UINT64_C(3000) * (uint64_t)CM_PART_MS_MAX);
}

static void offered_is_the_sum_of_the_outcomes(void **state)
{
    (void)state;
    struct cm_tally t = {0};
    t.answered = UINT32_MAX;
    t.abandoned = UINT32_MAX;
    t.no_answer = 1;
    t.rejected = 2;
    t.flow_out = 4;
    t.short_abandoned = 100; /* part of abandoned */
    assert_true(cm_tally_offered(&t) == UINT64_C(2) * UINT32_MAX + 7);
}

static void empty_looks_at_each_field(void **state)
{
    (void)state;
    struct cm_tally t = {0};
    assert_true(cm_tally_is_empty(&t));
    t.wait_max_ms = 5; /* a maximum alone says nothing */
    assert_true(cm_tally_is_empty(&t));
    for (unsigned i = 0; i < CM_TALLY_COUNT_N; i++) {
        memset(&t, 0, sizeof(t));
        t.count[i] = 1;
        assert_false(cm_tally_is_empty(&t));
    }
    for (unsigned i = 0; i < CM_TALLY_SUM_N; i++) {
        memset(&t, 0, sizeof(t));
        t.sum[i] = UINT64_C(1) << 63;
        assert_false(cm_tally_is_empty(&t));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout),
        cmocka_unit_test(merge_adds_each_field),
        cmocka_unit_test(subtract_undoes_merge),
        cmocka_unit_test(sums_go_beyond_32_bits),
        cmocka_unit_test(offered_is_the_sum_of_the_outcomes),
        cmocka_unit_test(empty_looks_at_each_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
