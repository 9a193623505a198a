// SPDX-License-Identifier: Apache-2.0
/* pane.h — event time cut into panes. A pane has the places of the legs in it (leg_log.h), in the
 * order in which they came.
 *
 *   panes by time   [ 07:59:58 ] ─ [ 07:59:59 ] ─ [ 08:00:01 ] ─ ...      (only those with legs)
 *                     leg 4711       leg 4712       leg 4713
 *                     leg 4714
 *
 * A pane also knows, a bit a window, whose sums have its legs and whose sums should have them; what
 * differs is made up for when somebody looks (windows_fold.c).
 *
 * THREADS   One thread. OWNERSHIP A store owns its panes.
 * COST      find: the newest pane is tried first, then a hash table in which panes that follow each
 *           other are neighbours. 128 bytes a pane, 4 bytes a leg where there are more than a few.
 */
#ifndef CM_WINDOW_PANE_H
#define CM_WINDOW_PANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define CM_PANE_USES 2u /* views: windows.h has as many */
#define CM_PANE_FEW  4u /* legs that a pane holds without a list of its own */

/* What a view's windows make of a pane. */
struct cm_pane_use {
    uint32_t done;     /* legs [0, done) are in the sums of the windows in `in` */
    uint16_t in, want; /* windows whose sums have it; whose sums should */
    uint16_t moved;    /* windows in which the units of all its legs have changed */
    uint16_t fresh;    /* and those of the legs from `done` on */
    bool is_listed;    /* in the list by newer_use and older_use: something is to be made up for */
    struct cm_pane *next_use, *last_use; /* last_use: the one before it */
};

struct cm_pane {
    int64_t no; /* event time / pane length */
    struct cm_pane *older, *newer;
    struct cm_pane *hash_next;
    uint32_t *legs; /* places, rising modulo 2^32 */
    uint32_t legs_count, legs_cap;
    struct cm_pane_use uses[CM_PANE_USES];
    uint32_t few[CM_PANE_FEW]; /* legs, until there are more */
};

_Static_assert(sizeof(struct cm_pane) == 2 * CM_CACHE_LINE, "a pane has two lines");

struct cm_panes;

struct cm_panes *cm_panes_create(int64_t pane_ms);
void cm_panes_destroy(struct cm_panes *panes);
int64_t cm_panes_ms(const struct cm_panes *panes);
/* The pane of that number; made when it is not there. Asserts that it is not below
 * cm_panes_floor(). */
struct cm_pane *cm_panes_get(struct cm_panes *panes, int64_t no);
struct cm_pane *cm_panes_find(struct cm_panes *panes, int64_t no); /* NULL when it is not there */
/* A hint: that pane is looked for soon. Whoever goes from pane to pane hints at the one so many
 * ahead: each tells where the next one lies, so they would be waited for one by one. */
#define CM_PANES_AHEAD 8
void cm_panes_expect(const struct cm_panes *panes, int64_t no);
struct cm_pane *cm_panes_oldest(const struct cm_panes *panes);
struct cm_pane *cm_panes_newest(const struct cm_panes *panes);
/* Panes below this number have been given back and are not made again. */
int64_t cm_panes_floor(const struct cm_panes *panes);
/* Gives back all panes with a number below floor_no; never falls. None of them may be listed. */
void cm_panes_drop(struct cm_panes *panes, int64_t floor_no);
/* Legs in panes. */
uint64_t cm_panes_legs(const struct cm_panes *panes);
size_t cm_panes_bytes(const struct cm_panes *panes);

/* Adds a leg that came after all others, by its place. */
void cm_panes_add(struct cm_panes *panes, struct cm_pane *pane, uint32_t leg);
/* Which of the pane's legs has that place; it must be there (CM_ASSERT). */
uint32_t cm_pane_index(const struct cm_pane *pane, uint32_t leg);

#endif
