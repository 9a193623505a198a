// SPDX-License-Identifier: Apache-2.0
/* ring.c — one io_uring, set up by the ladder, and the list of what is in flight in it.
 *
 *   cm_ring_recv() ... ──► submission queue ──► kernel ──► completion queue
 *                                                               │ collect()
 *                          op->done() ◄── run() ◄── ready[] ◄───┘
 *
 * Completions first move to `ready`, an array of our own, and only then is done() called. So the
 * kernel's queue is empty again before callbacks start new work, and where the kernel refuses
 * submissions because completions have piled up (EBUSY), cm_ring_recv() and its like can make room
 * without calling anybody back from inside.
 *
 * The user_data of an entry is the op's address; 0 marks our own cancellations, whose answer nobody
 * needs. All ops in flight are linked, because cancelling everything at once needs a newer kernel
 * (5.19) than we do.
 */
#include "io/ring.h"

#include <errno.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"
#include "io/ring_epoll.h"

#define COLLECT_BATCH   64u
#define MAX_OP_BYTES    0x7ffff000u /* what Linux moves in one call at most */
#define MAX_ENTRIES     32768u
#define MIN_CQ_ENTRIES  1024u
#define NEEDED_FEATURES (IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_FAST_POLL)

struct completion {
    struct cm_op *op;
    int32_t result;
    uint32_t flags;
};

struct cm_ring {
    struct io_uring uring;
    struct cm_op *first; /* in flight, newest first */
    struct completion *ready;
    size_t ready_len;
    size_t ready_cap;
    bool running; /* inside run(): callbacks must not wait */
    char describe[160];
    struct cm_ring_epoll *epoll; /* in place of uring; NULL: uring */
};

struct rung {
    const char *name;
    uint32_t flags;
};

static const struct rung ladder[CM_RING_EPOLL] = {
    {"SINGLE_ISSUER|DEFER_TASKRUN", IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                        IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL},
    {"COOP_TASKRUN",
     IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL},
    {"without flags", 0},
};

_Static_assert(sizeof(struct __kernel_timespec) == sizeof(((struct cm_op *)0)->timer_ns),
               "timer_ns stands in for the kernel's timespec");

/* --- setting up --- */

/* kernel.io_uring_disabled, 0 when there is no such setting (before 6.6). */
static int disabled_by_sysctl(void)
{
    FILE *file = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    if (file == NULL) {
        return 0;
    }
    int c = fgetc(file);
    (void)fclose(file);
    return c >= '1' && c <= '9' ? c - '0' : 0;
}

static int fail_create(int error)
{
    int disabled = error == EPERM ? disabled_by_sysctl() : 0;
    if (disabled > 0) {
        return cm_fail(CM_ERR_URING,
                       "io_uring is switched off on this machine (kernel.io_uring_disabled=%d); "
                       "allow it with: sysctl kernel.io_uring_disabled=0%s",
                       disabled,
                       disabled == 1 ? ", or put this user into the group kernel.io_uring_group"
                                     : "");
    }
    switch (error) {
    case EPERM:
        return cm_fail(CM_ERR_URING,
                       "io_uring_setup is not permitted: a seccomp profile blocks it, as most "
                       "container engines do; run the container with a profile that allows "
                       "io_uring_setup, io_uring_enter and io_uring_register (or with "
                       "--security-opt seccomp=unconfined)");
    case ENOSYS:
        return cm_fail(CM_ERR_URING,
                       "io_uring_setup does not exist here: the kernel is built without io_uring "
                       "or older than 5.15, or a container's seccomp profile hides it; use a "
                       "kernel from 5.15 on and a profile that allows io_uring_setup, "
                       "io_uring_enter and io_uring_register");
    case ENOMEM:
        return cm_fail(CM_ERR_URING,
                       "no memory for an io_uring: raise the limit of locked memory (ulimit -l, "
                       "LimitMEMLOCK= of the service) or the memory limit of the container");
    case EINVAL:
        return cm_fail(CM_ERR_URING,
                       "the kernel's io_uring is too old: callmill needs Linux 5.15 or newer");
    default:
        return cm_fail(CM_ERR_URING, "cannot set up an io_uring: %s", strerror(error));
    }
}

static int create_epoll(const char *why, struct cm_ring **out)
{
    struct cm_ring_epoll *epoll = NULL;
    int rc = cm_ring_epoll_create(&epoll);
    if (rc == 0) {
        *out = cm_alloc(1, sizeof(**out));
        (*out)->epoll = epoll;
        (void)snprintf((*out)->describe, sizeof((*out)->describe), "epoll, %.140s", why);
    }
    return rc;
}

