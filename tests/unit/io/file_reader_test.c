// SPDX-License-Identifier: Apache-2.0
/* file_reader_test.c — sizes around every edge of a block, growing files, pipes, what cannot be
 * read. */
#include "io/file_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"

#define BLOCK ((size_t)4096)

static struct cm_ring *ring;
static char path[64];

static int setup(void **state)
{
    (void)state;
    (void)strcpy(path, "/tmp/cm_reader_XXXXXX");
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

/* The byte at an offset: every block differs from every other. */
static char byte_at(size_t offset)
{
    return (char)(unsigned char)((offset * 2654435761u) >> 13);
}

static void append(size_t from, size_t bytes)
{
    char *data = malloc(bytes + 1);
    for (size_t i = 0; i < bytes; i++) {
        data[i] = byte_at(from + i);
    }
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, bytes), bytes);
    (void)close(fd);
    free(data);
}

/* Reads to the end, and checks every byte. Returns how many there were. */
static size_t read_all(struct cm_file_reader *reader, size_t from)
{
    size_t total = 0;
    for (;;) {
        const char *bytes;
        size_t len;
        assert_int_equal(cm_file_reader_next(reader, &bytes, &len), 0);
        if (len == 0) {
            return total;
        }
        for (size_t i = 0; i < len; i++) {
            if (bytes[i] != byte_at(from + total + i)) {
                fail_msg("wrong byte at %zu", from + total + i);
            }
        }
        total += len;
    }
}

static void reads_every_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,         1,         BLOCK - 1,     BLOCK,         BLOCK + 1,
                                   2 * BLOCK, 3 * BLOCK, 3 * BLOCK - 1, 4 * BLOCK + 1, 100 * BLOCK,
                                   1234567};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_int_equal(truncate(path, 0), 0);
        append(0, sizes[i]);
        for (size_t block = BLOCK; block <= 64 * BLOCK; block *= 8) {
            struct cm_file_reader *reader;
            assert_int_equal(cm_file_reader_open(ring, path, block, &reader), 0);
            assert_int_equal(cm_file_reader_size(reader), sizes[i]);
            assert_int_equal(read_all(reader, 0), sizes[i]);
            const char *bytes;
            size_t len = 1;
            assert_int_equal(cm_file_reader_next(reader, &bytes, &len), 0);
            assert_int_equal(len, 0); /* the end stays the end */
            cm_file_reader_close(reader);
        }
    }
}

static void blocks_are_full_but_the_last(void **state)
{
    (void)state;
    append(0, 5 * BLOCK + 7);
    struct cm_file_reader *reader;
    assert_int_equal(cm_file_reader_open(ring, path, BLOCK, &reader), 0);
    const char *bytes;
    size_t len;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(cm_file_reader_next(reader, &bytes, &len), 0);
        assert_int_equal(len, BLOCK);
    }
    assert_int_equal(cm_file_reader_next(reader, &bytes, &len), 0);
    assert_int_equal(len, 7);
    cm_file_reader_close(reader);
}

/* Blocks read ahead found the end; it has moved on since. From every size, by every step. */
static void a_growing_file_is_read_to_its_end(void **state)
{
    (void)state;
    static const size_t starts[] = {1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK};
    static const size_t steps[] = {1, BLOCK - 1, BLOCK, 3 * BLOCK + 5};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
            assert_int_equal(truncate(path, 0), 0);
            append(0, starts[i]);
            size_t size = starts[i];
            struct cm_file_reader *reader;
            assert_int_equal(cm_file_reader_open(ring, path, BLOCK, &reader), 0);
            size_t total = 0;
            for (int grown = 0;;) {
                const char *bytes;
                size_t len;
                assert_int_equal(cm_file_reader_next(reader, &bytes, &len), 0);
                if (len == 0) {
                    break;
                }
                for (size_t b = 0; b < len; b++) {
                    assert_int_equal(bytes[b], byte_at(total + b));
                }
                total += len;
                if (total == size && grown < 4) { /* all was handed out, the end not yet said */
                    append(size, steps[k]);
                    size += steps[k];
                    grown++;
                }
            }
            assert_int_equal(total, size);
            cm_file_reader_close(reader);
        }
    }
}

static void a_cut_file_ends_early(void **state)
{
    (void)state;
    append(0, 50 * BLOCK);
    struct cm_file_reader *reader;
    assert_int_equal(cm_file_reader_open(ring, path, BLOCK, &reader), 0);
    const char *bytes;
    size_t len;
    assert_int_equal(cm_file_reader_next(reader, &bytes, &len), 0);
    assert_int_equal(truncate(path, 10 * BLOCK), 0);
    assert_int_equal(read_all(reader, BLOCK), 9 * BLOCK);
    cm_file_reader_close(reader);
}

static void closes_in_the_middle(void **state)
{
    (void)state;
    append(0, 10 * BLOCK);
    struct cm_file_reader *reader;
    assert_int_equal(cm_file_reader_open(ring, path, BLOCK, &reader), 0);
    cm_file_reader_close(reader); /* nothing read */
    assert_int_equal(cm_file_reader_open(ring, path, BLOCK, &reader), 0);
    const char *bytes;
    size_t len;
    assert_int_equal(cm_file_reader_next(reader, &bytes, &len), 0);
    cm_file_reader_close(reader); /* two blocks on their way */
    cm_file_reader_close(NULL);
}

