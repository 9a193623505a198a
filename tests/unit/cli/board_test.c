// SPDX-License-Identifier: Apache-2.0
/* board_test.c — rows and breaches as they stand in Redis; order; keys and moving about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/board.h"
#include "publish/row.h"

static struct cm_str str(const char *text)
{
    return (struct cm_str){text, (uint32_t)strlen(text)};
}

/* What the publisher writes is what the board reads: every figure. */
static void row_as_published(void **state)
{
    (void)state;
    struct cm_config *config = NULL;
    struct cm_measures m = {0};
    struct cm_text text = {0};
    struct cm_board_row row;
    assert_int_equal(cm_config_parse("test", "", 0, NULL, 0, &config), 0);
    m.tally.answered = 31;
    m.tally.abandoned = 7;
    m.tally.short_abandoned = 2;
    m.tally.sl_met = 20;
    m.tally.wait_ms = 310155;
    m.tally.talk_ms = 9123456;
    m.tally.ratings = 3;
    m.tally.rating_sum = 256;
    cm_hist_add(&m.handle, cm_hist_bin(294305), m.tally.answered);
    cm_value_write(&text, config, INT64_C(1795473258000), &m);
    assert_true(cm_board_row_parse(str("r1"), CM_KIND_ROOM,
                                   (struct cm_str){text.data, (uint32_t)text.len}, &row));
    assert_string_equal(row.id, "r1");
    assert_int_equal(row.kind, CM_KIND_ROOM);
    assert_int_equal(row.asof_ms, INT64_C(1795473258000));
    for (int i = 0; i < CM_FIGURE_COUNT; i++) {
        struct cm_value expected = cm_figure_get((enum cm_figure)i, &m, &config->formulas);
        assert_int_equal(row.at[i].null, expected.null);
        assert_true(expected.null || row.at[i].value == expected.value);
    }
    assert_true(row.at[CM_FIGURE_compliance_rate].null);
    assert_int_equal(row.at[CM_FIGURE_rating_avg].value, 8533);
    cm_hist_free(&m.handle);
    cm_text_free(&text);
    cm_config_free(config);
}

static void row_in_any_order(void **state)
{
    (void)state;
    struct cm_board_row row;
    assert_true(cm_board_row_parse(
        str("a"), CM_KIND_SEAT,
        str("{\"service_level\":0.5,\"new\":{\"x\":[1]},\"offered\":3,\"asof\":12}"), &row));
    assert_int_equal(row.at[CM_FIGURE_service_level].value, 5000);
    assert_int_equal(row.at[CM_FIGURE_offered].value, 3);
    assert_int_equal(row.asof_ms, 12);
    assert_true(row.at[CM_FIGURE_answered].null);
    assert_false(cm_board_row_parse(str("a"), CM_KIND_SEAT, str("12"), &row));
    assert_int_equal(row.asof_ms, 0);
    /* An id that is too long is cut, not written beyond. */
    char id[100];
    memset(id, 'x', sizeof(id));
    assert_true(cm_board_row_parse((struct cm_str){id, sizeof(id)}, CM_KIND_SEAT, str("{}"), &row));
    assert_int_equal(strlen(row.id), CM_BOARD_ID_BYTES - 1);
}

static void breach(void **state)
{
    (void)state;
    struct cm_board_breach b;
    assert_true(cm_board_breach_parse(
        str("{\"specversion\":\"1.0\",\"id\":\"7f\",\"type\":\"callmill.breach.raised\",\"data\":{"
            "\"rule\":\"long-handle\",\"kind\":\"team\",\"id\":\"t\\\"1\",\"window\":\"15m\","
            "\"metric\":\"aht_ms\",\"value\":402113,\"threshold\":\"> 360000\",\"level\":"
            "\"critical\",\"n\":31,\"since\":1795473258000,\"asof\":1795473273000,"
            "\"escalated_to\":\"room\",\"dedup_key\":\"k\"}}"),
        &b));
    assert_string_equal(b.rule, "long-handle");
    assert_string_equal(b.id, "t\"1");
    assert_string_equal(b.value, "402113");
    assert_string_equal(b.threshold, "> 360000");
    assert_string_equal(b.level, "critical");
    assert_string_equal(b.escalated_to, "room");
    assert_int_equal(b.since_ms, INT64_C(1795473258000));
    assert_false(cm_board_breach_parse(str("{\"data\":1}"), &b));
    assert_false(cm_board_breach_parse(str("[]"), &b));
}

