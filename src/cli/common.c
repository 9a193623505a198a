// SPDX-License-Identifier: Apache-2.0
#include "cli/common.h"

#include <stdio.h>

#include "base/fail.h"
#include "base/log.h"

static const struct argp_option options[] = {
    {"config", 'c', "FILE", 0, "Configuration (YAML); see docs/settings.md", 0},
    {"option", 'o', "KEY=VALUE", 0, "Sets one setting, above file and environment; may be repeated",
     0},
    {"verbose", 'v', NULL, 0, "Logs what else happens", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct cm_common *common = state->input;
    switch (key) {
    case 'c':
        common->config_path = arg;
        return 0;
    case 'o':
        if (common->overrides_count == CM_OVERRIDES_MAX) {
            argp_error(state, "more than %d options -o", CM_OVERRIDES_MAX);
        }
        common->overrides[common->overrides_count++] = arg;
        return 0;
    case 'v':
        cm_log_set_level(CM_LOG_DEBUG);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp cm_common_argp = {.options = options, .parser = parse};

int cm_parse_arguments(const struct argp *argp, int argc, char **argv, void *input)
{
    argp_err_exit_status = 2;
    return argp_parse(argp, argc, argv, 0, NULL, input) == 0 ? 0 : 2;
}

int cm_load(const struct cm_common *common, struct cm_config **config, struct cm_roster **roster)
{
    int rc =
        cm_config_load(common->config_path, common->overrides, common->overrides_count, config);
    if (rc < 0) {
        return cm_report(rc);
    }
    const char *path = cm_config_roster_path(*config);
    if (path == NULL) {
        *roster = cm_roster_empty();
    } else {
        rc = cm_roster_load(path, (*config)->centre, roster);
    }
    if (rc < 0) {
        int status = cm_report(rc);
        cm_config_free(*config);
        *config = NULL;
        return status;
    }
    return 0;
}

int cm_report(int rc)
{
    if (rc < 0) {
        fprintf(stderr, "callmill: %s\n", cm_fail_text());
    }
    return cm_exit_status(rc);
}
