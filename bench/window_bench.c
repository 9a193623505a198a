// SPDX-License-Identifier: Apache-2.0
/* window_bench.c — the windows stage alone, fed with decoded events from memory, at several numbers
 * of seats; beside it a loop that only copies the events, the limit of the memory.
 *
 *   window_bench [--large] [--quick] [--seats N] [--trailing] [--repeats N] [--json FILE]
 *
 * --seats: that many only; --trailing: without the modes in which rows are read.
 *
 * Two hours of a busy morning (at most 3 million events; --quick: 300,000). The first half fills
 * the windows and is not timed, so the second half adds panes and takes panes away. CPU time and
 * the number of seats are what matters here: how far cost follows the events, not the seats.
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

#define SPAN_MS      (2 * CM_MS_PER_H)
#define EVENTS_MOST  3000000u
#define EVENTS_QUICK 300000u

struct job {
    const struct cm_bench_events *events;
    const struct cm_roster *roster;
    const struct cm_config *config;
    bool trailing;
    struct cm_bench_live live; /* of the last run: counts over the timed half */
    uint64_t entries;
    int64_t wall_ns;
};

static uint64_t run_copy(void *context, struct cm_bench_clock *clock)
{
    const struct job *job = context;
    struct cm_event *copy = cm_alloc(job->events->count, sizeof(*copy));
    /* Written once before: page faults are not the limit that is meant. */
    memset(copy, 1, job->events->count * sizeof(*copy));
    cm_bench_start(clock);
    for (uint32_t i = 0; i < job->events->count; i++) {
        copy[i] = job->events->at[i];
        __asm__ volatile("" : : "r"(&copy[i]) : "memory");
    }
    cm_bench_stop(clock);
    free(copy);
    return job->events->count;
}

static uint64_t run_windows(void *context, struct cm_bench_clock *clock)
{
    struct job *job = context;
    struct cm_windows *windows = cm_windows_create(job->config, job->roster, 0, 0);
    struct cm_bench_live *live = &job->live;
    uint32_t half = job->events->count / 2;

    cm_bench_live_init(live, windows, job->config, job->trailing);
    for (uint32_t i = 0; i < half; i++) {
        cm_bench_live_apply(live, &job->events->at[i], NULL);
    }
    live->ticks = live->rows = 0;
    live->advance_ns = live->rows_ns = 0;
    cm_bench_start(clock);
    for (uint32_t i = half; i < job->events->count; i++) {
        cm_bench_live_apply(live, &job->events->at[i], NULL);
    }
    cm_bench_stop(clock);
    job->wall_ns = clock->wall_ns;
    job->entries = cm_windows_entries(windows);
    cm_windows_destroy(windows);
    return job->events->count - half;
}

static void measure_mode(struct cm_bench *bench, struct job *job, uint32_t repeats,
                         const char *seats, bool has_periods, double copy_ns)
{
    char name[64];
    snprintf(name, sizeof(name), "%s seats, %s, %s", seats, job->trailing ? "trailing" : "live",
             has_periods ? "with periods" : "no periods");
    struct cm_bench_row *row = cm_bench_measure(bench, name, false, repeats, run_windows, job);
    double events = (double)row->events;
    double wall_ns = (double)job->wall_ns;
    cm_bench_set(row, "x_copy", cm_bench_cpu_ns(row) / copy_ns);
    cm_bench_set(row, "ticks/event", (double)job->live.ticks / events);
    cm_bench_set(row, "advance%", 100 * (double)job->live.advance_ns / wall_ns);
    if (!job->trailing) {
        cm_bench_set(row, "rows/event", (double)job->live.rows / events);
        cm_bench_set(row, "reading%", 100 * (double)job->live.rows_ns / wall_ns);
    }
    cm_bench_set(row, "legs", (double)job->entries);
}

static void measure_size(struct cm_bench *bench, uint32_t seats, uint32_t most, uint32_t repeats,
                         int first_mode)
{
    static const char *const no_periods[] = {"periods=[]"};
    struct cm_bench_centre centre;
    struct cm_bench_events events;
    char label[16], name[64];

    cm_bench_centre_open(&centre, seats, true, NULL, 0);
    struct cm_config *without = cm_bench_config(&centre, no_periods, 1);
    cm_bench_events_make(&centre, most, SPAN_MS, &events);
    snprintf(label, sizeof(label), "%uk", seats / 1000);
    struct job job = {.events = &events, .roster = centre.roster, .config = centre.config};
    snprintf(name, sizeof(name), "%s seats, limit: copy the events", label);
    double copy_ns = cm_bench_cpu_ns(cm_bench_measure(bench, name, true, repeats, run_copy, &job));
    for (int mode = first_mode; mode < 4; mode++) {
        bool has_periods = mode % 2 == 0;
        job.config = has_periods ? centre.config : without;
        job.trailing = mode >= 2;
        measure_mode(bench, &job, repeats, label, has_periods, copy_ns);
    }
    cm_bench_note(bench, "%s seats: %u events over %.0f min of event time, %.0f a second.", label,
                  events.count,
                  (double)(events.at[events.count - 1].ts_ms - events.at[0].ts_ms) / 6e4,
                  (double)events.count * 1e3 /
                      (double)(events.at[events.count - 1].ts_ms - events.at[0].ts_ms + 1));
    cm_bench_events_free(&events);
    cm_config_free(without);
    cm_bench_centre_close(&centre);
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = {1000, 10000, 100000, 1000000};
    uint64_t repeats = 3;
    uint32_t most = EVENTS_MOST;
    size_t count = 3;
    uint64_t seats = 0;
    int first_mode = 0;
    const char *json = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--large") == 0) {
            count = CM_ARRAY_LEN(sizes);
        } else if (strcmp(argv[i], "--quick") == 0) {
            most = EVENTS_QUICK;
        } else if (strcmp(argv[i], "--trailing") == 0) {
            first_mode = 2;
        } else if (strcmp(argv[i], "--seats") == 0) {
            seats = cm_bench_number(argv[i], argv[i + 1], 100, 10000000);
            i++;
        } else if (strcmp(argv[i], "--repeats") == 0) {
            repeats = cm_bench_number(argv[i], argv[i + 1], 1, CM_BENCH_REPEATS_MAX);
            i++;
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            json = argv[++i];
        } else {
            fputs("window_bench [--large] [--quick] [--seats N] [--trailing] [--repeats N] "
                  "[--json FILE]\n",
                  stderr);
            return 2;
        }
    }
    struct cm_bench *bench = cm_bench_open("window_bench", json);
    for (size_t i = 0; seats == 0 && i < count; i++) {
        measure_size(bench, sizes[i], most, (uint32_t)repeats, first_mode);
    }
    if (seats > 0) {
        measure_size(bench, (uint32_t)seats, most, (uint32_t)repeats, first_mode);
    }
    return cm_bench_close(bench);
}
