// SPDX-License-Identifier: Apache-2.0
/* decoder.c — the fields of the contract, judged as they are scanned.
 *
 *   bytes ─► UTF-8 ─► { key ─► value ─► member of the event, bits } … ─► verdict
 *
 * A field has one bit in each of four masks: seen, absent (an empty text), wrong type, out of
 * range. The newest occurrence of a key writes its value and its bits anew. At the end the type
 * says which bits count; so the verdict depends on the object and not on the order in which it
 * was written, and what belongs to other types is cleared again. The reasons, the first that
 * applies counts:
 *
 *   TOO_LARGE, UTF8 (invalid bytes), MALFORMED, UTF8 (an escaped lone surrogate), DEPTH,
 *   MISSING, TYPE, RANGE
 *
 * When `type` itself is missing or wrong, the common fields alone decide.
 *
 * COST      A key of up to seven bytes is one word, one multiplication and one compare. Nothing
 *           is allocated for a plain record. Time goes by the number of fields, about 10 ns each,
 *           more than by the number of bytes.
 */
#include "decode/decoder.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/memory.h"
#include "decode/check_set.h"
#include "decode/fields.h"
#include "decode/json_scan.h"
#include "decode/layout_cache.h"
#include "decode/scratch.h"
#include "decode/shape.h"

_Static_assert(CM_RECORD_BYTES_MAX == CM_JSON_BYTES_MAX, "the scan holds a bit for every level");
_Static_assert(CM_SCRATCH_BLOCK_BYTES >= CM_RECORD_BYTES_MAX / 9 * sizeof(struct cm_check),
               "the checks of the largest record fit into one block");

#define RESULT_WRONG_TYPE 2 /* in the check set only: neither true, false nor null */

enum fault { FAULT_NONE = 0, FAULT_TYPE, FAULT_RANGE };

/* Findings, a bit a field. */
struct marks {
    uint32_t seen;
    uint32_t absent; /* an empty text */
    uint32_t type, range;
};

struct cm_decoder {
    struct marks marks;
    struct cm_check_set checks; /* of the newest `checks` that is an object */
    struct cm_scratch scratch;
    struct cm_json_scan scan;
    const struct cm_shape_kernel *kernel; /* NULL: the general parser alone */
    struct cm_shape shape;
    struct cm_layout_cache layouts;
};

static void use_kernel(struct cm_decoder *decoder, const struct cm_shape_kernel *kernel)
{
    decoder->kernel = kernel;
    decoder->layouts.read = cm_layout_reader_for(kernel == NULL ? 0 : kernel->vector_bytes);
}

struct cm_decoder *cm_decoder_create(void)
{
    struct cm_decoder *decoder = cm_alloc_lines(sizeof(struct cm_decoder));
    decoder->layouts.work.shape = &decoder->shape;
    decoder->layouts.work.scan = &decoder->scan;
    decoder->layouts.work.scratch = &decoder->scratch;
    use_kernel(decoder, cm_shape_best());
    return decoder;
}

bool cm_decoder_use(struct cm_decoder *decoder, const char *name)
{
    const struct cm_shape_kernel *kernel = name == NULL ? NULL : cm_shape_find(name);
    if (name != NULL && kernel == NULL) {
        return false;
    }
    cm_layout_cache_clear(&decoder->layouts);
    use_kernel(decoder, kernel);
    return true;
}

void cm_decoder_destroy(struct cm_decoder *decoder)
{
    if (decoder == NULL) {
        return;
    }
    cm_check_set_free(&decoder->checks);
    cm_layout_cache_free(&decoder->layouts);
    cm_scratch_free(&decoder->scratch);
    free(decoder);
}

void cm_decoder_reset(struct cm_decoder *decoder)
{
    cm_scratch_rewind(&decoder->scratch, (struct cm_scratch_mark){0, 0});
}

/* The characters of a scanned string; in the scratch when it holds escapes. */
static __attribute__((noinline)) struct cm_str escaped_text(struct cm_decoder *decoder,
                                                            const struct cm_json_token *token)
{
    char *out = cm_scratch_take(&decoder->scratch, token->len);
    struct cm_str text = {out, cm_json_unescape(token->p, token->len, out)};
    cm_scratch_trim(&decoder->scratch, out, text.len);
    return text;
}

