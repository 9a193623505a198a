// SPDX-License-Identifier: Apache-2.0
/* board.c — see board.h. */
#include "cli/board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "cli/board_json.h"

#define PAGE 10u

static void set_word(char *out, size_t bytes, struct cm_str text)
{
    size_t len = text.len < bytes - 1 ? text.len : bytes - 1;
    memcpy(out, text.p, len);
    out[len] = '\0';
}

void cm_board_free(struct cm_board *board)
{
    free(board->children.at);
    free(board->queues.at);
    free(board->breaches);
    memset(board, 0, sizeof(*board));
}

/* ---- rows ----------------------------------------------------------------------------------- */

static void clear_row(struct cm_board_row *row, struct cm_str id, enum cm_kind kind)
{
    memset(row, 0, sizeof(*row));
    set_word(row->id, sizeof(row->id), id);
    row->kind = kind;
    for (int i = 0; i < CM_FIGURE_COUNT; i++) {
        row->at[i].null = true;
    }
}

/* Rows come in the order of the table, so the next figure is nearly always the right one. */
static bool find_figure(struct cm_str name, int *next, enum cm_figure *figure)
{
    const char *guess = *next < CM_FIGURE_COUNT ? cm_figure_name((enum cm_figure) * next) : "";
    if (cm_str_eq(name, (struct cm_str){guess, (uint32_t)strlen(guess)})) {
        *figure = (enum cm_figure) * next;
    } else if (!cm_figure_parse(name, figure)) {
        return false;
    }
    *next = (int)*figure + 1;
    return true;
}

bool cm_board_row_parse(struct cm_str id, enum cm_kind kind, struct cm_str json,
                        struct cm_board_row *row)
{
    struct cm_json_walk walk;
    struct cm_str name;
    struct cm_str value;
    int next = 0;
    enum cm_figure figure;

    clear_row(row, id, kind);
    if (!cm_json_open(&walk, json)) {
        return false;
    }
    while (cm_json_next(&walk, &name, &value)) {
        if (cm_str_eq(name, CM_STR("asof"))) {
            (void)cm_json_integer(value, &row->asof_ms);
        } else if (find_figure(name, &next, &figure)) {
            (void)cm_json_fixed(value, cm_figure_decimals(figure), &row->at[figure]);
        }
    }
    return true;
}

struct cm_board_row *cm_board_rows_add(struct cm_board_rows *rows, struct cm_str id,
                                       enum cm_kind kind)
{
    if (rows->count == rows->cap) {
        rows->cap = rows->cap == 0 ? 32 : rows->cap * 2;
        rows->at = cm_realloc(rows->at, rows->cap, sizeof(*rows->at));
    }
    struct cm_board_row *row = &rows->at[rows->count++];
    clear_row(row, id, kind);
    return row;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Bytewise, but runs of digits by their number. */
static int compare_ids(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        if (is_digit(*a) && is_digit(*b)) {
            a += strspn(a, "0");
            b += strspn(b, "0");
            size_t a_len = strspn(a, "0123456789");
            size_t b_len = strspn(b, "0123456789");
            int order = a_len != b_len ? (a_len < b_len ? -1 : 1) : memcmp(a, b, a_len);
            if (order != 0) {
                return order;
            }
            a += a_len;
            b += b_len;
        } else if (*a != *b) {
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        } else {
            a++;
            b++;
        }
    }
    return (*a != '\0') - (*b != '\0');
}

static int level_of_kind(enum cm_kind kind)
{
    return kind == CM_KIND_ROOM ? 0 : kind == CM_KIND_TEAM ? 1 : kind == CM_KIND_SEAT ? 2 : 3;
}

static int compare_rows(const void *a, const void *b)
{
    const struct cm_board_row *x = a;
    const struct cm_board_row *y = b;
    int order = level_of_kind(x->kind) - level_of_kind(y->kind);
    order = order != 0 ? order : compare_ids(x->id, y->id);
    return order != 0 ? order : strcmp(x->id, y->id);
}

void cm_board_rows_sort(struct cm_board_rows *rows)
{
    if (rows->count > 1) {
        qsort(rows->at, rows->count, sizeof(*rows->at), compare_rows);
    }
}

/* ---- breaches ------------------------------------------------------------------------------- */

