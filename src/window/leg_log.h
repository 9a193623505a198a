// SPDX-License-Identifier: Apache-2.0
/* leg_log.h — the legs that a window holds or a revision may still take back, in the order of their
 * arrival. Whoever needs one knows its place.
 *
 *   chunks of 2 MiB   [ .. first leg leg ] [ leg leg leg leg ] [ leg end .. ]   (used again)
 *
 * A leg lies here once: panes (pane.h), the tracks of cells and the journal hold its place, 4
 * bytes. Legs come nearly in the order of their time, so those that go lie side by side.
 *
 * THREADS   One thread. OWNERSHIP The log owns legs and their verdicts by name.
 * COST      64 bytes a leg, and a block of memory for one with more than seven verdicts.
 */
#ifndef CM_WINDOW_LEG_LOG_H
#define CM_WINDOW_LEG_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "window/leg.h"

#define CM_LEG_CHUNK_BITS 15u /* 2^15 legs of 64 bytes: a huge page */
#define CM_LEG_CHUNK_LEGS (1u << CM_LEG_CHUNK_BITS)

/* Zero-initialised is an empty one. */
struct cm_leg_log {
    struct cm_leg **chunks; /* a ring: the chunk of place p at (p >> CM_LEG_CHUNK_BITS) & mask */
    uint32_t mask;
    uint32_t first, end;  /* places, modulo 2^32 */
    struct cm_leg *spare; /* a chunk that waits for the next legs; NULL: none */
    size_t bytes;
};

void cm_leg_log_free(struct cm_leg_log *log);
/* Appends a leg whose content the caller sets; valid until that is forgotten. Its place is
 * log->end - 1 afterwards. At most 2^31 at once (CM_ASSERT). */
struct cm_leg *cm_leg_log_add(struct cm_leg_log *log);
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

#endif
