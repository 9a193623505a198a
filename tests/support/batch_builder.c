// SPDX-License-Identifier: Apache-2.0
#include "support/batch_builder.h"

#define ZLIB_CONST
#include <lz4frame.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/fail.h"
#include "base/memory.h"
#include "kafka/crc32c.h"

#define CHUNK_BYTES 1000u

static void put_be(struct cm_text *out, uint64_t value, uint32_t bytes)
{
    while (bytes-- > 0) {
        cm_text_addc(out, (char)(value >> (8 * bytes)));
    }
}

static void set_be32(uint8_t *p, uint32_t value)
{
    for (uint32_t i = 0; i < 4; i++) {
        p[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

void batch_put_varint(struct cm_text *out, int64_t value)
{
    uint64_t raw = (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
    for (; raw >= 0x80; raw >>= 7) {
        cm_text_addc(out, (char)(raw | 0x80));
    }
    cm_text_addc(out, (char)raw);
}

/* ---- codecs ---- */

static void gzip_member(struct cm_text *out, const uint8_t *bytes, size_t len)
{
    z_stream stream;
    memset(&stream, 0, sizeof(stream));
    CM_ASSERT(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    uLong bound = deflateBound(&stream, (uLong)len);
    char *to = cm_alloc(bound, 1);
    stream.next_in = bytes;
    stream.avail_in = (uInt)len;
    stream.next_out = (Bytef *)to;
    stream.avail_out = (uInt)bound;
    CM_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    cm_text_add(out, to, stream.total_out);
    deflateEnd(&stream);
    free(to);
}

static void snappy_block(struct cm_text *out, const char *bytes, size_t len, bool chunk)
{
    size_t out_len = snappy_max_compressed_length(len);
    char *to = cm_alloc(out_len, 1);
    CM_ASSERT(snappy_compress(bytes, len, to, &out_len) == SNAPPY_OK);
    if (chunk) {
        put_be(out, out_len, 4);
    }
    cm_text_add(out, to, out_len);
    free(to);
}

static void snappy_chunks(struct cm_text *out, const char *bytes, size_t len)
{
    cm_text_add(out, "\x82SNAPPY\0\0\0\0\1\0\0\0\1", 16);
    for (size_t at = 0; at < len; at += CHUNK_BYTES) {
        snappy_block(out, bytes + at, len - at < CHUNK_BYTES ? len - at : CHUNK_BYTES, true);
    }
}

static void lz4_frame(struct cm_text *out, const void *bytes, size_t len,
                      enum batch_framing framing)
{
    LZ4F_preferences_t with;
    memset(&with, 0, sizeof(with));
    with.frameInfo.blockMode = LZ4F_blockIndependent;
    with.frameInfo.blockSizeID = LZ4F_max64KB;
    if (framing == FRAMING_LINKED) {
        with.frameInfo.blockMode = LZ4F_blockLinked;
        with.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
        with.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
        with.frameInfo.contentSize = len;
    }
    size_t bound = LZ4F_compressFrameBound(len, &with);
    char *to = cm_alloc(bound, 1);
    size_t out_len = LZ4F_compressFrame(to, bound, bytes, len, &with);
    CM_ASSERT(!LZ4F_isError(out_len));
    cm_text_add(out, to, out_len);
    free(to);
}

static void zstd_frame(struct cm_text *out, const void *bytes, size_t len,
                       enum batch_framing framing)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    size_t bound = ZSTD_compressBound(len) + 64;
    char *to = cm_alloc(bound, 1);
    bool stream = framing == FRAMING_WITHOUT_SIZE;
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, !stream);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, stream);
    ZSTD_outBuffer output = {to, bound, 0};
    /* In two parts: then not even the encoder knows the size beforehand. */
    ZSTD_inBuffer input = {bytes, stream ? len / 2 : 0, 0};
    while (input.pos < input.size) {
        CM_ASSERT(!ZSTD_isError(ZSTD_compressStream2(context, &output, &input, ZSTD_e_continue)));
    }
    input.size = len;
    while (ZSTD_compressStream2(context, &output, &input, ZSTD_e_end) != 0) {
    }
    cm_text_add(out, to, output.pos);
    ZSTD_freeCCtx(context);
    free(to);
}

void batch_compress(struct cm_text *out, uint32_t codec, enum batch_framing framing,
                    const void *bytes, size_t len)
{
    switch (codec) {
    case CM_CODEC_NONE:
        cm_text_add(out, bytes, len);
        break;
    case CM_CODEC_GZIP:
        if (framing == FRAMING_CHUNKS) {
            gzip_member(out, bytes, len / 2);
            gzip_member(out, (const uint8_t *)bytes + len / 2, len - len / 2);
        } else {
            gzip_member(out, bytes, len);
        }
        break;
    case CM_CODEC_SNAPPY:
        if (framing == FRAMING_CHUNKS) {
            snappy_chunks(out, bytes, len);
        } else {
            snappy_block(out, bytes, len, false);
        }
        break;
    case CM_CODEC_LZ4:
        lz4_frame(out, bytes, len, framing);
        break;
    default:
        CM_ASSERT(codec == CM_CODEC_ZSTD);
        zstd_frame(out, bytes, len, framing);
    }
}

/* ---- batches ---- */

struct batch_builder batch_begin(int64_t base_offset, uint32_t codec)
{
    return (struct batch_builder){
        .base_offset = base_offset,
        .codec = codec,
        .magic = 2,
        .last_delta = -1,
        .base_ms = BATCH_MS,
        .greatest_ms = BATCH_MS,
        .producer_id = -1,
    };
}

static void put_bytes(struct cm_text *out, const char *bytes, size_t len)
{
    batch_put_varint(out, bytes == NULL ? -1 : (int64_t)len);
    if (bytes != NULL) {
        cm_text_add(out, bytes, len);
    }
}

void batch_add_full(struct batch_builder *builder, int32_t offset_delta, int64_t ms_delta,
                    const char *key, const char *value, size_t value_len, const void *headers,
                    size_t headers_len)
{
    struct cm_text body = {0};
    cm_text_addc(&body, 0);
    batch_put_varint(&body, ms_delta);
    batch_put_varint(&body, offset_delta);
    put_bytes(&body, key, key == NULL ? 0 : strlen(key));
    put_bytes(&body, value, value_len);
    cm_text_add(&body, headers, headers_len);
    batch_put_varint(&builder->records, (int64_t)body.len);
    cm_text_add(&builder->records, body.data, body.len);
    cm_text_free(&body);
    builder->last_delta = offset_delta;
    builder->count++;
    int64_t ms;
    if (!__builtin_add_overflow(builder->base_ms, ms_delta, &ms) && ms > builder->greatest_ms) {
        builder->greatest_ms = ms;
    }
}

void batch_add(struct batch_builder *builder, int32_t offset_delta, const char *key,
               const char *value)
{
    batch_add_full(builder, offset_delta, offset_delta, key, value,
                   value == NULL ? 0 : strlen(value), "", 1);
}

void batch_add_bytes(struct batch_builder *builder, const void *bytes, size_t len)
{
    cm_text_add(&builder->records, bytes, len);
}

void batch_seal(uint8_t *bytes)
{
    size_t length = (size_t)bytes[8] << 24 | (size_t)bytes[9] << 16 | (size_t)bytes[10] << 8 |
                    (size_t)bytes[11];
    set_be32(bytes + 17, cm_crc32c(bytes + 21, 12 + length - 21));
}

void batch_end(struct batch_builder *builder, struct cm_text *out)
{
    size_t at = out->len;
    put_be(out, (uint64_t)builder->base_offset, 8);
    put_be(out, 0, 4);
    put_be(out, 7, 4); /* leader epoch */
    put_be(out, builder->magic, 1);
    put_be(out, 0, 4);
    put_be(out, (uint64_t)(builder->attributes | builder->codec), 2);
    put_be(out, (uint32_t)builder->last_delta, 4);
    put_be(out, (uint64_t)builder->base_ms, 8);
    put_be(out, (uint64_t)builder->greatest_ms, 8);
    put_be(out, (uint64_t)builder->producer_id, 8);
    put_be(out, builder->producer_id < 0 ? UINT16_MAX : 0, 2);
    put_be(out, builder->producer_id < 0 ? UINT32_MAX : 0, 4);
    put_be(out, (uint32_t)builder->count, 4);
    if (builder->records.len > 0) {
        batch_compress(out, builder->codec, builder->framing, builder->records.data,
                       builder->records.len);
    }
    set_be32((uint8_t *)out->data + at + 8, (uint32_t)(out->len - at - 12));
    batch_seal((uint8_t *)out->data + at);
    cm_text_free(&builder->records);
}

void batch_add_marker(struct cm_text *out, int64_t offset, int64_t producer_id, uint16_t kind)
{
    struct batch_builder builder = batch_begin(offset, CM_CODEC_NONE);
    struct cm_text body = {0};
    builder.attributes = 32 | 16;
    builder.producer_id = producer_id;
    put_be(&body, 0, 1);
    batch_put_varint(&body, 0);
    batch_put_varint(&body, 0);
    batch_put_varint(&body, 4);
    put_be(&body, 0, 2);
    put_be(&body, kind, 2);
    batch_put_varint(&body, 6);
    cm_text_add(&body, "\0\0\0\0\0\0", 6);
    batch_put_varint(&body, 0);
    batch_put_varint(&builder.records, (int64_t)body.len);
    cm_text_add(&builder.records, body.data, body.len);
    cm_text_free(&body);
    builder.count = 1;
    builder.last_delta = 0;
    batch_end(&builder, out);
}
