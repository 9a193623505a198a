// SPDX-License-Identifier: Apache-2.0
/* longest_test.c — the longest of a window, against looking at all legs. */
#include "window/longest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"

#define LEGS 400u

struct leg {
    int64_t no;
    uint32_t wait_ms, handle_ms;
    bool is_there;
};

static void look(struct cm_longest *longest, const struct leg *legs, uint32_t count,
                 int64_t left_no)
{
    uint32_t wait_ms = 0, handle_ms = 0, want_wait_ms = 0, want_handle_ms = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (legs[i].is_there && legs[i].no >= left_no) {
            want_wait_ms = legs[i].wait_ms > want_wait_ms ? legs[i].wait_ms : want_wait_ms;
            want_handle_ms =
                legs[i].handle_ms > want_handle_ms ? legs[i].handle_ms : want_handle_ms;
        }
    }
    if (longest->is_stale) {
        cm_longest_clear(longest);
        for (uint32_t i = count; i > 0; i--) {
            if (legs[i - 1].is_there && legs[i - 1].no >= left_no) {
                cm_longest_add(longest, legs[i - 1].no, legs[i - 1].wait_ms, legs[i - 1].handle_ms);
            }
        }
    }
    cm_longest_get(longest, left_no, &wait_ms, &handle_ms);
    assert_int_equal(wait_ms, want_wait_ms);
    assert_int_equal(handle_ms, want_handle_ms);
}

/* begin: near where numbers modulo 2^32 begin again, too. late: of how many legs one is late. */
static void walk(int64_t begin, uint32_t late, uint32_t values, uint64_t seed)
{
    struct cm_longest longest = {.is_stale = false};
    struct leg legs[LEGS];
    struct cm_prng prng;
    int64_t left_no = begin;
    cm_prng_seed(&prng, seed);
    for (uint32_t i = 0; i < LEGS; i++) {
        int64_t no = begin + i / 3;
        if (cm_prng_below(&prng, late) == 0) {
            no -= (int64_t)cm_prng_below(&prng, 20);
            no = no < left_no ? left_no : no;
        }
        legs[i] = (struct leg){no, (uint32_t)cm_prng_below(&prng, values),
                               (uint32_t)cm_prng_below(&prng, values), true};
        cm_longest_add(&longest, no, legs[i].wait_ms, legs[i].handle_ms);
        struct leg *back = &legs[cm_prng_below(&prng, i + 1)];
        if (cm_prng_below(&prng, 4) == 0 && back->is_there && back->no >= left_no) {
            back->is_there = false;
            cm_longest_take_back(&longest, back->no, back->wait_ms, back->handle_ms);
        }
        if (cm_prng_below(&prng, 3) == 0) {
            left_no = no - 30 > left_no ? no - 30 : left_no;
            look(&longest, legs, i + 1, left_no);
        }
    }
    look(&longest, legs, LEGS, begin + LEGS);
    cm_longest_free(&longest);
    assert_int_equal(cm_longest_bytes(&longest), 0);
}

static void it_is_the_longest_of_all_that_is_left(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        walk(1000, 1000000, 100000, seed); /* in order */
        walk(INT64_C(0xffffffc0), 4, 100000, seed);
        walk(INT64_C(0x17fffffc0), 2, 8, seed); /* many alike, many 0 */
        walk(-50, 1, 100000, seed);
    }
}

static void the_longest_that_leaves_is_followed_by_the_next_one(void **state)
{
    (void)state;
    struct cm_longest longest = {.is_stale = false};
    for (int64_t no = 0; no < 1000; no++) { /* each shorter than the one before it */
        cm_longest_add(&longest, no, (uint32_t)(2000 - no), 0);
    }
    for (int64_t no = 0; no < 1000; no++) {
        uint32_t wait_ms = 0, handle_ms = 1;
        cm_longest_get(&longest, no, &wait_ms, &handle_ms);
        assert_int_equal(wait_ms, 2000 - no);
        assert_int_equal(handle_ms, 0);
    }
    assert_false(longest.is_stale);
    assert_true(cm_longest_bytes(&longest) >= 1000 * sizeof(struct cm_longest_item));
    cm_longest_take_back(&longest, 999, 1000, 0); /* hides nothing that is known to be there */
    assert_false(longest.is_stale);
    cm_longest_take_back(&longest, 999, 1001, 0);
    assert_true(longest.is_stale);
    cm_longest_free(&longest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_longest_of_all_that_is_left),
        cmocka_unit_test(the_longest_that_leaves_is_followed_by_the_next_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
