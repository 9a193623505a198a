// SPDX-License-Identifier: Apache-2.0
/* fields_test.c — every key leads to its own field, no other key leads anywhere; what each rule
 * writes is taken back by clearing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "decode/fields.h"

static const char *const keys[] = {
    "type",      "id",      "ts",      "call",    "seat",    "agent",   "queue",  "centre",
    "ch",        "outcome", "wait_ms", "ring_ms", "talk_ms", "hold_ms", "acw_ms", "hold_n",
    "transfers", "end",     "on_hold", "rating",  "checks",  "rev",     "reason", "state",
    "source",    "score",   "case",    "kind",    "step",
};

static const struct cm_field_rule *find(const char *key)
{
    return cm_field_find_name((struct cm_str){key, (uint32_t)strlen(key)});
}

static void test_every_key(void **state)
{
    (void)state;
    assert_int_equal(CM_ARRAY_LEN(keys), CM_FIELD_COUNT);
    for (size_t i = 0; i < CM_ARRAY_LEN(keys); i++) {
        const struct cm_field_rule *rule = find(keys[i]);
        assert_non_null(rule);
        assert_int_equal(rule->field, i);
    }
}

/* Each key with a byte changed, lost or added. */
static void test_near_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < CM_ARRAY_LEN(keys); i++) {
        char near[16] = {0};
        size_t len = strlen(keys[i]);
        for (size_t at = 0; at < len; at++) {
            memcpy(near, keys[i], len + 1);
            near[at] ^= 1;
            assert_null(find(near));
        }
        memcpy(near, keys[i], len + 1);
        near[len] = 's';
        near[len + 1] = '\0';
        assert_null(find(near));
        near[len] = '\0';
        assert_null(
            cm_field_find_name((struct cm_str){near, (uint32_t)len + 1})); /* a NUL behind */
        near[len - 1] = '\0';
        assert_null(find(near));
    }
    assert_null(find(""));
    assert_null(find("\xff\xff\xff\xff\xff\xff\xff"));
    assert_null(find("\xff\xff\xff\xff\xff\xff\xff\xff"));
}

static void test_masks(void **state)
{
    (void)state;
    uint32_t all = 0;
    for (uint32_t type = 0; type < CM_EVENT_COUNT; type++) {
        const struct cm_type_fields *fields = &cm_type_fields[type];
        assert_int_equal(fields->required & ~fields->relevant, 0);
        assert_int_equal(cm_common_fields.required & ~fields->required, 0);
        assert_int_equal(cm_common_fields.relevant & ~fields->relevant, 0);
        all |= fields->relevant;
    }
    assert_int_equal(all, (UINT32_C(1) << CM_FIELD_COUNT) - 1);
}

static void test_clearing(void **state)
{
    (void)state;
    const struct cm_check check = {{"a", 1}, 1};
    struct cm_event event = {.outcome = CM_OUTCOME_TIMEOUT,
                             .on_hold = true,
                             .rating = 7,
                             .ts_ms = 5,
                             .wait_ms = 1,
                             .rev = 2,
                             .call = CM_STR("c"),
                             .reason = CM_STR("r"),
                             .checks = &check,
                             .checks_count = 1};
    cm_fields_clear(&event, 0);
    assert_int_equal(event.rev, 2);
    cm_fields_clear(&event, CM_FIELD_BIT(OUTCOME) | CM_FIELD_BIT(ON_HOLD) | CM_FIELD_BIT(RATING) |
                                CM_FIELD_BIT(WAIT) | CM_FIELD_BIT(CHECKS) | CM_FIELD_BIT(REASON));
    assert_int_equal(event.outcome, 0);
    assert_false(event.on_hold);
    assert_int_equal(event.rating, -1);
    assert_int_equal(event.wait_ms, 0);
    assert_int_equal(event.checks_count, 0);
    assert_null(event.checks);
    assert_int_equal(event.reason.len, 0);
    assert_int_equal(event.rev, 2);
    assert_int_equal(event.call.len, 1);
    assert_int_equal(event.ts_ms, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_near_keys),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_clearing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
