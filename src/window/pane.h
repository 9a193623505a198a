// SPDX-License-Identifier: Apache-2.0
/* pane.h — event time cut into panes. A pane has the list of the cells that have a leg in it; the
 * legs stand in the tracks of their cells (track.h). A cell is what counts for the same units
 * (windows_state.h).
 *
 *   panes by time   [ 07:59:58 ] ─ [ 07:59:59 ] ─ [ 08:00:01 ] ─ ...     (only those with cells)
 *                     cell 7         cell 2         cell 7
 *   cell 7's track  [ 58: leg, 58: leg ............ 01: leg ]
 *
 * A leg touches one item, however many units and windows there are.
 *
 * THREADS   One thread. OWNERSHIP A store owns its panes; tracks are their cells'.
 * COST      find: the newest pane is tried first, then a hash table.
 */
#ifndef CM_WINDOW_PANE_H
#define CM_WINDOW_PANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "window/track.h"

struct cm_pane {
    int64_t no; /* event time / pane length */
    struct cm_pane *older, *newer;
    struct cm_pane *hash_next;
    uint32_t *cells; /* each once */
    uint32_t cells_count, cells_cap;
    uint32_t moved; /* windows that it came into or left, and its cells do not know it yet */
    struct cm_pane *moved_next;
};

struct cm_panes;

struct cm_panes *cm_panes_create(int64_t pane_ms);
void cm_panes_destroy(struct cm_panes *panes);
int64_t cm_panes_ms(const struct cm_panes *panes);
/* The pane of that number; made when it is not there. Asserts that it is not below
 * cm_panes_floor(). */
struct cm_pane *cm_panes_get(struct cm_panes *panes, int64_t no);
struct cm_pane *cm_panes_find(struct cm_panes *panes, int64_t no); /* NULL when it is not there */
/* A hint: that pane is looked for soon. */
void cm_panes_expect(const struct cm_panes *panes, int64_t no);
struct cm_pane *cm_panes_oldest(const struct cm_panes *panes);
struct cm_pane *cm_panes_newest(const struct cm_panes *panes);
/* Panes below this number have been given back and are not made again. */
int64_t cm_panes_floor(const struct cm_panes *panes);
/* Gives back all panes with a number below floor_no; never falls. What their cells have in them
 * must have been given back (cm_panes_release()). */
void cm_panes_drop(struct cm_panes *panes, int64_t floor_no);
/* Legs in tracks. */
uint64_t cm_panes_entries(const struct cm_panes *panes);
size_t cm_panes_bytes(const struct cm_panes *panes);

/* Adds a leg, by its place, to the track of that cell. */
void cm_panes_add(struct cm_panes *panes, struct cm_pane *pane, struct cm_track *track,
                  uint32_t cell, uint32_t leg);
/* Forgets what a cell has in panes below floor_no. */
void cm_panes_release(struct cm_panes *panes, struct cm_track *track, int64_t floor_no);

#endif
