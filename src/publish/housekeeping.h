// SPDX-License-Identifier: Apache-2.0
/* housekeeping.h — takes out of Redis what no longer belongs there, a little at a time.
 *
 *   reconcile   after a connect: members that an earlier process, with another roster, has left
 *               SMEMBERS units:team ─► SMEMBERS members:team:t1 ─► HDEL from its boards, SREM
 *   trim        after a closed period was written: start dates whose period ended longer ago than
 *               history.keep                 HKEYS history:seat:1001:day ─► HDEL
 *
 * At most 64 questions are on their way at once, so that midnight, when every unit closes a period,
 * does not hold up the figures. What a lost connection leaves open is asked again.
 *
 * THREADS That of the ring. OWNERSHIP Configuration and placement are borrowed.
 */
#ifndef CM_PUBLISH_HOUSEKEEPING_H
#define CM_PUBLISH_HOUSEKEEPING_H

#include <stdint.h>

#include "config/config.h"
#include "publish/placement.h"
#include "redis/redis.h"

struct cm_housekeeping;

struct cm_housekeeping *cm_housekeeping_create(const struct cm_config *config,
                                               struct cm_placement *placement);
/* After the Redis client is gone. */
void cm_housekeeping_destroy(struct cm_housekeeping *keeper);
void cm_housekeeping_reconcile(struct cm_housekeeping *keeper);
/* Of that unit's history of that period (index in config->all). */
void cm_housekeeping_trim(struct cm_housekeeping *keeper, uint32_t unit, uint32_t window);
/* Sends what may be sent. Only while ready. asof_ms: what history.keep counts back from. */
void cm_housekeeping_poll(struct cm_housekeeping *keeper, struct cm_redis *redis, int64_t asof_ms);
void cm_housekeeping_lost(struct cm_housekeeping *keeper);
/* Questions without an answer yet, sent or not. */
uint32_t cm_housekeeping_waiting(const struct cm_housekeeping *keeper);

#endif
