// SPDX-License-Identifier: Apache-2.0
/* erlang_test.c — against published values, and against chains solved by plain summation.
 *
 * The values for 100 calls in 30 min, AHT 180 s, target 20 s are the regression tests of
 * rodrigo-arenas/pyworkforce (MIT). The brute force shares no formula with the code: states of the
 * birth-death chain are added up in long double; what happens to a caller who waits is followed
 * through the chain of those ahead, jump by jump (uniformisation).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"
#include "plan/erlang.h"

static void near(double got, double wanted, double tolerance)
{
    if (!(fabs(got - wanted) <= tolerance * (1 + fabs(wanted)))) {
        fail_msg("got %.17g, wanted %.17g within %g", got, wanted, tolerance);
    }
}

static const struct cm_erlang_load half_hour = {
    .calls_per_s = 100.0 / 1800, .aht_s = 180, .target_s = 20};

static void test_published_values_of_erlang_c(void **state)
{
    (void)state;
    static const double levels[] = {0.3896, 0.6402, 0.7956, 0.8884, 0.9415, 0.9706, 0.9858, 0.9935};
    struct cm_erlang_figures f;
    near(cm_erlang_traffic(&half_hour), 10, 1e-15);
    for (uint32_t n = 11; n <= 18; n++) {
        cm_erlang_measure(&half_hour, n, &f);
        near(f.service_level, levels[n - 11], 0.00003);
    }
    cm_erlang_measure(&half_hour, 14, &f);
    near(f.wait_probability, 0.17413, 0.000005);
    near(f.service_level, 0.88835, 0.000005);
    near(f.asa_s, 7.836, 0.0005 / 7);
    near(f.wait_s, f.asa_s, 0);
    near(f.occupancy, 0.7143, 0.00004);
    assert_true(f.abandonment == 0);
}

static void test_published_values_of_erlang_a(void **state)
{
    (void)state;
    struct cm_erlang_load load = half_hour;
    struct cm_erlang_figures f;
    load.patience_s = 300;
    cm_erlang_measure(&load, 14, &f);
    near(f.wait_probability, 0.14526, 0.000005);
    near(f.abandonment, 0.013984, 0.0000005);
    near(f.wait_s, 4.195, 0.0005 / 5);
    near(f.occupancy, 0.704297, 0.0000005);
    near(f.service_level, 0.916792, 0.0000005);
}

/* --- brute force --- */

struct brute {
    long double wait, in_time, abandonment, wait_s, occupancy;
};

/* For each j < count: the chance that a caller with j callers before it is answered within
 * target_s. Jumps of the chain (one ahead fewer, then answered; or gone) come at a constant pace,
 * so how many fit in is Poisson; known[j] is the chance to be answered within k jumps. */
static long double *answered_in_time(const struct cm_erlang_load *load, uint32_t agents,
                                     uint32_t count)
{
    long double mu = agents / (long double)load->aht_s;
    long double theta = load->patience_s > 0 ? 1 / (long double)load->patience_s : 0;
    long double pace = mu + (count + 1) * theta, jumps = pace * (long double)load->target_s;
    long double *known = cm_alloc(count, sizeof(*known)), *sum = cm_alloc(count, sizeof(*sum));
    long double weight = expl(-jumps), rest = 1; /* a long double holds e^-11355 */
    for (uint32_t k = 0; k < jumps || rest > 1e-16L; k++) {
        rest -= weight;
        for (uint32_t j = count; j-- > 0;) {
            sum[j] += weight * known[j];
            long double before = j > 0 ? known[j - 1] : 1;
            known[j] =
                ((mu + j * theta) * before + (pace - mu - (j + 1) * theta) * known[j]) / pace;
        }
        weight *= jumps / (k + 1);
        if (k > 10 * jumps + 1000) {
            break; /* what is lost in rounding never comes */
        }
    }
    free(known);
    return sum;
}

static struct brute brute_force(const struct cm_erlang_load *load, uint32_t agents, uint32_t states,
                                bool with_target)
{
    long double lambda = (long double)load->calls_per_s, mu = 1 / (long double)load->aht_s;
    long double theta = load->patience_s > 0 ? 1 / (long double)load->patience_s : 0;
    long double *p = cm_alloc(states, sizeof(*p)), total = 0;
    struct brute out = {0};
    p[0] = 1;
    for (uint32_t k = 1; k < states; k++) {
        long double busy = k < agents ? k : agents;
        p[k] = p[k - 1] * lambda / (busy * mu + (k - busy) * theta);
        if (p[k] > 1e1000L) { /* all of them smaller, alike */
            for (uint32_t i = 0; i <= k; i++) {
                p[i] *= 1e-1000L;
            }
        }
    }
    for (uint32_t k = 0; k < states; k++) {
        total += p[k];
    }
    uint32_t longest = 0;
    for (uint32_t k = agents; k < states; k++) {
        longest = p[k] / total > 1e-17L ? k - agents + 1 : longest;
    }
    long double *answered = with_target ? answered_in_time(load, agents, longest + 1) : NULL;
    for (uint32_t k = 0; k < states; k++) {
        long double share = p[k] / total, busy = k < agents ? k : agents;
        out.occupancy += share * busy / agents;
        out.wait_s += share * (k - busy) / lambda;
        out.wait += k >= agents ? share : 0;
        out.in_time += k < agents ? share : 0;
        if (with_target && k >= agents && k - agents < longest) {
            out.in_time += share * answered[k - agents];
        }
    }
    out.abandonment = theta * out.wait_s;
    free(answered);
    free(p);
    return out;
}

