// SPDX-License-Identifier: Apache-2.0
#include "kafka/leadership.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "kafka/wire_put.h"
#include "kafka/wire_take.h"

enum { API_METADATA = 3 };

#define LEASE_S     300
#define RACKLESS_S  60
#define METADATA_MS 30000

void cm_leaders_free(struct cm_leaders *leaders)
{
    free(leaders->brokers);
    free(leaders->leader);
    *leaders = (struct cm_leaders){0};
}

void cm_leadership_free(struct cm_leadership *l)
{
    free(l->partitions);
    *l = (struct cm_leadership){0};
}

void cm_leadership_set(struct cm_leadership *l, const struct cm_leaders *leaders)
{
    uint32_t count = leaders->partitions_count;
    l->partitions = cm_realloc(l->partitions, (size_t)count + 1, sizeof *l->partitions);
    for (uint32_t i = 0; i < count; i++) {
        struct cm_led_partition *p = &l->partitions[i];
        if (i >= l->count || p->leader != leaders->leader[i]) {
            *p =
                (struct cm_led_partition){.leader = leaders->leader[i], .epoch = -1, .replica = -1};
        }
    }
    l->count = count;
    l->wants_epochs = true;
}

int32_t cm_leadership_broker(const struct cm_leadership *l, uint32_t partition, int64_t now_ns)
{
    if (partition >= l->count) {
        return -1;
    }
    const struct cm_led_partition *p = &l->partitions[partition];
    return p->replica >= 0 && now_ns < p->replica_until_ns ? p->replica : p->leader;
}

int32_t cm_leadership_epoch(const struct cm_leadership *l, uint32_t partition)
{
    return partition < l->count ? l->partitions[partition].epoch : -1;
}

void cm_leadership_prefer(struct cm_leadership *l, uint32_t partition, int32_t broker,
                          int64_t now_ns)
{
    if (partition < l->count) {
        l->partitions[partition].replica = broker;
        l->partitions[partition].replica_until_ns = now_ns + LEASE_S * CM_NS_PER_S;
        cm_log(CM_LOG_INFO, "kafka.replica", "partition=%u leader=%d asked=%d", partition,
               (int)l->partitions[partition].leader, (int)broker);
    }
}

static void give_up(struct cm_leadership *l, uint32_t partition, int64_t now_ns)
{
    struct cm_led_partition *p = &l->partitions[partition];
    cm_log(CM_LOG_INFO, "kafka.replica", "partition=%u leader=%d failed=%d", partition,
           (int)p->leader, (int)p->replica);
    p->replica = -1;
    l->rackless_until_ns = now_ns + RACKLESS_S * CM_NS_PER_S;
}

bool cm_leadership_return(struct cm_leadership *l, uint32_t partition, int32_t broker,
                          int64_t now_ns)
{
    if (partition >= l->count || l->partitions[partition].leader == broker) {
        return false;
    }
    if (l->partitions[partition].replica == broker) {
        give_up(l, partition, now_ns);
    }
    return true;
}

void cm_leadership_leave(struct cm_leadership *l, int32_t broker, int64_t now_ns)
{
    for (uint32_t i = 0; i < l->count; i++) {
        if (l->partitions[i].replica == broker) {
            give_up(l, i, now_ns);
        }
    }
}

void cm_leadership_doubt(struct cm_leadership *l, uint32_t partition, int16_t error)
{
    bool about_epoch =
        error == CM_KAFKA_FENCED_LEADER_EPOCH || error == CM_KAFKA_UNKNOWN_LEADER_EPOCH;
    if (about_epoch && partition < l->count) {
        l->partitions[partition].epoch = -1;
    }
}

int64_t cm_leadership_cut(const struct cm_fetch_part *part, int64_t next)
{
    if (part->diverging_to < 0 || part->diverging_to >= next) {
        return next;
    }
    cm_log(CM_LOG_ERROR, "kafka.offset_out_of_range",
           "partition=%d wanted=%lld from=%lld text=\"the log was cut and written anew from there: "
           "what was read of its old end stays counted, and what is there now is read\"",
           (int)part->partition, (long long)next, (long long)part->diverging_to);
    return part->diverging_to;
}

/* ---- epochs */

