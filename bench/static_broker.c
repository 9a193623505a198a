// SPDX-License-Identifier: Apache-2.0
/* static_broker.c — a broker whose log is made once, so that the broker is not what is measured.
 *
 *   static_broker --file NDJSON --topic NAME [--partitions N] [--codec none|gzip|snappy|lz4|zstd]
 *                 [--batch-bytes N] [--port N]
 *
 *   epoll ──► connection: recv ─► whole request ─► static_wire.c ─► sendmsg: head, log, head, log
 *
 * Prints HOST:PORT when it serves, and ends with SIGTERM, SIGINT or the process that started it;
 * then it prints what it did. A fetch that finds nothing is answered when its wait is over, and
 * what its connection asks meanwhile waits behind it. What it speaks of the protocol:
 * static_wire.h.
 *
 * THREADS   One. ERRORS    A connection that sends what cannot be answered is closed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "bench/bench.h"
#include "bench/static_wire.h"
#include "kafka/inflate.h"
#include "kafka/record_fields.h"

#define HOST              "127.0.0.1"
#define CONNECTIONS       256
#define REQUEST_BYTES_MAX (1u << 20)
#define READ_BYTES        (1u << 16)
#define PIECES            (2 * STATIC_PARTITIONS_MAX + 1)

struct connection {
    int fd; /* -1: free */
    struct cm_text in;
    struct static_reply reply;
    bool answering;
    size_t sent, total;
    int64_t not_before_ns; /* 0: now */
};

struct server {
    struct static_broker broker;
    int epoll, listener;
    struct connection at[CONNECTIONS];
};

static volatile sig_atomic_t ending;

static void on_signal(int number)
{
    (void)number;
    ending = 1;
}

/* ---- connections */

static void drop(struct connection *c)
{
    close(c->fd);
    cm_text_free(&c->in);
    cm_text_free(&c->reply.text);
    *c = (struct connection){.fd = -1};
}

static void watch(const struct server *server, struct connection *c, bool add)
{
    bool out = c->answering && c->not_before_ns == 0;
    /* Nothing is read before the reply is out: requests are answered in their order. */
    struct epoll_event event = {.events = out            ? EPOLLOUT
                                          : c->answering ? 0
                                                         : EPOLLIN,
                                .data.ptr = c};
    if (epoll_ctl(server->epoll, add ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, c->fd, &event) != 0) {
        cm_bench_die("static_broker: epoll: %s", strerror(errno));
    }
}

static void take_connection(struct server *server)
{
    const int on = 1;
    int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        if (server->at[i].fd < 0) {
            server->at[i].fd = fd;
            watch(server, &server->at[i], true);
            return;
        }
    }
    close(fd);
}

/* What of the reply is not out yet. */
static uint32_t gather(const struct connection *c, struct iovec *parts)
{
    const struct static_reply *reply = &c->reply;
    size_t skip = c->sent, from = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i <= reply->pieces_count; i++) {
        bool last = i == reply->pieces_count;
        size_t to = last ? reply->text.len : reply->pieces[i].before;
        const struct cm_str runs[2] = {{reply->text.data + from, (uint32_t)(to - from)},
                                       last ? (struct cm_str){NULL, 0} : reply->pieces[i].bytes};
        for (int k = 0; k < 2; k++) {
            size_t gone = skip < runs[k].len ? skip : runs[k].len;
            skip -= gone;
            if (gone < runs[k].len) {
                parts[count].iov_base = (void *)(uintptr_t)(runs[k].p + gone);
                parts[count++].iov_len = runs[k].len - gone;
            }
        }
        from = to;
    }
    return count;
}

/* false: the connection is gone. */
static bool send_reply(struct connection *c)
{
    while (c->sent < c->total) {
        struct iovec parts[PIECES];
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = gather(c, parts)};
        ssize_t sent = sendmsg(c->fd, &message, MSG_NOSIGNAL);
        if (sent < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        c->sent += (size_t)sent;
    }
    c->answering = false;
    return true;
}

/* Answers what lies in the buffer, until a reply has to wait. */
static bool serve(struct server *server, struct connection *c)
{
    while (!c->answering && c->in.len >= 4) {
        uint32_t len = cm_be32((const uint8_t *)c->in.data);
        if (len > REQUEST_BYTES_MAX) {
            return false;
        }
        if (c->in.len < 4 + (size_t)len) {
            return true;
        }
        struct cm_str request = {c->in.data + 4, len};
        if (!static_answer(&server->broker, request, &c->reply)) {
            return false;
        }
        c->in.len -= 4 + (size_t)len;
        memmove(c->in.data, c->in.data + 4 + len, c->in.len);
        c->answering = true;
        c->sent = 0;
        c->total = 4 + (size_t)cm_be32((const uint8_t *)c->reply.text.data);
        c->not_before_ns = 0;
        if (c->reply.wait_ms > 0) {
            c->not_before_ns = cm_clock_mono_ns() + c->reply.wait_ms * CM_NS_PER_MS;
        } else if (!send_reply(c)) {
            return false;
        }
    }
    return true;
}

static bool receive(struct connection *c)
{
    char *room = cm_text_room(&c->in, READ_BYTES);
    ssize_t count = recv(c->fd, room, READ_BYTES, 0);
    if (count <= 0) {
        return count < 0 && (errno == EAGAIN || errno == EINTR);
    }
    c->in.len += (size_t)count;
    return true;
}

