// SPDX-License-Identifier: Apache-2.0
#include "engine/worker.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "decode/decoder.h"
#include "engine/frame_fill.h"
#include "engine/group.h"
#include "engine/partition.h"
#include "engine/wall_clock.h"
#include "io/file_writer.h"
#include "kafka/producer.h"
#include "publish/dead_letter.h"
#include "window/windows.h"

#define RING_ENTRIES      64
#define DEAD_BUFFER_BYTES (1u << 20)
#define WAIT_NS           (50 * CM_NS_PER_MS)

/* What the service thread wants to change; taken by the worker between two batches. */
struct order {
    uint64_t number; /* 0: none yet */
    struct cm_worker_partition *partitions;
    uint32_t partitions_count;
    bool has_partitions, reset;
    const struct cm_roster *roster; /* NULL: as before */
};

struct cm_worker {
    uint32_t index;
    const struct cm_config *config;
    struct cm_kafka *const *kafka;
    pthread_t thread;
    pthread_mutex_t mutex; /* order, started, start_rc */
    pthread_cond_t changed;
    struct order order;
    uint64_t order_taken;
    bool started;
    int start_rc;
    char start_text[256];
    struct cm_wake wake; /* posted by the service thread */
    const struct cm_wake *ready;

    CM_ALIGNED(CM_CACHE_LINE) _Atomic bool stop;
    _Atomic bool order_waits;
    _Atomic uint64_t round; /* written by the service thread */
    struct cm_frame_request request;
    CM_ALIGNED(CM_CACHE_LINE) _Atomic uint64_t done; /* this and below: written by the worker */
    _Atomic int64_t event_offset_ns; /* event time - monotonic time; INT64_MIN: no event yet */
    _Atomic int64_t watermark_ms, first_ms;
    _Atomic uint64_t records; /* taken so far */
    struct cm_frame frame;

    /* The worker's own. */
    CM_ALIGNED(CM_CACHE_LINE) struct cm_ring *ring;
    const struct cm_roster *roster;
    struct cm_windows *windows;
    struct cm_decoder *decoder;
    struct cm_batch *batch;
    struct cm_partition *partitions;
    uint32_t partitions_count;
    struct cm_op queue_op;
    int queue_fd;
    bool queue_armed;
    struct cm_file_writer *dead_file;
    struct cm_producer *dead_producer;
    struct cm_text dead_line;
    struct cm_frame_counters counters;
    int64_t global_watermark_ms, least_ms;
    struct cm_wall_clock wall;
    int64_t slowest_ms; /* newest event time of the slowest partition, as of this batch */
};

/* ---- records */

static void dead_letter(struct cm_worker *w, enum cm_reason reason, const struct cm_record *record,
                        const struct cm_partition *partition)
{
    w->counters.dead[reason]++;
    bool known = record->offset < partition->known_offset; /* in there since an earlier life */
    if (known || (w->dead_file == NULL && w->dead_producer == NULL)) {
        return;
    }
    w->dead_line.len = 0;
    cm_dead_letter_write(&w->dead_line, reason, w->config->topic, record->partition, record->offset,
                         record->value, record->value_bytes);
    bool kept = true;
    if (w->dead_file != NULL) {
        kept = cm_file_writer_try_add(w->dead_file, w->dead_line.data, w->dead_line.len);
    }
    if (w->dead_producer != NULL) {
        kept = cm_producer_try_send(w->dead_producer, w->config->dead_letters_topic, -1, NULL, 0,
                                    w->dead_line.data, w->dead_line.len - 1) &&
               kept;
    }
    w->counters.dead_lost += !kept;
}

static struct cm_partition *partition_of(struct cm_worker *w, int32_t id)
{
    for (uint32_t i = 0; i < w->partitions_count; i++) {
        if (w->partitions[i].id == id) {
            return &w->partitions[i];
        }
    }
    return NULL;
}

static void note_clock(struct cm_worker *w, int64_t ts_ms, int64_t now_mono_ns)
{
    int64_t offset_ns = ts_ms * CM_NS_PER_MS - now_mono_ns;
    /* relaxed: one number, read by the service thread; no other memory hangs on it. */
    if (offset_ns > atomic_load_explicit(&w->event_offset_ns, memory_order_relaxed)) {
        atomic_store_explicit(&w->event_offset_ns, offset_ns, memory_order_relaxed);
    }
}

