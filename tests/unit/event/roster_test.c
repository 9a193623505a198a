// SPDX-License-Identifier: Apache-2.0
/* roster_test.c — who sits where at which time; files; many seats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fail.h"
#include "event/roster.h"

static struct cm_roster *parse(const char *text)
{
    struct cm_roster *roster = NULL;
    int rc = cm_roster_parse("r.csv", text, strlen(text), "main", &roster);
    if (rc != 0) {
        print_message("%s\n", cm_fail_text());
    }
    assert_int_equal(rc, 0);
    return roster;
}

static struct cm_str str(const char *text)
{
    return (struct cm_str){text, (uint32_t)strlen(text)};
}

static void assert_text(struct cm_str text, const char *expected)
{
    assert_true(cm_str_eq(text, str(expected)));
}

/* Times in seconds since the epoch: a moves at 10 and 20, b begins at 15; not in that order. */
static const char moves[] = "seat,team,room,centre,from\n"
                            "a,t3,r2,c2,1970-01-01T00:00:20Z\n"
                            "b,t2,r1,c1,1970-01-01T00:00:15Z\n"
                            "a,t1,r1,c1,\n"
                            "a,t2,r1,c1,1970-01-01T00:00:10Z\n"
                            "c,,r9,,\n"
                            "d,t9,,,\n";

static void a_move_does_not_rewrite_history(void **state)
{
    (void)state;
    struct cm_roster *r = parse(moves);
    assert_text(cm_roster_place(r, str("a"), INT64_MIN)->team, "t1");
    assert_text(cm_roster_place(r, str("a"), 0)->team, "t1");
    assert_text(cm_roster_place(r, str("a"), 9999)->team, "t1");
    assert_text(cm_roster_place(r, str("a"), 10000)->team, "t2"); /* inclusive */
    assert_text(cm_roster_place(r, str("a"), 19999)->team, "t2");
    assert_text(cm_roster_place(r, str("a"), 20000)->team, "t3");
    assert_text(cm_roster_place(r, str("a"), INT64_MAX)->room, "r2");
    assert_null(cm_roster_place(r, str("b"), 14999)); /* as if the roster lacked it */
    assert_text(cm_roster_place(r, str("b"), 15000)->centre, "c1");
    assert_null(cm_roster_place(r, str("x"), 15000));
    assert_null(cm_roster_place(r, str(""), 15000));
    assert_null(cm_roster_place(r, (struct cm_str){NULL, 0}, 15000));
    cm_roster_free(r);
}

static void the_rows_of_a_seat_rise(void **state)
{
    (void)state;
    struct cm_roster *r = parse(moves);
    uint32_t count = 0;
    const struct cm_seat_row *rows = cm_roster_seat(r, str("a"), &count);
    assert_int_equal(count, 3);
    assert_true(rows[0].from_ms == INT64_MIN && rows[1].from_ms == 10000 &&
                rows[2].from_ms == 20000);
    rows = cm_roster_seat(r, str("b"), &count);
    assert_int_equal(count, 1);
    assert_text(rows[0].seat, "b");
    assert_null(cm_roster_seat(r, str("aa"), &count));
    assert_int_equal(count, 0);
    rows = cm_roster_rows(r, &count);
    assert_int_equal(count, 6);
    for (uint32_t i = 1; i < count; i++) {
        int order = cm_str_cmp(rows[i - 1].seat, rows[i].seat);
        assert_true(order < 0 || (order == 0 && rows[i - 1].from_ms < rows[i].from_ms));
    }
    cm_roster_free(r);
}

static void levels_may_be_missing(void **state)
{
    (void)state;
    struct cm_roster *r = parse(moves);
    const struct cm_place *c = cm_roster_place(r, str("c"), 0);
    assert_int_equal(c->team.len, 0);
    assert_text(c->room, "r9");
    assert_text(c->centre, "main");
    struct cm_place place;
    assert_true(cm_roster_team(r, str("t9"), &place));
    assert_int_equal(place.room.len, 0);
    assert_text(place.centre, "main");
    assert_false(cm_roster_team(r, str(""), &place));
    assert_false(cm_roster_room(r, str(""), &place));
    cm_roster_free(r);
}

