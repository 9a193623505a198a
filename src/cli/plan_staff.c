// SPDX-License-Identifier: Apache-2.0
#include "cli/plan_staff.h"

#include <math.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/memory.h"

/* One row of any of the tables. */
struct need {
    double calls, aht_s, traffic;
    uint32_t agents, scheduled;
    struct cm_erlang_figures f;
};

static struct cm_erlang_load load_of(const struct cm_staff_ask *ask, double calls, double aht_s)
{
    return (struct cm_erlang_load){
        .calls_per_s = calls / ask->interval_s,
        .aht_s = aht_s,
        .target_s = ask->target_s,
        .patience_s = ask->patience_s,
    };
}

static struct need need_of(const struct cm_staff_ask *ask, double calls, double aht_s,
                           uint32_t agents)
{
    struct cm_erlang_load load = load_of(ask, calls, aht_s);
    struct need n = {
        .calls = calls,
        .aht_s = aht_s,
        .traffic = cm_erlang_traffic(&load),
        .agents = agents,
        .scheduled = cm_erlang_scheduled(agents, ask->shrinkage),
    };
    cm_erlang_measure(&load, agents, &n.f);
    return n;
}

/* The least number that keeps to the goal into *agents. */
static int find_agents(const struct cm_staff_ask *ask, double calls, double aht_s, uint32_t *agents)
{
    struct cm_erlang_load load = load_of(ask, calls, aht_s);
    *agents =
        cm_erlang_traffic(&load) > CM_ERLANG_AGENTS_MAX ? 0 : cm_erlang_agents(&load, &ask->goal);
    if (*agents == 0) {
        return cm_fail(CM_ERR_USAGE,
                       "%.0f erlangs: even %u agents do not keep to the goal, and more are not "
                       "reckoned with",
                       cm_erlang_traffic(&load), CM_ERLANG_AGENTS_MAX);
    }
    return 0;
}

/* --- JSON --- */

static void add_number(struct cm_text *out, const char *name, double value)
{
    if (isfinite(value)) {
        cm_text_addf(out, ",\"%s\":%.10g", name, value);
    } else {
        cm_text_addf(out, ",\"%s\":null", name);
    }
}

/* Without its closing brace. */
static void add_need(struct cm_text *out, const struct need *n)
{
    cm_text_addf(out, "\"agents\":%u,\"scheduled\":%u", n->agents, n->scheduled);
    add_number(out, "wait_probability", n->f.wait_probability);
    add_number(out, "service_level", n->f.service_level);
    add_number(out, "asa_s", n->f.asa_s);
    add_number(out, "wait_s", n->f.wait_s);
    add_number(out, "occupancy", n->f.occupancy);
    add_number(out, "abandonment", n->f.abandonment);
}

static void add_goal(struct cm_text *out, const struct cm_staff_ask *ask)
{
    cm_text_addf(out, "{\"model\":\"%s\"", ask->patience_s > 0 ? "erlang-a" : "erlang-c");
    add_number(out, "interval_s", ask->interval_s);
    cm_text_adds(out, ",\"goal\":{\"service_level\":");
    cm_text_addf(out, "%.10g", ask->goal.service_level);
    add_number(out, "target_s", ask->target_s);
    add_number(out, "max_occupancy", ask->goal.occupancy_max);
    add_number(out, "max_abandonment", ask->goal.abandonment_max);
    cm_text_addc(out, '}');
    add_number(out, "patience_s", ask->patience_s > 0 ? ask->patience_s : (double)INFINITY);
    add_number(out, "shrinkage", ask->shrinkage);
}

static void show_json(const struct cm_staff_ask *ask, const struct need *rows, uint32_t count,
                      uint32_t chosen, struct cm_text *out)
{
    const struct need *n = &rows[chosen];
    add_goal(out, ask);
    add_number(out, "calls", n->calls);
    add_number(out, "aht_s", n->aht_s);
    add_number(out, "erlangs", n->traffic);
    cm_text_addf(out, ",\"keeps\":%s,", cm_erlang_keeps(&n->f, &ask->goal) ? "true" : "false");
    add_need(out, n);
    cm_text_adds(out, ",\"neighbours\":[");
    for (uint32_t i = 0; i < count; i++) {
        if (i != chosen) {
            cm_text_adds(out, out->data[out->len - 1] == '[' ? "{" : ",{");
            add_need(out, &rows[i]);
            cm_text_addc(out, '}');
        }
    }
    cm_text_adds(out, "]}\n");
}

