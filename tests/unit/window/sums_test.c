// SPDX-License-Identifier: Apache-2.0
/* sums_test.c — sums over windows that move against a plain list of everything that was added, late
 * and taken back as well; names of checks. */
#include "window/sums.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "event/unit.h"

#define PANE_MS   1000
#define SPANS     4
#define UNITS     5
#define KEYS      4 /* two states, a source, a name */
#define ADDED_MAX 4000
#define DAY_PANES 200 /* a short calendar period */

static const uint32_t keys[KEYS] = {CM_SUM_STATE + CM_STATE_TALKING,
                                    CM_SUM_STATE + CM_STATE_OFFLINE, CM_SUM_SOURCE, CM_SUM_NAMES};

struct added {
    int64_t ts_ms;
    uint32_t unit, key;
    struct cm_sum sum;
};

struct bench {
    struct cm_prng prng;
    struct cm_sums *sums;
    struct added added[ADDED_MAX];
    uint32_t count;
    int64_t left_no[SPANS], asof_no[SPANS];
    struct cm_sum seen[SPANS][UNITS][KEYS];
    bool changed[SPANS][UNITS];
};

static void on_change(void *context, uint32_t span, uint32_t unit)
{
    struct bench *b = context;
    b->changed[span][unit] = true;
}

static int64_t length_panes(uint32_t span)
{
    static const int64_t panes[SPANS] = {5, 60, 0, 30};
    return panes[span];
}

static uint32_t kind_of(uint32_t unit)
{
    return unit % 2;
}

/* The last window is for kind 1 only, as the rules' may be. */
static bool is_in(uint32_t span, uint32_t unit)
{
    return span != 3 || kind_of(unit) == 1;
}

static struct cm_sum naive(const struct bench *b, uint32_t span, uint32_t unit, uint32_t key)
{
    struct cm_sum sum = {0, 0};
    for (uint32_t i = 0; i < b->count; i++) {
        const struct added *at = &b->added[i];
        int64_t no = at->ts_ms / PANE_MS;
        if (at->unit == unit && at->key == key && no >= b->left_no[span] && no < b->asof_no[span]) {
            sum.a += at->sum.a;
            sum.b += at->sum.b;
        }
    }
    return sum;
}

/* Time in a state, millisecond by millisecond in spirit: every +1 holds from its ts on. */
static uint64_t naive_ms(const struct bench *b, uint32_t span, uint32_t unit, uint32_t key)
{
    int64_t left_ms = b->left_no[span] * PANE_MS;
    int64_t asof_ms = b->asof_no[span] * PANE_MS;
    int64_t sum_ms = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct added *at = &b->added[i];
        if (at->unit != unit || at->key != key || at->ts_ms >= asof_ms) {
            continue;
        }
        int64_t from_ms = at->ts_ms > left_ms ? at->ts_ms : left_ms;
        sum_ms += (int64_t)at->sum.a * (asof_ms - from_ms);
    }
    return (uint64_t)sum_ms;
}

static void look(struct bench *b)
{
    for (uint32_t span = 0; span < SPANS; span++) {
        for (uint32_t unit = 0; unit < UNITS; unit++) {
            for (uint32_t k = 0; k < KEYS; k++) {
                struct cm_sum got = cm_sums_get(b->sums, span, unit, keys[k]);
                struct cm_sum wanted = {0, 0};
                if (is_in(span, unit)) {
                    wanted = naive(b, span, unit, keys[k]);
                }
                assert_int_equal(got.a, wanted.a);
                assert_int_equal(got.b, wanted.b);
                if (k >= 2 &&
                    (got.a != b->seen[span][unit][k].a || got.b != b->seen[span][unit][k].b)) {
                    assert_true(b->changed[span][unit]); /* nothing changes unsaid */
                }
                b->seen[span][unit][k] = got;
                if (k < 2 && is_in(span, unit) && b->asof_no[span] != INT64_MIN) {
                    enum cm_state state = (enum cm_state)(keys[k] - CM_SUM_STATE);
                    assert_int_equal(cm_sums_state_ms(b->sums, span, unit, state),
                                     naive_ms(b, span, unit, keys[k]));
                }
            }
        }
    }
    memset(b->changed, 0, sizeof(b->changed));
}

