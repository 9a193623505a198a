// SPDX-License-Identifier: Apache-2.0
/* main.c — the program: picks the subcommand. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/commands.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
};

#define X(name, help) {#name, cm_command_##name, help},
static const struct command commands[] = {CM_COMMANDS(X)};
#undef X

static void usage(FILE *out)
{
    fprintf(
        out,
        "Usage: callmill COMMAND [OPTION...]\n\n"
        "Real-time figures of a contact centre: call events in, sliding windows, figures out.\n\n");
    for (size_t i = 0; i < CM_ARRAY_LEN(commands); i++) {
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
    }
    fprintf(
        out,
        "\n`callmill COMMAND --help` says more. Exit status: 0 done, 1 failed, 2 wrong usage or "
        "configuration.\n");
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        usage(stdout);
        return 0;
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        printf("callmill %s\n", CM_VERSION);
        return 0;
    }
    const char *names[CM_ARRAY_LEN(commands)];
    for (size_t i = 0; i < CM_ARRAY_LEN(commands); i++) {
        names[i] = commands[i].name;
        if (strcmp(name, commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    if (name[0] == '\0') {
        usage(stderr);
        return 2;
    }
    const char *near = cm_nearest(name, names, CM_ARRAY_LEN(names));
    fprintf(stderr, "callmill: unknown command `%s`%s%s%s; see `callmill --help`\n", name,
            near == NULL ? "" : ", did you mean `", near == NULL ? "" : near,
            near == NULL ? "" : "`?");
    return 2;
}
