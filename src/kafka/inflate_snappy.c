// SPDX-License-Identifier: Apache-2.0
/* inflate_snappy.c — snappy in its two framings.
 *
 *   raw      one block: its length when decoded, a varint, then the data
 *   chunks   82 "SNAPPY" 00, two versions of 4 bytes; then 4 bytes of length (big endian) and a raw
 *            block of so many, again and again; another header may stand between two (streams that
 *            were joined)
 *
 * A block says how much comes out of it, so the bound is exact. Snappy cannot give more than 64
 * bytes for 3; blocks that promise more are not believed. */
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kafka/inflate_codec.h"

#define HEADER_BYTES 16u
#define BLOCK_HEAD   8u /* room for the varint in the judgement of a promise */

static const uint8_t magic[8] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};

struct snappy {
    bool begun;
    bool chunks;
};

void *cm_inflate_snappy_create(void)
{
    return cm_alloc(1, sizeof(struct snappy));
}

void cm_inflate_snappy_destroy(void *context)
{
    free(context);
}

static bool header_at(const struct cm_inflate_input *input)
{
    return cm_inflate_left(input) >= HEADER_BYTES && memcmp(input->p, magic, sizeof(magic)) == 0;
}

/* Takes the next block from the input; false: there is none. A negative rc: it is broken. */
static bool next_block(struct cm_inflate_input *input, bool chunks, struct cm_inflate_input *block,
                       size_t *out_len, int *rc)
{
    *rc = 0;
    while (chunks && header_at(input)) {
        input->p += HEADER_BYTES;
    }
    if (cm_inflate_left(input) == 0) {
        return false;
    }
    size_t len = cm_inflate_left(input);
    if (chunks) {
        if (len < 4 || cm_inflate_be32(input->p) > len - 4) {
            *rc = cm_fail(CM_ERR_CORRUPT, "snappy: a chunk is cut off");
            return false;
        }
        len = cm_inflate_be32(input->p);
        input->p += 4;
    }
    *block = (struct cm_inflate_input){input->p, input->p + len};
    input->p += len;
    if (snappy_uncompressed_length((const char *)block->p, len, out_len) != SNAPPY_OK ||
        *out_len > (uint64_t)len * 64 / 3 + BLOCK_HEAD) {
        *rc = cm_fail(CM_ERR_CORRUPT, "snappy: a block with an impossible length");
        return false;
    }
    return true;
}

int cm_inflate_snappy_size(const struct cm_inflate_input *input, uint64_t *bound)
{
    struct cm_inflate_input left = *input, block;
    bool chunks = header_at(&left);
    size_t out_len;
    int rc;
    *bound = 0;
    if (cm_inflate_left(input) == 0) {
        return cm_fail(CM_ERR_CORRUPT, "snappy: empty");
    }
    while (next_block(&left, chunks, &block, &out_len, &rc)) {
        *bound += out_len;
    }
    return rc;
}

int cm_inflate_snappy_begin(void *context)
{
    *(struct snappy *)context = (struct snappy){0};
    return 0;
}

int cm_inflate_snappy_piece(void *context, struct cm_inflate_input *input,
                            struct cm_inflate_output *output)
{
    struct snappy *snappy = context;
    struct cm_inflate_input block;
    size_t before = output->len, out_len;
    int rc;
    if (!snappy->begun) {
        snappy->begun = true;
        snappy->chunks = header_at(input);
    }
    while (output->len - before < CM_INFLATE_PIECE_BYTES) {
        if (!next_block(input, snappy->chunks, &block, &out_len, &rc)) {
            return rc < 0 ? rc : output->len > before ? CM_INFLATE_MORE : CM_INFLATE_END;
        }
        if (out_len > output->room - output->len) {
            return cm_inflate_too_much(output);
        }
        if (snappy_uncompress((const char *)block.p, cm_inflate_left(&block),
                              (char *)output->begin + output->len, &out_len) != SNAPPY_OK) {
            return cm_fail(CM_ERR_CORRUPT, "snappy: a block is damaged");
        }
        output->len += out_len;
    }
    return CM_INFLATE_MORE;
}
