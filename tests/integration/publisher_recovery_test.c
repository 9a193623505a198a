// SPDX-License-Identifier: Apache-2.0
/* publisher_recovery_test.c — the publisher and a redis-server that is slow, gone, full or in use
 * by others; and breach events, once and in order through all of it. */
#include "support/publish_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "publish/breach_feed.h"

static const char plain[] = "windows: [5m/5s, 1h/1m]\nperiods: [day]\n";

/* --- a server that is slow, gone or full --- */

static void slow_server(void **state)
{
    (void)state;
    stage(plain);
    begin(T0);
    end(T0);
    redis_server_pause(&server);
    assert_true(cm_publisher_try_begin(publisher, T0 + 1000));
    row(CM_KIND_SEAT, "1001", "5m", T0 + 1000, 1);
    end_only(T0 + 1000);
    for (int64_t asof_ms = T0 + 2000; asof_ms < T0 + 20000; asof_ms += 1000) {
        turn();
        assert_false(cm_publisher_try_begin(publisher, asof_ms));
    }
    assert_int_equal(cm_publisher_counts(publisher).ticks, 1);
    assert_false(cm_publisher_is_idle(publisher));
    redis_server_resume(&server);
    begin(T0 + 20000); /* the next tick carries the newest value, not those between */
    assert_int_equal(cm_publisher_counts(publisher).ticks, 2);
    row(CM_KIND_SEAT, "1001", "5m", T0 + 20000, 9);
    end(T0 + 20000);
    assert_figures("HGET cm:seat:1001 5m", T0 + 20000, 9);
    assert_int_equal(resyncs, 1);
}

static void killed_server(void **state)
{
    (void)state;
    stage(plain);
    begin(T0);
    row(CM_KIND_SEAT, "1001", "5m", T0, 2);
    end(T0);
    breach("e1", "k1", true);
    UNTIL(cm_publisher_is_idle(publisher));

    begin(T0 + 1000);
    row(CM_KIND_SEAT, "1001", "5m", T0 + 1000, 3);
    redis_server_kill(&server);
    end_only(T0 + 1000);
    UNTIL(!cm_publisher_is_connected(publisher));
    assert_int_equal(cm_publisher_counts(publisher).ticks, 1);
    assert_false(cm_publisher_try_begin(publisher, T0 + 2000));
    breach("e2", "k2", true);
    restart_server();
    UNTIL(cm_publisher_is_connected(publisher));
    assert_int_equal(resyncs, 2);
    assert_int_equal(cm_publisher_counts(publisher).connections, 2);

    /* It knows nothing, so all of it comes again, even an asof that lies before. */
    begin(T0);
    row(CM_KIND_SEAT, "1001", "5m", T0, 2);
    end(T0);
    assert_figures("HGET cm:board:team:t1:5m 1001", T0, 2);
    assert_words("SMEMBERS cm:units:seat", "1001");
    assert_words("SMEMBERS cm:members:room:r1", "t1 t2");
    assert_text("HGET cm:meta timezone", "Asia/Shanghai");
    UNTIL(cm_publisher_is_idle(publisher));
    assert_words("HKEYS cm:breaches:active", "k2");
    assert_int_equal(number("XLEN cm:breaches"), 1);
}

static void full_server(void **state)
{
    (void)state;
    stage(plain);
    begin(T0);
    end(T0);
    tell("CONFIG SET maxmemory 1");
    begin(T0 + 1000);
    row(CM_KIND_SEAT, "1001", "5m", T0 + 1000, 1);
    end_only(T0 + 1000);
    breach("e1", "k1", true);
    UNTIL(resyncs == 2);
    assert_int_equal(cm_publisher_counts(publisher).ticks, 1);
    tell("CONFIG SET maxmemory 0");
    begin(T0 + 2000);
    row(CM_KIND_SEAT, "1001", "5m", T0 + 2000, 5);
    end(T0 + 2000);
    assert_figures("HGET cm:seat:1001 5m", T0 + 2000, 5);
    UNTIL(cm_publisher_is_idle(publisher));
    assert_int_equal(number("XLEN cm:breaches"), 1);
}

static void foreign_key(void **state)
{
    (void)state;
    tell("SET cm:seat:1001 foreign");
    tell("SET cm:breaches foreign");
    stage(plain);
    breach("e1", "k1", true);
    begin(T0);
    row(CM_KIND_SEAT, "1001", "5m", T0, 1);
    row(CM_KIND_SEAT, "1002", "5m", T0, 2);
    end(T0);
    assert_figures("HGET cm:seat:1002 5m", T0, 2);
    assert_figures("HGET cm:board:team:t1:5m 1001", T0, 1);
    UNTIL(cm_publisher_is_idle(publisher));
    assert_int_equal(cm_publisher_counts(publisher).breaches_dropped, 1);
}

