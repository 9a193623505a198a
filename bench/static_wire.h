// SPDX-License-Identifier: Apache-2.0
/* static_wire.h — the part of Kafka's protocol that consumers of one topic on one broker need.
 *
 *   request   length 4 │ key 2 │ version 2 │ correlation 4 │ client id │ body ..     (big endian)
 *   reply     length 4 │ correlation 4 │ head .. ┌ batches ┐ .. head .. ┌ batches ┐
 *                                                └ pieces of the log, never copied
 *
 *   ApiVersions 0   Metadata 4   ListOffsets 1   Fetch 11
 *   FindCoordinator 0   JoinGroup 0   SyncGroup 0   Heartbeat 0   LeaveGroup 0
 *   OffsetFetch 1   OffsetCommit 2
 *
 * Each in that one version, none of which is flexible; what is announced begins at 0, and a client
 * that knows the version takes the greatest. Produce is announced as well, for librdkafka concludes
 * from it how batches look, and not served. Groups have one member, which is its own leader; who
 * joins takes the place of who was there. Commits are acknowledged and forgotten.
 *
 * Source: the protocol guide of Apache Kafka (kafka.apache.org/protocol).
 *
 * THREADS   One. BOUNDS    No byte outside the request is read, whatever is in it.
 */
#ifndef CM_BENCH_STATIC_WIRE_H
#define CM_BENCH_STATIC_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "bench/static_log.h"

struct static_broker {
    struct static_log log;
    const char *topic;
    const char *host;
    uint16_t port;
    int32_t generation; /* of the group: how often somebody has joined */
    uint64_t log_bytes; /* served */
    uint64_t requests;
};

/* Bytes of the log that belong into a reply before that byte of its text. */
struct static_piece {
    size_t before;
    struct cm_str bytes;
};

struct static_reply {
    struct cm_text text;
    struct static_piece pieces[STATIC_PARTITIONS_MAX];
    uint32_t pieces_count;
    int32_t wait_ms; /* a fetch that found nothing: send it after so long */
};

/* request: behind its length. false: it cannot be answered, and the connection is of no use. */
bool static_answer(struct static_broker *broker, struct cm_str request, struct static_reply *reply);

#endif