static void take_event(struct cm_worker *w, const struct cm_record *record,
                       struct cm_partition *partition, const struct cm_event *event,
                       const struct cm_hint *hint, int64_t now_mono_ns, int64_t future_ms)
{
    if (event->ts_ms > future_ms) {
        dead_letter(w, CM_REASON_FUTURE, record, partition);
        cm_partition_note(partition, record->offset, INT64_MIN, now_mono_ns);
        return;
    }
    cm_windows_set_clock(w->windows, partition->newest_ms, w->slowest_ms);
    switch (cm_windows_apply(w->windows, event, hint, w->global_watermark_ms)) {
    case CM_VERDICT_COUNTED:
        w->counters.counted++;
        break;
    case CM_VERDICT_REVISED:
        w->counters.revised++;
        break;
    case CM_VERDICT_DUPLICATE:
        w->counters.duplicates++;
        break;
    case CM_VERDICT_LATE:
        dead_letter(w, CM_REASON_LATE, record, partition);
        break;
    }
    cm_partition_note(partition, record->offset, event->ts_ms, now_mono_ns);
    note_clock(w, event->ts_ms, now_mono_ns);
    w->least_ms = event->ts_ms < w->least_ms ? event->ts_ms : w->least_ms;
}

static void take_record(struct cm_worker *w, const struct cm_record *record,
                        const struct cm_group *group, uint32_t at, struct cm_partition *partition,
                        int64_t now_mono_ns, int64_t future_ms)
{
    w->counters.records++;
    uint32_t event = group->event_of[at];
    if (event != CM_GROUP_NONE) {
        take_event(w, record, partition, &group->events[event], &group->hints[event], now_mono_ns,
                   future_ms);
        return;
    }
    if (group->reasons[at] != CM_REASON_NONE) {
        dead_letter(w, group->reasons[at], record, partition);
    }
    cm_partition_note(partition, record->offset, INT64_MIN, now_mono_ns);
}

static void take_batch(struct cm_worker *w, const struct cm_batch *batch)
{
    int64_t now_mono_ns = cm_clock_mono_ns();
    /* relaxed: our own. */
    int64_t event_ns = atomic_load_explicit(&w->event_offset_ns, memory_order_relaxed);
    int64_t future_ms = cm_wall_clock_sure_ms(&w->wall, cm_clock_wall_ms(), now_mono_ns, event_ns) +
                        w->config->future_limit_ms;
    w->slowest_ms =
        cm_partitions_slowest(w->partitions, w->partitions_count, w->config->idle_ms, now_mono_ns);
    struct cm_partition *partition = NULL;
    struct cm_group group;

    cm_decoder_reset(w->decoder);
    for (uint32_t begin = 0; begin < batch->count; begin += group.count) {
        cm_group_decode(&group, w->decoder, &batch->at[begin], batch->count - begin);
        cm_windows_expect(w->windows, group.sound, group.events_count, group.hints);
        for (uint32_t i = 0; i < group.count; i++) {
            const struct cm_record *record = &batch->at[begin + i];
            if (partition == NULL || partition->id != record->partition) {
                partition = partition_of(w, record->partition);
            }
            if (partition != NULL) { /* not taken away in the meantime */
                take_record(w, record, &group, i, partition, now_mono_ns, future_ms);
            }
        }
    }
    for (uint32_t i = 0; i < batch->ends_count; i++) {
        partition = partition_of(w, batch->ends[i].partition);
        if (partition != NULL) {
            partition->at_end = true;
            partition->next_offset = batch->ends[i].at_offset;
        }
    }
    if (partition != NULL && batch->count > 0) { /* all of one, or what comes is not ours */
        cm_kafka_note_time(*w->kafka, w->index, partition->id, partition->newest_ms);
    }
}

static void note_watermark(struct cm_worker *w)
{
    int64_t now_ns = cm_clock_mono_ns();
    int64_t idle_ms = w->config->idle_ms;
    int64_t watermark_ms = cm_partitions_watermark(w->partitions, w->partitions_count,
                                                   w->config->allowed_lateness_ms, idle_ms, now_ns);
    bool begun = cm_partitions_have_begun(w->partitions, w->partitions_count, idle_ms, now_ns);
    /* relaxed: one number; what was applied before it is handed over with the next frame. */
    atomic_store_explicit(&w->watermark_ms, watermark_ms, memory_order_relaxed);
    atomic_store_explicit(&w->first_ms, begun ? w->least_ms : INT64_MIN,
                          memory_order_relaxed); /* relaxed: as above */
    atomic_store_explicit(&w->records, w->counters.records,
                          memory_order_relaxed); /* relaxed: as above */
}

/* ---- frames */

