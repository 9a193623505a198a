// SPDX-License-Identifier: Apache-2.0
/* lane.c — see lane.h. Cost: librdkafka's own, and a look at the slot a record. */
#include "kafka/lane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "kafka/fetcher.h"

/* Pulls in one fetch that may give nothing (all dropped) before the worker is let go and woken
 * again. */
#define EMPTY_PULLS_MAX 16
/* How long after a start what librdkafka told of the time before it may still come. */
#define DOUBT_NS (10 * CM_NS_PER_S)

static const uint64_t one = 1;

static void wake(const struct cm_lane *lane)
{
    ssize_t written = 0;
    do {
        written = write(lane->fd, &one, sizeof one);
    } while (written < 0 && errno == EINTR);
    /* EAGAIN: the counter is full, so the descriptor is readable anyway. */
    CM_ASSERT(written == (ssize_t)sizeof one || errno == EAGAIN);
}

int cm_lane_open(struct cm_lane *lane, rd_kafka_t *rk)
{
    lane->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (lane->fd < 0) {
        return cm_fail(CM_ERR_IO, "event descriptor: %s", strerror(errno));
    }
    CM_ASSERT(pthread_mutex_init(&lane->lock, NULL) == 0);
    atomic_init(&lane->odd, false);
    lane->queue = rd_kafka_queue_new(rk);
    rd_kafka_queue_io_event_enable(lane->queue, lane->fd, &one, sizeof one);
    return 0;
}

void cm_lane_close(struct cm_lane *lane)
{
    if (lane->queue == NULL) {
        return;
    }
    for (; lane->pulled_at < lane->pulled_count; lane->pulled_at++) {
        if (lane->pulled[lane->pulled_at] != NULL) {
            rd_kafka_message_destroy(lane->pulled[lane->pulled_at]);
        }
    }
    rd_kafka_queue_io_event_enable(lane->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(lane->queue);
    lane->queue = NULL;
    cm_fetcher_destroy(lane->fetcher);
    lane->fetcher = NULL;
    CM_ASSERT(pthread_mutex_destroy(&lane->lock) == 0);
    (void)close(lane->fd);
    free(lane->slots);
    lane->slots = NULL;
}

void cm_lane_lock(struct cm_lane *lane)
{
    CM_ASSERT(pthread_mutex_lock(&lane->lock) == 0);
}

void cm_lane_unlock(struct cm_lane *lane)
{
    CM_ASSERT(pthread_mutex_unlock(&lane->lock) == 0);
    wake(lane);
}

/* What was pulled before a change belongs to the time before it. */
static void forget_pulled(struct cm_lane *lane, int32_t partition)
{
    for (uint32_t i = lane->pulled_at; i < lane->pulled_count; i++) {
        if (lane->pulled[i] != NULL && lane->pulled[i]->partition == partition) {
            rd_kafka_message_destroy(lane->pulled[i]);
            lane->pulled[i] = NULL;
        }
    }
}

void cm_lane_begin(struct cm_lane *lane, int32_t partition, int64_t next)
{
    CM_ASSERT(partition >= 0);
    uint32_t index = (uint32_t)partition;

    forget_pulled(lane, partition);
    if (index >= lane->slots_count) {
        uint32_t count = index + 16;
        lane->slots = cm_realloc(lane->slots, count, sizeof *lane->slots);
        memset(lane->slots + lane->slots_count, 0,
               (count - lane->slots_count) * sizeof *lane->slots);
        lane->slots_count = count;
    }
    const struct cm_lane_slot *before = &lane->slots[index];
    uint32_t generation = before->generation + 1;
    bool again = before->begun_ns != 0 && before->doubted == next + 1;
    lane->slots[index] =
        (struct cm_lane_slot){.active = true,
                              .next = next,
                              .begun_ns = again ? before->begun_ns : cm_clock_mono_ns(),
                              .doubted = before->doubted,
                              .generation = generation,
                              .high = -1};
}

void cm_lane_stop(struct cm_lane *lane, int32_t partition)
{
    CM_ASSERT(partition >= 0);
    forget_pulled(lane, partition);
    if ((uint32_t)partition < lane->slots_count) {
        uint32_t generation = lane->slots[partition].generation + 1;
        lane->slots[partition] = (struct cm_lane_slot){.active = false,
                                                       .begun_ns = lane->slots[partition].begun_ns,
                                                       .doubted = lane->slots[partition].doubted,
                                                       .generation = generation,
                                                       .high = -1};
    }
}

static struct cm_lane_slot *active_slot(struct cm_lane *lane, int32_t partition)
{
    if (partition < 0 || (uint32_t)partition >= lane->slots_count) {
        return NULL;
    }
    struct cm_lane_slot *slot = &lane->slots[partition];
    return slot->active ? slot : NULL;
}

/* Whether an offset (of a record, or of an end) fits the slot. */
static bool fits(struct cm_lane *lane, struct cm_lane_slot *slot, int64_t offset)
{
    if (CM_LIKELY(offset == slot->next) || slot->next < 0) {
        return true;
    }
    enum cm_lane_oddity oddity = offset < slot->next ? CM_LANE_STRAY : CM_LANE_GAP;
    if (oddity > slot->oddity) {
        slot->oddity = oddity;
        slot->odd_expected = slot->next;
        slot->odd_seen = offset;
        atomic_store_explicit(&lane->odd, true,
                              memory_order_release); /* pairs with take_oddities() */
    }
    return offset > slot->next;
}

/* Whether an end that lies behind what has come, soon after a start, may be that of where
 * librdkafka stood before: asked for once more from there, then believed (a log may end in what is
 * no record). */
static bool doubt(struct cm_lane *lane, struct cm_lane_slot *slot, int64_t end)
{
    if (slot->next < 0 || end <= slot->next || slot->doubted == slot->next + 1 ||
        cm_clock_mono_ns() - slot->begun_ns > DOUBT_NS) {
        return false;
    }
    slot->doubted = slot->next + 1;
    slot->oddity = CM_LANE_STRAY;
    slot->odd_expected = slot->next;
    slot->odd_seen = end;
    atomic_store_explicit(&lane->odd, true, memory_order_release); /* pairs with take_oddities() */
    return true;
}

static void map_record(struct cm_batch *batch, const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    int64_t stamp_ms = rd_kafka_message_timestamp(message, &type);

    batch->at[batch->count++] = (struct cm_record){
        .value = message->payload,
        .value_bytes = (uint32_t)message->len,
        .partition = message->partition,
        .offset = message->offset,
        .append_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : stamp_ms,
    };
}

/* Takes one pulled message; false: the batch has no room for it. */
static bool map(struct cm_lane *lane, struct cm_batch *batch, rd_kafka_message_t *message)
{
    struct cm_lane_slot *slot = active_slot(lane, message->partition);

    if (CM_UNLIKELY(message->err != RD_KAFKA_RESP_ERR_NO_ERROR)) {
        if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            cm_log(CM_LOG_ERROR, "kafka.partition", "partition=%d offset=%lld error=%s text=\"%s\"",
                   (int)message->partition, (long long)message->offset,
                   rd_kafka_err2name(message->err), rd_kafka_message_errstr(message));
        } else if (slot != NULL && !doubt(lane, slot, message->offset) &&
                   fits(lane, slot, message->offset)) {
            if (batch->ends_count == CM_ARRAY_LEN(batch->ends)) {
                return false;
            }
            batch->ends[batch->ends_count++] =
                (struct cm_record_end){message->partition, message->offset};
            slot->next = message->offset;
        }
        rd_kafka_message_destroy(message);
        return true;
    }
    if (CM_UNLIKELY(slot == NULL) || !fits(lane, slot, message->offset)) {
        rd_kafka_message_destroy(message);
        return true;
    }
    if (batch->count == CM_BATCH_RECORDS) {
        return false;
    }
    map_record(batch, message);
    slot->next = message->offset + 1;
    batch->owner[batch->owner_count++] = message;
    return true;
}

