// SPDX-License-Identifier: Apache-2.0
/* log.h — one logfmt line an event on standard error:
 *
 *   ts=2026-11-23T21:00:00.123Z level=warn event=redis.lost peer=... next_ms=400
 *
 * THREADS   Any thread; a line is one write. Never on the path of a record. errno is kept.
 * Repeats of one event are limited: after 20 lines in 10 s of the same event name the rest are
 * counted and reported as `suppressed=N` with the next line of that name. A line is cut at 8 KiB.
 */
#ifndef CM_BASE_LOG_H
#define CM_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum cm_log_level { CM_LOG_ERROR = 0, CM_LOG_WARN, CM_LOG_INFO, CM_LOG_DEBUG };

/* Lines above `level` are dropped; CM_LOG_INFO at start. */
void cm_log_set_level(enum cm_log_level level);
/* `event` is a stable name such as "redis.lost"; `format` gives the key=value pairs; quote values
 * that may hold spaces with "%s" inside \" \". */
void cm_log(enum cm_log_level level, const char *event, const char *format, ...) CM_PRINTF(3, 4);

/* The limit on repeats by itself, with the monotonic time as an argument: counts a line of `event`
 * and says whether it may go out; *suppressed: how many of that name were held back since the last.
 */
bool cm_log_admit(const char *event, int64_t now_ns, uint32_t *suppressed);

#endif
