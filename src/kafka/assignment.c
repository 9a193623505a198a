// SPDX-License-Identifier: Apache-2.0
/* assignment.c — see assignment.h.
 *
 * A start inside on_assign goes into the assignment itself. Any other one is a seek: the lane is
 * locked, the seek is done and answered, the slot set, the lane unlocked. A partition that is owned
 * and not wanted yet is assigned at its end, into a lane that drops it: with the eager protocols an
 * assignment is changed as a whole only, which would throw away what the other partitions have
 * prefetched; and pausing has races in the librdkafka of our platform (2.0). What fails for want of
 * a broker is tried again by cm_assignment_service().
 */
#include "kafka/assignment.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"

#define POSITIONS_FIRST_MS 5000 /* inside a rebalance, which waits for it */
#define QUERY_MS           1000
#define RETRY_MS           250
#define SEEK_RETRY_MS      20
#define ODD_EVERY_MS       10000
#define UNASSIGN_MS        500

static struct cm_held_partition *owned_partition(struct cm_assignment *held, int32_t number)
{
    if (number < 0 || (uint32_t)number >= held->partitions_count ||
        !held->partitions[number].owned) {
        return NULL;
    }
    return &held->partitions[number];
}

static void make_room(struct cm_assignment *held, int32_t number)
{
    uint32_t count = (uint32_t)number + 1;

    if (count > held->partitions_count) {
        held->partitions = cm_realloc(held->partitions, count, sizeof *held->partitions);
        memset(held->partitions + held->partitions_count, 0,
               (count - held->partitions_count) * sizeof *held->partitions);
        held->partitions_count = count;
    }
}

/* ---- starting */

