// SPDX-License-Identifier: Apache-2.0
/* queue_waits_test.c — who waits now, since when; what ends a wait, in any order of arrival. */
#include "window/queue_waits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ORPHAN_MS INT64_C(14400000) /* 4 h */
#define KEEP_MS   INT64_C(600000)

/* Queues q1 and q2 of one team. */
#define Q1   1u
#define Q2   2u
#define TEAM 3u

struct bench {
    struct cm_unit_sets *sets;
    struct cm_queue_waits *waits;
    uint32_t q1, q2; /* sets */
    int64_t newest_ms;
};

static void open(struct bench *b)
{
    b->sets = cm_unit_sets_create();
    b->waits = cm_queue_waits_create(b->sets, ORPHAN_MS, KEEP_MS);
    b->q1 = cm_unit_sets_intern(b->sets, (const uint32_t[]){Q1, TEAM}, 2);
    b->q2 = cm_unit_sets_intern(b->sets, (const uint32_t[]){Q2, TEAM}, 2);
    b->newest_ms = 0;
}

static void close(struct bench *b)
{
    cm_queue_waits_destroy(b->waits);
    cm_unit_sets_destroy(b->sets);
}

static void take(struct bench *b, enum cm_event_type type, const char *call, const char *queue,
                 int64_t ts_ms, enum cm_outcome outcome)
{
    struct cm_event event = {
        .type = (uint8_t)type,
        .outcome = (uint8_t)outcome,
        .ts_ms = ts_ms,
        .call = {call, (uint32_t)strlen(call)},
        .queue = {queue, (uint32_t)strlen(queue)},
    };
    b->newest_ms = ts_ms > b->newest_ms ? ts_ms : b->newest_ms;
    uint32_t set = strcmp(queue, "q2") == 0 ? b->q2 : b->q1;
    cm_queue_waits_take(b->waits, &event, set, b->newest_ms);
}

static void enter(struct bench *b, const char *call, const char *queue, int64_t ts_ms)
{
    take(b, CM_EVENT_QUEUE_ENTER, call, queue, ts_ms, CM_OUTCOME_ANSWERED);
}

static void leave(struct bench *b, const char *call, const char *queue, int64_t ts_ms)
{
    take(b, CM_EVENT_QUEUE_EXIT, call, queue, ts_ms, CM_OUTCOME_ANSWERED);
}

static void finish(struct bench *b, const char *call, int64_t ts_ms, enum cm_outcome outcome)
{
    take(b, CM_EVENT_CDR, call, "q1", ts_ms, outcome);
}

struct seen {
    bool named;
    uint32_t calls;
    int64_t since_ms;
};

/* One look; what it says of a few units. */
static void look(struct bench *b, struct seen seen[4])
{
    uint32_t count = 0;
    const struct cm_queue_gauge *gauges = cm_queue_waits_look(b->waits, &count);
    memset(seen, 0, 4 * sizeof(*seen));
    for (uint32_t i = 0; i < count; i++) {
        assert_true(gauges[i].unit < 4 && !seen[gauges[i].unit].named);
        seen[gauges[i].unit] = (struct seen){true, gauges[i].calls, gauges[i].since_ms};
    }
}

static void expect(struct bench *b, uint32_t unit, uint32_t calls, int64_t since_ms)
{
    struct seen seen[4];
    look(b, seen);
    assert_int_equal(seen[unit].calls, calls);
    assert_int_equal(seen[unit].since_ms, since_ms);
}

static void a_call_waits_until_it_leaves(void **state)
{
    (void)state;
    struct bench b;
    struct seen seen[4];
    open(&b);
    look(&b, seen);
    assert_false(seen[Q1].named);
    enter(&b, "c2", "q1", 2000);
    enter(&b, "c1", "q1", 1000);
    enter(&b, "c3", "q2", 3000);
    look(&b, seen);
    assert_int_equal(seen[Q1].calls, 2);
    assert_int_equal(seen[Q1].since_ms, 1000);
    assert_int_equal(seen[Q2].calls, 1);
    assert_int_equal(seen[Q2].since_ms, 3000);
    assert_int_equal(seen[TEAM].calls, 3);
    assert_int_equal(seen[TEAM].since_ms, 1000);
    leave(&b, "c1", "q1", 5000);
    leave(&b, "c3", "q2", 5000);
    look(&b, seen);
    assert_int_equal(seen[Q1].calls, 1);
    assert_int_equal(seen[Q1].since_ms, 2000);
    assert_true(seen[Q2].named); /* once more, as empty */
    assert_int_equal(seen[Q2].calls, 0);
    assert_int_equal(seen[Q2].since_ms, 0);
    look(&b, seen);
    assert_false(seen[Q2].named);
    assert_true(seen[Q1].named); /* as long as somebody waits */
    close(&b);
}

