// SPDX-License-Identifier: Apache-2.0
/* capacity.h — what a centre needs of callmill, Redis and Kafka, from the measured curves.
 *
 * MODEL     Records a second R spread evenly over the units of each kind; every record touches one
 *           seat, team, room, centre and queue. A record marks its units as changed twice in a
 *           window: when it comes, and when it leaves (every step s of the window; not for
 *           calendar periods). Marks within a tick t are one row. With Poisson arrivals of r a
 *           second at a unit, and a leave in t/l of the ticks, l = max(s, t):
 *             rows/s = (1 - e^(-r t) (1 - t/l (1 - e^(-r l)))) / t
 *
 *           CPU    = waking up + R (consume + decode + apply(seats) + further windows + periods)
 *                    + rows (read(seats) + publish(layouts))
 *           Memory = legs (R x span, the longest sliding window and the lateness), sums (unit x
 *                    window, and one for what periods lack), remembered ids (R x dedupe), lines
 *                    for judgements (R x ten peak hours for each day of judge_within), units,
 *                    program
 *           Redis  = rows x CPU a row; memory: units x windows, without closed periods
 *
 *           Teams and above are kept by every worker that gets records of theirs: their rows are
 *           read, and their sums held, once a worker.
 * MEANING   `expected` is what the curves say for the peak; `provide` has the margin in it, and is
 *           whole where only whole ones can be had. Several processes share seats and calls
 *           evenly, each with a topic (or centre) of its own; numbers are for all of them.
 * BOUNDS    Below 1,000 seats and above 1,000,000 the ends of the curves hold: noted. What one
 *           thread does (the service thread of a process, Redis) is held against one core: noted.
 * THREADS   Any. OWNERSHIP Texts are within the struct. ERRORS None: the asker is checked before.
 */
#ifndef CM_PLAN_CAPACITY_H
#define CM_PLAN_CAPACITY_H

#include "config/config.h"
#include "plan/curves.h"

#define CM_CAPACITY_LINES_MAX 16
#define CM_CAPACITY_NOTES_MAX 8

enum cm_codec { CM_CODEC_NONE, CM_CODEC_LZ4, CM_CODEC_ZSTD };

struct cm_capacity_ask {
    double seats, teams, rooms, queues; /* each >= 1 */
    double calls_an_hour;               /* at the peak */
    double events_a_call;
    double record_bytes; /* 0: what was measured */
    double processes;    /* whole, >= 1 */
    double margin;       /* >= 1 */
    enum cm_codec codec;
    const struct cm_config *config; /* windows, periods, tick, layouts, dedupe, lateness */
    const struct cm_curves *curves;
};

/* expected < 0: has none (a consequence of other lines). */
struct cm_capacity_line {
    const char *name; /* "worker_cores": for machines; its unit ends it where it has one */
    const char *label, *unit;
    double expected, provide;
    char why[240];
};

struct cm_capacity {
    double records_per_s, rows_per_s, units, legs; /* without margin */
    struct cm_capacity_line line[CM_CAPACITY_LINES_MAX];
    uint32_t lines;
    char note[CM_CAPACITY_NOTES_MAX][240];
    uint32_t notes;
};

void cm_capacity_plan(const struct cm_capacity_ask *ask, struct cm_capacity *out);

/* Rows a second of one unit in one window. step_s 0: a calendar period. */
double cm_capacity_row_rate(double records_per_s, double tick_s, double step_s);

#endif
