// SPDX-License-Identifier: Apache-2.0
/* fetch_walk_test.c — several responses walked at once, without a connection: in the order of event
 * time, each partition in the order of its offsets. A record's event time is its timestamp. */
#include "kafka/fetch_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fail.h"
#include "base/memory.h"
#include "support/batch_builder.h"
#include "support/fake_broker.h"

#define PARTITIONS 20
#define BATCH      300 /* records */
#define SLICE      128

static const struct cm_fetch_terms terms = {.client_id = "me", .topic = "calls"};
static struct cm_lane lane;
static struct cm_fetch_table table;
static struct cm_fetch_walk *walk;
static struct cm_link links[2];
static struct cm_batch batch;
static int64_t next_offset[PARTITIONS], ms_per_record[PARTITIONS], left[PARTITIONS];
static uint32_t refusals;

static void refused(void *context, struct cm_lane *at, const struct cm_fetch_part *part,
                    int32_t broker, int64_t now_ns)
{
    (void)at;
    (void)now_ns;
    assert_ptr_equal(context, &refusals);
    assert_int_equal(part->error, 6);
    assert_int_equal(broker, 0);
    refusals++;
}

static int setup(void **state)
{
    const struct cm_broker_address address = {0};
    (void)state;
    memset(&lane, 0, sizeof lane);
    walk = cm_fetch_walk_create(&terms, true, &table, refused, &refusals);
    for (int i = 0; i < 2; i++) {
        cm_link_init(&links[i], NULL, &terms, &address);
        links[i].broker.id = i;
        links[i].versions.fetch = 11;
    }
    for (int32_t i = 0; i < PARTITIONS; i++) {
        cm_lane_begin(&lane, i, 0);
        next_offset[i] = left[i] = 0;
        ms_per_record[i] = 1000;
    }
    refusals = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cm_fetch_walk_destroy(walk);
    cm_fetch_table_free(&table);
    cm_link_free(&links[0]);
    cm_link_free(&links[1]);
    free(lane.slots);
    return 0;
}

/* ---- what arrives */

static struct cm_text answer;
static struct cm_link_response asked; /* its asks */

static void begin_response(uint32_t parts)
{
    answer = (struct cm_text){0};
    asked = (struct cm_link_response){0};
    fake_put(&answer, 0, 4); /* length */
    fake_put(&answer, 0, 4); /* correlation */
    fake_put(&answer, 0, 4);
    fake_put(&answer, 0, 2);
    fake_put(&answer, 0, 4);
    fake_put(&answer, 1, 4);
    fake_put_string(&answer, "calls");
    fake_put(&answer, parts, 4);
}

static void put_set(struct cm_text *set, int32_t partition, int64_t from, int64_t to)
{
    for (int64_t offset = from; offset < to;) {
        struct batch_builder builder = batch_begin(offset, CM_CODEC_LZ4);
        builder.base_ms = offset * ms_per_record[partition];
        for (int32_t i = 0; i < BATCH && offset < to; i++, offset++) {
            batch_add_full(&builder, i, i * ms_per_record[partition], NULL, "v", 1, "", 1);
        }
        batch_end(&builder, set);
    }
}

/* Records [from, to) of the partition; an error has none. */
static void add_part(int32_t partition, int64_t from, int64_t to, int16_t error)
{
    struct cm_text set = {0};
    struct cm_fetch_ask ask = {.partition = partition, .offset = from};
    cm_link_add_ask(&asked, &ask, lane.slots[partition].generation);
    put_set(&set, partition, from, to);
    fake_put(&answer, partition, 4);
    fake_put(&answer, error, 2);
    fake_put(&answer, 1000000, 8);
    fake_put(&answer, 1000000, 8);
    fake_put(&answer, 0, 8);
    fake_put(&answer, 0, 4);
    fake_put(&answer, -1, 4);
    fake_put(&answer, (int64_t)set.len, 4);
    cm_text_add(&answer, set.data, set.len);
    cm_text_free(&set);
    left[partition] += to - from;
}

