// SPDX-License-Identifier: Apache-2.0
/* reason_test.c — every reason has a name of its own, a meaning and advice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event/reason.h"

static void names(void **state)
{
    (void)state;
    assert_string_equal(cm_reason_name(CM_REASON_NONE), "none");
    assert_string_equal(cm_reason_name(CM_REASON_TOO_LARGE), "too_large");
    assert_string_equal(cm_reason_name(CM_REASON_FUTURE), "future");
    assert_string_equal(cm_reason_name(CM_REASON_LATE), "late");
    assert_string_equal(cm_reason_name(CM_REASON_COUNT), "?");
    assert_string_equal(cm_reason_meaning((enum cm_reason)1000), "");
}

static void all_differ_and_say_something(void **state)
{
    (void)state;
    for (int i = CM_REASON_NONE + 1; i < CM_REASON_COUNT; i++) {
        assert_true(strlen(cm_reason_meaning((enum cm_reason)i)) > 5);
        assert_true(strlen(cm_reason_advice((enum cm_reason)i)) > 5);
        for (int j = CM_REASON_NONE; j < i; j++) {
            assert_string_not_equal(cm_reason_name((enum cm_reason)i),
                                    cm_reason_name((enum cm_reason)j));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(all_differ_and_say_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
