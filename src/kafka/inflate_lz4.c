// SPDX-License-Identifier: Apache-2.0
/* inflate_lz4.c — LZ4 frames, block by block into the room itself.
 *
 *   04 22 4d 18 │ flags, block size, [content size 8], [dictionary 4], header checksum │ blocks ..
 *   block: length 4 (top bit: stored) │ data │ [checksum 4]      end: 0 │ [content checksum 4]
 *
 * The output is contiguous, so a linked block finds what it refers to right before itself and
 * nothing is copied. Checksums of blocks and contents are not looked at: the CRC of the batch
 * covers them. */
#include <lz4.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "kafka/inflate_codec.h"

#define FRAME_MAGIC    UINT32_C(0x184d2204)
#define SKIPPED_MAGIC  UINT32_C(0x184d2a50) /* the last four bits are anything */
#define STORED         UINT32_C(0x80000000)
#define HISTORY_BYTES  65536u
#define RATIO_GREATEST 255u

enum {
    FLAG_DICTIONARY = 1,
    FLAG_CONTENT_CHECKSUM = 4,
    FLAG_CONTENT_SIZE = 8,
    FLAG_BLOCK_CHECKSUM = 16,
    FLAG_INDEPENDENT = 32
};

struct lz4 {
    uint32_t block_bytes; /* greatest, when decoded; 0: no frame is open */
    uint8_t flags;
    size_t frame_begin; /* in the output */
};

void *cm_inflate_lz4_create(void)
{
    return cm_alloc(1, sizeof(struct lz4));
}

void cm_inflate_lz4_destroy(void *context)
{
    free(context);
}

int cm_inflate_lz4_begin(void *context)
{
    *(struct lz4 *)context = (struct lz4){0};
    return 0;
}

static int cut_off(void)
{
    return cm_fail(CM_ERR_CORRUPT, "lz4: cut off");
}

/* Reads a header of a frame, or skips a frame that is to be skipped (block_bytes stays 0). */
static int open_frame(struct lz4 *lz4, struct cm_inflate_input *input)
{
    const uint8_t *p = input->p;
    size_t left = cm_inflate_left(input);
    if (left < 7) {
        return cut_off();
    }
    uint32_t word = cm_inflate_le32(p);
    if ((word & ~UINT32_C(15)) == SKIPPED_MAGIC) {
        if (left < 8 || cm_inflate_le32(p + 4) > left - 8) {
            return cut_off();
        }
        input->p += 8 + cm_inflate_le32(p + 4);
        return 0;
    }
    uint8_t flags = p[4], size = p[5];
    uint32_t size_class = (size >> 4) & 7;
    if (word != FRAME_MAGIC || (flags >> 6) != 1 || (flags & 2) != 0 || size_class < 4 ||
        (size & 0x8f) != 0) {
        return cm_fail(CM_ERR_CORRUPT, "lz4: no header of a frame");
    }
    if ((flags & FLAG_DICTIONARY) != 0) {
        return cm_fail(CM_ERR_CORRUPT, "lz4: a frame that wants a dictionary");
    }
    size_t described = (flags & FLAG_CONTENT_SIZE) != 0 ? 10 : 2;
    if (left < 4 + described + 1) {
        return cut_off();
    }
    if (p[4 + described] != ((XXH32(p + 4, described, 0) >> 8) & 0xff)) {
        return cm_fail(CM_ERR_CORRUPT, "lz4: a header with a wrong checksum");
    }
    lz4->block_bytes = UINT32_C(1) << (8 + 2 * size_class);
    lz4->flags = flags;
    input->p += 4 + described + 1;
    return 0;
}

