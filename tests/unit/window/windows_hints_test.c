// SPDX-License-Identifier: Apache-2.0
/* windows_hints_test.c — what cm_windows_expect() says of an event never changes what that counts
 * for, whatever has come in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "window/windows.h"

/* 2024-03-04, 12:00 UTC. */
#define NOON_MS INT64_C(1709553600000)

static const char yaml[] = "centre: main\nwindows: [1m/1s, 1h/1m]\nperiods: [day]\n"
                           "allowed_lateness: 10s\ndedupe: 10m\ntimezone: UTC\n"
                           "queues: {q1: {owner: \"team:t1\"}, q2: {owner: \"room:r2\"}}\n";
static const char csv[] = "seat,team,room,centre,from\n"
                          "s1,t1,r1,main,\n"
                          "s2,t1,r1,,\n"
                          "s2,t2,r2,east,2024-03-04T12:00:30Z\n"
                          "s3,t2,r2,east,2024-03-04T12:01:00Z\n";
static const char other_csv[] = "seat,team,room,centre\n"
                                "s1,t5,r5,west\n"
                                "s3,t1,r5,main\n"
                                "s4,t1,r5,main\n";

struct bench {
    struct cm_config *config;
    struct cm_roster *roster, *other;
    struct cm_windows *windows;
};

static void open(struct bench *b)
{
    assert_int_equal(cm_config_parse("t.yaml", yaml, strlen(yaml), NULL, 0, &b->config), 0);
    assert_int_equal(cm_roster_parse("r.csv", csv, strlen(csv), "main", &b->roster), 0);
    assert_int_equal(cm_roster_parse("o.csv", other_csv, strlen(other_csv), "main", &b->other), 0);
    b->windows = cm_windows_create(b->config, b->roster, 0, 0);
}

static void close(struct bench *b)
{
    cm_windows_destroy(b->windows);
    cm_roster_free(b->roster);
    cm_roster_free(b->other);
    cm_config_free(b->config);
}

static struct cm_str str(const char *text)
{
    return (struct cm_str){text, (uint32_t)strlen(text)};
}

static struct cm_event leg(const char *id, const char *seat, const char *queue, int64_t ts_ms)
{
    return (struct cm_event){.type = CM_EVENT_CDR,
                             .outcome = CM_OUTCOME_ANSWERED,
                             .rating = -1,
                             .ts_ms = ts_ms,
                             .talk_ms = 1000,
                             .id = str(id),
                             .call = str(id),
                             .seat = str(seat),
                             .queue = str(queue)};
}

static void expect(const struct bench *b, const struct cm_event *events, uint32_t count,
                   struct cm_hint *hints)
{
    const struct cm_event *at[CM_WINDOWS_EXPECT];
    for (uint32_t i = 0; i < count; i++) {
        at[i] = &events[i];
    }
    cm_windows_expect(b->windows, at, count, hints);
}

static void take(struct bench *b, const struct cm_event *events, uint32_t count,
                 const struct cm_hint *hints)
{
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(cm_windows_apply(b->windows, &events[i], &hints[i], INT64_MIN),
                         CM_VERDICT_COUNTED);
    }
}

/* Answered legs of the hour. */
static uint64_t answered(struct bench *b, enum cm_kind kind, const char *id)
{
    struct cm_measures m;
    cm_windows_advance(b->windows, CM_VIEW_ROWS, 1, NOON_MS + 1800000);
    uint32_t unit = cm_units_find(cm_windows_units(b->windows), kind, str(id));
    return unit != CM_UNIT_NONE && cm_windows_measure(b->windows, CM_VIEW_ROWS, 1, unit, &m)
               ? m.tally.answered
               : 0;
}

static void a_new_roster_holds_for_events_that_were_announced(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    struct cm_hint hints[2];
    const struct cm_event first[] = {leg("a", "s1", "q1", NOON_MS), leg("b", "", "q2", NOON_MS)};
    const struct cm_event then[] = {leg("c", "s1", "q1", NOON_MS), leg("d", "", "q2", NOON_MS)};
    expect(&b, first, 2, hints);
    take(&b, first, 2, hints);
    expect(&b, then, 2, hints);
    assert_int_not_equal(hints[0].set, CM_UNIT_NONE); /* or this test says nothing */
    assert_int_not_equal(hints[1].set, CM_UNIT_NONE);
    cm_windows_set_roster(b.windows, b.other);
    take(&b, then, 2, hints);
    assert_int_equal(answered(&b, CM_KIND_SEAT, "s1"), 2);
    assert_int_equal(answered(&b, CM_KIND_TEAM, "t1"), 1);
    assert_int_equal(answered(&b, CM_KIND_TEAM, "t5"), 1);
    assert_int_equal(answered(&b, CM_KIND_CENTRE, "west"), 1);
    assert_int_equal(answered(&b, CM_KIND_QUEUE, "q1"), 2);
    assert_int_equal(answered(&b, CM_KIND_ROOM, "r2"), 2);
    close(&b);
}

