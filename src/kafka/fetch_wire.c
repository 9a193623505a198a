// SPDX-License-Identifier: Apache-2.0
#include "kafka/fetch_wire.h"

#include <string.h>

#include "base/fail.h"
#include "kafka/leadership.h"
#include "kafka/record_fields.h"
#include "kafka/sasl.h"
#include "kafka/wire_put.h"

enum { API_FETCH = 1, API_METADATA = 3, API_VERSIONS = 18, API_AUTHENTICATE = 36 };
enum { FLEXIBLE_FROM = 12 };

#define ABORTED_BYTES 16u

/* ---- writing */

void cm_fetch_write_versions(struct cm_text *out, int32_t correlation, const char *client_id)
{
    size_t at = cm_wire_begin(out, API_VERSIONS, 0, correlation, client_id, false);
    cm_wire_end(out, at);
}

static void put_ask(struct cm_text *out, int16_t version, const struct cm_fetch_ask *ask)
{
    cm_wire_put32(out, ask->partition);
    if (version >= 9) {
        cm_wire_put32(out, ask->epoch);
    }
    cm_wire_put64(out, ask->offset);
    if (version >= 12) {
        cm_wire_put32(out, ask->last_epoch);
    }
    if (version >= 5) {
        cm_wire_put64(out, -1); /* log start offset: a follower's */
    }
    cm_wire_put32(out, ask->bytes);
    cm_wire_put_tags(out, version >= FLEXIBLE_FROM);
}

void cm_fetch_write(struct cm_text *out, int16_t version, int32_t correlation,
                    const struct cm_fetch_terms *terms, const struct cm_fetch_ask *asks,
                    uint32_t count)
{
    CM_ASSERT(version >= CM_FETCH_VERSION_LEAST && version <= CM_FETCH_VERSION_MOST);
    bool flexible = version >= FLEXIBLE_FROM;
    size_t at = cm_wire_begin(out, API_FETCH, version, correlation, terms->client_id, flexible);
    cm_wire_put32(out, -1); /* no replica: a consumer */
    cm_wire_put32(out, terms->wait_ms);
    cm_wire_put32(out, terms->least_bytes);
    cm_wire_put32(out, terms->most_bytes);
    cm_text_addc(out, terms->read_committed ? 1 : 0);
    if (version >= 7) {
        cm_wire_put32(out, 0);  /* no session .. */
        cm_wire_put32(out, -1); /* .. and none is wanted */
    }
    cm_wire_put_count(out, 1, flexible);
    cm_wire_put_string(out, terms->topic, flexible);
    cm_wire_put_count(out, count, flexible);
    for (uint32_t i = 0; i < count; i++) {
        put_ask(out, version, &asks[i]);
    }
    cm_wire_put_tags(out, flexible);
    if (version >= 7) {
        cm_wire_put_count(out, 0, flexible); /* nothing to forget */
    }
    if (version >= 11) {
        cm_wire_put_string(out, terms->rack, flexible);
    }
    cm_wire_put_tags(out, flexible);
    cm_wire_end(out, at);
}

/* ---- reading: every get moves on, or says false and stays */

static bool get16(struct cm_fetch_answer *a, int16_t *out)
{
    if (a->end - a->at < 2) {
        return false;
    }
    *out = (int16_t)cm_be16(a->at);
    a->at += 2;
    return true;
}

static bool get32(struct cm_fetch_answer *a, int32_t *out)
{
    if (a->end - a->at < 4) {
        return false;
    }
    *out = (int32_t)cm_be32(a->at);
    a->at += 4;
    return true;
}

static bool get64(struct cm_fetch_answer *a, int64_t *out)
{
    if (a->end - a->at < 8) {
        return false;
    }
    *out = cm_be64(a->at);
    a->at += 8;
    return true;
}