static void says_what_cannot_be_read(void **state)
{
    (void)state;
    struct cm_file_reader *reader = NULL;
    assert_int_equal(cm_file_reader_open(ring, "/nonexistent/x", BLOCK, &reader), -CM_ERR_INPUT);
    assert_string_equal(cm_fail_text(), "cannot read /nonexistent/x: No such file or directory");
    assert_int_equal(cm_file_reader_open(ring, "/tmp", BLOCK, &reader), -CM_ERR_INPUT);
    assert_string_equal(cm_fail_text(), "cannot read /tmp: Is a directory");
    assert_null(reader);
    /* Opens, but every read fails: address 0 of our own memory is not mapped. */
    assert_int_equal(cm_file_reader_open(ring, "/proc/self/mem", BLOCK, &reader), 0);
    const char *bytes;
    size_t len;
    for (int i = 0; i < 2; i++) { /* and says so again */
        assert_int_equal(cm_file_reader_next(reader, &bytes, &len), -CM_ERR_INPUT);
        assert_string_equal(cm_fail_text(), "cannot read /proc/self/mem: Input/output error");
    }
    cm_file_reader_close(reader);
}

struct feeder {
    int fd;
    size_t bytes;
    size_t step;
};

static void *feed(void *context)
{
    struct feeder *feeder = context;
    char *data = malloc(feeder->step);
    for (size_t at = 0; at < feeder->bytes;) {
        size_t len = feeder->bytes - at < feeder->step ? feeder->bytes - at : feeder->step;
        for (size_t i = 0; i < len; i++) {
            data[i] = byte_at(at + i);
        }
        for (size_t put = 0; put < len;) {
            ssize_t n = write(feeder->fd, data + put, len - put);
            if (n <= 0) {
                abort();
            }
            put += (size_t)n;
        }
        at += len;
    }
    (void)close(feeder->fd);
    free(data);
    return NULL;
}

/* Puts a pipe in the place of standard input while `body` runs. */
static void with_stdin(int fd, void (*body)(void *context), void *context)
{
    int saved = dup(STDIN_FILENO);
    assert_true(dup2(fd, STDIN_FILENO) >= 0);
    body(context);
    assert_true(saved < 0 || dup2(saved, STDIN_FILENO) >= 0);
    (void)close(saved);
}

static void read_standard_input(void *context)
{
    const size_t *expected = context;
    struct cm_file_reader *reader;
    assert_int_equal(cm_file_reader_open(ring, "-", BLOCK, &reader), 0);
    assert_int_equal(cm_file_reader_size(reader), -1);
    assert_int_equal(read_all(reader, 0), *expected);
    cm_file_reader_close(reader);
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0); /* not ours to close */
}

static void reads_pipes(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 1000, BLOCK, 200000};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        for (int nonblocking = 0; nonblocking < 2; nonblocking++) {
            int fds[2];
            assert_int_equal(pipe(fds), 0);
            if (nonblocking != 0) {
                assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
            }
            size_t bytes = steps[i] == 1 ? 500 : 700001;
            struct feeder feeder = {fds[1], bytes, steps[i]};
            pthread_t thread;
            assert_int_equal(pthread_create(&thread, NULL, feed, &feeder), 0);
            with_stdin(fds[0], read_standard_input, &bytes);
            assert_int_equal(pthread_join(thread, NULL), 0);
            (void)close(fds[0]);
        }
    }
}

static void a_pipe_gives_what_is_there(void **state)
{
    (void)state;
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDWR | O_CLOEXEC); /* a writer, so that opening does not wait */
    struct cm_file_reader *reader;
    assert_int_equal(cm_file_reader_open(ring, path, BLOCK, &reader), 0);
    assert_int_equal(cm_file_reader_size(reader), -1);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(write(fd, "line\n", 5), 5);
        const char *bytes;
        size_t len;
        /* The pipe stays open: a reader that wanted a whole block would wait for ever. */
        assert_int_equal(cm_file_reader_next(reader, &bytes, &len), 0);
        assert_int_equal(len, 5);
        assert_memory_equal(bytes, "line\n", 5);
    }
    cm_file_reader_close(reader); /* with a read waiting */
    (void)close(fd);
}

static void read_rest_of_standard_input(void *context)
{
    (void)context;
    struct cm_file_reader *reader;
    assert_int_equal(cm_file_reader_open(ring, "-", BLOCK, &reader), 0);
    assert_int_equal(read_all(reader, 100), 2 * BLOCK - 100);
    cm_file_reader_close(reader);
}

static void a_file_on_stdin_goes_on_where_it_stands(void **state)
{
    (void)state;
    append(0, 2 * BLOCK);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(lseek(fd, 100, SEEK_SET), 100);
    with_stdin(fd, read_rest_of_standard_input, NULL);
    (void)close(fd);
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
        WITH_FILE(reads_every_size),
        WITH_FILE(blocks_are_full_but_the_last),
        WITH_FILE(a_growing_file_is_read_to_its_end),
        WITH_FILE(a_cut_file_ends_early),
        WITH_FILE(closes_in_the_middle),
        WITH_FILE(says_what_cannot_be_read),
        WITH_FILE(reads_pipes),
        WITH_FILE(a_pipe_gives_what_is_there),
        WITH_FILE(a_file_on_stdin_goes_on_where_it_stands),
    };
#undef WITH_FILE
    return cmocka_run_group_tests_name("file_reader", tests, NULL, NULL);
}
