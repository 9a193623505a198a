// SPDX-License-Identifier: Apache-2.0
/* fetch_walk.h — the responses that are being walked, several at once, in the order of event time.
 * Inside the room only.
 *
 *   link 1  response 7 │ p0 ▒▒▒▒▒▒ open │ p2 walked        │        of the open parts the one whose
 *           response 8 │ p0 waits       │ p2 ▒▒▒▒▒▒▒▒ open │   ──►  partition is furthest behind
 *   link 2  response 3 │ p1 ▒▒▒▒ open   │ p3 ▒▒▒ open      │        goes on, for a slice of records
 *
 * A partition has one part open at a time, and those of its parts that have come later wait for it:
 * its offsets are walked in order. A part that nothing stands before is opened as soon as a context
 * is free, the furthest behind first, whichever response it lies in. So none runs ahead while the
 * others have something here, be it of a later response.
 *
 * THREADS   Its fetcher's, under the lane's lock.
 * OWNERSHIP A response lies in its link's buffer, and is held until its last part has ended: at
 *           most CM_LINK_HELD_MOST a link. A context of inflate.h for each part that can be open at
 *           once, OPEN_MOST of them, made when first needed and kept.
 */
#ifndef CM_KAFKA_FETCH_WALK_H
#define CM_KAFKA_FETCH_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "kafka/fetch_known.h"
#include "kafka/fetch_link.h"
#include "kafka/fetch_wire.h"
#include "kafka/lane.h"

struct cm_fetch_walk;

/* A partition that the broker did not serve: called when all that came of it before is walked. */
typedef void cm_fetch_refused(void *context, struct cm_lane *lane, const struct cm_fetch_part *part,
                              int32_t broker, int64_t now_ns);

/* terms and table are borrowed to the end. */
struct cm_fetch_walk *cm_fetch_walk_create(const struct cm_fetch_terms *terms, bool check_crc,
                                           struct cm_fetch_table *table, cm_fetch_refused *refused,
                                           void *context);
/* Before the links that it holds responses of. */
void cm_fetch_walk_destroy(struct cm_fetch_walk *walk);

/* The slot that a part was asked for; NULL when it has been set anew since, or nobody asked. */
struct cm_lane_slot *cm_fetch_asked_slot(struct cm_lane *lane, const struct cm_link_response *r,
                                         uint32_t ask);

/* Holds that response of a link; its parts follow by cm_fetch_walk_add(), in the order that they
 * lie in it. The answer stands before them. */
void cm_fetch_walk_hold(struct cm_fetch_walk *walk, struct cm_link *link, int32_t response,
                        const struct cm_fetch_answer *answer);
/* ask: its place in what was asked. */
void cm_fetch_walk_add(struct cm_fetch_walk *walk, const struct cm_fetch_part *part, uint32_t ask);

/* Goes on until there is something to hand over, or nothing left. The batch is empty; what is in it
 * afterwards is borrowed from responses that are still held. */
void cm_fetch_walk_on(struct cm_fetch_walk *walk, struct cm_lane *lane, struct cm_batch *batch,
                      int64_t now_ns);

#endif
