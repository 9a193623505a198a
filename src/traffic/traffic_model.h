// SPDX-License-Identifier: Apache-2.0
/* traffic_model.h — the chances behind the traffic: when calls come, and how long things take.
 *
 * Durations come from tables of quantiles, made once: a draw is one lookup and one multiplication
 * in integers. Tables and arrivals use the four operations of arithmetic, which IEEE 754 defines
 * to the last bit, and nothing of the maths library, whose last bits differ between versions; so a
 * seed gives the same traffic on every machine.
 *
 * ARRIVALS  A Poisson process. Its rate follows the hour of the day (the shape of a bank's
 *           weekdays in 2003, with a small night) and the day of the week, both in the centre's
 *           zone, in segments of 15 min.
 *
 * THREADS   A table is immutable once made. cm_arrivals belongs to one thread.
 * UNITS     ms.
 */
#ifndef CM_TRAFFIC_TRAFFIC_MODEL_H
#define CM_TRAFFIC_TRAFFIC_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/prng.h"
#include "base/zone.h"

#define CM_QUANTILES_BITS 11u
#define CM_QUANTILES      (1u << CM_QUANTILES_BITS)

struct cm_quantiles {
    uint32_t edge[CM_QUANTILES + 1]; /* edge[i]: the value at i / CM_QUANTILES, rising */
};

/* The ends of a table are cut at a chance of a quarter of a slot. */
void cm_quantiles_lognormal(struct cm_quantiles *table, double median, double sigma);
void cm_quantiles_exponential(struct cm_quantiles *table, double mean);

static inline uint32_t cm_quantiles_draw(const struct cm_quantiles *table, uint64_t random)
{
    uint32_t slot = (uint32_t)(random >> (64u - CM_QUANTILES_BITS));
    uint32_t low = table->edge[slot];
    uint64_t share = (random >> 16) & UINT32_MAX;
    return low + (uint32_t)(((table->edge[slot + 1] - low) * share) >> 32);
}

/* e^x for |x| < 700, natural logarithm for x > 0; to about 1e-15, the same bits everywhere. */
double cm_model_exp(double x);
double cm_model_log(double x);

/* A chance for cm_chance(), 0 .. 1. */
static inline uint64_t cm_chance_of(double share)
{
    return (uint64_t)(share * 4294967296.0);
}

static inline bool cm_chance(struct cm_prng *prng, uint64_t chance)
{
    return (cm_prng_next(prng) >> 32) < chance;
}

struct cm_arrivals {
    const struct cm_zone *zone; /* NULL: UTC */
    double base_per_ms;         /* rate of a day of weight 1 at a shape of 1 */
    double now_ms, segment_end_ms, rate_per_ms;
    uint32_t load_64k;   /* of the segment: rate over that of the usual busiest hour, 65,536 = 1 */
    uint32_t local_hour; /* of the segment */
};

void cm_arrivals_init(struct cm_arrivals *arrivals, const struct cm_zone *zone,
                      double calls_per_month, int64_t start_ms);
/* When the next call comes, never before the one before it. */
int64_t cm_arrivals_next(struct cm_arrivals *arrivals, struct cm_prng *prng);
/* Calls a second in the busiest quarter of an hour of the week. */
double cm_arrivals_peak_per_s(double calls_per_month);
/* Share of a day's calls in each local hour, 24 of them; they add up to 1. */
const double *cm_arrivals_day_shape(void);

#endif
