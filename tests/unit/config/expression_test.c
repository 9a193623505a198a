// SPDX-License-Identifier: Apache-2.0
/* expression_test.c — the language of compliance.rules: grammar, Kleene logic, limits, messages. */
#include "config/expression.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/fail.h"

#define TEXT_BYTES 8192u

static const struct cm_event leg = {.type = CM_EVENT_CDR,
                                    .outcome = CM_OUTCOME_ANSWERED,
                                    .rating = -1,
                                    .on_hold = true,
                                    .wait_ms = 12000,
                                    .ring_ms = 3000,
                                    .talk_ms = 60000,
                                    .hold_ms = 20000,
                                    .acw_ms = 5000,
                                    .hold_n = 2,
                                    .transfers = 1,
                                    .rev = 7};

static int eval_event(const char *text, const struct cm_event *event)
{
    struct cm_expression *expression = NULL;
    uint32_t column = 0;
    int rc = cm_expression_compile(text, strlen(text), &expression, &column);
    if (rc != 0) {
        fail_msg("`%s` at column %u: %s", text, column, cm_fail_text());
    }
    int result = cm_expression_eval(expression, event);
    cm_expression_free(expression);
    return result;
}

static int eval(const char *text)
{
    return eval_event(text, &leg);
}

static void expect(const char *text, int result)
{
    int got = eval(text);
    if (got != result) {
        fail_msg("`%s` gave %d, not %d", text, got, result);
    }
}

static void expect_mistake(const char *text, uint32_t column, const char *words)
{
    struct cm_expression *expression = NULL;
    uint32_t at = 0;
    int rc = cm_expression_compile(text, strlen(text), &expression, &at);
    if (rc == 0) {
        cm_expression_free(expression);
        fail_msg("`%s` was accepted", text);
    }
    assert_int_equal(rc, -CM_ERR_CONFIG);
    assert_null(expression);
    if (at != column || strstr(cm_fail_text(), words) == NULL) {
        fail_msg("`%s`: column %u, `%s`; wanted column %u, `%s`", text, at, cm_fail_text(), column,
                 words);
    }
}

static void test_names(void **state)
{
    (void)state;
    expect("wait_ms == 12000", 1);
    expect("ring_ms == 3000", 1);
    expect("talk_ms == 60000", 1);
    expect("hold_ms == 20000", 1);
    expect("acw_ms == 5000", 1);
    expect("handle_ms == 85000", 1);
    expect("hold_n == 2", 1);
    expect("transfers == 1", 1);
    expect("rev == 7", 1);
    expect("on_hold", 1);
    expect("answered", 1);
    expect("abandoned", 0);
    expect("answered + abandoned == 1", 1);
    struct cm_event rated = leg;
    rated.rating = 80;
    rated.outcome = CM_OUTCOME_ABANDONED;
    assert_int_equal(eval_event("rating == 80 and abandoned and not answered", &rated), 1);
    rated.rating = 0;
    assert_int_equal(eval_event("rating", &rated), 0);
    rated.talk_ms = rated.hold_ms = rated.acw_ms = UINT32_MAX;
    assert_int_equal(eval_event("handle_ms == 12884901885", &rated), 1);
}

static void test_precedence(void **state)
{
    (void)state;
    expect("2 + 3 * 4 == 14", 1);
    expect("(2 + 3) * 4 == 20", 1);
    expect("10 - 4 - 3 == 3", 1);
    expect("100 / 10 / 5 == 2", 1);
    expect("100 / (10 / 5) == 50", 1);
    expect("17 % 5 * 2 == 4", 1);
    expect("-7 / 2 == -3", 1);
    expect("-7 % 2 == -1", 1);
    expect("-2 * -3 == 6", 1);
    expect("2 - -2 == 4", 1);
    expect("- - 3 == 3", 1);
    expect("-(1 + 2) == -3", 1);
    expect("true or false and false", 1);
    expect("(true or false) and false", 0);
    expect("not false and false", 0);
    expect("not (false and false)", 1);
    expect("not 1 == 2", 1);
    expect("not not true", 1);
    expect("1 < 2 and 2 < 3 or false", 1);
    expect("(1 < 2) == (2 < 3)", 1);
    expect("(1 < 2) + (2 < 3) == 2", 1);
    expect("1+1==2", 1);
    expect(" \t\n 1 \r\n ", 1);
    expect("((((((((1))))))))", 1);
}

