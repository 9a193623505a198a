// SPDX-License-Identifier: Apache-2.0
/* quiet_stats_test.c — what is read out of `INFO commandstats`, and what counts as taken. */
#include "publish/quiet_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define PING "cmdstat_ping:calls=1,usec=1,usec_per_call=1.00,rejected_calls=0,failed_calls=0\r\n"

static bool read_text(const char *text, struct cm_quiet_stats *stats)
{
    char copy[512];
    size_t len = strlen(text);
    memcpy(copy, text, len + 1);
    redisReply reply = {.type = REDIS_REPLY_STRING, .str = copy, .len = len};
    return cm_quiet_stats_read(&reply, stats);
}

static void a_line_is_read(void **state)
{
    (void)state;
    struct cm_quiet_stats stats;
    assert_true(read_text("# Commandstats\r\n" PING
                          "cmdstat_hset:calls=12345678901,usec=9,usec_per_call=3.00,"
                          "rejected_calls=7,failed_calls=8\r\n" PING,
                          &stats));
    assert_int_equal(stats.calls, 12345678901);
    assert_int_equal(stats.rejected, 7);
    assert_int_equal(stats.failed, 8);
}

static void nobody_has_sent_it(void **state)
{
    (void)state;
    struct cm_quiet_stats stats = {1, 2, 3};
    assert_true(read_text("# Commandstats\r\n" PING, &stats));
    assert_int_equal(stats.calls + stats.rejected + stats.failed, 0);
}

/* Before 6.2 a refused command left no trace; and other servers say other things. */
static void what_does_not_count_refusals(void **state)
{
    (void)state;
    struct cm_quiet_stats stats;
    assert_false(read_text("cmdstat_hset:calls=3,usec=9,usec_per_call=3.00\r\n", &stats));
    assert_false(read_text("", &stats));
    assert_false(read_text(PING "cmdstat_hset:calls=3,usec=9\r\n" PING, &stats));
    assert_false(
        read_text(PING "cmdstat_hset:calls=x,rejected_calls=0,failed_calls=0\r\n", &stats));
    char error[] = "NOPERM ,rejected_calls=0,failed_calls=0";
    redisReply refused = {.type = REDIS_REPLY_ERROR, .str = error, .len = sizeof(error) - 1};
    assert_false(cm_quiet_stats_read(&refused, &stats));
    redisReply number = {.type = REDIS_REPLY_INTEGER, .integer = 1};
    assert_false(cm_quiet_stats_read(&number, &stats));
}

static void taken(void **state)
{
    (void)state;
    const struct cm_quiet_stats before = {100, 5, 6};
    assert_true(cm_quiet_stats_taken(&before, &(struct cm_quiet_stats){110, 5, 6}, 10));
    assert_true(cm_quiet_stats_taken(&before, &(struct cm_quiet_stats){111, 5, 6}, 10));
    assert_false(cm_quiet_stats_taken(&before, &(struct cm_quiet_stats){109, 5, 6}, 10));
    assert_false(cm_quiet_stats_taken(&before, &(struct cm_quiet_stats){110, 6, 6}, 10));
    assert_false(cm_quiet_stats_taken(&before, &(struct cm_quiet_stats){110, 5, 7}, 10));
    assert_false(cm_quiet_stats_taken(&before, &(struct cm_quiet_stats){10, 0, 0}, 10));
    assert_false(cm_quiet_stats_taken(&before, &(struct cm_quiet_stats){10, 5, 6}, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_read),
        cmocka_unit_test(nobody_has_sent_it),
        cmocka_unit_test(what_does_not_count_refusals),
        cmocka_unit_test(taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
