// SPDX-License-Identifier: Apache-2.0
/* plain_loop.c — the program that anybody would write: a librdkafka consumer, a tree of jansson for
 * each record, the obvious windows (plain_windows.h). The peer of `callmill run`.
 *
 *   plain_loop --brokers HOST:PORT --topic NAME --records N --roster CSV --queues FILE
 *              [--tick 1s] [--repeats N] [--dump FILE] [--json FILE]
 *
 * Once a tick of the clock on the wall the rows of all windows that changed are formatted as JSON
 * and thrown away: no Redis. --tick 0 only keeps the figures. --dump writes what they came to as of
 * the end of the minute that holds the newest record, for a comparison with `callmill replay --at`.
 *
 * It does a part of what callmill does, see plain_windows.h; `ts` has to be a number of ms. What of
 * a backlog it leaves out, because another partition has moved a window on, is late_per_event: of
 * the four windows of some five units that each record belongs to. CPU time is that of the process:
 * librdkafka's threads are in it.
 */
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"
#include "bench/bench.h"
#include "bench/plain_consumer.h"
#include "bench/plain_windows.h"

#define BATCH      2048
#define SILENCE_NS (30 * CM_NS_PER_S)

struct job {
    const char *brokers, *topic, *roster, *queues, *dump, *json;
    uint64_t records, repeats;
    int64_t tick_ms;
    /* of the last run */
    uint64_t bytes, bad, late, ticks, units;
    struct plain_sink sink;
    size_t resident;
};

/* ---- a record ---- */

static uint64_t number(const json_t *tree, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(tree, name));
}

static const char *word(const json_t *tree, const char *name)
{
    return json_string_value(json_object_get(tree, name));
}

static bool read_leg(const json_t *tree, struct plain_leg *leg)
{
    const char *type = word(tree, "type");
    const char *outcome = word(tree, "outcome");
    if (type == NULL || strcmp(type, "cdr") != 0 || outcome == NULL ||
        !json_is_integer(json_object_get(tree, "ts"))) {
        return false;
    }
    *leg = (struct plain_leg){.seat = word(tree, "seat"),
                              .queue = word(tree, "queue"),
                              .centre = word(tree, "centre"),
                              .ts_ms = json_integer_value(json_object_get(tree, "ts"))};
    leg->figures.offered = 1;
    leg->figures.abandoned = strcmp(outcome, "abandoned") == 0;
    leg->figures.answered = strcmp(outcome, "answered") == 0;
    if (leg->figures.answered > 0) {
        leg->figures.handle_ms =
            number(tree, "talk_ms") + number(tree, "hold_ms") + number(tree, "acw_ms");
    }
    return leg->ts_ms >= 0;
}

static void take_record(struct job *job, struct plain_centre *centre, const char *bytes, size_t len)
{
    json_t *tree = json_loadb(bytes, len, 0, NULL);
    struct plain_leg leg;
    if (tree != NULL && read_leg(tree, &leg)) {
        plain_add(centre, &leg);
    } else {
        job->bad++;
    }
    json_decref(tree);
    job->bytes += len;
}

/* ---- the loop ---- */

