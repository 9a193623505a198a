// SPDX-License-Identifier: Apache-2.0
/* redis_out.h — the bytes that are to be sent: texts one behind another, and one that is filling.
 *
 *   give() ─► waiting texts ─► the first: sent from `sent` on
 *   filling ──────┘ when nothing else waits, or something is given behind it
 *
 * Big texts are not copied in: they change hands, and memory that was sent comes back to whoever
 * gives the next one.
 *
 * OWNERSHIP Zero-initialised is an empty one; cm_redis_out_free() gives its memory back.
 */
#ifndef CM_REDIS_REDIS_OUT_H
#define CM_REDIS_REDIS_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct cm_redis_out {
    struct cm_text filling; /* whoever has something to say adds to it */
    struct cm_text *waiting;
    uint32_t count, cap;
    size_t sent;              /* of the first */
    struct cm_text spares[2]; /* memory of texts that were sent, empty */
};

/* Puts a text behind all that was added; it comes back empty, with memory of an earlier one. */
void cm_redis_out_give(struct cm_redis_out *out, struct cm_text *text);
/* What is to be sent now; false: nothing. It does not move until cm_redis_out_sent() has it all. */
bool cm_redis_out_next(struct cm_redis_out *out, const char **bytes, size_t *len);
void cm_redis_out_sent(struct cm_redis_out *out, size_t len);
size_t cm_redis_out_unsent(const struct cm_redis_out *out);
/* Overwrites all bytes, which were all sent: a password may have passed through. */
void cm_redis_out_wipe(struct cm_redis_out *out);
/* The same, and forgets everything. */
void cm_redis_out_free(struct cm_redis_out *out);

#endif
