// SPDX-License-Identifier: Apache-2.0
/* unit_keys_test.c — keys that are made once, numbers that may be dealt anew. */
#include "publish/unit_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static struct cm_config *config;
static struct cm_unit_keys *keys;

static int setup(void **state)
{
    (void)state;
    static const char yaml[] = "redis: {prefix: \"p:\"}\nwindows: [1m/1s, 5m/5s]\nperiods: [day]\n";
    assert_int_equal(cm_config_parse("test.yaml", yaml, sizeof(yaml) - 1, NULL, 0, &config), 0);
    keys = cm_unit_keys_create(config);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cm_unit_keys_destroy(keys);
    cm_unit_keys_destroy(NULL);
    cm_config_free(config);
    return 0;
}

static void assert_str(struct cm_str str, const char *expected)
{
    assert_int_equal(str.len, strlen(expected));
    assert_memory_equal(str.p, expected, str.len);
}

static void keys_are_ready(void **state)
{
    (void)state;
    const struct cm_unit_key seat = {CM_KIND_SEAT, CM_STR("1001")};
    const struct cm_unit_key team = {CM_KIND_TEAM, CM_STR("1001")};
    cm_unit_keys_note(keys, CM_UNIT_NONE, 7, &seat);
    cm_unit_keys_note(keys, CM_UNIT_NONE, 3000, &team);
    assert_str(cm_unit_keys_bulk(keys, 7), "$11\r\np:seat:1001\r\n");
    assert_str(cm_unit_keys_bulk(keys, 3000), "$11\r\np:team:1001\r\n");
    assert_str(cm_unit_keys_id(keys, 7), "1001");
    assert_str(cm_unit_keys_field(keys, 0), "$2\r\n1m\r\n");
    assert_str(cm_unit_keys_field(keys, 2), "$3\r\nday\r\n");
    assert_str(cm_unit_keys_field(keys, 3), "$3\r\nnow\r\n");
    struct cm_text out = {0};
    cm_unit_keys_board(keys, &out, &team, 1);
    assert_string_equal(cm_text_cstr(&out), "$20\r\np:board:team:1001:5m\r\n");
    cm_text_free(&out);
}

static void a_number_is_believed_only_with_its_key(void **state)
{
    (void)state;
    const struct cm_unit_key seat = {CM_KIND_SEAT, CM_STR("1001")};
    const struct cm_unit_key team = {CM_KIND_TEAM, CM_STR("1001")};
    const struct cm_unit_key other = {CM_KIND_SEAT, CM_STR("1002")};
    assert_int_equal(cm_unit_keys_find(keys, 0, &seat), CM_UNIT_NONE);
    assert_int_equal(cm_unit_keys_find(keys, CM_UNIT_NONE, &seat), CM_UNIT_NONE);
    cm_unit_keys_note(keys, 500, 7, &seat);
    assert_int_equal(cm_unit_keys_find(keys, 500, &seat), 7);
    assert_int_equal(cm_unit_keys_find(keys, 500, &team), CM_UNIT_NONE);
    assert_int_equal(cm_unit_keys_find(keys, 500, &other), CM_UNIT_NONE);
    assert_int_equal(cm_unit_keys_find(keys, 499, &seat), CM_UNIT_NONE);
    cm_unit_keys_note(keys, 500, 8, &other); /* dealt anew */
    assert_int_equal(cm_unit_keys_find(keys, 500, &seat), CM_UNIT_NONE);
    assert_int_equal(cm_unit_keys_find(keys, 500, &other), 8);
    cm_unit_keys_forget(keys);
    assert_int_equal(cm_unit_keys_find(keys, 500, &other), CM_UNIT_NONE);
    assert_str(cm_unit_keys_id(keys, 8), "1002");
}

static void nothing_moves_however_many_come(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    const char *first = NULL;
    for (uint32_t i = 0; i < MANY; i++) {
        char id[16];
        int len = snprintf(id, sizeof(id), "s%u", i);
        const struct cm_unit_key key = {CM_KIND_SEAT, {id, (uint32_t)len}};
        cm_unit_keys_note(keys, i, MANY - i, &key);
        first = i == 0 ? cm_unit_keys_bulk(keys, MANY).p : first;
        assert_int_equal(cm_unit_keys_find(keys, i, &key), MANY - i);
    }
    assert_ptr_equal(cm_unit_keys_bulk(keys, MANY).p, first);
    assert_str(cm_unit_keys_bulk(keys, 1), "$13\r\np:seat:s19999\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keys_are_ready, setup, teardown),
        cmocka_unit_test_setup_teardown(a_number_is_believed_only_with_its_key, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_moves_however_many_come, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
