// SPDX-License-Identifier: Apache-2.0
/* decode_bench.c — bytes to events: the decoder that expects the layout of a record before, beside
 * the general parser alone, jansson's tree as the peer and a sum over the bytes as the limit.
 *
 *   decode_bench [--records N] [--repeats N] [--json FILE]
 *
 * Sets of records, all in memory, one behind the other with a line feed:
 *
 *   month      what `callmill gen` writes: legs of seats and machines, no two layouts in a row
 * alike seats      the legs of seats alone, the long ones live       legs, queue_enter, queue_exit,
 * seat_state and check events interleaved 150 .. 600 legs of about that many bytes, one layout
 *   shuffled   `seats` with the members of every record in another order: the worst case
 *
 * Lines are found beforehand; so the time is the decoder's. `general` and `layouts` decode the same
 * bytes one after the other, all kernels that run here are measured on `seats`.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "bench/bench.h"
#include "bench/centre.h"
#include "bench/sized.h"
#include "decode/decoder.h"
#include "traffic/traffic.h"

#define RESET_EVERY  4096u
#define MEMBERS_MAX  64u
#define JANSSON_PART 10u /* one record in so many, it is that much slower */

struct set {
    const char *name;
    struct cm_text bytes;
    uint32_t *at; /* where records begin; count + 1 of them */
    uint32_t count;
};

struct job {
    const struct set *set;
    const char *kernel; /* NULL: the general parser */
    bool best;          /* whatever the decoder chooses itself */
};

/* ---- records ---- */

static void add_record(struct set *set, const char *record, size_t len)
{
    cm_text_add(&set->bytes, record, len);
    cm_text_addc(&set->bytes, '\n');
    set->at[++set->count] = (uint32_t)set->bytes.len;
}

static void begin_set(struct set *set, const char *name, uint32_t records)
{
    *set = (struct set){.name = name};
    set->at = cm_alloc(records + 1, sizeof(*set->at));
}

static void fill_traffic(struct set *set, uint32_t records, bool seats_only, bool live)
{
    struct cm_traffic_options options;
    struct cm_traffic *traffic;
    struct cm_text line = {0};
    struct cm_str key;
    int64_t ts_ms;
    cm_traffic_defaults(&options);
    options.seed = 1;
    options.start_ms = CM_BENCH_START_MS;
    options.end_ms = INT64_MAX;
    options.centre = "main";
    options.live_events = live;
    options.judgements = live ? 0.2 : 0;
    if (seats_only) {
        options.self_service = 0;
        options.calls_per_month = 4e6;
    }
    if (cm_traffic_create(&options, &traffic) < 0) {
        cm_bench_die("%s", cm_fail_text());
    }
    while (set->count < records && cm_traffic_next(traffic, &line, &ts_ms, &key)) {
        if (!seats_only || strstr(cm_text_cstr(&line), "\"seat\"") != NULL) {
            add_record(set, line.data, line.len);
        }
    }
    cm_text_free(&line);
    cm_traffic_free(traffic);
}

static void fill_sized(struct set *set, uint32_t records, uint32_t bytes)
{
    struct cm_text text = {0};
    uint64_t seed = bytes;
    while (set->count < records) {
        cm_bench_sized_leg(&text, &seed, bytes,
                           CM_BENCH_START_MS + cm_bench_random(&seed) % 100000000);
        add_record(set, text.data, text.len);
    }
    cm_text_free(&text);
}

/* The members of a record (no space in it), each from its key to the comma. */
static uint32_t split_members(const char *record, size_t len, struct cm_str *members)
{
    uint32_t count = 0, depth = 0;
    size_t from = 1;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        in_string = in_string != (record[i] == '"');
        if (in_string) {
            continue;
        }
        depth += record[i] == '{';
        if (depth == 1 && (record[i] == ',' || record[i] == '}') && count < MEMBERS_MAX) {
            members[count++] = (struct cm_str){record + from, (uint32_t)(i - from)};
            from = i + 1;
        }
        depth -= record[i] == '}';
    }
    return count;
}

static void fill_shuffled(struct set *set, const struct set *from)
{
    struct cm_str members[MEMBERS_MAX];
    struct cm_text text = {0};
    uint64_t seed = 14;
    for (uint32_t r = 0; r < from->count; r++) {
        uint32_t count = split_members(from->bytes.data + from->at[r],
                                       from->at[r + 1] - from->at[r] - 1, members);
        text.len = 0;
        for (uint32_t left = count; left > 0; left--) {
            uint32_t pick = cm_bench_random(&seed) % left;
            cm_text_addc(&text, left == count ? '{' : ',');
            cm_text_add(&text, members[pick].p, members[pick].len);
            members[pick] = members[left - 1];
        }
        cm_text_addc(&text, '}');
        add_record(set, text.data, text.len);
    }
    cm_text_free(&text);
}

/* ---- runs ---- */

static uint64_t run_sum(void *context, struct cm_bench_clock *clock)
{
    const struct set *set = ((const struct job *)context)->set;
    uint64_t sum = 0;
    cm_bench_start(clock);
    for (uint32_t r = 0; r < set->count; r++) {
        const char *p = set->bytes.data + set->at[r];
        const char *end = set->bytes.data + set->at[r + 1] - 1;
        for (; end - p >= 8; p += 8) {
            uint64_t word;
            memcpy(&word, p, sizeof(word));
            sum += word;
        }
        for (; p < end; p++) {
            sum += (unsigned char)*p;
        }
        __asm__ volatile("" : "+r"(sum));
    }
    cm_bench_stop(clock);
    return set->count;
}

