// SPDX-License-Identifier: Apache-2.0
/* now_batch_test.c — each picture is taken once, with its unit's rows or at the end. */
#include "publish/now_batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void assert_value(struct cm_str value, const char *expected)
{
    assert_int_equal(value.len, strlen(expected));
    assert_memory_equal(value.p, expected, value.len);
}

static void pictures_are_taken_once(void **state)
{
    (void)state;
    struct cm_now_batch *batch = cm_now_batch_create();
    struct cm_gauge gauge = {.has_waits = true};
    struct cm_str value;
    uint32_t unit;
    for (int round = 0; round < 2; round++) {
        assert_false(cm_now_batch_take(batch, 5, &value));
        assert_false(cm_now_batch_take_any(batch, &unit, &value));
        cm_now_batch_add(batch, 5, 1, &gauge);
        cm_now_batch_add(batch, 700, 2, &gauge);
        cm_now_batch_add(batch, 0, 3, &gauge);
        assert_false(cm_now_batch_take(batch, 6, &value));
        assert_false(cm_now_batch_take(batch, 70000, &value));
        assert_true(cm_now_batch_take(batch, 700, &value));
        assert_value(value, "{\"asof\":2,\"calls_waiting\":0,\"longest_wait_ms\":0}");
        assert_false(cm_now_batch_take(batch, 700, &value));
        assert_true(cm_now_batch_take_any(batch, &unit, &value));
        assert_int_equal(unit, 5);
        assert_value(value, "{\"asof\":1,\"calls_waiting\":0,\"longest_wait_ms\":0}");
        assert_true(cm_now_batch_take_any(batch, &unit, &value));
        assert_int_equal(unit, 0);
        assert_false(cm_now_batch_take_any(batch, &unit, &value));
        cm_now_batch_clear(batch);
    }
    cm_now_batch_destroy(batch);
    cm_now_batch_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_taken_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