static void forward(struct cm_assignment *held, int32_t number, uint32_t worker)
{
    if (held->native) {
        return;
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_get_partition(held->rk, held->topic, number);

    CM_ASSERT(queue != NULL);
    rd_kafka_queue_forward(queue, held->lanes[worker].queue);
    rd_kafka_queue_destroy(queue);
}

static void stop_lane(struct cm_assignment *held, int32_t number)
{
    struct cm_lane *lane = &held->lanes[held->partitions[number].worker];

    cm_lane_lock(lane);
    cm_lane_stop(lane, number);
    cm_lane_unlock(lane);
    held->partitions[number].running = false;
}

/* Finds the offset of partitions that are wanted from the configured start. One request for all of
 * them. */
static void resolve(struct cm_assignment *held, int timeout_ms)
{
    rd_kafka_topic_partition_list_t *rows = rd_kafka_topic_partition_list_new(8);

    for (uint32_t i = 0; i < held->partitions_count; i++) {
        struct cm_held_partition *p = &held->partitions[i];
        if (p->owned && p->wanted && !p->known && p->retry_ns <= cm_clock_mono_ns()) {
            (void)rd_kafka_topic_partition_list_add(rows, held->topic, (int32_t)i);
        }
    }
    bool known =
        cm_start_point_resolve(&held->start, held->rk, cm_clock_wall_ms(), rows, timeout_ms);
    for (int i = 0; i < rows->cnt; i++) {
        struct cm_held_partition *p = &held->partitions[rows->elems[i].partition];
        if (known) {
            p->known = true;
            p->offset = rows->elems[i].offset;
        } else {
            p->retry_ns = cm_clock_mono_ns() + RETRY_MS * CM_NS_PER_MS;
        }
    }
    rd_kafka_topic_partition_list_destroy(rows);
}

/* What the slot waits for. */
static int64_t first_offset(const struct cm_held_partition *p)
{
    return p->offset >= 0 ? p->offset : -1;
}

/* The own data plane wants a number: where the log begins, or ends. */
static bool make_number(struct cm_assignment *held, int32_t number)
{
    struct cm_held_partition *p = &held->partitions[number];
    int64_t low = 0;
    int64_t high = 0;

    if (p->offset >= 0) {
        return true;
    }
    if (rd_kafka_query_watermark_offsets(held->rk, held->topic, number, &low, &high, QUERY_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        return false;
    }
    p->offset = p->offset == RD_KAFKA_OFFSET_END ? high : low;
    return true;
}

static void start_native(struct cm_assignment *held, int32_t number)
{
    struct cm_held_partition *p = &held->partitions[number];
    struct cm_lane *lane = &held->lanes[p->worker];

    if (!make_number(held, number)) {
        p->retry_ns = cm_clock_mono_ns() + RETRY_MS * CM_NS_PER_MS;
        return;
    }
    cm_lane_lock(lane);
    cm_lane_begin(lane, number, p->offset);
    cm_lane_unlock(lane);
    p->running = true;
}

/* Seeks an assigned partition to its wanted offset; tried again later when librdkafka is not ready
 * for it. */
static void seek(struct cm_assignment *held, int32_t number)
{
    struct cm_held_partition *p = &held->partitions[number];
    struct cm_lane *lane = &held->lanes[p->worker];
    rd_kafka_topic_partition_list_t *rows = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *row = rd_kafka_topic_partition_list_add(rows, held->topic, number);

    row->offset = p->offset;
    cm_lane_lock(lane);
    forward(held, number, p->worker);
    rd_kafka_error_t *error = rd_kafka_seek_partitions(held->rk, rows, QUERY_MS);
    if (error == NULL && row->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        cm_lane_begin(lane, number, first_offset(p));
        p->running = true;
    } else {
        cm_lane_stop(lane, number);
        p->running = false;
        p->retry_ns = cm_clock_mono_ns() + SEEK_RETRY_MS * CM_NS_PER_MS;
        cm_log(CM_LOG_DEBUG, "kafka.seek_again", "partition=%d error=%s", (int)number,
               error == NULL ? rd_kafka_err2name(row->err) : rd_kafka_error_name(error));
    }
    cm_lane_unlock(lane);
    rd_kafka_error_destroy(error);
    rd_kafka_topic_partition_list_destroy(rows);
}

/* Starts what is wanted, known and does not run. */
static void start_wanted(struct cm_assignment *held)
{
    resolve(held, QUERY_MS);
    for (uint32_t i = 0; i < held->partitions_count; i++) {
        struct cm_held_partition *p = &held->partitions[i];
        if (p->owned && p->wanted && p->known && !p->running && p->retry_ns <= cm_clock_mono_ns()) {
            if (held->native) {
                start_native(held, (int32_t)i);
            } else {
                seek(held, (int32_t)i);
            }
        }
    }
}

void cm_assignment_start(struct cm_assignment *held, int32_t partition, int64_t offset,
                         uint32_t worker)
{
    CM_ASSERT(worker < held->lanes_count);
    CM_ASSERT(offset == CM_OFFSET_NONE || offset >= 0);
    struct cm_held_partition *p = owned_partition(held, partition);
    if (p == NULL || held->closing) { /* taken away while the engine made up its mind */
        cm_log(CM_LOG_DEBUG, "kafka.start_ignored", "partition=%d", (int)partition);
        return;
    }
    stop_lane(held, partition);
    p->wanted = true;
    p->known = offset != CM_OFFSET_NONE;
    p->offset = offset;
    p->worker = worker;
    p->retry_ns = 0;
    p->oddity = CM_LANE_EVEN;
    if (!held->rebalancing) {
        start_wanted(held);
    }
}

/* ---- the group */

static void tell(struct cm_assignment *held, const rd_kafka_topic_partition_list_t *rows)
{
    struct cm_position *positions = cm_alloc((size_t)rows->cnt, sizeof *positions);

    for (int i = 0; i < rows->cnt; i++) {
        const rd_kafka_topic_partition_t *row = &rows->elems[i];
        positions[i].partition = row->partition;
        positions[i].offset = row->offset >= 0 ? row->offset : CM_OFFSET_NONE;
        /* Longer than ours ever is: somebody else's, and half of it would mean nothing. */
        if (row->metadata_size < sizeof positions[i].metadata && row->metadata != NULL) {
            memcpy(positions[i].metadata, row->metadata, row->metadata_size);
        }
        held->partitions[row->partition].told = true;
    }
    held->begun = true;
    held->callbacks.on_assign(held->callbacks.context, positions, (uint32_t)rows->cnt);
    free(positions);
}

/* Asks for the committed positions of what is owned and not told, and tells. false: ask again
 * later. */
static bool ask_and_tell(struct cm_assignment *held, int timeout_ms)
{
    rd_kafka_topic_partition_list_t *rows = rd_kafka_topic_partition_list_new(8);

    for (uint32_t i = 0; i < held->partitions_count; i++) {
        if (held->partitions[i].owned && !held->partitions[i].told) {
            (void)rd_kafka_topic_partition_list_add(rows, held->topic, (int32_t)i);
        }
    }
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (rows->cnt > 0) {
        error = rd_kafka_committed(held->rk, rows, timeout_ms);
    }
    for (int i = 0; i < rows->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        error = rows->elems[i].err;
    }
    bool known = error == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!known) {
        cm_log(CM_LOG_WARN, "kafka.positions_unknown", "error=%s text=\"asking again\"",
               rd_kafka_err2name(error));
    } else if (rows->cnt > 0) {
        tell(held, rows);
    }
    rd_kafka_topic_partition_list_destroy(rows);
    return known;
}

static void ask_later(struct cm_assignment *held, bool known)
{
    held->positions_ns = known ? 0 : cm_clock_mono_ns() + RETRY_MS * CM_NS_PER_MS;
}

/* Partitions of the topic; 0: not known. */
static int topic_partitions(struct cm_assignment *held)
{
    const struct rd_kafka_metadata *metadata = NULL;
    int count = 0;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(held->rk, held->topic, NULL);
    if (handle != NULL &&
        rd_kafka_metadata(held->rk, 0, handle, &metadata, QUERY_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        count = metadata->topic_cnt == 1 ? metadata->topics[0].partition_cnt : 0;
        rd_kafka_metadata_destroy(metadata);
    }
    if (handle != NULL) {
        rd_kafka_topic_destroy(handle);
    }
    return count;
}

/* Whoever begins with a part of the topic's partitions waits for the rest as long as a member that
 * was killed may stay in the group: figures of a part are wrong, and what the others hold would
 * come late, behind what was read meanwhile. */
static bool awaits_the_rest(struct cm_assignment *held, int given)
{
    int64_t now_ns = cm_clock_mono_ns();
    if (held->begun || given == 0 || held->ghost_ms == 0) {
        return false;
    }
    int all = topic_partitions(held);
    if (given >= all) {
        return false;
    }
    held->whole_by_ns =
        held->whole_by_ns != 0 ? held->whole_by_ns : now_ns + held->ghost_ms * CM_NS_PER_MS;
    if (held->whole_by_ns <= now_ns) {
        return false;
    }
    cm_log(CM_LOG_WARN, "kafka.waits_for_the_rest",
           "topic=%s partitions=%d of=%d at_most_s=%lld text=\"another member of the group holds "
           "the others; one that was killed is dropped after session.timeout.ms\"",
           held->topic, given, all,
           (long long)((held->whole_by_ns - now_ns + CM_NS_PER_S - 1) / CM_NS_PER_S));
    return true;
}

/* The slots are set first: from the moment of the assignment on records may come. */
static void assign(struct cm_assignment *held, const rd_kafka_topic_partition_list_t *given)
{
    rd_kafka_topic_partition_list_t *rows = rd_kafka_topic_partition_list_new(given->cnt);

    for (int i = 0; i < given->cnt; i++) {
        int32_t number = given->elems[i].partition;
        struct cm_held_partition *p = &held->partitions[number];
        bool ready = p->wanted && p->known && (!held->native || p->offset >= 0);
        if (!held->native) {
            rd_kafka_topic_partition_list_add(rows, held->topic, number)->offset =
                ready ? p->offset : RD_KAFKA_OFFSET_END;
        }
        struct cm_lane *lane = &held->lanes[p->worker];
        cm_lane_lock(lane);
        forward(held, number, p->worker);
        if (ready) {
            cm_lane_begin(lane, number, first_offset(p));
        }
        cm_lane_unlock(lane);
        p->running = ready;
    }
    rd_kafka_resp_err_t error = rd_kafka_assign(held->rk, rows);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        cm_log(CM_LOG_ERROR, "kafka.assign", "error=%s", rd_kafka_err2name(error));
    }
    rd_kafka_topic_partition_list_destroy(rows);
}

static void take_over(struct cm_assignment *held, const rd_kafka_topic_partition_list_t *given)
{
    for (int i = 0; i < given->cnt; i++) {
        int32_t number = given->elems[i].partition;
        make_room(held, number);
        held->partitions[number] = (struct cm_held_partition){.owned = true};
    }
    cm_log(CM_LOG_INFO, "kafka.assigned", "topic=%s partitions=%d", held->topic, given->cnt);
    held->rebalancing = true;
    if (awaits_the_rest(held, given->cnt)) {
        held->positions_ns = held->whole_by_ns;
    } else {
        ask_later(held, ask_and_tell(held, POSITIONS_FIRST_MS));
    }
    resolve(held, POSITIONS_FIRST_MS);
    assign(held, given);
    held->rebalancing = false;
}

/* Stops delivery of all that is owned, then tells the engine, then forgets it. */
void cm_assignment_give_up(struct cm_assignment *held, bool lost)
{
    int32_t *numbers = cm_alloc((size_t)held->partitions_count + 1, sizeof *numbers);
    uint32_t count = 0;

    for (uint32_t i = 0; i < held->partitions_count; i++) {
        struct cm_held_partition *p = &held->partitions[i];
        if (p->owned) {
            stop_lane(held, (int32_t)i);
            p->wanted = false;
        }
        if (p->owned && p->told) {
            numbers[count++] = (int32_t)i;
        }
    }
    if (count > 0) {
        cm_log(lost ? CM_LOG_WARN : CM_LOG_INFO, "kafka.revoked", "topic=%s partitions=%u lost=%d",
               held->topic, count, lost);
    }
    held->lost = lost;
    held->rebalancing = true;
    if (count > 0) {
        held->callbacks.on_revoke(held->callbacks.context, numbers, count, lost);
    }
    held->rebalancing = false;
    held->lost = false;
    for (uint32_t i = 0; i < held->partitions_count; i++) {
        held->partitions[i] = (struct cm_held_partition){.owned = false};
    }
    held->positions_ns = 0;
    free(numbers);
}

static void *unassign(void *rk)
{
    (void)rd_kafka_assign(rk, NULL);
    return NULL;
}

/* When the group's end at that moment throws the request away, librdkafka (2.0.2) never answers it,
 * and the caller would wait for ever: so a thread of its own waits, and the closing goes on. */
static void unassign_while_closing(struct cm_assignment *held)
{
    if (held->unassigning && !cm_assignment_unassigned(held)) {
        return; /* thrown away: there is no group any more */
    }
    held->unassigning = pthread_create(&held->unassign_thread, NULL, unassign, held->rk) == 0;
}

bool cm_assignment_unassigned(struct cm_assignment *held)
{
    if (held->unassigning && cm_thread_join_within(held->unassign_thread, UNASSIGN_MS)) {
        held->unassigning = false;
    }
    return !held->unassigning;
}

void cm_assignment_rebalance(struct cm_assignment *held, rd_kafka_resp_err_t error,
                             rd_kafka_topic_partition_list_t *rows)
{
    if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && !held->closing) {
        take_over(held, rows);
        return;
    }
    if (error != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS &&
        error != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        cm_log(CM_LOG_ERROR, "kafka.rebalance", "error=%s", rd_kafka_err2name(error));
    }
    /* The protocols that we allow revoke everything at once. */
    if (held->closing) {
        unassign_while_closing(held);
        return;
    }
    cm_assignment_give_up(held, rd_kafka_assignment_lost(held->rk) != 0);
    (void)rd_kafka_assign(held->rk, NULL);
}