static void add(struct bench *b, int64_t newest_ms)
{
    struct added *at = &b->added[b->count++];
    int64_t back_ms =
        (int64_t)cm_prng_below(&b->prng, cm_prng_below(&b->prng, 9) == 0 ? 90000 : 3000);
    at->ts_ms = newest_ms - back_ms > 0 ? newest_ms - back_ms : 0;
    at->unit = (uint32_t)cm_prng_below(&b->prng, UNITS);
    uint32_t k = (uint32_t)cm_prng_below(&b->prng, KEYS);
    at->key = keys[k];
    uint64_t one = cm_prng_below(&b->prng, 3) == 0 ? UINT64_MAX : 1;
    at->sum = (struct cm_sum){one, k < 2 ? one * (uint64_t)at->ts_ms : one * (at->unit % 2)};
    cm_sums_add(b->sums, at->unit, kind_of(at->unit), at->key, at->ts_ms, at->sum);
}

static void move(struct bench *b, uint32_t span, int64_t asof_no)
{
    int64_t left_no = length_panes(span) == 0 ? (asof_no - 1) / DAY_PANES * DAY_PANES
                                              : asof_no - length_panes(span);
    cm_sums_move(b->sums, span, left_no, asof_no);
    b->left_no[span] = left_no;
    b->asof_no[span] = asof_no;
}

static void equals_the_naive_sum(void **state)
{
    (void)state;
    static struct bench b;
    for (uint64_t seed = 0; seed < 40; seed++) {
        memset(&b, 0, sizeof(b));
        cm_prng_seed(&b.prng, seed);
        b.sums = cm_sums_create(PANE_MS, on_change, &b);
        for (uint32_t span = 0; span < SPANS; span++) {
            assert_int_equal(cm_sums_add_span(b.sums, length_panes(span) == 0, span == 3 ? 2 : 3),
                             span);
            b.left_no[span] = b.asof_no[span] = INT64_MIN;
        }
        assert_int_equal(cm_sums_name_key(b.sums, CM_STR("greeting")), CM_SUM_NAMES);
        int64_t newest_ms = 100000;
        for (uint32_t turn = 0; turn < 400; turn++) {
            newest_ms += (int64_t)cm_prng_below(&b.prng, seed % 3 == 0 ? 200 : 4000);
            for (uint64_t n = cm_prng_below(&b.prng, 9); n > 0; n--) {
                add(&b, newest_ms);
            }
            uint32_t span = (uint32_t)cm_prng_below(&b.prng, SPANS);
            int64_t asof_no = newest_ms / PANE_MS + 1 - (int64_t)cm_prng_below(&b.prng, 4);
            if (asof_no > b.asof_no[span]) {
                move(&b, span, asof_no);
            }
            if (turn % 5 == 0) {
                cm_sums_trim(b.sums);
            }
            if (turn % 10 == 0 || seed < 4) {
                look(&b);
            }
        }
        cm_sums_destroy(b.sums);
    }
}

static void time_runs_on(void **state)
{
    (void)state;
    static struct bench b;
    memset(&b, 0, sizeof(b));
    b.sums = cm_sums_create(PANE_MS, on_change, &b);
    (void)cm_sums_add_span(b.sums, false, (1u << CM_KIND_COUNT) - 1);
    cm_sums_move(b.sums, 0, 0, 10);
    assert_false(cm_sums_is_running(b.sums, 0));
    cm_sums_add(b.sums, 0, CM_KIND_SEAT, CM_SUM_STATE + CM_STATE_OFFLINE, 5000,
                (struct cm_sum){1, 5000});
    cm_sums_add(b.sums, 2, CM_KIND_TEAM, CM_SUM_STATE + CM_STATE_OFFLINE, 5000,
                (struct cm_sum){1, 5000});
    assert_false(cm_sums_is_running(b.sums, 0));
    cm_sums_add(b.sums, 1, 0, CM_SUM_STATE + CM_STATE_BREAK, 6000, (struct cm_sum){1, 6000});
    assert_true(cm_sums_is_running(b.sums, 0));
    memset(b.changed, 0, sizeof(b.changed));
    cm_sums_move(b.sums, 0, 1, 11);
    assert_false(b.changed[0][1]);
    cm_sums_mark_running(b.sums, 0);
    assert_true(b.changed[0][1]);
    assert_false(b.changed[0][0]); /* a seat in offline: nobody has another share of it */
    assert_true(b.changed[0][2]);
    /* It ends, but still stands at the beginning of the window: the window goes on losing it. */
    cm_sums_add(b.sums, 1, 0, CM_SUM_STATE + CM_STATE_BREAK, 12000,
                (struct cm_sum){UINT64_MAX, (uint64_t)-12000});
    cm_sums_move(b.sums, 0, 8, 18);
    assert_true(cm_sums_is_running(b.sums, 0));
    assert_int_equal(cm_sums_state_ms(b.sums, 0, 1, CM_STATE_BREAK), 4000);
    cm_sums_move(b.sums, 0, 13, 23);
    assert_false(cm_sums_is_running(b.sums, 0));
    cm_sums_destroy(b.sums);
}

