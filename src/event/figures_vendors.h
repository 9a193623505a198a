// SPDX-License-Identifier: Apache-2.0
/* figures_vendors.h — where each figure's definition comes from, the moment at which it counts, and
 * what Amazon Connect, Genesys Cloud, Cisco, Avaya and Asterisk say of the same thing: a part of
 * docs/figures.md.
 *
 * Only what their public documents say is here; where these say nothing that was found, the cell
 * says "not known". A figure that is added to CM_FIGURES needs a row here: a test asks for it.
 *
 * THREADS   No state. COST Runs when the docs are made, never in the engine.
 */
#ifndef CM_EVENT_FIGURES_VENDORS_H
#define CM_EVENT_FIGURES_VENDORS_H

#include "base/text.h"
#include "event/figures.h"

/* When a figure counts, and whose definition it is: never NULL. */
const char *cm_figure_moment(enum cm_figure figure);
const char *cm_figure_source(enum cm_figure figure);
/* Appends the comparison: a short table of systems, then one of all figures, then the sources. */
void cm_figures_vendors(struct cm_text *out);

#endif