int cm_ring_create_from(uint32_t entries, uint32_t rung, struct cm_ring **out)
{
    CM_ASSERT(entries > 0 && entries <= MAX_ENTRIES);
    CM_ASSERT(rung < CM_RING_RUNGS);
    if (rung == CM_RING_EPOLL) {
        return create_epoll("as asked for", out);
    }
    struct cm_ring *ring = cm_alloc(1, sizeof(*ring));
    struct io_uring_params params;
    int rc = -EINVAL;
    for (; rung < CM_RING_EPOLL && rc == -EINVAL; rung++) {
        memset(&params, 0, sizeof(params));
        params.flags = ladder[rung].flags | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
        params.cq_entries = entries * 4 > MIN_CQ_ENTRIES ? entries * 4 : MIN_CQ_ENTRIES;
        rc = io_uring_queue_init_params(entries, &ring->uring, &params);
    }
    if (rc == 0 && (params.features & NEEDED_FEATURES) != NEEDED_FEATURES) {
        io_uring_queue_exit(&ring->uring);
        rc = -EINVAL;
    }
    if (rc < 0) {
        free(ring);
        return fail_create(-rc);
    }
    /* Saves a look-up of the descriptor in each call; where it cannot be had, nothing changes. */
    (void)io_uring_register_ring_fd(&ring->uring);
    struct utsname system;
    memset(&system, 0, sizeof(system));
    (void)uname(&system);
    (void)snprintf(ring->describe, sizeof(ring->describe), "io_uring %s, kernel %.64s",
                   ladder[rung - 1].name, system.release);
    *out = ring;
    return 0;
}

int cm_ring_create(uint32_t entries, struct cm_ring **out)
{
    return cm_ring_create_from(entries, 0, out);
}

int cm_ring_open(uint32_t entries, enum cm_ring_choice choice, struct cm_ring **out)
{
    if (choice == CM_RING_EPOLL_ONLY) {
        return create_epoll("as configured", out);
    }
    int rc = cm_ring_create(entries, out);
    return rc == 0 || choice == CM_RING_IO_URING_ONLY ? rc : create_epoll(cm_fail_text(), out);
}

const char *cm_ring_describe(const struct cm_ring *ring)
{
    return ring->describe;
}

/* --- completions --- */

static void keep_ready(struct cm_ring *ring, struct cm_op *op, int32_t result, uint32_t flags)
{
    if (ring->ready_len == ring->ready_cap) {
        ring->ready_cap = ring->ready_cap == 0 ? 256 : ring->ready_cap * 2;
        ring->ready = cm_realloc(ring->ready, ring->ready_cap, sizeof(ring->ready[0]));
    }
    ring->ready[ring->ready_len++] = (struct completion){op, result, flags};
}

static void keep_completion(struct cm_ring *ring, const struct io_uring_cqe *cqe)
{
    struct cm_op *op = io_uring_cqe_get_data(cqe);
    if (op != NULL) {
        keep_ready(ring, op, cqe->res, cqe->flags);
    }
}

static void epoll_done(void *context, struct cm_op *op, int32_t result)
{
    keep_ready(context, op, result, 0);
}

/* Moves what the kernel has completed to `ready`; runs its deferred work when there is some. */
static void collect(struct cm_ring *ring)
{
    struct io_uring_cqe *cqes[COLLECT_BATCH];
    unsigned n;
    while ((n = io_uring_peek_batch_cqe(&ring->uring, cqes, COLLECT_BATCH)) > 0) {
        for (unsigned i = 0; i < n; i++) {
            keep_completion(ring, cqes[i]);
        }
        io_uring_cq_advance(&ring->uring, n);
    }
}

static void link_op(struct cm_ring *ring, struct cm_op *op)
{
    op->in_flight = true;
    op->cancelling = false;
    op->previous = NULL;
    op->next = ring->first;
    if (ring->first != NULL) {
        ring->first->previous = op;
    }
    ring->first = op;
}

static void unlink_op(struct cm_ring *ring, struct cm_op *op)
{
    if (op->previous != NULL) {
        op->previous->next = op->next;
    } else {
        CM_ASSERT(ring->first == op);
        ring->first = op->next;
    }
    if (op->next != NULL) {
        op->next->previous = op->previous;
    }
    op->next = NULL;
    op->previous = NULL;
    op->in_flight = false;
}

