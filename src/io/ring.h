// SPDX-License-Identifier: Apache-2.0
/* ring.h — one io_uring a thread: sockets, files, timers and event descriptors wait in one place.
 *
 *   worker / publisher thread
 *     │ cm_ring_recv(op, ...)  cm_ring_write(op, ...)  cm_ring_poll(op, ...)
 *     ▼
 *   submission queue ──► kernel ──► completion queue ──► op->done(op, result, flags)
 *                                                        inside cm_ring_wait(), same thread
 *
 * Set-up ladder: SINGLE_ISSUER | DEFER_TASKRUN (6.1), then COOP_TASKRUN (5.19), then no flags
 * (5.15); cm_ring_describe() says which won. Where io_uring is blocked (EPERM, ENOSYS: containers)
 * create fails with -CM_ERR_URING and a text that says how to allow it; cm_ring_open() then does
 * the same over epoll, unless io_uring is insisted on.
 *
 * THREADS   A ring belongs to the thread that created it; that thread also destroys it.
 * OWNERSHIP An op and its buffers belong to the caller and must stay until done() ran for the last
 *           time (flags without IORING_CQE_F_MORE). An op is in flight at most once; done() may
 *           start it again, and may start others, but must not wait in the ring. An op starts
 *           zeroed but for `done`.
 * ERRORS    result is >= 0 or -errno as io_uring gives it: a count may be smaller than asked for
 *           (the caller goes on), a timer that has run out gives -ETIME. After cm_ring_cancel() it
 *           is -ECANCELED, or what the op had come to before.
 * COST      Starting an op costs no system call; cm_ring_wait() costs one for all that were
 *           started, and none when it need not wait and nothing has come.
 */
#ifndef CM_IO_RING_H
#define CM_IO_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/compiler.h"

struct cm_ring;

struct cm_op {
    void (*done)(struct cm_op *op, int32_t result, uint32_t flags);
    bool in_flight;
    bool cancelling;     /* the rest is the ring's own */
    int64_t timer_ns[2]; /* kernel timespec of a timer */
    struct cm_op *next;
    struct cm_op *previous;
};

/* `entries` of the submission queue, 1 .. 32768; more ops than that may be in flight.
 * 0 or -CM_ERR_URING. */
CM_NODISCARD int cm_ring_create(uint32_t entries, struct cm_ring **out);
/* The same from a lower rung of the ladder on, 0 .. CM_RING_RUNGS - 1: to test and to measure. The
 * lowest is epoll, and nothing but itself. */
#define CM_RING_RUNGS 4u
#define CM_RING_EPOLL (CM_RING_RUNGS - 1)
CM_NODISCARD int cm_ring_create_from(uint32_t entries, uint32_t rung, struct cm_ring **out);
/* io_uring; where it is not to be had, epoll. cm_ring_describe() gives the reason. */
enum cm_ring_choice { CM_RING_AUTO, CM_RING_IO_URING_ONLY, CM_RING_EPOLL_ONLY };
CM_NODISCARD int cm_ring_open(uint32_t entries, enum cm_ring_choice choice, struct cm_ring **out);
/* Cancels what is in flight and waits for it; done() runs with -ECANCELED and must not start anew.
 * NULL: nothing. */
void cm_ring_destroy(struct cm_ring *ring);
/* "io_uring SINGLE_ISSUER|DEFER_TASKRUN, kernel 6.18.44" */
const char *cm_ring_describe(const struct cm_ring *ring);

/* One shot. */
void cm_ring_poll(struct cm_ring *ring, struct cm_op *op, int fd, uint32_t poll_events);
void cm_ring_recv(struct cm_ring *ring, struct cm_op *op, int fd, void *buffer, size_t bytes);
void cm_ring_send(struct cm_ring *ring, struct cm_op *op, int fd, const void *buffer, size_t bytes);
void cm_ring_connect(struct cm_ring *ring, struct cm_op *op, int fd, const struct sockaddr *address,
                     socklen_t len);
/* At `offset`, -1 for what has no offsets (pipes) or appends. */
void cm_ring_read(struct cm_ring *ring, struct cm_op *op, int fd, void *buffer, size_t bytes,
                  int64_t offset);
void cm_ring_write(struct cm_ring *ring, struct cm_op *op, int fd, const void *buffer, size_t bytes,
                   int64_t offset);
void cm_ring_fsync(struct cm_ring *ring, struct cm_op *op, int fd);
/* Monotonic time; below 0 counts as 0. */
void cm_ring_timer(struct cm_ring *ring, struct cm_op *op, int64_t after_ns);
/* Asks; done() still runs, later. Nothing when the op is not in flight. */
void cm_ring_cancel(struct cm_ring *ring, struct cm_op *op);

/* Submits what is queued and runs done() for everything that has completed; waits up to timeout_ns
 * for the first completion (0: does not wait, < 0: for ever). Returns how many completions were
 * handled; that can be 0 before the time is out: a signal ends the wait, so that its flag is seen,
 * and so does a cancellation. */
uint32_t cm_ring_wait(struct cm_ring *ring, int64_t timeout_ns);
/* Another thread's way to end a wait: see io/wake.h. */

#endif
