// SPDX-License-Identifier: Apache-2.0
/* traffic_write.h — events as JSON lines, put together from labels made once.
 *
 * A label is a piece of a line, quotes and comma included; it is copied whole, whatever its length:
 * that is cheaper than to look. A line never needs more than CM_TRAFFIC_LINE_BYTES.
 *
 * THREADS   Labels are immutable once made.
 */
#ifndef CM_TRAFFIC_TRAFFIC_WRITE_H
#define CM_TRAFFIC_TRAFFIC_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "event/event.h"
#include "traffic/traffic.h"

#define CM_TRAFFIC_LINE_BYTES 1024u
#define CM_TRAFFIC_CHANNELS   5u /* voice, then the machines' */
#define CM_TRAFFIC_CHECKS     3u /* greeting, identity, consent */
#define CM_NO_SEAT            UINT32_MAX
#define CM_NO_CHECKS          UINT8_MAX

struct cm_label {
    char text[63];
    uint8_t len;
};

struct cm_labels {
    uint32_t seats, queues; /* the last queue is the machines' */
    uint32_t agents_per_seat;
    struct cm_label *seat, *queue;
    struct cm_label centre; /* empty where it is left out */
    struct cm_label channel[CM_TRAFFIC_CHANNELS], outcome[CM_OUTCOME_COUNT], end[CM_END_COUNT];
    struct cm_label state[CM_STATE_COUNT], source[CM_SOURCE_COUNT];
    struct cm_label checks[27]; /* three results each: passed, failed, not applicable */
};

/* One leg of a call. */
struct cm_leg {
    uint64_t number; /* of the call: its id */
    uint32_t seat;   /* or CM_NO_SEAT */
    uint32_t agent;
    uint32_t wait_ms, ring_ms, talk_ms, hold_ms, acw_ms;
    uint8_t queue, channel, outcome, end;
    uint8_t leg, hold_n, transfers, rev;
    int8_t rating;  /* -1: none */
    uint8_t checks; /* 0 .. 26, or CM_NO_CHECKS */
    bool on_hold;
};

/* A line on its way out, and the key that it goes by. */
struct cm_traffic_line {
    struct cm_text text;
    int64_t ts_ms;
    char key[24];
    uint32_t key_len;
};

void cm_labels_make(struct cm_labels *labels, const struct cm_traffic_options *options);
void cm_labels_free(struct cm_labels *labels);
/* Each replaces the line's text and key; ts_ms is set by the caller. `number` is that of the event.
 */
void cm_write_cdr(struct cm_traffic_line *line, const struct cm_labels *labels,
                  const struct cm_leg *leg);
void cm_write_queue(struct cm_traffic_line *line, const struct cm_labels *labels,
                    const struct cm_leg *leg, uint64_t number, bool enter);
void cm_write_state(struct cm_traffic_line *line, const struct cm_labels *labels, uint32_t seat,
                    enum cm_state state, uint64_t number);
/* leg->checks must not be CM_NO_CHECKS. */
void cm_write_check(struct cm_traffic_line *line, const struct cm_labels *labels,
                    const struct cm_leg *leg, enum cm_source source, uint32_t score,
                    uint64_t number);

void cm_write_roster(struct cm_text *csv, const struct cm_traffic_options *options);
void cm_write_queues(struct cm_text *yaml, const struct cm_traffic_options *options);

#endif
