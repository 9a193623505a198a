// SPDX-License-Identifier: Apache-2.0
#include "kafka/fetch_walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "kafka/inflate.h"
#include "kafka/record_batch.h"

#define HOPELESS_MS 10000 /* until a partition is asked for again that nothing will change soon */
#define OPEN_MOST   16u   /* parts that are walked in turns */
#define SLICE       128u  /* records of one of them in a turn */

/* A part that waits to be opened. */
struct waiting_part {
    struct cm_fetch_part part;
    uint32_t ask;
};

struct held {
    struct cm_link *link;
    int32_t response; /* of the link */
    struct cm_fetch_answer answer;
    struct waiting_part *waiting; /* in no order: one a partition */
    uint32_t waiting_count, waiting_cap;
    uint32_t open_count; /* parts of it that are open */
};

struct open_part {
    struct held *of; /* NULL: free */
    struct cm_fetch_part part;
    uint32_t generation;
    struct cm_record_walk walk;
    struct cm_inflate *inflate; /* its own, kept for the next part; NULL: never needed */
    struct cm_aborted *aborted;
    uint32_t aborted_cap;
};

struct cm_fetch_walk {
    const struct cm_fetch_terms *terms;
    bool check_crc;
    struct cm_fetch_table *table;
    cm_fetch_refused *refused;
    void *context;
    struct held **held; /* in the order of arrival; behind `count` those that can be used again */
    uint32_t held_count, held_made;
    struct open_part open[OPEN_MOST];
    uint32_t open_count, open_turn;
    uint64_t claim_turn;
    bool may_open; /* something has ended or arrived since nothing could be opened any more */
};

struct cm_fetch_walk *cm_fetch_walk_create(const struct cm_fetch_terms *terms, bool check_crc,
                                           struct cm_fetch_table *table, cm_fetch_refused *refused,
                                           void *context)
{
    struct cm_fetch_walk *w = cm_alloc(1, sizeof *w);
    w->terms = terms;
    w->check_crc = check_crc;
    w->table = table;
    w->refused = refused;
    w->context = context;
    return w;
}

void cm_fetch_walk_destroy(struct cm_fetch_walk *w)
{
    for (uint32_t i = 0; i < w->held_made; i++) {
        free(w->held[i]->waiting);
        free(w->held[i]);
    }
    for (uint32_t i = 0; i < OPEN_MOST; i++) {
        cm_inflate_destroy(w->open[i].inflate);
        free(w->open[i].aborted);
    }
    free(w->held);
    free(w);
}

struct cm_lane_slot *cm_fetch_asked_slot(struct cm_lane *lane, const struct cm_link_response *r,
                                         uint32_t ask)
{
    if (ask == r->count || (uint32_t)r->asks[ask].partition >= lane->slots_count) {
        return NULL;
    }
    struct cm_lane_slot *slot = &lane->slots[r->asks[ask].partition];
    return slot->active && slot->generation == r->generations[ask] ? slot : NULL;
}

/* ---- responses */

void cm_fetch_walk_hold(struct cm_fetch_walk *w, struct cm_link *link, int32_t response,
                        const struct cm_fetch_answer *answer)
{
    if (w->held_count == w->held_made) {
        w->held = cm_realloc(w->held, w->held_made + 1, sizeof(struct held *));
        w->held[w->held_made++] = cm_alloc(1, sizeof(struct held));
    }
    struct held *held = w->held[w->held_count++];
    held->link = link;
    held->response = response;
    held->answer = *answer;
    held->waiting_count = 0;
    held->open_count = 0;
    cm_link_hold(link, response, true);
    w->may_open = true;
}

void cm_fetch_walk_add(struct cm_fetch_walk *w, const struct cm_fetch_part *part, uint32_t ask)
{
    struct held *held = w->held[w->held_count - 1];
    if (held->waiting_count == held->waiting_cap) {
        held->waiting_cap = held->waiting_cap == 0 ? 16 : 2 * held->waiting_cap;
        held->waiting = cm_realloc(held->waiting, held->waiting_cap, sizeof *held->waiting);
    }
    held->waiting[held->waiting_count++] = (struct waiting_part){*part, ask};
}

