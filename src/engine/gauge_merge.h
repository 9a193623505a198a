// SPDX-License-Identifier: Apache-2.0
/* gauge_merge.h — live pictures of units, put together from the workers' partial ones.
 *
 *   frames of a round ─► states: what changed, kept by worker ─┐
 *                     └► waits: all that wait, in every frame ─┴► one gauge a unit that changed
 *
 * THREADS   The service thread. OWNERSHIP Keys handed out live as long as the merge.
 */
#ifndef CM_ENGINE_GAUGE_MERGE_H
#define CM_ENGINE_GAUGE_MERGE_H

#include "engine/frame.h"
#include "event/gauge.h"

struct cm_gauge_merge;

struct cm_gauge_merge *cm_gauge_merge_create(uint32_t workers);
void cm_gauge_merge_destroy(struct cm_gauge_merge *merge);
/* What that worker said counts no longer: it begins again. */
void cm_gauge_merge_forget(struct cm_gauge_merge *merge, uint32_t worker);
/* Every unit counts as changed. */
void cm_gauge_merge_touch_all(struct cm_gauge_merge *merge);
/* Takes the frames of a round, one a worker, and hands over each unit whose picture changed or in
 * which a call waits. */
typedef void (*cm_gauge_fn)(void *context, const struct cm_unit_key *key,
                            const struct cm_gauge *gauge);
void cm_gauge_merge_take(struct cm_gauge_merge *merge, struct cm_frame *const *frames,
                         cm_gauge_fn emit, void *context);

#endif
