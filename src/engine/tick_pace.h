// SPDX-License-Identifier: Apache-2.0
/* tick_pace.h — when the next tick is due.
 *
 *   keeping up      every `tick`
 *   Redis is busy   as soon as it has answered the tick before; it is waited for up to 50 ms, or a
 *                   tick when that is longer, then a round without rows passes for the rules
 *   catching up     not before REST times what the last tick took has passed since it ended (at
 *                   most 1 s): figures of a moment long gone may not take the time that the
 *                   records need
 *
 * Catching up: more records wait than a second's worth, at the pace of the last second or two. Less
 * says nothing: one fetch may bring more than a short tick's worth.
 *
 * THREADS   One owner. TIME Monotonic ns.
 */
#ifndef CM_ENGINE_TICK_PACE_H
#define CM_ENGINE_TICK_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct cm_tick_pace {
    int64_t tick_ns;
    int64_t next_ns;  /* when the next one is due; 0: at once */
    int64_t began_ns; /* the last one */
    int64_t busy_ns;  /* and not before that while Redis is busy */
    struct {
        int64_t at_ns; /* 0: none yet */
        uint64_t records;
    } old, young; /* what was read by when, a second and more apart */
};

/* busy: Redis has not answered the tick before. */
bool cm_tick_pace_is_due(const struct cm_tick_pace *pace, int64_t now_ns, bool busy);
/* A tick begins, when it is due or before; busy: without rows, so the one that is due stays due. */
void cm_tick_pace_begin(struct cm_tick_pace *pace, int64_t now_ns, bool busy);
/* Its figures are handed over; records: read in all, lag: those that wait. */
void cm_tick_pace_end(struct cm_tick_pace *pace, int64_t now_ns, uint64_t records, uint64_t lag);

#endif
