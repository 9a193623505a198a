// SPDX-License-Identifier: Apache-2.0
/* marks_test.c — which checks of an event count, with what weight, and which of them are a rule's
 * business. */
#include "window/marks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct cm_config *config;

static int load(void **state)
{
    (void)state;
    static const char yaml[] =
        "compliance:\n"
        "  checks: {greeting: {weight: 3}, identity: {weight: 2, veto: true}}\n"
        "  rules: {short_hold: {when: \"hold_ms <= 120000\", weight: 5, veto: true}}\n";
    return cm_config_parse("test.yaml", yaml, sizeof(yaml) - 1, NULL, 0, &config);
}

static int unload(void **state)
{
    (void)state;
    cm_config_free(config);
    return 0;
}

static void expect_mark(const struct cm_marks *marks, uint32_t at, const char *name, bool passed)
{
    assert_true(at < marks->count);
    assert_int_equal(marks->at[at].name.len, strlen(name));
    assert_memory_equal(marks->at[at].name.p, name, strlen(name));
    assert_int_equal(marks->at[at].passed, passed);
}

static void a_judgement_weighs_what_the_configuration_says(void **state)
{
    (void)state;
    const struct cm_check checks[] = {
        {CM_STR("greeting"), 1},
        {CM_STR("identity"), 0},
        {CM_STR("unlisted"), 1},
        {CM_STR("farewell"), -1}, /* not applicable: not there */
    };
    struct cm_event event = {.type = CM_EVENT_CHECK, .checks = checks, .checks_count = 4};
    struct cm_marks marks = {0};
    cm_marks_judge(&marks, &event, config);
    assert_int_equal(marks.count, 3);
    expect_mark(&marks, 0, "greeting", true);
    expect_mark(&marks, 1, "identity", false);
    expect_mark(&marks, 2, "unlisted", true);
    assert_int_equal(marks.weight, 3 + 2 + 1);
    assert_int_equal(marks.weight_passed, 3 + 1);
    assert_int_equal(marks.vetoes, 1);
    assert_true(marks.failed);
    cm_marks_free(&marks);
}

static void nothing_applicable_is_nothing(void **state)
{
    (void)state;
    const struct cm_check failed[] = {{CM_STR("identity"), 0}};
    const struct cm_check nulls[] = {{CM_STR("identity"), -1}, {CM_STR("other"), -1}};
    struct cm_event event = {.type = CM_EVENT_CHECK, .checks = failed, .checks_count = 1};
    struct cm_marks marks = {0};
    cm_marks_judge(&marks, &event, config);
    assert_int_equal(marks.count, 1);
    event.checks = nulls; /* and nothing is left of the one before */
    event.checks_count = 2;
    cm_marks_judge(&marks, &event, config);
    assert_int_equal(marks.count, 0);
    assert_int_equal(marks.weight, 0);
    assert_int_equal(marks.weight_passed, 0);
    assert_int_equal(marks.vetoes, 0);
    assert_false(marks.failed);
    cm_marks_free(&marks);
}

/* Nobody else says whether a rule held: neither a judgement nor the record's own `checks`. */
static void names_of_rules_are_passed_over(void **state)
{
    (void)state;
    const struct cm_check checks[] = {
        {CM_STR("short_hold"), 0}, {CM_STR("short_hol"), 1}, {CM_STR("short_hold2"), 1}};
    struct cm_event event = {.type = CM_EVENT_CHECK, .checks = checks, .checks_count = 3};
    struct cm_marks marks = {0};
    cm_marks_judge(&marks, &event, config);
    assert_int_equal(marks.count, 2);
    expect_mark(&marks, 0, "short_hol", true);
    expect_mark(&marks, 1, "short_hold2", true);
    assert_int_equal(marks.weight, 2);
    assert_false(marks.failed);

    event.type = CM_EVENT_CDR;
    event.hold_ms = 120000; /* the rule itself says: passed */
    cm_marks_judge(&marks, &event, config);
    assert_int_equal(marks.count, 3);
    expect_mark(&marks, 2, "short_hold", true);
    assert_int_equal(marks.weight, 2 + 5);
    assert_int_equal(marks.weight_passed, 2 + 5);
    assert_false(marks.failed);

    event.hold_ms = 120001;
    cm_marks_judge(&marks, &event, config);
    assert_int_equal(marks.count, 3);
    expect_mark(&marks, 2, "short_hold", false);
    assert_int_equal(marks.weight_passed, 2);
    assert_int_equal(marks.vetoes, 1);
    assert_true(marks.failed);
    cm_marks_free(&marks);
}

static void as_many_as_a_record_may_hold(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    static struct cm_check checks[MANY];
    for (uint32_t i = 0; i < MANY; i++) {
        checks[i] = (struct cm_check){CM_STR("identity"), (int32_t)(i % 2)};
    }
    struct cm_event event = {.type = CM_EVENT_CHECK, .checks = checks, .checks_count = MANY};
    struct cm_marks marks = {0};
    cm_marks_judge(&marks, &event, config);
    assert_int_equal(marks.count, MANY);
    assert_int_equal(marks.weight, 2 * MANY);
    assert_int_equal(marks.weight_passed, MANY);
    assert_int_equal(marks.vetoes, MANY / 2);
    cm_marks_free(&marks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_judgement_weighs_what_the_configuration_says),
        cmocka_unit_test(nothing_applicable_is_nothing),
        cmocka_unit_test(names_of_rules_are_passed_over),
        cmocka_unit_test(as_many_as_a_record_may_hold),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
