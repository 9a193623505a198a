// SPDX-License-Identifier: Apache-2.0
/* curves_bench.c — what a record and a row of figures cost the windows, by the number of seats and
 * of windows: the curves that `callmill plan` reckons with. bench/curves runs it.
 *
 *   curves_bench [--seats N] [--events N] [--repeats N] [--json FILE]
 *
 * Two hours of a busy morning (at most --events, 3 million unless given), the first half untimed;
 * moved on every 200 ms of event time as a worker does. Three sets of windows: one (5m/5s), the
 * four of the defaults, those and four calendar periods; without reading. Then the last set with
 * all changed figures read at each tick: the difference, by the rows read, is the cost of a row.
 * 3 million events at 1,000,000 seats are 12 minutes: the window of an hour is not full there.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "bench/bench.h"
#include "bench/centre.h"
#include "bench/live.h"

#define SPAN_MS     (2 * CM_MS_PER_H)
#define EVENTS_MOST 3000000u

struct job {
    const struct cm_bench_events *events;
    const struct cm_roster *roster;
    const struct cm_config *config;
    bool reads;
    uint64_t rows;
};

static uint64_t run_windows(void *context, struct cm_bench_clock *clock)
{
    struct job *job = context;
    struct cm_bench_live live;
    struct cm_windows *windows = cm_windows_create(job->config, job->roster, 0, 0);
    uint32_t half = job->events->count / 2;
    cm_bench_live_init(&live, windows, job->config, false);
    live.reads = job->reads;
    for (uint32_t i = 0; i < half; i++) {
        cm_bench_live_apply(&live, &job->events->at[i], NULL);
    }
    live.rows = 0;
    cm_bench_start(clock);
    for (uint32_t i = half; i < job->events->count; i++) {
        cm_bench_live_apply(&live, &job->events->at[i], NULL);
    }
    cm_bench_stop(clock);
    job->rows = live.rows;
    cm_windows_destroy(windows);
    return job->events->count - half;
}

static void measure_size(struct cm_bench *bench, uint32_t seats, uint32_t most, uint32_t repeats)
{
    static const char *const one[] = {"windows=[5m/5s]", "periods=[]"};
    static const char *const four[] = {"periods=[]"};
    static const char *const names[] = {"1 window", "4 windows", "4 windows, 4 periods",
                                        "4 windows, 4 periods, read"};
    struct cm_bench_centre centre;
    struct cm_bench_events events;
    cm_bench_centre_open(&centre, seats, true, NULL, 0);
    struct cm_config *configs[] = {cm_bench_config(&centre, one, 2),
                                   cm_bench_config(&centre, four, 1), centre.config, centre.config};
    cm_bench_events_make(&centre, most, SPAN_MS, &events);
    double unread_ns = 0;
    for (int i = 0; i < 4; i++) {
        char name[64];
        struct job job = {
            .events = &events, .roster = centre.roster, .config = configs[i], .reads = i == 3};
        snprintf(name, sizeof(name), "%u seats, %s", seats, names[i]);
        struct cm_bench_row *row = cm_bench_measure(bench, name, false, repeats, run_windows, &job);
        if (i == 3) {
            double rows = (double)job.rows / (double)row->events;
            cm_bench_set(row, "rows/event", rows);
            cm_bench_set(row, "row_ns", (cm_bench_cpu_ns(row) - unread_ns) / rows);
        }
        unread_ns = cm_bench_cpu_ns(row);
    }
    cm_bench_note(bench, "%u seats: %u events, %.4f a second and seat.", seats, events.count,
                  (double)events.count * 1e3 /
                      (double)(events.at[events.count - 1].ts_ms - events.at[0].ts_ms + 1) / seats);
    cm_bench_events_free(&events);
    cm_config_free(configs[0]);
    cm_config_free(configs[1]);
    cm_bench_centre_close(&centre);
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = {1000, 10000, 100000, 1000000};
    uint64_t repeats = 1, only = 0, most = EVENTS_MOST;
    const char *json = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seats") == 0) {
            only = cm_bench_number(argv[i], argv[i + 1], 1, CM_TRAFFIC_SEATS_MAX);
            i++;
        } else if (strcmp(argv[i], "--events") == 0) {
            most = cm_bench_number(argv[i], argv[i + 1], 1000, EVENTS_MOST);
            i++;
        } else if (strcmp(argv[i], "--repeats") == 0) {
            repeats = cm_bench_number(argv[i], argv[i + 1], 1, CM_BENCH_REPEATS_MAX);
            i++;
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            json = argv[++i];
        } else {
            fputs("curves_bench [--seats N] [--events N] [--repeats N] [--json FILE]\n", stderr);
            return 2;
        }
    }
    struct cm_bench *bench = cm_bench_open("curves_bench", json);
    for (size_t i = 0; i < CM_ARRAY_LEN(sizes); i++) {
        measure_size(bench, only > 0 ? (uint32_t)only : sizes[i], (uint32_t)most,
                     (uint32_t)repeats);
        if (only > 0) {
            break;
        }
    }
    return cm_bench_close(bench);
}
