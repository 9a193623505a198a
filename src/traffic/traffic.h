// SPDX-License-Identifier: Apache-2.0
/* traffic.h — realistic call traffic from a seed: behind `callmill gen`, `demo` and the benchmarks.
 *
 *   arrivals ──► queue ──► seat ──► record     what happens, in order of event time
 *                  │                  │
 *                  └ gives up, or     └ revisions, duplicates, disorder, rubbish: what a wire adds
 *                    flows out
 *
 * A contact centre in small: calls come as a Poisson process by hour and weekday; they wait, give
 * up, are offered to the seat that has been idle longest, ring there (and sometimes ring in vain),
 * are talked to, held, wrapped up, transferred, scored and judged. A seat handles one call at a
 * time; where all are busy, callers stay in line. Times fit the call-by-call log of a bank: half
 * of the answered did not wait, talk has a mean of 176 s and a median of 107 s, one in ten gives
 * up.
 *
 * LOAD      13 million calls a month are more than 1,240 seats can talk to: the busiest hour has
 *           work for 3,100. As in a real centre the rest is served by machines: `self_service` is
 *           their share of the calls; their records have no seat, a channel other than voice and a
 *           queue of their own.
 * ORDER     Without disorder, lines come in order of ts, which is the end of the wrap-up. A
 *           disordered line comes up to disorder_ms_max late, a duplicate up to 30 s after the
 *           first; the ts within never changes.
 * SEED      The same options give the same bytes on every machine (traffic_model.h). Ids follow
 *           from seed and start_ms, so two seeds, or two spans, share none. What is switched on
 *           beside the calls (live_events, judgements, revisions, duplicates, disorder, rubbish)
 *           does not change the calls.
 * THREADS   One thread a cm_traffic. Several threads take one each, with seeds of their own.
 * COST      3 to 4 million lines a second and core; no allocation a line; memory by the calls under
 *           way and the lines held back.
 */
#ifndef CM_TRAFFIC_TRAFFIC_H
#define CM_TRAFFIC_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "base/zone.h"

#define CM_TRAFFIC_SEATS_MAX  1000000u
#define CM_TRAFFIC_QUEUES_MAX 64u
#define CM_TRAFFIC_AUTO       (-1.0)

struct cm_traffic_options {
    uint64_t seed;
    uint32_t seats;             /* 1 .. CM_TRAFFIC_SEATS_MAX */
    uint32_t seats_per_team;    /* >= 1 */
    uint32_t teams_per_room;    /* >= 1 */
    uint32_t agents_per_seat;   /* 1 .. 24: shifts of a day, each a person of its own */
    uint32_t queues;            /* 1 .. CM_TRAFFIC_QUEUES_MAX, beside the queue of the machines */
    double calls_per_month;     /* 30 days, with machines; AUTO: 13e6 by seats / 1,240 */
    double self_service;        /* share of calls for machines; AUTO: what seats cannot carry */
    int64_t start_ms, end_ms;   /* event time, start <= ts < end; INT64_MAX: without end */
    const struct cm_zone *zone; /* borrowed; NULL: UTC */
    const char *centre;         /* written into records and roster; NULL: left out */
    double checks;              /* share of answered calls with compliance checks in the record */
    bool live_events;           /* queue_enter, queue_exit, seat_state as well */
    double judgements;          /* share of answered calls that a `check` event judges later */
    double revisions;           /* share of answered legs sent again: rev 1, new acw and rating */
    double duplicates;          /* share of lines sent twice */
    double disorder;            /* share of lines that come late */
    int64_t disorder_ms_max;    /* 0 .. CM_PART_MS_MAX */
    double rubbish;             /* malformed lines, as a share of the good ones */
};

struct cm_traffic;

/* 1,240 seats, 12 a team, 13 teams a room, 3 agents a seat, 8 queues, all calls and machines AUTO,
 * checks on every answered call; start_ms and end_ms are 0 and have to be set; nothing else is
 * switched on. */
void cm_traffic_defaults(struct cm_traffic_options *options);
/* 0, or -CM_ERR_USAGE with the option and its bounds in the text. The options are copied. start_ms
 * must be at least two days after the epoch. */
CM_NODISCARD int cm_traffic_create(const struct cm_traffic_options *options,
                                   struct cm_traffic **out);
void cm_traffic_free(struct cm_traffic *traffic);
/* The next line: *line is replaced (its memory is swapped, so hand in the same one again), without
 * a newline. *ts_ms is its event time (of rubbish: that of its neighbour). *key is for
 * partitioning, borrowed until the next call: the seat, or the call where there is none; empty for
 * rubbish. false at the end. */
bool cm_traffic_next(struct cm_traffic *traffic, struct cm_text *line, int64_t *ts_ms,
                     struct cm_str *key);
/* Appends the roster, CSV with its header: seat,team,room,centre. */
void cm_traffic_roster(const struct cm_traffic *traffic, struct cm_text *csv);
/* Appends the `queues:` part of a configuration: who owns them. */
void cm_traffic_queues(const struct cm_traffic *traffic, struct cm_text *yaml);
/* The share of calls that machines serve, as given or as worked out. */
double cm_traffic_self_service(const struct cm_traffic *traffic);

#endif
