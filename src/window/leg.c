// SPDX-License-Identifier: Apache-2.0
#include "window/leg.h"

#include <string.h>

#include "base/fail.h"
#include "base/histogram.h"
#include "config/expression.h"

/* Counts of one leg are 16 bits wide in panes; a leg with more failed vetoes than that is capped.
 */
#define VETOES_MAX UINT16_MAX

struct marks {
    bool any, failed;
    uint64_t weight, weight_passed;
    uint32_t vetoes;
};

static void mark(struct marks *marks, bool passed, uint32_t weight, bool veto)
{
    marks->any = true;
    marks->weight += weight;
    if (passed) {
        marks->weight_passed += weight;
        return;
    }
    marks->failed = true;
    if (veto && marks->vetoes < VETOES_MAX) {
        marks->vetoes++;
    }
}

static bool is_rule(const struct cm_config *config, struct cm_str name)
{
    for (uint32_t i = 0; i < config->check_rules.count; i++) {
        const char *rule = config->check_rules.at[i].name;
        if (strlen(rule) == name.len && memcmp(rule, name.p, name.len) == 0) {
            return true;
        }
    }
    return false;
}

static void judge_compliance(struct cm_leg *leg, const struct cm_event *event,
                             const struct cm_config *config)
{
    struct marks marks = {0};

    for (uint32_t i = 0; i < event->checks_count; i++) {
        const struct cm_check *check = &event->checks[i];
        if (check->result < 0 || is_rule(config, check->name)) {
            continue;
        }
        bool veto = false;
        uint32_t weight = cm_config_check(config, check->name, &veto);
        mark(&marks, check->result == 1, weight, veto);
    }
    for (uint32_t i = 0; i < config->check_rules.count; i++) {
        const struct cm_check_spec *rule = &config->check_rules.at[i];
        int result = cm_expression_eval(rule->expression, event);
        if (result >= 0) {
            mark(&marks, result == 1, rule->weight, rule->veto);
        }
    }
    leg->count[CM_TALLY_AT_checked] = marks.any;
    leg->count[CM_TALLY_AT_compliant] = marks.any && !marks.failed;
    leg->count[CM_TALLY_AT_vetoes] = (uint16_t)marks.vetoes;
    /* 64 KiB of record hold fewer than 2^14 checks of weight 1,000 at most: far below 2^32. */
    leg->sum[CM_TALLY_AT_check_weight] = (uint32_t)marks.weight;
    leg->sum[CM_TALLY_AT_check_weight_passed] = (uint32_t)marks.weight_passed;
}

static void judge_answered(struct cm_leg *leg, const struct cm_event *event,
                           const struct cm_config *config)
{
    uint32_t handle_ms = event->talk_ms + event->hold_ms + event->acw_ms; /* <= 3 * 7 d < 2^32 */

    leg->count[CM_TALLY_AT_answered] = 1;
    leg->count[CM_TALLY_AT_sl_met] = event->wait_ms <= config->service_target_ms;
    leg->count[CM_TALLY_AT_hold_abandoned] = event->on_hold && event->end == CM_END_CALLER;
    leg->sum[CM_TALLY_AT_wait_ms] = event->wait_ms;
    leg->sum[CM_TALLY_AT_talk_ms] = event->talk_ms;
    leg->sum[CM_TALLY_AT_hold_ms] = event->hold_ms;
    leg->sum[CM_TALLY_AT_acw_ms] = event->acw_ms;
    leg->wait_max_ms = event->wait_ms;
    leg->handle_max_ms = handle_ms;
    leg->handle_bin = (uint16_t)cm_hist_bin(handle_ms);
}

void cm_leg_judge(struct cm_leg *leg, const struct cm_event *event, const struct cm_config *config)
{
    leg->ts_ms = event->ts_ms;
    leg->handle_bin = CM_LEG_NO_BIN;
    leg->wait_max_ms = 0;
    leg->handle_max_ms = 0;
    memset(leg->count, 0, sizeof(leg->count));
    memset(leg->sum, 0, sizeof(leg->sum));

    switch ((enum cm_outcome)event->outcome) {
    case CM_OUTCOME_ANSWERED:
        judge_answered(leg, event, config);
        break;
    case CM_OUTCOME_ABANDONED:
        leg->count[CM_TALLY_AT_abandoned] = 1;
        leg->count[CM_TALLY_AT_short_abandoned] = event->wait_ms <= config->short_abandon_ms;
        leg->count[CM_TALLY_AT_sl_abandoned] = event->wait_ms <= config->service_target_ms;
        leg->sum[CM_TALLY_AT_abandon_wait_ms] = event->wait_ms;
        leg->wait_max_ms = event->wait_ms;
        break;
    case CM_OUTCOME_NO_ANSWER:
        leg->count[CM_TALLY_AT_no_answer] = 1;
        break;
    case CM_OUTCOME_REJECTED:
        leg->count[CM_TALLY_AT_rejected] = 1;
        break;
    case CM_OUTCOME_OVERFLOW:
    case CM_OUTCOME_TIMEOUT:
    case CM_OUTCOME_CALLBACK:
        leg->count[CM_TALLY_AT_flow_out] = 1;
        break;
    case CM_OUTCOME_COUNT:
    default:
        CM_ASSERT(false); /* an outcome outside the enum */
    }
    leg->sum[CM_TALLY_AT_transfers] = event->transfers;
    if (event->rating >= 0) {
        leg->count[CM_TALLY_AT_ratings] = 1;
        leg->sum[CM_TALLY_AT_rating_sum] = (uint32_t)event->rating;
    }
    if (event->checks_count > 0 || config->check_rules.count > 0) {
        judge_compliance(leg, event, config);
    }
}
