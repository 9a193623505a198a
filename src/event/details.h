// SPDX-License-Identifier: Apache-2.0
/* details.h — what stands behind the figures of a unit in one window: time in each state, checks by
 * name, checks by source. A short sorted list that adds up like a tally.
 *
 * OWNERSHIP A list owns its items; names are borrowed, and live as long as whoever interned them
 *           (window/sums.h keeps its names to the end).
 * UNITS     ms for states; counts of verdicts for checks and sources.
 * COST      24 to 40 bytes an item; merging is one pass over both lists.
 */
#ifndef CM_EVENT_DETAILS_H
#define CM_EVENT_DETAILS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

enum cm_detail_group { CM_DETAIL_STATE, CM_DETAIL_CHECK, CM_DETAIL_SOURCE };

/* Sources of a verdict on a check: the record itself (and the rules that judge it), then those of
 * `check` events, in the order of enum cm_source. */
#define CM_DETAIL_SOURCE_RECORD 0u
#define CM_DETAIL_SOURCE_COUNT  4u

struct cm_detail {
    uint8_t group;      /* enum cm_detail_group */
    uint8_t index;      /* STATE: enum cm_state; SOURCE: 0 record, 1 + enum cm_source; CHECK: 0 */
    struct cm_str name; /* CHECK only */
    uint64_t count;     /* STATE: ms; else how often evaluated. Never 0. */
    uint64_t passed;    /* of these */
};

/* Zero-initialised is an empty one. In the order of group, index, name (bytes). */
struct cm_details {
    struct cm_detail *at;
    uint32_t count, cap;
};

void cm_details_grow(struct cm_details *details); /* room for one more */

/* Appends an item in any order; sort afterwards. */
static inline void cm_details_add(struct cm_details *details, const struct cm_detail *item)
{
    if (details->count == details->cap) {
        cm_details_grow(details);
    }
    details->at[details->count++] = *item;
}

void cm_details_sort(struct cm_details *details);
/* into += from; both sorted. */
void cm_details_merge(struct cm_details *into, const struct cm_details *from);
/* After a merge in which counts were taken back: leaves out items whose count is 0. */
void cm_details_drop_zeros(struct cm_details *details);
void cm_details_copy(struct cm_details *into, const struct cm_details *from); /* replaces `into` */
void cm_details_free(struct cm_details *details);
/* Appends `,"state_ms":{...},"checks":{...},"check_sources":{...}`, each only when it has items. */
void cm_details_write(struct cm_text *out, const struct cm_details *details);
const char *cm_detail_source_name(unsigned index); /* "record", "self", ... */

#endif
