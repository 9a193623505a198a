// SPDX-License-Identifier: Apache-2.0
/* windows_marks_test.c — which units are handed out as changed, when what changed them waits for
 * somebody to look. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/fail.h"
#include "window/windows.h"

#define BEGIN INT64_C(1709553600000) /* 2024-03-04, a Monday, 12:00 UTC */
#define S(s)  (BEGIN + INT64_C(1000) * (s))

enum { MINUTE, DAY };

static const char roster_csv[] = "seat,team,room,centre\nother,t1,r1,main\n";

static const char yaml[] = "windows: [1m/1s]\nperiods: [day]\nallowed_lateness: 10s\n"
                           "timezone: UTC\ndedupe: 10m\n";

struct bench {
    struct cm_config *config;
    struct cm_roster *roster;
    struct cm_windows *windows;
};

static void open(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    assert_int_equal(cm_config_parse("t.yaml", yaml, sizeof(yaml) - 1, NULL, 0, &b->config), 0);
    assert_int_equal(
        cm_roster_parse("r.csv", roster_csv, sizeof(roster_csv) - 1, "main", &b->roster), 0);
    uint32_t all_kinds = (1u << CM_KIND_COUNT) - 1;
    b->windows = cm_windows_create(b->config, b->roster, 1u << MINUTE | 1u << DAY, all_kinds);
}

static void close(struct bench *b)
{
    cm_windows_destroy(b->windows);
    cm_roster_free(b->roster);
    cm_config_free(b->config);
}

static enum cm_verdict leg(struct bench *b, const char *id, const char *seat, int64_t ts_ms,
                           uint32_t rev)
{
    struct cm_event event = {.type = CM_EVENT_CDR,
                             .ts_ms = ts_ms,
                             .id = {id, (uint32_t)strlen(id)},
                             .rev = rev,
                             .seat = {seat, (uint32_t)strlen(seat)},
                             .rating = -1,
                             .wait_ms = 7,
                             .talk_ms = 1000};
    return cm_windows_apply(b->windows, &event, NULL, INT64_MIN);
}

/* The windows in which that seat has changed since the last look. */
static uint32_t changed(struct bench *b, enum cm_view view, const char *seat)
{
    uint32_t count = 0;
    uint32_t windows = 0;
    struct cm_str id = {seat, (uint32_t)strlen(seat)};
    uint32_t unit = cm_units_intern(cm_windows_units(b->windows), CM_KIND_SEAT, id);
    const struct cm_changed_unit *at = cm_windows_changed(b->windows, view, &count);
    for (uint32_t i = 0; i < count; i++) {
        windows |= at[i].unit == unit ? at[i].windows : 0;
    }
    return windows;
}

static void advance(struct bench *b, int64_t asof_ms)
{
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        cm_windows_advance(b->windows, (enum cm_view)v, MINUTE, asof_ms);
        cm_windows_advance(b->windows, (enum cm_view)v, DAY, asof_ms);
    }
}

static void a_leg_that_left_and_is_taken_back_has_left_all_the_same(void **state)
{
    (void)state;
    struct bench b;
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        enum cm_view view = (enum cm_view)v;
        open(&b);
        assert_int_equal(leg(&b, "a", "s1", S(0), 0), CM_VERDICT_COUNTED);
        advance(&b, S(1));
        assert_int_equal(changed(&b, view, "s1"), 1u << MINUTE | 1u << DAY);
        advance(&b, S(61)); /* it leaves the minute; nobody has looked */
        assert_int_equal(leg(&b, "a", "s2", S(60), 1), CM_VERDICT_REVISED);
        assert_int_equal(changed(&b, view, "s1"), 1u << MINUTE | 1u << DAY);
        close(&b);
    }
}

static void what_comes_into_a_pane_changes_its_own_units(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    assert_int_equal(leg(&b, "a", "s1", S(0), 0), CM_VERDICT_COUNTED);
    advance(&b, S(1));
    assert_int_equal(changed(&b, CM_VIEW_ROWS, "s1"), 1u << MINUTE | 1u << DAY);
    assert_int_equal(leg(&b, "b", "s2", S(0), 0), CM_VERDICT_COUNTED);
    uint32_t count = 0;
    const struct cm_changed_unit *at = cm_windows_changed(b.windows, CM_VIEW_ROWS, &count);
    assert_int_equal(count, 2); /* s2 and the centre, and s1 has what it had */
    struct cm_measures m;
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(at[i].windows, 1u << MINUTE | 1u << DAY);
    }
    uint32_t centre = cm_units_intern(cm_windows_units(b.windows), CM_KIND_CENTRE, CM_STR("main"));
    assert_true(cm_windows_measure(b.windows, CM_VIEW_ROWS, DAY, centre, &m));
    assert_int_equal(m.tally.answered, 2);
    assert_int_equal(changed(&b, CM_VIEW_ROWS, "s1"), 0);
    close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leg_that_left_and_is_taken_back_has_left_all_the_same),
        cmocka_unit_test(what_comes_into_a_pane_changes_its_own_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