static uint64_t run_decode(void *context, struct cm_bench_clock *clock)
{
    const struct job *job = context;
    const struct set *set = job->set;
    struct cm_decoder *decoder = cm_decoder_create();
    uint32_t good = 0;
    CM_ASSERT(job->best || cm_decoder_use(decoder, job->kernel));
    cm_bench_start(clock);
    for (uint32_t r = 0; r < set->count; r++) {
        struct cm_event event;
        if (r % RESET_EVERY == 0) {
            cm_decoder_reset(decoder);
        }
        good += cm_decode(decoder, set->bytes.data + set->at[r], set->at[r + 1] - set->at[r] - 1,
                          &event) == CM_REASON_NONE;
    }
    cm_bench_stop(clock);
    CM_ASSERT(good == set->count);
    cm_decoder_destroy(decoder);
    return set->count;
}

static uint64_t run_jansson(void *context, struct cm_bench_clock *clock)
{
    const struct set *set = ((const struct job *)context)->set;
    uint64_t count = 0;
    cm_bench_start(clock);
    for (uint32_t r = 0; r < set->count; r += JANSSON_PART, count++) {
        json_t *record =
            json_loadb(set->bytes.data + set->at[r], set->at[r + 1] - set->at[r] - 1, 0, NULL);
        CM_ASSERT(record != NULL);
        json_decref(record);
    }
    cm_bench_stop(clock);
    return count;
}

static struct cm_bench_row *measure(struct cm_bench *bench, const struct set *set, const char *what,
                                    uint32_t repeats,
                                    uint64_t (*run)(void *context, struct cm_bench_clock *clock),
                                    struct job *job)
{
    char name[64];
    double bytes = (double)(set->bytes.len - set->count) / set->count;
    snprintf(name, sizeof(name), "%s, %s", set->name, what);
    struct cm_bench_row *row = cm_bench_measure(bench, name, true, repeats, run, job);
    cm_bench_set(row, "bytes/record", bytes);
    cm_bench_set(row, "bytes/ns", bytes / cm_bench_cpu_ns(row));
    return row;
}

static void measure_set(struct cm_bench *bench, const struct set *set, uint32_t repeats,
                        bool kernels)
{
    static const char *const names[] = {"swar", "sse2", "avx2", "avx512"};
    struct job job = {.set = set};
    double limit_ns =
        cm_bench_cpu_ns(measure(bench, set, "limit: sum the bytes", repeats, run_sum, &job));
    struct cm_bench_row *row = measure(bench, set, "general parser", repeats, run_decode, &job);
    double general_ns = cm_bench_cpu_ns(row);
    cm_bench_set(row, "x_limit", general_ns / limit_ns);
    job.best = true;
    row = measure(bench, set, "layouts", repeats, run_decode, &job);
    cm_bench_set(row, "x_limit", cm_bench_cpu_ns(row) / limit_ns);
    cm_bench_set(row, "x_general", cm_bench_cpu_ns(row) / general_ns);
    job.best = false;
    for (uint32_t i = 0; kernels && i < CM_ARRAY_LEN(names); i++) {
        char what[32];
        struct cm_decoder *decoder = cm_decoder_create();
        bool runs = cm_decoder_use(decoder, names[i]);
        cm_decoder_destroy(decoder);
        if (runs) {
            snprintf(what, sizeof(what), "layouts, %s", names[i]);
            job.kernel = names[i];
            row = measure(bench, set, what, repeats, run_decode, &job);
            cm_bench_set(row, "x_general", cm_bench_cpu_ns(row) / general_ns);
        }
    }
    row = measure(bench, set, "peer: jansson", repeats, run_jansson, &job);
    cm_bench_set(row, "x_general", cm_bench_cpu_ns(row) / general_ns);
}

int main(int argc, char **argv)
{
    enum { MONTH, SEATS, LIVE, SIZE_150, SIZE_300, SIZE_600, SHUFFLED, SETS };
    uint64_t records = 200000, repeats = 5;
    struct set sets[SETS];
    const char *json = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--records") == 0) {
            records = cm_bench_number(argv[i], argv[i + 1], 1000, 4000000);
            i++;
        } else if (strcmp(argv[i], "--repeats") == 0) {
            repeats = cm_bench_number(argv[i], argv[i + 1], 1, CM_BENCH_REPEATS_MAX);
            i++;
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            json = argv[++i];
        } else {
            fputs("decode_bench [--records N] [--repeats N] [--json FILE]\n", stderr);
            return 2;
        }
    }
    static const char *const names[SETS] = {"month", "seats", "live",    "150 B",
                                            "300 B", "600 B", "shuffled"};
    uint32_t count = (uint32_t)records;
    for (uint32_t i = 0; i < SETS; i++) {
        begin_set(&sets[i], names[i], count);
    }
    fill_traffic(&sets[MONTH], count, false, false);
    fill_traffic(&sets[SEATS], count, true, false);
    fill_traffic(&sets[LIVE], count, false, true);
    fill_sized(&sets[SIZE_150], count, 150);
    fill_sized(&sets[SIZE_300], count, 300);
    fill_sized(&sets[SIZE_600], count, 600);
    fill_shuffled(&sets[SHUFFLED], &sets[SEATS]);
    struct cm_bench *bench = cm_bench_open("decode_bench", json);
    for (uint32_t i = 0; i < SETS; i++) {
        measure_set(bench, &sets[i], (uint32_t)repeats, i == SEATS);
    }
    cm_bench_note(bench, "%u records a set, in memory; jansson reads one in %u of them.", count,
                  JANSSON_PART);
    for (uint32_t i = 0; i < SETS; i++) {
        cm_text_free(&sets[i].bytes);
        free(sets[i].at);
    }
    return cm_bench_close(bench);
}
