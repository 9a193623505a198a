// SPDX-License-Identifier: Apache-2.0
/* queue_waits.h — calls that wait in queues now: for gauges only, no window counts them.
 *
 * A call (with its queue) waits when its newest queue_enter is later than its newest end: a
 * queue_exit, or a cdr that ends its wait. Only the two greatest moments are kept, so the order of
 * arrival does not matter. (Cdrs are looked at once there was any queue_enter.) Who never leaves is
 * taken out after orphan_after and counted.
 *
 * THREADS   One thread. TIME Event time, ms.
 * COST      An event: one hash and one probe. Looking: each call that waits once. Every 10 s
 *           of event time those that have ended are gone through, to forget them.
 */
#ifndef CM_WINDOW_QUEUE_WAITS_H
#define CM_WINDOW_QUEUE_WAITS_H

#include <stdint.h>

#include "event/event.h"
#include "window/unit_sets.h"

struct cm_queue_waits;

/* Borrows the sets. keep_ms: how long an end is remembered in case its enter comes later. */
struct cm_queue_waits *cm_queue_waits_create(struct cm_unit_sets *sets, int64_t orphan_after_ms,
                                             int64_t keep_ms);
void cm_queue_waits_destroy(struct cm_queue_waits *waits);
/* A queue_enter, queue_exit or cdr; `set` are the units that a waiting call counts for (enter
 * only). newest_ms: the newest event time, this one included. */
void cm_queue_waits_take(struct cm_queue_waits *waits, const struct cm_event *event, uint32_t set,
                         int64_t newest_ms);
/* Forgets what is too old as of now_ms. */
void cm_queue_waits_expire(struct cm_queue_waits *waits, int64_t now_ms);

struct cm_queue_gauge {
    uint32_t unit, calls;
    int64_t since_ms; /* when the one that waits longest came; 0 when calls is 0 */
};
/* Units in which a call waits, and those in which none waits any more since the last call. Borrowed
 * until the next call. */
const struct cm_queue_gauge *cm_queue_waits_look(struct cm_queue_waits *waits, uint32_t *count);
/* Goes on counting orphans where another one stopped: what that one has counted, and whatever
 * should have left before, is not counted again when it is read again. */
void cm_queue_waits_carry(struct cm_queue_waits *waits, const struct cm_queue_waits *before);
/* Calls that never left, so far. */
uint64_t cm_queue_waits_orphans(const struct cm_queue_waits *waits);

#endif
