// SPDX-License-Identifier: Apache-2.0
/* bump_test.c — pieces of memory that stand side by side, zeroed, and do not overlap. */
#include "base/bump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"

static void pieces_are_zeroed_and_apart(void **state)
{
    (void)state;
    enum { PIECES = 3000 };
    static unsigned char *at[PIECES];
    struct cm_bump bump = {.pieces = NULL};
    for (int round = 0; round < 2; round++) {
        size_t wanted = 0;
        for (size_t i = 0; i < PIECES; i++) {
            size_t bytes = i % 700 == 699 ? (size_t)1 << 20 : 1 + i * 37 % 4000;
            at[i] = cm_bump_alloc(&bump, bytes);
            assert_int_equal((uintptr_t)at[i] % CM_CACHE_LINE, 0);
            for (size_t b = 0; b < bytes; b++) {
                assert_int_equal(at[i][b], 0);
            }
            memset(at[i], (int)(i % 251 + 1), bytes);
            wanted += bytes;
        }
        for (size_t i = 0; i < PIECES; i++) {
            size_t bytes = i % 700 == 699 ? (size_t)1 << 20 : 1 + i * 37 % 4000;
            assert_int_equal(at[i][0], i % 251 + 1);
            assert_int_equal(at[i][bytes - 1], i % 251 + 1);
        }
        assert_in_range(bump.bytes, wanted, 2 * wanted);
        cm_bump_free(&bump);
        assert_int_equal(bump.bytes, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_and_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
