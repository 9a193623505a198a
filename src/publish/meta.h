// SPDX-License-Identifier: Apache-2.0
/* meta.h — the hash `meta`: how far the figures are, what they mean, and which processes live.
 *
 *   asof, watermark                             ms since the epoch
 *   version, config, timezone, centre           config: hash of everything that decides figures,
 * hex abandonment.formula, service_level.formula, service_level.target, short_abandon windows,
 * periods                            names, parted by commas instance:<name>:heartbeat wall clock,
 * ms; of each process instance:<name>:lag|records|counted|duplicates|revised|late|bad
 *
 * The entries of a process whose heartbeat is a day old are removed by the next one that connects.
 */
#ifndef CM_PUBLISH_META_H
#define CM_PUBLISH_META_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "config/config.h"
#include "publish/publisher.h"

/* A tick is bracketed by two of these. In front of its figures, appends an HSET of asof and
 * watermark, so that no figure in Redis is ever newer than they say; `everything`: also what does
 * not change while the process runs. */
void cm_meta_begin(struct cm_text *out, const struct cm_config *config,
                   const struct cm_publisher_meta *meta, bool everything);
/* Behind them, appends an HSET of the process's heartbeat, lag and counts: whoever sees a record
 * counted finds it in the figures. */
void cm_meta_end(struct cm_text *out, const struct cm_config *config, const char *instance,
                 const struct cm_publisher_meta *meta, int64_t wall_ms);
/* Appends HGETALL. */
void cm_meta_ask(struct cm_text *out, const struct cm_config *config);

struct cm_meta_stored {
    bool has_asof;
    int64_t asof_ms;
    int64_t watermark_ms; /* INT64_MIN: none */
    bool other_config;    /* there is a config hash, and it is not ours */
};
/* Reads the answer to it. Appends to `forget` an HDEL for each dead process but this one; returns
 * how many. */
uint32_t cm_meta_read(const struct redisReply *reply, const struct cm_config *config,
                      const char *instance, int64_t wall_ms, struct cm_meta_stored *stored,
                      struct cm_text *forget);

#endif
