// SPDX-License-Identifier: Apache-2.0
/* producer.h — records out: generated traffic, dead letters, breach events. librdkafka, idempotent.
 *
 * THREADS   One thread.
 * ERRORS    A full queue is back-pressure: try_send returns false, poll and try again. Delivery
 *           failures are counted and logged.
 */
#ifndef CM_KAFKA_PRODUCER_H
#define CM_KAFKA_PRODUCER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

struct cm_producer;

/* properties: librdkafka's, may be NULL; those that decide correctness (bootstrap.servers,
 * enable.idempotence, compression.*, transactional.id) are refused. codec: none, gzip, snappy, lz4,
 * zstd. Does not wait for a broker. 0 or -CM_ERR_CONFIG. */
CM_NODISCARD int cm_producer_open(const char *brokers, const struct cm_properties *properties,
                                  const char *codec, struct cm_producer **out);
/* key NULL: none; value NULL: a tombstone; partition -1: by key (murmur2, as Java's), or spread.
 * Copies the bytes. false: the queue is full, poll and try again. A record that can never be sent
 * (too large, no such partition) counts as failed and gives true. */
bool cm_producer_try_send(struct cm_producer *producer, const char *topic, int32_t partition,
                          const char *key, size_t key_len, const char *value, size_t value_len);
void cm_producer_poll(struct cm_producer *producer, int timeout_ms);
/* Waits until everything is acknowledged; false when something was not within timeout_ms, or failed
 * since the flush before. */
bool cm_producer_flush(struct cm_producer *producer, int timeout_ms);
uint64_t cm_producer_delivered(const struct cm_producer *producer);
uint64_t cm_producer_failed(const struct cm_producer *producer);
/* Creates a topic; one that is there already is not an error, whatever its partitions. Waits up to
 * about 20 s. A cluster without an admin interface (the mock broker) is left to create the topic by
 * itself, with its own number of partitions. 0 or -CM_ERR_KAFKA. */
CM_NODISCARD int cm_producer_create_topic(struct cm_producer *producer, const char *topic,
                                          int32_t partitions);
/* Waits up to 1 s for acknowledgements; what is left is dropped, logged and gone. */
void cm_producer_close(struct cm_producer *producer);

#endif
