// SPDX-License-Identifier: Apache-2.0
#include "cli/plan_show.h"

#include <math.h>
#include <stdio.h>

/* Three digits or so, whole numbers as they are. */
static void add_value(struct cm_text *out, double value, const char *unit)
{
    int digits = value >= 100 || value == floor(value) ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
    cm_text_addf(out, "%10.*f %-5s", digits, value, unit);
}

static void add_input(const struct cm_capacity_ask *ask, const struct cm_capacity *plan,
                      struct cm_text *out)
{
    const struct cm_config *config = ask->config;
    char tick[24];
    cm_text_addf(out,
                 "%.0f seats, %.0f teams, %.0f rooms, %.0f queues; %.10g calls an hour of %.10g "
                 "records: %.4g records/s\n",
                 ask->seats, ask->teams, ask->rooms, ask->queues, ask->calls_an_hour,
                 ask->events_a_call, plan->records_per_s);
    cm_text_adds(out, "windows");
    for (uint32_t i = 0; i < config->all_count; i++) {
        cm_text_addf(out, " %s", config->all[i].name);
    }
    cm_text_addf(out, "; tick %s; layouts%s%s; %.0f process%s\n\n",
                 cm_format_duration(config->tick_ms, tick), config->publish.units ? " units" : "",
                 config->publish.boards ? " boards" : "", ask->processes,
                 ask->processes > 1 ? "es" : "");
}

void cm_plan_show_table(const struct cm_capacity_ask *ask, const struct cm_capacity *plan,
                        struct cm_text *out)
{
    add_input(ask, plan, out);
    char with[32];
    snprintf(with, sizeof(with), "with %.10gx", ask->margin);
    cm_text_addf(out, "%-16s%10s      %10s        why\n", "", "expected", with);
    for (uint32_t i = 0; i < plan->lines; i++) {
        const struct cm_capacity_line *line = &plan->line[i];
        cm_text_addf(out, "%-16s", line->label);
        if (line->expected >= 0) {
            add_value(out, line->expected, line->unit);
        } else {
            cm_text_addf(out, "%16s", "");
        }
        add_value(out, line->provide, line->unit);
        cm_text_addf(out, "  %s\n", line->why);
    }
    for (uint32_t i = 0; i < plan->notes; i++) {
        cm_text_addf(out, "%s! %s\n", i == 0 ? "\n" : "", plan->note[i]);
    }
    if (ask->curves->read < CM_CURVE_COUNT) {
        cm_text_addf(out,
                     "\nFrom curves measured on %s; your own: bench/curves --out FILE, then "
                     "--curves FILE.\n",
                     CM_CURVES_MACHINE);
    }
}

void cm_plan_show_json(const struct cm_capacity_ask *ask, const struct cm_capacity *plan,
                       struct cm_text *out)
{
    cm_text_addf(out,
                 "{\"seats\":%.10g,\"teams\":%.10g,\"rooms\":%.10g,\"queues\":%.10g,"
                 "\"calls_an_hour\":%.10g,\"events_a_call\":%.10g,\"processes\":%.10g,"
                 "\"margin\":%.10g,\n",
                 ask->seats, ask->teams, ask->rooms, ask->queues, ask->calls_an_hour,
                 ask->events_a_call, ask->processes, ask->margin);
    cm_text_addf(out,
                 "\"records_per_s\":%.10g,\"rows_per_s\":%.10g,\"units\":%.10g,\"legs\":%.10g,\n"
                 "\"curves_from_file\":%u,\"curves\":%d,\"needs\":{",
                 plan->records_per_s, plan->rows_per_s, plan->units, plan->legs, ask->curves->read,
                 CM_CURVE_COUNT);
    for (uint32_t i = 0; i < plan->lines; i++) {
        const struct cm_capacity_line *line = &plan->line[i];
        cm_text_addf(out, "%s\n\"%s\":{", i > 0 ? "," : "", line->name);
        if (line->expected >= 0) {
            cm_text_addf(out, "\"expected\":%.10g,", line->expected);
        }
        cm_text_addf(out, "\"provide\":%.10g,\"why\":", line->provide);
        cm_text_add_json(out, line->why, strlen(line->why));
        cm_text_addc(out, '}');
    }
    cm_text_adds(out, "},\n\"notes\":[");
    for (uint32_t i = 0; i < plan->notes; i++) {
        cm_text_adds(out, i > 0 ? "," : "");
        cm_text_add_json(out, plan->note[i], strlen(plan->note[i]));
    }
    cm_text_adds(out, "]}\n");
}