static void fill_frame(struct cm_worker *w)
{
    w->global_watermark_ms = w->request.watermark_ms;
    if (w->request.now_ms != INT64_MIN) {
        note_clock(w, w->request.now_ms, cm_clock_mono_ns());
    }
    cm_frame_fill(&(struct cm_fill){w->config, w->windows, w->partitions, w->partitions_count,
                                    &w->request, &w->frame});
    w->counters.entries = cm_windows_entries(w->windows);
    w->counters.orphans = cm_windows_orphans(w->windows);
    w->counters.units = cm_units_count(cm_windows_units(w->windows));
    w->frame.counters = w->counters;
}

static bool answer_request(struct cm_worker *w)
{
    /* Acquire: the request, and the frame that came back, are ours; pairs with the release in
     * cm_worker_request(). */
    uint64_t round = atomic_load_explicit(&w->round, memory_order_acquire);
    if (round == atomic_load_explicit(&w->done, memory_order_relaxed)) { /* relaxed: our own */
        return false;
    }
    fill_frame(w);
    /* Release: the frame is whole; pairs with the acquire in cm_worker_frame(). */
    atomic_store_explicit(&w->done, round, memory_order_release);
    cm_wake_post(w->ready);
    return true;
}

/* ---- orders */

/* Empty windows in place of the old ones, as of the same instants: the other workers go on from
 * there, and the rules have seen the steps before. */
static void begin_again(struct cm_worker *w)
{
    struct cm_windows *fresh = cm_windows_create(w->config, w->roster, cm_rule_windows(w->config),
                                                 cm_rule_kinds(w->config));
    for (uint32_t v = 0; v < CM_VIEW_COUNT; v++) {
        for (uint32_t i = 0; i < w->config->all_count; i++) {
            int64_t asof_ms = cm_windows_asof(w->windows, (enum cm_view)v, i);
            if (asof_ms != INT64_MIN) {
                cm_windows_advance(fresh, (enum cm_view)v, i, asof_ms);
            }
        }
    }
    cm_windows_carry_orphans(fresh, w->windows);
    cm_windows_destroy(w->windows);
    w->windows = fresh;
}

static void own_partitions(struct cm_worker *w, const struct cm_worker_partition *owned,
                           uint32_t count, bool reset)
{
    struct cm_partition *old = w->partitions;
    uint32_t old_count = w->partitions_count;
    int64_t now_mono_ns = cm_clock_mono_ns();

    w->partitions = cm_alloc(count > 0 ? count : 1, sizeof(*w->partitions));
    w->partitions_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct cm_partition *fresh = &w->partitions[w->partitions_count++];
        cm_partition_init(fresh, owned[i].id, now_mono_ns);
        fresh->known_offset = owned[i].known_offset;
        cm_wall_clock_know(&w->wall, cm_clock_wall_ms(), now_mono_ns, owned[i].clock_ms);
        for (uint32_t k = 0; k < old_count && !reset; k++) {
            if (old[k].id == owned[i].id) {
                cm_partition_free(fresh);
                *fresh = old[k];
                fresh->at_end = false;
                old[k].hours = NULL;
                old[k].id = -1;
            }
        }
    }
    for (uint32_t k = 0; k < old_count; k++) {
        cm_partition_free(&old[k]);
    }
    free(old);
    if (reset) {
        begin_again(w);
    }
}

static void take_order(struct cm_worker *w)
{
    /* Acquire: pairs with the release of the thread that gave the order. */
    if (!atomic_load_explicit(&w->order_waits, memory_order_acquire)) {
        return;
    }
    pthread_mutex_lock(&w->mutex);
    if (w->order.roster != NULL) {
        w->roster = w->order.roster;
        w->order.roster = NULL;
        cm_windows_set_roster(w->windows, w->roster);
    }
    if (w->order.has_partitions) {
        own_partitions(w, w->order.partitions, w->order.partitions_count, w->order.reset);
        w->order.has_partitions = false;
    }
    note_watermark(w);
    w->order_taken = w->order.number;
    atomic_store_explicit(&w->order_waits, false,
                          memory_order_relaxed); /* relaxed: under the mutex */
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->mutex);
}

/* ---- the thread */

static void queue_ready(struct cm_op *op, int32_t result, uint32_t flags)
{
    (void)result;
    (void)flags;
    struct cm_worker *w =
        (struct cm_worker *)(void *)((char *)op - offsetof(struct cm_worker, queue_op));
    uint64_t payload;
    w->queue_armed = false;
    while (read(w->queue_fd, &payload, sizeof(payload)) > 0) {
    }
}

