// SPDX-License-Identifier: Apache-2.0
/* traffic_model.c — see traffic_model.h. */
#include "traffic/traffic_model.h"

#include <string.h>

#include "base/clock.h"
#include "base/fail.h"

#define SEGMENT_MS 900000
#define LN_2       0.69314718055994530942
#define SQRT_2     1.41421356237309504880
#define SQRT_2PI   2.50662827463100050242

/* Share of the calls by local hour. 07 to 20: a large bank's weekdays in 2003; the night: small,
 * not nil. */
static const double day_shape[24] = {
    0.0040, 0.0028, 0.0020, 0.0018, 0.0022, 0.0045, 0.0120, 0.0290, 0.0560, 0.0940, 0.1000, 0.0960,
    0.0913, 0.0875, 0.0846, 0.0818, 0.0723, 0.0542, 0.0418, 0.0333, 0.0276, 0.0110, 0.0066, 0.0037};
static const double week_shape[7] = {1.08, 1.03, 1.00, 0.98, 0.96, 0.62, 0.50}; /* from Monday */

#define WEEK_SHAPE_MAX 1.08
#define DAY_SHAPE_MAX  0.1000

double cm_model_exp(double x)
{
    CM_ASSERT(x > -700.0 && x < 700.0);
    /* x = k ln 2 + r with |r| <= ln 2 / 2; 18 terms of the series for r, then 2^k by its bits. */
    int64_t k = (int64_t)(x / LN_2 + (x < 0 ? -0.5 : 0.5));
    double r = x - (double)k * LN_2;
    double sum = 1.0;
    for (int i = 18; i > 0; i--) {
        sum = 1.0 + r * sum / (double)i;
    }
    uint64_t bits = (uint64_t)(k + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof(power));
    return sum * power;
}

double cm_model_log(double x)
{
    CM_ASSERT(x > 0.0);
    /* x = 2^k m with sqrt(1/2) <= m < sqrt(2); log m = 2 atanh((m - 1) / (m + 1)). */
    uint64_t bits;
    memcpy(&bits, &x, sizeof(bits));
    int64_t k = (int64_t)(bits >> 52) - 1023;
    bits = (bits & ((UINT64_C(1) << 52) - 1)) | (UINT64_C(1023) << 52);
    double m;
    memcpy(&m, &bits, sizeof(m));
    if (m > SQRT_2) {
        m *= 0.5;
        k++;
    }
    double z = (m - 1.0) / (m + 1.0);
    double square = z * z;
    static const double odd[] = {1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11,
                                 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3};
    double sum = 1.0 / 21;
    for (unsigned i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        sum = odd[i] + square * sum;
    }
    return (double)k * LN_2 + 2.0 * z * (1.0 + square * sum);
}

/* The chance that belongs to an edge of a table; the ends are drawn in, or they would be infinite.
 */
static double edge_chance(uint32_t i)
{
    double at = i == 0 ? 0.25 : i == CM_QUANTILES ? CM_QUANTILES - 0.25 : (double)i;
    return at / CM_QUANTILES;
}

static uint32_t edge_value(double value)
{
    return value >= (double)UINT32_MAX ? UINT32_MAX : (uint32_t)(value + 0.5);
}

void cm_quantiles_lognormal(struct cm_quantiles *table, double median, double sigma)
{
    /* The normal distribution is summed from -6 on by Simpson's rule; each edge is taken where it
     * is passed, by a straight line within the step. */
    const double step = 1.0 / 512;
    double x = -6.0;
    double chance = 0.0;
    double density = cm_model_exp(-x * x / 2) / SQRT_2PI;
    for (uint32_t i = 0; i <= CM_QUANTILES;) {
        double middle = x + step / 2;
        double next = x + step;
        double middle_density = cm_model_exp(-middle * middle / 2) / SQRT_2PI;
        double next_density = cm_model_exp(-next * next / 2) / SQRT_2PI;
        double part = step / 6 * (density + 4 * middle_density + next_density);
        while (i <= CM_QUANTILES && edge_chance(i) <= chance + part) {
            double z = x + step * (edge_chance(i) - chance) / part;
            table->edge[i++] = edge_value(median * cm_model_exp(sigma * z));
        }
        x = next;
        chance += part;
        density = next_density;
    }
}

