// SPDX-License-Identifier: Apache-2.0
/* unit_test.c — numbers are dense and stay, keys never move, kinds are apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "event/unit.h"

#define MANY 150000u

static struct cm_str str(const char *text)
{
    return (struct cm_str){text, (uint32_t)strlen(text)};
}

static void kinds(void **state)
{
    (void)state;
    enum cm_kind kind = CM_KIND_COUNT;
    assert_string_equal(cm_kind_name(CM_KIND_CENTRE), "centre");
    assert_string_equal(cm_kind_name(CM_KIND_TEAM), "team");
    assert_string_equal(cm_kind_name(CM_KIND_COUNT), "?");
    for (unsigned i = 0; i < CM_KIND_COUNT; i++) {
        assert_true(cm_kind_parse(str(cm_kind_name(i)), &kind));
        assert_int_equal(kind, i);
        if (i > 0) { /* the order of kinds is the order of their names */
            assert_true(strcmp(cm_kind_name(i - 1), cm_kind_name(i)) < 0);
        }
    }
    kind = CM_KIND_ROOM;
    assert_false(cm_kind_parse(str("seats"), &kind));
    assert_false(cm_kind_parse(str("sea"), &kind));
    assert_false(cm_kind_parse(str(""), &kind));
    assert_int_equal(kind, CM_KIND_ROOM);
}

