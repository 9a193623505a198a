// SPDX-License-Identifier: Apache-2.0
/* decoder_fuzz.c — the decoder against jansson, which builds a tree.
 *
 * The oracle judges the tree by the rules of the contract, written down a second time and in the
 * plainest way. Verdict, reason and, for a good record, every field must be the same. Where jansson
 * does not take the text, the reason must be one of grammar; its UTF-8 and nesting are checked here
 * byte by byte.
 *
 * What jansson cannot tell and is left out: numbers beyond 64 bits, an escaped NUL in a key, and a
 * score that its double cannot tell from a bound. A raw NUL byte it swallows behind a number; that
 * such a record is malformed needs no tree.
 */
#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "decode/decoder.h"
#include "driver.h"

/* What the oracle has found in one record so far. */
struct oracle {
    const json_t *record;
    bool missing, type, range;
    bool unsure;
};

static bool utf8_valid(const uint8_t *s, size_t len)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    size_t i = 0;
    while (i < len) {
        uint32_t code = s[i];
        size_t more = 0;
        if (code >= 0xf8 || (code >= 0x80 && code < 0xc0)) {
            return false;
        }
        if (code >= 0xc0) {
            more = code >= 0xf0 ? 3 : code >= 0xe0 ? 2 : 1;
            code &= 0x3fu >> more;
        }
        if (more > len - i - 1) {
            return false;
        }
        for (size_t k = 1; k <= more; k++) {
            if ((s[i + k] & 0xc0) != 0x80) {
                return false;
            }
            code = code << 6 | (s[i + k] & 0x3fu);
        }
        if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
            return false;
        }
        i += more + 1;
    }
    return true;
}

/* The deepest nesting of a text that is known to be JSON. */
static size_t depth_of(const uint8_t *s, size_t len)
{
    size_t depth = 0;
    size_t deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        if (in_string) {
            i += s[i] == '\\';
            in_string = s[i] != '"' || s[i - 1] == '\\';
            continue;
        }
        in_string = s[i] == '"';
        depth += s[i] == '{' || s[i] == '[';
        deepest = depth > deepest ? depth : deepest;
        depth -= s[i] == '}' || s[i] == ']';
    }
    return deepest;
}

/* The text of a field, empty when it is absent or wrong. */
static struct cm_str text_of(struct oracle *o, const char *key, size_t most, bool required)
{
    const json_t *value = json_object_get(o->record, key);
    struct cm_str text = {NULL, 0};
    if (value == NULL) {
        o->missing |= required;
        return text;
    }
    if (!json_is_string(value)) {
        o->type = true;
        return text;
    }
    text.p = json_string_value(value);
    text.len = (uint32_t)json_string_length(value);
    o->missing |= required && text.len == 0;
    o->range |= text.len > most;
    return text;
}

static void same_text(struct cm_str got, struct cm_str expected)
{
    FUZZ_REQUIRE(got.len == expected.len);
    FUZZ_REQUIRE(got.len == 0 || memcmp(got.p, expected.p, got.len) == 0);
}

/* The index of a word in a list that ends with NULL; 0 when the field is absent or wrong. */
static int word_of(struct oracle *o, const char *key, const char *const *words, bool required)
{
    const json_t *value = json_object_get(o->record, key);
    if (value == NULL) {
        o->missing |= required;
        return 0;
    }
    if (!json_is_string(value)) {
        o->type = true;
        return 0;
    }
    for (int i = 0; words[i] != NULL; i++) {
        if (strlen(words[i]) == json_string_length(value) &&
            strcmp(words[i], json_string_value(value)) == 0) {
            return i;
        }
    }
    o->range = true;
    return 0;
}

static json_int_t integer_of(struct oracle *o, const char *key, json_int_t most, json_int_t without)
{
    const json_t *value = json_object_get(o->record, key);
    if (value == NULL) {
        return without;
    }
    if (!json_is_integer(value)) {
        o->type = true;
        return without;
    }
    o->range |= json_integer_value(value) < 0 || json_integer_value(value) > most;
    return json_integer_value(value);
}

static int64_t time_of(struct oracle *o)
{
    const json_t *value = json_object_get(o->record, "ts");
    int64_t ms = 0;
    if (value == NULL) {
        o->missing = true;
    } else if (json_is_integer(value)) {
        ms = integer_of(o, "ts", 4102444800000, 0);
    } else if (!json_is_string(value)) {
        o->type = true;
    } else {
        o->range |= !cm_parse_rfc3339(json_string_value(value), json_string_length(value), &ms);
    }
    return ms;
}

static bool flag_of(struct oracle *o, const char *key)
{
    const json_t *value = json_object_get(o->record, key);
    o->type |= value != NULL && !json_is_boolean(value);
    return json_is_true(value);
}

