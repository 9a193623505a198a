// SPDX-License-Identifier: Apache-2.0
/* board_draw.h — a frame of the board:
 *
 *   callmill  main › r2                                          1m 5m [15m] 1h day
 *   as of 22:15:04  0.2 s old   watermark -10 s   lag 0   ...
 *   totals of the unit
 *   children ─ the rest of the height, scrolled to the selected one
 *   queues, active breaches ─ as many lines as there are, within bounds
 *   help
 *
 * THREADS   One. COST by the lines shown, not by the children there are.
 */
#ifndef CM_CLI_BOARD_DRAW_H
#define CM_CLI_BOARD_DRAW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "base/zone.h"
#include "cli/board.h"
#include "cli/screen.h"

struct cm_board_look {
    uint32_t width, height; /* height 0: everything, as long as it gets */
    enum cm_screen_mode mode;
    bool unicode;
    bool keys;                  /* help on keys in the last line; the selected child in reverse */
    int64_t now_ms;             /* what figures are as old as */
    const struct cm_zone *zone; /* of clock times; NULL: UTC */
    const char *note;           /* at the end of the last line; NULL: none */
    const char *waiting;        /* said as long as there are no figures */
};

/* Replaces *out by the frame. */
void cm_board_draw(const struct cm_board *board, const struct cm_board_look *look,
                   struct cm_text *out);

#endif
