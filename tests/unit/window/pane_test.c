// SPDX-License-Identifier: Apache-2.0
/* pane_test.c — panes by number, what a cell has in them, and memory that is used again. */
#include "window/pane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void add(struct cm_panes *panes, struct cm_track *track, int64_t no, uint32_t leg)
{
    cm_panes_add(panes, cm_panes_get(panes, no), track, 7, leg);
}

static int64_t no_at(const struct cm_track *track, uint64_t place)
{
    return cm_item_no(cm_track_at(track, place));
}

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
    assert_int_equal(cm_panes_entries(panes), 0);
    cm_panes_destroy(panes);
}

static void tracks_stand_in_order_and_end_at_the_floor(void **state)
{
    (void)state;
    struct cm_panes *panes = cm_panes_create(100);
    struct cm_track track = {.at = NULL};
    static const int64_t nos[] = {50, INT64_C(41024448000), 7, INT64_C(41024448000) - 5, 49};
    for (size_t i = 0; i < sizeof(nos) / sizeof(nos[0]); i++) {
        add(panes, &track, nos[i], 10);
    }
    static const int64_t sorted[] = {7, 49, 50, INT64_C(41024448000) - 5, INT64_C(41024448000)};
    assert_int_equal(track.count, 5);
    for (uint64_t i = 0; i < 5; i++) {
        assert_int_equal(no_at(&track, i), sorted[i]);
    }
    assert_int_equal(cm_panes_entries(panes), 5);
    cm_panes_release(panes, &track, 50);
    cm_panes_drop(panes, 50);
    assert_int_equal(track.first, 2);
    assert_int_equal(no_at(&track, 2), 50);
    assert_int_equal(cm_panes_entries(panes), 3);
    cm_panes_release(panes, &track, INT64_C(41024448001));
    cm_panes_drop(panes, INT64_C(41024448001));
    assert_int_equal(track.count, 0);
    add(panes, &track, INT64_C(41024448002), 10);
    assert_int_equal(no_at(&track, 5), INT64_C(41024448002));
    cm_track_free(&track);
    cm_panes_destroy(panes);
}

static void legs_of_one_pane_stand_side_by_side(void **state)
{
    (void)state;
    struct cm_panes *panes = cm_panes_create(1000);
    struct cm_track tracks[2] = {{.at = NULL}};
    struct cm_pane *pane = cm_panes_get(panes, -3);
    for (uint32_t i = 0; i < 500; i++) {
        cm_panes_add(panes, pane, &tracks[i % 2], i % 2, i);
    }
    assert_int_equal(pane->cells_count, 2); /* each cell once */
    assert_int_equal(pane->cells[0], 0);
    assert_int_equal(pane->cells[1], 1);
    assert_int_equal(cm_panes_entries(panes), 500);
    for (uint32_t i = 0; i < 500; i++) { /* in the order in which they came */
        assert_int_equal(cm_track_at(&tracks[i % 2], i / 2)->leg, i);
        assert_int_equal(no_at(&tracks[i % 2], i / 2), -3);
    }
    cm_track_free(&tracks[0]);
    cm_track_free(&tracks[1]);
    cm_panes_destroy(panes);
}

static void what_was_given_back_is_used_again(void **state)
{
    (void)state;
    struct cm_panes *panes = cm_panes_create(1000);
    struct cm_track tracks[3] = {{.at = NULL}};
    size_t bytes = 0;
    for (int64_t no = 3; no < 10; no++) {
        struct cm_pane *pane = cm_panes_get(panes, no);
        for (uint32_t i = 0; i < 3; i++) {
            cm_panes_add(panes, pane, &tracks[i], i, (uint32_t)no);
        }
        assert_int_equal(pane->cells_count, 3);
        assert_true(no == 3 || cm_panes_bytes(panes) == bytes);
        for (uint32_t i = 0; i < 3; i++) {
            cm_panes_release(panes, &tracks[i], no + 1);
        }
        cm_panes_drop(panes, no + 1);
        bytes = cm_panes_bytes(panes);
    }
    for (uint32_t i = 0; i < 3; i++) {
        cm_track_free(&tracks[i]);
    }
    cm_panes_destroy(panes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(panes_stand_in_order_whatever_comes_first),
        cmocka_unit_test(tracks_stand_in_order_and_end_at_the_floor),
        cmocka_unit_test(legs_of_one_pane_stand_side_by_side),
        cmocka_unit_test(what_was_given_back_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
