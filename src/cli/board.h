// SPDX-License-Identifier: Apache-2.0
/* board.h — what `top` shows: one unit, its children, the queues, the active breaches, as they
 * stand in Redis.
 *
 *   Redis ──► board_feed ──► cm_board ──► board_draw ──► terminal
 *                              ▲ keys: where to look
 *
 * THREADS   One. OWNERSHIP A board owns its lists; cm_board_free(). Zero-initialised is an empty
 *           one.
 */
#ifndef CM_CLI_BOARD_H
#define CM_CLI_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "cli/board_now.h"
#include "event/figures.h"
#include "event/unit.h"

#define CM_BOARD_ID_BYTES    40u /* an id has at most 32 */
#define CM_BOARD_DEPTH_MAX   8u
#define CM_BOARD_WINDOWS_MAX 24u
#define CM_BOARD_WORD_BYTES  64u

struct cm_board_row {
    char id[CM_BOARD_ID_BYTES];
    enum cm_kind kind;
    int64_t asof_ms;                     /* 0: nothing is known of it */
    struct cm_value at[CM_FIGURE_COUNT]; /* fixed point, cm_figure_decimals(); absent: null */
    struct cm_board_now now;             /* queues only */
};

struct cm_board_rows {
    struct cm_board_row *at;
    uint32_t count, cap;
};

struct cm_board_breach {
    char rule[CM_BOARD_WORD_BYTES], id[CM_BOARD_ID_BYTES], kind[16], window[24], level[16];
    char threshold[32], metric[32], escalated_to[24];
    char value[24]; /* as written; "null" */
    int64_t since_ms;
};

struct cm_board_unit {
    enum cm_kind kind;
    char id[CM_BOARD_ID_BYTES];
};

struct cm_board {
    /* Where to look; a change of it raises `view`. */
    struct cm_board_unit path[CM_BOARD_DEPTH_MAX]; /* the last one is shown */
    uint32_t depth;                                /* 0: the first centre there is */
    char window[24];                               /* "": 15m, or the third one */
    uint64_t view;
    char selected[CM_BOARD_ID_BYTES]; /* a child; "": the first */

    /* What is there. */
    bool connected;
    bool filled; /* what follows was read at least once */
    char trouble[200];
    char windows[CM_BOARD_WINDOWS_MAX][24]; /* periods too */
    uint32_t windows_count;
    bool has_meta;
    int64_t asof_ms, watermark_ms;
    uint64_t lag, records;
    uint32_t instances;
    char version[24], abandon_formula[16], sl_formula[16], sl_target[24];
    struct cm_board_row total; /* of the unit itself; asof_ms 0: none */
    struct cm_board_now now;   /* likewise */
    struct cm_board_rows children, queues;
    struct cm_board_breach *breaches;
    uint32_t breaches_count, breaches_cap;
};

void cm_board_free(struct cm_board *board);
/* A row as in Redis: {"asof":..,figures}; unknown members are passed over. false when it is no
 * object. */
bool cm_board_row_parse(struct cm_str id, enum cm_kind kind, struct cm_str json,
                        struct cm_board_row *row);
/* The active event of a breach (CloudEvents JSON with `data`). */
bool cm_board_breach_parse(struct cm_str json, struct cm_board_breach *breach);
/* Appends a row and hands it out, its id and kind set, all figures null. */
struct cm_board_row *cm_board_rows_add(struct cm_board_rows *rows, struct cm_str id,
                                       enum cm_kind kind);
struct cm_board_breach *cm_board_breach_add(struct cm_board *board);
/* By kind (rooms, teams, seats), then id, numbers within as numbers: r2 before r10. */
void cm_board_rows_sort(struct cm_board_rows *rows);
/* Critical first, then the oldest. */
void cm_board_breaches_sort(struct cm_board *board);
/* The window that is shown when nobody said which: 15m, else the third, else the last; NULL when
 * there is none. */
const char *cm_board_default_window(const struct cm_board *board);

/* "kind:id"; false when it is none. */
bool cm_board_unit_parse(const char *text, struct cm_board_unit *unit);
const struct cm_board_unit *cm_board_unit(const struct cm_board *board); /* shown; NULL: none */

enum cm_board_key {
    CM_BOARD_KEY_NONE,
    CM_BOARD_KEY_UP,
    CM_BOARD_KEY_DOWN,
    CM_BOARD_KEY_PAGE_UP,
    CM_BOARD_KEY_PAGE_DOWN,
    CM_BOARD_KEY_HOME,
    CM_BOARD_KEY_END,
    CM_BOARD_KEY_ENTER,
    CM_BOARD_KEY_BACK,
    CM_BOARD_KEY_WINDOW,
    CM_BOARD_KEY_WINDOW_BACK,
    CM_BOARD_KEY_QUIT
};

/* The key at the beginning of what the terminal sent; *used: its bytes, at least 1. len > 0. */
enum cm_board_key cm_board_key(const char *bytes, size_t len, size_t *used);
/* Moves within the board; QUIT and NONE do nothing. */
void cm_board_press(struct cm_board *board, enum cm_board_key key);
/* Index of the selected child; 0 when there is none. */
uint32_t cm_board_selected(const struct cm_board *board);

#endif
