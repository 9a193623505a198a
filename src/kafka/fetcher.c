// SPDX-License-Identifier: Apache-2.0
#include "kafka/fetcher.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "kafka/fetch_link.h"
#include "kafka/inflate.h"
#include "kafka/lane.h"
#include "kafka/leadership.h"
#include "kafka/record_batch.h"

#define LENGTH_BYTES 4u
#define PATIENCE_MS  30000 /* for an answer, beyond what the broker may wait */
#define RETRY_MS     100   /* a partition whose broker refuses it */
#define HOPELESS_MS  10000 /* one that nothing will change soon */
#define OPEN_MOST    16u   /* parts of a response that are walked in turns */
#define LEAD_MS      60000 /* of event time: a partition so far ahead is left alone for a while */
#define SLICE        128u  /* records of one of them in a turn */

/* What the fetcher knows of a partition beside its slot. */
struct part {
    uint32_t generation; /* of the slot that the rest belongs to */
    int64_t planned;     /* to ask from next, once what is there has been walked; -1: the slot's */
    int64_t epoch_at;    /* the leader's epoch of the record before that offset is last_epoch */
    int32_t last_epoch;
    int64_t end_told; /* the end that was handed over last; -1: none */
    int64_t retry_ns;
    int64_t newest_ms; /* event time, as the worker tells; INT64_MIN: not known */
};

/* A part of the response that is being walked. Several are, in turns: a partition that is read to
 * the end of its response before the next one would run ahead of the others in event time. */
struct open_part {
    bool is_open;
    struct cm_fetch_part part;
    uint32_t generation;
    struct cm_record_walk walk;
    struct cm_inflate *inflate; /* its own, kept for the next part; NULL: never needed */
    struct cm_aborted *aborted;
    uint32_t aborted_cap;
};

struct cm_fetcher {
    const struct cm_fetch_terms *terms;
    bool check_crc;
    struct cm_ring *ring;
    struct cm_link **links; /* never moved: completions point into them */
    uint32_t links_count;
    struct part *parts;
    uint32_t parts_count;
    struct cm_leadership leadership;
    uint32_t turn; /* which partition comes first in the next request */
    atomic_bool wants_leaders;

    /* What is being walked. */
    struct cm_link *walked; /* NULL: nothing */
    int32_t response;       /* of the link */
    struct cm_fetch_answer answer;
    bool all_open; /* nothing is left in the answer but what is open */
    uint32_t ask;  /* where the search for the next part's ask begins */
    struct open_part open[OPEN_MOST];
    uint32_t open_count, open_turn;
};

struct cm_fetcher *cm_fetcher_create(const struct cm_fetch_terms *terms, bool check_crc)
{
    struct cm_fetcher *f = cm_alloc(1, sizeof *f);
    f->terms = terms;
    f->check_crc = check_crc;
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
    for (uint32_t i = 0; i < OPEN_MOST; i++) {
        cm_inflate_destroy(f->open[i].inflate);
        free(f->open[i].aborted);
    }
    free(f->links);
    free(f->parts);
    cm_leadership_free(&f->leadership);
    free(f);
}

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

/* The part as it stands for the slot of today. */
static struct part *part_of(struct cm_fetcher *f, const struct cm_lane *lane, uint32_t partition)
{
    if (partition >= f->parts_count) {
        uint32_t count = partition + 16;
        f->parts = cm_realloc(f->parts, count, sizeof *f->parts);
        memset(&f->parts[f->parts_count], 0, (count - f->parts_count) * sizeof *f->parts);
        f->parts_count = count;
    }
    struct part *part = &f->parts[partition];
    if (part->generation != lane->slots[partition].generation) {
        *part = (struct part){.generation = lane->slots[partition].generation,
                              .planned = -1,
                              .epoch_at = -1,
                              .end_told = -1,
                              .newest_ms = INT64_MIN};
    }
    return part;
}