/* Gives it to a link, as if it had come over its connection, and to the walk. */
static void arrive(struct cm_link *link)
{
    struct cm_fetch_answer read;
    struct cm_fetch_part part;
    uint32_t ask = 0;
    struct cm_link_response *r = cm_link_begin(link);
    int32_t response = link->filling;
    link->filling = -1;
    free(r->bytes);
    r->bytes = (uint8_t *)cm_realloc(NULL, answer.len, 1);
    memcpy(r->bytes, answer.data, answer.len);
    r->cap = r->have = answer.len;
    for (uint32_t i = 0; i < asked.count; i++) {
        cm_link_add_ask(r, &asked.asks[i], asked.generations[i]);
    }
    free(asked.asks);
    free(asked.generations);
    cm_text_free(&answer);
    assert_int_equal(cm_fetch_begin(&read, 11, 0, r->bytes + 4, r->have - 4), 0);
    cm_fetch_walk_hold(walk, link, response, &read);
    while (cm_fetch_next(&read, &part) == 1) {
        ask = cm_link_find_ask(r, part.partition, ask);
        cm_fetch_walk_add(walk, &part, ask);
    }
}

/* ---- what comes out */

/* A turn: its partition, -1 at the end of all. Offsets of it have to be the next ones. */
static int32_t turn(void)
{
    batch.count = batch.ends_count = 0;
    cm_fetch_walk_on(walk, &lane, &batch, 0);
    if (batch.count == 0) {
        return -1;
    }
    int32_t partition = batch.at[0].partition;
    for (uint32_t i = 0; i < batch.count; i++) {
        assert_int_equal(batch.at[i].partition, partition);
        assert_int_equal(batch.at[i].offset, next_offset[partition]);
        assert_memory_equal(batch.at[i].value, "v", 1);
        next_offset[partition]++;
    }
    left[partition] -= batch.count;
    assert_int_equal(lane.slots[partition].next, next_offset[partition]);
    cm_fetch_known(&table, &lane, (uint32_t)partition)->pace.newest_ms =
        batch.at[batch.count - 1].append_ms;
    return partition;
}

static int64_t newest_ms(int32_t partition)
{
    return cm_fetch_known(&table, &lane, (uint32_t)partition)->pace.newest_ms;
}

/* All that is here: each turn goes to the partition that is furthest behind, of those below `count`
 * that have something here. */
static void all_in_step(int32_t count)
{
    for (;;) {
        int64_t before_ms[PARTITIONS];
        bool has[PARTITIONS];
        for (int32_t i = 0; i < count; i++) {
            before_ms[i] = newest_ms(i);
            has[i] = left[i] > 0;
        }
        int32_t partition = turn();
        if (partition < 0) {
            break;
        }
        for (int32_t i = 0; i < count; i++) {
            assert_true(!has[i] || before_ms[partition] <= before_ms[i]);
        }
    }
    for (int32_t i = 0; i < count; i++) {
        assert_int_equal(left[i], 0);
    }
    assert_int_equal(links[0].held_count, 0);
    assert_int_equal(links[1].held_count, 0);
}

/* The first has little of 1, whose records lie closer: the second goes on with it while 0 and 2
 * stand where they are. */
static void two_responses_of_a_link_go_in_event_time(void **state)
{
    (void)state;
    ms_per_record[1] = 300;
    begin_response(3);
    add_part(0, 0, 900, 0);
    add_part(1, 0, 300, 0);
    add_part(2, 0, 1000, 0);
    arrive(&links[0]);
    begin_response(3);
    add_part(1, 300, 3300, 0);
    add_part(2, 1000, 1300, 0);
    add_part(0, 900, 1500, 0);
    arrive(&links[0]);
    assert_int_equal(links[0].held_count, 2);
    all_in_step(3);
    assert_int_equal(next_offset[0], 1500);
    assert_int_equal(next_offset[1], 3300);
    assert_int_equal(next_offset[2], 1300);
}

static void two_links_go_in_event_time(void **state)
{
    (void)state;
    begin_response(2);
    add_part(0, 0, 1000, 0);
    add_part(1, 0, 400, 0);
    arrive(&links[0]);
    begin_response(2);
    add_part(2, 0, 700, 0);
    add_part(3, 0, 1200, 0);
    arrive(&links[1]);
    begin_response(1);
    add_part(1, 400, 1100, 0);
    arrive(&links[0]);
    all_in_step(4);
}

/* One that comes while another is ahead goes first; and the first response is let go of as soon as
 * nothing of it is left, whatever the second still has. */