static uint32_t run(struct cm_ring *ring)
{
    ring->running = true;
    /* `ready` may grow, and move, while callbacks start ops. */
    size_t i = 0;
    for (; i < ring->ready_len; i++) {
        struct completion completion = ring->ready[i];
        struct cm_op *op = completion.op;
        CM_ASSERT(op->in_flight);
        /* A worker thread of the kernel that was cancelled in a system call reports that it was
         * interrupted. */
        if (op->cancelling && completion.result == -EINTR) {
            completion.result = -ECANCELED;
        }
        if ((completion.flags & IORING_CQE_F_MORE) == 0) {
            unlink_op(ring, op);
        }
        op->done(op, completion.result, completion.flags);
    }
    ring->ready_len = 0;
    ring->running = false;
    return (uint32_t)i;
}

/* --- submissions --- */

/* A free entry. A full queue is submitted; where the kernel is short of room or memory, completions
 * are collected until it is not, so no op is ever lost. */
static struct io_uring_sqe *take_entry(struct cm_ring *ring)
{
    for (;;) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
        if (sqe != NULL) {
            return sqe;
        }
        int rc = io_uring_submit(&ring->uring);
        CM_ASSERT(rc >= 0 || rc == -EBUSY || rc == -EAGAIN || rc == -EINTR);
        if (rc == -EBUSY || rc == -EAGAIN) {
            collect(ring);
            const struct timespec pause = {0, 100000};
            (void)nanosleep(&pause, NULL);
        }
    }
}

static struct io_uring_sqe *begin(struct cm_ring *ring, struct cm_op *op)
{
    CM_ASSERT(op->done != NULL);
    CM_ASSERT(!op->in_flight);
    struct io_uring_sqe *sqe = take_entry(ring);
    link_op(ring, op);
    return sqe;
}

/* The same over epoll; false: there is a uring. */
static bool started(struct cm_ring *ring, struct cm_epoll_request request)
{
    if (CM_LIKELY(ring->epoll == NULL)) {
        return false;
    }
    int32_t result = 0;
    CM_ASSERT(request.op->done != NULL);
    CM_ASSERT(!request.op->in_flight);
    link_op(ring, request.op);
    request.bytes = request.bytes > MAX_OP_BYTES ? MAX_OP_BYTES : request.bytes;
    if (cm_ring_epoll_start(ring->epoll, &request, &result)) {
        keep_ready(ring, request.op, result, 0);
    }
    return true;
}

static unsigned op_bytes(size_t bytes)
{
    return bytes > MAX_OP_BYTES ? MAX_OP_BYTES : (unsigned)bytes;
}

void cm_ring_poll(struct cm_ring *ring, struct cm_op *op, int fd, uint32_t poll_events)
{
    if (started(ring, (struct cm_epoll_request){
                          .op = op, .kind = CM_EPOLL_POLL, .fd = fd, .events = poll_events})) {
        return;
    }
    struct io_uring_sqe *sqe = begin(ring, op);
    io_uring_prep_poll_add(sqe, fd, poll_events);
    io_uring_sqe_set_data(sqe, op);
}

void cm_ring_recv(struct cm_ring *ring, struct cm_op *op, int fd, void *buffer, size_t bytes)
{
    if (started(ring,
                (struct cm_epoll_request){
                    .op = op, .kind = CM_EPOLL_RECV, .fd = fd, .buffer = buffer, .bytes = bytes})) {
        return;
    }
    struct io_uring_sqe *sqe = begin(ring, op);
    io_uring_prep_recv(sqe, fd, buffer, op_bytes(bytes), 0);
    io_uring_sqe_set_data(sqe, op);
}

void cm_ring_send(struct cm_ring *ring, struct cm_op *op, int fd, const void *buffer, size_t bytes)
{
    if (started(ring,
                (struct cm_epoll_request){
                    .op = op, .kind = CM_EPOLL_SEND, .fd = fd, .from = buffer, .bytes = bytes})) {
        return;
    }
    struct io_uring_sqe *sqe = begin(ring, op);
    io_uring_prep_send(sqe, fd, buffer, op_bytes(bytes), MSG_NOSIGNAL);
    io_uring_sqe_set_data(sqe, op);
}

void cm_ring_connect(struct cm_ring *ring, struct cm_op *op, int fd, const struct sockaddr *address,
                     socklen_t len)
{
    if (started(ring, (struct cm_epoll_request){.op = op,
                                                .kind = CM_EPOLL_CONNECT,
                                                .fd = fd,
                                                .address = address,
                                                .address_len = len})) {
        return;
    }
    struct io_uring_sqe *sqe = begin(ring, op);
    io_uring_prep_connect(sqe, fd, address, len);
    io_uring_sqe_set_data(sqe, op);
}

void cm_ring_read(struct cm_ring *ring, struct cm_op *op, int fd, void *buffer, size_t bytes,
                  int64_t offset)
{
    if (started(ring, (struct cm_epoll_request){.op = op,
                                                .kind = CM_EPOLL_READ,
                                                .fd = fd,
                                                .buffer = buffer,
                                                .bytes = bytes,
                                                .offset = offset})) {
        return;
    }
    struct io_uring_sqe *sqe = begin(ring, op);
    io_uring_prep_read(sqe, fd, buffer, op_bytes(bytes), (uint64_t)offset);
    io_uring_sqe_set_data(sqe, op);
}

