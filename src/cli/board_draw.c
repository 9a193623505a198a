// SPDX-License-Identifier: Apache-2.0
/* board_draw.c — see board_draw.h. The table of columns says what is shown of a row, how, and from
 * which value on it is amber or red. */
#include "cli/board_draw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "cli/board_format.h"
#include "cli/board_now.h"

#define FRESH_MS     2500
#define STALE_MS     10000
#define LAG_MANY     10000
#define BREACHES_MAX 6u
#define QUEUES_MAX   12u
#define PLAIN_MAX    21u /* lines of breaches where there is no bound */
#define NAME_CELLS   14u /* more where there is room */
#define NAME_MOST    34u
#define BAR_CELLS    10u
#define VALUE_BYTES  CM_BOARD_VALUE_BYTES
#define WAIT_CELLS   6u /* two of them where the bar would be */

enum format { COUNT, PERCENT, CLOCK, SCORE };

/* Amber and red as fixed point of the figure; equal ones: no colours. amber > red: low is bad. */
struct column {
    const char *title, *tile;
    enum cm_figure figure;
    enum format format;
    uint32_t cells, tile_cells;
    uint64_t amber, red;
    bool in_table, is_tile;
    bool if_wide; /* in the table where there is room beside the bar */
};

static const struct column columns[] = {
    {"offered", "offered", CM_FIGURE_offered, COUNT, 10, 10, 0, 0, true, true, false},
    {"answered", "answered", CM_FIGURE_answered, COUNT, 10, 10, 0, 0, true, true, false},
    {"", "abandoned", CM_FIGURE_abandoned, COUNT, 0, 10, 0, 0, false, true, false},
    {"abandon %", "abandon %", CM_FIGURE_abandon_rate, PERCENT, 10, 10, 800, 1200, true, true,
     false},
    {"SL %", "SL %", CM_FIGURE_service_level, PERCENT, 7, 7, 8000, 7000, true, true, false},
    {"AHT", "AHT", CM_FIGURE_aht_ms, CLOCK, 7, 7, 360000, 480000, true, true, false},
    {"ASA", "ASA", CM_FIGURE_asa_ms, CLOCK, 7, 7, 30000, 60000, true, true, false},
    {"", "longest", CM_FIGURE_wait_max_ms, CLOCK, 0, 8, 300000, 600000, false, true, false},
    {"p90", "p90", CM_FIGURE_handle_p90_ms, CLOCK, 7, 7, 720000, 960000, true, true, false},
    {"comply %", "comply %", CM_FIGURE_compliance_rate, PERCENT, 10, 9, 9500, 9000, true, true,
     false},
    {"", "rating", CM_FIGURE_rating_avg, SCORE, 0, 7, 7500, 6500, false, true, false},
    {"busy %", "busy %", CM_FIGURE_occupancy, PERCENT, 8, 7, 0, 0, false, true, true},
};

/* ---- values --------------------------------------------------------------------------------- */

static void format_value(enum format format, const struct cm_value *value, char *out)
{
    if (value->null) {
        (void)snprintf(out, VALUE_BYTES, "-");
        return;
    }
    uint64_t tenths; /* of a percent, or of a point */
    switch (format) {
    case COUNT:
        cm_board_format_count(value->value, out);
        return;
    case CLOCK:
        cm_board_format_clock(value->value, out);
        return;
    case PERCENT:
    case SCORE:
        tenths = value->value / 10 + (value->value % 10 >= 5 ? 1 : 0);
        (void)snprintf(out, VALUE_BYTES, "%llu.%llu", (unsigned long long)(tenths / 10),
                       (unsigned long long)(tenths % 10));
        return;
    }
}

static enum cm_style judge(const struct column *column, const struct cm_value *value,
                           enum cm_style otherwise)
{
    if (value->null) {
        return CM_STYLE_DIM;
    }
    if (column->amber < column->red) {
        return value->value > column->red     ? CM_STYLE_BAD
               : value->value > column->amber ? CM_STYLE_WARN
                                              : otherwise;
    }
    if (column->amber > column->red) {
        return value->value < column->red     ? CM_STYLE_BAD
               : value->value < column->amber ? CM_STYLE_WARN
                                              : otherwise;
    }
    return otherwise;
}

