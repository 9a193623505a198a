// SPDX-License-Identifier: Apache-2.0
#include "kafka/record_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "kafka/crc32c.h"
#include "kafka/record_fields.h"

enum {
    AT_LENGTH = 8,
    LENGTH_FROM = 12, /* the length counts from here */
    AT_MAGIC = 16,
    AT_CRC = 17,
    AT_ATTRIBUTES = 21, /* the CRC counts from here */
    AT_LAST_DELTA = 23,
    AT_BASE_MS = 27,
    AT_GREATEST_MS = 35,
    AT_PRODUCER_ID = 43,
    AT_COUNT = 57
};

enum { CODEC_BITS = 7, LOG_APPEND_TIME = 8, TRANSACTIONAL = 16, CONTROL = 32 };

#define MARKER_ABORT  0
#define MARKER_COMMIT 1
/* How much is decompressed in one call while there are records to hand over. */
#define CALL_BYTES ((size_t)2 * CM_INFLATE_PIECE_BYTES)

/* A transaction of a producer; over: its marker was passed. */
struct cm_aborted_run {
    int64_t producer_id;
    int64_t first_offset;
    bool over;
};

struct head {
    int64_t base_offset;
    uint32_t total_bytes;
    uint32_t attributes;
    int32_t last_delta;
    int64_t base_ms;
    int64_t greatest_ms;
    int64_t producer_id;
    int32_t count;
};

