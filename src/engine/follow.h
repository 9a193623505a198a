// SPDX-License-Identifier: Apache-2.0
/* follow.h — in a backlog, windows move on between two ticks as well.
 *
 *   live      tick ─────────────── tick ─────────────── tick      200 ms of event time apart
 *   backlog   tick ── move ── move ── move ── tick ── move ...    hours of event time apart
 *
 * What has come in since the windows last moved is all live: a tick's worth of a backlog is more
 * than the processor's caches hold. So windows move after so many records, without any row, as soon
 * as that is far enough in event time for legs to leave them. At the end of a calendar period they
 * stand until a tick has published it: one is due at once.
 *
 * THREADS   One owner. TIME Event time, ms; INT64_MIN: not yet known.
 */
#ifndef CM_ENGINE_FOLLOW_H
#define CM_ENGINE_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

#define CM_FOLLOW_RECORDS 4096u
#define CM_FOLLOW_STEPS   12 /* of the windows' longest step */

struct cm_follow {
    uint64_t records;     /* taken when windows last moved */
    int64_t watermark_ms; /* then */
    int64_t closed_ms;    /* when they last moved and periods could end */
};

enum cm_follow_step {
    CM_FOLLOW_STAY = 0,
    CM_FOLLOW_MOVE,
    CM_FOLLOW_CLOSE, /* a period has ended: a tick should publish it */
};

void cm_follow_init(struct cm_follow *follow);
/* Windows move now, up to that watermark; closes: periods may end. */
void cm_follow_note(struct cm_follow *follow, uint64_t records, int64_t watermark_ms, bool closes);
/* What is due. */
enum cm_follow_step cm_follow_step(const struct cm_follow *follow, const struct cm_config *config,
                                   uint64_t records, int64_t watermark_ms);

#endif
