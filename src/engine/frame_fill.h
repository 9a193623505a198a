// SPDX-License-Identifier: Apache-2.0
/* frame_fill.h — a worker's answer to a request: moves its windows to the instant asked for, walks
 * the rule steps, closes calendar periods, writes down what changed.
 *
 * THREADS   The worker's. Everything in cm_fill is borrowed for the call.
 */
#ifndef CM_ENGINE_FRAME_FILL_H
#define CM_ENGINE_FRAME_FILL_H

#include "config/config.h"
#include "engine/frame.h"
#include "engine/partition.h"
#include "window/windows.h"

struct cm_fill {
    const struct cm_config *config;
    struct cm_windows *windows;
    struct cm_partition *partitions;
    uint32_t partitions_count;
    const struct cm_frame_request *request;
    struct cm_frame *frame;
};

/* Fills all of the frame but its counters. */
void cm_frame_fill(const struct cm_fill *fill);

#endif
