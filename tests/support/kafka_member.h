// SPDX-License-Identifier: Apache-2.0
/* kafka_member.h — one member of a consumer group for tests: it notes what comes, in which order,
 * and checks at every record what must hold for all tests: offsets of a partition rise by one,
 * except where the test itself started it again. Single-threaded. */
#ifndef CM_TESTS_SUPPORT_KAFKA_MEMBER_H
#define CM_TESTS_SUPPORT_KAFKA_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "kafka/kafka.h"

#define CM_MEMBER_PARTITIONS 128

struct cm_member_partition {
    bool owned;
    struct cm_position position; /* as told by on_assign */
    int64_t first,
        next;    /* first offset since the last start (-1: none yet), and the next to come */
    int64_t end; /* last end that was told, -1 */
    int64_t last_append_ms;
    uint32_t worker;
    uint64_t records, ends;
    uint64_t hash; /* of all values, in order */
};

struct cm_member {
    struct cm_config config;
    struct cm_property properties[8]; /* of which config.properties.count count */
    struct cm_kafka *kafka;
    struct cm_ring *ring; /* of all its workers; NULL: librdkafka carries the records */
    struct cm_batch *batch;
    uint32_t workers;
    bool start_at_once; /* on_assign starts every partition at its position, on worker partition %
                           workers */
    bool commit_on_revoke;
    uint32_t assigned, revoked, lost; /* how often the callbacks came */
    uint32_t commit_failures;
    uint32_t owned;
    uint64_t records, ends;
    uint64_t foreign;  /* records of partitions that are not owned or not started */
    uint64_t disorder; /* records whose offset was not the next one */
    struct cm_member_partition at[CM_MEMBER_PARTITIONS];
};

/* Who carries the records of members that are initialised from now on; librdkafka unless said. */
void cm_member_use(enum cm_plane plane);
/* A property for librdkafka, before cm_member_open(). */
void cm_member_set(struct cm_member *member, const char *name, const char *value);
/* brokers, topic, group, start must stay valid. */
void cm_member_init(struct cm_member *member, const char *brokers, const char *topic,
                    const char *group);
int cm_member_open(struct cm_member *member, uint32_t workers);
void cm_member_start(struct cm_member *member, int32_t partition, int64_t offset, uint32_t worker);
/* One round: polls up to timeout_ms, then fetches everything of all workers. */
void cm_member_turn(struct cm_member *member, int timeout_ms);
/* Fetches and notes until the workers' queues are empty; how many records. */
uint64_t cm_member_drain(struct cm_member *member);
void cm_member_close(struct cm_member *member);

#endif
