// SPDX-License-Identifier: Apache-2.0
/* few_sums_test.c — sums of few legs, and of more than few, against an accumulator and a look at
 * all legs. */
#include "window/few_sums.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/prng.h"

#define LEGS 300u

struct bench {
    struct cm_bump store;
    struct cm_few_sums *few;
    struct cm_accumulator all; /* of the same legs */
    struct cm_leg legs[LEGS];
    int64_t no[LEGS];
    bool is_in[LEGS];
    uint32_t searches;
};

static void open_bench(struct bench *b, uint32_t legs)
{
    memset(b, 0, sizeof(*b));
    size_t bytes = cm_few_sums_size(legs);
    b->few = cm_alloc_lines(bytes);
    memset(b->few, 0, bytes);
    cm_few_sums_open(b->few, bytes);
    cm_accumulator_open(&b->all);
}

static void close_bench(struct bench *b)
{
    if (cm_few_sums_many(b->few) != NULL) {
        cm_accumulator_free(cm_few_sums_many(b->few));
    }
    cm_accumulator_free(&b->all);
    cm_bump_free(&b->store);
    free(b->few);
}

static struct cm_leg a_leg(struct cm_prng *prng, uint32_t values)
{
    bool answered = cm_prng_below(prng, 4) != 0;
    struct cm_leg leg = {.bin = CM_LEG_NO_BIN, .wait_ms = (uint32_t)cm_prng_below(prng, values)};
    leg.flags = (uint16_t)(answered ? 1u << CM_TALLY_AT_answered : 1u << CM_TALLY_AT_abandoned);
    if (answered) {
        leg.flags |= (uint16_t)(cm_prng_below(prng, 2) << CM_TALLY_AT_checked);
        leg.talk_ms = (uint32_t)cm_prng_below(prng, values);
        leg.acw_ms = (uint32_t)cm_prng_below(prng, 3);
        leg.bin = (uint16_t)cm_hist_bin(cm_leg_handle_ms(&leg));
        leg.vetoes = (uint16_t)cm_prng_below(prng, 3);
        leg.rating = (uint16_t)cm_prng_below(prng, 6);
        leg.checks_count = (uint16_t)cm_prng_below(prng, 5);
        for (uint32_t i = 0; i < leg.checks_count; i++) {
            leg.checks[i] = (uint16_t)cm_prng_below(prng, 2 * CM_ADDEND_NAMES);
        }
    }
    return leg;
}

static void add(struct bench *b, uint32_t i)
{
    struct cm_addend addend;
    cm_addend_make(&addend, &b->legs[i], b->no[i]);
    cm_addend_make_few(&addend);
    cm_few_sums_add(b->few, &addend, &b->store);
    cm_accumulator_add(&b->all, &addend);
    b->is_in[i] = true;
}

static void subtract(struct bench *b, uint32_t i)
{
    struct cm_addend addend;
    cm_addend_make(&addend, &b->legs[i], b->no[i]);
    cm_addend_make_few(&addend);
    cm_few_sums_subtract(b->few, &addend);
    cm_accumulator_subtract(&b->all, &addend);
    b->is_in[i] = false;
}

static void take_back(struct bench *b, uint32_t i)
{
    struct cm_addend addend;
    cm_addend_make(&addend, &b->legs[i], b->no[i]);
    cm_addend_make_few(&addend);
    cm_few_sums_take_back(b->few, &addend);
    cm_accumulator_take_back(&b->all, &addend);
    b->is_in[i] = false;
}

static void keep_all(struct bench *b)
{
    b->few->top = (struct cm_top){.wait = {.count = 0}};
    b->few->is_stale = 0;
    b->searches++;
    for (uint32_t i = LEGS; i > 0; i--) {
        if (b->is_in[i - 1]) {
            cm_top_add(&b->few->top, b->no[i - 1], b->legs[i - 1].wait_ms,
                       cm_leg_handle_ms(&b->legs[i - 1]));
        }
    }
}