static void add_breach(struct cm_board *board, const char *level, int64_t since_ms, const char *id)
{
    struct cm_board_breach *b = cm_board_breach_add(board);
    memset(b, 0, sizeof(*b));
    strcpy(b->level, level);
    strcpy(b->id, id);
    strcpy(b->rule, "r");
    b->since_ms = since_ms;
}

static void order(void **state)
{
    (void)state;
    struct cm_board board = {0};
    static const char *const ids[] = {"r10", "r2", "r1", "s07", "s7", "中"};
    static const char *const sorted[] = {"r1", "r2", "r10", "s07", "s7", "中"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        cm_board_rows_add(&board.children, str(ids[i]), CM_KIND_TEAM);
    }
    cm_board_rows_add(&board.children, str("a"), CM_KIND_SEAT);
    cm_board_rows_add(&board.children, str("z"), CM_KIND_ROOM);
    cm_board_rows_sort(&board.children);
    assert_string_equal(board.children.at[0].id, "z");
    for (size_t i = 0; i < sizeof(sorted) / sizeof(sorted[0]); i++) {
        assert_string_equal(board.children.at[i + 1].id, sorted[i]);
    }
    assert_string_equal(board.children.at[7].id, "a");

    add_breach(&board, "warn", 10, "a");
    add_breach(&board, "critical", 30, "b");
    add_breach(&board, "warn", 5, "c");
    add_breach(&board, "critical", 20, "d");
    cm_board_breaches_sort(&board);
    assert_string_equal(board.breaches[0].id, "d");
    assert_string_equal(board.breaches[1].id, "b");
    assert_string_equal(board.breaches[2].id, "c");
    assert_string_equal(board.breaches[3].id, "a");
    cm_board_free(&board);
}

static void windows(void **state)
{
    (void)state;
    struct cm_board board = {0};
    static const char *const names[] = {"1m", "5m", "30m", "1h"};
    assert_null(cm_board_default_window(&board));
    for (uint32_t i = 0; i < 4; i++) {
        strcpy(board.windows[i], names[i]);
        board.windows_count = i + 1;
        assert_string_equal(cm_board_default_window(&board), i < 2 ? names[i] : "30m");
    }
    strcpy(board.windows[3], "15m");
    assert_string_equal(cm_board_default_window(&board), "15m");

    strcpy(board.window, "15m");
    cm_board_press(&board, CM_BOARD_KEY_WINDOW);
    assert_string_equal(board.window, "1m"); /* round */
    cm_board_press(&board, CM_BOARD_KEY_WINDOW_BACK);
    assert_string_equal(board.window, "15m");
    assert_int_equal(board.view, 2);
    strcpy(board.window, "odd");
    cm_board_press(&board, CM_BOARD_KEY_WINDOW);
    assert_string_equal(board.window, ""); /* the feed chooses */
}

static void fill(struct cm_board *board, enum cm_kind kind, uint32_t count)
{
    board->children.count = 0;
    for (uint32_t i = 0; i < count; i++) {
        char id[4] = {'c', (char)('0' + i), '\0'};
        cm_board_rows_add(&board->children, str(id), kind);
    }
}

