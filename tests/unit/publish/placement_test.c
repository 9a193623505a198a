// SPDX-License-Identifier: Apache-2.0
/* placement_test.c — who hangs under whom, when, and what a change is. */
#include "publish/placement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/fail.h"

#define T INT64_C(1795000000000)

static struct cm_config *config;
static struct cm_roster *roster;
static struct cm_placement *placement;

static void load(const char *csv)
{
    static const char yaml[] = "centre: main\nqueues: {q: {owner: \"team:owner\"}}\n";
    if (cm_config_parse("t.yaml", yaml, sizeof(yaml) - 1, NULL, 0, &config) != 0 ||
        cm_roster_parse("r.csv", csv, strlen(csv), "main", &roster) != 0) {
        fail_msg("%s", cm_fail_text());
    }
    placement = cm_placement_create(config, roster);
}

static int unload(void **state)
{
    (void)state;
    cm_placement_destroy(placement);
    cm_roster_free(roster);
    cm_config_free(config);
    placement = NULL;
    roster = NULL;
    config = NULL;
    return 0;
}

static uint32_t unit(enum cm_kind kind, const char *id)
{
    return cm_placement_intern(placement, kind, (struct cm_str){id, (uint32_t)strlen(id)});
}

static void assert_under(enum cm_kind kind, const char *id, enum cm_kind above, const char *parent)
{
    assert_int_equal(cm_placement_parent(placement, unit(kind, id)), unit(above, parent));
}

static void assert_under_nobody(enum cm_kind kind, const char *id)
{
    assert_int_equal(cm_placement_parent(placement, unit(kind, id)), CM_UNIT_NONE);
}

static bool hand_over(enum cm_kind kind, const char *id)
{
    bool first;
    struct cm_unit_key key = {.kind = (uint8_t)kind, .id = {id, (uint32_t)strlen(id)}};
    assert_int_equal(cm_placement_hand_over(placement, &key, &first), unit(kind, id));
    return first;
}

static uint32_t changes(void)
{
    uint32_t count;
    (void)cm_placement_changes(placement, &count);
    cm_placement_clear(placement);
    return count;
}

static void the_tree(void **state)
{
    (void)state;
    load("seat,team,room,centre\n1,t1,r1,c1\n2,t1,r1,c1\n3,t2,,c1\n4,,r2,c1\n5,,,\n");
    assert_true(cm_placement_is_due(placement, T));
    assert_false(cm_placement_update(placement, T));
    assert_under(CM_KIND_SEAT, "1", CM_KIND_TEAM, "t1");
    assert_under(CM_KIND_SEAT, "3", CM_KIND_TEAM, "t2");
    assert_under(CM_KIND_SEAT, "4", CM_KIND_CENTRE, "c1");
    assert_under(CM_KIND_SEAT, "5", CM_KIND_CENTRE, "main");
    assert_under(CM_KIND_TEAM, "t1", CM_KIND_ROOM, "r1");
    assert_under(CM_KIND_TEAM, "t2", CM_KIND_CENTRE, "c1");
    assert_under(CM_KIND_ROOM, "r1", CM_KIND_CENTRE, "c1");
    assert_under(CM_KIND_ROOM, "r2", CM_KIND_CENTRE, "c1");
    assert_under_nobody(CM_KIND_CENTRE, "c1");
    assert_int_equal(changes(), 9);
    assert_false(cm_placement_is_due(placement, INT64_MAX - 1));
    assert_true(cm_placement_has_child(placement, unit(CM_KIND_CENTRE, "c1"), CM_STR("r1")));
    assert_true(cm_placement_has_child(placement, unit(CM_KIND_CENTRE, "c1"), CM_STR("4")));
    assert_false(cm_placement_has_child(placement, unit(CM_KIND_CENTRE, "c1"), CM_STR("1")));
    assert_false(cm_placement_has_child(placement, unit(CM_KIND_CENTRE, "c1"), CM_STR("?")));
}

