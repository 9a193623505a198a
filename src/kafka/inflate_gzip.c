// SPDX-License-Identifier: Apache-2.0
/* inflate_gzip.c — gzip (RFC 1952) by zlib.
 *
 * The trailer says how much comes out, modulo 2^32 and of the last member alone: a good guess for
 * the room, not a bound. Deflate cannot give more than 1032 bytes for one, so a trailer that lies
 * costs no more room than that. */
#define ZLIB_CONST
#include <stdlib.h>
#include <zlib.h>

#include "base/memory.h"
#include "kafka/inflate_codec.h"

#define GZIP_ONLY      (16 + MAX_WBITS)
#define MEMBER_LEAST   18u /* header 10, trailer 8 */
#define RATIO_GREATEST 1032u

void *cm_inflate_gzip_create(void)
{
    z_stream *stream = cm_alloc(1, sizeof(*stream));
    CM_ASSERT(inflateInit2(stream, GZIP_ONLY) == Z_OK);
    return stream;
}

void cm_inflate_gzip_destroy(void *context)
{
    if (context != NULL) {
        inflateEnd(context);
        free(context);
    }
}

int cm_inflate_gzip_size(const struct cm_inflate_input *input, uint64_t *bound)
{
    size_t len = cm_inflate_left(input);
    if (len < MEMBER_LEAST) {
        return cm_fail(CM_ERR_CORRUPT, "gzip: cut off");
    }
    uint64_t promised = cm_inflate_le32(input->end - 4);
    uint64_t most = (uint64_t)len * RATIO_GREATEST;
    *bound = promised < most ? promised : most;
    return 0;
}

int cm_inflate_gzip_begin(void *context)
{
    CM_ASSERT(inflateReset(context) == Z_OK);
    return 0;
}

int cm_inflate_gzip_piece(void *context, struct cm_inflate_input *input,
                          struct cm_inflate_output *output)
{
    z_stream *stream = context;
    for (;;) {
        if (cm_inflate_left(input) == 0 && stream->total_in == 0) {
            return CM_INFLATE_END; /* between two members, and there is no second */
        }
        size_t want = output->room - output->len;
        want = want < CM_INFLATE_PIECE_BYTES ? want : CM_INFLATE_PIECE_BYTES;
        stream->next_in = input->p;
        stream->avail_in = (uInt)cm_inflate_left(input);
        stream->next_out = output->begin + output->len;
        stream->avail_out = (uInt)want; /* 0: what is left may be the trailer alone */
        int rc = inflate(stream, Z_NO_FLUSH);
        size_t out = want - stream->avail_out;
        bool moved = stream->next_in != input->p;
        input->p = stream->next_in;
        output->len += out;
        if (rc == Z_STREAM_END) {
            CM_ASSERT(inflateReset(stream) == Z_OK);
        } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
            return cm_fail(CM_ERR_CORRUPT, "gzip: %s", stream->msg == NULL ? "?" : stream->msg);
        }
        if (out > 0) {
            return CM_INFLATE_MORE;
        }
        if (rc != Z_STREAM_END && want == 0) {
            return CM_INFLATE_FULL;
        }
        if (rc != Z_STREAM_END && !moved) {
            return cm_fail(CM_ERR_CORRUPT, "gzip: cut off");
        }
    }
}