static inline struct cm_str token_text(struct cm_decoder *decoder,
                                       const struct cm_json_token *token)
{
    if (CM_UNLIKELY(token->escaped)) {
        return escaped_text(decoder, token);
    }
    return (struct cm_str){token->p, token->len};
}

/* ---- scan ---- */

/* The rule of a key that is long or escaped; NULL: unknown, as in what follows. */
static __attribute__((noinline)) const struct cm_field_rule *
find_odd_rule(const struct cm_json_token *key)
{
    char plain[64];
    if (!key->escaped) {
        return cm_field_find_name((struct cm_str){key->p, key->len});
    }
    if (key->len > sizeof plain) {
        return NULL; /* the nine characters of the longest key take at most 54 bytes */
    }
    uint32_t len = cm_json_unescape(key->p, key->len, plain);
    return cm_field_find_name((struct cm_str){plain, len});
}

/* Steps over a short key and its closing quote. A switch where p + len + 1 would do: the processor
 * predicts the branch and goes on, whereas the sum waits for the key's word to be loaded and
 * searched. The empty statements keep the compiler from turning it back into a sum. */
static inline const char *step_over_key(const char *p, uint32_t len)
{
#define X(n)                                                                                       \
    case n:                                                                                        \
        p += (n) + 1;                                                                              \
        __asm__ volatile("" : "+r"(p));                                                            \
        return p;
    switch (len) {
        X(2) X(3) X(4) X(5) X(6) X(7) default : return p + len + 1;
    }
#undef X
}

/* The key at p (behind its opening quote), its colon and the space around that. */
static inline const char *scan_key(struct cm_json_scan *scan, const char *p,
                                   const struct cm_field_rule **rule)
{
    uint64_t word = cm_json_word(p, scan->end);
    uint64_t marks = cm_json_specials(scan, word);
    uint32_t bits = marks == 0 ? 0 : (uint32_t)__builtin_ctzll(marks) & ~7u;
    if (CM_LIKELY((word >> bits & 0xff) == '"')) {
        *rule = cm_field_find(word & ((UINT64_C(1) << bits) - 1));
        p = step_over_key(p, bits / 8);
    } else {
        struct cm_json_token key;
        p = cm_json_string(scan, p, &key);
        if (p == NULL) {
            return NULL;
        }
        *rule = find_odd_rule(&key);
    }
    if (CM_UNLIKELY(*p != ':')) {
        p = cm_json_next(p);
        if (*p != ':') {
            return NULL;
        }
    }
    return cm_json_next(p + 1);
}

static int32_t check_result(const struct cm_json_token *value)
{
    switch (value->kind) {
    case CM_JSON_TRUE:
        return 1;
    case CM_JSON_FALSE:
        return 0;
    case CM_JSON_NULL:
        return -1;
    default:
        return RESULT_WRONG_TYPE;
    }
}

/* The `checks` object at p, collected while it is scanned. Its members are on level 2. */
static const char *scan_checks(struct cm_decoder *decoder, const char *p)
{
    struct cm_json_scan *scan = &decoder->scan;
    cm_check_set_clear(&decoder->checks);
    p = cm_json_space(p + 1, scan->end);
    if (p < scan->end && *p == '}') {
        return p + 1;
    }
    while (p < scan->end && *p == '"') {
        struct cm_json_token name;
        struct cm_json_token value;
        p = cm_json_string(scan, p + 1, &name);
        if (p == NULL) {
            return NULL;
        }
        p = cm_json_space(p, scan->end);
        if (p == scan->end || *p != ':') {
            return NULL;
        }
        p = cm_json_value(scan, cm_json_space(p + 1, scan->end), 2, &value);
        if (p == NULL) {
            return NULL;
        }
        cm_check_set_put(&decoder->checks, token_text(decoder, &name), check_result(&value));
        p = cm_json_space(p, scan->end);
        if (p < scan->end && *p == '}') {
            return p + 1;
        }
        if (p == scan->end || *p != ',') {
            return NULL;
        }
        p = cm_json_space(p + 1, scan->end);
    }
    return NULL;
}

/* ---- judge ---- */

