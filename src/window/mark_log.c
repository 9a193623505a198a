// SPDX-License-Identifier: Apache-2.0
#include "window/mark_log.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/memory.h"

uint32_t cm_mark_log_add(struct cm_mark_log *log, uint32_t value)
{
    if (log->end - log->first == log->cap) {
        uint32_t cap = log->cap == 0 ? 1024 : 2 * log->cap;
        CM_ASSERT(cap != 0);
        uint32_t *at = cm_alloc(cap, sizeof(*at));
        for (uint32_t place = log->first; place != log->end; place++) {
            at[place & (cap - 1)] = log->at[place & (log->cap - 1)];
        }
        free(log->at);
        log->at = at;
        log->cap = cap;
    }
    log->at[log->end & (log->cap - 1)] = value;
    return log->end++;
}

uint32_t cm_mark_log_at(const struct cm_mark_log *log, uint32_t place)
{
    CM_ASSERT(place - log->first < log->end - log->first);
    return log->at[place & (log->cap - 1)];
}

void cm_mark_log_drop(struct cm_mark_log *log, uint32_t until)
{
    CM_ASSERT(until - log->first <= log->end - log->first);
    log->first = until;
}

void cm_mark_log_free(struct cm_mark_log *log)
{
    free(log->at);
    *log = (struct cm_mark_log){0};
}
