// SPDX-License-Identifier: Apache-2.0
/* text.c — the buffer's cold half, numbers and JSON strings, and the small grammars.
 *
 * Rows of figures are made of numbers, so those are written by hand, eight digits at a time,
 * straight into the buffer; the common part of cm_text_room() is inline in the header.
 *
 * THREADS   No state. COST  Growth is by half again, so adding is amortised constant.
 */
#include "base/text.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"

#define DURATION_MAX_MS (36500 * CM_MS_PER_D)
#define RFC3339_MAX_MS  INT64_C(4102444800000) /* 2100-01-01, the end of event time */
#define WORD_MAX        63

static const char digit_pairs[] = "00010203040506070809"
                                  "10111213141516171819"
                                  "20212223242526272829"
                                  "30313233343536373839"
                                  "40414243444546474849"
                                  "50515253545556575859"
                                  "60616263646566676869"
                                  "70717273747576777879"
                                  "80818283848586878889"
                                  "90919293949596979899";

int cm_str_cmp(struct cm_str a, struct cm_str b)
{
    uint32_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.p, b.p, common);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* --- the buffer --- */

void cm_text_free(struct cm_text *text)
{
    free(text->data);
    *text = (struct cm_text){0};
}

char *cm_text_grow(struct cm_text *text, size_t more)
{
    size_t wanted;
    CM_ASSERT(!__builtin_add_overflow(text->len, more, &wanted) && wanted < SIZE_MAX / 2);
    size_t cap = text->cap + text->cap / 2;
    cap = cap < wanted + 1 ? wanted + 1 : cap;
    cap = cap < 64 ? 64 : cap;
    text->data = cm_realloc(text->data, cap, 1);
    text->cap = cap;
    return text->data + text->len;
}

void cm_text_add(struct cm_text *text, const void *bytes, size_t len)
{
    char *to = cm_text_room(text, len);
    if (len > 0) {
        memcpy(to, bytes, len);
        text->len += len;
    }
}

void cm_text_adds(struct cm_text *text, const char *cstr)
{
    cm_text_add(text, cstr, strlen(cstr));
}

void cm_text_addf(struct cm_text *text, const char *format, ...)
{
    char *to = cm_text_room(text, 64);
    va_list args;
    va_start(args, format);
    int len = vsnprintf(to, text->cap - text->len, format, args);
    va_end(args);
    CM_ASSERT(len >= 0);
    if ((size_t)len >= text->cap - text->len) {
        to = cm_text_room(text, (size_t)len + 1);
        va_start(args, format);
        vsnprintf(to, (size_t)len + 1, format, args);
        va_end(args);
    }
    text->len += (size_t)len;
}

const char *cm_text_cstr(struct cm_text *text)
{
    *cm_text_room(text, 1) = '\0';
    return text->data;
}

/* --- numbers --- */

/* The eight digits of a value below 10^8, one a byte, the first in the lowest: halves, then pairs,
 * then digits, all of a step at once. A reciprocal in fixed point does for each division. */
static uint64_t eight_digits(uint32_t value)
{
    uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
    uint64_t hundreds = (fours * 10486 >> 20) & UINT64_C(0x7f0000007f);
    uint64_t pairs = hundreds | (fours - 100 * hundreds) << 16;
    uint64_t tens = (pairs * 103 >> 10) & UINT64_C(0x000f000f000f000f);
    return tens | (pairs - 10 * tens) << 8;
}

static void put_eight(char *to, uint64_t digits)
{
    uint64_t text = htole64(digits | UINT64_C(0x3030303030303030));
    memcpy(to, &text, sizeof(text));
}

