// SPDX-License-Identifier: Apache-2.0
/* track_test.c — items in the order of time, found, put in between and given back, against an array
 * that is searched from its beginning. */
#include "window/track.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"

enum { ITEMS_MOST = 4000 };

struct plain {
    int64_t no[ITEMS_MOST];
    uint32_t count;
    uint64_t first;
};

static uint64_t plain_lower(const struct plain *plain, int64_t no)
{
    uint32_t i = 0;
    while (i < plain->count && plain->no[i] < no) {
        i++;
    }
    return plain->first + i;
}

static void put_both(struct cm_track *track, struct plain *plain, int64_t no, size_t *bytes)
{
    uint64_t place = plain_lower(plain, no + 1);
    assert_int_equal(cm_track_lower(track, no + 1), place);
    cm_track_insert(track, place, cm_item_of(no, (uint32_t)no), bytes);
    uint32_t at = (uint32_t)(place - plain->first);
    memmove(&plain->no[at + 1], &plain->no[at], (plain->count - at) * sizeof(plain->no[0]));
    plain->no[at] = no;
    plain->count++;
}

static void drop_both(struct cm_track *track, struct plain *plain, uint32_t count, size_t *bytes)
{
    cm_track_drop(track, count, bytes);
    memmove(plain->no, plain->no + count, (plain->count - count) * sizeof(plain->no[0]));
    plain->count -= count;
    plain->first += count;
}

static void compare(const struct cm_track *track, const struct plain *plain)
{
    assert_int_equal(track->first, plain->first);
    assert_int_equal(cm_track_end(track), plain->first + plain->count);
    for (uint32_t i = 0; i < plain->count; i++) {
        assert_int_equal(cm_item_no(cm_track_at(track, plain->first + i)), plain->no[i]);
    }
}

static void items_are_where_a_search_from_the_beginning_finds_them(void **state)
{
    (void)state;
    static struct plain plain;
    struct cm_track track = {.at = NULL};
    struct cm_prng prng;
    size_t bytes = 0;
    int64_t now = 1000;
    cm_prng_seed(&prng, 3);
    assert_int_equal(cm_track_lower(&track, 5), 0);
    for (uint32_t round = 0; round < 3000; round++) {
        now += (int64_t)cm_prng_below(&prng, 3);
        bool late = cm_prng_below(&prng, 4) == 0;
        put_both(&track, &plain, late ? now - (int64_t)cm_prng_below(&prng, 900) : now, &bytes);
        int64_t wanted = now + 2 - (int64_t)cm_prng_below(&prng, 1500);
        assert_int_equal(cm_track_lower(&track, wanted), plain_lower(&plain, wanted));
        if (round % 97 == 96) {
            uint32_t all = plain.count;
            drop_both(&track, &plain, (uint32_t)cm_prng_below(&prng, (uint64_t)all + 1), &bytes);
            compare(&track, &plain);
        }
        assert_int_equal(bytes, track.cap * sizeof(struct cm_item));
    }
    compare(&track, &plain);
    cm_track_free(&track);
}

static void memory_follows_the_items(void **state)
{
    (void)state;
    struct cm_track track = {.at = NULL};
    size_t bytes = 0;
    for (int64_t no = 0; no < 100000; no++) { /* a hundred at a time: the same memory */
        cm_track_insert(&track, cm_track_end(&track), cm_item_of(no, (uint32_t)no), &bytes);
        if (track.count > 100) {
            cm_track_drop(&track, 1, &bytes);
        }
    }
    assert_true(bytes <= 200 * sizeof(struct cm_item));
    assert_int_equal(cm_item_no(cm_track_at(&track, cm_track_end(&track) - 1)), 99999);
    while (track.count > 0) {
        cm_track_drop(&track, 1, &bytes);
    }
    assert_true(bytes <= 32 * sizeof(struct cm_item));
    assert_int_equal(track.first, 100000);
    cm_track_free(&track);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_where_a_search_from_the_beginning_finds_them),
        cmocka_unit_test(memory_follows_the_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
