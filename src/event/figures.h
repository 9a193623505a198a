// SPDX-License-Identifier: Apache-2.0
/* figures.h — every figure that callmill publishes, one table: name, kind, unit, formula, meaning.
 *
 * Values are computed from a tally at the moment of publishing. A ratio with denominator 0 is null.
 * Rates are fractions with 4 decimals and means whole ms, both rounded half up, in integers
 * throughout. A denominator below zero cannot come up (short <= abandoned, sl_abandoned <=
 * abandoned).
 */
#ifndef CM_EVENT_FIGURES_H
#define CM_EVENT_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/text.h"
#include "event/details.h"
#include "event/tally.h"

// clang-format off
enum cm_abandon_formula { CM_ABANDON_GROSS, CM_ABANDON_NET };
enum cm_sl_formula { CM_SL_ANSWERED, CM_SL_IGNORE, CM_SL_POSITIVE, CM_SL_NEGATIVE };

/* X(name, kind, unit, formula, meaning); kind: COUNT and SUM print an integer, MEAN whole ms, RATE 4 decimals,
 * SCORE 2 decimals. The order is the order in rows. */
#define CM_FIGURES(X) \
    X(offered,         COUNT, "legs", "answered + abandoned + no_answer + rejected + flow_out", "Legs attributed to the unit.") \
    X(answered,        COUNT, "legs", "", "Legs that somebody answered.") \
    X(abandoned,       COUNT, "legs", "", "Legs that the caller gave up before an answer; with a seat: while it rang.") \
    X(no_answer,       COUNT, "legs", "", "Legs that rang at a seat without an answer.") \
    X(rejected,        COUNT, "legs", "", "Legs that a seat turned down.") \
    X(flow_out,        COUNT, "legs", "overflow + timeout + callback", "Legs that left the queue for elsewhere.") \
    X(short_abandoned, COUNT, "legs", "abandoned with wait_ms <= short_abandon", "Abandoned so soon that no agent could have answered.") \
    X(hold_abandoned,  COUNT, "legs", "answered, on_hold, end = caller", "Callers who gave up on hold.") \
    X(sl_met,          COUNT, "legs", "answered with wait_ms <= service_level.target", "Answered within the target.") \
    X(sl_abandoned,    COUNT, "legs", "abandoned with wait_ms <= service_level.target", "Abandoned within the target.") \
    X(wait_ms,         SUM,   "ms",   "sum over answered legs", "Time that answered callers waited.") \
    X(talk_ms,         SUM,   "ms",   "sum over answered legs", "Talk time.") \
    X(hold_ms,         SUM,   "ms",   "sum over answered legs", "Hold time.") \
    X(acw_ms,          SUM,   "ms",   "sum over answered legs", "After-call work.") \
    X(abandon_wait_ms, SUM,   "ms",   "sum of wait_ms over abandoned legs", "Time that callers waited who gave up.") \
    X(wait_max_ms,     SUM,   "ms",   "greatest wait_ms of answered and abandoned legs", "Longest wait.") \
    X(handle_ms,       SUM,   "ms",   "talk_ms + hold_ms + acw_ms", "Handle time.") \
    X(handle_max_ms,   SUM,   "ms",   "greatest talk + hold + acw of an answered leg", "Longest handle time.") \
    X(transfers,       SUM,   "transfers", "", "Transfers out of the unit's legs.") \
    X(ratings,         COUNT, "legs", "", "Legs that the caller scored.") \
    X(rating_sum,      SUM,   "points", "", "Sum of the scores.") \
    X(checked,         COUNT, "legs", "", "Legs with at least one applicable compliance check.") \
    X(compliant,       COUNT, "legs", "", "Of these, legs with no check failed.") \
    X(check_weight,    SUM,   "weight", "", "Weight of the applicable checks.") \
    X(check_weight_passed, SUM, "weight", "", "Weight of the passed checks.") \
    X(vetoes,          COUNT, "checks", "", "Failed checks that are vetoes.") \
    X(aht_ms,          MEAN,  "ms",   "handle_ms / answered", "Average handle time.") \
    X(asa_ms,          MEAN,  "ms",   "wait_ms / answered", "Average speed of answer.") \
    X(handle_p50_ms,   QUANTILE, "ms", "nearest rank, within 2 %", "Median handle time.") \
    X(handle_p90_ms,   QUANTILE, "ms", "nearest rank, within 2 %", "90th percentile of the handle time.") \
    X(handle_p99_ms,   QUANTILE, "ms", "nearest rank, within 2 %", "99th percentile of the handle time.") \
    X(abandon_rate,    RATE,  "",     "by abandonment.formula", "Abandonment.") \
    X(service_level,   RATE,  "",     "by service_level.formula", "Service level.") \
    X(compliance_rate, RATE,  "",     "check_weight_passed / check_weight", "Weighted share of checks passed.") \
    X(compliant_rate,  RATE,  "",     "compliant / checked", "Share of checked legs without a failed check.") \
    X(rating_avg,      SCORE, "points", "rating_sum / ratings", "Average score.") \
    X(occupancy,       RATE,  "",     "(ringing + talking + hold + acw) / (those + available), seconds", "Share of the signed-on time in which the seats were busy.")
