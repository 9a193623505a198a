// SPDX-License-Identifier: Apache-2.0
#include "bench/centre.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "bench/bench.h"
#include "decode/decoder.h"

#define BLOCK_BYTES ((size_t)1 << 22)

/* Of the calls that a centre of this size gets, what its seats can talk to in the busiest hour. */
#define SEATS_SHARE 0.35

struct cm_config *cm_bench_config(struct cm_bench_centre *centre, const char *const *overrides,
                                  uint32_t overrides_count)
{
    struct cm_config *config = NULL;
    struct cm_text yaml = {0};
    cm_traffic_queues(centre->traffic, &yaml);
    if (cm_config_parse("bench.yaml", yaml.data, yaml.len, overrides, overrides_count, &config) <
        0) {
        cm_bench_die("%s", cm_fail_text());
    }
    cm_text_free(&yaml);
    return config;
}

void cm_bench_centre_open(struct cm_bench_centre *centre, uint32_t seats, bool seats_only,
                          const char *const *overrides, uint32_t overrides_count)
{
    struct cm_traffic_options options;
    struct cm_text csv = {0};

    memset(centre, 0, sizeof(*centre));
    if (cm_zone_load("Asia/Shanghai", &centre->zone) < 0) {
        cm_bench_die("%s", cm_fail_text());
    }
    cm_traffic_defaults(&options);
    options.seed = 1;
    options.seats = seats;
    options.zone = centre->zone;
    options.centre = "main";
    options.start_ms = CM_BENCH_START_MS;
    options.end_ms = INT64_MAX;
    if (seats_only) {
        options.self_service = 0;
        options.calls_per_month = 13e6 * SEATS_SHARE * seats / 1240;
    }
    if (cm_traffic_create(&options, &centre->traffic) < 0) {
        cm_bench_die("%s", cm_fail_text());
    }
    centre->config = cm_bench_config(centre, overrides, overrides_count);
    cm_traffic_roster(centre->traffic, &csv);
    if (cm_roster_parse("bench.csv", csv.data, csv.len, "main", &centre->roster) < 0) {
        cm_bench_die("%s", cm_fail_text());
    }
    cm_text_free(&csv);
}

void cm_bench_centre_close(struct cm_bench_centre *centre)
{
    cm_roster_free(centre->roster);
    cm_config_free(centre->config);
    cm_traffic_free(centre->traffic);
    cm_zone_free(centre->zone);
}

/* A record's place among the blocks, which never move. */
static const char *keep(struct cm_bench_events *events, size_t *used, const struct cm_text *line)
{
    if (events->blocks_count == 0 || *used + line->len > BLOCK_BYTES) {
        events->blocks = cm_realloc(events->blocks, events->blocks_count + 1, sizeof(char *));
        events->blocks[events->blocks_count++] = cm_alloc(1, BLOCK_BYTES);
        *used = 0;
    }
    char *at = events->blocks[events->blocks_count - 1] + *used;
    memcpy(at, line->data, line->len);
    *used += line->len;
    return at;
}

void cm_bench_events_make(struct cm_bench_centre *centre, uint32_t count, int64_t span_ms,
                          struct cm_bench_events *out)
{
    struct cm_text line = {0};
    struct cm_str key;
    int64_t ts_ms, first_ms = INT64_MIN;
    size_t used = 0;
    uint32_t cap = 0;

    memset(out, 0, sizeof(*out));
    out->decoder = cm_decoder_create();
    while (out->count < count && cm_traffic_next(centre->traffic, &line, &ts_ms, &key)) {
        first_ms = first_ms == INT64_MIN ? ts_ms : first_ms;
        if (ts_ms - first_ms >= span_ms) {
            break;
        }
        if (out->count == cap) {
            cap = cap == 0 ? 65536 : 2 * cap;
            out->at = cm_realloc(out->at, cap, sizeof(*out->at));
        }
        const char *kept = keep(out, &used, &line);
        enum cm_reason reason = cm_decode(out->decoder, kept, line.len, &out->at[out->count]);
        CM_ASSERT(reason == CM_REASON_NONE);
        out->bytes += line.len;
        out->count++;
    }
    cm_text_free(&line);
}

void cm_bench_events_free(struct cm_bench_events *events)
{
    for (uint32_t i = 0; i < events->blocks_count; i++) {
        free(events->blocks[i]);
    }
    free(events->blocks);
    free(events->at);
    cm_decoder_destroy(events->decoder);
    memset(events, 0, sizeof(*events));
}