static bool has_moved(struct cm_assignment *held, int32_t number, int64_t from)
{
    struct cm_lane *lane = &held->lanes[held->partitions[number].worker];
    cm_lane_lock(lane);
    bool moved = (uint32_t)number < lane->slots_count && lane->slots[number].active &&
                 lane->slots[number].next > from;
    cm_lane_unlock(lane);
    return moved;
}

/* Where offsets jumped: says whether the log lost records, and goes on behind a log that was cut
 * short. */
static void look_at_odd(struct cm_assignment *held, int32_t number)
{
    struct cm_held_partition *p = &held->partitions[number];
    int64_t low = 0;
    int64_t high = 0;

    p->odd_checked_ns = cm_clock_mono_ns();
    if (rd_kafka_query_watermark_offsets(held->rk, held->topic, number, &low, &high, QUERY_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    enum cm_lane_oddity oddity = p->oddity;
    p->oddity = CM_LANE_EVEN;
    if (oddity == CM_LANE_GAP) {
        if (low > p->odd_expected) {
            cm_log(CM_LOG_WARN, "kafka.offset_out_of_range",
                   "partition=%d wanted=%lld from=%lld lost=%lld "
                   "text=\"the broker has deleted these records\"",
                   (int)number, (long long)p->odd_expected, (long long)p->odd_seen,
                   (long long)(p->odd_seen - p->odd_expected));
        }
        return;
    }
    if (p->odd_expected < low) { /* the own data plane is told so; librdkafka starts over */
        cm_log(CM_LOG_WARN, "kafka.offset_out_of_range",
               "partition=%d wanted=%lld from=%lld lost=%lld "
               "text=\"the broker has deleted these records\"",
               (int)number, (long long)p->odd_expected, (long long)low,
               (long long)(low - p->odd_expected));
        p->odd_expected = low;
    }
    if (p->odd_seen > p->odd_expected && has_moved(held, number, p->odd_expected)) {
        return; /* an end was doubted, and records have come after all */
    }
    bool cut = p->odd_expected > high;
    if (cut) {
        cm_log(CM_LOG_ERROR, "kafka.offset_out_of_range",
               "partition=%d wanted=%lld end=%lld text=\"the log is shorter than what was read of "
               "it: topic created anew, or records lost by the broker; going on at its end\"",
               (int)number, (long long)p->odd_expected, (long long)high);
    }
    stop_lane(held, number);
    p->known = true;
    p->offset = cut ? high : p->odd_expected;
    p->retry_ns = 0;
}

static void take_oddities(struct cm_assignment *held)
{
    for (uint32_t i = 0; i < held->lanes_count; i++) {
        struct cm_lane *lane = &held->lanes[i];
        if (!atomic_load_explicit(&lane->odd, memory_order_acquire)) { /* pairs with fits() */
            continue;
        }
        cm_lane_lock(lane);
        /* relaxed: under the lane's lock. */
        atomic_store_explicit(&lane->odd, false, memory_order_relaxed);
        for (uint32_t n = 0; n < lane->slots_count; n++) {
            struct cm_lane_slot *slot = &lane->slots[n];
            struct cm_held_partition *p = owned_partition(held, (int32_t)n);
            if (slot->active && p != NULL && slot->oddity > p->oddity) {
                p->oddity = slot->oddity;
                p->odd_expected = slot->odd_expected;
                p->odd_seen = slot->odd_seen;
            }
            slot->oddity = CM_LANE_EVEN;
        }
        cm_lane_unlock(lane);
    }
}

static void look_at_odds(struct cm_assignment *held)
{
    int64_t now_ns = cm_clock_mono_ns();

    take_oddities(held);
    for (uint32_t i = 0; i < held->partitions_count; i++) {
        struct cm_held_partition *p = &held->partitions[i];
        int64_t every_ms = p->oddity == CM_LANE_STRAY ? RETRY_MS : ODD_EVERY_MS;
        if (p->owned && p->oddity != CM_LANE_EVEN &&
            (p->odd_checked_ns == 0 || now_ns - p->odd_checked_ns >= every_ms * CM_NS_PER_MS)) {
            look_at_odd(held, (int32_t)i);
        }
    }
}

bool cm_assignment_pending(const struct cm_assignment *held)
{
    bool any = held->positions_ns != 0;

    for (uint32_t i = 0; i < held->partitions_count && !any; i++) {
        const struct cm_held_partition *p = &held->partitions[i];
        any = p->owned && ((p->wanted && !p->running) || p->oddity == CM_LANE_STRAY);
    }
    return any;
}

void cm_assignment_service(struct cm_assignment *held)
{
    if (held->positions_ns != 0 && held->positions_ns <= cm_clock_mono_ns()) {
        ask_later(held, ask_and_tell(held, QUERY_MS));
    }
    look_at_odds(held);
    if (cm_assignment_pending(held)) {
        start_wanted(held);
    }
}

bool cm_assignment_owns(const struct cm_assignment *held, int32_t partition)
{
    return partition >= 0 && (uint32_t)partition < held->partitions_count &&
           held->partitions[partition].owned;
}
