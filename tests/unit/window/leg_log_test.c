// SPDX-License-Identifier: Apache-2.0
/* leg_log_test.c — legs by their place over many chunks, verdicts within the leg and beside it, and
 * legs that were taken back. */
#include "window/leg_log.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void add(struct cm_leg_log *log, uint32_t talk_ms)
{
    uint32_t place = log->end;
    struct cm_leg *leg = cm_leg_log_add(log);
    *leg = (struct cm_leg){.talk_ms = talk_ms};
    assert_ptr_equal(cm_leg_log_at(log, place), leg);
    assert_int_equal(log->end, place + 1);
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
        }
        assert_true(log.bytes <= sizeof(struct cm_leg) * 8 * CM_LEG_CHUNK_LEGS);
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
    last->flags = 1;
    cm_leg_log_clear(&log, last); /* taken back: its time and its cell stay */
    assert_int_equal(log.bytes, bytes - 300 * sizeof(checks[0]));
    assert_int_equal(last->ts_ms, 5);
    assert_int_equal(last->cell, 6);
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
        cmocka_unit_test(verdicts_lie_within_the_leg_or_beside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
