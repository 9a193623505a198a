// SPDX-License-Identifier: Apache-2.0
#include "bench/bench.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"

#define ROWS_MAX  64u
#define NOTES_MAX 32u

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

struct cm_bench {
    char name[64];
    const char *json_path;
    double load_before;
    struct cm_bench_row rows[ROWS_MAX];
    uint32_t rows_count;
    char notes[NOTES_MAX][256];
    uint32_t notes_count;
};

/* ---- clocks and rows ------------------------------------------------------------------------ */

void cm_bench_start(struct cm_bench_clock *clock)
{
    clock->wall_from_ns = cm_clock_mono_ns();
    clock->cpu_from_ns = cm_clock_cpu_ns();
}

void cm_bench_stop(struct cm_bench_clock *clock)
{
    clock->cpu_ns += cm_clock_cpu_ns() - clock->cpu_from_ns;
    clock->wall_ns += cm_clock_mono_ns() - clock->wall_from_ns;
}

static double load_average(void)
{
    double load = 0;
    return getloadavg(&load, 1) == 1 ? load : -1;
}

struct cm_bench *cm_bench_open(const char *name, const char *json_path)
{
    struct cm_bench *bench = cm_alloc(1, sizeof(*bench));
    snprintf(bench->name, sizeof(bench->name), "%s", name);
    bench->json_path = json_path;
    bench->load_before = load_average();
    return bench;
}

