// SPDX-License-Identifier: Apache-2.0
/* seat_states.h — what each seat does, and since when: changes of state in the order of event time,
 * whatever the order in which they come, as steps of the sums (sums.h).
 *
 *   seat   … ──available──┬──talking──┬──acw──►            a change: ts, id, state, units
 *                         │           └ +1 acw at ts, -1 talking at ts
 *                         └ one that comes late cuts the span it falls into in two
 *
 * Beside that the live picture for gauges: each seat's newest state, and how many seats of each
 * unit are in which. A change is remembered as long as one could still come before it.
 *
 * THREADS   One thread. TIME Event time, ms.
 * COST      A change: a few steps back in the seat's list, two to four additions for each unit.
 * Memory: 32 bytes and the id a change, for the longest sliding window.
 */
#ifndef CM_WINDOW_SEAT_STATES_H
#define CM_WINDOW_SEAT_STATES_H

#include <stdbool.h>
#include <stdint.h>

#include "event/event.h"
#include "event/unit.h"
#include "window/sums.h"
#include "window/unit_sets.h"

struct cm_seat_states;

/* Borrows all three. keep_ms: how far back from the newest event time a change may come. */
struct cm_seat_states *cm_seat_states_create(struct cm_sums *sums, struct cm_unit_sets *sets,
                                             const struct cm_units *units, int64_t keep_ms);
void cm_seat_states_destroy(struct cm_seat_states *states);
/* Takes a seat_state of that seat (a unit) for that set of units. newest_ms: the newest event time,
 * this one included. false: it is too old, and nothing has changed. */
bool cm_seat_states_take(struct cm_seat_states *states, uint32_t seat, uint32_t set,
                         const struct cm_event *event, int64_t newest_ms);

/* The newest state of a seat. false: nothing is known of it. */
bool cm_seat_states_now(const struct cm_seat_states *states, uint32_t seat, enum cm_state *state,
                        int64_t *since_ms);
/* How many seats of a unit are in each state now; NULL: nothing is known of any. */
const uint32_t *cm_seat_states_counts(const struct cm_seat_states *states, uint32_t unit);
/* Whether a seat of that unit is in any state but offline. */
bool cm_seat_states_is_on(const struct cm_seat_states *states, uint32_t unit);
/* Units whose picture changed since the last call; borrowed until the next take. */
const uint32_t *cm_seat_states_changed(struct cm_seat_states *states, uint32_t *count);
/* Every unit of which something is known counts as changed. */
void cm_seat_states_touch_all(struct cm_seat_states *states);

#endif
