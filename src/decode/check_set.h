// SPDX-License-Identifier: Apache-2.0
/* check_set.h — the members of one `checks` object: distinct names in order of first sight, the
 * last result of each.
 *
 * THREADS   One at a time. OWNERSHIP Names are borrowed; the set owns its arrays and reuses them.
 * COST      Names are compared one by one while they are few and looked up in a table beyond
 *           that, so that a hostile record with thousands of names stays linear.
 */
#ifndef CM_DECODE_CHECK_SET_H
#define CM_DECODE_CHECK_SET_H

#include <stdint.h>

#include "event/event.h"

struct cm_check_set {
    struct cm_check *items;
    uint32_t count, cap;
    uint16_t *slots; /* index + 1 of an item, 0 = free; in use while count > CM_CHECK_SET_FEW */
};

#define CM_CHECK_SET_FEW   16u
#define CM_CHECK_SET_SLOTS 16384u /* twice the 7,281 names that fit into a record */

void cm_check_set_clear(struct cm_check_set *set);
void cm_check_set_put(struct cm_check_set *set, struct cm_str name, int32_t result);
void cm_check_set_free(struct cm_check_set *set);

#endif
