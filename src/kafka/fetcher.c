// SPDX-License-Identifier: Apache-2.0
#include "kafka/fetcher.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "kafka/fetch_known.h"
#include "kafka/fetch_link.h"
#include "kafka/fetch_walk.h"
#include "kafka/lane.h"
#include "kafka/leadership.h"

#define LENGTH_BYTES 4u
#define PATIENCE_MS  30000 /* for an answer, beyond what the broker may wait */
#define RETRY_MS     100   /* a partition whose broker refuses it */
#define HOPELESS_MS  10000 /* one that nothing will change soon */

struct cm_fetcher {
    const struct cm_fetch_terms *terms;
    struct cm_ring *ring;
    struct cm_link **links; /* never moved: completions point into them */
    uint32_t links_count;
    struct cm_fetch_table table;
    struct cm_fetch_walk *walk;
    struct cm_fetch_reach reach;
    struct cm_leadership leadership;
    uint32_t turn; /* which partition comes first in the next request */
    atomic_bool wants_leaders;
};

void cm_fetcher_attach(struct cm_fetcher *f, struct cm_ring *ring)
{
    f->ring = ring;
    for (uint32_t i = 0; i < f->links_count; i++) {
        f->links[i]->ring = ring;
    }
}

static struct cm_link *link_of(struct cm_fetcher *f, int32_t broker)
{
    for (uint32_t i = 0; i < f->links_count; i++) {
        if (f->links[i]->broker.id == broker) {
            return f->links[i];
        }
    }
    return NULL;
}

void cm_fetcher_set_leaders(struct cm_fetcher *f, const struct cm_leaders *leaders)
{
    for (uint32_t i = 0; i < leaders->brokers_count; i++) {
        struct cm_link *link = link_of(f, leaders->brokers[i].id);
        if (link != NULL) {
            link->broker = leaders->brokers[i]; /* for the next time that it connects */
            continue;
        }
        f->links = cm_realloc(f->links, f->links_count + 1, sizeof(struct cm_link *));
        f->links[f->links_count] = cm_alloc(1, sizeof(struct cm_link));
        cm_link_init(f->links[f->links_count++], f->ring, f->terms, &leaders->brokers[i]);
    }
    cm_leadership_set(&f->leadership, leaders);
}

/* relaxed: a wish; what it is about is read under the lane's lock. */
bool cm_fetcher_wants_leaders(struct cm_fetcher *f)
{
    return atomic_exchange_explicit(&f->wants_leaders, false, memory_order_relaxed);
}

static void want_leaders(struct cm_fetcher *f)
{
    /* relaxed: see cm_fetcher_wants_leaders(). */
    atomic_store_explicit(&f->wants_leaders, true, memory_order_relaxed);
}

/* ---- asking */

/* Whether a request would ask for that partition now. */
static bool is_due(struct cm_fetcher *f, const struct cm_lane *lane, uint32_t partition,
                   int32_t broker, int64_t now_ns)
{
    const struct cm_lane_slot *slot = &lane->slots[partition];
    return slot->active && slot->next >= 0 &&
           cm_leadership_broker(&f->leadership, partition, now_ns) == broker &&
           cm_fetch_known(&f->table, lane, partition)->retry_ns <= now_ns;
}

/* Where a request for it goes on. */
static int64_t asked_from(const struct cm_fetch_known *known, const struct cm_lane_slot *slot)
{
    return known->planned >= 0 ? known->planned : slot->next;
}

/* Whether the log holds more than what has been fetched, as far as is known. */
static bool has_more(const struct cm_fetch_known *known, const struct cm_lane_slot *slot)
{
    return known->log_end < 0 || asked_from(known, slot) < known->log_end;
}

static int64_t expected_ms(const struct cm_fetch_known *known, const struct cm_lane_slot *slot)
{
    return cm_fetch_pace_expected_ms(&known->pace, slot->next, asked_from(known, slot));
}

/* Up to which event time to ask this broker: what lies beyond can wait until the partition that is
 * furthest behind, of those that have more, has come closer. */
static int64_t until_ms(struct cm_fetcher *f, const struct cm_lane *lane, int32_t broker,
                        int64_t now_ns)
{
    int64_t slowest_ms = INT64_MAX;
    int64_t span_ms = 0;
    for (uint32_t i = 0; i < lane->slots_count; i++) {
        if (is_due(f, lane, i, broker, now_ns)) {
            const struct cm_fetch_known *known = cm_fetch_known(&f->table, lane, i);
            int64_t ms = expected_ms(known, &lane->slots[i]);
            if (has_more(known, &lane->slots[i]) && ms < slowest_ms) {
                slowest_ms = ms;
                span_ms = cm_fetch_pace_span_ms(&known->pace);
            }
        }
    }
    return cm_fetch_reach_until_ms(&f->reach, slowest_ms, span_ms);
}