static void rows_come_into_force(void **state)
{
    (void)state;
    char csv[256];
    char at[32];
    char later[32];
    (void)snprintf(csv, sizeof(csv),
                   "seat,team,room,centre,from\n1,t1,r1,,\n1,t2,r2,,%s\n2,t1,r1,,\n"
                   "2,t1,r9,,%s\n3,t3,r1,,%s\n",
                   cm_format_rfc3339(T, at), cm_format_rfc3339(T + 60000, later), later);
    load(csv);
    (void)cm_placement_update(placement, T - 1);
    assert_under(CM_KIND_SEAT, "1", CM_KIND_TEAM, "t1");
    assert_under_nobody(CM_KIND_SEAT, "3");
    assert_under_nobody(CM_KIND_TEAM, "t2");
    assert_under(CM_KIND_TEAM, "t1", CM_KIND_ROOM, "r1"); /* though a later row says r9 */
    (void)hand_over(CM_KIND_SEAT, "1");
    (void)hand_over(CM_KIND_SEAT, "3");
    assert_under(CM_KIND_SEAT, "3", CM_KIND_CENTRE, "main"); /* as one that the roster lacks */
    (void)changes();

    assert_false(cm_placement_is_due(placement, T - 1));
    assert_true(cm_placement_is_due(placement, T));
    assert_true(cm_placement_update(placement, T));
    assert_under(CM_KIND_SEAT, "1", CM_KIND_TEAM, "t2");
    uint32_t count;
    const struct cm_placement_change *list = cm_placement_changes(placement, &count);
    assert_int_equal(count, 3); /* the seat, and t2 and r2 appear */
    for (uint32_t i = 0; i < count; i++) {
        bool is_seat = list[i].unit == unit(CM_KIND_SEAT, "1");
        assert_int_equal(list[i].from, is_seat ? unit(CM_KIND_TEAM, "t1") : CM_UNIT_NONE);
    }
    (void)changes();
    assert_false(cm_placement_is_due(placement, T + 59999));

    assert_true(cm_placement_update(placement, T + 60000));
    assert_under(CM_KIND_SEAT, "3", CM_KIND_TEAM, "t3");
    assert_under(CM_KIND_TEAM, "t1", CM_KIND_ROOM, "r9");
    assert_false(cm_placement_is_due(placement, T + 60001));

    assert_true(cm_placement_update(placement, T - 1)); /* and back */
    assert_under(CM_KIND_SEAT, "1", CM_KIND_TEAM, "t1");
}

static void units_without_rows(void **state)
{
    (void)state;
    load("seat,team,room,centre\n1,t1,r1,c1\n");
    (void)cm_placement_update(placement, T);
    (void)changes();
    assert_true(hand_over(CM_KIND_SEAT, "x"));
    assert_false(hand_over(CM_KIND_SEAT, "x"));
    assert_under(CM_KIND_SEAT, "x", CM_KIND_CENTRE, "main");
    assert_true(hand_over(CM_KIND_TEAM, "owner"));
    assert_under(CM_KIND_TEAM, "owner", CM_KIND_CENTRE, "main");
    assert_true(hand_over(CM_KIND_TEAM, "nobody"));
    assert_under_nobody(CM_KIND_TEAM, "nobody");
    assert_true(hand_over(CM_KIND_QUEUE, "q"));
    assert_under_nobody(CM_KIND_QUEUE, "q");
    assert_int_equal(changes(), 2);
}

static void a_new_roster(void **state)
{
    (void)state;
    load("seat,team,room,centre\n1,t1,r1,c1\n2,t1,r1,c1\n");
    (void)cm_placement_update(placement, T);
    (void)hand_over(CM_KIND_SEAT, "1");
    (void)changes();
    struct cm_roster *empty = cm_roster_empty();
    cm_placement_set_roster(placement, empty);
    assert_true(cm_placement_is_due(placement, T));
    assert_true(cm_placement_update(placement, T));
    assert_under(CM_KIND_SEAT, "1", CM_KIND_CENTRE, "main");
    assert_under_nobody(CM_KIND_SEAT, "2");
    assert_under_nobody(CM_KIND_TEAM, "t1");
    assert_int_equal(changes(), 4);
    cm_placement_set_roster(placement, roster);
    cm_roster_free(empty);
}

static void forgetting(void **state)
{
    (void)state;
    load("seat,team,room,centre\n1,t1,r1,c1\n");
    (void)cm_placement_update(placement, T);
    assert_true(hand_over(CM_KIND_SEAT, "1"));
    (void)changes();
    cm_placement_forget(placement);
    assert_true(hand_over(CM_KIND_SEAT, "1"));
    uint32_t count;
    const struct cm_placement_change *list = cm_placement_changes(placement, &count);
    assert_int_equal(count, 3);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(list[i].from, CM_UNIT_NONE);
        assert_int_equal(list[i].to, cm_placement_parent(placement, list[i].unit));
    }
    assert_false(cm_placement_update(placement, T));
}

#define TEST(name) cmocka_unit_test_teardown(name, unload)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_tree),     TEST(rows_come_into_force), TEST(units_without_rows),
        TEST(a_new_roster), TEST(forgetting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
