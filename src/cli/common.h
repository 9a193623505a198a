// SPDX-License-Identifier: Apache-2.0
/* common.h — what subcommands share: -c, -o and -v, loading configuration and roster, messages. */
#ifndef CM_CLI_COMMON_H
#define CM_CLI_COMMON_H

#include <argp.h>

#include "config/config.h"
#include "event/roster.h"

#define CM_OVERRIDES_MAX 256

/* Child parser: -c FILE, -o KEY=VALUE (repeatable), -v. Its input is a struct cm_common. */
struct cm_common {
    const char *config_path; /* NULL: none given */
    const char *overrides[CM_OVERRIDES_MAX];
    uint32_t overrides_count;
};
extern const struct argp cm_common_argp;

/* Runs argp with exit status 2 for wrong usage; returns 0, or the status to exit with. */
int cm_parse_arguments(const struct argp *argp, int argc, char **argv, void *input);
/* Loads both; prints mistakes. 0, or the exit status. */
int cm_load(const struct cm_common *common, struct cm_config **config, struct cm_roster **roster);
/* "callmill: text" of the last failure; returns the exit status. */
int cm_report(int rc);

#endif
