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
static const struct cm_str no_key = {NULL, 0};

static uint32_t write(const struct cm_row_batch *batch, struct cm_text *out)
{
    out->len = 0;
    uint32_t commands = cm_row_batch_boards(batch, out, write_key, prefix);
    (void)cm_text_cstr(out);
    return commands;
}

static void value(struct cm_row_batch *batch, struct cm_str key, struct cm_str field,
                  const char *bytes)
{
    cm_text_adds(cm_row_batch_begin(batch, key, field), bytes);
    cm_row_batch_end(batch);
}

static void assert_hashes(struct cm_row_batch *batch, uint32_t commands, const char *expected)
{
    uint32_t count;
    struct cm_text *text = cm_row_batch_hashes(batch, &count);
    assert_int_equal(count, commands);
    assert_string_equal(cm_text_cstr(text), expected);
}

static void rows_meet_under_their_keys(void **state)
{
    (void)state;
    struct cm_row_batch *batch = cm_row_batch_create(3);
    struct cm_text out = {0};
    assert_int_equal(write(batch, &out), 0);
    assert_int_equal(out.len, 0);
    value(batch, no_key, no_key, "A");
    cm_row_batch_add(batch, 5, 2, CM_STR("5m"));
    cm_row_batch_add(batch, 0, 0, CM_STR("x"));
    value(batch, no_key, no_key, "BB");
    cm_row_batch_add(batch, 5, 2, CM_STR("1h"));
    cm_row_batch_add(batch, 0, 1, CM_STR("x"));
    value(batch, no_key, no_key, "");
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
    value(batch, no_key, no_key, "C");
    cm_row_batch_add(batch, 5, 2, CM_STR("f"));
    assert_int_equal(write(batch, &out), 1);
    assert_string_equal(out.data, "*4\r\n$4\r\nHSET\r\n$4\r\nk5:2\r\n$1\r\nf\r\n$1\r\nC\r\n");
    cm_text_free(&out);
    cm_row_batch_destroy(batch);
    cm_row_batch_destroy(NULL);
}

static void hashes_are_written_in_place(void **state)
{
    (void)state;
    const struct cm_str one = CM_STR("$3\r\none\r\n");
    const struct cm_str two = CM_STR("$3\r\ntwo\r\n");
    const struct cm_str field = CM_STR("$1\r\nf\r\n");
    struct cm_row_batch *batch = cm_row_batch_create(1);
    struct cm_text out = {0};
    assert_hashes(batch, 0, "");
    value(batch, one, field, "A");
    cm_row_batch_add(batch, 0, 0, CM_STR("x"));
    value(batch, one, field, "0123456789");
    cm_row_batch_add(batch, 0, 0, CM_STR("y"));
    value(batch, two, field, "");
    cm_row_batch_add(batch, 0, 0, CM_STR("z"));
    value(batch, one, field, "B");
    assert_int_equal(write(batch, &out), 1);
    assert_string_equal(out.data, "*8\r\n$4\r\nHSET\r\n$4\r\nk0:0\r\n$1\r\nx\r\n$1\r\nA\r\n"
                                  "$1\r\ny\r\n$10\r\n0123456789\r\n$1\r\nz\r\n$0\r\n\r\n");
    assert_hashes(batch, 3,
                  "*6\r\n$4\r\nHSET\r\n$3\r\none\r\n$1\r\nf\r\n$1\r\nA\r\n"
                  "$1\r\nf\r\n$10\r\n0123456789\r\n"
                  "*4\r\n$4\r\nHSET\r\n$3\r\ntwo\r\n$1\r\nf\r\n$0\r\n\r\n"
                  "*4\r\n$4\r\nHSET\r\n$3\r\none\r\n$1\r\nf\r\n$1\r\nB\r\n");
    cm_row_batch_clear(batch);
    assert_hashes(batch, 0, "");
    cm_text_free(&out);
    cm_row_batch_destroy(batch);
}

/* More fields than the command before, so that its head is longer than was guessed, and what the
 * boards take from it has moved. */
static void heads_that_were_guessed_wrong(void **state)
{
    (void)state;
    const struct cm_str key = CM_STR("$1\r\nk\r\n");
    const struct cm_str field = CM_STR("$1\r\nf\r\n");
    struct cm_row_batch *batch = cm_row_batch_create(1);
    struct cm_text out = {0};
    char long_one[1235];
    memset(long_one, 'v', sizeof(long_one) - 1);
    long_one[sizeof(long_one) - 1] = '\0';
    for (uint32_t i = 0; i <= CM_RESP_ITEMS_MAX; i++) {
        value(batch, key, field, i % 2 == 0 ? long_one : "short");
        cm_row_batch_add(batch, 0, 0, CM_STR("b"));
    }
    uint32_t commands;
    struct cm_text *text = cm_row_batch_hashes(batch, &commands);
    assert_int_equal(commands, 2);
    const char first[] = "*1026\r\n$4\r\nHSET\r\n$1\r\nk\r\n$1\r\nf\r\n$1234\r\nvvv";
    const char last[] =
        "vvv\r\n$1\r\nf\r\n$5\r\nshort\r\n*4\r\n$4\r\nHSET\r\n$1\r\nk\r\n$1\r\nf\r\n$1234\r\nv";
    assert_memory_equal(text->data, first, sizeof(first) - 1);
    (void)cm_text_cstr(text);
    assert_non_null(strstr(text->data, last));
    assert_int_equal(write(batch, &out), 2);
    const char *at = out.data;
    for (uint32_t i = 0; i <= CM_RESP_ITEMS_MAX; i++) {
        at = strstr(at, i % 2 == 0 ? "$1\r\nb\r\n$1234\r\nv" : "$1\r\nb\r\n$5\r\nshort\r\n");
        assert_non_null(at);
        at++;
    }
    cm_text_free(&out);
    cm_row_batch_destroy(batch);
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
    value(batch, no_key, no_key, "V");
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
        cmocka_unit_test(hashes_are_written_in_place),
        cmocka_unit_test(heads_that_were_guessed_wrong),
        cmocka_unit_test(long_ones_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