static enum fault judge_integer(const struct cm_json_token *token, int64_t most)
{
    if (token->kind != CM_JSON_INTEGER) {
        return FAULT_TYPE;
    }
    return token->integer < 0 || token->integer > most ? FAULT_RANGE : FAULT_NONE;
}

static enum fault judge_time(struct cm_decoder *decoder, const struct cm_json_token *token,
                             int64_t most, int64_t *out)
{
    int64_t ts_ms = token->integer;
    if (CM_UNLIKELY(token->kind != CM_JSON_INTEGER)) {
        if (token->kind != CM_JSON_STRING) {
            return FAULT_TYPE;
        }
        struct cm_str text = token_text(decoder, token);
        if (!cm_parse_rfc3339(text.p, text.len, &ts_ms)) {
            return FAULT_RANGE;
        }
    }
    *out = ts_ms;
    return ts_ms < 0 || ts_ms > most ? FAULT_RANGE : FAULT_NONE;
}

static enum fault judge_checks(struct cm_decoder *decoder, const struct cm_json_token *token,
                               uint32_t most, struct cm_event *event)
{
    const struct cm_check_set *set = &decoder->checks;
    bool too_long = false;
    event->checks = NULL;
    event->checks_count = 0;
    if (token->kind != CM_JSON_OBJECT) {
        return FAULT_TYPE;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->items[i].result == RESULT_WRONG_TYPE) {
            return FAULT_TYPE;
        }
        too_long = too_long || set->items[i].name.len > most;
    }
    if (too_long) {
        return FAULT_RANGE;
    }
    if (set->count > 0) {
        size_t bytes = set->count * sizeof(struct cm_check);
        struct cm_check *copy = cm_scratch_take(&decoder->scratch, bytes);
        memcpy(copy, set->items, bytes);
        event->checks = copy;
        event->checks_count = set->count;
    }
    return FAULT_NONE;
}

static enum fault judge_score(const struct cm_json_token *token)
{
    if (token->kind != CM_JSON_INTEGER && token->kind != CM_JSON_REAL) {
        return FAULT_TYPE;
    }
    return cm_json_percent(token->p, token->len) ? FAULT_NONE : FAULT_RANGE;
}

/* Judges the value of a known field and writes its member. */
static inline enum fault judge_value(struct cm_decoder *decoder, const struct cm_field_rule *rule,
                                     const struct cm_json_token *token, struct cm_event *event)
{
    void *member = (char *)event + rule->offset;
    struct cm_str text;
    enum fault fault;
    int value;
    switch ((enum cm_field_kind)rule->rule) {
    case CM_RULE_TEXT:
        if (CM_UNLIKELY(token->kind != CM_JSON_STRING)) {
            return FAULT_TYPE;
        }
        text = token_text(decoder, token);
        *(struct cm_str *)member = text;
        decoder->marks.absent |= (uint32_t)(text.len == 0) << rule->field;
        return text.len > rule->most ? FAULT_RANGE : FAULT_NONE;
    case CM_RULE_WORD:
        if (CM_UNLIKELY(token->kind != CM_JSON_STRING)) {
            return FAULT_TYPE;
        }
        value = rule->word(token_text(decoder, token));
        *(uint8_t *)member = (uint8_t)value;
        return value < 0 ? FAULT_RANGE : FAULT_NONE;
    case CM_RULE_COUNT:
        fault = judge_integer(token, rule->most);
        *(uint32_t *)member = fault == FAULT_NONE ? (uint32_t)token->integer : 0;
        return fault;
    case CM_RULE_RATING:
        fault = judge_integer(token, rule->most);
        *(int8_t *)member = (int8_t)(fault == FAULT_NONE ? token->integer : -1);
        return fault;
    case CM_RULE_FLAG:
        *(bool *)member = token->kind == CM_JSON_TRUE;
        return token->kind == CM_JSON_TRUE || token->kind == CM_JSON_FALSE ? FAULT_NONE
                                                                           : FAULT_TYPE;
    case CM_RULE_TIME:
        return judge_time(decoder, token, rule->most, member);
    case CM_RULE_CHECKS:
        return judge_checks(decoder, token, (uint32_t)rule->most, event);
    case CM_RULE_SCORE:
        return judge_score(token);
    }
    return FAULT_TYPE;
}

