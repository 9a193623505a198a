// SPDX-License-Identifier: Apache-2.0
/* clock.h — the three times, never mixed: event time (from the record, ms since the epoch),
 * monotonic time (intervals and deadlines, ns) and wall time (for people, ms since the epoch).
 * Only the edges read a clock; everything below takes time as an argument. */
#ifndef CM_BASE_CLOCK_H
#define CM_BASE_CLOCK_H

#include <stdint.h>

#define CM_NS_PER_MS INT64_C(1000000)
#define CM_NS_PER_S  INT64_C(1000000000)
#define CM_MS_PER_S  INT64_C(1000)
#define CM_MS_PER_M  INT64_C(60000)
#define CM_MS_PER_H  INT64_C(3600000)
#define CM_MS_PER_D  INT64_C(86400000)

int64_t cm_clock_mono_ns(void);
int64_t cm_clock_wall_ms(void);
/* CPU time of this process, user + system, ns. */
int64_t cm_clock_cpu_ns(void);

#endif
