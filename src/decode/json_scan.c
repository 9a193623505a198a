// SPDX-License-Identifier: Apache-2.0
/* json_scan.c — the colder half of the scanner: UTF-8 beyond ASCII, escapes, long and broken
 * numbers, and nested values. Nesting is a bit a level in the scan, so that depth costs neither
 * stack nor memory. */
#include "decode/json_scan.h"

static bool continues(const char *p)
{
    return ((unsigned char)*p & 0xc0) == 0x80;
}

/* One character beyond ASCII (RFC 3629, section 4). NULL when it is none. */
static const char *utf8_character(const char *p, const char *end)
{
    unsigned char lead = (unsigned char)*p;
    size_t left = (size_t)(end - p);
    if (lead < 0xc2 || lead > 0xf4) {
        return NULL;
    }
    if (lead < 0xe0) {
        return left >= 2 && continues(p + 1) ? p + 2 : NULL;
    }
    if (left < 3 || !continues(p + 1) || !continues(p + 2)) {
        return NULL;
    }
    unsigned char second = (unsigned char)p[1];
    if (lead < 0xf0) {
        bool overlong = lead == 0xe0 && second < 0xa0;
        bool surrogate = lead == 0xed && second > 0x9f;
        return overlong || surrogate ? NULL : p + 3;
    }
    bool overlong = lead == 0xf0 && second < 0x90;
    bool beyond = lead == 0xf4 && second > 0x8f;
    return left < 4 || !continues(p + 3) || overlong || beyond ? NULL : p + 4;
}

bool cm_json_utf8(const char *p, const char *end)
{
    while (p < end) {
        while (end - p >= 32 && ((cm_json_load(p) | cm_json_load(p + 8) | cm_json_load(p + 16) |
                                  cm_json_load(p + 24)) &
                                 CM_JSON_HIGHS) == 0) {
            p += 32;
        }
        if (p == end) {
            return true;
        }
        uint64_t highs = cm_json_word(p, end) & CM_JSON_HIGHS;
        if (highs == 0) {
            p += end - p < 8 ? end - p : 8;
            continue;
        }
        p += cm_json_first(highs);
        while (p < end && (unsigned char)*p >= 0x80) {
            p = utf8_character(p, end);
            if (p == NULL) {
                return false;
            }
        }
    }
    return true;
}

/* Sixteen bytes at once; the compiler makes vector code of it where there is any. */
typedef unsigned char bytes16 __attribute__((vector_size(16)));

static inline bytes16 load16(const char *p)
{
    bytes16 bytes;
    memcpy(&bytes, p, sizeof bytes);
    return bytes;
}

