// SPDX-License-Identifier: Apache-2.0
/* text_test.c — the buffer, numbers against printf, JSON against jansson, and the grammars by
 * table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/prng.h"
#include "base/text.h"

#define MAX_MS INT64_C(4102444800000)

static void test_str_order(void **state)
{
    (void)state;
    struct cm_str none = {NULL, 0};
    assert_true(cm_str_eq(none, CM_STR("")));
    assert_int_equal(cm_str_cmp(none, none), 0);
    assert_true(cm_str_cmp(none, CM_STR("a")) < 0);
    assert_true(cm_str_cmp(CM_STR("ab"), CM_STR("a")) > 0);
    assert_true(cm_str_cmp(CM_STR("ab"), CM_STR("b")) < 0);
    assert_true(cm_str_cmp(CM_STR("\xc3\xa4"), CM_STR("z")) > 0);
    assert_int_equal(cm_str_cmp(CM_STR("seat"), CM_STR("seat")), 0);
    assert_false(cm_str_eq(CM_STR("seat"), CM_STR("seap")));
    assert_false(cm_str_eq(CM_STR("seat"), CM_STR("sea")));
}

static void test_buffer_grows_and_terminates(void **state)
{
    (void)state;
    struct cm_text text = {0};
    assert_string_equal(cm_text_cstr(&text), "");
    assert_int_equal(text.len, 0);
    cm_text_add(&text, NULL, 0);
    for (int i = 0; i < 5000; i++) {
        cm_text_addc(&text, (char)('a' + i % 26));
        cm_text_adds(&text, "-");
    }
    assert_int_equal(text.len, 10000);
    assert_true(text.cap < 40000);
    const char *cstr = cm_text_cstr(&text);
    assert_int_equal(strlen(cstr), 10000);
    for (size_t i = 0; i < 5000; i++) {
        assert_int_equal(cstr[2 * i], 'a' + i % 26);
        assert_int_equal(cstr[2 * i + 1], '-');
    }
    memcpy(cm_text_room(&text, 100000), "end", 3);
    text.len += 3;
    assert_string_equal(cm_text_cstr(&text) + 10000, "end");
    cm_text_free(&text);
    assert_null(text.data);
    assert_int_equal(text.len + text.cap, 0);
}

static void test_formatted(void **state)
{
    (void)state;
    static char big[3000];
    struct cm_text text = {0};
    memset(big, 'y', sizeof big - 1);
    for (int len = 0; len < 200; len++) { /* every length around the first guess */
        text.len = 0;
        cm_text_addf(&text, "%.*s|%d", len, big, len);
        char expected[256];
        snprintf(expected, sizeof expected, "%.*s|%d", len, big, len);
        assert_string_equal(cm_text_cstr(&text), expected);
    }
    text.len = 0;
    cm_text_addf(&text, "%s.", big);
    assert_int_equal(text.len, 3000);
    cm_text_free(&text);
}

static void check_number(struct cm_text *text, uint64_t value)
{
    char expected[64];
    text->len = 0;
    cm_text_add_u64(text, value);
    snprintf(expected, sizeof expected, "%" PRIu64, value);
    assert_string_equal(cm_text_cstr(text), expected);
    text->len = 0;
    cm_text_add_i64(text, (int64_t)value);
    snprintf(expected, sizeof expected, "%" PRId64, (int64_t)value);
    assert_string_equal(cm_text_cstr(text), expected);
    for (unsigned digits = 0; digits <= 19; digits++) {
        uint64_t scale = 1;
        for (unsigned i = 0; i < digits; i++) {
            scale *= 10;
        }
        text->len = 0;
        cm_text_add_fixed(text, value, digits);
        if (digits == 0) {
            snprintf(expected, sizeof expected, "%" PRIu64, value);
        } else {
            snprintf(expected, sizeof expected, "%" PRIu64 ".%0*" PRIu64, value / scale,
                     (int)digits, value % scale);
        }
        assert_string_equal(cm_text_cstr(text), expected);
    }
}

static void test_numbers_against_printf(void **state)
{
    (void)state;
    struct cm_text text = {0};
    struct cm_prng prng;
    uint64_t power = 1;
    for (unsigned i = 0; i < 20; i++) {
        check_number(&text, power - 1);
        check_number(&text, power);
        check_number(&text, power + 1);
        power *= 10;
    }
    check_number(&text, UINT64_MAX);
    check_number(&text, INT64_MAX);
    check_number(&text, UINT64_C(1) << 63); /* INT64_MIN */
    cm_prng_seed(&prng, 1);
    for (int i = 0; i < 3000; i++) {
        check_number(&text, cm_prng_next(&prng) >> cm_prng_below(&prng, 64));
    }
    cm_text_free(&text);
}

