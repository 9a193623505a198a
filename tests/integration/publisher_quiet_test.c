// SPDX-License-Identifier: Apache-2.0
/* publisher_quiet_test.c — ticks whose rows are not answered one by one, and a redis-server that
 * refuses some of them, all of them, or to be quiet: nothing may get lost unnoticed. */
#include "support/publish_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "publish/quiet.h"

enum { SEATS = CM_QUIET_ROWS_MIN };

static const char plain[] = "windows: [5m/5s]\n";

static void rows_of(int64_t asof_ms, uint32_t seats, uint32_t answered)
{
    for (uint32_t i = 0; i < seats; i++) {
        char id[32];
        (void)snprintf(id, sizeof(id), "s%u", i);
        row(CM_KIND_SEAT, id, "5m", asof_ms, answered);
    }
}

/* A whole tick, until all of it is in Redis. */
static void tick(int64_t asof_ms, uint32_t seats, uint32_t answered)
{
    begin(asof_ms);
    rows_of(asof_ms, seats, answered);
    end(asof_ms);
}

/* The same, not awaited. */
static void tick_only(int64_t asof_ms, uint32_t answered)
{
    begin(asof_ms);
    rows_of(asof_ms, SEATS, answered);
    end_only(asof_ms);
}

/* The first tick after a connect is answered; the next one may be quiet. */
static void stage_and_tick(const char *yaml)
{
    stage(yaml);
    tick(T0, SEATS, 1);
}

static void assert_all(int64_t asof_ms, uint32_t answered)
{
    char command[64];
    for (uint32_t i = 0; i < SEATS; i++) {
        (void)snprintf(command, sizeof(command), "HGET cm:seat:s%u 5m", i);
        assert_figures(command, asof_ms, answered);
        (void)snprintf(command, sizeof(command), "HGET cm:board:centre:main:5m s%u", i);
        assert_figures(command, asof_ms, answered);
    }
}

static uint64_t quiet_words(void)
{
    static const char name[] = "cmdstat_client|reply:calls=";
    redisReply *reply = ask("INFO commandstats");
    const char *at = strstr(reply->str, name);
    uint64_t calls = at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10);
    freeReplyObject(reply);
    return calls;
}

static void larger_ticks_are_quiet(void **state)
{
    (void)state;
    stage_and_tick(plain);
    tick(T0 + 1000, SEATS - 1, 2);
    assert_int_equal(cm_publisher_counts(publisher).quiet_ticks, 0);
    assert_int_equal(quiet_words(), 1); /* may it? */
    tick(T0 + 2000, SEATS, 3);
    assert_int_equal(cm_publisher_counts(publisher).quiet_ticks, 1);
    assert_int_equal(quiet_words(), 3);
    assert_all(T0 + 2000, 3);
    breach("e1", "k1", true); /* what comes behind is answered again */
    UNTIL(cm_publisher_is_idle(publisher));
    tick(T0 + 3000, SEATS, 4);
    assert_all(T0 + 3000, 4);
    struct cm_publisher_counts counts = cm_publisher_counts(publisher);
    assert_int_equal(counts.quiet_ticks, 2);
    assert_int_equal(counts.doubts, 0);
    assert_int_equal(counts.ticks, 4);
    assert_int_equal(counts.rows, 4 * SEATS - 1);
    assert_int_equal(resyncs, 1);
}

/* A tick that might be quiet is not, and nothing else is wrong. */
static void assert_answered(const char *yaml)
{
    stage_and_tick(yaml);
    tick(T0 + 1000, SEATS, 2);
    assert_all(T0 + 1000, 2);
    assert_int_equal(cm_publisher_counts(publisher).quiet_ticks, 0);
    assert_int_equal(cm_publisher_counts(publisher).connections, 1);
}

static void each_is_answered(void **state)
{
    (void)state;
    assert_answered("windows: [5m/5s]\nredis: {answers: each}\n");
    assert_int_equal(quiet_words(), 0);
}

/* One row of many: all comes again at once, and with answers for a while. */
static void a_refused_row(void **state)
{
    (void)state;
    stage_and_tick(plain);
    tell("SET cm:seat:s7 foreign");
    tick_only(T0 + 1000, 2);
    UNTIL(resyncs == 2);
    assert_int_equal(cm_publisher_counts(publisher).doubts, 1);
    assert_int_equal(cm_publisher_counts(publisher).ticks, 1);
    tell("DEL cm:seat:s7");
    tick(T0 + 1000, SEATS, 2);
    assert_all(T0 + 1000, 2);
    tick(T0 + 2000, SEATS, 3);
    assert_all(T0 + 2000, 3);
    assert_int_equal(cm_publisher_counts(publisher).quiet_ticks, 0);
    assert_int_equal(cm_publisher_counts(publisher).doubts, 1);
}

