// SPDX-License-Identifier: Apache-2.0
/* commands.h — one function a subcommand; each stands in its own file. argv[0] is the subcommand's
 * name. Returns the exit status: 0 done, 1 failed at run time, 2 wrong usage or configuration. */
#ifndef CM_CLI_COMMANDS_H
#define CM_CLI_COMMANDS_H

/* X(name, one line for `callmill --help`) */
// clang-format off
#define CM_COMMANDS(X) \
    X(run,       "the stream processor: Kafka in, figures in Redis") \
    X(replay,    "the same engine over files or standard input; prints rows") \
    X(gen,       "seeded, realistic call traffic: standard output, a file or Kafka") \
    X(top,       "a live board in the terminal, from Redis") \
    X(demo,      "everything at once on this machine") \
    X(plan,      "what a centre needs: cores, memory, bandwidth; --staff: agents") \
    X(check,     "says every mistake in a configuration; prints the effective one") \
    X(reference, "prints the generated pages of the documentation")
// clang-format on

#define X(name, help) int cm_command_##name(int argc, char **argv);
CM_COMMANDS(X)
#undef X

#endif
