// SPDX-License-Identifier: Apache-2.0
/* replay.h — the engine over files: as fast as it can, the same rows to the byte for any number of
 * threads.
 *
 *   files ─► file_reader (io_uring) ─► decode_pool (threads) ─► apply, in order ─► rows ─► out
 *                                                                  └► rule steps ─► breach events
 *
 * The watermark is the greatest event time seen less allowed_lateness, over all input. A row set as
 * of T holds what had come when the watermark passed T, or at the end of input.
 */
#ifndef CM_ENGINE_REPLAY_H
#define CM_ENGINE_REPLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "config/config.h"
#include "event/reason.h"
#include "event/roster.h"

enum cm_replay_mode { CM_REPLAY_LAST, CM_REPLAY_EVERY, CM_REPLAY_AT };

struct cm_replay_options {
    const struct cm_config *config;
    const struct cm_roster *roster;
    const char *const *files; /* "-": standard input */
    uint32_t files_count;
    enum cm_replay_mode mode;
    int64_t every_ms;          /* EVERY: a multiple of every window's step */
    int64_t at_ms;             /* AT */
    FILE *out;                 /* rows */
    const char *breaches_file; /* NULL: none */
    bool progress;             /* on standard error, at most once a second */
};

struct cm_replay_summary {
    uint64_t records, counted, duplicates, revised, rows, breaches, units;
    uint64_t bad[CM_REASON_COUNT]; /* by reason, late among them */
    uint64_t dead_letters_lost;
};

/* 0 or a negative code. The summary is filled as far as it came. */
CM_NODISCARD int cm_replay_run(const struct cm_replay_options *options,
                               struct cm_replay_summary *summary);

#endif
