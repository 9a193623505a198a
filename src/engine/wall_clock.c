// SPDX-License-Identifier: Apache-2.0
#include "engine/wall_clock.h"

#include "base/clock.h"
#include "base/log.h"

#define STEP_NS CM_NS_PER_S

static int64_t lead_of(int64_t wall_ms, int64_t mono_ns)
{
    return wall_ms * CM_NS_PER_MS - mono_ns;
}

void cm_wall_clock_init(struct cm_wall_clock *clock, int64_t wall_ms, int64_t mono_ns)
{
    int64_t lead_ns = lead_of(wall_ms, mono_ns);
    *clock = (struct cm_wall_clock){.lead_ns = lead_ns, .most_ns = lead_ns, .told_ns = INT64_MIN};
}

void cm_wall_clock_look(struct cm_wall_clock *clock, int64_t wall_ms, int64_t mono_ns)
{
    int64_t by_ns = lead_of(wall_ms, mono_ns) - clock->lead_ns;
    if (by_ns > -STEP_NS && by_ns < STEP_NS) {
        return;
    }
    clock->lead_ns += by_ns;
    clock->stepped = true;
    cm_log(CM_LOG_WARN, "clock.stepped", "by_ms=%lld", (long long)(by_ns / CM_NS_PER_MS));
}

void cm_wall_clock_know(struct cm_wall_clock *clock, int64_t wall_ms, int64_t mono_ns,
                        int64_t clock_ms)
{
    if (clock_ms != INT64_MIN) {
        clock->told_ns = lead_of(wall_ms + clock_ms, mono_ns);
    }
}

int64_t cm_wall_clock_sure_ms(struct cm_wall_clock *clock, int64_t wall_ms, int64_t mono_ns,
                              int64_t event_ns)
{
    int64_t lead_ns = lead_of(wall_ms, mono_ns);
    clock->most_ns = lead_ns > clock->most_ns ? lead_ns : clock->most_ns;
    int64_t sure_ns = event_ns < clock->most_ns ? event_ns : clock->most_ns;
    sure_ns = clock->told_ns > sure_ns ? clock->told_ns : sure_ns;
    return sure_ns > lead_ns ? (sure_ns + mono_ns) / CM_NS_PER_MS : wall_ms;
}
