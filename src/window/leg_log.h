// SPDX-License-Identifier: Apache-2.0
/* leg_log.h — the legs that a window holds or a revision may still take back, in the order of their
 * arrival. Whoever needs one knows its place.
 *
 *   chunks of 2 MiB   [ .. first leg leg ] [ leg leg leg leg ] [ leg end .. ]   (used again)
 *
 * A leg lies here once: panes (pane.h) and the journal hold its place, 4 bytes. Legs come nearly in
 * the order of their time, so those that go lie side by side.
 *
 * The legs of a cell are a chain: each knows the place of the one before it. Whoever walks it back
 * can stop where all that came up to then is too old: cm_leg_log_newest_ms().
 *
 * THREADS   One thread. OWNERSHIP The log owns legs and their verdicts by name.
 * COST      64 bytes a leg, and a block of memory for one with more than seven verdicts.
 */
#ifndef CM_WINDOW_LEG_LOG_H
#define CM_WINDOW_LEG_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "window/leg.h"

#define CM_LEG_CHUNK_BITS 15u /* 2^15 legs of 64 bytes: a huge page */
#define CM_LEG_CHUNK_LEGS (1u << CM_LEG_CHUNK_BITS)
#define CM_LEG_BLOCK_BITS 8u /* legs whose newest time is kept */
#define CM_LEG_BLOCKS     (CM_LEG_CHUNK_LEGS >> CM_LEG_BLOCK_BITS)

/* Zero-initialised is an empty one. */
struct cm_leg_log {
    struct cm_leg **chunks; /* a ring: the chunk of place p at (p >> CM_LEG_CHUNK_BITS) & mask */
    int64_t *newest_ms;     /* a ring as well: CM_LEG_BLOCKS a chunk, see below */
    int64_t *chunk_ms;      /* and the newest time in a chunk alone */
    int64_t before_ms;      /* the newest one in front of the last chunk */
    uint32_t mask;
    uint32_t first, end;  /* places, modulo 2^32 */
    struct cm_leg *spare; /* a chunk that waits for the next legs; NULL: none */
    size_t bytes;
};

void cm_leg_log_free(struct cm_leg_log *log);
/* Appends a leg whose content the caller sets; valid until that is forgotten. Its place is
 * log->end - 1 afterwards. At most 2^31 at once (CM_ASSERT). ts_ms: its event time. */
struct cm_leg *cm_leg_log_add(struct cm_leg_log *log, int64_t ts_ms);
/* Gives a leg that has none verdicts by name: as in cm_leg.checks. `checks` is copied. */
void cm_leg_log_set_checks(struct cm_leg_log *log, struct cm_leg *leg, const uint16_t *checks,
                           uint32_t count);
/* From now on that leg adds nothing. */
void cm_leg_log_clear(struct cm_leg_log *log, struct cm_leg *leg);
/* Forgets the oldest leg, which must be there. */
void cm_leg_log_drop(struct cm_leg_log *log);

/* The leg at a place, which must be there. */
static inline struct cm_leg *cm_leg_log_at(const struct cm_leg_log *log, uint32_t place)
{
    return &log->chunks[(place >> CM_LEG_CHUNK_BITS) & log->mask][place & (CM_LEG_CHUNK_LEGS - 1)];
}

/* Whether a leg has that place. */
static inline bool cm_leg_log_has(const struct cm_leg_log *log, uint32_t place)
{
    return (uint32_t)(place - log->first) < (uint32_t)(log->end - log->first);
}

/* No leg that came before the one at that place, or in the block of it, is of a later time. */
static inline int64_t cm_leg_log_newest_ms(const struct cm_leg_log *log, uint32_t place)
{
    return log->newest_ms[(place >> CM_LEG_BLOCK_BITS) & ((log->mask + 1) * CM_LEG_BLOCKS - 1)];
}

#endif
