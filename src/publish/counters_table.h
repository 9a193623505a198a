// SPDX-License-Identifier: Apache-2.0
/* counters_table.h — every counter of the process, once: the struct, the Prometheus page and
 * docs/counters.md come from these rows.
 *
 * X(name, COUNTER | GAUGE, unit, help, advice); served as callmill_<name>. A COUNTER only grows
 * while the process lives. CM_COUNTERS_BY_REASON: one row a reason of CM_REASON_MAP, as label
 * `reason`.
 */
#ifndef CM_PUBLISH_COUNTERS_TABLE_H
#define CM_PUBLISH_COUNTERS_TABLE_H

// clang-format off
#define CM_COUNTERS(X) \
    X(records_total,           COUNTER, "records", "Records read from the source, bad ones included.", "Flat while the topic grows: the consumer has lost its partitions; see the log.") \
    X(counted_total,           COUNTER, "records", "Records that counted in at least one window or gauge.", "") \
    X(duplicates_total,        COUNTER, "records", "Records dropped because their id was seen within the dedupe horizon.", "Some are normal after a producer's retry; a steady share means that something sends twice.") \
    X(revised_total,           COUNTER, "records", "Records that replaced an earlier revision of the same id.", "") \
    X(orphans_total,           COUNTER, "calls",   "Calls that entered a queue and never left it: taken out after `orphan_after`.", "A steady share means that queue_exit events get lost, or have another call or queue id.") \
    X(dead_letters_lost_total, COUNTER, "records", "Dead letters that could not be kept: the file or topic was too slow or failed.", "Look at the disk or the topic of the dead letters.") \
    X(ticks_total,             COUNTER, "ticks",   "Ticks written to Redis and answered.", "Fewer than one a `tick` setting: Redis is slow or not there.") \
    X(rows_published_total,    COUNTER, "rows",    "Units times windows written to Redis.", "") \
    X(quiet_ticks_total,       COUNTER, "ticks",   "Ticks whose rows Redis took without an answer each.", "") \
    X(doubted_ticks_total,     COUNTER, "ticks",   "Ticks sent again with answers because Redis had refused an HSET of somebody meanwhile.", "Steady growth: another client's HSETs fail on this Redis, or ours; see the log.") \
    X(redis_reconnects_total,  COUNTER, "connections", "Connections to Redis after the first.", "Each makes all figures go out again; look for restarts or timeouts.") \
    X(breaches_total,          COUNTER, "events",  "Breach events that the rules gave out.", "") \
    X(breaches_dropped_total,  COUNTER, "events",  "Breach events lost: the queue was full or Redis refused the key.", "Anything above 0 deserves a look at the log.") \
    X(lag_records,             GAUGE,   "records", "Records in the topic that are not yet read.", "Growing: add workers or instances.") \
    X(watermark_ms,            GAUGE,   "ms",      "Event time up to which all is taken to be in, ms since the epoch.", "Standing still while records come: a partition or a producer's clock holds it back.") \
    X(asof_ms,                 GAUGE,   "ms",      "The instant as of which figures were last published, ms since the epoch.", "Far behind the clock: the process is catching up, or event time is.") \
    X(pane_entries,            GAUGE,   "legs", "Legs in the panes of all workers, each once: what memory use follows.", "") \
    X(units,                   GAUGE,   "units",   "Seats, teams, rooms, centres and queues seen so far.", "Growing without end: a producer puts call ids where seats belong.") \
    X(breaches_active,         GAUGE,   "breaches", "Breaches that are firing now.", "") \
    X(redis_connected,         GAUGE,   "",        "1 while Redis is connected and may be written to, else 0.", "0 for long: address, password, network; the log says which.")
#define CM_COUNTERS_BY_REASON(X) \
    X(dead_letters_total,      COUNTER, "records", "Records that did not count, by reason.", "docs/dead-letters.md says what to do about each reason.")
// clang-format on

#endif
