// SPDX-License-Identifier: Apache-2.0
/* decode_pool.h — decodes blocks of lines on several threads and gives them back in order.
 *
 *   caller ─ submit ─► [block][block][block] ─► decoders ─► [decoded] ─ next (oldest first) ─►
 * caller
 *
 * The order of events is the order of the input for any number of threads, so whoever applies them
 * sees the same stream: that is what makes `replay` the same to the byte. The caller decodes, too,
 * while it waits.
 *
 * THREADS   One caller. A block belongs to the decoder between submit and next.
 * OWNERSHIP A decoded block is borrowed until the following call of cm_decode_pool_next().
 */
#ifndef CM_ENGINE_DECODE_POOL_H
#define CM_ENGINE_DECODE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"
#include "event/reason.h"

struct cm_decoded {
    struct cm_str line;     /* the record's bytes */
    uint32_t line_in_block; /* from 0 */
    enum cm_reason reason;  /* NONE: event is set */
    struct cm_event event;
};

struct cm_decoded_block {
    const char *source; /* as given to submit */
    struct cm_decoded *at;
    uint32_t count;
    uint64_t first_line; /* the number of its first line in the file, from 1 */
    uint64_t lines;      /* blank ones included */
};

struct cm_decode_pool;

/* threads: decoders in all, the caller among them; 1 starts no thread. */
struct cm_decode_pool *cm_decode_pool_create(uint32_t threads);
void cm_decode_pool_destroy(struct cm_decode_pool *pool);
/* Whether a block can be submitted without taking one out first. */
bool cm_decode_pool_has_room(const struct cm_decode_pool *pool);
/* Whole lines (the last may lack its newline); copied. first_line: number of the first one; 0: the
 * one after the last of the block submitted before. */
void cm_decode_pool_submit(struct cm_decode_pool *pool, const char *source, const char *bytes,
                           size_t len, uint64_t first_line);
/* The oldest block, decoded; NULL when nothing is submitted. */
const struct cm_decoded_block *cm_decode_pool_next(struct cm_decode_pool *pool);

#endif
