// SPDX-License-Identifier: Apache-2.0
/* unit_sets_test.c — equal sets have one number, others their own, however many there are. */
#include "window/unit_sets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void each_set_once(void **state)
{
    (void)state;
    struct cm_unit_sets *sets = cm_unit_sets_create();
    for (int again = 0; again < 2; again++) {
        for (uint32_t i = 0; i < 5000; i++) {
            uint32_t units[CM_UNIT_SET_MAX] = {i, i / 2, i / 4, i / 8, i % 5, 7};
            assert_int_equal(cm_unit_sets_intern(sets, units, 1 + i % CM_UNIT_SET_MAX), i);
        }
    }
    for (uint32_t i = 0; i < 5000; i++) {
        const struct cm_unit_set *set = cm_unit_sets_at(sets, i);
        uint32_t units[CM_UNIT_SET_MAX] = {i, i / 2, i / 4, i / 8, i % 5, 7};
        assert_int_equal(set->count, 1 + i % CM_UNIT_SET_MAX);
        assert_memory_equal(set->units, units, set->count * sizeof(*units));
    }
    /* A shorter set is another one, also when what follows is 0. */
    uint32_t units[2] = {4900, 0};
    uint32_t longer = cm_unit_sets_intern(sets, units, 2);
    assert_int_not_equal(cm_unit_sets_intern(sets, units, 1), longer);
    assert_int_equal(cm_unit_sets_intern(sets, units, 2), longer);
    cm_unit_sets_destroy(sets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_set_once)};
    return cmocka_run_group_tests_name("unit_sets", tests, NULL, NULL);
}
