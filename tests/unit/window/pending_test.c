// SPDX-License-Identifier: Apache-2.0
/* pending_test.c — what goes into periods by way of `pending` is what they would have got leg by
 * leg: from one bin to more than its list has room for, settled or not, emptied and filled again.
 */
#include "window/pending.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"

#define PERIODS 3u

struct bench {
    struct cm_pending pending;
    struct cm_accumulator period[PERIODS], plain; /* plain: leg by leg */
};

static void open_bench(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    cm_pending_open(&b->pending);
    cm_accumulator_open(&b->plain);
    for (uint32_t i = 0; i < PERIODS; i++) {
        cm_accumulator_open(&b->period[i]);
    }
}

static void close_bench(struct bench *b)
{
    cm_pending_free(&b->pending);
    assert_int_equal(cm_pending_bytes(&b->pending), 0);
    cm_accumulator_free(&b->plain);
    for (uint32_t i = 0; i < PERIODS; i++) {
        cm_accumulator_free(&b->period[i]);
    }
}

static void add(struct bench *b, struct cm_prng *prng, uint64_t values, bool is_settled)
{
    bool answered = cm_prng_below(prng, 5) != 0;
    struct cm_leg leg = {.bin = CM_LEG_NO_BIN, .wait_ms = (uint32_t)cm_prng_below(prng, values)};
    leg.flags = (uint16_t)(answered ? 1u << CM_TALLY_AT_answered : 1u << CM_TALLY_AT_abandoned);
    if (answered) {
        leg.talk_ms = (uint32_t)cm_prng_below(prng, values);
        leg.bin = (uint16_t)cm_hist_bin(cm_leg_handle_ms(&leg));
    }
    uint16_t checks[6]; /* more names than have room within */
    struct cm_addend addend;
    cm_addend_make(&addend, &leg, 0);
    addend.checks = checks;
    addend.checks_count = (uint32_t)cm_prng_below(prng, 6);
    for (uint32_t i = 0; i < addend.checks_count; i++) {
        checks[i] = (uint16_t)(i << 1 | cm_prng_below(prng, 2));
    }
    cm_pending_add(&b->pending, &addend);
    cm_accumulator_add(&b->plain, &addend);
    if (is_settled) {
        cm_pending_settle(&b->pending, &addend);
        cm_accumulator_settle(&b->plain, &addend);
    }
}

struct bins {
    uint32_t count[CM_HIST_BINS];
};

static void note_bin(void *context, uint32_t bin, uint32_t count)
{
    ((struct bins *)context)->count[bin] = count;
}

static void assert_same(const struct cm_accumulator *found, const struct cm_accumulator *wanted)
{
    static struct bins a, b;
    assert_memory_equal(&found->tally, &wanted->tally, sizeof(found->tally));
    assert_int_equal(found->settled_wait_ms, wanted->settled_wait_ms);
    assert_int_equal(found->settled_handle_ms, wanted->settled_handle_ms);
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    cm_hist_each(&found->hist, note_bin, &a);
    cm_hist_each(&wanted->hist, note_bin, &b);
    assert_memory_equal(&a, &b, sizeof(a));
    for (uint32_t i = 0; i < wanted->checks.count; i++) {
        struct cm_check_sum none = {0, 0};
        struct cm_check_sum sum = i < found->checks.count ? found->checks.at[i] : none;
        assert_int_equal(sum.evaluated, wanted->checks.at[i].evaluated);
        assert_int_equal(sum.passed, wanted->checks.at[i].passed);
    }
}

static void flush(struct bench *b)
{
    static struct cm_pending_look look;
    const struct cm_accumulator *sums = cm_pending_look(&b->pending, &look);
    for (uint32_t i = 0; i < PERIODS; i++) {
        cm_accumulator_merge(&b->period[i], sums);
        assert_same(&b->period[i], &b->plain);
    }
    cm_pending_clear(&b->pending);
    assert_true(cm_pending_is_empty(&b->pending));
    assert_int_equal(b->pending.used, 0);
}

static void periods_get_every_leg(void **state)
{
    (void)state;
    static const uint32_t legs[] = {1, 2, 19, 30, 60, 80, 200, 230, 300, 600, 2000};
    static const uint64_t values[] = {2, 500, 100000, 30000000};
    static struct bench b;
    struct cm_prng prng;
    cm_prng_seed(&prng, 7);
    for (uint32_t v = 0; v < CM_ARRAY_LEN(values); v++) {
        open_bench(&b);
        assert_true(cm_pending_is_empty(&b.pending));
        for (uint32_t round = 0; round < 40; round++) {
            uint32_t count = legs[cm_prng_below(&prng, CM_ARRAY_LEN(legs))];
            for (uint32_t i = 0; i < count; i++) {
                add(&b, &prng, values[v], cm_prng_below(&prng, 2) != 0);
                assert_false(cm_pending_is_empty(&b.pending));
            }
            flush(&b);
        }
        close_bench(&b);
    }
}

/* Many bins, few legs each, and the other way round: the list, and the counts after it. */
static void bins_grow_into_counts(void **state)
{
    (void)state;
    static struct bench b;
    struct cm_prng prng;
    cm_prng_seed(&prng, 8);
    open_bench(&b);
    size_t before = 0;
    bool listed = false, counted = false;
    for (uint32_t i = 0; i < 900; i++) {
        add(&b, &prng, 90000000, true);
        size_t bytes = cm_pending_bytes(&b.pending);
        counted = counted || b.pending.cap == 0;
        listed = listed || (!counted && b.pending.used > 300); /* more bins than are sparse */
        assert_true(counted || bytes >= before);
        before = bytes;
    }
    assert_true(listed && counted);
    flush(&b);
    assert_int_equal(b.pending.cap, CM_PENDING_BINS);
    for (uint32_t i = 0; i < 500; i++) {
        add(&b, &prng, 90000000, true);
    }
    assert_true(b.pending.cap > 0);
    flush(&b);
    add(&b, &prng, 90000000, true);
    assert_int_equal(b.pending.used <= 1, 1);
    flush(&b);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(periods_get_every_leg),
        cmocka_unit_test(bins_grow_into_counts),
    };
    return cmocka_run_group_tests_name("pending", tests, NULL, NULL);
}
