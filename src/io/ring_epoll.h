// SPDX-License-Identifier: Apache-2.0
/* ring_epoll.h — what a ring (ring.h) falls back on where io_uring is not to be had: the same
 * operations by readiness. Inside the room only.
 *
 *   start ──► tried at once, without waiting ──► done
 *                │ would wait
 *                ▼
 *            pending ──► epoll ──► tried again ──► done
 *
 * Regular files are read and written at once, so whoever uses them waits for the disk.
 *
 * THREADS   That of its ring. OWNERSHIP Operations and buffers are the callers'.
 * COST      A system call an operation, and one more for each that has to wait. A step goes over
 *           what is pending: a few dozen operations.
 */
#ifndef CM_IO_RING_EPOLL_H
#define CM_IO_RING_EPOLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/compiler.h"
#include "io/ring.h"

struct cm_ring_epoll;

enum cm_epoll_kind {
    CM_EPOLL_POLL,
    CM_EPOLL_RECV,
    CM_EPOLL_SEND,
    CM_EPOLL_CONNECT,
    CM_EPOLL_READ,
    CM_EPOLL_WRITE,
    CM_EPOLL_FSYNC,
    CM_EPOLL_TIMER
};

struct cm_epoll_request {
    struct cm_op *op;
    enum cm_epoll_kind kind;
    int fd;
    void *buffer; /* written to by RECV and READ only */
    const void *from;
    size_t bytes;
    int64_t offset;  /* READ, WRITE: -1 none; TIMER: when, monotonic ns */
    uint32_t events; /* POLL: what for; CONNECT: 0 before it was begun */
    const struct sockaddr *address;
    socklen_t address_len;
};

/* 0 or -CM_ERR_IO. */
CM_NODISCARD int cm_ring_epoll_create(struct cm_ring_epoll **out);
void cm_ring_epoll_destroy(struct cm_ring_epoll *epoll);
/* true: it is done, with that result (a count, or -errno); false: it is pending. */
bool cm_ring_epoll_start(struct cm_ring_epoll *epoll, const struct cm_epoll_request *request,
                         int32_t *result);
/* Forgets a pending one; false: it is not. */
bool cm_ring_epoll_cancel(struct cm_ring_epoll *epoll, const struct cm_op *op);
/* Waits (timeout_ns < 0: for ever) for the first that can go on, and tells of all that are done. */
void cm_ring_epoll_wait(struct cm_ring_epoll *epoll, int64_t timeout_ns,
                        void (*done)(void *context, struct cm_op *op, int32_t result),
                        void *context);

#endif