static uint64_t take_batch(struct job *job, struct plain_centre *centre, rd_kafka_message_t **batch,
                           ssize_t count)
{
    uint64_t records = 0;
    for (ssize_t i = 0; i < count; i++) {
        if (batch[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            take_record(job, centre, batch[i]->payload, batch[i]->len);
            records++;
        }
        rd_kafka_message_destroy(batch[i]);
    }
    return records;
}

static void tick(struct job *job, struct plain_centre *centre)
{
    plain_publish(centre, &job->sink);
    job->ticks++;
}

static void finish(struct job *job, struct plain_centre *centre)
{
    job->resident = cm_memory_resident_bytes();
    job->late = plain_late(centre);
    job->units = plain_units(centre);
    if (job->dump != NULL) {
        FILE *file = fopen(job->dump, "w");
        if (file == NULL) {
            cm_bench_die("plain_loop: %s cannot be written", job->dump);
        }
        plain_dump(centre, file);
        if (fclose(file) != 0) {
            cm_bench_die("plain_loop: %s cannot be written", job->dump);
        }
    }
    plain_close(centre);
}

static uint64_t run_loop(void *context, struct cm_bench_clock *clock)
{
    static rd_kafka_message_t *batch[BATCH];
    struct job *job = context;
    uint64_t records = 0;
    struct plain_centre *centre = plain_open(job->roster, job->queues);
    rd_kafka_t *kafka = cm_bench_consumer(job->brokers);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(kafka);
    job->bytes = job->bad = job->ticks = 0;
    job->sink = (struct plain_sink){0};
    cm_bench_start(clock);
    cm_bench_assign(kafka, job->topic, 0);
    int64_t heard_ns = cm_clock_mono_ns();
    int64_t tick_ns = heard_ns + job->tick_ms * CM_NS_PER_MS;
    while (records < job->records) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, 20, batch, BATCH);
        records += take_batch(job, centre, batch, count);
        int64_t now_ns = cm_clock_mono_ns();
        heard_ns = count > 0 ? now_ns : heard_ns;
        if (now_ns - heard_ns > SILENCE_NS) {
            cm_bench_die("plain_loop: only %llu of %llu records came", (unsigned long long)records,
                         (unsigned long long)job->records);
        }
        if (job->tick_ms > 0 && now_ns >= tick_ns) {
            tick(job, centre);
            tick_ns = now_ns + job->tick_ms * CM_NS_PER_MS;
        }
    }
    if (job->tick_ms > 0) {
        tick(job, centre);
    }
    cm_bench_stop(clock);
    finish(job, centre);
    rd_kafka_queue_destroy(queue);
    (void)rd_kafka_consumer_close(kafka);
    rd_kafka_destroy(kafka);
    return records;
}

/* ---- */

static void read_flag(struct job *job, const char *flag, const char *value)
{
    const struct {
        const char *flag;
        const char **to;
    } texts[] = {{"--brokers", &job->brokers}, {"--topic", &job->topic}, {"--roster", &job->roster},
                 {"--queues", &job->queues},   {"--dump", &job->dump},   {"--json", &job->json}};
    for (size_t i = 0; i < CM_ARRAY_LEN(texts); i++) {
        if (strcmp(flag, texts[i].flag) == 0) {
            *texts[i].to = value;
            return;
        }
    }
    if (strcmp(flag, "--records") == 0) {
        job->records = cm_bench_number(flag, value, 1, UINT64_MAX);
    } else if (strcmp(flag, "--repeats") == 0) {
        job->repeats = cm_bench_number(flag, value, 1, CM_BENCH_REPEATS_MAX);
    } else if (strcmp(flag, "--tick") != 0 ||
               (strcmp(value, "0") != 0 &&
                !cm_parse_duration(value, strlen(value), &job->tick_ms))) {
        cm_bench_die("plain_loop: %s %s is not understood", flag, value);
    } else if (strcmp(value, "0") == 0) {
        job->tick_ms = 0;
    }
}

int main(int argc, char **argv)
{
    struct job job = {.repeats = 3, .tick_ms = 1000};
    for (int i = 1; i + 1 < argc; i += 2) {
        read_flag(&job, argv[i], argv[i + 1]);
    }
    if (argc % 2 == 0 || job.brokers == NULL || job.topic == NULL || job.records == 0 ||
        job.roster == NULL || job.queues == NULL) {
        fputs("plain_loop --brokers HOST:PORT --topic NAME --records N --roster CSV --queues FILE "
              "[--tick 1s] [--repeats N] [--dump FILE] [--json FILE]\n",
              stderr);
        return 2;
    }
    struct cm_bench *bench = cm_bench_open("plain_loop", job.json);
    struct cm_bench_row *row =
        cm_bench_measure(bench, job.topic, true, (uint32_t)job.repeats, run_loop, &job);
    double records = (double)job.records;
    cm_bench_set(row, "bytes/record", (double)job.bytes / records);
    cm_bench_set(row, "rows_per_event", (double)job.sink.rows / records);
    cm_bench_set(row, "row_bytes_per_event", (double)job.sink.bytes / records);
    cm_bench_set(row, "rows", (double)job.sink.rows);
    cm_bench_set(row, "ticks", (double)job.ticks);
    cm_bench_set(row, "units", (double)job.units);
    cm_bench_set(row, "late_per_event", (double)job.late / records);
    cm_bench_set(row, "bad", (double)job.bad);
    cm_bench_set(row, "resident_MiB", (double)job.resident / (1 << 20));
    return cm_bench_close(bench);
}