static void a_seat_that_moves_counts_where_it_is(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    struct cm_hint hints[4];
    /* In one group, by turns on both sides of the instant; and what is known beforehand is of one
     * side alone. */
    const struct cm_event first[] = {leg("a", "s2", "q1", NOON_MS)};
    const struct cm_event then[] = {
        leg("b", "s2", "q1", NOON_MS + 29999), leg("c", "s2", "q1", NOON_MS + 30000),
        leg("d", "s2", "q1", NOON_MS + 1000), leg("e", "s2", "q1", NOON_MS + 31000)};
    expect(&b, first, 1, hints);
    take(&b, first, 1, hints);
    expect(&b, then, 4, hints);
    take(&b, then, 4, hints);
    assert_int_equal(answered(&b, CM_KIND_TEAM, "t1"), 3);
    assert_int_equal(answered(&b, CM_KIND_TEAM, "t2"), 2);
    assert_int_equal(answered(&b, CM_KIND_CENTRE, "main"), 3);
    assert_int_equal(answered(&b, CM_KIND_CENTRE, "east"), 2);
    assert_int_equal(answered(&b, CM_KIND_SEAT, "s2"), 5);
    close(&b);
}

static void new_ones_are_counted_once_each(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    struct cm_hint hints[5];
    const struct cm_event first[] = {leg("a", "s1", "", NOON_MS)};
    expect(&b, first, 1, hints);
    take(&b, first, 1, hints);
    /* A seat twice in a group, a queue of a seat that is known without one, another centre. */
    struct cm_event then[] = {leg("b", "s8", "q8", NOON_MS), leg("c", "s8", "q8", NOON_MS),
                              leg("d", "s1", "q9", NOON_MS), leg("e", "s8", "q8", NOON_MS),
                              leg("f", "s8", "", NOON_MS)};
    then[3].centre = str("north");
    for (uint32_t turn = 0; turn < 2; turn++) { /* unknown, then known */
        static const char *const ids[] = {"g", "h", "i", "j", "k"};
        expect(&b, then, 5, hints);
        take(&b, then, 5, hints);
        for (uint32_t i = 0; i < 5; i++) {
            then[i].id = str(ids[i]);
        }
    }
    assert_int_equal(answered(&b, CM_KIND_SEAT, "s8"), 8);
    assert_int_equal(answered(&b, CM_KIND_QUEUE, "q8"), 6);
    assert_int_equal(answered(&b, CM_KIND_SEAT, "s1"), 3);
    assert_int_equal(answered(&b, CM_KIND_QUEUE, "q9"), 2);
    assert_int_equal(answered(&b, CM_KIND_CENTRE, "north"), 2);
    assert_int_equal(answered(&b, CM_KIND_CENTRE, "main"), 9);
    assert_int_equal(cm_units_count(cm_windows_units(b.windows)), 8); /* t1 and r1 besides */
    close(&b);
}

/* ---- any stream, with hints and without */

static const char *const seats[] = {"", "s1", "s2", "s3", "s4", "s5", "a-seat-with-a-long-name"};
static const char *const queues[] = {"", "q1", "q2", "q3", "q4", "a-queue-with-a-long-name"};
static const char *const centres[] = {"", "main", "east", "a-centre-with-a-long-name"};
static const struct cm_check checks[] = {{{"a", 1}, 1},
                                         {{"greeting", 8}, 0},
                                         {{"goodbye", 7}, 1},
                                         {{"consent", 7}, -1},
                                         {{"identity2", 9}, 0},
                                         {{"a-check-with-a-long-name", 24}, 1},
                                         {{"a-check-with-a-long-nama", 24}, 0}};

static const char *one_of(struct cm_prng *prng, const char *const *texts, uint32_t count)
{
    return texts[cm_prng_below(prng, count)];
}

static struct cm_event any(struct cm_prng *prng, uint32_t number, char ids[2][16])
{
    static const uint8_t types[] = {CM_EVENT_CDR,         CM_EVENT_CDR,        CM_EVENT_CDR,
                                    CM_EVENT_CDR,         CM_EVENT_SEAT_STATE, CM_EVENT_CHECK,
                                    CM_EVENT_QUEUE_ENTER, CM_EVENT_QUEUE_EXIT};
    uint32_t id = (uint32_t)cm_prng_below(prng, 8) > 0 ? number : number / 2; /* some twice */
    snprintf(ids[0], sizeof(ids[0]), "id-%u", id);
    snprintf(ids[1], sizeof(ids[1]), "c-%u", (uint32_t)cm_prng_below(prng, 40));
    int64_t ts_ms = NOON_MS + number * INT64_C(100) - (int64_t)cm_prng_below(prng, 12000);
    struct cm_event event = leg(ids[0], one_of(prng, seats, CM_ARRAY_LEN(seats)),
                                one_of(prng, queues, CM_ARRAY_LEN(queues)), ts_ms);
    uint32_t from = (uint32_t)cm_prng_below(prng, CM_ARRAY_LEN(checks));
    event.type = types[cm_prng_below(prng, CM_ARRAY_LEN(types))];
    event.call = str(ids[1]);
    event.centre = str(one_of(prng, centres, CM_ARRAY_LEN(centres)));
    event.rev = (uint32_t)cm_prng_below(prng, 3);
    event.state = (uint8_t)cm_prng_below(prng, CM_STATE_COUNT);
    event.checks = &checks[from];
    event.checks_count = (uint32_t)cm_prng_below(prng, CM_ARRAY_LEN(checks) - from + 1);
    return event;
}