static void add_ask(struct cm_fetcher *f, const struct cm_lane *lane, struct cm_link_response *r,
                    uint32_t partition, int64_t until_ms)
{
    const struct cm_lane_slot *slot = &lane->slots[partition];
    const struct cm_fetch_known *known = cm_fetch_known(&f->table, lane, partition);
    int64_t offset = asked_from(known, slot);
    int64_t from_ms = expected_ms(known, slot);
    if (from_ms > until_ms) {
        return; /* the others catch up first */
    }
    struct cm_fetch_ask ask = {
        .partition = (int32_t)partition,
        .offset = offset,
        .epoch = cm_leadership_epoch(&f->leadership, partition),
        .last_epoch = known->epoch_at == offset ? known->last_epoch : -1,
        .bytes = cm_fetch_pace_bytes(&known->pace, from_ms, until_ms, f->terms->part_bytes),
    };
    cm_link_add_ask(r, &ask, known->generation);
}

/* Sends the next request, when there is anything to ask and the link is free. */
static void ask_next(struct cm_fetcher *f, const struct cm_lane *lane, struct cm_link *link,
                     int64_t now_ns)
{
    bool due = false;
    if (!cm_link_is_free(link, now_ns)) {
        return;
    }
    for (uint32_t i = 0; i < lane->slots_count && !due; i++) {
        due = is_due(f, lane, i, link->broker.id, now_ns);
    }
    if (!due) {
        return;
    }
    if (f->leadership.wants_epochs && link->versions.metadata >= 0) {
        cm_leadership_ask_epochs(&f->leadership, link, now_ns);
        return;
    }
    struct cm_link_response *r = cm_link_begin(link);
    int64_t most_ms = until_ms(f, lane, link->broker.id, now_ns);
    cm_fetch_reach_step(&f->reach);
    f->turn++;
    for (uint32_t i = 0; i < lane->slots_count; i++) {
        uint32_t partition = (i + f->turn) % lane->slots_count;
        if (is_due(f, lane, partition, link->broker.id, now_ns)) {
            add_ask(f, lane, r, partition, most_ms);
        }
    }
    struct cm_fetch_terms terms = *f->terms;
    terms.rack = now_ns < f->leadership.rackless_until_ns ? "" : terms.rack;
    cm_fetch_write(&link->out, r->version, r->correlation, &terms, r->asks, r->count);
    cm_link_send(link, now_ns, f->terms->wait_ms + PATIENCE_MS);
}

/* ---- what has arrived */

/* Goes where the leader sends us; false: to a broker that is not known yet. */
static bool follow(struct cm_fetcher *f, const struct cm_fetch_part *part, int64_t now_ns)
{
    if (part->replica >= 0 && link_of(f, part->replica) == NULL) {
        want_leaders(f);
        return false;
    }
    if (part->replica >= 0) {
        cm_leadership_prefer(&f->leadership, (uint32_t)part->partition, part->replica, now_ns);
    }
    return true;
}

/* From the heads alone: where the next request goes on. What has failed is not asked for before
 * somebody has looked at it. false: the part goes on from where its partition did not get to, for
 * what was planned before has not come true. */
static bool plan(struct cm_fetcher *f, struct cm_lane *lane, const struct cm_fetch_part *part,
                 const struct cm_fetch_ask *ask, int64_t now_ns)
{
    uint32_t partition = (uint32_t)part->partition;
    struct cm_fetch_known *known = cm_fetch_known(&f->table, lane, partition);
    int64_t expected = known->planned >= 0 ? known->planned : lane->slots[partition].next;
    if (ask->offset != expected) {
        return false;
    }
    int32_t epoch = ask->last_epoch;
    struct cm_fetch_batches batches;
    known->planned = known->epoch_at = cm_fetch_end(part, ask->offset, &epoch, &batches);
    known->last_epoch = epoch;
    known->log_end = f->terms->read_committed ? part->stable : part->high;
    cm_fetch_pace_heads(&known->pace, &batches, ask->offset, known->planned, ask->bytes,
                        part->error == 0 && part->replica < 0 && known->log_end > ask->offset);
    bool fine = part->error == 0 && part->diverging_to < 0 && follow(f, part, now_ns);
    if (!fine) { /* one that is left alone for longer stays so */
        int64_t again_ns = now_ns + RETRY_MS * CM_NS_PER_MS;
        known->retry_ns = known->retry_ns > again_ns ? known->retry_ns : again_ns;
    }
    return true;
}

