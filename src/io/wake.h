// SPDX-License-Identifier: Apache-2.0
/* wake.h — wakes a thread that waits in its ring, through an event descriptor that the ring polls.
 * cm_wake_post() may be called by any thread and from a signal handler. */
#ifndef CM_IO_WAKE_H
#define CM_IO_WAKE_H

#include "io/ring.h"

struct cm_wake {
    struct cm_op op;
    struct cm_ring *ring;
    int fd;
};

CM_NODISCARD int cm_wake_open(struct cm_wake *wake, struct cm_ring *ring);
void cm_wake_post(const struct cm_wake *wake);
/* Before cm_ring_destroy(). */
void cm_wake_close(struct cm_wake *wake);

#endif
