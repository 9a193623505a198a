// SPDX-License-Identifier: Apache-2.0
/* command_replay.c — `callmill replay`: the engine over files. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "engine/replay.h"

struct replay_arguments {
    struct cm_common common;
    const char *every, *at, *breaches;
    bool quiet;
    char **files;
    int files_count;
};

static const struct argp_option options[] = {
    {"every", 'e', "DUR", 0, "Rows as of each multiple of DUR (a multiple of every window's step)",
     0},
    {"at", 'a', "TS", 0, "Rows once, as of TS (RFC 3339, or ms) rounded down to each window's step",
     0},
    {"breaches", 'b', "FILE", 0, "Writes breach events there, a line each (- for standard output)",
     0},
    {"quiet", 'q', NULL, 0, "No progress and no summary", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct replay_arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->common;
        return 0;
    case 'e':
        a->every = arg;
        return 0;
    case 'a':
        a->at = arg;
        return 0;
    case 'b':
        a->breaches = arg;
        return 0;
    case 'q':
        a->quiet = true;
        return 0;
    case ARGP_KEY_ARGS:
        a->files = state->argv + state->next;
        a->files_count = state->argc - state->next;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool parse_instant(const char *text, int64_t *ms)
{
    uint64_t number = 0;
    if (cm_parse_u64(text, strlen(text), &number) && number <= (uint64_t)CM_TS_MS_MAX) {
        *ms = (int64_t)number;
        return true;
    }
    return cm_parse_rfc3339(text, strlen(text), ms);
}

static int set_mode(const struct replay_arguments *a, struct cm_replay_options *o)
{
    if (a->every != NULL && a->at != NULL) {
        return cm_fail(CM_ERR_USAGE, "--every and --at exclude each other");
    }
    if (a->at != NULL) {
        o->mode = CM_REPLAY_AT;
        if (!parse_instant(a->at, &o->at_ms)) {
            return cm_fail(CM_ERR_USAGE, "--at %s: neither RFC 3339 nor ms since 1970", a->at);
        }
    }
    if (a->every != NULL) {
        o->mode = CM_REPLAY_EVERY;
        if (!cm_parse_duration(a->every, strlen(a->every), &o->every_ms) || o->every_ms == 0) {
            return cm_fail(CM_ERR_USAGE, "--every %s: not a duration such as 5s or 1m", a->every);
        }
        for (uint32_t i = 0; i < o->config->all_count; i++) {
            const struct cm_window_spec *window = &o->config->all[i];
            if (o->every_ms % window->step_ms != 0) {
                char step[24];
                return cm_fail(CM_ERR_USAGE, "--every %s is not a multiple of the step %s of %s",
                               a->every, cm_format_duration(window->step_ms, step), window->name);
            }
        }
    }
    return 0;
}

static void print_summary(const struct cm_replay_summary *s, double seconds)
{
    uint64_t bad = 0;
    for (int i = 1; i < CM_REASON_COUNT; i++) {
        bad += i == CM_REASON_LATE ? 0 : s->bad[i];
    }
    fprintf(stderr,
            "callmill replay: %llu records: %llu counted, %llu revised, %llu duplicates, %llu "
            "late, %llu bad",
            (unsigned long long)s->records, (unsigned long long)s->counted,
            (unsigned long long)s->revised, (unsigned long long)s->duplicates,
            (unsigned long long)s->bad[CM_REASON_LATE], (unsigned long long)bad);
    for (int i = 1; i < CM_REASON_COUNT; i++) {
        if (i != CM_REASON_LATE && s->bad[i] > 0) {
            fprintf(stderr, " (%s %llu)", cm_reason_name((enum cm_reason)i),
                    (unsigned long long)s->bad[i]);
        }
    }
    fprintf(stderr, "; %llu rows of %llu units, %llu breach events; %.2f s\n",
            (unsigned long long)s->rows, (unsigned long long)s->units,
            (unsigned long long)s->breaches, seconds);
    if (s->dead_letters_lost > 0) {
        fprintf(stderr, "callmill replay: %llu dead letters could not be written and are lost\n",
                (unsigned long long)s->dead_letters_lost);
    }
}

int cm_command_replay(int argc, char **argv)
{
    static const struct argp_child children[] = {{&cm_common_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "[FILE...|-]",
        .doc = "Replays call events (JSON lines) and prints figures as JSON lines.\v"
               "Without FILE, or for -, standard input is read. Without --every and --at there is "
               "one row for "
               "each unit and window, as of the end of the window's step that holds the last "
               "event. Messages go to "
               "standard error.",
        .children = children,
    };
    struct replay_arguments a = {0};
    struct cm_config *config = NULL;
    struct cm_roster *roster = NULL;
    static const char *const standard_input = "-";

    int status = cm_parse_arguments(&argp, argc, argv, &a);
    if (status == 0) {
        status = cm_load(&a.common, &config, &roster);
    }
    if (status != 0) {
        return status;
    }
    struct cm_replay_options o = {
        .config = config,
        .roster = roster,
        .files = a.files_count > 0 ? (const char *const *)a.files : &standard_input,
        .files_count = a.files_count > 0 ? (uint32_t)a.files_count : 1,
        .out = stdout,
        .breaches_file = a.breaches,
        .progress = !a.quiet && isatty(STDERR_FILENO) != 0,
    };
    struct cm_replay_summary summary = {0};
    int64_t begin_ns = cm_clock_mono_ns();
    int rc = set_mode(&a, &o);
    if (rc == 0) {
        rc = cm_replay_run(&o, &summary);
        if (!a.quiet) {
            print_summary(&summary, (double)(cm_clock_mono_ns() - begin_ns) / 1e9);
        }
    }
    cm_roster_free(roster);
    cm_config_free(config);
    return cm_report(rc);
}