static void one_call_may_wait_in_several_queues(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    enter(&b, "c1", "q1", 1000);
    enter(&b, "c1", "q2", 4000);
    expect(&b, TEAM, 2, 1000);
    leave(&b, "c1", "q1", 4000);
    expect(&b, Q1, 0, 0);
    expect(&b, Q2, 1, 4000);
    expect(&b, TEAM, 1, 4000);
    finish(&b, "c1", 9000, CM_OUTCOME_ANSWERED); /* of q1 */
    expect(&b, Q2, 1, 4000);
    close(&b);
}

/* Call and queue together, whatever their letters. */
static void names_are_not_run_together(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    enter(&b, "c", "1q1", 1000);
    enter(&b, "c1", "q1", 2000);
    leave(&b, "c", "1q1", 3000);
    expect(&b, Q1, 1, 2000);
    close(&b);
}

static void the_order_of_arrival_does_not_matter(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    leave(&b, "c1", "q1", 5000);
    enter(&b, "c1", "q1", 1000); /* over before it is known */
    expect(&b, Q1, 0, 0);
    enter(&b, "c1", "q1", 8000); /* comes back */
    enter(&b, "c1", "q1", 6000);
    leave(&b, "c1", "q1", 5500);
    expect(&b, Q1, 1, 8000);
    leave(&b, "c1", "q1", 8000); /* at the same moment: it is over */
    expect(&b, Q1, 0, 0);
    close(&b);
}

static void a_cdr_ends_the_wait_when_somebody_or_nobody_will_answer(void **state)
{
    (void)state;
    static const bool ends[CM_OUTCOME_COUNT] = {
        [CM_OUTCOME_ANSWERED] = true, [CM_OUTCOME_ABANDONED] = true, [CM_OUTCOME_OVERFLOW] = true,
        [CM_OUTCOME_TIMEOUT] = true,  [CM_OUTCOME_CALLBACK] = true,
    };
    for (int outcome = 0; outcome < CM_OUTCOME_COUNT; outcome++) {
        struct bench b;
        open(&b);
        enter(&b, "c1", "q1", 1000);
        finish(&b, "other", 3000, (enum cm_outcome)outcome);
        expect(&b, Q1, 1, 1000);
        finish(&b, "c1", 4000, (enum cm_outcome)outcome);
        expect(&b, Q1, ends[outcome] ? 0 : 1, ends[outcome] ? 0 : 1000);
        close(&b);
    }
}

/* Both are of different partitions, say. Once there are such events at all. */
static void a_cdr_may_come_before_its_enter(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    finish(&b, "c0", 1000, CM_OUTCOME_ANSWERED);
    enter(&b, "c1", "q2", 1000);
    finish(&b, "c2", 9000, CM_OUTCOME_ABANDONED);
    finish(&b, "c3", 9000, CM_OUTCOME_NO_ANSWER);
    enter(&b, "c2", "q1", 5000);
    expect(&b, Q1, 0, 0);
    enter(&b, "c3", "q1", 6000);
    expect(&b, Q1, 1, 6000);
    enter(&b, "c2", "q1", 9500); /* comes back */
    expect(&b, Q1, 2, 6000);
    close(&b);
}

static void without_call_or_queue_nothing_waits(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    enter(&b, "", "q1", 1000);
    enter(&b, "c1", "", 1000);
    expect(&b, Q1, 0, 0);
    expect(&b, TEAM, 0, 0);
    close(&b);
}

static void who_never_leaves_is_taken_out_and_counted(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    enter(&b, "c1", "q1", 1000);
    enter(&b, "c2", "q1", 2000);
    cm_queue_waits_expire(b.waits, 1000 + ORPHAN_MS); /* not yet more than that */
    assert_int_equal(cm_queue_waits_orphans(b.waits), 0);
    expect(&b, Q1, 2, 1000);
    cm_queue_waits_expire(b.waits, 1001 + ORPHAN_MS);
    assert_int_equal(cm_queue_waits_orphans(b.waits), 1);
    expect(&b, Q1, 1, 2000);
    leave(&b, "c1", "q1", 3000); /* too late to be anything */
    expect(&b, Q1, 1, 2000);
    leave(&b, "c2", "q1", 3000);
    cm_queue_waits_expire(b.waits, 2 * ORPHAN_MS);
    assert_int_equal(cm_queue_waits_orphans(b.waits), 1);
    close(&b);
}

