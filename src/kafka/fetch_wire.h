// SPDX-License-Identifier: Apache-2.0
/* fetch_wire.h — Kafka's wire format as far as fetching needs it: ApiVersions and Fetch.
 *
 *   request    length 4 │ key 2 │ version 2 │ correlation 4 │ client id │ body ..
 *   response   length 4 │ correlation 4 │ body ..                           (big endian)
 *
 *   Fetch   4   aborted transactions, magic 2      7   sessions (not used: id 0, epoch -1)
 *           9   leader epochs of the asker        10   zstd
 *          11   racks, preferred replica          12   compact lengths and tagged fields
 *
 * Source: the protocol guide of Apache Kafka (kafka.apache.org/protocol), message Fetch, versions
 * 4 to 12; from 13 on topics have ids in place of names.
 *
 * THREADS   Functions of their arguments. OWNERSHIP An answer borrows the bytes it was begun on.
 * ERRORS    A response that contradicts itself gives -CM_ERR_CORRUPT; no byte outside is read,
 *           whatever is in it.
 */
#ifndef CM_KAFKA_FETCH_WIRE_H
#define CM_KAFKA_FETCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/text.h"
#include "kafka/record_batch.h"

#define CM_FETCH_VERSION_LEAST 4
#define CM_FETCH_VERSION_MOST  12

/* Error codes of partitions that mean something to us. */
enum {
    CM_KAFKA_OFFSET_OUT_OF_RANGE = 1,
    CM_KAFKA_TOPIC_AUTHORIZATION_FAILED = 29,
    CM_KAFKA_FENCED_LEADER_EPOCH = 74,
    CM_KAFKA_UNKNOWN_LEADER_EPOCH = 75,
};

struct cm_sasl_terms;

struct cm_fetch_ask {
    int32_t partition;
    int64_t offset;
    int32_t epoch;      /* of the partition's leader; -1: not known */
    int32_t last_epoch; /* of the record before offset: whether the log was cut there; -1 */
    int32_t bytes;      /* at most: a batch that is larger has to come first in the response */
};

/* What is the same in every request of a client. */
struct cm_fetch_terms {
    const struct cm_sasl_terms *sasl;     /* before the first one; NULL: brokers want none */
    const char *client_id, *topic, *rack; /* rack "": the leader serves */
    bool read_committed;
    int32_t wait_ms; /* how long the broker may wait for least_bytes */
    int32_t least_bytes;
    int32_t most_bytes; /* of a response; its first batch comes whole anyway */
    int32_t part_bytes; /* of a partition in it: no ask is for more */
};

/* Both append a whole request, its length included. */
void cm_fetch_write_versions(struct cm_text *out, int32_t correlation, const char *client_id);
void cm_fetch_write(struct cm_text *out, int16_t version, int32_t correlation,
                    const struct cm_fetch_terms *terms, const struct cm_fetch_ask *asks,
                    uint32_t count);

/* The best versions that both sides know. */
struct cm_broker_versions {
    int16_t fetch;
    int16_t authenticate; /* SaslAuthenticate; -1: the broker has none that is known here */
    int16_t metadata;     /* the same */
};

/* bytes: a response to ApiVersions behind its length. -CM_ERR_CORRUPT; -CM_ERR_UNSUPPORTED: there
 * is no Fetch. */
CM_NODISCARD int cm_fetch_read_versions(const uint8_t *bytes, size_t len, int32_t correlation,
                                        struct cm_broker_versions *versions);

/* A partition in a response. */
struct cm_fetch_part {
    int32_t partition;
    int16_t error;
    int64_t high;         /* end of the log; -1: unknown */
    int64_t stable;       /* where the first open transaction begins */
    int32_t replica;      /* ask that one in place of this broker; -1 */
    int64_t diverging_to; /* the log was cut there; -1: it was not */
    const uint8_t *bytes; /* record batches */
    uint32_t len;
    const uint8_t *aborted; /* as written: 16 bytes each, or with tags; see cm_fetch_aborted() */
    uint32_t aborted_count;
};

struct cm_fetch_answer {
    const uint8_t *at, *end;
    int16_t version;
    int16_t error;       /* of the whole response */
    int32_t throttle_ms; /* how long the broker wants to be left alone */
    uint32_t topics_left, parts_left;
    bool begun; /* a topic has been opened */
};

/* bytes: a response behind its length. */
CM_NODISCARD int cm_fetch_begin(struct cm_fetch_answer *answer, int16_t version,
                                int32_t correlation, const uint8_t *bytes, size_t len);
/* 1: *part is set; 0: that was all; or -CM_ERR_CORRUPT. */
CM_NODISCARD int cm_fetch_next(struct cm_fetch_answer *answer, struct cm_fetch_part *part);
/* The aborted transactions of a part, part->aborted_count of them. */
void cm_fetch_aborted(const struct cm_fetch_answer *answer, const struct cm_fetch_part *part,
                      struct cm_aborted *out);

/* The whole batches of a part. */
struct cm_fetch_batches {
    uint32_t count, bytes, largest; /* bytes: of all, and of the largest of them */
};

/* Behind the last whole batch of the part; `from` when there is none. *epoch: that of the leader
 * who wrote that batch; left alone when there is none. Only heads are looked at. */
int64_t cm_fetch_end(const struct cm_fetch_part *part, int64_t from, int32_t *epoch,
                     struct cm_fetch_batches *batches);

#endif
