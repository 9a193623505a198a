// SPDX-License-Identifier: Apache-2.0
/* roster_build.c — checks the rows of a roster one by one and keeps the list of its mistakes.
 *
 * THREADS   One. COST  Text is copied once; a value equal to the one of the row before (team, room,
 *           centre nearly always are) is kept once.
 */
#include "event/roster_build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "event/event.h"

#define BLOCK_BYTES     65536u
#define SHOWN_BYTES_MAX 48u /* of a value quoted in a message */

struct cm_roster_block {
    struct cm_roster_block *next;
    uint32_t used;
    char text[BLOCK_BYTES];
};

static const char *const column_names[CM_ROSTER_COLUMN_COUNT] = {
#define X(code, text) text,
    CM_ROSTER_COLUMNS(X)
#undef X
};

const char *cm_roster_column_name(enum cm_roster_column column)
{
    return column_names[column];
}

bool cm_roster_column_parse(struct cm_str name, enum cm_roster_column *column)
{
    for (uint32_t i = 0; i < CM_ROSTER_COLUMN_COUNT; i++) {
        if (strlen(column_names[i]) == name.len && memcmp(column_names[i], name.p, name.len) == 0) {
            *column = (enum cm_roster_column)i;
            return true;
        }
    }
    return false;
}

/* Well-formed by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
static bool is_utf8(struct cm_str text)
{
    const unsigned char *p = (const unsigned char *)text.p;
    uint32_t more = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    for (uint32_t i = 0; i < text.len; i++) {
        unsigned char c = p[i];
        if (more > 0) {
            if (c < low || c > high) {
                return false;
            }
            low = 0x80;
            high = 0xbf;
            more--;
        } else if (c >= 0x80) {
            if (c < 0xc2 || c > 0xf4) {
                return false;
            }
            more = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
            low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
            high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
        }
    }
    return more == 0;
}

/* A value as it may be quoted in a message: cut between code points, or dots when it is no text. */
static struct cm_str shown(struct cm_str value)
{
    if (value.len > SHOWN_BYTES_MAX) {
        value.len = SHOWN_BYTES_MAX;
        while (value.len > 0 && ((unsigned char)value.p[value.len] & 0xc0) == 0x80) {
            value.len--;
        }
    }
    bool text = is_utf8(value) && memchr(value.p, '\0', value.len) == NULL;
    return text ? value : CM_STR("...");
}

/* --- mistakes --- */

void cm_roster_mistake(struct cm_roster_build *build, uint32_t line, uint32_t column,
                       const char *format, ...)
{
    if (build->mistakes_count++ >= CM_ROSTER_MISTAKES_MAX) {
        return;
    }
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    CM_ASSERT(len >= 0);
    for (char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20) { /* one mistake is one line */
            *at = ' ';
        }
    }
    build->mistakes[build->mistakes_count - 1] =
        (struct cm_roster_mistake){.line = line, .column = column, .text = text};
}

void cm_roster_unknown_column(struct cm_roster_build *build, struct cm_str name, uint32_t line,
                              uint32_t column)
{
    if (name.len == 0) {
        cm_roster_mistake(build, line, column, "a column without a name");
        return;
    }
    struct cm_str quoted = shown(name);
    char *word = cm_strndup(quoted.p, quoted.len);
    const char *near = cm_nearest(word, column_names, CM_ROSTER_COLUMN_COUNT);
    if (near != NULL) {
        cm_roster_mistake(build, line, column, "unknown column '%.*s'; did you mean '%s'?",
                          (int)quoted.len, quoted.p, near);
    } else {
        cm_roster_mistake(build, line, column,
                          "unknown column '%.*s'; there are seat, team, room, centre and from",
                          (int)quoted.len, quoted.p);
    }
    free(word);
}

static int mistake_cmp(const void *left, const void *right)
{
    const struct cm_roster_mistake *a = left;
    const struct cm_roster_mistake *b = right;
    if (a->line != b->line) {
        return a->line < b->line ? -1 : 1;
    }
    return (a->column > b->column) - (a->column < b->column);
}

int cm_roster_report(struct cm_roster_build *build, const char *name)
{
    if (build->mistakes_count == 0) {
        return 0;
    }
    size_t kept = build->mistakes_count < CM_ROSTER_MISTAKES_MAX ? (size_t)build->mistakes_count
                                                                 : CM_ROSTER_MISTAKES_MAX;
    qsort(build->mistakes, kept, sizeof(build->mistakes[0]), mistake_cmp);
    struct cm_text all = {0};
    for (size_t i = 0; i < kept; i++) {
        const struct cm_roster_mistake *mistake = &build->mistakes[i];
        cm_text_addf(&all, "%s%s:%u:%u: %s", i == 0 ? "" : "\n", name, mistake->line,
                     mistake->column, mistake->text);
    }
    if (build->mistakes_count > kept) {
        cm_text_addf(&all, "\n... and %llu more",
                     (unsigned long long)(build->mistakes_count - kept));
    }
    int rc = cm_fail(CM_ERR_ROSTER, "%s", cm_text_cstr(&all));
    cm_text_free(&all);
    return rc;
}

/* --- rows --- */

static struct cm_str keep_text(struct cm_roster_build *build, struct cm_str text)
{
    if (text.len == 0) {
        return (struct cm_str){.p = "", .len = 0};
    }
    if (build->blocks == NULL || BLOCK_BYTES - build->blocks->used < text.len) {
        struct cm_roster_block *block = cm_alloc(1, sizeof(*block));
        block->next = build->blocks;
        build->blocks = block;
    }
    char *to = build->blocks->text + build->blocks->used;
    memcpy(to, text.p, text.len);
    build->blocks->used += text.len;
    return (struct cm_str){.p = to, .len = text.len};
}

