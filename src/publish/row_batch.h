// SPDX-License-Identifier: Apache-2.0
/* row_batch.h — the rows of one tick, as one HSET a key.
 *
 *   row ─► value, written where it goes out:  HSET cm:seat:1001 5m {..} 1h {..}     one a unit
 *                      │
 *                      ├─► group of the unit's own board:  field "."
 *                      └─► group of its parent's board:    field "1001"
 *   boards ─► HSET key field value field value ...   one a group, at most 512 fields a command
 *
 * A group is found by (unit, slot) in an array: slot w is the unit's board of window w.
 *
 * OWNERSHIP Keys and field names are borrowed until clear. COST  A value is written once, and
 * copied once for each board that it is on; 4 bytes a unit and slot stay allocated.
 */
#ifndef CM_PUBLISH_ROW_BATCH_H
#define CM_PUBLISH_ROW_BATCH_H

#include "base/text.h"

struct cm_row_batch;

/* `slots` groups a unit. */
struct cm_row_batch *cm_row_batch_create(uint32_t slots);
void cm_row_batch_destroy(struct cm_row_batch *batch);
/* Begins a value, which then is the current one: the caller appends it to the returned text and
 * calls cm_row_batch_end(). It goes into the hash `key` under `field`; both are bulks, encoded.
 * What comes for one key (the same pointer) without another between goes into one command. A key of
 * length 0: the value is for boards only, and so must be all others until clear. */
struct cm_text *cm_row_batch_begin(struct cm_row_batch *batch, struct cm_str key,
                                   struct cm_str field);
void cm_row_batch_end(struct cm_row_batch *batch);
/* Puts the current value under `field` (its bytes) in a group, too. */
void cm_row_batch_add(struct cm_row_batch *batch, uint32_t unit, uint32_t slot,
                      struct cm_str field);
/* Writes the key of a group as one bulk. */
typedef void (*cm_row_batch_key_fn)(void *context, struct cm_text *out, uint32_t unit,
                                    uint32_t slot);
/* Appends all groups as commands, in the order of their first field; returns how many. */
uint32_t cm_row_batch_boards(const struct cm_row_batch *batch, struct cm_text *out,
                             cm_row_batch_key_fn key, void *context);
/* The commands of the hashes, and how many; the text may change hands, after that only clear. */
struct cm_text *cm_row_batch_hashes(struct cm_row_batch *batch, uint32_t *commands);
/* Forgets the rows, keeps the memory. */
void cm_row_batch_clear(struct cm_row_batch *batch);

#endif
