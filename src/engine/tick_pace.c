// SPDX-License-Identifier: Apache-2.0
#include "engine/tick_pace.h"

#include "base/clock.h"

#define REST         4
#define REST_MOST_NS CM_NS_PER_S
#define PACE_NS      CM_NS_PER_S
#define BUSY_NS      (50 * CM_NS_PER_MS)

bool cm_tick_pace_is_due(const struct cm_tick_pace *pace, int64_t now_ns, bool busy)
{
    return now_ns >= pace->next_ns && (!busy || now_ns >= pace->busy_ns);
}

void cm_tick_pace_begin(struct cm_tick_pace *pace, int64_t now_ns, bool busy)
{
    pace->began_ns = now_ns;
    pace->busy_ns = now_ns + (pace->tick_ns > BUSY_NS ? pace->tick_ns : BUSY_NS);
    if (busy) {
        return;
    }
    int64_t due_ns = pace->next_ns < now_ns ? pace->next_ns : now_ns;
    int64_t next_ns = due_ns + pace->tick_ns;
    pace->next_ns = next_ns > now_ns ? next_ns : now_ns + pace->tick_ns;
}

static bool keeps_up(struct cm_tick_pace *pace, int64_t now_ns, uint64_t records, uint64_t lag)
{
    if (pace->old.at_ns == 0) {
        pace->old.at_ns = pace->young.at_ns = pace->began_ns;
    }
    if (now_ns - pace->young.at_ns >= PACE_NS) {
        pace->old = pace->young;
        pace->young.at_ns = now_ns;
        pace->young.records = records;
    }
    double seconds = (double)(now_ns - pace->old.at_ns) / (double)CM_NS_PER_S;
    return (double)lag * seconds <= (double)(records - pace->old.records);
}

void cm_tick_pace_end(struct cm_tick_pace *pace, int64_t now_ns, uint64_t records, uint64_t lag)
{
    if (keeps_up(pace, now_ns, records, lag)) {
        return;
    }
    int64_t rest_ns = (now_ns - pace->began_ns) * REST;
    rest_ns = rest_ns < REST_MOST_NS ? rest_ns : REST_MOST_NS;
    pace->next_ns = now_ns + rest_ns > pace->next_ns ? now_ns + rest_ns : pace->next_ns;
}
