// SPDX-License-Identifier: Apache-2.0
/* windows.h — sliding windows and calendar periods over panes, for every unit, with running
 * accumulators.
 *
 *                     left                                    asof
 *   ── gone ──────────┤ accumulator = their sum               ┤ not yet ──► event time
 *
 * An accumulator is the exact sum of the counted legs with left <= ts < asof, as soon as somebody
 * looks: then the legs of panes that came in since the last look are added and those of panes that
 * left are subtracted, and so are legs that came since in panes that are in already
 * (windows_fold.c): integers only, so nothing drifts. Moving a window on sets a bit in panes and
 * adds nothing; an event goes into its pane and touches no accumulator. A calendar period is the
 * same with `left` at its first instant; when a new one begins the accumulators start from zero.
 *
 * Two views share the panes: ROWS for figures (every window and period, all kinds), RULES for
 * breach rules and closed periods, which trail at the watermark while ROWS may run ahead of it.
 *
 * THREADS   One thread; one of these a worker.
 * TIME      Event time, ms. The watermark is an argument.
 * COST      apply: one hash look-up and one leg, with a hint. advance: a bit for each pane that
 * enters or leaves. The first look afterwards: each leg that entered or left, once for each of its
 * about five units. measure: a copy. Memory: see cm_windows_memory().
 */
#ifndef CM_WINDOW_WINDOWS_H
#define CM_WINDOW_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "event/event.h"
#include "event/figures.h"
#include "event/gauge.h"
#include "event/roster.h"
#include "event/unit.h"

enum cm_view { CM_VIEW_ROWS, CM_VIEW_RULES, CM_VIEW_COUNT };

enum cm_verdict {
    CM_VERDICT_COUNTED,   /* a leg that counts, or an event that is accepted and counts nothing */
    CM_VERDICT_REVISED,   /* a leg that replaces an earlier revision */
    CM_VERDICT_DUPLICATE, /* an id that is remembered, with no higher revision: dropped */
    CM_VERDICT_LATE       /* no live window or period covers it: for the dead letters */
};

struct cm_windows;

/* rules_windows: bit i set for windows (index in config->all) of the RULES view; rules_kinds: bit
 * of each kind in it. Both 0: no such view. Borrows configuration and roster. */
struct cm_windows *cm_windows_create(const struct cm_config *config, const struct cm_roster *roster,
                                     uint32_t rules_windows, uint32_t rules_kinds);
void cm_windows_destroy(struct cm_windows *windows);
void cm_windows_set_roster(struct cm_windows *windows, const struct cm_roster *roster);
/* For a reader of several sources, which do not keep step when there is much to catch up. Before
 * each event: the newest event time of its own source so far, by which ids are forgotten, and that
 * of the slowest source, by which memory is given back; INT64_MIN: none yet. Without this call both
 * are the newest event time of all. */
void cm_windows_set_clock(struct cm_windows *windows, int64_t source_ms, int64_t slowest_ms);
struct cm_units *cm_windows_units(struct cm_windows *windows);
/* Length of a pane, ms: the greatest that divides all steps and lengths (and 1 s where there are
 * periods). */
int64_t cm_windows_pane_ms(const struct cm_windows *windows);

/* What is known of an event before it is taken. Filled by cm_windows_expect(), for these windows
 * and that event alone; it holds however long it takes until then, whatever comes in between:
 * numbers of units and of sets are never given anew, and what hangs on the roster is looked up
 * again when that was exchanged. The caller owns it; it points nowhere. */
struct cm_hint {
    uint64_t id_low, id_high; /* hash of the event's id */
    int64_t pane_no;          /* event time / pane length, rounded down */
    uint32_t seat;            /* number of its seat; CM_UNIT_NONE: it has none, or a new one */
    uint32_t set;             /* of the units it counts for; CM_UNIT_NONE: not known yet */
    uint32_t rosters;         /* exchanged until then, modulo 2^32 */
};

/* These events are taken next. What they will touch is fetched from memory for all of them at once,
 * where taking one after the other would wait for each. At most CM_WINDOWS_EXPECT of them, and as
 * many hints. */
#define CM_WINDOWS_EXPECT 16u
void cm_windows_expect(const struct cm_windows *windows, const struct cm_event *const *events,
                       uint32_t count, struct cm_hint *hints);
/* Takes one event. `hint`: its own, or NULL: nothing is known. watermark_ms is the watermark before
 * it (INT64_MIN: none yet). */
enum cm_verdict cm_windows_apply(struct cm_windows *windows, const struct cm_event *event,
                                 const struct cm_hint *hint, int64_t watermark_ms);
