// SPDX-License-Identifier: Apache-2.0
/* record_batch_fuzz.c — any bytes as a set of record batches: no byte outside is read, offsets
 * rise, every walk ends, and it gives the same whether it is taken a record or many at a time.
 *
 *   byte 0   bits 0-1: what the rest is   0 a set as it is
 *                                         1 a set whose checksums are set right first
 *                                         2 records, made a batch of the codec in bits 4-6
 *            bit 2: check the CRC   bit 3: read committed   bit 7: another framing
 *   byte 1   offset to begin at   byte 2   records in a call
 *
 * The set ends where its buffer ends. Aborted transactions are those of producers 0 to 7, from
 * offset 2 times the producer on.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "driver.h"
#include "kafka/record_batch.h"
#include "support/batch_builder.h"

#define SET_BYTES_MOST 65536u
#define ROOM_BYTES     (256u << 10)
#define AT_ONCE_MOST   256u

struct outcome {
    uint64_t hash;
    uint64_t records;
    uint64_t errors;
    int64_t offset;
    int rc;
};

static void seal_all(uint8_t *p, size_t len)
{
    while (len >= CM_RECORD_BATCH_HEAD_BYTES) {
        size_t total = 12 + ((size_t)p[8] << 24 | (size_t)p[9] << 16 | (size_t)p[10] << 8 | p[11]);
        if (total < CM_RECORD_BATCH_HEAD_BYTES || total > len) {
            return;
        }
        batch_seal(p);
        p += total;
        len -= total;
    }
}

/* How many records there are, as far as their lengths can be followed. */
static int32_t count_records(const uint8_t *p, size_t len)
{
    int32_t count = 0;
    size_t at = 0;
    while (at < len) {
        uint64_t raw = 0;
        for (uint32_t shift = 0; at < len && shift < 35; shift += 7) {
            raw |= (uint64_t)(p[at] & 0x7f) << shift;
            if (p[at++] < 0x80) {
                break;
            }
        }
        at += (size_t)(raw >> 1);
        count++;
    }
    return count;
}

static void build(struct cm_text *set, const uint8_t *data, size_t size, uint8_t how)
{
    struct batch_builder b = batch_begin(0, ((how >> 4) & 7) % CM_CODEC_COUNT);
    b.framing = (enum batch_framing)(how >> 7 == 0 ? FRAMING_PLAIN : 1 + size % 3);
    batch_add_bytes(&b, data, size);
    b.count = count_records(data, size);
    b.last_delta = INT16_MAX;
    batch_end(&b, set);
}

static void take(struct outcome *outcome, const struct cm_record *view, int64_t from_offset,
                 int64_t *last)
{
    FUZZ_REQUIRE(view->offset > *last && view->offset >= from_offset);
    FUZZ_REQUIRE(view->value != NULL || view->value_bytes == 0);
    FUZZ_REQUIRE(view->append_ms >= -1);
    *last = view->offset;
    uint64_t parts[4] = {outcome->hash, (uint64_t)view->offset, (uint64_t)view->append_ms,
                         view->value == NULL ? 1 : cm_hash64(view->value, view->value_bytes)};
    outcome->hash = cm_hash64(parts, sizeof(parts));
    outcome->records++;
}

static struct outcome walk_all(const struct cm_record_set *set, struct cm_inflate *inflate,
                               uint32_t at_once)
{
    static struct cm_record views[AT_ONCE_MOST];
    struct outcome outcome = {0};
    struct cm_record_walk walk;
    int64_t last = -1;
    cm_record_walk_begin(&walk, set, inflate);
    for (;;) {
        outcome.rc = cm_record_walk_next(&walk, views, at_once);
        FUZZ_REQUIRE(outcome.rc <= (int)at_once);
        FUZZ_REQUIRE(cm_record_walk_offset(&walk) >= outcome.offset);
        outcome.offset = cm_record_walk_offset(&walk);
        for (int i = 0; i < outcome.rc; i++) {
            take(&outcome, &views[i], set->from_offset, &last);
        }
        FUZZ_REQUIRE(outcome.records == 0 || outcome.offset > last);
        if (outcome.rc == -CM_ERR_CORRUPT) {
            outcome.errors++;
            FUZZ_REQUIRE(outcome.errors <= set->len / CM_RECORD_BATCH_HEAD_BYTES + 1);
            FUZZ_REQUIRE(walk.why[0] != '\0');
        } else if (outcome.rc <= 0) {
            return outcome;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cm_inflate *inflate;
    struct cm_aborted aborted[8];
    if (inflate == NULL) {
        inflate = cm_inflate_create(ROOM_BYTES);
    }
    if (size < 3) {
        return 0;
    }
    uint8_t how = data[0];
    struct cm_text built = {0};
    size_t len = size - 3 < SET_BYTES_MOST ? size - 3 : SET_BYTES_MOST;
    if ((how & 3) >= 2) {
        build(&built, data + 3, len, how);
    } else {
        cm_text_add(&built, data + 3, len);
    }
    uint8_t *bytes = malloc(built.len + 1); /* so that its end is the allocation's */
    FUZZ_REQUIRE(bytes != NULL);
    memcpy(bytes + 1, built.data, built.len);
    if ((how & 3) == 1) {
        seal_all(bytes + 1, built.len);
    }
    for (uint32_t i = 0; i < 8; i++) {
        aborted[i] = (struct cm_aborted){7 - (int64_t)i, 2 * (7 - (int64_t)i)};
    }
    struct cm_record_set set = {
        .bytes = bytes + 1,
        .len = (uint32_t)built.len,
        .from_offset = data[1],
        .check_crc = (how & 4) != 0,
        .read_committed = (how & 8) != 0,
        .aborted = aborted,
        .aborted_count = 8,
    };
    struct outcome one = walk_all(&set, inflate, 1);
    struct outcome many = walk_all(&set, inflate, 1u + data[2]);
    FUZZ_REQUIRE(one.rc == many.rc && one.errors == many.errors && one.offset == many.offset);
    FUZZ_REQUIRE(one.records == many.records && one.hash == many.hash);
    free(bytes);
    cm_text_free(&built);
    return 0;
}
