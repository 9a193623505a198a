// SPDX-License-Identifier: Apache-2.0
/* roster.c — the sorted rows of a roster, and three hash tables over them.
 *
 *   rows     seat 1001 from -inf | 1001 from May | 1002 ..     sorted by seat, then from
 *   seats    hash ─► first row, number of rows
 *   teams    hash ─► the newest row that names the team;  rooms likewise
 *
 * The readers (roster_csv, roster_yaml) and the checks of single rows (roster_build) stand beside.
 *
 * THREADS   Immutable once loaded.
 * OWNERSHIP The roster owns rows, text and tables; what look-ups return is borrowed from it.
 * COST      32 bytes of table a seat at most, at half load; a look-up is one hash and one probe.
 */
#include "event/roster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/memory.h"
#include "event/roster_build.h"
#include "event/roster_csv.h"
#include "event/roster_yaml.h"

#define FILE_BYTES_MAX ((size_t)256 * 1024 * 1024)
#define READ_BYTES     65536

struct slot {
    uint64_t hash;
    uint32_t first; /* a row */
    uint32_t count; /* rows of the seat; 1 for teams and rooms; 0: free */
};

struct table {
    struct slot *slots;
    uint64_t mask;
};

struct cm_roster {
    struct cm_seat_row *rows;
    uint32_t rows_count;
    struct cm_roster_block *blocks; /* all text */
    struct table seats, teams, rooms;
};

/* --- tables --- */

static struct table table_create(uint32_t keys_max)
{
    uint64_t size = 8;
    while (size < (uint64_t)keys_max * 2) {
        size *= 2;
    }
    return (struct table){.slots = cm_alloc(size, sizeof(struct slot)), .mask = size - 1};
}

static struct cm_str seat_of(const struct cm_seat_row *row)
{
    return row->seat;
}

static struct cm_str team_of(const struct cm_seat_row *row)
{
    return row->place.team;
}

static struct cm_str room_of(const struct cm_seat_row *row)
{
    return row->place.room;
}

static uint64_t hash_of(struct cm_str name)
{
    return cm_hash64(name.len == 0 ? "" : name.p, name.len);
}

/* The slot of the name, or the free one where it belongs. */
static struct slot *probe(const struct cm_roster *roster, const struct table *table,
                          struct cm_str (*name_of)(const struct cm_seat_row *), struct cm_str name)
{
    uint64_t hash = hash_of(name);
    for (uint64_t at = hash & table->mask;; at = (at + 1) & table->mask) {
        struct slot *slot = &table->slots[at];
        if (slot->count == 0) {
            return slot;
        }
        if (slot->hash == hash && cm_str_eq(name_of(&roster->rows[slot->first]), name)) {
            return slot;
        }
    }
}

static void index_seats(struct cm_roster *roster)
{
    for (uint32_t first = 0; first < roster->rows_count;) {
        uint32_t behind = first + 1;
        while (behind < roster->rows_count &&
               cm_str_eq(roster->rows[behind].seat, roster->rows[first].seat)) {
            behind++;
        }
        struct slot *slot = probe(roster, &roster->seats, seat_of, roster->rows[first].seat);
        *slot = (struct slot){
            .hash = hash_of(roster->rows[first].seat), .first = first, .count = behind - first};
        first = behind;
    }
}

/* The newest row of each team or room; of equals the last in the file. */
static void index_names(struct cm_roster *roster, struct table *table,
                        struct cm_str (*name_of)(const struct cm_seat_row *),
                        const struct cm_roster_entry *entries)
{
    for (uint32_t i = 0; i < roster->rows_count; i++) {
        struct cm_str name = name_of(&roster->rows[i]);
        if (name.len == 0) {
            continue;
        }
        struct slot *slot = probe(roster, table, name_of, name);
        const struct cm_roster_entry *held = &entries[slot->first];
        bool newer =
            slot->count == 0 || entries[i].row.from_ms > held->row.from_ms ||
            (entries[i].row.from_ms == held->row.from_ms && entries[i].order > held->order);
        if (newer) {
            *slot = (struct slot){.hash = hash_of(name), .first = i, .count = 1};
        }
    }
}

/* --- making one --- */

static struct cm_roster *roster_of(struct cm_roster_build *build)
{
    struct cm_roster *roster = cm_alloc(1, sizeof(*roster));
    uint32_t count = build->entries_count;
    roster->rows = cm_alloc(count == 0 ? 1 : count, sizeof(*roster->rows));
    roster->rows_count = count;
    for (uint32_t i = 0; i < count; i++) {
        roster->rows[i] = build->entries[i].row;
    }
    roster->blocks = build->blocks;
    build->blocks = NULL;
    roster->seats = table_create(count);
    roster->teams = table_create(count);
    roster->rooms = table_create(count);
    index_seats(roster);
    index_names(roster, &roster->teams, team_of, build->entries);
    index_names(roster, &roster->rooms, room_of, build->entries);
    return roster;
}