static bool fetch(struct cm_worker *w)
{
    /* Partitions come with an order, and orders only once the consumer is there. */
    if (w->partitions_count == 0) {
        return false;
    }
    if (w->queue_fd < 0) {
        cm_kafka_attach(*w->kafka, w->index, w->ring);
        w->queue_fd = cm_kafka_fd(*w->kafka, w->index);
    }
    if (cm_kafka_fetch(*w->kafka, w->index, w->batch) == 0) {
        return false;
    }
    take_batch(w, w->batch);
    cm_kafka_release(*w->kafka, w->batch);
    return true;
}

static int open_worker(struct cm_worker *w)
{
    int rc = cm_ring_open(RING_ENTRIES, cm_worker_ring(w->config), &w->ring);
    if (rc == 0) {
        rc = cm_wake_open(&w->wake, w->ring);
    }
    if (rc == 0 && w->config->dead_letters_file[0] != '\0') {
        rc = cm_file_writer_open(w->ring, w->config->dead_letters_file, DEAD_BUFFER_BYTES,
                                 &w->dead_file);
    }
    if (rc == 0 && w->config->dead_letters_topic[0] != '\0') {
        rc =
            cm_producer_open(w->config->brokers, &w->config->properties, "none", &w->dead_producer);
    }
    if (rc == 0) {
        w->windows = cm_windows_create(w->config, w->roster, cm_rule_windows(w->config),
                                       cm_rule_kinds(w->config));
        w->decoder = cm_decoder_create();
        w->batch = cm_alloc(1, sizeof(*w->batch));
        w->queue_op.done = queue_ready;
    }
    return rc;
}

static void close_worker(struct cm_worker *w)
{
    if (w->dead_file != NULL && !cm_file_writer_close(w->dead_file, CM_NS_PER_S)) {
        cm_log(CM_LOG_ERROR, "dead_letters.lost", "file=\"%s\"", w->config->dead_letters_file);
    }
    if (w->dead_producer != NULL) {
        cm_producer_flush(w->dead_producer, 1000);
        cm_producer_close(w->dead_producer);
    }
    if (w->queue_armed) {
        cm_ring_cancel(w->ring, &w->queue_op);
    }
    if (w->ring != NULL) {
        cm_wake_close(&w->wake);
        cm_ring_destroy(w->ring);
    }
    for (uint32_t i = 0; i < w->partitions_count; i++) {
        cm_partition_free(&w->partitions[i]);
    }
    free(w->partitions);
    free(w->batch);
    cm_decoder_destroy(w->decoder);
    cm_windows_destroy(w->windows);
    cm_text_free(&w->dead_line);
}

static void loop(struct cm_worker *w)
{
    int64_t idle_check_ns = 0;
    while (
        !atomic_load_explicit(&w->stop, memory_order_acquire)) { /* pairs with cm_worker_stop() */
        take_order(w);
        bool worked = fetch(w);
        int64_t now_ns = cm_clock_mono_ns();
        if (worked || now_ns - idle_check_ns > 20 * CM_NS_PER_MS) {
            note_watermark(w);
            idle_check_ns = now_ns;
        }
        worked = answer_request(w) || worked;
        if (w->dead_file != NULL) {
            cm_file_writer_poll(w->dead_file, now_ns);
        }
        if (w->dead_producer != NULL) {
            cm_producer_poll(w->dead_producer, 0);
        }
        if (!worked && w->queue_fd >= 0 && !w->queue_armed) {
            w->queue_armed = true;
            cm_ring_poll(w->ring, &w->queue_op, w->queue_fd, POLLIN);
            /* What came between the last fetch and here has already signalled. */
        }
        cm_ring_wait(w->ring, worked ? 0 : WAIT_NS);
    }
}

static void *worker_main(void *context)
{
    struct cm_worker *w = context;
    int rc = open_worker(w);
    pthread_mutex_lock(&w->mutex);
    w->started = true;
    w->start_rc = rc;
    snprintf(w->start_text, sizeof(w->start_text), "%s",
             rc < 0 ? cm_fail_text() : cm_ring_describe(w->ring));
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->mutex);
    if (rc == 0) {
        loop(w);
    }
    close_worker(w);
    return NULL;
}

