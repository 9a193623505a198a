// SPDX-License-Identifier: Apache-2.0
/* fetch_loop.c — what consuming over callmill's own data plane costs: batches of views, each byte
 * looked at once, records counted. Beside it rdkafka_loop.c does the same with librdkafka alone.
 *
 *   fetch_loop --brokers HOST:PORT --topic NAME --records N [--plane io_uring|epoll|librdkafka]
 *              [--repeats N] [--json FILE]
 *
 * One thread is coordinator and worker. The clock starts when the group has given the partitions,
 * and they are read from offset 0. CPU time is that of the process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"
#include "bench/bench.h"
#include "io/ring.h"
#include "kafka/kafka.h"

#define SILENCE_NS (30 * CM_NS_PER_S)
#define POLL_NS    (100 * CM_NS_PER_MS)

struct job {
    const char *brokers, *topic, *plane;
    uint64_t records;
    uint64_t bytes, checksum;
    struct cm_kafka *kafka;
    struct cm_bench_clock *clock;
    bool begun;
};

static uint64_t touch(const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    uint64_t sum = 0, word;
    for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        sum += word;
    }
    for (; len > 0; len--) {
        sum += *p++;
    }
    return sum;
}

static void on_assign(void *context, const struct cm_position *positions, uint32_t count)
{
    struct job *job = context;
    if (!job->begun) {
        cm_bench_start(job->clock);
        job->begun = true;
    }
    for (uint32_t i = 0; i < count; i++) {
        cm_kafka_start(job->kafka, positions[i].partition, 0, 0);
    }
}

static void on_revoke(void *context, const int32_t *partitions, uint32_t count, bool lost)
{
    (void)context;
    (void)partitions;
    (void)count;
    (void)lost;
}

static struct cm_config *config_of(const struct job *job)
{
    char brokers[512], topic[256], plane[64], group[64];
    snprintf(brokers, sizeof(brokers), "source.kafka.brokers=%s", job->brokers);
    snprintf(topic, sizeof(topic), "source.kafka.topic=%s", job->topic);
    snprintf(plane, sizeof(plane), "source.kafka.plane=%s", job->plane);
    snprintf(group, sizeof(group), "source.kafka.group=fetch-loop-%lld",
             (long long)cm_clock_wall_ms());
    const char *const overrides[] = {brokers, topic, plane, group};
    struct cm_config *config = NULL;
    if (cm_config_parse("fetch_loop", "", 0, overrides, 4, &config) != 0) {
        cm_bench_die("fetch_loop: %s", cm_fail_text());
    }
    return config;
}

static uint64_t run_loop(void *context, struct cm_bench_clock *clock)
{
    struct job *job = context;
    struct cm_config *config = config_of(job);
    const struct cm_kafka_callbacks callbacks = {on_assign, on_revoke, job};
    struct cm_batch *batch = cm_alloc(1, sizeof(*batch));
    struct cm_ring *ring = NULL;
    bool epoll = strcmp(job->plane, "epoll") == 0;
    uint64_t records = 0;
    job->clock = clock;
    job->begun = false;
    job->bytes = 0;
    if (cm_ring_open(64, epoll ? CM_RING_EPOLL_ONLY : CM_RING_IO_URING_ONLY, &ring) != 0 ||
        cm_kafka_open(config, 1, &callbacks, &job->kafka) != 0) {
        cm_bench_die("fetch_loop: %s", cm_fail_text());
    }
    cm_kafka_attach(job->kafka, 0, ring);
    int64_t heard_ns = cm_clock_mono_ns();
    int64_t poll_ns = 0;
    while (records < job->records) {
        int64_t now_ns = cm_clock_mono_ns();
        if (now_ns >= poll_ns) {
            if (cm_kafka_poll(job->kafka, 0) != 0) {
                cm_bench_die("fetch_loop: %s", cm_fail_text());
            }
            poll_ns = now_ns + (job->begun ? POLL_NS : CM_NS_PER_MS);
        }
        bool some = cm_kafka_fetch(job->kafka, 0, batch) > 0;
        for (uint32_t i = 0; i < batch->count; i++) {
            job->checksum += touch(batch->at[i].value, batch->at[i].value_bytes);
            job->bytes += batch->at[i].value_bytes;
        }
        records += batch->count;
        cm_kafka_release(job->kafka, batch);
        heard_ns = some ? now_ns : heard_ns;
        if (now_ns - heard_ns > SILENCE_NS) {
            cm_bench_die("fetch_loop: only %llu of %llu records came", (unsigned long long)records,
                         (unsigned long long)job->records);
        }
        cm_ring_wait(ring, some ? 0 : 5 * CM_NS_PER_MS);
    }
    cm_bench_stop(clock);
    cm_ring_destroy(ring);
    cm_kafka_close(job->kafka);
    cm_config_free(config);
    free(batch);
    return records;
}

int main(int argc, char **argv)
{
    struct job job = {.plane = "io_uring"};
    uint64_t repeats = 3;
    const char *json = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--brokers") == 0) {
            job.brokers = argv[i + 1];
        } else if (strcmp(argv[i], "--topic") == 0) {
            job.topic = argv[i + 1];
        } else if (strcmp(argv[i], "--plane") == 0) {
            job.plane = argv[i + 1];
        } else if (strcmp(argv[i], "--records") == 0) {
            job.records = cm_bench_number(argv[i], argv[i + 1], 1, UINT64_MAX);
        } else if (strcmp(argv[i], "--repeats") == 0) {
            repeats = cm_bench_number(argv[i], argv[i + 1], 1, CM_BENCH_REPEATS_MAX);
        } else if (strcmp(argv[i], "--json") == 0) {
            json = argv[i + 1];
        } else {
            argc = 0;
        }
    }
    if (argc % 2 == 0 || job.brokers == NULL || job.topic == NULL || job.records == 0) {
        fputs("fetch_loop --brokers HOST:PORT --topic NAME --records N "
              "[--plane io_uring|epoll|librdkafka] [--repeats N] [--json FILE]\n",
              stderr);
        return 2;
    }
    struct cm_bench *bench = cm_bench_open("fetch_loop", json);
    struct cm_bench_row *row =
        cm_bench_measure(bench, job.plane, true, (uint32_t)repeats, run_loop, &job);
    cm_bench_set(row, "bytes/record", (double)job.bytes / (double)job.records);
    return cm_bench_close(bench);
}
