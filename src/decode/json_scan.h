// SPDX-License-Identifier: Apache-2.0
/* json_scan.h — the grammar of RFC 8259 over one record, a word of eight bytes at a time.
 *
 * Scanners take a position and return the one behind what they read, or NULL where the grammar is
 * broken. They know nothing of fields. Two findings do not break the grammar and are noted in the
 * scan instead, so that the rest of the record is still judged: an escaped lone surrogate, and
 * nesting that is too deep.
 *
 *   p                          end
 *   ▼                           ▼
 *   "abc\u00e9","talk_ms":1200}
 *
 * MEMORY    Words are read up to `end`, never behind it, but near the end they begin up to
 *           seven bytes early: the eight bytes before `end` must be readable. No allocation, no
 *           recursion.
 * UNITS     Bytes. A record has at most CM_JSON_BYTES_MAX of them, hence at most as many levels.
 */
#ifndef CM_DECODE_JSON_SCAN_H
#define CM_DECODE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

#define CM_JSON_BYTES_MAX  65536u
#define CM_JSON_LEVELS_MAX 256u /* the record's own object is level 1 */
#define CM_JSON_WORD_BYTES 8u

#define CM_JSON_ONES  UINT64_C(0x0101010101010101)
#define CM_JSON_HIGHS UINT64_C(0x8080808080808080)

enum cm_json_kind {
    CM_JSON_STRING,
    CM_JSON_INTEGER, /* no fraction, no exponent */
    CM_JSON_REAL,
    CM_JSON_TRUE,
    CM_JSON_FALSE,
    CM_JSON_NULL,
    CM_JSON_OBJECT,
    CM_JSON_ARRAY
};

struct cm_json_token {
    const char *p;   /* string: behind the opening quote; else the first byte */
    int64_t integer; /* INTEGER only, saturated */
    uint32_t len;    /* string: up to the closing quote */
    uint8_t kind;    /* enum cm_json_kind */
    bool escaped;    /* string: holds at least one escape */
};

struct cm_json_scan {
    const char *end;
    bool plain;          /* no byte of the record is a backslash or below 0x20 */
    bool lone_surrogate; /* a \u escape stands for half a character */
    bool too_deep;       /* more than CM_JSON_LEVELS_MAX levels */
    uint64_t arrays[CM_JSON_BYTES_MAX / 64 + 1]; /* a bit a level: is it an array? */
};

/* Starts a scan of [p, end): clears the findings and looks over the bytes. false: they are not
 * UTF-8. */
bool cm_json_begin(struct cm_json_scan *scan, const char *p, const char *end);
/* Whether the bytes are UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. */
bool cm_json_utf8(const char *p, const char *end);
/* Skips one value of any kind that starts at p (no space before it), the innermost open container
 * being on `level`. Fills the token. */
const char *cm_json_value(struct cm_json_scan *scan, const char *p, uint32_t level,
                          struct cm_json_token *token);
/* Writes the characters of an escaped string that has been scanned; `out` has room for len bytes.
 * Returns how many were written. */
uint32_t cm_json_unescape(const char *p, uint32_t len, char *out);
/* Whether a scanned number lies in 0 .. 100, judged on its digits and so without rounding. */
bool cm_json_percent(const char *p, uint32_t len);

/* The rest of cm_json_string() and cm_json_number() for what is not plain. */
const char *cm_json_string_rest(struct cm_json_scan *scan, const char *p,
                                struct cm_json_token *token);
const char *cm_json_number_rest(const struct cm_json_scan *scan, const char *p, uint64_t digits,
                                struct cm_json_token *token);

