// SPDX-License-Identifier: Apache-2.0
/* gauge_merge_test.c — pictures of several workers become one, and say when they change. */
#include "engine/gauge_merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define WORKERS 2
#define SEEN    400

static const struct cm_unit_key s1 = {CM_KIND_SEAT, {"s1", 2}};
static const struct cm_unit_key t1 = {CM_KIND_TEAM, {"t1", 2}};
static const struct cm_unit_key q1 = {CM_KIND_QUEUE, {"q1", 2}};

struct bench {
    struct cm_gauge_merge *merge;
    struct cm_frame frames[WORKERS];
    struct {
        struct cm_unit_key key;
        struct cm_gauge gauge;
    } seen[SEEN];
    uint32_t count;
};

static void open(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    b->merge = cm_gauge_merge_create(WORKERS);
}

static void close(struct bench *b)
{
    for (uint32_t w = 0; w < WORKERS; w++) {
        cm_frame_free(&b->frames[w]);
    }
    cm_gauge_merge_destroy(b->merge);
}

static struct cm_gauge *say(struct bench *b, uint32_t worker, const struct cm_unit_key *key)
{
    struct cm_frame_gauge *gauge = cm_frame_add_gauge(&b->frames[worker]);
    memset(gauge, 0, sizeof(*gauge));
    gauge->key = *key;
    return &gauge->gauge;
}

static void say_waits(struct bench *b, uint32_t worker, const struct cm_unit_key *key,
                      uint32_t calls, int64_t since_ms)
{
    struct cm_gauge *gauge = say(b, worker, key);
    gauge->has_waits = true;
    gauge->calls_waiting = calls;
    gauge->waiting_since_ms = since_ms;
}

static void say_seat(struct bench *b, uint32_t worker, enum cm_state state, int64_t since_ms)
{
    struct cm_gauge *gauge = say(b, worker, &s1);
    gauge->has_states = true;
    gauge->seats[state] = 1;
    gauge->state = state;
    gauge->since_ms = since_ms;
}

static void say_team(struct bench *b, uint32_t worker, uint32_t available, uint32_t talking)
{
    struct cm_gauge *gauge = say(b, worker, &t1);
    gauge->has_states = true;
    gauge->seats[CM_STATE_AVAILABLE] = available;
    gauge->seats[CM_STATE_TALKING] = talking;
    gauge->since_ms = INT64_MIN;
}

static void note(void *context, const struct cm_unit_key *key, const struct cm_gauge *gauge)
{
    struct bench *b = context;
    assert_true(b->count < SEEN);
    b->seen[b->count].key = *key;
    b->seen[b->count++].gauge = *gauge;
}

static void round_ends(struct bench *b)
{
    struct cm_frame *frames[WORKERS];
    for (uint32_t w = 0; w < WORKERS; w++) {
        frames[w] = &b->frames[w];
    }
    b->count = 0;
    cm_gauge_merge_take(b->merge, frames, note, b);
    for (uint32_t w = 0; w < WORKERS; w++) {
        cm_frame_clear(&b->frames[w]);
    }
}

/* What the round said of a unit: once at most. */
static const struct cm_gauge *seen(const struct bench *b, const struct cm_unit_key *key)
{
    const struct cm_gauge *found = NULL;
    for (uint32_t i = 0; i < b->count; i++) {
        if (cm_unit_key_cmp(&b->seen[i].key, key) == 0) {
            assert_null(found);
            found = &b->seen[i].gauge;
        }
    }
    return found;
}

static void shares_add_up(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    say_team(&b, 0, 3, 1);
    say_team(&b, 1, 2, 0);
    say_waits(&b, 0, &q1, 2, 5000);
    say_waits(&b, 1, &q1, 1, 4000);
    say_waits(&b, 1, &t1, 1, 4000);
    round_ends(&b);
    assert_int_equal(b.count, 2);
    const struct cm_gauge *team = seen(&b, &t1);
    assert_true(team->has_states && team->has_waits);
    assert_int_equal(team->seats[CM_STATE_AVAILABLE], 5);
    assert_int_equal(team->seats[CM_STATE_TALKING], 1);
    assert_int_equal(team->since_ms, INT64_MIN);
    assert_int_equal(team->calls_waiting, 1);
    assert_int_equal(team->waiting_since_ms, 4000);
    const struct cm_gauge *queue = seen(&b, &q1);
    assert_true(!queue->has_states && queue->has_waits);
    assert_int_equal(queue->calls_waiting, 3);
    assert_int_equal(queue->waiting_since_ms, 4000);
    close(&b);
}

