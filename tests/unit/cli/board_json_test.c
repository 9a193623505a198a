// SPDX-License-Identifier: Apache-2.0
/* board_json_test.c — members, nested values, strings and fixed point; cut and odd texts end the
 * walk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/board_json.h"

static struct cm_str str(const char *text)
{
    return (struct cm_str){text, (uint32_t)strlen(text)};
}

static void assert_member(const char *object, const char *name, const char *expected)
{
    struct cm_str value;
    assert_true(cm_json_member(str(object), name, &value));
    assert_int_equal(value.len, strlen(expected));
    assert_memory_equal(value.p, expected, value.len);
}

static void members(void **state)
{
    (void)state;
    static const char object[] =
        "{\"a\":1,\"s\":\"x,}\\\"y\",\"o\":{\"a\":[2,{\"b\":\"]\"}]},\"n\" : null , \"z\":-5}";
    assert_member(object, "a", "1");
    assert_member(object, "s", "\"x,}\\\"y\"");
    assert_member(object, "o", "{\"a\":[2,{\"b\":\"]\"}]}");
    assert_member(object, "n", "null");
    assert_member(object, "z", "-5");
    struct cm_str value;
    assert_false(cm_json_member(str(object), "b", &value)); /* deeper ones are not members */
    assert_false(cm_json_member(str(object), "", &value));
}

/* Every prefix of a document is walked without a fault, and never gives a member too many. */
static void cut_texts(void **state)
{
    (void)state;
    static const char object[] = "{\"a\":12,\"s\":\"x\\\\\",\"o\":{\"b\":[1,2]},\"f\":0.5}";
    static const struct {
        size_t len;
        int members;
    } whole = {sizeof(object) - 1, 4};
    for (size_t len = 0; len <= whole.len; len++) {
        char *copy = malloc(len + 1); /* the sanitizer watches its end */
        assert_non_null(copy);
        memcpy(copy, object, len);
        struct cm_json_walk walk;
        struct cm_str name;
        struct cm_str value;
        int count = 0;
        if (cm_json_open(&walk, (struct cm_str){copy, (uint32_t)len})) {
            while (cm_json_next(&walk, &name, &value)) {
                count++;
            }
        }
        assert_true(count <= whole.members);
        assert_true(len < whole.len ? count < whole.members : count == whole.members);
        free(copy);
    }
}

static void odd_texts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",    "null",      "[1]",  "{",      "{}",       "{\"a\"}",  "{\"a\":}",  "{a:1}",
        "{,}", "{\"a\":]}", "{\"a", "{\"a\\", "{\"a\":1", "{\"a\":{", "{\"a\":\"b"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct cm_str value;
        assert_false(cm_json_member(str(texts[i]), "a", &value));
    }
}

static void strings(void **state)
{
    (void)state;
    char out[16];
    assert_true(cm_json_string(str("\"a\\n\\\"\\\\\\u0041\""), out, sizeof(out)));
    assert_string_equal(out, "a\n\"\\A");
    assert_true(cm_json_string(str("\"\\u4e2d\\u00e9\""), out, sizeof(out)));
    assert_string_equal(out, "中é");
    assert_true(cm_json_string(str("\"\\u12\""), out, sizeof(out)));
    assert_true(cm_json_string(str("\"\""), out, sizeof(out)));
    assert_string_equal(out, "");
    assert_false(cm_json_string(str("12"), out, sizeof(out)));
    assert_false(cm_json_string(str("\""), out, sizeof(out)));
    /* Cut at the end of a character: 5 of three bytes are 15. */
    assert_true(cm_json_string(str("\"中中中中中中\""), out, sizeof(out)));
    assert_string_equal(out, "中中中中中");
    assert_true(cm_json_string(str("\"a中中中中中\""), out, sizeof(out)));
    assert_string_equal(out, "a中中中中");
    assert_true(cm_json_string(str("\"aaaaaaaaaaaaaa\\u4e2d\""), out, sizeof(out)));
    assert_string_equal(out, "aaaaaaaaaaaaaa");
}

static void fixed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned decimals;
        uint64_t value;
    } good[] = {{"0", 0, 0},
                {"12", 0, 12},
                {"0.0345", 4, 345},
                {"1", 4, 10000},
                {"12.3456", 4, 123456},
                {"85.5", 2, 8550},
                {"0.99999", 4, 9999},
                {"7.9", 0, 7},
                {"1844674407370955160", 0, UINT64_C(1844674407370955160)}};
    struct cm_value value;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(cm_json_fixed(str(good[i].text), good[i].decimals, &value));
        assert_false(value.null);
        assert_int_equal(value.value, good[i].value);
    }
    assert_true(cm_json_fixed(str("null"), 4, &value));
    assert_true(value.null);
    static const char *const bad[] = {"",      "-1",    "1e5", ".5",
                                      "1.2.3", "\"1\"", "nul", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(cm_json_fixed(str(bad[i]), 4, &value));
        assert_true(value.null);
    }
    assert_false(cm_json_fixed(str("1844674407370955160"), 4, &value)); /* too large by then */
}

static void integers(void **state)
{
    (void)state;
    int64_t value = 7;
    assert_true(cm_json_integer(str("1795473258501"), &value));
    assert_int_equal(value, INT64_C(1795473258501));
    assert_true(cm_json_integer(str("-5"), &value));
    assert_int_equal(value, -5);
    value = 7;
    assert_false(cm_json_integer(str(""), &value));
    assert_false(cm_json_integer(str("-"), &value));
    assert_false(cm_json_integer(str("1.5"), &value));
    assert_false(cm_json_integer(str("9223372036854775808"), &value));
    assert_int_equal(value, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members), cmocka_unit_test(cut_texts), cmocka_unit_test(odd_texts),
        cmocka_unit_test(strings), cmocka_unit_test(fixed),     cmocka_unit_test(integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
