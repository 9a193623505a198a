// SPDX-License-Identifier: Apache-2.0
#include "window/track.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"

#define ITEMS_LEAST 4u

static int64_t no_at(const struct cm_track *track, uint32_t i)
{
    return cm_item_no(cm_track_at(track, track->first + i));
}

uint64_t cm_track_lower(const struct cm_track *track, int64_t no)
{
    uint32_t low = 0;
    uint32_t high = track->count;
    if (high == 0 || no_at(track, high - 1) < no) {
        return track->first + high;
    }
    if (track->gap > 0 && track->gap < high && no_at(track, track->gap - 1) < no) {
        low = track->gap;
    }
    /* From either end by growing steps: what is looked for is mostly near. */
    for (uint32_t step = 1; low > 0 && high - low > step; step *= 2) {
        if (no_at(track, low + step - 1) >= no) {
            high = low + step - 1;
            break;
        }
        low += step;
    }
    for (uint32_t step = 1; low == 0 && high > step; step *= 2) {
        if (no_at(track, high - 1 - step) < no) {
            low = high - step;
            break;
        }
        high -= step;
    }
    while (low < high) { /* the item at `high` and all behind it are not below `no` */
        uint32_t middle = low + (high - low) / 2;
        if (no_at(track, middle) < no) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return track->first + low;
}

/* Other memory, the same items; what was given back in front of them is left out. */
static void resize(struct cm_track *track, uint32_t cap, size_t *bytes)
{
    uint32_t tail = track->count - track->gap;
    struct cm_item *fresh = cm_realloc(NULL, cap, sizeof(*fresh));
    if (track->at != NULL) {
        memcpy(fresh, track->at + track->begin, track->gap * sizeof(*fresh));
        memcpy(fresh + cap - tail, track->at + track->cap - tail, tail * sizeof(*fresh));
    }
    free(track->at);
    *bytes += ((size_t)cap - track->cap) * sizeof(*track->at);
    track->at = fresh;
    track->cap = cap;
    track->begin = 0;
}

static void make_room(struct cm_track *track, size_t *bytes)
{
    if (track->begin + track->count < track->cap) {
        return;
    }
    if (track->begin > track->cap / 4) {
        memmove(track->at, track->at + track->begin, track->gap * sizeof(*track->at));
        track->begin = 0;
        return;
    }
    CM_ASSERT(track->cap <= UINT32_MAX / 2);
    resize(track, track->cap < ITEMS_LEAST ? ITEMS_LEAST : track->cap + track->cap / 2, bytes);
}

/* The gap goes to in front of item i. */
static void move_gap(struct cm_track *track, uint32_t i)
{
    struct cm_item *front = track->at + track->begin;
    struct cm_item *back = track->at + track->cap - track->count; /* item i is at back + i */
    if (i < track->gap) {
        memmove(back + i, front + i, (track->gap - i) * sizeof(*front));
    } else {
        memmove(front + track->gap, back + track->gap, (i - track->gap) * sizeof(*front));
    }
    track->gap = i;
}

void cm_track_insert(struct cm_track *track, uint64_t place, struct cm_item item, size_t *bytes)
{
    CM_ASSERT(place >= track->first && place <= cm_track_end(track));
    make_room(track, bytes);
    move_gap(track, (uint32_t)(place - track->first));
    track->at[track->begin + track->gap] = item;
    track->gap++;
    track->count++;
}

void cm_track_drop(struct cm_track *track, uint32_t count, size_t *bytes)
{
    CM_ASSERT(count <= track->count);
    uint32_t in_front = count < track->gap ? count : track->gap;
    track->begin += in_front;
    track->gap -= in_front;
    track->begin = track->gap == 0 ? 0 : track->begin;
    track->count -= count;
    track->first += count;
    if (track->cap > 4 * ITEMS_LEAST && track->count < track->cap / 4) {
        resize(track, track->cap / 2, bytes);
    }
}

void cm_track_free(struct cm_track *track)
{
    free(track->at);
    *track = (struct cm_track){.at = NULL};
}
