// SPDX-License-Identifier: Apache-2.0
#include "plan/intervals.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/memory.h"
#include "plan/curves.h"

#define MISTAKES_MAX 20
#define COLUMNS_MAX  64

enum column { COLUMN_START, COLUMN_CALLS, COLUMN_AHT, COLUMN_COUNT };
static const char *const column_names[] = {"start", "calls", "aht"};

struct reader {
    const char *name;
    double aht_s;
    uint32_t line;
    uint32_t place[COLUMN_COUNT]; /* which field; UINT32_MAX: no such column */
    uint32_t mistakes;
    struct cm_text text; /* of the mistakes */
    struct cm_intervals *out;
};

struct field {
    struct cm_str text;
    uint32_t column; /* from 1, bytes */
};

bool cm_parse_decimal(const char *s, size_t len, double *value)
{
    char copy[40];
    bool digit = false, point = false;
    if (len == 0 || len >= sizeof(copy)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '.' && !point) {
            point = true;
        } else if (s[i] >= '0' && s[i] <= '9') {
            digit = true;
        } else {
            return false;
        }
    }
    memcpy(copy, s, len);
    copy[len] = '\0';
    *value = digit ? strtod(copy, NULL) : *value;
    return digit;
}

bool cm_parse_seconds(const char *s, size_t len, double *seconds)
{
    int64_t ms = 0;
    if (cm_parse_duration(s, len, &ms)) {
        *seconds = (double)ms / 1e3;
        return true;
    }
    return cm_parse_decimal(s, len, seconds);
}

static void mistake(struct reader *r, uint32_t column, const char *what, struct cm_str text)
{
    if (r->mistakes++ < MISTAKES_MAX) {
        cm_text_addf(&r->text, "%s%s:%u:%u: %s `%.*s`", r->mistakes > 1 ? "\n" : "", r->name,
                     r->line, column, what, (int)(text.len < 40 ? text.len : 40),
                     text.len == 0 ? "" : text.p);
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Cuts a line into fields; those beyond COLUMNS_MAX are dropped. */
static uint32_t split(const char *line, uint32_t len, struct field *fields)
{
    uint32_t count = 0, from = 0;
    for (uint32_t i = 0; i <= len; i++) {
        if (i < len && line[i] != ',') {
            continue;
        }
        uint32_t a = from, b = i;
        while (a < b && is_blank(line[a])) {
            a++;
        }
        while (b > a && is_blank(line[b - 1])) {
            b--;
        }
        if (b - a >= 2 && line[a] == '"' && line[b - 1] == '"') {
            a++;
            b--;
        }
        if (count < COLUMNS_MAX) {
            fields[count++] = (struct field){{line + a, b - a}, a + 1};
        }
        from = i + 1;
    }
    return count;
}

static void read_header(struct reader *r, const struct field *fields, uint32_t count)
{
    for (int c = 0; c < COLUMN_COUNT; c++) {
        struct cm_str name = {column_names[c], (uint32_t)strlen(column_names[c])};
        for (uint32_t i = 0; i < count; i++) {
            if (!cm_str_eq(fields[i].text, name)) {
                continue;
            }
            if (r->place[c] != UINT32_MAX) {
                mistake(r, fields[i].column, "a second column", name);
            }
            r->place[c] = i;
        }
        if (r->place[c] == UINT32_MAX && (c != COLUMN_AHT || r->aht_s == 0)) {
            mistake(r, 1, "the header lacks the column", name);
        }
    }
}

static struct field pick(const struct reader *r, const struct field *fields, uint32_t count,
                         enum column column)
{
    uint32_t place = r->place[column];
    return place < count ? fields[place] : (struct field){{"", 0}, 1};
}

static void read_row(struct reader *r, const struct field *fields, uint32_t count)
{
    struct field start = pick(r, fields, count, COLUMN_START);
    struct field calls = pick(r, fields, count, COLUMN_CALLS);
    struct field aht = pick(r, fields, count, COLUMN_AHT);
    struct cm_interval row = {.aht_s = r->aht_s};
    uint32_t before = r->mistakes;
    if (start.text.len == 0) {
        mistake(r, start.column, "an interval without a start", start.text);
    }
    if (!cm_parse_decimal(calls.text.p, calls.text.len, &row.calls)) {
        mistake(r, calls.column, "calls is not a number of 0 or more:", calls.text);
    }
    if (aht.text.len == 0 && r->aht_s == 0) {
        mistake(r, aht.column, "no aht here, and none was given beside the file", aht.text);
    } else if (aht.text.len > 0 &&
               (!cm_parse_seconds(aht.text.p, aht.text.len, &row.aht_s) || row.aht_s <= 0)) {
        mistake(r, aht.column, "aht is neither seconds above 0 nor a duration:", aht.text);
    }
    if (r->mistakes == before) {
        struct cm_intervals *out = r->out;
        row.start = cm_strndup(start.text.p, start.text.len);
        out->at = cm_realloc(out->at, out->count + 1, sizeof(*out->at));
        out->at[out->count++] = row;
    }
}

int cm_intervals_parse(const char *name, const char *bytes, size_t len, double aht_s,
                       struct cm_intervals *out)
{
    struct reader r = {.name = name, .aht_s = aht_s, .out = out};
    struct field fields[COLUMNS_MAX];
    bool has_header = false;
    *out = (struct cm_intervals){0};
    memset(r.place, 0xff, sizeof(r.place));
    size_t at = len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (at < len) {
        const char *line = bytes + at;
        const char *feed = memchr(line, '\n', len - at);
        size_t line_len = feed == NULL ? len - at : (size_t)(feed - line);
        at += line_len + 1;
        r.line++;
        uint32_t count = split(line, (uint32_t)line_len, fields);
        if (count == 1 && fields[0].text.len == 0) {
            continue;
        }
        if (has_header) {
            read_row(&r, fields, count);
        } else {
            read_header(&r, fields, count);
            has_header = true;
            if (r.mistakes > 0) {
                break;
            }
        }
    }
    if (r.mistakes == 0 && out->count == 0) {
        r.line = r.line > 0 ? r.line : 1;
        mistake(&r, 1, "no intervals; the header is", (struct cm_str){"start,calls,aht", 15});
    }
    if (r.mistakes == 0) {
        return 0;
    }
    cm_intervals_free(out);
    int rc = cm_fail(CM_ERR_CONFIG, "%s", cm_text_cstr(&r.text));
    cm_text_free(&r.text);
    return rc;
}

int cm_intervals_load(const char *path, double aht_s, struct cm_intervals *out)
{
    struct cm_text text = {0};
    *out = (struct cm_intervals){0};
    int rc = cm_plan_read_file(path, &text);
    if (rc == 0) {
        rc = cm_intervals_parse(path, cm_text_cstr(&text), text.len, aht_s, out);
    }
    cm_text_free(&text);
    return rc;
}

void cm_intervals_free(struct cm_intervals *intervals)
{
    for (uint32_t i = 0; i < intervals->count; i++) {
        free(intervals->at[i].start);
    }
    free(intervals->at);
    *intervals = (struct cm_intervals){0};
}
