// SPDX-License-Identifier: Apache-2.0
/* start_point.h — source.kafka.start: where to read a partition for which the group has no
 * position. Inside the room only. `earliest` and `latest` are left to librdkafka, which asks until
 * it knows; a time is asked for here, all partitions in one request. */
#ifndef CM_KAFKA_START_POINT_H
#define CM_KAFKA_START_POINT_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct cm_start_point {
    enum { CM_START_EARLIEST, CM_START_LATEST, CM_START_TIME, CM_START_BACK } kind;
    int64_t ms; /* TIME: since the epoch; BACK: before now */
};

/* "earliest", "latest", RFC 3339, or a duration; NULL and "" are earliest. 0 or -CM_ERR_CONFIG. */
CM_NODISCARD int cm_start_point_parse(const char *text, struct cm_start_point *out);
/* Sets the offset of each row: absolute, or RD_KAFKA_OFFSET_BEGINNING / _END (a time after the last
 * record). Waits up to timeout_ms. false: not known now, ask again. */
CM_NODISCARD bool cm_start_point_resolve(const struct cm_start_point *start, rd_kafka_t *rk,
                                         int64_t wall_ms, rd_kafka_topic_partition_list_t *rows,
                                         int timeout_ms);

#endif
