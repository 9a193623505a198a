// SPDX-License-Identifier: Apache-2.0
/* memory_bench.c — how much memory windows take: bytes a seat and bytes a leg in its pane.
 *
 *   memory_bench [--seats N] [--json FILE]
 *
 * Each seat has 20 calls an hour, evenly spread, over 70 minutes of event time, so that the window
 * of an hour is full; seats sit in teams of 12 and rooms of 13 teams; default windows, with and
 * without calendar periods, moved on every 200 ms as a worker does it. Each case runs in a process
 * of its own, so that its resident size is its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"
#include "base/prng.h"
#include "bench/bench.h"
#include "bench/centre.h"
#include "bench/live.h"

#define CALLS_AN_HOUR 20
#define SPAN_MS       (70 * CM_MS_PER_M)
#define GIB           1073741824.0

struct result {
    struct cm_windows_memory memory;
    uint64_t events;
    size_t before_bytes, resident_bytes, peak_bytes;
};

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* A call of a seat: its times are those of a bank's calls. */
static void make_event(struct cm_event *event, struct cm_prng *prng, int64_t ts_ms,
                       struct cm_str seat, struct cm_str id)
{
    static const struct cm_check checks[] = {{{"greeting", 8}, 1}, {{"identity", 8}, 1}};
    double talk_ms = cm_prng_lognormal(prng, 11.58, 1.0);
    *event = (struct cm_event){
        .type = CM_EVENT_CDR,
        .outcome = cm_prng_below(prng, 10) == 0 ? CM_OUTCOME_ABANDONED : CM_OUTCOME_ANSWERED,
        .end = CM_END_CALLER,
        .rating = -1,
        .ts_ms = ts_ms,
        .wait_ms = (uint32_t)cm_prng_below(prng, 60000),
        .talk_ms = (uint32_t)(talk_ms > 3e6 ? 3e6 : talk_ms),
        .acw_ms = (uint32_t)cm_prng_below(prng, 30000),
        .id = id,
        .seat = seat,
        .queue = CM_STR("q1"),
        .checks = checks,
        .checks_count = 2,
    };
}

/* Slot by slot of 180 s each seat has one call, in an order of the slot's own. */
static uint64_t feed(struct cm_bench_live *live, const struct cm_roster *roster)
{
    const int64_t slot_ms = CM_MS_PER_H / CALLS_AN_HOUR;
    struct cm_prng prng;
    uint32_t seats = 0;
    const struct cm_seat_row *rows = cm_roster_rows(roster, &seats);
    uint64_t events = 0;
    cm_prng_seed(&prng, 1);
    for (int64_t slot = 0; slot * slot_ms < SPAN_MS; slot++) {
        uint64_t step = cm_prng_below(&prng, seats) + 1;
        while (gcd(step, seats) != 1) {
            step++;
        }
        uint64_t seat = cm_prng_below(&prng, seats);
        for (uint32_t i = 0; i < seats; i++) {
            int64_t offset_ms = slot * slot_ms + slot_ms * i / seats;
            if (offset_ms >= SPAN_MS) {
                break;
            }
            char id[24];
            int len = snprintf(id, sizeof(id), "m%llu", (unsigned long long)events);
            struct cm_event event;
            make_event(&event, &prng, CM_BENCH_START_MS + offset_ms, rows[seat].seat,
                       (struct cm_str){id, (uint32_t)len});
            cm_bench_live_apply(live, &event, NULL);
            events++;
            seat = (seat + step) % seats;
        }
    }
    return events;
}

