// SPDX-License-Identifier: Apache-2.0
/* command_check.c — `callmill check`: every mistake of a configuration and its roster, then the
 * effective one. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/common.h"

struct check_arguments {
    struct cm_common common;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct check_arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->common;
        return 0;
    case ARGP_KEY_ARG:
        if (a->common.config_path != NULL) {
            argp_error(state, "one configuration at a time");
        }
        a->common.config_path = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int cm_command_check(int argc, char **argv)
{
    static const struct argp_child children[] = {{&cm_common_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "[FILE]",
        .doc = "Checks a configuration and the roster that it names. Every mistake is said with "
               "file:line:column, and the exit status is 2; otherwise the effective configuration "
               "is printed, each "
               "line with where it came from.",
        .children = children,
    };
    struct check_arguments a = {0};
    struct cm_config *config = NULL;
    struct cm_roster *roster = NULL;

    int status = cm_parse_arguments(&argp, argc, argv, &a);
    if (status == 0) {
        status = cm_load(&a.common, &config, &roster);
    }
    if (status != 0) {
        return status;
    }
    struct cm_text text = {0};
    cm_config_print(config, &text);
    fwrite(text.data, 1, text.len, stdout);
    cm_text_free(&text);
    cm_roster_free(roster);
    cm_config_free(config);
    return fflush(stdout) == 0 ? 0 : 1;
}
