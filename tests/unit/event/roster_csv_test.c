// SPDX-License-Identifier: Apache-2.0
/* roster_csv_test.c — RFC 4180 as users' spreadsheets write it, and where each mistake is said to
 * be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/fail.h"
#include "base/prng.h"
#include "event/roster.h"
#include "event/roster_csv.h"

#define HEADER "seat,team,room,centre,from\n"

static struct cm_roster *parse(const char *text, size_t len)
{
    struct cm_roster *roster = NULL;
    int rc = cm_roster_parse("r.csv", text, len, "main", &roster);
    if (rc != 0) {
        print_message("%s\n", cm_fail_text());
    }
    assert_int_equal(rc, 0);
    return roster;
}
#define PARSE(literal) parse("" literal, sizeof(literal) - 1)

static void refuse(const char *text, size_t len, const char *expected)
{
    struct cm_roster *roster = NULL;
    assert_int_equal(cm_roster_parse("r.csv", text, len, "main", &roster), -CM_ERR_ROSTER);
    assert_null(roster);
    assert_string_equal(cm_fail_text(), expected);
}
#define REFUSE(literal, expected) refuse("" literal, sizeof(literal) - 1, expected)

static void assert_row(const struct cm_roster *roster, uint32_t at, const char *seat,
                       const char *team, const char *room, const char *centre)
{
    uint32_t count = 0;
    const struct cm_seat_row *row = &cm_roster_rows(roster, &count)[at];
    assert_true(at < count);
    const struct cm_str cells[] = {row->seat, row->place.team, row->place.room, row->place.centre};
    const char *const expected[] = {seat, team, room, centre};
    for (size_t i = 0; i < CM_ARRAY_LEN(cells); i++) {
        assert_int_equal(cells[i].len, strlen(expected[i]));
        assert_memory_equal(cells[i].p, expected[i], cells[i].len);
    }
}

static uint32_t count_of(const struct cm_roster *roster)
{
    uint32_t count = 0;
    (void)cm_roster_rows(roster, &count);
    return count;
}

static void plain_rows(void **state)
{
    (void)state;
    struct cm_roster *r = PARSE("seat,team,room,centre\n1001,t7,r2,east\n1002,,,\n#3,t7,,\n");
    assert_int_equal(count_of(r), 3);
    assert_row(r, 0, "#3", "t7", "", "main"); /* a # is no comment */
    assert_row(r, 1, "1001", "t7", "r2", "east");
    assert_row(r, 2, "1002", "", "", "main");
    cm_roster_free(r);
}

static void line_ends_marks_and_blank_lines(void **state)
{
    (void)state;
    struct cm_roster *r = PARSE("\xef\xbb\xbf\r\n \t\r\nseat,team,room,centre\r\n\r\n"
                                "a,t,r,c\r\n   \r\nb,t,r,c\n\nd,t,r,c\re,t,r,c");
    assert_int_equal(count_of(r), 4);
    assert_row(r, 0, "a", "t", "r", "c");
    assert_row(r, 3, "e", "t", "r", "c");
    cm_roster_free(r);
}

static void quotes_and_blanks(void **state)
{
    (void)state;
    struct cm_roster *r = PARSE("\"seat\" , team,room,centre\n"
                                "  \"a, b\"  ,\" t \", r r ,\"say \"\"hi\"\"\"\n"
                                "\"line\r\nend\",\"\",,\n");
    assert_int_equal(count_of(r), 2);
    assert_row(r, 0, "a, b", " t ", "r r", "say \"hi\"");
    assert_row(r, 1, "line\r\nend", "", "", "main");
    cm_roster_free(r);
}

static void columns_in_any_order_and_from(void **state)
{
    (void)state;
    struct cm_roster *r = PARSE("from,centre,seat,room,team\n"
                                ",c,1,r,t\n1970-01-01T08:00:01+08:00,c,1,r,t2\n");
    uint32_t count = 0;
    const struct cm_seat_row *rows = cm_roster_rows(r, &count);
    assert_int_equal(count, 2);
    assert_true(rows[0].from_ms == INT64_MIN);
    assert_true(rows[1].from_ms == 1000);
    assert_row(r, 1, "1", "t2", "r", "c");
    cm_roster_free(r);
}

static void header_only_is_an_empty_roster(void **state)
{
    (void)state;
    struct cm_roster *r = PARSE("seat,team,room,centre");
    assert_int_equal(count_of(r), 0);
    cm_roster_free(r);
}

static void no_header(void **state)
{
    (void)state;
    REFUSE("", "r.csv:1:1: no header; it is seat,team,room,centre[,from]");
    REFUSE("\n  \n", "r.csv:1:1: no header; it is seat,team,room,centre[,from]");
    refuse(NULL, 0, "r.csv:1:1: no header; it is seat,team,room,centre[,from]");
    REFUSE("\xff\xfes\0e\0", "r.csv:1:1: this is UTF-16; save the file as UTF-8");
}

