// SPDX-License-Identifier: Apache-2.0
/* layout.h — the layout of a record as a program: which bytes stand still, where the values are.
 *
 *   {"type":"cdr","id":"………","ts":…………,"call":"………","outcome":"………"}
 *   └ still ──────────┘ text └ still ┘ time └ still ┘ text └ still ┘ word └ still
 *
 * A producer writes record after record with the same keys in the same order. What stands still is
 * compared, the values between are judged by their field's rule, and every one has its place from
 * the record's anchors (shape.h), so that no value waits for the one before it and nothing branches
 * on the bytes. The places are numbers in lanes, a lane from one anchor to the next:
 *
 *   lane k:  begins at at[k] + fore[k], ends at at[k + 1] - back[k], least[k] .. most[k] bytes
 *
 * That is proved for all lanes first: then the values and the runs between them cover the record
 * without a gap and in order, and every load below lies within it. Next all runs are compared. The
 * record holds as many quotes as the runs, so no value holds one. With `plain` and UTF-8 known of
 * the whole, a text is done; numbers, words and flags are verified byte by byte; what the contract
 * does not know and is no text goes through the general scanner.
 *
 * A layout says yes or `I cannot tell`, never no: the general parser alone refuses.
 *
 * THREADS   A layout belongs to one decoder. OWNERSHIP Strings of the event point into the record,
 *           checks into the scratch. A layout holds no pointer but to the constant rules.
 * COST      With AVX2 about 6 instructions a run, 9 a text, 13 a count; else 7, 9 and 25. With
 *           AVX-512 counts and texts take about 105 together, however many there are.
 */
#ifndef CM_DECODE_LAYOUT_H
#define CM_DECODE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/fields.h"
#include "decode/json_scan.h"
#include "decode/scratch.h"
#include "decode/shape.h"
#include "event/event.h"

#define CM_LAYOUT_LANES_MAX  (CM_SHAPE_ANCHORS_MAX + 1)
#define CM_LAYOUT_PLACES_MAX 64u
#define CM_LAYOUT_COUNTS_MAX 8u  /* a multiple of four */
#define CM_LAYOUT_LISTS      5u  /* outcome, end, state, source, step */
#define CM_LAYOUT_CHECKS_MAX 31u /* a vector of 64 bytes, but for one place */
#define CM_LAYOUT_RUN_BYTES  16u
#define CM_LAYOUT_RUNS_MAX   (CM_LAYOUT_LANES_MAX + CM_LAYOUT_PLACES_MAX)
#define CM_LAYOUT_SLOTS      32u /* of a vector of 64 bytes: counts, behind them texts */
#define CM_LAYOUT_SLOT_REV   7u
#define CM_LAYOUT_SLOT_TEXTS 8u

/* Sixteen bytes at once; the compiler makes vector code of it where there is any. */
typedef uint64_t cm_bytes16 __attribute__((vector_size(16)));

/* A value with a member of the event. */
struct cm_layout_slot {
    uint16_t lane;
    uint16_t member; /* offset in struct cm_event */
};

struct cm_layout_word {
    const struct cm_field_rule *rule;
    uint16_t lane;
    uint16_t member; /* offset in struct cm_event */
    uint16_t list;   /* where its words' table begins in cm_layout_words */
};

/* A value that the general scanner verifies. It may hold anchors, so it reaches over lanes. */
struct cm_layout_other {
    uint16_t first, last; /* lanes where it begins and ends */
    bool score;           /* a number 0 .. 100; else any value */
};

enum cm_layout_time { CM_LAYOUT_TIME_MS, CM_LAYOUT_TIME_TEXT };

