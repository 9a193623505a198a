// SPDX-License-Identifier: Apache-2.0
#include "io/ring_epoll.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"

#define EVENTS_MOST  64
#define MOST_WAIT_MS 3600000

struct cm_ring_epoll {
    int fd;
    struct cm_epoll_request *pending;
    uint32_t count, cap;
};

int cm_ring_epoll_create(struct cm_ring_epoll **out)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) {
        return cm_fail(CM_ERR_IO, "epoll: %s", strerror(errno));
    }
    *out = cm_alloc(1, sizeof(**out));
    (*out)->fd = fd;
    return 0;
}

void cm_ring_epoll_destroy(struct cm_ring_epoll *epoll)
{
    if (epoll != NULL) {
        (void)close(epoll->fd);
        free(epoll->pending);
        free(epoll);
    }
}

/* ---- one operation */

static int32_t outcome(ssize_t n)
{
    return n < 0 ? -errno : (int32_t)n;
}

static int32_t connect_step(struct cm_epoll_request *r)
{
    int error = 0;
    socklen_t len = sizeof(error);
    if (r->events == 0) {
        r->events = EPOLLOUT;
        (void)fcntl(r->fd, F_SETFL, fcntl(r->fd, F_GETFL) | O_NONBLOCK);
        int rc = connect(r->fd, r->address, r->address_len);
        return rc == 0 ? 0 : errno == EINPROGRESS ? -EAGAIN : -errno;
    }
    if (getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
        return -errno;
    }
    return -error;
}

/* A pipe or a socket under READ and WRITE is looked at first; what cannot be waited for is a file.
 */
static bool would_wait(const struct cm_epoll_request *r, short events)
{
    struct pollfd at = {r->fd, events, 0};
    return poll(&at, 1, 0) == 0;
}

static int32_t read_step(const struct cm_epoll_request *r)
{
    if (r->offset >= 0) {
        return outcome(pread(r->fd, r->buffer, r->bytes, r->offset));
    }
    return would_wait(r, POLLIN) ? -EAGAIN : outcome(read(r->fd, r->buffer, r->bytes));
}

static int32_t write_step(const struct cm_epoll_request *r)
{
    if (r->offset >= 0) {
        return outcome(pwrite(r->fd, r->from, r->bytes, r->offset));
    }
    return would_wait(r, POLLOUT) ? -EAGAIN : outcome(write(r->fd, r->from, r->bytes));
}

/* Goes as far as it can without waiting; -EAGAIN: no further. revents: what epoll said, 0: nothing
 * yet. */
static int32_t step(struct cm_epoll_request *r, uint32_t revents)
{
    switch (r->kind) {
    case CM_EPOLL_POLL:
        revents &= r->events | EPOLLERR | EPOLLHUP;
        return revents == 0 ? -EAGAIN : (int32_t)revents;
    case CM_EPOLL_RECV:
        return outcome(recv(r->fd, r->buffer, r->bytes, MSG_DONTWAIT));
    case CM_EPOLL_SEND:
        return outcome(send(r->fd, r->from, r->bytes, MSG_DONTWAIT | MSG_NOSIGNAL));
    case CM_EPOLL_CONNECT:
        return connect_step(r);
    case CM_EPOLL_READ:
        return read_step(r);
    case CM_EPOLL_WRITE:
        return write_step(r);
    case CM_EPOLL_FSYNC:
        return fsync(r->fd) == 0 ? 0 : -errno;
    case CM_EPOLL_TIMER:
        return cm_clock_mono_ns() >= r->offset ? -ETIME : -EAGAIN;
    }
    return -EINVAL;
}

static uint32_t wanted_events(const struct cm_epoll_request *r)
{
    switch (r->kind) {
    case CM_EPOLL_POLL:
        return r->events;
    case CM_EPOLL_RECV:
    case CM_EPOLL_READ:
        return EPOLLIN;
    default:
        return EPOLLOUT;
    }
}

/* Lets epoll tell once of whatever is pending on that descriptor. */
static int arm(struct cm_ring_epoll *epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLONESHOT, .data.fd = fd};
    bool any = false;
    for (uint32_t i = 0; i < epoll->count; i++) {
        const struct cm_epoll_request *r = &epoll->pending[i];
        if (r->kind != CM_EPOLL_TIMER && r->fd == fd) {
            event.events |= wanted_events(r);
            any = true;
        }
    }
    if (!any) {
        return 0;
    }
    int rc = epoll_ctl(epoll->fd, EPOLL_CTL_MOD, fd, &event);
    if (rc != 0 && errno == ENOENT) {
        rc = epoll_ctl(epoll->fd, EPOLL_CTL_ADD, fd, &event);
    }
    return rc == 0 ? 0 : -errno;
}

