// SPDX-License-Identifier: Apache-2.0
/* unit.h — the things that figures are kept for, and a table that gives each a dense number.
 *
 *   centre ── room ── team ── seat          queue (owned by a node of the tree)
 *
 * The kinds are in the order of their names' bytes, which is the order of rows.
 *
 * THREADS   A table belongs to one thread. The text of a key never moves and lives as long as the
 * table, so another thread that was handed an index by release/acquire may read its key. COST find:
 * one hash, one probe of 16 bytes, one compare of the text.
 */
#ifndef CM_EVENT_UNIT_H
#define CM_EVENT_UNIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

// clang-format off
#define CM_KINDS(X) X(CENTRE, "centre") X(QUEUE, "queue") X(ROOM, "room") X(SEAT, "seat") X(TEAM, "team")
// clang-format on
#define X(code, text) CM_KIND_##code,
enum cm_kind { CM_KINDS(X) CM_KIND_COUNT };
#undef X

#define CM_UNIT_NONE UINT32_MAX

const char *cm_kind_name(unsigned kind); /* "centre" */
/* The kind of a name; false when it is none. */
bool cm_kind_parse(struct cm_str name, enum cm_kind *kind);

struct cm_unit_key {
    uint8_t kind; /* enum cm_kind */
    struct cm_str id;
};

/* Order of rows: kind, then id bytewise. */
int cm_unit_key_cmp(const struct cm_unit_key *a, const struct cm_unit_key *b);

struct cm_units;

struct cm_units *cm_units_create(void);
void cm_units_destroy(struct cm_units *units);
/* The number of a unit, new ones get the next; numbers are dense from 0 and never reused. */
uint32_t cm_units_intern(struct cm_units *units, enum cm_kind kind, struct cm_str id);
/* CM_UNIT_NONE when it was never interned. */
uint32_t cm_units_find(const struct cm_units *units, enum cm_kind kind, struct cm_str id);
/* A hint: that unit is looked for soon. Returns its hash, by which it is found sooner. */
uint64_t cm_units_expect(const struct cm_units *units, enum cm_kind kind, struct cm_str id);
/* As cm_units_find(); `hash` is what cm_units_expect() returned for that kind and id. */
uint32_t cm_units_find_hashed(const struct cm_units *units, enum cm_kind kind, struct cm_str id,
                              uint64_t hash);
const struct cm_unit_key *cm_units_key(const struct cm_units *units, uint32_t unit);
uint32_t cm_units_count(const struct cm_units *units);

#endif