static void score_of(struct oracle *o)
{
    const json_t *value = json_object_get(o->record, "score");
    if (value == NULL) {
        return;
    }
    o->type |= !json_is_number(value);
    double score = json_number_value(value);
    o->range |= score < 0 || score > 100;
    o->unsure |= json_is_real(value) && (score <= 0 || score == 100);
}

/* Judges `checks` and, when `event` is given, compares them with it. */
static void checks_of(struct oracle *o, bool required, const struct cm_event *event)
{
    json_t *checks = json_object_get(o->record, "checks");
    const char *name;
    size_t name_len;
    json_t *value;
    uint32_t count = 0;
    if (checks == NULL) {
        o->missing |= required;
    } else if (!json_is_object(checks)) {
        o->type = true;
    }
    json_object_keylen_foreach(checks, name, name_len, value)
    {
        o->type |= !json_is_boolean(value) && !json_is_null(value);
        o->range |= name_len > 64;
        if (event != NULL) {
            FUZZ_REQUIRE(count < event->checks_count);
            same_text(event->checks[count].name, (struct cm_str){name, (uint32_t)name_len});
            int result = json_is_null(value) ? -1 : json_is_true(value) ? 1 : 0;
            FUZZ_REQUIRE(event->checks[count].result == result);
        }
        count++;
    }
    FUZZ_REQUIRE(event == NULL || event->checks_count == count);
}

#define X(code, text) text,
static const char *const types[] = {CM_EVENT_TYPES(X) NULL};
static const char *const outcomes[] = {CM_OUTCOMES(X) NULL};
static const char *const ends[] = {CM_ENDS(X) NULL};
static const char *const states[] = {CM_STATES(X) NULL};
static const char *const sources[] = {CM_SOURCES(X) NULL};
static const char *const steps[] = {CM_STEPS(X) NULL};
#undef X

static void expect_cdr(struct oracle *o, struct cm_event *e)
{
    e->outcome = (uint8_t)word_of(o, "outcome", outcomes, true);
    e->wait_ms = (uint32_t)integer_of(o, "wait_ms", 604800000, 0);
    e->ring_ms = (uint32_t)integer_of(o, "ring_ms", 604800000, 0);
    e->talk_ms = (uint32_t)integer_of(o, "talk_ms", 604800000, 0);
    e->hold_ms = (uint32_t)integer_of(o, "hold_ms", 604800000, 0);
    e->acw_ms = (uint32_t)integer_of(o, "acw_ms", 604800000, 0);
    e->hold_n = (uint32_t)integer_of(o, "hold_n", UINT32_MAX, 0);
    e->transfers = (uint32_t)integer_of(o, "transfers", UINT32_MAX, 0);
    e->rev = (uint32_t)integer_of(o, "rev", UINT32_MAX, 0);
    bool ended = json_object_get(o->record, "end") != NULL;
    e->end = ended ? (uint8_t)(CM_END_CALLER + word_of(o, "end", ends, false)) : CM_END_NONE;
    e->on_hold = flag_of(o, "on_hold");
    e->rating = (int8_t)integer_of(o, "rating", 100, -1);
    checks_of(o, false, NULL);
}

/* The event that the record stands for, as far as nothing is wrong with it. */
static void expect_event(struct oracle *o, struct cm_event *e)
{
    *e = (struct cm_event){.rating = -1};
    int type = word_of(o, "type", types, true);
    if (o->missing || o->type || o->range) {
        type = -1; /* then the common fields alone decide */
    }
    bool cdr = type == CM_EVENT_CDR;
    bool queue = type == CM_EVENT_QUEUE_ENTER || type == CM_EVENT_QUEUE_EXIT;
    bool state = type == CM_EVENT_SEAT_STATE;
    bool check = type == CM_EVENT_CHECK;
    bool is_case = type == CM_EVENT_CASE;
    e->type = (uint8_t)type;
    e->id = text_of(o, "id", 64, true);
    e->ts_ms = time_of(o);
    e->call = text_of(o, "call", 64, queue || check);
    e->seat = text_of(o, "seat", 32, state || check || is_case);
    e->agent = text_of(o, "agent", 32, false);
    e->queue = text_of(o, "queue", 32, queue);
    e->centre = text_of(o, "centre", 32, false);
    e->channel = text_of(o, "ch", 16, false);
    if (cdr) {
        expect_cdr(o, e);
    }
    if (queue || state) {
        e->reason = text_of(o, "reason", SIZE_MAX, false);
    }
    if (state) {
        e->state = (uint8_t)word_of(o, "state", states, true);
    }
    if (check) {
        e->source = (uint8_t)word_of(o, "source", sources, true);
        checks_of(o, true, NULL);
        score_of(o);
    }
    if (is_case) {
        e->case_id = text_of(o, "case", 64, true);
        e->kind = text_of(o, "kind", 32, true);
        e->step = (uint8_t)word_of(o, "step", steps, true);
    }
}

