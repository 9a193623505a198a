// SPDX-License-Identifier: Apache-2.0
/* leadership.h — whom a fetcher asks for a partition: its leader, or the replica that the leader
 * sent it to. Inside the room only.
 *
 *   coordinator (librdkafka's list) ── leaders ──┐
 *   broker (Metadata 7, asked on a link) ── epochs ──► whom to ask, with which epoch
 *   leader (Fetch 11) ── "ask that one" ─────────┘
 *
 * An epoch counts the leaders of a partition: a broker that is asked with one that is not its own
 * says so in place of serving a log that may have another end (KIP-320). librdkafka's list has
 * none, so a broker is asked when a new list has come. An epoch that was not right is forgotten,
 * and nothing waits for the next: without one a leader serves everybody.
 *
 * A replica near to us (KIP-392, client.rack) is asked for 5 minutes, then the leader again. When
 * it fails, the leader is asked at once, and for a minute without a rack, for otherwise it would
 * send us there again.
 *
 * THREADS   Its fetcher's, under the lane's lock.
 */
#ifndef CM_KAFKA_LEADERSHIP_H
#define CM_KAFKA_LEADERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "kafka/fetch_link.h"
#include "kafka/fetcher.h"

#define CM_METADATA_VERSION 7

struct cm_led_partition {
    int32_t leader;  /* id of a broker; -1: none */
    int32_t epoch;   /* of that leader; -1: not known */
    int32_t replica; /* asked in its place; -1 */
    int64_t replica_until_ns;
};

struct cm_leadership {
    struct cm_led_partition *partitions;
    uint32_t count;
    bool wants_epochs; /* a broker should be asked: cm_leadership_ask_epochs() */
    int64_t rackless_until_ns;
};

void cm_leadership_free(struct cm_leadership *l);
/* A new list; what is known of a partition whose leader is the same stays. */
void cm_leadership_set(struct cm_leadership *l, const struct cm_leaders *leaders);
/* Whom to ask now; -1: nobody. */
int32_t cm_leadership_broker(const struct cm_leadership *l, uint32_t partition, int64_t now_ns);
int32_t cm_leadership_epoch(const struct cm_leadership *l, uint32_t partition);
/* The leader wants us to ask that broker. */
void cm_leadership_prefer(struct cm_leadership *l, uint32_t partition, int32_t broker,
                          int64_t now_ns);
/* That broker did not serve it: back to the leader. false: it is the leader. */
bool cm_leadership_return(struct cm_leadership *l, uint32_t partition, int32_t broker,
                          int64_t now_ns);
/* The same for all partitions that would be asked of that broker, which is away. */
void cm_leadership_leave(struct cm_leadership *l, int32_t broker, int64_t now_ns);
/* A broker's error; when it is about the epoch, that is forgotten. */
void cm_leadership_doubt(struct cm_leadership *l, uint32_t partition, int16_t error);

/* Where to go on when the broker says that the log was cut and written anew below `next`; says so.
 */
int64_t cm_leadership_cut(const struct cm_fetch_part *part, int64_t next);

/* Asks the broker of a free link for the topic's Metadata. */
void cm_leadership_ask_epochs(struct cm_leadership *l, struct cm_link *link, int64_t now_ns);
/* Its answer. 1: some partition has another leader than the list said: a new list is wanted; 0; or
 * -CM_ERR_CORRUPT, and the link is broken. */
int cm_leadership_take_epochs(struct cm_leadership *l, struct cm_link *link,
                              const struct cm_link_response *r);
/* The same on bytes behind the length of a response. */
CM_NODISCARD int cm_leadership_read_epochs(struct cm_leadership *l, int32_t correlation,
                                           const char *topic, const uint8_t *bytes, size_t len);

#endif
