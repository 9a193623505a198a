// SPDX-License-Identifier: Apache-2.0
/* file_writer.c — two buffers and one write in flight.
 *
 *   try_add ──► filling ──(swap, when the other is empty)──► sending ──► write ──► file
 *                                                               ▲          │ failed: kept
 *                                                               └──────────┘ again after 1 .. 30 s
 *
 * Bytes reach the file in order and once: a part that was written is not written again, so lines
 * stay whole however often the disk was full in between.
 *
 * A named pipe is opened for reading and writing. That never blocks, does not end in SIGPIPE, and
 * its readers may come and go; what nobody has read stays in the pipe until it is full.
 *
 * THREADS   One, that of the ring.
 * COST      Two buffers; one write a tick while there is something to write.
 */
#include "io/file_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"

#define FIRST_BACKOFF_NS (1 * CM_NS_PER_S)
#define LAST_BACKOFF_NS  (30 * CM_NS_PER_S)

struct buffer {
    char *data;
    size_t len;
};

struct cm_file_writer {
    struct cm_op op; /* first: done() finds the writer by it */
    struct cm_ring *ring;
    char *path;
    int fd;
    size_t buffer_bytes;
    struct buffer buffers[2];
    uint32_t filling;
    size_t written;      /* of the other one */
    bool failing;        /* an episode: from the first error to the next success */
    bool wants_retry;    /* failed in done(), which knows no time */
    int64_t retry_at_ns; /* 0: none */
    int64_t backoff_ns;
    uint64_t refused; /* adds refused in this episode */
};

static struct buffer *sending(struct cm_file_writer *writer)
{
    return &writer->buffers[1 - writer->filling];
}

/* Writes the rest of the sending buffer, or swaps first when it is empty. Not while in flight. */
static void start(struct cm_file_writer *writer)
{
    struct buffer *buffer = sending(writer);
    if (buffer->len == 0) {
        if (writer->buffers[writer->filling].len == 0) {
            return;
        }
        writer->filling = 1 - writer->filling;
        writer->written = 0;
        buffer = sending(writer);
    }
    cm_ring_write(writer->ring, &writer->op, writer->fd, buffer->data + writer->written,
                  buffer->len - writer->written, -1);
}

static void write_failed(struct cm_file_writer *writer, int error)
{
    if (!writer->failing) {
        writer->failing = true;
        writer->refused = 0;
        writer->backoff_ns = FIRST_BACKOFF_NS;
        cm_log(CM_LOG_ERROR, "file.write_failed", "path=\"%s\" reason=\"%s\" kept_bytes=%zu",
               writer->path, strerror(error),
               sending(writer)->len - writer->written + writer->buffers[writer->filling].len);
    }
    writer->wants_retry = true;
}

static void write_done(struct cm_op *op, int32_t result, uint32_t flags)
{
    (void)flags;
    struct cm_file_writer *writer = (struct cm_file_writer *)(void *)op;
    if (result == -ECANCELED) {
        return;
    }
    if (result == -EINTR) {
        start(writer);
        return;
    }
    if (result <= 0) {
        write_failed(writer, result == 0 ? EIO : -result);
        return;
    }
    if (writer->failing) {
        writer->failing = false;
        cm_log(CM_LOG_INFO, "file.recovered", "path=\"%s\" refused=%" PRIu64, writer->path,
               writer->refused);
    }
    struct buffer *buffer = sending(writer);
    writer->written += (size_t)result;
    CM_ASSERT(writer->written <= buffer->len);
    if (writer->written < buffer->len) {
        start(writer);
    } else {
        buffer->len = 0;
        writer->written = 0;
    }
}