/* Whether a request would ask for that partition now. */
static bool is_due(struct cm_fetcher *f, const struct cm_lane *lane, uint32_t partition,
                   int32_t broker, int64_t now_ns)
{
    const struct cm_lane_slot *slot = &lane->slots[partition];
    return slot->active && slot->next >= 0 &&
           cm_leadership_broker(&f->leadership, partition, now_ns) == broker &&
           part_of(f, lane, partition)->retry_ns <= now_ns;
}

/* Event time of the partition of this broker that is furthest behind, of those that have more. */
static int64_t slowest_ms(struct cm_fetcher *f, const struct cm_lane *lane, int32_t broker,
                          int64_t now_ns)
{
    int64_t least_ms = INT64_MAX;
    for (uint32_t i = 0; i < lane->slots_count; i++) {
        if (is_due(f, lane, i, broker, now_ns)) {
            const struct part *part = part_of(f, lane, i);
            bool at_end = part->end_told == lane->slots[i].next;
            least_ms = !at_end && part->newest_ms < least_ms ? part->newest_ms : least_ms;
        }
    }
    return least_ms;
}

static void add_ask(struct cm_fetcher *f, const struct cm_lane *lane, struct cm_link_response *r,
                    uint32_t partition)
{
    const struct part *part = part_of(f, lane, partition);
    int64_t offset = part->planned >= 0 ? part->planned : lane->slots[partition].next;
    struct cm_fetch_ask ask = {
        .partition = (int32_t)partition,
        .offset = offset,
        .epoch = cm_leadership_epoch(&f->leadership, partition),
        .last_epoch = part->epoch_at == offset ? part->last_epoch : -1,
    };
    cm_link_add_ask(r, &ask, part->generation);
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
    struct cm_link_response *r = cm_link_begin(link, link->held == 0 ? 1 : 0);
    int64_t least_ms = slowest_ms(f, lane, link->broker.id, now_ns);
    int64_t most_ms = least_ms < INT64_MAX - LEAD_MS ? least_ms + LEAD_MS : INT64_MAX;
    f->turn++;
    for (uint32_t i = 0; i < lane->slots_count; i++) {
        uint32_t partition = (i + f->turn) % lane->slots_count;
        if (is_due(f, lane, partition, link->broker.id, now_ns)) {
            const struct part *part = part_of(f, lane, partition);
            if (part->newest_ms > most_ms) {
                continue; /* the others catch up first */
            }
            add_ask(f, lane, r, partition);
        }
    }
    struct cm_fetch_terms terms = *f->terms;
    terms.rack = now_ns < f->leadership.rackless_until_ns ? "" : terms.rack;
    cm_fetch_write(&link->out, r->version, r->correlation, &terms, r->asks, r->count);
    cm_link_send(link, now_ns, f->terms->wait_ms + PATIENCE_MS);
}

/* ---- what has arrived */

/* The slot that a part was asked for; NULL when it has been set anew since, or nobody asked. */
static struct cm_lane_slot *asked_slot(struct cm_lane *lane, const struct cm_link_response *r,
                                       uint32_t ask)
{
    if (ask == r->count || (uint32_t)r->asks[ask].partition >= lane->slots_count) {
        return NULL;
    }
    struct cm_lane_slot *slot = &lane->slots[r->asks[ask].partition];
    return slot->active && slot->generation == r->generations[ask] ? slot : NULL;
}

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
 * somebody has looked at it. */
static void plan(struct cm_fetcher *f, struct cm_lane *lane, const struct cm_link_response *r,
                 int64_t now_ns)
{
    struct cm_fetch_answer answer = f->answer;
    struct cm_fetch_part part;
    uint32_t ask = 0;
    while (cm_fetch_next(&answer, &part) == 1) {
        ask = cm_link_find_ask(r, part.partition, ask);
        if (asked_slot(lane, r, ask) != NULL) {
            struct part *known = part_of(f, lane, (uint32_t)part.partition);
            int32_t epoch = r->asks[ask].last_epoch;
            known->planned = known->epoch_at = cm_fetch_end(&part, r->asks[ask].offset, &epoch);
            known->last_epoch = epoch;
            bool fine = part.error == 0 && part.diverging_to < 0 && follow(f, &part, now_ns);
            if (!fine) { /* one that is left alone for longer stays so */
                int64_t again_ns = now_ns + RETRY_MS * CM_NS_PER_MS;
                known->retry_ns = known->retry_ns > again_ns ? known->retry_ns : again_ns;
            }
        }
    }
}

