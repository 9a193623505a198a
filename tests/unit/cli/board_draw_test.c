// SPDX-License-Identifier: Apache-2.0
/* board_draw_test.c — every size of terminal gets a frame that fits; what is said of a stale,
 * empty or absent Redis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/fail.h"
#include "cli/board_draw.h"

#define NOW_MS INT64_C(1795473258000)

static struct cm_str str(const char *text)
{
    return (struct cm_str){text, (uint32_t)strlen(text)};
}

static void fill_row(struct cm_board_row *row, enum cm_kind kind, const char *id)
{
    assert_true(cm_board_row_parse(
        str(id), kind,
        str("{\"asof\":1795473258000,\"offered\":1234567,\"answered\":31,\"abandoned\":7,"
            "\"wait_max_ms\":3723000,\"aht_ms\":201499,\"asa_ms\":12500,\"handle_p90_ms\":431000,"
            "\"abandon_rate\":0.1305,\"service_level\":0.7555,\"compliance_rate\":0.9761,"
            "\"rating_avg\":85.05,\"occupancy\":null}"),
        row));
}

static void fill_board(struct cm_board *b, uint32_t children)
{
    *b = (struct cm_board){.depth = 1,
                           .window = "15m",
                           .connected = true,
                           .filled = true,
                           .has_meta = true,
                           .asof_ms = NOW_MS - 400,
                           .watermark_ms = NOW_MS - 10400,
                           .instances = 1,
                           .windows_count = 2};
    strcpy(b->windows[0], "1m");
    strcpy(b->windows[1], "15m");
    assert_true(cm_board_unit_parse("centre:main", &b->path[0]));
    fill_row(&b->total, CM_KIND_CENTRE, ".");
    for (uint32_t i = 0; i < children; i++) {
        char id[32];
        (void)snprintf(id, sizeof(id), "房间%u", i);
        fill_row(cm_board_rows_add(&b->children, str(id), CM_KIND_ROOM), CM_KIND_ROOM, id);
    }
    fill_row(cm_board_rows_add(&b->queues, str("billing"), CM_KIND_QUEUE), CM_KIND_QUEUE,
             "billing");
    assert_true(cm_board_breach_parse(
        str("{\"data\":{\"rule\":\"long\",\"kind\":\"team\",\"id\":\"t1\",\"window\":\"15m\","
            "\"metric\":\"aht_ms\",\"value\":402113,\"level\":\"critical\",\"since\":"
            "1795473198000}}"),
        cm_board_breach_add(b)));
}

static const char *draw(const struct cm_board *b, uint32_t width, uint32_t height,
                        enum cm_screen_mode mode, struct cm_text *out)
{
    const struct cm_board_look look = {.width = width,
                                       .height = height,
                                       .mode = mode,
                                       .unicode = true,
                                       .keys = mode != CM_SCREEN_PLAIN,
                                       .now_ms = NOW_MS,
                                       .note = "redis",
                                       .waiting = "nothing yet"};
    cm_board_draw(b, &look, out);
    return cm_text_cstr(out);
}

static void plain_frame(void **state)
{
    (void)state;
    struct cm_board b;
    struct cm_text out = {0};
    fill_board(&b, 3);
    const char *frame = draw(&b, 100, 0, CM_SCREEN_PLAIN, &out);
    assert_null(strchr(frame, '\x1b'));
    static const char *const words[] = {
        "main  centre", "1m [15m]", "22:34:17", "0.4 s old", "watermark -10 s",
        "1,234,567",    "13.1",     "75.6",     "3:21",      "62:03",
        "97.6",         "85.1",     "房间0",    "房间2",     "billing",
        "critical",     "team t1",  "6:42",     "(60 s)",    "redis"};
    for (size_t i = 0; i < CM_ARRAY_LEN(words); i++) {
        if (strstr(frame, words[i]) == NULL) {
            fail_msg("`%s` is missing in\n%s", words[i], frame);
        }
    }
    cm_text_free(&out);
    cm_board_free(&b);
}

/* Lines and their cells, escape sequences left out. */
static void check_fits(const char *frame, uint32_t width, uint32_t height)
{
    uint32_t lines = 1;
    struct cm_text line = {0};
    for (const char *p = frame; *p != '\0'; p++) {
        if (*p == '\x1b') {
            p += strcspn(p, "mHKJ");
        } else if (*p == '\r') {
            assert_int_equal(p[1], '\n');
        } else if (*p == '\n') {
            if (cm_screen_width(line.data, line.len) > width) {
                fail_msg("%u by %u: %s", width, height, cm_text_cstr(&line));
            }
            line.len = 0;
            lines++;
        } else {
            cm_text_addc(&line, *p);
        }
    }
    assert_true(cm_screen_width(line.data, line.len) <= width);
    assert_true(lines <= height);
    cm_text_free(&line);
}

