// SPDX-License-Identifier: Apache-2.0
#include "engine/follow.h"

void cm_follow_init(struct cm_follow *follow)
{
    *follow = (struct cm_follow){.watermark_ms = INT64_MIN, .closed_ms = INT64_MIN};
}

void cm_follow_note(struct cm_follow *follow, uint64_t records, int64_t watermark_ms, bool closes)
{
    follow->records = records;
    follow->watermark_ms = watermark_ms;
    if (closes) {
        follow->closed_ms = watermark_ms;
    }
}

static int64_t least_ms(const struct cm_config *config)
{
    int64_t step_ms = 0;
    for (uint32_t i = 0; i < config->windows.count; i++) {
        step_ms = config->all[i].step_ms > step_ms ? config->all[i].step_ms : step_ms;
    }
    return step_ms * CM_FOLLOW_STEPS;
}

enum cm_follow_step cm_follow_step(const struct cm_follow *follow, const struct cm_config *config,
                                   uint64_t records, int64_t watermark_ms)
{
    if (records - follow->records < CM_FOLLOW_RECORDS || follow->watermark_ms == INT64_MIN ||
        watermark_ms - follow->watermark_ms < least_ms(config)) {
        return CM_FOLLOW_STAY;
    }
    for (uint32_t i = config->windows.count; i < config->all_count; i++) {
        if (follow->closed_ms != INT64_MIN &&
            cm_zone_period_end_ms(config->zone, config->all[i].period, follow->closed_ms) <=
                watermark_ms) {
            return CM_FOLLOW_CLOSE;
        }
    }
    return CM_FOLLOW_MOVE;
}