/* Exactly `digits` digits, with leading zeros; value must fit. */
static void put_digits(char *to, uint64_t value, unsigned digits)
{
    char *end = to + digits;
    while (end - to >= 2) {
        end -= 2;
        memcpy(end, digit_pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (end > to) {
        *to = (char)('0' + value % 10);
    }
}

#define EIGHT UINT64_C(100000000) /* one more than eight digits say */

/* A value below that, without leading zeros. */
static char *put_short(char *to, uint64_t value)
{
    uint64_t digits = eight_digits((uint32_t)value);
    unsigned skip = (unsigned)__builtin_ctzll(digits | UINT64_C(1) << 56) / 8; /* zeros */
    put_eight(to, digits >> 8 * skip);
    return to + 8 - skip;
}

char *cm_put_u64(char *to, uint64_t value)
{
    if (value < EIGHT) {
        return put_short(to, value);
    }
    uint64_t high = value / EIGHT;
    if (high < EIGHT) {
        to = put_short(to, high);
    } else {
        to = put_short(to, high / EIGHT);
        put_eight(to, eight_digits((uint32_t)(high % EIGHT)));
        to += 8;
    }
    put_eight(to, eight_digits((uint32_t)(value % EIGHT)));
    return to + 8;
}

char *cm_put_fixed(char *to, uint64_t value, unsigned digits)
{
    CM_ASSERT(digits >= 1 && digits <= 19);
    uint64_t scale = 1;
    for (unsigned i = 0; i < digits; i++) {
        scale *= 10;
    }
    to = cm_put_u64(to, value / scale);
    *to++ = '.';
    put_digits(to, value % scale, digits);
    return to + digits;
}

void cm_text_add_u64(struct cm_text *text, uint64_t value)
{
    char *to = cm_text_room(text, 20);
    text->len += (size_t)(cm_put_u64(to, value) - to);
}

void cm_text_add_i64(struct cm_text *text, int64_t value)
{
    if (value < 0) {
        cm_text_addc(text, '-');
        cm_text_add_u64(text, 0 - (uint64_t)value);
    } else {
        cm_text_add_u64(text, (uint64_t)value);
    }
}

void cm_text_add_fixed(struct cm_text *text, uint64_t value, unsigned digits)
{
    if (digits == 0) {
        cm_text_add_u64(text, value);
        return;
    }
    char *to = cm_text_room(text, 21);
    text->len += (size_t)(cm_put_fixed(to, value, digits) - to);
}

/* --- JSON strings --- */

/* Length of the well-formed UTF-8 sequence (RFC 3629) at p, of at least two bytes; 0 when
 * ill-formed. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t len;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        len = 2;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        len = 3;
        low = p[0] == 0xe0 ? 0xa0 : low;   /* no overlong forms */
        high = p[0] == 0xed ? 0x9f : high; /* no surrogates */
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        len = 4;
        low = p[0] == 0xf0 ? 0x90 : low;
        high = p[0] == 0xf4 ? 0x8f : high; /* no code point above U+10FFFF */
    } else {
        return 0;
    }
    if (left < len || p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

static void add_escaped(struct cm_text *text, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char *const short_forms[] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n",  ['\f'] = "\\f",
        ['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\",
    };
    if (c < CM_ARRAY_LEN(short_forms) && short_forms[c] != NULL) {
        cm_text_add(text, short_forms[c], 2);
        return;
    }
    cm_text_adds(text, "\\u00");
    cm_text_addc(text, hex[c >> 4]);
    cm_text_addc(text, hex[c & 15]);
}

void cm_text_add_json(struct cm_text *text, const char *bytes, size_t len)
{
    const unsigned char *p = (const unsigned char *)bytes;
    size_t run = 0; /* start of the bytes that go out as they are */
    size_t at = 0;
    cm_text_room(text, len + 2);
    cm_text_addc(text, '"');
    while (at < len) {
        unsigned char c = p[at];
        if (CM_LIKELY(c >= 0x20 && c < 0x80 && c != '"' && c != '\\')) {
            at++;
            continue;
        }
        size_t sequence = c >= 0x80 ? utf8_sequence(p + at, len - at) : 0;
        if (sequence > 0) {
            at += sequence;
            continue;
        }
        cm_text_add(text, bytes + run, at - run);
        if (c >= 0x80) {
            cm_text_add(text, "\\ufffd", 6);
        } else {
            add_escaped(text, c);
        }
        run = ++at;
    }
    if (len > run) {
        cm_text_add(text, bytes + run, len - run);
    }
    cm_text_addc(text, '"');
}

/* --- integers and durations --- */

bool cm_parse_u64(const char *s, size_t len, uint64_t *value)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned char)s[i] - (unsigned)'0';
        if (digit > 9 || __builtin_mul_overflow(sum, UINT64_C(10), &sum) ||
            __builtin_add_overflow(sum, (uint64_t)digit, &sum)) {
            return false;
        }
    }
    if (len == 0) {
        return false;
    }
    *value = sum;
    return true;
}

