// SPDX-License-Identifier: Apache-2.0
/* publisher_test.c — the publisher against a real redis-server: what is where, what moves, what is
 * left out, and what waits at the gate. */
#include "support/publish_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define HOUR CM_MS_PER_H

static const char plain[] = "windows: [5m/5s, 1h/1m]\nperiods: [day]\n";

/* --- figures --- */

static void units_and_boards(void **state)
{
    (void)state;
    stage(plain);
    begin(T0);
    row(CM_KIND_CENTRE, "main", "5m", T0, 9);
    row(CM_KIND_QUEUE, "q", "5m", T0, 8);
    row(CM_KIND_ROOM, "r1", "5m", T0, 7);
    row(CM_KIND_ROOM, "r2", "5m", T0, 1);
    row(CM_KIND_SEAT, "1001", "5m", T0, 2);
    row(CM_KIND_SEAT, "1001", "1h", T0 - 20000, 3);
    row(CM_KIND_SEAT, "1002", "5m", T0, 5);
    row(CM_KIND_SEAT, "3001", "5m", T0, 4);
    row(CM_KIND_SEAT, "3002", "5m", T0, 1);
    row(CM_KIND_SEAT, "odd seat:\x01", "5m", T0, 6);
    row(CM_KIND_TEAM, "t1", "5m", T0, 7);
    row(CM_KIND_TEAM, "t5", "5m", T0, 1);
    end(T0);
    assert_int_equal(cm_publisher_counts(publisher).rows, 12);
    assert_true(cm_publisher_is_idle(publisher));

    assert_figures("HGET cm:seat:1001 5m", T0, 2);
    assert_figures("HGET cm:seat:1001 1h", T0 - 20000, 3);
    assert_int_equal(number("HLEN cm:seat:1001"), 2);
    assert_figures("HGET cm:queue:q 5m", T0, 8);
    assert_figures("HGET cm:team:t1 5m", T0, 7);
    redisReply *odd = ask("HEXISTS %s 5m", "cm:seat:odd seat:\x01");
    assert_int_equal(odd->integer, 1);
    freeReplyObject(odd);

    assert_words("HKEYS cm:board:team:t1:5m", ". 1001 1002");
    assert_figures("HGET cm:board:team:t1:5m .", T0, 7);
    assert_figures("HGET cm:board:team:t1:5m 1001", T0, 2);
    assert_words("HKEYS cm:board:team:t1:1h", "1001");
    assert_words("HKEYS cm:board:room:r1:5m", ". t1");
    assert_words("HKEYS cm:board:room:r2:5m", ".");
    assert_words("HKEYS cm:board:centre:main:5m", ". 3001 3002 odd seat:\x01 r1 r2 t5");
    assert_words("HKEYS cm:board:queue:q:5m", ".");
    assert_words("KEYS cm:board:seat:*", "");

    assert_words("SMEMBERS cm:units:seat", "1001 1002 3001 3002 odd seat:\x01");
    assert_words("SMEMBERS cm:units:team", "t1 t5");
    assert_words("SMEMBERS cm:units:queue", "q");
    assert_words("SMEMBERS cm:members:team:t1", "1001 1002");
    assert_words("SMEMBERS cm:members:team:t2", "2001"); /* without events so far */
    assert_words("SMEMBERS cm:members:room:r1", "t1 t2");
    assert_words("SMEMBERS cm:members:centre:main", "3001 3002 odd seat:\x01 r1 r2 t5");
    assert_words("KEYS cm:members:queue:*", "");
}

static void empty_windows(void **state)
{
    (void)state;
    stage(plain);
    begin(T0);
    row(CM_KIND_SEAT, "1001", "5m", T0, 2);
    end(T0);
    begin(T0 + 5000);
    row(CM_KIND_SEAT, "1001", "5m", T0 + 5000, 0);
    end(T0 + 5000);
    redisReply *reply = ask("HGET cm:seat:1001 5m");
    assert_non_null(strstr(reply->str, "{\"asof\":1795000005000,\"offered\":0,"));
    assert_non_null(strstr(reply->str, "\"talk_ms\":0,"));
    assert_non_null(strstr(reply->str, "\"aht_ms\":null,"));
    assert_non_null(strstr(reply->str, "\"service_level\":null,"));
    freeReplyObject(reply);
    assert_figures("HGET cm:board:team:t1:5m 1001", T0 + 5000, 0);
}

