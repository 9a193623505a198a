// SPDX-License-Identifier: Apache-2.0
/* roster_yaml.c — walks libyaml's events; a mistake inside a row is reported, the walk goes on.
 *
 *   stream ─ document ─ sequence ─┬─ mapping ─ key, value, key, value ..
 *                                 └─ mapping ..
 *
 * What stands where a row, a key or a value is expected but is a collection is skipped by counting
 * its beginnings and ends. Only libyaml's own errors (syntax) end the walk.
 *
 * THREADS   One. OWNERSHIP  The fields of a row are copied until the row is complete.
 */
#include "event/roster_yaml.h"

#include <stdio.h>
#include <yaml.h>

#include "base/fail.h"

struct walk {
    struct cm_roster_build *build;
    yaml_parser_t parser;
    yaml_event_t event;
    bool held;   /* event is to be deleted */
    bool broken; /* libyaml gave up */
    const char *bytes;
    size_t len;
};

struct row {
    struct cm_text text[CM_ROSTER_COLUMN_COUNT];
    struct cm_roster_field fields[CM_ROSTER_COLUMN_COUNT];
    bool seen[CM_ROSTER_COLUMN_COUNT];
};

static uint32_t line_of(yaml_mark_t mark)
{
    return (uint32_t)mark.line + 1;
}

static uint32_t column_of(yaml_mark_t mark)
{
    return (uint32_t)mark.column + 1;
}

