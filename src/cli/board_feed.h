// SPDX-License-Identifier: Apache-2.0
/* board_feed.h — keeps a cm_board as it stands in Redis, round by round:
 *
 *   meta ─ units ─ board:<unit>:<window> ─ queues ─ breaches:active     one write, answers in order
 *
 * What one round finds out (the first centre, the windows, the queues) the next one asks about;
 * that one follows at once. A round whose view was left meanwhile is dropped.
 *
 * THREADS   One, that of the ring. OWNERSHIP Ring, configuration and board are borrowed.
 */
#ifndef CM_CLI_BOARD_FEED_H
#define CM_CLI_BOARD_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/board.h"
#include "config/config.h"
#include "io/ring.h"

struct cm_board_feed;

struct cm_board_feed *cm_board_feed_create(struct cm_ring *ring, const struct cm_config *config,
                                           struct cm_board *board, int64_t interval_ms);
void cm_board_feed_destroy(struct cm_board_feed *feed);
/* Connects, asks when it is time; call at least every 100 ms. true: the board has changed. */
bool cm_board_feed_poll(struct cm_board_feed *feed, int64_t now_mono_ns);
/* The last round found out nothing that another one has to ask about. */
bool cm_board_feed_is_settled(const struct cm_board_feed *feed);
/* Asks now, not when the interval is over: the view has changed. */
void cm_board_feed_hurry(struct cm_board_feed *feed);

#endif
