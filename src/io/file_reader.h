// SPDX-License-Identifier: Apache-2.0
/* file_reader.h — reads a file, a pipe or standard input through the ring, two blocks ahead.
 *
 * Regular files are read at offsets, several blocks in flight, and to the end that they have when
 * the reader gets there; pipes and terminals are read one block at a time, as their bytes come.
 * Blocks come out in order.
 *
 * THREADS   One, that of the ring.
 * ERRORS    -CM_ERR_INPUT with name and reason.
 */
#ifndef CM_IO_FILE_READER_H
#define CM_IO_FILE_READER_H

#include <stddef.h>
#include <stdint.h>

#include "io/ring.h"

struct cm_file_reader;

/* path "-": standard input. block_bytes of each block, a multiple of 4096. */
CM_NODISCARD int cm_file_reader_open(struct cm_ring *ring, const char *path, size_t block_bytes,
                                     struct cm_file_reader **out);
/* The next bytes of the file: waits in the ring when none are there. *len 0: the end. The bytes
 * stay until the next call. 0 or a negative code. Not from inside done() of an op. */
CM_NODISCARD int cm_file_reader_next(struct cm_file_reader *reader, const char **bytes,
                                     size_t *len);
/* Size of a regular file when it was opened, -1 for others: for progress. */
int64_t cm_file_reader_size(const struct cm_file_reader *reader);
/* NULL: nothing. */
void cm_file_reader_close(struct cm_file_reader *reader);

#endif
