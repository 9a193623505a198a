// SPDX-License-Identifier: Apache-2.0
/* rdkafka_loop.c — the least that consuming with librdkafka costs: batches from a queue, each byte
 * looked at once, records counted. The limit of a data plane that librdkafka carries.
 *
 *   rdkafka_loop --brokers HOST:PORT --topic NAME --records N [--repeats N] [--json FILE]
 *
 * The settings that cost or save work are those of src/kafka/kafka.c; there is no group. CPU time
 * is that of the process: librdkafka's threads, which receive and decompress, are in it.
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "bench/bench.h"
#include "bench/plain_consumer.h"

#define BATCH      2048
#define SILENCE_NS (30 * CM_NS_PER_S)

struct job {
    const char *brokers, *topic;
    uint64_t records;
    uint64_t bytes, checksum;
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

static uint64_t run_loop(void *context, struct cm_bench_clock *clock)
{
    static rd_kafka_message_t *batch[BATCH];
    struct job *job = context;
    uint64_t records = 0;
    rd_kafka_t *kafka = cm_bench_consumer(job->brokers);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(kafka);
    job->bytes = 0;
    cm_bench_start(clock);
    cm_bench_assign(kafka, job->topic, 0);
    int64_t heard_ns = cm_clock_mono_ns();
    while (records < job->records) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, 20, batch, BATCH);
        int64_t now_ns = cm_clock_mono_ns();
        heard_ns = count > 0 ? now_ns : heard_ns;
        if (now_ns - heard_ns > SILENCE_NS) {
            cm_bench_die("rdkafka_loop: only %llu of %llu records came",
                         (unsigned long long)records, (unsigned long long)job->records);
        }
        for (ssize_t i = 0; i < count; i++) {
            if (batch[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                job->checksum += touch(batch[i]->payload, batch[i]->len);
                job->bytes += batch[i]->len;
                records++;
            }
            rd_kafka_message_destroy(batch[i]);
        }
    }
    cm_bench_stop(clock);
    rd_kafka_queue_destroy(queue);
    (void)rd_kafka_consumer_close(kafka);
    rd_kafka_destroy(kafka);
    return records;
}

int main(int argc, char **argv)
{
    struct job job = {0};
    uint64_t repeats = 3;
    const char *json = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--brokers") == 0) {
            job.brokers = argv[i + 1];
        } else if (strcmp(argv[i], "--topic") == 0) {
            job.topic = argv[i + 1];
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
        fputs("rdkafka_loop --brokers HOST:PORT --topic NAME --records N [--repeats N] "
              "[--json FILE]\n",
              stderr);
        return 2;
    }
    struct cm_bench *bench = cm_bench_open("rdkafka_loop", json);
    struct cm_bench_row *row =
        cm_bench_measure(bench, job.topic, true, (uint32_t)repeats, run_loop, &job);
    cm_bench_set(row, "bytes/record", (double)job.bytes / (double)job.records);
    return cm_bench_close(bench);
}
