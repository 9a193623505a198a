// SPDX-License-Identifier: Apache-2.0
/* redis_server.h — a real redis-server for one test: its own port of 127.0.0.1, its own directory,
 * nothing kept on disk.
 *
 *     struct redis_server server;
 *     int rc = redis_server_start(&server, NULL);
 *     if (rc != 0) { return rc; }              77: not installed, the test counts as skipped
 *     ... server.address, server.unix_address ...
 *     redis_server_stop(&server);
 *
 * The server ends with the test process, however that ends. Plain POSIX, no room of callmill
 * needed.
 */
#ifndef CM_TESTS_SUPPORT_REDIS_SERVER_H
#define CM_TESTS_SUPPORT_REDIS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#define REDIS_SERVER_SKIP 77

struct redis_server {
    pid_t pid; /* 0: not running */
    int port;
    char address[32];      /* "127.0.0.1:PORT" */
    char unix_address[80]; /* "unix:DIRECTORY/redis.sock" */
    char directory[64];
    const char *const *extra; /* the caller's, must stay */
};

/* `extra`: more words for the command line, NULL-terminated ("--requirepass", "x", NULL); NULL for
 * none. 0 when the server answers; 77 with a reason on standard error when it is not installed; 1
 * with a reason when it does not come up. */
int redis_server_start(struct redis_server *server, const char *const *extra);
/* Ends it (SIGTERM, then SIGKILL) and removes its directory. A stopped or failed server: nothing.
 */
void redis_server_stop(struct redis_server *server);
/* Kills it at once (SIGKILL) and waits for it; the port is kept for redis_server_restart(). */
void redis_server_kill(struct redis_server *server);
/* Starts it again on the same port, empty. 0 when it answers. */
int redis_server_restart(struct redis_server *server);
/* SIGSTOP: connections stay, nothing is answered; SIGCONT. */
void redis_server_pause(const struct redis_server *server);
void redis_server_resume(const struct redis_server *server);

#endif
