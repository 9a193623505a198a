// SPDX-License-Identifier: Apache-2.0
/* merge.h — sums the shares that several workers have of one unit.
 *
 * Keeps the newest share of each worker for every unit and window. Workers report every change as
 * of the same instants, so a share that was not reported again is still right, but for the time in
 * states, which has run on in a straight line since. With one worker nothing is kept.
 *
 * THREADS   One thread. OWNERSHIP Takes over what the figures that are put in own.
 */
#ifndef CM_ENGINE_MERGE_H
#define CM_ENGINE_MERGE_H

#include <stdint.h>

#include "engine/frame.h"
#include "event/figures.h"
#include "event/unit.h"

struct cm_merge;

/* A sum over all workers, borrowed until the callback returns. `unit` numbers the units, from 0,
 * and most often as in the round before; CM_UNIT_NONE for closed periods. */
typedef void (*cm_merge_fn)(void *context, const struct cm_unit_key *key, uint32_t unit,
                            uint32_t window, int64_t asof_ms, const struct cm_measures *m);

struct cm_merge *cm_merge_create(uint32_t workers, uint32_t windows);
void cm_merge_destroy(struct cm_merge *merge);
/* A worker's share changed, as of an instant; takes over what m owns (and leaves it nothing) when
 * there are several workers. Returns the sum over all workers, borrowed until the next call. */
const struct cm_measures *cm_merge_put(struct cm_merge *merge, uint32_t worker,
                                       const struct cm_unit_key *key, uint32_t window,
                                       int64_t asof_ms, struct cm_measures *m);
/* All figures of a round: each unit and window that any worker reports comes once, as the sum over
 * all of them; rows of a unit together, units by their numbers. Takes what the rows own over where
 * it has to keep it, and leaves them other memory for their next round. */
void cm_merge_rows(struct cm_merge *merge, struct cm_frame *const *frames, cm_merge_fn emit,
                   void *context);
/* All closed periods of a round, in order of window, end, unit. Nothing is kept of them: every
 * worker reports all that it has of a period in the round that closes it. */
void cm_merge_history(struct cm_frame *const *frames, uint32_t count, cm_merge_fn emit,
                      void *context);
/* A worker begins again from nothing, and numbers its units anew. */
void cm_merge_forget(struct cm_merge *merge, uint32_t worker);

#endif
