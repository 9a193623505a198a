// SPDX-License-Identifier: Apache-2.0
/* pane_test.c — panes by number, what a cell has in them, entries that overflow, and taking back
 * from the entry that held the leg; bins and verdicts behind it. */
#include "window/pane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct cm_leg a_leg(uint32_t talk_ms)
{
    struct cm_leg leg;
    memset(&leg, 0, sizeof(leg));
    leg.count[CM_TALLY_AT_answered] = 1;
    leg.sum[CM_TALLY_AT_talk_ms] = talk_ms;
    leg.handle_max_ms = talk_ms;
    leg.handle_bin = (uint16_t)cm_hist_bin(talk_ms);
    return leg;
}

static uint8_t add_leg(struct cm_panes *panes, struct cm_track *track, int64_t no,
                       const struct cm_leg *leg, bool alone)
{
    return cm_panes_add(panes, cm_panes_get(panes, no), track, 7, leg, alone).ordinal;
}

static uint8_t add(struct cm_panes *panes, struct cm_track *track, int64_t no, uint32_t talk_ms,
                   bool alone)
{
    struct cm_leg leg = a_leg(talk_ms);
    return add_leg(panes, track, no, &leg, alone);
}

static struct cm_entry *newest(const struct cm_track *track)
{
    return cm_track_at(track, cm_track_end(track) - 1)->entry;
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
        assert_int_equal(add(panes, &track, nos[i], 10, false), 0);
    }
    static const int64_t sorted[] = {7, 49, 50, INT64_C(41024448000) - 5, INT64_C(41024448000)};
    assert_int_equal(track.count, 5);
    for (uint64_t i = 0; i < 5; i++) {
        assert_int_equal(cm_track_at(&track, i)->no, sorted[i]);
    }
    assert_int_equal(cm_panes_entries(panes), 5);
    cm_panes_release(panes, &track, 50);
    cm_panes_drop(panes, 50);
    assert_int_equal(track.first, 2);
    assert_int_equal(cm_track_at(&track, 2)->no, 50);
    assert_int_equal(cm_panes_entries(panes), 3);
    cm_panes_release(panes, &track, INT64_C(41024448001));
    cm_panes_drop(panes, INT64_C(41024448001));
    assert_int_equal(track.count, 0);
    assert_int_equal(add(panes, &track, INT64_C(41024448002), 10, false), 0);
    assert_int_equal(cm_track_at(&track, 5)->no, INT64_C(41024448002));
    cm_track_free(&track);
    cm_panes_destroy(panes);
}

static void what_was_given_back_is_used_again(void **state)
{
    (void)state;
    struct cm_panes *panes = cm_panes_create(1000);
    struct cm_pane *pane = cm_panes_get(panes, 3);
    struct cm_track tracks[3] = {{.at = NULL}};
    struct cm_leg_check check = {5, true};
    struct cm_leg leg = a_leg(1000);
    leg.checks = &check;
    leg.checks_count = 1;
    for (uint32_t i = 0; i < 3; i++) {
        struct cm_added added = cm_panes_add(panes, pane, &tracks[i], i, &leg, false);
        assert_true(added.is_new);
        assert_int_equal(added.ordinal, 0);
    }
    assert_int_equal(pane->cells_count, 3);
    struct cm_leg second = a_leg(5000);
    assert_false(cm_panes_add(panes, pane, &tracks[1], 1, &second, false).is_new);
    assert_int_equal(newest(&tracks[0])->count[CM_TALLY_AT_answered], 1);
    assert_int_equal(newest(&tracks[1])->count[CM_TALLY_AT_answered], 2);

    for (uint32_t i = 0; i < 3; i++) {
        cm_panes_release(panes, &tracks[i], 4);
    }
    cm_panes_drop(panes, 4);
    size_t bytes = cm_panes_bytes(panes);
    pane = cm_panes_get(panes, 9);
    for (uint32_t i = 0; i < 3; i++) {
        (void)cm_panes_add(panes, pane, &tracks[i], i, &leg, false);
    }
    assert_int_equal(cm_panes_bytes(panes), bytes);
    assert_int_equal(newest(&tracks[1])->count[CM_TALLY_AT_answered], 1);
    for (uint32_t i = 0; i < 3; i++) {
        cm_track_free(&tracks[i]);
    }
    cm_panes_destroy(panes);
}

