// SPDX-License-Identifier: Apache-2.0
/* screen_test.c — widths, cutting, what must not reach the terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/screen.h"

static void widths(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t cells;
    } rows[] = {{"", 0},         {"abc", 3},     {"é", 1},        {"e\xcc\x81", 1},
                {"中文", 4},     {"한국", 4},    {"ｱ", 1},        {"Ａ", 2},
                {"▸█·…", 4},     {"😀", 2},       {"\xff", 1},     {"\xc3", 1},
                {"\xe4\xb8", 2}, {"\x1b[2J", 4}, {"\xc0\x80", 2}, {"\xed\xa0\x80", 3},
                {"a\tb", 3},     {"\xc2\x9b", 1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(cm_screen_width(rows[i].text, strlen(rows[i].text)), rows[i].cells);
    }
}

static const char *cell(uint32_t cells, bool right, const char *text)
{
    static char out[128];
    struct cm_text frame = {0};
    struct cm_pen pen;
    cm_pen_begin(&pen, &frame, 80, 0, CM_SCREEN_PLAIN);
    pen.cut = "~";
    cm_pen_cell(&pen, CM_STYLE_BAD, cells, right, text);
    cm_pen_text(&pen, CM_STYLE_NORMAL, "|");
    strcpy(out, cm_text_cstr(&frame));
    cm_text_free(&frame);
    return out;
}

static void cells(void **state)
{
    (void)state;
    assert_string_equal(cell(5, false, "abc"), "abc  |");
    assert_string_equal(cell(5, true, "abc"), "  abc|");
    assert_string_equal(cell(5, false, "abcde"), "abcde|");
    assert_string_equal(cell(5, false, "abcdef"), "abcd~|");
    assert_string_equal(cell(5, false, "中文"), "中文 |");
    assert_string_equal(cell(5, false, "中文字"), "中文~|");
    assert_string_equal(cell(4, false, "中文字"), "中~ |"); /* no half character */
    assert_string_equal(cell(6, true, "中文"), "  中文|");
    assert_string_equal(cell(8, false, "a\x1b[2Jb"), "a?[2Jb  |");
    assert_string_equal(cell(3, false, "\xff\n"), "?? |");
}

static void width_is_the_limit(void **state)
{
    (void)state;
    struct cm_text frame = {0};
    struct cm_pen pen;
    cm_pen_begin(&pen, &frame, 10, 0, CM_SCREEN_PLAIN);
    cm_pen_text(&pen, CM_STYLE_NORMAL, "123456789");
    cm_pen_text(&pen, CM_STYLE_NORMAL, "中"); /* only half of it would fit */
    cm_pen_text(&pen, CM_STYLE_NORMAL, "abc");
    cm_pen_end_line(&pen, true);
    cm_pen_text(&pen, CM_STYLE_NORMAL, "x   "); /* blanks at the end are nobody's */
    cm_pen_end_line(&pen, true);
    cm_pen_end(&pen);
    assert_string_equal(cm_text_cstr(&frame), "123456789a\nx\n");
    cm_text_free(&frame);
}

static void height_is_the_limit(void **state)
{
    (void)state;
    struct cm_text frame = {0};
    struct cm_pen pen;
    cm_pen_begin(&pen, &frame, 10, 2, CM_SCREEN_MONO);
    assert_int_equal(cm_pen_left(&pen), 2);
    cm_pen_text(&pen, CM_STYLE_NORMAL, "a");
    cm_pen_end_line(&pen, false);
    cm_pen_text(&pen, CM_STYLE_BOLD, "b");
    cm_pen_end_line(&pen, false);
    assert_int_equal(cm_pen_left(&pen), 0);
    cm_pen_end(&pen);
    /* No line feed behind the last line: the terminal would scroll. */
    assert_string_equal(cm_text_cstr(&frame), "\x1b[0m\x1b[Ha\x1b[K\r\n\x1b[0;1mb\x1b[0m\x1b[K");
    cm_text_free(&frame);
}

/* Clearing behind a full line would take its last cell. */
static void full_line(void **state)
{
    (void)state;
    struct cm_text frame = {0};
    struct cm_pen pen;
    cm_pen_begin(&pen, &frame, 3, 0, CM_SCREEN_COLOUR);
    cm_pen_text(&pen, CM_STYLE_NORMAL, "abcd");
    cm_pen_end_line(&pen, false);
    cm_pen_end(&pen);
    assert_string_equal(cm_text_cstr(&frame), "\x1b[0m\x1b[Habc\r\n\x1b[J");
    cm_text_free(&frame);
}

static void locale(void **state)
{
    (void)state;
    unsetenv("LC_CTYPE");
    setenv("LC_ALL", "", 1);
    setenv("LANG", "de_DE.UTF-8", 1);
    assert_true(cm_screen_is_utf8());
    setenv("LC_ALL", "C", 1);
    assert_false(cm_screen_is_utf8());
    setenv("LC_ALL", "C.utf8", 1);
    assert_true(cm_screen_is_utf8());
    unsetenv("LC_ALL");
    unsetenv("LANG");
    assert_false(cm_screen_is_utf8());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths),
        cmocka_unit_test(cells),
        cmocka_unit_test(width_is_the_limit),
        cmocka_unit_test(height_is_the_limit),
        cmocka_unit_test(full_line),
        cmocka_unit_test(locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
