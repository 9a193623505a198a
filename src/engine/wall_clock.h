// SPDX-License-Identifier: Apache-2.0
/* wall_clock.h — a wall clock that is set while we run.
 *
 *   monotonic   ──────────────────────────►   nobody sets it
 *   wall        ───────┐   ┌──────────────►   set back by an hour, and right again
 *                      └───┘
 *
 * Wall time less monotonic time changes only when somebody sets the clock (or the machine sleeps):
 * where NTP makes it go slower or faster, both do.
 *
 * THREADS   One owner. TIME Wall ms, monotonic ns, read one after the other.
 */
#ifndef CM_ENGINE_WALL_CLOCK_H
#define CM_ENGINE_WALL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct cm_wall_clock {
    int64_t lead_ns; /* wall less monotonic time, when it was last seen to be set */
    int64_t most_ns; /* the greatest that it has been */
    int64_t told_ns; /* event time less monotonic time, from an earlier life; INT64_MIN: unknown */
    bool stepped;    /* set since this was last cleared, by whoever acts on it */
};

void cm_wall_clock_init(struct cm_wall_clock *clock, int64_t wall_ms, int64_t mono_ns);

/* Sets `stepped`, and logs, if the clock was set by a second or more since it last was. */
void cm_wall_clock_look(struct cm_wall_clock *clock, int64_t wall_ms, int64_t mono_ns);

/* An earlier life of this process tells how far event time was from its wall clock, ms, maybe set
 * back by then. INT64_MIN: it does not. */
void cm_wall_clock_know(struct cm_wall_clock *clock, int64_t wall_ms, int64_t mono_ns,
                        int64_t clock_ms);

/* What time it is, as far as one can be sure that it is not later: the wall clock, and where that
 * was set back, what it would say without, but no later than event time says, which goes on from
 * the newest event at the pace of the clock (that of an earlier life as well). So a clock that is
 * set back makes no event one of the future, and one that ran ahead and is now right does not go on
 * to let such events pass. event_ns: event time less monotonic time; INT64_MIN: no event yet. */
int64_t cm_wall_clock_sure_ms(struct cm_wall_clock *clock, int64_t wall_ms, int64_t mono_ns,
                              int64_t event_ns);

#endif
