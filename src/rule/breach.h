// SPDX-License-Identifier: Apache-2.0
/* breach.h — breach rules: figures of units over event time in; raised, escalated, cleared out.
 *
 *        a level holds,                a level has held            clear holds
 *        n >= min_n                    for `for`: raised
 *    ok ──────────────────► pending ──────────────────► firing ──────────────► recovering
 *    ▲ ▲                       │                         │  ▲                    │    │
 *    │ └───────────────────────┘                         │  └────────────────────┘    │
 *    │    no level holds               level rises, ◄────┘    clear no longer holds   │
 *    │                                 time is up: escalated                          │
 *    └────────────────────────────────────────────────────────────────────────────────┘
 *                                                    clear has held for `keep`: cleared
 *
 * VALUE      Of a (rule, unit): the metric as of the last observe, and its n: `offered` for most
 *            metrics, `answered` for aht_ms, asa_ms and handle_*, `checked` for the compliance
 *            figures, `ratings` for rating_avg and rating_sum. With a null value or n < min_n no
 *            level holds, and clear does. Level now = critical if that condition holds, else warn
 *            if that holds, else none; a rule may lack either. Without a `clear` condition, clear
 *            holds when no level does. A unit that was never observed has no state: it is ok.
 * ok         -> pending at the first step T0 at which a level holds; `since` = T0.
 * pending    -> firing at the first step T >= T0 + for, a level having held at every step from T0
 *            on (0s: at T0), and T not within the cooldown: raised, with the level of T.
 *            -> ok when no level holds.
 * firing     A rise from warn to critical is escalated at once; the level never falls while the
 *            breach lasts. `escalate: {after, to}` is escalated, with escalated_to, at the first
 *            step in state firing that is `after` or more behind raised; in the order of `after`,
 *            each once an episode. -> recovering at the first step T1, after that of raised, at
 *            which clear holds; clear wins over a level that holds as well.
 * recovering -> firing, without an event, when clear no longer holds; the timer of `keep` begins
 *            anew next time. Nothing escalates meanwhile: what came due follows when it fires
 *            again. -> ok at the first step T >= T1 + keep: cleared.
 * cooldown   After cleared at Tc the next raised is not before Tc + cooldown: it waits in pending,
 *            and its `since` tells from when. Never cleared and raised in one step.
 *
 * TIME       Event time only: a step is the as-of instant of a window, a multiple of its step. The
 *            same figures in the same steps give the same events with the same ids, whenever they
 *            are replayed.
 * THREADS    One thread. Callbacks must not call back into the same cm_breaches.
 * OWNERSHIP  The configuration must outlive the cm_breaches; the unit ids handed to observe are
 *            copied; an emitted event is borrowed until the callback returns.
 * COST       observe: a figure, a hash and a probe for each rule on that window and kind. State is
 *            kept for pairs that are not ok, in cooldown, or observed to be in breach since the
 *            last step; step works on these only.
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
    struct cm_str id; /* the unit's */
    int64_t asof_ms;
    struct cm_str dedup_key; /* the same from raised to cleared, and in the next episode */
    struct cm_str json;      /* CloudEvents 1.0, one line, no newline */
};

struct cm_breaches;

typedef void (*cm_breach_fn)(void *context, const struct cm_breach *breach);

struct cm_breaches *cm_breaches_create(const struct cm_config *config, cm_breach_fn emit,
                                       void *context);
void cm_breaches_destroy(struct cm_breaches *breaches);
/* Whether any rule looks at that window (index in config->all) and kind. */
bool cm_breaches_wants(const struct cm_breaches *breaches, uint32_t window, enum cm_kind kind);
/* The figures of a unit as of asof_ms, because they changed since the step before. m NULL: now
 * empty. Of several in one step the last counts. asof_ms must lie after the last step of that
 * window. */
void cm_breaches_observe(struct cm_breaches *breaches, uint32_t window, int64_t asof_ms,
                         enum cm_kind kind, struct cm_str id, const struct cm_measures *m);
/* Ends the step of that window: every rule on it is evaluated for the units that were observed and
 * for those that have state, in the order rule (as configured), kind, id (bytes). Steps of a window
 * come in rising order of asof_ms; a step may be left out only when nothing was observed and it
 * lies before cm_breaches_wake_ms() of that window. */
void cm_breaches_step(struct cm_breaches *breaches, uint32_t window, int64_t asof_ms);
/* The earliest instant that needs a step of that window although nothing is observed: a timer runs
 * out. INT64_MAX: none. */
int64_t cm_breaches_wake_ms(const struct cm_breaches *breaches, uint32_t window);
/* How many (rule, unit) pairs of that window have state: not ok, or in cooldown, or observed and
 * not yet stepped. */
uint32_t cm_breaches_active(const struct cm_breaches *breaches, uint32_t window);
/* Calls visit for the latest event of each breach that is firing or recovering, in the order of
 * step. */
void cm_breaches_firing(const struct cm_breaches *breaches, cm_breach_fn visit, void *context);

#endif
