// SPDX-License-Identifier: Apache-2.0
/* batch_builder.h — writes record batches, right ones and, on purpose, wrong ones.
 *
 *   struct batch_builder b = batch_begin(100, CM_CODEC_LZ4);
 *   batch_add(&b, 0, "key", "value");
 *   batch_end(&b, &text);
 *
 * Fields of the builder may be set between begin and end; what is left alone is as a producer would
 * have it. COST  For tests: it copies and allocates.
 */
#ifndef CM_TESTS_SUPPORT_BATCH_BUILDER_H
#define CM_TESTS_SUPPORT_BATCH_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "kafka/inflate.h"

#define BATCH_MS INT64_C(1795000000000)

enum batch_framing {
    FRAMING_PLAIN,        /* what a producer in C writes */
    FRAMING_CHUNKS,       /* snappy: chunks of 1000 bytes behind Java's header; gzip: two members */
    FRAMING_LINKED,       /* lz4: linked blocks of 64 KiB, sizes and checksums everywhere */
    FRAMING_WITHOUT_SIZE, /* zstd as a stream: no content size, a checksum; lz4: no size */
    FRAMING_COUNT
};

struct batch_builder {
    int64_t base_offset;
    uint32_t codec;
    enum batch_framing framing;
    uint16_t attributes; /* beside the codec */
    uint8_t magic;
    int32_t last_delta; /* of the last record added */
    int64_t base_ms;
    int64_t greatest_ms;
    int64_t producer_id;
    int32_t count;
    struct cm_text records;
};

struct batch_builder batch_begin(int64_t base_offset, uint32_t codec);
/* NULL: no key, no value. Its timestamp is BATCH_MS + delta. */
void batch_add(struct batch_builder *builder, int32_t offset_delta, const char *key,
               const char *value);
/* With all that can vary; headers: their bytes from the count on. */
void batch_add_full(struct batch_builder *builder, int32_t offset_delta, int64_t ms_delta,
                    const char *key, const char *value, size_t value_len, const void *headers,
                    size_t headers_len);
/* Any bytes in the place of records. */
void batch_add_bytes(struct batch_builder *builder, const void *bytes, size_t len);
/* Appends the batch and frees the builder. */
void batch_end(struct batch_builder *builder, struct cm_text *out);
/* A marker: kind 0 abort, 1 commit. */
void batch_add_marker(struct cm_text *out, int64_t offset, int64_t producer_id, uint16_t kind);

void batch_put_varint(struct cm_text *out, int64_t value);
/* Compresses; appends. */
void batch_compress(struct cm_text *out, uint32_t codec, enum batch_framing framing,
                    const void *bytes, size_t len);
/* Sets the checksum of the batch at `bytes` right again. */
void batch_seal(uint8_t *bytes);

#endif
