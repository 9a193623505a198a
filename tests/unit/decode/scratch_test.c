// SPDX-License-Identifier: Apache-2.0
/* scratch_test.c — pieces stay where they are, rewinding gives the same memory again, blocks are
 * kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "decode/scratch.h"

static void test_pieces_do_not_move(void **state)
{
    (void)state;
    struct cm_scratch scratch = {0};
    unsigned char *pieces[64];
    for (size_t i = 0; i < CM_ARRAY_LEN(pieces); i++) {
        pieces[i] = cm_scratch_take(&scratch, 20001);
        assert_int_equal((uintptr_t)pieces[i] % 8, 0);
        memset(pieces[i], (int)i, 20001);
    }
    assert_true(scratch.count > 1);
    for (size_t i = 0; i < CM_ARRAY_LEN(pieces); i++) {
        assert_int_equal(pieces[i][0], i);
        assert_int_equal(pieces[i][20000], i);
    }
    cm_scratch_free(&scratch);
    assert_int_equal(scratch.count, 0);
}

static void test_rewind_reuses_blocks(void **state)
{
    (void)state;
    struct cm_scratch scratch = {0};
    char *first = cm_scratch_take(&scratch, 8);
    struct cm_scratch_mark mark = cm_scratch_mark(&scratch);
    char *second = cm_scratch_take(&scratch, 100);
    (void)cm_scratch_take(&scratch, CM_SCRATCH_BLOCK_BYTES);
    (void)cm_scratch_take(&scratch, 1);
    size_t blocks = scratch.count;
    assert_int_equal(blocks, 3);
    cm_scratch_rewind(&scratch, mark);
    assert_ptr_equal(cm_scratch_take(&scratch, 100), second);
    cm_scratch_rewind(&scratch, (struct cm_scratch_mark){0, 0});
    assert_ptr_equal(cm_scratch_take(&scratch, 8), first);
    (void)cm_scratch_take(&scratch, CM_SCRATCH_BLOCK_BYTES);
    (void)cm_scratch_take(&scratch, CM_SCRATCH_BLOCK_BYTES);
    assert_int_equal(scratch.count, blocks);
    cm_scratch_free(&scratch);
}

static void test_trim_gives_the_tail_back(void **state)
{
    (void)state;
    struct cm_scratch scratch = {0};
    char *piece = cm_scratch_take(&scratch, 1000);
    cm_scratch_trim(&scratch, piece, 9);
    assert_ptr_equal(cm_scratch_take(&scratch, 1), piece + 16);
    char *empty = cm_scratch_take(&scratch, 5);
    cm_scratch_trim(&scratch, empty, 0);
    assert_ptr_equal(cm_scratch_take(&scratch, 1), empty);
    cm_scratch_free(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_do_not_move),
        cmocka_unit_test(test_rewind_reuses_blocks),
        cmocka_unit_test(test_trim_gives_the_tail_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