static void overflow_opens_another_entry(void **state)
{
    (void)state;
    struct cm_panes *panes = cm_panes_create(1000);
    struct cm_track track = {.at = NULL};
    uint32_t half = UINT32_MAX / 2 + 1;
    assert_int_equal(add(panes, &track, 1, half, false), 0);
    assert_int_equal(add(panes, &track, 1, half - 1, false), 0); /* just fits */
    assert_int_equal(add(panes, &track, 1, half - 2, false), 1);
    assert_int_equal(add(panes, &track, 1, 1, false), 1);
    assert_int_equal(cm_panes_entries(panes), 2);
    struct cm_tally tally = {0};
    struct cm_hist hist = {0};
    struct cm_check_sums checks = {0};
    assert_int_equal(cm_panes_find(panes, 1)->cells_count, 2);
    for (uint64_t i = 0; i < 2; i++) {
        cm_entry_add_to(cm_track_at(&track, i)->entry, &tally, &hist, &checks);
    }
    assert_int_equal(tally.answered, 4);
    assert_int_equal(tally.talk_ms, UINT32_MAX + (uint64_t)half - 1);
    assert_int_equal(tally.handle_max_ms, half);
    for (uint64_t i = 0; i < 2; i++) {
        cm_entry_subtract_from(cm_track_at(&track, i)->entry, &tally, &hist, &checks);
    }
    assert_true(cm_tally_is_empty(&tally));
    assert_null(hist.cells);
    cm_track_free(&track);
    cm_panes_destroy(panes);
}

/* Sums that another entry would hold as well: only the ordinal tells. */
static void taking_back_hits_the_entry_that_held_it(void **state)
{
    (void)state;
    struct cm_panes *panes = cm_panes_create(1000);
    struct cm_track track = {.at = NULL};
    uint32_t big = UINT32_MAX / 2;
    uint8_t at[5];
    uint32_t ms[5] = {big, big + 1, big - 4000, big - 9, 1010};
    for (int i = 0; i < 5; i++) {
        at[i] = add(panes, &track, 3, ms[i], i == 4);
    }
    assert_int_equal(at[0], 0);
    assert_int_equal(at[1], 0);
    assert_int_equal(at[2], 1);
    assert_int_equal(at[3], 1);
    assert_int_equal(at[4], CM_ENTRY_ALONE);
    static const int order[] = {2, 0, 4, 3, 1};
    struct cm_pane *pane = cm_panes_find(panes, 3);
    for (int i = 0; i < 5; i++) {
        struct cm_leg leg = a_leg(ms[order[i]]);
        struct cm_entry *entry = NULL;
        bool right = cm_panes_subtract(pane, &track, &leg, at[order[i]], &entry);
        bool was_longest = order[i] == 1 || order[i] == 3;
        bool was_last = order[i] == 4 || i >= 3;
        assert_int_equal(right, was_last || !was_longest);
        if (was_last) {
            assert_int_equal(entry->handle_max_ms, 0);
        }
    }
    cm_track_free(&track);
    cm_panes_destroy(panes);
}

