// SPDX-License-Identifier: Apache-2.0
/* decode_pool_test.c — blocks come back whole, in order and with the right line numbers. */
#include "engine/decode_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void submit(struct cm_decode_pool *pool, const char *source, const char *bytes,
                   uint64_t first_line)
{
    assert_true(cm_decode_pool_has_room(pool));
    cm_decode_pool_submit(pool, source, bytes, strlen(bytes), first_line);
}

static uint64_t number_of(const struct cm_decoded_block *block, uint32_t at)
{
    return block->first_line + block->at[at].line_in_block;
}

static void lines_keep_their_numbers(void **state)
{
    (void)state;
    struct cm_decode_pool *pool = cm_decode_pool_create(1);
    assert_null(cm_decode_pool_next(pool));
    submit(pool, "a",
           "{\"type\":\"cdr\",\"id\":\"x\",\"ts\":5,\"outcome\":\"answered\"}\r\n"
           "\n \t\r\n"
           "garbage\n"
           "{\"type\":\"cdr\",\"id\":\"\\u0041y\",\"ts\":6,\"outcome\":\"answered\"}",
           41);
    const struct cm_decoded_block *block = cm_decode_pool_next(pool);
    assert_non_null(block);
    assert_string_equal(block->source, "a");
    assert_int_equal(block->lines, 5);
    assert_int_equal(block->count, 3);
    assert_int_equal(number_of(block, 0), 41);
    assert_int_equal(block->at[0].reason, CM_REASON_NONE);
    assert_int_equal(block->at[0].event.ts_ms, 5);
    assert_int_equal(number_of(block, 1), 44);
    assert_int_not_equal(block->at[1].reason, CM_REASON_NONE);
    assert_true(cm_str_eq(block->at[1].line, CM_STR("garbage")));
    assert_int_equal(number_of(block, 2), 45);
    assert_true(cm_str_eq(block->at[2].event.id, CM_STR("Ay")));
    assert_null(cm_decode_pool_next(pool));
    cm_decode_pool_destroy(pool);
}

/* Blocks that are waiting do not know theirs yet; blank lines and lines without an end count. */
static void numbers_go_on_from_block_to_block(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 3; threads++) {
        struct cm_decode_pool *pool = cm_decode_pool_create(threads);
        submit(pool, "a", "x\n\nx\n", 7);
        submit(pool, "a", "\n\n", 0);
        submit(pool, "a", "\nx", 0);
        submit(pool, "b", "x\nx\n", 1);
        assert_int_equal(number_of(cm_decode_pool_next(pool), 1), 9);
        assert_int_equal(cm_decode_pool_next(pool)->first_line, 10);
        assert_int_equal(number_of(cm_decode_pool_next(pool), 0), 13);
        submit(pool, "b", "x\n", 0); /* follows one that is not yet taken out */
        assert_int_equal(number_of(cm_decode_pool_next(pool), 1), 2);
        assert_int_equal(number_of(cm_decode_pool_next(pool), 0), 3);
        cm_decode_pool_destroy(pool);
    }
}

static void blocks_come_back_in_order(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 4; threads++) {
        struct cm_decode_pool *pool = cm_decode_pool_create(threads);
        uint64_t in = 0, out = 0;
        while (out < 300) {
            char line[128];
            while (in < 300 && cm_decode_pool_has_room(pool)) {
                snprintf(
                    line, sizeof(line),
                    "{\"type\":\"cdr\",\"id\":\"e%llu\",\"ts\":%llu,\"outcome\":\"answered\"}\n",
                    (unsigned long long)in, (unsigned long long)in);
                submit(pool, "b", line, ++in);
            }
            const struct cm_decoded_block *block = cm_decode_pool_next(pool);
            assert_non_null(block);
            assert_int_equal(block->count, 1);
            assert_int_equal(block->at[0].event.ts_ms, out);
            assert_int_equal(number_of(block, 0), ++out);
        }
        assert_null(cm_decode_pool_next(pool));
        cm_decode_pool_destroy(pool);
    }
}

static void a_block_is_good_until_the_next_one_while_more_come(void **state)
{
    (void)state;
    struct cm_decode_pool *pool = cm_decode_pool_create(2);
    submit(pool, "c", "first\n", 1);
    const struct cm_decoded_block *block = cm_decode_pool_next(pool);
    uint32_t more = 0;
    for (; cm_decode_pool_has_room(pool); more++) {
        submit(pool, "c", "other line, longer than the first\n", 2 + more);
    }
    assert_true(more >= 2);
    assert_true(cm_str_eq(block->at[0].line, CM_STR("first")));
    cm_decode_pool_destroy(pool); /* with blocks that nobody took */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_keep_their_numbers),
        cmocka_unit_test(numbers_go_on_from_block_to_block),
        cmocka_unit_test(blocks_come_back_in_order),
        cmocka_unit_test(a_block_is_good_until_the_next_one_while_more_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
