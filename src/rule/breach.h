// SPDX-License-Identifier: Apache-2.0
/* breach.h — breach rules: figures of units over event time in, raised, escalated and cleared events out.
 *
 *            warn or critical holds,        has held for `for`        clear holds (without `clear`: neither
 *            n >= min_n                                               warn nor critical holds)
 *      ok ───────────────────────► pending ─────────────► firing ───────────────────► recovering
 *       ▲                             │ no longer            │ ▲                          │    │
 *       │◄────────────────────────────┘                      │ └── clear no longer holds ─┘    │ has held for
 *       │                                                     └ level changes: escalated        │ `keep`: cleared
 *       └──────────────────────────────────────────────────────────────────────────────────────┘
 *
 * TIME      Event time only: a step is the as-of instant of a window, a multiple of its step. The same
 *           figures in the same steps give the same events with the same ids, whenever they are replayed.
 * THREADS   One thread.
 * OWNERSHIP The configuration and the unit ids handed to observe are borrowed for the call only (ids are
 *           copied); an emitted event is borrowed until the callback returns.
 */
#ifndef CM_RULE_BREACH_H
#define CM_RULE_BREACH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "config/config.h"
#include "event/figures.h"

enum cm_breach_type { CM_BREACH_RAISED, CM_BREACH_ESCALATED, CM_BREACH_CLEARED };

struct cm_breach {
    enum cm_breach_type type;
    const struct cm_rule_spec *rule;
    struct cm_str id;          /* the unit's */
    int64_t asof_ms;
    struct cm_str dedup_key;   /* of the breach: the same from raised to cleared, and in the next episode */
    struct cm_str json;        /* CloudEvents 1.0, one line, no newline */
};

struct cm_breaches;

typedef void (*cm_breach_fn)(void *context, const struct cm_breach *breach);

struct cm_breaches *cm_breaches_create(const struct cm_config *config, cm_breach_fn emit, void *context);
void cm_breaches_destroy(struct cm_breaches *breaches);
/* Whether any rule looks at that window (index in config->all) and kind. */
bool cm_breaches_wants(const struct cm_breaches *breaches, uint32_t window, enum cm_kind kind);
/* The figures of a unit as of asof_ms, because they changed since the step before. m NULL: now empty. */
void cm_breaches_observe(struct cm_breaches *breaches, uint32_t window, int64_t asof_ms, enum cm_kind kind,
                         struct cm_str id, const struct cm_measures *m);
/* Ends the step of that window: every rule on it is evaluated for the units that were observed and for those
 * not in state ok, in the order rule, kind, id. Steps of a window come in rising order of asof_ms; a step may
 * be left out only when nothing was observed and cm_breaches_active() is 0 for that window. */
void cm_breaches_step(struct cm_breaches *breaches, uint32_t window, int64_t asof_ms);
/* How many (rule, unit) pairs of that window are not in state ok. */
uint32_t cm_breaches_active(const struct cm_breaches *breaches, uint32_t window);
/* Calls visit for the latest event of each breach that is firing or recovering. */
void cm_breaches_firing(const struct cm_breaches *breaches, cm_breach_fn visit, void *context);

#endif
