// SPDX-License-Identifier: Apache-2.0
/* traffic_leg.h — how one leg of a call goes: how long, how it ends, what the caller says of it.
 *
 * The figures are those of a bank's call-by-call log where it has them (wait, patience, talk), and
 * plausible elsewhere (hold, wrap-up, scores, checks). Talk takes the time of the seat's person and
 * of the queue: means of 123 to 393 s between persons, half to double between queues.
 *
 * THREADS   A model is immutable once made; the generator handed in belongs to the caller.
 */
#ifndef CM_TRAFFIC_TRAFFIC_LEG_H
#define CM_TRAFFIC_TRAFFIC_LEG_H

#include <stdint.h>

#include "base/prng.h"
#include "traffic/traffic.h"
#include "traffic/traffic_model.h"
#include "traffic/traffic_write.h"

#define CM_LEGS_MAX    8u /* of a call */
#define CM_QUEUE_SLOTS 256u

/* A share in percent, as a chance for cm_chance(). */
#define CM_PERCENT(x) ((uint64_t)((x)*42949672.96))

struct cm_leg_model {
    struct cm_quantiles talk, machine_talk, hold, acw, wait, patience, ring, lost_points;
    uint32_t *seat_factor;                        /* 16.16, of the talk */
    uint32_t queue_factor[CM_TRAFFIC_QUEUES_MAX]; /* 16.16 */
    uint8_t queue_of[CM_QUEUE_SLOTS];             /* a queue takes as many slots as it has calls */
    uint32_t queues;
    uint64_t checks; /* chance */
};

/* Uniform, both ends included; high - low < 2^32 - 1. */
static inline uint32_t cm_between(struct cm_prng *prng, uint32_t low, uint32_t high)
{
    return low + (uint32_t)(((cm_prng_next(prng) >> 32) * (high - low + 1u)) >> 32);
}

void cm_leg_model_init(struct cm_leg_model *model, const struct cm_traffic_options *options,
                       struct cm_prng *prng);
void cm_leg_model_free(struct cm_leg_model *model);
/* How long a caller would wait at that load (cm_arrivals), were a seat idle then. */
uint32_t cm_leg_wait_ms(const struct cm_leg_model *model, struct cm_prng *prng, uint32_t load_64k);
/* A leg that reached leg->seat: what comes of it. Sets outcome, end, times, score and checks. */
void cm_leg_at_seat(const struct cm_leg_model *model, struct cm_prng *prng, struct cm_leg *leg);
/* A leg that a machine serves, from its beginning to its end. */
void cm_leg_at_machine(const struct cm_leg_model *model, struct cm_prng *prng, struct cm_leg *leg);

#endif