/* What the board's data lack is not shown; busy % in the table only beside the bar. */
static void live_figures(void **state)
{
    (void)state;
    struct cm_board b;
    struct cm_text out = {0};
    fill_board(&b, 3);
    const char *frame = draw(&b, 120, 0, CM_SCREEN_PLAIN, &out);
    assert_null(strstr(frame, "waiting"));
    assert_null(strstr(frame, "  now"));
    static const char team[] = "{\"asof\":1795473257600,\"seats\":{\"talking\":13},"
                               "\"calls_waiting\":8,\"longest_wait_ms\":65000}";
    static const char queue[] = "{\"asof\":1795473255600,\"calls_waiting\":7,"
                                "\"longest_wait_ms\":42000}";
    assert_true(cm_board_now_parse(str(team), &b.now));
    assert_true(cm_board_now_parse(str(queue), &b.queues.at[0].now));
    b.children.at[1].at[CM_FIGURE_occupancy] = (struct cm_value){.value = 8765};
    frame = draw(&b, 120, 0, CM_SCREEN_PLAIN, &out);
    assert_non_null(strstr(frame, "\n  now  waiting 8  longest 1:05   talking 13\n"));
    assert_non_null(strstr(frame, " calls  wait\n"));
    assert_non_null(strstr(frame, "     7  0:44\n")); /* as of the board, 2 s later */
    assert_non_null(strstr(frame, "87.7"));
    frame = draw(&b, 100, 0, CM_SCREEN_PLAIN, &out);
    assert_null(strstr(frame, "87.7")); /* the bar goes before it */
    assert_non_null(strstr(frame, " calls  wait\n"));
    for (uint32_t height = 1; height < 20; height++) {
        check_fits(draw(&b, 60, height, CM_SCREEN_COLOUR, &out), 60, height);
    }
    cm_text_free(&out);
    cm_board_free(&b);
}

static void every_size(void **state)
{
    (void)state;
    static const uint32_t widths[] = {1, 2, 20, 40, 79, 80, 100, 101, 160, 300};
    static const uint32_t children[] = {0, 1, 8, 200};
    struct cm_text out = {0};
    for (size_t c = 0; c < CM_ARRAY_LEN(children); c++) {
        struct cm_board b;
        fill_board(&b, children[c]);
        for (size_t w = 0; w < CM_ARRAY_LEN(widths); w++) {
            for (uint32_t height = 1; height < 60; height++) {
                check_fits(draw(&b, widths[w], height, CM_SCREEN_COLOUR, &out), widths[w], height);
            }
        }
        cm_board_free(&b);
    }
    cm_text_free(&out);
}

/* The selected child is always in sight. */
static void scrolling(void **state)
{
    (void)state;
    struct cm_board b;
    struct cm_text out = {0};
    fill_board(&b, 200);
    for (uint32_t i = 0; i < 200; i += 7) {
        char wanted[64];
        strcpy(b.selected, b.children.at[i].id);
        (void)snprintf(wanted, sizeof(wanted), "▸ %s ", b.selected);
        assert_non_null(strstr(draw(&b, 100, 24, CM_SCREEN_MONO, &out), wanted));
    }
    cm_text_free(&out);
    cm_board_free(&b);
}

static void trouble(void **state)
{
    (void)state;
    struct cm_board b;
    struct cm_text out = {0};
    fill_board(&b, 1);
    b.connected = false;
    strcpy(b.trouble, "connection refused");
    const char *frame = draw(&b, 100, 0, CM_SCREEN_PLAIN, &out);
    assert_non_null(strstr(frame, "Redis is away; trying again: connection refused"));
    assert_non_null(strstr(frame, "房间0")); /* what was there last stays */

    b.connected = true;
    b.trouble[0] = '\0';
    b.has_meta = false;
    assert_non_null(strstr(draw(&b, 100, 0, CM_SCREEN_PLAIN, &out), "nothing yet"));

    b.has_meta = true;
    b.asof_ms = NOW_MS - 3600000;
    assert_non_null(strstr(draw(&b, 100, 0, CM_SCREEN_PLAIN, &out), "60 min old"));
    /* Red, where there are colours. */
    assert_non_null(strstr(draw(&b, 100, 0, CM_SCREEN_COLOUR, &out), "\x1b[0;31;1m○ 60 min old"));
    cm_board_free(&b);

    struct cm_board empty = {.connected = true};
    assert_non_null(strstr(draw(&empty, 100, 24, CM_SCREEN_PLAIN, &out), "reading"));
    cm_text_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_frame), cmocka_unit_test(live_figures), cmocka_unit_test(every_size),
        cmocka_unit_test(scrolling),   cmocka_unit_test(trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
