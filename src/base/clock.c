// SPDX-License-Identifier: Apache-2.0
/* clock.c — the three readings that the edges take; a clock that cannot be read is a bug. */
#include "base/clock.h"

#include <time.h>

#include "base/fail.h"

static int64_t read_ns(clockid_t id)
{
    struct timespec ts;
    CM_ASSERT(clock_gettime(id, &ts) == 0);
    return (int64_t)ts.tv_sec * CM_NS_PER_S + (int64_t)ts.tv_nsec;
}

int64_t cm_clock_mono_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

int64_t cm_clock_wall_ms(void)
{
    return read_ns(CLOCK_REALTIME) / CM_NS_PER_MS;
}

int64_t cm_clock_cpu_ns(void)
{
    return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}