static void one_layout(void **state)
{
    (void)state;
    stage("windows: [5m/5s]\npublish: [units]\nredis: {prefix: \"a:\"}\n");
    begin(T0);
    row(CM_KIND_TEAM, "t1", "5m", T0, 1);
    end(T0);
    assert_figures("HGET a:team:t1 5m", T0, 1);
    assert_words("KEYS *:board:*", "");
    assert_words("KEYS cm:*", "");
    close_publisher();
    cm_config_free(config);
    load_config("windows: [5m/5s]\npublish: [boards]\nredis: {prefix: \"b:\"}\n");
    open_publisher();
    begin(T0);
    row(CM_KIND_TEAM, "t1", "5m", T0, 1);
    end(T0);
    assert_words("KEYS b:team:*", "");
    assert_figures("HGET b:board:team:t1:5m .", T0, 1);
    assert_figures("HGET b:board:room:r1:5m t1", T0, 1);
}

static void now(enum cm_kind kind, const char *id, int64_t asof_ms)
{
    const struct cm_gauge gauge = {.has_states = true, .since_ms = T0, .state = CM_STATE_TALKING};
    struct cm_unit_key key = key_of(kind, id);
    cm_publisher_now(publisher, &key, asof_ms, &gauge);
}

static uint64_t hset_calls(void)
{
    redisReply *reply = ask("INFO commandstats");
    const char *at = strstr(reply->str, "cmdstat_hset:calls=");
    uint64_t calls = at == NULL ? 0 : strtoull(at + strlen("cmdstat_hset:calls="), NULL, 10);
    freeReplyObject(reply);
    return calls;
}

/* One command a unit, with its live picture; pictures of units without rows are not lost. */
static void a_command_a_unit(void **state)
{
    (void)state;
    stage("windows: [1m/1s, 5m/5s]\npublish: [units]\n");
    for (int64_t asof_ms = T0; asof_ms < T0 + 2000; asof_ms += 1000) {
        tell("CONFIG RESETSTAT");
        begin(asof_ms);
        now(CM_KIND_SEAT, "1001", asof_ms);
        now(CM_KIND_SEAT, "1002", asof_ms);
        row(CM_KIND_SEAT, "1001", "1m", asof_ms, 1);
        row(CM_KIND_SEAT, "1001", "5m", asof_ms, 2);
        row(CM_KIND_TEAM, "t1", "5m", asof_ms, 3);
        end(asof_ms);
        assert_int_equal(hset_calls(), 3 + 2); /* and those of `meta` around them */
        assert_words("HKEYS cm:seat:1001", "1m 5m now");
        assert_words("HKEYS cm:seat:1002", "now");
        assert_figures("HGET cm:seat:1001 1m", asof_ms, 1);
        assert_figures("HGET cm:seat:1001 5m", asof_ms, 2);
        assert_figures("HGET cm:team:t1 5m", asof_ms, 3);
        char expected[96];
        (void)snprintf(expected, sizeof(expected),
                       "{\"asof\":%" PRId64 ",\"state\":\"talking\",\"since\":%" PRId64 "}",
                       asof_ms, T0);
        assert_text("HGET cm:seat:1001 now", expected);
        assert_text("HGET cm:seat:1002 now", expected);
    }
}

static void big_tick(void **state)
{
    (void)state;
    enum { SEATS = 3000 };
    stage(plain);
    begin(T0);
    for (uint32_t i = 0; i < SEATS; i++) {
        char id[32];
        (void)snprintf(id, sizeof(id), "s%u", i);
        row(CM_KIND_SEAT, id, "5m", T0, i % 7);
    }
    end(T0);
    assert_int_equal(number("HLEN cm:board:centre:main:5m"), SEATS);
    assert_int_equal(number("SCARD cm:units:seat"), SEATS);
    assert_int_equal(number("SCARD cm:members:centre:main"), SEATS + 5);
    assert_figures("HGET cm:board:centre:main:5m s2999", T0, 2999 % 7);
    assert_figures("HGET cm:seat:s511 5m", T0, 511 % 7);
}

/* --- moves --- */

