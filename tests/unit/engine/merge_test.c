// SPDX-License-Identifier: Apache-2.0
/* merge_test.c — the sum of several workers' shares, kept from round to round. */
#include "engine/merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"

static const struct cm_unit_key units[] = {
    {CM_KIND_CENTRE, {"main", 4}}, {CM_KIND_QUEUE, {"main", 4}}, {CM_KIND_TEAM, {"t1", 2}}};

static struct cm_measures measures(uint32_t answered, uint32_t longest_ms)
{
    struct cm_measures m = {.busy_ms = answered, .available_ms = 2 * (uint64_t)answered};
    m.tally.answered = answered;
    m.tally.talk_ms = 10 * (uint64_t)answered;
    m.tally.handle_max_ms = longest_ms;
    cm_hist_add(&m.handle, 5 + answered % 3, answered);
    return m;
}

static void one_worker_keeps_nothing(void **state)
{
    (void)state;
    struct cm_merge *merge = cm_merge_create(1, 2);
    struct cm_measures m = measures(3, 9);
    assert_ptr_equal(cm_merge_put(merge, 0, &units[0], 1, 10, &m), &m);
    assert_non_null(m.handle.cells);
    cm_hist_free(&m.handle);
    cm_merge_forget(merge, 0);
    cm_merge_destroy(merge);
}

static void shares_add_up_and_the_newest_counts(void **state)
{
    (void)state;
    enum { WORKERS = 3, WINDOWS = 4, UNITS = 3 };
    struct cm_prng prng;
    cm_prng_seed(&prng, 11);
    struct cm_merge *merge = cm_merge_create(WORKERS, WINDOWS);
    uint32_t answered[WORKERS][UNITS][WINDOWS] = {0}, longest[WORKERS][UNITS][WINDOWS] = {0};
    for (int i = 0; i < 5000; i++) {
        uint32_t w = (uint32_t)cm_prng_below(&prng, WORKERS);
        uint32_t u = (uint32_t)cm_prng_below(&prng, UNITS);
        uint32_t window = (uint32_t)cm_prng_below(&prng, WINDOWS);
        if (cm_prng_below(&prng, 100) == 0) {
            cm_merge_forget(merge, w);
            memset(answered[w], 0, sizeof(answered[w]));
            memset(longest[w], 0, sizeof(longest[w]));
        }
        answered[w][u][window] = (uint32_t)cm_prng_below(&prng, 9); /* 0: empty again */
        longest[w][u][window] = (uint32_t)cm_prng_below(&prng, 99);
        struct cm_measures m = measures(answered[w][u][window], longest[w][u][window]);
        const struct cm_measures *sum = cm_merge_put(merge, w, &units[u], window, 10, &m);
        assert_null(m.handle.cells); /* taken over */
        uint32_t wanted = 0, most = 0, bins[3] = {0};
        for (uint32_t k = 0; k < WORKERS; k++) {
            wanted += answered[k][u][window];
            most = longest[k][u][window] > most ? longest[k][u][window] : most;
            bins[answered[k][u][window] % 3] += answered[k][u][window];
        }
        assert_int_equal(sum->tally.answered, wanted);
        assert_int_equal(sum->tally.talk_ms, 10 * (uint64_t)wanted);
        assert_int_equal(sum->tally.handle_max_ms, most);
        assert_int_equal(sum->busy_ms, wanted);
        assert_int_equal(sum->available_ms, 2 * (uint64_t)wanted);
        struct cm_hist left = {0};
        cm_hist_copy(&left, &sum->handle);
        for (uint32_t b = 0; b < 3; b++) {
            cm_hist_sub(&left, 5 + b, bins[b]);
        }
        assert_null(left.cells);
    }
    cm_merge_destroy(merge);
}

static void many_units_grow_the_table(void **state)
{
    (void)state;
    struct cm_merge *merge = cm_merge_create(2, 1);
    for (uint32_t round = 1; round <= 2; round++) {
        for (uint32_t i = 0; i < 3000; i++) {
            struct cm_unit_key key = {CM_KIND_SEAT, {(const char *)&i, sizeof(i)}};
            struct cm_measures m = measures(round, i);
            assert_int_equal(cm_merge_put(merge, round - 1, &key, 0, 10, &m)->tally.answered,
                             round == 1 ? 1 : 3);
        }
    }
    cm_merge_destroy(merge);
}

