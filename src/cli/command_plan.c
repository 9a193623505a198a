// SPDX-License-Identifier: Apache-2.0
/* command_plan.c — `callmill plan`: what a centre needs of callmill, Redis and Kafka, from measured
 * curves; with --staff, how many agents its calls need. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/plan_show.h"
#include "cli/plan_staff.h"

#define DAY_S 86400.0

enum {
    OPT_STAFF = 0x100,
    OPT_JSON,
    OPT_CALLS_HOUR,
    /* capacity */
    OPT_SEATS,
    OPT_TEAMS,
    OPT_ROOMS,
    OPT_QUEUES,
    OPT_EVENTS_CALL,
    OPT_RECORD_BYTES,
    OPT_PROCESSES,
    OPT_MARGIN,
    OPT_CODEC,
    OPT_CURVES,
    OPT_SHOW_CURVES,
    /* staff */
    OPT_CALLS,
    OPT_INTERVAL,
    OPT_AHT,
    OPT_LEVEL,
    OPT_TARGET,
    OPT_PATIENCE,
    OPT_SHRINKAGE,
    OPT_MAX_OCCUPANCY,
    OPT_MAX_ABANDONMENT,
    OPT_AGENTS,
    OPT_INTERVALS,
    OPT_CSV
};

struct plan_arguments {
    struct cm_common common;
    bool is_staff, json, csv, show_curves;
    const char *capacity_only, *staff_only; /* the last option that only the one mode has */
    struct cm_curves curves;
    struct cm_capacity_ask capacity;
    double calls_an_hour; /* < 0: not given, as all below */
    double calls, interval_s;
    struct cm_staff_ask staff;
    const char *curves_path, *intervals_path;
};

// clang-format off
static const struct argp_option options[] = {
    {"calls-hour", OPT_CALLS_HOUR, "N", 0, "Calls an hour at the peak", 1},
    {"json", OPT_JSON, NULL, 0, "JSON instead of a table", 1},
    {NULL, 0, NULL, 0, "What callmill, Redis and Kafka need (windows, tick and layouts: -c, -o):", 2},
    {"seats", OPT_SEATS, "N", 0, "Seats; without it, those of the roster that -c names", 2},
    {"teams", OPT_TEAMS, "N", 0, "Default: a team for 12 seats", 2},
    {"rooms", OPT_ROOMS, "N", 0, "Default: a room for 13 teams", 2},
    {"queues", OPT_QUEUES, "N", 0, "Default: those of -c, or 8", 2},
    {"events-call", OPT_EVENTS_CALL, "N", 0, "Records a call: 1 (default) with cdr records only; `callmill gen --live-events` writes 6.4", 2},
    {"record-bytes", OPT_RECORD_BYTES, "N", 0, "Default: those of `callmill gen`", 2},
    {"codec", OPT_CODEC, "NAME", 0, "Compression in Kafka: none, lz4 (default) or zstd", 2},
    {"processes", OPT_PROCESSES, "N", 0, "Processes that share seats and calls, each with a topic of its own (default 1)", 2},
    {"margin", OPT_MARGIN, "X", 0, "Headroom: what to provide is so many times what is expected (default 2)", 2},
    {"curves", OPT_CURVES, "FILE", 0, "Curves measured on your machine (bench/curves --out FILE)", 2},
    {"show-curves", OPT_SHOW_CURVES, NULL, 0, "Prints the curves, in the form of FILE, and ends", 2},
    {NULL, 0, NULL, 0, "How many agents calls need:", 3},
    {"staff", OPT_STAFF, NULL, 0, "This instead", 3},
    {"calls", OPT_CALLS, "N", 0, "Calls in an interval", 3},
    {"interval", OPT_INTERVAL, "DUR", 0, "Its length (default 30m)", 3},
    {"intervals", OPT_INTERVALS, "FILE", 0, "A day: CSV with the columns start,calls,aht", 3},
    {"aht", OPT_AHT, "DUR", 0, "Average handle time: talk, hold and after-call work", 3},
    {"service-level", OPT_LEVEL, "SHARE", 0, "Offered calls answered in the target (default 0.8)", 3},
    {"target", OPT_TARGET, "DUR", 0, "Default 20s", 3},
    {"patience", OPT_PATIENCE, "DUR", 0, "Mean time until a waiting caller gives up: Erlang A; without it Erlang C", 3},
    {"shrinkage", OPT_SHRINKAGE, "SHARE", 0, "Scheduled time that agents are not there (default 0)", 3},
    {"max-occupancy", OPT_MAX_OCCUPANCY, "SHARE", 0, "Busy share of their time, at most (default 1)", 3},
    {"occupancy", OPT_MAX_OCCUPANCY, NULL, OPTION_ALIAS, NULL, 3},
    {"max-abandonment", OPT_MAX_ABANDONMENT, "SHARE", 0, "Calls given up, at most (default 1)", 3},
    {"agents", OPT_AGENTS, "N", 0, "Figures of so many agents, not the least number", 3},
    {"csv", OPT_CSV, NULL, 0, "CSV instead of a table, for --intervals", 3},
    {NULL, 0, NULL, 0, "", 4},
    {0},
};
// clang-format on

