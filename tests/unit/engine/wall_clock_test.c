// SPDX-License-Identifier: Apache-2.0
/* wall_clock_test.c — a wall clock that is set forward, back, and right again. */
#include "engine/wall_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"

#define T0   INT64_C(1706000000000) /* wall time when the test begins, ms */
#define M0   (500 * CM_NS_PER_S)    /* monotonic time then */
#define LATE 80                     /* how old the newest event is when it comes, ms */

/* `after_ms` into the test, the wall clock off by `off_ms`. */
static int64_t sure_ms(struct cm_wall_clock *clock, int64_t after_ms, int64_t off_ms,
                       int64_t event_ns)
{
    return cm_wall_clock_sure_ms(clock, T0 + after_ms + off_ms, M0 + after_ms * CM_NS_PER_MS,
                                 event_ns);
}

static bool steps(struct cm_wall_clock *clock, int64_t after_ms, int64_t off_ms)
{
    clock->stepped = false;
    cm_wall_clock_look(clock, T0 + after_ms + off_ms, M0 + after_ms * CM_NS_PER_MS);
    return clock->stepped;
}

static const int64_t events_ns = (T0 - LATE) * CM_NS_PER_MS - M0;

static void a_clock_that_nobody_sets(void **state)
{
    (void)state;
    struct cm_wall_clock clock;
    cm_wall_clock_init(&clock, T0, M0);
    assert_int_equal(sure_ms(&clock, 0, 0, INT64_MIN), T0);
    assert_int_equal(sure_ms(&clock, 1000, 0, INT64_MIN), T0 + 1000);
    assert_int_equal(sure_ms(&clock, 1000, 0, events_ns), T0 + 1000);
    /* An event from a clock that is ahead, within the limit, takes the limit nowhere. */
    assert_int_equal(sure_ms(&clock, 1000, 0, events_ns + 50 * CM_NS_PER_S), T0 + 1000);
    assert_false(steps(&clock, CM_MS_PER_D, 0));
}

static void set_back_and_right_again(void **state)
{
    (void)state;
    struct cm_wall_clock clock;
    cm_wall_clock_init(&clock, T0, M0);
    assert_int_equal(sure_ms(&clock, 1000, -CM_MS_PER_H, events_ns), T0 + 1000 - LATE);
    assert_int_equal(sure_ms(&clock, CM_MS_PER_H, -CM_MS_PER_H, events_ns),
                     T0 + CM_MS_PER_H - LATE);
    /* Event time that lies far back, as of a file of last year's, says nothing. */
    int64_t old_ns = events_ns - CM_MS_PER_D * CM_NS_PER_MS;
    assert_int_equal(sure_ms(&clock, 2000, -CM_MS_PER_H, old_ns), T0 + 2000 - CM_MS_PER_H);
    assert_int_equal(sure_ms(&clock, 2000, -CM_MS_PER_H, INT64_MIN), T0 + 2000 - CM_MS_PER_H);
    assert_int_equal(sure_ms(&clock, 3000, 0, events_ns), T0 + 3000);
}

/* Begun with a clock that was a day ahead, or set there by mistake: it is put right, and the day is
 * no limit for the clocks of others. */
static void set_back_because_it_was_ahead(void **state)
{
    (void)state;
    struct cm_wall_clock clock;
    cm_wall_clock_init(&clock, T0 + CM_MS_PER_D, M0);
    assert_int_equal(sure_ms(&clock, 1000, 0, events_ns), T0 + 1000);
    cm_wall_clock_init(&clock, T0, M0);
    assert_int_equal(sure_ms(&clock, 1000, CM_MS_PER_D, events_ns), T0 + 1000 + CM_MS_PER_D);
    assert_int_equal(sure_ms(&clock, 2000, 0, events_ns), T0 + 2000);
    assert_int_equal(sure_ms(&clock, 3000, -CM_MS_PER_H, events_ns), T0 + 3000 - LATE);
    /* However far events may have crept ahead, no further than a clock of ours has ever been. */
    assert_int_equal(sure_ms(&clock, 4000, 0, INT64_MAX / 2), T0 + 4000 + CM_MS_PER_D);
}

/* Begun again before it was put right: all that the earlier life has counted counts again. */
static void set_back_in_an_earlier_life(void **state)
{
    (void)state;
    struct cm_wall_clock clock;
    cm_wall_clock_init(&clock, T0 - CM_MS_PER_H, M0);
    cm_wall_clock_know(&clock, T0 - CM_MS_PER_H, M0, INT64_MIN);
    assert_int_equal(sure_ms(&clock, 1000, -CM_MS_PER_H, INT64_MIN), T0 + 1000 - CM_MS_PER_H);
    cm_wall_clock_know(&clock, T0 - CM_MS_PER_H, M0, CM_MS_PER_H - LATE);
    assert_int_equal(sure_ms(&clock, 1000, -CM_MS_PER_H, INT64_MIN), T0 + 1000 - LATE);
    assert_int_equal(sure_ms(&clock, 2000, 0, events_ns), T0 + 2000);
    /* Or it was behind by what its records were: that says nothing. */
    cm_wall_clock_init(&clock, T0, M0);
    cm_wall_clock_know(&clock, T0, M0, -CM_MS_PER_D);
    assert_int_equal(sure_ms(&clock, 1000, 0, INT64_MIN), T0 + 1000);
}

static void each_step_is_seen_once(void **state)
{
    (void)state;
    struct cm_wall_clock clock;
    cm_wall_clock_init(&clock, T0, M0);
    assert_false(steps(&clock, 200, 0));
    assert_false(steps(&clock, 400, 999)); /* no more than reading it now and then is off by */
    assert_true(steps(&clock, 600, CM_MS_PER_H));
    assert_false(steps(&clock, 800, CM_MS_PER_H));
    assert_true(steps(&clock, 1000, 0));
    assert_true(steps(&clock, 1200, -1000));
    assert_false(steps(&clock, CM_MS_PER_D, -1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_nobody_sets),
        cmocka_unit_test(set_back_and_right_again),
        cmocka_unit_test(set_back_because_it_was_ahead),
        cmocka_unit_test(set_back_in_an_earlier_life),
        cmocka_unit_test(each_step_is_seen_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