/* Hands the parts of a response on to be walked. */
static void take_parts(struct cm_fetcher *f, struct cm_lane *lane, struct cm_link *link,
                       int32_t response, struct cm_fetch_answer *answer, int64_t now_ns)
{
    const struct cm_link_response *r = &link->responses[response];
    struct cm_fetch_part part;
    uint32_t ask = 0;
    int rc;
    cm_fetch_walk_hold(f->walk, link, response, answer);
    while ((rc = cm_fetch_next(answer, &part)) == 1) {
        ask = cm_link_find_ask(r, part.partition, ask);
        if (cm_fetch_asked_slot(lane, r, ask) != NULL &&
            plan(f, lane, &part, &r->asks[ask], now_ns)) {
            cm_fetch_walk_add(f->walk, &part, ask);
        }
    }
    if (rc < 0) {
        cm_link_break(link, cm_fail_text());
    }
}

/* Takes up the response that a link has. */
static void take_response(struct cm_fetcher *f, struct cm_lane *lane, struct cm_link *link,
                          int64_t now_ns)
{
    int32_t response = link->arrived;
    struct cm_link_response *r = &link->responses[response];
    struct cm_fetch_answer answer;
    link->arrived = -1;
    if (r->metadata) {
        if (cm_leadership_take_epochs(&f->leadership, link, r) > 0) {
            want_leaders(f);
        }
        return;
    }
    if (cm_fetch_begin(&answer, r->version, r->correlation, r->bytes + LENGTH_BYTES,
                       r->have - LENGTH_BYTES) != 0) {
        cm_link_break(link, cm_fail_text());
        return;
    }
    if (answer.throttle_ms > 0) {
        cm_log(CM_LOG_DEBUG, "kafka.throttled", "broker=%s ms=%d", link->broker.name,
               (int)answer.throttle_ms);
        link->mute_ns = now_ns + answer.throttle_ms * CM_NS_PER_MS;
    }
    if (answer.error != 0) {
        cm_log(CM_LOG_WARN, "kafka.fetch", "broker=%s error=%d", link->broker.name, answer.error);
        link->mute_ns = now_ns + RETRY_MS * CM_NS_PER_MS;
        return;
    }
    take_parts(f, lane, link, response, &answer, now_ns);
}

/* A partition that its broker did not serve. */
static void take_error(void *context, struct cm_lane *lane, const struct cm_fetch_part *at,
                       int32_t broker, int64_t now_ns)
{
    struct cm_fetcher *f = context;
    struct cm_lane_slot *slot = &lane->slots[at->partition];
    uint32_t partition = (uint32_t)at->partition;
    struct cm_fetch_known *known = cm_fetch_known(&f->table, lane, partition);
    if (known->planned <= slot->next) { /* nothing of another broker waits behind it */
        known->planned = -1;
    }
    if (cm_leadership_return(&f->leadership, partition, broker, now_ns)) {
        known->retry_ns = 0; /* what a replica says is not the last word */
        return;
    }
    if (at->error == CM_KAFKA_OFFSET_OUT_OF_RANGE && known->last_epoch >= 0) {
        known->last_epoch = -1; /* it may be the epoch that the broker does not know */
        known->retry_ns = 0;
        return;
    }
    if (at->error == CM_KAFKA_OFFSET_OUT_OF_RANGE || at->diverging_to >= 0) {
        slot->oddity = CM_LANE_STRAY;
        slot->odd_expected = slot->odd_seen = cm_leadership_cut(at, slot->next);
        atomic_store_explicit(&lane->odd, true,
                              memory_order_release); /* pairs with take_oddities() */
        known->retry_ns = now_ns + RETRY_MS * CM_NS_PER_MS;
        return;
    }
    cm_leadership_doubt(&f->leadership, partition, at->error);
    bool hopeless = at->error == CM_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    cm_log(hopeless ? CM_LOG_ERROR : CM_LOG_INFO, "kafka.partition", "partition=%d error=%d",
           (int)at->partition, at->error);
    known->retry_ns = now_ns + (hopeless ? HOPELESS_MS : RETRY_MS) * CM_NS_PER_MS;
    want_leaders(f);
}

/* A partition without a leader, or whose leader we have no address of. */
static bool lacks_leader(struct cm_fetcher *f, const struct cm_lane *lane, int64_t now_ns)
{
    for (uint32_t i = 0; i < lane->slots_count; i++) {
        if (lane->slots[i].active &&
            link_of(f, cm_leadership_broker(&f->leadership, i, now_ns)) == NULL) {
            return true;
        }
    }
    return false;
}

