// SPDX-License-Identifier: Apache-2.0
/* demo_feeder.h — the demo's traffic: a thread that generates calls into Kafka, first the backlog
 * as fast as it is read, then in step with the clock.
 *
 * The embedded broker keeps about 5 MB a partition, so the feeder is never further ahead of what
 * the engine has read than fits in there.
 *
 * THREADS   start, stop: one thread. The rest: any.
 */
#ifndef CM_CLI_DEMO_FEEDER_H
#define CM_CLI_DEMO_FEEDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "cli/pace.h"
#include "traffic/traffic.h"

struct cm_demo_feeder;

struct cm_demo_feeder_options {
    struct cm_traffic *traffic; /* borrowed; the thread's until stop */
    const char *brokers, *topic;
    int32_t partitions;
    struct cm_pace pace; /* event time at the beginning: the end of the backlog */
};

/* Creates the topic where it is not there. 0, or the code of the producer. */
CM_NODISCARD int cm_demo_feeder_start(const struct cm_demo_feeder_options *options,
                                      struct cm_demo_feeder **out);
void cm_demo_feeder_stop(struct cm_demo_feeder *feeder);
/* How many records the engine says it has read. */
void cm_demo_feeder_note_read(struct cm_demo_feeder *feeder, uint64_t records);
/* Event time of the centre now. It does not overtake the wall clock. */
int64_t cm_demo_feeder_now_ms(const struct cm_demo_feeder *feeder);

#endif