static void roster_moves(void **state)
{
    (void)state;
    stage(plain);
    char csv[512];
    char at[32];
    (void)snprintf(csv, sizeof(csv), "%s1001,t2,r3,main,%s\n2001,t2,r3,main,%s\n", stage_rows,
                   cm_format_rfc3339(T0 + HOUR, at), at);
    struct cm_roster *with_from = roster_of(csv);
    cm_publisher_set_roster(publisher, with_from);
    begin(T0);
    row(CM_KIND_SEAT, "1001", "5m", T0, 2);
    row(CM_KIND_SEAT, "1002", "5m", T0, 3);
    row(CM_KIND_TEAM, "t2", "5m", T0, 3);
    end(T0);
    assert_words("HKEYS cm:board:team:t1:5m", "1001 1002");
    assert_words("HKEYS cm:board:room:r1:5m", "t2");
    begin(T0 + HOUR - 1000);
    end(T0 + HOUR - 1000);
    assert_int_equal(resyncs, 1);

    assert_false(cm_publisher_try_begin(publisher, T0 + HOUR)); /* seat and team have moved */
    assert_int_equal(resyncs, 2);
    begin(T0 + HOUR);
    row(CM_KIND_SEAT, "1001", "5m", T0 + HOUR, 4);
    row(CM_KIND_TEAM, "t2", "5m", T0 + HOUR, 4);
    end(T0 + HOUR);
    assert_int_equal(resyncs, 2);
    assert_words("HKEYS cm:board:team:t1:5m", "1002");
    assert_words("HKEYS cm:board:team:t2:5m", ". 1001");
    assert_figures("HGET cm:board:team:t2:5m 1001", T0 + HOUR, 4);
    assert_words("SMEMBERS cm:members:team:t1", "1002");
    assert_words("SMEMBERS cm:members:team:t2", "1001 2001");
    assert_words("SMEMBERS cm:members:room:r1", "t1");
    assert_words("SMEMBERS cm:members:room:r3", "t2");
    assert_int_equal(number("EXISTS cm:board:room:r1:5m"), 0);
    assert_words("HKEYS cm:board:room:r3:5m", "t2");

    /* A reload: 1002 is gone but has figures; 2001 is gone and has none. */
    struct cm_roster *reloaded = roster_of("seat,team,room,centre\n1001,t2,r3,main\n");
    cm_publisher_set_roster(publisher, reloaded);
    cm_roster_free(with_from);
    assert_false(cm_publisher_try_begin(publisher, T0 + HOUR + 1000));
    assert_int_equal(resyncs, 3);
    begin(T0 + HOUR + 1000);
    row(CM_KIND_SEAT, "1002", "5m", T0 + HOUR + 1000, 1);
    end(T0 + HOUR + 1000);
    assert_int_equal(number("EXISTS cm:members:team:t1"), 0);
    assert_int_equal(number("EXISTS cm:board:team:t1:5m"), 0);
    assert_words("SMEMBERS cm:members:team:t2", "1001");
    assert_figures("HGET cm:board:centre:main:5m 1002", T0 + HOUR + 1000, 1);
    assert_words("SMEMBERS cm:members:centre:main", "1002 r3");
    cm_publisher_set_roster(publisher, roster);
    cm_roster_free(reloaded);
}

/* What an earlier process with another roster has left. */
static void leftovers_are_removed(void **state)
{
    (void)state;
    tell("SADD cm:units:team t1 old");
    tell("SADD cm:members:team:t1 1001 7777");
    tell("SADD cm:members:team:old 8888");
    tell("HSET cm:board:team:t1:5m 7777 x 1001 y");
    tell("HSET cm:board:team:old:1h 8888 x");
    tell("HSET cm:board:centre:main:5m 1001 x");
    tell("SADD cm:members:centre:main 1001 r1");
    stage(plain);
    begin(T0);
    row(CM_KIND_SEAT, "1001", "5m", T0, 2);
    end(T0);
    UNTIL(number("EXISTS cm:members:team:old") == 0 &&
          number("SISMEMBER cm:members:centre:main 1001") == 0);
    assert_words("SMEMBERS cm:members:team:t1", "1001 1002");
    assert_words("HKEYS cm:board:team:t1:5m", "1001");
    assert_int_equal(number("EXISTS cm:board:team:old:1h"), 0);
    assert_int_equal(number("EXISTS cm:board:centre:main:5m"), 0);
    assert_words("SMEMBERS cm:members:centre:main", "3001 3002 r1 r2 t5");
}

/* --- rankings and history --- */

static void rankings(void **state)
{
    (void)state;
    tell("ZADD cm:rank:seat:1h:aht_ms 5 gone");
    stage("windows: [5m/5s, 1h/1m]\n"
          "rankings: [{kind: seat, window: 1h, metric: aht_ms},"
          " {kind: team, window: 5m, metric: service_level}]\n");
    begin(T0);
    row(CM_KIND_SEAT, "1001", "1h", T0, 2);
    row(CM_KIND_SEAT, "1002", "1h", T0, 3);
    row(CM_KIND_SEAT, "2001", "5m", T0, 3);
    row(CM_KIND_SEAT, "3001", "1h", T0, 0);
    row(CM_KIND_TEAM, "t1", "5m", T0, 3);
    end(T0);
    assert_words("ZRANGE cm:rank:seat:1h:aht_ms 0 -1", "1001 1002");
    assert_text("ZSCORE cm:rank:seat:1h:aht_ms 1001", "100000");
    assert_text("ZSCORE cm:rank:team:5m:service_level t1", "1");
    begin(T0 + 60000);
    row(CM_KIND_SEAT, "1001", "1h", T0 + 60000, 0); /* no longer a ratio */
    end(T0 + 60000);
    assert_words("ZRANGE cm:rank:seat:1h:aht_ms 0 -1", "1002");
}

