// SPDX-License-Identifier: Apache-2.0
/* unit_order_test.c — by unit, whatever the order was, and nothing lost. */
#include "engine/unit_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/prng.h"

static int compare(const void *a, const void *b)
{
    const struct cm_changed_unit *x = a;
    const struct cm_changed_unit *y = b;
    if (x->unit != y->unit) {
        return x->unit < y->unit ? -1 : 1;
    }
    return (x->windows > y->windows) - (x->windows < y->windows);
}

static void any_order_becomes_one(void **state)
{
    (void)state;
    struct cm_prng prng;
    struct cm_unit_order order = {0};
    cm_prng_seed(&prng, 3);
    for (uint32_t round = 0; round < 200; round++) {
        uint32_t count = (uint32_t)cm_prng_below(&prng, 3000);
        uint64_t most = UINT64_C(1) << cm_prng_below(&prng, 33);
        struct cm_changed_unit wanted[3000];
        order.count = 0;
        for (uint32_t i = 0; i < count; i++) { /* windows say in which order they came */
            uint32_t unit = (uint32_t)cm_prng_below(&prng, most);
            cm_unit_order_add(&order, unit, i);
            wanted[i] = (struct cm_changed_unit){unit, i};
        }
        qsort(wanted, count, sizeof(wanted[0]), compare);
        for (uint32_t again = 0; again < 2; again++) {
            cm_unit_order_sort(&order);
            assert_int_equal(order.count, count);
            for (uint32_t i = 0; i < count; i++) {
                assert_int_equal(order.items[i].unit, wanted[i].unit);
                assert_int_equal(order.items[i].windows, wanted[i].windows);
            }
        }
    }
    cm_unit_order_free(&order);
    assert_null(order.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_becomes_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