/* The next block of the open frame: 1, and its data without the length; 0: the frame ended. */
static int next_block(struct lz4 *lz4, struct cm_inflate_input *input,
                      struct cm_inflate_input *block, bool *stored)
{
    if (cm_inflate_left(input) < 4) {
        return cut_off();
    }
    uint32_t word = cm_inflate_le32(input->p);
    input->p += 4;
    bool end = word == 0;
    uint32_t len = word & ~STORED;
    uint32_t sum = (lz4->flags & (end ? FLAG_CONTENT_CHECKSUM : FLAG_BLOCK_CHECKSUM)) != 0 ? 4 : 0;
    if (len > lz4->block_bytes) {
        return cm_fail(CM_ERR_CORRUPT, "lz4: a block larger than its frame allows");
    }
    if (cm_inflate_left(input) < (size_t)len + sum) {
        return cut_off();
    }
    *block = (struct cm_inflate_input){input->p, input->p + len};
    *stored = (word & STORED) != 0;
    input->p += len + sum;
    if (end) {
        lz4->block_bytes = 0;
    }
    return !end;
}

int cm_inflate_lz4_size(const struct cm_inflate_input *input, uint64_t *bound)
{
    struct cm_inflate_input left = *input, block = {0};
    struct lz4 lz4 = {0};
    bool stored = false;
    *bound = 0;
    if (cm_inflate_left(input) == 0) {
        return cut_off();
    }
    while (cm_inflate_left(&left) > 0 || lz4.block_bytes != 0) {
        if (lz4.block_bytes == 0) {
            int rc = open_frame(&lz4, &left);
            if (rc < 0) {
                return rc;
            }
            continue;
        }
        int rc = next_block(&lz4, &left, &block, &stored);
        if (rc < 0) {
            return rc;
        }
        if (rc > 0) {
            uint64_t most = (uint64_t)cm_inflate_left(&block) * (stored ? 1 : RATIO_GREATEST);
            *bound += most < lz4.block_bytes ? most : lz4.block_bytes;
        }
    }
    return 0;
}

static int decode_block(const struct lz4 *lz4, const struct cm_inflate_input *block, bool stored,
                        struct cm_inflate_output *output)
{
    size_t len = cm_inflate_left(block);
    size_t room = output->room - output->len;
    uint8_t *to = output->begin + output->len;
    if (stored) {
        if (len > room) {
            return cm_inflate_too_much(output);
        }
        memcpy(to, block->p, len);
        output->len += len;
        return 0;
    }
    size_t history = (lz4->flags & FLAG_INDEPENDENT) != 0 ? 0 : output->len - lz4->frame_begin;
    history = history < HISTORY_BYTES ? history : HISTORY_BYTES;
    bool tight = room < lz4->block_bytes;
    int most = (int)(tight ? room : lz4->block_bytes);
    int out = LZ4_decompress_safe_usingDict((const char *)block->p, (char *)to, (int)len, most,
                                            (const char *)to - history, (int)history);
    if (out < 0) {
        return tight && output->room == output->most_bytes
                   ? cm_inflate_too_much(output)
                   : cm_fail(CM_ERR_CORRUPT, "lz4: a block is damaged");
    }
    output->len += (size_t)out;
    return 0;
}

int cm_inflate_lz4_piece(void *context, struct cm_inflate_input *input,
                         struct cm_inflate_output *output)
{
    struct lz4 *lz4 = context;
    struct cm_inflate_input block = {0};
    size_t before = output->len;
    while (output->len - before < CM_INFLATE_PIECE_BYTES) {
        bool stored = false;
        int rc;
        if (lz4->block_bytes == 0) {
            if (cm_inflate_left(input) == 0) {
                return output->len > before ? CM_INFLATE_MORE : CM_INFLATE_END;
            }
            lz4->frame_begin = output->len;
            rc = open_frame(lz4, input);
        } else {
            rc = next_block(lz4, input, &block, &stored);
            if (rc > 0) {
                rc = decode_block(lz4, &block, stored, output);
            }
        }
        if (rc < 0) {
            return rc;
        }
    }
    return CM_INFLATE_MORE;
}
