// SPDX-License-Identifier: Apache-2.0
/* breach_rule_test.c — conditions, levels, n and the text of a threshold. */
#include "rule/breach_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct cm_formulas formulas = {CM_ABANDON_NET, CM_SL_NEGATIVE};

static struct cm_condition cond(enum cm_compare compare, int64_t micro)
{
    return (struct cm_condition){compare, micro};
}

static struct cm_sample some(uint64_t value, uint64_t n)
{
    return (struct cm_sample){{false, value}, n};
}

static void test_compare_is_exact(void **state)
{
    (void)state;
    static const struct {
        enum cm_compare compare;
        bool below, equal, above;
    } rows[] = {{CM_COMPARE_LT, true, false, false}, {CM_COMPARE_LE, true, true, false},
                {CM_COMPARE_GT, false, false, true}, {CM_COMPARE_GE, false, true, true},
                {CM_COMPARE_EQ, false, true, false}, {CM_COMPARE_NE, true, false, true}};
    for (size_t i = 0; i < CM_ARRAY_LEN(rows); i++) {
        struct cm_rule_spec rule = {.metric = CM_FIGURE_abandon_rate,
                                    .warn = cond(rows[i].compare, 350000)};
        struct cm_sample below = some(3499, 1);
        struct cm_sample equal = some(3500, 1);
        struct cm_sample above = some(3501, 1);
        assert_int_equal(cm_rule_level(&rule, &below) == CM_LEVEL_WARN, rows[i].below);
        assert_int_equal(cm_rule_level(&rule, &equal) == CM_LEVEL_WARN, rows[i].equal);
        assert_int_equal(cm_rule_level(&rule, &above) == CM_LEVEL_WARN, rows[i].above);
    }
}

static void test_compare_at_the_bounds(void **state)
{
    (void)state;
    struct cm_rule_spec rule = {.metric = CM_FIGURE_talk_ms,
                                .warn = cond(CM_COMPARE_GT, INT64_MAX)};
    struct cm_sample sample = some(UINT64_MAX, 1);
    assert_int_equal(cm_rule_level(&rule, &sample), CM_LEVEL_WARN);
    sample = some(INT64_MAX / 1000000, 1);
    assert_int_equal(cm_rule_level(&rule, &sample), CM_LEVEL_NONE);
    sample = some(INT64_MAX / 1000000 + 1, 1);
    assert_int_equal(cm_rule_level(&rule, &sample), CM_LEVEL_WARN);
    rule.warn = cond(CM_COMPARE_GE, -1);
    sample = some(0, 1);
    assert_int_equal(cm_rule_level(&rule, &sample), CM_LEVEL_WARN);
    /* A threshold finer than the figure's decimals: 12 > 11.999999. */
    rule.warn = cond(CM_COMPARE_GT, 11999999);
    sample = some(12, 1);
    assert_int_equal(cm_rule_level(&rule, &sample), CM_LEVEL_WARN);
}

static void test_levels(void **state)
{
    (void)state;
    struct cm_rule_spec rule = {.metric = CM_FIGURE_aht_ms,
                                .warn = cond(CM_COMPARE_GT, 360000000000),
                                .critical = cond(CM_COMPARE_GT, 480000000000),
                                .clear = cond(CM_COMPARE_LT, 330000000000),
                                .min_n = 10};
    struct cm_sample sample = some(360000, 10);
    assert_int_equal(cm_rule_level(&rule, &sample), CM_LEVEL_NONE);
    assert_false(cm_rule_is_clear(&rule, &sample)); /* between clear and warn */
    sample = some(360001, 10);
    assert_int_equal(cm_rule_level(&rule, &sample), CM_LEVEL_WARN);
    sample = some(480001, 10);
    assert_int_equal(cm_rule_level(&rule, &sample), CM_LEVEL_CRITICAL);
    sample = some(329999, 10);
    assert_true(cm_rule_is_clear(&rule, &sample));

    sample = some(480001, 9); /* too few */
    assert_int_equal(cm_rule_level(&rule, &sample), CM_LEVEL_NONE);
    assert_true(cm_rule_is_clear(&rule, &sample));
    sample = (struct cm_sample){{true, 480001}, 100}; /* null */
    assert_int_equal(cm_rule_level(&rule, &sample), CM_LEVEL_NONE);
    assert_true(cm_rule_is_clear(&rule, &sample));

    rule.warn = cond(CM_COMPARE_NONE, 0); /* critical alone */
    sample = some(480001, 10);
    assert_int_equal(cm_rule_level(&rule, &sample), CM_LEVEL_CRITICAL);
    sample = some(400000, 10);
    assert_int_equal(cm_rule_level(&rule, &sample), CM_LEVEL_NONE);
    rule.clear = cond(CM_COMPARE_NONE, 0); /* no clear: clear is no level */
    assert_true(cm_rule_is_clear(&rule, &sample));
    sample = some(480001, 10);
    assert_false(cm_rule_is_clear(&rule, &sample));
}

