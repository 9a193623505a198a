// SPDX-License-Identifier: Apache-2.0
/* erlang.c — see erlang.h for the formulas.
 *
 * Erlang A at 100,000 agents has states whose weights differ by more than a double can hold, so
 * both distributions in it are written down around their own mode: the queue relative to its most
 * likely length, the negative binomial from a start whose logarithm is known. Away from there terms
 * fall until they are nothing; what is never reached is nothing, too.
 */
#include "plan/erlang.h"

#include <math.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/memory.h"

#define NOTHING 1e-20 /* relative to the greatest term */
#define FOREVER ((double)INFINITY)

double cm_erlang_traffic(const struct cm_erlang_load *load)
{
    return load->calls_per_s * load->aht_s;
}

double cm_erlang_inverse_blocking(double traffic, uint32_t agents)
{
    double inverse = 1;
    for (uint32_t n = 1; n <= agents && inverse < FOREVER; n++) {
        inverse = 1 + n / traffic * inverse;
    }
    return inverse;
}

/* --- Erlang C --- */

static void measure_patient(const struct cm_erlang_load *load, uint32_t agents,
                            struct cm_erlang_figures *out)
{
    double traffic = cm_erlang_traffic(load);
    double spare = agents - traffic;
    if (spare <= 0) {
        *out = (struct cm_erlang_figures){
            .wait_probability = 1, .asa_s = FOREVER, .wait_s = FOREVER, .occupancy = 1};
        return;
    }
    double inverse = cm_erlang_inverse_blocking(traffic, agents);
    double wait = agents / (agents + spare * (inverse - 1));
    *out = (struct cm_erlang_figures){
        .wait_probability = wait,
        .service_level = 1 - wait * exp(-spare * load->target_s / load->aht_s),
        .asa_s = wait * load->aht_s / spare,
        .wait_s = wait * load->aht_s / spare,
        .occupancy = traffic / agents,
    };
}

/* --- Erlang A --- */

/* Weights of the queue lengths first .. first + count - 1, relative to the likeliest. */
struct queue {
    double first;
    uint32_t count;
    double *weight;
    double agents_rate; /* n mu */
    double theta, lambda;
};

/* Below `mode` weights rise by lambda / death(j); above it they fall by the same. */
static double death(const struct queue *q, double length)
{
    return q->agents_rate + length * q->theta;
}

static void queue_open(struct queue *q, const struct cm_erlang_load *load, uint32_t agents)
{
    q->theta = 1 / load->patience_s;
    q->lambda = load->calls_per_s;
    q->agents_rate = agents / load->aht_s;
    double mode = floor((q->lambda - q->agents_rate) / q->theta);
    mode = mode > 0 ? mode : 0;
    uint32_t below = 0, above = 0;
    for (double w = 1; below < mode; below++) {
        w *= death(q, mode - below) / q->lambda;
        if (w < NOTHING) {
            break;
        }
    }
    for (double w = 1; w >= NOTHING; above++) {
        w *= q->lambda / death(q, mode + above + 1);
    }
    q->first = mode - below;
    q->count = below + above + 1;
    q->weight = cm_alloc(q->count, sizeof(*q->weight));
    q->weight[below] = 1;
    for (uint32_t i = below; i > 0; i--) {
        q->weight[i - 1] = q->weight[i] * death(q, q->first + i) / q->lambda;
    }
    for (uint32_t i = below + 1; i < q->count; i++) {
        q->weight[i] = q->weight[i - 1] * q->lambda / death(q, q->first + i);
    }
}

/* F(first + i) of the negative binomial (r, x): sum over k <= first + i of
 * gamma(r + k) / (gamma(r) k!) x^r (1 - x)^k. */
static double *negative_binomial(double r, double log_x, double first, uint32_t count)
{
    double *at = cm_alloc(count, sizeof(*at));
    double fail = -expm1(log_x); /* 1 - x */
    double last = first + count - 1;
    double mode = floor((r - 1) * fail / exp(log_x));
    double start = mode < last ? mode : last; /* also for a mode beyond all numbers */
    int sign = 0;
    long double shape = (long double)r, failures = (long double)start;
    long double log_start = shape * (long double)log_x;
    if (start > 0) {
        log_start += lgammal_r(shape + failures, &sign) - lgammal_r(shape, &sign) -
                     lgammal_r(failures + 1, &sign) + failures * logl((long double)fail);
    }
    double weight = (double)expl(log_start);
    double least = weight * NOTHING, below = 0, term = weight;
    for (double k = start; k >= 0 && term > least; k--) {
        if (k < first) {
            below += term;
        } else {
            at[(uint32_t)(k - first)] = term;
        }
        term *= k / ((r + k - 1) * fail);
    }
    term = weight;
    for (double k = start + 1; k <= last && term > least; k++) {
        term *= (r + k - 1) / k * fail;
        if (k < first) {
            below += term;
        } else {
            at[(uint32_t)(k - first)] = term;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        below += at[i];
        at[i] = below < 1 ? below : 1;
    }
    return at;
}

/* psi, the derivative of log gamma, for x > 0: up to where its asymptotic series holds. */
static double digamma(double x)
{
    double below = 0;
    while (x < 12) {
        below += 1 / x;
        x++;
    }
    double y = 1 / (x * x);
    return log(x) - 0.5 / x - y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y / 240))) - below;
}

