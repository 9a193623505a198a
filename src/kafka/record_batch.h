// SPDX-License-Identifier: Apache-2.0
/* record_batch.h — from the bytes of a Fetch response to record views, in place.
 *
 *   set->bytes   │ batch │ batch │ batch │ cut off ..      one partition of one response
 *                   │       │ lz4 ─► inflate's room
 *                   ▼       ▼
 *   views        value, value_bytes, partition, offset, append_ms
 *
 *   batch (magic 2)
 *    0 base offset 8 │ 8 length 4 │ 12 leader epoch 4 │ 16 magic 1 │ 17 crc 4 │ 21 attributes 2
 *   23 last offset delta 4 │ 27 base timestamp 8 │ 35 greatest timestamp 8 │ 43 producer id 8
 *   51 producer epoch 2 │ 53 base sequence 4 │ 57 records 4 │ 61 records ..
 *   record: varints length, [attributes 1], timestamp delta, offset delta, key, value, headers
 *
 * Records come in rising offsets, each once, whatever the bytes say. Left out are records below
 * from_offset, control batches, and under read_committed the transactions in `aborted`. What is
 * behind them in the log still moves the offset on, also where compaction has left nothing.
 *
 * THREADS   One a walk. OWNERSHIP  The set's bytes and the list of aborted transactions are
 *           borrowed for the whole walk. Views of an uncompressed batch point into set->bytes;
 *           those of a compressed one into the room of `inflate` and hold until the next call with
 *           any walk of that context. One walk a context at a time.
 * ERRORS    -CM_ERR_CORRUPT: a batch is damaged (checksum, a length, a varint, what its codec
 * says). walk->bad_offset and walk->why tell where and why; the next call goes on behind the batch,
 * so only it is lost. Records before the damage in its own batch may have been delivered already.
 * Where the length of a batch itself is impossible nothing behind it can be found: the next call
 * ends the set, and the offset stays. -CM_ERR_UNSUPPORTED: magic 0 or 1 (or an unknown codec):
 * another reader must carry it. The walk stands still: each call says so again. BOUNDS    No byte
 * outside the set is read, whatever is in it; decompression is bounded by `inflate`. COST      A
 * pass of CRC-32C over each batch, a pass over the heads of its records; no allocation.
 */
#ifndef CM_KAFKA_RECORD_BATCH_H
#define CM_KAFKA_RECORD_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "kafka/inflate.h"
#include "kafka/kafka.h"

#define CM_RECORD_BATCH_HEAD_BYTES 61u

/* A transaction that was aborted: from this offset on, until its marker. */
struct cm_aborted {
    int64_t producer_id;
    int64_t first_offset;
};

struct cm_record_set {
    const uint8_t *bytes;
    uint32_t len;
    int32_t partition;
    int64_t from_offset; /* records below are not delivered */
    bool check_crc;
    bool read_committed;
    const struct cm_aborted *aborted; /* in any order */
    uint32_t aborted_count;
};

/* The batch that is being walked. */
struct cm_open_batch {
    const uint8_t *p; /* next record; compressed: see `at` */
    const uint8_t *end;
    bool open;
    bool compressed;
    bool log_append_time;
    size_t at;     /* compressed: next record in what came out */
    uint64_t turn; /* compressed: inflate's when it was begun */
    uint32_t left; /* records that are still to come */
    int32_t last_delta;
    int32_t last_offset_delta; /* the greatest that may come */
    int64_t base_offset;
    int64_t base_ms;
    int64_t greatest_ms;
};

struct cm_aborted_run;

struct cm_record_walk {
    struct cm_record_set set;
    struct cm_inflate *inflate;
    uint32_t at; /* next batch in the set */
    bool cut;    /* the set ended in a batch that is not all there */
    int64_t next_offset;
    int64_t from_offset; /* rises with the batches */
    struct cm_open_batch batch;
    /* Transactions by producer and first offset, in inflate's scratch. */
    struct cm_aborted_run *aborted;
    uint32_t aborted_count;
    /* of the last error */
    int64_t bad_offset;   /* the first that is lost */
    uint32_t bad_records; /* how many are lost, as far as the batch's head can be believed */
    char why[128];
};

void cm_record_walk_begin(struct cm_record_walk *walk, const struct cm_record_set *set,
                          struct cm_inflate *inflate);
/* Fills at most `most` views. > 0: so many; 0: the set is at its end; negative: see ERRORS. */
CM_NODISCARD int cm_record_walk_next(struct cm_record_walk *walk, struct cm_record *out,
                                     uint32_t most);
/* The next offset to fetch: behind the last whole batch that was finished, at least from_offset. In
 * the middle of a batch: behind the records that were delivered. Behind a damaged batch whose own
 * length in offsets cannot be believed it is the next batch's, and if none follows one more than
 * the batch's first: nothing whole is ever jumped over. */
int64_t cm_record_walk_offset(const struct cm_record_walk *walk);

#endif