/* The reader knows only a byte offset. */
static yaml_mark_t mark_at(const struct walk *w, size_t offset)
{
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < offset && i < w->len; i++) {
        if (w->bytes[i] == '\n') {
            mark.line++;
            mark.column = 0;
        } else if (((unsigned char)w->bytes[i] & 0xc0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

static void report_broken(struct walk *w)
{
    const yaml_parser_t *parser = &w->parser;
    CM_ASSERT(parser->error != YAML_MEMORY_ERROR);
    bool reader = parser->error == YAML_READER_ERROR;
    yaml_mark_t mark = reader ? mark_at(w, parser->problem_offset) : parser->problem_mark;
    const char *problem = parser->problem == NULL ? "not valid YAML" : parser->problem;
    const char *context = parser->context == NULL ? "" : parser->context;
    char begun[40] = "";
    if (!reader && context[0] != '\0' && parser->context_mark.line != mark.line) {
        snprintf(begun, sizeof(begun), " (begun in line %u)", line_of(parser->context_mark));
    }
    cm_roster_mistake(w->build, line_of(mark), column_of(mark), "%s%s%s%s", problem,
                      context[0] == '\0' ? "" : " ", context, begun);
}

/* What a roster does not take, whatever the place; reported once for each event. */
static void refuse(struct walk *w)
{
    const yaml_event_t *event = &w->event;
    const yaml_char_t *anchor = NULL;
    const yaml_char_t *tag = NULL;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    case YAML_ALIAS_EVENT:
        cm_roster_mistake(w->build, line_of(event->start_mark), column_of(event->start_mark),
                          "an alias (*%s); write the value out", event->data.alias.anchor);
        break;
    default:
        break;
    }
    if (anchor != NULL) {
        cm_roster_mistake(w->build, line_of(event->start_mark), column_of(event->start_mark),
                          "an anchor (&%s); a roster has none", anchor);
    }
    if (tag != NULL) {
        cm_roster_mistake(w->build, line_of(event->start_mark), column_of(event->start_mark),
                          "a tag (%s); a roster has none", tag);
    }
}

/* Moves to the next event; false when there is none. */
static bool next(struct walk *w)
{
    if (w->held) {
        yaml_event_delete(&w->event);
        w->held = false;
    }
    if (w->broken) {
        return false;
    }
    if (yaml_parser_parse(&w->parser, &w->event) == 0) {
        w->broken = true;
        report_broken(w);
        return false;
    }
    w->held = true;
    refuse(w);
    return w->event.type != YAML_STREAM_END_EVENT;
}

/* At the first event of a node: moves to its last one. */
static void skip_node(struct walk *w)
{
    uint64_t depth = 0;
    do {
        yaml_event_type_t type = w->event.type;
        if (type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT) {
            depth++;
        } else if (type == YAML_SEQUENCE_END_EVENT || type == YAML_MAPPING_END_EVENT) {
            depth--;
        }
    } while (depth > 0 && next(w));
}

static struct cm_str scalar(const yaml_event_t *event)
{
    return (struct cm_str){.p = (const char *)event->data.scalar.value,
                           .len = (uint32_t)event->data.scalar.length};
}

static bool is_null(const yaml_event_t *event)
{
    static const struct cm_str nulls[] = {{"~", 1}, {"null", 4}, {"Null", 4}, {"NULL", 4}};
    if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
        return false;
    }
    for (size_t i = 0; i < CM_ARRAY_LEN(nulls); i++) {
        if (cm_str_eq(scalar(event), nulls[i])) {
            return true;
        }
    }
    return false;
}

/* At a key: its column, or CM_ROSTER_COLUMN_COUNT with the mistake reported. */
static enum cm_roster_column read_key(struct walk *w, struct row *row)
{
    uint32_t line = line_of(w->event.start_mark);
    uint32_t at = column_of(w->event.start_mark);
    enum cm_roster_column column = CM_ROSTER_COLUMN_COUNT;
    if (w->event.type != YAML_SCALAR_EVENT) {
        if (w->event.type != YAML_ALIAS_EVENT) { /* that one was refused already */
            cm_roster_mistake(w->build, line, at, "a key must be a word");
        }
        skip_node(w);
        return CM_ROSTER_COLUMN_COUNT;
    }
    if (!cm_roster_column_parse(scalar(&w->event), &column)) {
        cm_roster_unknown_column(w->build, scalar(&w->event), line, at);
        return CM_ROSTER_COLUMN_COUNT;
    }
    if (row->seen[column]) {
        cm_roster_mistake(w->build, line, at, "'%s' is there twice", cm_roster_column_name(column));
        return CM_ROSTER_COLUMN_COUNT;
    }
    row->seen[column] = true;
    return column;
}

/* At a value. */
static bool read_value(struct walk *w, struct row *row, enum cm_roster_column column)
{
    uint32_t line = line_of(w->event.start_mark);
    uint32_t at = column_of(w->event.start_mark);
    if (w->event.type != YAML_SCALAR_EVENT) {
        if (w->event.type != YAML_ALIAS_EVENT && column < CM_ROSTER_COLUMN_COUNT) {
            cm_roster_mistake(w->build, line, at, "%s must be one word, not a list or a map",
                              cm_roster_column_name(column));
        }
        skip_node(w);
        return false;
    }
    if (column < CM_ROSTER_COLUMN_COUNT) {
        struct cm_text *text = &row->text[column];
        struct cm_str value = is_null(&w->event) ? (struct cm_str){"", 0} : scalar(&w->event);
        text->len = 0;
        cm_text_add(text, value.p, value.len);
        row->fields[column] = (struct cm_roster_field){
            .text = {.p = text->data, .len = value.len}, .line = line, .column = at};
    }
    return true;
}

/* At the start of a row's map: moves to its end. */
static void read_row(struct walk *w, struct row *row)
{
    uint32_t line = line_of(w->event.start_mark);
    uint32_t at = column_of(w->event.start_mark);
    bool good = true;
    for (uint32_t i = 0; i < CM_ROSTER_COLUMN_COUNT; i++) {
        row->fields[i] = (struct cm_roster_field){.text = {"", 0}, .line = line, .column = at};
        row->seen[i] = false;
    }
    while (next(w) && w->event.type != YAML_MAPPING_END_EVENT) {
        enum cm_roster_column column = read_key(w, row);
        if (w->broken || !next(w)) {
            return;
        }
        good = read_value(w, row, column) && good;
    }
    if (w->broken || !good) {
        return;
    }
    if (!row->seen[CM_ROSTER_SEAT]) {
        cm_roster_mistake(w->build, line, at, "this row has no seat");
        return;
    }
    cm_roster_add(w->build, row->fields);
}

/* At the first event of the document's node. */
static void read_list(struct walk *w)
{
    if (w->event.type != YAML_SEQUENCE_START_EVENT) {
        cm_roster_mistake(w->build, line_of(w->event.start_mark), column_of(w->event.start_mark),
                          "expected a list of rows, each `- {seat: .., team: .., room: ..}`");
        skip_node(w);
        return;
    }
    struct row row = {0};
    while (next(w) && w->event.type != YAML_SEQUENCE_END_EVENT) {
        if (w->event.type == YAML_MAPPING_START_EVENT) {
            read_row(w, &row);
            continue;
        }
        if (w->event.type != YAML_ALIAS_EVENT) {
            cm_roster_mistake(w->build, line_of(w->event.start_mark),
                              column_of(w->event.start_mark),
                              "a row must be a map, `{seat: .., team: .., room: ..}`");
        }
        skip_node(w);
    }
    for (uint32_t i = 0; i < CM_ROSTER_COLUMN_COUNT; i++) {
        cm_text_free(&row.text[i]);
    }
}

void cm_roster_read_yaml(struct cm_roster_build *build, const char *bytes, size_t len)
{
    struct walk w = {.build = build, .bytes = len == 0 ? "" : bytes, .len = len};
    CM_ASSERT(yaml_parser_initialize(&w.parser) != 0);
    yaml_parser_set_encoding(&w.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&w.parser, (const unsigned char *)w.bytes, len);
    uint32_t documents = 0;
    while (next(&w)) {
        if (w.event.type != YAML_DOCUMENT_START_EVENT) {
            continue;
        }
        yaml_mark_t start = w.event.start_mark;
        if (!next(&w)) {
            break;
        }
        if (++documents > 1) {
            cm_roster_mistake(build, line_of(start), column_of(start),
                              "a second document; a roster is one list");
            skip_node(&w);
            continue;
        }
        read_list(&w);
    }
    if (documents == 0 && !w.broken) {
        cm_roster_mistake(build, 1, 1, "the file is empty; expected a list of rows, [] for none");
    }
    if (w.held) {
        yaml_event_delete(&w.event);
    }
    yaml_parser_delete(&w.parser);
}
