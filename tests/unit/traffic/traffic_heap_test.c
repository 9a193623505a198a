// SPDX-License-Identifier: Apache-2.0
/* traffic_heap_test.c — against sorting: earliest first, equal times in the order of pushing. */
#include "traffic/traffic_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/prng.h"

static void test_empty(void **state)
{
    (void)state;
    struct cm_heap heap = {0};
    assert_true(cm_heap_due_ms(&heap) == INT64_MAX);
    cm_heap_push(&heap, 5, 1);
    assert_true(cm_heap_due_ms(&heap) == 5);
    assert_int_equal(cm_heap_pop(&heap).ref, 1);
    assert_int_equal(heap.count, 0);
    cm_heap_free(&heap);
}

static void test_order_with_ties(void **state)
{
    (void)state;
    struct cm_heap heap = {0};
    heap.pushed = UINT32_MAX - 500; /* the order of pushing wraps on the way */
    struct cm_prng prng;
    cm_prng_seed(&prng, 3);
    enum { N = 5000, TIMES = 40 };
    uint32_t next_ref = 0;
    int64_t now = 0;
    static uint32_t last_ref[TIMES * N]; /* by time, which goes on by less than TIMES a pop */
    for (int i = 0; i < N; i++) {
        uint64_t pushes = cm_prng_below(&prng, 3);
        for (uint64_t p = 0; p < pushes; p++) {
            cm_heap_push(&heap, now + (int64_t)cm_prng_below(&prng, TIMES), ++next_ref);
        }
        if (heap.count > 0) {
            struct cm_heap_item item = cm_heap_pop(&heap);
            assert_true(item.at_ms >= now); /* nothing earlier was pushed since */
            now = item.at_ms;
            assert_true(item.ref > last_ref[now]); /* refs of one time come as pushed */
            last_ref[now] = item.ref;
        }
    }
    uint32_t left = heap.count;
    for (uint32_t i = 0; i < left; i++) {
        struct cm_heap_item item = cm_heap_pop(&heap);
        assert_true(item.at_ms >= now);
        now = item.at_ms;
    }
    assert_int_equal(heap.count, 0);
    cm_heap_free(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_order_with_ties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
