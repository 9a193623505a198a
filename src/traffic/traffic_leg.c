// SPDX-License-Identifier: Apache-2.0
/* traffic_leg.c — see traffic_leg.h. */
#include "traffic/traffic_leg.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"

#define TALK_MS_MAX (4 * CM_MS_PER_H)
#define ONE_64K     65536.0

/* Weights fall by a tenth from queue to queue; how long talks take differs, at the same mean over
 * all. */
static void make_queues(struct cm_leg_model *model)
{
    static const double talk[] = {0.80, 1.25, 0.75, 1.50, 1.10, 0.70, 1.35, 1.20};
    double weights = 0.0;
    double talks = 0.0;
    double weight = 1.0;
    for (uint32_t i = 0; i < model->queues; i++) {
        weights += weight;
        talks += weight * talk[i % CM_ARRAY_LEN(talk)];
        weight *= 0.9;
    }
    weight = 1.0;
    double sum = 0.0;
    uint32_t slot = 0;
    for (uint32_t i = 0; i < model->queues; i++) {
        double factor = talk[i % CM_ARRAY_LEN(talk)] * weights / talks;
        model->queue_factor[i] = (uint32_t)(factor * ONE_64K);
        sum += weight;
        weight *= 0.9;
        uint32_t end = (uint32_t)(sum / weights * CM_QUEUE_SLOTS + 0.5);
        while (slot < end && slot < CM_QUEUE_SLOTS) {
            model->queue_of[slot++] = (uint8_t)i;
        }
    }
    while (slot < CM_QUEUE_SLOTS) {
        model->queue_of[slot++] = 0;
    }
}

void cm_leg_model_init(struct cm_leg_model *model, const struct cm_traffic_options *options,
                       struct cm_prng *prng)
{
    model->queues = options->queues;
    model->checks = cm_chance_of(options->checks);
    cm_quantiles_lognormal(&model->talk, 126000.0, 0.88);
    cm_quantiles_lognormal(&model->machine_talk, 48500.0, 0.7);
    cm_quantiles_lognormal(&model->hold, 30000.0, 0.9);
    cm_quantiles_lognormal(&model->acw, 18150.0, 0.8);
    cm_quantiles_lognormal(&model->wait, 48500.0, 1.0);
    cm_quantiles_exponential(&model->patience, 350000.0);
    cm_quantiles_lognormal(&model->ring, 4000.0, 0.5);
    cm_quantiles_exponential(&model->lost_points, 15.0);
    make_queues(model);
    /* Most people are near the quick end, a few take three times as long. */
    model->seat_factor = cm_alloc(options->seats, sizeof(*model->seat_factor));
    for (uint32_t i = 0; i < options->seats; i++) {
        double u = cm_prng_unit(prng);
        model->seat_factor[i] = (uint32_t)((0.70 + 1.53 * u * u * u * u) * ONE_64K);
    }
}

void cm_leg_model_free(struct cm_leg_model *model)
{
    free(model->seat_factor);
    model->seat_factor = NULL;
}

static uint32_t draw(const struct cm_quantiles *table, struct cm_prng *prng)
{
    return cm_quantiles_draw(table, cm_prng_next(prng));
}

uint32_t cm_leg_wait_ms(const struct cm_leg_model *model, struct cm_prng *prng, uint32_t load_64k)
{
    /* At the busiest hour two thirds wait, and longer; at night a quarter. */
    uint64_t load = load_64k < 65536 ? load_64k : 65536;
    if (!cm_chance(prng, CM_PERCENT(27) + (CM_PERCENT(40) * load >> 16))) {
        return 0;
    }
    return (uint32_t)(draw(&model->wait, prng) * (UINT64_C(39322) + (load >> 1)) >> 16);
}

static uint8_t draw_checks(struct cm_prng *prng)
{
    uint32_t checks = 0;
    for (uint32_t i = 0; i < CM_TRAFFIC_CHECKS; i++) {
        uint32_t result = 0;
        if (cm_chance(prng, CM_PERCENT(6))) {
            result = 2;
        } else if (cm_chance(prng, CM_PERCENT(5))) {
            result = 1;
        }
        checks = checks * 3 + result;
    }
    return (uint8_t)checks;
}