static void test_deciding_condition(void **state)
{
    (void)state;
    struct cm_rule_spec rule = {.warn = cond(CM_COMPARE_GT, 1),
                                .critical = cond(CM_COMPARE_GT, 2),
                                .clear = cond(CM_COMPARE_LT, 1)};
    assert_ptr_equal(cm_rule_condition(&rule, CM_LEVEL_WARN), &rule.warn);
    assert_ptr_equal(cm_rule_condition(&rule, CM_LEVEL_CRITICAL), &rule.critical);
    assert_ptr_equal(cm_rule_clear_condition(&rule), &rule.clear);
    rule.clear.compare = CM_COMPARE_NONE;
    assert_ptr_equal(cm_rule_clear_condition(&rule), &rule.warn);
    rule.warn.compare = CM_COMPARE_NONE;
    assert_ptr_equal(cm_rule_clear_condition(&rule), &rule.critical);
    assert_string_equal(cm_level_name(CM_LEVEL_NONE), "none");
    assert_string_equal(cm_level_name(CM_LEVEL_WARN), "warn");
    assert_string_equal(cm_level_name(CM_LEVEL_CRITICAL), "critical");
}

static void test_condition_text(void **state)
{
    (void)state;
    static const struct {
        struct cm_condition condition;
        const char *text;
    } rows[] = {{{CM_COMPARE_GT, 480000000000}, "> 480000"},
                {{CM_COMPARE_LT, 800000}, "< 0.8"},
                {{CM_COMPARE_LE, 123456}, "<= 0.123456"},
                {{CM_COMPARE_GE, 0}, ">= 0"},
                {{CM_COMPARE_EQ, 10500000}, "== 10.5"},
                {{CM_COMPARE_NE, -1500000}, "!= -1.5"},
                {{CM_COMPARE_GT, INT64_MIN}, "> -9223372036854.775808"},
                {{CM_COMPARE_NONE, 7}, ""}};
    for (size_t i = 0; i < CM_ARRAY_LEN(rows); i++) {
        struct cm_text out = {0};
        cm_condition_write(&out, &rows[i].condition);
        assert_string_equal(cm_text_cstr(&out), rows[i].text);
        cm_text_free(&out);
    }
}

static void test_n_by_metric(void **state)
{
    (void)state;
    struct cm_measures m = {.tally = {.answered = 7,
                                      .abandoned = 2,
                                      .no_answer = 1,
                                      .ratings = 3,
                                      .checked = 5,
                                      .talk_ms = 7000,
                                      .handle_max_ms = 1001,
                                      .rating_sum = 240},
                            .busy_ms = 11001,
                            .available_ms = 2000};
    for (unsigned i = 0; i < CM_FIGURE_COUNT; i++) {
        enum cm_figure figure = (enum cm_figure)i;
        const char *name = cm_figure_name(figure);
        uint64_t want = 10;
        if (strcmp(name, "aht_ms") == 0 || strcmp(name, "asa_ms") == 0 ||
            strncmp(name, "handle_", 7) == 0) {
            want = 7;
        } else if (strncmp(name, "check", 5) == 0 || strncmp(name, "complian", 8) == 0 ||
                   strcmp(name, "vetoes") == 0) {
            want = 5;
        } else if (strcmp(name, "rating_avg") == 0 || strcmp(name, "rating_sum") == 0) {
            want = 3;
        } else if (strcmp(name, "occupancy") == 0) {
            want = 14;
        }
        if (cm_figure_kind(figure) == CM_FIGURE_KIND_QUANTILE) {
            continue; /* needs a histogram: below */
        }
        struct cm_rule_spec rule = {.metric = figure};
        struct cm_sample sample = cm_rule_sample(&rule, &m, &formulas);
        if (sample.n != want) {
            fail_msg("%s: n %llu, not %llu", name, (unsigned long long)sample.n,
                     (unsigned long long)want);
        }
    }
    cm_hist_add(&m.handle, cm_hist_bin(1000), 7);
    struct cm_rule_spec rule = {.metric = CM_FIGURE_handle_p90_ms};
    struct cm_sample sample = cm_rule_sample(&rule, &m, &formulas);
    assert_int_equal(sample.n, 7);
    assert_false(sample.value.null);
    assert_in_range(sample.value.value, 980, 1020);
    rule.metric = CM_FIGURE_rating_avg;
    sample = cm_rule_sample(&rule, &m, &formulas);
    assert_int_equal(sample.value.value, 8000);
    cm_hist_free(&m.handle);
}

static void test_empty_window(void **state)
{
    (void)state;
    struct cm_rule_spec rule = {.metric = CM_FIGURE_aht_ms, .warn = cond(CM_COMPARE_GE, 0)};
    struct cm_sample sample = cm_rule_sample(&rule, NULL, &formulas);
    assert_true(sample.value.null);
    assert_int_equal(sample.n, 0);
    assert_int_equal(cm_rule_level(&rule, &sample), CM_LEVEL_NONE);
    rule.metric = CM_FIGURE_offered; /* a count of an empty window is 0, not null */
    sample = cm_rule_sample(&rule, NULL, &formulas);
    assert_false(sample.value.null);
    assert_int_equal(cm_rule_level(&rule, &sample), CM_LEVEL_WARN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare_is_exact), cmocka_unit_test(test_compare_at_the_bounds),
        cmocka_unit_test(test_levels),           cmocka_unit_test(test_deciding_condition),
        cmocka_unit_test(test_condition_text),   cmocka_unit_test(test_n_by_metric),
        cmocka_unit_test(test_empty_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
