// SPDX-License-Identifier: Apache-2.0
/* thread.h — waiting for the end of a thread, but not for ever. */
#ifndef CM_BASE_THREAD_H
#define CM_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Joins a thread that ends within `within_ms` of monotonic time; false: it still runs, and is still
 * to be joined or detached. (pthread_timedjoin_np() waits until a time of the wall clock, which
 * somebody may set back meanwhile.) */
bool cm_thread_join_within(pthread_t thread, int64_t within_ms);

#endif
