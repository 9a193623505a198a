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

/* Returns how many went. */
static uint64_t drop_expired(struct cm_journal *journal, int64_t clock_ms)
{
    uint64_t dropped = 0;
    while (cm_journal_expired(journal, clock_ms) != NULL) {
        cm_journal_drop_oldest(journal);
        dropped++;
    }
    return dropped;
}

/* The record that came after `sequence` others, of which the first `dropped` have gone. */
static const struct cm_journal_record *record_at(const struct cm_journal *journal,
                                                 uint64_t sequence, uint64_t dropped)
{
    return sequence < dropped ? NULL : cm_journal_oldest(journal, (uint32_t)(sequence - dropped));
}

static void finds_what_a_list_finds(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct cm_prng prng;
        cm_prng_seed(&prng, seed);
        struct cm_journal *journal = cm_journal_create(100);
        uint64_t newest[IDS];
        uint64_t dropped = 0;
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
            if (newest[id] != UINT64_MAX && clock_ms - seen_ms[id] <= 100) {
                assert_non_null(found);
                assert_ptr_equal(found, record_at(journal, newest[id], dropped));
                assert_int_equal(found->rev, (uint32_t)newest[id]);
            } else {
                assert_null(found);
            }
            dropped += drop_expired(journal, clock_ms);
            struct cm_journal_record *added = cm_journal_add(journal, id_of(id), clock_ms);
            newest[id] = i;
            seen_ms[id] = clock_ms;
            assert_ptr_equal(added, record_at(journal, i, dropped));
            assert_false(added->has_leg);
            added->rev = (uint32_t)newest[id];
        }
        for (uint64_t s = dropped; s < 6000; s++) {
            assert_true(clock_ms - record_at(journal, s, dropped)->seen_ms <= 100);
        }
        assert_null(record_at(journal, 6000, dropped));
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
            cm_journal_add(journal, spread_id(s), 0)->rev = (uint32_t)s;
            grown += cm_journal_bytes(journal) > bytes;
            bytes = cm_journal_bytes(journal);
        }
        assert_true(grown > 8);
        for (uint64_t s = 0; s < MANY; s++) {
            struct cm_journal_record *found = cm_journal_find(journal, spread_id(s), 0);
            assert_ptr_equal(found, record_at(journal, s, dropped[i]));
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
    const struct cm_journal_record *second = cm_journal_add(journal, id_of(1), 90);
    cm_journal_drop_oldest(journal);
    assert_ptr_equal(cm_journal_find(journal, id_of(1), 90), second);
    cm_journal_destroy(journal);
}

static void nothing_is_remembered_without_a_horizon(void **state)
{
    (void)state;
    struct cm_journal *journal = cm_journal_create(0);
    assert_null(cm_journal_add(journal, id_of(1), 5));
    assert_null(cm_journal_find(journal, id_of(1), 5));
    assert_null(cm_journal_oldest(journal, 0));
    assert_null(cm_journal_expired(journal, 1000));
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
