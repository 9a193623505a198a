// SPDX-License-Identifier: Apache-2.0
#include "publish/row.h"

#include <string.h>

void cm_row_write(struct cm_text *out, const struct cm_config *config, int64_t asof_ms,
                  const struct cm_unit_key *key, uint32_t window, const struct cm_measures *m)
{
    const char *name = config->all[window].name;
    cm_text_adds(out, "{\"asof\":");
    cm_text_add_i64(out, asof_ms);
    cm_text_adds(out, ",\"kind\":\"");
    cm_text_adds(out, cm_kind_name(key->kind));
    cm_text_adds(out, "\",\"id\":");
    cm_text_add_json(out, key->id.p, key->id.len);
    cm_text_adds(out, ",\"window\":");
    cm_text_add_json(out, name, strlen(name));
    cm_text_addc(out, ',');
    cm_figures_write(out, m, &config->formulas);
    cm_text_addc(out, '}');
}

void cm_value_write(struct cm_text *out, const struct cm_config *config, int64_t asof_ms,
                    const struct cm_measures *m)
{
    cm_text_adds(out, "{\"asof\":");
    cm_text_add_i64(out, asof_ms);
    cm_text_addc(out, ',');
    cm_figures_write(out, m, &config->formulas);
    cm_text_addc(out, '}');
}

static void write_seats(struct cm_text *out, const struct cm_gauge *gauge)
{
    const char *between = ",\"seats\":{\"";
    for (uint32_t i = 0; i < CM_STATE_COUNT; i++) {
        if (gauge->seats[i] > 0) {
            cm_text_adds(out, between);
            cm_text_adds(out, cm_state_name(i));
            cm_text_adds(out, "\":");
            cm_text_add_u64(out, gauge->seats[i]);
            between = ",\"";
        }
    }
    cm_text_adds(out, between[1] == '\"' && between[2] == '\0' ? "}" : ",\"seats\":{}");
}

void cm_now_write(struct cm_text *out, int64_t asof_ms, const struct cm_gauge *gauge)
{
    cm_text_adds(out, "{\"asof\":");
    cm_text_add_i64(out, asof_ms);
    if (gauge->has_states && gauge->since_ms != INT64_MIN) {
        cm_text_adds(out, ",\"state\":\"");
        cm_text_adds(out, cm_state_name(gauge->state));
        cm_text_adds(out, "\",\"since\":");
        cm_text_add_i64(out, gauge->since_ms);
    } else if (gauge->has_states) {
        write_seats(out, gauge);
    }
    if (gauge->has_waits) {
        int64_t wait_ms = gauge->calls_waiting > 0 ? asof_ms - gauge->waiting_since_ms : 0;
        cm_text_adds(out, ",\"calls_waiting\":");
        cm_text_add_u64(out, gauge->calls_waiting);
        cm_text_adds(out, ",\"longest_wait_ms\":");
        cm_text_add_i64(out, wait_ms > 0 ? wait_ms : 0);
    }
    cm_text_addc(out, '}');
}
