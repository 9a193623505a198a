// SPDX-License-Identifier: Apache-2.0
/* json_scan_test.c — each scanner against a plain one, at every offset to the end of the record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "decode/json_scan.h"

static struct cm_json_scan scan;

/* The value in a heap block that ends where the text ends, with eight spaces before it; so the
 * address sanitizer sees a read behind the end. true when the grammar takes the whole text. */
static bool takes(const char *text, size_t len, struct cm_json_token *token)
{
    char *block = malloc(8 + len);
    assert_non_null(block);
    memset(block, ' ', 8);
    memcpy(block + 8, text, len);
    assert_true(cm_json_begin(&scan, block + 8, block + 8 + len));
    const char *p = cm_json_value(&scan, block + 8, 1, token);
    bool whole = p == scan.end;
    free(block);
    return whole;
}

static void test_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"7", 7},
        {"-1", -1},
        {"1234567", 1234567},
        {"12345678", 12345678},
        {"123456789", 123456789},
        {"4102444800000", INT64_C(4102444800000)},
        {"-12345678", -12345678},
        {"1234567890123456789", INT64_C(1234567890123456789)},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854775808", INT64_MAX},
        {"18446744073709551616", INT64_MAX},
        {"99999999999999999999999999999999", INT64_MAX},
        {"-99999999999999999999999999999999", -INT64_MAX},
    };
    struct cm_json_token token;
    for (size_t i = 0; i < CM_ARRAY_LEN(good); i++) {
        assert_true(takes(good[i].text, strlen(good[i].text), &token));
        assert_int_equal(token.kind, CM_JSON_INTEGER);
        assert_true(token.integer == good[i].value);
        assert_int_equal(token.len, strlen(good[i].text));
    }
    char text[24];
    uint64_t value = 0;
    for (uint32_t digits = 1; digits <= 18; digits++) {
        value = value * 10 + digits % 10;
        int len = snprintf(text, sizeof text, "%llu", (unsigned long long)value);
        assert_true(takes(text, (size_t)len, &token));
        assert_true((uint64_t)token.integer == value);
    }
}

static void test_reals_and_broken_numbers(void **state)
{
    (void)state;
    static const char *const reals[] = {"0.0",
                                        "-0.5",
                                        "1e5",
                                        "1E+5",
                                        "1e-05",
                                        "1.25e3",
                                        "123456.7",
                                        "1234567.8",
                                        "12345678.9",
                                        "12345678e1",
                                        "123456789012345678901234567890.5"};
    static const char *const broken[] = {"-",   "01",    "-01",      "00",   "1.",  ".5",
                                         "+1",  "1e",    "1e+",      "1.e1", "0x1", "012345678",
                                         "--1", "1.2.3", "Infinity", "NaN",  "-a",  "1e1.5"};
    struct cm_json_token token;
    for (size_t i = 0; i < CM_ARRAY_LEN(reals); i++) {
        assert_true(takes(reals[i], strlen(reals[i]), &token));
        assert_int_equal(token.kind, CM_JSON_REAL);
        assert_int_equal(token.len, strlen(reals[i]));
    }
    for (size_t i = 0; i < CM_ARRAY_LEN(broken); i++) {
        assert_false(takes(broken[i], strlen(broken[i]), &token));
    }
}

/* A quote, a backslash, a control byte at every place of a run of every length. */
static void test_string_runs(void **state)
{
    (void)state;
    char text[64];
    struct cm_json_token token;
    for (size_t len = 0; len < 40; len++) {
        text[0] = '"';
        memset(text + 1, 'x', len);
        text[1 + len] = '"';
        assert_true(takes(text, len + 2, &token));
        assert_int_equal(token.len, len);
        assert_false(token.escaped);
        assert_false(takes(text, len + 1, &token)); /* no closing quote */
        for (size_t at = 0; at < len; at++) {
            for (unsigned c = 0; c < 0x20; c++) {
                text[1 + at] = (char)c;
                assert_false(takes(text, len + 2, &token));
            }
            text[1 + at] = '"';
            assert_false(takes(text, len + 2, &token));
            text[1 + at] = 0x7f;
            assert_true(takes(text, len + 2, &token));
            text[1 + at] = '\\';
            assert_false(takes(text, len + 2, &token)); /* \x, or the quote escaped */
            if (at + 1 < len) {
                text[2 + at] = 'n';
                assert_true(takes(text, len + 2, &token));
                assert_true(token.escaped);
                text[2 + at] = 'x';
            }
            text[1 + at] = 'x';
        }
    }
}

