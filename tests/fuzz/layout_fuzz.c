// SPDX-License-Identifier: Apache-2.0
/* layout_fuzz.c — the decoder that remembers layouts against the one that does not: the same
 * verdict and the same event for every record of a sequence. The input chooses one of the kernels
 * that run here.
 *
 * An input is a sequence of records in one of two forms, by its first byte:
 *
 *   '#'    a script: a built-in record is learnt and then edited, four bytes an edit, and decoded
 *          after every edit; so the records stay near what a layout expects
 *   else   lines, each a record, all of them decoded twice over
 *
 * Every record ends where its buffer ends.
 */
#include <stdbool.h>
#include <string.h>

#include "decode/decoder.h"
#include "driver.h"

#define RECORD_BYTES_MAX 1024u
#define LINES_BYTES_MAX  8192u /* the rest of a longer input is left out */
#define EDITS_MAX        24u

static const char *const records[] = {
    "{\"type\":\"cdr\",\"id\":\"c1-1\",\"ts\":1793581200083,\"call\":\"c1\",\"seat\":\"s0001\","
    "\"agent\":\"a01\",\"queue\":\"faults\",\"centre\":\"main\",\"ch\":\"voice\",\"outcome\":"
    "\"answered\",\"wait_ms\":0,\"ring_ms\":3544,\"end\":\"caller\",\"talk_ms\":46689,\"hold_ms\":"
    "12,\"acw_ms\":3147,\"hold_n\":1,\"transfers\":0,\"on_hold\":false,\"rating\":90,\"checks\":{"
    "\"greeting\":true,\"identity\":false,\"consent\":null},\"rev\":2}",
    "{\"type\":\"queue_enter\",\"id\":\"q1\",\"ts\":\"2026-11-02T01:00:00.083Z\",\"call\":\"c1\","
    "\"queue\":\"faults\",\"reason\":\"a,b\"}",
    "{\"type\":\"seat_state\",\"id\":\"e1\",\"ts\":1793581200000,\"seat\":\"s1\",\"agent\":\"\","
    "\"state\":\"talking\",\"more\":{\"a\":[1,\"x\",{\"b\":null}],\"c\":\"d\"},\"n\":-1.5e3}",
    "{\"score\": 99.5, \"checks\": {\"a\": true}, \"source\": \"third_party\", \"call\": \"c\", "
    "\"seat\": \"s\", \"ts\": 1793581200000, \"id\": \"k1\", \"type\": \"check\"}",
    "{\"end\":\"agent\",\"id\":\"i\",\"ts\":1793581200000,\"x\":[],\"type\":\"cdr\",\"outcome\":"
    "\"timeout\",\"name\":\"\xc3\xa9\xe4\xb8\xad\",\"y\":true,\"state\":\"no\"}",
    "{\"type\":\"case\",\"id\":\"k\",\"ts\":1793581200000,\"case\":\"c\",\"seat\":\"s\",\"kind\":"
    "\"visit\",\"step\":\"onsite\"}",
};

static const char *const pieces[] = {
    "\"",     ",",           ",\"",  "\"\"",     "\\\"",      "\\u0041",
    "00",     "-",           "1e1",  "0.5",      "604800001", "4102444800001",
    "true",   "false",       "null", "{}",       "[]",        ",\"x\":1",
    " ",      "\t",          "\xff", "\xc3\xa9", "answered",  ",\"ts\":5",
    "caller", "third_party", "}",    "{",        "99999999",  "\"id\":\"",
};

