// SPDX-License-Identifier: Apache-2.0
/* breach_rule.c — see breach_rule.h. */
#include "rule/breach_rule.h"

#include "base/fail.h"

static uint64_t sample_n(enum cm_figure metric, const struct cm_measures *m)
{
    const struct cm_tally *tally = &m->tally;
    switch (metric) {
    case CM_FIGURE_aht_ms:
    case CM_FIGURE_asa_ms:
    case CM_FIGURE_handle_ms:
    case CM_FIGURE_handle_max_ms:
    case CM_FIGURE_handle_p50_ms:
    case CM_FIGURE_handle_p90_ms:
    case CM_FIGURE_handle_p99_ms:
        return tally->answered;
    case CM_FIGURE_checked:
    case CM_FIGURE_compliant:
    case CM_FIGURE_check_weight:
    case CM_FIGURE_check_weight_passed:
    case CM_FIGURE_vetoes:
    case CM_FIGURE_compliance_rate:
    case CM_FIGURE_compliant_rate:
        return tally->checked;
    case CM_FIGURE_rating_avg:
    case CM_FIGURE_rating_sum:
        return tally->ratings;
    case CM_FIGURE_occupancy: /* no legs: seconds of seats, begun ones too */
        return (m->busy_ms + m->available_ms + 999) / 1000;
    default:
        return cm_tally_offered(tally);
    }
}

struct cm_sample cm_rule_sample(const struct cm_rule_spec *rule, const struct cm_measures *m,
                                const struct cm_formulas *formulas)
{
    static const struct cm_measures empty;
    const struct cm_measures *from = m != NULL ? m : &empty;
    return (struct cm_sample){.value = cm_figure_get(rule->metric, from, formulas),
                              .n = sample_n(rule->metric, from)};
}

/* <0, 0, >0: value / 10^decimals against micro / 10^6. */
static int compare(uint64_t value, unsigned decimals, int64_t micro)
{
    CM_ASSERT(decimals <= 6);
    uint64_t scale = 1;
    for (unsigned i = decimals; i < 6; i++) {
        scale *= 10;
    }
    if (micro < 0 || value > (uint64_t)INT64_MAX / scale) {
        return 1; /* values are never below zero; so large a one is above every micro */
    }
    uint64_t left = value * scale;
    uint64_t right = (uint64_t)micro;
    return left < right ? -1 : left > right;
}

static bool holds(const struct cm_condition *condition, enum cm_figure metric, uint64_t value)
{
    int order = compare(value, cm_figure_decimals(metric), condition->micro);
    switch (condition->compare) {
    case CM_COMPARE_LT:
        return order < 0;
    case CM_COMPARE_LE:
        return order <= 0;
    case CM_COMPARE_GT:
        return order > 0;
    case CM_COMPARE_GE:
        return order >= 0;
    case CM_COMPARE_EQ:
        return order == 0;
    case CM_COMPARE_NE:
        return order != 0;
    case CM_COMPARE_NONE:
        break;
    }
    return false;
}

static bool is_unknown(const struct cm_rule_spec *rule, const struct cm_sample *sample)
{
    return sample->value.null || sample->n < rule->min_n;
}

enum cm_level cm_rule_level(const struct cm_rule_spec *rule, const struct cm_sample *sample)
{
    if (is_unknown(rule, sample)) {
        return CM_LEVEL_NONE;
    }
    if (holds(&rule->critical, rule->metric, sample->value.value)) {
        return CM_LEVEL_CRITICAL;
    }
    return holds(&rule->warn, rule->metric, sample->value.value) ? CM_LEVEL_WARN : CM_LEVEL_NONE;
}

bool cm_rule_is_clear(const struct cm_rule_spec *rule, const struct cm_sample *sample)
{
    if (is_unknown(rule, sample)) {
        return true;
    }
    if (rule->clear.compare == CM_COMPARE_NONE) {
        return cm_rule_level(rule, sample) == CM_LEVEL_NONE;
    }
    return holds(&rule->clear, rule->metric, sample->value.value);
}

const struct cm_condition *cm_rule_condition(const struct cm_rule_spec *rule, enum cm_level level)
{
    CM_ASSERT(level != CM_LEVEL_NONE);
    return level == CM_LEVEL_CRITICAL ? &rule->critical : &rule->warn;
}

const struct cm_condition *cm_rule_clear_condition(const struct cm_rule_spec *rule)
{
    if (rule->clear.compare != CM_COMPARE_NONE) {
        return &rule->clear;
    }
    return rule->warn.compare != CM_COMPARE_NONE ? &rule->warn : &rule->critical;
}

void cm_condition_write(struct cm_text *out, const struct cm_condition *condition)
{
    static const char *const signs[] = {
        [CM_COMPARE_NONE] = "", [CM_COMPARE_LT] = "< ",  [CM_COMPARE_LE] = "<= ",
        [CM_COMPARE_GT] = "> ", [CM_COMPARE_GE] = ">= ", [CM_COMPARE_EQ] = "== ",
        [CM_COMPARE_NE] = "!= "};
    if (condition->compare == CM_COMPARE_NONE) {
        return;
    }
    cm_text_adds(out, signs[condition->compare]);
    uint64_t micro = (uint64_t)condition->micro;
    if (condition->micro < 0) {
        cm_text_addc(out, '-');
        micro = 0 - micro;
    }
    unsigned decimals = 6;
    while (decimals > 0 && micro % 10 == 0) {
        micro /= 10;
        decimals--;
    }
    if (decimals == 0) {
        cm_text_add_u64(out, micro);
    } else {
        cm_text_add_fixed(out, micro, decimals);
    }
}

const char *cm_level_name(enum cm_level level)
{
    static const char *const names[] = {"none", "warn", "critical"};
    return names[level];
}
