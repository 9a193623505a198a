// SPDX-License-Identifier: Apache-2.0
/* replay_bench.c — `callmill replay` on a file of generated calls, beside its two limits: reading
 * the file through the ring and counting its lines, and decoding its records from memory.
 *
 *   replay_bench [--records N | --month] [--bytes N] [--repeats N] [--json FILE]
 *
 * --bytes: legs of about that size (150, 300, 600; sized.h) in place of generated calls, seven a
 * second, to see what the size of a record costs.
 *
 * The file lies under $TMPDIR without a name, so it goes whatever happens. It is in the page cache
 * after the warm-up: this is about our work, not about the disk.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fail.h"
#include "bench/bench.h"
#include "bench/centre.h"
#include "bench/sized.h"
#include "decode/decoder.h"
#include "engine/replay.h"
#include "io/file_reader.h"

#define BLOCK_BYTES   ((size_t)256 * 1024)
#define MONTH_RECORDS 13000000u
#define RECORD_BYTES  400u /* more than a record has on average */
#define RESET_EVERY   2048u
#define SIZED_EVERY   140 /* ms of event time */

struct job {
    const char *path;
    size_t bytes;
    const struct cm_roster *roster;
    struct cm_config *config; /* of this row */
};

static const char *temporary_folder(void)
{
    const char *folder = getenv("TMPDIR");
    return folder != NULL && folder[0] != '\0' ? folder : "/tmp";
}

static bool next_record(struct cm_bench_centre *centre, uint64_t i, uint32_t sized,
                        struct cm_text *line)
{
    static uint64_t seed = 1;
    struct cm_str key;
    int64_t ts_ms;
    if (sized == 0) {
        return cm_traffic_next(centre->traffic, line, &ts_ms, &key);
    }
    cm_bench_sized_leg(line, &seed, sized, CM_BENCH_START_MS + (int64_t)i * SIZED_EVERY);
    return true;
}

/* A file without a name; returns its descriptor and the size in *bytes. */
static int make_file(struct cm_bench_centre *centre, uint64_t records, uint32_t sized,
                     size_t *bytes)
{
    char path[512];
    struct statvfs space;
    const char *folder = temporary_folder();
    uint64_t need = records * (RECORD_BYTES + sized);
    if (statvfs(folder, &space) != 0 || (uint64_t)space.f_bavail * space.f_frsize < 2 * need) {
        cm_bench_die("replay_bench: %s has no %llu MB to spare", folder,
                     (unsigned long long)(2 * need >> 20));
    }
    snprintf(path, sizeof(path), "%s/callmill-bench.XXXXXX", folder);
    int fd = mkstemp(path);
    if (fd < 0) {
        cm_bench_die("replay_bench: cannot make a file in %s", folder);
    }
    unlink(path);
    FILE *file = fdopen(dup(fd), "w");
    struct cm_text line = {0};
    *bytes = 0;
    for (uint64_t i = 0; i < records && next_record(centre, i, sized, &line); i++) {
        cm_text_addc(&line, '\n');
        *bytes += line.len;
        if (fwrite(line.data, 1, line.len, file) != line.len) {
            cm_bench_die("replay_bench: cannot write to %s", folder);
        }
    }
    cm_text_free(&line);
    if (fclose(file) != 0) {
        cm_bench_die("replay_bench: cannot write to %s", folder);
    }
    return fd;
}

static uint64_t run_read(void *context, struct cm_bench_clock *clock)
{
    const struct job *job = context;
    struct cm_ring *ring = NULL;
    struct cm_file_reader *reader = NULL;
    uint64_t lines = 0;
    const char *bytes = NULL;
    size_t len = 0;
    cm_bench_start(clock);
    if (cm_ring_create(64, &ring) < 0 ||
        cm_file_reader_open(ring, job->path, BLOCK_BYTES, &reader) < 0) {
        return 0;
    }
    while (cm_file_reader_next(reader, &bytes, &len) == 0 && len > 0) {
        const char *end = bytes + len;
        for (const char *p = bytes; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++) {
            lines++;
        }
    }
    cm_file_reader_close(reader);
    cm_ring_destroy(ring);
    cm_bench_stop(clock);
    return lines;
}

