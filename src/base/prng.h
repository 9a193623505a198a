// SPDX-License-Identifier: Apache-2.0
/* prng.h — seeded generator (xoshiro256**, seeded by splitmix64) for traffic, jitter and tests. Not
 * for secrets. */
#ifndef CM_BASE_PRNG_H
#define CM_BASE_PRNG_H

#include <stdint.h>

struct cm_prng {
    uint64_t s[4];
};

void cm_prng_seed(struct cm_prng *prng, uint64_t seed);
uint64_t cm_prng_next(struct cm_prng *prng);
/* Uniform in [0, bound), bound > 0; no modulo bias. */
uint64_t cm_prng_below(struct cm_prng *prng, uint64_t bound);
/* Uniform in [0, 1). */
double cm_prng_unit(struct cm_prng *prng);
double cm_prng_exponential(struct cm_prng *prng, double mean);
/* Standard normal by the polar method. */
double cm_prng_normal(struct cm_prng *prng);
double cm_prng_lognormal(struct cm_prng *prng, double mu, double sigma);

#endif
