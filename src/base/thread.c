// SPDX-License-Identifier: Apache-2.0
/* thread.c — see thread.h. Ends of threads are rare: asking every ms will do. */
#include "base/thread.h"

#include <time.h>

#include "base/clock.h"

bool cm_thread_join_within(pthread_t thread, int64_t within_ms)
{
    int64_t end_ns = cm_clock_mono_ns() + within_ms * CM_NS_PER_MS;
    while (pthread_tryjoin_np(thread, NULL) != 0) {
        if (cm_clock_mono_ns() >= end_ns) {
            return false;
        }
        nanosleep(&(struct timespec){0, CM_NS_PER_MS}, NULL);
    }
    return true;
}
