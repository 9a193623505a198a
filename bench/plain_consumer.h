// SPDX-License-Identifier: Apache-2.0
/* plain_consumer.h — a plain librdkafka consumer of a whole topic, without a group: what our own
 * plane is measured against. The settings that cost or save work are those of src/kafka/kafka.c.
 *
 * ERRORS    End the program.
 */
#ifndef CM_BENCH_PLAIN_CONSUMER_H
#define CM_BENCH_PLAIN_CONSUMER_H

#include <librdkafka/rdkafka.h>
#include <stdint.h>

/* The caller closes and destroys it. */
rd_kafka_t *cm_bench_consumer(const char *brokers);
/* All partitions of the topic from that offset on (RD_KAFKA_OFFSET_END: what comes from now on). */
void cm_bench_assign(rd_kafka_t *kafka, const char *topic, int64_t offset);

#endif