static void compare(const struct cm_erlang_load *load, uint32_t agents, uint32_t states,
                    bool with_target, double tolerance)
{
    struct brute wanted = brute_force(load, agents, states, with_target);
    struct cm_erlang_figures got;
    cm_erlang_measure(load, agents, &got);
    near(got.wait_probability, (double)wanted.wait, tolerance);
    near(got.wait_s, (double)wanted.wait_s, tolerance);
    near(got.abandonment, (double)wanted.abandonment, tolerance);
    near(got.occupancy, (double)wanted.occupancy, tolerance);
    if (with_target) {
        near(got.service_level, (double)wanted.in_time, tolerance);
    }
}

static void test_small_centres_against_the_chain(void **state)
{
    (void)state;
    static const double patiences_s[] = {0, 30, 120, 900};
    for (uint32_t agents = 1; agents <= 25; agents += agents < 5 ? 1 : 5) {
        for (size_t i = 0; i < 4; i++) {
            for (int load_percent = 30; load_percent <= 180; load_percent += 50) {
                struct cm_erlang_load load = {
                    .calls_per_s = load_percent / 100.0 * agents / 240,
                    .aht_s = 240,
                    .target_s = 20,
                    .patience_s = patiences_s[i],
                };
                if (patiences_s[i] > 0 || load_percent < 100) {
                    compare(&load, agents, agents + 400, true, 1e-12);
                }
            }
        }
    }
}

static void test_large_centres_against_the_chain(void **state)
{
    (void)state;
    static const double patiences_s[] = {0, 20, 120, 3600};
    static const uint32_t sizes[] = {100, 1000, 10000, 100000};
    for (size_t s = 0; s < 4; s++) {
        for (size_t i = 0; i < 4; i++) {
            for (int spare = -2; spare <= 2; spare++) {
                /* Around square-root staffing, where things happen. */
                double traffic = sizes[s] - spare * sqrt(sizes[s]);
                struct cm_erlang_load load = {.calls_per_s = traffic / 240,
                                              .aht_s = 240,
                                              .target_s = 20,
                                              .patience_s = patiences_s[i]};
                if (patiences_s[i] > 0 || spare > 0) {
                    bool with_target = patiences_s[i] == 120 && spare % 2 == 0;
                    compare(&load, sizes[s], 3 * sizes[s] + 10000, with_target, 1e-10);
                }
            }
        }
    }
}

/* What must be true of the service level at any size: without a target, and with one that nobody
 * can miss, and where hardly anybody gives up. */
static void test_service_level_of_large_centres_is_consistent(void **state)
{
    (void)state;
    for (uint32_t n = 1000; n <= 1000000; n *= 10) {
        struct cm_erlang_load load = {
            .calls_per_s = (n - sqrt(n)) / 240, .aht_s = 240, .target_s = 0, .patience_s = 120};
        struct cm_erlang_figures f;
        cm_erlang_measure(&load, n, &f);
        near(f.service_level, 1 - f.wait_probability, 1e-10); /* target 0: answered at once */
        load.target_s = 1e6;
        cm_erlang_measure(&load, n, &f);
        near(f.service_level, 1 - f.abandonment, 1e-9); /* no target: answered at all */
        load.target_s = 20;
        load.patience_s = CM_ERLANG_PATIENCE_S_MAX;
        cm_erlang_measure(&load, n, &f);
        struct cm_erlang_load patient = load;
        struct cm_erlang_figures c;
        patient.patience_s = 0;
        cm_erlang_measure(&patient, n, &c);
        near(f.service_level, c.service_level, 0.001); /* hardly anybody gives up */
        assert_true(f.service_level + f.abandonment > c.service_level - 1e-9 && f.asa_s < c.asa_s);
    }
}

