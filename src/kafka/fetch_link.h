// SPDX-License-Identifier: Apache-2.0
/* fetch_link.h — one connection to one broker, on the worker's ring: connects, asks for the
 * versions, authenticates where that is wanted, then carries one request at a time. Inside the room
 * only.
 *
 *   DOWN ──connect──► CONNECTING ──► VERSIONS ──► READY ──send──► waiting ──whole──► `arrived`
 *     ▲                                 └► SASL ──►┘                                     │
 *     └──── broken: shut down, and closed when no op is in flight any more ◄────────────┘
 *
 * Where authentication holds for a while only (KIP-368), the connection is made anew before that is
 * over, between two requests: nothing is lost, nor asked for twice.
 *
 * THREADS   The worker's. Completions touch nothing but the link.
 */
#ifndef CM_KAFKA_FETCH_LINK_H
#define CM_KAFKA_FETCH_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/ring.h"
#include "kafka/fetcher.h"
#include "kafka/sasl.h"

/* Responses of a link whose bytes are looked at at once; one more is on its way meanwhile. */
#define CM_LINK_HELD_MOST 2u

enum cm_link_state {
    CM_LINK_DOWN,
    CM_LINK_CONNECTING,
    CM_LINK_VERSIONS,
    CM_LINK_SASL,
    CM_LINK_READY
};

/* A response, and what was asked for. */
struct cm_link_response {
    uint8_t *bytes; /* with its length in front */
    size_t cap, have;
    int16_t version;
    int32_t correlation;
    bool metadata; /* not of a Fetch */
    bool held;     /* its bytes are being looked at */
    struct cm_fetch_ask *asks;
    uint32_t *generations; /* of the slots, when it was asked */
    uint32_t count, asks_cap;
};

struct cm_link {
    struct cm_ring *ring;
    struct cm_broker_address broker;
    const struct cm_fetch_terms *terms;
    enum cm_link_state state;
    bool broken, closing;
    char why[160]; /* broken */
    int fd;
    struct cm_op connect_op, send_op, recv_op;
    struct cm_text out;
    size_t sent;
    int64_t retry_ns, deadline_ns, mute_ns;
    int64_t backoff_ms;
    int64_t renew_ns; /* READY: when the connection is to be made anew; 0: never */
    int32_t correlation;
    struct cm_broker_versions versions;
    struct cm_sasl sasl; /* SASL: the conversation */
    struct cm_link_response responses[CM_LINK_HELD_MOST + 1];
    int32_t filling; /* the one that is on its way; -1: none */
    int32_t arrived; /* whole, and nobody has looked at it; -1: none */
    uint32_t held_count;
};

/* terms are borrowed. */
void cm_link_init(struct cm_link *link, struct cm_ring *ring, const struct cm_fetch_terms *terms,
                  const struct cm_broker_address *broker);
/* No op is in flight any more. */
void cm_link_free(struct cm_link *link);
/* Connects, closes, gives up, as is due; call often. wanted: there is something to ask of it. */
void cm_link_step(struct cm_link *link, int64_t now_ns, bool wanted);
/* Ready, nothing on its way, and the broker does not want to be left alone. */
bool cm_link_is_free(const struct cm_link *link, int64_t now_ns);
/* Begins a request, whose answer goes into a response that is not held; link->out is to be filled,
 * then sent. */
struct cm_link_response *cm_link_begin(struct cm_link *link);
/* A response that is held stays as it is, also when its connection breaks. At most
 * CM_LINK_HELD_MOST are. */
void cm_link_hold(struct cm_link *link, int32_t response, bool held);
/* Notes what is asked in it. */
void cm_link_add_ask(struct cm_link_response *r, const struct cm_fetch_ask *ask,
                     uint32_t generation);
/* The place in it of what was asked of the partition, looked for from `from` on; count: nobody
 * asked.
 */
uint32_t cm_link_find_ask(const struct cm_link_response *r, int32_t partition, uint32_t from);
void cm_link_send(struct cm_link *link, int64_t now_ns, int64_t patience_ms);
/* Gives the connection up; it is made anew after a while. */
void cm_link_break(struct cm_link *link, const char *why);

#endif