/* Time of the day in the zone. */
static void format_time(const struct cm_board_look *look, int64_t ms, char *out)
{
    int64_t local = ms;
    if (look->zone != NULL) {
        local += (int64_t)cm_zone_offset_s(look->zone, ms) * CM_MS_PER_S;
    }
    int64_t s = local / CM_MS_PER_S % 86400;
    (void)snprintf(out, VALUE_BYTES, "%02lld:%02lld:%02lld", (long long)(s / 3600),
                   (long long)(s / 60 % 60), (long long)(s % 60));
}

/* "0.4 s", "12 s", "5 min", "3.2 h", "2.0 d" */
static void format_age(int64_t ms, char *out)
{
    double s = (double)(ms < 0 ? 0 : ms) / 1e3;
    if (s < 10) {
        (void)snprintf(out, VALUE_BYTES, "%.1f s", s);
    } else if (s < 120) {
        (void)snprintf(out, VALUE_BYTES, "%.0f s", s);
    } else if (s < 7200) {
        (void)snprintf(out, VALUE_BYTES, "%.0f min", s / 60);
    } else if (s < 172800) {
        (void)snprintf(out, VALUE_BYTES, "%.1f h", s / 3600);
    } else {
        (void)snprintf(out, VALUE_BYTES, "%.1f d", s / 86400);
    }
}

/* ---- head ----------------------------------------------------------------------------------- */

static void draw_title(const struct cm_board *b, const struct cm_board_look *look,
                       struct cm_pen *pen)
{
    const char *arrow = look->unicode ? " › " : " > ";
    const struct cm_board_unit *unit = cm_board_unit(b);
    uint32_t cells = 1;
    for (uint32_t i = 0; i < b->windows_count; i++) {
        cells +=
            (uint32_t)strlen(b->windows[i]) + (strcmp(b->windows[i], b->window) == 0 ? 3u : 1u);
    }
    pen->base = CM_STYLE_BAR;
    cm_pen_textf(pen, CM_STYLE_BAR, " callmill %s  ", b->version);
    for (uint32_t i = 0; i < b->depth; i++) {
        cm_pen_textf(pen, CM_STYLE_BAR, "%s%s", i > 0 ? arrow : "", b->path[i].id);
    }
    if (unit != NULL) {
        cm_pen_textf(pen, CM_STYLE_BAR, "  %s", cm_kind_name(unit->kind));
    }
    if (pen->column + cells + 2 < pen->width) {
        cm_pen_to(pen, pen->width - cells);
        for (uint32_t i = 0; i < b->windows_count; i++) {
            bool shown = strcmp(b->windows[i], b->window) == 0;
            cm_pen_textf(pen, CM_STYLE_BAR, shown ? "[%s] " : "%s ", b->windows[i]);
        }
    } else {
        cm_pen_textf(pen, CM_STYLE_BAR, "  [%s]", b->window);
    }
    cm_pen_end_line(pen, true);
}

static void draw_freshness(const struct cm_board *b, const struct cm_board_look *look,
                           struct cm_pen *pen)
{
    char text[VALUE_BYTES];
    int64_t age_ms = look->now_ms - b->asof_ms;
    enum cm_style style = age_ms <= FRESH_MS && b->connected ? CM_STYLE_GOOD
                          : age_ms <= STALE_MS               ? CM_STYLE_WARN
                                                             : CM_STYLE_BAD;
    format_time(look, b->asof_ms, text);
    cm_pen_textf(pen, CM_STYLE_NORMAL, " as of %s  ", text);
    format_age(age_ms, text);
    cm_pen_textf(pen, style, "%s %s old",
                 !look->unicode           ? "*"
                 : style == CM_STYLE_GOOD ? "●"
                                          : "○",
                 text);
    if (b->watermark_ms > 0) {
        format_age(b->asof_ms - b->watermark_ms, text);
        cm_pen_textf(pen, CM_STYLE_DIM, "  watermark -%s", text);
    }
    cm_board_format_count(b->lag, text);
    cm_pen_textf(pen, b->lag > LAG_MANY ? CM_STYLE_WARN : CM_STYLE_DIM, "  lag %s", text);
    cm_board_format_count(b->records, text);
    cm_pen_textf(pen, CM_STYLE_DIM, "  records %s", text);
    cm_pen_textf(pen, CM_STYLE_DIM, "  SL %s %s  abandon %s", b->sl_formula, b->sl_target,
                 b->abandon_formula);
    if (b->instances > 1) {
        cm_pen_textf(pen, CM_STYLE_DIM, "  processes %u", b->instances);
    }
    cm_pen_end_line(pen, false);
}

