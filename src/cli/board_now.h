// SPDX-License-Identifier: Apache-2.0
/* board_now.h — the live picture of a unit on a board: field `now` of its hash in Redis.
 *
 *   {"asof":..,"seats":{"available":4,"talking":9},"calls_waiting":2,"longest_wait_ms":34120}
 *     ──►  now  waiting 2  longest 0:34   available 4  talking 9
 *
 * What the field does not say is not shown. A wait goes on while nothing is written: it is shown as
 * of the board.
 *
 * THREADS   One.
 */
#ifndef CM_CLI_BOARD_NOW_H
#define CM_CLI_BOARD_NOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "cli/screen.h"
#include "event/event.h"

struct cm_board_now {
    bool has_waits, has_seats;
    uint64_t calls_waiting, longest_wait_ms; /* as of asof_ms */
    uint64_t seats[CM_STATE_COUNT];
    int64_t asof_ms;
};

/* false, and nothing known, when it is no object. */
bool cm_board_now_parse(struct cm_str json, struct cm_board_now *now);
/* The longest wait as of a later instant; 0 when nobody waits. */
uint64_t cm_board_now_wait_ms(const struct cm_board_now *now, int64_t asof_ms);
/* A line of it; none when nothing is known. */
void cm_board_now_draw(const struct cm_board_now *now, int64_t asof_ms, struct cm_pen *pen);

#endif