static void key_order(void **state)
{
    (void)state;
    struct cm_unit_key rising[] = {
        {CM_KIND_CENTRE, str("z")}, {CM_KIND_SEAT, str("10")},       {CM_KIND_SEAT, str("100")},
        {CM_KIND_SEAT, str("2")},   {CM_KIND_SEAT, str("\xc3\xa9")}, {CM_KIND_TEAM, str("a")},
    };
    for (size_t i = 0; i < CM_ARRAY_LEN(rising); i++) {
        for (size_t j = 0; j < CM_ARRAY_LEN(rising); j++) {
            int order = cm_unit_key_cmp(&rising[i], &rising[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
}

static void an_empty_table_finds_nothing(void **state)
{
    (void)state;
    struct cm_units *units = cm_units_create();
    assert_int_equal(cm_units_count(units), 0);
    assert_int_equal(cm_units_find(units, CM_KIND_SEAT, str("1001")), CM_UNIT_NONE);
    assert_int_equal(cm_units_find(units, CM_KIND_SEAT, (struct cm_str){NULL, 0}), CM_UNIT_NONE);
    assert_int_equal(cm_units_count(units), 0);
    cm_units_destroy(units);
    cm_units_destroy(NULL);
}

static void one_id_in_each_kind_is_five_units(void **state)
{
    (void)state;
    struct cm_units *units = cm_units_create();
    for (unsigned kind = 0; kind < CM_KIND_COUNT; kind++) {
        assert_int_equal(cm_units_find(units, (enum cm_kind)kind, str("7")), CM_UNIT_NONE);
        assert_int_equal(cm_units_intern(units, (enum cm_kind)kind, str("7")), kind);
        assert_int_equal(cm_units_intern(units, (enum cm_kind)kind, str("7")), kind);
    }
    assert_int_equal(cm_units_count(units), CM_KIND_COUNT);
    for (unsigned kind = 0; kind < CM_KIND_COUNT; kind++) {
        assert_int_equal(cm_units_find(units, (enum cm_kind)kind, str("7")), kind);
        assert_int_equal(cm_units_key(units, kind)->kind, kind);
    }
    cm_units_destroy(units);
}

static void ids_are_bytes(void **state)
{
    (void)state;
    struct cm_units *units = cm_units_create();
    struct cm_str with_nul = {"a\0b", 3};
    uint32_t a = cm_units_intern(units, CM_KIND_SEAT, str("a"));
    uint32_t b = cm_units_intern(units, CM_KIND_SEAT, with_nul);
    uint32_t none = cm_units_intern(units, CM_KIND_SEAT, (struct cm_str){NULL, 0});
    assert_true(a != b && b != none && a != none);
    assert_int_equal(cm_units_key(units, b)->id.len, 3);
    assert_int_equal(cm_units_key(units, none)->id.len, 0);
    assert_int_equal(cm_units_find(units, CM_KIND_SEAT, with_nul), b);
    assert_int_equal(cm_units_intern(units, CM_KIND_SEAT, (struct cm_str){NULL, 0}), none);
    char long_id[32];
    memset(long_id, 'x', sizeof(long_id));
    struct cm_str longest = {long_id, sizeof(long_id)};
    uint32_t l = cm_units_intern(units, CM_KIND_QUEUE, longest);
    memset(long_id, 'y', sizeof(long_id)); /* the table has its own copy */
    assert_int_equal(cm_units_key(units, l)->id.p[0], 'x');
    assert_int_equal(cm_units_find(units, CM_KIND_QUEUE, longest), CM_UNIT_NONE);
    cm_units_destroy(units);
}

/* Short ids are read as words, some bytes twice: none may be left out, and none past the end read.
 */
static void every_byte_tells_ids_apart(void **state)
{
    (void)state;
    struct cm_units *units = cm_units_create();
    uint32_t wanted = 0;
    for (int turn = 0; turn < 2; turn++) { /* made, then found */
        wanted = 0;
        for (uint32_t len = 0; len <= 24; len++) {
            for (uint32_t at = 0; at <= len; at++) { /* at == len: nothing is changed */
                char *room = malloc(len + 1);
                assert_non_null(room);
                char *id = room + 1; /* it ends where the room does: a sanitizer looks after that */
                memset(room, 'q', len + 1);
                room[at < len ? at + 1 : 0] = 'x';
                struct cm_str key = {id, len};
                assert_int_equal(cm_units_find(units, CM_KIND_QUEUE, key),
                                 turn == 0 ? CM_UNIT_NONE : wanted);
                uint64_t hash = cm_units_expect(units, CM_KIND_QUEUE, key);
                assert_int_equal(cm_units_find_hashed(units, CM_KIND_QUEUE, key, hash),
                                 turn == 0 ? CM_UNIT_NONE : wanted);
                assert_int_equal(cm_units_intern(units, CM_KIND_QUEUE, key), wanted++);
                free(room);
            }
        }
        assert_int_equal(cm_units_count(units), wanted);
    }
    cm_units_destroy(units);
}

static void many_stay_where_they_are(void **state)
{
    (void)state;
    struct cm_units *units = cm_units_create();
    const struct cm_unit_key **keys = cm_alloc(MANY, sizeof(void *));
    const char **texts = cm_alloc(MANY, sizeof(void *));
    char id[24];
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(id, sizeof(id), "seat-%u", i);
        assert_int_equal(cm_units_intern(units, CM_KIND_SEAT, str(id)), i);
        keys[i] = cm_units_key(units, i);
        texts[i] = keys[i]->id.p;
    }
    assert_int_equal(cm_units_count(units), MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        snprintf(id, sizeof(id), "seat-%u", i);
        assert_int_equal(cm_units_find(units, CM_KIND_SEAT, str(id)), i);
        assert_ptr_equal(cm_units_key(units, i), keys[i]);
        assert_ptr_equal(keys[i]->id.p, texts[i]);
        assert_true(cm_str_eq(keys[i]->id, str(id)));
        assert_int_equal(cm_units_find(units, CM_KIND_TEAM, str(id)), CM_UNIT_NONE);
    }
    assert_int_equal(cm_units_count(units), MANY);
    free(keys);
    free(texts);
    cm_units_destroy(units);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),
        cmocka_unit_test(key_order),
        cmocka_unit_test(an_empty_table_finds_nothing),
        cmocka_unit_test(one_id_in_each_kind_is_five_units),
        cmocka_unit_test(ids_are_bytes),
        cmocka_unit_test(every_byte_tells_ids_apart),
        cmocka_unit_test(many_stay_where_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
