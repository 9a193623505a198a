// SPDX-License-Identifier: Apache-2.0
/* command_run.c — `callmill run`: the stream processor, until SIGTERM or SIGINT. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/fail.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "engine/run.h"

static struct cm_run_signals signals;

static void on_signal(int number)
{
    /* relaxed: a flag, nothing else hangs on it. */
    if (number == SIGHUP) {
        atomic_store_explicit(&signals.reload, true, memory_order_relaxed);
    } else {
        atomic_store_explicit(&signals.stop, true, memory_order_relaxed);
    }
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

struct run_arguments {
    struct cm_common common;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    struct run_arguments *a = state->input;
    if (key == ARGP_KEY_INIT) {
        state->child_inputs[0] = &a->common;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

int cm_command_run(int argc, char **argv)
{
    static const struct argp_child children[] = {{&cm_common_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .parser = parse,
        .doc = "Consumes call events from Kafka and keeps the figures of every seat, team, room, "
               "centre and queue in "
               "Redis.\vSIGTERM or SIGINT: drains, publishes, commits, exits 0. SIGHUP: reads the "
               "roster again.",
        .children = children,
    };
    struct run_arguments a = {0};
    struct cm_config *config = NULL;
    struct cm_roster *roster = NULL;

    int status = cm_parse_arguments(&argp, argc, argv, &a);
    if (status == 0) {
        status = cm_load(&a.common, &config, &roster);
    }
    if (status != 0) {
        return status;
    }
    int rc = 0;
    if (config->brokers[0] == '\0') {
        rc = cm_fail(CM_ERR_CONFIG,
                     "source.kafka.brokers is not set; say it in the configuration or with "
                     "-o source.kafka.brokers=HOST:PORT");
        cm_roster_free(roster);
    } else {
        catch_signals();
        rc = cm_run(&(struct cm_run_options){config, roster, &signals});
    }
    cm_config_free(config);
    return cm_report(rc);
}
