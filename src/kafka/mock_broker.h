// SPDX-License-Identifier: Apache-2.0
/* mock_broker.h — librdkafka's mock cluster as the embedded broker of demo and tests.
 * It keeps about 5 MB a partition: enough for live traffic, not for a backlog. */
#ifndef CM_KAFKA_MOCK_BROKER_H
#define CM_KAFKA_MOCK_BROKER_H

#include <stdint.h>

#include "base/compiler.h"

struct cm_mock_broker;

CM_NODISCARD int cm_mock_broker_open(const char *topic, int32_t partitions, struct cm_mock_broker **out);
const char *cm_mock_broker_address(const struct cm_mock_broker *mock); /* host:port,... */
void cm_mock_broker_close(struct cm_mock_broker *mock);

#endif
