// SPDX-License-Identifier: Apache-2.0
/* scratch.h — memory that is handed out piece by piece and taken back all at once.
 *
 * Pieces never move, so that the events of a whole batch may point into it. It grows by blocks and
 * keeps them: once it has seen the largest batch it allocates no more.
 *
 * THREADS   One at a time. OWNERSHIP The scratch owns its blocks; zero-initialised is an empty one.
 */
#ifndef CM_DECODE_SCRATCH_H
#define CM_DECODE_SCRATCH_H

#include <stddef.h>

#include "base/compiler.h"

/* Room for the checks of the largest record: 64 KiB of `"a":null,` are 7,281 checks of 24 bytes. */
#define CM_SCRATCH_BLOCK_BYTES 262144u

struct cm_scratch {
    char **blocks;
    size_t count; /* blocks allocated */
    size_t at;    /* the block in use */
    size_t used;  /* bytes used of it */
};

/* A point to return to. */
struct cm_scratch_mark {
    size_t at, used;
};

/* The rest of cm_scratch_take(): from the next block. */
void *cm_scratch_take_next(struct cm_scratch *scratch, size_t bytes);
/* 8-byte aligned, not zeroed; bytes <= CM_SCRATCH_BLOCK_BYTES (CM_ASSERT). */
static inline void *cm_scratch_take(struct cm_scratch *scratch, size_t bytes)
{
    size_t need = (bytes + 7u) & ~(size_t)7u;
    if (CM_UNLIKELY(scratch->count == 0 || need > CM_SCRATCH_BLOCK_BYTES - scratch->used)) {
        return cm_scratch_take_next(scratch, bytes);
    }
    char *piece = scratch->blocks[scratch->at] + scratch->used;
    scratch->used += need;
    return piece;
}
/* Gives back the tail of the newest piece: `piece` keeps its first `bytes` bytes. */
void cm_scratch_trim(struct cm_scratch *scratch, const void *piece, size_t bytes);
static inline struct cm_scratch_mark cm_scratch_mark(const struct cm_scratch *scratch)
{
    return (struct cm_scratch_mark){scratch->at, scratch->used};
}
/* Forgets all pieces taken since the mark. */
void cm_scratch_rewind(struct cm_scratch *scratch, struct cm_scratch_mark mark);
void cm_scratch_free(struct cm_scratch *scratch);

#endif
