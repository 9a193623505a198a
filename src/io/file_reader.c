// SPDX-License-Identifier: Apache-2.0
/* file_reader.c — blocks of a file, two of them on their way while the caller works on the third.
 *
 *   slot     0            1          2
 *        handed out    reading    reading       regular file: at offset, at offset + block
 *        handed out    reading       -          pipe, terminal: one read at a time, as it comes
 *
 * The end of a regular file is known for certain only by a read at its very end that brings
 * nothing, made at the moment the caller gets there: a file may have grown since a block was read
 * ahead. So a short block drops what was read beyond it, and reading goes on behind its last byte.
 *
 * THREADS   One, that of the ring. next() waits in the ring, so callbacks of other ops run then.
 * OWNERSHIP The reader owns its blocks and its descriptor (not standard input's).
 * COST      Three blocks of memory; opening a named pipe waits for its writer, as open(2) does.
 */
#include "io/file_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/memory.h"

#define SLOTS 3u

struct slot {
    struct cm_op op; /* first: done() finds the slot by it */
    struct cm_file_reader *reader;
    char *data;
    size_t len;
    int64_t offset;
    uint64_t call; /* the call of next() that started it */
    int error;     /* errno, 0 for none */
    bool reading;
    bool polling; /* a non-blocking descriptor had nothing; waits until it has */
};

struct cm_file_reader {
    struct cm_ring *ring;
    char *name;
    int fd;
    bool owned;
    bool regular;
    bool ended;
    bool closing;
    size_t block_bytes;
    int64_t size;
    int64_t next_offset;
    uint64_t calls;
    uint32_t head; /* the next slot to hand out */
    uint32_t busy; /* slots started, from head on */
    struct slot slots[SLOTS];
};

static void read_rest(struct slot *slot)
{
    struct cm_file_reader *reader = slot->reader;
    cm_ring_read(reader->ring, &slot->op, reader->fd, slot->data + slot->len,
                 reader->block_bytes - slot->len,
                 reader->regular ? slot->offset + (int64_t)slot->len : -1);
}

static void slot_done(struct cm_op *op, int32_t result, uint32_t flags)
{
    (void)flags;
    struct slot *slot = (struct slot *)(void *)op;
    struct cm_file_reader *reader = slot->reader;
    bool again = false;
    if (reader->closing) {
        slot->error = ECANCELED;
    } else if (slot->polling) {
        slot->polling = false;
        again = result >= 0;
        slot->error = result < 0 ? -result : 0;
    } else if (result > 0) {
        slot->len += (size_t)result;
        again = reader->regular && slot->len < reader->block_bytes;
    } else if (result == -EAGAIN) {
        slot->polling = true;
        cm_ring_poll(reader->ring, op, reader->fd, POLLIN);
        return;
    } else if (result == -EINTR) {
        again = true;
    } else {
        slot->error = -result; /* 0: the end */
    }
    if (again) {
        read_rest(slot);
    } else {
        slot->reading = false;
    }
}

static int fail_read(const struct cm_file_reader *reader, int error)
{
    return cm_fail(CM_ERR_INPUT, "cannot read %s: %s", reader->name, strerror(error));
}

