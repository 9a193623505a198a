// SPDX-License-Identifier: Apache-2.0
/* capacity_test.c — the rate of rows against a simulation, and plans that can be reckoned by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/prng.h"
#include "plan/capacity.h"

static struct cm_config *config_of(const char *yaml)
{
    struct cm_config *config = NULL;
    assert_int_equal(cm_config_parse("t.yaml", yaml, strlen(yaml), NULL, 0, &config), 0);
    return config;
}

static const struct cm_capacity_line *line(const struct cm_capacity *plan, const char *name)
{
    for (uint32_t i = 0; i < plan->lines; i++) {
        if (strcmp(plan->line[i].name, name) == 0) {
            return &plan->line[i];
        }
    }
    fail_msg("no line %s", name);
    return NULL;
}

static void near(double got, double wanted)
{
    if (!(fabs(got - wanted) <= 1e-9 * (1 + fabs(wanted)))) {
        fail_msg("got %.12g, wanted %.12g", got, wanted);
    }
}

/* Marks of one unit over a long time, tick by tick: records at random, each marking the tick that
 * it comes in, and the one at the end of its step. */
static double simulate(double records_per_s, int tick_ms, int step_ms)
{
    static bool marked[2000000];
    struct cm_prng prng;
    const int64_t span_ms = INT64_C(4000000);
    uint64_t rows = 0;
    cm_prng_seed(&prng, 3);
    memset(marked, 0, sizeof(marked));
    double at_ms = 0;
    for (;;) {
        at_ms +=
            -log(1 - (double)cm_prng_below(&prng, 1u << 30) / (1u << 30)) * 1e3 / records_per_s;
        int64_t ms = (int64_t)at_ms;
        if (ms >= span_ms - 200000) {
            break;
        }
        /* Far enough behind that the two are independent, as the window's length makes it. */
        int64_t leave_ms = step_ms > 0 ? (ms / step_ms + 1) * step_ms + 60000 : ms;
        marked[ms / tick_ms] = true;
        if (step_ms > 0) {
            marked[(leave_ms + tick_ms - 1) / tick_ms] = true;
        }
    }
    for (size_t i = 0; i < sizeof(marked); i++) {
        rows += marked[i];
    }
    return (double)rows * 1e3 / (double)(span_ms - 200000);
}

static void test_rows_against_a_simulation(void **state)
{
    (void)state;
    static const double rates[] = {0.02, 0.3, 2, 8};
    static const int steps_ms[] = {0, 1000, 5000, 60000};
    static const int ticks_ms[] = {50, 200, 2000};
    for (size_t r = 0; r < CM_ARRAY_LEN(rates); r++) {
        for (size_t s = 0; s < CM_ARRAY_LEN(steps_ms); s++) {
            for (size_t t = 0; t < CM_ARRAY_LEN(ticks_ms); t++) {
                double got = cm_capacity_row_rate(rates[r], ticks_ms[t] / 1e3, steps_ms[s] / 1e3);
                double simulated = simulate(rates[r], ticks_ms[t], steps_ms[s]);
                /* 76 to 30,000 records; 4 standard deviations and a bit. */
                double tolerance = 4 / sqrt(rates[r] * 3800) + 0.02;
                if (fabs(got / simulated - 1) > tolerance) {
                    fail_msg("%g/s, tick %d, step %d: %g, simulated %g", rates[r], ticks_ms[t],
                             steps_ms[s], got, simulated);
                }
            }
        }
    }
}

