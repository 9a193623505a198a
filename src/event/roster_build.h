// SPDX-License-Identifier: Apache-2.0
/* roster_build.h — what the readers of a roster (CSV, YAML) share: columns, rows, mistakes.
 *
 *   bytes ─► roster_csv ──┐
 *                         ├─ fields with positions ─► roster_build ─► checked rows ─► roster.c
 *   bytes ─► roster_yaml ─┘
 *
 * A reader goes on after a mistake, so that all of them are reported at once.
 *
 * UNITS     Lines and columns count from 1, columns in code points.
 * OWNERSHIP The builder copies the text of rows into blocks, which the roster takes over; fields
 * are borrowed for the call.
 */
#ifndef CM_EVENT_ROSTER_BUILD_H
#define CM_EVENT_ROSTER_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "event/roster.h"

/* X(CODE, "name in the header") */
// clang-format off
#define CM_ROSTER_COLUMNS(X) \
    X(SEAT, "seat") X(TEAM, "team") X(ROOM, "room") X(CENTRE, "centre") X(FROM, "from")
// clang-format on
#define X(code, text) CM_ROSTER_##code,
enum cm_roster_column { CM_ROSTER_COLUMNS(X) CM_ROSTER_COLUMN_COUNT };
#undef X

#define CM_ROSTER_MISTAKES_MAX 100 /* kept for the report; the others are counted */

struct cm_roster_field {
    struct cm_str text; /* len 0: empty or absent */
    uint32_t line, column;
};

struct cm_roster_mistake {
    uint32_t line, column;
    char *text;
};

struct cm_roster_entry {
    struct cm_seat_row row;
    uint32_t line, column; /* of the seat */
    uint32_t order;        /* in the file, from 0 */
};

struct cm_roster_block;

struct cm_roster_build {
    struct cm_str default_centre;
    struct cm_roster_entry *entries;
    uint32_t entries_count, entries_cap;
    struct cm_roster_block *blocks;
    struct cm_str last[CM_ROSTER_COLUMN_COUNT]; /* kept texts of the row before */
    struct cm_roster_mistake mistakes[CM_ROSTER_MISTAKES_MAX];
    uint64_t mistakes_count; /* all, also those not kept */
};

/* The column of a name; false when it is none. */
bool cm_roster_column_parse(struct cm_str name, enum cm_roster_column *column);
const char *cm_roster_column_name(enum cm_roster_column column);
/* Reports a column that is none, with a suggestion. */
void cm_roster_unknown_column(struct cm_roster_build *build, struct cm_str name, uint32_t line,
                              uint32_t column);
void cm_roster_mistake(struct cm_roster_build *build, uint32_t line, uint32_t column,
                       const char *format, ...) CM_PRINTF(4, 5);
/* Checks a row and takes it; a mistake is reported and the row left out. */
void cm_roster_add(struct cm_roster_build *build,
                   const struct cm_roster_field fields[CM_ROSTER_COLUMN_COUNT]);
/* Sorts the entries by seat and from, and reports seats that are there twice with one from. */
void cm_roster_sort(struct cm_roster_build *build);
/* 0, or -CM_ERR_ROSTER with all mistakes as `name:line:column: text` lines. */
CM_NODISCARD int cm_roster_report(struct cm_roster_build *build, const char *name);
/* Gives back what the roster did not take over. */
void cm_roster_build_free(struct cm_roster_build *build);
void cm_roster_blocks_free(struct cm_roster_block *blocks);

#endif
