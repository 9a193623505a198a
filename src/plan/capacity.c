// SPDX-License-Identifier: Apache-2.0
#include "plan/capacity.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/fail.h"

#define MIB                   1048576.0
#define MB                    1e6
#define MS_PER_DAY            86400e3
#define PARTITION_BYTES_PER_S 10e6 /* what one partition carries without anybody noticing */
#define ROUNDS_MAX            8
#define PEAK_HOURS_A_DAY      10.0 /* a day has as many calls as so many hours of its peak */

/* One process's share of the load. */
struct load {
    const struct cm_capacity_ask *ask;
    double records_per_s;
    double seats, teams, rooms, queues;
    double sliding, periods, windows; /* how many */
    double tick_s, span_s;
    double workers;
    /* What comes out, still without margin. */
    double rows_per_s, read_rows_per_s, legs, held_units, units;
    double judged_legs;
    double worker_cores, service_cores, wake_cores, memory_bytes;
};

double cm_capacity_row_rate(double records_per_s, double tick_s, double step_s)
{
    double leave_s = step_s > tick_s ? step_s : tick_s;
    double nothing_leaves = 1;
    if (step_s > 0) {
        nothing_leaves += tick_s / leave_s * expm1(-records_per_s * leave_s);
    }
    return (1 - exp(-records_per_s * tick_s) * nothing_leaves) / tick_s;
}

static void open_load(struct load *l, const struct cm_capacity_ask *ask)
{
    const struct cm_config *config = ask->config;
    double share = 1 / ask->processes;
    int64_t longest_ms = 0;
    *l = (struct load){
        .ask = ask,
        .records_per_s = ask->calls_an_hour * ask->events_a_call / 3600 * share,
        .seats = ask->seats * share,
        .teams = ceil(ask->teams * share),
        .rooms = ceil(ask->rooms * share),
        .queues = ceil(ask->queues * share),
        .sliding = config->windows.count,
        .periods = config->periods.count,
        .windows = config->all_count,
        .tick_s = (double)config->tick_ms / 1e3,
        .workers = 1,
    };
    for (uint32_t i = 0; i < config->all_count; i++) {
        longest_ms = config->all[i].length_ms > longest_ms ? config->all[i].length_ms : longest_ms;
    }
    l->span_s = (double)(longest_ms + config->allowed_lateness_ms) / 1e3;
    l->units = l->seats + l->teams + l->rooms + l->queues + 1;
}

/* Adds `count` like units, each held by `copies` workers, to the rows. */
static void add_kind(struct load *l, double count, double copies)
{
    const struct cm_config *config = l->ask->config;
    double rate = l->records_per_s / count, part = rate / copies;
    for (uint32_t i = 0; i < config->all_count; i++) {
        double step_s = config->all[i].is_period ? 0 : (double)config->all[i].step_ms / 1e3;
        l->rows_per_s += count * cm_capacity_row_rate(rate, l->tick_s, step_s);
        l->read_rows_per_s += count * copies * cm_capacity_row_rate(part, l->tick_s, step_s);
    }
    l->held_units += count * copies;
}

static double record_ns(const struct load *l)
{
    const struct cm_curves *c = l->ask->curves;
    return c->value[CM_CURVE_consume_ns] + c->value[CM_CURVE_decode_ns] +
           cm_curve_at(c, CM_CURVE_apply_1k_ns, l->seats) +
           fmax(l->sliding - 1, 0) * cm_curve_at(c, CM_CURVE_window_1k_ns, l->seats) +
           l->periods * cm_curve_at(c, CM_CURVE_period_1k_ns, l->seats);
}

/* The number of a curve that has one a layout: units, boards, both, in this order. */
static double by_layout(const struct load *l, enum cm_curve units)
{
    const struct cm_layouts *publish = &l->ask->config->publish;
    const double *at = l->ask->curves->value + units;
    return publish->units && publish->boards ? at[2] : publish->boards ? at[1] : at[0];
}

