// SPDX-License-Identifier: Apache-2.0
/* breach_rule.h — what a rule says about one value, without any memory: level, clear, and the text
 * of a condition.
 *
 * Values are fixed-point integers and conditions millionths, so a comparison is exact and the same
 * on every machine. Null, and n below min_n, hold no level and hold clear.
 *
 * THREADS   Pure functions. COST no allocation, but for the texts written.
 */
#ifndef CM_RULE_BREACH_RULE_H
#define CM_RULE_BREACH_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "config/config.h"
#include "event/figures.h"

enum cm_level { CM_LEVEL_NONE, CM_LEVEL_WARN, CM_LEVEL_CRITICAL };

/* The metric of a rule for one unit, and how many legs stand behind it. */
struct cm_sample {
    struct cm_value value;
    uint64_t n;
};

/* m NULL: an empty window. */
struct cm_sample cm_rule_sample(const struct cm_rule_spec *rule, const struct cm_measures *m,
                                const struct cm_formulas *formulas);
enum cm_level cm_rule_level(const struct cm_rule_spec *rule, const struct cm_sample *sample);
/* Without a clear condition: whether no level holds. */
bool cm_rule_is_clear(const struct cm_rule_spec *rule, const struct cm_sample *sample);
/* The condition behind raised and escalated at that level (not NONE). */
const struct cm_condition *cm_rule_condition(const struct cm_rule_spec *rule, enum cm_level level);
/* The condition behind cleared: clear; without one the lowest condition, which no longer holds. */
const struct cm_condition *cm_rule_clear_condition(const struct cm_rule_spec *rule);
/* "> 480000", "<= 0.8": no needless zeros. */
void cm_condition_write(struct cm_text *out, const struct cm_condition *condition);
const char *cm_level_name(enum cm_level level); /* "none", "warn", "critical" */

#endif