static inline uint64_t cm_json_load(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The eight bytes at p < end, first byte lowest; zeros stand for those behind the end. */
static inline uint64_t cm_json_word(const char *p, const char *end)
{
    if (CM_LIKELY(p <= end - CM_JSON_WORD_BYTES)) {
        return cm_json_load(p);
    }
    size_t behind = CM_JSON_WORD_BYTES - (size_t)(end - p);
    return cm_json_load(end - CM_JSON_WORD_BYTES) >> (8 * behind);
}

/* Marks the bytes that end a run of a string: the quote, and in a record that is not plain the
 * backslash and what is below 0x20. The lowest mark is right; a borrow can set wrong ones only
 * above it. */
static inline uint64_t cm_json_specials(const struct cm_json_scan *scan, uint64_t word)
{
    uint64_t quote = word ^ (CM_JSON_ONES * '"');
    uint64_t marks = (quote - CM_JSON_ONES) & ~quote;
    if (CM_UNLIKELY(!scan->plain)) {
        uint64_t slash = word ^ (CM_JSON_ONES * '\\');
        marks |= (slash - CM_JSON_ONES) & ~slash;
        marks |= (word - CM_JSON_ONES * 0x20) & ~word;
    }
    return marks & CM_JSON_HIGHS;
}

/* Byte index of the lowest mark; marks != 0. */
static inline uint32_t cm_json_first(uint64_t marks)
{
    return (uint32_t)__builtin_ctzll(marks) >> 3;
}

static inline bool cm_json_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Skips space, at most to the end. */
static inline const char *cm_json_space(const char *p, const char *end)
{
    while (p < end && cm_json_is_space(*p)) {
        p++;
    }
    return p;
}

/* The same where another byte than space is known to stand before the end, at p or behind it. */
static inline const char *cm_json_next(const char *p)
{
    while (CM_UNLIKELY((unsigned char)*p <= ' ') && cm_json_is_space(*p)) {
        p++;
    }
    return p;
}

/* p stands behind the opening quote. Returns the position behind the closing one. */
static inline const char *cm_json_string(struct cm_json_scan *scan, const char *p,
                                         struct cm_json_token *token)
{
    token->kind = CM_JSON_STRING;
    token->escaped = false;
    token->p = p;
    while (CM_LIKELY(p < scan->end)) {
        uint64_t marks = cm_json_specials(scan, cm_json_word(p, scan->end));
        if (marks == 0) {
            p += CM_JSON_WORD_BYTES;
            continue;
        }
        p += cm_json_first(marks);
        if (CM_LIKELY(p < scan->end && *p == '"')) {
            token->len = (uint32_t)(p - token->p);
            return p + 1;
        }
        return cm_json_string_rest(scan, p, token);
    }
    return NULL;
}

/* How many of the word's bytes are digits before the first that is none, and their value. */
static inline uint32_t cm_json_digits(uint64_t word, uint64_t *value)
{
    uint64_t digits = word ^ (CM_JSON_ONES * '0');
    uint64_t others = ((digits + CM_JSON_ONES * 0x76) | digits) & CM_JSON_HIGHS;
    uint32_t count = others == 0 ? CM_JSON_WORD_BYTES : cm_json_first(others);
    if (count == 0) {
        *value = 0;
        return 0;
    }
    /* Shifted up, what is missing becomes leading zeros; then pairs, fours and eights are joined.
     */
    digits <<= 8 * (CM_JSON_WORD_BYTES - count);
    digits = digits * 10 + (digits >> 8);
    uint64_t even = (digits & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064);
    uint64_t odd = ((digits >> 16) & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001);
    *value = (even + odd) >> 32;
    return count;
}

/* p stands on the first byte, '-' or a digit. Integers below 10^7 are done here. */
static inline const char *cm_json_number(const struct cm_json_scan *scan, const char *p,
                                         struct cm_json_token *token)
{
    uint64_t word = cm_json_word(p, scan->end);
    uint64_t value;
    uint32_t count = cm_json_digits(word, &value);
    token->p = p;
    if (CM_LIKELY(count > 0 && count < CM_JSON_WORD_BYTES)) {
        unsigned char next = (unsigned char)(word >> (8 * count));
        bool plain = next != '.' && (next | 0x20) != 'e' && (count == 1 || *p != '0');
        if (CM_LIKELY(plain)) {
            token->kind = CM_JSON_INTEGER;
            token->integer = (int64_t)value;
            token->len = count;
            return p + count;
        }
    }
    return cm_json_number_rest(scan, p, count == CM_JSON_WORD_BYTES ? value : UINT64_MAX, token);
}

/* `true`, `false` or `null` at p. */
static inline const char *cm_json_literal(const struct cm_json_scan *scan, const char *p,
                                          struct cm_json_token *token)
{
    uint64_t word = cm_json_word(p, scan->end);
    token->p = p;
    token->len = 4;
    switch ((uint32_t)word) {
    case 't' | 'r' << 8 | 'u' << 16 | 'e' << 24:
        token->kind = CM_JSON_TRUE;
        return p + 4;
    case 'n' | 'u' << 8 | 'l' << 16 | 'l' << 24:
        token->kind = CM_JSON_NULL;
        return p + 4;
    case 'f' | 'a' << 8 | 'l' << 16 | 's' << 24:
        token->kind = CM_JSON_FALSE;
        token->len = 5;
        return ((word >> 32) & 0xff) == 'e' ? p + 5 : NULL;
    default:
        return NULL;
    }
}

#endif
