// SPDX-License-Identifier: Apache-2.0
/* traffic_leg_test.c — shares and means of what legs do, against what the model says they are. */
#include "traffic/traffic_leg.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { N = 200000, SEATS = 1000 };

struct bench {
    struct cm_leg_model model;
    struct cm_prng prng;
};

static void bench_open(struct bench *b)
{
    struct cm_traffic_options options;
    cm_traffic_defaults(&options);
    options.seats = SEATS;
    cm_prng_seed(&b->prng, 11);
    cm_leg_model_init(&b->model, &options, &b->prng);
}

static bool near(double value, double want, double share)
{
    return fabs(value - want) <= want * share;
}

static struct cm_leg fresh(uint32_t seat, uint8_t queue)
{
    return (struct cm_leg){
        .seat = seat, .queue = queue, .leg = 1, .rating = -1, .checks = CM_NO_CHECKS};
}

static void test_legs_at_seats(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    double outcomes[CM_OUTCOME_COUNT] = {0};
    double talk = 0;
    double acw = 0;
    double held = 0;
    double moved = 0;
    double rated = 0;
    double points = 0;
    double passed = 0;
    double failed = 0;
    for (uint32_t i = 0; i < N; i++) {
        struct cm_leg leg = fresh(i % SEATS, b.model.queue_of[i % CM_QUEUE_SLOTS]);
        cm_leg_at_seat(&b.model, &b.prng, &leg);
        outcomes[leg.outcome]++;
        assert_in_range(leg.end, CM_END_CALLER, CM_END_TRANSFER);
        if (leg.outcome != CM_OUTCOME_ANSWERED) {
            assert_int_equal(leg.talk_ms + leg.hold_ms + leg.acw_ms, 0);
            assert_in_range(leg.ring_ms, 1000, 20000);
            continue;
        }
        talk += leg.talk_ms;
        acw += leg.acw_ms;
        held += leg.hold_n > 0;
        moved += leg.transfers;
        assert_int_equal(leg.hold_n > 0, leg.hold_ms > 0);
        assert_int_equal(leg.transfers > 0, leg.end == CM_END_TRANSFER);
        assert_true(!leg.on_hold || (leg.hold_n > 0 && leg.end == CM_END_CALLER));
        if (leg.rating >= 0) {
            assert_in_range(leg.rating, 0, CM_RATING_MAX);
            rated++;
            points += leg.rating;
        }
        assert_in_range(leg.checks, 0, 26);
        for (uint32_t c = 0, checks = leg.checks; c < CM_TRAFFIC_CHECKS; c++, checks /= 3) {
            passed += checks % 3 == 0;
            failed += checks % 3 == 1;
        }
    }
    double answered = outcomes[CM_OUTCOME_ANSWERED];
    assert_true(near(answered / N, 0.982, 0.005));
    assert_true(near(outcomes[CM_OUTCOME_NO_ANSWER] / N, 0.010, 0.1));
    assert_true(near(outcomes[CM_OUTCOME_REJECTED] / N, 0.005, 0.1));
    assert_true(near(outcomes[CM_OUTCOME_ABANDONED] / N, 0.003, 0.15));
    assert_true(near(talk / answered, 182000, 0.05)); /* over persons alike; by calls it is 176 s */
    assert_true(near(acw / answered, 25000, 0.02));
    assert_true(near(held / answered, 0.12, 0.03));
    assert_true(near(moved / answered, 0.04, 0.05));
    assert_true(near(rated / answered, 0.25, 0.02));
    assert_true(points / rated > 80 && points / rated < 90);
    assert_true(near(passed / (passed + failed), 0.95, 0.005));
    cm_leg_model_free(&b.model);
}

static void test_persons_and_queues_differ(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    double low = 1e9;
    double high = 0;
    double sum = 0;
    for (uint32_t i = 0; i < SEATS; i++) {
        double mean_s = b.model.seat_factor[i] / 65536.0 * 176.0;
        low = mean_s < low ? mean_s : low;
        high = mean_s > high ? mean_s : high;
        sum += mean_s;
    }
    assert_true(low >= 123.0 && low < 125.0);
    assert_true(high <= 393.0 && high > 380.0);
    assert_true(near(sum / SEATS, 176.0, 0.03));
    double mean = 0;
    uint32_t slots[CM_TRAFFIC_QUEUES_MAX] = {0};
    for (uint32_t i = 0; i < CM_QUEUE_SLOTS; i++) {
        mean += b.model.queue_factor[b.model.queue_of[i]] / 65536.0 / CM_QUEUE_SLOTS;
        slots[b.model.queue_of[i]]++;
    }
    assert_true(near(mean, 1.0, 0.01));
    for (uint32_t i = 1; i < b.model.queues; i++) {
        assert_true(slots[i] > 0 && slots[i] <= slots[i - 1]);
    }
    cm_leg_model_free(&b.model);
}

static void test_waits(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    double none[2] = {0};
    double sum[2] = {0};
    for (int load = 0; load < 2; load++) {
        for (int i = 0; i < N; i++) {
            uint32_t wait_ms = cm_leg_wait_ms(&b.model, &b.prng, load == 0 ? 1000 : 80000);
            none[load] += wait_ms == 0;
            sum[load] += wait_ms;
        }
    }
    assert_true(near(none[0] / N, 0.72, 0.02)); /* at night */
    assert_true(near(none[1] / N, 0.33, 0.02)); /* at the busiest hour */
    assert_true(near(sum[1] / (N - none[1]), 1.1 * 80000, 0.03));
    assert_true(sum[0] / (N - none[0]) < sum[1] / (N - none[1]));
    cm_leg_model_free(&b.model);
}

static void test_last_leg_ends(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    for (uint32_t i = 0; i < 20000; i++) { /* the last leg of a call never asks for another */
        struct cm_leg leg = fresh(i % SEATS, 0);
        leg.leg = CM_LEGS_MAX;
        cm_leg_at_seat(&b.model, &b.prng, &leg);
        assert_true(leg.outcome == CM_OUTCOME_ANSWERED || leg.outcome == CM_OUTCOME_ABANDONED);
        assert_int_equal(leg.transfers, 0);
    }
    cm_leg_model_free(&b.model);
}

static void test_machines(void **state)
{
    (void)state;
    struct bench b;
    bench_open(&b);
    double answered = 0;
    for (int i = 0; i < 50000; i++) {
        struct cm_leg leg = fresh(CM_NO_SEAT, 0);
        cm_leg_at_machine(&b.model, &b.prng, &leg);
        assert_int_equal(leg.queue, b.model.queues);
        assert_in_range(leg.channel, 1, CM_TRAFFIC_CHANNELS - 1);
        assert_int_equal(leg.outcome == CM_OUTCOME_ANSWERED, leg.talk_ms > 0);
        answered += leg.outcome == CM_OUTCOME_ANSWERED;
    }
    assert_true(near(answered / 50000, 0.93, 0.01));
    cm_leg_model_free(&b.model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_legs_at_seats), cmocka_unit_test(test_persons_and_queues_differ),
        cmocka_unit_test(test_waits),         cmocka_unit_test(test_last_leg_ends),
        cmocka_unit_test(test_machines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
