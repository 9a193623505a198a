// SPDX-License-Identifier: Apache-2.0
/* bump.h — memory for many small things that all stay until the end: one behind the other in large
 * pieces, which lie in huge pages once there are many.
 *
 * THREADS   One thread. OWNERSHIP The bump owns all that it handed out; nothing is freed singly.
 * COST      No bytes an item; the pieces double from 64 KiB to 2 MiB.
 */
#ifndef CM_BASE_BUMP_H
#define CM_BASE_BUMP_H

#include <stddef.h>

struct cm_bump_piece;

/* Zero-initialised is an empty one. */
struct cm_bump {
    struct cm_bump_piece *pieces; /* the newest first */
    size_t used, size_bytes;      /* of the newest */
    size_t bytes;                 /* of all */
};

/* Zeroed, aligned to a cache line; never NULL. At most 1 MiB (CM_ASSERT). */
void *cm_bump_alloc(struct cm_bump *bump, size_t size_bytes);
void cm_bump_free(struct cm_bump *bump); /* all of it; the bump is empty again */

#endif
