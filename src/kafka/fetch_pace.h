// SPDX-License-Identifier: Apache-2.0
/* fetch_pace.h — how much to ask of which partition, so that all of them stay together in event
 * time. Inside the room only.
 *
 *   event time ──►      slowest                    until
 *   p0  walked ░░░░░░ here ▒▒▒▒┤                     │   asked: 3 batches
 *   p1  walked ░░░░░░░░░░░░░░░ here ▒▒▒▒▒▒▒┤         │   asked: 1
 *   p2  walked ░░ here ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒│▒▒┤  not asked this time
 *
 * Of what is here, and has not been walked, the event time is not known: it is reckoned from the
 * offsets, at the pace of what went by. Who is not as far as `until` is asked for about as many
 * batches as bring it there, one at least; that lies a minute beyond the slowest, or a batch of it,
 * or 64 KiB. Where a broker is far away that is too little, and the worker runs dry: then `until`
 * moves out, by as much as it takes (cm_fetch_reach), and slowly back.
 *
 * THREADS   Functions of their arguments.
 * TIME      Event time, ms; INT64_MIN: not known. A partition of which too little is known is asked
 *           for a batch or two and stands where it was walked to; when there is much of it, and its
 *           time is never told, for all that a request may bring.
 */
#ifndef CM_KAFKA_FETCH_PACE_H
#define CM_KAFKA_FETCH_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "kafka/fetch_wire.h"

/* Of a partition. */
struct cm_fetch_pace {
    int64_t newest_ms;            /* as far as it was walked */
    int64_t from_offset, from_ms; /* since there the pace is taken; -1: nowhere yet */
    double ms_per_offset;         /* -1: not known */
    double bytes_per_offset;      /* as the log holds them; 0: not known */
    double batch_bytes;           /* on average */
    uint32_t largest_bytes;       /* of the batches of late */
    int64_t seen_offsets;         /* in responses, as far as it matters whether there are many */
};

#define CM_FETCH_PACE_INIT                                                                         \
    {                                                                                              \
        .newest_ms = INT64_MIN, .from_offset = -1, .ms_per_offset = -1                             \
    }

/* How far ahead of the slowest the others may be asked for. */
struct cm_fetch_reach {
    uint32_t spans; /* sixteenths of cm_fetch_pace_span_ms(); 0: as at first, 16 */
    bool was_dry;
};

/* It was walked up to that offset, and up to that event time. */
void cm_fetch_pace_note(struct cm_fetch_pace *pace, int64_t offset, int64_t newest_ms);
/* What a response holds of it: `batches` up to `end`, asked from `from`, for so many bytes.
 * has_more: there was something to send. */
void cm_fetch_pace_heads(struct cm_fetch_pace *pace, const struct cm_fetch_batches *batches,
                         int64_t from, int64_t end, int32_t asked_bytes, bool has_more);
/* A batch of it is damaged: where it ends is told by the one behind, so more is asked for. */
void cm_fetch_pace_doubt(struct cm_fetch_pace *pace);
/* The event time that it will have at the offset `planned`, being walked up to `walked`. */
int64_t cm_fetch_pace_expected_ms(const struct cm_fetch_pace *pace, int64_t walked,
                                  int64_t planned);
/* How much of it is worth a request: a minute, a batch or 64 KiB, the longest of them. */
int64_t cm_fetch_pace_span_ms(const struct cm_fetch_pace *pace);
/* How many bytes to ask for to bring it from one event time to the other, at most `most`. */
int32_t cm_fetch_pace_bytes(const struct cm_fetch_pace *pace, int64_t expected_ms, int64_t until_ms,
                            int32_t most);

/* Up to where to ask, with the next request. slowest_ms INT64_MAX: no partition has more. */
int64_t cm_fetch_reach_until_ms(const struct cm_fetch_reach *reach, int64_t slowest_ms,
                                int64_t span_ms);
/* A request is sent. */
void cm_fetch_reach_step(struct cm_fetch_reach *reach);

#endif
