// SPDX-License-Identifier: Apache-2.0
/* row.h — the JSON of one unit in one window: a row of `replay`, or the value of a field in Redis.
 */
#ifndef CM_PUBLISH_ROW_H
#define CM_PUBLISH_ROW_H

#include "base/text.h"
#include "config/config.h"
#include "event/figures.h"
#include "event/gauge.h"
#include "event/unit.h"

/* {"asof":..,"kind":..,"id":..,"window":..,figures} without newline. */
void cm_row_write(struct cm_text *out, const struct cm_config *config, int64_t asof_ms,
                  const struct cm_unit_key *key, uint32_t window, const struct cm_measures *m);
/* The live picture (field `now`): {"asof":..,"state":..,"since":..} of a seat, {"asof":..,
 * "seats":{"available":3,..}} of what is above, and where calls wait (or did), "calls_waiting" and
 * "longest_wait_ms". */
void cm_now_write(struct cm_text *out, int64_t asof_ms, const struct cm_gauge *gauge);
/* {"asof":..,figures} */
void cm_value_write(struct cm_text *out, const struct cm_config *config, int64_t asof_ms,
                    const struct cm_measures *m);

#endif
