// SPDX-License-Identifier: Apache-2.0
/* leg_log_test.c — legs by their place over many chunks, verdicts within the leg and beside it, and
 * legs that were taken back. */
#include "window/leg_log.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void add_at(struct cm_leg_log *log, uint32_t talk_ms, int64_t ts_ms)
{
    uint32_t place = log->end;
    struct cm_leg *leg = cm_leg_log_add(log, ts_ms);
    *leg = (struct cm_leg){.talk_ms = talk_ms};
    assert_ptr_equal(cm_leg_log_at(log, place), leg);
    assert_int_equal(log->end, place + 1);
}

static void add(struct cm_leg_log *log, uint32_t talk_ms)
{
    add_at(log, talk_ms, talk_ms);
}

/* A queue that grows and shrinks over the borders of its chunks, from a first place on. */
static void walk(uint32_t begin)
{
    struct cm_leg_log log = {.first = begin, .end = begin};
    uint32_t added = 0;
    uint32_t dropped = 0;
    for (uint32_t round = 0; round < 40; round++) {
        uint32_t legs = round % 3 == 0 ? 3 * CM_LEG_CHUNK_LEGS : CM_LEG_CHUNK_LEGS / 2 + 7;
        for (uint32_t i = 0; i < legs; i++) {
            add(&log, added++);
        }
        uint32_t keep = round % 5 == 4 ? 0 : 11 * round;
        while (log.end - log.first > keep) {
            assert_int_equal(cm_leg_log_at(&log, log.first)->talk_ms, dropped++);
            cm_leg_log_drop(&log);
        }
        assert_int_equal(log.end - begin, added);
        for (uint32_t i = dropped; i < added; i++) {
            assert_int_equal(cm_leg_log_at(&log, begin + i)->talk_ms, i);
            assert_true(cm_leg_log_has(&log, begin + i));
            assert_true(cm_leg_log_newest_ms(&log, begin + i) >= i); /* here each is the newest */
            assert_true(cm_leg_log_newest_ms(&log, begin + i) < i + (1u << CM_LEG_BLOCK_BITS));
        }
        assert_false(cm_leg_log_has(&log, log.end));
        assert_false(cm_leg_log_has(&log, log.first - 1));
        assert_true(log.bytes <= 66u * 8 * CM_LEG_CHUNK_LEGS); /* blocks are 1/32 byte a leg */
    }
    cm_leg_log_free(&log);
    assert_int_equal(log.bytes, 0);
}

static void legs_stay_at_their_places(void **state)
{
    (void)state;
    walk(0);
    walk(UINT32_MAX / CM_LEG_CHUNK_LEGS * CM_LEG_CHUNK_LEGS); /* places start again at 0 */
}

static void more_than_fit_are_all_found(void **state)
{
    (void)state;
    struct cm_leg_log log = {.chunks = NULL};
    enum { LEGS = 20 * CM_LEG_CHUNK_LEGS };
    for (uint32_t i = 0; i < LEGS; i++) { /* the ring of chunks grows, its first one begun */
        add(&log, i);
        if (i == 40) {
            cm_leg_log_drop(&log);
        }
    }
    for (uint32_t i = 1; i < LEGS; i++) {
        assert_int_equal(cm_leg_log_at(&log, i)->talk_ms, i);
    }
    cm_leg_log_free(&log);
}

/* A wrong clock makes all look new until its chunk is gone, and no longer. */
static void one_that_is_far_ahead_is_forgotten_with_its_chunk(void **state)
{
    (void)state;
    struct cm_leg_log log = {.chunks = NULL};
    for (uint32_t i = 0; i < 3 * CM_LEG_CHUNK_LEGS; i++) {
        add_at(&log, 0, i == 500 ? INT64_C(4102444800000) : (int64_t)i);
    }
    assert_true(cm_leg_log_newest_ms(&log, 0) < 500);
    assert_int_equal(cm_leg_log_newest_ms(&log, 500), INT64_C(4102444800000));
    assert_int_equal(cm_leg_log_newest_ms(&log, log.end - 1), INT64_C(4102444800000));
    for (uint32_t i = 0; i < CM_LEG_CHUNK_LEGS; i++) {
        cm_leg_log_drop(&log);
    }
    for (uint32_t i = 0; i < 10; i++) {
        add_at(&log, 0, 2 * (int64_t)CM_LEG_CHUNK_LEGS + i); /* older than what is there */
    }
    assert_int_equal(cm_leg_log_newest_ms(&log, log.end - 1), 3 * CM_LEG_CHUNK_LEGS - 1);
    cm_leg_log_free(&log);
}

static void verdicts_lie_within_the_leg_or_beside_it(void **state)
{
    (void)state;
    struct cm_leg_log log = {.chunks = NULL};
    uint16_t checks[300];
    for (uint32_t i = 0; i < 300; i++) {
        checks[i] = (uint16_t)(7 * i);
    }
    static const uint32_t counts[] = {0, 1, CM_LEG_CHECKS_FEW, CM_LEG_CHECKS_FEW + 1, 300};
    for (uint32_t i = 0; i < 5; i++) {
        add(&log, i);
        cm_leg_log_set_checks(&log, cm_leg_log_at(&log, i), checks, counts[i]);
    }
    for (uint32_t i = 0; i < 5; i++) {
        const struct cm_leg *leg = cm_leg_log_at(&log, i);
        assert_int_equal(leg->checks_count, counts[i]);
        assert_memory_equal(cm_leg_checks(leg), checks, counts[i] * sizeof(checks[0]));
    }
    size_t bytes = log.bytes;
    struct cm_leg *last = cm_leg_log_at(&log, 4);
    last->ts_ms = 5;
    last->cell = 6;
    last->before = 3;
    last->flags = 1;
    cm_leg_log_clear(&log, last); /* taken back: it stays where it belongs */
    assert_int_equal(log.bytes, bytes - 300 * sizeof(checks[0]));
    assert_int_equal(last->ts_ms, 5);
    assert_int_equal(last->cell, 6);
    assert_int_equal(last->before, 3);
    assert_false(cm_leg_counts(last));
    assert_int_equal(last->talk_ms, 0);
    assert_int_equal(last->checks_count, 0);
    assert_int_equal(last->bin, CM_LEG_NO_BIN);
    while (log.first != log.end) {
        cm_leg_log_drop(&log);
    }
    cm_leg_log_free(&log);
    assert_int_equal(log.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(legs_stay_at_their_places),
        cmocka_unit_test(more_than_fit_are_all_found),
        cmocka_unit_test(one_that_is_far_ahead_is_forgotten_with_its_chunk),
        cmocka_unit_test(verdicts_lie_within_the_leg_or_beside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