static void same_text(struct cm_str a, struct cm_str b)
{
    FUZZ_REQUIRE(a.len == b.len);
    FUZZ_REQUIRE(a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static void same_event(const struct cm_event *a, const struct cm_event *b)
{
    FUZZ_REQUIRE(a->type == b->type && a->outcome == b->outcome && a->end == b->end);
    FUZZ_REQUIRE(a->state == b->state && a->source == b->source && a->step == b->step);
    FUZZ_REQUIRE(a->on_hold == b->on_hold && a->rating == b->rating && a->ts_ms == b->ts_ms);
    FUZZ_REQUIRE(a->wait_ms == b->wait_ms && a->ring_ms == b->ring_ms);
    FUZZ_REQUIRE(a->talk_ms == b->talk_ms && a->hold_ms == b->hold_ms && a->acw_ms == b->acw_ms);
    FUZZ_REQUIRE(a->hold_n == b->hold_n && a->transfers == b->transfers && a->rev == b->rev);
    same_text(a->id, b->id);
    same_text(a->call, b->call);
    same_text(a->seat, b->seat);
    same_text(a->agent, b->agent);
    same_text(a->queue, b->queue);
    same_text(a->centre, b->centre);
    same_text(a->channel, b->channel);
    same_text(a->reason, b->reason);
    same_text(a->case_id, b->case_id);
    same_text(a->kind, b->kind);
    FUZZ_REQUIRE(a->checks_count == b->checks_count);
    FUZZ_REQUIRE((a->checks == NULL) == (b->checks == NULL));
    for (uint32_t i = 0; i < a->checks_count; i++) {
        same_text(a->checks[i].name, b->checks[i].name);
        FUZZ_REQUIRE(a->checks[i].result == b->checks[i].result);
    }
}

static void compare(struct cm_decoder *plain, struct cm_decoder *tested, const uint8_t *bytes,
                    size_t len)
{
    struct cm_event expected;
    struct cm_event event;
    static char buffer[LINES_BYTES_MAX]; /* the sanitizer watches its end */
    char *exact = buffer + sizeof buffer - len;
    memcpy(exact, bytes, len);
    memset(&expected, 0xa5, sizeof expected);
    memset(&event, 0x5a, sizeof event);
    enum cm_reason reason = cm_decode(plain, exact, len, &expected);
    FUZZ_REQUIRE(cm_decode(tested, exact, len, &event) == reason);
    if (reason == CM_REASON_NONE) {
        same_event(&event, &expected);
    }
    cm_decoder_reset(plain);
    cm_decoder_reset(tested);
}

static void run_lines(struct cm_decoder *plain, struct cm_decoder *tested, const uint8_t *data,
                      size_t size)
{
    size = size > LINES_BYTES_MAX ? LINES_BYTES_MAX : size;
    for (int round = 0; round < 2; round++) {
        size_t at = 0;
        while (at < size) {
            const uint8_t *end = memchr(data + at, '\n', size - at);
            size_t len = end == NULL ? size - at : (size_t)(end - data) - at;
            compare(plain, tested, data + at, len);
            at += len + 1;
        }
    }
}

struct record {
    uint8_t bytes[RECORD_BYTES_MAX];
    size_t len;
};

/* Replaces `gone` bytes at `at` with these. */
static void splice(struct record *record, size_t at, size_t gone, const void *bytes, size_t len)
{
    uint8_t copy[64]; /* the bytes may be the record's own */
    gone = gone > record->len - at ? record->len - at : gone;
    if (record->len - gone + len > RECORD_BYTES_MAX || len > sizeof copy) {
        return;
    }
    memcpy(copy, bytes, len);
    memmove(record->bytes + at + len, record->bytes + at + gone, record->len - at - gone);
    memcpy(record->bytes + at, copy, len);
    record->len += len - gone;
}

/* Edit: what, where (two bytes), with what. */
static void run_script(struct cm_decoder *plain, struct cm_decoder *tested, const uint8_t *data,
                       size_t size)
{
    struct record record = {.len = 0};
    size = size > 4 * EDITS_MAX ? 4 * EDITS_MAX : size;
    for (size_t i = 0; i + 4 <= size; i += 4) {
        if (i == 0 || data[i] % 8 == 0) {
            const char *text = records[data[i + 1] % (sizeof records / sizeof records[0])];
            record.len = strlen(text);
            memcpy(record.bytes, text, record.len);
            compare(plain, tested, record.bytes, record.len);
            continue;
        }
        size_t at = (data[i + 1] | (size_t)data[i + 2] << 8) % (record.len + 1);
        const char *piece = pieces[data[i + 3] % (sizeof pieces / sizeof pieces[0])];
        switch (data[i] % 8) {
        case 1:
        case 2:
            splice(&record, at, 1, &data[i + 3], 1);
            break;
        case 3:
            splice(&record, at, 0, &data[i + 3], 1);
            break;
        case 4:
            splice(&record, at, data[i + 3] % 16, "", 0);
            break;
        case 5:
            splice(&record, at, 0, piece, strlen(piece));
            break;
        case 6:
            splice(&record, at, strlen(piece), piece, strlen(piece));
            break;
        default: /* a piece of the record once more */
            splice(&record, at, 0, record.bytes + at / 2,
                   data[i + 3] % 32u > record.len - at / 2 ? 0 : data[i + 3] % 32u);
            break;
        }
        compare(plain, tested, record.bytes, record.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const kernels[] = {"swar", "sse2", "avx2", "avx512"};
    static struct cm_decoder *plain;
    static struct cm_decoder *tested;
    bool script = size > 0 && data[0] == '#';
    unsigned sum = 0;
    for (size_t i = 0; i < size; i++) {
        sum += data[i];
    }
    if (plain == NULL) {
        plain = cm_decoder_create();
        tested = cm_decoder_create();
    }
    FUZZ_REQUIRE(cm_decoder_use(plain, NULL));
    FUZZ_REQUIRE(cm_decoder_use(tested, kernels[sum % 4]) || cm_decoder_use(tested, "swar"));
    if (script) {
        run_script(plain, tested, data + 1, size - 1);
    } else {
        run_lines(plain, tested, data, size);
    }
    return 0;
}
