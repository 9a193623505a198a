// SPDX-License-Identifier: Apache-2.0
/* static_log.h — the log of one topic, made once and never written again.
 *
 *   lines ──► partition by seat, else by call ──► batches of about a megabyte, as a producer's
 *
 *   partition   │ batch │ batch │ batch │        bytes as they go over the wire
 *   first       0       2,741   5,490            offset of each batch
 *
 * THREADS   One. ERRORS    A file that cannot be read, and one without a line, ends the program.
 */
#ifndef CM_BENCH_STATIC_LOG_H
#define CM_BENCH_STATIC_LOG_H

#include <stdint.h>

#include "base/text.h"

#define STATIC_PARTITIONS_MAX 64u

struct static_batch {
    int64_t first; /* offset of its first record */
    size_t at;     /* its first byte */
};

struct static_partition {
    struct cm_text bytes;
    struct static_batch *batches; /* one more than there are: the end */
    uint32_t count, cap;
};

struct static_log {
    struct static_partition at[STATIC_PARTITIONS_MAX];
    uint32_t partitions;
    int64_t made_ms; /* the timestamp of all records */
    uint64_t records, bytes;
};

/* codec: see kafka/inflate.h; batch_bytes: of records, before compression. */
void static_log_make(struct static_log *log, const char *path, uint32_t partitions, uint32_t codec,
                     uint32_t batch_bytes);
void static_log_free(struct static_log *log);
int64_t static_log_end(const struct static_partition *partition);
/* Whole batches from the one on that holds `offset`, at most `most` bytes; `first_whole`: the first
 * one comes in any case. Points into the log; the length may be 0. */
struct cm_str static_log_read(const struct static_partition *partition, int64_t offset,
                              uint32_t most, bool first_whole);

#endif
