// SPDX-License-Identifier: Apache-2.0
/* board_json.c — see board_json.h. A value's end is where its brackets are even and no string is
 * open. */
#include "cli/board_json.h"

static void skip_blanks(struct cm_json_walk *walk)
{
    while (walk->at < walk->end &&
           (*walk->at == ' ' || *walk->at == '\n' || *walk->at == '\r' || *walk->at == '\t')) {
        walk->at++;
    }
}

static bool take(struct cm_json_walk *walk, char c)
{
    skip_blanks(walk);
    if (walk->at == walk->end || *walk->at != c) {
        return false;
    }
    walk->at++;
    return true;
}

/* Behind the closing quote of a string whose opening one is at walk->at. */
static bool skip_string(struct cm_json_walk *walk)
{
    for (walk->at++; walk->at < walk->end; walk->at++) {
        if (*walk->at == '\\') {
            if (++walk->at == walk->end) {
                return false;
            }
        } else if (*walk->at == '"') {
            walk->at++;
            return true;
        }
    }
    return false;
}

static bool skip_value(struct cm_json_walk *walk)
{
    const char *start = walk->at;
    size_t depth = 0;
    while (walk->at < walk->end) {
        char c = *walk->at;
        if (c == '"') {
            if (!skip_string(walk)) {
                return false;
            }
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
            break;
        }
        depth += c == '{' || c == '[' ? 1 : 0;
        depth -= c == '}' || c == ']' ? 1 : 0;
        walk->at++;
    }
    return depth == 0 && walk->at > start && walk->at < walk->end;
}

bool cm_json_open(struct cm_json_walk *walk, struct cm_str text)
{
    *walk = (struct cm_json_walk){text.p, text.p == NULL ? NULL : text.p + text.len};
    return text.len > 0 && take(walk, '{');
}

bool cm_json_next(struct cm_json_walk *walk, struct cm_str *name, struct cm_str *value)
{
    skip_blanks(walk);
    if (walk->at < walk->end && *walk->at == ',') {
        walk->at++;
        skip_blanks(walk);
    }
    if (walk->at == walk->end || *walk->at != '"') {
        return false;
    }
    const char *begin = walk->at + 1;
    if (!skip_string(walk)) {
        return false;
    }
    *name = (struct cm_str){begin, (uint32_t)(walk->at - begin - 1)};
    if (!take(walk, ':')) {
        return false;
    }
    skip_blanks(walk);
    begin = walk->at;
    if (!skip_value(walk)) {
        return false;
    }
    const char *end = walk->at;
    while (end > begin &&
           (end[-1] == ' ' || end[-1] == '\n' || end[-1] == '\r' || end[-1] == '\t')) {
        end--;
    }
    *value = (struct cm_str){begin, (uint32_t)(end - begin)};
    return end > begin;
}

bool cm_json_member(struct cm_str object, const char *name, struct cm_str *value)
{
    struct cm_json_walk walk;
    struct cm_str wanted = {name, (uint32_t)strlen(name)};
    struct cm_str found;
    if (!cm_json_open(&walk, object)) {
        return false;
    }
    while (cm_json_next(&walk, &found, value)) {
        if (cm_str_eq(found, wanted)) {
            return true;
        }
    }
    return false;
}

/* ---- strings and numbers ------------------------------------------------------------------- */

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The code unit of \uXXXX, whose X begin at p; '?' for what is none. */
static uint32_t code_unit(const char *p)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex(p[i]);
        if (digit < 0) {
            return '?';
        }
        unit = unit << 4 | (uint32_t)digit;
    }
    return unit;
}

/* UTF-8 of a code unit; surrogates become a replacement each: callmill never writes them. */
static size_t put_code(char *out, uint32_t code)
{
    code = code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    out[0] = (char)(0xe0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3f));
    out[2] = (char)(0x80 | (code & 0x3f));
    return 3;
}

static char plain_escape(char c)
{
    return c == 'n'   ? '\n'
           : c == 't' ? '\t'
           : c == 'r' ? '\r'
           : c == 'b' ? '\b'
           : c == 'f' ? '\f'
                      : c;
}

bool cm_json_string(struct cm_str value, char *out, size_t bytes)
{
    size_t len = 0;
    out[0] = '\0';
    if (value.len < 2 || value.p[0] != '"' || value.p[value.len - 1] != '"') {
        return false;
    }
    const char *end = value.p + value.len - 1;
    for (const char *p = value.p + 1; p < end;) {
        char piece[4] = {*p};
        size_t piece_len = 1;
        if (*p == '\\' && p + 1 < end) {
            if (p[1] == 'u' && end - p >= 6) {
                piece_len = put_code(piece, code_unit(p + 2));
                p += 6;
            } else {
                piece[0] = plain_escape(p[1]);
                p += 2;
            }
        } else { /* a character: it goes on while bytes do */
            for (p++; p < end && piece_len < 4 && ((unsigned char)*p & 0xc0) == 0x80; p++) {
                piece[piece_len++] = *p;
            }
        }
        if (len + piece_len >= bytes) {
            break;
        }
        memcpy(out + len, piece, piece_len);
        len += piece_len;
    }
    out[len] = '\0';
    return true;
}

bool cm_json_fixed(struct cm_str value, unsigned decimals, struct cm_value *out)
{
    uint64_t number = 0;
    uint32_t i = 0;
    *out = (struct cm_value){.null = true};
    if (cm_str_eq(value, CM_STR("null"))) {
        return true;
    }
    bool point = false;
    unsigned behind = 0;
    bool digits = false;
    for (; i < value.len; i++) {
        char c = value.p[i];
        if (c == '.' && !point && digits) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || number > UINT64_MAX / 10 - 1) {
            return false;
        }
        digits = true;
        if (!point || behind < decimals) {
            number = number * 10 + (uint64_t)(c - '0');
            behind += point ? 1 : 0;
        }
    }
    for (; behind < decimals; behind++) {
        if (number > UINT64_MAX / 10) {
            return false;
        }
        number *= 10;
    }
    if (!digits) {
        return false;
    }
    *out = (struct cm_value){.value = number};
    return true;
}

bool cm_json_integer(struct cm_str value, int64_t *out)
{
    bool minus = value.len > 0 && value.p[0] == '-';
    uint64_t number;
    if (!cm_parse_u64(value.p + (minus ? 1 : 0), value.len - (minus ? 1 : 0), &number) ||
        number > INT64_MAX) {
        return false;
    }
    *out = minus ? -(int64_t)number : (int64_t)number;
    return true;
}