static void reckon(struct load *l)
{
    const struct cm_curves *c = l->ask->curves;
    l->rows_per_s = l->read_rows_per_s = l->held_units = 0;
    /* A leg lies once, however many units it counts for. */
    l->legs = l->records_per_s * l->span_s;
    l->judged_legs = l->records_per_s * 3600 * PEAK_HOURS_A_DAY *
                     ((double)l->ask->config->judge_within_ms / MS_PER_DAY);
    add_kind(l, l->seats, 1);
    add_kind(l, l->teams, l->workers);
    add_kind(l, l->rooms, l->workers);
    add_kind(l, l->queues, l->workers);
    add_kind(l, 1, l->workers);
    l->worker_cores = (l->records_per_s * record_ns(l) +
                       l->read_rows_per_s * cm_curve_at(c, CM_CURVE_read_1k_ns, l->seats)) /
                      1e9;
    l->service_cores = l->rows_per_s * by_layout(l, CM_CURVE_publish_units_ns) / 1e9;
    l->wake_cores = c->value[CM_CURVE_wake_cores];
    l->memory_bytes =
        c->value[CM_CURVE_process_bytes] +
        l->legs * cm_curve_at(c, CM_CURVE_leg_1k_bytes, l->seats) +
        l->judged_legs * c->value[CM_CURVE_judged_bytes] +
        l->held_units * (l->windows + (l->periods > 0)) * c->value[CM_CURVE_sum_bytes] +
        l->held_units * cm_curve_at(c, CM_CURVE_unit_1k_bytes, l->seats) +
        l->records_per_s * (double)l->ask->config->dedupe_ms / 1e3 * c->value[CM_CURVE_id_bytes];
}

/* More workers hold more copies of the shared units, which may want more workers. */
static void settle(struct load *l)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        reckon(l);
        double workers = fmax(ceil(l->worker_cores * l->ask->margin), 1);
        if (workers <= l->workers) {
            break;
        }
        l->workers = workers;
    }
}

/* --- what is said --- */

static CM_PRINTF(7, 8) void add_line(struct cm_capacity *out, const char *name, const char *label,
                                     const char *unit, double expected, double provide,
                                     const char *format, ...)
{
    CM_ASSERT(out->lines < CM_CAPACITY_LINES_MAX);
    struct cm_capacity_line *line = &out->line[out->lines++];
    *line = (struct cm_capacity_line){
        .name = name, .label = label, .unit = unit, .expected = expected, .provide = provide};
    va_list args;
    va_start(args, format);
    vsnprintf(line->why, sizeof(line->why), format, args);
    va_end(args);
}

static CM_PRINTF(2, 3) void add_note(struct cm_capacity *out, const char *format, ...)
{
    CM_ASSERT(out->notes < CM_CAPACITY_NOTES_MAX);
    va_list args;
    va_start(args, format);
    vsnprintf(out->note[out->notes++], sizeof(out->note[0]), format, args);
    va_end(args);
}

static void say_callmill(const struct load *l, struct cm_capacity *out)
{
    double all = l->ask->processes, margin = l->ask->margin;
    const struct cm_curves *c = l->ask->curves;
    add_line(out, "worker_cores", "workers", "cores", l->worker_cores * all,
             l->worker_cores * all * margin,
             "%.1f us a record (%.0f windows and periods), %.2f us to read each of %.0f rows/s",
             record_ns(l) / 1e3, l->windows, cm_curve_at(c, CM_CURVE_read_1k_ns, l->seats) / 1e3,
             l->read_rows_per_s * all);
    add_line(out, "service_cores", "publishing", "cores", l->service_cores * all,
             l->service_cores * all * margin,
             "%.1f us to merge, write and send each of %.0f rows/s",
             by_layout(l, CM_CURVE_publish_units_ns) / 1e3, l->rows_per_s * all);
    add_line(out, "wake_cores", "waking up", "cores", l->wake_cores * all,
             l->wake_cores * all * margin,
             "threads of a process that wait for records, ticks and answers; less below 1,000 "
             "records/s");
    double cores = l->worker_cores + l->service_cores + l->wake_cores;
    add_line(out, "callmill_cores", "callmill", "cores", cores * all, ceil(cores * margin) * all,
             "these together, whole cores a process; set workers: %.0f", l->workers);
    add_line(
        out, "callmill_memory_MiB", "callmill memory", "MiB", l->memory_bytes * all / MIB,
        l->memory_bytes * all * margin / MIB,
        "%.0f legs of %.0f bytes in panes, %.0f units in %.0f windows, ids of %.0f s, %.0f lines "
        "for judgements of %.0f days (%.0f peak hours each), %.0f MiB program a process",
        l->legs * all, cm_curve_at(c, CM_CURVE_leg_1k_bytes, l->seats), l->held_units * all,
        l->windows, (double)l->ask->config->dedupe_ms / 1e3, l->judged_legs * all,
        (double)l->ask->config->judge_within_ms / MS_PER_DAY, PEAK_HOURS_A_DAY,
        c->value[CM_CURVE_process_bytes] / MIB);
}

