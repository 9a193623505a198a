// SPDX-License-Identifier: Apache-2.0
/* fetch_pace_test.c — how much is asked of which partition. */
#include "kafka/fetch_pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MOST (1 << 20)

/* 100 ms an offset, batches of 1,000 offsets in 200,000 bytes. */
static struct cm_fetch_pace paced(void)
{
    struct cm_fetch_pace pace = CM_FETCH_PACE_INIT;
    const struct cm_fetch_batches two = {2, 400000, 200000};
    cm_fetch_pace_note(&pace, 128, 1000000);
    cm_fetch_pace_note(&pace, 128 + 512, 1000000 + 51200);
    cm_fetch_pace_heads(&pace, &two, 640, 2640, MOST, true);
    return pace;
}

static void little_known_asks_for_little(void **state)
{
    (void)state;
    struct cm_fetch_pace pace = CM_FETCH_PACE_INIT;
    assert_int_equal(cm_fetch_pace_expected_ms(&pace, 0, 5000), INT64_MIN);
    assert_int_equal(cm_fetch_pace_bytes(&pace, INT64_MIN, INT64_MAX, MOST), 262144);
    assert_int_equal(cm_fetch_pace_bytes(&pace, INT64_MIN, INT64_MAX, 1000), 1000);
    assert_int_equal(cm_fetch_pace_span_ms(&pace), 60000);
    cm_fetch_pace_note(&pace, 10, INT64_MIN); /* walked, but no events */
    assert_int_equal(pace.newest_ms, INT64_MIN);
    cm_fetch_pace_note(&pace, 128, 7000);
    cm_fetch_pace_note(&pace, 200, 9000); /* too little for a pace */
    assert_int_equal(cm_fetch_pace_expected_ms(&pace, 200, 5000), 9000);
    assert_int_equal(cm_fetch_pace_bytes(&pace, 9000, 9001, MOST), 262144);
    cm_fetch_pace_note(&pace, 256, 7000 + 12800);
    assert_int_equal(cm_fetch_pace_expected_ms(&pace, 256, 356), 7000 + 12800 + 10000);
}

/* Nobody tells its time: there is nothing to keep it level with. */
static void no_time_ever_asks_for_all(void **state)
{
    (void)state;
    struct cm_fetch_pace pace = CM_FETCH_PACE_INIT;
    const struct cm_fetch_batches two = {2, 400000, 200000};
    cm_fetch_pace_heads(&pace, &two, 0, 2000, 262144, true);
    assert_int_equal(cm_fetch_pace_bytes(&pace, INT64_MIN, INT64_MAX, MOST), 262144);
    cm_fetch_pace_heads(&pace, &two, 2000, 5000, 262144, true);
    assert_int_equal(cm_fetch_pace_bytes(&pace, INT64_MIN, INT64_MAX, MOST), MOST);
}

static void what_is_here_counts_at_its_pace(void **state)
{
    (void)state;
    struct cm_fetch_pace pace = paced();
    assert_int_equal(cm_fetch_pace_expected_ms(&pace, 640, 640), 1051200);
    assert_int_equal(cm_fetch_pace_expected_ms(&pace, 640, 1640), 1051200 + 100000);
    assert_int_equal(cm_fetch_pace_expected_ms(&pace, 640, 600), 1051200);
    /* The pace follows: now 10 ms an offset. */
    cm_fetch_pace_note(&pace, 640 + 1000, 1051200 + 10000);
    assert_int_equal(cm_fetch_pace_expected_ms(&pace, 1640, 2640), 1061200 + 10000);
    /* Set back: it begins anew, and what was known serves meanwhile. */
    cm_fetch_pace_note(&pace, 100, 500);
    assert_int_equal(cm_fetch_pace_expected_ms(&pace, 100, 200), 500 + 1000);
}

static void all_at_one_instant_is_no_division_by_nothing(void **state)
{
    (void)state;
    struct cm_fetch_pace pace = paced();
    cm_fetch_pace_note(&pace, 640 + 1000, 1051200);
    assert_int_equal(cm_fetch_pace_expected_ms(&pace, 1640, 2640), 1051200);
    assert_int_equal(cm_fetch_pace_bytes(&pace, 1051200, 1111200, MOST), MOST);
    assert_int_equal(cm_fetch_pace_span_ms(&pace), 60000);
}

static void asks_for_whole_batches_one_at_least(void **state)
{
    (void)state;
    struct cm_fetch_pace pace = paced();
    const int32_t slack = 200000 / 16;
    assert_int_equal(cm_fetch_pace_span_ms(&pace), 100000); /* a batch */
    assert_int_equal(cm_fetch_pace_bytes(&pace, 0, 0, MOST), 200000 + slack);
    assert_int_equal(cm_fetch_pace_bytes(&pace, 0, 149000, MOST), 200000 + slack);
    assert_int_equal(cm_fetch_pace_bytes(&pace, 0, 151000, MOST), 400000 + slack);
    assert_int_equal(cm_fetch_pace_bytes(&pace, 0, 10000000, MOST), MOST);
    assert_int_equal(cm_fetch_pace_bytes(&pace, 0, INT64_MAX, MOST), MOST);
    assert_int_equal(cm_fetch_pace_bytes(&pace, 0, 0, 1000), 1000);
}