static void test_comparisons(void **state)
{
    (void)state;
    expect("1 < 2", 1);
    expect("2 < 2", 0);
    expect("2 <= 2", 1);
    expect("3 <= 2", 0);
    expect("3 > 2", 1);
    expect("2 > 2", 0);
    expect("2 >= 2", 1);
    expect("1 >= 2", 0);
    expect("1 != 2", 1);
    expect("2 != 2", 0);
    expect("2 == 2", 1);
    expect("-5", 1);
    expect("0", 0);
    expect("hold_ms <= 120000 and transfers <= 1", 1);
}

static void test_durations(void **state)
{
    (void)state;
    expect("20s == 20000", 1);
    expect("250ms == 250", 1);
    expect("5m == 300000", 1);
    expect("1h == 3600000", 1);
    expect("2d == 172800000", 1);
    expect("wait_ms <= 20s", 1);
    expect("wait_ms + 8s == 20s", 1);
}

static void test_kleene(void **state)
{
    (void)state; /* rating is absent: null */
    expect("rating", -1);
    expect("rating > 50", -1);
    expect("rating == rating", -1);
    expect("rating + 1", -1);
    expect("-rating", -1);
    expect("not rating", -1);
    expect("not not rating", -1);
    expect("false and rating", 0);
    expect("rating and false", 0);
    expect("true and rating", -1);
    expect("rating and true", -1);
    expect("rating and rating", -1);
    expect("true or rating", 1);
    expect("rating or true", 1);
    expect("5 or rating", 1);
    expect("false or rating", -1);
    expect("rating or false", -1);
    expect("rating or rating", -1);
    expect("rating > 50 or not answered", -1);
    expect("(rating > 50) == true", -1);
    expect("2 and 4", 1);
    expect("(2 and 4) == 1", 1);
    expect("(0 or 7) == 1", 1);
    expect("not 7 == 0", 1);
}

static void test_division_by_zero(void **state)
{
    (void)state;
    expect("1 / 0", -1);
    expect("1 % 0", -1);
    expect("0 / 0 == 0", -1);
    expect("talk_ms / (hold_n - 2) > 3", -1);
    expect("1 / 0 or true", 1);
    expect("1 % 0 and false", 0);
}

static void test_saturation(void **state)
{
    (void)state;
    expect("9223372036854775807 + 1 == 9223372036854775807", 1);
    expect("-9223372036854775807 - 1 == -9223372036854775807 - 9", 1);
    expect("-9223372036854775807 - 1 < -9223372036854775807", 1);
    expect("9223372036854775807 * 2 == 9223372036854775807", 1);
    expect("9223372036854775807 * -2 < -9223372036854775807", 1);
    expect("-9223372036854775807 * -2 == 9223372036854775807", 1);
    expect("-(-9223372036854775807 - 1) == 9223372036854775807", 1);
    expect("(-9223372036854775807 - 1) / -1 == 9223372036854775807", 1);
    expect("(-9223372036854775807 - 1) % -1 == 0", 1);
    expect("5 / -1 == -5", 1);
    expect("9223372036854775807 - -1 == 9223372036854775807", 1);
}

