// SPDX-License-Identifier: Apache-2.0
/* shape_test.c — every kernel against a loop over the bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "decode/shape.h"

static const char *const names[] = {"swar", "sse2", "avx2", "avx512"};

/* The record in words: anchors, quotes, plain, ascii. */
static void plainly(const char *bytes, size_t len, struct cm_shape *shape)
{
    memset(shape, 0, sizeof *shape);
    shape->plain = true;
    shape->ascii = true;
    for (size_t i = 0; i < len; i++) {
        bool near = (i >= 1 && bytes[i - 1] == ',') || (i >= 2 && bytes[i - 2] == ',');
        shape->quotes += bytes[i] == '"';
        if (bytes[i] == '"' && near && shape->count <= CM_SHAPE_ANCHORS_MAX) {
            shape->at[++shape->count] = (uint16_t)i;
        }
        shape->plain = shape->plain && bytes[i] != '\\' && (unsigned char)bytes[i] >= 0x20;
        shape->ascii = shape->ascii && (unsigned char)bytes[i] < 0x80;
    }
    if (shape->count <= CM_SHAPE_ANCHORS_MAX) {
        shape->at[shape->count + 1] = (uint16_t)len;
    }
}

static void check(const char *record, size_t len)
{
    struct cm_shape expected;
    char *bytes = malloc(len); /* the sanitizer sees a read behind it */
    assert_non_null(bytes);
    memcpy(bytes, record, len);
    plainly(bytes, len, &expected);
    for (uint32_t i = 0; i < CM_ARRAY_LEN(names); i++) {
        const struct cm_shape_kernel *kernel = cm_shape_find(names[i]);
        struct cm_shape shape;
        if (kernel == NULL) {
            continue;
        }
        memset(&shape, 0xee, sizeof shape);
        kernel->look(bytes, len, &shape);
        if (expected.count > CM_SHAPE_ANCHORS_MAX) {
            assert_true(shape.count > CM_SHAPE_ANCHORS_MAX);
            continue;
        }
        assert_int_equal(shape.count, expected.count);
        assert_int_equal(shape.quotes, expected.quotes);
        assert_int_equal(shape.plain, expected.plain);
        assert_int_equal(shape.ascii, expected.ascii);
        assert_memory_equal(shape.at, expected.at, (expected.count + 2) * sizeof expected.at[0]);
    }
    free(bytes);
}

static void random_bytes_have_the_same_shape(void **state)
{
    static const char dense[] = "\"\",,, :a{}";
    uint64_t seed = 14;
    char record[700];
    (void)state;
    for (int round = 0; round < 3000; round++) {
        size_t len = CM_SHAPE_BYTES_LEAST + (size_t)round % (sizeof record - CM_SHAPE_BYTES_LEAST);
        for (size_t i = 0; i < len; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            uint32_t pick = (uint32_t)(seed >> 40);
            bool is_dense = round % 3 == 0 || pick % 8 == 0;
            record[i] =
                is_dense ? dense[(pick >> 8) % (sizeof dense - 1)] : (char)('a' + pick % 26);
        }
        check(record, len);
    }
}

static void one_odd_byte_is_seen_anywhere(void **state)
{
    static const unsigned char odd[] = {0, 0x1f, 0x20, '\\', 0x7f, 0x80, 0xff, '"', ','};
    char record[200];
    (void)state;
    for (size_t len = CM_SHAPE_BYTES_LEAST; len <= sizeof record; len += 17) {
        for (size_t i = 0; i < len; i++) {
            for (uint32_t k = 0; k < CM_ARRAY_LEN(odd); k++) {
                memset(record, 'a', sizeof record);
                record[i] = (char)odd[k];
                check(record, len);
            }
        }
    }
}

static void too_many_anchors_are_told_and_do_not_run_over(void **state)
{
    static char record[CM_SHAPE_BYTES_MOST];
    (void)state;
    for (size_t i = 0; i < sizeof record; i++) {
        record[i] = ",\"\""[i % 3];
    }
    for (size_t len = CM_SHAPE_BYTES_LEAST; len <= sizeof record; len += 61) {
        check(record, len);
    }
    for (size_t i = 0; i < sizeof record; i++) {
        record[i] = ",\""[i % 2];
    }
    check(record, sizeof record);
    check(record, 2 * CM_SHAPE_ANCHORS_MAX);
    check(record, 2 * CM_SHAPE_ANCHORS_MAX + 2);
}

static void there_is_a_kernel_of_words_everywhere(void **state)
{
    (void)state;
    assert_non_null(cm_shape_find("swar"));
    assert_null(cm_shape_find("none"));
    const struct cm_shape_kernel *best = cm_shape_best();
    assert_true(best == NULL || best == cm_shape_find(best->name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_bytes_have_the_same_shape),
        cmocka_unit_test(one_odd_byte_is_seen_anywhere),
        cmocka_unit_test(too_many_anchors_are_told_and_do_not_run_over),
        cmocka_unit_test(there_is_a_kernel_of_words_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