static void draw_head(const struct cm_board *b, const struct cm_board_look *look,
                      struct cm_pen *pen)
{
    draw_title(b, look, pen);
    if (!b->connected) {
        cm_pen_textf(pen, CM_STYLE_BAD, " Redis is away; trying again%s%s",
                     b->trouble[0] == '\0' ? "" : ": ", b->trouble);
        cm_pen_end_line(pen, false);
    } else if (b->trouble[0] != '\0') {
        cm_pen_textf(pen, CM_STYLE_BAD, " %s", b->trouble);
        cm_pen_end_line(pen, false);
    }
    if (b->filled && b->has_meta) {
        draw_freshness(b, look, pen);
    } else if (b->filled) {
        cm_pen_textf(pen, CM_STYLE_WARN, " %s", look->waiting);
        cm_pen_end_line(pen, false);
    } else if (b->connected) {
        cm_pen_text(pen, CM_STYLE_DIM, " reading ...");
        cm_pen_end_line(pen, false);
    }
}

/* ---- totals --------------------------------------------------------------------------------- */

static void draw_tiles(const struct cm_board *b, struct cm_pen *pen)
{
    size_t count = CM_ARRAY_LEN(columns);
    for (size_t first = 0; first < count;) {
        size_t behind = first;
        uint32_t cells = 0;
        while (behind < count &&
               (behind == first || cells + columns[behind].tile_cells < pen->width)) {
            cells += columns[behind].tile_cells;
            behind++;
        }
        if (cm_pen_left(pen) < 3) {
            return;
        }
        for (size_t i = first; i < behind; i++) {
            cm_pen_cell(pen, CM_STYLE_DIM, columns[i].tile_cells, true, columns[i].tile);
        }
        cm_pen_end_line(pen, false);
        for (size_t i = first; i < behind; i++) {
            char text[VALUE_BYTES];
            const struct cm_value *value = &b->total.at[columns[i].figure];
            format_value(columns[i].format, value, text);
            cm_pen_cell(pen, judge(&columns[i], value, CM_STYLE_BOLD), columns[i].tile_cells, true,
                        text);
        }
        cm_pen_end_line(pen, false);
        first = behind;
    }
}

/* ---- tables --------------------------------------------------------------------------------- */

/* Without the name. */
static uint32_t table_cells(void)
{
    uint32_t cells = 2;
    for (size_t i = 0; i < CM_ARRAY_LEN(columns); i++) {
        cells += columns[i].in_table ? columns[i].cells : 0;
    }
    return cells;
}

static bool is_shown(const struct cm_pen *pen, const struct column *column)
{
    uint32_t wide = table_cells() + NAME_CELLS + 2 + BAR_CELLS + column->cells;
    return column->in_table || (column->if_wide && pen->width >= wide);
}

/* Columns that would not fit as a whole are left out, from the right. */
static bool has_column(const struct cm_pen *pen, const struct column *column)
{
    return is_shown(pen, column) && pen->column + column->cells <= pen->width;
}

static bool has_bar(const struct cm_pen *pen)
{
    return pen->width >= table_cells() + NAME_CELLS + 2 + BAR_CELLS;
}

static uint32_t name_cells(const struct cm_pen *pen)
{
    uint32_t least_cells = table_cells() + 2 + BAR_CELLS + 1;
    for (size_t i = 0; i < CM_ARRAY_LEN(columns); i++) {
        least_cells += columns[i].if_wide && is_shown(pen, &columns[i]) ? columns[i].cells : 0;
    }
    uint32_t spare = pen->width > least_cells ? pen->width - least_cells : 0;
    return spare < NAME_CELLS ? NAME_CELLS : spare < NAME_MOST ? spare : NAME_MOST;
}

static void draw_table_head(struct cm_pen *pen, const char *name, bool waits)
{
    cm_pen_text(pen, CM_STYLE_HEAD, "  ");
    cm_pen_cell(pen, CM_STYLE_HEAD, name_cells(pen), false, name);
    for (size_t i = 0; i < CM_ARRAY_LEN(columns); i++) {
        if (has_column(pen, &columns[i])) {
            cm_pen_cell(pen, CM_STYLE_HEAD, columns[i].cells, true, columns[i].title);
        }
    }
    if (waits && has_bar(pen)) {
        cm_pen_cell(pen, CM_STYLE_HEAD, WAIT_CELLS, true, "calls");
        cm_pen_cell(pen, CM_STYLE_HEAD, WAIT_CELLS, true, "wait");
    } else if (has_bar(pen)) {
        cm_pen_text(pen, CM_STYLE_HEAD, "  ");
        cm_pen_cell(pen, CM_STYLE_HEAD, BAR_CELLS, false, "SL");
    }
    cm_pen_end_line(pen, false);
}

