// SPDX-License-Identifier: Apache-2.0
#include "window/track.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"

#define ITEMS_LEAST 4u

uint64_t cm_track_lower(const struct cm_track *track, int64_t no)
{
    const struct cm_item *items = track->at + track->begin;
    uint32_t low = 0;
    uint32_t high = track->count;
    if (high == 0 || items[high - 1].no < no) {
        return track->first + high;
    }
    /* From the end by growing steps: what is looked for is mostly near. */
    for (uint32_t step = 1; high > step; step *= 2) {
        if (items[high - 1 - step].no < no) {
            low = high - step;
            break;
        }
        high -= step;
    }
    while (low < high) { /* items[high] and all behind it are not below `no` */
        uint32_t middle = low + (high - low) / 2;
        if (items[middle].no < no) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return track->first + low;
}

static void resize(struct cm_track *track, uint32_t cap, size_t *bytes)
{
    *bytes += ((size_t)cap - track->cap) * sizeof(*track->at);
    track->at = cm_realloc(track->at, cap, sizeof(*track->at));
    track->cap = cap;
}

static void to_front(struct cm_track *track)
{
    memmove(track->at, track->at + track->begin, track->count * sizeof(*track->at));
    track->begin = 0;
}

static void make_room(struct cm_track *track, size_t *bytes)
{
    if (track->begin + track->count < track->cap) {
        return;
    }
    if (track->begin > track->cap / 4) {
        to_front(track);
        return;
    }
    CM_ASSERT(track->cap <= UINT32_MAX / 2);
    resize(track, track->cap < ITEMS_LEAST ? ITEMS_LEAST : track->cap + track->cap / 2, bytes);
}

void cm_track_insert(struct cm_track *track, uint64_t place, struct cm_item item, size_t *bytes)
{
    CM_ASSERT(place >= track->first && place <= cm_track_end(track));
    make_room(track, bytes);
    uint32_t behind = (uint32_t)(cm_track_end(track) - place);
    track->count++;
    struct cm_item *at = cm_track_at(track, place);
    memmove(at + 1, at, behind * sizeof(*at));
    *at = item;
}

void cm_track_drop(struct cm_track *track, uint32_t count, size_t *bytes)
{
    CM_ASSERT(count <= track->count);
    track->begin += count;
    track->count -= count;
    track->first += count;
    if (track->cap > 4 * ITEMS_LEAST && track->count < track->cap / 4) {
        to_front(track);
        resize(track, track->cap / 2, bytes);
    }
}

void cm_track_free(struct cm_track *track)
{
    free(track->at);
    *track = (struct cm_track){.at = NULL};
}
