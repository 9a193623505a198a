// SPDX-License-Identifier: Apache-2.0
/* figures_reference_test.c — the pages name every figure and reason, in tables of even width. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "event/figures.h"
#include "event/figures_reference.h"
#include "event/reason.h"

/* Bars of a line that are not escaped. */
static unsigned bars(const char *line, size_t len)
{
    unsigned count = 0;
    for (size_t i = 0; i < len; i++) {
        count += line[i] == '|' && (i == 0 || line[i - 1] != '\\');
    }
    return count;
}

static void check_tables(const char *page)
{
    unsigned width = 0; /* of the table that we are in */
    while (*page != '\0') {
        size_t len = strcspn(page, "\n");
        assert_true(page[len] == '\n'); /* the last line ends as well */
        if (page[0] == '|') {
            assert_true(page[len - 1] == '|');
            width = width == 0 ? bars(page, len) : width;
            assert_int_equal(bars(page, len), width);
        } else {
            width = 0;
        }
        page += len + 1;
    }
}

static void every_figure_once(void **state)
{
    (void)state;
    struct cm_text out = {0};
    cm_figures_reference(&out);
    const char *page = cm_text_cstr(&out);
    check_tables(page);
    const char *at = page;
    for (unsigned i = 0; i < CM_FIGURE_COUNT; i++) {
        char cell[64];
        snprintf(cell, sizeof(cell), "\n| `%s` |", cm_figure_name((enum cm_figure)i));
        at = strstr(at, cell); /* in the order of rows */
        assert_non_null(at);
        bool ratio = cm_figure_get((enum cm_figure)i, &(struct cm_measures){0},
                                   &(struct cm_formulas){CM_ABANDON_NET, CM_SL_NEGATIVE})
                         .null;
        size_t len = strcspn(at + 1, "\n");
        const char *end = at + 1 + len;
        if (ratio) {
            assert_memory_equal(end - 7, " is 0 |", 7);
        } else {
            assert_memory_equal(end - 9, "| never |", 9);
        }
    }
    for (unsigned i = CM_SL_ANSWERED; i <= CM_SL_NEGATIVE; i++) {
        assert_non_null(strstr(page, cm_sl_formula_name((enum cm_sl_formula)i)));
    }
    static const char *const others[] = {"Amazon Connect", "Genesys Cloud", "Cisco UCCE", "Avaya",
                                         "Asterisk"};
    for (size_t i = 0; i < CM_ARRAY_LEN(others); i++) {
        assert_non_null(strstr(page, others[i]));
    }
    cm_text_free(&out);
}

static void every_reason_once(void **state)
{
    (void)state;
    struct cm_text out = {0};
    cm_reasons_reference(&out);
    const char *page = cm_text_cstr(&out);
    check_tables(page);
    for (int i = CM_REASON_NONE + 1; i < CM_REASON_COUNT; i++) {
        char cell[64];
        snprintf(cell, sizeof(cell), "\n| `%s` |", cm_reason_name((enum cm_reason)i));
        const char *at = strstr(page, cell);
        assert_non_null(at);
        assert_null(strstr(at + 1, cell));
    }
    assert_null(strstr(page, "| `none` |"));
    cm_text_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_figure_once),
        cmocka_unit_test(every_reason_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
