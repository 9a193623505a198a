// SPDX-License-Identifier: Apache-2.0
/* seat_states_test.c — time in states and the live picture, whatever the order of arrival. */
#include "window/seat_states.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"

#define PANE_MS 1000
#define KEEP_MS 60000
#define SPAN    0u

/* Seat s1 of team t1, later of t2; seat s2 of t1. */
struct bench {
    struct cm_units *units;
    struct cm_sums *sums;
    struct cm_unit_sets *sets;
    struct cm_seat_states *states;
    uint32_t s1, s2, t1, t2;
    uint32_t s1_in_t1, s1_in_t2, s2_in_t1; /* sets */
    int64_t newest_ms;
};

static void ignore(void *context, uint32_t span, uint32_t unit)
{
    (void)context;
    (void)span;
    (void)unit;
}

static void open(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    b->units = cm_units_create();
    b->s1 = cm_units_intern(b->units, CM_KIND_SEAT, CM_STR("s1"));
    b->s2 = cm_units_intern(b->units, CM_KIND_SEAT, CM_STR("s2"));
    b->t1 = cm_units_intern(b->units, CM_KIND_TEAM, CM_STR("t1"));
    b->t2 = cm_units_intern(b->units, CM_KIND_TEAM, CM_STR("t2"));
    b->sums = cm_sums_create(PANE_MS, ignore, NULL);
    assert_int_equal(cm_sums_add_span(b->sums, false, (1u << CM_KIND_COUNT) - 1), SPAN);
    b->sets = cm_unit_sets_create();
    b->s1_in_t1 = cm_unit_sets_intern(b->sets, (const uint32_t[]){b->s1, b->t1}, 2);
    b->s1_in_t2 = cm_unit_sets_intern(b->sets, (const uint32_t[]){b->s1, b->t2}, 2);
    b->s2_in_t1 = cm_unit_sets_intern(b->sets, (const uint32_t[]){b->s2, b->t1}, 2);
    b->states = cm_seat_states_create(b->sums, b->sets, b->units, KEEP_MS);
    b->newest_ms = INT64_MIN;
}

static void close(struct bench *b)
{
    cm_seat_states_destroy(b->states);
    cm_unit_sets_destroy(b->sets);
    cm_sums_destroy(b->sums);
    cm_units_destroy(b->units);
}

static bool take(struct bench *b, uint32_t seat, uint32_t set, int64_t ts_ms, const char *id,
                 enum cm_state state)
{
    struct cm_event event = {
        .type = CM_EVENT_SEAT_STATE,
        .ts_ms = ts_ms,
        .id = {id, (uint32_t)strlen(id)},
        .state = (uint8_t)state,
    };
    b->newest_ms = ts_ms > b->newest_ms ? ts_ms : b->newest_ms;
    return cm_seat_states_take(b->states, seat, set, &event, b->newest_ms);
}

static bool take_s1(struct bench *b, int64_t ts_ms, const char *id, enum cm_state state)
{
    return take(b, b->s1, b->s1_in_t1, ts_ms, id, state);
}

static void move(struct bench *b, int64_t left_ms, int64_t asof_ms)
{
    cm_sums_move(b->sums, SPAN, left_ms / PANE_MS, asof_ms / PANE_MS);
}

static void expect_ms(const struct bench *b, uint32_t unit, enum cm_state state, uint64_t ms)
{
    assert_int_equal(cm_sums_state_ms(b->sums, SPAN, unit, state), ms);
}

static void expect_now(const struct bench *b, uint32_t seat, enum cm_state state, int64_t since_ms)
{
    enum cm_state now = CM_STATE_COUNT;
    int64_t at_ms = 0;
    assert_true(cm_seat_states_now(b->states, seat, &now, &at_ms));
    assert_int_equal(now, state);
    assert_int_equal(at_ms, since_ms);
}

static void a_state_holds_up_to_the_next_or_goes_on(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    assert_true(take_s1(&b, 11500, "a", CM_STATE_AVAILABLE));
    assert_true(take_s1(&b, 14250, "b", CM_STATE_TALKING));
    move(&b, 10000, 20000);
    expect_ms(&b, b.s1, CM_STATE_AVAILABLE, 2750); /* nothing counts before the first event */
    expect_ms(&b, b.s1, CM_STATE_TALKING, 5750);
    expect_ms(&b, b.t1, CM_STATE_TALKING, 5750);
    expect_ms(&b, b.t2, CM_STATE_TALKING, 0);
    move(&b, 13000, 23000); /* only the part inside */
    expect_ms(&b, b.s1, CM_STATE_AVAILABLE, 1250);
    expect_ms(&b, b.s1, CM_STATE_TALKING, 8750);
    move(&b, 100000, 110000); /* no event for long: it goes on all the same */
    expect_ms(&b, b.s1, CM_STATE_AVAILABLE, 0);
    expect_ms(&b, b.s1, CM_STATE_TALKING, 10000);
    close(&b);
}