/* Lets go of what has nothing left to walk. */
static void let_go(struct cm_fetch_walk *w)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->held_count; i++) {
        struct held *held = w->held[i];
        if (held->waiting_count + held->open_count == 0) {
            cm_link_hold(held->link, held->response, false);
            continue;
        }
        w->held[i] = w->held[kept];
        w->held[kept++] = held;
    }
    w->held_count = kept;
}

/* ---- parts */

static void begin_walk(struct cm_fetch_walk *w, struct open_part *open, struct held *held,
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
    cm_fetch_aborted(&held->answer, part, open->aborted);
    struct cm_record_set set = {
        .bytes = part->bytes,
        .len = part->len,
        .partition = part->partition,
        .from_offset = slot->next,
        .check_crc = w->check_crc,
        .read_committed = w->terms->read_committed,
        .aborted = open->aborted,
        .aborted_count = part->aborted_count,
    };
    cm_record_walk_begin(&open->walk, &set, open->inflate);
    open->generation = slot->generation;
    open->of = held;
    held->open_count++;
    w->open_count++;
}

/* Opens the part when it is what its slot waits for. */
static void begin_part(struct cm_fetch_walk *w, struct cm_lane *lane, struct open_part *open,
                       struct held *held, uint32_t at, int64_t now_ns)
{
    const struct cm_link_response *r = &held->link->responses[held->response];
    uint32_t ask = held->waiting[at].ask;
    open->part = held->waiting[at].part;
    held->waiting[at] = held->waiting[--held->waiting_count];
    struct cm_lane_slot *slot = cm_fetch_asked_slot(lane, r, ask);
    if (slot == NULL || slot->next != r->asks[ask].offset) {
        if (slot != NULL) { /* what was planned has not come true: ask again */
            cm_fetch_known(w->table, lane, (uint32_t)open->part.partition)->planned = -1;
        }
        return;
    }
    if (open->part.high >= 0) {
        slot->high = open->part.high;
    }
    if (open->part.error != 0 || open->part.diverging_to >= 0) {
        w->refused(w->context, lane, &open->part, held->link->broker.id, now_ns);
        return;
    }
    begin_walk(w, open, held, slot);
}

static void close_part(struct cm_fetch_walk *w, struct open_part *open)
{
    open->of->open_count--;
    open->of = NULL;
    w->open_count--;
    w->may_open = true;
}

/* The part has been walked to its end. */
static void end_part(struct cm_fetch_walk *w, struct cm_lane *lane, struct open_part *open,
                     struct cm_batch *batch)
{
    int32_t partition = open->part.partition;
    struct cm_lane_slot *slot = &lane->slots[partition];
    struct cm_fetch_known *known = cm_fetch_known(w->table, lane, (uint32_t)partition);
    int64_t next = cm_record_walk_offset(&open->walk);
    slot->next = next > slot->next ? next : slot->next;
    if (known->planned >= 0 && known->planned < slot->next) {
        known->planned = -1;
    }
    int64_t end = w->terms->read_committed ? open->part.stable : open->part.high;
    if (end >= 0 && slot->next >= end && known->end_told != slot->next) {
        known->end_told = slot->next;
        batch->ends[batch->ends_count++] = (struct cm_record_end){partition, slot->next};
    }
    close_part(w, open);
}

static void take_damage(struct cm_fetch_walk *w, struct cm_lane *lane, struct open_part *open,
                        int rc, int64_t now_ns)
{
    const struct cm_record_walk *walk = &open->walk;
    struct cm_fetch_known *known = cm_fetch_known(w->table, lane, (uint32_t)open->part.partition);
    if (rc == -CM_ERR_UNSUPPORTED) {
        cm_log(CM_LOG_ERROR, "kafka.unsupported",
               "partition=%d offset=%lld text=\"%s; set source.kafka.plane to librdkafka\"",
               (int)open->part.partition, (long long)walk->bad_offset, walk->why);
        known->planned = -1;
        known->retry_ns = now_ns + HOPELESS_MS * CM_NS_PER_MS;
        close_part(w, open);
        return;
    }
    cm_fetch_pace_doubt(&known->pace);
    cm_log(CM_LOG_ERROR, "kafka.corrupt", "partition=%d offset=%lld records=%u text=\"%s\"",
           (int)open->part.partition, (long long)walk->bad_offset, walk->bad_records, walk->why);
}

