// SPDX-License-Identifier: Apache-2.0
/* row_batch_test.c — one HSET a key, in order, in bites. */
#include "publish/row_batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "publish/resp.h"

static void write_key(void *context, struct cm_text *out, uint32_t unit, uint32_t slot)
{
    char key[32];
    (void)snprintf(key, sizeof(key), "%s%u:%u", (const char *)context, unit, slot);
    cm_resp_word(out, key);
}

static char prefix[] = "k";

static uint32_t write(const struct cm_row_batch *batch, struct cm_text *out)
{
    out->len = 0;
    uint32_t commands = cm_row_batch_write(batch, out, write_key, prefix);
    (void)cm_text_cstr(out);
    return commands;
}

static void rows_meet_under_their_keys(void **state)
{
    (void)state;
    struct cm_row_batch *batch = cm_row_batch_create(3);
    struct cm_text out = {0};
    assert_int_equal(write(batch, &out), 0);
    assert_int_equal(out.len, 0);
    cm_row_batch_value(batch, "A", 1);
    cm_row_batch_add(batch, 5, 2, CM_STR("5m"));
    cm_row_batch_add(batch, 0, 0, CM_STR("x"));
    cm_row_batch_value(batch, "BB", 2);
    cm_row_batch_add(batch, 5, 2, CM_STR("1h"));
    cm_row_batch_add(batch, 0, 1, CM_STR("x"));
    cm_row_batch_value(batch, "", 0);
    cm_row_batch_add(batch, 0, 0, CM_STR("."));
    assert_int_equal(write(batch, &out), 3);
    assert_string_equal(out.data, "*6\r\n$4\r\nHSET\r\n$4\r\nk5:2\r\n"
                                  "$2\r\n5m\r\n$1\r\nA\r\n$2\r\n1h\r\n$2\r\nBB\r\n"
                                  "*6\r\n$4\r\nHSET\r\n$4\r\nk0:0\r\n"
                                  "$1\r\nx\r\n$1\r\nA\r\n$1\r\n.\r\n$0\r\n\r\n"
                                  "*4\r\n$4\r\nHSET\r\n$4\r\nk0:1\r\n"
                                  "$1\r\nx\r\n$2\r\nBB\r\n");
    cm_row_batch_clear(batch);
    assert_int_equal(write(batch, &out), 0);
    cm_row_batch_value(batch, "C", 1);
    cm_row_batch_add(batch, 5, 2, CM_STR("f"));
    assert_int_equal(write(batch, &out), 1);
    assert_string_equal(out.data, "*4\r\n$4\r\nHSET\r\n$4\r\nk5:2\r\n$1\r\nf\r\n$1\r\nC\r\n");
    cm_text_free(&out);
    cm_row_batch_destroy(batch);
    cm_row_batch_destroy(NULL);
}

static uint32_t count(const struct cm_text *text, const char *word)
{
    uint32_t found = 0;
    for (const char *at = strstr(text->data, word); at != NULL; at = strstr(at + 1, word)) {
        found++;
    }
    return found;
}

static void long_ones_are_cut(void **state)
{
    (void)state;
    struct cm_row_batch *batch = cm_row_batch_create(1);
    struct cm_text out = {0};
    cm_row_batch_value(batch, "V", 1);
    for (uint32_t i = 0; i < CM_RESP_ITEMS_MAX; i++) {
        cm_row_batch_add(batch, 70000, 0, CM_STR("f"));
    }
    assert_int_equal(write(batch, &out), 1);
    cm_row_batch_add(batch, 70000, 0, CM_STR("g"));
    assert_int_equal(write(batch, &out), 2);
    assert_int_equal(count(&out, "\r\nf\r\n"), CM_RESP_ITEMS_MAX);
    assert_int_equal(count(&out, "*1026\r\n$4\r\nHSET\r\n$8\r\nk70000:0\r\n"), 1);
    assert_int_equal(count(&out, "*4\r\n$4\r\nHSET\r\n$8\r\nk70000:0\r\n$1\r\ng\r\n$1\r\nV\r\n"),
                     1);
    cm_text_free(&out);
    cm_row_batch_destroy(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_meet_under_their_keys),
        cmocka_unit_test(long_ones_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
