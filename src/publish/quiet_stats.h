// SPDX-License-Identifier: Apache-2.0
/* quiet_stats.h — what `INFO commandstats` says of HSET. */
#ifndef CM_PUBLISH_QUIET_STATS_H
#define CM_PUBLISH_QUIET_STATS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>

struct cm_quiet_stats {
    uint64_t calls, rejected, failed; /* 0: none so far */
};

/* false: it is no such answer, or of a server that does not count what it refuses. */
bool cm_quiet_stats_read(const struct redisReply *reply, struct cm_quiet_stats *stats);
/* Between the two Redis carried out `commands` HSETs or more, and refused none. */
bool cm_quiet_stats_taken(const struct cm_quiet_stats *before, const struct cm_quiet_stats *after,
                          uint32_t commands);

#endif
