// SPDX-License-Identifier: Apache-2.0
/* centre.h — a contact centre for benchmarks: generated calls, the roster and configuration that
 * go with them, decoded events kept in memory. The same seed, the same calls, on every machine.
 */
#ifndef CM_BENCH_CENTRE_H
#define CM_BENCH_CENTRE_H

#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "event/event.h"
#include "event/roster.h"
#include "traffic/traffic.h"

/* Monday, 2024-06-03, 09:00 in Shanghai: a busy hour, and in the past of every clock. */
#define CM_BENCH_START_MS INT64_C(1717376400000)

struct cm_bench_centre {
    struct cm_traffic *traffic;
    struct cm_config *config;
    struct cm_roster *roster;
    struct cm_zone *zone; /* whose day the load follows */
};

/* The month of a bank by default (13 million records for 1,240 seats, most of them machines').
 * seats_only: the calls that seats can serve, and no machines: only who gives up in the queue has
 * no seat. overrides: "key=value" of the configuration. Ends the program when something is wrong.
 */
void cm_bench_centre_open(struct cm_bench_centre *centre, uint32_t seats, bool seats_only,
                          const char *const *overrides, uint32_t overrides_count);
/* Other settings over the same roster. */
struct cm_config *cm_bench_config(struct cm_bench_centre *centre, const char *const *overrides,
                                  uint32_t overrides_count);
void cm_bench_centre_close(struct cm_bench_centre *centre);

struct cm_bench_events {
    struct cm_event *at;
    uint32_t count;
    uint64_t bytes;             /* of the records, without line feeds */
    struct cm_decoder *decoder; /* its scratch holds the checks */
    char **blocks;              /* the records */
    uint32_t blocks_count;
};

/* The next events: up to `count`, up to `span_ms` of event time. */
void cm_bench_events_make(struct cm_bench_centre *centre, uint32_t count, int64_t span_ms,
                          struct cm_bench_events *out);
void cm_bench_events_free(struct cm_bench_events *events);

#endif