static void answered(const struct cm_leg_model *model, struct cm_prng *prng, struct cm_leg *leg)
{
    uint64_t talk_ms = draw(&model->talk, prng);
    talk_ms = talk_ms * model->seat_factor[leg->seat] >> 16;
    talk_ms = talk_ms * model->queue_factor[leg->queue] >> 16;
    leg->talk_ms = talk_ms < TALK_MS_MAX ? (uint32_t)talk_ms : (uint32_t)TALK_MS_MAX;
    leg->acw_ms = draw(&model->acw, prng);
    leg->ring_ms = draw(&model->ring, prng);
    leg->outcome = CM_OUTCOME_ANSWERED;
    leg->end = cm_chance(prng, CM_PERCENT(72)) ? CM_END_CALLER : CM_END_AGENT;
    if (cm_chance(prng, CM_PERCENT(12))) {
        leg->hold_ms = draw(&model->hold, prng);
        leg->hold_n = (uint8_t)cm_between(prng, 1, 3);
        if (cm_chance(prng, CM_PERCENT(2))) {
            leg->on_hold = true;
            leg->end = CM_END_CALLER;
        }
    }
    if (!leg->on_hold && leg->leg < CM_LEGS_MAX && cm_chance(prng, CM_PERCENT(4))) {
        leg->transfers = 1;
        leg->end = CM_END_TRANSFER;
    }
    if (cm_chance(prng, CM_PERCENT(25))) {
        uint32_t lost = draw(&model->lost_points, prng);
        leg->rating = (int8_t)(lost < CM_RATING_MAX ? CM_RATING_MAX - lost : 0);
    }
    if (cm_chance(prng, model->checks)) {
        leg->checks = draw_checks(prng);
    }
}

static void unanswered(struct cm_prng *prng, struct cm_leg *leg, enum cm_outcome outcome)
{
    leg->outcome = (uint8_t)outcome;
    if (outcome == CM_OUTCOME_NO_ANSWER) {
        leg->ring_ms = 20000; /* as long as the switch lets it */
        leg->end = CM_END_SYSTEM;
    } else if (outcome == CM_OUTCOME_REJECTED) {
        leg->ring_ms = cm_between(prng, 1000, 6000);
        leg->end = CM_END_AGENT;
    } else {
        leg->ring_ms = cm_between(prng, 1000, 15000);
        leg->end = CM_END_CALLER;
    }
}

void cm_leg_at_seat(const struct cm_leg_model *model, struct cm_prng *prng, struct cm_leg *leg)
{
    uint64_t luck = cm_prng_next(prng) >> 32;
    if (luck < CM_PERCENT(0.3)) {
        unanswered(prng, leg, CM_OUTCOME_ABANDONED);
    } else if (luck < CM_PERCENT(1.3) && leg->leg < CM_LEGS_MAX) {
        unanswered(prng, leg, CM_OUTCOME_NO_ANSWER);
    } else if (luck < CM_PERCENT(1.8) && leg->leg < CM_LEGS_MAX) {
        unanswered(prng, leg, CM_OUTCOME_REJECTED);
    } else {
        answered(model, prng, leg);
    }
}

void cm_leg_at_machine(const struct cm_leg_model *model, struct cm_prng *prng, struct cm_leg *leg)
{
    uint32_t luck = cm_between(prng, 0, 99);
    leg->queue = (uint8_t)model->queues;
    leg->channel = luck < 70 ? 1 : luck < 85 ? 2 : luck < 95 ? 3 : 4;
    leg->outcome = CM_OUTCOME_ANSWERED;
    leg->end = CM_END_CALLER;
    luck = cm_between(prng, 0, 99);
    if (luck < 6) {
        leg->outcome = CM_OUTCOME_ABANDONED;
        leg->wait_ms = cm_between(prng, 500, 12000);
    } else if (luck < 7) {
        leg->outcome = CM_OUTCOME_TIMEOUT;
        leg->wait_ms = 30000;
        leg->end = CM_END_SYSTEM;
    } else {
        leg->talk_ms = draw(&model->machine_talk, prng);
    }
}
