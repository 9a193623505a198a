// SPDX-License-Identifier: Apache-2.0
/* details_test.c — merging against a plain table, and the JSON that comes out. */
#include "event/details.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "base/fail.h"
#include "base/prng.h"
#include "event/event.h"

#define ITEMS 12

static const struct cm_detail items[ITEMS] = {
    {CM_DETAIL_STATE, CM_STATE_AVAILABLE, {NULL, 0}, 0, 0},
    {CM_DETAIL_STATE, CM_STATE_TALKING, {NULL, 0}, 0, 0},
    {CM_DETAIL_STATE, CM_STATE_MEETING, {NULL, 0}, 0, 0},
    {CM_DETAIL_CHECK, 0, {"a", 1}, 0, 0},
    {CM_DETAIL_CHECK, 0, {"aa", 2}, 0, 0},
    {CM_DETAIL_CHECK, 0, {"b\"c", 3}, 0, 0},
    {CM_DETAIL_CHECK, 0, {"\xc3\xa4", 2}, 0, 0},
    {CM_DETAIL_CHECK, 0, {"\xe9\x95\xbf", 3}, 0, 0},
    {CM_DETAIL_SOURCE, 0, {NULL, 0}, 0, 0},
    {CM_DETAIL_SOURCE, 1, {NULL, 0}, 0, 0},
    {CM_DETAIL_SOURCE, 2, {NULL, 0}, 0, 0},
    {CM_DETAIL_SOURCE, 3, {NULL, 0}, 0, 0},
};

/* A list of some of the items, in any order before it is sorted. */
static struct cm_details make(struct cm_prng *prng, uint64_t table[ITEMS])
{
    struct cm_details details = {0};
    uint32_t first = (uint32_t)cm_prng_below(prng, ITEMS);
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint32_t at = (first + 5 * i) % ITEMS;
        if (cm_prng_below(prng, 2) == 0) {
            struct cm_detail item = items[at];
            item.count = 1 + cm_prng_below(prng, 9);
            item.passed = item.count / 2;
            table[at] += item.count;
            cm_details_add(&details, &item);
        }
    }
    cm_details_sort(&details);
    return details;
}

static void merging_adds_up(void **state)
{
    (void)state;
    struct cm_prng prng;
    cm_prng_seed(&prng, 3);
    for (int round = 0; round < 2000; round++) {
        uint64_t table[ITEMS] = {0};
        struct cm_details sum = {0};
        for (int part = 0; part < 3; part++) {
            struct cm_details more = make(&prng, table);
            cm_details_merge(&sum, &more);
            cm_details_free(&more);
        }
        struct cm_details copy = {0};
        cm_details_copy(&copy, &sum);
        uint32_t at = 0;
        for (uint32_t i = 0; i < ITEMS; i++) {
            if (table[i] == 0) {
                continue;
            }
            assert_true(at < copy.count);
            assert_int_equal(copy.at[at].group, items[i].group);
            assert_int_equal(copy.at[at].index, items[i].index);
            assert_true(cm_str_eq(copy.at[at].name, items[i].name));
            assert_int_equal(copy.at[at++].count, table[i]);
        }
        assert_int_equal(at, copy.count);
        cm_details_free(&copy);
        cm_details_free(&sum);
    }
}

static json_t *written(const struct cm_details *details)
{
    struct cm_text text = {0};
    json_error_t error;
    cm_text_adds(&text, "{\"x\":0");
    cm_details_write(&text, details);
    cm_text_addc(&text, '}');
    json_t *json = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(json);
    cm_text_free(&text);
    return json;
}

static void what_is_there_is_written(void **state)
{
    (void)state;
    struct cm_details details = {0};
    json_t *json = written(&details);
    assert_int_equal(json_object_size(json), 1);
    json_decref(json);
    for (uint32_t i = ITEMS; i-- > 0;) {
        struct cm_detail item = items[i];
        item.count = 10 + i;
        item.passed = i;
        cm_details_add(&details, &item);
    }
    cm_details_sort(&details);
    json = written(&details);
    assert_int_equal(json_object_size(json), 4);
    json_t *states = json_object_get(json, "state_ms");
    assert_int_equal(json_object_size(states), 3);
    assert_int_equal(json_integer_value(json_object_get(states, "talking")), 11);
    json_t *checks = json_object_get(json, "checks");
    assert_int_equal(json_object_size(checks), 5);
    json_t *odd = json_object_get(checks, "b\"c");
    assert_int_equal(json_integer_value(json_object_get(odd, "evaluated")), 15);
    assert_int_equal(json_integer_value(json_object_get(odd, "passed")), 5);
    json_t *sources = json_object_get(json, "check_sources");
    assert_int_equal(json_object_size(sources), 4);
    json_t *third = json_object_get(sources, "third_party");
    assert_int_equal(json_integer_value(json_object_get(third, "evaluated")), 21);
    json_decref(json);
    cm_details_free(&details);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merging_adds_up),
        cmocka_unit_test(what_is_there_is_written),
    };
    return cmocka_run_group_tests_name("details", tests, NULL, NULL);
}