static void step_links(struct cm_fetcher *f, const struct cm_lane *lane, int64_t now_ns)
{
    for (uint32_t i = 0; i < f->links_count; i++) {
        struct cm_link *link = f->links[i];
        bool wanted = false;
        for (uint32_t p = 0; p < lane->slots_count && !wanted; p++) {
            wanted = lane->slots[p].active &&
                     cm_leadership_broker(&f->leadership, p, now_ns) == link->broker.id;
        }
        if (link->broken) {
            cm_leadership_leave(&f->leadership, link->broker.id, now_ns);
        }
        bool was_up = link->state == CM_LINK_READY && !link->broken;
        /* Its response may be the one that is being walked: the bytes stay. */
        cm_link_step(link, now_ns, wanted);
        if (was_up && link->broken) {
            want_leaders(f);
        }
        ask_next(f, lane, link, now_ns);
    }
}

/* Takes up what has arrived, and asks for what comes next before a record of it is looked at. */
static bool take_arrived(struct cm_fetcher *f, struct cm_lane *lane, int64_t now_ns)
{
    bool took = false;
    for (uint32_t i = 0; i < f->links_count; i++) {
        struct cm_link *link = f->links[(i + f->turn) % f->links_count];
        bool there = link->state == CM_LINK_READY && link->arrived >= 0;
        if (!there ||
            (link->held_count == CM_LINK_HELD_MOST && !link->responses[link->arrived].metadata)) {
            continue;
        }
        took = true;
        take_response(f, lane, link, now_ns);
        if (!link->broken) {
            cm_link_step(link, now_ns, true); /* made anew, when it is time for that */
            ask_next(f, lane, link, now_ns);
        }
    }
    return took;
}

/* Nothing is left to walk: whether that is so because what was asked for is still on its way, and
 * not because the log has no more. */
static bool runs_dry(struct cm_fetcher *f, const struct cm_lane *lane)
{
    for (uint32_t i = 0; i < f->links_count; i++) {
        const struct cm_link *link = f->links[i];
        if (link->state != CM_LINK_READY || link->filling < 0) {
            continue;
        }
        const struct cm_link_response *r = &link->responses[link->filling];
        for (uint32_t k = 0; k < r->count; k++) {
            const struct cm_lane_slot *slot = &lane->slots[r->asks[k].partition];
            const struct cm_fetch_known *known =
                cm_fetch_known(&f->table, lane, (uint32_t)r->asks[k].partition);
            if (slot->active && known->log_end >= 0 && has_more(known, slot)) {
                return true;
            }
        }
    }
    return false;
}

/* ---- its face */

struct cm_fetcher *cm_fetcher_create(const struct cm_fetch_terms *terms, bool check_crc)
{
    struct cm_fetcher *f = cm_alloc(1, sizeof *f);
    f->terms = terms;
    f->walk = cm_fetch_walk_create(terms, check_crc, &f->table, take_error, f);
    atomic_init(&f->wants_leaders, false);
    return f;
}

void cm_fetcher_destroy(struct cm_fetcher *f)
{
    if (f == NULL) {
        return;
    }
    for (uint32_t i = 0; i < f->links_count; i++) {
        cm_link_free(f->links[i]);
        free(f->links[i]);
    }
    cm_fetch_walk_destroy(f->walk);
    free(f->links);
    cm_fetch_table_free(&f->table);
    cm_leadership_free(&f->leadership);
    free(f);
}

void cm_fetcher_note(struct cm_fetcher *f, struct cm_lane *lane, int32_t partition,
                     int64_t newest_ms)
{
    if (partition >= 0 && (uint32_t)partition < lane->slots_count) {
        struct cm_fetch_known *known = cm_fetch_known(&f->table, lane, (uint32_t)partition);
        cm_fetch_pace_note(&known->pace, lane->slots[partition].next, newest_ms);
    }
}

uint32_t cm_fetcher_fetch(struct cm_fetcher *f, struct cm_lane *lane, struct cm_batch *batch)
{
    int64_t now_ns = cm_clock_mono_ns();
    if (lacks_leader(f, lane, now_ns)) {
        want_leaders(f);
    }
    step_links(f, lane, now_ns);
    (void)take_arrived(f, lane, now_ns);
    do {
        cm_fetch_walk_on(f->walk, lane, batch, now_ns);
    } while (batch->count + batch->ends_count == 0 && take_arrived(f, lane, now_ns));
    uint32_t got = batch->count + batch->ends_count;
    f->reach.was_dry = f->reach.was_dry || (got == 0 && runs_dry(f, lane));
    return got;
}