/* A share as a bar, by eighths of a cell. */
static void draw_bar(struct cm_pen *pen, bool unicode, enum cm_style style,
                     const struct cm_value *share)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    uint64_t value = share->null ? 0 : share->value < 10000 ? share->value : 10000;
    uint64_t parts = value * BAR_CELLS * 8 / 10000;
    uint32_t start = pen->column;
    cm_pen_text(pen, CM_STYLE_NORMAL, "  ");
    for (uint64_t i = 0; i < parts / 8; i++) {
        cm_pen_text(pen, style, unicode ? "█" : "#");
    }
    if (unicode) {
        cm_pen_text(pen, style, eighths[parts % 8]);
    }
    cm_pen_to(pen, start + 2 + BAR_CELLS);
}

static void draw_waits(struct cm_pen *pen, const struct cm_board_now *now, int64_t asof_ms)
{
    char text[VALUE_BYTES] = "-";
    if (now->has_waits) {
        cm_board_format_count(now->calls_waiting, text);
    }
    cm_pen_cell(pen, CM_STYLE_NORMAL, WAIT_CELLS, true, text);
    if (now->has_waits) {
        cm_board_format_clock(cm_board_now_wait_ms(now, asof_ms), text);
    }
    cm_pen_cell(pen, CM_STYLE_NORMAL, WAIT_CELLS, true, text);
}

/* now: NULL where the bar belongs. */
static void draw_row(struct cm_pen *pen, const struct cm_board_look *look,
                     const struct cm_board_row *row, bool selected, const struct cm_board_now *now,
                     int64_t asof_ms)
{
    const struct cm_value *service = NULL;
    enum cm_style service_style = CM_STYLE_GOOD;
    pen->selected = selected;
    cm_pen_text(pen, CM_STYLE_NORMAL, !selected ? "  " : look->unicode ? "▸ " : "> ");
    cm_pen_cell(pen, CM_STYLE_NORMAL, name_cells(pen), false, row->id);
    for (size_t i = 0; i < CM_ARRAY_LEN(columns); i++) {
        const struct column *column = &columns[i];
        if (has_column(pen, column)) {
            char text[VALUE_BYTES];
            const struct cm_value *value = &row->at[column->figure];
            format_value(column->format, value, text);
            cm_pen_cell(pen, judge(column, value, CM_STYLE_NORMAL), column->cells, true, text);
            if (column->figure == CM_FIGURE_service_level) {
                service = value;
                service_style = judge(column, value, CM_STYLE_GOOD);
            }
        }
    }
    if (now != NULL && has_bar(pen)) {
        draw_waits(pen, now, asof_ms);
    } else if (service != NULL && has_bar(pen)) {
        draw_bar(pen, look->unicode, service_style, service);
    }
    cm_pen_end_line(pen, selected);
}

static const char *name_of_children(const struct cm_board *b)
{
    const struct cm_board_unit *unit = cm_board_unit(b);
    return unit == NULL                   ? ""
           : unit->kind == CM_KIND_CENTRE ? "room"
           : unit->kind == CM_KIND_ROOM   ? "team"
           : unit->kind == CM_KIND_TEAM   ? "seat"
                                          : "";
}

/* In `lines` lines, head included. */
static void draw_children(const struct cm_board *b, const struct cm_board_look *look,
                          struct cm_pen *pen, uint32_t lines)
{
    const struct cm_board_rows *rows = &b->children;
    if (rows->count == 0 || lines < 2) {
        return;
    }
    uint32_t room = lines - 1;
    uint32_t selected = cm_board_selected(b);
    uint32_t first = 0;
    if (rows->count > room) {
        first = selected > room / 2 ? selected - room / 2 : 0;
        first = first + room > rows->count ? rows->count - room : first;
    }
    char name[64];
    if (rows->count > room) {
        (void)snprintf(name, sizeof(name), "%s %u-%u/%u", name_of_children(b), first + 1,
                       first + room, rows->count);
    } else {
        (void)snprintf(name, sizeof(name), "%s", name_of_children(b));
    }
    draw_table_head(pen, name, false);
    for (uint32_t i = first; i < rows->count && i - first < room; i++) {
        draw_row(pen, look, &rows->at[i], look->keys && i == selected, NULL, 0);
    }
}