static void say_redis(const struct load *l, struct cm_capacity *out)
{
    double all = l->ask->processes, margin = l->ask->margin, rows = l->rows_per_s * all;
    double cores = rows * by_layout(l, CM_CURVE_redis_units_ns) / 1e9;
    double bytes = l->units * all * l->windows * by_layout(l, CM_CURVE_redis_units_bytes);
    double in = rows * by_layout(l, CM_CURVE_redis_units_in_bytes);
    add_line(out, "redis_cores", "Redis", "cores", cores, cores * margin,
             "%.2f us a row and layout set; boards that are read come on top",
             by_layout(l, CM_CURVE_redis_units_ns) / 1e3);
    add_line(out, "redis_memory_MiB", "Redis memory", "MiB", bytes / MIB, bytes * margin / MIB,
             "%.0f units in %.0f windows, %.0f bytes each; closed periods come on top",
             l->units * all, l->windows, by_layout(l, CM_CURVE_redis_units_bytes));
    add_line(out, "redis_in_MB_per_s", "to Redis", "MB/s", in / MB, in * margin / MB,
             "%.0f bytes a row", by_layout(l, CM_CURVE_redis_units_in_bytes));
}

static void say_kafka(const struct load *l, struct cm_capacity *out)
{
    static const char *const codecs[] = {"no compression", "lz4", "zstd"};
    const struct cm_capacity_ask *ask = l->ask;
    double record_bytes =
        ask->record_bytes > 0 ? ask->record_bytes : ask->curves->value[CM_CURVE_record_bytes];
    double raw = out->records_per_s * record_bytes;
    double share = ask->curves->value[(int)CM_CURVE_wire_none_share + (int)ask->codec];
    add_line(out, "kafka_raw_MB_per_s", "records", "MB/s", raw / MB, raw * ask->margin / MB,
             "%.0f records/s of %.0f bytes", out->records_per_s, record_bytes);
    add_line(out, "kafka_MB_per_s", "Kafka", "MB/s", raw * share / MB,
             raw * share * ask->margin / MB,
             "%s: %.2f bytes in the log a byte of records; once in, and once out a consumer",
             codecs[ask->codec], share);
    double workers = l->workers * ask->processes;
    double partitions = fmax(2 * workers, ceil(raw * ask->margin / PARTITION_BYTES_PER_S));
    partitions = ceil(partitions / workers) * workers;
    add_line(
        out, "kafka_partitions", "partitions", "", -1, partitions,
        "a multiple of %.0f worker%s, twice as many so that they may double; at most 10 MB/s of "
        "records each",
        workers, workers > 1 ? "s" : "");
}

static void say_notes(const struct load *l, struct cm_capacity *out)
{
    const struct cm_capacity_ask *ask = l->ask;
    double margin = ask->margin;
    double redis_cores =
        l->rows_per_s * ask->processes * by_layout(l, CM_CURVE_redis_units_ns) / 1e9;
    if (l->service_cores * margin > 1) {
        add_note(out,
                 "one thread of a process publishes, and %.2f cores are asked of it: a longer "
                 "tick, one layout, fewer windows or more processes",
                 l->service_cores * margin);
    }
    if (redis_cores * margin > 1) {
        add_note(out,
                 "Redis carries out commands in one thread, and %.2f cores are asked of it: a "
                 "longer tick, one layout, fewer windows, or a Redis for each process",
                 redis_cores * margin);
    }
    if (ask->processes > 1) {
        add_note(out,
                 "each of %.0f processes needs a topic or centre of its own: processes of one "
                 "consumer group would overwrite each other's totals",
                 ask->processes);
    }
    if (l->seats < 1000 || l->seats > 1e6) {
        add_note(out, "%.0f seats a process are %s than was measured; reckoned like %s", l->seats,
                 l->seats < 1000 ? "fewer" : "more", l->seats < 1000 ? "1,000" : "1,000,000");
    }
    if (ask->curves->read > 0 && ask->curves->read < CM_CURVE_COUNT) {
        add_note(out, "%u of %d curves are from the file, the others built in", ask->curves->read,
                 CM_CURVE_COUNT);
    }
}

void cm_capacity_plan(const struct cm_capacity_ask *ask, struct cm_capacity *out)
{
    struct load l;
    open_load(&l, ask);
    settle(&l);
    *out = (struct cm_capacity){
        .records_per_s = l.records_per_s * ask->processes,
        .rows_per_s = l.rows_per_s * ask->processes,
        .units = l.units * ask->processes,
        .legs = l.legs * ask->processes,
    };
    say_callmill(&l, out);
    say_redis(&l, out);
    say_kafka(&l, out);
    say_notes(&l, out);
}