/* Largest first, for cm_format_duration(). */
static const struct {
    const char *name;
    int64_t ms;
} duration_units[] = {
    {"d", CM_MS_PER_D}, {"h", CM_MS_PER_H}, {"m", CM_MS_PER_M}, {"s", CM_MS_PER_S}, {"ms", 1},
};

bool cm_parse_duration(const char *s, size_t len, int64_t *ms)
{
    size_t digits = 0;
    while (digits < len && s[digits] >= '0' && s[digits] <= '9') {
        digits++;
    }
    uint64_t number;
    if (!cm_parse_u64(s, digits, &number)) {
        return false;
    }
    for (size_t i = 0; i < CM_ARRAY_LEN(duration_units); i++) {
        size_t name_len = strlen(duration_units[i].name);
        if (len - digits == name_len && memcmp(s + digits, duration_units[i].name, name_len) == 0) {
            if (number > (uint64_t)(DURATION_MAX_MS / duration_units[i].ms)) {
                return false;
            }
            *ms = (int64_t)number * duration_units[i].ms;
            return true;
        }
    }
    return false;
}

const char *cm_format_duration(int64_t ms, char *out)
{
    size_t unit = 0;
    if (ms == 0) {
        memcpy(out, "0s", 3);
        return out;
    }
    while (ms % duration_units[unit].ms != 0) {
        unit++;
    }
    snprintf(out, 24, "%lld%s", (long long)(ms / duration_units[unit].ms),
             duration_units[unit].name);
    return out;
}

/* --- dates --- */

