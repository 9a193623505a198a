// SPDX-License-Identifier: Apache-2.0
/* event.h — one call event as decoded, before anybody has looked at what it means.
 *
 * OWNERSHIP All strings and the checks are borrowed: from the record's bytes or from the decoder's
 *           scratch, and live until the decoder says otherwise (decode/decoder.h).
 * UNITS     Times in ms; ts_ms is event time, UTC since the epoch.
 */
#ifndef CM_EVENT_EVENT_H
#define CM_EVENT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define CM_RECORD_BYTES_MAX  65536
#define CM_ID_BYTES_MAX      64 /* id, call, case */
#define CM_UNIT_BYTES_MAX    32 /* seat, agent, queue, centre */
#define CM_CHANNEL_BYTES_MAX 16
#define CM_PART_MS_MAX       INT64_C(604800000)     /* 7 d */
#define CM_TS_MS_MAX         INT64_C(4102444800000) /* 2100-01-01 */
#define CM_RATING_MAX        100

/* X(CODE, "text on the wire") */
// clang-format off
#define CM_EVENT_TYPES(X) \
    X(CDR, "cdr") X(QUEUE_ENTER, "queue_enter") X(QUEUE_EXIT, "queue_exit") \
    X(SEAT_STATE, "seat_state") X(CHECK, "check") X(CASE, "case")
#define CM_OUTCOMES(X) \
    X(ANSWERED, "answered") X(ABANDONED, "abandoned") X(NO_ANSWER, "no_answer") \
    X(REJECTED, "rejected") X(OVERFLOW, "overflow") X(TIMEOUT, "timeout") X(CALLBACK, "callback")
#define CM_ENDS(X) X(CALLER, "caller") X(AGENT, "agent") X(SYSTEM, "system") X(TRANSFER, "transfer")
#define CM_STATES(X) \
    X(OFFLINE, "offline") X(AVAILABLE, "available") X(RINGING, "ringing") X(TALKING, "talking") \
    X(HOLD, "hold") X(ACW, "acw") X(BREAK, "break") X(TRAINING, "training") X(MEETING, "meeting")
#define CM_SOURCES(X) X(SELF, "self") X(SPOT, "spot") X(THIRD_PARTY, "third_party")
#define CM_STEPS(X) \
    X(OPENED, "opened") X(CONTACTED, "contacted") X(PLANNED, "planned") X(ONSITE, "onsite") \
    X(RESOLVED, "resolved")
// clang-format on

#define X(code, text) CM_EVENT_##code,
enum cm_event_type { CM_EVENT_TYPES(X) CM_EVENT_COUNT };
#undef X
#define X(code, text) CM_OUTCOME_##code,
enum cm_outcome { CM_OUTCOMES(X) CM_OUTCOME_COUNT };
#undef X
#define X(code, text) CM_END_##code,
enum cm_end { CM_END_NONE, CM_ENDS(X) CM_END_COUNT };
#undef X
#define X(code, text) CM_STATE_##code,
enum cm_state { CM_STATES(X) CM_STATE_COUNT };
#undef X
#define X(code, text) CM_SOURCE_##code,
enum cm_source { CM_SOURCES(X) CM_SOURCE_COUNT };
#undef X
#define X(code, text) CM_STEP_##code,
enum cm_step { CM_STEPS(X) CM_STEP_COUNT };
#undef X

/* One compliance checkpoint of an event: passed 1, failed 0, not applicable -1. */
struct cm_check {
    struct cm_str name;
    int32_t result;
};

struct cm_event {
    uint8_t type;    /* enum cm_event_type */
    uint8_t outcome; /* cdr: enum cm_outcome */
    uint8_t end;     /* cdr: enum cm_end, NONE when absent */
    uint8_t state;   /* seat_state: enum cm_state */
    uint8_t source;  /* check: enum cm_source */
    uint8_t step;    /* case: enum cm_step */
    bool on_hold;    /* cdr: ended while the caller was on hold */
    int8_t rating;   /* cdr: 0 .. 100, -1 when absent */
    int64_t ts_ms;
    uint32_t wait_ms, ring_ms, talk_ms, hold_ms, acw_ms; /* 0 .. CM_PART_MS_MAX */
    uint32_t hold_n, transfers, rev;
    struct cm_str id;   /* required */
    struct cm_str call; /* len 0 when absent, as for all that follow */
    struct cm_str seat, agent, queue, centre;
    struct cm_str channel; /* "ch"; absent means voice */
    struct cm_str reason;
    struct cm_str case_id, kind; /* case: "case" and "kind" */
    const struct cm_check
        *checks; /* checks_count of them, names distinct, in order of first sight */
    uint32_t checks_count;
};

/* "cdr", "answered", ...; "?" outside. */
const char *cm_event_type_name(unsigned type);
const char *cm_outcome_name(unsigned outcome);
const char *cm_state_name(unsigned state);
const char *cm_source_name(unsigned source);
const char *cm_step_name(unsigned step);

#endif