/* Counts the judgements (`check`) before that instant, which the watermark has passed. Each counts
 * in what is as of later than itself: call with the ts of the next one + 1, after whatever is as of
 * up to that ts, and then with the watermark. */
void cm_windows_settle(struct cm_windows *windows, int64_t before_ms);
/* The ts of the earliest judgement that waits; INT64_MAX: none. */
int64_t cm_windows_next_judgement(const struct cm_windows *windows);

/* The first as-of instant of a window that is still open at a watermark: the first multiple of its
 * step that is greater. And the first one whose window holds (or whose period is at) an instant. */
int64_t cm_window_next_asof(const struct cm_window_spec *window, int64_t ts_ms);
/* Whether any live window or period (with an as-of instant > watermark) covers that event time. */
bool cm_windows_covered(const struct cm_windows *windows, int64_t ts_ms, int64_t watermark_ms);

/* Moves one window of a view to asof_ms (a multiple of its step, never back). What comes later and
 * belongs before asof_ms is in the figures as of it as well. */
void cm_windows_advance(struct cm_windows *windows, enum cm_view view, uint32_t window,
                        int64_t asof_ms);
/* The first as-of instant after the window's own at which anything can change: a pane enters or
 * leaves, a late event has come, a period ends. INT64_MAX when there is none in sight. */
int64_t cm_windows_next_change(const struct cm_windows *windows, enum cm_view view,
                               uint32_t window);
/* The first as-of instant at which a pane that waits comes in; INT64_MAX when none waits. */
int64_t cm_windows_next_entry(const struct cm_windows *windows, enum cm_view view, uint32_t window);
/* INT64_MIN before the first advance. */
int64_t cm_windows_asof(const struct cm_windows *windows, enum cm_view view, uint32_t window);
/* Gives back the panes that no window of any view can need again. Call after advancing. */
void cm_windows_trim(struct cm_windows *windows);

/* The figures of a unit as of the window's asof. Returns false, and zeros, when the window is
 * empty; time in offline stands in the details all the same, for whoever has the rest of the unit.
 * The histogram and the details in *out are borrowed until the next call for this object: neither
 * change nor free them. */
bool cm_windows_measure(struct cm_windows *windows, enum cm_view view, uint32_t window,
                        uint32_t unit, struct cm_measures *out);
/* Units whose figures may have changed since the last call, each once, with a bit a window; in no
 * order. In the ROWS view also those of which figures that were read as of an earlier instant hold
 * no longer as of that instant: what came has left the window meanwhile. So whatever was read last
 * of a unit without a mark is right as of its own asof. The list is emptied by the call and
 * borrowed until the next one. */
struct cm_changed_unit {
    uint32_t unit;
    uint32_t windows;
};
const struct cm_changed_unit *cm_windows_changed(struct cm_windows *windows, enum cm_view view,
                                                 uint32_t *count);
/* The same for one window only: others stay marked. */
const struct cm_changed_unit *cm_windows_changed_in(struct cm_windows *windows, enum cm_view view,
                                                    uint32_t window, uint32_t *count);
/* A hint, for a walk over such a list: the unit at `at` is measured now, those behind it soon. What
 * they have is fetched from memory step by step, while others are measured. */
void cm_windows_expect_rows(const struct cm_windows *windows, enum cm_view view,
                            const struct cm_changed_unit *changed, uint32_t count, uint32_t at);
/* Marks every unit in every window. */
void cm_windows_touch_all(struct cm_windows *windows, enum cm_view view);

struct cm_unit_gauge {
    uint32_t unit;
    struct cm_gauge gauge;
};
/* What changed since the last call, and every unit in which a call waits; a unit may come twice,
 * once for its states and once for its queues. now_ms: event time now. Borrowed until the next
 * call. cm_windows_touch_all() of ROWS brings all states again. */
const struct cm_unit_gauge *cm_windows_gauges(struct cm_windows *windows, int64_t now_ms,
                                              uint32_t *count);
/* Empty windows in place of others go on with their count of orphans: see cm_queue_waits_carry().
 */
void cm_windows_carry_orphans(struct cm_windows *windows, const struct cm_windows *before);
/* Waiting calls that never left (orphan_after), so far. */
uint64_t cm_windows_orphans(const struct cm_windows *windows);

/* Legs in panes. O(1). */
uint64_t cm_windows_entries(const struct cm_windows *windows);
/* Walks all units: for benchmarks and tests. */
struct cm_windows_memory {
    uint64_t entries; /* legs in panes */
    uint64_t units;
    size_t panes_bytes, accumulator_bytes, journal_bytes;
};
void cm_windows_memory(const struct cm_windows *windows, struct cm_windows_memory *out);

#endif