void cm_ring_write(struct cm_ring *ring, struct cm_op *op, int fd, const void *buffer, size_t bytes,
                   int64_t offset)
{
    if (started(ring, (struct cm_epoll_request){.op = op,
                                                .kind = CM_EPOLL_WRITE,
                                                .fd = fd,
                                                .from = buffer,
                                                .bytes = bytes,
                                                .offset = offset})) {
        return;
    }
    struct io_uring_sqe *sqe = begin(ring, op);
    io_uring_prep_write(sqe, fd, buffer, op_bytes(bytes), (uint64_t)offset);
    io_uring_sqe_set_data(sqe, op);
}

void cm_ring_fsync(struct cm_ring *ring, struct cm_op *op, int fd)
{
    if (started(ring, (struct cm_epoll_request){.op = op, .kind = CM_EPOLL_FSYNC, .fd = fd})) {
        return;
    }
    struct io_uring_sqe *sqe = begin(ring, op);
    io_uring_prep_fsync(sqe, fd, 0);
    io_uring_sqe_set_data(sqe, op);
}

void cm_ring_timer(struct cm_ring *ring, struct cm_op *op, int64_t after_ns)
{
    if (after_ns < 0) {
        after_ns = 0;
    }
    if (started(ring, (struct cm_epoll_request){.op = op,
                                                .kind = CM_EPOLL_TIMER,
                                                .fd = -1,
                                                .offset = cm_clock_mono_ns() + after_ns})) {
        return;
    }
    op->timer_ns[0] = after_ns / CM_NS_PER_S;
    op->timer_ns[1] = after_ns % CM_NS_PER_S;
    struct io_uring_sqe *sqe = begin(ring, op);
    io_uring_prep_timeout(sqe, (struct __kernel_timespec *)(void *)op->timer_ns, 0, 0);
    io_uring_sqe_set_data(sqe, op);
}

void cm_ring_cancel(struct cm_ring *ring, struct cm_op *op)
{
    if (!op->in_flight || op->cancelling) {
        return;
    }
    op->cancelling = true;
    if (ring->epoll != NULL) {
        if (cm_ring_epoll_cancel(ring->epoll, op)) {
            keep_ready(ring, op, -ECANCELED, 0);
        }
        return;
    }
    struct io_uring_sqe *sqe = take_entry(ring);
    io_uring_prep_cancel(sqe, op, 0);
    io_uring_sqe_set_data(sqe, NULL);
}

/* --- waiting --- */

static void check_enter(int rc)
{
    /* EBUSY, EAGAIN: what was not taken stays queued for the next call. Anything else is a wrong
     * thread or a closed ring, that is, a bug. */
    CM_ASSERT(rc >= 0 || rc == -ETIME || rc == -EINTR || rc == -EBUSY || rc == -EAGAIN);
}

uint32_t cm_ring_wait(struct cm_ring *ring, int64_t timeout_ns)
{
    CM_ASSERT(!ring->running);
    if (ring->epoll != NULL) {
        cm_ring_epoll_wait(ring->epoll, ring->ready_len > 0 ? 0 : timeout_ns, epoll_done, ring);
        return run(ring);
    }
    if (timeout_ns == 0 || ring->ready_len > 0) {
        if (io_uring_sq_ready(&ring->uring) > 0) {
            check_enter(io_uring_submit_and_get_events(&ring->uring));
        }
    } else {
        struct __kernel_timespec timeout = {timeout_ns / CM_NS_PER_S, timeout_ns % CM_NS_PER_S};
        struct io_uring_cqe *cqe = NULL;
        check_enter(io_uring_submit_and_wait_timeout(&ring->uring, &cqe, 1,
                                                     timeout_ns < 0 ? NULL : &timeout, NULL));
    }
    collect(ring);
    return run(ring);
}

void cm_ring_destroy(struct cm_ring *ring)
{
    if (ring == NULL) {
        return;
    }
    CM_ASSERT(!ring->running);
    while (ring->first != NULL) {
        for (struct cm_op *op = ring->first; op != NULL; op = op->next) {
            cm_ring_cancel(ring, op);
        }
        (void)cm_ring_wait(ring, -1);
    }
    if (ring->epoll != NULL) {
        cm_ring_epoll_destroy(ring->epoll);
    } else {
        io_uring_queue_exit(&ring->uring);
    }
    free(ring->ready);
    free(ring);
}