struct cm_bench_row *cm_bench_add(struct cm_bench *bench, const char *name)
{
    CM_ASSERT(bench->rows_count < ROWS_MAX);
    struct cm_bench_row *row = &bench->rows[bench->rows_count++];
    snprintf(row->name, sizeof(row->name), "%s", name);
    return row;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

struct cm_bench_row *cm_bench_measure(struct cm_bench *bench, const char *name, bool warm,
                                      uint32_t repeats,
                                      uint64_t (*run)(void *context, struct cm_bench_clock *clock),
                                      void *context)
{
    struct cm_bench_row *row = cm_bench_add(bench, name);
    CM_ASSERT(repeats >= 1 && repeats <= CM_BENCH_REPEATS_MAX);
    for (uint32_t i = warm ? 0 : 1; i <= repeats; i++) {
        struct cm_bench_clock clock = {0};
        uint64_t events = run(context, &clock);
        if (events == 0) {
            cm_bench_die("%s: %s", name, cm_fail_text());
        }
        if (i > 0) {
            row->events = events;
            row->cpu_ns[row->runs] = (double)clock.cpu_ns / (double)events;
            row->wall_ns[row->runs] = (double)clock.wall_ns / (double)events;
            row->runs++;
        }
    }
    qsort(row->cpu_ns, row->runs, sizeof(row->cpu_ns[0]), compare_doubles);
    qsort(row->wall_ns, row->runs, sizeof(row->wall_ns[0]), compare_doubles);
    return row;
}

void cm_bench_set(struct cm_bench_row *row, const char *name, double value)
{
    CM_ASSERT(row->extras < CM_BENCH_EXTRAS_MAX);
    snprintf(row->extra[row->extras].name, sizeof(row->extra[0].name), "%s", name);
    row->extra[row->extras++].value = value;
}

void cm_bench_note(struct cm_bench *bench, const char *format, ...)
{
    va_list args;
    CM_ASSERT(bench->notes_count < NOTES_MAX);
    va_start(args, format);
    vsnprintf(bench->notes[bench->notes_count], sizeof(bench->notes[0]), format, args);
    va_end(args);
    bench->notes_count++;
}

static double median(const double *sorted, uint32_t count)
{
    if (count == 0) {
        return 0;
    }
    return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

double cm_bench_cpu_ns(const struct cm_bench_row *row)
{
    return median(row->cpu_ns, row->runs);
}

/* ---- the machine ---------------------------------------------------------------------------- */

struct machine {
    char cpu[96], kernel[96], commit[64];
    long cores;
};

static void first_line_of(const char *command, char *out, size_t size)
{
    FILE *pipe = popen(command, "r");
    out[0] = '\0';
    if (pipe != NULL) {
        if (fgets(out, (int)size, pipe) == NULL) {
            out[0] = '\0';
        }
        (void)pclose(pipe);
    }
    out[strcspn(out, "\n")] = '\0';
}

static void describe_cpu(char *out, size_t size)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(out, size, "unknown");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        char *colon = strchr(line, ':');
        if (colon != NULL && strncmp(line, "model name", 10) == 0) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(out, size, "%.90s", colon + 2);
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static void describe(struct machine *m)
{
    struct utsname name;
    describe_cpu(m->cpu, sizeof(m->cpu));
    m->cores = sysconf(_SC_NPROCESSORS_ONLN);
    snprintf(m->kernel, sizeof(m->kernel), "unknown");
    if (uname(&name) == 0) {
        snprintf(m->kernel, sizeof(m->kernel), "%.60s %.30s", name.release, name.machine);
    }
    first_line_of("git -C '" CM_SOURCE_DIR "' describe --always --dirty 2>/dev/null", m->commit,
                  sizeof(m->commit));
    if (m->commit[0] == '\0') {
        snprintf(m->commit, sizeof(m->commit), "unknown");
    }
}

/* ---- output --------------------------------------------------------------------------------- */

static void print_table(const struct cm_bench *b, const struct machine *m, double load_after)
{
    printf("%s: %s, %ld cores, Linux %s, load %.1f to %.1f, %s, %s, commit %s\n", b->name, m->cpu,
           m->cores, m->kernel, b->load_before, load_after, COMPILER, CM_BUILD_TYPE, m->commit);
    printf("  %-40s %10s %26s %12s\n", "", "events", "CPU ns/event (min..max)", "events/s");
    for (uint32_t i = 0; i < b->rows_count; i++) {
        const struct cm_bench_row *row = &b->rows[i];
        printf("  %-40s", row->name);
        if (row->runs > 0) {
            char spread[48];
            snprintf(spread, sizeof(spread), "%.1f (%.1f..%.1f)", cm_bench_cpu_ns(row),
                     row->cpu_ns[0], row->cpu_ns[row->runs - 1]);
            printf(" %10" PRIu64 " %26s %12.0f", row->events, spread,
                   1e9 / median(row->wall_ns, row->runs));
        }
        for (uint32_t k = 0; k < row->extras; k++) {
            printf("  %s %.6g", row->extra[k].name, row->extra[k].value);
        }
        putchar('\n');
    }
    for (uint32_t i = 0; i < b->notes_count; i++) {
        printf("  %s\n", b->notes[i]);
    }
}

static void add_string(struct cm_text *out, const char *name, const char *value)
{
    cm_text_add_json(out, name, strlen(name));
    cm_text_addc(out, ':');
    cm_text_add_json(out, value, strlen(value));
    cm_text_addc(out, ',');
}

static void add_spread(struct cm_text *out, const char *name, const double *sorted, uint32_t count)
{
    cm_text_addf(out, ",\"%s\":{\"median\":%.2f,\"min\":%.2f,\"max\":%.2f}", name,
                 median(sorted, count), sorted[0], sorted[count - 1]);
}

static void add_row(struct cm_text *out, const struct cm_bench_row *row)
{
    cm_text_adds(out, "{\"name\":");
    cm_text_add_json(out, row->name, strlen(row->name));
    if (row->runs > 0) {
        cm_text_addf(out, ",\"events\":%" PRIu64 ",\"runs\":%u", row->events, row->runs);
        add_spread(out, "cpu_ns_per_event", row->cpu_ns, row->runs);
        add_spread(out, "wall_ns_per_event", row->wall_ns, row->runs);
        cm_text_addf(out, ",\"events_per_s\":%.0f", 1e9 / median(row->wall_ns, row->runs));
    }
    for (uint32_t k = 0; k < row->extras; k++) {
        cm_text_addc(out, ',');
        cm_text_add_json(out, row->extra[k].name, strlen(row->extra[k].name));
        /* JSON knows no infinity. */
        cm_text_addf(out, isfinite(row->extra[k].value) ? ":%.10g" : ":null", row->extra[k].value);
    }
    cm_text_addc(out, '}');
}

static void write_json(const struct cm_bench *b, const struct machine *m, double load_after,
                       struct cm_text *out)
{
    cm_text_addc(out, '{');
    add_string(out, "bench", b->name);
    cm_text_adds(out, "\"machine\":{");
    add_string(out, "cpu", m->cpu);
    add_string(out, "kernel", m->kernel);
    add_string(out, "compiler", COMPILER);
    add_string(out, "build", CM_BUILD_TYPE);
    add_string(out, "commit", m->commit);
    cm_text_addf(out, "\"cores\":%ld,\"load_before\":%.2f,\"load_after\":%.2f},\n\"rows\":[",
                 m->cores, b->load_before, load_after);
    for (uint32_t i = 0; i < b->rows_count; i++) {
        cm_text_adds(out, i == 0 ? "\n" : ",\n");
        add_row(out, &b->rows[i]);
    }
    cm_text_adds(out, "],\n\"notes\":[");
    for (uint32_t i = 0; i < b->notes_count; i++) {
        cm_text_adds(out, i == 0 ? "" : ",");
        cm_text_add_json(out, b->notes[i], strlen(b->notes[i]));
    }
    cm_text_adds(out, "]}\n");
}

int cm_bench_close(struct cm_bench *bench)
{
    struct machine machine;
    struct cm_text json = {0};
    double load_after = load_average();
    int status = 0;

    describe(&machine);
    print_table(bench, &machine, load_after);
    if (bench->json_path != NULL) {
        write_json(bench, &machine, load_after, &json);
        FILE *file = fopen(bench->json_path, "w");
        bool written = file != NULL && fwrite(json.data, 1, json.len, file) == json.len;
        if ((file != NULL && fclose(file) != 0) || !written) {
            fprintf(stderr, "%s: cannot write %s\n", bench->name, bench->json_path);
            status = 1;
        }
        cm_text_free(&json);
    }
    if (fflush(stdout) != 0) {
        status = 1;
    }
    free(bench);
    return status;
}

void cm_bench_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

uint64_t cm_bench_number(const char *flag, const char *text, uint64_t least, uint64_t most)
{
    uint64_t value = 0;
    if (text == NULL || !cm_parse_u64(text, strlen(text), &value) || value < least ||
        value > most) {
        fprintf(stderr, "%s: a number from %" PRIu64 " to %" PRIu64 " is needed\n", flag, least,
                most);
        exit(2);
    }
    return value;
}