static void test_escapes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *plain;
        bool lone;
    } cases[] = {
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", false},
        {"\"\\u0041\\u00e9\\u4e2d\\uFFFD\"", "A\xc3\xa9\xe4\xb8\xad\xef\xbf\xbd", false},
        {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80", false},
        {"\"\\uDBFF\\uDFFF\\ud800\\udc00\"", "\xf4\x8f\xbf\xbf\xf0\x90\x80\x80", false},
        {"\"\\u007f\\u0080\\u07ff\\u0800\"", "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80", false},
        {"\"\\ud800\"", NULL, true},
        {"\"\\udc00\"", NULL, true},
        {"\"\\ud800\\ud800\"", NULL, true},
        {"\"\\ud800\\n\"", NULL, true},
        {"\"\\ud800x\"", NULL, true},
        {"\"\\udc00\\ud800\"", NULL, true},
        {"\"\\ud800\\u0041\"", NULL, true},
    };
    static const char *const broken[] = {"\"\\\"",      "\"\\u\"",          "\"\\u123\"",
                                         "\"\\u12g4\"", "\"\\x41\"",        "\"\\U0041\"",
                                         "\"\\'\"",     "\"\\ud800\\u12\"", "\"\\"};
    struct cm_json_token token;
    char out[64];
    for (size_t i = 0; i < CM_ARRAY_LEN(cases); i++) {
        size_t len = strlen(cases[i].text);
        assert_true(takes(cases[i].text, len, &token));
        assert_true(token.escaped);
        assert_int_equal(scan.lone_surrogate, cases[i].lone);
        if (!cases[i].lone) {
            uint32_t got = cm_json_unescape(cases[i].text + 1, (uint32_t)len - 2, out);
            assert_int_equal(got, strlen(cases[i].plain));
            assert_memory_equal(out, cases[i].plain, got);
        }
    }
    assert_int_equal(cm_json_unescape("\\u0000", 6, out), 1);
    assert_int_equal(out[0], 0);
    for (size_t i = 0; i < CM_ARRAY_LEN(broken); i++) {
        assert_false(takes(broken[i], strlen(broken[i]), &token));
    }
}

static void test_nested_values(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{}",           "[]",           "[ ]",
        "{ }",          "[[],{},[{}]]", "true",
        "false",        "null",         "{\"a\" : [1 , 2.5 ,\"x\"] , \"b\":{\"c\":null}}",
        "[\n1\t,\r2 ]", "{\"\":{}}",    "[{\"a\":[{}]}]"};
    static const char *const broken[] = {
        "",      "[",     "{",         "[1",       "[1,",          "[1,]",
        "[,1]",  "[1 2]", "{\"a\"}",   "{\"a\":}", "{\"a\":1,}",   "{a:1}",
        "{1:1}", "[1}",   "{\"a\":1]", "[}",       "{]",           "tru",
        "nul",   "fals",  "True",      "truex",    "[true false]", "{\"a\":1 \"b\":2}",
        "{,}",   "[[]",   "{\"a\":{}", "{\"a\"",   "{\"a\" ",      "\v",
        "[\f1]", "'a'"};
    struct cm_json_token token;
    for (size_t i = 0; i < CM_ARRAY_LEN(good); i++) {
        assert_true(takes(good[i], strlen(good[i]), &token));
        assert_false(scan.too_deep);
    }
    for (size_t i = 0; i < CM_ARRAY_LEN(broken); i++) {
        assert_false(takes(broken[i], strlen(broken[i]), &token));
    }
}

