// SPDX-License-Identifier: Apache-2.0
/* figures_vendors_test.c — every figure has a moment, a source and a row with a cell for each
 * system. */
#include "event/figures_vendors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void every_figure_has_a_row(void **state)
{
    (void)state;
    struct cm_text out = {0};
    cm_figures_vendors(&out);
    const char *at = cm_text_cstr(&out);
    for (unsigned i = 0; i < CM_FIGURE_COUNT; i++) {
        enum cm_figure figure = (enum cm_figure)i;
        if (cm_figure_moment(figure) == NULL || cm_figure_source(figure) == NULL) {
            fail_msg("%s has no row in figures_vendors.c", cm_figure_name(figure));
        }
        assert_true(strlen(cm_figure_source(figure)) > 0);
        char row[160];
        (void)snprintf(row, sizeof(row), "\n| `%s` | %s |", cm_figure_name(figure),
                       cm_figure_moment(figure));
        at = strstr(at, row); /* in the order of rows */
        assert_non_null(at);
        unsigned bars = 0;
        unsigned empty = 0;
        for (const char *c = at + 1; *c != '\n'; c++) {
            bars += *c == '|';
            empty += c[0] == '|' && c[1] == ' ' && (c[2] == '|' || c[2] == ' ');
        }
        assert_int_equal(bars, 9);
        assert_int_equal(empty, 0);
    }
    cm_text_free(&out);
}

static void what_nobody_says_is_said_plainly(void **state)
{
    (void)state;
    struct cm_text out = {0};
    cm_figures_vendors(&out);
    const char *row = strstr(cm_text_cstr(&out), "\n| `rejected` |");
    assert_non_null(row);
    unsigned unknown = 0;
    for (const char *at = row + 1; *at != '\n'; at++) {
        unknown += strncmp(at, "| not known |", 13) == 0;
    }
    assert_int_equal(unknown, 5);
    cm_text_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_figure_has_a_row),
        cmocka_unit_test(what_nobody_says_is_said_plainly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