bool cm_board_breach_parse(struct cm_str json, struct cm_board_breach *breach)
{
    struct cm_str data;
    struct cm_str value;
    memset(breach, 0, sizeof(*breach));
    if (!cm_json_member(json, "data", &data)) {
        return false;
    }
    const struct {
        const char *name;
        char *out;
        size_t bytes;
    } words[] = {{"rule", breach->rule, sizeof(breach->rule)},
                 {"id", breach->id, sizeof(breach->id)},
                 {"kind", breach->kind, sizeof(breach->kind)},
                 {"window", breach->window, sizeof(breach->window)},
                 {"level", breach->level, sizeof(breach->level)},
                 {"threshold", breach->threshold, sizeof(breach->threshold)},
                 {"metric", breach->metric, sizeof(breach->metric)},
                 {"escalated_to", breach->escalated_to, sizeof(breach->escalated_to)}};
    for (size_t i = 0; i < CM_ARRAY_LEN(words); i++) {
        if (cm_json_member(data, words[i].name, &value)) {
            (void)cm_json_string(value, words[i].out, words[i].bytes);
        }
    }
    if (cm_json_member(data, "value", &value)) {
        set_word(breach->value, sizeof(breach->value), value);
    }
    if (cm_json_member(data, "since", &value)) {
        (void)cm_json_integer(value, &breach->since_ms);
    }
    return breach->rule[0] != '\0';
}

struct cm_board_breach *cm_board_breach_add(struct cm_board *board)
{
    if (board->breaches_count == board->breaches_cap) {
        board->breaches_cap = board->breaches_cap == 0 ? 16 : board->breaches_cap * 2;
        board->breaches =
            cm_realloc(board->breaches, board->breaches_cap, sizeof(*board->breaches));
    }
    return &board->breaches[board->breaches_count++];
}

static int compare_breaches(const void *a, const void *b)
{
    const struct cm_board_breach *x = a;
    const struct cm_board_breach *y = b;
    int order = (strcmp(y->level, "critical") == 0) - (strcmp(x->level, "critical") == 0);
    if (order == 0 && x->since_ms != y->since_ms) {
        return x->since_ms < y->since_ms ? -1 : 1;
    }
    order = order != 0 ? order : strcmp(x->rule, y->rule);
    return order != 0 ? order : compare_ids(x->id, y->id);
}

void cm_board_breaches_sort(struct cm_board *board)
{
    if (board->breaches_count > 1) {
        qsort(board->breaches, board->breaches_count, sizeof(*board->breaches), compare_breaches);
    }
}

/* ---- where to look -------------------------------------------------------------------------- */

const char *cm_board_default_window(const struct cm_board *board)
{
    for (uint32_t i = 0; i < board->windows_count; i++) {
        if (strcmp(board->windows[i], "15m") == 0) {
            return board->windows[i];
        }
    }
    uint32_t count = board->windows_count;
    return count == 0 ? NULL : board->windows[count > 2 ? 2 : count - 1];
}

bool cm_board_unit_parse(const char *text, struct cm_board_unit *unit)
{
    const char *colon = strchr(text, ':');
    if (colon == NULL || colon[1] == '\0' || strlen(colon + 1) >= sizeof(unit->id)) {
        return false;
    }
    memcpy(unit->id, colon + 1, strlen(colon + 1) + 1);
    return cm_kind_parse((struct cm_str){text, (uint32_t)(colon - text)}, &unit->kind);
}

const struct cm_board_unit *cm_board_unit(const struct cm_board *board)
{
    return board->depth == 0 ? NULL : &board->path[board->depth - 1];
}

uint32_t cm_board_selected(const struct cm_board *board)
{
    for (uint32_t i = 0; i < board->children.count; i++) {
        if (strcmp(board->children.at[i].id, board->selected) == 0) {
            return i;
        }
    }
    return 0;
}

/* What was shown of the other unit must not stand under the new name. */
static void look_elsewhere(struct cm_board *board)
{
    board->view++;
    board->total.asof_ms = 0;
    board->children.count = 0;
}

static void enter(struct cm_board *board)
{
    if (board->children.count == 0 || board->depth == CM_BOARD_DEPTH_MAX) {
        return;
    }
    const struct cm_board_row *row = &board->children.at[cm_board_selected(board)];
    if (row->kind == CM_KIND_SEAT) {
        return; /* nothing hangs under a seat */
    }
    struct cm_board_unit *unit = &board->path[board->depth++];
    unit->kind = row->kind;
    memcpy(unit->id, row->id, sizeof(unit->id));
    board->selected[0] = '\0';
    look_elsewhere(board);
}

static void leave(struct cm_board *board)
{
    const struct cm_board_unit *unit = cm_board_unit(board);
    if (unit == NULL || (board->depth == 1 && unit->kind == CM_KIND_CENTRE)) {
        return;
    }
    memcpy(board->selected, unit->id, sizeof(board->selected));
    board->depth--; /* 0: the feed finds the centre */
    look_elsewhere(board);
}