static void check_json(const char *bytes, size_t len, const char *expected)
{
    struct cm_text text = {0};
    cm_text_add_json(&text, bytes, len);
    assert_string_equal(cm_text_cstr(&text), expected);
    cm_text_free(&text);
}

static void test_json_strings(void **state)
{
    (void)state;
    check_json(NULL, 0, "\"\"");
    check_json("queue 1", 7, "\"queue 1\"");
    check_json("a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\"");
    check_json("\b\t\n\f\r", 5, "\"\\b\\t\\n\\f\\r\"");
    check_json("\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\"");
    check_json("\xe5\xae\xa2\xe6\x9c\x8d", 6, "\"\xe5\xae\xa2\xe6\x9c\x8d\"");
    check_json("\xf0\x9f\x93\x9e!", 5, "\"\xf0\x9f\x93\x9e!\"");
    /* Ill-formed: lone tail, cut sequence, overlong, surrogate, beyond U+10FFFF, never a byte. */
    check_json("\x80x", 2, "\"\\ufffdx\"");
    check_json("\xe5\xae", 2, "\"\\ufffd\\ufffd\"");
    check_json("\xc0\xaf", 2, "\"\\ufffd\\ufffd\"");
    check_json("\xe0\x80\xaf", 3, "\"\\ufffd\\ufffd\\ufffd\"");
    check_json("\xed\xa0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\"");
    check_json("\xf4\x90\x80\x80", 4, "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
    check_json("\xff\xc3\xa4", 3, "\"\\ufffd\xc3\xa4\"");
    check_json("\xc3\"", 2, "\"\\ufffd\\\"\"");
}

static void test_json_is_valid_whatever_comes_in(void **state)
{
    (void)state;
    static const char *const pieces[] = {"\"",   "\\",           "\xc3", "\xa4",     "\xe2\x82",
                                         "\xac", "\xf0\x9f\x98", "\x80", "a",        "\n",
                                         "\x1f", "\xed\xa0\x80", "\x7f", "\xc3\xa4", "\xf4"};
    struct cm_prng prng;
    struct cm_text text = {0};
    cm_prng_seed(&prng, 2);
    for (int i = 0; i < 5000; i++) {
        struct cm_text raw = {0};
        uint64_t count = cm_prng_below(&prng, 12);
        for (uint64_t j = 0; j < count; j++) {
            cm_text_adds(&raw, pieces[cm_prng_below(&prng, CM_ARRAY_LEN(pieces))]);
        }
        text.len = 0;
        cm_text_add_json(&text, raw.data, raw.len);
        json_t *value = json_loadb(text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(value);
        json_t *same = json_stringn(raw.len == 0 ? "" : raw.data, raw.len);
        if (same != NULL) { /* it was valid UTF-8: nothing may be lost */
            assert_true(json_equal(same, value));
            json_decref(same);
        }
        json_decref(value);
        cm_text_free(&raw);
    }
    cm_text_free(&text);
}

static void test_parse_u64(void **state)
{
    (void)state;
    uint64_t value = 7;
    static const char *const bad[] = {"",   "-1",  "+1",  " 1",
                                      "1 ", "0x1", "1.0", "18446744073709551616",
                                      "a",  "1a",  "/",   "99999999999999999999999"};
    for (size_t i = 0; i < CM_ARRAY_LEN(bad); i++) {
        assert_false(cm_parse_u64(bad[i], strlen(bad[i]), &value));
        assert_int_equal(value, 7);
    }
    assert_true(cm_parse_u64("18446744073709551615", 20, &value));
    assert_true(value == UINT64_MAX);
    assert_true(cm_parse_u64("007", 3, &value));
    assert_int_equal(value, 7);
    assert_true(cm_parse_u64("12345", 2, &value));
    assert_int_equal(value, 12);
}

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
        const char *shown;
    } good[] = {
        {"0ms", 0, "0s"},
        {"0d", 0, "0s"},
        {"250ms", 250, "250ms"},
        {"20s", 20000, "20s"},
        {"90s", 90000, "90s"},
        {"60s", 60000, "1m"},
        {"5m", 300000, "5m"},
        {"1h", 3600000, "1h"},
        {"30d", 30 * CM_MS_PER_D, "30d"},
        {"24h", CM_MS_PER_D, "1d"},
        {"36500d", 36500 * CM_MS_PER_D, "36500d"},
        {"3153600000000ms", 36500 * CM_MS_PER_D, "36500d"},
        {"0001500ms", 1500, "1500ms"},
    };
    static const char *const bad[] = {
        "",
        "5",
        "s",
        "5 s",
        " 5s",
        "5s ",
        "-5s",
        "+5s",
        "1.5",
        "1.5s",
        "5S",
        "5sec",
        "5mm",
        "5mss",
        "36501d",
        "3153600000001ms",
        "1w",
        "1h30m",
        "99999999999999999999d",
        "5us",
        "0x10ms",
        "18446744073709551615d",
    };
    char out[24];
    int64_t ms = -1;
    for (size_t i = 0; i < CM_ARRAY_LEN(bad); i++) {
        assert_false(cm_parse_duration(bad[i], strlen(bad[i]), &ms));
        assert_int_equal(ms, -1);
    }
    assert_false(cm_parse_duration("5s\0", 3, &ms));
    for (size_t i = 0; i < CM_ARRAY_LEN(good); i++) {
        assert_true(cm_parse_duration(good[i].text, strlen(good[i].text), &ms));
        assert_int_equal(ms, good[i].ms);
        assert_string_equal(cm_format_duration(ms, out), good[i].shown);
    }
    struct cm_prng prng;
    cm_prng_seed(&prng, 3);
    for (int i = 0; i < 2000; i++) {
        int64_t value = (int64_t)cm_prng_below(&prng, (uint64_t)(36500 * CM_MS_PER_D + 1));
        value -= i % 2 == 0 ? value % 60000 : 0;
        cm_format_duration(value, out);
        assert_true(cm_parse_duration(out, strlen(out), &ms));
        assert_true(ms == value);
    }
}

