// SPDX-License-Identifier: Apache-2.0
#include "engine/frame.h"

#include <stdlib.h>

#include "base/memory.h"

void cm_frame_clear(struct cm_frame *frame)
{
    for (uint32_t i = 0; i < frame->rows_count; i++) {
        cm_measures_free(&frame->rows[i].m);
    }
    frame->rows_count = 0;
    frame->gauges_count = 0;
    frame->positions_count = 0;
    cm_rule_log_clear(&frame->rules);
}

void cm_frame_free(struct cm_frame *frame)
{
    cm_frame_clear(frame);
    cm_rule_log_free(&frame->rules);
    free(frame->rows);
    free(frame->gauges);
    free(frame->positions);
}

struct cm_frame_row *cm_frame_add_row(struct cm_frame *frame)
{
    if (frame->rows_count == frame->rows_cap) {
        frame->rows_cap = frame->rows_cap == 0 ? 1024 : 2 * frame->rows_cap;
        frame->rows = cm_realloc(frame->rows, frame->rows_cap, sizeof(*frame->rows));
    }
    return &frame->rows[frame->rows_count++];
}

struct cm_frame_gauge *cm_frame_add_gauge(struct cm_frame *frame)
{
    if (frame->gauges_count == frame->gauges_cap) {
        frame->gauges_cap = frame->gauges_cap == 0 ? 256 : 2 * frame->gauges_cap;
        frame->gauges = cm_realloc(frame->gauges, frame->gauges_cap, sizeof(*frame->gauges));
    }
    return &frame->gauges[frame->gauges_count++];
}