static uint64_t run_decode(void *context, struct cm_bench_clock *clock)
{
    const struct job *job = context;
    FILE *file = fopen(job->path, "r");
    void *map = file == NULL
                    ? MAP_FAILED
                    : mmap(NULL, job->bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, fileno(file), 0);
    if (map == MAP_FAILED) {
        (void)cm_fail(CM_ERR_IO, "the file cannot be mapped");
        return 0;
    }
    struct cm_decoder *decoder = cm_decoder_create();
    const char *p = map, *end = p + job->bytes;
    uint64_t records = 0, good = 0;
    cm_bench_start(clock);
    for (const char *next; p < end; p = next + 1, records++) {
        struct cm_event event;
        next = memchr(p, '\n', (size_t)(end - p));
        if (next == NULL) {
            break;
        }
        if (records % RESET_EVERY == 0) {
            cm_decoder_reset(decoder);
        }
        good += cm_decode(decoder, p, (size_t)(next - p), &event) == CM_REASON_NONE;
    }
    cm_bench_stop(clock);
    CM_ASSERT(good == records);
    cm_decoder_destroy(decoder);
    munmap(map, job->bytes);
    fclose(file);
    return records;
}

static uint64_t run_replay(void *context, struct cm_bench_clock *clock)
{
    const struct job *job = context;
    struct cm_replay_summary summary = {0};
    FILE *out = fopen("/dev/null", "w");
    struct cm_replay_options options = {
        .config = job->config,
        .roster = job->roster,
        .files = &job->path,
        .files_count = 1,
        .mode = CM_REPLAY_LAST,
        .out = out,
    };
    cm_bench_start(clock);
    int rc = cm_replay_run(&options, &summary);
    cm_bench_stop(clock);
    fclose(out);
    return rc < 0 ? 0 : summary.records;
}

int main(int argc, char **argv)
{
    uint64_t records = 2000000, repeats = 3, sized = 0;
    const char *json = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--month") == 0) {
            records = MONTH_RECORDS;
        } else if (strcmp(argv[i], "--records") == 0) {
            records = cm_bench_number(argv[i], argv[i + 1], 1000, 1000000000);
            i++;
        } else if (strcmp(argv[i], "--bytes") == 0) {
            sized = cm_bench_number(argv[i], argv[i + 1], 1, 600);
            i++;
        } else if (strcmp(argv[i], "--repeats") == 0) {
            repeats = cm_bench_number(argv[i], argv[i + 1], 1, CM_BENCH_REPEATS_MAX);
            i++;
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            json = argv[++i];
        } else {
            fputs("replay_bench [--records N | --month] [--bytes N] [--repeats N] [--json FILE]\n",
                  stderr);
            return 2;
        }
    }
    struct cm_bench *bench = cm_bench_open("replay_bench", json);
    struct cm_bench_centre centre;
    struct job job = {0};
    char path[64];

    cm_bench_centre_open(&centre, 1240, false, NULL, 0);
    int fd = make_file(&centre, records, (uint32_t)sized, &job.bytes);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    job.path = path;
    job.roster = centre.roster;

    uint32_t runs = (uint32_t)repeats;
    double read_ns = cm_bench_cpu_ns(
        cm_bench_measure(bench, "limit: read, count lines", true, runs, run_read, &job));
    double decode_ns = cm_bench_cpu_ns(
        cm_bench_measure(bench, "limit: decode from memory", false, runs, run_decode, &job));
    for (int workers = 1; workers <= 2; workers++) {
        char name[32], override[32];
        const char *overrides[] = {override};
        snprintf(override, sizeof(override), "workers=%d", workers);
        snprintf(name, sizeof(name), "replay, workers %d", workers);
        job.config = cm_bench_config(&centre, overrides, 1);
        struct cm_bench_row *row =
            cm_bench_measure(bench, name, workers == 1, runs, run_replay, &job);
        cm_bench_set(row, "x_read", cm_bench_cpu_ns(row) / read_ns);
        cm_bench_set(row, "x_decode", cm_bench_cpu_ns(row) / decode_ns);
        cm_config_free(job.config);
    }
    cm_bench_note(bench, "%llu records, %zu MB, %.0f bytes each; %s, 1,240 seats, defaults.",
                  (unsigned long long)records, job.bytes >> 20, (double)job.bytes / (double)records,
                  sized > 0 ? "legs of one layout" : "seed 1");
    close(fd);
    cm_bench_centre_close(&centre);
    return cm_bench_close(bench);
}
