// SPDX-License-Identifier: Apache-2.0
/* zone_rule_test.c — the yearly rules against libc's reading of the same TZ strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/compiler.h"
#include "base/text.h"
#include "base/zone_rule.h"

static long libc_offset_s(int64_t utc_s)
{
    struct tm tm;
    time_t t = utc_s;
    assert_non_null(localtime_r(&t, &tm));
    return tm.tm_gmtoff;
}

static void test_against_libc(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "CST-8",
        "UTC0",
        "<+0530>-5:30",
        "EST5EDT,M3.2.0,M11.1.0",
        "EST5EDT,M3.2.0/2,M11.1.0/02:00:00",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "IST-1GMT0,M10.5.0,M3.5.0/1",
        "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
        "EET-2EEST,M3.5.0/0,M10.5.0/0",
        "IST-2IDT,M3.4.4/26,M10.5.0",
        "AAA3BBB,J60/1:30,J300/0:00:30",
        "AAA3BBB,J59,J366",
        "AAA-3BBB-4:15,59/0,300/23:59:59",
        "AAA-3BBB,365/1,100",
    };
    for (size_t i = 0; i < CM_ARRAY_LEN(rules); i++) {
        struct cm_zone_rule rule;
        bool good = cm_zone_rule_parse(rules[i], strlen(rules[i]), &rule);
        if (strstr(rules[i], "J366") != NULL) {
            assert_false(good);
            continue;
        }
        assert_true(good);
        setenv("TZ", rules[i], 1);
        tzset();
        if (!rule.has_saving) {
            assert_int_equal(libc_offset_s(0), rule.offset_s);
            continue;
        }
        for (int64_t year = 1971; year < 2100; year++) {
            int64_t start_s = cm_zone_rule_start_s(&rule, year);
            int64_t end_s = cm_zone_rule_end_s(&rule, year);
            assert_int_equal(libc_offset_s(start_s - 1), rule.offset_s);
            assert_int_equal(libc_offset_s(start_s), rule.saving_offset_s);
            assert_int_equal(libc_offset_s(end_s - 1), rule.saving_offset_s);
            assert_int_equal(libc_offset_s(end_s), rule.offset_s);
        }
    }
}

static int64_t instant_s(const char *text)
{
    int64_t ms = -1;
    assert_true(cm_parse_rfc3339(text, strlen(text), &ms));
    return ms / 1000;
}

static void test_by_table(void **state)
{
    (void)state;
    struct cm_zone_rule rule;
    const char *text = "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"; /* Nuuk: at 22:00 of Saturday */
    assert_true(cm_zone_rule_parse(text, strlen(text), &rule));
    assert_int_equal(rule.offset_s, -7200);
    assert_int_equal(rule.saving_offset_s, -3600);
    assert_int_equal(cm_zone_rule_start_s(&rule, 2026), instant_s("2026-03-29T01:00:00Z"));
    assert_int_equal(cm_zone_rule_end_s(&rule, 2026), instant_s("2026-10-25T01:00:00Z"));
    text = "AAA0BBB,J60/0,59/167"; /* 1 March in any year; the 60th day and 167 h */
    assert_true(cm_zone_rule_parse(text, strlen(text), &rule));
    assert_int_equal(cm_zone_rule_start_s(&rule, 2027), instant_s("2027-03-01T00:00:00Z"));
    assert_int_equal(cm_zone_rule_start_s(&rule, 2028), instant_s("2028-03-01T00:00:00Z"));
    assert_int_equal(cm_zone_rule_end_s(&rule, 2027), instant_s("2027-03-07T22:00:00Z"));
    assert_int_equal(cm_zone_rule_end_s(&rule, 2028), instant_s("2028-03-06T22:00:00Z"));
    text = "AAA0BBB,M2.5.0/-167,M12.5.4"; /* February with a fifth week or without; end of year */
    assert_true(cm_zone_rule_parse(text, strlen(text), &rule));
    assert_int_equal(cm_zone_rule_start_s(&rule, 2032), instant_s("2032-02-22T01:00:00Z"));
    assert_int_equal(cm_zone_rule_start_s(&rule, 2026), instant_s("2026-02-15T01:00:00Z"));
    assert_int_equal(cm_zone_rule_end_s(&rule, 2026), instant_s("2026-12-31T01:00:00Z"));
}

static void test_mistakes(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "C",
        "CS-8",
        "CST",
        "CST-",
        "CST-25",
        "CST-8:60",
        "CST-8:00:60",
        "CST-8 ",
        "<CST-8",
        "<>-8",
        "<+8>-8",
        "EST5EDT",
        "EST5EDT,",
        "EST5EDT,M3.2.0",
        "EST5EDT,M3.2.0,",
        "EST5EDT,M0.2.0,M11.1.0",
        "EST5EDT,M13.2.0,M11.1.0",
        "EST5EDT,M3.0.0,M11.1.0",
        "EST5EDT,M3.6.0,M11.1.0",
        "EST5EDT,M3.2.7,M11.1.0",
        "EST5EDT,M3.2,M11.1.0",
        "EST5EDT,J0,J100",
        "EST5EDT,J366,J100",
        "EST5EDT,366,100",
        "EST5EDT,M3.2.0/168,M11.1.0",
        "EST5EDT,M3.2.0/,M11.1.0",
        "EST5EDT,M3.2.0,M11.1.0x",
        "EST5EDT,M3.2.0,M11.1.0,",
        "EST5EDT25,M3.2.0,M11.1.0",
        "EST5E,M3.2.0,M11.1.0",
    };
    struct cm_zone_rule rule;
    for (size_t i = 0; i < CM_ARRAY_LEN(bad); i++) {
        if (cm_zone_rule_parse(bad[i], strlen(bad[i]), &rule)) {
            fail_msg("%s was taken", bad[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_libc),
        cmocka_unit_test(test_by_table),
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
