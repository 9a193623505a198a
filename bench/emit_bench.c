// SPDX-License-Identifier: Apache-2.0
/* emit_bench.c — records a CPU-second when every row that changed is emitted at every step of its
 * window, as stream engines do it, to a sink that only counts.
 *
 *   records in memory ─► decode ─► apply ─┬─► at each step: advance, changed, measure ─► sink
 *                                         └─ event time less allowed_lateness: the watermark
 *
 *   emit_bench [--seats N] [--rate N] [--records N] [--windows LIST] [--mode MODE] [--repeats N]
 *              [--json FILE]
 *
 * --seats: 100,000 unless given; --rate: records a second of event time, 20 an hour and seat unless
 * given (555 of 100,000 seats); --windows: one set in place of the two, as in the configuration.
 *
 * The records are those of the other benchmarks (callmill gen, calls that seats can serve); record
 * i is put at i / rate seconds, so that the load is the same all the way. Windows without calendar
 * periods, all kinds of units: seats, teams, rooms, the centre, queues. Before the clock runs the
 * longest window is filled, and for the last minutes rows are emitted as well, so that the first
 * look at a seat is not in the figures.
 *
 * A row is one unit in one window as of one step. Decoding is in the figures, and stands by itself
 * in a row of its own. Nothing is merged over steps: `run` publishes at ticks instead. The other
 * MODEs, `live` and `trailing` in place of `steps`, are those of live.h, for comparison: rows at
 * each tick of 200 ms, as a worker, and windows that move and are not read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"
#include "bench/bench.h"
#include "bench/centre.h"
#include "bench/live.h"
#include "decode/decoder.h"
#include "window/windows.h"

#define RECORDS      200000u
#define RECORDS_MOST 2000000u
#define CALLS_AN_H   20u
#define RESET_EVERY  2048u
#define FIRST_LOOKS  (4 * CM_MS_PER_M) /* emitted before the clock runs: a call or more a seat */

enum mode { MODE_STEPS, MODE_LIVE, MODE_TRAILING, MODE_COUNT };

static const char *const mode_names[MODE_COUNT] = {"steps", "live", "trailing"};

struct options {
    uint32_t seats, records, repeats;
    double rate;
    enum mode mode;
};

struct emit {
    const struct options *options;
    const struct cm_config *config;
    struct cm_windows *windows;
    struct cm_bench_live live; /* the other modes */
    int64_t grain_ms, next_ms;
    bool emits;
    uint64_t rows, entries, checksum;
    int64_t advance_ns, rows_ns;      /* CPU time; with the trim */
    double advance_share, rows_share; /* of the timed part */
};

struct job {
    const struct options *options;
    const struct cm_config *config;
    struct emit last; /* of the last run: counts over the timed part */
    double bytes;
};

/* ---- records ---- */

struct records {
    struct cm_text bytes;
    size_t *at; /* count + 1 of them */
    uint32_t count;
};

static void keep_records(struct cm_traffic *traffic, uint32_t count, struct records *out)
{
    struct cm_text line = {0};
    struct cm_str key;
    int64_t ts_ms;
    *out = (struct records){.at = cm_alloc(count + 1, sizeof(size_t))};
    while (out->count < count && cm_traffic_next(traffic, &line, &ts_ms, &key)) {
        cm_text_add(&out->bytes, line.data, line.len);
        out->at[++out->count] = out->bytes.len;
    }
    cm_text_free(&line);
}

static void free_records(struct records *records)
{
    cm_text_free(&records->bytes);
    free(records->at);
}

static void decode(struct cm_decoder *decoder, const struct records *records, uint32_t i,
                   struct cm_event *event)
{
    if (i % RESET_EVERY == 0) {
        cm_decoder_reset(decoder);
    }
    enum cm_reason reason = cm_decode(decoder, records->bytes.data + records->at[i],
                                      records->at[i + 1] - records->at[i], event);
    CM_ASSERT(reason == CM_REASON_NONE);
}

static int64_t time_of(const struct options *options, uint64_t record)
{
    return CM_BENCH_START_MS + (int64_t)((double)record * 1e3 / options->rate);
}

/* ---- steps ---- */

