// SPDX-License-Identifier: Apache-2.0
/* row_batch.h — the rows of one tick, sorted into one HSET a key.
 *
 *   row ─► value (JSON, written once) ─┬─► group of the unit's hash:  field "5m"
 *                                      ├─► group of its own board:    field "."
 *                                      └─► group of its parent's:     field "1001"
 *   write ─► HSET key field value field value ...   a group each, at most 512 fields a command
 *
 * A group is found by (unit, slot) in an array: slot w is the unit's board of window w, the last
 * slot is the unit's own hash.
 *
 * OWNERSHIP Field names are borrowed until clear. COST  A value is formatted once and copied twice;
 * 4 bytes a unit and slot stay allocated.
 */
#ifndef CM_PUBLISH_ROW_BATCH_H
#define CM_PUBLISH_ROW_BATCH_H

#include "base/text.h"

struct cm_row_batch;

/* `slots` groups a unit. */
struct cm_row_batch *cm_row_batch_create(uint32_t slots);
void cm_row_batch_destroy(struct cm_row_batch *batch);
/* Takes a value and makes it the current one. */
void cm_row_batch_value(struct cm_row_batch *batch, const char *bytes, size_t len);
/* Puts the current value under `field` in the group. */
void cm_row_batch_add(struct cm_row_batch *batch, uint32_t unit, uint32_t slot,
                      struct cm_str field);
/* Writes the key of a group as one bulk. */
typedef void (*cm_row_batch_key_fn)(void *context, struct cm_text *out, uint32_t unit,
                                    uint32_t slot);
/* Appends all groups as commands, in the order of their first field; returns how many. */
uint32_t cm_row_batch_write(const struct cm_row_batch *batch, struct cm_text *out,
                            cm_row_batch_key_fn key, void *context);
/* Forgets the rows, keeps the memory. */
void cm_row_batch_clear(struct cm_row_batch *batch);

#endif
