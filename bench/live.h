// SPDX-License-Identifier: Apache-2.0
/* live.h — drives windows as a worker of `run` and as a replay do, for benchmarks.
 *
 * LIVE      At each tick of event time every window goes to the end of its own step that holds the
 *           instant, with all panes folded in but the one that is filling; then all changed figures
 *           are read, as for a frame (engine/frame_fill.c). Rows are not copied into one.
 * TRAILING  Windows stand at the watermark, and so do their folds: what breach rules look at.
 *           Nothing is read.
 */
#ifndef CM_BENCH_LIVE_H
#define CM_BENCH_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "window/windows.h"

struct cm_bench_live {
    struct cm_windows *windows;
    const struct cm_config *config;
    bool trailing;
    bool reads;           /* LIVE: changed figures are read, not only asked for */
    int64_t tick_ms;      /* 200 */
    int64_t next_tick_ms; /* INT64_MIN: none yet */
    int64_t watermark_ms;
    uint64_t ticks, rows;
    int64_t advance_ns, rows_ns; /* with the trim; wall time: shares, not figures */
    uint64_t checksum;           /* so that nothing is optimised away */
};

void cm_bench_live_init(struct cm_bench_live *live, struct cm_windows *windows,
                        const struct cm_config *config, bool trailing);
/* The ticks that are due before an event of that time, then the event. */
void cm_bench_live_apply(struct cm_bench_live *live, const struct cm_event *event,
                         const struct cm_hint *hint);

#endif
