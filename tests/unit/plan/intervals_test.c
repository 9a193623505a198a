// SPDX-License-Identifier: Apache-2.0
/* intervals_test.c — good tables, and every mistake with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "base/fail.h"
#include "plan/intervals.h"

static int parse(const char *text, double aht_s, struct cm_intervals *out)
{
    return cm_intervals_parse("day.csv", text, strlen(text), aht_s, out);
}

static void test_columns_in_any_order(void **state)
{
    (void)state;
    struct cm_intervals day;
    assert_int_equal(parse("\xef\xbb\xbf"
                           "calls, note,aht,start\r\n120,x,240,08:00\r\n\r\n"
                           " 151.5 ,\"y\",4m,\"08:30\"\r\n0,,,09:00",
                           200, &day),
                     0);
    assert_int_equal(day.count, 3);
    assert_string_equal(day.at[0].start, "08:00");
    assert_true(day.at[0].calls == 120 && day.at[0].aht_s == 240);
    assert_string_equal(day.at[1].start, "08:30");
    assert_true(day.at[1].calls == 151.5 && day.at[1].aht_s == 240);
    assert_true(day.at[2].calls == 0 && day.at[2].aht_s == 200);
    cm_intervals_free(&day);
    assert_int_equal(parse("start,calls\n1,2", 9, &day), 0);
    assert_true(day.count == 1 && day.at[0].aht_s == 9);
    cm_intervals_free(&day);
}

static void test_mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"", "day.csv:1:1: no intervals"},
        {"start,calls,aht\n", "day.csv:1:1: no intervals"},
        {"start,call,aht\n1,2,3", "day.csv:1:1: the header lacks the column `calls`"},
        {"start,calls\n1,2", "day.csv:1:1: the header lacks the column `aht`"},
        {"start,calls,aht,calls\n1,2,3,4", "day.csv:1:17: a second column `calls`"},
        {"start,calls,aht\n1,-2,3", "day.csv:2:3: calls is not a number of 0 or more: `-2`"},
        {"start,calls,aht\n1,1e3,3", "day.csv:2:3: calls is not"},
        {"start,calls,aht\n1,nan,3", "day.csv:2:3: calls is not"},
        {"start,calls,aht\n1\n", "day.csv:2:1: calls is not"},
        {"start,calls,aht\n1,2,0", "day.csv:2:5: aht is neither"},
        {"start,calls,aht\n1,2,4x", "day.csv:2:5: aht is neither"},
        {"start,calls,aht\n1,2,", "day.csv:2:5: no aht here"},
        {"start,calls,aht\n,2,3", "day.csv:2:1: an interval without a start"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cm_intervals day;
        assert_int_equal(parse(cases[i].text, 0, &day), -CM_ERR_CONFIG);
        if (strstr(cm_fail_text(), cases[i].wanted) != cm_fail_text()) {
            fail_msg("%s: %s", cases[i].text, cm_fail_text());
        }
        assert_int_equal(day.count, 0);
    }
}

static void test_all_mistakes_are_said(void **state)
{
    (void)state;
    struct cm_intervals day;
    assert_int_equal(parse("start,calls,aht\n1,x,3\n2,2,2\n3,4,y", 0, &day), -CM_ERR_CONFIG);
    assert_non_null(strstr(cm_fail_text(), "day.csv:2:3"));
    assert_non_null(strstr(cm_fail_text(), "\nday.csv:4:5"));
    assert_int_equal(cm_intervals_load("/nowhere/day.csv", 0, &day), -CM_ERR_CONFIG);
    assert_non_null(strstr(cm_fail_text(), "/nowhere/day.csv"));
}

static void test_numbers(void **state)
{
    (void)state;
    double value = 7;
    assert_true(cm_parse_decimal("0.5", 3, &value) && value == 0.5);
    assert_true(cm_parse_decimal(".5", 2, &value) && value == 0.5);
    assert_false(cm_parse_decimal(".", 1, &value) || cm_parse_decimal("", 0, &value) ||
                 cm_parse_decimal("1.2.3", 5, &value) || cm_parse_decimal("0x1", 3, &value));
    assert_true(cm_parse_seconds("250ms", 5, &value) && value == 0.25);
    assert_true(cm_parse_seconds("12.5", 4, &value) && value == 12.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_in_any_order),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_all_mistakes_are_said),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