static void mark_fault(struct marks *marks, uint32_t bit, enum fault fault)
{
    if (fault == FAULT_TYPE) {
        marks->type |= bit;
    } else {
        marks->range |= bit;
    }
}

/* The value of the field at p, scanned, judged and marked. */
static inline const char *scan_value(struct cm_decoder *decoder, const char *p,
                                     const struct cm_field_rule *rule, struct cm_event *event)
{
    struct cm_json_scan *scan = &decoder->scan;
    struct marks *marks = &decoder->marks;
    struct cm_json_token token;
    if (*p == '"') {
        p = cm_json_string(scan, p + 1, &token);
    } else if (*p >= '0' && *p <= '9') {
        p = cm_json_number(scan, p, &token);
    } else if (*p == '{' && rule != NULL && rule->rule == CM_RULE_CHECKS) {
        token.kind = CM_JSON_OBJECT;
        p = scan_checks(decoder, p);
    } else {
        p = cm_json_value(scan, p, 1, &token);
    }
    if (CM_UNLIKELY(p == NULL || rule == NULL)) {
        return p;
    }
    uint32_t bit = UINT32_C(1) << rule->field;
    if (CM_UNLIKELY((marks->seen & bit) != 0)) {
        marks->absent &= ~bit;
        marks->type &= ~bit;
        marks->range &= ~bit;
    }
    marks->seen |= bit;
    enum fault fault = judge_value(decoder, rule, &token, event);
    if (CM_UNLIKELY(fault != FAULT_NONE)) {
        mark_fault(marks, bit, fault);
    }
    return p;
}

/* The whole record, from p to the end of the scan, no space behind it. false: not one JSON object.
 *
 * A record that does not end with a brace is none. That brace keeps the loop from running over the
 * end without a test for every byte: nothing but a nested value can take it, and then p stands on
 * the end. */
static bool scan_record(struct cm_decoder *decoder, const char *p, struct cm_event *event)
{
    struct cm_json_scan *scan = &decoder->scan;
    if (scan->end[-1] != '}') {
        return false;
    }
    p = cm_json_next(p);
    if (*p != '{') {
        return false;
    }
    p = cm_json_next(p + 1);
    bool more = *p != '}';
    while (more) {
        const struct cm_field_rule *rule;
        if (CM_UNLIKELY(*p != '"')) {
            return false;
        }
        p = scan_key(scan, p + 1, &rule);
        if (CM_UNLIKELY(p == NULL)) {
            return false;
        }
        p = scan_value(decoder, p, rule, event);
        if (CM_UNLIKELY(p == NULL || p == scan->end)) {
            return false;
        }
        if (CM_UNLIKELY(*p != ',')) {
            p = cm_json_next(p);
        }
        more = *p == ',';
        if (more) {
            p = cm_json_next(p + 1);
        } else if (CM_UNLIKELY(*p != '}')) {
            return false;
        }
    }
    return p + 1 == scan->end;
}

/* In pieces, each a few vector stores: for the whole at once gcc chooses `rep stos`, whose start
 * alone costs more. */
static inline void clear_event(struct cm_event *event)
{
    enum { PIECE_BYTES = 64, PIECES = sizeof *event / PIECE_BYTES };
    char *at = (char *)event;
    for (size_t i = 0; i < PIECES; i++) {
        memset(at + i * PIECE_BYTES, 0, PIECE_BYTES);
    }
    memset(at + (size_t)PIECES * PIECE_BYTES, 0, sizeof *event % PIECE_BYTES);
    event->rating = -1;
}

static enum cm_reason judge_record(const struct marks *marks, struct cm_event *event)
{
    const struct cm_type_fields *fields = &cm_common_fields;
    if ((marks->seen & ~(marks->type | marks->range) & CM_FIELD_BIT(TYPE)) != 0) {
        fields = &cm_type_fields[event->type];
    }
    if ((fields->required & (~marks->seen | marks->absent)) != 0) {
        return CM_REASON_MISSING;
    }
    if ((fields->relevant & marks->type) != 0) {
        return CM_REASON_TYPE;
    }
    if ((fields->relevant & marks->range) != 0) {
        return CM_REASON_RANGE;
    }
    if (CM_UNLIKELY((marks->seen & ~fields->relevant) != 0)) {
        cm_fields_clear(event, marks->seen & ~fields->relevant); /* what other types own */
    }
    return CM_REASON_NONE;
}

