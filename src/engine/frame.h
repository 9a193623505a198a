// SPDX-License-Identifier: Apache-2.0
/* frame.h — what a worker hands to the service thread at a tick: changed figures, rule
 * observations, positions, counters. And the request that asks for it.
 *
 *   service thread                                   worker
 *     fills request, stores round  ── release ─►  loads round (acquire), fills frame,
 *     loads done (acquire), merges ◄─ release ──  stores done = round
 *
 * Between the two stores the frame belongs to the worker, after them to the service thread; nobody
 * waits for the other with a lock, and each cache line has one writer at a time.
 */
#ifndef CM_ENGINE_FRAME_H
#define CM_ENGINE_FRAME_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/rule_steps.h"
#include "engine/unit_order.h"
#include "event/figures.h"
#include "event/gauge.h"
#include "event/reason.h"
#include "event/roster.h"
#include "event/unit.h"
#include "kafka/kafka.h"

struct cm_frame_request {
    int64_t now_ms;       /* event time now: the live edge; INT64_MIN: no event yet */
    int64_t watermark_ms; /* of all workers */
    int64_t first_ms;     /* least event time seen: where calendar periods begin; INT64_MIN: not
                             yet known, they wait */
    int64_t whole_ms;     /* no history of periods that begin before: not all of it was read */
    int64_t clock_ms;     /* event time now less wall clock; INT64_MIN: no event yet */
    bool emit_rows;       /* Redis takes rows in this tick */
    bool emit_history;    /* and closed periods; when not, they pass unpublished (catching up) */
    bool hold_periods;    /* no period may close: Redis is away, or still at the last tick */
    int64_t passed_ms;    /* but those that end no later: they were published before we were */
    bool hold_judgements; /* and none counts from beyond the end of a period that stands */
    bool resync;          /* everything counts as changed */
};

struct cm_frame_row {
    struct cm_unit_key key; /* text borrowed from the worker's units, which it never moves */
    uint32_t unit;          /* the worker's number of it: the same until the worker begins again */
    uint32_t window;
    bool is_history; /* closed period: asof_ms is its end */
    int64_t asof_ms;
    struct cm_measures m; /* histogram and details are the frame's: who takes them leaves others */
};

struct cm_frame_gauge {
    struct cm_unit_key key; /* as above */
    struct cm_gauge gauge;
};

struct cm_frame_counters {
    uint64_t records, counted, duplicates, revised, orphans;
    uint64_t dead[CM_REASON_COUNT];
    uint64_t dead_lost;
    uint64_t entries, units;
};

struct cm_frame {
    struct cm_frame_row *rows; /* those behind the last one keep their memory for the next */
    uint32_t rows_count, rows_cap;
    struct cm_unit_order order;    /* of the worker, while it fills */
    struct cm_frame_gauge *gauges; /* what changed, and all in which a call waits */
    uint32_t gauges_count, gauges_cap;
    struct cm_rule_log rules;
    struct cm_position *positions; /* with the rebuild offset as metadata */
    uint32_t positions_count, positions_cap;
    struct cm_frame_counters counters;
};

/* Empties rows and rule log, keeps the memory; that of the figures only of so many rows as a tick
 * usually has. */
void cm_frame_clear(struct cm_frame *frame);
void cm_frame_free(struct cm_frame *frame);
/* Its m owns memory that may be used again (cm_measures_copy()); all else is to be set. */
struct cm_frame_row *cm_frame_add_row(struct cm_frame *frame);
struct cm_frame_gauge *cm_frame_add_gauge(struct cm_frame *frame);

#endif
