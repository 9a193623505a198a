// SPDX-License-Identifier: Apache-2.0
/* demo_feeder.c — see demo_feeder.h. */
#include "cli/demo_feeder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "kafka/producer.h"

#define AHEAD_A_PARTITION 8000u /* records of about 400 bytes */
#define SLEEP_NS          (5 * CM_NS_PER_MS)
#define POLL_EVERY        64u

struct cm_demo_feeder {
    struct cm_demo_feeder_options options;
    struct cm_producer *producer;
    pthread_t thread;
    _Atomic bool stop;
    _Atomic uint64_t read; /* by the engine */
};

/* relaxed, here and below: flags and counters that nothing else hangs on. */
static bool is_stopped(struct cm_demo_feeder *f)
{
    return atomic_load_explicit(&f->stop, memory_order_relaxed); /* relaxed: a flag */
}

int64_t cm_demo_feeder_now_ms(const struct cm_demo_feeder *feeder)
{
    int64_t event_ms = cm_pace_event_ms(&feeder->options.pace, cm_clock_mono_ns());
    int64_t wall_ms = cm_clock_wall_ms();
    return event_ms < wall_ms ? event_ms : wall_ms;
}

void cm_demo_feeder_note_read(struct cm_demo_feeder *feeder, uint64_t records)
{
    atomic_store_explicit(&feeder->read, records, memory_order_relaxed); /* relaxed: a count */
}

static void pause_a_bit(struct cm_demo_feeder *f)
{
    cm_producer_poll(f->producer, 0);
    (void)nanosleep(&(struct timespec){0, SLEEP_NS}, NULL);
}

/* Waits until a record of that time may go out; false: stopped. */
static bool wait_for(struct cm_demo_feeder *f, int64_t ts_ms, uint64_t sent)
{
    uint64_t ahead = (uint64_t)f->options.partitions * AHEAD_A_PARTITION;
    while (!is_stopped(f) && (cm_demo_feeder_now_ms(f) < ts_ms ||
                              sent > atomic_load_explicit(&f->read, memory_order_relaxed) +
                                         ahead)) { /* relaxed: a count */
        pause_a_bit(f);
    }
    return !is_stopped(f);
}

static void *feed(void *argument)
{
    struct cm_demo_feeder *f = argument;
    const struct cm_demo_feeder_options *o = &f->options;
    struct cm_text line = {0};
    struct cm_str key;
    int64_t ts_ms;
    uint64_t sent = 0;
    while (cm_traffic_next(o->traffic, &line, &ts_ms, &key) && wait_for(f, ts_ms, sent)) {
        while (!cm_producer_try_send(f->producer, o->topic, -1, key.len > 0 ? key.p : NULL, key.len,
                                     line.data, line.len) &&
               !is_stopped(f)) {
            pause_a_bit(f);
        }
        sent++;
        if (sent % POLL_EVERY == 0) {
            cm_producer_poll(f->producer, 0);
        }
    }
    cm_text_free(&line);
    cm_log(CM_LOG_INFO, "demo.fed", "records=%llu", (unsigned long long)sent);
    return NULL;
}

int cm_demo_feeder_start(const struct cm_demo_feeder_options *options, struct cm_demo_feeder **out)
{
    struct cm_producer *producer = NULL;
    int rc = cm_producer_open(options->brokers, NULL, "lz4", &producer);
    if (rc == 0) {
        rc = cm_producer_create_topic(producer, options->topic, options->partitions);
    }
    if (rc < 0) {
        cm_producer_close(producer);
        return rc;
    }
    struct cm_demo_feeder *feeder = cm_alloc(1, sizeof(*feeder));
    feeder->options = *options;
    feeder->producer = producer;
    int error = pthread_create(&feeder->thread, NULL, feed, feeder);
    if (error != 0) {
        cm_producer_close(producer);
        free(feeder);
        return cm_fail(CM_ERR_IO, "no thread for the traffic: %s", strerror(error));
    }
    *out = feeder;
    return 0;
}

void cm_demo_feeder_stop(struct cm_demo_feeder *feeder)
{
    if (feeder == NULL) {
        return;
    }
    atomic_store_explicit(&feeder->stop, true, memory_order_relaxed); /* relaxed: a flag */
    (void)pthread_join(feeder->thread, NULL);
    cm_producer_close(feeder->producer);
    free(feeder);
}