static bool pull(struct cm_lane *lane)
{
    ssize_t count = rd_kafka_consume_batch_queue(lane->queue, 0, lane->pulled, CM_BATCH_RECORDS);

    lane->pulled_at = 0;
    lane->pulled_count = count > 0 ? (uint32_t)count : 0;
    return count > 0;
}

uint32_t cm_lane_fetch(struct cm_lane *lane, struct cm_batch *batch)
{
    batch->count = 0;
    batch->ends_count = 0;
    batch->owner_count = 0;

    /* Taken: the coordinator changes something, and wakes us when it is done. */
    if (pthread_mutex_trylock(&lane->lock) != 0) {
        return 0;
    }
    if (lane->fetcher != NULL) {
        uint32_t got = cm_fetcher_fetch(lane->fetcher, lane, batch);
        CM_ASSERT(pthread_mutex_unlock(&lane->lock) == 0);
        return got;
    }
    uint32_t pulls = 0;
    bool room = true;
    while (room && batch->count + batch->ends_count == 0) {
        if (lane->pulled_at == lane->pulled_count) {
            if (pulls++ == EMPTY_PULLS_MAX) {
                wake(lane);
                break;
            }
            if (!pull(lane)) {
                break;
            }
        }
        while (room && lane->pulled_at < lane->pulled_count) {
            rd_kafka_message_t *message = lane->pulled[lane->pulled_at];
            room = message == NULL || map(lane, batch, message);
            lane->pulled_at += room ? 1 : 0;
        }
    }
    CM_ASSERT(pthread_mutex_unlock(&lane->lock) == 0);
    return batch->count + batch->ends_count;
}
