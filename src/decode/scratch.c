// SPDX-License-Identifier: Apache-2.0
/* scratch.c — see scratch.h. Every block has the same size, so any empty one takes any piece. */
#include "decode/scratch.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/memory.h"

static size_t round_up(size_t bytes)
{
    return (bytes + 7u) & ~(size_t)7u;
}

void *cm_scratch_take_next(struct cm_scratch *scratch, size_t bytes)
{
    CM_ASSERT(bytes <= CM_SCRATCH_BLOCK_BYTES);
    size_t next = scratch->count == 0 ? 0 : scratch->at + 1;
    if (next == scratch->count) {
        scratch->blocks = cm_realloc(scratch->blocks, next + 1, sizeof *scratch->blocks);
        scratch->blocks[next] = cm_alloc(1, CM_SCRATCH_BLOCK_BYTES);
        scratch->count = next + 1;
    }
    scratch->at = next;
    scratch->used = round_up(bytes);
    return scratch->blocks[next];
}

void cm_scratch_trim(struct cm_scratch *scratch, const void *piece, size_t bytes)
{
    CM_ASSERT(scratch->at < scratch->count);
    size_t start = (size_t)((const char *)piece - scratch->blocks[scratch->at]);
    size_t used = start + round_up(bytes);
    CM_ASSERT(used <= scratch->used);
    scratch->used = used;
}

void cm_scratch_rewind(struct cm_scratch *scratch, struct cm_scratch_mark mark)
{
    scratch->at = mark.at;
    scratch->used = mark.used;
}

void cm_scratch_free(struct cm_scratch *scratch)
{
    for (size_t i = 0; i < scratch->count; i++) {
        free(scratch->blocks[i]);
    }
    free(scratch->blocks);
    *scratch = (struct cm_scratch){0};
}
