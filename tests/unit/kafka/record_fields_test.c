// SPDX-License-Identifier: Apache-2.0
/* record_fields_test.c — varints of every length and sign, cut at every byte, and too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kafka/record_fields.h"

static size_t put(uint8_t *out, int64_t value)
{
    uint64_t raw = (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
    size_t n = 0;
    for (; raw >= 0x80; raw >>= 7) {
        out[n++] = (uint8_t)(raw | 0x80);
    }
    out[n++] = (uint8_t)raw;
    return n;
}

static void check(int64_t wanted)
{
    uint8_t bytes[16] = {0};
    int64_t got_long = ~wanted;
    int32_t got = 0;
    size_t len = put(bytes, wanted);
    for (size_t room = 0; room < sizeof(bytes); room++) {
        const uint8_t *at = cm_varlong(bytes, bytes + room, &got_long);
        assert_ptr_equal(at, room < len ? NULL : bytes + len);
        if (wanted >= INT32_MIN && wanted <= INT32_MAX) {
            at = cm_varint(bytes, bytes + room, &got);
            assert_ptr_equal(at, room < len ? NULL : bytes + len);
        }
    }
    assert_true(got_long == wanted);
    if (wanted >= INT32_MIN && wanted <= INT32_MAX) {
        assert_int_equal(got, wanted);
    }
}

static void test_varints(void **state)
{
    (void)state;
    for (int64_t value = -40000; value < 40000; value++) {
        check(value);
    }
    for (uint32_t bit = 0; bit < 63; bit++) {
        for (int64_t near = -2; near <= 2; near++) {
            check((INT64_C(1) << bit) + near);
            check(-(INT64_C(1) << bit) + near);
        }
    }
    check(INT64_MAX);
    check(INT64_MIN);
    check(INT32_MAX);
    check(INT32_MIN);
}

static void test_too_long(void **state)
{
    (void)state;
    uint8_t bytes[16];
    int32_t value;
    int64_t value_long;
    memset(bytes, 0x80, sizeof(bytes));
    bytes[5] = 0;
    bytes[10] = 0;
    assert_null(cm_varint(bytes, bytes + sizeof(bytes), &value));
    assert_non_null(cm_varlong(bytes, bytes + sizeof(bytes), &value_long));
    bytes[5] = 0x80;
    assert_null(cm_varlong(bytes, bytes + sizeof(bytes), &value_long));
}

static void test_words(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x81, 2, 3, 4, 5, 6, 7, 8};
    assert_int_equal(cm_be16(bytes), 0x8102);
    assert_int_equal(cm_be32(bytes), 0x81020304);
    assert_true(cm_be64(bytes) == (int64_t)UINT64_C(0x8102030405060708));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_varints),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
