// SPDX-License-Identifier: Apache-2.0
/* redis_runs_test.c — order, melting, growing around the end of the ring, pushing from a callback.
 */
#include "redis/redis_runs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/prng.h"

static struct cm_redis_runs runs;
static uint32_t told; /* the number of the owner that was told last */
static const struct redisReply *got;

static int teardown(void **state)
{
    (void)state;
    cm_redis_runs_free(&runs);
    return 0;
}

static void tell(void *context, const struct redisReply *reply)
{
    told = *(uint32_t *)context;
    got = reply;
}

static void neighbours_melt(void **state)
{
    (void)state;
    uint32_t owners[2] = {1, 2};
    cm_redis_runs_push(&runs, 1000, tell, &owners[0]);
    cm_redis_runs_push(&runs, 1, tell, &owners[0]);
    assert_int_equal(runs.len, 1);
    cm_redis_runs_push(&runs, 1, tell, &owners[1]);
    cm_redis_runs_push(&runs, 2, NULL, &owners[1]);
    assert_int_equal(runs.len, 3);
    assert_int_equal(runs.commands, 1004);
    struct redisReply reply = {.type = REDIS_REPLY_NIL};
    for (int i = 0; i < 1001; i++) {
        told = 0;
        cm_redis_runs_answer(&runs, &reply);
        assert_int_equal(told, 1);
        assert_ptr_equal(got, &reply);
    }
    cm_redis_runs_answer(&runs, NULL);
    assert_int_equal(told, 2);
    assert_null(got);
    told = 0;
    cm_redis_runs_answer(&runs, &reply); /* nobody to tell */
    cm_redis_runs_answer(&runs, &reply);
    assert_int_equal(told, 0);
    assert_int_equal(runs.commands, 0);
    assert_int_equal(runs.len, 0);
}

static void keeps_order_however_it_grows(void **state)
{
    (void)state;
    enum { OWNERS = 20000 };
    uint32_t *owners = calloc(OWNERS, sizeof(*owners));
    uint32_t pushed = 0;
    uint32_t answered = 0;
    struct cm_prng prng;
    cm_prng_seed(&prng, 7);
    while (answered < OWNERS) {
        /* More in than out, so that it grows with its head anywhere. */
        for (uint64_t n = cm_prng_below(&prng, 30); n > 0 && pushed < OWNERS; n--) {
            owners[pushed] = pushed;
            cm_redis_runs_push(&runs, 1, tell, &owners[pushed]);
            pushed++;
        }
        for (uint64_t n = cm_prng_below(&prng, 25); n > 0 && answered < pushed; n--) {
            cm_redis_runs_answer(&runs, NULL);
            assert_int_equal(told, answered);
            answered++;
        }
        assert_int_equal(runs.commands, pushed - answered);
    }
    free(owners);
}

static void push_again(void *context, const struct redisReply *reply)
{
    uint32_t *left = context;
    (void)reply;
    /* Both grow the ring while its oldest entry is being answered. */
    for (int i = 0; i < 100 && *left > 0; i++) {
        (*left)--;
        cm_redis_runs_push(&runs, 1, push_again, context);
        cm_redis_runs_push(&runs, 1, NULL, NULL);
    }
}

static void a_callback_may_push(void **state)
{
    (void)state;
    uint32_t left = 1000;
    cm_redis_runs_push(&runs, 1, push_again, &left);
    uint32_t answered = 0;
    while (runs.commands > 0) {
        cm_redis_runs_answer(&runs, NULL);
        answered++;
    }
    assert_int_equal(answered, 2001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(neighbours_melt, teardown),
        cmocka_unit_test_teardown(keeps_order_however_it_grows, teardown),
        cmocka_unit_test_teardown(a_callback_may_push, teardown),
    };
    return cmocka_run_group_tests_name("redis_runs", tests, NULL, NULL);
}
