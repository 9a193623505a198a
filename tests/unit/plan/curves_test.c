// SPDX-License-Identifier: Apache-2.0
/* curves_test.c — the built-in curves, files over them, and the way between points. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "plan/curves.h"

static void test_builtin_is_complete(void **state)
{
    (void)state;
    struct cm_curves curves;
    cm_curves_builtin(&curves);
    for (int i = 0; i < CM_CURVE_COUNT; i++) {
        assert_true(isfinite(curves.value[i]) && curves.value[i] >= 0);
        assert_false(curves.from_file[i]);
    }
    assert_true(curves.value[CM_CURVE_apply_1k_ns] > 0);
    assert_true(curves.value[CM_CURVE_wire_zstd_share] < curves.value[CM_CURVE_wire_none_share]);
}

static void test_what_is_printed_loads_again(void **state)
{
    (void)state;
    struct cm_curves curves, again;
    struct cm_text text = {0};
    cm_curves_builtin(&curves);
    curves.value[CM_CURVE_decode_ns] = 0.125;
    cm_curves_print(&curves, &text);
    cm_curves_builtin(&again);
    assert_int_equal(cm_curves_parse("c", text.data, text.len, &again), 0);
    assert_int_equal(again.read, CM_CURVE_COUNT);
    assert_memory_equal(curves.value, again.value, sizeof(curves.value));
    cm_text_free(&text);
}

static void test_mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"decode_ns: 5\nno", "c:2: `no`: not `name: value`"},
        {"decode_ns: -5", "c:1: `decode_ns: -5`: not a number"},
        {"decode_ns: inf", "c:1: `decode_ns: inf`: not a number"},
        {"decode_ns: # none", "c:1: `decode_ns:`: not a number"},
        {"decode_ns: 5 ns", "c:1: `decode_ns: 5 ns`: not a number"},
        {"decode: 5", "c:1: `decode: 5`: no such curve"},
        {"\n# x\ndecode_ns: 5\r\ndecode_ns: 5", "c:4: `decode_ns: 5`: given twice"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cm_curves curves;
        cm_curves_builtin(&curves);
        assert_int_equal(cm_curves_parse("c", cases[i].text, strlen(cases[i].text), &curves),
                         -CM_ERR_CONFIG);
        if (strstr(cm_fail_text(), cases[i].wanted) != cm_fail_text()) {
            fail_msg("%s: %s", cases[i].text, cm_fail_text());
        }
    }
    struct cm_curves curves;
    assert_int_equal(cm_curves_load("/nowhere/curves", &curves), -CM_ERR_CONFIG);
}

static void test_between_points(void **state)
{
    (void)state;
    struct cm_curves curves;
    cm_curves_builtin(&curves);
    double *at = curves.value + CM_CURVE_read_1k_ns;
    at[0] = 100, at[1] = 200, at[2] = 400, at[3] = 300;
    static const double wanted[][2] = {{1, 100},          {1000, 100},   {10000, 200},
                                       {31622.7766, 300}, {100000, 400}, {1000000, 300},
                                       {100000000, 300}};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        assert_true(fabs(cm_curve_at(&curves, CM_CURVE_read_1k_ns, wanted[i][0]) - wanted[i][1]) <
                    1e-6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builtin_is_complete),
        cmocka_unit_test(test_what_is_printed_loads_again),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_between_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
