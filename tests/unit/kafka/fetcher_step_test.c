// SPDX-License-Identifier: Apache-2.0
/* fetcher_step_test.c — two partitions of a backlog kept together, against a broker that holds to
 * the bytes it is asked for. A record's event time is its timestamp. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fail.h"
#include "kafka/fetcher.h"
#include "kafka/lane.h"
#include "kafka/record_fields.h"
#include "support/batch_builder.h"
#include "support/fake_broker.h"

#define PATIENCE_MS 60000
#define BATCH       400 /* records: three slices and some */
#define VALUE_BYTES 500
#define PART_BYTES  (4 << 20)

static struct cm_ring *ring;
static struct cm_lane lane;
static struct cm_batch batch;
static struct cm_fetcher *fetcher;
static struct fake_broker broker;
static struct cm_fetch_terms terms;
static int64_t end[2], ms_per_record[2], next_offset[2], newest_ms[2];
static int32_t asked_bytes[2]; /* with the last request; 0: not asked */
static uint32_t break_at;      /* the request that the connection breaks at; 0: none */
static int64_t damaged = -1; /* the batch of partition 0 that begins there: its head says 50 more */
static char value[VALUE_BYTES];

/* ---- the broker's side */

static struct cm_text log_of(int32_t partition, int64_t from, int32_t bytes, bool first)
{
    struct cm_text set = {0};
    int64_t base = from - from % BATCH;
    while (base < end[partition]) {
        struct cm_text one = {0};
        struct batch_builder builder = batch_begin(base, CM_CODEC_NONE);
        builder.base_ms = base * ms_per_record[partition];
        for (int32_t i = 0; i < BATCH; i++) {
            batch_add_full(&builder, i, i * ms_per_record[partition], NULL, value, VALUE_BYTES, "",
                           1);
        }
        batch_end(&builder, &one);
        if (partition == 0 && base == damaged) {
            one.data[26] = (char)(one.data[26] + 50); /* the last offset's low byte */
        }
        bool fits = set.len + one.len <= (size_t)bytes || (first && set.len == 0);
        if (fits) {
            cm_text_add(&set, one.data, one.len);
        }
        cm_text_free(&one);
        if (!fits) {
            break;
        }
        base += BATCH;
    }
    return set;
}

/* Version 11. */
static void serve(struct fake_broker *at, const struct fake_request *request, struct cm_text *out)
{
    const uint8_t *p = request->body + 25 + 4 + 2 + 5; /* head, one topic "calls" */
    uint32_t count = cm_be32(p);
    assert_int_equal(request->key, FAKE_FETCH);
    if (break_at != 0 && at->requests[FAKE_FETCH] == break_at) {
        fake_broker_hang_up(at);
        return;
    }
    asked_bytes[0] = asked_bytes[1] = 0;
    fake_put(out, 0, 4);
    fake_put(out, 0, 2);
    fake_put(out, 0, 4);
    fake_put(out, 1, 4);
    fake_put_string(out, "calls");
    fake_put(out, count, 4);
    p += 4;
    for (uint32_t i = 0; i < count; i++, p += 28) {
        int32_t partition = (int32_t)cm_be32(p);
        assert_in_range(partition, 0, 1);
        asked_bytes[partition] = (int32_t)cm_be32(p + 24);
        struct cm_text set = log_of(partition, cm_be64(p + 8), asked_bytes[partition], i == 0);
        fake_put(out, partition, 4);
        fake_put(out, 0, 2);
        fake_put(out, end[partition], 8);
        fake_put(out, end[partition], 8);
        fake_put(out, 0, 8);
        fake_put(out, 0, 4);
        fake_put(out, -1, 4);
        fake_put(out, (int64_t)set.len, 4);
        cm_text_add(out, set.data, set.len);
        cm_text_free(&set);
    }
}

/* ---- our side */

/* A turn as the worker does it: what comes is the next of its partition, and its time is told. */
static uint32_t turn(void)
{
    (void)cm_fetcher_fetch(fetcher, &lane, &batch);
    uint32_t count = batch.count;
    if (count > 0) {
        int32_t partition = batch.at[0].partition;
        if (partition == 0 && next_offset[0] == damaged) {
            next_offset[0] += BATCH;
        }
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(batch.at[i].partition, partition);
            assert_int_equal(batch.at[i].offset, next_offset[partition]);
            assert_int_equal(batch.at[i].value_bytes, VALUE_BYTES);
            next_offset[partition]++;
        }
        newest_ms[partition] = batch.at[count - 1].append_ms;
        cm_fetcher_note(fetcher, &lane, partition, newest_ms[partition]);
    }
    batch.count = batch.ends_count = 0;
    (void)cm_ring_wait(ring, count > 0 ? 0 : CM_NS_PER_MS);
    fake_broker_turn(&broker);
    return count;
}

#define TURN_UNTIL(condition)                                                                      \
    do {                                                                                           \
        int64_t end_ns_ = cm_clock_mono_ns() + PATIENCE_MS * CM_NS_PER_MS;                         \
        while (!(condition)) {                                                                     \
            assert_true(cm_clock_mono_ns() < end_ns_);                                             \
            (void)turn();                                                                          \
        }                                                                                          \
    } while (0)

