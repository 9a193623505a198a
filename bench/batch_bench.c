// SPDX-License-Identifier: Apache-2.0
/* batch_bench.c — bytes of a response to record views, each codec beside its limit.
 *
 *   batch_bench [--records N] [--batch N] [--repeats N] [--json FILE]
 *
 * Records of `callmill gen` (legs of seats, with keys) in batches of --batch records, as a response
 * of several batches lies in memory; the same response again and again, as a fetch buffer that is
 * used again. Rows, for each codec:
 *
 *   limit       none: a sum over the bytes. Else the library's decoder at its best: whole batches,
 * the room known beforehand, into one buffer that is used again walk        every view is taken,
 * length and first byte of its value are read walk, CRC   the same with the checksum, as it runs
 *
 * and the checksum alone by each kernel, for a record of the uncompressed bytes. x_limit of a walk
 * is the median of ratios that were taken turn by turn with the limit, in the same run: it holds on
 * a machine whose clock others share, where two rows that ran one after the other can differ by
 * half.
 */
#define ZLIB_CONST
#include <lz4frame.h>
#include <snappy-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/fail.h"
#include "base/memory.h"
#include "bench/bench.h"
#include "bench/centre.h"
#include "kafka/crc32c.h"
#include "kafka/record_batch.h"
#include "support/batch_builder.h"
#include "traffic/traffic.h"

#define RESPONSE_BATCHES 4u
#define AT_ONCE          2048u
#define ROOM_BYTES       (64u << 20)
#define SLICE_RECORDS    12000u

struct response {
    struct cm_text bytes;
    uint32_t at[RESPONSE_BATCHES + 1]; /* where batches begin */
    uint32_t records;
    uint64_t raw_bytes; /* of its records */
};

struct job {
    const struct response *response;
    uint32_t codec;
    uint64_t records; /* of a run */
    bool check_crc;
    enum cm_crc32c_kernel kernel;
    struct cm_inflate *inflate;
    uint8_t *room;
    /* of the walk: its time over that of the limit, a run each */
    double ratios[CM_BENCH_REPEATS_MAX];
    uint32_t runs;
};

static volatile uint64_t sink;

/* ---- responses ---- */

static struct cm_traffic *open_traffic(void)
{
    struct cm_traffic_options options;
    struct cm_traffic *traffic;
    cm_traffic_defaults(&options);
    options.seed = 1;
    options.start_ms = CM_BENCH_START_MS;
    options.end_ms = INT64_MAX;
    options.centre = "main";
    options.self_service = 0;
    options.calls_per_month = 4e6;
    if (cm_traffic_create(&options, &traffic) < 0) {
        cm_bench_die("%s", cm_fail_text());
    }
    return traffic;
}

/* The same records whatever the codec. */
static void fill(struct response *response, uint32_t codec, uint32_t batch_records)
{
    struct cm_traffic *traffic = open_traffic();
    struct cm_text line = {0};
    *response = (struct response){0};
    for (uint32_t b = 0; b < RESPONSE_BATCHES; b++) {
        struct batch_builder builder = batch_begin(response->records, codec);
        /* As librdkafka streams zstd. */
        builder.framing = codec == CM_CODEC_ZSTD ? FRAMING_WITHOUT_SIZE : FRAMING_PLAIN;
        for (uint32_t i = 0; i < batch_records; i++) {
            int64_t ts_ms;
            struct cm_str key;
            char key_text[64];
            CM_ASSERT(cm_traffic_next(traffic, &line, &ts_ms, &key));
            snprintf(key_text, sizeof(key_text), "%.*s", (int)key.len, key.p);
            batch_add_full(&builder, (int32_t)i, i / 8, key_text, line.data, line.len, "", 1);
        }
        response->raw_bytes += builder.records.len;
        batch_end(&builder, &response->bytes);
        response->records += batch_records;
        response->at[b + 1] = (uint32_t)response->bytes.len;
    }
    cm_text_free(&line);
    cm_traffic_free(traffic);
}

/* ---- limits ---- */

static inline uint64_t word_at(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return word;
}

static uint64_t sum_bytes(const uint8_t *p, size_t len)
{
    uint64_t a = 0, b = 0, c = 0, d = 0;
    for (const uint8_t *end = p + len / 32 * 32; p < end; p += 32) {
        a += word_at(p);
        b += word_at(p + 8);
        c += word_at(p + 16);
        d += word_at(p + 24);
    }
    a += b + c + d;
    __asm__ volatile("" : "+r"(a));
    return a;
}