/* A closed period is handed over once, so a tick that got lost must not lose it. */
static void history_survives_a_loss(void **state)
{
    (void)state;
    stage(plain);
    struct cm_unit_key key = key_of(CM_KIND_SEAT, "1001");
    struct cm_measures m = legs(4);
    begin(T0);
    redis_server_kill(&server);
    cm_publisher_history(publisher, &key, window_of("day"), "2026-11-17", T0 - 1000, &m);
    cm_hist_free(&m.handle);
    end_only(T0);
    UNTIL(!cm_publisher_is_connected(publisher));
    assert_false(cm_publisher_is_idle(publisher));
    restart_server();
    begin(T0 + 1000);
    end(T0 + 1000);
    assert_figures("HGET cm:history:seat:1001:day 2026-11-17", T0 - 1000, 4);
    assert_true(cm_publisher_is_idle(publisher));
}

/* --- breaches --- */

static void breaches(void **state)
{
    (void)state;
    redisContext *subscriber = redisConnect("127.0.0.1", server.port);
    freeReplyObject(redisCommand(subscriber, "SUBSCRIBE cm:breaches"));
    stage("breaches: {keep: 1000}\n");
    breach("e1", "k1", true); /* no tick is needed */
    breach("e2", "k2", true);
    breach("e3", "k1", true);
    breach("e4", "k2", false);
    UNTIL(cm_publisher_is_idle(publisher));

    for (int i = 1; i <= 4; i++) {
        redisReply *message = NULL;
        assert_int_equal(redisGetReply(subscriber, (void **)&message), REDIS_OK);
        char id[32];
        (void)snprintf(id, sizeof(id), "\"id\":\"e%d\"", i);
        assert_non_null(strstr(message->element[2]->str, id));
        freeReplyObject(message);
    }
    redisFree(subscriber);
    redisReply *stream = ask("XRANGE cm:breaches - +");
    assert_int_equal(stream->elements, 4);
    const redisReply *third = stream->element[2]->element[1];
    assert_string_equal(third->element[0]->str, "event");
    assert_string_equal(third->element[1]->str,
                        "{\"specversion\":\"1.0\",\"id\":\"e3\",\"data\":{\"id\":\"1001\"}}");
    freeReplyObject(stream);
    assert_words("HKEYS cm:breaches:active", "k1");
    assert_text("HGET cm:breaches:active k1",
                "{\"specversion\":\"1.0\",\"id\":\"e3\",\"data\":{\"id\":\"1001\"}}");
}

static void breaches_after_a_restart(void **state)
{
    (void)state;
    stage(plain);
    breach("e1", "k1", true);
    breach("e2", "k1", false);
    breach("e3", "k3", true);
    UNTIL(cm_publisher_is_idle(publisher));
    tell("HSET cm:meta asof 1795000000000"); /* the gate stays closed below */
    close_publisher();
    open_publisher();
    breach("e1", "k1", true);
    breach("e2", "k1", false);
    breach("e3", "k3", true);
    breach("e4", "k4", true);
    UNTIL(cm_publisher_is_idle(publisher));
    assert_false(cm_publisher_try_begin(publisher, T0 - 1));
    assert_int_equal(number("XLEN cm:breaches"), 4);
    assert_words("HKEYS cm:breaches:active", "k3 k4");

    /* An active event that the stream no longer holds is known, too. */
    tell("DEL cm:breaches");
    close_publisher();
    open_publisher();
    breach("e3", "k3", true);
    breach("e1", "k1", true);
    UNTIL(cm_publisher_is_idle(publisher));
    assert_int_equal(number("XLEN cm:breaches"), 1);
}

static void many_breaches(void **state)
{
    (void)state;
    stage("breaches: {keep: 500}\n");
    for (int i = 0; i < 2000; i++) {
        char id[32];
        (void)snprintf(id, sizeof(id), "e%d", i);
        breach(id, i % 2 == 0 ? "even" : "odd", i < 1999);
    }
    UNTIL(cm_publisher_is_idle(publisher));
    assert_words("HKEYS cm:breaches:active", "even");
    long long len = number("XLEN cm:breaches");
    assert_true(len >= 500 && len < 1000);
    redisReply *newest = ask("XREVRANGE cm:breaches + - COUNT 1");
    assert_non_null(strstr(newest->element[0]->element[1]->element[1]->str, "\"e1999\""));
    freeReplyObject(newest);
}

static void breach_queue_is_bounded(void **state)
{
    (void)state;
    stage(plain);
    lose_server();
    for (uint32_t i = 0; i < CM_BREACH_FEED_MAX + 10; i++) {
        breach("e", "k", true);
    }
    assert_int_equal(cm_publisher_counts(publisher).breaches_dropped, 10);
    assert_false(cm_publisher_is_idle(publisher));
}

int main(void)
{
    int rc = stage_is_missing();
    if (rc != 0) {
        return rc;
    }
    const struct CMUnitTest tests[] = {
        STAGE_TEST(slow_server),
        STAGE_TEST(killed_server),
        STAGE_TEST(full_server),
        STAGE_TEST(foreign_key),
        STAGE_TEST(history_survives_a_loss),
        STAGE_TEST(breaches),
        STAGE_TEST(breaches_after_a_restart),
        STAGE_TEST(many_breaches),
        STAGE_TEST(breach_queue_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
