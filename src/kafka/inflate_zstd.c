// SPDX-License-Identifier: Apache-2.0
/* inflate_zstd.c — zstd frames (RFC 8878), block by block into the room itself.
 *
 *   28 b5 2f fd │ descriptor, [window], [dictionary], [content size] │ blocks .. │ [checksum 4]
 *   block: 3 bytes (last, kind, size) │ data
 *
 * Producers that stream do not say how much comes out, and zstd alone would either be asked to
 * guess or copy everything through a window of its own. But the heads of the blocks say how much it
 * can be. So there is room for the whole frame, zstd is told that the output stays where it is, and
 * is given exactly one block at a time: it then decodes from the batch into the room, and no byte
 * is copied. */
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/memory.h"
#include "kafka/inflate_codec.h"

#define FRAME_MAGIC    UINT32_C(0xfd2fb528)
#define SKIPPED_MAGIC  UINT32_C(0x184d2a50) /* the last four bits are anything */
#define BLOCK_GREATEST (128u << 10)
/* "The output buffer stays": an experimental parameter by its number; where a zstd refuses it, only
 * speed is lost. */
#define STABLE_OUTPUT ZSTD_d_experimentalParam2

enum { BLOCK_RAW, BLOCK_RLE, BLOCK_COMPRESSED };

struct zstd {
    ZSTD_DCtx *decoder;
    bool open; /* a frame is */
    bool checksum;
};

void *cm_inflate_zstd_create(void)
{
    struct zstd *zstd = cm_alloc(1, sizeof(*zstd));
    zstd->decoder = ZSTD_createDCtx();
    CM_ASSERT(zstd->decoder != NULL);
    (void)ZSTD_DCtx_setParameter(zstd->decoder, STABLE_OUTPUT, 1);
    return zstd;
}

void cm_inflate_zstd_destroy(void *context)
{
    struct zstd *zstd = context;
    if (zstd != NULL) {
        ZSTD_freeDCtx(zstd->decoder);
        free(zstd);
    }
}

int cm_inflate_zstd_begin(void *context)
{
    struct zstd *zstd = context;
    ZSTD_DCtx_reset(zstd->decoder, ZSTD_reset_session_only);
    zstd->open = false;
    return 0;
}

static int cut_off(void)
{
    return cm_fail(CM_ERR_CORRUPT, "zstd: cut off");
}

/* Length of what comes next at p: a frame's header or a frame to skip when none is open, else a
 * block (the last with the checksum). `out`: how much it can give. Follows the frame. */
static int next_step(struct zstd *zstd, const struct cm_inflate_input *input, size_t *step,
                     uint32_t *out)
{
    static const uint8_t dictionary_bytes[4] = {0, 1, 2, 4}, content_bytes[4] = {0, 2, 4, 8};
    const uint8_t *p = input->p;
    size_t left = cm_inflate_left(input);
    *step = 0;
    *out = 0;
    if (zstd->open) {
        if (left < 3) {
            return cut_off();
        }
        uint32_t head = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
        uint32_t kind = (head >> 1) & 3, size = head >> 3;
        bool last = (head & 1) != 0;
        *step = 3 + (size_t)(kind == BLOCK_RLE ? 1 : size) + (last && zstd->checksum ? 4 : 0);
        *out = kind == BLOCK_COMPRESSED || size > BLOCK_GREATEST ? BLOCK_GREATEST : size;
        zstd->open = !last;
    } else if (left >= 8 && (cm_inflate_le32(p) & ~UINT32_C(15)) == SKIPPED_MAGIC) {
        *step = 8 + (size_t)cm_inflate_le32(p + 4);
    } else if (left >= 5 && cm_inflate_le32(p) == FRAME_MAGIC) {
        bool single = (p[4] & 0x20) != 0;
        size_t content = content_bytes[p[4] >> 6];
        *step = 5 + (size_t)!single + dictionary_bytes[p[4] & 3] +
                (content == 0 && single ? 1 : content);
        zstd->checksum = (p[4] & 4) != 0;
        zstd->open = true;
    } else {
        return left < 8 ? cut_off() : cm_fail(CM_ERR_CORRUPT, "zstd: no header of a frame");
    }
    return *step > left ? cut_off() : 0;
}

int cm_inflate_zstd_size(const struct cm_inflate_input *input, uint64_t *bound)
{
    struct cm_inflate_input left = *input;
    struct zstd zstd = {0};
    *bound = 0;
    if (cm_inflate_left(input) == 0) {
        return cut_off();
    }
    while (cm_inflate_left(&left) > 0 || zstd.open) {
        size_t step;
        uint32_t out;
        int rc = next_step(&zstd, &left, &step, &out);
        if (rc < 0) {
            return rc;
        }
        *bound += out;
        left.p += step;
    }
    return 0;
}

int cm_inflate_zstd_piece(void *context, struct cm_inflate_input *input,
                          struct cm_inflate_output *output)
{
    struct zstd *zstd = context;
    size_t before = output->len;
    while (output->len - before < CM_INFLATE_PIECE_BYTES) {
        if (cm_inflate_left(input) == 0) {
            return output->len > before ? CM_INFLATE_MORE : CM_INFLATE_END;
        }
        size_t step;
        uint32_t out;
        int rc = next_step(zstd, input, &step, &out);
        if (rc < 0) {
            return rc;
        }
        ZSTD_inBuffer in = {input->p, step, 0};
        ZSTD_outBuffer to = {output->begin, output->room, output->len};
        while (in.pos < in.size) {
            size_t pos = in.pos, len = to.pos;
            size_t hint = ZSTD_decompressStream(zstd->decoder, &to, &in);
            if (ZSTD_isError(hint)) {
                return ZSTD_getErrorCode(hint) == ZSTD_error_dstSize_tooSmall &&
                               output->room == output->most_bytes
                           ? cm_inflate_too_much(output)
                           : cm_fail(CM_ERR_CORRUPT, "zstd: %s", ZSTD_getErrorName(hint));
            }
            if (in.pos == pos && to.pos == len) {
                return to.pos == to.size ? cm_inflate_too_much(output) : cut_off();
            }
        }
        output->len = to.pos;
        input->p += step;
    }
    return CM_INFLATE_MORE;
}
