// SPDX-License-Identifier: Apache-2.0
#include "support/kafka_member.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/memory.h"
#include "io/ring.h"

static enum cm_plane plane_in_use = CM_PLANE_LIBRDKAFKA;

void cm_member_use(enum cm_plane plane)
{
    plane_in_use = plane;
}

static void on_assign(void *context, const struct cm_position *positions, uint32_t count)
{
    struct cm_member *member = context;

    member->assigned++;
    for (uint32_t i = 0; i < count; i++) {
        int32_t partition = positions[i].partition;
        CM_ASSERT(partition >= 0 && partition < CM_MEMBER_PARTITIONS);
        CM_ASSERT(!member->at[partition].owned);
        member->at[partition].owned = true;
        member->at[partition].position = positions[i];
        member->owned++;
        if (member->start_at_once) {
            cm_member_start(member, partition, positions[i].offset,
                            (uint32_t)partition % member->workers);
        }
    }
}

static void on_revoke(void *context, const int32_t *partitions, uint32_t count, bool lost)
{
    struct cm_member *member = context;
    struct cm_position positions[CM_MEMBER_PARTITIONS];
    uint32_t commits = 0;

    member->revoked++;
    member->lost += lost ? 1 : 0;
    for (uint32_t i = 0; i < count; i++) {
        struct cm_member_partition *at = &member->at[partitions[i]];
        CM_ASSERT(at->owned);
        if (at->next >= 0) {
            positions[commits++] = (struct cm_position){partitions[i], at->next, ""};
        }
        at->owned = false;
        member->owned--;
    }
    if (member->commit_on_revoke && commits > 0) {
        int rc = cm_kafka_commit(member->kafka, positions, commits, true);
        member->commit_failures += rc == 0 ? 0 : 1;
    }
}

void cm_member_init(struct cm_member *member, const char *brokers, const char *topic,
                    const char *group)
{
    memset(member, 0, sizeof *member);
    member->config.brokers = brokers;
    member->config.topic = topic;
    member->config.group = group;
    member->config.start = "earliest";
    member->config.plane = (int)plane_in_use;
    member->start_at_once = true;
    member->config.properties.at = member->properties;
    cm_member_set(member, "session.timeout.ms", "6000");
    cm_member_set(member, "heartbeat.interval.ms", "200");
}

void cm_member_set(struct cm_member *member, const char *name, const char *value)
{
    CM_ASSERT(member->config.properties.count < CM_ARRAY_LEN(member->properties));
    member->properties[member->config.properties.count++] =
        (struct cm_property){name, value, false};
}

int cm_member_open(struct cm_member *member, uint32_t workers)
{
    struct cm_kafka_callbacks callbacks = {on_assign, on_revoke, member};

    member->workers = workers;
    member->batch = cm_alloc(1, sizeof *member->batch);
    for (int i = 0; i < CM_MEMBER_PARTITIONS; i++) {
        member->at[i].first = member->at[i].next = member->at[i].end = -1;
    }
    int rc = cm_kafka_open(&member->config, workers, &callbacks, &member->kafka);
    if (rc == 0 && member->config.plane != CM_PLANE_LIBRDKAFKA) {
        bool epoll = member->config.plane == CM_PLANE_EPOLL;
        CM_ASSERT(cm_ring_open(64, epoll ? CM_RING_EPOLL_ONLY : CM_RING_AUTO, &member->ring) == 0);
        for (uint32_t i = 0; i < workers; i++) {
            cm_kafka_attach(member->kafka, i, member->ring);
        }
    }
    return rc;
}

void cm_member_start(struct cm_member *member, int32_t partition, int64_t offset, uint32_t worker)
{
    struct cm_member_partition *at = &member->at[partition];

    at->first = -1;
    at->next = offset; /* CM_OFFSET_NONE: whatever comes first */
    at->end = -1;
    at->worker = worker;
    cm_kafka_start(member->kafka, partition, offset, worker);
}

static void note(struct cm_member *member, uint32_t worker, const struct cm_record *record)
{
    struct cm_member_partition *at = &member->at[record->partition];

    if (!at->owned || at->worker != worker) {
        member->foreign++;
        return;
    }
    member->disorder += at->next >= 0 && record->offset != at->next ? 1 : 0;
    if (at->first < 0) {
        at->first = record->offset;
    }
    at->next = record->offset + 1;
    at->last_append_ms = record->append_ms;
    at->records++;
    at->hash = at->hash * 31 + cm_hash64(record->value, record->value_bytes);
    member->records++;
}

static uint64_t drain(struct cm_member *member)
{
    uint64_t before = member->records;

    if (member->ring != NULL) {
        (void)cm_ring_wait(member->ring, 0);
    }
    for (uint32_t worker = 0; worker < member->workers; worker++) {
        while (cm_kafka_fetch(member->kafka, worker, member->batch) > 0) {
            for (uint32_t i = 0; i < member->batch->count; i++) {
                note(member, worker, &member->batch->at[i]);
            }
            for (uint32_t i = 0; i < member->batch->ends_count; i++) {
                struct cm_record_end end = member->batch->ends[i];
                struct cm_member_partition *at = &member->at[end.partition];
                member->foreign += at->owned && at->worker == worker ? 0 : 1;
                at->end = end.at_offset;
                at->ends++;
                member->ends++;
            }
            cm_kafka_release(member->kafka, member->batch);
        }
    }
    return member->records - before;
}

uint64_t cm_member_drain(struct cm_member *member)
{
    uint64_t all = 0;
    uint64_t got;
    do {
        got = drain(member);
        all += got;
    } while (got > 0 && member->ring != NULL);
    return all;
}

void cm_member_turn(struct cm_member *member, int timeout_ms)
{
    int64_t end_ns = cm_clock_mono_ns() + timeout_ms * CM_NS_PER_MS;
    int rc = cm_kafka_poll(member->kafka, member->ring == NULL ? timeout_ms : 0);
    CM_ASSERT(rc == 0);
    /* One thread is coordinator and worker here: it waits in the ring in short pieces. */
    while (cm_member_drain(member) == 0 && member->ring != NULL && cm_clock_mono_ns() < end_ns) {
        (void)cm_ring_wait(member->ring, CM_NS_PER_MS);
        rc = cm_kafka_poll(member->kafka, 0);
        CM_ASSERT(rc == 0);
    }
}

void cm_member_close(struct cm_member *member)
{
    cm_ring_destroy(member->ring);
    member->ring = NULL;
    cm_kafka_close(member->kafka);
    member->kafka = NULL;
    free(member->batch);
    member->batch = NULL;
}