static void history(void **state)
{
    (void)state;
    tell("HSET cm:history:seat:1001:day 2020-01-01 a 2026-11-10 b note c");
    stage("windows: [5m/5s]\nperiods: [day]\nhistory: {keep: 30d}\ntimezone: Asia/Shanghai\n");
    struct cm_unit_key key = key_of(CM_KIND_SEAT, "1001");
    struct cm_measures m = legs(4);
    begin(T0); /* 2026-11-18 in Shanghai */
    cm_publisher_history(publisher, &key, window_of("day"), "2026-11-17", T0 - 1000, &m);
    end(T0);
    assert_figures("HGET cm:history:seat:1001:day 2026-11-17", T0 - 1000, 4);
    UNTIL(number("HEXISTS cm:history:seat:1001:day 2020-01-01") == 0);
    assert_words("HKEYS cm:history:seat:1001:day", "2026-11-10 2026-11-17 note");
    assert_true(number("TTL cm:history:seat:1001:day") > 120 * 86400);
    cm_hist_free(&m.handle);
}

/* --- meta and gate --- */

static void meta(void **state)
{
    (void)state;
    tell("HSET cm:meta instance:dead:1:heartbeat 1000 instance:dead:1:lag 3 instance:x:lag 4");
    stage("windows: [5m/5s, 1h/1m]\nperiods: [day, week]\nabandonment: {formula: gross}\n");
    begin(T0);
    end(T0);
    char hash[64];
    (void)snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)config->hash);
    assert_text("HGET cm:meta asof", "1795000000000");
    assert_text("HGET cm:meta watermark", "1794999990000");
    assert_text("HGET cm:meta version", CM_VERSION);
    assert_text("HGET cm:meta config", hash);
    assert_text("HGET cm:meta timezone", "Asia/Shanghai");
    assert_text("HGET cm:meta abandonment.formula", "gross");
    assert_text("HGET cm:meta service_level.formula", "negative");
    assert_text("HGET cm:meta service_level.target", "20s");
    assert_text("HGET cm:meta short_abandon", "5s");
    assert_text("HGET cm:meta windows", "5m,1h");
    assert_text("HGET cm:meta periods", "day,week");
    assert_text("HGET cm:meta instance:host:7:lag", "5");
    assert_text("HGET cm:meta instance:host:7:records", "100");
    assert_text("HGET cm:meta instance:host:7:counted", "90");
    assert_text("HGET cm:meta instance:host:7:duplicates", "4");
    assert_text("HGET cm:meta instance:host:7:revised", "3");
    assert_text("HGET cm:meta instance:host:7:late", "2");
    assert_text("HGET cm:meta instance:host:7:bad", "1");
    assert_text("HGET cm:meta instance:dead:1:heartbeat", NULL);
    assert_text("HGET cm:meta instance:dead:1:lag", NULL);
    assert_text("HGET cm:meta instance:x:lag", "4");
    long long beat = number("HGET cm:meta instance:host:7:heartbeat");
    assert_true(llabs(beat - cm_clock_wall_ms()) < 60000);
}

static void gate(void **state)
{
    (void)state;
    tell("HSET cm:meta asof 1795000000000 config abc");
    tell("HSET cm:seat:1001 5m newest");
    stage(plain);
    for (int i = 0; i < 5; i++) {
        turn();
        assert_false(cm_publisher_try_begin(publisher, T0 - 1));
    }
    assert_text("HGET cm:seat:1001 5m", "newest");
    assert_text("HGET cm:meta config", "abc");
    assert_true(cm_publisher_try_begin(publisher, T0));
    row(CM_KIND_SEAT, "1001", "5m", T0, 2);
    end(T0);
    assert_figures("HGET cm:seat:1001 5m", T0, 2);
    begin(T0 + 5000);
    end(T0 + 5000);
    assert_false(cm_publisher_try_begin(publisher, T0)); /* nor back on the same connection */
    assert_true(cm_publisher_try_begin(publisher, T0 + 5000));
    end(T0 + 5000);
}

int main(void)
{
    int rc = stage_is_missing();
    if (rc != 0) {
        return rc;
    }
    const struct CMUnitTest tests[] = {
        STAGE_TEST(units_and_boards),
        STAGE_TEST(empty_windows),
        STAGE_TEST(one_layout),
        STAGE_TEST(a_command_a_unit),
        STAGE_TEST(big_tick),
        STAGE_TEST(roster_moves),
        STAGE_TEST(leftovers_are_removed),
        STAGE_TEST(rankings),
        STAGE_TEST(history),
        STAGE_TEST(meta),
        STAGE_TEST(gate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