static void moving(void **state)
{
    (void)state;
    struct cm_board board = {.depth = 1};
    assert_true(cm_board_unit_parse("centre:main", &board.path[0]));
    cm_board_press(&board, CM_BOARD_KEY_DOWN); /* nothing there: nothing happens */
    cm_board_press(&board, CM_BOARD_KEY_ENTER);
    assert_int_equal(board.depth, 1);

    fill(&board, CM_KIND_ROOM, 3);
    assert_int_equal(cm_board_selected(&board), 0);
    cm_board_press(&board, CM_BOARD_KEY_UP);
    assert_int_equal(cm_board_selected(&board), 0);
    cm_board_press(&board, CM_BOARD_KEY_DOWN);
    assert_int_equal(cm_board_selected(&board), 1);
    cm_board_press(&board, CM_BOARD_KEY_PAGE_DOWN);
    assert_int_equal(cm_board_selected(&board), 2);
    cm_board_press(&board, CM_BOARD_KEY_HOME);
    assert_int_equal(cm_board_selected(&board), 0);
    cm_board_press(&board, CM_BOARD_KEY_END);
    assert_int_equal(cm_board_selected(&board), 2);

    cm_board_press(&board, CM_BOARD_KEY_ENTER);
    assert_int_equal(board.depth, 2);
    assert_string_equal(cm_board_unit(&board)->id, "c2");
    assert_int_equal(cm_board_unit(&board)->kind, CM_KIND_ROOM);
    assert_int_equal(board.children.count, 0); /* those of the centre must not stand there */

    fill(&board, CM_KIND_SEAT, 2);
    cm_board_press(&board, CM_BOARD_KEY_ENTER); /* nothing hangs under a seat */
    assert_int_equal(board.depth, 2);

    cm_board_press(&board, CM_BOARD_KEY_BACK);
    assert_int_equal(board.depth, 1);
    assert_string_equal(board.selected, "c2"); /* where one came from */
    cm_board_press(&board, CM_BOARD_KEY_BACK); /* a centre is the top */
    assert_int_equal(board.depth, 1);

    assert_true(cm_board_unit_parse("room:r1", &board.path[0]));
    cm_board_press(&board, CM_BOARD_KEY_BACK); /* of a unit that was named: the first centre */
    assert_int_equal(board.depth, 0);
    assert_null(cm_board_unit(&board));
    cm_board_free(&board);
}

static void unit_names(void **state)
{
    (void)state;
    struct cm_board_unit unit;
    assert_true(cm_board_unit_parse("team:a:b", &unit));
    assert_int_equal(unit.kind, CM_KIND_TEAM);
    assert_string_equal(unit.id, "a:b");
    assert_false(cm_board_unit_parse("team", &unit));
    assert_false(cm_board_unit_parse("team:", &unit));
    assert_false(cm_board_unit_parse("teams:a", &unit));
    assert_false(cm_board_unit_parse("team:0123456789012345678901234567890123456789", &unit));
}

static void keys(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        enum cm_board_key key;
        size_t used;
    } rows[] = {{"\x1b[A", CM_BOARD_KEY_UP, 3},       {"\x1bOB", CM_BOARD_KEY_DOWN, 3},
                {"\x1b[C", CM_BOARD_KEY_ENTER, 3},    {"\x1b[Dq", CM_BOARD_KEY_BACK, 3},
                {"\x1b[5~", CM_BOARD_KEY_PAGE_UP, 4}, {"\x1b[6~x", CM_BOARD_KEY_PAGE_DOWN, 4},
                {"\x1b[1;5H", CM_BOARD_KEY_HOME, 6},  {"\x1b[4~", CM_BOARD_KEY_END, 4},
                {"\x1b", CM_BOARD_KEY_NONE, 1},       {"\x1bq", CM_BOARD_KEY_NONE, 1},
                {"\x1b[", CM_BOARD_KEY_NONE, 2},      {"\x1b[99", CM_BOARD_KEY_NONE, 4},
                {"\r", CM_BOARD_KEY_ENTER, 1},        {"\x7f", CM_BOARD_KEY_BACK, 1},
                {"w", CM_BOARD_KEY_WINDOW, 1},        {"W", CM_BOARD_KEY_WINDOW_BACK, 1},
                {"q", CM_BOARD_KEY_QUIT, 1},          {"j", CM_BOARD_KEY_DOWN, 1},
                {"\xc3\xa4", CM_BOARD_KEY_NONE, 1},   {"\x1b[200~", CM_BOARD_KEY_NONE, 6}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t used = 0;
        assert_int_equal(cm_board_key(rows[i].bytes, strlen(rows[i].bytes), &used), rows[i].key);
        assert_int_equal(used, rows[i].used);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_as_published), cmocka_unit_test(row_in_any_order),
        cmocka_unit_test(breach),           cmocka_unit_test(order),
        cmocka_unit_test(windows),          cmocka_unit_test(moving),
        cmocka_unit_test(unit_names),       cmocka_unit_test(keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