int cm_worker_start(uint32_t index, const struct cm_config *config, const struct cm_roster *roster,
                    struct cm_kafka *const *kafka, const struct cm_wake *ready,
                    struct cm_worker **out)
{
    struct cm_worker *w = cm_alloc_lines(sizeof(*w));
    w->index = index;
    w->config = config;
    w->roster = roster;
    w->kafka = kafka;
    w->ready = ready;
    w->queue_fd = -1;
    w->global_watermark_ms = INT64_MIN;
    w->least_ms = INT64_MAX;
    cm_wall_clock_init(&w->wall, cm_clock_wall_ms(), cm_clock_mono_ns());
    atomic_init(&w->first_ms, INT64_MAX);
    atomic_init(&w->event_offset_ns, INT64_MIN);
    atomic_init(&w->watermark_ms, INT64_MAX);
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->changed, NULL);
    CM_ASSERT(pthread_create(&w->thread, NULL, worker_main, w) == 0);

    pthread_mutex_lock(&w->mutex);
    while (!w->started) {
        pthread_cond_wait(&w->changed, &w->mutex);
    }
    int rc = w->start_rc;
    pthread_mutex_unlock(&w->mutex);
    if (rc < 0) {
        rc = cm_fail((enum cm_error) - rc, "%s", w->start_text);
        pthread_join(w->thread, NULL);
        cm_frame_free(&w->frame);
        free(w);
        return rc;
    }
    cm_log(CM_LOG_INFO, "worker.started", "worker=%u io=\"%s\"", index, w->start_text);
    *out = w;
    return 0;
}

void cm_worker_stop(struct cm_worker *w)
{
    if (w == NULL) {
        return;
    }
    atomic_store_explicit(&w->stop, true, memory_order_release); /* pairs with loop() */
    cm_wake_post(&w->wake);
    pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->mutex);
    pthread_cond_destroy(&w->changed);
    cm_frame_free(&w->frame);
    free(w->order.partitions);
    free(w);
}

/* Waits until the worker has taken the order. Mutex held. */
static void give_order(struct cm_worker *w)
{
    uint64_t number = ++w->order.number;
    /* Release: pairs with the acquire in take_order(). */
    atomic_store_explicit(&w->order_waits, true, memory_order_release);
    cm_wake_post(&w->wake);
    while (w->order_taken < number) {
        pthread_cond_wait(&w->changed, &w->mutex);
    }
}

void cm_worker_set_partitions(struct cm_worker *w, const struct cm_worker_partition *partitions,
                              uint32_t count, bool reset)
{
    pthread_mutex_lock(&w->mutex);
    w->order.partitions =
        cm_realloc(w->order.partitions, count > 0 ? count : 1, sizeof(*partitions));
    if (count > 0) {
        memcpy(w->order.partitions, partitions, count * sizeof(*partitions));
    }
    w->order.partitions_count = count;
    w->order.has_partitions = true;
    w->order.reset = reset;
    give_order(w);
    pthread_mutex_unlock(&w->mutex);
}

void cm_worker_set_roster(struct cm_worker *w, const struct cm_roster *roster)
{
    pthread_mutex_lock(&w->mutex);
    w->order.roster = roster;
    give_order(w);
    pthread_mutex_unlock(&w->mutex);
}

void cm_worker_request(struct cm_worker *w, const struct cm_frame_request *request)
{
    uint64_t round = atomic_load_explicit(&w->round, memory_order_relaxed); /* relaxed: our own */
    CM_ASSERT(round == atomic_load_explicit(
                           &w->done, memory_order_acquire)); /* pairs with answer_request() */
    w->request = *request;
    /* Release: the request is whole and the frame given back; pairs with the acquire in
     * answer_request(). */
    atomic_store_explicit(&w->round, round + 1, memory_order_release);
    cm_wake_post(&w->wake);
}

struct cm_frame *cm_worker_frame(struct cm_worker *w)
{
    uint64_t round = atomic_load_explicit(&w->round, memory_order_relaxed); /* relaxed: our own */
    /* Acquire: pairs with the release in answer_request(). */
    return atomic_load_explicit(&w->done, memory_order_acquire) == round ? &w->frame : NULL;
}

int64_t cm_worker_event_now_ms(const struct cm_worker *w, int64_t now_mono_ns)
{
    /* relaxed: see note_clock(). */
    int64_t offset_ns = atomic_load_explicit(&w->event_offset_ns, memory_order_relaxed);
    return offset_ns == INT64_MIN ? INT64_MIN : (offset_ns + now_mono_ns) / CM_NS_PER_MS;
}

int64_t cm_worker_watermark_ms(const struct cm_worker *w)
{
    return atomic_load_explicit(&w->watermark_ms,
                                memory_order_relaxed); /* relaxed: see note_watermark() */
}

int64_t cm_worker_first_ms(const struct cm_worker *w)
{
    return atomic_load_explicit(&w->first_ms,
                                memory_order_relaxed); /* relaxed: see note_watermark() */
}

uint64_t cm_worker_records(const struct cm_worker *w)
{
    return atomic_load_explicit(&w->records, memory_order_relaxed); /* relaxed: as above */
}
