// SPDX-License-Identifier: Apache-2.0
/* fetcher.h — a worker's own data plane: Fetch over its ring, batches walked where they arrive.
 * Inside the room only.
 *
 *   coordinator ── leaders, slots (lane.h) ──┐
 *                                            ▼
 *   broker 1 ◄─ request ─┐              ┌─ responses A, B: being walked ─► record views ─► worker
 *            ── bytes ──►│ link, a broker
 *   broker 2 ◄──────────►│              └─ response C: on its way meanwhile
 *
 * A link is one connection to one broker, and one request for all partitions that it leads: a
 * broker answers the requests of a connection one after the other, so a second one would wait for
 * the first. When a response is there, the heads of its batches tell the next offsets, and the next
 * request goes out before a record of it is looked at. The partitions change places from request to
 * request, for a broker fills a response in the order asked.
 *
 * Partitions are kept together in event time, for what is in order costs the windows least: of the
 * parts at hand, of whichever response, the one furthest behind is walked next (fetch_walk.h), and
 * each partition is asked for about as much as brings it level with the others (fetch_pace.h).
 * Nobody waits for one that is behind and has nothing here: what is here goes on.
 *
 * A response that was asked for before a slot was set anew is dropped by the slot's generation.
 * Whom to ask for a partition, its leader or a replica near by, and with which epoch, is
 * leadership.h.
 *
 * THREADS   cm_fetcher_fetch() and _attach(): the worker, the former under its lane's lock;
 *           _set_leaders(): the coordinator under that lock. Completions run inside the worker's
 *           cm_ring_wait(), and touch nothing but the link. _destroy(): when the ring is gone.
 * OWNERSHIP Three response buffers a link, each kept and grown to the largest response: that is at
 *           most fetch.max.bytes and a quarter, and where all is in step a batch a partition.
 * ERRORS    A broker that is away is tried again after 50 ms .. 2 s; what a broker says of a
 *           partition makes the coordinator look for the leader, or for where the log begins.
 *           A damaged batch is logged with its offsets and passed over.
 */
#ifndef CM_KAFKA_FETCHER_H
#define CM_KAFKA_FETCHER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "io/ring.h"
#include "kafka/fetch_wire.h"
#include "kafka/kafka.h"

struct cm_lane;

struct cm_broker_address {
    int32_t id;
    struct sockaddr_storage address;
    socklen_t len; /* 0: its name was not found */
    char name[272];
};

/* Who leads what. */
struct cm_leaders {
    struct cm_broker_address *brokers;
    uint32_t brokers_count;
    int32_t *leader; /* by partition: id of a broker, -1: none */
    uint32_t partitions_count;
};

void cm_leaders_free(struct cm_leaders *leaders);

struct cm_fetcher;

/* terms (and its texts) are borrowed to the end. */
struct cm_fetcher *cm_fetcher_create(const struct cm_fetch_terms *terms, bool check_crc);
void cm_fetcher_destroy(struct cm_fetcher *fetcher);
/* Once, before the first fetch. */
void cm_fetcher_attach(struct cm_fetcher *fetcher, struct cm_ring *ring);
/* Copies. */
void cm_fetcher_set_leaders(struct cm_fetcher *fetcher, const struct cm_leaders *leaders);
/* Whether somebody should ask for the leaders again; says it once. Any thread. */
bool cm_fetcher_wants_leaders(struct cm_fetcher *fetcher);
/* How far the worker has come with a partition, in event time, having taken all that was handed
 * over: the one that is furthest behind is read first. The worker, under its lane's lock. */
void cm_fetcher_note(struct cm_fetcher *fetcher, struct cm_lane *lane, int32_t partition,
                     int64_t newest_ms);
/* Starts what is due and fills the batch with what has come: records of one partition, or an end.
 * Returns batch->count + batch->ends_count. */
uint32_t cm_fetcher_fetch(struct cm_fetcher *fetcher, struct cm_lane *lane, struct cm_batch *batch);

#endif