/* Takes up the response that a link has. */
static bool take_response(struct cm_fetcher *f, struct cm_lane *lane, struct cm_link *link,
                          int64_t now_ns)
{
    struct cm_link_response *r = &link->responses[link->arrived];
    f->response = link->arrived;
    link->arrived = -1;
    if (r->metadata) {
        if (cm_leadership_take_epochs(&f->leadership, link, r) > 0) {
            want_leaders(f);
        }
        ask_next(f, lane, link, now_ns);
        return false;
    }
    if (cm_fetch_begin(&f->answer, r->version, r->correlation, r->bytes + LENGTH_BYTES,
                       r->have - LENGTH_BYTES) != 0) {
        cm_link_break(link, cm_fail_text());
        return false;
    }
    if (f->answer.throttle_ms > 0) {
        cm_log(CM_LOG_DEBUG, "kafka.throttled", "broker=%s ms=%d", link->broker.name,
               (int)f->answer.throttle_ms);
        link->mute_ns = now_ns + f->answer.throttle_ms * CM_NS_PER_MS;
    }
    if (f->answer.error != 0) {
        cm_log(CM_LOG_WARN, "kafka.fetch", "broker=%s error=%d", link->broker.name,
               f->answer.error);
        link->mute_ns = now_ns + RETRY_MS * CM_NS_PER_MS;
        return false;
    }
    f->walked = link;
    link->held = f->response;
    f->all_open = false;
    f->ask = 0;
    plan(f, lane, r, now_ns);
    return true;
}

/* A partition that its broker did not serve. */
static void take_error(struct cm_fetcher *f, struct cm_lane *lane, const struct cm_fetch_part *at,
                       int64_t now_ns)
{
    struct cm_lane_slot *slot = &lane->slots[at->partition];
    struct part *part = part_of(f, lane, (uint32_t)at->partition);
    uint32_t partition = (uint32_t)at->partition;
    part->planned = -1;
    if (cm_leadership_return(&f->leadership, partition, f->walked->broker.id, now_ns)) {
        part->retry_ns = 0; /* what a replica says is not the last word */
        return;
    }
    if (at->error == CM_KAFKA_OFFSET_OUT_OF_RANGE && part->last_epoch >= 0) {
        part->last_epoch = -1; /* it may be the epoch that the broker does not know */
        part->retry_ns = 0;
        return;
    }
    if (at->error == CM_KAFKA_OFFSET_OUT_OF_RANGE || at->diverging_to >= 0) {
        slot->oddity = CM_LANE_STRAY;
        slot->odd_expected = slot->odd_seen = cm_leadership_cut(at, slot->next);
        atomic_store_explicit(&lane->odd, true,
                              memory_order_release); /* pairs with take_oddities() */
        part->retry_ns = now_ns + RETRY_MS * CM_NS_PER_MS;
        return;
    }
    cm_leadership_doubt(&f->leadership, partition, at->error);
    bool hopeless = at->error == CM_KAFKA_TOPIC_AUTHORIZATION_FAILED;
    cm_log(hopeless ? CM_LOG_ERROR : CM_LOG_INFO, "kafka.partition", "partition=%d error=%d",
           (int)at->partition, at->error);
    part->retry_ns = now_ns + (hopeless ? HOPELESS_MS : RETRY_MS) * CM_NS_PER_MS;
    want_leaders(f);
}