static void look(struct bench *b, int64_t left_no)
{
    uint32_t wait_ms = 0, handle_ms = 0;
    for (uint32_t i = 0; i < LEGS; i++) {
        if (b->is_in[i]) {
            uint32_t mine_ms = cm_leg_handle_ms(&b->legs[i]);
            wait_ms = b->legs[i].wait_ms > wait_ms ? b->legs[i].wait_ms : wait_ms;
            handle_ms = mine_ms > handle_ms ? mine_ms : handle_ms;
        }
    }
    if (cm_few_sums_many(b->few) != NULL) {
        return;
    }
    if (!cm_top_leave(&b->few->top, left_no) || b->few->is_stale != 0) {
        keep_all(b);
        assert_true(cm_top_leave(&b->few->top, left_no));
    }
    struct cm_few_look look;
    struct cm_tally tally;
    struct cm_hist hist;
    struct cm_check_sums checks;
    memset(&tally, 0xff, sizeof(tally));
    cm_few_sums_look(b->few, &look, &tally, &hist, &checks);
    assert_memory_equal(tally.count, b->all.tally.count, sizeof(tally.count));
    assert_memory_equal(tally.sum, b->all.tally.sum, sizeof(tally.sum));
    assert_int_equal(tally.wait_max_ms, wait_ms);
    assert_int_equal(tally.handle_max_ms, handle_ms);
    assert_int_equal(hist.used, b->all.hist.used);
    assert_true(hist.used == 0 ||
                memcmp(hist.cells, b->all.hist.cells, hist.used * sizeof(*hist.cells)) == 0);
    for (uint32_t i = 0; i < checks.count && i < b->all.checks.count; i++) {
        assert_int_equal(checks.at[i].evaluated, b->all.checks.at[i].evaluated);
        assert_int_equal(checks.at[i].passed, b->all.checks.at[i].passed);
    }
}

/* begin: near where numbers modulo 2^32 begin again, too. late: of how many legs one is late. Up to
 * `most` legs are in. Returns how often the longest had to be found again. */
static uint32_t walk(int64_t begin, uint32_t late, uint32_t values, uint32_t most, uint64_t seed)
{
    struct bench b;
    struct cm_prng prng;
    cm_prng_seed(&prng, seed);
    open_bench(&b, 50);
    int64_t left_no = begin;
    uint32_t first = 0;
    for (uint32_t i = 0; i < LEGS; i++) {
        bool is_late = cm_prng_below(&prng, late) == 0;
        b.no[i] = begin + i / 2 - (is_late ? (int64_t)cm_prng_below(&prng, most / 2) : 0);
        b.no[i] = b.no[i] < left_no ? left_no : b.no[i];
        b.legs[i] = a_leg(&prng, values);
        add(&b, i);
        if (cm_prng_below(&prng, 9) == 0) {
            uint32_t back = first + (uint32_t)cm_prng_below(&prng, i + 1 - first);
            if (b.is_in[back]) {
                take_back(&b, back);
            }
        }
        left_no = begin + (int64_t)i / 2 - (int64_t)most / 2 + 1;
        left_no = left_no < begin ? begin : left_no;
        for (uint32_t k = 0; k <= i; k++) {
            if (b.is_in[k] && b.no[k] < left_no) {
                subtract(&b, k);
            }
        }
        if (cm_prng_below(&prng, 3) == 0) {
            look(&b, left_no);
        }
    }
    for (uint32_t i = 0; i < LEGS; i++) {
        if (b.is_in[i]) {
            subtract(&b, i);
        }
    }
    look(&b, begin + LEGS);
    assert_true(cm_few_sums_many(b.few) != NULL || b.few->bins == 0);
    uint32_t searches = b.searches;
    close_bench(&b);
    return searches;
}

static void few_legs_are_as_exact_as_many(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        for (uint32_t most = 4; most <= 40; most += 12) {
            walk(0, 5, 1000, most, seed);
            walk(INT64_C(0x100000000) - 70, 1000, 3, most, seed); /* mostly of the same length */
            walk(INT64_C(0x100000000) - 70, 2, 200000, most, seed);
        }
    }
}

