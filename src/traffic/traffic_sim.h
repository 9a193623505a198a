// SPDX-License-Identifier: Apache-2.0
/* traffic_sim.h — the contact centre behind traffic.h: what happens, as lines in order of event
 * time.
 *
 * THREADS   One. OWNERSHIP a line belongs to the simulation; its text may be swapped for another.
 */
#ifndef CM_TRAFFIC_TRAFFIC_SIM_H
#define CM_TRAFFIC_TRAFFIC_SIM_H

#include "traffic/traffic.h"
#include "traffic/traffic_write.h"

struct cm_sim;

/* Options as checked by cm_traffic_create(): nothing AUTO, everything within its bounds. */
struct cm_sim *cm_sim_create(const struct cm_traffic_options *options);
void cm_sim_free(struct cm_sim *sim);
/* The next line, NULL at the end; valid until cm_sim_pop(), which goes on to the one after it. */
struct cm_traffic_line *cm_sim_peek(struct cm_sim *sim);
void cm_sim_pop(struct cm_sim *sim);

#endif
