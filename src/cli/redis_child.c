// SPDX-License-Identifier: Apache-2.0
/* redis_child.c — see redis_child.h. */
#include "cli/redis_child.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fail.h"

#define PORT_TRIES   5
#define ANSWER_TRIES 500 /* of 10 ms each */
#define STOP_TRIES   200

static void pause_10_ms(void)
{
    (void)nanosleep(&(struct timespec){0, 10000000}, NULL);
}

static bool is_installed(void)
{
    const char *path = getenv("PATH");
    while (path != NULL && *path != '\0') {
        size_t len = strcspn(path, ":");
        char file[4096];
        (void)snprintf(file, sizeof(file), "%.*s/redis-server", (int)len, path);
        if (access(file, X_OK) == 0) {
            return true;
        }
        path += len;
        path += *path == ':' ? 1 : 0;
    }
    return false;
}

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* A port that nobody uses now; somebody else may be faster, then another one is tried. */
static int free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof(address);
    int port = -1;
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, len) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &len) == 0) {
        port = ntohs(address.sin_port);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return port;
}

static bool answers(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = loopback(port);
    const struct timeval limit = {.tv_sec = 1};
    char reply[16] = "";
    bool up = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
              connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
              send(fd, "PING\r\n", 6, MSG_NOSIGNAL) == 6 &&
              recv(fd, reply, sizeof(reply) - 1, 0) > 0 && strncmp(reply, "+PONG", 5) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return up;
}

_Noreturn static void exec_server(const char *directory, int port, pid_t parent)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", port);
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || chdir(directory) != 0) {
        _exit(127);
    }
    int log = open("redis.log", O_WRONLY | O_CREAT | O_APPEND, 0600);
    int null = open("/dev/null", O_RDONLY);
    if (log < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
        dup2(log, STDERR_FILENO) < 0) {
        _exit(127);
    }
    (void)execlp("redis-server", "redis-server", "--port", text, "--bind", "127.0.0.1", "--save",
                 "", "--appendonly", "no", "--daemonize", "no", (char *)NULL);
    _exit(127);
}

static bool launch(struct cm_redis_child *child, const char *directory, int port)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        exec_server(directory, port, parent);
    }
    child->pid = pid > 0 ? pid : 0;
    for (int i = 0; pid > 0 && i < ANSWER_TRIES; i++) {
        if (waitpid(pid, NULL, WNOHANG) == pid) {
            child->pid = 0;
            return false;
        }
        if (answers(port)) {
            return true;
        }
        pause_10_ms();
    }
    cm_redis_child_stop(child);
    return false;
}

int cm_redis_child_start(struct cm_redis_child *child, const char *directory)
{
    child->pid = 0;
    if (!is_installed()) {
        return cm_fail(CM_ERR_REDIS, "redis-server is not installed; install it (Debian: apt "
                                     "install redis-server), or name one: --redis HOST:PORT");
    }
    for (int i = 0; i < PORT_TRIES; i++) {
        int port = free_port();
        if (port > 0 && launch(child, directory, port)) {
            (void)snprintf(child->address, sizeof(child->address), "127.0.0.1:%d", port);
            return 0;
        }
    }
    return cm_fail(CM_ERR_REDIS, "redis-server does not come up; see its log");
}

void cm_redis_child_stop(struct cm_redis_child *child)
{
    if (child->pid == 0) {
        return;
    }
    (void)kill(child->pid, SIGTERM);
    for (int i = 0; i < STOP_TRIES; i++) {
        if (waitpid(child->pid, NULL, WNOHANG) == child->pid) {
            child->pid = 0;
            return;
        }
        pause_10_ms();
    }
    (void)kill(child->pid, SIGKILL);
    (void)waitpid(child->pid, NULL, 0);
    child->pid = 0;
}