static const char *option_name(int key)
{
    for (const struct argp_option *o = options; o->name != NULL || o->doc != NULL; o++) {
        if (o->key == key && o->name != NULL) {
            return o->name;
        }
    }
    return "?";
}

static double number(struct argp_state *state, int key, const char *arg, double low, double high)
{
    double value = 0;
    if (!cm_parse_decimal(arg, strlen(arg), &value) || value < low || value > high) {
        argp_error(state, "--%s %s: not a number from %.10g to %.10g", option_name(key), arg, low,
                   high);
    }
    return value;
}

static double whole(struct argp_state *state, int key, const char *arg, double low, double high)
{
    double value = number(state, key, arg, low, high);
    if (value != floor(value)) {
        argp_error(state, "--%s %s: not a whole number", option_name(key), arg);
    }
    return value;
}

/* "0.3" or "30%", within [low, high]; the ends themselves only where they are not open. */
static double share(struct argp_state *state, int key, const char *arg, bool zero, bool one)
{
    size_t len = strlen(arg);
    bool percent = len > 0 && arg[len - 1] == '%';
    double value = 0;
    bool good = cm_parse_decimal(arg, percent ? len - 1 : len, &value);
    value = percent ? value / 100 : value;
    if (!good || value > 1 || (value == 0 && !zero) || (value == 1 && !one)) {
        argp_error(state, "--%s %s: not a share such as 0.8 or 80%%, %s 0, %s 1", option_name(key),
                   arg, zero ? "from" : "above", one ? "up to" : "below");
    }
    return value;
}

static double seconds(struct argp_state *state, int key, const char *arg, double low)
{
    int64_t ms = 0;
    if (!cm_parse_duration(arg, strlen(arg), &ms) || (double)ms / 1e3 < low ||
        (double)ms / 1e3 > DAY_S) {
        argp_error(state, "--%s %s: not a duration such as 20s or 4m, from %.10g s to a day",
                   option_name(key), arg, low);
    }
    return (double)ms / 1e3;
}

static enum cm_codec codec(struct argp_state *state, const char *arg)
{
    static const char *const names[] = {"none", "lz4", "zstd"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(arg, names[i]) == 0) {
            return (enum cm_codec)i;
        }
    }
    argp_error(state, "--codec %s: none, lz4 or zstd", arg);
    return CM_CODEC_NONE;
}

