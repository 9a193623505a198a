// SPDX-License-Identifier: Apache-2.0
/* check_sums_test.c — verdicts by name: adding, taking away, merging, names far apart. */
#include "window/check_sums.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void names_add_up_and_go(void **state)
{
    (void)state;
    struct cm_check_sums sums = {0};
    cm_check_sums_add(&sums, 0, 3, 2);
    cm_check_sums_add(&sums, 4095, 1, 0);
    cm_check_sums_add(&sums, 0, 1, 1);
    assert_int_equal(sums.count, 4096);
    assert_int_equal(sums.at[0].evaluated, 4);
    assert_int_equal(sums.at[0].passed, 3);
    assert_int_equal(sums.at[17].evaluated, 0);
    assert_int_equal(cm_check_sums_bytes(&sums), 4096 * sizeof(*sums.at));
    cm_check_sums_subtract(&sums, 0, 4, 3);
    assert_int_equal(sums.at[0].evaluated, 0);
    cm_check_sums_clear(&sums);
    assert_int_equal(sums.at[4095].evaluated, 0);
    cm_check_sums_free(&sums);
    assert_int_equal(cm_check_sums_bytes(&sums), 0);
    cm_check_sums_clear(&sums); /* an empty one */
}

static void the_longer_one_makes_room(void **state)
{
    (void)state;
    struct cm_check_sums few = {0};
    struct cm_check_sums many = {0};
    cm_check_sums_add(&few, 1, 2, 1);
    cm_check_sums_add(&many, 20, 5, 4);
    cm_check_sums_merge(&few, &many);
    cm_check_sums_merge(&many, &few);
    assert_int_equal(few.at[20].passed, 4);
    assert_int_equal(many.at[20].evaluated, 10);
    assert_int_equal(many.at[1].evaluated, 2);
    cm_check_sums_free(&few);
    cm_check_sums_free(&many);
}

static void what_was_lent_is_outgrown(void **state)
{
    (void)state;
    struct cm_check_sum few[2] = {{0, 0}, {0, 0}};
    struct cm_check_sums sums = {0};
    cm_check_sums_lend(&sums, few, 2);
    cm_check_sums_add(&sums, 1, 3, 2);
    assert_int_equal(few[1].evaluated, 3);
    assert_int_equal(cm_check_sums_bytes(&sums), 0);
    cm_check_sums_add(&sums, 7, 1, 1);
    assert_ptr_not_equal(sums.at, few);
    assert_int_equal(sums.at[1].evaluated, 3);
    assert_int_equal(sums.at[6].evaluated, 0);
    assert_int_equal(sums.at[7].passed, 1);
    cm_check_sums_free(&sums);
    cm_check_sums_lend(&sums, few, 2);
    cm_check_sums_free(&sums); /* not ours */
    assert_int_equal(sums.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_add_up_and_go),
        cmocka_unit_test(the_longer_one_makes_room),
        cmocka_unit_test(what_was_lent_is_outgrown),
    };
    return cmocka_run_group_tests_name("check_sums", tests, NULL, NULL);
}
