// SPDX-License-Identifier: Apache-2.0
#include "support/kafka_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char script[] = CM_SOURCE_DIR "/scripts/kafka-broker";

/* Runs a program to its end; its standard output is not wanted. The exit status, 1 when it has
 * none. */
static int run(const char *const *words)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        char *arguments[8] = {NULL};
        for (int i = 0; words[i] != NULL && i < 7; i++) {
            arguments[i] = strdup(words[i]);
        }
        if (freopen("/dev/null", "w", stdout) != NULL) {
            (void)execvp(arguments[0], arguments);
        }
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
        return 1;
    }
    return WEXITSTATUS(status);
}

static int read_line(const struct kafka_server *server, const char *name, char *out, int bytes)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", server->directory, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return 1;
    }
    const char *line = fgets(out, bytes, file);
    (void)fclose(file);
    if (line == NULL) {
        return 1;
    }
    out[strcspn(out, "\n")] = '\0';
    return 0;
}

int kafka_server_restart(struct kafka_server *server)
{
    char owner[16];
    (void)snprintf(owner, sizeof owner, "%d", (int)getpid());
    const char *const start[] = {script, "start", server->directory, owner, NULL};
    int rc = run(start);

    return rc != 0 ? rc : read_line(server, "address", server->address, sizeof server->address);
}

int kafka_server_start(struct kafka_server *server)
{
    const char *ci = getenv("CI");
    const char *const fetch[] = {script, "fetch", NULL};

    memset(server, 0, sizeof *server);
    (void)snprintf(server->directory, sizeof server->directory, "/tmp/callmill-kafka-XXXXXX");
    if (mkdtemp(server->directory) == NULL) {
        server->directory[0] = '\0';
        return 1;
    }
    /* What cannot be had is a reason to skip; what is there and does not start is a failure. */
    int rc = run(fetch);
    if (rc != 0) {
        (void)fprintf(stderr, "kafka_server: a real broker cannot be had here\n");
        rc = KAFKA_SERVER_SKIP;
    } else {
        rc = kafka_server_restart(server);
    }
    if (rc == KAFKA_SERVER_SKIP && ci != NULL && strcmp(ci, "true") == 0) {
        (void)fprintf(stderr, "kafka_server: CI=true, so that is a failure\n");
        rc = 1;
    }
    if (rc != 0) {
        kafka_server_remove(server);
    }
    return rc;
}

int kafka_server_stop(struct kafka_server *server)
{
    const char *const stop[] = {script, "stop", server->directory, NULL};

    server->address[0] = '\0';
    return run(stop) == 0 ? 0 : 1;
}

static void send_signal(const struct kafka_server *server, int number)
{
    char pid[16];

    if (read_line(server, "pid", pid, sizeof pid) == 0) {
        (void)kill((pid_t)strtol(pid, NULL, 10), number);
    }
}

void kafka_server_pause(const struct kafka_server *server)
{
    send_signal(server, SIGSTOP);
}

void kafka_server_resume(const struct kafka_server *server)
{
    send_signal(server, SIGCONT);
}

void kafka_server_remove(struct kafka_server *server)
{
    const char *const remove_all[] = {"rm", "-rf", server->directory, NULL};

    if (server->directory[0] == '\0') {
        return;
    }
    if (server->address[0] != '\0') {
        (void)kafka_server_stop(server);
    }
    (void)run(remove_all);
    server->directory[0] = '\0';
}
