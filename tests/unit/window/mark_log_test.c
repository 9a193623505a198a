// SPDX-License-Identifier: Apache-2.0
/* mark_log_test.c — a queue of numbers that grows and turns around in its ring. */
#include "window/mark_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void what_is_kept_is_found(void **state)
{
    (void)state;
    struct cm_mark_log log = {0};
    uint32_t kept = 0; /* values are their own places */
    for (uint32_t i = 0; i < 100000; i++) {
        assert_int_equal(cm_mark_log_add(&log, i * 7), i);
        if (i % 3 == 0) {
            kept = i - i / 50; /* now and then all but a few go */
            cm_mark_log_drop(&log, kept);
        }
        assert_int_equal(cm_mark_log_at(&log, kept), kept * 7);
        assert_int_equal(cm_mark_log_at(&log, i), i * 7);
    }
    cm_mark_log_free(&log);
    assert_null(log.at);
}

/* Places are modulo 2^32: nothing breaks where they begin again. */
static void places_begin_again(void **state)
{
    (void)state;
    struct cm_mark_log log = {.first = UINT32_MAX - 5, .end = UINT32_MAX - 5};
    for (uint32_t i = 0; i < 3000; i++) {
        assert_int_equal(cm_mark_log_add(&log, i), (uint32_t)(UINT32_MAX - 5 + i));
    }
    for (uint32_t i = 0; i < 3000; i++) {
        assert_int_equal(cm_mark_log_at(&log, UINT32_MAX - 5 + i), i);
    }
    cm_mark_log_free(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_is_found),
        cmocka_unit_test(places_begin_again),
    };
    return cmocka_run_group_tests_name("mark_log", tests, NULL, NULL);
}