static void test_mistakes(void **state)
{
    (void)state;
    expect_mistake("", 1, "value is expected");
    expect_mistake("   ", 4, "value is expected");
    expect_mistake("1 +", 4, "value is expected");
    expect_mistake("hodl_ms <= 3", 1, "unknown name `hodl_ms`, did you mean `hold_ms`?");
    expect_mistake("1 < 2 and frobnication", 11, "unknown name `frobnication`");
    expect_mistake("1 < 2 < 3", 7, "do not chain");
    expect_mistake("1 < 2 + 3 == 4", 11, "do not chain");
    expect_mistake("(1 + 2", 1, "`(` is not closed");
    expect_mistake("1 + (2 * (3", 10, "`(` is not closed");
    expect_mistake("1 + 2)", 6, "`)` without `(`");
    expect_mistake("()", 2, "value is expected");
    expect_mistake("1 2", 3, "operator is expected");
    expect_mistake("hold_ms = 3", 9, "write `==`");
    expect_mistake("true && false", 6, "write `and`");
    expect_mistake("true || false", 6, "write `or`");
    expect_mistake("!true", 1, "write `not`");
    expect_mistake("1 + not true", 5, "parentheses");
    expect_mistake("-not true", 2, "parentheses");
    expect_mistake("1 == not true", 6, "parentheses");
    expect_mistake("and true", 1, "before `and`");
    expect_mistake("true and or false", 10, "before `or`");
    expect_mistake("20x", 1, "neither");
    expect_mistake("1.5", 2, "operator is expected");
    expect_mistake("9223372036854775808", 1, "64-bit");
    expect_mistake("true andfalse", 6, "operator is expected");
    expect_mistake("wait_ms <= \"x\"", 12, "value is expected");
    expect_mistake("\x01", 1, "value is expected");
    expect_mistake("Wait_ms", 1, "unknown name");
}

static void append(char *to, const char *text)
{
    size_t len = strlen(to);
    assert_true(len + strlen(text) < TEXT_BYTES);
    snprintf(to + len, TEXT_BYTES - len, "%s", text);
}

static void repeat(char *to, const char *text, unsigned times)
{
    to[0] = '\0';
    for (unsigned i = 0; i < times; i++) {
        append(to, text);
    }
}

static void test_depth(void **state)
{
    (void)state;
    char text[TEXT_BYTES];
    char tail[TEXT_BYTES];
    repeat(text, "(", 64);
    repeat(tail, ")", 64);
    append(text, "1");
    append(text, tail);
    expect(text, 1);
    repeat(text, "(", 65);
    expect_mistake(text, 65, "nested too deep");
    repeat(text, "1+(", 32); /* 32 sums and 32 parentheses wait */
    repeat(tail, ")", 32);
    append(text, "1");
    append(text, tail);
    expect(text, 1);
    repeat(text, "-", 65);
    expect_mistake(text, 65, "nested too deep");
    repeat(text, "1+", 1000); /* long, but not deep */
    append(text, "1 == 1001");
    expect(text, 1);
    repeat(text, "1+", 2048);
    append(text, "1");
    expect_mistake(text, 1, "longer than 4096");
}

/* Any bytes either compile or are refused within the text. */
static void test_any_text(void **state)
{
    (void)state;
    static const char *const words[] = {"(",  ")",      "1",       "20s", "not ", "and ", "or ",
                                        "==", "<",      "+",       "-",   "*",    "/",    "%",
                                        " ",  "rating", "on_hold", "x",   "\x80", "="};
    uint64_t seed = 12345;
    unsigned compiled = 0;
    for (unsigned round = 0; round < 20000; round++) {
        char text[TEXT_BYTES] = "";
        unsigned count = 1 + (unsigned)(seed >> 33) % 9;
        for (unsigned i = 0; i < count; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            append(text, words[(seed >> 33) % (sizeof(words) / sizeof(words[0]))]);
        }
        struct cm_expression *expression = NULL;
        uint32_t column = 0;
        if (cm_expression_compile(text, strlen(text), &expression, &column) == 0) {
            int result = cm_expression_eval(expression, &leg);
            assert_true(result >= -1 && result <= 1);
            compiled++;
        } else {
            assert_true(column >= 1 && column <= strlen(text) + 1);
        }
        cm_expression_free(expression);
    }
    assert_true(compiled > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),       cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_comparisons), cmocka_unit_test(test_durations),
        cmocka_unit_test(test_kleene),      cmocka_unit_test(test_division_by_zero),
        cmocka_unit_test(test_saturation),  cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_depth),       cmocka_unit_test(test_any_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
