// SPDX-License-Identifier: Apache-2.0
/* roster_build_test.c — rows are checked one by one; mistakes are sorted, capped and one line each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/fail.h"
#include "event/roster_build.h"

static void add_seat(struct cm_roster_build *build, const char *bytes, uint32_t len)
{
    struct cm_roster_field fields[CM_ROSTER_COLUMN_COUNT] = {0};
    for (size_t i = 0; i < CM_ROSTER_COLUMN_COUNT; i++) {
        fields[i].text.p = "";
        fields[i].line = 1;
        fields[i].column = 1;
    }
    fields[CM_ROSTER_SEAT].text = (struct cm_str){bytes, len};
    cm_roster_add(build, fields);
}

static void columns(void **state)
{
    (void)state;
    enum cm_roster_column column = CM_ROSTER_COLUMN_COUNT;
    for (unsigned i = 0; i < CM_ROSTER_COLUMN_COUNT; i++) {
        const char *name = cm_roster_column_name((enum cm_roster_column)i);
        assert_true(cm_roster_column_parse((struct cm_str){name, (uint32_t)strlen(name)}, &column));
        assert_int_equal(column, i);
    }
    assert_false(cm_roster_column_parse(CM_STR("Seat"), &column));
    assert_false(cm_roster_column_parse((struct cm_str){NULL, 0}, &column));
}

static void utf8(void **state)
{
    (void)state;
    static const struct cm_str good[] = {
        {"a", 1},
        {"\xc2\x80", 2},
        {"\xe0\xa0\x80", 3},
        {"\xed\x9f\xbf", 3},
        {"\xee\x80\x80", 3},
        {"\xf0\x90\x80\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"\xe5\x8c\x97\xe4\xba\xac", 6},
    };
    static const struct cm_str bad[] = {
        {"\x80", 1},
        {"\xc0\x80", 2},
        {"\xc1\xbf", 2},
        {"\xc2", 1},
        {"\xc2"
         "a",
         2},
        {"\xe0\x9f\xbf", 3},
        {"\xed\xa0\x80", 3},
        {"\xf0\x8f\xbf\xbf", 4},
        {"\xf4\x90\x80\x80", 4},
        {"\xf5\x80\x80\x80", 4},
        {"\xe5\x8c", 2},
        {"ok\xff", 3},
        {"a\0b", 3},
    };
    struct cm_roster_build build = {0};
    for (size_t i = 0; i < CM_ARRAY_LEN(good); i++) {
        add_seat(&build, good[i].p, good[i].len);
        assert_int_equal(build.mistakes_count, 0);
        assert_int_equal(build.entries_count, i + 1);
    }
    for (size_t i = 0; i < CM_ARRAY_LEN(bad); i++) {
        add_seat(&build, bad[i].p, bad[i].len);
        assert_int_equal(build.mistakes_count, i + 1);
        assert_int_equal(build.entries_count, CM_ARRAY_LEN(good));
    }
    cm_roster_build_free(&build);
}

static void an_id_has_at_most_32_bytes(void **state)
{
    (void)state;
    struct cm_roster_build build = {0};
    add_seat(&build, "01234567890123456789012345678901", 32);
    assert_int_equal(build.mistakes_count, 0);
    add_seat(&build, "012345678901234567890123456789012", 33);
    assert_int_equal(build.mistakes_count, 1);
    cm_roster_build_free(&build);
}

static void equal_text_is_kept_once(void **state)
{
    (void)state;
    struct cm_roster_build build = {.default_centre = CM_STR("main")};
    add_seat(&build, "1", 1);
    add_seat(&build, "2", 1);
    assert_ptr_equal(build.entries[0].row.place.centre.p, build.entries[1].row.place.centre.p);
    assert_ptr_not_equal(build.entries[0].row.place.centre.p, build.default_centre.p);
    assert_ptr_not_equal(build.entries[0].row.seat.p, build.entries[1].row.seat.p);
    cm_roster_build_free(&build);
}

static void mistakes_are_sorted_lines(void **state)
{
    (void)state;
    struct cm_roster_build build = {0};
    assert_int_equal(cm_roster_report(&build, "r"), 0);
    cm_roster_mistake(&build, 10, 2, "third");
    cm_roster_mistake(&build, 2, 10, "second\nhalf");
    cm_roster_mistake(&build, 2, 9, "fir%s", "st");
    assert_int_equal(cm_roster_report(&build, "dir/r.csv"), -CM_ERR_ROSTER);
    assert_string_equal(cm_fail_text(),
                        "dir/r.csv:2:9: first\ndir/r.csv:2:10: second half\ndir/r.csv:10:2: third");
    cm_roster_build_free(&build);
}

static void the_report_is_capped(void **state)
{
    (void)state;
    struct cm_roster_build build = {0};
    for (uint32_t i = 1; i <= 100; i++) {
        cm_roster_mistake(&build, i, 1, "x");
    }
    assert_int_equal(cm_roster_report(&build, "r"), -CM_ERR_ROSTER);
    assert_null(strstr(cm_fail_text(), "more"));
    for (uint32_t i = 101; i <= 117; i++) {
        cm_roster_mistake(&build, i, 1, "x");
    }
    assert_int_equal(cm_roster_report(&build, "r"), -CM_ERR_ROSTER);
    const char *said = cm_fail_text();
    unsigned lines = 1;
    for (const char *at = said; *at != '\0'; at++) {
        lines += *at == '\n';
    }
    assert_int_equal(lines, 101);
    assert_non_null(strstr(said, "\nr:100:1: x\n... and 17 more"));
    cm_roster_build_free(&build);
}

static void what_is_quoted_is_text(void **state)
{
    (void)state;
    struct cm_roster_build build = {0};
    char word[80];
    memset(word, 'x', sizeof(word));
    word[47] = '\xc3'; /* would be cut in two */
    word[48] = '\xa9';
    cm_roster_unknown_column(&build, (struct cm_str){word, sizeof(word)}, 1, 1);
    cm_roster_unknown_column(&build, (struct cm_str){"\xff\xff\xff", 3}, 1, 2);
    cm_roster_unknown_column(&build, (struct cm_str){NULL, 0}, 1, 3);
    assert_int_equal(cm_roster_report(&build, "r"), -CM_ERR_ROSTER);
    assert_string_equal(
        cm_fail_text(),
        "r:1:1: unknown column 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'; there are seat, "
        "team, room, centre and from\n"
        "r:1:2: unknown column '...'; there are seat, team, room, centre and from\n"
        "r:1:3: a column without a name");
    cm_roster_build_free(&build);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns),
        cmocka_unit_test(utf8),
        cmocka_unit_test(an_id_has_at_most_32_bytes),
        cmocka_unit_test(equal_text_is_kept_once),
        cmocka_unit_test(mistakes_are_sorted_lines),
        cmocka_unit_test(the_report_is_capped),
        cmocka_unit_test(what_is_quoted_is_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