static void work(uint32_t seats, bool has_periods, struct result *out)
{
    static const char *const no_periods[] = {"periods=[]"};
    struct cm_bench_centre centre;
    struct cm_bench_live live;
    struct rusage usage;

    cm_bench_centre_open(&centre, seats, true, no_periods, has_periods ? 0 : 1);
    out->before_bytes = cm_memory_resident_bytes();
    struct cm_windows *windows = cm_windows_create(centre.config, centre.roster, 0, 0);
    cm_bench_live_init(&live, windows, centre.config, false);
    live.reads = false;
    out->events = feed(&live, centre.roster);
    cm_windows_memory(windows, &out->memory);
    out->resident_bytes = cm_memory_resident_bytes();
    getrusage(RUSAGE_SELF, &usage);
    out->peak_bytes = (size_t)usage.ru_maxrss * 1024;
    out->peak_bytes = out->resident_bytes > out->peak_bytes ? out->resident_bytes : out->peak_bytes;
    cm_windows_destroy(windows);
    cm_bench_centre_close(&centre);
}

static void work_apart(uint32_t seats, bool has_periods, struct result *out)
{
    int ends[2];
    if (pipe(ends) != 0) {
        cm_bench_die("memory_bench: no pipe");
    }
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) {
        cm_bench_die("memory_bench: no process");
    }
    if (child == 0) {
        struct result mine = {0};
        work(seats, has_periods, &mine);
        _exit(write(ends[1], &mine, sizeof(mine)) == (ssize_t)sizeof(mine) ? 0 : 1);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], out, sizeof(*out));
    close(ends[0]);
    waitpid(child, NULL, 0);
    if (got != (ssize_t)sizeof(*out)) {
        cm_bench_die("memory_bench: the process for %u seats failed", seats);
    }
}

static void measure(struct cm_bench *bench, uint32_t seats, bool has_periods)
{
    struct result r;
    char name[64];
    work_apart(seats, has_periods, &r);
    snprintf(name, sizeof(name), "%u seats, %s", seats,
             has_periods ? "with periods" : "no periods");
    struct cm_bench_row *row = cm_bench_add(bench, name);
    double windows_bytes =
        (double)(r.memory.panes_bytes + r.memory.accumulator_bytes + r.memory.journal_bytes);
    double grown_bytes = (double)r.resident_bytes - (double)r.before_bytes;
    cm_bench_set(row, "events", (double)r.events);
    cm_bench_set(row, "legs", (double)r.memory.entries);
    cm_bench_set(row, "panes_MiB", (double)r.memory.panes_bytes / 1048576);
    cm_bench_set(row, "accumulators_MiB", (double)r.memory.accumulator_bytes / 1048576);
    cm_bench_set(row, "journal_MiB", (double)r.memory.journal_bytes / 1048576);
    cm_bench_set(row, "windows_MiB", windows_bytes / 1048576);
    cm_bench_set(row, "resident_MiB", (double)r.resident_bytes / 1048576);
    cm_bench_set(row, "peak_MiB", (double)r.peak_bytes / 1048576);
    cm_bench_set(row, "grown_MiB", grown_bytes / 1048576);
    cm_bench_set(row, "bytes/seat", grown_bytes / seats);
    cm_bench_set(row, "panes_bytes/leg", (double)r.memory.panes_bytes / (double)r.memory.entries);
    cm_bench_set(row, "bytes/leg", grown_bytes / (double)r.memory.entries);
    cm_bench_note(bench, "%s: peak resident size %.0f MiB, %s 1 GiB.", name,
                  (double)r.peak_bytes / 1048576,
                  (double)r.peak_bytes < GIB ? "under" : "NOT under");
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = {1000, 10000, 100000};
    uint64_t only = 0;
    const char *json = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seats") == 0) {
            only = cm_bench_number(argv[i], argv[i + 1], 1, CM_TRAFFIC_SEATS_MAX);
            i++;
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            json = argv[++i];
        } else {
            fputs("memory_bench [--seats N] [--json FILE]\n", stderr);
            return 2;
        }
    }
    struct cm_bench *bench = cm_bench_open("memory_bench", json);
    for (size_t i = 0; i < CM_ARRAY_LEN(sizes); i++) {
        uint32_t seats = only > 0 ? (uint32_t)only : sizes[i];
        measure(bench, seats, true);
        measure(bench, seats, false);
        if (only > 0) {
            break;
        }
    }
    cm_bench_note(bench, "bytes/seat and bytes/leg: growth of the resident size, roster excluded.");
    return cm_bench_close(bench);
}