struct cm_layout {
    uint64_t key; /* the cache's */
    uint16_t lanes;
    uint16_t own;                               /* the first run behind the lanes' own */
    uint16_t time_lane, flag_lane, rating_lane; /* of flag and rating, 0: none; neither is first */
    uint8_t time;                               /* enum cm_layout_time */
    uint8_t next;                               /* the cache's */
    bool rating_slot;
    uint8_t texts_count, counts_count, words_count, checks_count, others_count, places_count;
    uint32_t quotes;       /* within runs */
    struct cm_event blank; /* what the event is before the values */
    /* Counts are read four at a time: the first stands once more for those that are missing. */
    struct cm_layout_slot texts[10], counts[CM_LAYOUT_COUNTS_MAX];
    struct cm_layout_word words[CM_LAYOUT_LISTS];
    /* Flags are read four at a time: the checks, behind them the flag; then the first once more. */
    _Alignas(64) uint16_t check_lane[CM_LAYOUT_CHECKS_MAX + 1];
    int16_t check_name[CM_LAYOUT_CHECKS_MAX + 1]; /* begins so much before the value's first byte */
    uint16_t check_name_len[CM_LAYOUT_CHECKS_MAX + 1];
    /* The lanes of counts and texts in the order of the event's members, for a reader that writes
     * them all at once, and a bit for each that is there. The rating takes the place of `rev` where
     * there is none. */
    _Alignas(64) uint16_t slots[CM_LAYOUT_SLOTS];
    uint32_t slots_there;
    _Alignas(64) int16_t fore[CM_LAYOUT_LANES_MAX], back[CM_LAYOUT_LANES_MAX];
    _Alignas(64) int16_t least[CM_LAYOUT_LANES_MAX], most[CM_LAYOUT_LANES_MAX];
    _Alignas(
        64) int16_t hold[CM_LAYOUT_LANES_MAX]; /* a lane's own run lies at at[lane + 1] - hold */
    _Alignas(64) int16_t real[CM_LAYOUT_LANES_MAX]; /* -1: a lane; 0 behind the last */
    /* Runs: up to sixteen bytes that stand still. Where a mask has zeros, the load takes bytes of a
     * neighbour, which are not compared. First the lanes' own (an empty mask: none), up to a
     * multiple of four; then those that have a place of their own, at at[lane] + offset. */
    _Alignas(64) cm_bytes16 masks[CM_LAYOUT_RUNS_MAX], stills[CM_LAYOUT_RUNS_MAX];
    uint16_t place_lane[CM_LAYOUT_PLACES_MAX];
    int16_t place_offset[CM_LAYOUT_PLACES_MAX];
    struct cm_layout_other others[16];
};
_Static_assert(CM_LAYOUT_LANES_MAX % 16 == 0, "lanes are judged sixteen at a time");

/* The words that came lately, a table a list, by a hash of their last bytes: a word is one look-up
 * and one compare. Zeros stand before a shorter word; no word holds one. */
#define CM_LAYOUT_WORDS 16u
struct cm_layout_words {
    cm_bytes16 words[CM_LAYOUT_LISTS * CM_LAYOUT_WORDS];
    uint8_t values[CM_LAYOUT_LISTS * CM_LAYOUT_WORDS];
};

/* What reading works with, and the lanes of the record at hand. Zero-initialised but for the
 * pointers. */
struct cm_layout_work {
    struct cm_shape *shape;
    struct cm_json_scan *scan;
    struct cm_scratch *scratch; /* for checks */
    _Alignas(64) int16_t begin[CM_LAYOUT_LANES_MAX], end[CM_LAYOUT_LANES_MAX],
        len[CM_LAYOUT_LANES_MAX];
    _Alignas(64) int16_t run[CM_LAYOUT_RUNS_MAX];
    struct cm_layout_words words;
};

/* Reads the record by this layout. true: the general parser would give the same event, and `event`
 * is set. false: no answer, `event` is undefined.
 *
 * work->shape is the record's shape, plain; the bytes are UTF-8; work->scan knows their end. */
typedef bool cm_layout_reader(const struct cm_layout *layout, struct cm_layout_work *work,
                              const char *bytes, struct cm_event *event);

/* For a processor that has vectors of so many bytes, as in cm_shape_kernel. All give the same
 * answers. */
cm_layout_reader *cm_layout_reader_for(uint32_t vector_bytes);

#endif