struct seen {
    uint32_t count;
    struct {
        struct cm_unit_key key;
        uint32_t unit, window, answered;
        int64_t asof_ms;
    } at[32];
};

static void see(void *context, const struct cm_unit_key *key, uint32_t unit, uint32_t window,
                int64_t asof_ms, const struct cm_measures *m)
{
    struct seen *seen = context;
    assert_true(seen->count < 32);
    seen->at[seen->count].unit = unit;
    seen->at[seen->count].key = *key;
    seen->at[seen->count].window = window;
    seen->at[seen->count].asof_ms = asof_ms;
    seen->at[seen->count++].answered = m->tally.answered;
}

static void add_row(struct cm_frame *frame, uint32_t unit, uint32_t window, int64_t asof_ms,
                    uint32_t answered, bool is_history)
{
    struct cm_frame_row *row = cm_frame_add_row(frame);
    cm_measures_free(&row->m);
    *row = (struct cm_frame_row){.key = units[unit],
                                 .unit = 70000 - unit, /* a worker numbers as it likes */
                                 .window = window,
                                 .is_history = is_history,
                                 .asof_ms = asof_ms,
                                 .m = measures(answered, 1)};
}

static void a_round_gives_each_changed_figure_once(void **state)
{
    (void)state;
    struct cm_merge *merge = cm_merge_create(2, 2);
    struct cm_frame frames[2];
    memset(frames, 0, sizeof(frames));
    struct cm_frame *both[] = {&frames[0], &frames[1]};
    add_row(&frames[0], 0, 0, 10, 1, false);
    add_row(&frames[1], 0, 0, 10, 2, false);
    add_row(&frames[1], 1, 1, 20, 4, false);
    add_row(&frames[1], 0, 1, 20, 9, true); /* history is not a row of the round */
    struct seen seen = {0};
    cm_merge_rows(merge, both, see, &seen);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.at[0].answered, 3);
    assert_int_equal(seen.at[0].asof_ms, 10);
    assert_int_equal(seen.at[1].key.kind, CM_KIND_QUEUE);
    assert_int_equal(seen.at[1].answered, 4);
    cm_frame_clear(&frames[0]);
    cm_frame_clear(&frames[1]);
    /* The other worker's share of the round before is still right. */
    add_row(&frames[0], 0, 0, 11, 5, false);
    seen.count = 0;
    cm_merge_rows(merge, both, see, &seen);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.at[0].answered, 7);
    assert_int_equal(seen.at[0].asof_ms, 11);
    cm_frame_free(&frames[0]);
    cm_frame_free(&frames[1]);
    cm_merge_destroy(merge);
}

/* Units come by our numbers, whatever the workers' are, and as these are dealt anew. */
static void units_come_in_order(void **state)
{
    (void)state;
    struct cm_merge *merge = cm_merge_create(2, 1);
    struct cm_frame frames[2];
    memset(frames, 0, sizeof(frames));
    struct cm_frame *both[] = {&frames[0], &frames[1]};
    struct seen seen = {0};
    for (uint32_t round = 0; round < 3; round++) {
        add_row(&frames[0], 2 * (round % 2), 0, 10 + round, 1, false);
        add_row(&frames[0], 1, 0, 10 + round, 2, false);
        add_row(&frames[1], 2 - 2 * (round % 2), 0, 10 + round, 3, false);
        seen.count = 0;
        cm_merge_rows(merge, both, see, &seen);
        assert_int_equal(seen.count, 3);
        for (uint32_t i = 0; i < 3; i++) {
            assert_int_equal(seen.at[i].unit, i);
            assert_int_equal(cm_unit_key_cmp(&seen.at[i].key, &units[i]), 0);
        }
        assert_int_equal(seen.at[1].answered, 2);
        cm_frame_clear(&frames[0]);
        cm_frame_clear(&frames[1]);
        if (round == 1) {
            cm_merge_forget(merge, 0);
            cm_merge_forget(merge, 1);
        }
    }
    assert_int_equal(seen.at[0].answered, 1); /* nothing is left of the rounds before */
    assert_int_equal(seen.at[2].answered, 3);
    /* The worker's old number stands for another unit now. */
    cm_merge_forget(merge, 0);
    add_row(&frames[0], 2, 0, 20, 5, false);
    frames[0].rows[0].unit = 70000;
    seen.count = 0;
    cm_merge_rows(merge, both, see, &seen);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.at[0].unit, 2);
    assert_int_equal(seen.at[0].answered, 8);
    cm_frame_free(&frames[0]);
    cm_frame_free(&frames[1]);
    cm_merge_destroy(merge);
}

