// SPDX-License-Identifier: Apache-2.0
/* appeared.h — units that have figures for the first time in this tick: `units:<kind>` gets them.
 *
 * OWNERSHIP Zero-initialised is an empty one; cm_appeared_free() gives its memory back.
 */
#ifndef CM_PUBLISH_APPEARED_H
#define CM_PUBLISH_APPEARED_H

#include <stdint.h>

#include "base/text.h"
#include "config/config.h"
#include "event/unit.h"
#include "publish/placement.h"

struct cm_appeared {
    struct {
        uint32_t *at; /* units of the placement */
        uint32_t count, cap;
    } kinds[CM_KIND_COUNT];
};

void cm_appeared_add(struct cm_appeared *appeared, uint8_t kind, uint32_t unit);
/* Appends SADDs of all; returns how many commands. */
uint32_t cm_appeared_write(const struct cm_appeared *appeared, const struct cm_placement *placement,
                           const struct cm_config *config, struct cm_text *out);
/* Forgets the units, keeps the memory. */
void cm_appeared_clear(struct cm_appeared *appeared);
void cm_appeared_free(struct cm_appeared *appeared);

#endif
