// SPDX-License-Identifier: Apache-2.0
/* plan_staff.h — what `callmill plan --staff` prints: agents for a load, or for each interval of a
 * day, as a table, as CSV or as JSON.
 *
 * JSON      Numbers are not rounded; a wait without end is null. CSV: a row an interval, waits in
 *           seconds, shares between 0 and 1, an empty field for a wait without end.
 * ERRORS    -CM_ERR_USAGE when no number of agents up to CM_ERLANG_AGENTS_MAX keeps to the goal.
 */
#ifndef CM_CLI_PLAN_STAFF_H
#define CM_CLI_PLAN_STAFF_H

#include "base/text.h"
#include "plan/erlang.h"
#include "plan/intervals.h"

enum cm_plan_form { CM_PLAN_TABLE, CM_PLAN_CSV, CM_PLAN_JSON };

struct cm_staff_ask {
    double calls, interval_s, aht_s; /* a day has calls and AHT of its own */
    double target_s, patience_s;     /* patience_s 0: Erlang C */
    struct cm_erlang_goal goal;
    double shrinkage;
    uint32_t agents; /* 0: the least that keep to the goal */
};

CM_NODISCARD int cm_staff_show(const struct cm_staff_ask *ask, enum cm_plan_form form,
                               struct cm_text *out);
CM_NODISCARD int cm_staff_day(const struct cm_staff_ask *ask, const struct cm_intervals *day,
                              enum cm_plan_form form, struct cm_text *out);

#endif
