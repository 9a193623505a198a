// SPDX-License-Identifier: Apache-2.0
/* command_top.c — `callmill top`: a board in the terminal, from Redis. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "cli/board_show.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/terminal.h"

#define PATIENCE_MS 5000

struct top_arguments {
    struct cm_common common;
    const char *window, *unit;
    int64_t interval_ms;
    bool once;
};

static const struct argp_option options[] = {
    {"window", 'w', "NAME", 0, "Window or period: 5m, 1h, day ... (default 15m, or the third)", 0},
    {"unit", 'u', "KIND:ID", 0, "centre:ID, room:ID or team:ID (default the first centre)", 0},
    {"once", '1', NULL, 0,
     "Prints one frame as plain text and ends; so it does where standard "
     "output is no terminal",
     0},
    {"interval", 'i', "DUR", 0, "How often Redis is read (default 500ms)", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct top_arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->common;
        return 0;
    case 'w':
        a->window = arg;
        return 0;
    case 'u':
        a->unit = arg;
        return 0;
    case '1':
        a->once = true;
        return 0;
    case 'i':
        if (!cm_parse_duration(arg, strlen(arg), &a->interval_ms) || a->interval_ms < 50 ||
            a->interval_ms > CM_MS_PER_H) {
            argp_error(state, "--interval %s: not a duration from 50ms to 1h", arg);
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int set_view(const struct top_arguments *a, struct cm_board *board)
{
    if (a->window != NULL) {
        if (strlen(a->window) >= sizeof(board->window)) {
            return cm_fail(CM_ERR_USAGE, "--window %s: no such window", a->window);
        }
        memcpy(board->window, a->window, strlen(a->window) + 1);
    }
    if (a->unit != NULL) {
        if (!cm_board_unit_parse(a->unit, &board->path[0])) {
            return cm_fail(CM_ERR_USAGE, "--unit %s: not KIND:ID, such as room:r1", a->unit);
        }
        board->depth = 1;
    }
    return 0;
}

int cm_command_top(int argc, char **argv)
{
    static const struct argp_child children[] = {{&cm_common_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Shows a live board of a centre, a room or a team, as `callmill run` keeps it in "
               "Redis.\v"
               "Keys: up and down select, Enter goes into the selected child, Backspace or left "
               "goes out, w and W change the window, q quits. Of the configuration only redis.* "
               "and timezone matter. NO_COLOR is respected.",
        .children = children,
    };
    struct top_arguments a = {.interval_ms = 500};
    struct cm_config *config = NULL;
    struct cm_board board = {0};

    int status = cm_parse_arguments(&argp, argc, argv, &a);
    if (status != 0) {
        return status;
    }
    cm_log_set_level(CM_LOG_ERROR); /* the board says itself when Redis is away */
    int rc =
        cm_config_load(a.common.config_path, a.common.overrides, a.common.overrides_count, &config);
    rc = rc < 0 ? rc : set_view(&a, &board);
    if (rc == 0) {
        bool once = a.once || isatty(STDOUT_FILENO) == 0;
        const struct cm_board_show show = {
            .config = config,
            .board = &board,
            .interval_ms = a.interval_ms,
            .plain = once,
            .once = once,
            .patience_ms = PATIENCE_MS,
            .waiting = "no figures in Redis yet: is `callmill run` at work, with this prefix?"};
        cm_terminal_catch_signals();
        rc = cm_board_show(&show);
    }
    cm_board_free(&board);
    cm_config_free(config);
    return cm_report(rc);
}