static void move(struct cm_board *board, int64_t by)
{
    if (board->children.count > 0) {
        int64_t last = (int64_t)board->children.count - 1;
        int64_t at = (int64_t)cm_board_selected(board) + by;
        at = at < 0 ? 0 : at > last ? last : at;
        memcpy(board->selected, board->children.at[at].id, sizeof(board->selected));
    }
}

static void next_window(struct cm_board *board, bool back)
{
    uint32_t count = board->windows_count;
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(board->windows[i], board->window) == 0) {
            const char *name = board->windows[(i + (back ? count - 1 : 1)) % count];
            memcpy(board->window, name, sizeof(board->window));
            look_elsewhere(board);
            return;
        }
    }
    board->window[0] = '\0'; /* a name that is none: back to the default */
    look_elsewhere(board);
}

void cm_board_press(struct cm_board *board, enum cm_board_key key)
{
    switch (key) {
    case CM_BOARD_KEY_UP:
    case CM_BOARD_KEY_DOWN:
        move(board, key == CM_BOARD_KEY_UP ? -1 : 1);
        return;
    case CM_BOARD_KEY_PAGE_UP:
    case CM_BOARD_KEY_PAGE_DOWN:
        move(board, key == CM_BOARD_KEY_PAGE_UP ? -(int64_t)PAGE : (int64_t)PAGE);
        return;
    case CM_BOARD_KEY_HOME:
    case CM_BOARD_KEY_END:
        move(board, key == CM_BOARD_KEY_HOME ? -(int64_t)UINT32_MAX : (int64_t)UINT32_MAX);
        return;
    case CM_BOARD_KEY_ENTER:
        enter(board);
        return;
    case CM_BOARD_KEY_BACK:
        leave(board);
        return;
    case CM_BOARD_KEY_WINDOW:
    case CM_BOARD_KEY_WINDOW_BACK:
        next_window(board, key == CM_BOARD_KEY_WINDOW_BACK);
        return;
    case CM_BOARD_KEY_NONE:
    case CM_BOARD_KEY_QUIT:
        return;
    }
}

/* ---- keys ----------------------------------------------------------------------------------- */

static enum cm_board_key plain_key(char c)
{
    switch (c) {
    case 'k':
        return CM_BOARD_KEY_UP;
    case 'j':
        return CM_BOARD_KEY_DOWN;
    case 'g':
        return CM_BOARD_KEY_HOME;
    case 'G':
        return CM_BOARD_KEY_END;
    case '\r':
    case '\n':
    case 'l':
        return CM_BOARD_KEY_ENTER;
    case 0x7f:
    case 0x08:
    case 'h':
        return CM_BOARD_KEY_BACK;
    case 'w':
        return CM_BOARD_KEY_WINDOW;
    case 'W':
        return CM_BOARD_KEY_WINDOW_BACK;
    case 'q':
        return CM_BOARD_KEY_QUIT;
    default:
        return CM_BOARD_KEY_NONE;
    }
}

enum cm_board_key cm_board_key(const char *bytes, size_t len, size_t *used)
{
    *used = 1;
    if (bytes[0] != '\x1b') {
        return plain_key(bytes[0]);
    }
    if (len == 1 || (bytes[1] != '[' && bytes[1] != 'O')) {
        return CM_BOARD_KEY_NONE; /* Escape by itself */
    }
    size_t i = 2;
    while (i < len && ((bytes[i] >= '0' && bytes[i] <= '9') || bytes[i] == ';')) {
        i++;
    }
    *used = i < len ? i + 1 : i;
    if (i == len) {
        return CM_BOARD_KEY_NONE;
    }
    switch (bytes[i]) {
    case 'A':
        return CM_BOARD_KEY_UP;
    case 'B':
        return CM_BOARD_KEY_DOWN;
    case 'C':
        return CM_BOARD_KEY_ENTER;
    case 'D':
        return CM_BOARD_KEY_BACK;
    case 'H':
        return CM_BOARD_KEY_HOME;
    case 'F':
        return CM_BOARD_KEY_END;
    case '~':
        return bytes[2] == '5'   ? CM_BOARD_KEY_PAGE_UP
               : bytes[2] == '6' ? CM_BOARD_KEY_PAGE_DOWN
               : bytes[2] == '1' ? CM_BOARD_KEY_HOME
               : bytes[2] == '4' ? CM_BOARD_KEY_END
                                 : CM_BOARD_KEY_NONE;
    default:
        return CM_BOARD_KEY_NONE;
    }
}