static void test_waits_of_the_answered_add_up(void **state)
{
    (void)state;
    /* wait of all = answered part + abandoned part; the latter by the same chain: a caller who
     * gives up does so after E[min(V, R); R < V]. With all busy for ever and theta = mu n it is
     * known: V and R of an empty queue are alike, so the answered wait half a patience. */
    struct cm_erlang_load load = {
        .calls_per_s = 1e-9, .aht_s = 60, .target_s = 10, .patience_s = 60};
    struct cm_erlang_figures f;
    cm_erlang_measure(&load, 1, &f);
    near(f.asa_s / f.wait_probability, 0.5 * 30, 1e-6);
    near(f.wait_s / f.wait_probability, 30, 1e-6);
    near(f.abandonment / f.wait_probability, 0.5, 1e-6);
}

static void test_inverse_blocking(void **state)
{
    (void)state;
    near(1 / cm_erlang_inverse_blocking(10, 10), 0.2145823431, 1e-9);
    near(1 / cm_erlang_inverse_blocking(2, 3), 4.0 / 19, 1e-15);
    assert_true(cm_erlang_inverse_blocking(5, 0) == 1);
    assert_true(isinf(cm_erlang_inverse_blocking(1, 100000)));
}

static void test_least_number(void **state)
{
    (void)state;
    struct cm_erlang_goal goal = {.service_level = 0.8, .occupancy_max = 1, .abandonment_max = 1};
    struct cm_erlang_load load = half_hour;
    assert_int_equal(cm_erlang_agents(&load, &goal), 14);
    goal.occupancy_max = 0.65;
    assert_int_equal(cm_erlang_agents(&load, &goal), 16); /* 10 / 0.65 = 15.4 */
    goal.occupancy_max = 1;
    load.patience_s = 30;
    uint32_t least = cm_erlang_agents(&load, &goal);
    assert_true(least < 14);
    goal.abandonment_max = 0.01;
    assert_true(cm_erlang_agents(&load, &goal) > least);
    for (int i = 0; i < 60; i++) { /* the neighbour below does not keep to it */
        load.calls_per_s = 0.001 * (1 << (i / 4)) * (1 + i % 4);
        load.patience_s = i % 3 == 0 ? 0 : 60 * (i % 3);
        uint32_t n = cm_erlang_agents(&load, &goal);
        struct cm_erlang_figures f;
        cm_erlang_measure(&load, n, &f);
        assert_true(cm_erlang_keeps(&f, &goal));
        cm_erlang_measure(&load, n - 1, &f);
        assert_false(cm_erlang_keeps(&f, &goal));
    }
    /* So many that the queue hardly wavers: below some number all wait for more than the target. */
    load = (struct cm_erlang_load){
        .calls_per_s = 400, .aht_s = 250, .target_s = 20, .patience_s = 120};
    goal = (struct cm_erlang_goal){.service_level = 0.8, .occupancy_max = 1, .abandonment_max = 1};
    double fluid = 100000 * exp(-20.0 / 120);
    least = cm_erlang_agents(&load, &goal);
    assert_true(least > fluid && least < 1.01 * fluid);
    load.calls_per_s = 2.0 * CM_ERLANG_AGENTS_MAX;
    assert_int_equal(cm_erlang_agents(&load, &goal), 0);
}

static void test_edges(void **state)
{
    (void)state;
    struct cm_erlang_goal goal = {.service_level = 0.8, .occupancy_max = 0.85};
    struct cm_erlang_load load = half_hour;
    struct cm_erlang_figures f;
    cm_erlang_measure(&load, 10, &f); /* n = A */
    assert_true(isinf(f.asa_s) && f.service_level == 0 && f.wait_probability == 1);
    load.patience_s = 120;
    cm_erlang_measure(&load, 0, &f);
    near(f.abandonment, 1, 1e-12);
    near(f.service_level, 0, 0);
    near(f.wait_s, 120, 1e-12);
    load.calls_per_s = 0;
    cm_erlang_measure(&load, 3, &f);
    assert_true(f.service_level == 1 && f.occupancy == 0 && f.asa_s == 0);
    assert_int_equal(cm_erlang_agents(&load, &goal), 1);
    assert_int_equal(cm_erlang_scheduled(14, 0.3), 20);
    assert_int_equal(cm_erlang_scheduled(15, 0.3), 22);
    assert_int_equal(cm_erlang_scheduled(15, 0), 15);
    assert_int_equal(cm_erlang_scheduled(95, 0.05), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_values_of_erlang_c),
        cmocka_unit_test(test_published_values_of_erlang_a),
        cmocka_unit_test(test_small_centres_against_the_chain),
        cmocka_unit_test(test_large_centres_against_the_chain),
        cmocka_unit_test(test_service_level_of_large_centres_is_consistent),
        cmocka_unit_test(test_waits_of_the_answered_add_up),
        cmocka_unit_test(test_inverse_blocking),
        cmocka_unit_test(test_least_number),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
