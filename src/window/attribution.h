// SPDX-License-Identifier: Apache-2.0
/* attribution.h — for which units an event counts: its seat and the seat's ancestors as of the
 * event's time, its queue; without a seat the queue's owner and the owner's ancestors.
 *
 *   seat in the roster      seat, team, room, centre (of the row in force at ts), queue
 *   seat not in the roster  seat, centre (the record's, else the configured one), queue
 *   no seat, with queue     queue, owner and its ancestors (no owner: the centre)
 *   neither                 the centre
 *
 * THREADS   One thread. OWNERSHIP Borrows configuration and roster; the roster may be exchanged.
 * COST      Two look-ups in a hash table a leg; the ancestors of a seat are remembered with the
 * span of time in which they hold.
 */
#ifndef CM_WINDOW_ATTRIBUTION_H
#define CM_WINDOW_ATTRIBUTION_H

#include "config/config.h"
#include "event/event.h"
#include "event/roster.h"
#include "event/unit.h"
#include "window/unit_sets.h"

struct cm_attribution;

struct cm_attribution *cm_attribution_create(const struct cm_config *config,
                                             const struct cm_roster *roster,
                                             struct cm_units *units);
void cm_attribution_destroy(struct cm_attribution *attribution);
/* A reloaded roster holds for events from now on; what was counted stays where it is. */
void cm_attribution_set_roster(struct cm_attribution *attribution, const struct cm_roster *roster);
/* A hint: an event of that seat is resolved soon. */
void cm_attribution_expect(const struct cm_attribution *attribution, uint32_t seat);
/* The set of units of an event, as cm_attribution_resolve() would return it, by the numbers of its
 * seat and its queue (CM_UNIT_NONE: it has none, or a new one). Holds until the roster is
 * exchanged. */
uint32_t cm_attribution_set(const struct cm_attribution *attribution, const struct cm_event *event,
                            uint32_t seat, uint32_t queue);
/* The event that was resolved last has that set of units (unit_sets.h): those of its seat and queue
 * know it from now on. */
void cm_attribution_note_set(struct cm_attribution *attribution, uint32_t set);
/* Fills `units` for the event. Returns the number of that set when it is known, else CM_UNIT_NONE.
 */
uint32_t cm_attribution_resolve(struct cm_attribution *attribution, const struct cm_event *event,
                                struct cm_unit_set *units);

#endif