static error_t parse_capacity(struct plan_arguments *a, int key, char *arg,
                              struct argp_state *state)
{
    struct cm_capacity_ask *c = &a->capacity;
    switch (key) {
    case OPT_SEATS:
        c->seats = whole(state, key, arg, 1, 1e8);
        break;
    case OPT_TEAMS:
        c->teams = whole(state, key, arg, 1, 1e8);
        break;
    case OPT_ROOMS:
        c->rooms = whole(state, key, arg, 1, 1e8);
        break;
    case OPT_QUEUES:
        c->queues = whole(state, key, arg, 1, 1e8);
        break;
    case OPT_EVENTS_CALL:
        c->events_a_call = number(state, key, arg, 0.001, 1000);
        break;
    case OPT_RECORD_BYTES:
        c->record_bytes = number(state, key, arg, 1, 1e6);
        break;
    case OPT_PROCESSES:
        c->processes = whole(state, key, arg, 1, 10000);
        break;
    case OPT_MARGIN:
        c->margin = number(state, key, arg, 1, 100);
        break;
    case OPT_CODEC:
        c->codec = codec(state, arg);
        break;
    case OPT_CURVES:
        a->curves_path = arg;
        break;
    case OPT_SHOW_CURVES:
        a->show_curves = true;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    a->capacity_only = option_name(key);
    return 0;
}

static error_t parse_staff(struct plan_arguments *a, int key, char *arg, struct argp_state *state)
{
    struct cm_staff_ask *s = &a->staff;
    switch (key) {
    case OPT_CALLS:
        a->calls = number(state, key, arg, 0, 1e9);
        break;
    case OPT_INTERVAL:
        a->interval_s = seconds(state, key, arg, 1);
        break;
    case OPT_INTERVALS:
        a->intervals_path = arg;
        break;
    case OPT_AHT:
        s->aht_s = seconds(state, key, arg, 1);
        break;
    case OPT_LEVEL:
        s->goal.service_level = share(state, key, arg, false, false);
        break;
    case OPT_TARGET:
        s->target_s = seconds(state, key, arg, 0);
        break;
    case OPT_PATIENCE:
        s->patience_s = seconds(state, key, arg, 0.001);
        break;
    case OPT_SHRINKAGE:
        s->shrinkage = share(state, key, arg, true, false);
        break;
    case OPT_MAX_OCCUPANCY:
        s->goal.occupancy_max = share(state, key, arg, false, true);
        break;
    case OPT_MAX_ABANDONMENT:
        s->goal.abandonment_max = share(state, key, arg, false, true);
        break;
    case OPT_AGENTS:
        s->agents = (uint32_t)whole(state, key, arg, 1, CM_ERLANG_AGENTS_MAX);
        break;
    case OPT_CSV:
        a->csv = true;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    a->staff_only = option_name(key);
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct plan_arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->common;
        return 0;
    case OPT_STAFF:
        a->is_staff = true;
        return 0;
    case OPT_JSON:
        a->json = true;
        return 0;
    case OPT_CALLS_HOUR:
        a->calls_an_hour = number(state, key, arg, 0, 1e12);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "`%s`: no arguments but options", arg);
        return 0;
    default:
        return key >= OPT_CALLS ? parse_staff(a, key, arg, state)
                                : parse_capacity(a, key, arg, state);
    }
}

/* --- staff --- */

static int check_staff(struct plan_arguments *a)
{
    struct cm_staff_ask *s = &a->staff;
    bool day = a->intervals_path != NULL;
    if (a->capacity_only != NULL) {
        return cm_fail(CM_ERR_USAGE, "--%s has no meaning with --staff", a->capacity_only);
    }
    if (a->json && a->csv) {
        return cm_fail(CM_ERR_USAGE, "--json and --csv exclude each other");
    }
    if ((a->calls >= 0) + (a->calls_an_hour >= 0) + day != 1) {
        return cm_fail(CM_ERR_USAGE, "--staff needs one of --calls, --calls-hour, --intervals");
    }
    if (day && s->agents > 0) {
        return cm_fail(CM_ERR_USAGE, "--agents and --intervals exclude each other");
    }
    if (!day && a->csv) {
        return cm_fail(CM_ERR_USAGE, "--csv is for --intervals");
    }
    if (!day && s->aht_s == 0) {
        return cm_fail(CM_ERR_USAGE, "--staff needs --aht, e.g. --aht 240s");
    }
    s->interval_s = a->interval_s > 0 ? a->interval_s : 1800;
    if (a->calls_an_hour >= 0) {
        s->interval_s = a->interval_s > 0 ? a->interval_s : 3600;
        a->calls = a->calls_an_hour * s->interval_s / 3600;
    }
    s->calls = a->calls;
    if (!day && s->calls == 0) {
        return cm_fail(CM_ERR_USAGE, "no calls need no agents");
    }
    return 0;
}