/* --- tables --- */

static void add_seconds(struct cm_text *out, double seconds)
{
    if (isfinite(seconds)) {
        cm_text_addf(out, " %9.1f s", seconds);
    } else {
        cm_text_addf(out, " %11s", "no end");
    }
}

static void add_figures(struct cm_text *out, const struct need *n)
{
    cm_text_addf(out, " %8u %10u %8.2f %% %10.2f %%", n->agents, n->scheduled,
                 100 * n->f.wait_probability, 100 * n->f.service_level);
    add_seconds(out, n->f.asa_s);
    cm_text_addf(out, " %8.1f %% %8.2f %%\n", 100 * n->f.occupancy, 100 * n->f.abandonment);
}

static const char figures_head[] =
    "   agents  scheduled    P(wait)  in target %         ASA  occupancy  abandoned\n";

static void add_goal_text(struct cm_text *out, const struct cm_staff_ask *ask)
{
    cm_text_addf(out, "%.10g %% answered within %.10g s", 100 * ask->goal.service_level,
                 ask->target_s);
    if (ask->goal.occupancy_max < 1) {
        cm_text_addf(out, ", occupancy at most %.10g %%", 100 * ask->goal.occupancy_max);
    }
    if (ask->goal.abandonment_max < 1) {
        cm_text_addf(out, ", at most %.10g %% abandoned", 100 * ask->goal.abandonment_max);
    }
    if (ask->patience_s > 0) {
        cm_text_addf(out, "; Erlang A, callers wait %.10g s on average before they give up\n",
                     ask->patience_s);
    } else {
        cm_text_adds(out, "; Erlang C, nobody gives up\n");
    }
}

/* What decided: the goal's other bounds may ask for more than the service level does. */
static void add_reason(struct cm_text *out, const struct cm_staff_ask *ask, uint32_t agents)
{
    struct cm_staff_ask level = *ask;
    uint32_t enough = 0;
    level.goal.occupancy_max = level.goal.abandonment_max = 1;
    if (find_agents(&level, ask->calls, ask->aht_s, &enough) == 0 && enough < agents) {
        cm_text_addf(
            out, "The service level alone needs %u agents; the bound on %s asks for more.\n",
            enough, ask->goal.abandonment_max < 1 ? "occupancy or abandonment" : "occupancy");
    }
}

static void show_table(const struct cm_staff_ask *ask, const struct need *rows, uint32_t count,
                       uint32_t chosen, struct cm_text *out)
{
    const struct need *n = &rows[chosen];
    cm_text_addf(out, "%.10g calls in %.10g min, AHT %.10g s: %.2f erlangs\n", ask->calls,
                 ask->interval_s / 60, ask->aht_s, n->traffic);
    add_goal_text(out, ask);
    if (ask->agents > 0) {
        cm_text_addf(out, "\n%u agents: %s\n\n", n->agents,
                     cm_erlang_keeps(&n->f, &ask->goal) ? "keep to it" : "do not keep to it");
    } else {
        cm_text_addf(out, "\n%u agents, %u on the schedule (shrinkage %.10g %%)\n\n", n->agents,
                     n->scheduled, 100 * ask->shrinkage);
    }
    cm_text_addf(out, " %s", figures_head);
    for (uint32_t i = 0; i < count; i++) {
        cm_text_adds(out, i == chosen ? ">" : " ");
        add_figures(out, &rows[i]);
    }
    if (ask->agents == 0) {
        add_reason(out, ask, n->agents);
    }
}

int cm_staff_show(const struct cm_staff_ask *ask, enum cm_plan_form form, struct cm_text *out)
{
    struct need rows[3] = {0};
    uint32_t agents = ask->agents, count = 0, chosen = 0;
    int rc = agents == 0 ? find_agents(ask, ask->calls, ask->aht_s, &agents) : 0;
    if (rc < 0) {
        return rc;
    }
    for (uint32_t n = agents > 1 ? agents - 1 : 1; n <= agents + 1 && n <= CM_ERLANG_AGENTS_MAX;
         n++) {
        chosen = n == agents ? count : chosen;
        rows[count++] = need_of(ask, ask->calls, ask->aht_s, n);
    }
    if (form == CM_PLAN_JSON) {
        show_json(ask, rows, count, chosen, out);
    } else {
        show_table(ask, rows, count, chosen, out);
    }
    return 0;
}

/* --- a day --- */