void cm_leadership_ask_epochs(struct cm_leadership *l, struct cm_link *link, int64_t now_ns)
{
    struct cm_link_response *r = cm_link_begin(link);
    struct cm_text *out = &link->out;
    r->metadata = true;
    l->wants_epochs = false;
    size_t at = cm_wire_begin(out, API_METADATA, CM_METADATA_VERSION, r->correlation,
                              link->terms->client_id, false);
    cm_wire_put_count(out, 1, false);
    cm_wire_put_string(out, link->terms->topic, false);
    cm_text_addc(out, 0); /* a topic that is not there is not to be made */
    cm_wire_end(out, at);
    cm_link_send(link, now_ns, METADATA_MS);
}

static bool skip_brokers(struct cm_wire_reader *r)
{
    int32_t count;
    struct cm_str text;
    const uint8_t *p;
    if (!cm_wire_take32(r, &count)) {
        return false;
    }
    for (int32_t i = 0; i < count; i++) {
        if (!cm_wire_take(r, 4, &p) || !cm_wire_take_string(r, &text) || /* id, host, port, rack */
            !cm_wire_take(r, 4, &p) || !cm_wire_take_string(r, &text)) {
            return false;
        }
    }
    return cm_wire_take_string(r, &text) && cm_wire_take(r, 4, &p); /* cluster, controller */
}

static bool skip_ids(struct cm_wire_reader *r)
{
    int32_t count;
    const uint8_t *p;
    return cm_wire_take32(r, &count) && cm_wire_take(r, count < 0 ? 0 : (size_t)count * 4, &p);
}

/* A partition in the answer. */
static bool take_partition(struct cm_wire_reader *r, int32_t *number, int32_t *leader,
                           int32_t *epoch)
{
    int16_t error;
    return cm_wire_take16(r, &error) && cm_wire_take32(r, number) && cm_wire_take32(r, leader) &&
           cm_wire_take32(r, epoch) && skip_ids(r) && skip_ids(r) && skip_ids(r);
}

/* 1, 0 or -1: it cannot be read. */
static int take_topic(struct cm_leadership *l, struct cm_wire_reader *r, const char *topic)
{
    int16_t error;
    int32_t count;
    struct cm_str name;
    const uint8_t *internal;
    int differs = 0;
    if (!cm_wire_take16(r, &error) || !cm_wire_take_string(r, &name) ||
        !cm_wire_take(r, 1, &internal) || !cm_wire_take32(r, &count)) {
        return -1;
    }
    bool ours = cm_str_eq(name, (struct cm_str){topic, (uint32_t)strlen(topic)});
    for (int32_t i = 0; i < count; i++) {
        int32_t number;
        int32_t leader;
        int32_t epoch;
        if (!take_partition(r, &number, &leader, &epoch)) {
            return -1;
        }
        if (!ours || number < 0 || (uint32_t)number >= l->count || leader < 0) {
            continue;
        }
        struct cm_led_partition *p = &l->partitions[number];
        if (p->leader == leader) {
            p->epoch = epoch < 0 ? -1 : epoch;
        } else {
            differs = 1;
        }
    }
    return differs;
}

int cm_leadership_read_epochs(struct cm_leadership *l, int32_t correlation, const char *topic,
                              const uint8_t *bytes, size_t len)
{
    struct cm_wire_reader r = {bytes, bytes + len};
    int32_t number;
    int32_t count;
    const uint8_t *throttle;
    int differs = 0;
    bool whole = cm_wire_take32(&r, &number) && number == correlation &&
                 cm_wire_take(&r, 4, &throttle) && skip_brokers(&r) && cm_wire_take32(&r, &count);
    for (int32_t i = 0; whole && i < count; i++) {
        int rc = take_topic(l, &r, topic);
        whole = rc >= 0;
        differs = rc > 0 ? 1 : differs;
    }
    return whole ? differs : cm_fail(CM_ERR_CORRUPT, "response of the broker: metadata");
}

int cm_leadership_take_epochs(struct cm_leadership *l, struct cm_link *link,
                              const struct cm_link_response *r)
{
    int rc = cm_leadership_read_epochs(l, r->correlation, link->terms->topic, r->bytes + 4,
                                       r->have - 4); /* behind the length */
    if (rc < 0) {
        cm_link_break(link, cm_fail_text());
    }
    return rc;
}
