// SPDX-License-Identifier: Apache-2.0
/* track.h — the legs of one cell, pane by pane: items in the order of time, in one piece of memory.
 *
 *   at   [ given back | item item item ...... | gap | ...... item item ]
 *                       first                                       end     places, never used
 * twice
 *
 * An item is found by halving, and what comes in the order of time is appended. The room there is
 * lies where something was put in last: a source that lags behind the others puts in one item after
 * the other, and nothing but the first of them moves what is newer. A place is the item's number
 * since the track began; an item put in between moves the places behind it by one.
 *
 * THREADS   One thread. OWNERSHIP The track owns its items; legs are a log's (leg_log.h).
 * COST      12 bytes an item.
 */
#ifndef CM_WINDOW_TRACK_H
#define CM_WINDOW_TRACK_H

#include <stddef.h>
#include <stdint.h>

#include "window/leg_log.h"

struct cm_item {
    uint32_t no_low, no_high; /* of the pane: in halves, so that an item has 12 bytes */
    uint32_t leg;             /* its place in the log */
};

static inline int64_t cm_item_no(const struct cm_item *item)
{
    return (int64_t)((uint64_t)item->no_high << 32 | item->no_low);
}

static inline struct cm_item cm_item_of(int64_t no, uint32_t leg)
{
    return (struct cm_item){(uint32_t)(uint64_t)no, (uint32_t)((uint64_t)no >> 32), leg};
}

/* Zero-initialised is an empty one. */
struct cm_track {
    struct cm_item *at; /* NULL: never had an item */
    uint32_t begin, count, cap;
    uint32_t gap;   /* items in front of the gap, from at[begin]; the rest ends at at[cap] */
    uint64_t first; /* place of the first one */
};

static inline uint64_t cm_track_end(const struct cm_track *track)
{
    return track->first + track->count;
}

/* first <= place < end. Valid until something is put in or given back. */
static inline struct cm_item *cm_track_at(const struct cm_track *track, uint64_t place)
{
    uint32_t i = (uint32_t)(place - track->first);
    return &track->at[i < track->gap ? track->begin + i : track->cap - track->count + i];
}

/* A hint: something is put in soon, most likely at the end. */
static inline void cm_track_expect(const struct cm_track *track)
{
    if (track->count > 0) {
        cm_prefetch_write(cm_track_at(track, cm_track_end(track) - 1));
    }
}

/* The place of the first item of that pane or a newer one; the end when there is none. */
uint64_t cm_track_lower(const struct cm_track *track, int64_t no);
/* Puts an item in front of the one at `place`, or at the end. *bytes grows with the memory. */
void cm_track_insert(struct cm_track *track, uint64_t place, struct cm_item item, size_t *bytes);
/* Forgets the first `count` items; memory that is far too much is given back. */
void cm_track_drop(struct cm_track *track, uint32_t count, size_t *bytes);
void cm_track_free(struct cm_track *track);

#endif