static void add_csv_number(struct cm_text *out, double value)
{
    if (isfinite(value)) {
        cm_text_addf(out, ",%.6g", value);
    } else {
        cm_text_addc(out, ',');
    }
}

static void add_csv(struct cm_text *out, const char *start, const struct need *n)
{
    bool quote = strpbrk(start, ",\"") != NULL;
    cm_text_addf(out, quote ? "\"%s\"" : "%s", start);
    cm_text_addf(out, ",%.10g,%.10g,%.6g,%u,%u", n->calls, n->aht_s, n->traffic, n->agents,
                 n->scheduled);
    add_csv_number(out, n->f.service_level);
    add_csv_number(out, n->f.asa_s);
    add_csv_number(out, n->f.occupancy);
    add_csv_number(out, n->f.abandonment);
    cm_text_addc(out, '\n');
}

static void add_day_row(struct cm_text *out, enum cm_plan_form form, const char *start,
                        const struct need *n)
{
    if (form == CM_PLAN_CSV) {
        add_csv(out, start, n);
    } else if (form == CM_PLAN_JSON) {
        cm_text_adds(out, out->data[out->len - 1] == '[' ? "\n{\"start\":" : ",\n{\"start\":");
        cm_text_add_json(out, start, strlen(start));
        add_number(out, "calls", n->calls);
        add_number(out, "aht_s", n->aht_s);
        add_number(out, "erlangs", n->traffic);
        cm_text_addc(out, ',');
        add_need(out, n);
        cm_text_addc(out, '}');
    } else {
        cm_text_addf(out, "%-16s %8.10g %7.4g s %9.2f", start, n->calls, n->aht_s, n->traffic);
        add_figures(out, n);
    }
}

static void add_day_head(struct cm_text *out, enum cm_plan_form form,
                         const struct cm_staff_ask *ask)
{
    if (form == CM_PLAN_CSV) {
        cm_text_adds(out, "start,calls,aht_s,erlangs,agents,scheduled,service_level,asa_s,"
                          "occupancy,abandonment\n");
    } else if (form == CM_PLAN_JSON) {
        add_goal(out, ask);
        cm_text_adds(out, ",\"intervals\":[");
    } else {
        add_goal_text(out, ask);
        cm_text_addf(out, "\n%-16s %8s %9s %9s%s", "start", "calls", "AHT", "erlangs",
                     figures_head);
    }
}

int cm_staff_day(const struct cm_staff_ask *ask, const struct cm_intervals *day,
                 enum cm_plan_form form, struct cm_text *out)
{
    double calls = 0, agent_s = 0, scheduled_s = 0, in_target = 0;
    uint32_t peak = 0, peak_scheduled = 0;
    add_day_head(out, form, ask);
    for (uint32_t i = 0; i < day->count; i++) {
        const struct cm_interval *at = &day->at[i];
        uint32_t agents = 0; /* where nobody calls nobody is needed */
        int rc = at->calls > 0 ? find_agents(ask, at->calls, at->aht_s, &agents) : 0;
        if (rc < 0) {
            return cm_fail(CM_ERR_USAGE, "%s: %s", at->start, cm_fail_text());
        }
        struct need n = need_of(ask, at->calls, at->aht_s, agents);
        add_day_row(out, form, at->start, &n);
        calls += n.calls;
        in_target += n.calls * n.f.service_level;
        agent_s += n.agents * ask->interval_s;
        scheduled_s += n.scheduled * ask->interval_s;
        peak = n.agents > peak ? n.agents : peak;
        peak_scheduled = n.scheduled > peak_scheduled ? n.scheduled : peak_scheduled;
    }
    double level = calls > 0 ? in_target / calls : 1;
    if (form == CM_PLAN_JSON) {
        cm_text_addf(out, "\n],\"peak_agents\":%u,\"peak_scheduled\":%u", peak, peak_scheduled);
        add_number(out, "calls", calls);
        add_number(out, "agent_hours", agent_s / 3600);
        add_number(out, "scheduled_hours", scheduled_s / 3600);
        add_number(out, "service_level", level);
        cm_text_adds(out, "}\n");
    } else if (form == CM_PLAN_TABLE) {
        cm_text_addf(out,
                     "\n%.10g calls, %.2f %% of them in target; at most %u agents (%u on the "
                     "schedule), %.1f agent hours (%.1f on the schedule)\n",
                     calls, 100 * level, peak, peak_scheduled, agent_s / 3600, scheduled_s / 3600);
    }
    return 0;
}