static void test_rfc3339_good(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-01T08:00:00Z", INT64_C(1793520000000)},
        {"2026-11-01T08:00:00+08:00", INT64_C(1793491200000)},
        {"2026-11-01t08:00:00z", INT64_C(1793520000000)},
        {"2026-11-01 08:00:00Z", INT64_C(1793520000000)},
        {"2026-11-01T08:00:00.1Z", INT64_C(1793520000100)},
        {"2026-11-01T08:00:00.12Z", INT64_C(1793520000120)},
        {"2026-11-01T08:00:00.1239999999999999999999999Z", INT64_C(1793520000123)},
        {"2026-11-01T08:00:00.0005-00:30", INT64_C(1793521800000)},
        {"2016-12-31T23:59:60Z", INT64_C(1483228800000)},
        {"2016-12-31T23:59:60.900Z", INT64_C(1483228800000)},
        {"2024-02-29T00:00:00Z", INT64_C(1709164800000)},
        {"2000-02-29T23:59:59-23:59", INT64_C(951955139000)},
        {"1969-12-31T20:00:00-04:00", 0},
        {"1970-01-01T08:00:00+08:00", 0},
        {"2100-01-01T00:00:00Z", MAX_MS},
        {"2100-01-01T08:00:00+08:00", MAX_MS},
        {"2099-12-31T23:59:59.999Z", MAX_MS - 1},
    };
    for (size_t i = 0; i < CM_ARRAY_LEN(good); i++) {
        int64_t ms = -1;
        assert_true(cm_parse_rfc3339(good[i].text, strlen(good[i].text), &ms));
        if (ms != good[i].ms) {
            fail_msg("%s: %lld, not %lld", good[i].text, (long long)ms, (long long)good[i].ms);
        }
    }
}

static void test_rfc3339_bad(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026-11-01",
        "2026-11-01T08:00:00",
        "2026-11-01T08:00Z",
        "2026-11-01T08:00:00.Z",
        "2026-11-01T08:00:00,5Z",
        "2026-11-01T08:00:00+0800",
        "2026-11-01T08:00:00+08",
        "2026-11-01T08:00:00+24:00",
        "2026-11-01T08:00:00+08:60",
        "2026-11-01T08:00:00Zx",
        "2026-11-01T08:00:00Z ",
        " 2026-11-01T08:00:00Z",
        "2026-11-01T24:00:00Z",
        "2026-11-01T08:60:00Z",
        "2026-11-01T08:00:61Z",
        "2026-13-01T08:00:00Z",
        "2026-00-01T08:00:00Z",
        "2026-11-00T08:00:00Z",
        "2026-11-31T08:00:00Z",
        "2026-02-29T08:00:00Z",
        "1900-02-29T08:00:00Z",
        "2100-02-29T08:00:00Z",
        "2026-1-01T08:00:00Z",
        "26-11-01T08:00:00Z",
        "+2026-11-01T08:00:00Z",
        "2026/11/01T08:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "2100-01-01T00:00:00.001Z",
        "2100-01-01T00:00:00-00:01",
        "9999-12-31T23:59:59Z",
    };
    int64_t ms = -1;
    for (size_t i = 0; i < CM_ARRAY_LEN(bad); i++) {
        if (cm_parse_rfc3339(bad[i], strlen(bad[i]), &ms)) {
            fail_msg("%s was taken", bad[i]);
        }
        assert_int_equal(ms, -1);
    }
    assert_false(cm_parse_rfc3339("2026-11-01\00008:00:00Z", 20, &ms));
    const char *whole = "2026-11-01T08:00:00.123+08:00";
    for (size_t len = 0; len < strlen(whole); len++) {
        assert_false(cm_parse_rfc3339(whole, len, &ms));
    }
}