static void what_is_kept_spares_most_searches(void **state)
{
    (void)state;
    struct bench b;
    struct cm_prng prng;
    cm_prng_seed(&prng, 7);
    open_bench(&b, 20);
    for (uint32_t i = 0; i < LEGS; i++) {
        b.no[i] = i;
        b.legs[i] = a_leg(&prng, 100000);
        add(&b, i);
        if (i >= 15) {
            subtract(&b, i - 15);
        }
        look(&b, (int64_t)i - 14);
    }
    assert_null(cm_few_sums_many(b.few));
    assert_in_range(b.searches, 1, LEGS / 15); /* a maximum leaves about every fifth time */
    close_bench(&b);
}

static void more_than_few_are_kept_elsewhere(void **state)
{
    (void)state;
    struct bench b;
    struct cm_prng prng;
    cm_prng_seed(&prng, 3);
    open_bench(&b, 0);
    for (uint32_t i = 0; i < 200; i++) {
        b.legs[i] = a_leg(&prng, 100000);
        add(&b, i);
    }
    struct cm_accumulator *many = cm_few_sums_many(b.few);
    assert_non_null(many);
    assert_memory_equal(many->tally.count, b.all.tally.count, sizeof(many->tally.count));
    assert_memory_equal(many->tally.sum, b.all.tally.sum, sizeof(many->tally.sum));
    assert_int_equal(many->hist.used, b.all.hist.used);
    assert_memory_equal(many->hist.cells, b.all.hist.cells, many->hist.used * sizeof(uint32_t));
    assert_true(many->tally.reserved != 0); /* the longest are to be found again */
    for (uint32_t i = 0; i < 200; i++) {
        (i % 2 == 0 ? subtract : take_back)(&b, i);
    }
    assert_true(cm_tally_is_empty(&many->tally));
    close_bench(&b);
}

/* One whose numbers would not fit makes it many, and nothing overflows. */
static void legs_that_are_not_of_few_make_it_many(void **state)
{
    (void)state;
    const struct cm_leg legs[] = {
        {.flags = 1, .bin = 800, .talk_ms = UINT32_C(1) << 26},
        {.flags = 1, .bin = 1, .vetoes = 1001},
        {.flags = 1, .bin = 1, .checks_count = 5},
        {.flags = 1, .bin = 1, .checks_count = 1, .checks = {2 * CM_ADDEND_NAMES}},
    };
    for (uint32_t k = 0; k < sizeof(legs) / sizeof(legs[0]); k++) {
        struct bench b;
        open_bench(&b, 50);
        b.legs[0] = (struct cm_leg){.flags = 1, .bin = 5, .talk_ms = (UINT32_C(1) << 26) - 1};
        b.legs[1] = legs[k];
        add(&b, 0);
        assert_null(cm_few_sums_many(b.few));
        add(&b, 1);
        const struct cm_accumulator *many = cm_few_sums_many(b.few);
        assert_non_null(many);
        assert_int_equal(many->tally.talk_ms, b.all.tally.talk_ms);
        assert_int_equal(many->tally.vetoes, b.all.tally.vetoes);
        close_bench(&b);
    }
}

static void the_largest_of_few_fit(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b, 50);
    for (uint32_t i = 0; i < CM_FEW_LEGS; i++) {
        b.legs[i] = (struct cm_leg){.flags = 1u << CM_TALLY_AT_abandoned,
                                    .bin = CM_LEG_NO_BIN,
                                    .wait_ms = (UINT32_C(1) << 26) - 1,
                                    .vetoes = 1000,
                                    .checks_count = 4,
                                    .checks = {7, 7, 7, 7}};
        add(&b, i);
    }
    assert_null(cm_few_sums_many(b.few));
    look(&b, 0);
    b.legs[CM_FEW_LEGS] = b.legs[0];
    add(&b, CM_FEW_LEGS);
    assert_non_null(cm_few_sums_many(b.few));
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_legs_are_as_exact_as_many),
        cmocka_unit_test(what_is_kept_spares_most_searches),
        cmocka_unit_test(more_than_few_are_kept_elsewhere),
        cmocka_unit_test(legs_that_are_not_of_few_make_it_many),
        cmocka_unit_test(the_largest_of_few_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