/* The general parser. The scan has begun. What a refused record took of the scratch is given back.
 */
static enum cm_reason decode(struct cm_decoder *decoder, const char *bytes, struct cm_event *event)
{
    struct cm_json_scan *scan = &decoder->scan;
    struct cm_scratch_mark mark = cm_scratch_mark(&decoder->scratch);
    enum cm_reason reason;
    decoder->marks = (struct marks){0};
    clear_event(event);
    if (!scan_record(decoder, bytes, event)) {
        reason = CM_REASON_MALFORMED;
    } else if (scan->lone_surrogate) {
        reason = CM_REASON_UTF8;
    } else if (scan->too_deep) {
        reason = CM_REASON_DEPTH;
    } else {
        reason = judge_record(&decoder->marks, event);
    }
    if (CM_UNLIKELY(reason != CM_REASON_NONE)) {
        cm_scratch_rewind(&decoder->scratch, mark);
    }
    return reason;
}

/* Any record without space behind it. */
static __attribute__((noinline)) enum cm_reason
decode_any(struct cm_decoder *decoder, const char *bytes, size_t len, struct cm_event *event)
{
    char padded[2 * CM_JSON_WORD_BYTES];
    if (CM_UNLIKELY(len < CM_JSON_WORD_BYTES)) {
        /* Too short for the scanner's words, and for any event: nothing will point into the copy.
         */
        memset(padded, ' ', sizeof padded);
        if (len > 0) {
            memcpy(padded + sizeof padded - len, bytes, len);
        }
        bytes = padded;
        len = sizeof padded;
    }
    if (!cm_json_begin(&decoder->scan, bytes, bytes + len)) {
        return CM_REASON_UTF8;
    }
    return decode(decoder, bytes, event);
}

/* A record that was looked over and that no layout fits. */
static __attribute__((noinline)) enum cm_reason
decode_new(struct cm_decoder *decoder, const char *bytes, size_t len, struct cm_event *event)
{
    struct cm_json_scan *scan = &decoder->scan;
    scan->end = bytes + len;
    scan->plain = decoder->shape.plain;
    scan->lone_surrogate = false;
    scan->too_deep = false;
    enum cm_reason reason = decode(decoder, bytes, event);
    if (reason == CM_REASON_NONE && scan->plain) {
        cm_layout_cache_learn(&decoder->layouts, bytes, (uint32_t)len, event->type);
    }
    return reason;
}

/* Layouts are made for records of this size, and end with a brace. */
static inline bool is_usual(const struct cm_decoder *decoder, const char *bytes, size_t len)
{
    return decoder->kernel != NULL && len >= CM_SHAPE_BYTES_LEAST && len <= CM_SHAPE_BYTES_MOST &&
           bytes[len - 1] == '}';
}

enum cm_reason cm_decode(struct cm_decoder *decoder, const char *bytes, size_t len,
                         struct cm_event *event)
{
    struct cm_shape *shape = &decoder->shape;
    if (CM_UNLIKELY(!is_usual(decoder, bytes, len))) {
        if (len > CM_RECORD_BYTES_MAX) {
            return CM_REASON_TOO_LARGE;
        }
        while (len > 0 && cm_json_is_space(bytes[len - 1])) {
            len--;
        }
        if (!is_usual(decoder, bytes, len)) {
            return decode_any(decoder, bytes, len, event);
        }
    }
    decoder->kernel->look(bytes, len, shape);
    if (CM_UNLIKELY(shape->count > CM_SHAPE_ANCHORS_MAX)) {
        return decode_any(decoder, bytes, len, event);
    }
    if (CM_UNLIKELY(!shape->ascii) && !cm_json_utf8(bytes, bytes + len)) {
        return CM_REASON_UTF8;
    }
    decoder->scan.end = bytes + len;
    if (CM_LIKELY(shape->plain && cm_layout_cache_read(&decoder->layouts, bytes, event))) {
        return CM_REASON_NONE;
    }
    return decode_new(decoder, bytes, len, event);
}
