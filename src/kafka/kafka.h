// SPDX-License-Identifier: Apache-2.0
/* kafka.h — the face of the room: records in batches for workers, membership of a group, commits.
 *
 *   broker ─► the worker's ring ─► fetcher ──────────────────┐ own data plane (fetcher.h)
 *   broker ─► librdkafka ─► partition queues ─► lane's queue ─┴─► cm_kafka_fetch(worker)
 *   coordinator thread: cm_kafka_poll() ─► callbacks on_assign and on_revoke, errors
 *
 * Which of the two carries the records is chosen at the start (plane.h); librdkafka keeps the group
 * either way. Both fill the same batches: record views, no objects of ours.
 *
 * THREADS   cm_kafka_poll, _start, _commit, _close: the coordinator. cm_kafka_fetch and _release:
 *           the worker whose index is given, one thread each; _fd, _high: any. Callbacks run inside
 *           cm_kafka_poll and cm_kafka_close.
 * OFFSETS   Nothing is stored or committed on its own: offsets are what the engine hands to
 *           cm_kafka_commit. Between two starts the offsets of a partition only rise. A position
 *           that retention has passed goes on at the first record that is left; one behind the end
 *           (topic created anew, records lost by the broker) at the end; both are logged as
 *           kafka.offset_out_of_range.
 * SETTINGS  source.kafka.properties overrides defaults, but not what correctness stands on:
 *           bootstrap.servers, group.id, enable.auto.commit, auto.commit.enable,
 *           enable.auto.offset.store, offset.store.method, enable.partition.eof, auto.offset.reset,
 *           allow.auto.create.topics, log.queue; assignors are range and roundrobin.
 * ERRORS    Transient trouble (brokers away, leader changes) is logged and retried; fatal errors
 *           come back from cm_kafka_poll as -CM_ERR_KAFKA.
 */
#ifndef CM_KAFKA_KAFKA_H
#define CM_KAFKA_KAFKA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

/* One record, borrowed until cm_kafka_release(). A record without a value (tombstone) has value
 * NULL. */
struct cm_record {
    const char *value;
    uint32_t value_bytes;
    int32_t partition;
    int64_t offset;
    int64_t append_ms; /* the record's own timestamp, -1 when it has none */
};

/* A partition that was read to its end: at_offset is the next offset to come. */
struct cm_record_end {
    int32_t partition;
    int64_t at_offset;
};

#define CM_BATCH_RECORDS 2048

struct cm_batch {
    struct cm_record at[CM_BATCH_RECORDS];
    uint32_t count;
    struct cm_record_end ends[64];
    uint32_t ends_count;
    void *owner[CM_BATCH_RECORDS + 64]; /* the plane's */
    uint32_t owner_count;
};

struct cm_position {
    int32_t partition;
    int64_t offset;    /* next offset to read; CM_OFFSET_NONE: the group has none */
    char metadata[64]; /* what was committed with it, "" for none */
};
#define CM_OFFSET_NONE INT64_C(-1)

struct cm_kafka;
struct cm_ring;

struct cm_kafka_callbacks {
    /* New partitions, with their committed positions. The engine answers with cm_kafka_start() for
     * each of them, now or later; until then nothing of them is read. Comes late, from a later
     * poll, when the positions cannot be read at once; and when the first share is not the whole
     * topic, after session.timeout.ms and some seconds, or with a larger share before: a member
     * that was killed may still hold the rest. */
    void (*on_assign)(void *context, const struct cm_position *positions, uint32_t count);
    /* Partitions that are taken away: all that are owned. lost: already owned by others, do not
     * commit. From the moment of this call nothing of them comes out of cm_kafka_fetch() any more.
     */
    void (*on_revoke)(void *context, const int32_t *partitions, uint32_t count, bool lost);
    void *context;
};

/* Joins the group. 0 or -CM_ERR_KAFKA, -CM_ERR_CONFIG (a property that librdkafka refuses). */
CM_NODISCARD int cm_kafka_open(const struct cm_config *config, uint32_t workers,
                               const struct cm_kafka_callbacks *callbacks, struct cm_kafka **out);
/* One bounded round of the coordinator: at most timeout_ms, and longer (up to 5 s a request) only
 * while positions or start times are asked for. Call it at least every second or so: it is what
 * keeps the membership (max.poll.interval.ms) and tries failed starts again. */
CM_NODISCARD int cm_kafka_poll(struct cm_kafka *kafka, int timeout_ms);
/* Reads a partition from that offset and delivers it to that worker. offset CM_OFFSET_NONE: as
 * configured in source.kafka.start. Again for a partition that runs: rewinds it, or moves it to
 * another worker; when this returns, no record of the old position is delivered any more (a batch
 * that the worker holds already is its own). Ignored for a partition that is not ours. */
void cm_kafka_start(struct cm_kafka *kafka, int32_t partition, int64_t offset, uint32_t worker);
/* Before the worker's first fetch: its ring, which carries the own data plane. The worker's thread;
 * the ring must be destroyed (and by then its operations are ended) before cm_kafka_close(). */
void cm_kafka_attach(struct cm_kafka *kafka, uint32_t worker, struct cm_ring *ring);
/* Who carries the records: "native" or "librdkafka"; and why, a text for the log. */
const char *cm_kafka_plane(const struct cm_kafka *kafka, const char **why);
/* The descriptor that becomes readable when the worker's queue is no longer empty (an eventfd,
 * non-blocking; whoever waits for it reads its 8 bytes). After a wake-up fetch until it returns 0.
 */
int cm_kafka_fd(const struct cm_kafka *kafka, uint32_t worker);
/* Fills the batch without waiting; returns its count + ends_count. Records below the partition's
 * start offset never come. A tombstone has value NULL. Release a batch before the next fetch into
 * it. */
uint32_t cm_kafka_fetch(struct cm_kafka *kafka, uint32_t worker, struct cm_batch *batch);
/* The worker's newest event time of a partition: the own data plane keeps partitions together. */
void cm_kafka_note_time(struct cm_kafka *kafka, uint32_t worker, int32_t partition,
                        int64_t newest_ms);
void cm_kafka_release(struct cm_kafka *kafka, struct cm_batch *batch);
/* Commits; sync waits for the answer, up to 5 s (0.8 s inside cm_kafka_close). 0 or -CM_ERR_KAFKA.
 * Partitions that are not ours, or lost, are left out and make it fail. */
int cm_kafka_commit(struct cm_kafka *kafka, const struct cm_position *positions, uint32_t count,
                    bool sync);
/* Newest known end of a partition (high watermark), -1 when unknown. Any thread. */
int64_t cm_kafka_high(const struct cm_kafka *kafka, int32_t partition);
/* Calls on_revoke, leaves the group. Within about 3 s, whatever the brokers do. The workers do not
 * fetch any more, and all batches are released. */
void cm_kafka_close(struct cm_kafka *kafka);

#endif