static bool ends_with(const char *name, const char *ending)
{
    size_t len = strlen(name);
    size_t ending_len = strlen(ending);
    return len >= ending_len && strcmp(name + len - ending_len, ending) == 0;
}

int cm_roster_parse(const char *name, const char *bytes, size_t len, const char *default_centre,
                    struct cm_roster **out)
{
    struct cm_roster_build build = {
        .default_centre = {default_centre, (uint32_t)strlen(default_centre)}};
    if (len >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0)) {
        return cm_fail(CM_ERR_ROSTER, "%s:1:1: this is UTF-16; save the file as UTF-8", name);
    }
    if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        bytes += 3;
        len -= 3;
    }
    if (ends_with(name, ".yaml") || ends_with(name, ".yml")) {
        cm_roster_read_yaml(&build, bytes, len);
    } else {
        cm_roster_read_csv(&build, bytes, len);
    }
    cm_roster_sort(&build);
    int rc = cm_roster_report(&build, name);
    if (rc == 0) {
        *out = roster_of(&build);
    }
    cm_roster_build_free(&build);
    return rc;
}

/* 0 with the whole file in `into`, or -CM_ERR_ROSTER. */
static int read_file(const char *path, struct cm_text *into)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return cm_fail(CM_ERR_ROSTER, "%s: cannot open the roster: %s", path, strerror(errno));
    }
    int rc = 0;
    for (;;) {
        size_t got = fread(cm_text_room(into, READ_BYTES), 1, READ_BYTES, file);
        into->len += got;
        if (into->len > FILE_BYTES_MAX) {
            rc = cm_fail(CM_ERR_ROSTER, "%s: larger than 256 MiB; is this the roster?", path);
            break;
        }
        if (got < READ_BYTES) {
            if (ferror(file)) {
                rc =
                    cm_fail(CM_ERR_ROSTER, "%s: cannot read the roster: %s", path, strerror(errno));
            }
            break;
        }
    }
    (void)fclose(file);
    return rc;
}

int cm_roster_load(const char *path, const char *default_centre, struct cm_roster **out)
{
    struct cm_text text = {0};
    int rc = read_file(path, &text);
    if (rc == 0) {
        rc = cm_roster_parse(path, text.data, text.len, default_centre, out);
    }
    cm_text_free(&text);
    return rc;
}

struct cm_roster *cm_roster_empty(void)
{
    struct cm_roster_build build = {0};
    return roster_of(&build);
}

void cm_roster_free(struct cm_roster *roster)
{
    if (roster == NULL) {
        return;
    }
    cm_roster_blocks_free(roster->blocks);
    free(roster->seats.slots);
    free(roster->teams.slots);
    free(roster->rooms.slots);
    free(roster->rows);
    free(roster);
}

/* --- looking up --- */

const struct cm_seat_row *cm_roster_seat(const struct cm_roster *roster, struct cm_str seat,
                                         uint32_t *count)
{
    const struct slot *slot = probe(roster, &roster->seats, seat_of, seat);
    *count = slot->count;
    return slot->count == 0 ? NULL : &roster->rows[slot->first];
}

const struct cm_place *cm_roster_place(const struct cm_roster *roster, struct cm_str seat,
                                       int64_t ts_ms)
{
    uint32_t count;
    const struct cm_seat_row *rows = cm_roster_seat(roster, seat, &count);
    while (count > 0 && rows[count - 1].from_ms > ts_ms) {
        count--;
    }
    return count == 0 ? NULL : &rows[count - 1].place;
}

bool cm_roster_team(const struct cm_roster *roster, struct cm_str team, struct cm_place *place)
{
    const struct slot *slot = probe(roster, &roster->teams, team_of, team);
    if (slot->count == 0) {
        return false;
    }
    *place = roster->rows[slot->first].place;
    place->team = (struct cm_str){"", 0};
    return true;
}

bool cm_roster_room(const struct cm_roster *roster, struct cm_str room, struct cm_place *place)
{
    const struct slot *slot = probe(roster, &roster->rooms, room_of, room);
    if (slot->count == 0) {
        return false;
    }
    *place = (struct cm_place){
        .team = {"", 0}, .room = {"", 0}, .centre = roster->rows[slot->first].place.centre};
    return true;
}

const struct cm_seat_row *cm_roster_rows(const struct cm_roster *roster, uint32_t *count)
{
    *count = roster->rows_count;
    return roster->rows;
}
