// SPDX-License-Identifier: Apache-2.0
/* mock_broker.h — librdkafka's mock cluster as the embedded broker of demo and tests.
 * It keeps about 5 MB a partition: enough for live traffic, not for a backlog. A fetch that finds
 * nothing is answered only when its wait is over, even if a record arrives meanwhile.
 *
 * THREADS   Any thread; the clients that use it may live in the same process.
 */
#ifndef CM_KAFKA_MOCK_BROKER_H
#define CM_KAFKA_MOCK_BROKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct cm_mock_broker;

/* One broker on a free port of 127.0.0.1, with that topic. 0 or -CM_ERR_KAFKA. */
CM_NODISCARD int cm_mock_broker_open(const char *topic, int32_t partitions,
                                     struct cm_mock_broker **out);
const char *cm_mock_broker_address(const struct cm_mock_broker *mock); /* host:port,... */
/* A further topic; -CM_ERR_KAFKA when it is there already. */
CM_NODISCARD int cm_mock_broker_topic(struct cm_mock_broker *mock, const char *topic,
                                      int32_t partitions);
/* For tests. Down: cuts all connections and refuses new ones; records and groups stay. */
void cm_mock_broker_set_up(struct cm_mock_broker *mock, bool up);
/* For tests: the next `count` requests with that key of the protocol (8 OffsetCommit, 9
 * OffsetFetch, ...) are answered with that error code. */
void cm_mock_broker_fail_requests(struct cm_mock_broker *mock, int16_t api_key, int error,
                                  uint32_t count);
void cm_mock_broker_close(struct cm_mock_broker *mock);

#endif