/* Everything but `meta` is forbidden for a while. */
static void refused_rows(void **state)
{
    (void)state;
    stage_and_tick(plain);
    tell("ACL SETUSER default resetkeys ~cm:meta");
    tick_only(T0 + 1000, 2);
    UNTIL(resyncs == 2);
    assert_int_equal(cm_publisher_counts(publisher).ticks, 1);
    tick_only(T0 + 2000, 3);
    UNTIL(resyncs == 3); /* answered, refused, and again after a second */
    assert_int_equal(cm_publisher_counts(publisher).ticks, 1);
    tell("ACL SETUSER default allkeys");
    tick(T0 + 3000, SEATS, 4);
    assert_all(T0 + 3000, 4);
}

static void a_server_that_may_not_be_quiet(void **state)
{
    (void)state;
    tell("ACL SETUSER default -client|reply");
    assert_answered(plain);
}

static void a_server_that_does_not_tell(void **state)
{
    (void)state;
    tell("ACL SETUSER default -info");
    assert_answered(plain);
}

/* It could be quiet when asked, but no longer can: all rows are answered, which nobody expects. */
static void no_longer_quiet(void **state)
{
    (void)state;
    stage_and_tick(plain);
    tell("ACL SETUSER default -client|reply");
    tick_only(T0 + 1000, 2);
    breach("e1", "k1", true);
    UNTIL(cm_publisher_counts(publisher).connections == 2);
    assert_int_equal(cm_publisher_counts(publisher).doubts,
                     0); /* no answer was taken for another's */
    tick(T0 + 2000, SEATS, 3);
    assert_all(T0 + 2000, 3);
    UNTIL(cm_publisher_is_idle(publisher));
    assert_int_equal(number("XLEN cm:breaches"), 1);
    assert_int_equal(cm_publisher_counts(publisher).quiet_ticks, 0);
    assert_int_equal(cm_publisher_counts(publisher).connections, 2);
}

/* A loss between ticks says nothing against it. */
static void lost_and_quiet_again(void **state)
{
    (void)state;
    stage_and_tick(plain);
    tick(T0 + 1000, SEATS, 2);
    lose_server();
    restart_server();
    tick(T0 + 2000, SEATS, 3);
    tick(T0 + 3000, SEATS, 4);
    assert_all(T0 + 3000, 4);
    assert_int_equal(cm_publisher_counts(publisher).quiet_ticks, 2);
    assert_int_equal(cm_publisher_counts(publisher).doubts, 0);
}

static void lost_while_quiet(void **state)
{
    (void)state;
    stage_and_tick(plain);
    redis_server_pause(&server);
    assert_true(cm_publisher_try_begin(publisher, T0 + 1000));
    rows_of(T0 + 1000, SEATS, 2);
    end_only(T0 + 1000);
    for (int i = 0; i < 5; i++) {
        turn();
        assert_false(cm_publisher_try_begin(publisher, T0 + 2000));
    }
    lose_server();
    restart_server();
    tick(T0 + 2000, SEATS, 3);
    assert_all(T0 + 2000, 3);
    tick(T0 + 3000, SEATS, 4);
    assert_all(T0 + 3000, 4);
    struct cm_publisher_counts counts = cm_publisher_counts(publisher);
    assert_int_equal(counts.connections, 2);
    assert_int_equal(counts.ticks, 3);
    assert_int_equal(counts.quiet_ticks, 0); /* for a minute */
    assert_int_equal(counts.doubts, 0);
    assert_int_equal(resyncs, 2);
}

int main(void)
{
    int rc = stage_is_missing();
    if (rc != 0) {
        return rc;
    }
    const struct CMUnitTest tests[] = {
        STAGE_TEST(larger_ticks_are_quiet),
        STAGE_TEST(each_is_answered),
        STAGE_TEST(a_refused_row),
        STAGE_TEST(refused_rows),
        STAGE_TEST(a_server_that_may_not_be_quiet),
        STAGE_TEST(a_server_that_does_not_tell),
        STAGE_TEST(no_longer_quiet),
        STAGE_TEST(lost_and_quiet_again),
        STAGE_TEST(lost_while_quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
