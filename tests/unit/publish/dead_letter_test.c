// SPDX-License-Identifier: Apache-2.0
/* dead_letter_test.c — the line is JSON whatever the record holds, and nothing of it is lost. */
#include "publish/dead_letter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

/* The letter of these bytes; to be released. */
static json_t *letter(const char *bytes, size_t len)
{
    struct cm_text text = {0};
    cm_dead_letter_write(&text, CM_REASON_LATE, "call \"events\"", 3, 1207, bytes, len);
    assert_int_equal(text.data[text.len - 1], '\n');
    assert_ptr_equal(memchr(text.data, '\n', text.len), text.data + text.len - 1);
    json_error_t error;
    json_t *json = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (json == NULL) {
        fail_msg("%s: %.*s", error.text, (int)text.len, text.data);
    }
    cm_text_free(&text);
    assert_int_equal(json_object_size(json), 5);
    assert_string_equal(json_string_value(json_object_get(json, "reason")), "late");
    assert_string_equal(json_string_value(json_object_get(json, "topic")), "call \"events\"");
    assert_int_equal(json_integer_value(json_object_get(json, "partition")), 3);
    assert_int_equal(json_integer_value(json_object_get(json, "offset")), 1207);
    return json;
}

static void assert_plain(const char *bytes, size_t len)
{
    json_t *json = letter(bytes, len);
    json_t *record = json_object_get(json, "record");
    assert_non_null(record);
    assert_int_equal(json_string_length(record), len);
    assert_memory_equal(json_string_value(record), bytes, len);
    json_decref(json);
}

static void assert_base64(const char *bytes, size_t len, const char *expected)
{
    json_t *json = letter(bytes, len);
    assert_null(json_object_get(json, "record"));
    assert_string_equal(json_string_value(json_object_get(json, "record_base64")), expected);
    json_decref(json);
}

static void text_stays_text(void **state)
{
    (void)state;
    assert_plain("", 0);
    assert_plain("{\"type\":\"cdr\"", 13);
    assert_plain("a\0b\r\n\x7f", 6);
    assert_plain("\xc2\x80\xdf\xbf", 4);
    assert_plain("\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbf", 9);
    assert_plain("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8);
}

static void other_bytes_are_base64(void **state)
{
    (void)state;
    assert_base64("\xff", 1, "/w==");
    assert_base64("\xff\xfe", 2, "//4=");
    assert_base64("\x80qq", 3, "gHFx");
    assert_base64("abc\xc3", 4, "YWJjww==");              /* cut */
    assert_base64("\xc0\xaf", 2, "wK8=");                 /* overlong */
    assert_base64("\xe0\x9f\xbf", 3, "4J+/");             /* overlong */
    assert_base64("\xed\xa0\x80", 3, "7aCA");             /* a surrogate */
    assert_base64("\xf4\x90\x80\x80", 4, "9JCAgA==");     /* beyond Unicode */
    assert_base64("\xf8\x88\x80\x80\x80", 5, "+IiAgIA="); /* five bytes */
    assert_base64("\xe4\xb8"
                  "a",
                  3, "5Lhh");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_stays_text),
        cmocka_unit_test(other_bytes_are_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