static uint64_t state_ms(const struct cm_measures *m, enum cm_state state)
{
    for (uint32_t i = 0; i < m->details.count; i++) {
        if (m->details.at[i].index == state) {
            return m->details.at[i].count;
        }
    }
    return 0;
}

/* One worker's seat talks on and another of its seats has left the window, while the other worker
 * alone has news. */
static void time_in_states_runs_on(void **state)
{
    (void)state;
    struct cm_merge *merge = cm_merge_create(2, 1);
    struct cm_measures m = {.busy_ms = 100, .available_ms = 30};
    m.running[CM_STATE_TALKING] = 2;
    m.running[CM_STATE_AVAILABLE] = -1;
    m.running[CM_STATE_BREAK] = 1; /* begun just now */
    cm_details_add(&m.details,
                   &(struct cm_detail){CM_DETAIL_STATE, CM_STATE_AVAILABLE, {0}, 30, 0});
    cm_details_add(&m.details, &(struct cm_detail){CM_DETAIL_STATE, CM_STATE_TALKING, {0}, 100, 0});
    (void)cm_merge_put(merge, 0, &units[0], 0, 1000, &m);
    struct cm_measures other = {.available_ms = 7};
    other.running[CM_STATE_AVAILABLE] = 1;
    cm_details_add(&other.details,
                   &(struct cm_detail){CM_DETAIL_STATE, CM_STATE_AVAILABLE, {0}, 7, 0});
    const struct cm_measures *sum = cm_merge_put(merge, 1, &units[0], 0, 1010, &other);
    assert_int_equal(state_ms(sum, CM_STATE_TALKING), 120);
    assert_int_equal(state_ms(sum, CM_STATE_AVAILABLE), 27);
    assert_int_equal(state_ms(sum, CM_STATE_BREAK), 10);
    assert_int_equal(sum->busy_ms, 120);
    assert_int_equal(sum->available_ms, 27);
    /* To the ms at which nothing is left of it. */
    struct cm_measures none = {.busy_ms = 0};
    sum = cm_merge_put(merge, 1, &units[0], 0, 1030, &none);
    assert_int_equal(sum->available_ms, 0);
    assert_int_equal(sum->details.count, 2);
    cm_merge_destroy(merge);
}

static void closed_periods_are_summed_and_sorted(void **state)
{
    (void)state;
    struct cm_frame frames[2];
    memset(frames, 0, sizeof(frames));
    struct cm_frame *both[] = {&frames[0], &frames[1]};
    add_row(&frames[0], 2, 1, 100, 1, true);
    add_row(&frames[0], 0, 1, 100, 2, true);
    add_row(&frames[0], 0, 0, 200, 4, true);
    add_row(&frames[1], 0, 1, 100, 8, true);
    add_row(&frames[1], 0, 1, 50, 16, true);
    add_row(&frames[1], 0, 1, 100, 32, false);
    struct seen seen = {0};
    cm_merge_history(both, 2, see, &seen);
    static const struct {
        uint32_t window, answered;
        int64_t asof_ms;
    } wanted[] = {{0, 4, 200}, {1, 16, 50}, {1, 10, 100}, {1, 1, 100}};
    assert_int_equal(seen.count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(seen.at[i].window, wanted[i].window);
        assert_int_equal(seen.at[i].answered, wanted[i].answered);
        assert_int_equal(seen.at[i].asof_ms, wanted[i].asof_ms);
    }
    cm_frame_free(&frames[0]);
    cm_frame_free(&frames[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_worker_keeps_nothing),
        cmocka_unit_test(shares_add_up_and_the_newest_counts),
        cmocka_unit_test(many_units_grow_the_table),
        cmocka_unit_test(a_round_gives_each_changed_figure_once),
        cmocka_unit_test(units_come_in_order),
        cmocka_unit_test(time_in_states_runs_on),
        cmocka_unit_test(closed_periods_are_summed_and_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
