// SPDX-License-Identifier: Apache-2.0
#include "engine/group.h"

void cm_group_decode(struct cm_group *group, struct cm_decoder *decoder,
                     const struct cm_record *records, uint32_t count)
{
    group->count = count < CM_WINDOWS_EXPECT ? count : CM_WINDOWS_EXPECT;
    group->events_count = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        group->event_of[i] = CM_GROUP_NONE;
        group->reasons[i] = CM_REASON_NONE;
        if (records[i].value == NULL) {
            continue;
        }
        group->reasons[i] = cm_decode(decoder, records[i].value, records[i].value_bytes,
                                      &group->events[group->events_count]);
        if (group->reasons[i] == CM_REASON_NONE) {
            group->event_of[i] = (uint8_t)group->events_count++;
        }
    }
}