/* Read again after partitions have changed hands: what was counted stays counted, once. */
static void the_count_of_orphans_goes_on(void **state)
{
    (void)state;
    struct bench old;
    struct bench b;
    open(&old);
    enter(&old, "c1", "q1", 1000);
    enter(&old, "c2", "q1", 2000);
    cm_queue_waits_expire(old.waits, 1500 + ORPHAN_MS);
    assert_int_equal(cm_queue_waits_orphans(old.waits), 1);
    open(&b);
    cm_queue_waits_carry(b.waits, old.waits);
    close(&old);
    enter(&b, "c1", "q1", 1000);
    enter(&b, "c2", "q1", 2000);
    cm_queue_waits_expire(b.waits, 1500 + ORPHAN_MS);
    assert_int_equal(cm_queue_waits_orphans(b.waits), 1);
    cm_queue_waits_expire(b.waits, 2001 + ORPHAN_MS);
    assert_int_equal(cm_queue_waits_orphans(b.waits), 2);
    expect(&b, Q1, 0, 0);
    close(&b);
}

/* Time goes on with the events too, without anybody looking. */
static void events_alone_let_orphans_go(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    enter(&b, "c1", "q1", 1000);
    enter(&b, "c2", "q1", ORPHAN_MS + 500000);
    assert_int_equal(cm_queue_waits_orphans(b.waits), 1);
    expect(&b, Q1, 1, ORPHAN_MS + 500000);
    close(&b);
}

static void an_end_is_remembered_for_a_while(void **state)
{
    (void)state;
    struct bench b;
    open(&b);
    leave(&b, "c1", "q1", 5000);
    leave(&b, "c2", "q1", 5000);
    cm_queue_waits_expire(b.waits, 5000 + KEEP_MS);
    enter(&b, "c1", "q1", 4000);
    expect(&b, Q1, 0, 0);
    cm_queue_waits_expire(b.waits, 5001 + KEEP_MS);
    enter(&b, "c2", "q1", 4000);
    expect(&b, Q1, 1, 4000);
    close(&b);
}

static void many_calls_come_and_go(void **state)
{
    (void)state;
    enum { CALLS = 5000 };
    struct bench b;
    char call[16];
    open(&b);
    for (int i = 0; i < CALLS; i++) {
        (void)snprintf(call, sizeof(call), "c%d", i);
        enter(&b, call, i % 2 == 0 ? "q1" : "q2", 10000 + i);
    }
    expect(&b, TEAM, CALLS, 10000);
    for (int i = 0; i < CALLS; i += 2) {
        (void)snprintf(call, sizeof(call), "c%d", i);
        leave(&b, call, "q1", 20000 + i);
    }
    expect(&b, Q1, 0, 0);
    cm_queue_waits_expire(b.waits, 20000 + CALLS + KEEP_MS); /* the others are found again */
    expect(&b, Q2, CALLS / 2, 10001);
    for (int i = 1; i < CALLS; i += 2) {
        (void)snprintf(call, sizeof(call), "c%d", i);
        leave(&b, call, "q2", 30000 + i);
    }
    expect(&b, TEAM, 0, 0);
    assert_int_equal(cm_queue_waits_orphans(b.waits), 0);
    close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_waits_until_it_leaves),
        cmocka_unit_test(one_call_may_wait_in_several_queues),
        cmocka_unit_test(names_are_not_run_together),
        cmocka_unit_test(the_order_of_arrival_does_not_matter),
        cmocka_unit_test(a_cdr_ends_the_wait_when_somebody_or_nobody_will_answer),
        cmocka_unit_test(a_cdr_may_come_before_its_enter),
        cmocka_unit_test(without_call_or_queue_nothing_waits),
        cmocka_unit_test(who_never_leaves_is_taken_out_and_counted),
        cmocka_unit_test(the_count_of_orphans_goes_on),
        cmocka_unit_test(events_alone_let_orphans_go),
        cmocka_unit_test(an_end_is_remembered_for_a_while),
        cmocka_unit_test(many_calls_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