static int open_descriptor(struct cm_file_reader *reader, const char *path)
{
    if (strcmp(path, "-") == 0) {
        reader->fd = STDIN_FILENO;
    } else {
        reader->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        reader->owned = true;
    }
    struct stat status;
    if (reader->fd < 0 || fstat(reader->fd, &status) != 0) {
        return fail_read(reader, errno);
    }
    if (S_ISDIR(status.st_mode)) {
        return fail_read(reader, EISDIR);
    }
    reader->size = -1;
    if (S_ISREG(status.st_mode)) {
        reader->regular = true;
        reader->size = status.st_size;
        /* Standard input may have been read from already. */
        off_t position = lseek(reader->fd, 0, SEEK_CUR);
        reader->next_offset = position > 0 ? position : 0;
        (void)posix_fadvise(reader->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    return 0;
}

int cm_file_reader_open(struct cm_ring *ring, const char *path, size_t block_bytes,
                        struct cm_file_reader **out)
{
    _Static_assert(offsetof(struct slot, op) == 0, "slot_done() relies on it");
    CM_ASSERT(block_bytes > 0 && block_bytes % 4096 == 0);
    struct cm_file_reader *reader = cm_alloc(1, sizeof(*reader));
    reader->ring = ring;
    reader->name = cm_strdup(strcmp(path, "-") == 0 ? "standard input" : path);
    reader->fd = -1;
    reader->block_bytes = block_bytes;
    int rc = open_descriptor(reader, path);
    if (rc < 0) {
        cm_file_reader_close(reader);
        return rc;
    }
    for (uint32_t i = 0; i < SLOTS; i++) {
        reader->slots[i].op.done = slot_done;
        reader->slots[i].reader = reader;
        reader->slots[i].data = cm_alloc(1, block_bytes);
    }
    *out = reader;
    return 0;
}

/* Starts reads until `limit` slots are on their way or waiting to be handed out. */
static void top_up(struct cm_file_reader *reader, uint32_t limit)
{
    for (; reader->busy < limit; reader->busy++) {
        struct slot *slot = &reader->slots[(reader->head + reader->busy) % SLOTS];
        slot->len = 0;
        slot->error = 0;
        slot->polling = false;
        slot->reading = true;
        slot->offset = reader->next_offset;
        slot->call = reader->calls;
        if (reader->regular) {
            reader->next_offset += (int64_t)reader->block_bytes;
        }
        read_rest(slot);
    }
}

/* Drops everything that was started and goes on at `offset`. */
static void restart_at(struct cm_file_reader *reader, int64_t offset)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        while (reader->slots[i].reading) {
            (void)cm_ring_wait(reader->ring, -1);
        }
    }
    reader->busy = 0;
    reader->next_offset = offset;
}

/* The next slot in order, with its bytes; one that was read ahead and brought nothing is read once
 * more. */
static struct slot *wait_for_head(struct cm_file_reader *reader)
{
    for (;;) {
        top_up(reader, reader->regular ? SLOTS : 1);
        struct slot *slot = &reader->slots[reader->head];
        while (slot->reading) {
            (void)cm_ring_wait(reader->ring, -1);
        }
        if (!reader->regular || slot->error != 0 || slot->len > 0 || slot->call == reader->calls) {
            return slot;
        }
        restart_at(reader, slot->offset);
    }
}

int cm_file_reader_next(struct cm_file_reader *reader, const char **bytes, size_t *len)
{
    *bytes = NULL;
    *len = 0;
    if (reader->ended) {
        return 0;
    }
    reader->calls++;
    struct slot *slot = wait_for_head(reader);
    if (slot->error != 0 && slot->len == 0) {
        return fail_read(reader, slot->error); /* the slot stays, and says so again */
    }
    if (slot->len == 0) {
        reader->ended = true;
        return 0;
    }
    if (slot->error != 0 || (reader->regular && slot->len < reader->block_bytes)) {
        restart_at(reader, slot->offset + (int64_t)slot->len);
    } else {
        reader->busy--;
    }
    reader->head = (reader->head + 1) % SLOTS;
    /* Submitted now, so that the kernel reads while the caller works. */
    top_up(reader, reader->regular ? SLOTS - 1 : 1);
    (void)cm_ring_wait(reader->ring, 0);
    *bytes = slot->data;
    *len = slot->len;
    return 0;
}

int64_t cm_file_reader_size(const struct cm_file_reader *reader)
{
    return reader->size;
}

void cm_file_reader_close(struct cm_file_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    reader->closing = true;
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &reader->slots[i];
        while (slot->op.in_flight) {
            cm_ring_cancel(reader->ring, &slot->op);
            (void)cm_ring_wait(reader->ring, -1);
        }
        free(slot->data);
    }
    if (reader->owned && reader->fd >= 0) {
        (void)close(reader->fd);
    }
    free(reader->name);
    free(reader);
}