static void what_arrives_behind_goes_first(void **state)
{
    (void)state;
    begin_response(1);
    add_part(0, 0, 1000, 0);
    arrive(&links[0]);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(turn(), 0);
    }
    begin_response(2);
    add_part(0, 1000, 1300, 0);
    add_part(1, 0, 600, 0);
    arrive(&links[0]);
    assert_int_equal(turn(), 1);
    while (next_offset[0] < 1001) {
        assert_int_equal(links[0].held_count, 2);
        assert_true(turn() >= 0);
    }
    assert_int_equal(links[0].held_count, 1);
    all_in_step(2);
}

/* More partitions than may be open at once: none is left out. */
static void many_partitions_all_come(void **state)
{
    (void)state;
    for (int64_t from = 0; from < 1000; from += 500) {
        begin_response(PARTITIONS);
        for (int32_t i = 0; i < PARTITIONS; i++) {
            add_part(i, from, from + 500, 0);
        }
        arrive(&links[0]);
    }
    while (turn() >= 0) {
    }
    for (int32_t i = 0; i < PARTITIONS; i++) {
        assert_int_equal(next_offset[i], 1000);
    }
    assert_int_equal(links[0].held_count, 0);
}

/* What was asked before is dropped out of both, the rest of them stays, and what is asked anew
 * comes. */
static void a_slot_set_anew_gets_nothing_old(void **state)
{
    (void)state;
    for (int64_t from = 0; from < 1200; from += 600) {
        begin_response(2);
        add_part(0, from, from + 600, 0);
        add_part(1, from, from + 600, 0);
        arrive(&links[0]);
    }
    assert_true(turn() >= 0);
    assert_true(turn() >= 0);
    cm_lane_begin(&lane, 0, 5000);
    next_offset[0] = 5000;
    left[0] = 0;
    begin_response(1);
    add_part(0, 5000, 5400, 0);
    arrive(&links[1]);
    assert_int_equal(turn(), 0); /* nothing is known of it: it is first */
    all_in_step(2);
    assert_int_equal(next_offset[0], 5400);
    assert_int_equal(next_offset[1], 1200);
    /* Taken away: nothing at all. */
    begin_response(1);
    add_part(1, 1200, 1300, 0);
    arrive(&links[1]);
    cm_lane_stop(&lane, 1);
    assert_int_equal(turn(), -1);
    assert_int_equal(links[1].held_count, 0);
}

/* What the second begins with is not where the first ended: it is dropped, and asked for again from
 * where the partition stands. */
static void a_gap_between_two_is_asked_for_again(void **state)
{
    (void)state;
    begin_response(2);
    add_part(0, 0, 200, 0);
    add_part(1, 0, 200, 0);
    arrive(&links[0]);
    begin_response(2);
    add_part(0, 300, 500, 0);
    add_part(1, 200, 500, 0);
    arrive(&links[0]);
    cm_fetch_known(&table, &lane, 0)->planned = 500;
    cm_fetch_known(&table, &lane, 1)->planned = 500;
    while (turn() >= 0) {
    }
    assert_int_equal(next_offset[0], 200);
    assert_int_equal(cm_fetch_known(&table, &lane, 0)->planned, -1);
    assert_int_equal(next_offset[1], 500);
    assert_int_equal(cm_fetch_known(&table, &lane, 1)->planned, 500);
    assert_int_equal(links[0].held_count, 0);
}

/* An error is heard of when all that came before it has been walked. */
static void an_error_waits_for_its_turn(void **state)
{
    (void)state;
    begin_response(1);
    add_part(0, 0, 300, 0);
    arrive(&links[0]);
    begin_response(1);
    add_part(0, 300, 300, 6);
    arrive(&links[0]);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(turn(), 0);
        assert_int_equal(refusals, 0);
    }
    assert_int_equal(turn(), -1);
    assert_int_equal(refusals, 1);
    assert_int_equal(links[0].held_count, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(two_responses_of_a_link_go_in_event_time),
        CASE(two_links_go_in_event_time),
        CASE(what_arrives_behind_goes_first),
        CASE(many_partitions_all_come),
        CASE(a_slot_set_anew_gets_nothing_old),
        CASE(a_gap_between_two_is_asked_for_again),
        CASE(an_error_waits_for_its_turn),
    };
    return cmocka_run_group_tests_name("fetch_walk", tests, NULL, NULL);
}
