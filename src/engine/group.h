// SPDX-License-Identifier: Apache-2.0
/* group.h — a few records that are decoded together, before the first of them is taken: so what
 * they need is fetched from memory for all of them at once (cm_windows_expect()).
 *
 * THREADS   One owner. OWNERSHIP Events point into the records and into the decoder's scratch.
 */
#ifndef CM_ENGINE_GROUP_H
#define CM_ENGINE_GROUP_H

#include <stdint.h>

#include "decode/decoder.h"
#include "engine/decode_pool.h"
#include "event/event.h"
#include "event/reason.h"
#include "kafka/kafka.h"
#include "window/windows.h"

#define CM_GROUP_NONE UINT8_MAX

struct cm_group {
    struct cm_event events[CM_WINDOWS_EXPECT];       /* of the sound records, in their order */
    const struct cm_event *sound[CM_WINDOWS_EXPECT]; /* the same, for cm_windows_expect() */
    struct cm_hint hints[CM_WINDOWS_EXPECT];         /* what that says of them */
    uint32_t events_count;
    uint8_t event_of[CM_WINDOWS_EXPECT];       /* by record; CM_GROUP_NONE: it has no event */
    enum cm_reason reasons[CM_WINDOWS_EXPECT]; /* why; NONE: a tombstone, which says nothing */
    uint32_t count;                            /* records */
};

/* Decodes the first of `count` records, as many as fit. */
void cm_group_decode(struct cm_group *group, struct cm_decoder *decoder,
                     const struct cm_record *records, uint32_t count);
/* Announces records that have been decoded already: the first CM_WINDOWS_EXPECT of `count`. Those
 * that are sound get a hint each, in their order. */
void cm_group_expect(const struct cm_windows *windows, const struct cm_decoded *decoded,
                     uint32_t count, struct cm_hint hints[CM_WINDOWS_EXPECT]);

#endif
