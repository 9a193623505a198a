// SPDX-License-Identifier: Apache-2.0
/* follow_test.c — when windows move on in a backlog, and when a tick is due for a period's end. */
#include "engine/follow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define T0   INT64_C(1711922000000) /* 2024-03-31 23:53:20 in Berlin */
#define FULL CM_FOLLOW_RECORDS
#define FAR  INT64_C(120000) /* 12 steps of the longer window */

static const char yaml[] = "windows: [5s/1s, 1m/10s]\nperiods: [day, month]\n"
                           "timezone: Europe/Berlin\n";

static struct cm_config *config_of(void)
{
    struct cm_config *config = NULL;
    assert_int_equal(cm_config_parse("t.yaml", yaml, sizeof(yaml) - 1, NULL, 0, &config), 0);
    return config;
}

static void windows_move_when_records_and_event_time_have(void **state)
{
    (void)state;
    struct cm_config *config = config_of();
    struct cm_follow f;
    cm_follow_init(&f);
    assert_int_equal(cm_follow_step(&f, config, 10 * FULL, T0), CM_FOLLOW_STAY); /* no tick yet */
    cm_follow_note(&f, 1000, INT64_MIN, true);
    assert_int_equal(cm_follow_step(&f, config, 10 * FULL, T0), CM_FOLLOW_STAY);
    cm_follow_note(&f, 1000, T0, true);
    assert_int_equal(cm_follow_step(&f, config, 999 + FULL, T0 + FAR), CM_FOLLOW_STAY);
    assert_int_equal(cm_follow_step(&f, config, 1000 + FULL, T0 + FAR - 1), CM_FOLLOW_STAY);
    assert_int_equal(cm_follow_step(&f, config, 1000 + FULL, T0 + FAR), CM_FOLLOW_MOVE);
    cm_follow_note(&f, 1000 + FULL, T0 + FAR, false);
    assert_int_equal(cm_follow_step(&f, config, 999 + 2 * FULL, T0 + 2 * FAR), CM_FOLLOW_STAY);
    assert_int_equal(cm_follow_step(&f, config, 1000 + 2 * FULL, T0 + 2 * FAR), CM_FOLLOW_MOVE);
    cm_config_free(config);
}

static void a_period_that_has_ended_wants_a_tick_until_it_gets_one(void **state)
{
    (void)state;
    struct cm_config *config = config_of();
    int64_t end_ms = cm_zone_period_end_ms(config->zone, CM_PERIOD_DAY, T0);
    struct cm_follow f;
    cm_follow_init(&f);
    cm_follow_note(&f, 0, end_ms - FAR, true);
    assert_int_equal(cm_follow_step(&f, config, FULL, end_ms - 1), CM_FOLLOW_STAY);
    assert_int_equal(cm_follow_step(&f, config, FULL, end_ms), CM_FOLLOW_CLOSE);
    cm_follow_note(&f, FULL, end_ms, false); /* nobody could take it */
    assert_int_equal(cm_follow_step(&f, config, 2 * FULL, end_ms + FAR), CM_FOLLOW_CLOSE);
    cm_follow_note(&f, 2 * FULL, end_ms + FAR, true);
    assert_int_equal(cm_follow_step(&f, config, 3 * FULL, end_ms + 2 * FAR), CM_FOLLOW_MOVE);
    cm_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_move_when_records_and_event_time_have),
        cmocka_unit_test(a_period_that_has_ended_wants_a_tick_until_it_gets_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
