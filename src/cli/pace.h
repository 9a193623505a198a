// SPDX-License-Identifier: Apache-2.0
/* pace.h — ties event time to the clock: event time begins at start_ms and runs `speed` times as
 * fast. Immutable once made; any thread may ask. */
#ifndef CM_CLI_PACE_H
#define CM_CLI_PACE_H

#include <stdint.h>

#include "base/clock.h"

struct cm_pace {
    int64_t start_ms; /* of event time */
    int64_t begin_ns; /* monotonic, when that was */
    double speed;     /* 0.001 .. 100,000 */
};

/* Event time at that moment. */
static inline int64_t cm_pace_event_ms(const struct cm_pace *pace, int64_t now_ns)
{
    double ms = (double)(now_ns - pace->begin_ns) / (double)CM_NS_PER_MS;
    return pace->start_ms + (int64_t)(ms * pace->speed);
}

/* How long until event time gets there, at most `most_ns`; <= 0: it has. */
static inline int64_t cm_pace_wait_ns(const struct cm_pace *pace, int64_t event_ms, int64_t now_ns,
                                      int64_t most_ns)
{
    double ns = (double)(event_ms - pace->start_ms) / pace->speed * (double)CM_NS_PER_MS;
    double left = ns - (double)(now_ns - pace->begin_ns);
    return left > (double)most_ns ? most_ns : (int64_t)left;
}

#endif