// clang-format on

#define X(name, kind, unit, formula, meaning) CM_FIGURE_##name,
enum cm_figure { CM_FIGURES(X) CM_FIGURE_COUNT };
#undef X

enum cm_figure_kind {
    CM_FIGURE_KIND_COUNT,
    CM_FIGURE_KIND_SUM,
    CM_FIGURE_KIND_MEAN,
    CM_FIGURE_KIND_RATE,
    CM_FIGURE_KIND_SCORE,
    CM_FIGURE_KIND_QUANTILE
};

struct cm_formulas {
    enum cm_abandon_formula abandon;
    enum cm_sl_formula service_level;
};

/* What a figure is computed from. busy_ms and available_ms are the seat-state times behind
 * occupancy. */
struct cm_measures {
    struct cm_tally tally;
    struct cm_hist handle; /* bins of the handle time of answered legs */
    uint64_t busy_ms, available_ms;
    struct cm_details details; /* time by state, checks by name and source */
    /* ms by which the time in each state grows (or falls) a ms that passes, until something enters
     * or leaves: seats in it at the end of the window less those at its beginning. */
    int32_t running[CM_STATE_COUNT];
};

/* Adds time in a state to busy_ms or available_ms, where it is either. */
void cm_measures_add_state(struct cm_measures *m, enum cm_state state, uint64_t ms);
/* Lets time pass: by so many ms the time in states runs on. */
void cm_measures_run_on(struct cm_measures *m, const int32_t running[CM_STATE_COUNT],
                        int64_t passed_ms);

/* Replaces *into, which owns its histogram and details from then on; *from may be borrowed. */
void cm_measures_own(struct cm_measures *into, const struct cm_measures *from);
/* The same for one that owns memory already, which is used again. */
void cm_measures_copy(struct cm_measures *into, const struct cm_measures *from);
void cm_measures_free(struct cm_measures *m);
/* No leg, no judgement, no time in a state but offline. */
bool cm_measures_are_empty(const struct cm_measures *m);

/* A figure as a fixed-point integer: value / 10^decimals; null when the denominator is 0. */
struct cm_value {
    bool null;
    uint64_t value;
};

struct cm_value cm_figure_get(enum cm_figure figure, const struct cm_measures *m,
                              const struct cm_formulas *formulas);
const char *cm_figure_name(enum cm_figure figure);
enum cm_figure_kind cm_figure_kind(enum cm_figure figure);
/* Decimals of cm_value: COUNT, SUM, MEAN, QUANTILE 0, SCORE 2, RATE 4. */
unsigned cm_figure_decimals(enum cm_figure figure);
/* false when the name is none. */
bool cm_figure_parse(struct cm_str name, enum cm_figure *figure);
/* Appends `"offered":12,"answered":11,...` (no braces), all figures in table order, then the
 * details that there are. */
void cm_figures_write(struct cm_text *out, const struct cm_measures *m,
                      const struct cm_formulas *formulas);
const char *cm_abandon_formula_name(enum cm_abandon_formula formula);
const char *cm_sl_formula_name(enum cm_sl_formula formula);

#endif
