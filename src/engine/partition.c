// SPDX-License-Identifier: Apache-2.0
#include "engine/partition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "kafka/kafka.h"

void cm_rebuild_write(const struct cm_rebuild *rebuild, char text[CM_REBUILD_BYTES])
{
    int len = snprintf(text, CM_REBUILD_BYTES, "from=%lld ms=%lld", (long long)rebuild->offset,
                       (long long)rebuild->whole_ms);
    if (rebuild->clock_ms != INT64_MIN) {
        (void)snprintf(text + len, CM_REBUILD_BYTES - (size_t)len, " clock=%lld",
                       (long long)rebuild->clock_ms);
    }
}

struct cm_rebuild cm_rebuild_read(const char *text, int64_t committed)
{
    struct cm_rebuild rebuild = {committed, INT64_MIN, INT64_MIN};
    long long from = -1;
    long long whole_ms = INT64_MIN;
    long long clock_ms = INT64_MIN;
    if (sscanf(text, "from=%lld ms=%lld clock=%lld", &from, &whole_ms, &clock_ms) >= 2 &&
        from >= 0 && from <= committed) {
        rebuild = (struct cm_rebuild){from, whole_ms, clock_ms};
    }
    return rebuild;
}

void cm_partition_init(struct cm_partition *partition, int32_t id, int64_t now_mono_ns)
{
    memset(partition, 0, sizeof(*partition));
    partition->id = id;
    partition->next_offset = CM_OFFSET_NONE;
    partition->newest_ms = INT64_MIN;
    partition->active_ns = now_mono_ns;
}

void cm_partition_free(struct cm_partition *partition)
{
    free(partition->hours);
    partition->hours = NULL;
    partition->hours_count = 0;
    partition->hours_cap = 0;
}

static void note_hour(struct cm_partition *partition, int64_t hour, int64_t offset)
{
    uint32_t at = partition->hours_count;
    while (at > 0 && partition->hours[at - 1].hour > hour) {
        at--;
    }
    if (at > 0 && partition->hours[at - 1].hour == hour) {
        return;
    }
    if (partition->hours_count == partition->hours_cap) {
        partition->hours_cap = partition->hours_cap == 0 ? 16 : 2 * partition->hours_cap;
        partition->hours =
            cm_realloc(partition->hours, partition->hours_cap, sizeof(*partition->hours));
    }
    memmove(&partition->hours[at + 1], &partition->hours[at],
            (partition->hours_count - at) * sizeof(*partition->hours));
    partition->hours[at] = (struct cm_hour){hour, offset};
    partition->hours_count++;
}

void cm_partition_note(struct cm_partition *partition, int64_t offset, int64_t ts_ms,
                       int64_t now_mono_ns)
{
    partition->next_offset = offset + 1;
    partition->at_end = false;
    partition->active_ns = now_mono_ns;
    if (ts_ms == INT64_MIN) {
        return;
    }
    partition->newest_ms = ts_ms > partition->newest_ms ? ts_ms : partition->newest_ms;
    int64_t hour = ts_ms / CM_MS_PER_H;
    if (partition->hours_count == 0 || partition->hours[partition->hours_count - 1].hour != hour) {
        note_hour(partition, hour, offset);
    }
}

int64_t cm_partition_rebuild_offset(struct cm_partition *partition, int64_t from_ms)
{
    uint32_t old = 0;
    while (old < partition->hours_count && partition->hours[old].hour < from_ms / CM_MS_PER_H) {
        old++;
    }
    partition->hours_count -= old;
    if (old > 0) {
        memmove(partition->hours, &partition->hours[old],
                partition->hours_count * sizeof(*partition->hours));
    }
    int64_t offset = partition->next_offset;
    for (uint32_t i = 0; i < partition->hours_count; i++) {
        offset = partition->hours[i].offset < offset ? partition->hours[i].offset : offset;
    }
    return offset;
}

static bool is_idle(const struct cm_partition *p, int64_t idle_ms, int64_t now_mono_ns)
{
    return now_mono_ns - p->active_ns >= idle_ms * CM_NS_PER_MS;
}

bool cm_partitions_have_begun(const struct cm_partition *partitions, uint32_t count,
                              int64_t idle_ms, int64_t now_mono_ns)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct cm_partition *p = &partitions[i];
        if (p->newest_ms == INT64_MIN && !p->at_end && !is_idle(p, idle_ms, now_mono_ns)) {
            return false;
        }
    }
    return true;
}

int64_t cm_partitions_slowest(const struct cm_partition *partitions, uint32_t count,
                              int64_t idle_ms, int64_t now_mono_ns)
{
    int64_t slowest_ms = INT64_MAX;
    for (uint32_t i = 0; i < count && count > 1; i++) {
        const struct cm_partition *p = &partitions[i];
        if (!p->at_end || !is_idle(p, idle_ms, now_mono_ns)) {
            slowest_ms = p->newest_ms < slowest_ms ? p->newest_ms : slowest_ms;
        }
    }
    return slowest_ms;
}

int64_t cm_partitions_watermark(const struct cm_partition *partitions, uint32_t count,
                                int64_t lateness_ms, int64_t idle_ms, int64_t now_mono_ns)
{
    int64_t watermark_ms = INT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        const struct cm_partition *p = &partitions[i];
        if (p->at_end && is_idle(p, idle_ms, now_mono_ns)) {
            continue;
        }
        int64_t mine_ms = p->newest_ms == INT64_MIN ? INT64_MIN : p->newest_ms - lateness_ms;
        watermark_ms = mine_ms < watermark_ms ? mine_ms : watermark_ms;
    }
    return watermark_ms;
}