static void teams_and_rooms_by_the_newest_row(void **state)
{
    (void)state;
    struct cm_roster *r = parse("seat,team,room,centre,from\n"
                                "z,t,r2,c2,1970-01-01T00:00:20Z\n"
                                "a,t,r1,c1,1970-01-01T00:00:10Z\n"
                                "b,t,r3,c3,\n"
                                "y,u,r4,c4,\n"
                                "c,u,r5,c5,\n"
                                "d,w,r6,c6,\n"
                                "e,w,r7,c7,\n"
                                "b,v,r3,c9,1970-01-01T00:00:01Z\n");
    struct cm_place place;
    assert_true(cm_roster_team(r, str("t"), &place));
    assert_int_equal(place.team.len, 0);
    assert_text(place.room, "r2");
    assert_text(place.centre, "c2");
    assert_true(cm_roster_team(r, str("u"), &place)); /* a tie: the last in the file, not by seat */
    assert_text(place.room, "r5");
    assert_true(cm_roster_team(r, str("w"), &place));
    assert_text(place.room, "r7");
    assert_true(cm_roster_room(r, str("r3"), &place));
    assert_int_equal(place.team.len, 0);
    assert_int_equal(place.room.len, 0);
    assert_text(place.centre, "c9");
    assert_false(cm_roster_team(r, str("r3"), &place));
    assert_false(cm_roster_room(r, str("t"), &place));
    cm_roster_free(r);
}

static void an_empty_roster(void **state)
{
    (void)state;
    struct cm_roster *r = cm_roster_empty();
    struct cm_place place;
    uint32_t count = 1;
    assert_null(cm_roster_seat(r, str("a"), &count));
    assert_int_equal(count, 0);
    assert_null(cm_roster_place(r, str("a"), 0));
    assert_false(cm_roster_team(r, str("a"), &place));
    assert_false(cm_roster_room(r, str("a"), &place));
    (void)cm_roster_rows(r, &count);
    assert_int_equal(count, 0);
    cm_roster_free(r);
    cm_roster_free(NULL);
}

/* The bytes may go once the roster is made, the centre's name too. */
static void the_roster_owns_its_text(void **state)
{
    (void)state;
    char *text = strdup("seat,team,room,centre\na,t,r,\n");
    char *centre = strdup("main");
    struct cm_roster *r = NULL;
    assert_int_equal(cm_roster_parse("r.csv", text, strlen(text), centre, &r), 0);
    memset(text, '?', strlen(text));
    memset(centre, '?', strlen(centre));
    free(text);
    free(centre);
    assert_text(cm_roster_place(r, str("a"), 0)->team, "t");
    assert_text(cm_roster_place(r, str("a"), 0)->centre, "main");
    cm_roster_free(r);
}

static void many_seats(void **state)
{
    (void)state;
    struct cm_text text = {0};
    cm_text_adds(&text, "seat,team,room,centre\n");
    for (unsigned i = 0; i < 30000; i++) {
        cm_text_addf(&text, "s%u,t%u,r%u,\n", i, i / 12, i / 300);
    }
    struct cm_roster *r = NULL;
    assert_int_equal(cm_roster_parse("r.csv", text.data, text.len, "main", &r), 0);
    char seat[16];
    char team[16];
    for (unsigned i = 0; i < 30000; i++) {
        snprintf(seat, sizeof(seat), "s%u", i);
        snprintf(team, sizeof(team), "t%u", i / 12);
        assert_text(cm_roster_place(r, str(seat), 0)->team, team);
        snprintf(seat, sizeof(seat), "x%u", i);
        assert_null(cm_roster_place(r, str(seat), 0));
    }
    cm_roster_free(r);
    cm_text_free(&text);
}

static void files(void **state)
{
    (void)state;
    char path[] = "/tmp/callmill_roster_XXXXXX.yaml";
    int fd = mkstemps(path, 5);
    assert_true(fd >= 0);
    static const char text[] = "- {seat: a, team: t}\n";
    assert_int_equal(write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
    close(fd);
    struct cm_roster *r = NULL;
    assert_int_equal(cm_roster_load(path, "main", &r), 0);
    assert_text(cm_roster_place(r, str("a"), 0)->team, "t");
    cm_roster_free(r);
    unlink(path);
    r = NULL;
    assert_int_equal(cm_roster_load(path, "main", &r), -CM_ERR_ROSTER);
    assert_non_null(strstr(cm_fail_text(), path));
    assert_non_null(strstr(cm_fail_text(), "No such file"));
    assert_int_equal(cm_roster_load("/tmp", "main", &r), -CM_ERR_ROSTER);
    assert_non_null(strstr(cm_fail_text(), "Is a directory"));
    assert_null(r);
    assert_int_equal(cm_exit_status(-CM_ERR_ROSTER), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_move_does_not_rewrite_history),
        cmocka_unit_test(the_rows_of_a_seat_rise),
        cmocka_unit_test(levels_may_be_missing),
        cmocka_unit_test(teams_and_rooms_by_the_newest_row),
        cmocka_unit_test(an_empty_roster),
        cmocka_unit_test(the_roster_owns_its_text),
        cmocka_unit_test(many_seats),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
