// SPDX-License-Identifier: Apache-2.0
/* metrics.c — see metrics.h. One thread of libmicrohttpd, which accepts, reads and answers. */
#include "publish/metrics.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"

#define CONNECTIONS_MAX 32u
#define IDLE_S          10u
#define BACKLOG         16

struct cm_metrics {
    const struct cm_counters *counters;
    struct MHD_Daemon *daemon;
    uint16_t port;
};

/* --- the page --- */

static void add_head(struct cm_text *out, const char *name, const char *type, const char *help)
{
    cm_text_adds(out, "# HELP callmill_");
    cm_text_adds(out, name);
    cm_text_addc(out, ' ');
    cm_text_adds(out, help);
    cm_text_adds(out, "\n# TYPE callmill_");
    cm_text_adds(out, name);
    cm_text_addc(out, ' ');
    cm_text_adds(out, type);
    cm_text_addc(out, '\n');
}

static void add_sample(struct cm_text *out, const char *name, const char *reason, uint64_t value)
{
    cm_text_adds(out, "callmill_");
    cm_text_adds(out, name);
    if (reason != NULL) {
        cm_text_adds(out, "{reason=\"");
        cm_text_adds(out, reason);
        cm_text_adds(out, "\"}");
    }
    cm_text_addc(out, ' ');
    cm_text_add_u64(out, value);
    cm_text_addc(out, '\n');
}

#define TYPE_COUNTER "counter"
#define TYPE_GAUGE   "gauge"

