// SPDX-License-Identifier: Apache-2.0
#include "window/leg.h"

#include <string.h>

#include "base/fail.h"
#include "base/histogram.h"

static void take_marks(struct cm_leg *leg, const struct cm_marks *marks)
{
    leg->count[CM_TALLY_AT_checked] = marks->count > 0;
    leg->count[CM_TALLY_AT_compliant] = marks->count > 0 && !marks->failed;
    leg->count[CM_TALLY_AT_vetoes] = (uint16_t)marks->vetoes;
    leg->sum[CM_TALLY_AT_check_weight] = (uint32_t)marks->weight;
    leg->sum[CM_TALLY_AT_check_weight_passed] = (uint32_t)marks->weight_passed;
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

void cm_leg_judge(struct cm_leg *leg, const struct cm_event *event, const struct cm_config *config,
                  struct cm_marks *marks)
{
    leg->ts_ms = event->ts_ms;
    leg->handle_bin = CM_LEG_NO_BIN;
    leg->wait_max_ms = 0;
    leg->handle_max_ms = 0;
    leg->checks = NULL;
    leg->checks_count = 0;
    leg->set = 0;
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
    marks->count = 0;
    if (event->checks_count > 0 || config->check_rules.count > 0) {
        cm_marks_judge(marks, event, config);
        take_marks(leg, marks);
    }
}
