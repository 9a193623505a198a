// SPDX-License-Identifier: Apache-2.0
#include "kafka/fetch_pace.h"

#define LEAD_MS        60000
#define LEAST_BYTES    65536.0
#define PACE_OFFSETS   512 /* that a pace is taken over, at least .. */
#define FIRST_OFFSETS  128 /* .. and the first one */
#define FIRST_BYTES    262144.0
#define BLIND_OFFSETS  4096        /* seen without a pace: there will be none */
#define DOUBT_BYTES    (16u << 20) /* a batch and what follows it */
#define SPANS_LEAST    16u         /* sixteenths */
#define SPANS_MOST     (1024u * SPANS_LEAST)
#define FAR_MS         1e15       /* more than any two event times lie apart */
#define SLACK_PART     (1.0 / 16) /* batches are not all as large as those before */
#define FORGOTTEN_PART 16u        /* of the largest batch, with each response */

void cm_fetch_pace_note(struct cm_fetch_pace *pace, int64_t offset, int64_t newest_ms)
{
    pace->newest_ms = newest_ms;
    if (newest_ms == INT64_MIN) {
        return;
    }
    if (pace->from_offset < 0 || offset < pace->from_offset) {
        pace->from_offset = offset;
        pace->from_ms = newest_ms;
    } else if (offset - pace->from_offset >=
               (pace->ms_per_offset < 0 ? FIRST_OFFSETS : PACE_OFFSETS)) {
        int64_t gone_ms = newest_ms > pace->from_ms ? newest_ms - pace->from_ms : 0;
        pace->ms_per_offset = (double)gone_ms / (double)(offset - pace->from_offset);
        pace->from_offset = offset;
        pace->from_ms = newest_ms;
    }
}

void cm_fetch_pace_heads(struct cm_fetch_pace *pace, const struct cm_fetch_batches *batches,
                         int64_t from, int64_t end, int32_t asked_bytes, bool has_more)
{
    uint32_t largest = pace->largest_bytes - pace->largest_bytes / FORGOTTEN_PART;
    if (pace->seen_offsets < BLIND_OFFSETS) {
        pace->seen_offsets += end - from < BLIND_OFFSETS ? end - from : BLIND_OFFSETS;
    }
    if (batches->count > 0 && end > from) {
        pace->bytes_per_offset = (double)batches->bytes / (double)(end - from);
        pace->batch_bytes = (double)batches->bytes / (double)batches->count;
        pace->largest_bytes = batches->largest > largest ? batches->largest : largest;
    } else if (has_more && (uint32_t)asked_bytes >= pace->largest_bytes) {
        /* The next one is larger than that: a broker sends such a one only where it comes first. */
        pace->largest_bytes =
            asked_bytes < INT32_MAX / 2 ? 2 * (uint32_t)asked_bytes : (uint32_t)asked_bytes;
    }
}

void cm_fetch_pace_doubt(struct cm_fetch_pace *pace)
{
    pace->largest_bytes = DOUBT_BYTES;
}

static int64_t later_ms(int64_t ms, double by_ms)
{
    int64_t by = (int64_t)(by_ms < FAR_MS ? by_ms : FAR_MS);
    return ms > INT64_MAX - by ? INT64_MAX : ms + by;
}

int64_t cm_fetch_pace_expected_ms(const struct cm_fetch_pace *pace, int64_t walked, int64_t planned)
{
    if (pace->newest_ms == INT64_MIN || pace->ms_per_offset < 0 || planned <= walked) {
        return pace->newest_ms;
    }
    return later_ms(pace->newest_ms, (double)(planned - walked) * pace->ms_per_offset);
}

int64_t cm_fetch_pace_span_ms(const struct cm_fetch_pace *pace)
{
    if (pace->ms_per_offset < 0 || pace->bytes_per_offset <= 0) {
        return LEAD_MS;
    }
    double bytes = pace->batch_bytes > LEAST_BYTES ? pace->batch_bytes : LEAST_BYTES;
    int64_t span_ms = later_ms(0, bytes / pace->bytes_per_offset * pace->ms_per_offset);
    return span_ms > LEAD_MS ? span_ms : LEAD_MS;
}

int32_t cm_fetch_pace_bytes(const struct cm_fetch_pace *pace, int64_t expected_ms, int64_t until_ms,
                            int32_t most)
{
    double one = (double)pace->largest_bytes * (1 + SLACK_PART);
    if (pace->ms_per_offset < 0 && pace->seen_offsets < BLIND_OFFSETS) {
        double first = one > FIRST_BYTES ? one : FIRST_BYTES;
        return first < (double)most ? (int32_t)first : most;
    }
    if (pace->ms_per_offset <= 0 || pace->bytes_per_offset <= 0) {
        return most;
    }
    double ms = until_ms > expected_ms ? (double)until_ms - (double)expected_ms : 0;
    double batches = ms / pace->ms_per_offset * pace->bytes_per_offset / pace->batch_bytes;
    if (batches * pace->batch_bytes >= (double)most) {
        return most;
    }
    /* Whole ones: what is sent of one that is cut off is sent again. */
    double whole = batches < 1 ? 1 : (double)(uint32_t)(batches + 0.5);
    double bytes = (whole - 1) * pace->batch_bytes + one;
    return bytes < (double)most ? (int32_t)bytes : most;
}

int64_t cm_fetch_reach_until_ms(const struct cm_fetch_reach *reach, int64_t slowest_ms,
                                int64_t span_ms)
{
    uint32_t spans = reach->spans == 0 ? SPANS_LEAST : reach->spans;
    return later_ms(slowest_ms, (double)span_ms * spans / SPANS_LEAST);
}

void cm_fetch_reach_step(struct cm_fetch_reach *reach)
{
    uint32_t spans = reach->spans == 0 ? SPANS_LEAST : reach->spans;
    if (reach->was_dry) {
        spans = 2 * spans < SPANS_MOST ? 2 * spans : SPANS_MOST;
    } else {
        spans -= spans / SPANS_LEAST;
    }
    reach->spans = spans < SPANS_LEAST ? SPANS_LEAST : spans;
    reach->was_dry = false;
}
