// SPDX-License-Identifier: Apache-2.0
/* pane_test.c — panes by number, the legs in them, and memory that is used again. */
#include "window/pane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void panes_stand_in_order_whatever_comes_first(void **state)
{
    (void)state;
    struct cm_panes *panes = cm_panes_create(1000);
    for (int64_t i = 0; i < 3000; i++) { /* more than the first table holds */
        assert_int_equal(cm_panes_get(panes, i * 1009 % 3001)->no, i * 1009 % 3001);
    }
    int64_t count = 0, last = -1;
    for (const struct cm_pane *p = cm_panes_oldest(panes); p != NULL; p = p->newer, count++) {
        assert_true(p->no > last);
        assert_ptr_equal(cm_panes_find(panes, p->no), p);
        last = p->no;
    }
    assert_int_equal(count, 3000);
    assert_int_equal(cm_panes_newest(panes)->no, last);
    cm_panes_drop(panes, 1500);
    cm_panes_drop(panes, 10); /* never falls */
    assert_int_equal(cm_panes_floor(panes), 1500);
    assert_int_equal(cm_panes_oldest(panes)->no, 1500);
    assert_null(cm_panes_oldest(panes)->older);
    assert_null(cm_panes_find(panes, 1499));
    cm_panes_drop(panes, INT64_MAX);
    assert_null(cm_panes_oldest(panes));
    assert_null(cm_panes_newest(panes));
    assert_int_equal(cm_panes_legs(panes), 0);
    cm_panes_destroy(panes);
}

static void legs_of_one_pane_stand_in_the_order_in_which_they_came(void **state)
{
    (void)state;
    struct cm_panes *panes = cm_panes_create(1000);
    struct cm_pane *pane = cm_panes_get(panes, -3);
    uint32_t first = UINT32_MAX - 700; /* places begin again at 0 */
    for (uint32_t i = 0; i < 500; i++) {
        cm_panes_add(panes, pane, first + 3 * i);
    }
    assert_int_equal(pane->legs_count, 500);
    assert_int_equal(cm_panes_legs(panes), 500);
    for (uint32_t i = 0; i < 500; i++) {
        assert_int_equal(pane->legs[i], first + 3 * i);
        assert_int_equal(cm_pane_index(pane, first + 3 * i), i);
    }
    cm_panes_add(panes, cm_panes_get(panes, 12), 77);
    cm_panes_drop(panes, 0);
    assert_int_equal(cm_panes_legs(panes), 1);
    cm_panes_destroy(panes);
}

static void what_was_given_back_is_used_again(void **state)
{
    (void)state;
    struct cm_panes *panes = cm_panes_create(1000);
    size_t bytes = 0;
    for (int64_t no = 3; no < 10; no++) {
        struct cm_pane *pane = cm_panes_get(panes, no);
        assert_int_equal(pane->legs_count, 0);
        assert_int_equal(pane->uses[0].want, 0);
        pane->uses[0].want = 1;
        for (uint32_t i = 0; i < 3; i++) {
            cm_panes_add(panes, pane, (uint32_t)no);
        }
        assert_int_equal(pane->legs_count, 3);
        assert_true(no == 3 || cm_panes_bytes(panes) == bytes);
        cm_panes_drop(panes, no + 1);
        bytes = cm_panes_bytes(panes);
    }
    cm_panes_destroy(panes);
}

static void long_lists_that_nobody_needs_go_back(void **state)
{
    (void)state;
    struct cm_panes *panes = cm_panes_create(1000);
    for (int64_t no = 0; no < 10; no++) {
        struct cm_pane *pane = cm_panes_get(panes, no);
        for (uint32_t i = 0; i < 200000; i++) {
            cm_panes_add(panes, pane, i);
        }
    }
    size_t most_bytes = cm_panes_bytes(panes);
    assert_true(most_bytes > (size_t)10 * 200000 * sizeof(uint32_t));
    cm_panes_drop(panes, 10);
    assert_true(cm_panes_bytes(panes) < most_bytes / 4);
    for (int64_t no = 10; no < 20; no++) { /* with what was kept, and without */
        struct cm_pane *pane = cm_panes_get(panes, no);
        for (uint32_t i = 0; i < 100; i++) {
            cm_panes_add(panes, pane, i + 7);
            assert_int_equal(pane->legs[i], i + 7);
        }
    }
    cm_panes_destroy(panes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(panes_stand_in_order_whatever_comes_first),
        cmocka_unit_test(legs_of_one_pane_stand_in_the_order_in_which_they_came),
        cmocka_unit_test(what_was_given_back_is_used_again),
        cmocka_unit_test(long_lists_that_nobody_needs_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