static int plan_staff(struct plan_arguments *a, struct cm_text *out)
{
    enum cm_plan_form form = a->json ? CM_PLAN_JSON : a->csv ? CM_PLAN_CSV : CM_PLAN_TABLE;
    int rc = check_staff(a);
    if (rc < 0 || a->intervals_path == NULL) {
        return rc < 0 ? rc : cm_staff_show(&a->staff, form, out);
    }
    struct cm_intervals day;
    rc = cm_intervals_load(a->intervals_path, a->staff.aht_s, &day);
    if (rc == 0) {
        rc = cm_staff_day(&a->staff, &day, form, out);
        cm_intervals_free(&day);
    }
    return rc;
}

/* --- capacity --- */

static int plan_capacity(struct plan_arguments *a, const struct cm_config *config,
                         const struct cm_roster *roster, struct cm_text *out)
{
    struct cm_capacity_ask *c = &a->capacity;
    struct cm_capacity plan;
    uint32_t rows = 0;
    (void)cm_roster_rows(roster, &rows);
    c->seats = c->seats > 0 ? c->seats : rows;
    if (c->seats == 0) {
        return cm_fail(CM_ERR_USAGE, "how many seats? --seats, or a roster in the configuration");
    }
    if (a->calls_an_hour < 0) {
        return cm_fail(CM_ERR_USAGE, "how many calls at the peak? --calls-hour");
    }
    if (c->processes > c->seats) {
        return cm_fail(CM_ERR_USAGE, "more processes than seats");
    }
    c->calls_an_hour = a->calls_an_hour;
    c->teams = c->teams > 0 ? c->teams : ceil(c->seats / 12);
    c->rooms = c->rooms > 0 ? c->rooms : ceil(c->teams / 13);
    c->queues = c->queues > 0 ? c->queues : config->queues.count > 0 ? config->queues.count : 8;
    c->config = config;
    cm_capacity_plan(c, &plan);
    if (a->json) {
        cm_plan_show_json(c, &plan, out);
    } else {
        cm_plan_show_table(c, &plan, out);
    }
    return 0;
}

static int plan(struct plan_arguments *a, struct cm_text *out)
{
    struct cm_config *config = NULL;
    struct cm_roster *roster = NULL;
    if (a->is_staff) {
        return cm_report(plan_staff(a, out));
    }
    if (a->staff_only != NULL) {
        return cm_report(cm_fail(CM_ERR_USAGE, "--%s is for --staff", a->staff_only));
    }
    cm_curves_builtin(&a->curves);
    int rc = a->curves_path == NULL ? 0 : cm_curves_load(a->curves_path, &a->curves);
    if (rc < 0) {
        return cm_report(rc);
    }
    if (a->show_curves) {
        cm_curves_print(&a->curves, out);
        return 0;
    }
    int status = cm_load(&a->common, &config, &roster);
    if (status != 0) {
        return status;
    }
    a->capacity.curves = &a->curves;
    rc = plan_capacity(a, config, roster, out);
    cm_roster_free(roster);
    cm_config_free(config);
    return cm_report(rc);
}

int cm_command_plan(int argc, char **argv)
{
    static const struct argp_child children[] = {{&cm_common_argp, 0, NULL, 5}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Says what a centre needs of callmill, Redis and Kafka, from measured curves, each "
               "line with its reason; with --staff, how many agents its calls need.\v"
               "callmill plan --seats 1240 --calls-hour 20000\n"
               "callmill plan --staff --calls 100 --interval 30m --aht 180s --target 20s\n"
               "docs/planning.md has worked examples.",
        .children = children,
    };
    struct plan_arguments a = {
        .capacity = {.events_a_call = 1, .processes = 1, .margin = 2, .codec = CM_CODEC_LZ4},
        .calls_an_hour = -1,
        .calls = -1,
        .staff = {.target_s = 20,
                  .goal = {.service_level = 0.8, .occupancy_max = 1, .abandonment_max = 1}},
    };
    struct cm_text text = {0};
    int status = cm_parse_arguments(&argp, argc, argv, &a);
    if (status == 0) {
        status = plan(&a, &text);
    }
    if (status == 0) {
        fwrite(text.data, 1, text.len, stdout);
        status = fflush(stdout) == 0 ? 0 : 1;
    }
    cm_text_free(&text);
    return status;
}
