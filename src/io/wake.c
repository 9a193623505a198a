// SPDX-License-Identifier: Apache-2.0
/* wake.c — an event descriptor polled by the ring, one shot at a time.
 *
 * done() empties the counter before it polls again, and poll is level-triggered: a post between the
 * two is seen by the new poll, so none is lost; posts while the owner is busy melt into one. The
 * posting side is one write(2) and shares no memory with the owner but the descriptor's number.
 */
#include "io/wake.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fail.h"

static void wake_done(struct cm_op *op, int32_t result, uint32_t flags)
{
    (void)flags;
    struct cm_wake *wake = (struct cm_wake *)(void *)op; /* its first member */
    if (result == -ECANCELED) {
        return;
    }
    uint64_t posts;
    ssize_t n = read(wake->fd, &posts, sizeof(posts));
    CM_ASSERT(n == (ssize_t)sizeof(posts) || errno == EAGAIN);
    cm_ring_poll(wake->ring, op, wake->fd, POLLIN);
}

int cm_wake_open(struct cm_wake *wake, struct cm_ring *ring)
{
    _Static_assert(offsetof(struct cm_wake, op) == 0, "wake_done() relies on it");
    memset(wake, 0, sizeof(*wake));
    wake->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake->fd < 0) {
        return cm_fail(CM_ERR_IO, "cannot create an event descriptor: %s", strerror(errno));
    }
    wake->ring = ring;
    wake->op.done = wake_done;
    cm_ring_poll(ring, &wake->op, wake->fd, POLLIN);
    return 0;
}

void cm_wake_post(const struct cm_wake *wake)
{
    int saved = errno; /* may be a signal handler */
    const uint64_t one = 1;
    /* It can only fail because the counter is full, and then a wake-up is already on its way. */
    ssize_t n = write(wake->fd, &one, sizeof(one));
    (void)n;
    errno = saved;
}

void cm_wake_close(struct cm_wake *wake)
{
    /* A wake-up that comes in between polls again, so ask until it is out. */
    while (wake->op.in_flight) {
        cm_ring_cancel(wake->ring, &wake->op);
        (void)cm_ring_wait(wake->ring, -1);
    }
    (void)close(wake->fd);
    wake->fd = -1;
}