static struct cm_str keep(struct cm_roster_build *build, enum cm_roster_column column,
                          struct cm_str text)
{
    if (build->last[column].p == NULL || !cm_str_eq(build->last[column], text)) {
        build->last[column] = keep_text(build, text);
    }
    return build->last[column];
}

static bool check_id(struct cm_roster_build *build, enum cm_roster_column column,
                     const struct cm_roster_field *field)
{
    const char *name = column_names[column];
    struct cm_str text = field->text;
    if (!is_utf8(text)) {
        cm_roster_mistake(build, field->line, field->column, "%s is not valid UTF-8", name);
        return false;
    }
    if (text.len > CM_UNIT_BYTES_MAX) {
        cm_roster_mistake(build, field->line, field->column,
                          "%s is %u bytes long; an id has at most %u", name, text.len,
                          (unsigned)CM_UNIT_BYTES_MAX);
        return false;
    }
    if (text.len > 0 && memchr(text.p, '\0', text.len) != NULL) {
        cm_roster_mistake(build, field->line, field->column, "%s holds a NUL byte", name);
        return false;
    }
    return true;
}

static bool check_from(struct cm_roster_build *build, const struct cm_roster_field *field,
                       int64_t *from_ms)
{
    *from_ms = INT64_MIN;
    if (field->text.len == 0 || cm_parse_rfc3339(field->text.p, field->text.len, from_ms)) {
        return true;
    }
    struct cm_str quoted = shown(field->text);
    cm_roster_mistake(build, field->line, field->column,
                      "from '%.*s' is not a time with zone such as 2026-11-01T08:00:00+08:00",
                      (int)quoted.len, quoted.p);
    return false;
}

void cm_roster_add(struct cm_roster_build *build,
                   const struct cm_roster_field fields[CM_ROSTER_COLUMN_COUNT])
{
    const struct cm_roster_field *seat = &fields[CM_ROSTER_SEAT];
    bool good = true;
    if (seat->text.len == 0) {
        cm_roster_mistake(build, seat->line, seat->column, "seat is empty");
        good = false;
    }
    for (uint32_t i = CM_ROSTER_SEAT; i <= CM_ROSTER_CENTRE; i++) {
        good = check_id(build, (enum cm_roster_column)i, &fields[i]) && good;
    }
    int64_t from_ms;
    good = check_from(build, &fields[CM_ROSTER_FROM], &from_ms) && good;
    if (!good) {
        return;
    }
    if (build->entries_count == build->entries_cap) {
        CM_ASSERT(build->entries_cap < UINT32_MAX / 2);
        build->entries_cap = build->entries_cap == 0 ? 256 : build->entries_cap * 2;
        build->entries = cm_realloc(build->entries, build->entries_cap, sizeof(build->entries[0]));
    }
    struct cm_str centre = fields[CM_ROSTER_CENTRE].text;
    build->entries[build->entries_count] = (struct cm_roster_entry){
        .row = {.seat = keep(build, CM_ROSTER_SEAT, seat->text),
                .from_ms = from_ms,
                .place = {.team = keep(build, CM_ROSTER_TEAM, fields[CM_ROSTER_TEAM].text),
                          .room = keep(build, CM_ROSTER_ROOM, fields[CM_ROSTER_ROOM].text),
                          .centre = keep(build, CM_ROSTER_CENTRE,
                                         centre.len == 0 ? build->default_centre : centre)}},
        .line = seat->line,
        .column = seat->column,
        .order = build->entries_count,
    };
    build->entries_count++;
}

static int entry_cmp(const void *left, const void *right)
{
    const struct cm_roster_entry *a = left;
    const struct cm_roster_entry *b = right;
    int order = cm_str_cmp(a->row.seat, b->row.seat);
    if (order != 0) {
        return order;
    }
    if (a->row.from_ms != b->row.from_ms) {
        return a->row.from_ms < b->row.from_ms ? -1 : 1;
    }
    return (a->order > b->order) - (a->order < b->order);
}

void cm_roster_sort(struct cm_roster_build *build)
{
    if (build->entries_count == 0) {
        return;
    }
    qsort(build->entries, build->entries_count, sizeof(build->entries[0]), entry_cmp);
    for (uint32_t i = 1; i < build->entries_count; i++) {
        const struct cm_roster_entry *before = &build->entries[i - 1];
        const struct cm_roster_entry *entry = &build->entries[i];
        if (before->row.from_ms != entry->row.from_ms ||
            !cm_str_eq(before->row.seat, entry->row.seat)) {
            continue;
        }
        cm_roster_mistake(build, entry->line, entry->column,
                          "seat '%.*s' is already in line %u with the same from",
                          (int)entry->row.seat.len, entry->row.seat.p, before->line);
    }
}

void cm_roster_blocks_free(struct cm_roster_block *blocks)
{
    while (blocks != NULL) {
        struct cm_roster_block *next = blocks->next;
        free(blocks);
        blocks = next;
    }
}

void cm_roster_build_free(struct cm_roster_build *build)
{
    for (size_t i = 0; i < CM_ROSTER_MISTAKES_MAX; i++) {
        free(build->mistakes[i].text);
    }
    cm_roster_blocks_free(build->blocks);
    free(build->entries);
    *build = (struct cm_roster_build){0};
}