int cm_file_writer_open(struct cm_ring *ring, const char *path, size_t buffer_bytes,
                        struct cm_file_writer **out)
{
    _Static_assert(offsetof(struct cm_file_writer, op) == 0, "write_done() relies on it");
    CM_ASSERT(buffer_bytes > 0);
    struct stat status;
    bool pipe = stat(path, &status) == 0 && S_ISFIFO(status.st_mode);
    int fd =
        open(path, (pipe ? O_RDWR : O_WRONLY | O_APPEND | O_CREAT) | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd < 0) {
        return cm_fail(CM_ERR_IO, "cannot write %s: %s", path, strerror(errno));
    }
    struct cm_file_writer *writer = cm_alloc(1, sizeof(*writer));
    writer->op.done = write_done;
    writer->ring = ring;
    writer->path = cm_strdup(path);
    writer->fd = fd;
    writer->buffer_bytes = buffer_bytes;
    writer->buffers[0].data = cm_alloc(1, buffer_bytes);
    writer->buffers[1].data = cm_alloc(1, buffer_bytes);
    *out = writer;
    return 0;
}

bool cm_file_writer_try_add(struct cm_file_writer *writer, const void *bytes, size_t len)
{
    if (len == 0) {
        return true;
    }
    struct buffer *buffer = &writer->buffers[writer->filling];
    if (len > writer->buffer_bytes - buffer->len && sending(writer)->len == 0 && buffer->len > 0) {
        start(writer);
        buffer = &writer->buffers[writer->filling];
    }
    if (len > writer->buffer_bytes - buffer->len) {
        writer->refused++;
        return false;
    }
    memcpy(buffer->data + buffer->len, bytes, len);
    buffer->len += len;
    return true;
}

void cm_file_writer_poll(struct cm_file_writer *writer, int64_t now_mono_ns)
{
    if (writer->op.in_flight) {
        return;
    }
    if (writer->wants_retry) {
        writer->wants_retry = false;
        writer->retry_at_ns = now_mono_ns + writer->backoff_ns;
        writer->backoff_ns =
            writer->backoff_ns * 2 < LAST_BACKOFF_NS ? writer->backoff_ns * 2 : LAST_BACKOFF_NS;
    }
    if (writer->retry_at_ns != 0 && now_mono_ns < writer->retry_at_ns) {
        return;
    }
    writer->retry_at_ns = 0;
    start(writer);
}

static size_t unwritten(struct cm_file_writer *writer)
{
    return sending(writer)->len - writer->written + writer->buffers[writer->filling].len;
}

bool cm_file_writer_close(struct cm_file_writer *writer, int64_t timeout_ns)
{
    if (writer == NULL) {
        return true;
    }
    int64_t now_ns = cm_clock_mono_ns();
    const int64_t deadline_ns = now_ns + timeout_ns;
    writer->wants_retry = false; /* the last chance: at once */
    writer->retry_at_ns = 0;
    for (; unwritten(writer) > 0 && now_ns < deadline_ns; now_ns = cm_clock_mono_ns()) {
        cm_file_writer_poll(writer, now_ns);
        int64_t until_ns = deadline_ns;
        if (!writer->op.in_flight && writer->retry_at_ns < until_ns) {
            until_ns = writer->retry_at_ns;
        }
        if (until_ns > now_ns) {
            (void)cm_ring_wait(writer->ring, until_ns - now_ns);
        }
    }
    while (writer->op.in_flight) {
        cm_ring_cancel(writer->ring, &writer->op);
        (void)cm_ring_wait(writer->ring, -1);
    }
    size_t lost_bytes = unwritten(writer);
    bool kept = lost_bytes == 0;
    if (!kept) {
        cm_log(CM_LOG_ERROR, "file.lost", "path=\"%s\" bytes=%zu", writer->path, lost_bytes);
    }
    /* Network file systems report a failed write as late as here. */
    if (close(writer->fd) != 0 && errno != EINTR) {
        cm_log(CM_LOG_ERROR, "file.lost", "path=\"%s\" reason=\"%s\"", writer->path,
               strerror(errno));
        kept = false;
    }
    free(writer->buffers[0].data);
    free(writer->buffers[1].data);
    free(writer->path);
    free(writer);
    return kept;
}