static size_t gunzip(z_stream *stream, const uint8_t *p, size_t len, uint8_t *room)
{
    inflateReset(stream);
    stream->next_in = p;
    stream->avail_in = (uInt)len;
    stream->next_out = room;
    stream->avail_out = ROOM_BYTES;
    return inflate(stream, Z_FINISH) == Z_STREAM_END ? stream->total_out : 0;
}

struct decoders {
    z_stream gzip;
    LZ4F_dctx *lz4;
    ZSTD_DCtx *zstd;
};

static size_t decode(struct decoders *decoders, uint32_t codec, const uint8_t *p, size_t len,
                     uint8_t *room)
{
    size_t out = ROOM_BYTES;
    switch (codec) {
    case CM_CODEC_NONE:
        return (size_t)sum_bytes(p, len) | 1;
    case CM_CODEC_GZIP:
        return gunzip(&decoders->gzip, p, len, room);
    case CM_CODEC_SNAPPY:
        return snappy_uncompress((const char *)p, len, (char *)room, &out) == SNAPPY_OK ? out : 0;
    case CM_CODEC_LZ4:
        return LZ4F_decompress(decoders->lz4, room, &out, p, &len, NULL) == 0 ? out : 0;
    default:
        out = ZSTD_decompressDCtx(decoders->zstd, room, ROOM_BYTES, p, len);
        return ZSTD_isError(out) ? 0 : out;
    }
}

static void open_decoders(struct decoders *decoders)
{
    *decoders = (struct decoders){.zstd = ZSTD_createDCtx()};
    CM_ASSERT(inflateInit2(&decoders->gzip, 16 + MAX_WBITS) == Z_OK);
    CM_ASSERT(!LZ4F_isError(LZ4F_createDecompressionContext(&decoders->lz4, LZ4F_VERSION)));
}

static void close_decoders(struct decoders *decoders)
{
    inflateEnd(&decoders->gzip);
    LZ4F_freeDecompressionContext(decoders->lz4);
    ZSTD_freeDCtx(decoders->zstd);
}

/* The limit over `times` responses. */
static void decode_response(const struct job *job, struct decoders *decoders, uint32_t times)
{
    const struct response *response = job->response;
    for (uint32_t i = 0; i < times * RESPONSE_BATCHES; i++) {
        uint32_t b = i % RESPONSE_BATCHES;
        uint32_t from = response->at[b] + CM_RECORD_BATCH_HEAD_BYTES;
        size_t out = decode(decoders, job->codec, (const uint8_t *)response->bytes.data + from,
                            response->at[b + 1] - from, job->room);
        CM_ASSERT(out > 0);
    }
}

/* Responses between two looks at the clock. */
static uint32_t slice_of(const struct job *job)
{
    return 1 + SLICE_RECORDS / job->response->records;
}

static uint64_t run_limit(void *context, struct cm_bench_clock *clock)
{
    const struct job *job = context;
    struct decoders decoders;
    uint64_t records = 0;
    uint32_t slice = slice_of(job);
    open_decoders(&decoders);
    for (; records < job->records; records += (uint64_t)slice * job->response->records) {
        cm_bench_start(clock);
        decode_response(job, &decoders, slice);
        cm_bench_stop(clock);
    }
    close_decoders(&decoders);
    return records;
}

static uint64_t run_crc(void *context, struct cm_bench_clock *clock)
{
    const struct job *job = context;
    uint64_t records = 0, sum = 0;
    cm_bench_start(clock);
    for (; records < job->records; records += job->response->records) {
        sum += cm_crc32c_by(job->kernel, job->response->bytes.data, job->response->bytes.len);
    }
    cm_bench_stop(clock);
    sink = sum;
    return records;
}

/* ---- the walk ---- */

static uint64_t walk_response(const struct job *job, uint64_t *sum)
{
    static struct cm_record views[AT_ONCE];
    struct cm_record_walk walk;
    const struct cm_record_set set = {
        .bytes = (const uint8_t *)job->response->bytes.data,
        .len = (uint32_t)job->response->bytes.len,
        .check_crc = job->check_crc,
        .read_committed = true,
    };
    uint64_t records = 0;
    int n;
    cm_record_walk_begin(&walk, &set, job->inflate);
    while ((n = cm_record_walk_next(&walk, views, AT_ONCE)) > 0) {
        for (int i = 0; i < n; i++) {
            *sum += views[i].value_bytes + (uint64_t)views[i].value[0];
        }
        records += (uint64_t)n;
    }
    CM_ASSERT(n == 0);
    return records;
}

