// SPDX-License-Identifier: Apache-2.0
/* rule_merge.h — the rule logs of several workers as one: an observation becomes the sum over the
 * workers as of its step.
 *
 * A worker writes down every change, so the share of one that wrote nothing is still right. Where
 * several workers saw a unit change at one step there are as many observations of it; the last is
 * whole, and an observation replaces the one before.
 *
 * THREADS   The service thread, between frames. COST a sort of the observations of one round.
 */
#ifndef CM_ENGINE_RULE_MERGE_H
#define CM_ENGINE_RULE_MERGE_H

#include <stdint.h>

#include "engine/merge.h"
#include "engine/rule_steps.h"

/* `logs` are `count` workers' logs, in the order of workers; `out` is filled in the order asof_ms,
 * window, key and owns its histograms. */
void cm_rule_merge(struct cm_merge *merge, const struct cm_rule_log *const *logs, uint32_t count,
                   struct cm_rule_log *out);

#endif
