// SPDX-License-Identifier: Apache-2.0
/* leg.h — one finished call leg: what it adds to every unit that it counts for.
 *
 * A leg is judged once, here: outcome, short abandons, service level, compliance. It is kept in one
 * cache line (leg_log.h) as long as a window holds it or a revision may take it back; sums only add
 * and subtract it. One that was taken back has nothing set but where it belongs, so it adds
 * nothing.
 *
 * UNITS     counts of legs, ms.
 */
#ifndef CM_WINDOW_LEG_H
#define CM_WINDOW_LEG_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"
#include "config/config.h"
#include "event/event.h"
#include "event/tally.h"
#include "window/marks.h"

#define CM_LEG_NO_BIN     0xffffu
#define CM_LEG_CHECKS_FEW 5u

struct cm_leg {
    int64_t ts_ms;
    uint32_t cell;                     /* number of the set of its units (unit_sets.h) */
    uint32_t wait_ms;                  /* of one that was answered or abandoned; else 0 */
    uint32_t talk_ms, hold_ms, acw_ms; /* of one that was answered; at most 7 d each */
    uint32_t check_weight, check_weight_passed, transfers;
    uint16_t flags;        /* bit i: 1 in cm_tally.count[i]; vetoes apart */
    uint16_t vetoes;       /* as cm_tally.vetoes */
    uint16_t bin;          /* of the handle time; CM_LEG_NO_BIN when not answered */
    uint16_t rating;       /* 0 where there is none */
    uint32_t before;       /* place of the leg of its cell that came before it (leg_log.h) */
    uint16_t checks_count; /* verdicts by name: 64 KiB hold fewer than 2^14 */
    uint16_t checks[CM_LEG_CHECKS_FEW]; /* each number of the name * 2 + passed; when there are
                                           more, where they are (leg_log.h) */
};

_Static_assert(sizeof(struct cm_leg) == 64, "a leg has one line");
_Static_assert(CM_TALLY_COUNT_N <= 16, "flags have 16 bits");
_Static_assert(CM_TALLY_AT_vetoes == CM_TALLY_COUNT_N - 1, "flags come before vetoes");

/* Judges a cdr by the configuration in force; its verdicts by name are in `marks`. Its cell is 0,
 * and it has no checks yet. */
void cm_leg_judge(struct cm_leg *leg, const struct cm_event *event, const struct cm_config *config,
                  struct cm_marks *marks);

static inline bool cm_leg_has(const struct cm_leg *leg, enum cm_tally_count_at count)
{
    return (leg->flags >> count & 1u) != 0;
}

/* Every leg has one outcome. */
static inline bool cm_leg_counts(const struct cm_leg *leg)
{
    return leg->flags != 0;
}

/* 0 when it was not answered. */
static inline uint32_t cm_leg_handle_ms(const struct cm_leg *leg)
{
    return leg->talk_ms + leg->hold_ms + leg->acw_ms;
}

/* Its verdicts by name, checks_count of them. */
static inline const uint16_t *cm_leg_checks(const struct cm_leg *leg)
{
    const uint16_t *many;
    if (CM_LIKELY(leg->checks_count <= CM_LEG_CHECKS_FEW)) {
        return leg->checks;
    }
    memcpy(&many, leg->checks, sizeof(many));
    return many;
}

/* One count each, as a mask: a vector at a time. */
static const uint32_t cm_leg_masks[CM_TALLY_AT_vetoes] = {1,  2,   4,   8,   16,   32,
                                                          64, 128, 256, 512, 1024, 2048};

/* What it adds, once for all sums that get it. */
static inline void cm_leg_tally(const struct cm_leg *leg, struct cm_tally *out)
{
    uint32_t flags = leg->flags;
    for (unsigned i = 0; i < CM_TALLY_AT_vetoes; i++) {
        out->count[i] = (flags & cm_leg_masks[i]) == cm_leg_masks[i];
    }
    bool answered = cm_leg_has(leg, CM_TALLY_AT_answered);
    out->vetoes = leg->vetoes;
    out->wait_ms = answered ? leg->wait_ms : 0;
    out->abandon_wait_ms = answered ? 0 : leg->wait_ms;
    out->talk_ms = leg->talk_ms;
    out->hold_ms = leg->hold_ms;
    out->acw_ms = leg->acw_ms;
    out->transfers = leg->transfers;
    out->rating_sum = leg->rating;
    out->check_weight = leg->check_weight;
    out->check_weight_passed = leg->check_weight_passed;
    out->wait_max_ms = leg->wait_ms;
    out->handle_max_ms = cm_leg_handle_ms(leg);
    out->reserved = 0;
}

#endif
