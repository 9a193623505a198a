// SPDX-License-Identifier: Apache-2.0
/* board_format_test.c — counts and clocks stay within their cells. */
#include "cli/board_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect_count(uint64_t value, const char *wanted)
{
    char text[CM_BOARD_VALUE_BYTES];
    cm_board_format_count(value, text);
    assert_string_equal(text, wanted);
}

static void expect_clock(uint64_t ms, const char *wanted)
{
    char text[CM_BOARD_VALUE_BYTES];
    cm_board_format_clock(ms, text);
    assert_string_equal(text, wanted);
}

static void counts(void **state)
{
    (void)state;
    expect_count(0, "0");
    expect_count(999, "999");
    expect_count(1000, "1,000");
    expect_count(9999999, "9,999,999");
    expect_count(10000000, "10.00M");
    expect_count(1000000000, "1000M");
}

static void clocks(void **state)
{
    (void)state;
    expect_clock(0, "0:00");
    expect_clock(499, "0:00");
    expect_clock(500, "0:01");
    expect_clock(185000, "3:05");
    expect_clock(3723000, "62:03");
    expect_clock(60000000, "16.7h");
    expect_clock(UINT64_C(3600000000), "1000h");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
