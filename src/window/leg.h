// SPDX-License-Identifier: Apache-2.0
/* leg.h — what one finished call leg adds to every unit that it counts for.
 *
 * A leg is judged once, here: outcome, short abandons, service level, compliance. Panes and
 * accumulators then only add and subtract it; a revision takes back exactly what was added.
 *
 * UNITS     counts of legs, ms. COST 128 bytes.
 */
#ifndef CM_WINDOW_LEG_H
#define CM_WINDOW_LEG_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "event/event.h"
#include "event/tally.h"
#include "window/marks.h"

#define CM_LEG_UNITS_MAX 6 /* seat, team, room, centre, queue; one to spare */
#define CM_LEG_NO_BIN    0xffffu

/* The verdict on a check, by the number of its name (sums.h). */
struct cm_leg_check {
    uint16_t name;
    bool passed;
};

struct cm_leg {
    int64_t ts_ms;
    uint32_t units[CM_LEG_UNITS_MAX]; /* units_count numbers of cm_units */
    uint8_t units_count;
    uint16_t handle_bin;              /* of talk + hold + acw; CM_LEG_NO_BIN when not answered */
    uint16_t count[CM_TALLY_COUNT_N]; /* as cm_tally.count; vetoes and all others fit 16 bits */
    uint32_t sum[CM_TALLY_SUM_N];     /* as cm_tally.sum */
    uint32_t wait_max_ms, handle_max_ms;
    const struct cm_leg_check *checks; /* borrowed; checks_count of them */
    uint32_t checks_count;
    uint32_t set; /* number of its units in unit_sets.h, + 1; 0: not known */
};

/* Judges a cdr by the configuration in force; its verdicts by name are in `marks`.
 * `leg->units*` is left as it is, and it has no checks yet. */
void cm_leg_judge(struct cm_leg *leg, const struct cm_event *event, const struct cm_config *config,
                  struct cm_marks *marks);

#endif