static void test_rfc3339_round_trip(void **state)
{
    (void)state;
    struct cm_prng prng;
    char out[32];
    cm_prng_seed(&prng, 4);
    for (int i = 0; i < 20000; i++) {
        int64_t ms = (int64_t)cm_prng_below(&prng, (uint64_t)MAX_MS + 1);
        ms -= i % 3 == 0 ? ms % 1000 : 0;
        int64_t back = -1;
        cm_format_rfc3339(ms, out);
        assert_true(cm_parse_rfc3339(out, strlen(out), &back));
        assert_true(back == ms);
        time_t seconds = ms / 1000;
        struct tm tm;
        char day[32];
        assert_non_null(gmtime_r(&seconds, &tm));
        strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
        assert_memory_equal(out, day, 19);
    }
    assert_string_equal(cm_format_rfc3339(0, out), "1970-01-01T00:00:00Z");
    assert_string_equal(cm_format_rfc3339(7, out), "1970-01-01T00:00:00.007Z");
    assert_string_equal(cm_format_rfc3339(-1, out), "1969-12-31T23:59:59.999Z");
    assert_string_equal(cm_format_rfc3339(INT64_MIN, out), "0000-01-01T00:00:00Z");
    assert_string_equal(cm_format_rfc3339(INT64_MAX, out), "9999-12-31T23:59:59.999Z");
}

static void test_civil_dates(void **state)
{
    (void)state;
    static const unsigned char lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    assert_int_equal(cm_days_from_civil(1970, 1, 1), 0);
    assert_int_equal(cm_days_from_civil(2000, 3, 1), 11017);
    assert_int_equal(cm_days_from_civil(1, 1, 1), -719162);
    int64_t expected = cm_days_from_civil(-401, 1, 1);
    for (int64_t year = -401; year <= 2401; year++) {
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (unsigned month = 1; month <= 12; month++) {
            unsigned length = lengths[month - 1] + (month == 2 && leap ? 1U : 0U);
            for (unsigned day = 1; day <= length; day += day == 1 ? length - 1 : 1) {
                int64_t days = expected + day - 1;
                int64_t y;
                unsigned m;
                unsigned d;
                assert_true(cm_days_from_civil(year, month, day) == days);
                cm_civil_from_days(days, &y, &m, &d);
                assert_true(y == year && m == month && d == day);
            }
            expected += length;
        }
    }
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const words[] = {"timezone", "windows", "workers", "tick",
                                        "metrics",  "redis",   "roster",  "rules"};
    const size_t n = CM_ARRAY_LEN(words);
    assert_string_equal(cm_nearest("timezon", words, n), "timezone");
    assert_string_equal(cm_nearest("time_zone", words, n), "timezone");
    assert_string_equal(cm_nearest("tikc", words, n), "tick");
    assert_string_equal(cm_nearest("window", words, n), "windows");
    assert_string_equal(cm_nearest("ruels", words, n), "rules");
    assert_string_equal(cm_nearest("redis", words, n), "redis");
    assert_string_equal(cm_nearest("metirsc", words, n), "metrics");
    assert_null(cm_nearest("", words, n));
    assert_null(cm_nearest("x", words, n));
    assert_null(cm_nearest("snapshot", words, n));
    assert_null(cm_nearest("tick", words, 0));
    char long_word[200];
    memset(long_word, 'a', sizeof long_word - 1);
    long_word[sizeof long_word - 1] = '\0';
    const char *const one[] = {long_word};
    assert_null(cm_nearest(long_word, words, n));
    assert_null(cm_nearest("aaaa", one, 1));
    long_word[63] = '\0';
    assert_ptr_equal(cm_nearest(long_word, one, 1), long_word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_str_order),
        cmocka_unit_test(test_buffer_grows_and_terminates),
        cmocka_unit_test(test_formatted),
        cmocka_unit_test(test_numbers_against_printf),
        cmocka_unit_test(test_json_strings),
        cmocka_unit_test(test_json_is_valid_whatever_comes_in),
        cmocka_unit_test(test_parse_u64),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_rfc3339_good),
        cmocka_unit_test(test_rfc3339_bad),
        cmocka_unit_test(test_rfc3339_round_trip),
        cmocka_unit_test(test_civil_dates),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
