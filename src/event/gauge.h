// SPDX-License-Identifier: Apache-2.0
/* gauge.h — the live picture of a unit: not of a window, but of now.
 *
 * Partial pictures of one unit (of several workers) add up: seats and calls are counts, the newest
 * change of state and the longest wait win.
 */
#ifndef CM_EVENT_GAUGE_H
#define CM_EVENT_GAUGE_H

#include <stdbool.h>
#include <stdint.h>

#include "event/event.h"

struct cm_gauge {
    bool has_states;                /* and with it: */
    uint32_t seats[CM_STATE_COUNT]; /* seats of the unit by state */
    enum cm_state state;            /* a seat's own, since then; */
    int64_t since_ms;               /* INT64_MIN: the unit is no seat */
    bool has_waits;                 /* and with it: */
    uint32_t calls_waiting;
    int64_t waiting_since_ms; /* when the one came that waits longest; 0 when none waits */
};

#endif
