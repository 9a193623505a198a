// SPDX-License-Identifier: Apache-2.0
/* memory_test.c — zeroing, alignment, sizes of nothing, and the end of the process when memory
 * ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/memory.h"

static void test_blocks_are_zeroed_and_never_null(void **state)
{
    (void)state;
    unsigned char *block = cm_alloc(100, 7);
    for (size_t i = 0; i < 700; i++) {
        assert_int_equal(block[i], 0);
    }
    free(block);
    block = cm_alloc(0, 8);
    assert_non_null(block);
    block = cm_realloc(block, 0, 8);
    assert_non_null(block);
    free(block);
}

static void test_realloc_keeps_the_bytes(void **state)
{
    (void)state;
    char *block = cm_realloc(NULL, 5, 1);
    memcpy(block, "abcd", 5);
    block = cm_realloc(block, 100000, 1);
    assert_memory_equal(block, "abcd", 5);
    free(block);
}

/* Around the size from which a block is a mapping of its own. */
static void test_realloc_keeps_the_bytes_of_large_ones(void **state)
{
    (void)state;
    static const size_t sizes[] = {1000,           (1u << 21) - 1, 1u << 21, 5000000,
                                   (1u << 21) + 5, 9000000,        77};
    unsigned char *block = NULL;
    size_t held = 0;
    for (size_t i = 0; i < CM_ARRAY_LEN(sizes); i++) {
        block = cm_realloc(block, sizes[i], 1);
        for (size_t at = 0; at < held && at < sizes[i]; at += 997) {
            assert_int_equal(block[at], at % 251);
        }
        for (size_t at = 0; at < sizes[i]; at++) {
            block[at] = (unsigned char)(at % 251);
        }
        held = sizes[i];
    }
    free(block);
    block = cm_alloc(3, 1u << 20);
    for (size_t i = 0; i < 3u << 20; i += 509) {
        assert_int_equal(block[i], 0);
    }
    free(block);
}

static void test_lines_are_aligned_and_whole(void **state)
{
    (void)state;
    for (size_t bytes = 0; bytes < 300; bytes += 13) {
        unsigned char *block = cm_alloc_lines(bytes);
        assert_int_equal((uintptr_t)block % CM_CACHE_LINE, 0);
        size_t whole = (bytes + 63) / 64 * 64;
        for (size_t i = 0; i < whole; i++) {
            assert_int_equal(block[i], 0);
        }
        free(block);
    }
}

static void test_copies_of_strings(void **state)
{
    (void)state;
    char *copy = cm_strdup("queue");
    assert_string_equal(copy, "queue");
    free(copy);
    copy = cm_strndup("queue", 2);
    assert_string_equal(copy, "qu");
    free(copy);
    copy = cm_strndup("qu", 10);
    assert_string_equal(copy, "qu");
    free(copy);
    copy = cm_strndup(NULL, 0);
    assert_string_equal(copy, "");
    free(copy);
}

static void test_resident_size_is_plausible(void **state)
{
    (void)state;
    size_t bytes = cm_memory_resident_bytes();
    assert_true(bytes > 65536);
    assert_true(bytes < (size_t)1 << 40);
}

static void test_too_much_ends_the_process_with_status_1(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
            dup2(null, STDERR_FILENO);
            volatile size_t huge = SIZE_MAX / 2;
            free(way == 0 ? cm_realloc(NULL, huge, 4) : cm_realloc(NULL, 4, huge));
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_are_zeroed_and_never_null),
        cmocka_unit_test(test_realloc_keeps_the_bytes),
        cmocka_unit_test(test_realloc_keeps_the_bytes_of_large_ones),
        cmocka_unit_test(test_lines_are_aligned_and_whole),
        cmocka_unit_test(test_copies_of_strings),
        cmocka_unit_test(test_resident_size_is_plausible),
        cmocka_unit_test(test_too_much_ends_the_process_with_status_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
