// SPDX-License-Identifier: Apache-2.0
#include "engine/frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define IDLE_ROWS 65536u /* the figures of rows behind these give their memory back */

static void free_rows(struct cm_frame *frame, uint32_t from)
{
    for (uint32_t i = from; i < frame->rows_cap; i++) {
        cm_measures_free(&frame->rows[i].m);
    }
}

void cm_frame_clear(struct cm_frame *frame)
{
    if (frame->rows_count > IDLE_ROWS) {
        free_rows(frame, IDLE_ROWS);
    }
    frame->rows_count = 0;
    frame->gauges_count = 0;
    frame->positions_count = 0;
    cm_rule_log_clear(&frame->rules);
}

void cm_frame_free(struct cm_frame *frame)
{
    free_rows(frame, 0);
    cm_rule_log_free(&frame->rules);
    cm_unit_order_free(&frame->order);
    free(frame->rows);
    free(frame->gauges);
    free(frame->positions);
}

struct cm_frame_row *cm_frame_add_row(struct cm_frame *frame)
{
    if (frame->rows_count == frame->rows_cap) {
        uint32_t cap = frame->rows_cap == 0 ? 1024 : 2 * frame->rows_cap;
        frame->rows = cm_realloc(frame->rows, cap, sizeof(*frame->rows));
        memset(frame->rows + frame->rows_cap, 0, (cap - frame->rows_cap) * sizeof(*frame->rows));
        frame->rows_cap = cap;
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
