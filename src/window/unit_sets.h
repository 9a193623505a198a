// SPDX-License-Identifier: Apache-2.0
/* unit_sets.h — the sets of units that events count for, each kept once: a number in place of up to
 * six. There are about as many as pairs of seat and queue.
 *
 * THREADS   One thread. COST one hash and one probe; 28 bytes a set.
 */
#ifndef CM_WINDOW_UNIT_SETS_H
#define CM_WINDOW_UNIT_SETS_H

#include <stddef.h>
#include <stdint.h>

#define CM_UNIT_SET_MAX 6u /* seat, team, room, centre, queue; one to spare */

struct cm_unit_set {
    uint32_t units[CM_UNIT_SET_MAX];
    uint32_t count;
};

struct cm_unit_sets;

struct cm_unit_sets *cm_unit_sets_create(void);
void cm_unit_sets_destroy(struct cm_unit_sets *sets);
/* The number of a set; new ones get the next, from 0, never reused. */
uint32_t cm_unit_sets_intern(struct cm_unit_sets *sets, const uint32_t *units, uint32_t count);
/* Valid until the next intern. */
const struct cm_unit_set *cm_unit_sets_at(const struct cm_unit_sets *sets, uint32_t number);

#endif
