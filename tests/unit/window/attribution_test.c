// SPDX-License-Identifier: Apache-2.0
/* attribution_test.c — for which units an event counts, seat by seat and queue by queue. */
#include "window/attribution.h"
#include "window/unit_sets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char yaml[] = "centre: main\n"
                           "queues:\n"
                           "  qt: {owner: \"team:t1\"}\n"
                           "  qr: {owner: \"room:r1\"}\n"
                           "  qc: {owner: \"centre:c9\"}\n"
                           "  ql: {owner: \"team:lost\"}\n"
                           "  qn: {}\n";
static const char csv[] = "seat,team,room,centre,from\n"
                          "s1,t1,r1,c2,\n"
                          "s1,t2,r1,,2024-01-01T00:00:00Z\n"
                          "s2,,,c2,\n"
                          "s3,t1,r1,c2,2024-01-01T00:00:00Z\n";
static const char other_csv[] = "seat,team,room,centre\n"
                                "s1,t5,r5,c5\n"
                                "s9,t1,r5,c5\n";

struct bench {
    struct cm_config *config;
    struct cm_roster *roster, *other;
    struct cm_units *units;
    struct cm_unit_sets *sets;
    struct cm_attribution *attribution;
};

#define MOVE_MS INT64_C(1704067200000)

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    *state = b;
    if (b == NULL || cm_config_parse("t.yaml", yaml, sizeof(yaml) - 1, NULL, 0, &b->config) != 0 ||
        cm_roster_parse("r.csv", csv, sizeof(csv) - 1, "main", &b->roster) != 0 ||
        cm_roster_parse("o.csv", other_csv, sizeof(other_csv) - 1, "main", &b->other) != 0) {
        return -1;
    }
    b->units = cm_units_create();
    b->sets = cm_unit_sets_create();
    b->attribution = cm_attribution_create(b->config, b->roster, b->units);
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    cm_attribution_destroy(b->attribution);
    cm_units_destroy(b->units);
    cm_unit_sets_destroy(b->sets);
    cm_roster_free(b->roster);
    cm_roster_free(b->other);
    cm_config_free(b->config);
    free(b);
    return 0;
}

static struct cm_str str(const char *text)
{
    return (struct cm_str){text, (uint32_t)strlen(text)};
}

/* The set is that of the units, or not known; returns whether it was known. From now on it is. */
static bool has_its_set(struct bench *b, const struct cm_unit_set *units, uint32_t known)
{
    uint32_t set = cm_unit_sets_intern(b->sets, units->units, units->count);
    if (known != CM_UNIT_NONE) {
        assert_int_equal(known, set);
        return true;
    }
    cm_attribution_note_set(b->attribution, set);
    return false;
}

/* `wanted`: "seat:s1 team:t1 ..." in the order of the set. */
static void counts_for(struct bench *b, int64_t ts_ms, const char *seat, const char *queue,
                       const char *centre, const char *wanted)
{
    struct cm_event event = {
        .ts_ms = ts_ms, .seat = str(seat), .queue = str(queue), .centre = str(centre)};
    struct cm_unit_set units;
    struct cm_text got = {0};
    uint32_t known = cm_attribution_resolve(b->attribution, &event, &units);
    (void)has_its_set(b, &units, known);
    for (uint32_t i = 0; i < units.count; i++) {
        const struct cm_unit_key *key = cm_units_key(b->units, units.units[i]);
        cm_text_addf(&got, "%s%s:%.*s", i == 0 ? "" : " ", cm_kind_name(key->kind),
                     (int)key->id.len, key->id.p);
    }
    assert_string_equal(cm_text_cstr(&got), wanted);
    cm_text_free(&got);
    known = cm_attribution_resolve(b->attribution, &event, &units);
    /* Once more: what is remembered holds. */
    assert_int_equal(has_its_set(b, &units, known), event.seat.len + event.queue.len > 0);
}

static void a_seat_counts_where_it_sat_then(void **state)
{
    struct bench *b = *state;
    /* To and fro over the move, so that what is remembered must be looked up again. */
    for (int i = 0; i < 2; i++) {
        counts_for(b, MOVE_MS - 1, "s1", "", "c7", "seat:s1 team:t1 room:r1 centre:c2");
        counts_for(b, MOVE_MS, "s1", "qx", "c7", "seat:s1 team:t2 room:r1 centre:main queue:qx");
    }
    counts_for(b, 0, "s2", "", "", "seat:s2 centre:c2");
    counts_for(b, MOVE_MS - 1, "s3", "", "", "seat:s3 centre:main"); /* not yet in the roster */
    counts_for(b, MOVE_MS, "s3", "", "", "seat:s3 team:t1 room:r1 centre:c2");
    counts_for(b, MOVE_MS - 1, "s3", "", "c7", "seat:s3 centre:c7");
}

static void a_stranger_counts_for_itself_and_the_centre(void **state)
{
    struct bench *b = *state;
    counts_for(b, 5, "x", "qt", "", "seat:x centre:main queue:qt");
    counts_for(b, 5, "x", "qt", "c7", "seat:x centre:c7 queue:qt");
}

static void a_queue_counts_for_its_owner(void **state)
{
    struct bench *b = *state;
    counts_for(b, 5, "", "qt", "c7", "team:t1 room:r1 centre:c2 queue:qt");
    counts_for(b, 5, "", "qr", "c7", "room:r1 centre:c2 queue:qr");
    counts_for(b, 5, "", "qc", "c7", "centre:c9 queue:qc");
    counts_for(b, 5, "", "ql", "c7", "team:lost centre:main queue:ql");
    counts_for(b, 5, "", "qn", "c7", "centre:c7 queue:qn");
    counts_for(b, 5, "", "unknown", "", "centre:main queue:unknown");
    counts_for(b, 5, "", "", "c7", "centre:c7");
    counts_for(b, 5, "", "", "", "centre:main");
}

static void a_new_roster_holds_from_now_on(void **state)
{
    struct bench *b = *state;
    counts_for(b, 5, "s1", "", "", "seat:s1 team:t1 room:r1 centre:c2");
    counts_for(b, 5, "", "qt", "", "team:t1 room:r1 centre:c2 queue:qt");
    cm_attribution_set_roster(b->attribution, b->other);
    counts_for(b, 5, "s1", "", "", "seat:s1 team:t5 room:r5 centre:c5");
    counts_for(b, 5, "s2", "", "", "seat:s2 centre:main");
    counts_for(b, 5, "", "qt", "", "team:t1 room:r5 centre:c5 queue:qt");
}

static void places_that_are_over_make_no_units(void **state)
{
    struct bench *b = *state;
    counts_for(b, MOVE_MS, "s1", "", "", "seat:s1 team:t2 room:r1 centre:main");
    assert_int_equal(cm_units_find(b->units, CM_KIND_TEAM, CM_STR("t1")), CM_UNIT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_seat_counts_where_it_sat_then, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stranger_counts_for_itself_and_the_centre, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_queue_counts_for_its_owner, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_roster_holds_from_now_on, setup, teardown),
        cmocka_unit_test_setup_teardown(places_that_are_over_make_no_units, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