/* The walk and its limit turn by turn, each with its clock: what slows one of them down for a while
 * slows both. */
static uint64_t run_walk(void *context, struct cm_bench_clock *clock)
{
    struct job *job = context;
    struct cm_bench_clock limit = {0};
    struct decoders decoders;
    uint64_t records = 0, sum = 0;
    uint32_t slice = slice_of(job);
    int64_t before_ns = clock->cpu_ns;
    open_decoders(&decoders);
    while (records < job->records) {
        cm_bench_start(clock);
        for (uint32_t i = 0; i < slice; i++) {
            records += walk_response(job, &sum);
        }
        cm_bench_stop(clock);
        cm_bench_start(&limit);
        decode_response(job, &decoders, slice);
        cm_bench_stop(&limit);
    }
    close_decoders(&decoders);
    sink = sum;
    job->ratios[job->runs++ % CM_BENCH_REPEATS_MAX] =
        (double)(clock->cpu_ns - before_ns) / (double)limit.cpu_ns;
    return records;
}

/* ---- rows ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(struct cm_bench *bench, const struct job *job, const char *what,
                    uint32_t repeats, uint64_t (*run)(void *context, struct cm_bench_clock *clock))
{
    char name[64];
    struct job copy = *job;
    const struct response *response = job->response;
    snprintf(name, sizeof(name), "%s, %s", cm_codec_name(job->codec), what);
    copy.runs = 0;
    struct cm_bench_row *row = cm_bench_measure(bench, name, true, repeats, run, &copy);
    cm_bench_set(row, "raw_bytes/record", (double)response->raw_bytes / response->records);
    cm_bench_set(row, "bytes/record", (double)response->bytes.len / response->records);
    if (copy.runs > 0) {
        uint32_t runs = copy.runs < CM_BENCH_REPEATS_MAX ? copy.runs : CM_BENCH_REPEATS_MAX;
        qsort(copy.ratios, runs, sizeof(copy.ratios[0]), compare_doubles);
        cm_bench_set(row, "x_limit", copy.ratios[runs / 2]);
    }
}

static void measure_codec(struct cm_bench *bench, struct job *job, uint32_t repeats)
{
    static const char *const kernels[CM_CRC32C_KERNELS] = {"CRC alone, table", "CRC alone, sse4.2",
                                                           "CRC alone, armv8"};
    measure(bench, job, "limit", repeats, run_limit);
    for (int i = 0; job->codec == CM_CODEC_NONE && i < CM_CRC32C_KERNELS; i++) {
        job->kernel = (enum cm_crc32c_kernel)i;
        if (cm_crc32c_runs(job->kernel)) {
            measure(bench, job, kernels[i], repeats, run_crc);
        }
    }
    job->check_crc = false;
    measure(bench, job, "walk", repeats, run_walk);
    job->check_crc = true;
    measure(bench, job, "walk, CRC", repeats, run_walk);
}

int main(int argc, char **argv)
{
    uint64_t records = 600000, batch = 3000, repeats = 5;
    const char *json = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--records") == 0) {
            records = cm_bench_number(argv[i], argv[i + 1], 1000, 100000000);
            i++;
        } else if (strcmp(argv[i], "--batch") == 0) {
            batch = cm_bench_number(argv[i], argv[i + 1], 1, 100000);
            i++;
        } else if (strcmp(argv[i], "--repeats") == 0) {
            repeats = cm_bench_number(argv[i], argv[i + 1], 1, CM_BENCH_REPEATS_MAX);
            i++;
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            json = argv[++i];
        } else {
            fputs("batch_bench [--records N] [--batch N] [--repeats N] [--json FILE]\n", stderr);
            return 2;
        }
    }
    struct cm_bench *bench = cm_bench_open("batch_bench", json);
    struct job job = {.records = records, .inflate = cm_inflate_create(CM_INFLATE_MOST_BYTES)};
    job.room = cm_alloc(ROOM_BYTES, 1);
    for (job.codec = 0; job.codec < CM_CODEC_COUNT; job.codec++) {
        struct response response;
        fill(&response, job.codec, (uint32_t)batch);
        job.response = &response;
        measure_codec(bench, &job, (uint32_t)repeats);
        cm_text_free(&response.bytes);
    }
    cm_bench_note(bench, "%u batches of %u records a response, in memory; %u views a call.",
                  RESPONSE_BATCHES, (uint32_t)batch, AT_ONCE);
    cm_inflate_destroy(job.inflate);
    free(job.room);
    return cm_bench_close(bench);
}
