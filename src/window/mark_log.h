// SPDX-License-Identifier: Apache-2.0
/* mark_log.h — the verdicts by name of the legs that can still be taken back: a queue of numbers
 * beside the journal, whose records say where theirs begin.
 *
 * THREADS   One thread. COST 4 bytes a verdict.
 */
#ifndef CM_WINDOW_MARK_LOG_H
#define CM_WINDOW_MARK_LOG_H

#include <stddef.h>
#include <stdint.h>

struct cm_mark_log {
    uint32_t *at; /* a ring: place p at p & (cap - 1) */
    uint32_t first, end, cap;
};

/* Appends one; returns its place (modulo 2^32). */
uint32_t cm_mark_log_add(struct cm_mark_log *log, uint32_t value);
uint32_t cm_mark_log_at(const struct cm_mark_log *log, uint32_t place);
/* Forgets all before that place. */
void cm_mark_log_drop(struct cm_mark_log *log, uint32_t until);
void cm_mark_log_free(struct cm_mark_log *log);

#endif