static void same_details(const struct cm_details *a, const struct cm_details *b)
{
    assert_int_equal(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        assert_int_equal(a->at[i].group, b->at[i].group);
        assert_int_equal(a->at[i].index, b->at[i].index);
        assert_true(cm_str_eq(a->at[i].name, b->at[i].name));
        assert_int_equal(a->at[i].count, b->at[i].count);
        assert_int_equal(a->at[i].passed, b->at[i].passed);
    }
}

/* All figures and all live pictures. */
static void same(struct bench *a, struct bench *b, int64_t now_ms)
{
    struct cm_units *units[] = {cm_windows_units(a->windows), cm_windows_units(b->windows)};
    assert_int_equal(cm_units_count(units[0]), cm_units_count(units[1]));
    cm_windows_settle(a->windows, now_ms);
    cm_windows_settle(b->windows, now_ms);
    for (uint32_t i = 0; i < a->config->all_count; i++) {
        int64_t asof_ms = cm_window_next_asof(&a->config->all[i], now_ms);
        cm_windows_advance(a->windows, CM_VIEW_ROWS, i, asof_ms);
        cm_windows_advance(b->windows, CM_VIEW_ROWS, i, asof_ms);
        for (uint32_t unit = 0; unit < cm_units_count(units[0]); unit++) {
            struct cm_measures m, n;
            assert_int_equal(
                cm_unit_key_cmp(cm_units_key(units[0], unit), cm_units_key(units[1], unit)), 0);
            assert_int_equal(cm_windows_measure(a->windows, CM_VIEW_ROWS, i, unit, &m),
                             cm_windows_measure(b->windows, CM_VIEW_ROWS, i, unit, &n));
            assert_memory_equal(&m.tally, &n.tally, sizeof(m.tally));
            assert_int_equal(m.busy_ms, n.busy_ms);
            same_details(&m.details, &n.details);
        }
    }
    uint32_t counts[2];
    const struct cm_unit_gauge *gauges = cm_windows_gauges(a->windows, now_ms, &counts[0]);
    const struct cm_unit_gauge *others = cm_windows_gauges(b->windows, now_ms, &counts[1]);
    assert_int_equal(counts[0], counts[1]);
    assert_memory_equal(gauges, others, counts[0] * sizeof(*gauges));
    cm_windows_trim(a->windows);
    cm_windows_trim(b->windows);
}

static void hints_change_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct bench a, b;
        struct cm_prng prng;
        uint32_t known = 0;
        open(&a);
        open(&b);
        cm_prng_seed(&prng, seed);
        for (uint32_t number = 0; number < 3200; number += CM_WINDOWS_EXPECT) {
            struct cm_event events[CM_WINDOWS_EXPECT];
            struct cm_hint hints[CM_WINDOWS_EXPECT];
            char ids[CM_WINDOWS_EXPECT][2][16];
            for (uint32_t i = 0; i < CM_WINDOWS_EXPECT; i++) {
                events[i] = any(&prng, number + i, ids[i]);
            }
            expect(&a, events, CM_WINDOWS_EXPECT, hints);
            for (uint32_t i = 0; i < CM_WINDOWS_EXPECT; i++) {
                if (cm_prng_below(&prng, 100) == 0) {
                    bool other = cm_prng_below(&prng, 2) == 0;
                    cm_windows_set_roster(a.windows, other ? a.other : a.roster);
                    cm_windows_set_roster(b.windows, other ? b.other : b.roster);
                }
                int64_t watermark_ms = NOON_MS + number * INT64_C(100) - 10000;
                known += hints[i].set != CM_UNIT_NONE;
                assert_int_equal(cm_windows_apply(a.windows, &events[i], &hints[i], watermark_ms),
                                 cm_windows_apply(b.windows, &events[i], NULL, watermark_ms));
            }
            if (number % (8 * CM_WINDOWS_EXPECT) == 0) {
                same(&a, &b, NOON_MS + number * INT64_C(100) - 10000);
            }
        }
        assert_in_range(known, 320, 3200); /* or this test says little */
        close(&a);
        close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_roster_holds_for_events_that_were_announced),
        cmocka_unit_test(a_seat_that_moves_counts_where_it_is),
        cmocka_unit_test(new_ones_are_counted_once_each),
        cmocka_unit_test(hints_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
