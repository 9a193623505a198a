// SPDX-License-Identifier: Apache-2.0
/* board_now_test.c — the field `now` as it is read and shown. */
#include "cli/board_now.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool parse(const char *text, struct cm_board_now *now)
{
    return cm_board_now_parse((struct cm_str){text, (uint32_t)strlen(text)}, now);
}

static void expect_line(const struct cm_board_now *now, int64_t asof_ms, const char *wanted)
{
    struct cm_text out = {0};
    struct cm_pen pen;
    cm_pen_begin(&pen, &out, 100, 0, CM_SCREEN_PLAIN);
    cm_board_now_draw(now, asof_ms, &pen);
    cm_pen_end(&pen);
    assert_string_equal(cm_text_cstr(&out), wanted);
    cm_text_free(&out);
}

static void a_team(void **state)
{
    (void)state;
    struct cm_board_now now;
    assert_true(parse("{\"asof\":100000,\"seats\":{\"available\":4,\"talking\":1009},"
                      "\"calls_waiting\":2,\"longest_wait_ms\":34120}",
                      &now));
    assert_true(now.has_seats && now.has_waits);
    assert_int_equal(now.seats[CM_STATE_AVAILABLE], 4);
    assert_int_equal(now.seats[CM_STATE_TALKING], 1009);
    assert_int_equal(now.seats[CM_STATE_HOLD], 0);
    assert_int_equal(now.calls_waiting, 2);
    assert_int_equal(cm_board_now_wait_ms(&now, 100000), 34120);
    assert_int_equal(cm_board_now_wait_ms(&now, 99000), 34120); /* never less */
    assert_int_equal(cm_board_now_wait_ms(&now, 102000), 36120);
    expect_line(&now, 102000, "  now  waiting 2  longest 0:36   available 4  talking 1,009\n");
}

static void a_queue_and_a_room(void **state)
{
    (void)state;
    struct cm_board_now now;
    assert_true(parse("{\"asof\":100000,\"calls_waiting\":0,\"longest_wait_ms\":0}", &now));
    assert_true(now.has_waits && !now.has_seats);
    assert_int_equal(cm_board_now_wait_ms(&now, 160000), 0); /* nobody waits */
    expect_line(&now, 160000, "  now  waiting 0  longest 0:00\n");
    assert_true(parse("{\"asof\":100000,\"seats\":{\"acw\":1}}", &now));
    assert_true(!now.has_waits && now.has_seats);
    expect_line(&now, 100000, "  now   acw 1\n");
}

static void nothing_is_known(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "[]", "{\"asof\":5}",
                                        "{\"asof\":5,\"calls_waiting\":\"x\"}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct cm_board_now now;
        (void)parse(texts[i], &now);
        assert_false(now.has_waits || now.has_seats);
        expect_line(&now, 100000, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_team),
        cmocka_unit_test(a_queue_and_a_room),
        cmocka_unit_test(nothing_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
