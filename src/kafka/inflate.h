// SPDX-License-Identifier: Apache-2.0
/* inflate.h — the codecs of record batches, a piece at a time.
 *
 *   compressed   ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓
 *                       │ cm_inflate_more(): the next block or two, about PIECE bytes
 *                       ▼
 *   room   ├ batch before ┤██████████████░░░░░░░░░░░░░░░░┤
 *                          bytes        len    its bound
 *
 * The output of a batch is contiguous, so a record never straddles anything; but it comes in
 * pieces, so that whoever reads it finds it in the second level cache. Several small batches can
 * stand one behind the other (`keep`), as long as the room suffices.
 *
 *   gzip     zlib, one or several members
 *   snappy   one raw block, or the chunks that Java writes (a header of 16 bytes, then length and
 *            block, again and again)
 *   lz4      frames; blocks are decoded in place, linked ones too; their checksums are left to the
 *            CRC of the batch
 *   zstd     frames; block by block into the room itself, without zstd's own window
 *
 * BOUND     No batch gives more than most_bytes: what would is an error, and is given up before
 * more memory is taken. The room grows by what the headers of frames and blocks promise, never
 *           beyond most_bytes + CM_INFLATE_KEEP_BYTES; pages that nothing was written to cost
 * nothing. THREADS   A context belongs to one thread. OWNERSHIP  Bytes are borrowed until the end
 * of the batch; what comes out belongs to the context. ERRORS    -CM_ERR_CORRUPT (the bytes are not
 * what the codec says, or too many come out); -CM_ERR_UNSUPPORTED (unknown codec). The context can
 * go on with another batch. COST      That of the library's decoder; no allocation once the room
 * has grown.
 */
#ifndef CM_KAFKA_INFLATE_H
#define CM_KAFKA_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* What a batch may grow to, unless told otherwise: brokers hold batches of 1 MiB by default. */
#define CM_INFLATE_MOST_BYTES  (64u << 20)
#define CM_INFLATE_PIECE_BYTES (128u << 10)
#define CM_INFLATE_KEEP_BYTES  (512u << 10)

/* As in the attributes of a batch. */
enum cm_codec {
    CM_CODEC_NONE,
    CM_CODEC_GZIP,
    CM_CODEC_SNAPPY,
    CM_CODEC_LZ4,
    CM_CODEC_ZSTD,
    CM_CODEC_COUNT
};

/* "lz4"; "?" for what is none. */
const char *cm_codec_name(uint32_t codec);

struct cm_inflate;

struct cm_inflate *cm_inflate_create(uint32_t most_bytes);
void cm_inflate_destroy(struct cm_inflate *inflate);

/* What cm_inflate_begin() and cm_inflate_more() return beside errors. */
enum {
    CM_INFLATE_END = 0,  /* nothing more comes */
    CM_INFLATE_MORE = 1, /* done; for more(): at least one more byte is there */
    CM_INFLATE_FULL = 2  /* not without moving or overwriting what was kept: nothing was done */
};

/* Begins a batch: gzip, snappy, lz4 or zstd. keep: what came out before stays where it is. Not
 * keep: it is given up, and cannot be FULL. */
CM_NODISCARD int cm_inflate_begin(struct cm_inflate *inflate, uint32_t codec, const void *bytes,
                                  size_t len, bool keep);
/* The next piece of it, behind those before. move: what came out may be moved for it (then it
 * cannot be FULL). After an error or the end: the same again. */
CM_NODISCARD int cm_inflate_more(struct cm_inflate *inflate, bool move);
/* All that came out of this batch so far. */
const uint8_t *cm_inflate_bytes(const struct cm_inflate *inflate, size_t *len);
/* Rises with every begin that does not keep: whoever walks over several calls can tell that the
 * context went on to something else. */
uint64_t cm_inflate_turn(const struct cm_inflate *inflate);

/* Memory for whoever works with this context: kept with it, grown when needed (what was in it is
 * lost then), aligned for anything. */
void *cm_inflate_scratch(struct cm_inflate *inflate, size_t bytes);

#endif
