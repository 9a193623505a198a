// SPDX-License-Identifier: Apache-2.0
/* run_time.h — event time of a whole run: now, and the watermark, over all workers.
 *
 *   now         newest event of any worker, going on at the pace of the clock
 *   watermark   oldest of the workers' watermarks, at most now less the lateness allowed
 *
 * Neither ever falls.
 *
 * THREADS   The service thread. TIME Event time ms, monotonic ns; INT64_MIN: not yet known.
 */
#ifndef CM_ENGINE_RUN_TIME_H
#define CM_ENGINE_RUN_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "engine/worker.h"

struct cm_run_time {
    int64_t now_ms, watermark_ms;
    int64_t first_ms; /* see struct cm_frame_request; set once, when all workers have begun */
    int64_t clock_ms; /* of the last commit before us, to be taken up once all is read */
    int64_t lead_ns;  /* and since: event time is at least monotonic time and this */
};

void cm_run_time_init(struct cm_run_time *time);

/* All is read again. Event time has gone on while nobody ran, too: it is where the clock would have
 * taken it since the last commit. Else what an earlier life has published would stay newer than we
 * are for as long as that life had waited for events. clock_ms is taken up, and INT64_MIN again. */
void cm_run_time_take_up(struct cm_run_time *time, int64_t now_ns);

/* As of now. */
void cm_run_time_note(struct cm_run_time *time, int64_t lateness_ms,
                      struct cm_worker *const *workers, uint32_t count, int64_t now_ns);

/* Whether a calendar period that stood at that time of an earlier life has not begun yet. */
bool cm_run_time_is_before(const struct cm_run_time *time, const struct cm_config *config,
                           int64_t now_ms, int64_t watermark_ms);

#endif