/* The sink. Every integer of the row is looked at. */
static void take_row(struct emit *e, const struct cm_measures *m)
{
    uint64_t sum = m->busy_ms + m->available_ms + m->tally.wait_max_ms + m->tally.handle_max_ms;
    for (uint32_t i = 0; i < CM_TALLY_COUNT_N; i++) {
        sum += m->tally.count[i];
    }
    for (uint32_t i = 0; i < CM_TALLY_SUM_N; i++) {
        sum += m->tally.sum[i];
    }
    for (uint32_t i = 0; i < m->details.count; i++) {
        sum += m->details.at[i].count + m->details.at[i].passed;
    }
    e->checksum = e->checksum * 31 + sum;
    e->rows++;
}

static void emit_window(struct emit *e, uint32_t window)
{
    uint32_t count = 0;
    const struct cm_changed_unit *changed =
        cm_windows_changed_in(e->windows, CM_VIEW_ROWS, window, &count);
    for (uint32_t i = 0; i < count; i++) {
        cm_windows_expect_rows(e->windows, CM_VIEW_ROWS, changed, count, i);
        struct cm_measures m;
        (void)cm_windows_measure(e->windows, CM_VIEW_ROWS, window, changed[i].unit, &m);
        take_row(e, &m);
    }
}

static void step_windows(struct emit *e, int64_t asof_ms)
{
    for (uint32_t i = 0; i < e->config->all_count; i++) {
        if (asof_ms % e->config->all[i].step_ms != 0) {
            continue;
        }
        int64_t begin_ns = cm_clock_cpu_ns();
        cm_windows_advance(e->windows, CM_VIEW_ROWS, i, asof_ms);
        int64_t advanced_ns = cm_clock_cpu_ns();
        e->advance_ns += advanced_ns - begin_ns;
        if (e->emits) {
            emit_window(e, i);
            e->rows_ns += cm_clock_cpu_ns() - advanced_ns;
        }
    }
    int64_t begin_ns = cm_clock_cpu_ns();
    cm_windows_trim(e->windows);
    e->advance_ns += cm_clock_cpu_ns() - begin_ns;
}

static void take_event(struct emit *e, const struct cm_event *event, const struct cm_hint *hint)
{
    if (e->options->mode != MODE_STEPS) {
        e->live.reads = e->emits;
        cm_bench_live_apply(&e->live, event, hint);
        return;
    }
    int64_t watermark_ms = event->ts_ms - e->config->allowed_lateness_ms;
    for (; e->next_ms <= watermark_ms; e->next_ms += e->grain_ms) {
        step_windows(e, e->next_ms);
    }
    e->checksum += cm_windows_apply(e->windows, event, hint, watermark_ms);
}

static void begin_emit(struct emit *e, const struct job *job, const struct cm_roster *roster)
{
    *e = (struct emit){.options = job->options, .config = job->config};
    e->windows = cm_windows_create(job->config, roster, 0, 0);
    cm_bench_live_init(&e->live, e->windows, job->config, job->options->mode == MODE_TRAILING);
    e->grain_ms = cm_windows_pane_ms(e->windows); /* every step is a multiple of it */
    e->next_ms = CM_BENCH_START_MS - CM_BENCH_START_MS % e->grain_ms + e->grain_ms;
}

/* ---- runs ---- */

/* How many records come before the timed ones: the longest window, and the first looks. */
static uint64_t warm_records(const struct job *job)
{
    int64_t longest_ms = 0;
    for (uint32_t i = 0; i < job->config->all_count; i++) {
        int64_t length_ms = job->config->all[i].length_ms;
        longest_ms = length_ms > longest_ms ? length_ms : longest_ms;
    }
    double span_ms = (double)(longest_ms + FIRST_LOOKS + job->config->allowed_lateness_ms);
    return (uint64_t)(span_ms * job->options->rate / 1e3);
}

/* As a worker does: what the next ones need is fetched from memory while they are decoded. */
static void take_records(struct emit *e, struct cm_decoder *decoder, const struct records *records,
                         uint64_t first)
{
    struct cm_event events[CM_WINDOWS_EXPECT];
    struct cm_hint hints[CM_WINDOWS_EXPECT];
    for (uint32_t begin = 0; begin < records->count; begin += CM_WINDOWS_EXPECT) {
        uint32_t left = records->count - begin;
        uint32_t count = left < CM_WINDOWS_EXPECT ? left : CM_WINDOWS_EXPECT;
        for (uint32_t i = 0; i < count; i++) {
            decode(decoder, records, begin + i, &events[i]);
            events[i].ts_ms = time_of(e->options, first + begin + i);
        }
        const struct cm_event *next[CM_WINDOWS_EXPECT];
        for (uint32_t k = 0; k < count; k++) {
            next[k] = &events[k];
        }
        cm_windows_expect(e->windows, next, count, hints);
        for (uint32_t i = 0; i < count; i++) {
            take_event(e, &events[i], &hints[i]);
        }
    }
}

