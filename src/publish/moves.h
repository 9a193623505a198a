// SPDX-License-Identifier: Apache-2.0
/* moves.h — units that have found, left or changed their parent, as commands: SADD and SREM of
 * members, HDEL of the child's field on the boards that it has left.
 *
 * THREADS   The publisher's. OWNERSHIP Everything is borrowed for the call.
 */
#ifndef CM_PUBLISH_MOVES_H
#define CM_PUBLISH_MOVES_H

#include <stdint.h>

#include "base/text.h"
#include "config/config.h"
#include "publish/placement.h"

/* Appends the commands for all changes since cm_placement_clear(); returns how many. */
uint32_t cm_moves_write(const struct cm_placement *placement, const struct cm_config *config,
                        struct cm_text *out);

#endif
