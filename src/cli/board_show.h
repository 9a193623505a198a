// SPDX-License-Identifier: Apache-2.0
/* board_show.h — the loop behind `top` and `demo`: Redis, keys, screen.
 *
 * THREADS   The main thread, which waits in a ring of its own.
 */
#ifndef CM_CLI_BOARD_SHOW_H
#define CM_CLI_BOARD_SHOW_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/board.h"
#include "config/config.h"

struct cm_board_show {
    const struct cm_config *config; /* where Redis is, the prefix, the zone of clock times */
    struct cm_board *board;         /* where to look at first */
    int64_t interval_ms;            /* between two readings of Redis */
    bool plain;                     /* text without escape codes, frame after frame */
    bool once;                      /* plain: one frame, and the end */
    int64_t plain_every_ms;         /* otherwise: between two frames */
    int64_t patience_ms;            /* once: how long to wait for Redis */
    const char *note;               /* in the last line; NULL: none */
    const char *waiting;            /* said as long as there are no figures */
    /* Both may be NULL. The time that figures are as old as; the default is the wall clock. */
    int64_t (*now_ms)(void *context);
    /* Called all the time; false: it is over. */
    bool (*turn)(void *context);
    void *context;
};

/* Until `q`, a signal (cm_terminal_catch_signals), turn() or the one frame. 0, or a negative code:
 * no ring, no Redis (once), or standard output is gone. */
CM_NODISCARD int cm_board_show(const struct cm_board_show *show);

#endif