static bool get_varint(struct cm_fetch_answer *a, uint32_t *out)
{
    uint32_t value = 0;
    for (uint32_t shift = 0; shift < 35; shift += 7) {
        if (a->at == a->end) {
            return false;
        }
        uint8_t byte = *a->at++;
        if (shift == 28 && byte > 0x0f) {
            return false;
        }
        value |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* A length or count of 4 bytes, or a compact one; null counts as 0. */
static bool get_count(struct cm_fetch_answer *a, uint32_t *out)
{
    if (a->version >= FLEXIBLE_FROM) {
        uint32_t more;
        if (!get_varint(a, &more)) {
            return false;
        }
        *out = more == 0 ? 0 : more - 1;
        return true;
    }
    int32_t count;
    if (!get32(a, &count) || count < -1) {
        return false;
    }
    *out = count < 0 ? 0 : (uint32_t)count;
    return true;
}

static bool skip(struct cm_fetch_answer *a, uint32_t bytes)
{
    if ((size_t)(a->end - a->at) < bytes) {
        return false;
    }
    a->at += bytes;
    return true;
}

static bool skip_string(struct cm_fetch_answer *a)
{
    uint32_t len = 0;
    int16_t small = 0;
    if (a->version >= FLEXIBLE_FROM) {
        return get_count(a, &len) && skip(a, len);
    }
    return get16(a, &small) && small >= -1 && skip(a, small < 0 ? 0 : (uint32_t)small);
}

/* Tagged fields; that of number 0 in a partition is where its log diverges: epoch, offset. */
static bool get_tags(struct cm_fetch_answer *a, struct cm_fetch_part *part)
{
    uint32_t count = 0;
    if (a->version < FLEXIBLE_FROM) {
        return true;
    }
    if (!get_varint(a, &count)) {
        return false;
    }
    for (; count > 0; count--) {
        uint32_t number;
        uint32_t len;
        if (!get_varint(a, &number) || !get_varint(a, &len) || (size_t)(a->end - a->at) < len) {
            return false;
        }
        if (part != NULL && number == 0 && len >= 12) {
            part->diverging_to = cm_be64(a->at + 4);
        }
        a->at += len;
    }
    return true;
}

static int bad(const char *what)
{
    return cm_fail(CM_ERR_CORRUPT, "response of the broker: %s", what);
}

/* The best version that both sides know; -1: none. */
static int16_t best(int16_t least, int16_t most, int16_t known_least, int16_t known_most)
{
    if (least > known_most || most < known_least) {
        return -1;
    }
    return most < known_most ? most : known_most;
}

int cm_fetch_read_versions(const uint8_t *bytes, size_t len, int32_t correlation,
                           struct cm_broker_versions *versions)
{
    struct cm_fetch_answer a = {.at = bytes, .end = bytes + len};
    int32_t number;
    int16_t error;
    uint32_t count;
    *versions = (struct cm_broker_versions){.fetch = -1, .authenticate = -1, .metadata = -1};
    if (!get32(&a, &number) || number != correlation || !get16(&a, &error) ||
        !get_count(&a, &count)) {
        return bad("versions cannot be read");
    }
    if (error != 0) {
        return cm_fail(CM_ERR_UNSUPPORTED, "the broker refuses to tell its versions: error %d",
                       error);
    }
    for (; count > 0; count--) {
        int16_t key;
        int16_t least;
        int16_t most;
        if (!get16(&a, &key) || !get16(&a, &least) || !get16(&a, &most)) {
            return bad("versions are cut off");
        }
        if (key == API_FETCH) {
            versions->fetch = best(least, most, CM_FETCH_VERSION_LEAST, CM_FETCH_VERSION_MOST);
        } else if (key == API_METADATA) {
            versions->metadata = best(least, most, CM_METADATA_VERSION, CM_METADATA_VERSION);
        } else if (key == API_AUTHENTICATE) {
            versions->authenticate = best(least, most, 0, CM_SASL_AUTHENTICATE_VERSION_MOST);
        }
    }
    return versions->fetch >= 0
               ? 0
               : cm_fail(CM_ERR_UNSUPPORTED, "the broker knows no Fetch of version %d to %d",
                         CM_FETCH_VERSION_LEAST, CM_FETCH_VERSION_MOST);
}

int cm_fetch_begin(struct cm_fetch_answer *a, int16_t version, int32_t correlation,
                   const uint8_t *bytes, size_t len)
{
    *a = (struct cm_fetch_answer){.at = bytes, .end = bytes + len, .version = version};
    int32_t number;
    int32_t session;
    if (!get32(a, &number) || number != correlation) {
        return bad("not an answer to this request");
    }
    if (!get_tags(a, NULL) || !get32(a, &a->throttle_ms) ||
        (version >= 7 && (!get16(a, &a->error) || !get32(a, &session))) ||
        !get_count(a, &a->topics_left)) {
        return bad("cut off before its topics");
    }
    return 0;
}

static bool read_aborted(struct cm_fetch_answer *a, struct cm_fetch_part *part)
{
    if (!get_count(a, &part->aborted_count)) {
        return false;
    }
    part->aborted = a->at;
    for (uint32_t i = 0; i < part->aborted_count; i++) {
        if (!skip(a, ABORTED_BYTES) || !get_tags(a, NULL)) {
            return false;
        }
    }
    return true;
}

static bool read_part(struct cm_fetch_answer *a, struct cm_fetch_part *part)
{
    int64_t log_start;
    *part = (struct cm_fetch_part){.replica = -1, .diverging_to = -1};
    if (!get32(a, &part->partition) || !get16(a, &part->error) || !get64(a, &part->high) ||
        !get64(a, &part->stable) || (a->version >= 5 && !get64(a, &log_start)) ||
        !read_aborted(a, part) || (a->version >= 11 && !get32(a, &part->replica)) ||
        !get_count(a, &part->len)) {
        return false;
    }
    part->bytes = a->at;
    return skip(a, part->len) && get_tags(a, part);
}

int cm_fetch_next(struct cm_fetch_answer *a, struct cm_fetch_part *part)
{
    while (a->parts_left == 0) {
        if (a->begun && !get_tags(a, NULL)) {
            return bad("cut off behind a topic");
        }
        a->begun = false;
        if (a->topics_left == 0) {
            return 0;
        }
        a->topics_left--;
        if (!skip_string(a) || !get_count(a, &a->parts_left)) {
            return bad("cut off in a topic");
        }
        a->begun = true;
    }
    a->parts_left--;
    return read_part(a, part) ? 1 : bad("cut off in a partition");
}

void cm_fetch_aborted(const struct cm_fetch_answer *answer, const struct cm_fetch_part *part,
                      struct cm_aborted *out)
{
    struct cm_fetch_answer a = *answer;
    a.at = part->aborted; /* read_aborted() went over them */
    for (uint32_t i = 0; i < part->aborted_count; i++) {
        bool whole =
            get64(&a, &out[i].producer_id) && get64(&a, &out[i].first_offset) && get_tags(&a, NULL);
        CM_ASSERT(whole);
    }
}

int64_t cm_fetch_end(const struct cm_fetch_part *part, int64_t from, int32_t *epoch,
                     struct cm_fetch_batches *batches)
{
    *batches = (struct cm_fetch_batches){0};
    const uint8_t *p = part->bytes;
    const uint8_t *end = p + part->len;
    int64_t next = from;
    while (end - p >= (ptrdiff_t)CM_RECORD_BATCH_HEAD_BYTES && p[16] == 2) {
        int64_t base = cm_be64(p);
        uint32_t length = cm_be32(p + 8);
        int32_t last_delta = (int32_t)cm_be32(p + 23);
        bool sane = base >= 0 && last_delta >= 0 && base < INT64_MAX - INT32_MAX - 1 &&
                    length >= CM_RECORD_BATCH_HEAD_BYTES - 12;
        if (!sane || length > (size_t)(end - p) - 12) {
            break;
        }
        int64_t behind = base + last_delta + 1;
        if (behind > next) {
            next = behind;
            *epoch = (int32_t)cm_be32(p + 12);
        }
        p += 12 + (size_t)length;
        batches->count++;
        batches->bytes += 12 + length;
        batches->largest = batches->largest > 12 + length ? batches->largest : 12 + length;
    }
    return next;
}