static void begin_walk(struct cm_fetcher *f, struct open_part *open,
                       const struct cm_lane_slot *slot)
{
    const struct cm_fetch_part *part = &open->part;
    if (open->inflate == NULL) {
        open->inflate = cm_inflate_create(CM_INFLATE_MOST_BYTES);
    }
    if (part->aborted_count > open->aborted_cap) {
        open->aborted_cap = 2 * part->aborted_count;
        open->aborted = cm_realloc(open->aborted, open->aborted_cap, sizeof *open->aborted);
    }
    cm_fetch_aborted(&f->answer, part, open->aborted);
    struct cm_record_set set = {
        .bytes = part->bytes,
        .len = part->len,
        .partition = part->partition,
        .from_offset = slot->next,
        .check_crc = f->check_crc,
        .read_committed = f->terms->read_committed,
        .aborted = open->aborted,
        .aborted_count = part->aborted_count,
    };
    cm_record_walk_begin(&open->walk, &set, open->inflate);
    open->generation = slot->generation;
    open->is_open = true;
    f->open_count++;
}

/* Opens the part when it is what its slot waits for. */
static void begin_part(struct cm_fetcher *f, struct cm_lane *lane, struct open_part *open,
                       int64_t now_ns)
{
    const struct cm_link_response *r = &f->walked->responses[f->response];
    f->ask = cm_link_find_ask(r, open->part.partition, f->ask);
    struct cm_lane_slot *slot = asked_slot(lane, r, f->ask);
    if (slot == NULL || slot->next != r->asks[f->ask].offset) {
        if (slot != NULL) { /* what was planned has not come true: ask again */
            part_of(f, lane, (uint32_t)open->part.partition)->planned = -1;
        }
        return;
    }
    if (open->part.high >= 0) {
        slot->high = open->part.high;
    }
    if (open->part.error != 0 || open->part.diverging_to >= 0) {
        take_error(f, lane, &open->part, now_ns);
        return;
    }
    begin_walk(f, open, slot);
}

static void close_part(struct cm_fetcher *f, struct open_part *open)
{
    open->is_open = false;
    f->open_count--;
}

/* The part has been walked to its end. */
static void end_part(struct cm_fetcher *f, struct cm_lane *lane, struct open_part *open,
                     struct cm_batch *batch)
{
    int32_t partition = open->part.partition;
    struct cm_lane_slot *slot = &lane->slots[partition];
    struct part *part = part_of(f, lane, (uint32_t)partition);
    int64_t next = cm_record_walk_offset(&open->walk);
    slot->next = next > slot->next ? next : slot->next;
    if (part->planned >= 0 && part->planned < slot->next) {
        part->planned = -1;
    }
    int64_t end = f->terms->read_committed ? open->part.stable : open->part.high;
    if (end >= 0 && slot->next >= end && part->end_told != slot->next) {
        part->end_told = slot->next;
        batch->ends[batch->ends_count++] = (struct cm_record_end){partition, slot->next};
    }
    close_part(f, open);
}

static void take_damage(struct cm_fetcher *f, struct cm_lane *lane, struct open_part *open, int rc,
                        int64_t now_ns)
{
    const struct cm_record_walk *walk = &open->walk;
    struct part *part = part_of(f, lane, (uint32_t)open->part.partition);
    if (rc == -CM_ERR_UNSUPPORTED) {
        cm_log(CM_LOG_ERROR, "kafka.unsupported",
               "partition=%d offset=%lld text=\"%s; set source.kafka.plane to librdkafka\"",
               (int)open->part.partition, (long long)walk->bad_offset, walk->why);
        part->planned = -1;
        part->retry_ns = now_ns + HOPELESS_MS * CM_NS_PER_MS;
        close_part(f, open);
        return;
    }
    cm_log(CM_LOG_ERROR, "kafka.corrupt", "partition=%d offset=%lld records=%u text=\"%s\"",
           (int)open->part.partition, (long long)walk->bad_offset, walk->bad_records, walk->why);
}