/* States are said when they change, waits in every round. */
static void states_are_kept_and_waits_are_not(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    say_team(&b, 0, 3, 1);
    say_team(&b, 1, 2, 0);
    say_waits(&b, 0, &t1, 4, 5000);
    round_ends(&b);
    round_ends(&b);
    assert_int_equal(b.count, 0); /* nothing new, nobody waits */
    say_team(&b, 1, 1, 1);
    round_ends(&b);
    const struct cm_gauge *team = seen(&b, &t1);
    assert_int_equal(team->seats[CM_STATE_AVAILABLE], 3 + 1);
    assert_int_equal(team->seats[CM_STATE_TALKING], 1 + 1);
    assert_true(team->has_waits);
    assert_int_equal(team->calls_waiting, 0);
    assert_int_equal(team->waiting_since_ms, 0);
    say_waits(&b, 1, &t1, 2, 9000);
    round_ends(&b);
    team = seen(&b, &t1);
    assert_int_equal(team->calls_waiting, 2);
    assert_int_equal(team->waiting_since_ms, 9000); /* not that of before */
    assert_int_equal(team->seats[CM_STATE_AVAILABLE], 4);
    say_waits(&b, 1, &t1, 0, 0); /* they have gone: named once more */
    say_waits(&b, 0, &t1, 1, 9500);
    round_ends(&b);
    team = seen(&b, &t1);
    assert_int_equal(team->calls_waiting, 1);
    assert_int_equal(team->waiting_since_ms, 9500);
    close(&b);
}

static void of_a_seat_the_newest_change_counts(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    say_seat(&b, 0, CM_STATE_TALKING, 7000);
    round_ends(&b);
    say_seat(&b, 1, CM_STATE_BREAK, 6000);
    round_ends(&b);
    assert_int_equal(seen(&b, &s1)->state, CM_STATE_TALKING);
    assert_int_equal(seen(&b, &s1)->since_ms, 7000);
    say_seat(&b, 1, CM_STATE_OFFLINE, 8000);
    round_ends(&b);
    assert_int_equal(seen(&b, &s1)->state, CM_STATE_OFFLINE);
    assert_int_equal(seen(&b, &s1)->since_ms, 8000);
    close(&b);
}

static void a_worker_that_begins_again_takes_its_share_along(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    say_team(&b, 0, 3, 1);
    say_team(&b, 1, 2, 0);
    say_seat(&b, 1, CM_STATE_BREAK, 6000);
    say_waits(&b, 1, &q1, 2, 5000);
    round_ends(&b);
    cm_gauge_merge_forget(b.merge, 1);
    round_ends(&b);
    assert_int_equal(b.count, 3);
    assert_int_equal(seen(&b, &t1)->seats[CM_STATE_AVAILABLE], 3);
    assert_int_equal(seen(&b, &q1)->calls_waiting, 0);
    /* Nobody knows anything of the seat now: it is in no state. */
    assert_false(seen(&b, &s1)->has_states);
    say_seat(&b, 1, CM_STATE_BREAK, 6000);
    round_ends(&b);
    assert_true(seen(&b, &s1)->has_states);
    assert_int_equal(seen(&b, &s1)->since_ms, 6000);
    close(&b);
}

static void all_can_be_asked_for_again(void **state)
{
    (void)state;
    enum { TEAMS = 300 };
    struct bench b;
    open(&b);
    char names[TEAMS][8];
    for (uint32_t i = 0; i < TEAMS; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "t%u", i);
        struct cm_unit_key key = {CM_KIND_TEAM, {names[i], (uint32_t)strlen(names[i])}};
        struct cm_gauge *gauge = say(&b, i % WORKERS, &key);
        gauge->has_states = true;
        gauge->seats[CM_STATE_ACW] = i + 1;
        gauge->since_ms = INT64_MIN;
    }
    round_ends(&b);
    assert_int_equal(b.count, TEAMS);
    round_ends(&b);
    assert_int_equal(b.count, 0);
    cm_gauge_merge_touch_all(b.merge);
    round_ends(&b);
    assert_int_equal(b.count, TEAMS);
    for (uint32_t i = 0; i < TEAMS; i++) {
        struct cm_unit_key key = {CM_KIND_TEAM, {names[i], (uint32_t)strlen(names[i])}};
        assert_int_equal(seen(&b, &key)->seats[CM_STATE_ACW], i + 1);
    }
    close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_add_up),
        cmocka_unit_test(states_are_kept_and_waits_are_not),
        cmocka_unit_test(of_a_seat_the_newest_change_counts),
        cmocka_unit_test(a_worker_that_begins_again_takes_its_share_along),
        cmocka_unit_test(all_can_be_asked_for_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
