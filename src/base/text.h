// SPDX-License-Identifier: Apache-2.0
/* text.h — a growing byte buffer, and the small grammars that every room reads and writes.
 *
 * OWNERSHIP A cm_text owns `data`; cm_text_free() gives it back. Zero-initialised is an empty one.
 *           `data` is not terminated; cm_text_cstr() terminates it in place.
 * ERRORS    Parsers return false and change nothing on a mistake.
 */
#ifndef CM_BASE_TEXT_H
#define CM_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

/* A borrowed run of bytes; p may be NULL when len is 0. */
struct cm_str {
    const char *p;
    uint32_t len;
};
#define CM_STR(literal) ((struct cm_str){(literal), (uint32_t)(sizeof(literal) - 1)})

static inline bool cm_str_eq(struct cm_str a, struct cm_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/* Bytewise order, shorter first on a common prefix; <0, 0, >0. */
int cm_str_cmp(struct cm_str a, struct cm_str b);

struct cm_text {
    char *data;
    size_t len;
    size_t cap;
};

void cm_text_free(struct cm_text *text);
/* The cold half of cm_text_room(): enlarges by half again at least. */
char *cm_text_grow(struct cm_text *text, size_t more);
/* Makes room for `more` bytes and returns where they go; the caller adds to len. */
static inline char *cm_text_room(struct cm_text *text, size_t more)
{
    /* One byte stays over for the terminator; and data is never NULL below. */
    if (CM_LIKELY(text->cap - text->len > more)) {
        return text->data + text->len;
    }
    return cm_text_grow(text, more);
}
void cm_text_add(struct cm_text *text, const void *bytes, size_t len);
void cm_text_adds(struct cm_text *text, const char *cstr);
static inline void cm_text_addc(struct cm_text *text, char c)
{
    *cm_text_room(text, 1) = c;
    text->len++;
}
void cm_text_addf(struct cm_text *text, const char *format, ...) CM_PRINTF(2, 3);
void cm_text_add_u64(struct cm_text *text, uint64_t value);
/* Writes an integer at `to` and returns where it ends; there must be room for 20 bytes, however few
 * are needed. */
char *cm_put_u64(char *to, uint64_t value);
/* The same, quicker where most are of one digit. */
static inline char *cm_put_small(char *to, uint64_t value)
{
    if (value < 10) {
        *to = (char)('0' + value);
        return to + 1;
    }
    return cm_put_u64(to, value);
}
/* And value / 10^digits with exactly `digits` decimals, 1 to 19; room for 21 bytes. */
char *cm_put_fixed(char *to, uint64_t value, unsigned digits);
void cm_text_add_i64(struct cm_text *text, int64_t value);
/* value / 10^digits with exactly `digits` decimals, at most 19: (123456, 4) gives 12.3456. */
void cm_text_add_fixed(struct cm_text *text, uint64_t value, unsigned digits);
/* A JSON string with its quotes; control characters, quote and backslash escaped, UTF-8 as it is. A
 * byte that is not part of well-formed UTF-8 becomes \ufffd, so the document is valid whatever
 * comes in. */
void cm_text_add_json(struct cm_text *text, const char *bytes, size_t len);
/* Terminates in place (len unchanged) and returns data. */
const char *cm_text_cstr(struct cm_text *text);

/* "250ms", "20s", "5m", "1h", "30d" -> ms. Digits and a unit, nothing between or around; at most
 * 36,500 d. */
bool cm_parse_duration(const char *s, size_t len, int64_t *ms);
/* With the largest unit that divides: 300000 -> "5m", 90000 -> "90s", 0 -> "0s". Returns `out`, at
 * least 24 bytes. */
const char *cm_format_duration(int64_t ms, char *out);
/* RFC 3339 with zone ("t", "z" and a blank for the T too), fraction cut to ms; second 60 is the
 * first instant of the next minute. 1970-01-01 up to and with 2100-01-01T00:00:00Z. */
bool cm_parse_rfc3339(const char *s, size_t len, int64_t *ms);
/* "2026-11-01T08:00:00.123Z" (no fraction when it is 0); `out` at least 32 bytes. Years 0 to 9999;
 * what lies beyond is shown as the nearest of these. */
const char *cm_format_rfc3339(int64_t ms, char *out);
/* Decimal digits only, the whole of s. */
bool cm_parse_u64(const char *s, size_t len, uint64_t *value);
/* Civil date <-> days since 1970-01-01 (proleptic Gregorian; Hinnant's algorithm). */
int64_t cm_days_from_civil(int64_t year, unsigned month, unsigned day);
void cm_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);

/* The candidate nearest to `word` by edits (insert, delete, replace, swap of neighbours), the first
 * of equals; NULL when none is near (more than 3, or than half the length of `word`) or `word` is
 * over 63 bytes. */
const char *cm_nearest(const char *word, const char *const *candidates, size_t count);

#endif
