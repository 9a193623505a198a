// SPDX-License-Identifier: Apache-2.0
#include "event/tally.h"

#include "base/fail.h"

void cm_tally_merge(struct cm_tally *into, const struct cm_tally *from)
{
    CM_ASSERT(into != from);
    cm_tally_add(into, from);
    into->wait_max_ms =
        into->wait_max_ms > from->wait_max_ms ? into->wait_max_ms : from->wait_max_ms;
    into->handle_max_ms =
        into->handle_max_ms > from->handle_max_ms ? into->handle_max_ms : from->handle_max_ms;
}

bool cm_tally_is_empty(const struct cm_tally *tally)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < CM_TALLY_COUNT_N; i++) {
        any |= tally->count[i];
    }
    for (unsigned i = 0; i < CM_TALLY_SUM_N; i++) {
        any |= tally->sum[i];
    }
    return any == 0;
}