static void names_are_bounded(void **state)
{
    (void)state;
    struct cm_sums *sums = cm_sums_create(PANE_MS, on_change, NULL);
    char name[16];
    uint32_t last = 0;
    for (uint32_t i = 0; i < 2 * CM_SUM_NAMES_MAX; i++) {
        int len = snprintf(name, sizeof(name), "check%u", i);
        struct cm_str text = {name, (uint32_t)len};
        last = cm_sums_name_key(sums, text);
        assert_true(last < CM_SUM_NAMES + CM_SUM_NAMES_MAX);
        if (i < CM_SUM_NAMES_MAX - 1) {
            assert_int_equal(last, CM_SUM_NAMES + i);
            assert_true(cm_str_eq(cm_sums_name(sums, last), text));
        }
    }
    assert_true(cm_str_eq(cm_sums_name(sums, last), CM_STR("*")));
    assert_int_equal(cm_sums_name_key(sums, CM_STR("check17")), CM_SUM_NAMES + 17);
    cm_sums_destroy(sums);
}

/* Records name the same checks in the same order: then a name is where it came last. It is not when
 * the order changes, or when another one looks much like it. */
static void names_are_told_apart_in_any_order(void **state)
{
    (void)state;
    static const char *const names[] = {"a",
                                        "b",
                                        "ab",
                                        "aab",
                                        "abb",
                                        "abcd",
                                        "abcde",
                                        "abcdf",
                                        "abcdefg",
                                        "abcdefgh",
                                        "abcdefgi",
                                        "bbcdefgh",
                                        "abcdefghijklmno",
                                        "abcdefghijklmnop",
                                        "abcdefghXjklmnop",
                                        "abcdefghijklmnoX",
                                        "abcdefghijklmnopq",
                                        "abcdefghijklmnopr",
                                        "Xbcdefghijklmnopq",
                                        "abcdefghiXklmnopq"};
    enum { NAMES = sizeof(names) / sizeof(names[0]) };
    struct cm_prng prng;
    struct cm_sums *sums = cm_sums_create(PANE_MS, on_change, NULL);
    cm_prng_seed(&prng, 1);
    for (uint32_t i = 0; i < NAMES; i++) {
        struct cm_str text = {names[i], (uint32_t)strlen(names[i])};
        assert_int_equal(cm_sums_name_key(sums, text), CM_SUM_NAMES + i);
        assert_true(cm_str_eq(cm_sums_name(sums, CM_SUM_NAMES + i), text));
    }
    for (uint32_t turn = 0; turn < 20000; turn++) {
        uint32_t count = (uint32_t)cm_prng_below(&prng, 4); /* a few in order, from anywhere */
        uint32_t from = (uint32_t)cm_prng_below(&prng, NAMES - count);
        for (uint32_t i = from; i <= from + count; i++) {
            struct cm_str text = {names[i], (uint32_t)strlen(names[i])};
            assert_int_equal(cm_sums_name_key(sums, text), CM_SUM_NAMES + i);
        }
    }
    cm_sums_destroy(sums);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_naive_sum),
        cmocka_unit_test(time_runs_on),
        cmocka_unit_test(names_are_bounded),
        cmocka_unit_test(names_are_told_apart_in_any_order),
    };
    return cmocka_run_group_tests_name("sums", tests, NULL, NULL);
}
