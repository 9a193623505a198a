// SPDX-License-Identifier: Apache-2.0
/* redis_child.h — a real redis-server for the demo: a child on a free port of 127.0.0.1 that keeps
 * nothing on disk and ends with this process, however that ends. In a process group of its own, so
 * that Ctrl-C reaches only the demo, which still has to publish.
 *
 * THREADS   The main thread: the child dies with the thread that started it.
 */
#ifndef CM_CLI_REDIS_CHILD_H
#define CM_CLI_REDIS_CHILD_H

#include <sys/types.h>

#include "base/compiler.h"

struct cm_redis_child {
    pid_t pid; /* 0: not running */
    char address[32];
};

/* Its log goes to <directory>/redis.log. 0 when it answers; -CM_ERR_REDIS: not installed, or it
 * does not come up. */
CM_NODISCARD int cm_redis_child_start(struct cm_redis_child *child, const char *directory);
/* SIGTERM, after two seconds SIGKILL. Not running: nothing. */
void cm_redis_child_stop(struct cm_redis_child *child);

#endif