static void warm_up(struct emit *e, struct cm_bench_centre *centre, struct cm_decoder *decoder,
                    uint64_t count)
{
    struct records records;
    double looks = (double)FIRST_LOOKS * e->options->rate / 1e3;
    for (uint64_t done = 0; done < count; done += records.count) {
        uint64_t left = count - done;
        keep_records(centre->traffic, left < RESET_EVERY ? (uint32_t)left : RESET_EVERY, &records);
        e->emits = (double)left <= looks;
        take_records(e, decoder, &records, done);
        free_records(&records);
    }
    e->emits = true;
    e->rows = e->live.rows = 0;
    e->advance_ns = e->rows_ns = e->live.advance_ns = e->live.rows_ns = 0;
}

/* The live modes read the wall clock, as they do so often that it matters. */
static void end_emit(struct emit *e, const struct cm_bench_clock *clock)
{
    bool by_steps = e->options->mode == MODE_STEPS;
    double all_ns = (double)(by_steps ? clock->cpu_ns : clock->wall_ns);
    e->advance_share = (double)(by_steps ? e->advance_ns : e->live.advance_ns) / all_ns;
    e->rows_share = (double)(by_steps ? e->rows_ns : e->live.rows_ns) / all_ns;
    e->rows = by_steps ? e->rows : e->live.rows;
    e->checksum = by_steps ? e->checksum : e->live.checksum;
    e->entries = cm_windows_entries(e->windows);
    cm_windows_destroy(e->windows);
    e->windows = NULL;
}

static uint64_t run_emit(void *context, struct cm_bench_clock *clock)
{
    struct job *job = context;
    struct cm_bench_centre centre;
    struct records records;
    struct emit *e = &job->last;
    struct cm_decoder *decoder = cm_decoder_create();
    uint64_t before = warm_records(job);

    cm_bench_centre_open(&centre, job->options->seats, true, NULL, 0);
    begin_emit(e, job, centre.roster);
    warm_up(e, &centre, decoder, before);
    keep_records(centre.traffic, job->options->records, &records);
    cm_bench_start(clock);
    take_records(e, decoder, &records, before);
    cm_bench_stop(clock);
    end_emit(e, clock);
    free_records(&records);
    cm_decoder_destroy(decoder);
    cm_bench_centre_close(&centre);
    return job->options->records;
}

static uint64_t run_decode(void *context, struct cm_bench_clock *clock)
{
    struct job *job = context;
    struct cm_bench_centre centre;
    struct records records;
    struct cm_decoder *decoder = cm_decoder_create();

    cm_bench_centre_open(&centre, job->options->seats, true, NULL, 0);
    keep_records(centre.traffic, job->options->records, &records);
    cm_bench_start(clock);
    for (uint32_t i = 0; i < records.count; i++) {
        struct cm_event event;
        decode(decoder, &records, i, &event);
    }
    cm_bench_stop(clock);
    job->bytes = (double)records.bytes.len / records.count;
    free_records(&records);
    cm_decoder_destroy(decoder);
    cm_bench_centre_close(&centre);
    return job->options->records;
}

/* ---- rows of the table ---- */

static void measure_set(struct cm_bench *bench, struct job *job, double decode_ns)
{
    char name[64], what[32];
    const struct cm_config *config = job->config;
    if (config->all_count == 1) {
        char length[24], step[24];
        snprintf(what, sizeof(what), "%.15s/%.15s",
                 cm_format_duration(config->all[0].length_ms, length),
                 cm_format_duration(config->all[0].step_ms, step));
    } else {
        snprintf(what, sizeof(what), "%u windows", config->all_count);
    }
    snprintf(name, sizeof(name), "%u seats, %s, %s", job->options->seats, what,
             mode_names[job->options->mode]);
    struct cm_bench_row *row =
        cm_bench_measure(bench, name, false, job->options->repeats, run_emit, job);
    const struct emit *e = &job->last;
    double events = (double)row->events, cpu_ns = cm_bench_cpu_ns(row);
    double rest = 1 - e->rows_share - e->advance_share;
    cm_bench_set(row, "records/CPU-s", 1e9 / cpu_ns);
    cm_bench_set(row, "rows/record", (double)e->rows / events);
    cm_bench_set(row, "rows/CPU-s", (double)e->rows / events * 1e9 / cpu_ns);
    if (e->rows > 0) {
        cm_bench_set(row, "row_ns", e->rows_share * cpu_ns * events / (double)e->rows);
    }
    cm_bench_set(row, "decode_ns", decode_ns);
    cm_bench_set(row, "apply_ns", rest * cpu_ns - decode_ns);
    cm_bench_set(row, "advance_ns", e->advance_share * cpu_ns);
    cm_bench_set(row, "rows_ns", e->rows_share * cpu_ns);
    cm_bench_set(row, "legs", (double)e->entries);
    cm_bench_set(row, "checksum", (double)(e->checksum & 0xffffffff));
}

