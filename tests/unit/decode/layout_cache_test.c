// SPDX-License-Identifier: Apache-2.0
/* layout_cache_test.c — layouts come, are found again, give way, and have a price. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/layout_cache.h"
#include "unit/decode/layout_kit.h"

struct set {
    struct kit kit;
    struct cm_layout_cache cache;
};

static struct set *set_create(void)
{
    struct set *set = calloc(1, sizeof *set);
    assert_non_null(set);
    kit_init(&set->kit);
    set->cache.work = set->kit.work;
    set->cache.read = set->kit.read;
    return set;
}

static void set_destroy(struct set *set)
{
    cm_layout_cache_free(&set->cache);
    kit_free(&set->kit);
    free(set);
}

/* A record of the layout of that number. */
static void compose(char *record, size_t room, unsigned n)
{
    (void)snprintf(record, room, KIT_HEAD ",\"x%u\":\"y\"}", n);
}

static bool read_it(struct set *set, const char *record)
{
    struct cm_event event;
    assert_true(kit_take(&set->kit, record, strlen(record)));
    return cm_layout_cache_read(&set->cache, set->kit.bytes, &event);
}

/* Reads it; else learns it. */
static bool offer(struct set *set, unsigned n)
{
    char record[256];
    compose(record, sizeof record, n);
    if (read_it(set, record)) {
        return true;
    }
    cm_layout_cache_learn(&set->cache, set->kit.bytes, (uint32_t)strlen(record), CM_EVENT_CDR);
    return false;
}

static void a_layout_is_found_again(void **state)
{
    struct set *set = set_create();
    (void)state;
    assert_false(offer(set, 1));
    assert_true(offer(set, 1));
    assert_false(offer(set, 2)); /* it looks like the first one, so that both are tried */
    assert_true(offer(set, 1));
    assert_true(offer(set, 2));
    cm_layout_cache_clear(&set->cache);
    assert_false(offer(set, 1));
    set_destroy(set);
}

static void the_oldest_gives_way(void **state)
{
    struct set *set = set_create();
    (void)state;
    for (unsigned n = 10; n < 10 + CM_LAYOUT_CACHE_MAX + 1; n++) {
        assert_false(offer(set, n));
        assert_true(offer(set, n));
    }
    assert_int_equal(set->cache.count, CM_LAYOUT_CACHE_MAX);
    set_destroy(set);
}

static void learning_has_a_price(void **state)
{
    struct set *set = set_create();
    char record[256];
    unsigned learnt = 0;
    (void)state;
    for (unsigned n = 0; n < 10000; n++) {
        int32_t before = set->cache.credit;
        compose(record, sizeof record, 1000 + n);
        assert_false(read_it(set, record));
        cm_layout_cache_learn(&set->cache, set->kit.bytes, (uint32_t)strlen(record), CM_EVENT_CDR);
        learnt += set->cache.credit < before;
    }
    assert_in_range(learnt, 32, 32 + 10000 / CM_LAYOUT_PRICE + 1);
    set_destroy(set);
}

/* A record that no layout can be made of leaves nothing behind. */
static void what_is_not_learnt_is_not_found(void **state)
{
    struct set *set = set_create();
    (void)state;
    for (int i = 0; i < 40; i++) {
        assert_false(read_it(set, KIT_HEAD ",\"id\":\"c2\"}"));
        cm_layout_cache_learn(&set->cache, set->kit.bytes,
                              (uint32_t)strlen(KIT_HEAD ",\"id\":\"c2\"}"), CM_EVENT_CDR);
        assert_false(read_it(set, KIT_HEAD ",\"id\":\"c2\"}"));
    }
    set_destroy(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layout_is_found_again),
        cmocka_unit_test(the_oldest_gives_way),
        cmocka_unit_test(learning_has_a_price),
        cmocka_unit_test(what_is_not_learnt_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