/* Goes on with an open part. */
static void walk_part(struct cm_fetcher *f, struct cm_lane *lane, struct open_part *open,
                      struct cm_batch *batch, int64_t now_ns)
{
    struct cm_lane_slot *slot = &lane->slots[open->part.partition];
    if (!slot->active || slot->generation != open->generation) { /* set anew: not wanted */
        close_part(f, open);
        return;
    }
    int n = cm_record_walk_next(&open->walk, batch->at, SLICE);
    if (n > 0) {
        batch->count = (uint32_t)n;
        slot->next = batch->at[n - 1].offset + 1;
    } else if (n < 0) {
        take_damage(f, lane, open, n, now_ns);
    } else {
        end_part(f, lane, open, batch);
    }
}

/* Opens what there is room for. */
static void open_parts(struct cm_fetcher *f, struct cm_lane *lane, int64_t now_ns)
{
    for (uint32_t i = 0; i < OPEN_MOST && !f->all_open; i++) {
        while (!f->open[i].is_open && !f->all_open) {
            int rc = cm_fetch_next(&f->answer, &f->open[i].part);
            if (rc < 0) {
                cm_link_break(f->walked, cm_fail_text());
            }
            f->all_open = rc <= 0;
            if (rc > 0) {
                begin_part(f, lane, &f->open[i], now_ns);
            }
        }
    }
}

/* The open part whose partition is furthest behind in event time; of several, by turns. */
static struct open_part *next_open(struct cm_fetcher *f, const struct cm_lane *lane)
{
    struct open_part *best = NULL;
    int64_t best_ms = 0;
    f->open_turn++;
    for (uint32_t i = 0; i < OPEN_MOST; i++) {
        struct open_part *open = &f->open[(i + f->open_turn) % OPEN_MOST];
        if (!open->is_open) {
            continue;
        }
        int64_t newest_ms = part_of(f, lane, (uint32_t)open->part.partition)->newest_ms;
        if (best == NULL || newest_ms < best_ms) {
            best = open;
            best_ms = newest_ms;
        }
    }
    CM_ASSERT(best != NULL);
    return best;
}

/* Walks the response at hand until there is something to hand over, or nothing left of it. */
static void walk_response(struct cm_fetcher *f, struct cm_lane *lane, struct cm_batch *batch,
                          int64_t now_ns)
{
    while (batch->count + batch->ends_count == 0) {
        open_parts(f, lane, now_ns);
        if (f->open_count == 0) {
            f->walked->held = -1;
            f->walked = NULL;
            return;
        }
        walk_part(f, lane, next_open(f, lane), batch, now_ns);
    }
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

void cm_fetcher_note(struct cm_fetcher *f, struct cm_lane *lane, int32_t partition,
                     int64_t newest_ms)
{
    if (partition >= 0 && (uint32_t)partition < lane->slots_count) {
        part_of(f, lane, (uint32_t)partition)->newest_ms = newest_ms;
    }
}

uint32_t cm_fetcher_fetch(struct cm_fetcher *f, struct cm_lane *lane, struct cm_batch *batch)
{
    int64_t now_ns = cm_clock_mono_ns();
    if (lacks_leader(f, lane, now_ns)) {
        want_leaders(f);
    }
    step_links(f, lane, now_ns);
    for (uint32_t tries = 0; tries <= f->links_count; tries++) {
        if (f->walked != NULL) {
            walk_response(f, lane, batch, now_ns);
        }
        if (batch->count + batch->ends_count > 0) {
            break;
        }
        for (uint32_t i = 0; i < f->links_count && f->walked == NULL; i++) {
            struct cm_link *link = f->links[(i + f->turn) % f->links_count];
            if (link->state == CM_LINK_READY && link->arrived >= 0 &&
                take_response(f, lane, link, now_ns)) {
                cm_link_step(link, now_ns, true); /* made anew, when it is time for that */
                ask_next(f, lane, link, now_ns);  /* on its way before a record is looked at */
            }
        }
    }
    return batch->count + batch->ends_count;
}