static void measure(struct cm_bench *bench, const struct options *options, const char *windows)
{
    static const char *const texts[] = {"windows=[5m/5s]", "periods=[]"};
    static const char *const four[] = {"periods=[]"};
    struct cm_bench_centre centre;
    struct job job = {.options = options};
    char name[64], own_text[512];
    const char *own[] = {own_text, "periods=[]"};

    cm_bench_centre_open(&centre, options->seats, true, NULL, 0);
    snprintf(own_text, sizeof(own_text), "windows=[%s]", windows == NULL ? "" : windows);
    struct cm_config *first = cm_bench_config(&centre, windows == NULL ? texts : own, 2);
    snprintf(name, sizeof(name), "%u seats, decode alone", options->seats);
    struct cm_bench_row *row =
        cm_bench_measure(bench, name, true, options->repeats, run_decode, &job);
    double decode_ns = cm_bench_cpu_ns(row);
    cm_bench_set(row, "records/CPU-s", 1e9 / decode_ns);
    cm_bench_set(row, "bytes/record", job.bytes);
    job.config = first;
    measure_set(bench, &job, decode_ns);
    cm_config_free(first);
    if (windows == NULL) {
        struct cm_config *defaults = cm_bench_config(&centre, four, 1);
        job.config = defaults;
        measure_set(bench, &job, decode_ns);
        cm_config_free(defaults);
    }
    cm_bench_note(bench, "%u seats: %.1f records/s of event time, %u records timed, %.0f s of it.",
                  options->seats, options->rate, options->records,
                  (double)options->records / options->rate);
    cm_bench_centre_close(&centre);
}

static enum mode parse_mode(const char *text)
{
    for (enum mode mode = MODE_STEPS; mode < MODE_COUNT; mode++) {
        if (text != NULL && strcmp(text, mode_names[mode]) == 0) {
            return mode;
        }
    }
    fputs("--mode: steps, live or trailing is needed\n", stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    struct options options = {.seats = 100000, .records = RECORDS, .repeats = 3};
    const char *json = NULL, *windows = NULL;
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--seats") == 0) {
            options.seats = (uint32_t)cm_bench_number(argv[i], value, 1, CM_TRAFFIC_SEATS_MAX);
        } else if (strcmp(argv[i], "--rate") == 0) {
            options.rate = (double)cm_bench_number(argv[i], value, 1, 10000000);
        } else if (strcmp(argv[i], "--records") == 0) {
            options.records = (uint32_t)cm_bench_number(argv[i], value, 1000, RECORDS_MOST);
        } else if (strcmp(argv[i], "--repeats") == 0) {
            options.repeats = (uint32_t)cm_bench_number(argv[i], value, 1, CM_BENCH_REPEATS_MAX);
        } else if (strcmp(argv[i], "--mode") == 0) {
            options.mode = parse_mode(value);
        } else if (strcmp(argv[i], "--windows") == 0 && value != NULL) {
            windows = value;
        } else if (strcmp(argv[i], "--json") == 0 && value != NULL) {
            json = value;
        } else {
            fputs("emit_bench [--seats N] [--rate N] [--records N] [--windows LIST] [--mode MODE] "
                  "[--repeats N] [--json FILE]\n",
                  stderr);
            return 2;
        }
    }
    if (options.rate == 0) {
        options.rate = (double)options.seats * CALLS_AN_H / 3600;
    }
    struct cm_bench *bench = cm_bench_open("emit_bench", json);
    measure(bench, &options, windows);
    return cm_bench_close(bench);
}
