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

static void expect_now(const struct cm_gauge *gauge, int64_t asof_ms, const char *wanted)
{
    struct cm_text text = {0};
    cm_now_write(&text, asof_ms, gauge);
    json_decref(parse(&text));
    cm_text_addc(&text, '\0');
    assert_string_equal(text.data, wanted);
    cm_text_free(&text);
}

static void of_a_seat_now_says_state_and_since(void **state)
{
    (void)state;
    struct cm_gauge seat = {.has_states = true,
                            .seats = {[CM_STATE_ACW] = 1},
                            .state = CM_STATE_ACW,
                            .since_ms = 1795000000000};
    expect_now(&seat, 1795000061000,
               "{\"asof\":1795000061000,\"state\":\"acw\",\"since\":1795000000000}");
}

static void above_seats_now_counts_them_by_state(void **state)
{
    (void)state;
    struct cm_gauge team = {.has_states = true, .since_ms = INT64_MIN};
    expect_now(&team, 5, "{\"asof\":5,\"seats\":{}}");
    team.seats[CM_STATE_MEETING] = 4;
    expect_now(&team, 5, "{\"asof\":5,\"seats\":{\"meeting\":4}}");
    team.seats[CM_STATE_OFFLINE] = 12;
    team.seats[CM_STATE_TALKING] = 1;
    team.has_waits = true;
    team.calls_waiting = 2;
    team.waiting_since_ms = 1000;
    expect_now(&team, 5000,
               "{\"asof\":5000,\"seats\":{\"offline\":12,\"talking\":1,\"meeting\":4},"
               "\"calls_waiting\":2,\"longest_wait_ms\":4000}");
}

static void of_a_queue_now_tells_who_waits(void **state)
{
    (void)state;
    struct cm_gauge queue = {.has_waits = true, .calls_waiting = 1, .waiting_since_ms = 7000};
    expect_now(&queue, 7000, "{\"asof\":7000,\"calls_waiting\":1,\"longest_wait_ms\":0}");
    expect_now(&queue, 9500, "{\"asof\":9500,\"calls_waiting\":1,\"longest_wait_ms\":2500}");
    /* An event may lie ahead of what counts as now: nobody waits for less than nothing. */
    expect_now(&queue, 6000, "{\"asof\":6000,\"calls_waiting\":1,\"longest_wait_ms\":0}");
    queue = (struct cm_gauge){.has_waits = true};
    expect_now(&queue, 9500, "{\"asof\":9500,\"calls_waiting\":0,\"longest_wait_ms\":0}");
    queue.has_waits = false; /* nothing is known any more */
    expect_now(&queue, 9500, "{\"asof\":9500}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_says_whose_it_is),
        cmocka_unit_test(a_value_has_asof_and_all_figures),
        cmocka_unit_test(of_a_seat_now_says_state_and_since),
        cmocka_unit_test(above_seats_now_counts_them_by_state),
        cmocka_unit_test(of_a_queue_now_tells_who_waits),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
