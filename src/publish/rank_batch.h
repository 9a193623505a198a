// SPDX-License-Identifier: Apache-2.0
/* rank_batch.h — the configured rankings: sorted sets of ids by a figure.
 *
 * A figure that is null leaves the set. After a (re)connect the first rows of a ranking replace the
 * whole set in one transaction, so that units which are gone do not stay in it. */
#ifndef CM_PUBLISH_RANK_BATCH_H
#define CM_PUBLISH_RANK_BATCH_H

#include "base/text.h"
#include "config/config.h"
#include "event/figures.h"
#include "event/unit.h"

struct cm_rank_batch;

struct cm_rank_batch *cm_rank_batch_create(const struct cm_config *config);
void cm_rank_batch_destroy(struct cm_rank_batch *batch);
void cm_rank_batch_add(struct cm_rank_batch *batch, const struct cm_unit_key *key, uint32_t window,
                       const struct cm_measures *m);
/* Appends the commands of this tick; returns how many. */
uint32_t cm_rank_batch_write(struct cm_rank_batch *batch, struct cm_text *out);
void cm_rank_batch_clear(struct cm_rank_batch *batch);
/* Redis may hold anything: the next rows replace the sets. */
void cm_rank_batch_replace(struct cm_rank_batch *batch);

#endif