/* The state of the greater id is the later one: the other has no length. */
static void of_equal_moments_the_greater_id_is_the_later(void **state)
{
    (void)state;
    static const char *const ids[] = {"b", "a\xff", "a"};
    static const enum cm_state states[] = {CM_STATE_BREAK, CM_STATE_HOLD, CM_STATE_TALKING};
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (int o = 0; o < 6; o++) {
        struct bench b;
        open(&b);
        assert_true(take_s1(&b, 10000, "z", CM_STATE_AVAILABLE));
        for (int i = 0; i < 3; i++) {
            int k = orders[o][i];
            assert_true(take_s1(&b, 12000, ids[k], states[k]));
        }
        move(&b, 10000, 15000);
        expect_ms(&b, b.s1, CM_STATE_AVAILABLE, 2000);
        expect_ms(&b, b.s1, CM_STATE_BREAK, 3000);
        expect_ms(&b, b.s1, CM_STATE_HOLD, 0);
        expect_ms(&b, b.s1, CM_STATE_TALKING, 0);
        expect_now(&b, b.s1, CM_STATE_BREAK, 12000);
        close(&b);
    }
}

/* One that comes late cuts the span it falls into, in windows that have passed it as well. */
static void one_out_of_order_is_put_in_its_place(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    assert_true(take_s1(&b, 10000, "a", CM_STATE_AVAILABLE));
    assert_true(take_s1(&b, 30000, "c", CM_STATE_ACW));
    move(&b, 10000, 40000);
    expect_ms(&b, b.t1, CM_STATE_AVAILABLE, 20000);
    assert_true(take_s1(&b, 16000, "b", CM_STATE_TALKING));
    expect_ms(&b, b.t1, CM_STATE_AVAILABLE, 6000);
    expect_ms(&b, b.t1, CM_STATE_TALKING, 14000);
    expect_ms(&b, b.t1, CM_STATE_ACW, 10000);
    expect_now(&b, b.s1, CM_STATE_ACW, 30000); /* what holds now is another */
    const uint32_t *counts = cm_seat_states_counts(b.states, b.t1);
    assert_non_null(counts);
    assert_int_equal(counts[CM_STATE_ACW], 1);
    assert_int_equal(counts[CM_STATE_TALKING], 0);
    assert_true(take_s1(&b, 5000, "0", CM_STATE_BREAK)); /* before the first of all */
    move(&b, 10000, 41000);
    expect_ms(&b, b.t1, CM_STATE_BREAK, 0);
    expect_ms(&b, b.t1, CM_STATE_AVAILABLE, 6000);
    close(&b);
}

static void any_order_gives_the_same(void **state)
{
    (void)state;
    enum { CHANGES = 40, ROUNDS = 300 };
    struct cm_prng prng;
    cm_prng_seed(&prng, 5);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t ts_ms[CHANGES];
        enum cm_state states[CHANGES];
        char ids[CHANGES][8];
        uint32_t order[CHANGES];
        uint64_t wanted[CM_STATE_COUNT] = {0};
        int64_t at_ms = 20000;
        for (uint32_t i = 0; i < CHANGES; i++) { /* in the order of (ts, id) */
            at_ms += (int64_t)cm_prng_below(&prng, 3) * 700;
            ts_ms[i] = at_ms;
            states[i] = (enum cm_state)cm_prng_below(&prng, CM_STATE_COUNT);
            (void)snprintf(ids[i], sizeof(ids[i]), "%03u", i);
            order[i] = i;
        }
        for (uint32_t i = 0; i < CHANGES; i++) { /* the window: 30 s to 50 s */
            int64_t from_ms = ts_ms[i] > 30000 ? ts_ms[i] : 30000;
            int64_t to_ms = i + 1 < CHANGES && ts_ms[i + 1] < 50000 ? ts_ms[i + 1] : 50000;
            wanted[states[i]] += from_ms < to_ms ? (uint64_t)(to_ms - from_ms) : 0;
        }
        for (uint32_t i = CHANGES - 1; i > 0; i--) {
            uint32_t k = (uint32_t)cm_prng_below(&prng, i + 1);
            uint32_t swap = order[i];
            order[i] = order[k];
            order[k] = swap;
        }
        struct bench b;
        open(&b);
        for (uint32_t i = 0; i < CHANGES; i++) {
            if (i == CHANGES / 2) {
                move(&b, 20000, 40000);
            }
            uint32_t k = order[i];
            assert_true(take_s1(&b, ts_ms[k], ids[k], states[k]));
        }
        move(&b, 30000, 50000);
        for (uint32_t i = 0; i < CM_STATE_COUNT; i++) {
            expect_ms(&b, b.s1, (enum cm_state)i, wanted[i]);
        }
        expect_now(&b, b.s1, states[CHANGES - 1], ts_ms[CHANGES - 1]);
        close(&b);
    }
}

