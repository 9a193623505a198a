// SPDX-License-Identifier: Apache-2.0
/* log.h — one logfmt line an event on standard error: `level=warn event=redis.lost peer=... next_ms=400`.
 *
 * THREADS   Any thread; a line is one write. Never on the path of a record.
 * Repeats of one event are limited: after `burst` lines in 10 s of the same event name the rest are
 * counted and reported as `suppressed=N` with the next line.
 */
#ifndef CM_BASE_LOG_H
#define CM_BASE_LOG_H

#include "base/compiler.h"

enum cm_log_level { CM_LOG_ERROR = 0, CM_LOG_WARN, CM_LOG_INFO, CM_LOG_DEBUG };

void cm_log_set_level(enum cm_log_level level);
/* `event` is a stable name such as "redis.lost"; `format` gives the key=value pairs; quote values that may
 * hold spaces with "%s" inside \" \". */
void cm_log(enum cm_log_level level, const char *event, const char *format, ...) CM_PRINTF(3, 4);

#endif