static void after_so_many_entries_each_leg_has_its_own(void **state)
{
    (void)state;
    struct cm_panes *panes = cm_panes_create(1000);
    struct cm_track track = {.at = NULL};
    for (uint32_t i = 0; i < 400; i++) {
        uint8_t ordinal = add(panes, &track, 3, UINT32_MAX - i, false);
        assert_int_equal(ordinal, i < CM_ENTRY_ALONE ? i : CM_ENTRY_ALONE);
    }
    struct cm_pane *pane = cm_panes_find(panes, 3);
    for (uint32_t i = 0; i < 400; i++) {
        struct cm_leg leg = a_leg(UINT32_MAX - i);
        struct cm_entry *entry = NULL;
        uint8_t ordinal = (uint8_t)(i < CM_ENTRY_ALONE ? i : CM_ENTRY_ALONE);
        assert_true(cm_panes_subtract(pane, &track, &leg, ordinal, &entry));
        assert_int_equal(entry->count[CM_TALLY_AT_answered], 0);
    }
    cm_track_free(&track);
    cm_panes_destroy(panes);
}

/* A leg of one of 60 bins and some verdicts; far more bins than are searched for one that comes
 * again. */
static struct cm_leg a_judged_leg(uint32_t i, struct cm_leg_check checks[2])
{
    struct cm_leg leg = a_leg(1000 + 60000 * (i % 60));
    checks[0] = (struct cm_leg_check){(uint16_t)(i % 7), i % 2 == 0};
    checks[1] = (struct cm_leg_check){4095, i % 3 == 0};
    leg.checks = checks;
    leg.checks_count = i % 3;
    return leg;
}

static void many_bins_and_verdicts_add_up_and_go(void **state)
{
    (void)state;
    enum { LEGS = 300 };
    struct cm_panes *panes = cm_panes_create(1000);
    struct cm_track track = {.at = NULL};
    struct cm_pane *pane = cm_panes_get(panes, 3);
    struct cm_check_sums wanted = {0};
    struct cm_leg_check checks[2];
    for (uint32_t i = 0; i < LEGS; i++) {
        struct cm_leg leg = a_judged_leg(i, checks);
        assert_int_equal(add_leg(panes, &track, 3, &leg, false), 0);
        for (uint32_t k = 0; k < leg.checks_count; k++) {
            cm_check_sums_add(&wanted, checks[k].name, 1, checks[k].passed);
        }
    }
    struct cm_tally tally = {0};
    struct cm_hist hist = {0};
    struct cm_check_sums sums = {0};
    cm_entry_add_to(newest(&track), &tally, &hist, &sums);
    assert_int_equal(tally.answered, LEGS);
    assert_int_equal(sums.count, wanted.count);
    assert_memory_equal(sums.at, wanted.at, wanted.count * sizeof(*wanted.at));
    assert_int_equal(cm_hist_quantile(&hist, LEGS, 1000), cm_hist_bin_value(cm_hist_bin(3541000)));
    for (uint32_t i = LEGS; i > 0; i--) {
        struct cm_leg leg = a_judged_leg(i * 7 % LEGS, checks); /* 7 and 300: each once */
        struct cm_entry *entry = NULL;
        bool right = cm_panes_subtract(pane, &track, &leg, 0, &entry);
        assert_ptr_equal(entry, newest(&track));
        assert_true(right || i > 1); /* when nothing is left, they are 0 */
    }
    cm_entry_subtract_from(newest(&track), &tally, &hist, &sums); /* has nothing any more */
    assert_int_equal(tally.answered, LEGS);
    assert_memory_equal(sums.at, wanted.at, wanted.count * sizeof(*wanted.at));
    cm_check_sums_free(&sums);
    cm_check_sums_free(&wanted);
    cm_hist_free(&hist);
    cm_track_free(&track);
    cm_panes_destroy(panes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(panes_stand_in_order_whatever_comes_first),
        cmocka_unit_test(tracks_stand_in_order_and_end_at_the_floor),
        cmocka_unit_test(what_was_given_back_is_used_again),
        cmocka_unit_test(overflow_opens_another_entry),
        cmocka_unit_test(taking_back_hits_the_entry_that_held_it),
        cmocka_unit_test(after_so_many_entries_each_leg_has_its_own),
        cmocka_unit_test(many_bins_and_verdicts_add_up_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
