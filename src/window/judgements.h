// SPDX-License-Identifier: Apache-2.0
/* judgements.h — `check` events: which leg each belongs to, and what it adds to that leg's units.
 *
 *   check ──► waits until the watermark has reached its ts ──► leg of its call and seat? ──► sums
 *                                                               └ log of legs, 7 days
 *
 * A judgement comes minutes or days after its call. So each counted leg leaves a line in a log:
 * call and seat, when, which units, whether it was checked and compliant. The log is written always
 * and read only once a judgement comes: only then is its index built.
 *
 * THREADS   One thread. TIME Event time, ms.
 * COST      A leg: one hash and 24 bytes; once its index is there, 16 to 32 more and two look-ups.
 *           A judgement: one look-up and the additions.
 */
#ifndef CM_WINDOW_JUDGEMENTS_H
#define CM_WINDOW_JUDGEMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "event/event.h"
#include "event/unit.h"
#include "window/marks.h"
#include "window/sums.h"
#include "window/unit_sets.h"

#define CM_JUDGED_NONE UINT32_MAX

/* What judgements have said of a leg. */
struct cm_judged {
    bool any, failed;
};

struct cm_judgements;

struct cm_judgements *cm_judgements_create(const struct cm_config *config, struct cm_sums *sums,
                                           struct cm_unit_sets *sets, const struct cm_units *units);
void cm_judgements_destroy(struct cm_judgements *judgements);

/* Whether a leg is written down: it has a call and a seat. */
bool cm_judgements_keeps(const struct cm_judgements *judgements, const struct cm_event *event);
/* Writes a counted leg down; set: of its units. Returns its place (modulo 2^32), for
 * cm_judgements_drop_leg(); CM_JUDGED_NONE when it is not kept. checked, compliant: by its own
 * record; judged: by judgements of the revision before it. newest_ms: newest event time. */
uint32_t cm_judgements_add_leg(struct cm_judgements *judgements, const struct cm_event *event,
                               uint32_t set, bool checked, bool compliant, struct cm_judged judged,
                               int64_t newest_ms);
/* That leg counts no longer. Returns what judgements have said of it, for the revision that takes
 * its place; the checks that they counted stay where they are. */
struct cm_judged cm_judgements_drop_leg(struct cm_judgements *judgements, uint32_t place);

/* Takes a judgement; `set` are its own units, for want of a leg. Its leg is at most judge_within
 * older than the judgement, or than late_ms (newest event time) when the judgement is late; else
 * INT64_MIN. */
void cm_judgements_take(struct cm_judgements *judgements, const struct cm_event *event,
                        const struct cm_marks *marks, uint32_t set, int64_t late_ms);
/* Counts those before that watermark: no leg that they may belong to can still be in time. */
void cm_judgements_settle(struct cm_judgements *judgements, int64_t watermark_ms);
/* The ts of the earliest one that waits: INT64_MAX when nothing waits at all. */
int64_t cm_judgements_next_ms(const struct cm_judgements *judgements);
size_t cm_judgements_bytes(const struct cm_judgements *judgements);

#endif