void cm_counters_write(struct cm_text *out, const struct cm_counters *counters)
{
/* relaxed: numbers of one page may be some instants apart. */
#define X(name, type, unit, help, advice)                                                          \
    add_head(out, #name, TYPE_##type, help);                                                       \
    add_sample(out, #name, NULL, atomic_load_explicit(&counters->name, memory_order_relaxed));
    CM_COUNTERS(X)
#undef X
/* relaxed: as above. */
#define X(name, type, unit, help, advice)                                                          \
    add_head(out, #name, TYPE_##type, help);                                                       \
    for (uint32_t i = CM_REASON_NONE + 1; i < CM_REASON_COUNT; i++) {                              \
        add_sample(out, #name, cm_reason_name((enum cm_reason)i),                                  \
                   atomic_load_explicit(&counters->name[i], memory_order_relaxed));                \
    }
    CM_COUNTERS_BY_REASON(X)
#undef X
    add_head(out, "build_info", TYPE_GAUGE, "Always 1; the version is a label.");
    cm_text_adds(out, "callmill_build_info{version=\"" CM_VERSION "\"} 1\n");
}

static void add_row(struct cm_text *out, const char *name, const char *type, const char *unit,
                    const char *help, const char *advice)
{
    cm_text_addf(out, "| `callmill_%s` | %s | %s | %s | %s |\n", name, type, unit, help, advice);
}

void cm_counters_reference(struct cm_text *out)
{
    cm_text_adds(out,
                 "# Counters\n"
                 "\n"
                 "Made from the table in `src/publish/counters_table.h`; change that, not this "
                 "page.\n"
                 "\n"
                 "`metrics.listen` serves them as Prometheus text under `/metrics`. A counter "
                 "only grows while\nthe process lives and begins at 0 with each start; a gauge "
                 "goes up and down.\n"
                 "\n"
                 "| name | type | unit | what it counts | when it looks wrong |\n"
                 "|---|---|---|---|---|\n");
#define X(name, type, unit, help, advice) add_row(out, #name, TYPE_##type, unit, help, advice);
    CM_COUNTERS(X)
#undef X
#define X(name, type, unit, help, advice)                                                          \
    add_row(out, #name "{reason}", TYPE_##type, unit, help, advice);
    CM_COUNTERS_BY_REASON(X)
#undef X
    cm_text_adds(out, "\n## Reasons of dead letters\n"
                      "\n"
                      "| reason | meaning | what to do |\n"
                      "|---|---|---|\n");
    for (uint32_t i = CM_REASON_NONE + 1; i < CM_REASON_COUNT; i++) {
        cm_text_addf(out, "| `%s` | %s | %s |\n", cm_reason_name((enum cm_reason)i),
                     cm_reason_meaning((enum cm_reason)i), cm_reason_advice((enum cm_reason)i));
    }
}

/* --- the server --- */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              const char *bytes, size_t len)
{
    /* A copy is made, and the page is small. The library takes it as not const, yet leaves it. */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, (void *)(uintptr_t)bytes, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) {
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_len, void **state)
{
    static const char plain[] = "text/plain; charset=utf-8";
    static const char only_get[] = "only GET is served here\n";
    static const char elsewhere[] = "the counters are at /metrics\n";
    (void)version;
    (void)upload;
    const struct cm_metrics *metrics = context;
    if (*state == NULL) { /* the headers have come; the answer follows what the client sends */
        static char begun;
        *state = &begun;
        return MHD_YES;
    }
    if (*upload_len > 0) { /* whatever it sends; the library takes no answer before the end of it */
        *upload_len = 0;
        return MHD_YES;
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, plain, only_get,
                      sizeof(only_get) - 1);
    }
    if (strcmp(url, "/metrics") != 0) {
        return answer(connection, MHD_HTTP_NOT_FOUND, plain, elsewhere, sizeof(elsewhere) - 1);
    }
    struct cm_text page = {0};
    cm_counters_write(&page, metrics->counters);
    enum MHD_Result result = answer(
        connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", page.data, page.len);
    cm_text_free(&page);
    return result;
}

/* "host:port", "[v6]:port"; both parts to free. */
static int split(const char *listen_at, char **host, char **port)
{
    const char *colon = strrchr(listen_at, ':');
    uint64_t number;
    if (colon == NULL || colon == listen_at ||
        !cm_parse_u64(colon + 1, strlen(colon + 1), &number) || number > UINT16_MAX) {
        return cm_fail(CM_ERR_CONFIG, "metrics.listen: \"%s\" is not host:port", listen_at);
    }
    const char *first = listen_at;
    size_t len = (size_t)(colon - first);
    if (len > 2 && first[0] == '[' && first[len - 1] == ']') {
        first++;
        len -= 2;
    } else if (memchr(first, ':', len) != NULL) {
        return cm_fail(CM_ERR_CONFIG, "metrics.listen: write \"[%.*s]:%s\"", (int)len, first,
                       colon + 1);
    }
    *host = cm_strndup(first, len);
    *port = cm_strdup(colon + 1);
    return 0;
}

/* A listening socket, or a negative code. */
static int open_socket(const char *listen_at)
{
    char *host = NULL;
    char *port = NULL;
    int rc = split(listen_at, &host, &port);
    if (rc < 0) {
        return rc;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    int unknown = getaddrinfo(host, port, &hints, &found);
    free(host);
    free(port);
    if (unknown != 0) {
        return cm_fail(CM_ERR_IO, "metrics.listen: %s: %s", listen_at, gai_strerror(unknown));
    }
    int on = 1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        rc = cm_fail(CM_ERR_IO, "metrics.listen: cannot listen on %s: %s", listen_at,
                     strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        fd = rc;
    }
    freeaddrinfo(found);
    return fd;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage bound = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(bound);
    CM_ASSERT(getsockname(fd, (struct sockaddr *)&bound, &len) == 0);
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
    if (bound.ss_family == AF_INET6) {
        memcpy(&in6, &bound, sizeof(in6));
        return ntohs(in6.sin6_port);
    }
    memcpy(&in4, &bound, sizeof(in4));
    return ntohs(in4.sin_port);
}

struct cm_metrics *cm_metrics_start(const char *listen_at, const struct cm_counters *counters)
{
    int fd = open_socket(listen_at);
    if (fd < 0) {
        return NULL;
    }
    struct cm_metrics *metrics = cm_alloc(1, sizeof(*metrics));
    metrics->counters = counters;
    metrics->port = port_of(fd);
    metrics->daemon =
        MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, handle,
                         metrics, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                         CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_END);
    if (metrics->daemon == NULL) {
        (void)cm_fail(CM_ERR_IO, "metrics.listen: cannot serve on %s: %s", listen_at,
                      strerror(errno));
        (void)close(fd);
        free(metrics);
        return NULL;
    }
    cm_log(CM_LOG_INFO, "metrics.listening", "address=\"%s\" port=%u", listen_at,
           (unsigned)metrics->port);
    return metrics;
}

uint16_t cm_metrics_port(const struct cm_metrics *metrics)
{
    return metrics->port;
}

void cm_metrics_stop(struct cm_metrics *metrics)
{
    if (metrics == NULL) {
        return;
    }
    MHD_stop_daemon(metrics->daemon); /* closes the socket, too */
    free(metrics);
}
