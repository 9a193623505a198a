// SPDX-License-Identifier: Apache-2.0
/* bench.h — what the benchmarks share: warm-up and repeats, two clocks, a table and a JSON file.
 *
 *   struct cm_bench *b = cm_bench_open("window_bench", json_path);
 *   struct cm_bench_row *row = cm_bench_measure(b, "10k seats, live", 3, run, context);
 *   cm_bench_set(row, "entries", ...);
 *   return cm_bench_close(b);
 *
 * A measured function does its set-up itself and says between which two points the clocks run. Each
 * run gives wall time and CPU time of the whole process (user + system, all threads); a row shows
 * the median with the least and the greatest. On a machine that others use, CPU time and the ratio
 * of two rows of one run mean something, wall time means little: so rows stand beside their limit.
 *
 * THREADS   One; the measured code may start others, and its CPU time counts.
 * OWNERSHIP Names are copied. ERRORS Only the output can fail: the exit status says so.
 */
#ifndef CM_BENCH_BENCH_H
#define CM_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/text.h"

#define CM_BENCH_REPEATS_MAX 31
#define CM_BENCH_EXTRAS_MAX  12

struct cm_bench_clock {
    int64_t wall_ns, cpu_ns; /* between start and stop, added up */
    int64_t wall_from_ns, cpu_from_ns;
};

void cm_bench_start(struct cm_bench_clock *clock);
void cm_bench_stop(struct cm_bench_clock *clock);

struct cm_bench_row {
    char name[64];
    uint64_t events; /* of one run */
    uint32_t runs;
    double cpu_ns[CM_BENCH_REPEATS_MAX]; /* for one event, rising once the row is finished */
    double wall_ns[CM_BENCH_REPEATS_MAX];
    struct {
        char name[32];
        double value;
    } extra[CM_BENCH_EXTRAS_MAX];
    uint32_t extras;
};

struct cm_bench;

/* json_path NULL: the table only. */
struct cm_bench *cm_bench_open(const char *name, const char *json_path);
/* Runs `run` once to warm up when `warm`, then `repeats` times. It returns how many events it
 * worked on; 0 ends the program with what cm_fail_text() says. The row stays until the close. */
struct cm_bench_row *cm_bench_measure(struct cm_bench *bench, const char *name, bool warm,
                                      uint32_t repeats,
                                      uint64_t (*run)(void *context, struct cm_bench_clock *clock),
                                      void *context);
/* A row of numbers without a clock: memory, latencies. */
struct cm_bench_row *cm_bench_add(struct cm_bench *bench, const char *name);
void cm_bench_set(struct cm_bench_row *row, const char *name, double value);
/* A sentence below the table. */
void cm_bench_note(struct cm_bench *bench, const char *format, ...) CM_PRINTF(2, 3);
/* CPU ns of an event, the median; 0 for a row without a clock. */
double cm_bench_cpu_ns(const struct cm_bench_row *row);
/* Prints the table, writes the JSON, frees. Exit status: 0, or 1 when the file was not written. */
int cm_bench_close(struct cm_bench *bench);

/* Ends the program: status 1 and the text. */
_Noreturn void cm_bench_die(const char *format, ...) CM_PRINTF(1, 2);
/* The value behind a flag such as --records, or the program ends with status 2. */
uint64_t cm_bench_number(const char *flag, const char *text, uint64_t least, uint64_t most);

#endif
