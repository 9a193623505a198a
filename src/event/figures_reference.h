// SPDX-License-Identifier: Apache-2.0
/* figures_reference.h — the reference pages that follow from the tables of this room.
 *
 * THREADS   No state; the caller owns `out`. Output depends on the tables alone, so that a test can
 *           compare it with the page in docs/.
 */
#ifndef CM_EVENT_FIGURES_REFERENCE_H
#define CM_EVENT_FIGURES_REFERENCE_H

#include "base/text.h"

/* Appends docs/figures.md: every figure, when it counts, when it is null, and how others define it.
 */
void cm_figures_reference(struct cm_text *out);
/* Appends docs/dead-letters.md: every reason for which a record does not count. */
void cm_reasons_reference(struct cm_text *out);

#endif
