// SPDX-License-Identifier: Apache-2.0
/* file_writer_test.c — what goes in comes out, in order and once: files, pipes, full disks. */
#include "io/file_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"

#define LONG_NS (20 * CM_NS_PER_S) /* only when the test fails */

static struct cm_ring *ring;
static char path[64];

static int setup(void **state)
{
    (void)state;
    (void)strcpy(path, "/tmp/cm_writer_XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0) {
        return -1;
    }
    (void)close(fd);
    return cm_ring_create(4, &ring);
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(path);
    cm_ring_destroy(ring);
    return 0;
}

static char *slurp(const char *name, size_t *len)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    char *data = malloc((size_t)status.st_size + 1);
    *len = (size_t)read(fd, data, (size_t)status.st_size);
    data[*len] = '\0';
    (void)close(fd);
    return data;
}

static void appends_lines_in_order(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) { /* the second one appends */
        struct cm_file_writer *writer;
        assert_int_equal(cm_file_writer_open(ring, path, 256, &writer), 0);
        int64_t now_ns = 0;
        for (int i = round * 1000; i < round * 1000 + 1000; i++) {
            char line[32];
            int n = snprintf(line, sizeof(line), "line %d\n", i);
            while (!cm_file_writer_try_add(writer, line, (size_t)n)) {
                cm_file_writer_poll(writer, ++now_ns);
                (void)cm_ring_wait(ring, LONG_NS);
            }
        }
        assert_true(cm_file_writer_close(writer, LONG_NS));
    }
    size_t len;
    char *data = slurp(path, &len);
    char *at = data;
    for (int i = 0; i < 2000; i++) {
        char line[32];
        int n = snprintf(line, sizeof(line), "line %d\n", i);
        assert_memory_equal(at, line, (size_t)n);
        at += n;
    }
    assert_ptr_equal(at, data + len);
    free(data);
}

