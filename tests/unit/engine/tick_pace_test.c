// SPDX-License-Identifier: Apache-2.0
/* tick_pace_test.c — ticks keep their beat, and give way to records that wait. */
#include "engine/tick_pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"

#define MS CM_NS_PER_MS

static void ticks_keep_their_beat(void **state)
{
    (void)state;
    struct cm_tick_pace pace = {.tick_ns = 200 * MS};
    assert_true(cm_tick_pace_is_due(&pace, 1000 * MS, false));
    cm_tick_pace_begin(&pace, 1000 * MS, false);
    cm_tick_pace_end(&pace, 1150 * MS, 5000, 5000); /* a tick's worth waits: that is no backlog */
    assert_false(cm_tick_pace_is_due(&pace, 1200 * MS - 1, false));
    assert_true(cm_tick_pace_is_due(&pace, 1200 * MS, false));
    cm_tick_pace_begin(&pace, 1230 * MS, false); /* begun late: the next one is not */
    cm_tick_pace_end(&pace, 1240 * MS, 5000, 0);
    assert_true(cm_tick_pace_is_due(&pace, 1400 * MS, false));
    assert_false(cm_tick_pace_is_due(&pace, 1399 * MS, false));
    cm_tick_pace_begin(&pace, 2000 * MS, false); /* a beat was left out: a new one begins */
    assert_false(cm_tick_pace_is_due(&pace, 2199 * MS, false));
    assert_true(cm_tick_pace_is_due(&pace, 2200 * MS, false));
}

static void a_tick_before_its_time_puts_off_the_next_one_by_one_beat(void **state)
{
    (void)state;
    struct cm_tick_pace pace = {.tick_ns = 200 * MS};
    cm_tick_pace_begin(&pace, 1000 * MS, false);
    for (int64_t early_ms = 1010; early_ms <= 1050; early_ms += 10) { /* many: not by many */
        cm_tick_pace_begin(&pace, early_ms * MS, false);
    }
    assert_false(cm_tick_pace_is_due(&pace, 1249 * MS, false));
    assert_true(cm_tick_pace_is_due(&pace, 1250 * MS, false));
}

static void ticks_give_way_to_records(void **state)
{
    (void)state;
    struct cm_tick_pace pace = {.tick_ns = 200 * MS};
    cm_tick_pace_begin(&pace, 1000 * MS, false);
    cm_tick_pace_end(&pace, 1100 * MS, 5000, 100000); /* took 100 ms, so it rests for 400 */
    assert_false(cm_tick_pace_is_due(&pace, 1500 * MS - 1, false));
    assert_true(cm_tick_pace_is_due(&pace, 1500 * MS, false));
    cm_tick_pace_begin(&pace, 1500 * MS, false);
    cm_tick_pace_end(&pace, 1510 * MS, 10000, 90000); /* 10 ms: the beat holds */
    assert_false(cm_tick_pace_is_due(&pace, 1699 * MS, false));
    assert_true(cm_tick_pace_is_due(&pace, 1700 * MS, false));
    cm_tick_pace_begin(&pace, 1700 * MS, false);
    cm_tick_pace_end(&pace, 2700 * MS, 15000, 80000); /* 1 s: rests for no longer than that */
    assert_false(cm_tick_pace_is_due(&pace, 3699 * MS, false));
    assert_true(cm_tick_pace_is_due(&pace, 3700 * MS, false));
    cm_tick_pace_begin(&pace, 3700 * MS, false);
    cm_tick_pace_end(&pace, 3800 * MS, 90000, 5000); /* nearly done */
    assert_true(cm_tick_pace_is_due(&pace, 3900 * MS, false));
}

/* 20,000 records a second and a tick of 10 ms: a fetch of 5,000 is 25 ticks' worth. */
static void a_fetch_is_no_backlog(void **state)
{
    (void)state;
    struct cm_tick_pace pace = {.tick_ns = 10 * MS};
    uint64_t records = 5000;
    int64_t now_ns = 1000 * MS;
    for (; now_ns < 4000 * MS; now_ns += 10 * MS) {
        assert_true(cm_tick_pace_is_due(&pace, now_ns, false));
        cm_tick_pace_begin(&pace, now_ns, false);
        bool fetched = now_ns % (250 * MS) == 0;
        records += fetched ? 5000 : 0;
        cm_tick_pace_end(&pace, now_ns + 8 * MS, records, fetched ? 0 : 5000);
    }
    cm_tick_pace_begin(&pace, now_ns, false);
    cm_tick_pace_end(&pace, now_ns + 8 * MS, records, 30000); /* more than a second's worth */
    assert_false(cm_tick_pace_is_due(&pace, now_ns + 10 * MS, false));
    assert_true(cm_tick_pace_is_due(&pace, now_ns + 40 * MS, false));
}

static void a_busy_redis_puts_a_tick_off_until_it_has_answered(void **state)
{
    (void)state;
    struct cm_tick_pace pace = {.tick_ns = 10 * MS};
    cm_tick_pace_begin(&pace, 1000 * MS, false);
    assert_false(cm_tick_pace_is_due(&pace, 1009 * MS, false));
    assert_false(cm_tick_pace_is_due(&pace, 1010 * MS, true));
    assert_true(cm_tick_pace_is_due(&pace, 1013 * MS, false)); /* answered: at once */
    cm_tick_pace_begin(&pace, 1013 * MS, false);
    assert_false(cm_tick_pace_is_due(&pace, 1019 * MS, false)); /* never two within a tick */
    assert_true(cm_tick_pace_is_due(&pace, 1020 * MS, false));
}

static void rules_do_not_wait_for_redis(void **state)
{
    (void)state;
    struct cm_tick_pace pace = {.tick_ns = 10 * MS};
    cm_tick_pace_begin(&pace, 1000 * MS, false);
    assert_false(cm_tick_pace_is_due(&pace, 1050 * MS - 1, true));
    assert_true(cm_tick_pace_is_due(&pace, 1050 * MS, true));
    cm_tick_pace_begin(&pace, 1050 * MS, true); /* without rows: they are still due */
    assert_false(cm_tick_pace_is_due(&pace, 1100 * MS - 1, true));
    assert_true(cm_tick_pace_is_due(&pace, 1051 * MS, false));
    assert_true(cm_tick_pace_is_due(&pace, 1100 * MS, true));

    struct cm_tick_pace longer = {.tick_ns = 200 * MS};
    cm_tick_pace_begin(&longer, 1000 * MS, false);
    assert_false(cm_tick_pace_is_due(&longer, 1199 * MS, true));
    assert_true(cm_tick_pace_is_due(&longer, 1200 * MS, true));
    cm_tick_pace_begin(&longer, 1200 * MS, true);
    assert_false(cm_tick_pace_is_due(&longer, 1399 * MS, true));
    assert_true(cm_tick_pace_is_due(&longer, 1210 * MS, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_keep_their_beat),
        cmocka_unit_test(a_tick_before_its_time_puts_off_the_next_one_by_one_beat),
        cmocka_unit_test(ticks_give_way_to_records),
        cmocka_unit_test(a_fetch_is_no_backlog),
        cmocka_unit_test(a_busy_redis_puts_a_tick_off_until_it_has_answered),
        cmocka_unit_test(rules_do_not_wait_for_redis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
