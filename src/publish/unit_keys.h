// SPDX-License-Identifier: Apache-2.0
/* unit_keys.h — the keys of units as they go over the wire, kept: a row copies a few bytes.
 *
 *   unit 7  ─►  $12\r\ncm:seat:1234\r\n        made once
 *
 * And a short way from whoever hands rows over: it numbers its units, too, and a number that stood
 * for a unit before is not looked up again. Numbers may be dealt anew at any time: what is found is
 * compared with the key.
 *
 * THREADS   One. OWNERSHIP The configuration is borrowed. What is returned never moves.
 * COST      16 bytes, the key and 4 bytes for the other number a unit.
 */
#ifndef CM_PUBLISH_UNIT_KEYS_H
#define CM_PUBLISH_UNIT_KEYS_H

#include "base/text.h"
#include "config/config.h"
#include "event/unit.h"

struct cm_unit_keys;

struct cm_unit_keys *cm_unit_keys_create(const struct cm_config *config);
void cm_unit_keys_destroy(struct cm_unit_keys *keys);
/* The unit that `number` stood for last, when it is the one of that key; else CM_UNIT_NONE. */
uint32_t cm_unit_keys_find(const struct cm_unit_keys *keys, uint32_t number,
                           const struct cm_unit_key *key);
/* `number` (CM_UNIT_NONE: none) stands for that unit, whose keys are made when it is new. */
void cm_unit_keys_note(struct cm_unit_keys *keys, uint32_t number, uint32_t unit,
                       const struct cm_unit_key *key);
/* Numbers stand for nothing any more. */
void cm_unit_keys_forget(struct cm_unit_keys *keys);
/* <prefix><kind>:<id> as a bulk, and the id alone. Only of units that were noted. */
struct cm_str cm_unit_keys_bulk(const struct cm_unit_keys *keys, uint32_t unit);
struct cm_str cm_unit_keys_id(const struct cm_unit_keys *keys, uint32_t unit);
/* The name of a window as a bulk; of the one behind the last: `now`. */
struct cm_str cm_unit_keys_field(const struct cm_unit_keys *keys, uint32_t window);
/* Appends <prefix>board:<kind>:<id>:<window> as a bulk; of any unit. */
void cm_unit_keys_board(const struct cm_unit_keys *keys, struct cm_text *out,
                        const struct cm_unit_key *key, uint32_t window);

#endif
