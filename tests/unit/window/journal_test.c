// SPDX-License-Identifier: Apache-2.0
/* journal_test.c — the table of ids against a plain list: collisions, superseded records, growth,
 * expiry. */
#include "window/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"

enum { IDS = 600 };

/* Few homes in the table, so that probing and moving up have work to do. */
static struct cm_hash128 id_of(uint64_t number)
{
    return (struct cm_hash128){.low = number % 7, .high = number * UINT64_C(0x9e3779b97f4a7c15)};
}

static void drop_expired(struct cm_journal *journal, int64_t clock_ms)
{
    while (cm_journal_expired(journal, clock_ms) != NULL) {
        cm_journal_drop_oldest(journal);
    }
}

static void finds_what_a_list_finds(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct cm_prng prng;
        cm_prng_seed(&prng, seed);
        struct cm_journal *journal = cm_journal_create(100);
        uint64_t newest[IDS];
        int64_t seen_ms[IDS];
        int64_t clock_ms = 0;
        memset(newest, 0xff, sizeof(newest));
        /* The first seeds hold more than one ring, of ids that supersede each other. */
        uint64_t slow = seed < 4 ? 1 : 8;
        for (uint32_t i = 0; i < 6000; i++) {
            uint64_t id = cm_prng_below(&prng, IDS);
            clock_ms += cm_prng_below(&prng, 10) < slow ? 0 : (int64_t)cm_prng_below(&prng, 3);
            clock_ms += seed < 4 || cm_prng_below(&prng, 500) > 0 ? 0 : 150;
            struct cm_journal_record *found = cm_journal_find(journal, id_of(id), clock_ms);
            if (newest[id] != CM_JOURNAL_NONE && clock_ms - seen_ms[id] <= 100) {
                assert_non_null(found);
                assert_ptr_equal(found, cm_journal_at(journal, newest[id]));
                assert_int_equal(found->rev, (uint32_t)newest[id]);
            } else {
                assert_null(found);
            }
            drop_expired(journal, clock_ms);
            newest[id] = cm_journal_add(journal, id_of(id), clock_ms);
            seen_ms[id] = clock_ms;
            struct cm_journal_record *added = cm_journal_at(journal, newest[id]);
            assert_false(added->has_leg);
            added->rev = (uint32_t)newest[id];
        }
        uint64_t end = 0;
        for (uint64_t s = cm_journal_range(journal, &end); s < end; s++) {
            assert_true(clock_ms - cm_journal_at(journal, s)->seen_ms <= 100);
        }
        assert_null(cm_journal_at(journal, end));
        assert_true(cm_journal_bytes(journal) > 0);
        cm_journal_destroy(journal);
    }
}

static struct cm_hash128 spread_id(uint64_t number)
{
    return (struct cm_hash128){.low = (number + 1) * UINT64_C(0x9e3779b97f4a7c15), .high = number};
}

/* Grown where the ring begins anywhere, by doubling and by a quarter: all are still found. */
static void growth_keeps_every_record(void **state)
{
    (void)state;
    static const uint64_t dropped[] = {0, 1, 700, 1023};
    enum { MANY = 120000 };
    for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
        struct cm_journal *journal = cm_journal_create(100);
        size_t bytes = cm_journal_bytes(journal);
        uint32_t grown = 0;
        for (uint64_t s = 0; s < MANY; s++) {
            if (s == 1024) { /* as many as there is room for at first */
                for (uint64_t d = 0; d < dropped[i]; d++) {
                    cm_journal_drop_oldest(journal);
                }
            }
            assert_int_equal(cm_journal_add(journal, spread_id(s), 0), s);
            cm_journal_at(journal, s)->rev = (uint32_t)s;
            grown += cm_journal_bytes(journal) > bytes;
            bytes = cm_journal_bytes(journal);
        }
        assert_true(grown > 8);
        for (uint64_t s = 0; s < MANY; s++) {
            struct cm_journal_record *found = cm_journal_find(journal, spread_id(s), 0);
            assert_ptr_equal(found, cm_journal_at(journal, s));
            assert_true((found == NULL) == (s < dropped[i]));
            assert_true(found == NULL || found->rev == (uint32_t)s);
        }
        for (uint64_t s = dropped[i]; s < MANY; s++) {
            cm_journal_drop_oldest(journal);
            assert_null(cm_journal_find(journal, spread_id(s), 0));
        }
        cm_journal_destroy(journal);
    }
}

static void forgets_and_expires_at_the_ms(void **state)
{
    (void)state;
    struct cm_journal *journal = cm_journal_create(100);
    assert_null(cm_journal_expired(journal, 0));
    (void)cm_journal_add(journal, id_of(1), 1000);
    assert_non_null(cm_journal_find(journal, id_of(1), 1100));
    assert_null(cm_journal_find(journal, id_of(1), 1101));
    assert_null(cm_journal_expired(journal, 1100));
    assert_non_null(cm_journal_expired(journal, 1101));
    cm_journal_drop_oldest(journal);
    assert_null(cm_journal_find(journal, id_of(1), 1000));
    cm_journal_destroy(journal);
}

static void dropping_the_older_of_two_keeps_the_newer(void **state)
{
    (void)state;
    struct cm_journal *journal = cm_journal_create(100);
    (void)cm_journal_add(journal, id_of(1), 0);
    uint64_t second = cm_journal_add(journal, id_of(1), 90);
    cm_journal_drop_oldest(journal);
    assert_ptr_equal(cm_journal_find(journal, id_of(1), 90), cm_journal_at(journal, second));
    cm_journal_destroy(journal);
}

static void nothing_is_remembered_without_a_horizon(void **state)
{
    (void)state;
    struct cm_journal *journal = cm_journal_create(0);
    assert_int_equal(cm_journal_add(journal, id_of(1), 5), CM_JOURNAL_NONE);
    assert_null(cm_journal_find(journal, id_of(1), 5));
    assert_null(cm_journal_at(journal, CM_JOURNAL_NONE));
    assert_null(cm_journal_expired(journal, 1000));
    uint64_t end = 1;
    assert_int_equal(cm_journal_range(journal, &end), 0);
    assert_int_equal(end, 0);
    cm_journal_destroy(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_a_list_finds),
        cmocka_unit_test(growth_keeps_every_record),
        cmocka_unit_test(forgets_and_expires_at_the_ms),
        cmocka_unit_test(dropping_the_older_of_two_keeps_the_newer),
        cmocka_unit_test(nothing_is_remembered_without_a_horizon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
