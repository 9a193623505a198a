// SPDX-License-Identifier: Apache-2.0
/* redis_server.c — fork, exec, PING until it answers; stopped by its process id and by nothing
 * else. */
#include "support/redis_server.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_WORDS    64
#define PORT_TRIES   5
#define ANSWER_TRIES 1000 /* of 10 ms each */
#define STOP_TRIES   500

static void pause_ms(long ms)
{
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    (void)nanosleep(&pause, NULL);
}

static bool installed(void)
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

/* A port that nobody uses now; -1 when there is none. Somebody else may be faster: then the start
 * fails and another one is tried. */
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

/* +PONG, or -NOAUTH: either way it is up. -LOADING is not yet. */
static bool answers(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = loopback(port);
    const struct timeval limit = {.tv_sec = 1};
    char reply[64] = "";
    bool up = false;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
        connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        send(fd, "PING\r\n", 6, MSG_NOSIGNAL) == 6 && recv(fd, reply, sizeof(reply) - 1, 0) > 0) {
        up = strncmp(reply, "+PONG", 5) == 0 || strncmp(reply, "-NOAUTH", 7) == 0;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return up;
}

_Noreturn static void exec_server(const struct redis_server *server, pid_t parent)
{
    /* Also when the test is killed. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || chdir(server->directory) != 0) {
        _exit(127);
    }
    int log = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0) {
        _exit(127);
    }
    char port[16];
    (void)snprintf(port, sizeof(port), "%d", server->port);
    const char *words[MAX_WORDS] = {"redis-server", "--port",      port, "--bind",
                                    "127.0.0.1",    "--save",      "",   "--appendonly",
                                    "no",           "--daemonize", "no", "--unixsocket",
                                    "redis.sock",   "--databases", "16"};
    size_t count = 15;
    for (size_t i = 0; server->extra != NULL && server->extra[i] != NULL; i++) {
        if (count + 1 >= MAX_WORDS) {
            _exit(127);
        }
        words[count++] = server->extra[i];
    }
    char **argv;
    const char **from = words;
    memcpy(&argv, &from, sizeof(argv)); /* execvp() leaves the words alone */
    (void)execvp("redis-server", argv);
    _exit(127);
}

/* 0 when it answers, 1 when it has ended or does not answer; then it is gone. */
static int launch(struct redis_server *server)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        return 1;
    }
    if (pid == 0) {
        exec_server(server, parent);
    }
    server->pid = pid;
    for (int i = 0; i < ANSWER_TRIES; i++) {
        if (waitpid(pid, NULL, WNOHANG) == pid) {
            server->pid = 0;
            return 1;
        }
        if (answers(server->port)) {
            return 0;
        }
        pause_ms(10);
    }
    redis_server_kill(server);
    return 1;
}

static void remove_directory(struct redis_server *server)
{
    DIR *directory = opendir(server->directory);
    if (directory == NULL) {
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        (void)unlinkat(dirfd(directory), entry->d_name, 0);
    }
    (void)closedir(directory);
    (void)rmdir(server->directory);
    server->directory[0] = '\0';
}

int redis_server_start(struct redis_server *server, const char *const *extra)
{
    memset(server, 0, sizeof(*server));
    server->extra = extra;
    if (!installed()) {
        (void)fprintf(stderr, "skipped: redis-server is not installed\n");
        return REDIS_SERVER_SKIP;
    }
    (void)snprintf(server->directory, sizeof(server->directory), "/tmp/cm_redis_XXXXXX");
    if (mkdtemp(server->directory) == NULL) {
        (void)fprintf(stderr, "cannot make a directory: %s\n", strerror(errno));
        server->directory[0] = '\0';
        return 1;
    }
    (void)snprintf(server->unix_address, sizeof(server->unix_address), "unix:%s/redis.sock",
                   server->directory);
    for (int i = 0; i < PORT_TRIES; i++) {
        server->port = free_port();
        if (server->port > 0 && launch(server) == 0) {
            (void)snprintf(server->address, sizeof(server->address), "127.0.0.1:%d", server->port);
            return 0;
        }
    }
    (void)fprintf(stderr, "redis-server does not come up\n");
    remove_directory(server);
    return 1;
}

void redis_server_kill(struct redis_server *server)
{
    if (server->pid > 0) {
        (void)kill(server->pid, SIGKILL);
        (void)waitpid(server->pid, NULL, 0);
        server->pid = 0;
    }
}

void redis_server_stop(struct redis_server *server)
{
    if (server->pid > 0) {
        (void)kill(server->pid, SIGCONT);
        (void)kill(server->pid, SIGTERM);
        for (int i = 0; i < STOP_TRIES && server->pid > 0; i++) {
            if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
                server->pid = 0;
            } else {
                pause_ms(10);
            }
        }
    }
    redis_server_kill(server);
    if (server->directory[0] != '\0') {
        remove_directory(server);
    }
}

int redis_server_restart(struct redis_server *server)
{
    redis_server_kill(server);
    int rc = launch(server);
    if (rc != 0) {
        (void)fprintf(stderr, "redis-server does not come up again on port %d\n", server->port);
    }
    return rc;
}

void redis_server_pause(const struct redis_server *server)
{
    (void)kill(server->pid, SIGSTOP);
}

void redis_server_resume(const struct redis_server *server)
{
    (void)kill(server->pid, SIGCONT);
}
