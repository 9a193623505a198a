// SPDX-License-Identifier: Apache-2.0
/* placement.h — which unit hangs under which in the boards and member sets, at an instant.
 *
 *   seat ─► its team; without a team: the centre        by the row in force at asof
 *   team ─► its room; without a room: the centre        by the rows in force that name it
 *   room ─► its centre
 *   queue, centre: under nobody
 *
 * Of several rows in force that name a team (a room) differently, the one with the newest from_ms
 * decides. A seat that the roster lacks hangs under the configured centre once it was handed over;
 * so does a team or room that owns a queue without being in the roster. Other units that no row in
 * force names are nobody's, but for teams and rooms that were handed over: these stay where the
 * roster last had them.
 *
 * Changes are collected for the caller, who takes them with cm_placement_changes() and forgets them
 * with cm_placement_clear().
 *
 * THREADS   One. OWNERSHIP Configuration and roster are borrowed.
 * COST      An update walks all rows; due() is two comparisons.
 */
#ifndef CM_PUBLISH_PLACEMENT_H
#define CM_PUBLISH_PLACEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "event/roster.h"
#include "event/unit.h"

struct cm_placement;

struct cm_placement_change {
    uint32_t unit;
    uint32_t from, to; /* parents; CM_UNIT_NONE: nobody */
};

struct cm_placement *cm_placement_create(const struct cm_config *config,
                                         const struct cm_roster *roster);
void cm_placement_destroy(struct cm_placement *placement);
void cm_placement_set_roster(struct cm_placement *placement, const struct cm_roster *roster);

/* Whether update would look at the roster: it is new, or asof has crossed the `from` of a row. */
bool cm_placement_is_due(const struct cm_placement *placement, int64_t asof_ms);
/* Finds all parents anew when due. Returns whether a unit that was handed over has moved. */
bool cm_placement_update(struct cm_placement *placement, int64_t asof_ms);
/* The number of a unit that has figures; *first: never handed over before, or not since
 * cm_placement_forget(). Only after the first update. */
uint32_t cm_placement_hand_over(struct cm_placement *placement, const struct cm_unit_key *key,
                                bool *first);
/* Nobody was told anything: `first` comes again for each unit, and changes are those to the present
 * state, as if nobody had had a parent. */
void cm_placement_forget(struct cm_placement *placement);

uint32_t cm_placement_parent(const struct cm_placement *placement, uint32_t unit);
const struct cm_unit_key *cm_placement_key(const struct cm_placement *placement, uint32_t unit);
/* Units known so far, numbered from 0. */
uint32_t cm_placement_count(const struct cm_placement *placement);
/* The number of any unit, which then is known. */
uint32_t cm_placement_intern(struct cm_placement *placement, enum cm_kind kind, struct cm_str id);
/* Whether a unit of that id, of whatever kind, hangs under that parent. */
bool cm_placement_has_child(const struct cm_placement *placement, uint32_t parent,
                            struct cm_str id);

const struct cm_placement_change *cm_placement_changes(const struct cm_placement *placement,
                                                       uint32_t *count);
void cm_placement_clear(struct cm_placement *placement);

/* For qsort of changes: by the parent joined, then by unit. */
int cm_placement_by_parent(const void *a, const void *b);

#endif