void cm_quantiles_exponential(struct cm_quantiles *table, double mean)
{
    for (uint32_t i = 0; i <= CM_QUANTILES; i++) {
        table->edge[i] = edge_value(-mean * cm_model_log(1.0 - edge_chance(i)));
    }
}

static double week_sum(void)
{
    double sum = 0.0;
    for (unsigned i = 0; i < 7; i++) {
        sum += week_shape[i];
    }
    return sum;
}

static double base_per_ms(double calls_per_month)
{
    double calls_per_day = calls_per_month / 30.0 * 7.0 / week_sum();
    return calls_per_day / (double)CM_MS_PER_H;
}

/* The shape at a local time of the day: a straight line between the middles of two hours. */
static double shape_at(int64_t day_ms)
{
    double hours =
        (double)day_ms / (double)CM_MS_PER_H + 23.5; /* >= 0; the middle of hour 0 is 24 */
    uint32_t whole = (uint32_t)hours;
    double share = hours - (double)whole;
    return day_shape[whole % 24] * (1.0 - share) + day_shape[(whole + 1) % 24] * share;
}

static void enter_segment(struct cm_arrivals *a, int64_t at_ms)
{
    int64_t offset_ms = a->zone != NULL ? (int64_t)cm_zone_offset_s(a->zone, at_ms) * 1000 : 0;
    int64_t local_ms = at_ms + offset_ms;
    int64_t days = local_ms / CM_MS_PER_D;
    int64_t day_ms = local_ms - days * CM_MS_PER_D;
    double shape = shape_at((day_ms + SEGMENT_MS / 2) % CM_MS_PER_D);
    double weight = week_shape[(days + 3) % 7]; /* the epoch was a Thursday */
    a->rate_per_ms = a->base_per_ms * weight * shape;
    a->load_64k = (uint32_t)(weight * shape / DAY_SHAPE_MAX * 65536.0);
    a->local_hour = (uint32_t)(day_ms / CM_MS_PER_H);
    a->segment_end_ms = (double)(at_ms - at_ms % SEGMENT_MS + SEGMENT_MS);
}

void cm_arrivals_init(struct cm_arrivals *arrivals, const struct cm_zone *zone,
                      double calls_per_month, int64_t start_ms)
{
    CM_ASSERT(start_ms >= CM_MS_PER_D); /* local times stay above zero */
    CM_ASSERT(calls_per_month > 0.0);
    *arrivals = (struct cm_arrivals){
        .zone = zone, .base_per_ms = base_per_ms(calls_per_month), .now_ms = (double)start_ms};
    enter_segment(arrivals, start_ms);
}

int64_t cm_arrivals_next(struct cm_arrivals *a, struct cm_prng *prng)
{
    double left = -cm_model_log(1.0 - cm_prng_unit(prng)); /* in units of expected calls */
    double fits = (a->segment_end_ms - a->now_ms) * a->rate_per_ms;
    while (left > fits) {
        left -= fits;
        a->now_ms = a->segment_end_ms;
        enter_segment(a, (int64_t)a->now_ms);
        fits = (a->segment_end_ms - a->now_ms) * a->rate_per_ms;
    }
    a->now_ms += left / a->rate_per_ms;
    return (int64_t)a->now_ms;
}

double cm_arrivals_peak_per_s(double calls_per_month)
{
    return base_per_ms(calls_per_month) * WEEK_SHAPE_MAX * DAY_SHAPE_MAX * 1000.0;
}

const double *cm_arrivals_day_shape(void)
{
    return day_shape;
}