static void draw_queues(const struct cm_board *b, const struct cm_board_look *look,
                        struct cm_pen *pen, uint32_t lines)
{
    if (lines < 2) {
        return;
    }
    bool waits = false;
    for (uint32_t i = 0; i < b->queues.count; i++) {
        waits = waits || b->queues.at[i].now.has_waits;
    }
    draw_table_head(pen, "queue", waits);
    for (uint32_t i = 0; i < b->queues.count && i + 1 < lines; i++) {
        const struct cm_board_row *row = &b->queues.at[i];
        draw_row(pen, look, row, false, waits ? &row->now : NULL, b->asof_ms);
    }
}

/* ---- breaches ------------------------------------------------------------------------------- */

/* By the kind of the figure: 0.1834 -> "18.3 %", 402113 -> "6:42". */
static void format_metric(const struct cm_board_breach *breach, char *out)
{
    enum cm_figure figure;
    struct cm_str name = {breach->metric, (uint32_t)strlen(breach->metric)};
    bool known = cm_figure_parse(name, &figure);
    size_t len = strlen(breach->metric);
    double number = strtod(breach->value, NULL);
    if (known && cm_figure_kind(figure) == CM_FIGURE_KIND_RATE) {
        (void)snprintf(out, VALUE_BYTES, "%.1f %%", number * 100.0);
    } else if (known && len > 3 && strcmp(breach->metric + len - 3, "_ms") == 0 && number >= 0.0 &&
               number < 1e15) {
        cm_board_format_clock((uint64_t)number, out);
    } else {
        (void)snprintf(out, VALUE_BYTES, "%s", breach->value);
    }
}

static void draw_breach(struct cm_pen *pen, const struct cm_board_look *look,
                        const struct cm_board_breach *breach)
{
    enum cm_style style = strcmp(breach->level, "critical") == 0 ? CM_STYLE_BAD : CM_STYLE_WARN;
    char text[128];
    char value[VALUE_BYTES];
    cm_pen_text(pen, style, look->unicode ? "  ▲ " : "  ! ");
    cm_pen_cell(pen, style, 10, false, breach->level);
    (void)snprintf(text, sizeof(text), "%s %s", breach->kind, breach->id);
    cm_pen_cell(pen, CM_STYLE_BOLD, 18, false, text);
    cm_pen_text(pen, CM_STYLE_NORMAL, " ");
    cm_pen_cell(pen, CM_STYLE_NORMAL, 15, false, breach->rule);
    cm_pen_text(pen, CM_STYLE_NORMAL, " ");
    format_metric(breach, value);
    (void)snprintf(text, sizeof(text), "%s %s %s", breach->metric, breach->window, value);
    cm_pen_cell(pen, style, 24, false, text);
    format_time(look, breach->since_ms, value);
    cm_pen_textf(pen, CM_STYLE_DIM, " since %s", value);
    format_age(look->now_ms - breach->since_ms, value);
    cm_pen_textf(pen, CM_STYLE_DIM, " (%s)", value);
    if (breach->escalated_to[0] != '\0') {
        cm_pen_textf(pen, CM_STYLE_WARN, " to %s", breach->escalated_to);
    }
    cm_pen_end_line(pen, false);
}

static void draw_breaches(const struct cm_board *b, const struct cm_board_look *look,
                          struct cm_pen *pen, uint32_t lines)
{
    uint32_t shown = b->breaches_count < lines - 1 ? b->breaches_count : lines - 1;
    if (b->breaches_count == 0) {
        cm_pen_text(pen, CM_STYLE_HEAD, "  breaches  ");
        cm_pen_text(pen, CM_STYLE_GOOD, "none");
        cm_pen_end_line(pen, false);
        return;
    }
    cm_pen_textf(pen, CM_STYLE_HEAD, "  breaches  %u active", b->breaches_count);
    if (shown < b->breaches_count) {
        cm_pen_textf(pen, CM_STYLE_DIM, ", %u shown", shown);
    }
    cm_pen_end_line(pen, false);
    for (uint32_t i = 0; i < shown; i++) {
        draw_breach(pen, look, &b->breaches[i]);
    }
}

