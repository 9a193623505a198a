// SPDX-License-Identifier: Apache-2.0
#include "window/leg.h"

#include "base/fail.h"
#include "base/histogram.h"

static uint16_t flag_if(bool set, enum cm_tally_count_at count)
{
    return (uint16_t)((unsigned)set << count);
}

static void take_marks(struct cm_leg *leg, const struct cm_marks *marks)
{
    leg->flags |= flag_if(marks->count > 0, CM_TALLY_AT_checked);
    leg->flags |= flag_if(marks->count > 0 && !marks->failed, CM_TALLY_AT_compliant);
    leg->vetoes = (uint16_t)marks->vetoes;
    leg->check_weight = (uint32_t)marks->weight;
    leg->check_weight_passed = (uint32_t)marks->weight_passed;
}

static void judge_answered(struct cm_leg *leg, const struct cm_event *event,
                           const struct cm_config *config)
{
    leg->flags = flag_if(true, CM_TALLY_AT_answered);
    leg->flags |= flag_if(event->wait_ms <= config->service_target_ms, CM_TALLY_AT_sl_met);
    leg->flags |=
        flag_if(event->on_hold && event->end == CM_END_CALLER, CM_TALLY_AT_hold_abandoned);
    leg->wait_ms = event->wait_ms;
    leg->talk_ms = event->talk_ms;
    leg->hold_ms = event->hold_ms;
    leg->acw_ms = event->acw_ms;
    leg->bin = (uint16_t)cm_hist_bin(cm_leg_handle_ms(leg)); /* <= 3 * 7 d < 2^32 ms */
}

static void judge_abandoned(struct cm_leg *leg, const struct cm_event *event,
                            const struct cm_config *config)
{
    leg->flags = flag_if(true, CM_TALLY_AT_abandoned);
    leg->flags |= flag_if(event->wait_ms <= config->short_abandon_ms, CM_TALLY_AT_short_abandoned);
    leg->flags |= flag_if(event->wait_ms <= config->service_target_ms, CM_TALLY_AT_sl_abandoned);
    leg->wait_ms = event->wait_ms;
}

void cm_leg_judge(struct cm_leg *leg, const struct cm_event *event, const struct cm_config *config,
                  struct cm_marks *marks)
{
    *leg =
        (struct cm_leg){.ts_ms = event->ts_ms, .transfers = event->transfers, .bin = CM_LEG_NO_BIN};
    switch ((enum cm_outcome)event->outcome) {
    case CM_OUTCOME_ANSWERED:
        judge_answered(leg, event, config);
        break;
    case CM_OUTCOME_ABANDONED:
        judge_abandoned(leg, event, config);
        break;
    case CM_OUTCOME_NO_ANSWER:
        leg->flags = flag_if(true, CM_TALLY_AT_no_answer);
        break;
    case CM_OUTCOME_REJECTED:
        leg->flags = flag_if(true, CM_TALLY_AT_rejected);
        break;
    case CM_OUTCOME_OVERFLOW:
    case CM_OUTCOME_TIMEOUT:
    case CM_OUTCOME_CALLBACK:
        leg->flags = flag_if(true, CM_TALLY_AT_flow_out);
        break;
    case CM_OUTCOME_COUNT:
    default:
        CM_ASSERT(false); /* an outcome outside the enum */
    }
    if (event->rating >= 0) {
        leg->flags |= flag_if(true, CM_TALLY_AT_ratings);
        leg->rating = (uint16_t)event->rating;
    }
    marks->count = 0;
    if (event->checks_count > 0 || config->check_rules.count > 0) {
        cm_marks_judge(marks, event, config);
        take_marks(leg, marks);
    }
}
