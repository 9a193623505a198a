// SPDX-License-Identifier: Apache-2.0
/* file_writer.h — appends to a file or a named pipe through the ring without ever blocking the
 * thread.
 *
 * Two buffers: one fills while the other is on its way. When both are full, try_add returns false
 * and the caller counts what it could not keep. A write error (full disk) keeps the bytes and tries
 * again after 1 s, 2 s, 4 s ... 30 s, saying so once; bytes are lost only when both buffers are
 * full.
 *
 * THREADS   One, that of the ring.
 * ERRORS    -CM_ERR_IO with name and reason from open; later logged: file.write_failed,
 *           file.recovered, file.lost (at close).
 */
#ifndef CM_IO_FILE_WRITER_H
#define CM_IO_FILE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/ring.h"

struct cm_file_writer;

/* Opens for appending, creates with mode 0640. buffer_bytes of each of the two buffers. */
CM_NODISCARD int cm_file_writer_open(struct cm_ring *ring, const char *path, size_t buffer_bytes,
                                     struct cm_file_writer **out);
/* All of the bytes or none. More than buffer_bytes at once: never. */
bool cm_file_writer_try_add(struct cm_file_writer *writer, const void *bytes, size_t len);
/* Starts writing what is there; call once a tick. */
void cm_file_writer_poll(struct cm_file_writer *writer, int64_t now_mono_ns);
/* Writes everything, waits at most timeout_ns (in the ring), closes. Returns false when bytes that
 * try_add had taken were lost. NULL: nothing. */
bool cm_file_writer_close(struct cm_file_writer *writer, int64_t timeout_ns);

#endif