static void measure_impatient(const struct cm_erlang_load *load, uint32_t agents,
                              struct cm_erlang_figures *out)
{
    struct queue q;
    queue_open(&q, load, agents);
    double c = q.agents_rate / q.theta;
    double *reached = negative_binomial(c + 1, -q.theta * load->target_s, q.first, q.count);
    double inverse = cm_erlang_inverse_blocking(cm_erlang_traffic(load), agents);
    /* Who comes while all are busy and j wait: sums over j of the weights. */
    double all = 0, length = 0, in_time = 0, answered_wait_s = 0;
    double harmonic = digamma(c + q.first + 1) - digamma(c + 1);
    for (uint32_t i = 0; i < q.count; i++) {
        double j = q.first + i;
        double answered = c / (c + j + 1);
        harmonic += 1 / (c + j + 1);
        all += q.weight[i];
        length += q.weight[i] * j;
        in_time += q.weight[i] * answered * (1 - reached[i]);
        answered_wait_s += q.weight[i] * answered * harmonic / q.theta;
    }
    /* States with an agent free; where the queue is never empty they weigh nothing. */
    double free_weight = q.first > 0 ? 0 : q.weight[0] * (inverse - 1);
    double total = all + free_weight;
    double share = isinf(total) ? 0 : 1 / total;
    double wait_s = length * share / q.lambda;
    double abandonment = fmin(wait_s * q.theta, 1);
    double answered = 1 - abandonment;
    *out = (struct cm_erlang_figures){
        .wait_probability = fmin(all * share, 1),
        .service_level = fmax(1 - (all - in_time) * share, 0),
        .asa_s = agents > 0 ? answered_wait_s * share / answered : FOREVER,
        .wait_s = wait_s,
        /* Where all are always busy the last bit may go beyond. */
        .occupancy = agents > 0 ? fmin(q.lambda * answered / q.agents_rate, 1) : 0,
        .abandonment = abandonment,
    };
    free(q.weight);
    free(reached);
}

void cm_erlang_measure(const struct cm_erlang_load *load, uint32_t agents,
                       struct cm_erlang_figures *out)
{
    CM_ASSERT(load->calls_per_s >= 0 && load->aht_s > 0 && agents <= CM_ERLANG_AGENTS_MAX);
    CM_ASSERT(load->patience_s >= 0 && load->patience_s <= CM_ERLANG_PATIENCE_S_MAX);
    if (load->calls_per_s == 0) {
        *out = (struct cm_erlang_figures){.service_level = 1};
    } else if (load->patience_s == 0) {
        measure_patient(load, agents, out);
    } else {
        measure_impatient(load, agents, out);
    }
}

/* --- how many --- */

bool cm_erlang_keeps(const struct cm_erlang_figures *figures, const struct cm_erlang_goal *goal)
{
    return figures->service_level >= goal->service_level &&
           figures->occupancy <= goal->occupancy_max &&
           figures->abandonment <= goal->abandonment_max;
}

static bool keeps(const struct cm_erlang_load *load, const struct cm_erlang_goal *goal,
                  uint32_t agents)
{
    struct cm_erlang_figures figures;
    cm_erlang_measure(load, agents, &figures);
    return cm_erlang_keeps(&figures, goal);
}

uint32_t cm_erlang_agents(const struct cm_erlang_load *load, const struct cm_erlang_goal *goal)
{
    if (load->calls_per_s == 0) {
        return 1;
    }
    /* `few` are too few; `enough` is doubled up to where it is true. */
    uint32_t few = 0, enough = 1;
    while (!keeps(load, goal, enough)) {
        if (enough == CM_ERLANG_AGENTS_MAX) {
            return 0;
        }
        few = enough;
        enough = enough < CM_ERLANG_AGENTS_MAX / 2 ? 2 * enough : CM_ERLANG_AGENTS_MAX;
    }
    while (enough - few > 1) {
        uint32_t half = few + (enough - few) / 2;
        if (keeps(load, goal, half)) {
            enough = half;
        } else {
            few = half;
        }
    }
    return enough;
}

uint32_t cm_erlang_scheduled(uint32_t agents, double shrinkage)
{
    /* 14 / 0.7 is 20, whatever the last bit says. */
    return (uint32_t)ceil(agents / (1 - shrinkage) * (1 - 1e-12));
}
