// SPDX-License-Identifier: Apache-2.0
/* redis_out_test.c — bytes leave in the order in which they came, and memory comes back. */
#include "redis/redis_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void assert_next(struct cm_redis_out *out, const char *expected)
{
    const char *bytes;
    size_t len;
    assert_true(cm_redis_out_next(out, &bytes, &len));
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(bytes, expected, len);
}

static void order_is_kept(void **state)
{
    (void)state;
    struct cm_redis_out out = {0};
    struct cm_text big = {0};
    const char *bytes;
    size_t len;
    assert_false(cm_redis_out_next(&out, &bytes, &len));
    cm_redis_out_give(&out, &big); /* nothing */
    assert_int_equal(cm_redis_out_unsent(&out), 0);
    cm_text_adds(&out.filling, "one");
    cm_text_adds(&big, "two");
    cm_redis_out_give(&out, &big);
    assert_int_equal(big.len, 0);
    cm_text_adds(&big, "three");
    cm_redis_out_give(&out, &big);
    cm_text_adds(&out.filling, "four");
    assert_int_equal(cm_redis_out_unsent(&out), 15);
    assert_next(&out, "one");
    cm_redis_out_sent(&out, 1);
    cm_text_adds(&out.filling, "4");
    assert_next(&out, "ne");
    assert_int_equal(cm_redis_out_unsent(&out), 15);
    cm_redis_out_sent(&out, 2);
    assert_next(&out, "two");
    cm_redis_out_sent(&out, 3);
    assert_next(&out, "three");
    cm_redis_out_sent(&out, 5);
    assert_next(&out, "four4");
    cm_text_adds(&out.filling, "five"); /* behind what is being sent */
    assert_next(&out, "four4");
    cm_redis_out_sent(&out, 5);
    assert_next(&out, "five");
    cm_redis_out_sent(&out, 4);
    assert_false(cm_redis_out_next(&out, &bytes, &len));
    assert_int_equal(cm_redis_out_unsent(&out), 0);
    cm_text_free(&big);
    cm_redis_out_free(&out);
}

static void memory_comes_back(void **state)
{
    (void)state;
    struct cm_redis_out out = {0};
    struct cm_text big = {0};
    (void)cm_text_room(&big, 100000);
    cm_text_adds(&big, "big");
    const char *memory = big.data;
    cm_redis_out_give(&out, &big);
    assert_next(&out, "big");
    cm_redis_out_sent(&out, 3);
    cm_text_adds(&big, "small");
    cm_redis_out_give(&out, &big);
    assert_ptr_equal(big.data, memory);
    assert_int_equal(big.len, 0);
    assert_next(&out, "small");
    cm_redis_out_wipe(&out);
    assert_int_equal(cm_redis_out_unsent(&out), 5); /* the bytes are gone, not their number */
    cm_redis_out_sent(&out, 5);
    assert_int_equal(cm_redis_out_unsent(&out), 0);
    cm_text_free(&big);
    cm_redis_out_free(&out);
    assert_int_equal(cm_redis_out_unsent(&out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_kept),
        cmocka_unit_test(memory_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
