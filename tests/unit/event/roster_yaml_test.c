// SPDX-License-Identifier: Apache-2.0
/* roster_yaml_test.c — a list of maps of scalars; everything else is a mistake with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/fail.h"
#include "base/prng.h"
#include "event/roster.h"
#include "event/roster_yaml.h"

static struct cm_roster *parse(const char *text)
{
    struct cm_roster *roster = NULL;
    int rc = cm_roster_parse("r.yaml", text, strlen(text), "main", &roster);
    if (rc != 0) {
        print_message("%s\n", cm_fail_text());
    }
    assert_int_equal(rc, 0);
    return roster;
}

static void refuse(const char *text, const char *expected)
{
    struct cm_roster *roster = NULL;
    assert_int_equal(cm_roster_parse("r.yml", text, strlen(text), "main", &roster), -CM_ERR_ROSTER);
    assert_null(roster);
    assert_string_equal(cm_fail_text(), expected);
}

static void rows(void **state)
{
    (void)state;
    struct cm_roster *r = parse("\xef\xbb\xbf# seats\n"
                                "- {seat: '1001', team: t7, room: r2, centre: east}\n"
                                "- seat: 1002\n"
                                "  team: ~\n"
                                "  room:\n"
                                "  from: 1970-01-01T00:00:05Z\n"
                                "- {team: null, seat: \"~\", room: 'null'}\n");
    uint32_t count = 0;
    const struct cm_seat_row *row = cm_roster_rows(r, &count);
    assert_int_equal(count, 3);
    assert_true(cm_str_eq(row[0].seat, CM_STR("1001")));
    assert_true(cm_str_eq(row[0].place.team, CM_STR("t7")));
    assert_true(cm_str_eq(row[0].place.room, CM_STR("r2")));
    assert_true(cm_str_eq(row[0].place.centre, CM_STR("east")));
    assert_true(row[0].from_ms == INT64_MIN);
    assert_true(cm_str_eq(row[1].seat, CM_STR("1002")));
    assert_int_equal(row[1].place.team.len, 0);
    assert_int_equal(row[1].place.room.len, 0);
    assert_true(cm_str_eq(row[1].place.centre, CM_STR("main")));
    assert_true(row[1].from_ms == 5000);
    assert_true(cm_str_eq(row[2].seat, CM_STR("~"))); /* quoted: a word like any other */
    assert_int_equal(row[2].place.team.len, 0);
    assert_true(cm_str_eq(row[2].place.room, CM_STR("null")));
    cm_roster_free(r);
}

static void an_empty_list(void **state)
{
    (void)state;
    struct cm_roster *r = parse("[]\n");
    uint32_t count = 1;
    (void)cm_roster_rows(r, &count);
    assert_int_equal(count, 0);
    cm_roster_free(r);
}

static void not_a_list(void **state)
{
    (void)state;
    const char *list = "expected a list of rows, each `- {seat: .., team: .., room: ..}`";
    char expected[128];
    refuse("", "r.yml:1:1: the file is empty; expected a list of rows, [] for none");
    refuse("# nothing\n", "r.yml:1:1: the file is empty; expected a list of rows, [] for none");
    snprintf(expected, sizeof(expected), "r.yml:1:1: %s", list);
    refuse("seat: 1\nteam: [t]\n", expected);
    refuse("word", expected);
    refuse("[]\n---\n[]\n", "r.yml:2:1: a second document; a roster is one list");
}

static void mistakes_all_at_once(void **state)
{
    (void)state;
    refuse("- {seat: 1, taem: t}\n"
           "- [1, {a: b}]\n"
           "- word\n"
           "- {team: t}\n"
           "- {seat: '', team: t}\n"
           "- {seat: 5, seat: 6}\n"
           "- {seat: [1, [2]], team: {a: b}}\n"
           "- {? [x, y] : z, seat: 8}\n"
           "- {seat: 9, from: today}\n",
           "r.yml:1:13: unknown column 'taem'; did you mean 'team'?\n"
           "r.yml:2:3: a row must be a map, `{seat: .., team: .., room: ..}`\n"
           "r.yml:3:3: a row must be a map, `{seat: .., team: .., room: ..}`\n"
           "r.yml:4:3: this row has no seat\n"
           "r.yml:5:10: seat is empty\n"
           "r.yml:6:13: 'seat' is there twice\n"
           "r.yml:7:10: seat must be one word, not a list or a map\n"
           "r.yml:7:26: team must be one word, not a list or a map\n"
           "r.yml:8:6: a key must be a word\n"
           "r.yml:9:19: from 'today' is not a time with zone such as 2026-11-01T08:00:00+08:00");
}

static void anchors_aliases_tags(void **state)
{
    (void)state;
    refuse("- {seat: &s 1, team: t}\n"
           "- {seat: *s, team: !!str t}\n"
           "- &row {seat: 3}\n"
           "- *row\n"
           "- !seat {seat: 4}\n",
           "r.yml:1:10: an anchor (&s); a roster has none\n"
           "r.yml:2:10: an alias (*s); write the value out\n"
           "r.yml:2:20: a tag (tag:yaml.org,2002:str); a roster has none\n"
           "r.yml:3:3: an anchor (&row); a roster has none\n"
           "r.yml:4:3: an alias (*row); write the value out\n"
           "r.yml:5:3: a tag (!seat); a roster has none");
}

static void syntax_comes_with_what_was_found_before(void **state)
{
    (void)state;
    struct cm_roster *roster = NULL;
    const char *text = "- {seat: 1, tem: t}\n- {seat: 2\n- x: [";
    assert_int_equal(cm_roster_parse("r.yml", text, strlen(text), "main", &roster), -CM_ERR_ROSTER);
    const char *said = cm_fail_text();
    assert_ptr_equal(strstr(said, "r.yml:1:13: unknown column 'tem'; did you mean 'team'?\n"),
                     said);
    assert_non_null(strstr(said, "\nr.yml:3:4: "));
    assert_non_null(strstr(said, " (begun in line 2)"));
    text = "- {seat: 1}\n- {seat: \xff}\n";
    assert_int_equal(cm_roster_parse("r.yml", text, strlen(text), "main", &roster), -CM_ERR_ROSTER);
    said = cm_fail_text();
    assert_ptr_equal(strstr(said, "r.yml:2:10: "), said); /* found from a byte offset */
    assert_null(roster);
}

static void any_bytes(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "- ", "seat: ", "{",  "}",  "[",   "]",     "\n", ",", "team", ": ",  "a",        "\n  ",
        "'",  "\"",     "&x", "*x", "!t ", "---\n", "? ", "#", "\xc3", "|\n", "{seat: 1}"};
    struct cm_prng prng;
    cm_prng_seed(&prng, 14);
    for (int round = 0; round < 3000; round++) {
        struct cm_text text = {0};
        for (uint64_t n = cm_prng_below(&prng, 24); n > 0; n--) {
            cm_text_adds(&text, pieces[cm_prng_below(&prng, CM_ARRAY_LEN(pieces))]);
        }
        struct cm_roster *roster = NULL;
        int rc = cm_roster_parse("r.yaml", text.data, text.len, "main", &roster);
        assert_true(rc == 0 ? roster != NULL : rc == -CM_ERR_ROSTER && cm_fail_text()[0] != '\0');
        cm_roster_free(roster);
        cm_text_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(an_empty_list),
        cmocka_unit_test(not_a_list),
        cmocka_unit_test(mistakes_all_at_once),
        cmocka_unit_test(anchors_aliases_tags),
        cmocka_unit_test(syntax_comes_with_what_was_found_before),
        cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