/* Sums of numbers that anybody may have written: they wrap. */
static inline int64_t sum(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

/* ---- aborted transactions ---- */

static int compare_runs(const void *left, const void *right)
{
    const struct cm_aborted_run *a = left, *b = right;
    if (a->producer_id != b->producer_id) {
        return a->producer_id < b->producer_id ? -1 : 1;
    }
    return (a->first_offset > b->first_offset) - (a->first_offset < b->first_offset);
}

static void keep_aborted(struct cm_record_walk *walk)
{
    const struct cm_record_set *set = &walk->set;
    walk->aborted = NULL;
    walk->aborted_count = set->read_committed ? set->aborted_count : 0;
    if (walk->aborted_count == 0) {
        return;
    }
    walk->aborted = cm_inflate_scratch(walk->inflate, walk->aborted_count * sizeof(*walk->aborted));
    for (uint32_t i = 0; i < walk->aborted_count; i++) {
        walk->aborted[i] = (struct cm_aborted_run){set->aborted[i].producer_id,
                                                   set->aborted[i].first_offset, false};
    }
    qsort(walk->aborted, walk->aborted_count, sizeof(*walk->aborted), compare_runs);
}

/* The producer's last aborted transaction that begins at or below the offset; NULL: none does. */
static struct cm_aborted_run *aborted_at(const struct cm_record_walk *walk, int64_t producer_id,
                                         int64_t offset)
{
    const struct cm_aborted_run wanted = {producer_id, offset, false};
    uint32_t low = 0, high = walk->aborted_count; /* the first that is greater lies in there */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_runs(&walk->aborted[middle], &wanted) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low > 0 && walk->aborted[low - 1].producer_id == producer_id;
    return found ? &walk->aborted[low - 1] : NULL;
}

/* ---- records ---- */

/* What the views of a batch have in common. */
struct view_of {
    int64_t base_offset;
    int64_t base_ms;
    int64_t all_ms; /* the broker's time, for all of them; -1: each has its own */
    int64_t from_delta;
    int32_t last_offset_delta;
    int32_t partition;
};

static struct view_of view_of(const struct cm_record_walk *walk)
{
    const struct cm_open_batch *batch = &walk->batch;
    return (struct view_of){
        .base_offset = batch->base_offset,
        .base_ms = batch->base_ms,
        .all_ms = batch->log_append_time ? batch->greatest_ms : -1,
        .from_delta = walk->from_offset - batch->base_offset,
        .last_offset_delta = batch->last_offset_delta,
        .partition = walk->set.partition,
    };
}

static inline void set_view(const struct view_of *of, const struct cm_record_fields *record,
                            struct cm_record *out)
{
    int64_t ms = of->all_ms >= 0 ? of->all_ms : sum(of->base_ms, record->ms_delta);
    out->value = (const char *)record->value;
    out->value_bytes = record->value_bytes;
    out->partition = of->partition;
    out->offset = of->base_offset + record->offset_delta;
    out->append_ms = ms < 0 ? -1 : ms;
}

/* What became of the batch's bytes at hand. */
enum outcome {
    RECORDS_DONE,  /* `most` were found, or none is left */
    RECORDS_NEED,  /* the next one is not all there */
    RECORDS_LATER, /* more only in another call, for what was found lies in the way */
    RECORDS_BAD
};

/* Walks the records in [*from, end), moves *from behind those that were taken and adds to *n. */
static enum outcome walk_records(struct cm_record_walk *walk, const uint8_t **from,
                                 const uint8_t *end, struct cm_record *out, uint32_t most,
                                 uint32_t *n, const char **why)
{
    struct cm_open_batch *batch = &walk->batch;
    const uint8_t *p = *from;
    enum outcome outcome = RECORDS_DONE;
    /* In registers: views that are written could be any of them, for all that the compiler knows.
     */
    uint32_t count = *n, left = batch->left;
    int32_t last_delta = batch->last_delta;
    const struct view_of of = view_of(walk);
    while (left > 0 && count < most) {
        int32_t len;
        struct cm_record_fields record;
        const uint8_t *body = cm_varint(p, end, &len);
        if (CM_UNLIKELY(body == NULL || len > end - body)) {
            bool number = body != NULL || end - p < CM_VARINT_BYTES_MOST;
            *why = number ? "a record reaches beyond its batch" : "length of a record is no number";
            outcome = number ? RECORDS_NEED : RECORDS_BAD;
            break;
        }
        const char *bad =
            len < 0 ? "a record of negative length" : cm_record_read(body, body + len, &record);
        if (CM_UNLIKELY(bad != NULL || record.offset_delta <= last_delta ||
                        record.offset_delta > of.last_offset_delta)) {
            *why = bad != NULL ? bad : "offsets of records do not rise";
            outcome = RECORDS_BAD;
            break;
        }
        p = body + len;
        last_delta = record.offset_delta;
        left--;
        if (CM_LIKELY(last_delta >= of.from_delta)) {
            set_view(&of, &record, &out[count++]);
        }
    }
    *from = p;
    *n = count;
    batch->left = left;
    batch->last_delta = last_delta;
    return outcome;
}

/* ---- batches ---- */

static void read_head(const uint8_t *p, struct head *head)
{
    head->base_offset = cm_be64(p);
    head->total_bytes = cm_be32(p + AT_LENGTH) + LENGTH_FROM;
    head->attributes = cm_be16(p + AT_ATTRIBUTES);
    head->last_delta = (int32_t)cm_be32(p + AT_LAST_DELTA);
    head->base_ms = cm_be64(p + AT_BASE_MS);
    head->greatest_ms = cm_be64(p + AT_GREATEST_MS);
    head->producer_id = cm_be64(p + AT_PRODUCER_ID);
    head->count = (int32_t)cm_be32(p + AT_COUNT);
}

static void move_offset(struct cm_record_walk *walk, int64_t offset)
{
    if (offset > walk->next_offset) {
        walk->next_offset = offset;
    }
    walk->from_offset = walk->next_offset;
}

static int say(struct cm_record_walk *walk, enum cm_error code, int64_t offset, const char *why)
{
    if (why != walk->why) {
        snprintf(walk->why, sizeof(walk->why), "%s", why);
    }
    walk->bad_offset = offset > walk->from_offset ? offset : walk->from_offset;
    return cm_fail(code, "partition %d, batch at offset %lld: %s", (int)walk->set.partition,
                   (long long)offset, walk->why);
}

/* Steps over a damaged batch that lies whole in the set. sure: its head is as it was written. */
static int skip_damaged(struct cm_record_walk *walk, const struct head *head, bool sure,
                        const char *why)
{
    int rc = say(walk, CM_ERR_CORRUPT, head->base_offset, why);
    const uint8_t *next = walk->set.bytes + walk->at + head->total_bytes;
    uint32_t left = walk->set.len - walk->at - head->total_bytes;
    int64_t until = sum(walk->bad_offset, 1); /* wrapped: the offset stays */
    walk->bad_records =
        walk->batch.open ? walk->batch.left : (uint32_t)(head->count > 0 ? head->count : 0);
    if (sure) {
        until = head->base_offset + head->last_delta + 1;
    } else if (left >= LENGTH_FROM && cm_be64(next) > head->base_offset) {
        until = cm_be64(next);
    } else if (head->count > 0 && head->last_delta == head->count - 1) {
        until = sum(head->base_offset, head->count);
    }
    walk->at += head->total_bytes;
    walk->batch.open = false;
    move_offset(walk, until);
    return rc;
}

/* What of a head cannot be. NULL: nothing. */
static const char *check_head(const struct cm_record_walk *walk, const struct head *head,
                              const uint8_t *p)
{
    if (walk->set.check_crc &&
        cm_crc32c(p + AT_ATTRIBUTES, head->total_bytes - AT_ATTRIBUTES) != cm_be32(p + AT_CRC)) {
        return "checksum differs";
    }
    if (head->base_offset < 0 || head->last_delta < 0 ||
        head->base_offset > INT64_MAX - 1 - head->last_delta) {
        return "offsets of the batch are impossible";
    }
    uint32_t bytes = head->total_bytes - CM_RECORD_BATCH_HEAD_BYTES;
    bool compressed = (head->attributes & CODEC_BITS) != CM_CODEC_NONE;
    if (head->count < 0 || (head->count == 0 && bytes > 0) ||
        (!compressed && (uint32_t)head->count > bytes / CM_RECORD_BYTES_LEAST)) {
        return "number of records does not fit the batch";
    }
    return NULL;
}

/* A marker ends the transaction of its producer. NULL, or what is wrong with it. */
static const char *read_marker(struct cm_record_walk *walk, const struct head *head,
                               const uint8_t *p)
{
    const uint8_t *end = p + head->total_bytes;
    struct cm_record_fields record;
    int32_t len;
    if ((head->attributes & CODEC_BITS) != CM_CODEC_NONE) {
        return "a compressed control batch";
    }
    if (head->count == 0) {
        return NULL; /* compaction has emptied it */
    }
    p = cm_varint(p + CM_RECORD_BATCH_HEAD_BYTES, end, &len);
    if (p == NULL || len < 0 || len > end - p) {
        return "a control record reaches beyond its batch";
    }
    const char *why = cm_record_read(p, p + len, &record);
    if (why != NULL) {
        return why;
    }
    if (record.key == NULL || record.key_bytes < 4) {
        return "a control record without a kind";
    }
    uint16_t kind = cm_be16(record.key + 2);
    struct cm_aborted_run *run = aborted_at(walk, head->producer_id, head->base_offset);
    if (run != NULL && (kind == MARKER_ABORT || kind == MARKER_COMMIT)) {
        run->over = true;
    }
    return NULL;
}

static bool is_aborted(const struct cm_record_walk *walk, const struct head *head)
{
    if (walk->aborted_count == 0 || (head->attributes & TRANSACTIONAL) == 0) {
        return false;
    }
    const struct cm_aborted_run *run =
        aborted_at(walk, head->producer_id, head->base_offset + head->last_delta);
    return run != NULL && !run->over;
}

static void pass_batch(struct cm_record_walk *walk, const struct head *head)
{
    walk->at += head->total_bytes;
    walk->batch.open = false;
    move_offset(walk, head->base_offset + head->last_delta + 1);
}

enum { BATCH_OPEN = 1, BATCH_PASSED = 2, BATCH_LATER = 3, BATCH_END = 0 };

/* Opens a batch whose records are wanted. */
static int begin_records(struct cm_record_walk *walk, const struct head *head, const uint8_t *p,
                         bool kept)
{
    struct cm_open_batch *batch = &walk->batch;
    uint32_t codec = head->attributes & CODEC_BITS;
    if (codec >= CM_CODEC_COUNT) {
        return kept ? BATCH_LATER
                    : say(walk, CM_ERR_UNSUPPORTED, head->base_offset, "unknown codec");
    }
    *batch = (struct cm_open_batch){
        .p = p + CM_RECORD_BATCH_HEAD_BYTES,
        .end = p + head->total_bytes,
        .open = true,
        .compressed = codec != CM_CODEC_NONE,
        .log_append_time = (head->attributes & LOG_APPEND_TIME) != 0,
        .left = (uint32_t)head->count,
        .last_delta = -1,
        .last_offset_delta = head->last_delta,
        .base_offset = head->base_offset,
        .base_ms = head->base_ms,
        .greatest_ms = head->greatest_ms,
    };
    if (!batch->compressed) {
        return BATCH_OPEN;
    }
    int rc =
        cm_inflate_begin(walk->inflate, codec, batch->p, (size_t)(batch->end - batch->p), kept);
    if (rc == CM_INFLATE_MORE) {
        batch->turn = cm_inflate_turn(walk->inflate);
        return BATCH_OPEN;
    }
    batch->open = false;
    return rc == CM_INFLATE_FULL || kept
               ? BATCH_LATER
               : skip_damaged(walk, head, walk->set.check_crc, cm_fail_text());
}

/* Looks at the next batch: opened, passed over, at the end, or negative. kept: views are out, so
 * that nothing may be reported or given up: LATER then. */
static int open_batch(struct cm_record_walk *walk, bool kept)
{
    const uint8_t *p = walk->set.bytes + walk->at;
    uint32_t left = walk->set.len - walk->at;
    if (left < AT_MAGIC + 1) {
        walk->cut = left > 0;
        return BATCH_END;
    }
    int8_t magic = (int8_t)p[AT_MAGIC];
    if (magic == 0 || magic == 1) {
        char why[64];
        snprintf(why, sizeof(why), "messages of the old format, magic %d", magic);
        return kept ? BATCH_LATER : say(walk, CM_ERR_UNSUPPORTED, cm_be64(p), why);
    }
    uint32_t length = cm_be32(p + AT_LENGTH);
    if (length > INT32_MAX || length < CM_RECORD_BATCH_HEAD_BYTES - LENGTH_FROM) {
        if (kept) {
            return BATCH_LATER;
        }
        walk->at = walk->set.len;
        walk->bad_records = 0;
        return say(walk, CM_ERR_CORRUPT, walk->from_offset, "length of the batch is impossible");
    }
    if (length > left - LENGTH_FROM) {
        walk->cut = true;
        return BATCH_END;
    }
    struct head head;
    read_head(p, &head);
    const char *why = magic == 2 ? check_head(walk, &head, p) : "unknown magic";
    if (why == NULL && (head.attributes & CONTROL) != 0) {
        why = read_marker(walk, &head, p);
        if (why == NULL) {
            pass_batch(walk, &head);
            return BATCH_PASSED;
        }
    }
    if (why != NULL) {
        return kept ? BATCH_LATER : skip_damaged(walk, &head, false, why);
    }
    if (head.count == 0 || head.base_offset + head.last_delta < walk->from_offset ||
        is_aborted(walk, &head)) {
        pass_batch(walk, &head);
        return BATCH_PASSED;
    }
    return begin_records(walk, &head, p, kept);
}

/* ---- the walk ---- */

void cm_record_walk_begin(struct cm_record_walk *walk, const struct cm_record_set *set,
                          struct cm_inflate *inflate)
{
    memset(walk, 0, sizeof(*walk));
    walk->set = *set;
    walk->inflate = inflate;
    walk->next_offset = set->from_offset;
    walk->from_offset = set->from_offset;
    keep_aborted(walk);
}

/* What one call has found so far. */
struct found {
    struct cm_record *out;
    uint32_t most;
    uint32_t n;
    size_t inflated_bytes;
    const char *why;
};

static enum outcome walk_plain(struct cm_record_walk *walk, struct found *found)
{
    struct cm_open_batch *batch = &walk->batch;
    enum outcome outcome =
        walk_records(walk, &batch->p, batch->end, found->out, found->most, &found->n, &found->why);
    if (outcome == RECORDS_NEED) {
        return RECORDS_BAD;
    }
    if (outcome == RECORDS_DONE && batch->left == 0 && batch->p != batch->end) {
        found->why = "bytes behind the last record";
        return RECORDS_BAD;
    }
    return outcome;
}

static enum outcome walk_compressed(struct cm_record_walk *walk, struct found *found)
{
    struct cm_open_batch *batch = &walk->batch;
    CM_ASSERT(batch->turn == cm_inflate_turn(walk->inflate));
    for (;;) {
        size_t len;
        const uint8_t *bytes = cm_inflate_bytes(walk->inflate, &len);
        const uint8_t *p = bytes + batch->at;
        enum outcome outcome =
            walk_records(walk, &p, bytes + len, found->out, found->most, &found->n, &found->why);
        batch->at = (size_t)(p - bytes);
        if (outcome == RECORDS_BAD || (outcome == RECORDS_DONE && batch->left > 0)) {
            return outcome;
        }
        if (batch->left == 0 && batch->at < len) {
            found->why = "bytes behind the last record";
            return RECORDS_BAD;
        }
        if (found->n > 0 && found->inflated_bytes >= CALL_BYTES) {
            return RECORDS_LATER;
        }
        int rc = cm_inflate_more(walk->inflate, found->n == 0);
        if (rc == CM_INFLATE_END) {
            return batch->left == 0 ? RECORDS_DONE : RECORDS_BAD;
        }
        if (rc == CM_INFLATE_FULL) {
            return RECORDS_LATER;
        }
        if (rc < 0) {
            found->why = cm_fail_text();
            return RECORDS_BAD;
        }
        size_t before = len;
        (void)cm_inflate_bytes(walk->inflate, &len);
        found->inflated_bytes += len - before;
    }
}

int cm_record_walk_next(struct cm_record_walk *walk, struct cm_record *out, uint32_t most)
{
    CM_ASSERT(most > 0 && most <= INT32_MAX);
    struct found found = {.out = out, .most = most};
    struct cm_open_batch *batch = &walk->batch;
    while (found.n < most) {
        if (!batch->open) {
            if (found.n > 0 && found.inflated_bytes >= CALL_BYTES) {
                break;
            }
            int rc = open_batch(walk, found.n > 0);
            if (rc == BATCH_PASSED) {
                continue;
            }
            if (rc != BATCH_OPEN) {
                return found.n > 0 ? (int)found.n : rc;
            }
        }
        enum outcome outcome =
            batch->compressed ? walk_compressed(walk, &found) : walk_plain(walk, &found);
        move_offset(walk, batch->base_offset + batch->last_delta + 1);
        if (outcome == RECORDS_DONE && batch->left > 0) {
            break;
        }
        if (outcome != RECORDS_DONE && found.n > 0) {
            break; /* the rest, and what is wrong, with the next call */
        }
        struct head head;
        read_head(walk->set.bytes + walk->at, &head);
        if (outcome != RECORDS_DONE) {
            return skip_damaged(walk, &head, walk->set.check_crc, found.why);
        }
        pass_batch(walk, &head);
    }
    return (int)found.n;
}

int64_t cm_record_walk_offset(const struct cm_record_walk *walk)
{
    return walk->next_offset;
}