static void header_mistakes_all_at_once(void **state)
{
    (void)state;
    REFUSE("seat,taem,room,room,colour,\n1,t,r,r,blue,\n",
           "r.csv:1:1: the header lacks the column 'team'\n"
           "r.csv:1:1: the header lacks the column 'centre'\n"
           "r.csv:1:6: unknown column 'taem'; did you mean 'team'?\n"
           "r.csv:1:16: column 'room' is there twice\n"
           "r.csv:1:21: unknown column 'colour'; there are seat, team, room, centre and from\n"
           "r.csv:1:28: a column without a name");
}

static void row_mistakes_all_at_once(void **state)
{
    (void)state;
    REFUSE(HEADER "1,t,r\n"
                  ",t,r,c,\n"
                  "\xc3\xa9\xc3\xa9,012345678901234567890123456789012,r,c,\n"
                  "\xc3\xa9\xc3\xa9,t,b\xff,c,yesterday\n"
                  "5,t,r,c,2026-11-01T08:00:00\n"
                  "6,t,r,c,,\n",
           "r.csv:2:1: 3 fields, but the header has 5\n"
           "r.csv:3:1: seat is empty\n"
           "r.csv:4:4: team is 33 bytes long; an id has at most 32\n"
           "r.csv:5:6: room is not valid UTF-8\n"
           "r.csv:5:11: from 'yesterday' is not a time with zone such as "
           "2026-11-01T08:00:00+08:00\n"
           "r.csv:6:9: from '2026-11-01T08:00:00' is not a time with zone such as "
           "2026-11-01T08:00:00+08:00\n"
           "r.csv:7:1: 6 fields, but the header has 5");
}

static void quote_mistakes(void **state)
{
    (void)state;
    REFUSE(HEADER "\"1\"x,t,r,c,\n1\"2,t,r,c,\n",
           "r.csv:2:4: text after the closing quote; a quote inside is written \"\"\n"
           "r.csv:3:2: a quote inside a field that does not begin with one");
    REFUSE(HEADER "1,t,r,c,\n2,\"t,r,c,\n3,t,r,c,\n", "r.csv:3:3: this quote is never closed");
    REFUSE(HEADER "2,\"t\"\"", "r.csv:2:3: this quote is never closed");
}

static void lines_count_on_behind_a_field_of_two_lines(void **state)
{
    (void)state;
    REFUSE(HEADER "1,\"a\r\nb\nc\",r,c,\n,t,r,c,\n", "r.csv:5:1: seat is empty");
}

static void the_same_seat_twice(void **state)
{
    (void)state;
    REFUSE(HEADER "1,t,r,c,\n2,t,r,c,\n1,t2,r,c,\n"
                  "2,t,r,c,2026-01-01T00:00:00Z\n2,t,r,c,2026-01-01T01:00:00+01:00\n",
           "r.csv:4:1: seat '1' is already in line 2 with the same from\n"
           "r.csv:6:1: seat '2' is already in line 5 with the same from");
}

/* Any bytes: it says yes or no, and AddressSanitizer says nothing. */
static void any_bytes(void **state)
{
    (void)state;
    static const char *const pieces[] = {"\"",        ",",    "\n",   "\r",         "a",
                                         " ",         "\xc3", "\xa9", "\t",         "1",
                                         "seat,team", "\"\"", ";",    "room,centre"};
    struct cm_prng prng;
    cm_prng_seed(&prng, 13);
    unsigned taken = 0;
    for (int round = 0; round < 3000; round++) {
        struct cm_text text = {0};
        if (round % 2 == 0) {
            cm_text_adds(&text, HEADER);
        }
        for (uint64_t n = cm_prng_below(&prng, 30); n > 0; n--) {
            cm_text_adds(&text, pieces[cm_prng_below(&prng, CM_ARRAY_LEN(pieces))]);
        }
        struct cm_roster *roster = NULL;
        int rc = cm_roster_parse("r.csv", text.data, text.len, "main", &roster);
        assert_true(rc == 0 ? roster != NULL : rc == -CM_ERR_ROSTER && cm_fail_text()[0] != '\0');
        taken += rc == 0;
        cm_roster_free(roster);
        cm_text_free(&text);
    }
    assert_true(taken > 0 && taken < 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_rows),
        cmocka_unit_test(line_ends_marks_and_blank_lines),
        cmocka_unit_test(quotes_and_blanks),
        cmocka_unit_test(columns_in_any_order_and_from),
        cmocka_unit_test(header_only_is_an_empty_roster),
        cmocka_unit_test(no_header),
        cmocka_unit_test(header_mistakes_all_at_once),
        cmocka_unit_test(row_mistakes_all_at_once),
        cmocka_unit_test(quote_mistakes),
        cmocka_unit_test(lines_count_on_behind_a_field_of_two_lines),
        cmocka_unit_test(the_same_seat_twice),
        cmocka_unit_test(any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
