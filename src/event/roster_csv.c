// SPDX-License-Identifier: Apache-2.0
/* roster_csv.c — a cursor over the bytes, one field at a time.
 *
 *   line end   LF, CRLF, CR          field   blanks? (quoted | plain) blanks?
 *   record     field (, field)*      quoted  " (any byte but " | "")* "
 *
 * A field without quotes is borrowed from the bytes; a quoted one is copied into the scratch of its
 * column while the doubled quotes go, so the fields of a record live until the next record.
 *
 * THREADS   One. COST  One pass over the bytes.
 */
#include "event/roster_csv.h"

#include <string.h>

#define FIELDS_MAX 64 /* columns of a header that are told apart */

struct cursor {
    struct cm_roster_build *build;
    const char *p;
    const char *end;
    uint32_t line, column;
    bool unclosed; /* a quote that swallowed the rest of the file */
    struct cm_text quoted[CM_ROSTER_COLUMN_COUNT + 1]; /* the last one for unknown columns */
};

/* Which column a field of a record belongs to: CM_ROSTER_COLUMN_COUNT for those that are none. */
struct header {
    uint8_t column[FIELDS_MAX];
    uint32_t count;
    bool seen[CM_ROSTER_COLUMN_COUNT];
};

static bool at_end(const struct cursor *c)
{
    return c->p == c->end;
}

static bool at_line_end(const struct cursor *c)
{
    return at_end(c) || *c->p == '\n' || *c->p == '\r';
}

static bool at_blank(const struct cursor *c)
{
    return !at_end(c) && (*c->p == ' ' || *c->p == '\t');
}

/* Steps over one byte; a line end counts as one, also CRLF. Needs !at_end(). */
static void step(struct cursor *c)
{
    char byte = *c->p++;
    if (byte == '\r' && !at_end(c) && *c->p == '\n') {
        c->p++;
    }
    if (byte == '\n' || byte == '\r') {
        c->line++;
        c->column = 1;
    } else if (((unsigned char)byte & 0xc0) != 0x80) {
        c->column++; /* not for the further bytes of a code point */
    }
}

static void skip_blanks(struct cursor *c)
{
    while (at_blank(c)) {
        step(c);
    }
}

/* At the opening quote. Leaves the cursor at the comma or line end behind the field. */
static struct cm_str read_quoted(struct cursor *c, struct cm_text *into)
{
    uint32_t line = c->line;
    uint32_t column = c->column;
    into->len = 0;
    step(c);
    for (;;) {
        if (at_end(c)) {
            cm_roster_mistake(c->build, line, column, "this quote is never closed");
            c->unclosed = true;
            break;
        }
        if (*c->p == '"') {
            step(c);
            if (at_end(c) || *c->p != '"') {
                break;
            }
        }
        const char *from = c->p;
        step(c);
        cm_text_add(into, from, (size_t)(c->p - from));
    }
    skip_blanks(c);
    if (!at_line_end(c) && *c->p != ',') {
        cm_roster_mistake(c->build, c->line, c->column,
                          "text after the closing quote; a quote inside is written \"\"");
        while (!at_line_end(c) && *c->p != ',') {
            step(c);
        }
    }
    return (struct cm_str){.p = into->data == NULL ? "" : into->data, .len = (uint32_t)into->len};
}

static struct cm_str read_plain(struct cursor *c)
{
    const char *from = c->p;
    const char *last = c->p; /* behind the last byte that is no blank */
    bool quote = false;
    while (!at_line_end(c) && *c->p != ',') {
        if (*c->p == '"' && !quote) {
            cm_roster_mistake(c->build, c->line, c->column,
                              "a quote inside a field that does not begin with one");
            quote = true;
        }
        bool blank = at_blank(c);
        step(c);
        last = blank ? last : c->p;
    }
    return (struct cm_str){.p = from, .len = (uint32_t)(last - from)};
}

static struct cm_roster_field read_field(struct cursor *c, struct cm_text *scratch)
{
    skip_blanks(c);
    struct cm_roster_field field = {.line = c->line, .column = c->column};
    field.text = !at_end(c) && *c->p == '"' ? read_quoted(c, scratch) : read_plain(c);
    return field;
}

/* Skips lines of blanks; false at the end of the bytes. */
static bool next_record(struct cursor *c)
{
    for (;;) {
        skip_blanks(c);
        if (at_end(c)) {
            return false;
        }
        if (!at_line_end(c)) {
            return true;
        }
        step(c);
    }
}

/* Behind a field: true when the record goes on. */
static bool more_fields(struct cursor *c)
{
    if (at_end(c)) {
        return false;
    }
    bool more = *c->p == ',';
    step(c);
    return more;
}

static void read_header(struct cursor *c, struct header *header)
{
    uint32_t line = c->line;
    do {
        struct cm_roster_field field = read_field(c, &c->quoted[CM_ROSTER_COLUMN_COUNT]);
        enum cm_roster_column column = CM_ROSTER_COLUMN_COUNT;
        if (!cm_roster_column_parse(field.text, &column)) {
            cm_roster_unknown_column(c->build, field.text, field.line, field.column);
        } else if (header->seen[column]) {
            cm_roster_mistake(c->build, field.line, field.column, "column '%s' is there twice",
                              cm_roster_column_name(column));
            column = CM_ROSTER_COLUMN_COUNT;
        } else {
            header->seen[column] = true;
        }
        if (header->count < FIELDS_MAX) {
            header->column[header->count] = (uint8_t)column;
        }
        header->count++;
    } while (more_fields(c));
    for (uint32_t i = 0; i < CM_ROSTER_FROM; i++) {
        if (!header->seen[i]) {
            cm_roster_mistake(c->build, line, 1, "the header lacks the column '%s'",
                              cm_roster_column_name((enum cm_roster_column)i));
        }
    }
}

static void read_record(struct cursor *c, const struct header *header)
{
    struct cm_roster_field fields[CM_ROSTER_COLUMN_COUNT];
    uint32_t line = c->line;
    uint32_t column = c->column;
    uint32_t count = 0;
    for (uint32_t i = 0; i < CM_ROSTER_COLUMN_COUNT; i++) {
        fields[i] = (struct cm_roster_field){.text = {"", 0}, .line = line, .column = column};
    }
    do {
        uint32_t at = count < FIELDS_MAX && count < header->count ? header->column[count]
                                                                  : CM_ROSTER_COLUMN_COUNT;
        struct cm_roster_field field = read_field(c, &c->quoted[at]);
        if (at < CM_ROSTER_COLUMN_COUNT) {
            fields[at] = field;
        }
        count++;
    } while (more_fields(c));
    if (c->unclosed) {
        return;
    }
    if (count != header->count) {
        cm_roster_mistake(c->build, line, column, "%u field%s, but the header has %u", count,
                          count == 1 ? "" : "s", header->count);
    } else if (header->seen[CM_ROSTER_SEAT]) {
        cm_roster_add(c->build, fields);
    }
}

void cm_roster_read_csv(struct cm_roster_build *build, const char *bytes, size_t len)
{
    struct cursor c = {.build = build, .p = len == 0 ? "" : bytes, .line = 1, .column = 1};
    c.end = c.p + len;
    struct header header = {0};
    if (!next_record(&c)) {
        cm_roster_mistake(build, 1, 1, "no header; it is seat,team,room,centre[,from]");
        return;
    }
    read_header(&c, &header);
    while (next_record(&c)) {
        read_record(&c, &header);
    }
    for (size_t i = 0; i < CM_ARRAY_LEN(c.quoted); i++) {
        cm_text_free(&c.quoted[i]);
    }
}
