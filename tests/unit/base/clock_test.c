// SPDX-License-Identifier: Apache-2.0
/* clock_test.c — what can be said of clocks without waiting for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"

static void test_monotonic_and_cpu_time_do_not_go_back(void **state)
{
    (void)state;
    int64_t mono_ns = cm_clock_mono_ns();
    int64_t cpu_ns = cm_clock_cpu_ns();
    assert_true(cpu_ns > 0);
    for (int i = 0; i < 1000; i++) {
        int64_t next_mono_ns = cm_clock_mono_ns();
        int64_t next_cpu_ns = cm_clock_cpu_ns();
        assert_true(next_mono_ns >= mono_ns);
        assert_true(next_cpu_ns >= cpu_ns);
        mono_ns = next_mono_ns;
        cpu_ns = next_cpu_ns;
    }
}

static void test_wall_time_is_in_ms_of_this_century(void **state)
{
    (void)state;
    int64_t wall_ms = cm_clock_wall_ms();
    assert_true(wall_ms > INT64_C(946684800000));  /* 2000 */
    assert_true(wall_ms < INT64_C(4102444800000)); /* 2100 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_monotonic_and_cpu_time_do_not_go_back),
        cmocka_unit_test(test_wall_time_is_in_ms_of_this_century),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
