// SPDX-License-Identifier: Apache-2.0
/* roster_yaml.h — the YAML form of a roster: a list of maps with the keys of the CSV columns.
 *
 *   - {seat: "1001", team: t7, room: r2, centre: main}
 *   - {seat: "1001", team: t8, room: r2, from: 2026-11-01T08:00:00+08:00}
 *
 * Only `seat` must be there. Values are scalars; a plain `~` or `null` is empty. Anchors, aliases,
 * tags, a second document and a key that comes twice are mistakes.
 */
#ifndef CM_EVENT_ROSTER_YAML_H
#define CM_EVENT_ROSTER_YAML_H

#include "event/roster_build.h"

/* Mistakes go to the builder. `bytes` may be NULL when len is 0. */
void cm_roster_read_yaml(struct cm_roster_build *build, const char *bytes, size_t len);

#endif
