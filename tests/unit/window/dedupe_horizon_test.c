// SPDX-License-Identifier: Apache-2.0
/* dedupe_horizon_test.c — a million ids at once: each is known until its horizon has passed, counts
 * once, and its memory serves others afterwards. */
#include "window/windows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define IDS     1000000u
#define DAY_MS  INT64_C(86400000)
#define BEGIN   (INT64_C(20000) * DAY_MS)
#define STEP_MS (DAY_MS / 2 / IDS) /* all within half a day */

static const char yaml[] = "windows: [1m/1s]\nperiods: [day]\nallowed_lateness: 0s\ndedupe: 12h\n"
                           "timezone: UTC\nqueues: {}\n";

static const char roster[] = "seat,team,room,centre,from\ns1,t1,r1,main,\n";

struct bench {
    struct cm_config *config;
    struct cm_roster *roster;
    struct cm_windows *windows;
};

static void open(struct bench *b)
{
    assert_int_equal(cm_config_parse("test.yaml", yaml, strlen(yaml), NULL, 0, &b->config), 0);
    assert_int_equal(cm_roster_parse("roster.csv", roster, sizeof(roster) - 1, "main", &b->roster),
                     0);
    b->windows = cm_windows_create(b->config, b->roster, 0, 0);
}

static void close(struct bench *b)
{
    cm_windows_destroy(b->windows);
    cm_roster_free(b->roster);
    cm_config_free(b->config);
}

static enum cm_verdict take(struct bench *b, uint32_t number, uint32_t rev, int64_t ts_ms)
{
    char id[24];
    char seat[8];
    int id_len = snprintf(id, sizeof(id), "call-%07u/1", number);
    int seat_len = snprintf(seat, sizeof(seat), "s%u", number % 100);
    struct cm_event event = {
        .type = CM_EVENT_CDR,
        .outcome = CM_OUTCOME_ANSWERED,
        .ts_ms = ts_ms,
        .id = {id, (uint32_t)id_len},
        .seat = {seat, (uint32_t)seat_len},
        .talk_ms = 1000,
        .rev = rev,
    };
    return cm_windows_apply(b->windows, &event, NULL, INT64_MIN);
}

/* Legs answered in the whole centre in the day so far, and their talk time. */
static void expect_day(struct bench *b, uint64_t legs, uint64_t talk_ms)
{
    struct cm_measures m;
    uint32_t day = 1;
    struct cm_str centre = {"main", 4};
    cm_windows_advance(b->windows, CM_VIEW_ROWS, day, BEGIN + DAY_MS);
    uint32_t unit = cm_units_intern(cm_windows_units(b->windows), CM_KIND_CENTRE, centre);
    assert_true(cm_windows_measure(b->windows, CM_VIEW_ROWS, day, unit, &m));
    assert_int_equal(m.tally.answered, legs);
    assert_int_equal(m.tally.talk_ms, talk_ms);
}

static size_t journal_bytes(const struct bench *b)
{
    struct cm_windows_memory memory;
    cm_windows_memory(b->windows, &memory);
    return memory.journal_bytes;
}

static void a_million_ids_are_known_until_their_horizon(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    for (uint32_t i = 0; i < IDS; i++) {
        assert_int_equal(take(&b, i, 0, BEGIN + i * STEP_MS), CM_VERDICT_COUNTED);
    }
    size_t full = journal_bytes(&b);
    assert_in_range(full / IDS, 16, 512); /* bytes an id: bounded, whatever it is */
    for (uint32_t i = IDS; i-- > 0;) {    /* each again, and every thousandth revised */
        enum cm_verdict wanted = i % 1000 == 0 ? CM_VERDICT_REVISED : CM_VERDICT_DUPLICATE;
        assert_int_equal(take(&b, i, i % 1000 == 0, BEGIN + i * STEP_MS), wanted);
    }
    expect_day(&b, IDS, IDS * UINT64_C(1000));

    /* One horizon after the newest nothing is known but the newest; after two all are given back.
     */
    int64_t newest_ms = BEGIN + (IDS - 1) * STEP_MS;
    assert_int_equal(take(&b, IDS, 0, newest_ms + 12 * 3600000 + 1), CM_VERDICT_COUNTED);
    assert_int_equal(take(&b, IDS - 1, 0, newest_ms), CM_VERDICT_COUNTED);
    assert_int_equal(take(&b, IDS, 0, newest_ms), CM_VERDICT_DUPLICATE);
    for (uint32_t v = 0; v < 2; v++) {
        cm_windows_advance(b.windows, CM_VIEW_ROWS, v, BEGIN + 4 * DAY_MS);
    }
    for (uint32_t i = 1; i <= IDS; i++) { /* the next million takes the place of the first */
        (void)take(&b, IDS + i, 0, BEGIN + 4 * DAY_MS + i);
    }
    assert_in_range(journal_bytes(&b), full / 2, full + full / 4);
    close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_ids_are_known_until_their_horizon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
