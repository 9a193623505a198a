// SPDX-License-Identifier: Apache-2.0
/* row_test.c — rows and values are valid JSON that says what was handed in. */
#include "publish/row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "base/fail.h"

static struct cm_config *config;

static int load(void **state)
{
    (void)state;
    static const char yaml[] = "windows: [5m/5s]\nperiods: [day]\n";
    return cm_config_parse("test.yaml", yaml, sizeof(yaml) - 1, NULL, 0, &config);
}

static int unload(void **state)
{
    (void)state;
    cm_config_free(config);
    return 0;
}

static json_t *parse(const struct cm_text *text)
{
    json_error_t error;
    json_t *json = json_loadb(text->data, text->len, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL) {
        fail_msg("%s: %.*s", error.text, (int)text->len, text->data);
    }
    return json;
}

static void a_row_says_whose_it_is(void **state)
{
    (void)state;
    static const char id[] = "a\"b\\c\n\xe4\xb8\xad";
    struct cm_measures m = {.tally = {.answered = 3, .talk_ms = 400000, .handle_max_ms = 200000}};
    cm_hist_add(&m.handle, cm_hist_bin(100000), 2);
    cm_hist_add(&m.handle, cm_hist_bin(200000), 1);
    struct cm_unit_key key = {.kind = CM_KIND_TEAM, .id = {id, sizeof(id) - 1}};
    struct cm_text text = {0};
    cm_row_write(&text, config, 1795000000000, &key, 1, &m);
    json_t *row = parse(&text);
    assert_int_equal(json_object_size(row), 4 + CM_FIGURE_COUNT);
    assert_int_equal(json_integer_value(json_object_get(row, "asof")), 1795000000000);
    assert_string_equal(json_string_value(json_object_get(row, "kind")), "team");
    assert_string_equal(json_string_value(json_object_get(row, "id")), id);
    assert_string_equal(json_string_value(json_object_get(row, "window")), "day");
    assert_int_equal(json_integer_value(json_object_get(row, "answered")), 3);
    assert_int_equal(json_integer_value(json_object_get(row, "aht_ms")), 133333);
    json_decref(row);
    cm_hist_free(&m.handle);
    cm_text_free(&text);
}

static void a_value_has_asof_and_all_figures(void **state)
{
    (void)state;
    struct cm_measures m = {.tally = {.answered = 0}};
    struct cm_text text = {0};
    cm_text_adds(&text, "[");
    cm_value_write(&text, config, -1, &m); /* appends */
    cm_text_adds(&text, "]");
    json_t *list = parse(&text);
    json_t *value = json_array_get(list, 0);
    assert_int_equal(json_object_size(value), 1 + CM_FIGURE_COUNT);
    assert_int_equal(json_integer_value(json_object_get(value, "asof")), -1);
    for (uint32_t i = 0; i < CM_FIGURE_COUNT; i++) {
        json_t *figure = json_object_get(value, cm_figure_name((enum cm_figure)i));
        bool is_ratio = cm_figure_kind((enum cm_figure)i) != CM_FIGURE_KIND_COUNT &&
                        cm_figure_kind((enum cm_figure)i) != CM_FIGURE_KIND_SUM;
        assert_true(is_ratio ? json_is_null(figure) : json_is_integer(figure));
    }
    json_decref(list);
    assert_null(memchr(text.data, '\n', text.len));
    cm_text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_says_whose_it_is),
        cmocka_unit_test(a_value_has_asof_and_all_figures),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
