// SPDX-License-Identifier: Apache-2.0
/* unit_order.h — what has changed, in the order of units: rows that lie side by side in memory,
 * ours and that of Redis, are then written one after the other.
 *
 * OWNERSHIP Zero-initialised is ready; cm_unit_order_free() gives the memory back. COST A pass for
 * each 11 bits of the greatest number; none over what is in order.
 */
#ifndef CM_ENGINE_UNIT_ORDER_H
#define CM_ENGINE_UNIT_ORDER_H

#include <stdint.h>

#include "window/windows.h"

struct cm_unit_order {
    struct cm_changed_unit *items;
    uint32_t count, cap;
    struct cm_changed_unit *spare;
    uint32_t spare_cap;
};

void cm_unit_order_add(struct cm_unit_order *order, uint32_t unit, uint32_t windows);
/* Sorts by unit; equal ones stay as they came. */
void cm_unit_order_sort(struct cm_unit_order *order);
void cm_unit_order_free(struct cm_unit_order *order);

#endif
