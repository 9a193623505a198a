// SPDX-License-Identifier: Apache-2.0
/* plan_show.h — what `callmill plan` prints of a capacity plan: a table for people, or JSON. */
#ifndef CM_CLI_PLAN_SHOW_H
#define CM_CLI_PLAN_SHOW_H

#include "plan/capacity.h"

void cm_plan_show_table(const struct cm_capacity_ask *ask, const struct cm_capacity *plan,
                        struct cm_text *out);
void cm_plan_show_json(const struct cm_capacity_ask *ask, const struct cm_capacity *plan,
                       struct cm_text *out);

#endif
