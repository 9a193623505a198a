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
            group->sound[group->events_count] = &group->events[group->events_count];
            group->event_of[i] = (uint8_t)group->events_count++;
        }
    }
}

void cm_group_expect(const struct cm_windows *windows, const struct cm_decoded *decoded,
                     uint32_t count, struct cm_hint hints[CM_WINDOWS_EXPECT])
{
    const struct cm_event *sound[CM_WINDOWS_EXPECT];
    uint32_t sound_count = 0;
    for (uint32_t i = 0; i < count && i < CM_WINDOWS_EXPECT; i++) {
        if (decoded[i].reason == CM_REASON_NONE) {
            sound[sound_count++] = &decoded[i].event;
        }
    }
    cm_windows_expect(windows, sound, sound_count, hints);
}
