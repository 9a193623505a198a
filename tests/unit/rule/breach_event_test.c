// SPDX-License-Identifier: Apache-2.0
/* breach_event_test.c — keys, ids and the JSON of one event, read back by jansson. */
#include "rule/breach_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static const struct cm_rule_spec rule = {.name = "long-handle",
                                         .kind = CM_KIND_TEAM,
                                         .metric = CM_FIGURE_aht_ms,
                                         .warn = {CM_COMPARE_GT, 360000000000},
                                         .critical = {CM_COMPARE_GT, 480000000000},
                                         .clear = {CM_COMPARE_LT, 330000000000}};

static struct cm_breach_facts facts_of(void)
{
    return (struct cm_breach_facts){.type = CM_BREACH_RAISED,
                                    .rule = &rule,
                                    .window = "15m",
                                    .id = CM_STR("t7"),
                                    .level = CM_LEVEL_CRITICAL,
                                    .sample = {{false, 512345}, 14},
                                    .since_ms = 1793491200000,
                                    .asof_ms = 1793491260000,
                                    .dedup_key = CM_STR("long-handle:team:t7:15m")};
}

static json_t *written(const struct cm_breach_facts *facts)
{
    struct cm_text out = {0};
    cm_breach_event_write(&out, facts);
    assert_null(memchr(out.data, '\n', out.len));
    json_error_t error;
    json_t *root = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        fail_msg("%s in %.*s", error.text, (int)out.len, out.data);
    }
    cm_text_free(&out);
    return root;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    return text;
}

static void test_whole_event(void **state)
{
    (void)state;
    struct cm_breach_facts facts = facts_of();
    json_t *root = written(&facts);
    assert_string_equal(text_of(root, "specversion"), "1.0");
    assert_string_equal(text_of(root, "source"), "callmill");
    assert_string_equal(text_of(root, "type"), "callmill.breach.raised");
    assert_string_equal(text_of(root, "subject"), "team/t7");
    assert_string_equal(text_of(root, "datacontenttype"), "application/json");
    int64_t time_ms = 0;
    const char *time = text_of(root, "time");
    assert_true(cm_parse_rfc3339(time, strlen(time), &time_ms));
    assert_true(time_ms == facts.asof_ms);
    assert_int_equal(strlen(text_of(root, "id")), 32);
    assert_int_equal(strspn(text_of(root, "id"), "0123456789abcdef"), 32);

    const json_t *data = json_object_get(root, "data");
    assert_string_equal(text_of(data, "rule"), "long-handle");
    assert_string_equal(text_of(data, "kind"), "team");
    assert_string_equal(text_of(data, "id"), "t7");
    assert_string_equal(text_of(data, "window"), "15m");
    assert_string_equal(text_of(data, "metric"), "aht_ms");
    assert_string_equal(text_of(data, "threshold"), "> 480000");
    assert_string_equal(text_of(data, "level"), "critical");
    assert_string_equal(text_of(data, "dedup_key"), "long-handle:team:t7:15m");
    assert_int_equal(strlen(text_of(data, "episode")), 16);
    assert_true(json_integer_value(json_object_get(data, "value")) == 512345);
    assert_true(json_integer_value(json_object_get(data, "n")) == 14);
    assert_true(json_integer_value(json_object_get(data, "since")) == facts.since_ms);
    assert_true(json_integer_value(json_object_get(data, "asof")) == facts.asof_ms);
    assert_null(json_object_get(data, "escalated_to"));
    assert_int_equal(json_object_size(root), 8);
    assert_int_equal(json_object_size(data), 13);
    json_decref(root);
}

