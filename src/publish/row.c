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
