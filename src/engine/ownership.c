// SPDX-License-Identifier: Apache-2.0
#include "engine/ownership.h"

#include <stdio.h>
#include <string.h>

struct cm_owned *cm_owned_find(struct cm_ownership *own, int32_t partition)
{
    for (uint32_t i = 0; i < own->count; i++) {
        if (own->at[i].partition == partition) {
            return &own->at[i];
        }
    }
    return NULL;
}

struct cm_owned cm_owned_begin(const struct cm_position *position, uint32_t worker,
                               int64_t *clock_ms)
{
    struct cm_owned owned = {.partition = position->partition,
                             .worker = worker,
                             .offset = CM_OFFSET_NONE,
                             .whole_ms = INT64_MIN};
    if (position->offset != CM_OFFSET_NONE) {
        struct cm_rebuild rebuild = cm_rebuild_read(position->metadata, position->offset);
        owned.offset = rebuild.offset;
        owned.known_offset = position->offset;
        owned.whole_ms = rebuild.whole_ms;
        *clock_ms = rebuild.clock_ms > *clock_ms ? rebuild.clock_ms : *clock_ms;
    }
    return owned;
}

bool cm_ownership_take(struct cm_ownership *own, uint32_t worker, const struct cm_frame *frame)
{
    bool moved = false;
    for (uint32_t i = 0; i < frame->positions_count; i++) {
        const struct cm_position *position = &frame->positions[i];
        struct cm_owned *owned = cm_owned_find(own, position->partition);
        if (owned != NULL && owned->worker == worker) {
            moved = moved || owned->offset != position->offset;
            owned->offset = position->offset;
            snprintf(owned->metadata, sizeof(owned->metadata), "%s", position->metadata);
        }
    }
    return moved;
}

uint64_t cm_ownership_lag(const struct cm_ownership *own, const struct cm_kafka *kafka)
{
    uint64_t records = 0;
    for (uint32_t i = 0; i < own->count; i++) {
        const struct cm_owned *owned = &own->at[i];
        int64_t high = cm_kafka_high(kafka, owned->partition);
        int64_t behind = high - (owned->offset == CM_OFFSET_NONE ? 0 : owned->offset);
        records += high >= 0 && behind > 0 ? (uint64_t)behind : 0;
    }
    return records;
}

static bool at_end(const struct cm_owned *owned, const struct cm_kafka *kafka)
{
    int64_t high = cm_kafka_high(kafka, owned->partition);
    return owned->offset != CM_OFFSET_NONE && high >= 0 && owned->offset >= high;
}

bool cm_ownership_is_rebuilt(struct cm_ownership *own, const struct cm_kafka *kafka)
{
    for (uint32_t i = 0; i < own->count; i++) {
        struct cm_owned *owned = &own->at[i];
        if (owned->offset >= owned->known_offset || owned->known_offset == 0) {
            continue;
        }
        if (owned->metadata[0] == '\0' || !at_end(owned, kafka)) {
            return false;
        }
        owned->known_offset = owned->offset; /* the topic was made anew, or cut */
    }
    return true;
}

bool cm_ownership_is_read(const struct cm_ownership *own, const struct cm_kafka *kafka)
{
    bool read = own->count > 0;
    for (uint32_t i = 0; i < own->count; i++) {
        read = read && at_end(&own->at[i], kafka);
    }
    return read;
}

int64_t cm_ownership_whole_ms(const struct cm_ownership *own)
{
    int64_t whole_ms = INT64_MIN;
    for (uint32_t i = 0; i < own->count; i++) {
        whole_ms = own->at[i].whole_ms > whole_ms ? own->at[i].whole_ms : whole_ms;
    }
    return whole_ms;
}

uint32_t cm_ownership_positions(const struct cm_ownership *own,
                                struct cm_position positions[CM_PARTITIONS_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < own->count; i++) {
        const struct cm_owned *owned = &own->at[i];
        if (owned->offset == CM_OFFSET_NONE || owned->metadata[0] == '\0') {
            continue; /* nothing is read yet: what was committed before still holds */
        }
        struct cm_position *position = &positions[count++];
        position->partition = owned->partition;
        position->offset =
            owned->offset > owned->known_offset ? owned->offset : owned->known_offset;
        memcpy(position->metadata, owned->metadata, sizeof(position->metadata));
    }
    return count;
}

bool cm_ownership_loses(const struct cm_ownership *own, uint32_t worker,
                        const struct cm_position *positions, uint32_t count)
{
    for (uint32_t i = 0; i < own->count; i++) {
        bool kept = own->at[i].worker != worker || own->at[i].offset == CM_OFFSET_NONE;
        for (uint32_t k = 0; k < count && !kept; k++) {
            kept = positions[k].partition == own->at[i].partition;
        }
        if (!kept) {
            return true;
        }
    }
    return false;
}