/* The value stands on level 1, so 255 levels are its own. */
static void test_depth(void **state)
{
    (void)state;
    static char text[2 * CM_JSON_BYTES_MAX];
    const size_t depths[] = {255, 256, 1000, CM_JSON_BYTES_MAX / 2};
    struct cm_json_token token;
    for (size_t i = 0; i < CM_ARRAY_LEN(depths); i++) {
        memset(text, '[', depths[i]);
        memset(text + depths[i], ']', depths[i]);
        assert_true(takes(text, 2 * depths[i], &token));
        assert_int_equal(scan.too_deep, depths[i] > 255);
        assert_false(takes(text, 2 * depths[i] - 1, &token));
        text[2 * depths[i] - 1] = '}';
        assert_false(takes(text, 2 * depths[i], &token));
    }
    memset(text, '[', CM_JSON_BYTES_MAX);
    assert_false(takes(text, CM_JSON_BYTES_MAX - 8, &token));
}

static bool utf8_at(size_t before, const char *bytes, size_t len, size_t after)
{
    char *block = malloc(8 + before + len + after);
    assert_non_null(block);
    memset(block, 'a', 8 + before + len + after);
    memcpy(block + 8 + before, bytes, len);
    bool valid = cm_json_utf8(block + 8, block + 8 + before + len + after);
    free(block);
    return valid;
}

/* Every two lead bytes with the edges of what may follow, by the table of RFC 3629. */
static bool utf8_oracle(const unsigned char *s, size_t len)
{
    size_t i = 0;
    while (i < len) {
        uint32_t code = s[i];
        size_t more = code < 0x80   ? 0
                      : code < 0xc0 ? 9
                      : code < 0xe0 ? 1
                      : code < 0xf0 ? 2
                      : code < 0xf8 ? 3
                                    : 9;
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if (more == 9 || i + more >= len) {
            return false;
        }
        code &= more == 0 ? 0x7fu : 0x3fu >> more;
        for (size_t k = 1; k <= more; k++) {
            if ((s[i + k] & 0xc0) != 0x80) {
                return false;
            }
            code = code << 6 | (s[i + k] & 0x3f);
        }
        if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
            return false;
        }
        i += more + 1;
    }
    return true;
}

static void test_utf8(void **state)
{
    (void)state;
    static const unsigned char edges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90,
                                          0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    unsigned char s[4];
    for (unsigned lead = 0; lead < 256; lead++) {
        for (size_t n = 0; n < (size_t)11 * 11 * 11; n++) {
            s[0] = (unsigned char)lead;
            s[1] = edges[n % 11];
            s[2] = edges[n / 11 % 11];
            s[3] = edges[n / 121];
            for (size_t len = 1; len <= 4; len++) {
                bool expected = utf8_oracle(s, len);
                bool got = utf8_at(n % 41, (const char *)s, len, (n / 7) % 3 * 13);
                assert_int_equal(got, expected);
            }
        }
    }
    assert_true(utf8_at(0, "", 0, 0));
}

static void test_percent(void **state)
{
    (void)state;
    static const char *const within[] = {"0",
                                         "-0",
                                         "0.0",
                                         "-0.0e9",
                                         "100",
                                         "1e2",
                                         "100.000",
                                         "99.9999999",
                                         "0.01e4",
                                         "1000e-1",
                                         "10.0E+1",
                                         "1e-99999999999999999999",
                                         "0e999999999",
                                         "99.99999999999999999999999",
                                         "0.0000000001e11",
                                         "12.5"};
    static const char *const outside[] = {
        "101",     "100.0000000000000000000001",  "-1",   "-0.0000001", "-1e-999999",
        "1e3",     "1e99999999999999999999",      "1000", "200",        "0.2e3",
        "1001e-1", "9999999999999999999999999999"};
    for (size_t i = 0; i < CM_ARRAY_LEN(within); i++) {
        assert_true(cm_json_percent(within[i], (uint32_t)strlen(within[i])));
    }
    for (size_t i = 0; i < CM_ARRAY_LEN(outside); i++) {
        assert_false(cm_json_percent(outside[i], (uint32_t)strlen(outside[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),      cmocka_unit_test(test_reals_and_broken_numbers),
        cmocka_unit_test(test_string_runs),   cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_nested_values), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_utf8),          cmocka_unit_test(test_percent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