static void one_that_is_too_old_changes_nothing(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    assert_true(take_s1(&b, 10000, "a", CM_STATE_AVAILABLE));
    assert_true(take(&b, b.s2, b.s2_in_t1, 100000, "n", CM_STATE_OFFLINE));
    assert_true(take_s1(&b, 100000 - KEEP_MS, "b", CM_STATE_TALKING)); /* just young enough */
    assert_false(take_s1(&b, 100000 - KEEP_MS - 1, "c", CM_STATE_BREAK));
    move(&b, 30000, 100000);
    expect_ms(&b, b.s1, CM_STATE_AVAILABLE, 10000);
    expect_ms(&b, b.s1, CM_STATE_TALKING, 60000);
    expect_ms(&b, b.s1, CM_STATE_BREAK, 0);
    close(&b);
}

/* What is forgotten must still be ended by whatever comes. */
static void the_last_one_stays_whatever_its_age(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    assert_true(take_s1(&b, 1000, "a", CM_STATE_TALKING));
    for (int i = 0; i < 200; i++) { /* another seat drives the time on */
        char id[16];
        (void)snprintf(id, sizeof(id), "n%d", i);
        enum cm_state next = i % 2 == 0 ? CM_STATE_AVAILABLE : CM_STATE_TALKING;
        assert_true(take(&b, b.s2, b.s2_in_t1, 2000 + 10000 * (int64_t)i, id, next));
    }
    assert_int_equal(b.newest_ms, 1992000);
    assert_true(take_s1(&b, 1980000, "z", CM_STATE_OFFLINE));
    move(&b, 1970000, 1992000);
    expect_ms(&b, b.s1, CM_STATE_TALKING, 10000);
    expect_ms(&b, b.s1, CM_STATE_OFFLINE, 12000);
    /* And a seat with many changes goes on being cut right after forgetting. */
    assert_true(take(&b, b.s2, b.s2_in_t1, 1976000, "late", CM_STATE_BREAK));
    expect_ms(&b, b.s2, CM_STATE_BREAK, 6000);
    close(&b);
}

/* A span counts for the units of the event that began it. */
static void a_seat_that_moves_leaves_its_time_behind(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    assert_true(take_s1(&b, 10000, "a", CM_STATE_AVAILABLE));
    assert_true(take(&b, b.s1, b.s1_in_t2, 16000, "b", CM_STATE_AVAILABLE));
    move(&b, 10000, 20000);
    expect_ms(&b, b.t1, CM_STATE_AVAILABLE, 6000);
    expect_ms(&b, b.t2, CM_STATE_AVAILABLE, 4000);
    expect_ms(&b, b.s1, CM_STATE_AVAILABLE, 10000);
    const uint32_t *counts = cm_seat_states_counts(b.states, b.t1);
    assert_int_equal(counts[CM_STATE_AVAILABLE], 0);
    counts = cm_seat_states_counts(b.states, b.t2);
    assert_int_equal(counts[CM_STATE_AVAILABLE], 1);
    close(&b);
}

static void the_live_picture_counts_seats_by_state(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    enum cm_state now = CM_STATE_COUNT;
    int64_t since_ms = 0;
    uint32_t count = 9;
    assert_false(cm_seat_states_now(b.states, b.s1, &now, &since_ms));
    assert_null(cm_seat_states_counts(b.states, b.t1));
    assert_false(cm_seat_states_is_on(b.states, b.t1));
    (void)cm_seat_states_changed(b.states, &count);
    assert_int_equal(count, 0);

    assert_true(take_s1(&b, 10000, "a", CM_STATE_AVAILABLE));
    assert_true(take(&b, b.s2, b.s2_in_t1, 11000, "b", CM_STATE_AVAILABLE));
    (void)cm_seat_states_changed(b.states, &count);
    assert_int_equal(count, 3); /* s1, s2, t1: each once */
    assert_int_equal(cm_seat_states_counts(b.states, b.t1)[CM_STATE_AVAILABLE], 2);
    (void)cm_seat_states_changed(b.states, &count);
    assert_int_equal(count, 0);

    assert_true(take_s1(&b, 12000, "c", CM_STATE_OFFLINE));
    const uint32_t *changed = cm_seat_states_changed(b.states, &count);
    assert_int_equal(count, 2);
    assert_true(changed[0] != b.s2 && changed[1] != b.s2);
    const uint32_t *counts = cm_seat_states_counts(b.states, b.t1);
    assert_int_equal(counts[CM_STATE_AVAILABLE], 1);
    assert_int_equal(counts[CM_STATE_OFFLINE], 1);
    assert_true(cm_seat_states_is_on(b.states, b.t1));
    assert_false(cm_seat_states_is_on(b.states, b.s1));
    assert_null(cm_seat_states_counts(b.states, b.t2));

    cm_seat_states_touch_all(b.states);
    (void)cm_seat_states_changed(b.states, &count);
    assert_int_equal(count, 3);
    close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_holds_up_to_the_next_or_goes_on),
        cmocka_unit_test(of_equal_moments_the_greater_id_is_the_later),
        cmocka_unit_test(one_out_of_order_is_put_in_its_place),
        cmocka_unit_test(any_order_gives_the_same),
        cmocka_unit_test(one_that_is_too_old_changes_nothing),
        cmocka_unit_test(the_last_one_stays_whatever_its_age),
        cmocka_unit_test(a_seat_that_moves_leaves_its_time_behind),
        cmocka_unit_test(the_live_picture_counts_seats_by_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
