// SPDX-License-Identifier: Apache-2.0
#include "base/bump.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/fail.h"
#include "base/memory.h"

#define LEAST_BYTES ((size_t)64 << 10)
#define MOST_BYTES  ((size_t)2 << 20)

struct cm_bump_piece {
    struct cm_bump_piece *older;
};

static size_t in_lines(size_t bytes)
{
    return (bytes + CM_CACHE_LINE - 1) / CM_CACHE_LINE * CM_CACHE_LINE;
}

static void add_piece(struct cm_bump *bump)
{
    size_t bytes = bump->size_bytes < MOST_BYTES ? 2 * bump->size_bytes : MOST_BYTES;
    bytes = bump->pieces == NULL ? LEAST_BYTES : bytes;
    struct cm_bump_piece *piece = bytes < MOST_BYTES ? cm_alloc_lines(bytes) : cm_alloc_huge(bytes);
    piece->older = bump->pieces;
    bump->pieces = piece;
    bump->size_bytes = bytes;
    bump->used = in_lines(sizeof(*piece));
    bump->bytes += bytes;
}

void *cm_bump_alloc(struct cm_bump *bump, size_t size_bytes)
{
    size_t bytes = in_lines(size_bytes);
    CM_ASSERT(bytes <= MOST_BYTES / 2);
    while (bump->size_bytes - bump->used < bytes) {
        add_piece(bump);
    }
    void *at = (char *)bump->pieces + bump->used;
    bump->used += bytes;
    return memset(at, 0, bytes);
}

void cm_bump_free(struct cm_bump *bump)
{
    while (bump->pieces != NULL) {
        struct cm_bump_piece *older = bump->pieces->older;
        free(bump->pieces);
        bump->pieces = older;
    }
    *bump = (struct cm_bump){.pieces = NULL};
}
