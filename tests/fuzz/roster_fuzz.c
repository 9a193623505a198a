// SPDX-License-Identifier: Apache-2.0
/* roster_fuzz.c — any text loads as CSV and as YAML or is refused with a reason; of what loads
 * every row is found again, and written out as CSV it loads to the same rows.
 */
#include <stdbool.h>
#include <string.h>

#include "base/fail.h"
#include "base/text.h"
#include "driver.h"
#include "event/roster.h"

static void add_quoted(struct cm_text *out, struct cm_str field)
{
    cm_text_addc(out, '"');
    for (uint32_t i = 0; i < field.len; i++) {
        if (field.p[i] == '"') {
            cm_text_addc(out, '"');
        }
        cm_text_addc(out, field.p[i]);
    }
    cm_text_adds(out, "\",");
}

static void write_csv(const struct cm_seat_row *rows, uint32_t count, struct cm_text *out)
{
    cm_text_adds(out, "seat,team,room,centre,from\n");
    for (uint32_t i = 0; i < count; i++) {
        char from[32] = "";
        if (rows[i].from_ms != INT64_MIN) {
            cm_format_rfc3339(rows[i].from_ms, from);
        }
        add_quoted(out, rows[i].seat);
        add_quoted(out, rows[i].place.team);
        add_quoted(out, rows[i].place.room);
        add_quoted(out, rows[i].place.centre);
        cm_text_adds(out, from);
        cm_text_addc(out, '\n');
    }
}

static void check_rows(const struct cm_roster *roster, const struct cm_seat_row *rows,
                       uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t of_seat = 0;
        FUZZ_REQUIRE(rows[i].seat.len > 0 && rows[i].seat.len <= 32);
        if (i > 0) {
            int order = cm_str_cmp(rows[i - 1].seat, rows[i].seat);
            FUZZ_REQUIRE(order < 0 || (order == 0 && rows[i - 1].from_ms < rows[i].from_ms));
        }
        FUZZ_REQUIRE(cm_roster_seat(roster, rows[i].seat, &of_seat) != NULL && of_seat > 0);
        int64_t ts_ms = rows[i].from_ms == INT64_MIN ? 0 : rows[i].from_ms;
        const struct cm_place *place = cm_roster_place(roster, rows[i].seat, ts_ms);
        FUZZ_REQUIRE(place != NULL);
        if (rows[i].from_ms != INT64_MIN) {
            FUZZ_REQUIRE(cm_str_eq(place->team, rows[i].place.team));
            FUZZ_REQUIRE(cm_str_eq(place->room, rows[i].place.room));
            FUZZ_REQUIRE(cm_str_eq(place->centre, rows[i].place.centre));
        }
        struct cm_place above;
        FUZZ_REQUIRE(rows[i].place.team.len == 0 ||
                     cm_roster_team(roster, rows[i].place.team, &above));
        FUZZ_REQUIRE(rows[i].place.room.len == 0 ||
                     cm_roster_room(roster, rows[i].place.room, &above));
    }
}

static void check_again(const struct cm_seat_row *rows, uint32_t count)
{
    struct cm_text csv = {0};
    struct cm_roster *again = NULL;
    uint32_t again_count = 0;
    write_csv(rows, count, &csv);
    int rc = cm_roster_parse("again.csv", csv.data, csv.len, "main", &again);
    if (rc != 0) {
        (void)fprintf(stderr, "%.*s\n%s\n", (int)csv.len, csv.data, cm_fail_text());
    }
    FUZZ_REQUIRE(rc == 0);
    const struct cm_seat_row *others = cm_roster_rows(again, &again_count);
    FUZZ_REQUIRE(again_count == count);
    for (uint32_t i = 0; i < count; i++) {
        FUZZ_REQUIRE(cm_str_eq(others[i].seat, rows[i].seat));
        FUZZ_REQUIRE(others[i].from_ms == rows[i].from_ms);
        FUZZ_REQUIRE(cm_str_eq(others[i].place.team, rows[i].place.team));
        FUZZ_REQUIRE(cm_str_eq(others[i].place.room, rows[i].place.room));
        FUZZ_REQUIRE(cm_str_eq(others[i].place.centre, rows[i].place.centre));
    }
    cm_roster_free(again);
    cm_text_free(&csv);
}

static void check_as(const char *name, const char *text, size_t size)
{
    struct cm_roster *roster = NULL;
    uint32_t count = 0;
    int rc = cm_roster_parse(name, text, size, "main", &roster);
    if (rc != 0) {
        FUZZ_REQUIRE(rc == -CM_ERR_ROSTER);
        FUZZ_REQUIRE(cm_fail_text()[0] != '\0');
        return;
    }
    FUZZ_REQUIRE(roster != NULL);
    const struct cm_seat_row *rows = cm_roster_rows(roster, &count);
    check_rows(roster, rows, count);
    check_again(rows, count);
    cm_roster_free(roster);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = size > 0 ? (const char *)data : "";
    if (size <= 65536) {
        check_as("fuzz.csv", text, size);
        check_as("fuzz.yaml", text, size);
    }
    return 0;
}
