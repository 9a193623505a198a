// SPDX-License-Identifier: Apache-2.0
/* redis_sweep.h — removes all keys of a prefix from somebody's Redis: what a demo left behind, and
 * what it leaves. Blocks, up to a limit; in a ring of its own. */
#ifndef CM_CLI_REDIS_SWEEP_H
#define CM_CLI_REDIS_SWEEP_H

#include <stdint.h>

#include "base/compiler.h"

/* The prefix must have none of * ? [ ] \ in it. 0, or -CM_ERR_REDIS when it is not done in
 * limit_ms, -CM_ERR_URING. */
CM_NODISCARD int cm_redis_sweep(const char *address, const char *prefix, int64_t limit_ms);

#endif
