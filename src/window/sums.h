// SPDX-License-Identifier: Apache-2.0
/* sums.h — pairs of integers per unit and key over sliding windows and periods: what is known of a
 * unit beside its tally (seats by state, checks by name, ...).
 *
 *   a unit's items  ── dropped ──┤ [key: +a,+b] [..] [..] [..] [..]
 *   cursors                            ▲ left           ▲ asof       one pair a window
 *
 * A cursor stands between two panes and holds, of every cell (unit and key), the sum of all that
 * was ever added before it. A window is the difference of its two cursors. A unit's cells follow
 * the cursors when somebody looks: the items that were passed are added. What comes late is added
 * at once where a cursor has passed it. Sums are modulo 2^64, so a difference is exact whatever was
 * taken back. When a period begins its left cursor jumps to where its asof cursor stands.
 *
 * State time needs no work while a state holds: seats in a state are counted as +1 and -1 (a), and
 * their moments as +ts and -ts (b), so the time spent in it up to an instant p is a * p - b, and
 * that of a window the difference of that at its two cursors.
 *
 * THREADS   One thread. TIME Event time, ms; pane numbers are event time / pane length.
 * COST      add: one look-up in an array of the unit, and its newest item. Moving: the units of
 * each pane once a cursor. Looking: each item once a cursor. Memory: 32 bytes an item, 32 bytes a
 * cell and window, 24 bytes a unit and window once it was looked at.
 */
#ifndef CM_WINDOW_SUMS_H
#define CM_WINDOW_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "event/event.h"

/* What the two numbers of a key are:
 *   state      seats in that state, and the sum of the moments of their changes
 *   source     checks of `check` events of that source: evaluated, passed
 *   judged     legs that a judgement made checked; compliant (may go below 0)
 *   weight     weight of the checks of judgements, and of those passed
 *   veto       failed vetoes of judgements
 *   names      checks of that name: evaluated, passed */
#define CM_SUM_STATE  0u /* + enum cm_state */
#define CM_SUM_SOURCE (CM_SUM_STATE + CM_STATE_COUNT)
#define CM_SUM_JUDGED (CM_SUM_SOURCE + CM_SOURCE_COUNT)
#define CM_SUM_WEIGHT (CM_SUM_JUDGED + 1u)
#define CM_SUM_VETO   (CM_SUM_WEIGHT + 1u)
#define CM_SUM_NAMES  (CM_SUM_VETO + 1u)

#define CM_SUM_NAMES_MAX 4096u /* distinct names of checks; the rest counts as "*" */

struct cm_sum {
    uint64_t a, b; /* two's complement */
};

struct cm_sums;

/* A window of somebody's: told when the figures of a unit in it change. */
typedef void (*cm_sums_changed_fn)(void *context, uint32_t span, uint32_t unit);

struct cm_sums *cm_sums_create(int64_t pane_ms, cm_sums_changed_fn changed, void *context);
void cm_sums_destroy(struct cm_sums *sums);
/* A further window; spans are numbered from 0. Before anything is added. kinds: bit of each kind of
 * unit that it is kept for. */
uint32_t cm_sums_add_span(struct cm_sums *sums, bool is_period, uint32_t kinds);
/* Of that window, no period, also told: what comes when it has left already. It belongs to what was
 * shown as of an earlier instant. */
void cm_sums_tell_left(struct cm_sums *sums, uint32_t span);

/* The key of a check's name. The text is copied, and never moves. */
uint32_t cm_sums_name_key(struct cm_sums *sums, struct cm_str name);
struct cm_str cm_sums_name(const struct cm_sums *sums, uint32_t key);
/* All names by their bytes: keys less CM_SUM_NAMES, *count of them. Valid until the next name. */
const uint16_t *cm_sums_name_order(const struct cm_sums *sums, uint32_t *count);
/* Adds at an instant, in any order; kind is the unit's. */
void cm_sums_add(struct cm_sums *sums, uint32_t unit, uint32_t kind, uint32_t key, int64_t ts_ms,
                 struct cm_sum sum);

/* Moves a window to [left_no, asof_no), never back. */
void cm_sums_move(struct cm_sums *sums, uint32_t span, int64_t left_no, int64_t asof_no);
/* Gives back the panes that no cursor has before it. Call after moving. */
void cm_sums_trim(struct cm_sums *sums);
/* The first pane at or after asof_no, at or after left_no; INT64_MAX when there is none. */
int64_t cm_sums_next_entry_no(const struct cm_sums *sums, uint32_t span);
int64_t cm_sums_next_leave_no(const struct cm_sums *sums, uint32_t span);

/* Whether time runs in the window without any change: somebody is signed on at its end, or was at
 * its beginning. And marks the units of which that is true as changed: O(cells). So does time in
 * offline for all but seats: where several workers have seats of a unit, their shares must be of
 * about the same instant. */
bool cm_sums_is_running(const struct cm_sums *sums, uint32_t span);
void cm_sums_mark_running(struct cm_sums *sums, uint32_t span);

/* Whether no seat changes its state within a sliding window: the time in each state stays as it is
 * until something enters or leaves. A period grows. */
bool cm_sums_is_steady(const struct cm_sums *sums, uint32_t span);

/* One more than the greatest key of a unit. */
uint32_t cm_sums_keys(const struct cm_sums *sums, uint32_t unit);
/* What lies in the window. */
struct cm_sum cm_sums_get(const struct cm_sums *sums, uint32_t span, uint32_t unit, uint32_t key);
/* Time that the seats of the unit spent in that state within the window, ms. */
uint64_t cm_sums_state_ms(const struct cm_sums *sums, uint32_t span, uint32_t unit,
                          enum cm_state state);

/* ms by which that time grows while a ms passes, until something enters or leaves: seats in the
 * state where the window ends less (unless it is a period) those where it begins. */
int32_t cm_sums_state_running(const struct cm_sums *sums, uint32_t span, uint32_t unit,
                              enum cm_state state);

size_t cm_sums_bytes(const struct cm_sums *sums);

#endif