static void same_event(const struct cm_event *got, const struct cm_event *expected)
{
    FUZZ_REQUIRE(got->type == expected->type);
    FUZZ_REQUIRE(got->outcome == expected->outcome);
    FUZZ_REQUIRE(got->end == expected->end);
    FUZZ_REQUIRE(got->state == expected->state);
    FUZZ_REQUIRE(got->source == expected->source);
    FUZZ_REQUIRE(got->step == expected->step);
    FUZZ_REQUIRE(got->on_hold == expected->on_hold);
    FUZZ_REQUIRE(got->rating == expected->rating);
    FUZZ_REQUIRE(got->ts_ms == expected->ts_ms);
    FUZZ_REQUIRE(got->wait_ms == expected->wait_ms);
    FUZZ_REQUIRE(got->ring_ms == expected->ring_ms);
    FUZZ_REQUIRE(got->talk_ms == expected->talk_ms);
    FUZZ_REQUIRE(got->hold_ms == expected->hold_ms);
    FUZZ_REQUIRE(got->acw_ms == expected->acw_ms);
    FUZZ_REQUIRE(got->hold_n == expected->hold_n);
    FUZZ_REQUIRE(got->transfers == expected->transfers);
    FUZZ_REQUIRE(got->rev == expected->rev);
    same_text(got->id, expected->id);
    same_text(got->call, expected->call);
    same_text(got->seat, expected->seat);
    same_text(got->agent, expected->agent);
    same_text(got->queue, expected->queue);
    same_text(got->centre, expected->centre);
    same_text(got->channel, expected->channel);
    same_text(got->reason, expected->reason);
    same_text(got->case_id, expected->case_id);
    same_text(got->kind, expected->kind);
}

/* jansson did not take the record. */
static void judge_refused(const uint8_t *data, size_t size, const json_error_t *error,
                          enum cm_reason reason)
{
    enum json_error_code code = json_error_code(error);
    if (!utf8_valid(data, size)) {
        FUZZ_REQUIRE(reason == CM_REASON_UTF8);
        return;
    }
    if (code == json_error_numeric_overflow || code == json_error_null_byte_in_key) {
        return;
    }
    FUZZ_REQUIRE(reason == CM_REASON_MALFORMED || reason == CM_REASON_UTF8 ||
                 reason == CM_REASON_DEPTH);
    /* In valid UTF-8 only an escape can be half a character. */
    FUZZ_REQUIRE(reason != CM_REASON_UTF8 || memchr(data, '\\', size) != NULL);
    FUZZ_REQUIRE(reason != CM_REASON_DEPTH || size > 512);
}

static void judge_taken(const json_t *record, const uint8_t *data, size_t size,
                        enum cm_reason reason, const struct cm_event *event)
{
    struct oracle o = {.record = record};
    struct cm_event expected;
    if (!json_is_object(record)) {
        FUZZ_REQUIRE(reason == CM_REASON_MALFORMED);
        return;
    }
    if (depth_of(data, size) > 256) {
        FUZZ_REQUIRE(reason == CM_REASON_DEPTH);
        return;
    }
    expect_event(&o, &expected);
    if (o.unsure) {
        return;
    }
    enum cm_reason expected_reason = o.missing ? CM_REASON_MISSING
                                     : o.type  ? CM_REASON_TYPE
                                     : o.range ? CM_REASON_RANGE
                                               : CM_REASON_NONE;
    FUZZ_REQUIRE(reason == expected_reason);
    if (reason == CM_REASON_NONE) {
        same_event(event, &expected);
        if (event->type == CM_EVENT_CDR || event->type == CM_EVENT_CHECK) {
            checks_of(&o, false, event);
        } else {
            FUZZ_REQUIRE(event->checks_count == 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cm_decoder *decoder;
    struct cm_event event;
    json_error_t error;
    if (decoder == NULL) {
        decoder = cm_decoder_create();
    }
    memset(&event, 0xa5, sizeof event);
    enum cm_reason reason = cm_decode(decoder, (const char *)data, size, &event);
    if (size > 65536) {
        FUZZ_REQUIRE(reason == CM_REASON_TOO_LARGE);
    } else if (memchr(data, 0, size) != NULL) {
        bool utf8 = utf8_valid(data, size);
        FUZZ_REQUIRE(reason == (utf8 ? CM_REASON_MALFORMED : CM_REASON_UTF8));
    } else {
        json_t *record = json_loadb((const char *)data, size, JSON_ALLOW_NUL, &error);
        if (record == NULL) {
            judge_refused(data, size, &error, reason);
        } else {
            judge_taken(record, data, size, reason, &event);
        }
        json_decref(record);
    }
    cm_decoder_reset(decoder);
    return 0;
}