/* Goes on with an open part. */
static void walk_part(struct cm_fetch_walk *w, struct cm_lane *lane, struct open_part *open,
                      struct cm_batch *batch, int64_t now_ns)
{
    struct cm_lane_slot *slot = &lane->slots[open->part.partition];
    if (!slot->active || slot->generation != open->generation) { /* set anew: not wanted */
        close_part(w, open);
        return;
    }
    int n = cm_record_walk_next(&open->walk, batch->at, SLICE);
    if (n > 0) {
        batch->count = (uint32_t)n;
        slot->next = batch->at[n - 1].offset + 1;
    } else if (n < 0) {
        take_damage(w, lane, open, n, now_ns);
    } else {
        end_part(w, lane, open, batch);
    }
}

/* ---- in which order */

static int64_t newest_ms(struct cm_fetch_walk *w, const struct cm_lane *lane, int32_t partition)
{
    return cm_fetch_known(w->table, lane, (uint32_t)partition)->pace.newest_ms;
}

/* Says that what is later of the partition has to wait; false: something earlier said so. */
static bool claim(struct cm_fetch_walk *w, const struct cm_lane *lane, int32_t partition)
{
    struct cm_fetch_known *known = cm_fetch_known(w->table, lane, (uint32_t)partition);
    bool first = known->claimed_turn != w->claim_turn;
    known->claimed_turn = w->claim_turn;
    return first;
}

/* The waiting part whose partition is furthest behind, of those that nothing stands before. */
static struct held *next_waiting(struct cm_fetch_walk *w, const struct cm_lane *lane, uint32_t *at)
{
    struct held *best = NULL;
    int64_t best_ms = 0;
    w->claim_turn++;
    for (uint32_t i = 0; i < OPEN_MOST; i++) {
        if (w->open[i].of != NULL) {
            (void)claim(w, lane, w->open[i].part.partition);
        }
    }
    for (uint32_t i = 0; i < w->held_count; i++) {
        for (uint32_t k = 0; k < w->held[i]->waiting_count; k++) {
            int32_t partition = w->held[i]->waiting[k].part.partition;
            if (!claim(w, lane, partition)) {
                continue;
            }
            int64_t ms = newest_ms(w, lane, partition);
            if (best == NULL || ms < best_ms) {
                best = w->held[i];
                best_ms = ms;
                *at = k;
            }
        }
    }
    return best;
}

/* Opens what there is room for. */
static void open_parts(struct cm_fetch_walk *w, struct cm_lane *lane, int64_t now_ns)
{
    uint32_t at = 0;
    if (!w->may_open) {
        return;
    }
    for (uint32_t i = 0; i < OPEN_MOST; i++) {
        while (w->open[i].of == NULL) {
            struct held *held = next_waiting(w, lane, &at);
            if (held == NULL) {
                w->may_open = false;
                let_go(w);
                return;
            }
            begin_part(w, lane, &w->open[i], held, at, now_ns);
        }
    }
    w->may_open = false;
    let_go(w);
}

/* The open part whose partition is furthest behind in event time; of several, by turns. */
static struct open_part *next_open(struct cm_fetch_walk *w, const struct cm_lane *lane)
{
    struct open_part *best = NULL;
    int64_t best_ms = 0;
    w->open_turn++;
    for (uint32_t i = 0; i < OPEN_MOST; i++) {
        struct open_part *open = &w->open[(i + w->open_turn) % OPEN_MOST];
        if (open->of == NULL) {
            continue;
        }
        int64_t ms = newest_ms(w, lane, open->part.partition);
        if (best == NULL || ms < best_ms) {
            best = open;
            best_ms = ms;
        }
    }
    CM_ASSERT(best != NULL);
    return best;
}

void cm_fetch_walk_on(struct cm_fetch_walk *w, struct cm_lane *lane, struct cm_batch *batch,
                      int64_t now_ns)
{
    while (batch->count + batch->ends_count == 0) {
        open_parts(w, lane, now_ns);
        if (w->open_count == 0) {
            return;
        }
        walk_part(w, lane, next_open(w, lane), batch, now_ns);
    }
}
