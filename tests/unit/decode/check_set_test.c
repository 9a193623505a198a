// SPDX-License-Identifier: Apache-2.0
/* check_set_test.c — order of first sight, last result, and the step from few names to many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "decode/check_set.h"

#define NAMES 7281

static char names[NAMES][8];

static struct cm_str name_of(uint32_t i)
{
    int len = snprintf(names[i], sizeof names[i], "n%u", (unsigned)i);
    return (struct cm_str){names[i], (uint32_t)len};
}

static void test_last_result_counts(void **state)
{
    (void)state;
    struct cm_check_set set = {0};
    cm_check_set_put(&set, CM_STR("a"), 1);
    cm_check_set_put(&set, CM_STR(""), 0);
    cm_check_set_put(&set, CM_STR("a"), -1);
    cm_check_set_put(&set, CM_STR("A"), 1);
    assert_int_equal(set.count, 3);
    assert_int_equal(set.items[0].result, -1);
    assert_int_equal(set.items[1].name.len, 0);
    assert_int_equal(set.items[2].result, 1);
    cm_check_set_clear(&set);
    cm_check_set_put(&set, CM_STR("A"), 0);
    assert_int_equal(set.count, 1);
    assert_int_equal(set.items[0].result, 0);
    cm_check_set_free(&set);
}

/* Every count on both sides of the table's start, each name put twice. */
static void test_few_and_many(void **state)
{
    (void)state;
    struct cm_check_set set = {0};
    const uint32_t counts[] = {1, 15, 16, 17, 18, 64, 65, NAMES, 16, 17};
    for (uint32_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        cm_check_set_clear(&set);
        for (uint32_t round = 0; round < 2; round++) {
            for (uint32_t i = 0; i < counts[c]; i++) {
                cm_check_set_put(&set, name_of(i), (int32_t)((i + round) % 3) - 1);
            }
        }
        assert_int_equal(set.count, counts[c]);
        for (uint32_t i = 0; i < counts[c]; i++) {
            assert_true(cm_str_eq(set.items[i].name, name_of(i)));
            assert_int_equal(set.items[i].result, (int32_t)((i + 1) % 3) - 1);
        }
    }
    cm_check_set_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_result_counts),
        cmocka_unit_test(test_few_and_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
