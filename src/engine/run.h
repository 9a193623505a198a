// SPDX-License-Identifier: Apache-2.0
/* run.h — `callmill run`: the whole pipeline of one process.
 *
 *   workers (threads) ── frames ──► service thread: merge ─► publisher ─► Redis
 *                                     │  ├► breach rules ─► stream, channel, active hash, topic
 *                                     │  └► positions ─► commit, after the figures are out
 *                                     └ group membership, signals, roster reload, metrics
 *
 * The calling thread is the service thread. Event time goes on at the pace of the clock while no
 * event comes, so windows slide and empty. The live edge of a window is the end of its step that
 * holds the present event time; breach rules trail at the watermark.
 *
 * A restart builds the windows again from the log: each commit says from which offset
 * (engine/partition.h).
 */
#ifndef CM_ENGINE_RUN_H
#define CM_ENGINE_RUN_H

#include <stdatomic.h>
#include <stdbool.h>

#include "config/config.h"
#include "event/roster.h"

/* Set by signal handlers, or by another thread: run() ends, or reloads the roster, at its next
 * turn. */
struct cm_run_signals {
    _Atomic bool stop, reload;
};

struct cm_run_options {
    const struct cm_config *config;
    struct cm_roster *roster; /* taken over */
    struct cm_run_signals *signals;
};

/* Returns when stop is set: drained, published, committed. 0 or a negative code. */
CM_NODISCARD int cm_run(const struct cm_run_options *options);

#endif
