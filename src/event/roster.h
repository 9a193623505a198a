// SPDX-License-Identifier: Apache-2.0
/* roster.h — which seat sits in which team, room and centre, from when on.
 *
 * CSV with the header `seat,team,room,centre[,from]` (any order of columns, quoted fields as RFC
 * 4180), or YAML: a list of maps with the same keys. `from` is RFC 3339, inclusive, compared with
 * the event's ts; without it the row holds from the beginning. team and room may be empty (a seat
 * straight under the centre); centre empty means the configured one. Which it is, the file's name
 * says (.yaml, .yml: YAML).
 *
 * THREADS   Immutable once loaded; any thread may read. A reload makes a new one.
 * ERRORS    All mistakes of the file are reported at once, file:line:column, and nothing is taken
 *           (unknown column, wrong time, id too long, the same seat twice with the same from).
 */
#ifndef CM_EVENT_ROSTER_H
#define CM_EVENT_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/text.h"

struct cm_roster;

/* Where a seat (or a team, a room) belongs; len 0 = there is none on that level. Borrowed from the
 * roster. */
struct cm_place {
    struct cm_str team, room, centre;
};

struct cm_seat_row {
    struct cm_str seat;
    int64_t from_ms; /* INT64_MIN: from the beginning */
    struct cm_place place;
};

/* Reads a file. 0, or -CM_ERR_ROSTER with one line a mistake in the text of cm_fail_text(). */
CM_NODISCARD int cm_roster_load(const char *path, const char *default_centre,
                                struct cm_roster **out);
/* The same from memory; `name` stands for the path in messages and decides the format by its
 * ending. */
CM_NODISCARD int cm_roster_parse(const char *name, const char *bytes, size_t len,
                                 const char *default_centre, struct cm_roster **out);
/* A roster with no rows. */
struct cm_roster *cm_roster_empty(void);
void cm_roster_free(struct cm_roster *roster);

/* The rows of a seat, rising by from_ms; count 0 when the roster lacks it. One hash and one probe.
 */
const struct cm_seat_row *cm_roster_seat(const struct cm_roster *roster, struct cm_str seat,
                                         uint32_t *count);
/* The row in force at that event time; NULL when the roster lacks the seat or its first row begins
 * later. */
const struct cm_place *cm_roster_place(const struct cm_roster *roster, struct cm_str seat,
                                       int64_t ts_ms);
/* The room and centre of a team, the centre of a room: as of the row with the newest from_ms that
 * names it. false when no row does. */
bool cm_roster_team(const struct cm_roster *roster, struct cm_str team, struct cm_place *place);
bool cm_roster_room(const struct cm_roster *roster, struct cm_str room, struct cm_place *place);

/* All rows, sorted by seat (bytes), then from_ms. */
const struct cm_seat_row *cm_roster_rows(const struct cm_roster *roster, uint32_t *count);

#endif
