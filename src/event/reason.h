// SPDX-License-Identifier: Apache-2.0
/* reason.h — why a record did not count, one table. The name is what dead letters, counters and
 * docs say. */
#ifndef CM_EVENT_REASON_H
#define CM_EVENT_REASON_H

/* X(CODE, "name", "what it means", "what to do about it") */
// clang-format off
#define CM_REASON_MAP(X) \
    X(TOO_LARGE, "too_large", "The record is larger than 64 KiB.", "Look for a producer that attaches whole transcripts.") \
    X(MALFORMED, "malformed", "Not one valid JSON object.", "See the offset in the dead letter; often a cut line.") \
    X(UTF8,      "utf8",      "Not valid UTF-8.", "The producer writes another character set.") \
    X(DEPTH,     "depth",     "Nested deeper than 256 levels.", "No call record needs this; somebody tests the parser.") \
    X(MISSING,   "missing",   "A required field is missing.", "Compare the producer with docs/events.md.") \
    X(TYPE,      "type",      "A field holds a value of the wrong JSON type.", "Compare the producer with docs/events.md.") \
    X(RANGE,     "range",     "A value is out of range, too long, or not one of the words allowed.", "Compare the producer with docs/events.md.") \
    X(FUTURE,    "future",    "Further in the future than future_limit.", "Check the clock of the machine that produced it.") \
    X(LATE,      "late",      "Late, and no live window or period covers it.", "Raise allowed_lateness or add a longer window.")
// clang-format on

enum cm_reason {
    CM_REASON_NONE = 0,
#define X(code, name, meaning, advice) CM_REASON_##code,
    CM_REASON_MAP(X)
#undef X
        CM_REASON_COUNT
};

/* "malformed"; "none" for NONE. */
const char *cm_reason_name(enum cm_reason reason);
const char *cm_reason_meaning(enum cm_reason reason);
const char *cm_reason_advice(enum cm_reason reason);

#endif