int64_t cm_days_from_civil(int64_t year, unsigned month, unsigned day)
{
    /* The year begins in March, so that the leap day is its last; an era is 400 years. */
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void cm_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t m = (5 * day_of_year + 2) / 153;
    *day = (unsigned)(day_of_year - (153 * m + 2) / 5 + 1);
    *month = (unsigned)(m < 10 ? m + 3 : m - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Reads exactly `digits` digits at *at and moves on. */
static bool take_number(const char *s, size_t len, size_t *at, unsigned digits, unsigned *value)
{
    unsigned sum = 0;
    if (len - *at < digits) {
        return false;
    }
    for (unsigned i = 0; i < digits; i++) {
        unsigned digit = (unsigned char)s[*at + i] - (unsigned)'0';
        if (digit > 9) {
            return false;
        }
        sum = sum * 10 + digit;
    }
    *at += digits;
    *value = sum;
    return true;
}

static bool take_char(const char *s, size_t len, size_t *at, const char *allowed)
{
    if (*at >= len || s[*at] == '\0' || strchr(allowed, s[*at]) == NULL) {
        return false;
    }
    (*at)++;
    return true;
}

static bool take_fraction(const char *s, size_t len, size_t *at, unsigned *ms)
{
    unsigned scale = 100;
    *ms = 0;
    if (!take_char(s, len, at, ".")) {
        return true;
    }
    size_t first = *at;
    unsigned digit;
    while (take_number(s, len, at, 1, &digit)) {
        *ms += digit * scale;
        scale /= 10; /* 0 from the fourth digit on: cut, not rounded */
    }
    return *at > first;
}

static bool take_offset(const char *s, size_t len, size_t *at, int64_t *offset_ms)
{
    unsigned hour;
    unsigned minute;
    *offset_ms = 0;
    if (take_char(s, len, at, "Zz")) {
        return true;
    }
    if (!take_char(s, len, at, "+-")) {
        return false;
    }
    int64_t sign = s[*at - 1] == '-' ? -1 : 1;
    if (!take_number(s, len, at, 2, &hour) || !take_char(s, len, at, ":") ||
        !take_number(s, len, at, 2, &minute) || hour > 23 || minute > 59) {
        return false;
    }
    *offset_ms = sign * ((int64_t)hour * CM_MS_PER_H + (int64_t)minute * CM_MS_PER_M);
    return true;
}

bool cm_parse_rfc3339(const char *s, size_t len, int64_t *ms)
{
    unsigned year = 0;
    unsigned month;
    unsigned day;
    unsigned hour;
    unsigned minute;
    unsigned second;
    unsigned fraction_ms;
    int64_t offset_ms;
    size_t at = 0;
    if (!take_number(s, len, &at, 4, &year) || !take_char(s, len, &at, "-") ||
        !take_number(s, len, &at, 2, &month) || !take_char(s, len, &at, "-") ||
        !take_number(s, len, &at, 2, &day) || !take_char(s, len, &at, "Tt ") ||
        !take_number(s, len, &at, 2, &hour) || !take_char(s, len, &at, ":") ||
        !take_number(s, len, &at, 2, &minute) || !take_char(s, len, &at, ":") ||
        !take_number(s, len, &at, 2, &second) || !take_fraction(s, len, &at, &fraction_ms) ||
        !take_offset(s, len, &at, &offset_ms) || at != len) {
        return false;
    }
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
        minute > 59 || second > 60) {
        return false;
    }
    if (second == 60) {
        fraction_ms = 0; /* a leap second has no ms of its own in Unix time */
    }
    int64_t result = cm_days_from_civil((int64_t)year, month, day) * CM_MS_PER_D +
                     (int64_t)hour * CM_MS_PER_H + (int64_t)minute * CM_MS_PER_M +
                     (int64_t)second * CM_MS_PER_S + (int64_t)fraction_ms - offset_ms;
    if (result < 0 || result > RFC3339_MAX_MS) {
        return false;
    }
    *ms = result;
    return true;
}

const char *cm_format_rfc3339(int64_t ms, char *out)
{
    /* Four digits of year are all the format has: 0000-01-01 to 9999-12-31. */
    const int64_t lowest_ms = INT64_C(-62167219200000);
    const int64_t highest_ms = INT64_C(253402300799999);
    ms = ms < lowest_ms ? lowest_ms : ms > highest_ms ? highest_ms : ms;
    int64_t days = ms / CM_MS_PER_D - (ms % CM_MS_PER_D < 0);
    uint64_t rest = (uint64_t)(ms - days * CM_MS_PER_D);
    int64_t year;
    unsigned month;
    unsigned day;
    cm_civil_from_days(days, &year, &month, &day);
    memcpy(out, "0000-00-00T00:00:00Z", 21);
    put_digits(out, (uint64_t)year, 4);
    put_digits(out + 5, month, 2);
    put_digits(out + 8, day, 2);
    put_digits(out + 11, rest / 3600000, 2);
    put_digits(out + 14, rest / 60000 % 60, 2);
    put_digits(out + 17, rest / 1000 % 60, 2);
    const size_t at = 19;
    if (rest % 1000 != 0) {
        put_digits(out + at + 1, rest % 1000, 3);
        memcpy(out + at + 4, "Z", 2);
        out[at] = '.';
    }
    return out;
}

/* --- suggestions --- */

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* Edits (insert, delete, replace, swap of neighbours) between words of at most WORD_MAX bytes. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned rows[3][WORD_MAX + 1] = {{0}};
    for (unsigned j = 0; j <= b_len; j++) {
        rows[0][j] = j;
    }
    for (unsigned i = 1; i <= a_len; i++) {
        unsigned *now = rows[i % 3];
        const unsigned *last = rows[(i + 2) % 3];
        const unsigned *before = rows[(i + 1) % 3];
        now[0] = i;
        for (unsigned j = 1; j <= b_len; j++) {
            unsigned replaced = last[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = least(last[j] + 1, now[j - 1] + 1, replaced);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                now[j] = least(now[j], before[j - 2] + 1, now[j]);
            }
        }
    }
    return rows[a_len % 3][b_len];
}

const char *cm_nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t word_len = strlen(word);
    const char *best = NULL;
    unsigned best_edits = 4;
    if (word_len > WORD_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(candidates[i]);
        if (len > WORD_MAX) {
            continue;
        }
        unsigned edits = distance(word, word_len, candidates[i], len);
        if (edits < best_edits && (size_t)edits * 2 <= word_len) {
            best_edits = edits;
            best = candidates[i];
        }
    }
    return best;
}
