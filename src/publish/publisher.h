// SPDX-License-Identifier: Apache-2.0
/* publisher.h — figures, boards, members, rankings, breaches and meta into Redis.
 *
 *   tick:  begin ─► row, row, .. ─► breach .. ─► end(meta) ──► one pipelined write ──► all answered
 *            ▲                                                                             │
 *            └─────────────────────────────────────────────────────────────────────────────┘
 *
 * Every write is an absolute value, so writing again is harmless. Nothing queues up: while Redis
 * has not answered the last tick cm_publisher_try_begin() says false, changes gather in the
 * workers, and the newest value goes out when it can (conflation). Breach events do queue up
 * (bounded), since each is news.
 *
 * What is written (prefix from the configuration, contract section 6):
 *   <kind>:<id>                    hash, a field a window: {"asof":..,figures}       (layout units)
 *   board:<kind>:<id>:<window>     hash, a field a child, `.` the unit itself       (layout boards)
 *   members:<kind>:<id>            sets, when units appear
 *   units:<kind>                   the same
 *   history:<kind>:<id>:<period>   hash, closed periods by start date, trimmed by field
 *   rank:<kind>:<window>:<metric>  sorted sets, for the configured rankings; null leaves the set
 *   breaches (stream, channel), breaches:active (hash), meta (hash)
 *
 * A board's children: team: its seats; room: its teams; centre: its rooms, its seats without a
 * team, its teams without a room, and seats that the roster lacks (placement.h). A field is the
 * child's id; ids of a room, a team and a seat straight under one centre should differ, or they
 * share a field. A move (a reloaded roster, or the `from` of a row that asof reaches) takes the
 * child off the old board and asks for everything once more.
 *
 * No regress: at each connection the publisher reads `meta` and `asof` there; until the tick's asof
 * has reached it, whatever the configuration, nothing is written: the gate. A process that starts
 * again thus catches up silently and never shows figures older than what is already on the boards.
 * Breach events do not wait for the gate; those that the stream has are left out (breach_feed.h).
 *
 * ERRORS   A tick that Redis refuses for the moment (out of memory, read-only, ..) goes out again
 * as a whole after 1 s, 2 s .. 30 s, and no other before. A key that holds another type is logged
 * and passed over. Rows of larger ticks are not answered one by one (quiet.h): when Redis counts a
 * refusal meanwhile, the tick goes out again at once, with answers.
 *
 * THREADS   One thread, that of the ring. OWNERSHIP Configuration and roster are borrowed.
 */
#ifndef CM_PUBLISH_PUBLISHER_H
#define CM_PUBLISH_PUBLISHER_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "event/figures.h"
#include "event/gauge.h"
#include "event/roster.h"
#include "event/unit.h"
#include "io/ring.h"

struct cm_publisher;

struct cm_publisher_options {
    const struct cm_config *config;
    const struct cm_roster *roster;
    const char *instance; /* name of this process in `meta`: host:pid */
    /* Every unit is to be handed over in the next tick: Redis was reached (again) and may know
     * nothing, or a tick was refused, or a unit has moved to another board. Also called by
     * cm_publisher_try_begin() before it says false; must only take note. May be NULL. */
    void (*on_resync)(void *context);
    void *context;
};

struct cm_publisher *cm_publisher_create(struct cm_ring *ring,
                                         const struct cm_publisher_options *options);
void cm_publisher_destroy(struct cm_publisher *publisher);
/* A reloaded roster: members are written again with the next tick. */
void cm_publisher_set_roster(struct cm_publisher *publisher, const struct cm_roster *roster);
/* Connects, reconnects, sends; call at least every 50 ms. */
void cm_publisher_poll(struct cm_publisher *publisher, int64_t now_mono_ns);

/* Begins a tick whose live edge is asof_ms. false: Redis is not there, has not answered the last
 * tick, or the gate is closed: try again later, hand over nothing. */
bool cm_publisher_try_begin(struct cm_publisher *publisher, int64_t asof_ms);
/* One unit in one window, changed since it was last handed over; at most once a tick, rows of a
 * unit together, for speed. `number` is the caller's for that unit, dense from 0 (CM_UNIT_NONE:
 * none): the way to it is short when it stood for the same unit before. Empty windows come as zeros
 * (m->tally all 0). */
void cm_publisher_row(struct cm_publisher *publisher, const struct cm_unit_key *key,
                      uint32_t number, uint32_t window, int64_t asof_ms,
                      const struct cm_measures *m);
/* The live picture of a unit, inside a tick: field `now` of its hash (layout `units`). Before the
 * rows of the unit, so that it goes out with them; at most once a tick. */
void cm_publisher_now(struct cm_publisher *publisher, const struct cm_unit_key *key,
                      int64_t asof_ms, const struct cm_gauge *gauge);
/* A closed period, inside a tick; kept and sent again until Redis has it. history.keep 0s: nothing.
 * `label` is its first local date. */
void cm_publisher_history(struct cm_publisher *publisher, const struct cm_unit_key *key,
                          uint32_t window, const char *label, int64_t asof_ms,
                          const struct cm_measures *m);
struct cm_publisher_meta {
    int64_t asof_ms, watermark_ms;
    uint64_t lag; /* records not yet read */
    uint64_t records, counted, duplicates, revised, late, bad;
};
/* Ends the tick: everything goes out; call it also when no row has changed: it writes the
 * heartbeat. */
void cm_publisher_end(struct cm_publisher *publisher, const struct cm_publisher_meta *meta);
/* Any time: queued (at most 65,536; then the oldest are dropped, counted and logged) and sent with
 * the next chance. firing: the event becomes the active one of its key; otherwise the key is
 * removed. */
void cm_publisher_breach(struct cm_publisher *publisher, struct cm_str dedup_key,
                         struct cm_str json, bool firing);
/* Every tick and every breach event handed over is in Redis. (Questions of housekeeping may be
 * open.) */
bool cm_publisher_is_idle(const struct cm_publisher *publisher);
/* Something was written that a connected Redis has not answered; one that is silent for 10 s counts
 * as lost. */
bool cm_publisher_awaits_answer(const struct cm_publisher *publisher);
/* A tick is open, or Redis has not answered the last one: another would not begin yet. */
bool cm_publisher_is_busy(const struct cm_publisher *publisher);
bool cm_publisher_is_connected(const struct cm_publisher *publisher);
/* What was in `meta` when Redis was reached; false: nothing, or it is not connected. Periods that
 * end up to watermark_ms are in Redis. INT64_MIN: not known, or of another configuration. */
bool cm_publisher_stored(const struct cm_publisher *publisher, int64_t *asof_ms,
                         int64_t *watermark_ms);
/* A closed period was handed over that Redis has not yet answered: what it was made of must stay
 * within reach of a rebuild. */
bool cm_publisher_owes_history(const struct cm_publisher *publisher);
struct cm_publisher_counts {
    uint64_t ticks, rows;      /* ticks that were written and answered; rows in them */
    uint64_t connections;      /* so far */
    uint64_t breaches_dropped; /* breach events lost: from a full queue, or their key was refused */
    uint64_t quiet_ticks;      /* whose rows were not answered one by one, and were all taken */
    uint64_t doubts;           /* ticks sent again since some HSET was refused meanwhile */
};
struct cm_publisher_counts cm_publisher_counts(const struct cm_publisher *publisher);

#endif