static void turn(struct server *server, struct connection *c, uint32_t events)
{
    bool good = (events & (EPOLLERR | EPOLLHUP)) == 0;
    if (good && c->answering && c->not_before_ns == 0) {
        good = send_reply(c);
    } else if (good && !c->answering) {
        good = receive(c);
    }
    if (!good || !serve(server, c)) {
        drop(c);
        return;
    }
    watch(server, c, false);
}

/* ---- the loop */

/* Sends what has waited long enough; how long until the next, -1: nothing waits. */
static int wake_waiting(struct server *server)
{
    int64_t now_ns = cm_clock_mono_ns(), next_ns = INT64_MAX;
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        struct connection *c = &server->at[i];
        if (c->fd >= 0 && c->not_before_ns != 0 && c->not_before_ns <= now_ns) {
            c->not_before_ns = 0;
            turn(server, c, 0);
        }
        if (c->fd >= 0 && c->not_before_ns != 0 && c->not_before_ns < next_ns) {
            next_ns = c->not_before_ns;
        }
    }
    return next_ns == INT64_MAX ? -1 : (int)((next_ns - now_ns) / CM_NS_PER_MS + 1);
}

static void listen_at(struct server *server, uint16_t port)
{
    const int on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t len = sizeof address;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->epoll < 0 || server->listener < 0 ||
        inet_pton(AF_INET, HOST, &address.sin_addr) != 1 ||
        setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(server->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(server->listener, 64) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &len) != 0 ||
        epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listener, &event) != 0) {
        cm_bench_die("static_broker: %s:%u: %s", HOST, port, strerror(errno));
    }
    server->broker.host = HOST;
    server->broker.port = ntohs(address.sin_port);
}

/* signals: what may end it while it waits. */
static void run_server(struct server *server, const sigset_t *signals)
{
    while (!ending) {
        struct epoll_event events[64];
        int timeout_ms = wake_waiting(server);
        int count =
            epoll_pwait(server->epoll, events, (int)CM_ARRAY_LEN(events), timeout_ms, signals);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL) {
                take_connection(server);
            } else {
                turn(server, events[i].data.ptr, events[i].events);
            }
        }
    }
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        if (server->at[i].fd >= 0) {
            drop(&server->at[i]);
        }
    }
    close(server->listener);
    close(server->epoll);
}

/* ---- */

static uint32_t codec_of(const char *name)
{
    static const char *const names[CM_CODEC_COUNT] = {"none", "gzip", "snappy", "lz4", "zstd"};
    for (uint32_t i = 0; i < CM_CODEC_COUNT; i++) {
        if (strcmp(name, names[i]) == 0) {
            return i;
        }
    }
    cm_bench_die("static_broker: no codec %s", name);
}

/* They come in while it waits, and only then: none is missed. Before that they end the process. */
static void catch_signals(sigset_t *while_waiting)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t both;
    (void)sigemptyset(&both);
    (void)sigaddset(&both, SIGTERM);
    (void)sigaddset(&both, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &both, while_waiting);
    (void)sigdelset(while_waiting, SIGTERM);
    (void)sigdelset(while_waiting, SIGINT);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
}

int main(int argc, char **argv)
{
    const char *file = NULL, *topic = NULL;
    uint64_t partitions = 4, batch_bytes = 1000000, port = 0;
    uint32_t codec = CM_CODEC_NONE;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--file") == 0) {
            file = argv[i + 1];
        } else if (strcmp(argv[i], "--topic") == 0) {
            topic = argv[i + 1];
        } else if (strcmp(argv[i], "--partitions") == 0) {
            partitions = cm_bench_number(argv[i], argv[i + 1], 1, STATIC_PARTITIONS_MAX);
        } else if (strcmp(argv[i], "--codec") == 0) {
            codec = codec_of(argv[i + 1]);
        } else if (strcmp(argv[i], "--batch-bytes") == 0) {
            batch_bytes = cm_bench_number(argv[i], argv[i + 1], 1, 100000000);
        } else if (strcmp(argv[i], "--port") == 0) {
            port = cm_bench_number(argv[i], argv[i + 1], 0, UINT16_MAX);
        } else {
            argc = 0;
        }
    }
    if (argc % 2 == 0 || file == NULL || topic == NULL) {
        fputs("static_broker --file NDJSON --topic NAME [--partitions N] [--codec NAME] "
              "[--batch-bytes N] [--port N]\n",
              stderr);
        return 2;
    }
    static struct server server;
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        server.at[i].fd = -1;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    server.broker.topic = topic;
    static_log_make(&server.broker.log, file, (uint32_t)partitions, codec, (uint32_t)batch_bytes);
    sigset_t signals;
    catch_signals(&signals);
    listen_at(&server, (uint16_t)port);
    printf("%s:%u\n", server.broker.host, server.broker.port);
    fflush(stdout);
    run_server(&server, &signals);
    fprintf(stderr, "static_broker: %llu records in %llu bytes; %llu requests, %llu bytes served\n",
            (unsigned long long)server.broker.log.records,
            (unsigned long long)server.broker.log.bytes, (unsigned long long)server.broker.requests,
            (unsigned long long)server.broker.log_bytes);
    static_log_free(&server.broker.log);
    return 0;
}
