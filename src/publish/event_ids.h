// SPDX-License-Identifier: Apache-2.0
/* event_ids.h — a set of event ids that forgets the oldest: at least the newest 32,768 are in it,
 * at most 65,536. Two generations; when the newer is full it becomes the older one. COST 32 bytes
 * an id at most; ids are kept as 128-bit hashes. */
#ifndef CM_PUBLISH_EVENT_IDS_H
#define CM_PUBLISH_EVENT_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/text.h"

struct cm_event_ids {
    struct cm_hash128 *slots[2]; /* NULL: none yet; all zero: free */
    uint32_t used[2];
    uint32_t newer;
};

void cm_event_ids_add(struct cm_event_ids *ids, struct cm_str id);
bool cm_event_ids_has(const struct cm_event_ids *ids, struct cm_str id);
void cm_event_ids_clear(struct cm_event_ids *ids); /* and gives back the memory */
/* The "id" of a JSON object on its top level, as it is written there; len 0: it has none, or it is
 * no string. The object must be valid JSON for the answer to mean anything. */
struct cm_str cm_event_id_of(struct cm_str json);

#endif
