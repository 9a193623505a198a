// SPDX-License-Identifier: Apache-2.0
/* inflate_codec.h — what inflate.c and the file of each codec agree on; for no one else.
 *
 *   _size    looks over the bytes once: how many can come out at most, by the headers of frames and
 *            blocks
 *   _begin   a batch begins
 *   _piece   decodes about CM_INFLATE_PIECE_BYTES, at least one; END when none is left
 *
 * There is room for the bound, unless it is above the limit: then there is room for the limit, and
 * a codec that needs more says so with cm_inflate_too_much(). Only gzip cannot know a bound: it
 * says FULL, and is called again when there is more room.
 *
 * OWNERSHIP A codec's context is opaque here; _create gives it, _destroy takes it, NULL too.
 * ERRORS    Negative codes of base/fail.h.
 */
#ifndef CM_KAFKA_INFLATE_CODEC_H
#define CM_KAFKA_INFLATE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/fail.h"
#include "kafka/inflate.h"

struct cm_inflate_input {
    const uint8_t *p;
    const uint8_t *end;
};

struct cm_inflate_output {
    uint8_t *begin; /* of this batch */
    size_t len;     /* written of it */
    size_t room;
    uint32_t most_bytes;
};

static inline size_t cm_inflate_left(const struct cm_inflate_input *input)
{
    return (size_t)(input->end - input->p);
}

static inline uint32_t cm_inflate_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint32_t cm_inflate_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

/* -CM_ERR_CORRUPT, with its text. */
int cm_inflate_too_much(const struct cm_inflate_output *output);

void *cm_inflate_gzip_create(void);
void cm_inflate_gzip_destroy(void *context);
int cm_inflate_gzip_size(const struct cm_inflate_input *input, uint64_t *bound);
int cm_inflate_gzip_begin(void *context);
int cm_inflate_gzip_piece(void *context, struct cm_inflate_input *input,
                          struct cm_inflate_output *output);

void *cm_inflate_snappy_create(void);
void cm_inflate_snappy_destroy(void *context);
int cm_inflate_snappy_size(const struct cm_inflate_input *input, uint64_t *bound);
int cm_inflate_snappy_begin(void *context);
int cm_inflate_snappy_piece(void *context, struct cm_inflate_input *input,
                            struct cm_inflate_output *output);

void *cm_inflate_lz4_create(void);
void cm_inflate_lz4_destroy(void *context);
int cm_inflate_lz4_size(const struct cm_inflate_input *input, uint64_t *bound);
int cm_inflate_lz4_begin(void *context);
int cm_inflate_lz4_piece(void *context, struct cm_inflate_input *input,
                         struct cm_inflate_output *output);

void *cm_inflate_zstd_create(void);
void cm_inflate_zstd_destroy(void *context);
int cm_inflate_zstd_size(const struct cm_inflate_input *input, uint64_t *bound);
int cm_inflate_zstd_begin(void *context);
int cm_inflate_zstd_piece(void *context, struct cm_inflate_input *input,
                          struct cm_inflate_output *output);

#endif
