// SPDX-License-Identifier: Apache-2.0
/* resp_test.c — the wire format and the names of keys. */
#include "publish/resp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "publish/keys.h"

static void assert_wire(struct cm_text *text, const char *expected)
{
    assert_string_equal(cm_text_cstr(text), expected);
    cm_text_free(text);
}

static void words(void **state)
{
    (void)state;
    struct cm_text text = {0};
    cm_resp_array(&text, 5);
    cm_resp_word(&text, "HSET");
    cm_resp_bulk(&text, "a\r\nb", 4);
    cm_resp_bulk(&text, "", 0);
    cm_resp_i64(&text, INT64_MIN);
    cm_resp_i64(&text, INT64_MAX);
    assert_wire(&text, "*5\r\n$4\r\nHSET\r\n$4\r\na\r\nb\r\n$0\r\n\r\n"
                       "$20\r\n-9223372036854775808\r\n$19\r\n9223372036854775807\r\n");
}

static void bytes_are_counted(void **state)
{
    (void)state;
    struct cm_text text = {0};
    cm_resp_word(&text, "\xe4\xb8\xad");
    assert_wire(&text, "$3\r\n\xe4\xb8\xad\r\n");
}

static void keys(void **state)
{
    (void)state;
    struct cm_text text = {0};
    struct cm_unit_key team = {.kind = CM_KIND_TEAM, .id = CM_STR("t1")};
    cm_key_unit(&text, "cm:", &team);
    assert_wire(&text, "$10\r\ncm:team:t1\r\n");
    cm_key_unit(&text, "", &team);
    assert_wire(&text, "$7\r\nteam:t1\r\n");
    cm_key_family(&text, "cm:", "members", &team);
    assert_wire(&text, "$18\r\ncm:members:team:t1\r\n");
    cm_key_window(&text, "cm:", "board", &team, "5m");
    assert_wire(&text, "$19\r\ncm:board:team:t1:5m\r\n");
    cm_key_units(&text, "cm:", CM_KIND_QUEUE);
    assert_wire(&text, "$14\r\ncm:units:queue\r\n");
    cm_key_rank(&text, "cm:", CM_KIND_SEAT, "1h", "aht_ms");
    assert_wire(&text, "$22\r\ncm:rank:seat:1h:aht_ms\r\n");
    cm_key_plain(&text, "cm:", "breaches:active");
    assert_wire(&text, "$18\r\ncm:breaches:active\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(bytes_are_counted),
        cmocka_unit_test(keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