static void drop(struct cm_ring_epoll *epoll, uint32_t at)
{
    epoll->count--;
    memmove(&epoll->pending[at], &epoll->pending[at + 1],
            (epoll->count - at) * sizeof(*epoll->pending));
}

bool cm_ring_epoll_start(struct cm_ring_epoll *epoll, const struct cm_epoll_request *request,
                         int32_t *result)
{
    struct cm_epoll_request r = *request;
    *result = r.kind == CM_EPOLL_TIMER ? -EAGAIN : step(&r, 0);
    if (*result == -EINTR) {
        *result = -EAGAIN; /* epoll will tell when it goes on */
    }
    if (*result != -EAGAIN) {
        return true;
    }
    if (epoll->count == epoll->cap) {
        epoll->cap = epoll->cap == 0 ? 32 : 2 * epoll->cap;
        epoll->pending = cm_realloc(epoll->pending, epoll->cap, sizeof(*epoll->pending));
    }
    epoll->pending[epoll->count++] = r;
    int rc = r.kind == CM_EPOLL_TIMER ? 0 : arm(epoll, r.fd);
    if (rc < 0) {
        epoll->count--;
        *result = rc;
        return true;
    }
    return false;
}

bool cm_ring_epoll_cancel(struct cm_ring_epoll *epoll, const struct cm_op *op)
{
    for (uint32_t i = 0; i < epoll->count; i++) {
        if (epoll->pending[i].op == op) {
            drop(epoll, i);
            return true;
        }
    }
    return false;
}

/* ---- waiting */

/* How long epoll may wait, ms: not beyond the first timer. */
static int wait_ms(const struct cm_ring_epoll *epoll, int64_t timeout_ns)
{
    int64_t least_ns = timeout_ns < 0 ? MOST_WAIT_MS * CM_NS_PER_MS : timeout_ns;
    int64_t now_ns = cm_clock_mono_ns();
    for (uint32_t i = 0; i < epoll->count; i++) {
        if (epoll->pending[i].kind == CM_EPOLL_TIMER) {
            int64_t left_ns = epoll->pending[i].offset - now_ns;
            left_ns = left_ns < 0 ? 0 : left_ns;
            least_ns = left_ns < least_ns ? left_ns : least_ns;
        }
    }
    int64_t ms = (least_ns + CM_NS_PER_MS - 1) / CM_NS_PER_MS;
    return ms < MOST_WAIT_MS ? (int)ms : MOST_WAIT_MS;
}

/* Timers in the order in which they run out. */
static void run_timers(struct cm_ring_epoll *epoll,
                       void (*done)(void *context, struct cm_op *op, int32_t result), void *context)
{
    int64_t now_ns = cm_clock_mono_ns();
    for (;;) {
        uint32_t first = epoll->count;
        for (uint32_t i = 0; i < epoll->count; i++) {
            const struct cm_epoll_request *r = &epoll->pending[i];
            if (r->kind == CM_EPOLL_TIMER && r->offset <= now_ns &&
                (first == epoll->count || r->offset < epoll->pending[first].offset)) {
                first = i;
            }
        }
        if (first == epoll->count) {
            return;
        }
        struct cm_op *op = epoll->pending[first].op;
        drop(epoll, first);
        done(context, op, -ETIME);
    }
}

void cm_ring_epoll_wait(struct cm_ring_epoll *epoll, int64_t timeout_ns,
                        void (*done)(void *context, struct cm_op *op, int32_t result),
                        void *context)
{
    struct epoll_event events[EVENTS_MOST];
    int n = epoll_wait(epoll->fd, events, EVENTS_MOST, wait_ms(epoll, timeout_ns));
    CM_ASSERT(n >= 0 || errno == EINTR);
    for (int e = 0; e < n; e++) {
        int fd = events[e].data.fd;
        for (uint32_t i = 0; i < epoll->count;) {
            struct cm_epoll_request *r = &epoll->pending[i];
            bool ready = r->kind != CM_EPOLL_TIMER && r->fd == fd &&
                         (events[e].events & (wanted_events(r) | EPOLLERR | EPOLLHUP)) != 0;
            int32_t result = ready ? step(r, events[e].events) : -EAGAIN;
            if (result == -EAGAIN || result == -EINTR) {
                i++;
                continue;
            }
            struct cm_op *op = r->op;
            drop(epoll, i);
            done(context, op, result);
        }
        int rc = arm(epoll, fd);
        CM_ASSERT(rc == 0);
    }
    run_timers(epoll, done, context);
}
