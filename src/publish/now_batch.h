// SPDX-License-Identifier: Apache-2.0
/* now_batch.h — the live pictures of one tick, until the rows of their units come by and take them
 * along into one command.
 *
 * OWNERSHIP Values are the batch's until clear. COST  4 bytes a unit stay allocated.
 */
#ifndef CM_PUBLISH_NOW_BATCH_H
#define CM_PUBLISH_NOW_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "event/gauge.h"

struct cm_now_batch;

struct cm_now_batch *cm_now_batch_create(void);
void cm_now_batch_destroy(struct cm_now_batch *batch);
/* At most once a unit. */
void cm_now_batch_add(struct cm_now_batch *batch, uint32_t unit, int64_t asof_ms,
                      const struct cm_gauge *gauge);
/* The value of a unit; false: there is none, or it was taken. */
bool cm_now_batch_take(struct cm_now_batch *batch, uint32_t unit, struct cm_str *value);
/* Any one that was not taken yet, and whose it is. */
bool cm_now_batch_take_any(struct cm_now_batch *batch, uint32_t *unit, struct cm_str *value);
/* Forgets them, keeps the memory. */
void cm_now_batch_clear(struct cm_now_batch *batch);

#endif