static int setup(void **state)
{
    int32_t leader[2] = {0, 0};
    struct cm_broker_address address;
    struct cm_leaders leaders = {&address, 1, leader, 2};
    (void)state;
    memset(&batch, 0, sizeof batch);
    memset(&lane, 0, sizeof lane);
    memset(value, 'v', sizeof value);
    lane.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    break_at = 0;
    damaged = -1;
    terms = (struct cm_fetch_terms){.client_id = "me",
                                    .topic = "calls",
                                    .rack = "",
                                    .wait_ms = 1,
                                    .least_bytes = 1,
                                    .most_bytes = 16 << 20,
                                    .part_bytes = PART_BYTES};
    fake_broker_open(&broker, 0);
    broker.serve = serve;
    fetcher = cm_fetcher_create(&terms, true);
    CM_ASSERT(cm_ring_open(64, CM_RING_AUTO, &ring) == 0);
    cm_fetcher_attach(fetcher, ring);
    for (int32_t i = 0; i < 2; i++) {
        cm_lane_begin(&lane, i, 0);
        next_offset[i] = newest_ms[i] = 0;
        ms_per_record[i] = 1000;
        end[i] = 3200;
    }
    fake_broker_address(&broker, &address);
    cm_fetcher_set_leaders(fetcher, &leaders);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cm_ring_destroy(ring);
    cm_fetcher_destroy(fetcher);
    fake_broker_close(&broker);
    free(lane.slots);
    (void)close(lane.fd);
    return 0;
}

/* The third request goes out when the second response has been taken up, the first not being
 * walked: both are still read to their ends, and what was on its way is asked for again. */
static void a_link_that_breaks_with_two_held_loses_nothing(void **state)
{
    (void)state;
    break_at = 3;
    TURN_UNTIL(broker.requests[FAKE_FETCH] == 3);
    assert_true(next_offset[0] + next_offset[1] < 800); /* of the first */
    TURN_UNTIL(next_offset[0] == 3200 && next_offset[1] == 3200);
    assert_int_equal(broker.connections, 2);
}

/* While two are held, one partition is read from elsewhere: nothing of its old place comes. */
static void a_slot_set_anew_with_two_held_goes_on_there(void **state)
{
    (void)state;
    TURN_UNTIL(broker.requests[FAKE_FETCH] == 3);
    cm_lane_begin(&lane, 1, 2500);
    next_offset[1] = 2500;
    TURN_UNTIL(next_offset[0] == 3200 && next_offset[1] == 3200);
}

/* What was planned behind it does not come true: that is dropped, and the batches that follow tell
 * where to go on. */
static void a_damaged_head_costs_its_batch(void **state)
{
    (void)state;
    damaged = 1200;
    TURN_UNTIL(next_offset[0] == 3200 && next_offset[1] == 3200);
    assert_in_range(broker.requests[FAKE_FETCH], 1, 50);
}

/* A record of 1 stands for ten of 0, in event time: it is asked for when its turn has come, and
 * then for a batch or two. */
static void each_is_asked_for_what_brings_it_level(void **state)
{
    (void)state;
    ms_per_record[1] = 10000;
    end[0] = 80000;
    end[1] = 8000;
    TURN_UNTIL(next_offset[0] >= 20000);
    uint32_t without = 0;
    uint32_t with = 0;
    while (next_offset[0] < 60000) {
        uint32_t requests = broker.requests[FAKE_FETCH];
        (void)turn();
        int64_t apart_ms = newest_ms[1] - newest_ms[0];
        assert_in_range(apart_ms + 8000000, 0, 16000000); /* two batches of 1 */
        if (broker.requests[FAKE_FETCH] > requests) {
            assert_in_range(asked_bytes[0], 1, PART_BYTES / 2);
            assert_in_range(asked_bytes[1], 0, PART_BYTES / 2);
            without += asked_bytes[1] == 0;
            with += asked_bytes[1] != 0;
        }
    }
    assert_true(with >= 5 && without >= 2 * with);
    TURN_UNTIL(next_offset[0] == 80000 && next_offset[1] == 8000);
}

/* One that has no more holds nobody back, and is asked for all that may come. */
static void one_at_its_end_holds_nobody_back(void **state)
{
    (void)state;
    end[0] = 400;
    end[1] = 10000;
    TURN_UNTIL(next_offset[1] == 10000);
    assert_int_equal(next_offset[0], 400);
    TURN_UNTIL(asked_bytes[0] != 0 && asked_bytes[1] == PART_BYTES);
    end[0] = 800;
    TURN_UNTIL(next_offset[0] == 800);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_link_that_breaks_with_two_held_loses_nothing),
        CASE(a_slot_set_anew_with_two_held_goes_on_there),
        CASE(a_damaged_head_costs_its_batch),
        CASE(each_is_asked_for_what_brings_it_level),
        CASE(one_at_its_end_holds_nobody_back),
    };
    return cmocka_run_group_tests_name("fetcher_step", tests, NULL, NULL);
}
