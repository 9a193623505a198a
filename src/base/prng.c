// SPDX-License-Identifier: Apache-2.0
/* prng.c — xoshiro256** (Blackman and Vigna, 2018), its state filled by splitmix64 so that near
 * seeds give unrelated streams. A generator belongs to one thread. Integers are the same on every
 * machine. */
#include "base/prng.h"

#include <math.h>

#include "base/fail.h"

static uint64_t rotate_left(uint64_t x, unsigned k)
{
    return (x << k) | (x >> (64u - k));
}

void cm_prng_seed(struct cm_prng *prng, uint64_t seed)
{
    for (unsigned i = 0; i < 4; i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        prng->s[i] = z ^ (z >> 31);
    }
}

uint64_t cm_prng_next(struct cm_prng *prng)
{
    uint64_t *s = prng->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t cm_prng_below(struct cm_prng *prng, uint64_t bound)
{
    CM_ASSERT(bound > 0);
    /* Below 2^64 mod bound the last, incomplete multiple of bound begins to show: draw again. */
    uint64_t reject = (0 - bound) % bound;
    uint64_t r;
    do {
        r = cm_prng_next(prng);
    } while (r < reject);
    return r % bound;
}

double cm_prng_unit(struct cm_prng *prng)
{
    return (double)(cm_prng_next(prng) >> 11) * 0x1.0p-53;
}

double cm_prng_exponential(struct cm_prng *prng, double mean)
{
    return -mean * log1p(-cm_prng_unit(prng));
}

double cm_prng_normal(struct cm_prng *prng)
{
    double u;
    double square;
    do {
        u = 2.0 * cm_prng_unit(prng) - 1.0;
        double v = 2.0 * cm_prng_unit(prng) - 1.0;
        square = u * u + v * v;
    } while (square >= 1.0 || square <= 0.0);
    /* The second value is thrown away: a generator keeps no state but its four words. */
    return u * sqrt(-2.0 * log(square) / square);
}

double cm_prng_lognormal(struct cm_prng *prng, double mu, double sigma)
{
    return exp(mu + sigma * cm_prng_normal(prng));
}
