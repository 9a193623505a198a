// SPDX-License-Identifier: Apache-2.0
/* keys.h — the names of the keys in Redis, in one place.
 * Each writes one bulk: a word of a command. */
#ifndef CM_PUBLISH_KEYS_H
#define CM_PUBLISH_KEYS_H

#include "base/text.h"
#include "event/unit.h"

/* <prefix><kind>:<id> */
void cm_key_unit(struct cm_text *out, const char *prefix, const struct cm_unit_key *key);
/* <prefix><family>:<kind>:<id>: members */
void cm_key_family(struct cm_text *out, const char *prefix, const char *family,
                   const struct cm_unit_key *key);
/* <prefix><family>:<kind>:<id>:<window>: board, history */
void cm_key_window(struct cm_text *out, const char *prefix, const char *family,
                   const struct cm_unit_key *key, const char *window);
/* <prefix>units:<kind> */
void cm_key_units(struct cm_text *out, const char *prefix, unsigned kind);
/* <prefix>rank:<kind>:<window>:<metric> */
void cm_key_rank(struct cm_text *out, const char *prefix, unsigned kind, const char *window,
                 const char *metric);
/* <prefix><name>: meta, breaches, breaches:active */
void cm_key_plain(struct cm_text *out, const char *prefix, const char *name);

#endif