static void test_values_as_in_rows(void **state)
{
    (void)state;
    struct cm_rule_spec rate = rule;
    rate.metric = CM_FIGURE_abandon_rate;
    struct cm_breach_facts facts = facts_of();
    facts.rule = &rate;
    facts.sample.value.value = 70;
    struct cm_text out = {0};
    cm_breach_event_write(&out, &facts);
    assert_non_null(strstr(cm_text_cstr(&out), "\"value\":0.0070,"));
    cm_text_free(&out);

    facts.type = CM_BREACH_CLEARED;
    facts.sample.value.null = true;
    json_t *root = written(&facts);
    const json_t *data = json_object_get(root, "data");
    assert_true(json_is_null(json_object_get(data, "value")));
    assert_string_equal(text_of(data, "threshold"), "< 330000");
    assert_string_equal(text_of(data, "level"), "critical");
    json_decref(root);
}

static void test_ids_tell_facts_apart(void **state)
{
    (void)state;
    struct cm_breach_facts variants[8];
    for (size_t i = 0; i < CM_ARRAY_LEN(variants); i++) {
        variants[i] = facts_of();
    }
    variants[1].type = CM_BREACH_CLEARED;
    variants[2].level = CM_LEVEL_WARN;
    variants[3].asof_ms++;
    variants[4].since_ms++;
    variants[5].escalated_to = "room";
    variants[6].escalated_to = "centre";
    variants[7].dedup_key = CM_STR("long-handle:team:t8:15m");
    json_t *roots[CM_ARRAY_LEN(variants)];
    for (size_t i = 0; i < CM_ARRAY_LEN(variants); i++) {
        roots[i] = written(&variants[i]);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(text_of(roots[i], "id"), text_of(roots[j], "id"));
        }
    }
    const char *episode = text_of(json_object_get(roots[0], "data"), "episode");
    for (size_t i = 1; i < CM_ARRAY_LEN(variants); i++) {
        bool same = strcmp(text_of(json_object_get(roots[i], "data"), "episode"), episode) == 0;
        assert_int_equal(same, i != 4 && i != 7);
    }
    assert_string_equal(text_of(json_object_get(roots[5], "data"), "escalated_to"), "room");
    for (size_t i = 0; i < CM_ARRAY_LEN(variants); i++) {
        json_decref(roots[i]);
    }
}

/* Subscribers keep ids, so they must not change from one version to the next. */
static void test_ids_are_pinned(void **state)
{
    (void)state;
    struct cm_breach_facts facts = facts_of();
    facts.sample.value.value = 1; /* the value is not part of it */
    json_t *root = written(&facts);
    assert_string_equal(text_of(root, "id"), "77f626109a3a7bcc9cfae66a9019c5ac");
    assert_string_equal(text_of(json_object_get(root, "data"), "episode"), "c13a0eed35ee095e");
    json_decref(root);
}

static void test_key_and_escapes(void **state)
{
    (void)state;
    struct cm_rule_spec odd = rule;
    odd.name = "a:b%c";
    odd.kind = CM_KIND_QUEUE;
    struct cm_str id = CM_STR("x:\"\\\n\xc3\xa9");
    struct cm_text key = {0};
    cm_breach_key_write(&key, &odd, "day", id);
    assert_string_equal(cm_text_cstr(&key), "a%3Ab%25c:queue:x:\"\\\n\xc3\xa9:day");

    struct cm_breach_facts facts = facts_of();
    facts.rule = &odd;
    facts.id = id;
    facts.dedup_key = (struct cm_str){key.data, (uint32_t)key.len};
    json_t *root = written(&facts);
    const json_t *data = json_object_get(root, "data");
    assert_string_equal(text_of(data, "dedup_key"), cm_text_cstr(&key));
    assert_string_equal(text_of(data, "id"), "x:\"\\\n\xc3\xa9");
    assert_string_equal(text_of(data, "rule"), "a:b%c");
    assert_string_equal(text_of(root, "subject"), "queue/x:\"\\\n\xc3\xa9");
    json_decref(root);
    cm_text_free(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_event),          cmocka_unit_test(test_values_as_in_rows),
        cmocka_unit_test(test_ids_tell_facts_apart), cmocka_unit_test(test_ids_are_pinned),
        cmocka_unit_test(test_key_and_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