static void creates_for_owner_and_group(void **state)
{
    (void)state;
    assert_int_equal(unlink(path), 0);
    mode_t before = umask(0);
    struct cm_file_writer *writer;
    assert_int_equal(cm_file_writer_open(ring, path, 256, &writer), 0);
    (void)umask(before);
    assert_true(cm_file_writer_close(writer, 0));
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

static void says_what_cannot_be_written(void **state)
{
    (void)state;
    struct cm_file_writer *writer = NULL;
    assert_int_equal(cm_file_writer_open(ring, "/nonexistent/x", 256, &writer), -CM_ERR_IO);
    assert_string_equal(cm_fail_text(), "cannot write /nonexistent/x: No such file or directory");
    assert_int_equal(cm_file_writer_open(ring, "/tmp", 256, &writer), -CM_ERR_IO);
    assert_string_equal(cm_fail_text(), "cannot write /tmp: Is a directory");
    assert_null(writer);
}

static void takes_all_or_nothing(void **state)
{
    (void)state;
    struct cm_file_writer *writer;
    assert_int_equal(cm_file_writer_open(ring, path, 10, &writer), 0);
    assert_false(cm_file_writer_try_add(writer, "12345678901", 11)); /* never fits */
    assert_true(cm_file_writer_try_add(writer, "", 0));
    assert_true(cm_file_writer_try_add(writer, "1234567890", 10)); /* just fits */
    assert_true(cm_file_writer_try_add(writer, "abcdef", 6));      /* swaps */
    assert_false(cm_file_writer_try_add(writer, "ghijk", 5));
    assert_true(cm_file_writer_try_add(writer, "ghij", 4));
    assert_false(cm_file_writer_try_add(writer, "x", 1));
    assert_true(cm_file_writer_close(writer, LONG_NS));
    size_t len;
    char *data = slurp(path, &len);
    assert_string_equal(data, "1234567890abcdefghij");
    free(data);
}

/* Steps the writer through time of our own, as a tick would, and waits for the writes that must
 * end. */
static void step(struct cm_file_writer *writer, int64_t *now_ns, int64_t by_ns, uint32_t writes)
{
    *now_ns += by_ns;
    cm_file_writer_poll(writer, *now_ns);
    while (writes > 0) {
        uint32_t n = cm_ring_wait(ring, LONG_NS);
        assert_in_range(n, 1, writes);
        writes -= n;
    }
    assert_int_equal(cm_ring_wait(ring, 0), 0);
    cm_file_writer_poll(writer, *now_ns);
}

/* A file that may not grow beyond 15 bytes: EFBIG half-way through a line, then the limit is
 * raised. */
static void goes_on_where_it_failed(void **state)
{
    (void)state;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before;
    assert_int_equal(sigaction(SIGXFSZ, &ignore, &before), 0);
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct cm_file_writer *writer;
    assert_int_equal(cm_file_writer_open(ring, path, 64, &writer), 0);
    struct rlimit tight = {15, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    int64_t now_ns = 1;
    assert_true(cm_file_writer_try_add(writer, "first line\nsecond line\n", 23));
    step(writer, &now_ns, 0, 2); /* 15 bytes, and then the error */
    assert_true(cm_file_writer_try_add(writer, "third line\n", 11));
    step(writer, &now_ns, 900 * CM_NS_PER_MS, 0);
    step(writer, &now_ns, 100 * CM_NS_PER_MS, 1); /* after 1 s: failed again */
    step(writer, &now_ns, 1999 * CM_NS_PER_MS, 0);
    step(writer, &now_ns, 1 * CM_NS_PER_MS, 1); /* after 2 s: failed again */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    step(writer, &now_ns, 3999 * CM_NS_PER_MS, 0);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, 15);
    now_ns += 1 * CM_NS_PER_MS;
    cm_file_writer_poll(writer, now_ns);
    assert_true(cm_file_writer_close(writer, LONG_NS));
    size_t len;
    char *data = slurp(path, &len);
    assert_string_equal(data, "first line\nsecond line\nthird line\n");
    free(data);
    assert_int_equal(sigaction(SIGXFSZ, &before, NULL), 0);
}

static void a_full_disk_fills_the_buffers_and_no_more(void **state)
{
    (void)state;
    struct cm_file_writer *writer;
    assert_int_equal(cm_file_writer_open(ring, "/dev/full", 8, &writer), 0);
    int64_t now_ns = 1;
    assert_true(cm_file_writer_try_add(writer, "12345678", 8));
    step(writer, &now_ns, 0, 1);
    assert_true(cm_file_writer_try_add(writer, "abcdefgh", 8));
    assert_false(cm_file_writer_try_add(writer, "i", 1));
    for (int64_t backoff_s = 1; backoff_s <= 16; backoff_s *= 2) {
        step(writer, &now_ns, backoff_s * CM_NS_PER_S - 1, 0);
        step(writer, &now_ns, 1, 1);
    }
    for (int i = 0; i < 3; i++) { /* no longer than 30 s */
        step(writer, &now_ns, 30 * CM_NS_PER_S - 1, 0);
        step(writer, &now_ns, 1, 1);
    }
    assert_false(cm_file_writer_try_add(writer, "i", 1));
    assert_false(cm_file_writer_close(writer, 30 * CM_NS_PER_MS)); /* 16 bytes were lost */
}

static void a_pipe_holds_it_up_but_loses_nothing(void **state)
{
    (void)state;
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    struct cm_file_writer *writer;
    assert_int_equal(cm_file_writer_open(ring, path, 65536, &writer), 0); /* no reader yet */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    uint32_t put = 0;
    uint32_t got = 0;
    const uint32_t total = 100000;
    bool was_full = false;
    int64_t now_ns = 0;
    while (got < total) {
        bool fits = true;
        for (; put < total && fits; put += fits ? 1 : 0) {
            fits = cm_file_writer_try_add(writer, &put, sizeof(put));
        }
        was_full = was_full || !fits;
        cm_file_writer_poll(writer, ++now_ns);
        (void)cm_ring_wait(ring, 0);
        uint32_t numbers[1024];
        ssize_t n = read(fd, numbers, sizeof(numbers));
        assert_true(n >= 0 || errno == EAGAIN);
        for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(numbers[0]); i++) {
            assert_int_equal(numbers[i], got);
            got++;
        }
    }
    assert_true(was_full);
    assert_true(cm_file_writer_close(writer, LONG_NS));
    (void)close(fd);
}

static void gives_up_on_a_pipe_that_nobody_reads(void **state)
{
    (void)state;
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    struct cm_file_writer *writer;
    assert_int_equal(cm_file_writer_open(ring, path, 1 << 20, &writer), 0);
    char *data = calloc(1, 1 << 20);
    assert_true(cm_file_writer_try_add(writer, data, 1 << 20)); /* more than a pipe holds */
    assert_false(cm_file_writer_close(writer, 30 * CM_NS_PER_MS));
    free(data);
    assert_true(cm_file_writer_close(NULL, 0));
}

int main(void)
{
    struct cm_ring *probe = NULL;
    if (cm_ring_create(8, &probe) < 0) {
        (void)fprintf(stderr, "skipped: %s\n", cm_fail_text());
        return 77;
    }
    cm_ring_destroy(probe);
#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_FILE(appends_lines_in_order),
        WITH_FILE(creates_for_owner_and_group),
        WITH_FILE(says_what_cannot_be_written),
        WITH_FILE(takes_all_or_nothing),
        WITH_FILE(goes_on_where_it_failed),
        WITH_FILE(a_full_disk_fills_the_buffers_and_no_more),
        WITH_FILE(a_pipe_holds_it_up_but_loses_nothing),
        WITH_FILE(gives_up_on_a_pipe_that_nobody_reads),
    };
#undef WITH_FILE
    return cmocka_run_group_tests_name("file_writer", tests, NULL, NULL);
}