/* ---- the frame ------------------------------------------------------------------------------ */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Children get what they need; queues and breaches what is left, breaches first. */
static void share_lines(const struct cm_board *b, uint32_t left, uint32_t *children,
                        uint32_t *queues, uint32_t *breaches)
{
    uint32_t want_children = b->children.count == 0 ? 0 : b->children.count + 2;
    uint32_t want_queues = b->queues.count == 0 ? 0 : least(b->queues.count, QUEUES_MAX) + 2;
    *breaches = least(b->breaches_count, BREACHES_MAX) + 1;
    *breaches = least(*breaches, left > 10 ? left / 3 : 1);
    left -= least(left, *breaches);
    uint32_t floor = least(want_children, left > 14 ? left / 2 : left);
    *queues = least(want_queues, left - floor);
    *children = least(want_children, left - *queues);
    left -= *queues + *children;
    *breaches += least(left, b->breaches_count + 1 - least(b->breaches_count + 1, *breaches));
}

static void draw_help(const struct cm_board_look *look, struct cm_pen *pen)
{
    if (look->keys) {
        cm_pen_text(pen, CM_STYLE_DIM,
                    look->unicode ? "  ↑↓ select   Enter in   ← out   w window   q quit"
                                  : "  up/down select   Enter in   left out   w window   q quit");
    }
    if (look->note != NULL) {
        uint32_t cells = cm_screen_width(look->note, strlen(look->note)) + 2;
        if (pen->column + cells < pen->width) {
            cm_pen_to(pen, pen->width - cells);
            cm_pen_textf(pen, CM_STYLE_DIM, "  %s", look->note);
        }
    }
    cm_pen_end_line(pen, false);
}

static void draw_body(const struct cm_board *b, const struct cm_board_look *look,
                      struct cm_pen *pen, uint32_t help)
{
    uint32_t children = UINT32_MAX;
    uint32_t queues = UINT32_MAX;
    uint32_t breaches = PLAIN_MAX;
    if (b->total.asof_ms == 0 && b->children.count == 0) {
        const struct cm_board_unit *unit = cm_board_unit(b);
        if (unit != NULL && b->has_meta && b->connected) {
            cm_pen_textf(pen, CM_STYLE_DIM, "  no board of %s %s, %s, in Redis",
                         cm_kind_name(unit->kind), unit->id, b->window);
            cm_pen_end_line(pen, false);
        }
    } else {
        draw_tiles(b, pen);
        if (cm_pen_left(pen) > 3) {
            cm_board_now_draw(&b->now, b->asof_ms, pen);
        }
        cm_pen_end_line(pen, false);
    }
    if (pen->height > 0) {
        uint32_t left = cm_pen_left(pen);
        share_lines(b, left > help ? left - help : 0, &children, &queues, &breaches);
    }
    uint32_t before = pen->lines;
    draw_children(b, look, pen, children == UINT32_MAX ? children : children - least(children, 1));
    if (pen->lines > before) {
        cm_pen_end_line(pen, false);
    }
    before = pen->lines;
    if (b->queues.count > 0) {
        draw_queues(b, look, pen, queues == UINT32_MAX ? queues : queues - least(queues, 1));
    }
    if (pen->lines > before) {
        cm_pen_end_line(pen, false);
    }
    if (breaches > 0 && cm_pen_left(pen) > help) {
        draw_breaches(b, look, pen, breaches);
    }
}

void cm_board_draw(const struct cm_board *board, const struct cm_board_look *look,
                   struct cm_text *out)
{
    struct cm_pen pen;
    bool has_help = look->keys || look->note != NULL;
    out->len = 0;
    cm_pen_begin(&pen, out, look->width, look->height, look->mode);
    pen.cut = look->unicode ? "…" : "~";
    draw_head(board, look, &pen);
    if (board->filled) {
        if (cm_pen_left(&pen) > 6) {
            cm_pen_end_line(&pen, false);
        }
        draw_body(board, look, &pen, has_help ? 1 : 0);
    }
    if (has_help && look->height > 0) {
        while (cm_pen_left(&pen) > 1) {
            cm_pen_end_line(&pen, false);
        }
    }
    if (has_help && cm_pen_left(&pen) > 0) {
        draw_help(look, &pen);
    }
    cm_pen_end(&pen);
}