/* Simple numbers: every curve 0 but those that a test sets. */
static void test_lines_by_hand(void **state)
{
    (void)state;
    struct cm_curves curves = {0};
    struct cm_config *config = config_of("windows: [1m/1s, 5m/5s]\nperiods: [day]\ntick: 1s\n"
                                         "publish: [units]\nallowed_lateness: 0s\ndedupe: 100s\n"
                                         "compliance: {judge_within: 2d}\n");
    struct cm_capacity_ask ask = {
        .seats = 2000,
        .teams = 200,
        .rooms = 20,
        .queues = 2,
        .calls_an_hour = 3.6e6, /* 1,000 a second */
        .events_a_call = 2,
        .record_bytes = 500,
        .processes = 2,
        .margin = 3,
        .codec = CM_CODEC_ZSTD,
        .config = config,
        .curves = &curves,
    };
    struct cm_capacity plan;
    for (int i = 0; i < 4; i++) {
        curves.value[CM_CURVE_apply_1k_ns + i] = 10000;
        curves.value[CM_CURVE_window_1k_ns + i] = 3000;
        curves.value[CM_CURVE_period_1k_ns + i] = 1000;
    }
    curves.value[CM_CURVE_consume_ns] = 500;
    curves.value[CM_CURVE_wake_cores] = 0.125;
    curves.value[CM_CURVE_decode_ns] = 500;
    curves.value[CM_CURVE_id_bytes] = 1048.576;
    curves.value[CM_CURVE_sum_bytes] = 1048576;
    curves.value[CM_CURVE_judged_bytes] = 1048.576;
    for (int i = 0; i < 4; i++) {
        curves.value[CM_CURVE_leg_1k_bytes + i] = 1048.576;
    }
    curves.value[CM_CURVE_redis_units_bytes] = 1048576;
    curves.value[CM_CURVE_redis_both_bytes] = 7;
    curves.value[CM_CURVE_wire_zstd_share] = 0.25;
    cm_capacity_plan(&ask, &plan);
    near(plan.records_per_s, 2000);
    near(plan.units, 2000 + 200 + 20 + 2 + 2); /* a centre each */
    near(line(&plan, "worker_cores")->expected, 2000 * 15e-6);
    near(line(&plan, "worker_cores")->provide, 3 * 2000 * 15e-6);
    near(line(&plan, "wake_cores")->expected, 2 * 0.125); /* a process */
    near(line(&plan, "wake_cores")->provide, 3 * 2 * 0.125);
    near(line(&plan, "callmill_cores")->expected,
         line(&plan, "worker_cores")->expected + line(&plan, "service_cores")->expected + 0.25);
    near(line(&plan, "callmill_cores")->provide, 2);
    near(line(&plan, "callmill_memory_MiB")->expected,
         2224 * 4 + 2000 * 100 / 1000.0 + 2000 * 300 / 1000.0 + 2000 * 20 * 3600 / 1000.0);
    near(line(&plan, "redis_memory_MiB")->expected, 2224 * 3);
    near(line(&plan, "kafka_raw_MB_per_s")->expected, 1);
    near(line(&plan, "kafka_MB_per_s")->provide, 0.75);
    near(line(&plan, "kafka_partitions")->provide, 4);
    assert_int_equal(plan.notes, 1); /* topics of their own */
    cm_config_free(config);
}

static void test_more_asks_for_more(void **state)
{
    (void)state;
    struct cm_curves curves;
    struct cm_config *fast = config_of("tick: 100ms\n"), *slow = config_of("tick: 1s\n");
    struct cm_config *one = config_of("tick: 1s\npublish: [boards]\n");
    struct cm_capacity_ask ask = {.seats = 5000,
                                  .teams = 417,
                                  .rooms = 33,
                                  .queues = 8,
                                  .calls_an_hour = 1e5,
                                  .events_a_call = 1,
                                  .processes = 1,
                                  .margin = 2,
                                  .config = slow,
                                  .curves = &curves};
    struct cm_capacity base, more;
    cm_curves_builtin(&curves);
    cm_capacity_plan(&ask, &base);
    ask.config = fast;
    cm_capacity_plan(&ask, &more);
    assert_true(more.rows_per_s > base.rows_per_s);
    assert_true(line(&more, "redis_cores")->expected > line(&base, "redis_cores")->expected);
    ask.config = one;
    cm_capacity_plan(&ask, &more);
    assert_true(line(&more, "redis_memory_MiB")->expected <
                line(&base, "redis_memory_MiB")->expected);
    ask.config = fast;
    ask.calls_an_hour = 1e9;
    cm_capacity_plan(&ask, &more);
    for (uint32_t i = 0; i < base.lines; i++) {
        assert_true(more.line[i].provide >= base.line[i].provide);
        assert_true(base.line[i].why[0] != '\0');
    }
    double workers = line(&more, "kafka_partitions")->provide;
    assert_true(workers > 2 && line(&more, "worker_cores")->provide > 1);
    assert_true(more.notes > base.notes); /* more than a thread can do */
    cm_config_free(fast);
    cm_config_free(slow);
    cm_config_free(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_against_a_simulation),
        cmocka_unit_test(test_lines_by_hand),
        cmocka_unit_test(test_more_asks_for_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
