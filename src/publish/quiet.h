// SPDX-License-Identifier: Apache-2.0
/* quiet.h — rows without an answer each: Redis is told to be quiet around them, and what it counts
 * says whether it took them all.
 *
 *   INFO commandstats ─► CLIENT REPLY OFF ─► HSET, HSET, .. ─► CLIENT REPLY ON ─► INFO commandstats
 *
 * CLIENT REPLY OFF silences errors, too, but Redis (6.2 and later) counts them for each command.
 * All is well when between the two INFOs no HSET was rejected or failed, and at least as many as
 * there were rows were carried out. Anything else is a doubt: it may have been another client's
 * HSET, so the caller sends the tick again, with answers, which tell. After a doubt there are
 * answers for 1 min, 2 min .. 1 d; and so there are after a connection that was lost in a bracket.
 *
 * At each connect Redis is asked whether it knows all this; where it does not, or an access list
 * forbids it, every row is answered. Small ticks are not worth the two INFOs. Very large ones are
 * answered too, as a connection that says nothing for 10 s counts as lost.
 *
 * THREADS   That of the ring. ERRORS An access list that forbids CLIENT REPLY between two ticks
 *           costs the connection: its answers can no longer be told apart.
 */
#ifndef CM_PUBLISH_QUIET_H
#define CM_PUBLISH_QUIET_H

#include <stdbool.h>
#include <stdint.h>

#include "redis/redis.h"

#define CM_QUIET_ROWS_MIN UINT64_C(256)
#define CM_QUIET_ROWS_MAX UINT64_C(65536)

struct cm_quiet;

/* After each bracket, once; not when the connection is lost before. */
typedef void (*cm_quiet_checked_fn)(void *context, bool all_taken);

struct cm_quiet *cm_quiet_create(cm_quiet_checked_fn checked, void *context);
/* After the Redis client is gone. */
void cm_quiet_destroy(struct cm_quiet *quiet);
/* Redis is ready; asks what it can do. */
void cm_quiet_connected(struct cm_quiet *quiet, struct cm_redis *redis);
void cm_quiet_lost(struct cm_quiet *quiet);
/* Opens a bracket behind the commands added so far, for a tick of so many rows; false: these are to
 * be answered. Until the end nothing but HSETs, and no poll. */
bool cm_quiet_begin(struct cm_quiet *quiet, uint64_t rows, int64_t now_ns);
/* `commands` HSETs stand in the buffer since. */
void cm_quiet_end(struct cm_quiet *quiet, uint32_t commands);
/* Brackets in which all was taken; brackets in doubt. */
uint64_t cm_quiet_taken(const struct cm_quiet *quiet);
uint64_t cm_quiet_doubts(const struct cm_quiet *quiet);

#endif