/* What a minute brings is more than a request may hold: live traffic is never asked for less. */
static void a_busy_partition_is_asked_for_all(void **state)
{
    (void)state;
    struct cm_fetch_pace pace = CM_FETCH_PACE_INIT;
    const struct cm_fetch_batches small = {10, 2500, 250};
    cm_fetch_pace_note(&pace, 0, 1000000);
    cm_fetch_pace_note(&pace, 1000, 1000000 + 1000); /* 1,000 records a second */
    cm_fetch_pace_heads(&pace, &small, 1000, 1010, MOST, true);
    assert_int_equal(cm_fetch_pace_span_ms(&pace), 60000);
    struct cm_fetch_reach reach = {0};
    int64_t until_ms = cm_fetch_reach_until_ms(&reach, 1001010, cm_fetch_pace_span_ms(&pace));
    assert_int_equal(until_ms, 1061010);
    assert_int_equal(cm_fetch_pace_bytes(&pace, 1001010, until_ms, MOST), MOST);
    /* Even where a batch is a record of a slow partition, a request is worth 64 KiB. */
    cm_fetch_pace_note(&pace, 2000, 1001000 + 1000 * 60000);
    assert_int_equal(cm_fetch_pace_span_ms(&pace), 65536 / 250 * 60000 + 8640);
}

static void a_batch_that_did_not_fit_is_asked_for_with_more(void **state)
{
    (void)state;
    struct cm_fetch_pace pace = paced();
    const struct cm_fetch_batches none = {0};
    cm_fetch_pace_heads(&pace, &none, 2640, 2640, 212500, false); /* the end */
    assert_int_equal(pace.largest_bytes, 200000);
    cm_fetch_pace_heads(&pace, &none, 2640, 2640, 212500, true);
    assert_true(cm_fetch_pace_bytes(&pace, 0, 0, MOST) >= 425000);
    cm_fetch_pace_heads(&pace, &none, 2640, 2640, 425000, true);
    assert_true(cm_fetch_pace_bytes(&pace, 0, 0, MOST) >= 850000);
    cm_fetch_pace_heads(&pace, &none, 2640, 2640, MOST, true);
    cm_fetch_pace_heads(&pace, &none, 2640, 2640, INT32_MAX, true);
    assert_int_equal(cm_fetch_pace_bytes(&pace, 0, 0, MOST), MOST);
    pace = paced();
    cm_fetch_pace_doubt(&pace); /* as when it is damaged */
    assert_int_equal(cm_fetch_pace_bytes(&pace, 0, 0, MOST), MOST);
    /* And in time it is forgotten. */
    const struct cm_fetch_batches one = {1, 200000, 200000};
    for (int i = 0; i < 1000; i++) {
        cm_fetch_pace_heads(&pace, &one, 0, 1000, MOST, true);
    }
    assert_int_equal(cm_fetch_pace_bytes(&pace, 0, 0, MOST), 200000 + 200000 / 16);
}

static void reaches_farther_while_it_runs_dry(void **state)
{
    (void)state;
    struct cm_fetch_reach reach = {0};
    assert_int_equal(cm_fetch_reach_until_ms(&reach, 5000, 100000), 105000);
    assert_int_equal(cm_fetch_reach_until_ms(&reach, INT64_MAX, 0), INT64_MAX);
    assert_int_equal(cm_fetch_reach_until_ms(&reach, INT64_MAX - 5, 100000), INT64_MAX);
    assert_int_equal(cm_fetch_reach_until_ms(&reach, INT64_MIN, 100000), INT64_MIN + 100000);
    cm_fetch_reach_step(&reach);
    assert_int_equal(cm_fetch_reach_until_ms(&reach, 5000, 100000), 105000);
    for (int i = 0; i < 2; i++) {
        reach.was_dry = true;
        cm_fetch_reach_step(&reach);
    }
    assert_false(reach.was_dry);
    assert_int_equal(cm_fetch_reach_until_ms(&reach, 5000, 100000), 405000);
    for (int i = 0; i < 100; i++) {
        reach.was_dry = true;
        cm_fetch_reach_step(&reach);
    }
    assert_int_equal(cm_fetch_reach_until_ms(&reach, 0, 1000), 1024000);
    for (int i = 0; i < 1000; i++) {
        cm_fetch_reach_step(&reach);
    }
    assert_int_equal(cm_fetch_reach_until_ms(&reach, 5000, 100000), 105000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(little_known_asks_for_little),
        cmocka_unit_test(no_time_ever_asks_for_all),
        cmocka_unit_test(what_is_here_counts_at_its_pace),
        cmocka_unit_test(all_at_one_instant_is_no_division_by_nothing),
        cmocka_unit_test(asks_for_whole_batches_one_at_least),
        cmocka_unit_test(a_busy_partition_is_asked_for_all),
        cmocka_unit_test(a_batch_that_did_not_fit_is_asked_for_with_more),
        cmocka_unit_test(reaches_farther_while_it_runs_dry),
    };
    return cmocka_run_group_tests_name("fetch_pace", tests, NULL, NULL);
}