/* Any bit set? */
static inline bool any16(bytes16 bytes)
{
    uint64_t halves[2];
    memcpy(halves, &bytes, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

bool cm_json_begin(struct cm_json_scan *scan, const char *p, const char *end)
{
    const char *start = p;
    bytes16 all = {0};      /* OR of all bytes: is there one beyond ASCII? */
    bytes16 specials = {0}; /* not zero where one was below 0x20 or a backslash */
    uint64_t tail_all = 0;
    uint64_t tail_specials = 0;
    for (; end - p >= 16; p += 16) {
        bytes16 bytes = load16(p);
        all |= bytes;
        specials |= (bytes16)(bytes < 0x20) | (bytes16)(bytes == '\\');
    }
    for (; p < end; p++) {
        tail_all |= (unsigned char)*p;
        tail_specials |= (unsigned char)*p < 0x20 || *p == '\\';
    }
    scan->end = end;
    scan->plain = tail_specials == 0 && !any16(specials);
    scan->lone_surrogate = false;
    scan->too_deep = false;
    bool ascii = tail_all < 0x80 && !any16(all & 0x80);
    return ascii || cm_json_utf8(start, end);
}

/* The value of four hex digits at p, -1 when they are none. */
static int32_t hex4(const char *p, const char *end)
{
    if (end - p < 4) {
        return -1;
    }
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int32_t digit;
        if (c >= '0' && c <= '9') {
            digit = c - '0';
        } else if (c >= 'a' && c <= 'f') {
            digit = c - 'a' + 10;
        } else if (c >= 'A' && c <= 'F') {
            digit = c - 'A' + 10;
        } else {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

/* The low half at p (`\uDC00` to `\uDFFF`), -1 when there is none. */
static int32_t low_surrogate(const char *p, const char *end)
{
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u') {
        return -1;
    }
    int32_t unit = hex4(p + 2, end);
    return unit >= 0xdc00 && unit <= 0xdfff ? unit : -1;
}

/* p stands on a backslash. */
static const char *escape(struct cm_json_scan *scan, const char *p)
{
    if (scan->end - p < 2) {
        return NULL;
    }
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 2;
    case 'u':
        break;
    default:
        return NULL;
    }
    int32_t unit = hex4(p + 2, scan->end);
    if (unit < 0) {
        return NULL;
    }
    if (unit < 0xd800 || unit > 0xdfff) {
        return p + 6;
    }
    if (unit <= 0xdbff && low_surrogate(p + 6, scan->end) >= 0) {
        return p + 12;
    }
    scan->lone_surrogate = true;
    return p + 6;
}

const char *cm_json_string_rest(struct cm_json_scan *scan, const char *p,
                                struct cm_json_token *token)
{
    while (p < scan->end) {
        uint64_t marks = cm_json_specials(scan, cm_json_word(p, scan->end));
        if (marks == 0) {
            p += CM_JSON_WORD_BYTES;
            continue;
        }
        p += cm_json_first(marks);
        if (p >= scan->end) {
            return NULL;
        }
        if (*p == '"') {
            token->len = (uint32_t)(p - token->p);
            return p + 1;
        }
        if (*p != '\\') {
            return NULL;
        }
        token->escaped = true;
        p = escape(scan, p);
        if (p == NULL) {
            return NULL;
        }
    }
    return NULL;
}

static char *utf8_write(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
    } else {
        if (code < 0x10000) {
            *out++ = (char)(0xe0 | code >> 12);
        } else {
            *out++ = (char)(0xf0 | code >> 18);
            *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        }
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
    }
    *out++ = (char)(0x80 | (code & 0x3f));
    return out;
}

uint32_t cm_json_unescape(const char *p, uint32_t len, char *out)
{
    static const char plain[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    const char *end = p + len;
    char *at = out;
    while (p < end) {
        if (*p != '\\') {
            *at++ = *p++;
            continue;
        }
        if (p[1] != 'u') {
            *at++ = meant[strchr(plain, p[1]) - plain];
            p += 2;
            continue;
        }
        uint32_t code = (uint32_t)hex4(p + 2, end);
        p += 6;
        if (code >= 0xd800 && code <= 0xdbff) {
            int32_t low = low_surrogate(p, end);
            if (low >= 0) {
                code = 0x10000 + ((code - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
                p += 6;
            }
        }
        at = utf8_write(at, code);
    }
    return (uint32_t)(at - out);
}

static bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

/* The integer part at p, saturated. `first8` is the value of its first eight digits, or UINT64_MAX
 * when the caller does not know. */
static const char *integer_part(const char *p, const char *end, uint64_t first8, uint64_t *value)
{
    const char *start = p;
    *value = 0;
    if (first8 != UINT64_MAX) {
        *value = first8;
        p += CM_JSON_WORD_BYTES;
    }
    while (is_digit(p, end)) {
        uint64_t digit = (uint64_t)(*p - '0');
        *value = *value > (INT64_MAX - digit) / 10 ? (uint64_t)INT64_MAX : *value * 10 + digit;
        p++;
    }
    bool leading_zero = *start == '0' && p - start > 1;
    return p == start || leading_zero ? NULL : p;
}

const char *cm_json_number_rest(const struct cm_json_scan *scan, const char *p, uint64_t digits,
                                struct cm_json_token *token)
{
    const char *end = scan->end;
    bool negative = *p == '-';
    uint64_t value;
    token->kind = CM_JSON_INTEGER;
    p += negative;
    if (!is_digit(p, end)) {
        return NULL;
    }
    p = integer_part(p, end, digits, &value);
    if (p == NULL) {
        return NULL;
    }
    if (p < end && *p == '.') {
        token->kind = CM_JSON_REAL;
        p++;
        if (!is_digit(p, end)) {
            return NULL;
        }
        while (is_digit(p, end)) {
            p++;
        }
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        token->kind = CM_JSON_REAL;
        p++;
        p += p < end && (*p == '+' || *p == '-');
        if (!is_digit(p, end)) {
            return NULL;
        }
        while (is_digit(p, end)) {
            p++;
        }
    }
    token->integer = negative ? -(int64_t)value : (int64_t)value;
    token->len = (uint32_t)(p - token->p);
    return p;
}

/* The exponent written at p (behind the 'e'), kept small enough to add to a position. */
static int64_t exponent(const char *p, const char *end)
{
    bool negative = *p == '-';
    int64_t value = 0;
    p += *p == '-' || *p == '+';
    for (; p < end; p++) {
        value = value > INT32_MAX ? value : value * 10 + (*p - '0');
    }
    return negative ? -value : value;
}

bool cm_json_percent(const char *p, uint32_t len)
{
    const char *end = p + len;
    bool negative = *p == '-';
    bool fraction = false;
    bool one_and_zeros = true; /* the digits from the first that is not 0 read 1000... */
    int64_t digits = 0;        /* how many there are from there on */
    int64_t power = 0; /* digits before the point, from there on; negative: zeros behind it */
    p += negative;
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') {
            fraction = true;
            continue;
        }
        if (digits == 0 && *p == '0') {
            power -= fraction;
            continue;
        }
        one_and_zeros = one_and_zeros && *p == (digits == 0 ? '1' : '0');
        digits++;
        power += !fraction;
    }
    if (digits == 0) {
        return true; /* zero, in whatever form */
    }
    if (negative) {
        return false;
    }
    if (p < end) {
        power += exponent(p + 1, end);
    }
    return power < 3 || (power == 3 && one_and_zeros);
}

/* Strings, numbers and literals. */
static const char *scalar(struct cm_json_scan *scan, const char *p, struct cm_json_token *token)
{
    if (*p == '"') {
        return cm_json_string(scan, p + 1, token);
    }
    if (*p == '-' || (*p >= '0' && *p <= '9')) {
        return cm_json_number(scan, p, token);
    }
    return cm_json_literal(scan, p, token);
}

/* Key and colon of a member at p, and the space around them. */
static const char *member(struct cm_json_scan *scan, const char *p)
{
    struct cm_json_token key;
    p = cm_json_space(p, scan->end);
    if (p == scan->end || *p != '"') {
        return NULL;
    }
    p = cm_json_string(scan, p + 1, &key);
    if (p == NULL) {
        return NULL;
    }
    p = cm_json_space(p, scan->end);
    if (p == scan->end || *p != ':') {
        return NULL;
    }
    return cm_json_space(p + 1, scan->end);
}

static bool in_array(const struct cm_json_scan *scan, uint32_t level)
{
    return (scan->arrays[level / 64] >> (level % 64) & 1) != 0;
}

/* Steps into the container at p. *open stays false when it is empty and so closed already; then,
 * and only then, the level has not changed. */
static const char *step_in(struct cm_json_scan *scan, const char *p, uint32_t *level, bool *open)
{
    bool array = *p == '[';
    uint32_t inner = *level + 1;
    scan->too_deep = scan->too_deep || inner > CM_JSON_LEVELS_MAX;
    p = cm_json_space(p + 1, scan->end);
    *open = p == scan->end || *p != (array ? ']' : '}');
    if (!*open) {
        return p + 1;
    }
    uint64_t bit = UINT64_C(1) << (inner % 64);
    scan->arrays[inner / 64] &= ~bit;
    scan->arrays[inner / 64] |= array ? bit : 0;
    *level = inner;
    return array ? p : member(scan, p);
}

/* Behind a value: closes what ends here down to `base`, or steps over the comma to the next value.
 */
static const char *step_on(struct cm_json_scan *scan, const char *p, uint32_t *level, uint32_t base)
{
    while (*level > base) {
        bool array = in_array(scan, *level);
        p = cm_json_space(p, scan->end);
        if (p == scan->end) {
            return NULL;
        }
        if (*p == ',') {
            return array ? cm_json_space(p + 1, scan->end) : member(scan, p + 1);
        }
        if (*p != (array ? ']' : '}')) {
            return NULL;
        }
        p++;
        (*level)--;
    }
    return p;
}

const char *cm_json_value(struct cm_json_scan *scan, const char *p, uint32_t level,
                          struct cm_json_token *token)
{
    struct cm_json_token inner;
    struct cm_json_token *at = token;
    const uint32_t base = level;
    if (p == scan->end) {
        return NULL;
    }
    token->p = p;
    if (*p == '{' || *p == '[') {
        token->kind = *p == '{' ? CM_JSON_OBJECT : CM_JSON_ARRAY;
        at = &inner;
    }
    do {
        bool open = false;
        if (p == NULL || p == scan->end) {
            return NULL;
        }
        if (*p == '{' || *p == '[') {
            p = step_in(scan, p, &level, &open);
        } else {
            p = scalar(scan, p, at);
        }
        if (p != NULL && !open) {
            p = step_on(scan, p, &level, base);
        }
    } while (p == NULL || level > base);
    if (at == &inner) {
        token->len = (uint32_t)(p - token->p);
    }
    return p;
}
