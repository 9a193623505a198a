// SPDX-License-Identifier: Apache-2.0
/* erlang.h — how many agents a load of calls needs: Erlang C, and Erlang A for callers who give up.
 *
 * MODEL     Calls come at random (Poisson) and are served in the order of their coming by n like
 *           agents; the time of a call is exponential with mean AHT (mu = 1 / AHT). The load in
 *           erlangs is A = lambda AHT.
 *           Erlang C (M/M/n): nobody gives up. For n <= A the queue has no end: everybody waits
 *           for ever, and wait and speed of answer are infinite.
 *           Erlang A (M/M/n+M; Palm 1957): each caller gives up after an exponential time with mean
 *           patience_s (theta = 1 / patience_s) if not answered before. Stable for any n.
 *
 * FORMULAS  Inverse of the blocking of Erlang B (Erlang 1917; the recursion as in Jagerman 1974):
 *             I(0) = 1,  I(n) = 1 + n / A I(n-1)
 *           All terms are positive, so its relative error is below n times the machine's; where it
 *           overflows the blocking is 0. With it, Erlang C (Erlang 1917):
 *             P(wait)     = n / (n + (n - A) (I(n) - 1))
 *             P(wait > t) = P(wait) exp(-(n - A) t / AHT),  ASA = P(wait) AHT / (n - A)
 *             occupancy   = A / n
 *           Erlang A from the birth-death chain: death rate min(k, n) mu + max(k - n, 0) theta; the
 *           states below n weigh I(n) - 1 times the state n. Per offered call, L the mean queue:
 *             P(abandon) = theta L / lambda, mean wait = L / lambda (Little 1961),
 *             occupancy = lambda (1 - P(abandon)) / (n mu)
 *           Whoever finds j callers waiting is reached after a sum of exponential times with rates
 *           n mu + i theta, i = 0..j: exp(-theta V) is Beta(c, j+1), c = n mu / theta (Renyi 1953,
 *           on the spacings of order statistics). So, X = exp(-theta t):
 *             P(answered within t | j) = c / (c+j+1) (1 - F(j)),
 *             F = distribution function of the negative binomial (c+1, X)
 *             E[wait; answered | j] = c / (c+j+1) (psi(c+j+2) - psi(c+1)) / theta
 *
 * MEANING   service_level: answered within the target / all offered calls, callmill's formula
 *           `negative` without short abandoned calls. asa_s: mean wait of the answered; wait_s: of
 *           all who came. They are the same in Erlang C.
 * THREADS   Any: no state. COST  O(n), and for Erlang A O(sqrt(lambda / theta)) on top.
 * ERRORS    None: cm_erlang_agents() returns 0 when no number of agents will do. Loads must be
 *           within the bounds below; that is the caller's business.
 */
#ifndef CM_PLAN_ERLANG_H
#define CM_PLAN_ERLANG_H

#include <stdbool.h>
#include <stdint.h>

#define CM_ERLANG_AGENTS_MAX     1000000u
#define CM_ERLANG_PATIENCE_S_MAX 86400.0

struct cm_erlang_load {
    double calls_per_s; /* lambda, >= 0 */
    double aht_s;       /* > 0 */
    double target_s;    /* of the service level, >= 0 */
    double patience_s;  /* mean, > 0; 0: nobody gives up (Erlang C) */
};

struct cm_erlang_figures {
    double wait_probability;
    double service_level;
    double asa_s, wait_s; /* INFINITY where the queue has no end */
    double occupancy;
    double abandonment; /* share of the offered calls; 0 in Erlang C */
};

/* What agents must keep to. */
struct cm_erlang_goal {
    double service_level;   /* at least, above 0, below 1 */
    double occupancy_max;   /* at most, above 0; 1: no bound */
    double abandonment_max; /* at most; 1: no bound */
};

/* A = lambda AHT, in erlangs. */
double cm_erlang_traffic(const struct cm_erlang_load *load);

/* I(n), 1 / blocking of Erlang B; INFINITY when the blocking is too small for a double. */
double cm_erlang_inverse_blocking(double traffic, uint32_t agents);

/* agents <= CM_ERLANG_AGENTS_MAX; with 0 agents nobody is ever answered. */
void cm_erlang_measure(const struct cm_erlang_load *load, uint32_t agents,
                       struct cm_erlang_figures *out);

/* Whether these figures keep to the goal. */
bool cm_erlang_keeps(const struct cm_erlang_figures *figures, const struct cm_erlang_goal *goal);

/* The least number that keeps to the goal, found by halving (all figures are monotone in n); at
 * least 1 for any load. 0: more than CM_ERLANG_AGENTS_MAX would be needed. */
uint32_t cm_erlang_agents(const struct cm_erlang_load *load, const struct cm_erlang_goal *goal);

/* On the schedule, so that `agents` are there when the share `shrinkage` (0 .. below 1) is not:
 * ceil(agents / (1 - shrinkage)). */
uint32_t cm_erlang_scheduled(uint32_t agents, double shrinkage);

#endif
