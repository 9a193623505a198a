// SPDX-License-Identifier: Apache-2.0
/* partition.h — what a worker keeps about each Kafka partition that it owns: how far it has read,
 * how far its event time has come, and from which offset the live windows could be built again.
 *
 * Watermark: the least over the partitions of (greatest event time seen - allowed_lateness). A
 * partition that was read to its end and has been silent for `idle` does not hold it back; one that
 * has not shown a record yet, nor its end, does.
 *
 * Rebuild index: the first offset of each hour of event time. State is a function of the log: to
 * build the windows and periods again it is enough to read from the first offset of the oldest hour
 * that they reach into. That offset is committed beside the position, as its metadata.
 *
 * THREADS   The worker's. TIME event time ms, monotonic ns.
 */
#ifndef CM_ENGINE_PARTITION_H
#define CM_ENGINE_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CM_PARTITIONS_MAX 1024 /* of one process */

struct cm_hour {
    int64_t hour;   /* event time / 3,600,000 */
    int64_t offset; /* of the first record that fell into it */
};

struct cm_partition {
    int32_t id;
    bool at_end;           /* everything that there is has been read */
    int64_t next_offset;   /* CM_OFFSET_NONE: nothing read yet */
    int64_t known_offset;  /* records below were dealt with before: read again to rebuild */
    int64_t newest_ms;     /* greatest event time; INT64_MIN: none yet */
    int64_t active_ns;     /* when the last record came, or the partition was assigned */
    struct cm_hour *hours; /* rising */
    uint32_t hours_count, hours_cap;
};

/* What a commit carries as its metadata: how to begin again from it. */
struct cm_rebuild {
    int64_t offset;   /* read from here */
    int64_t whole_ms; /* every record with an event time from here on lies there or behind */
    int64_t clock_ms; /* event time now less wall clock; INT64_MIN: not known */
};
#define CM_REBUILD_BYTES 64

void cm_rebuild_write(const struct cm_rebuild *rebuild, char text[CM_REBUILD_BYTES]);
/* committed: the offset beside the metadata, where to begin if the text says nothing better. */
struct cm_rebuild cm_rebuild_read(const char *text, int64_t committed);

void cm_partition_init(struct cm_partition *partition, int32_t id, int64_t now_mono_ns);
void cm_partition_free(struct cm_partition *partition);
/* A record was taken: its offset is done. ts_ms INT64_MIN: it was no event. */
void cm_partition_note(struct cm_partition *partition, int64_t offset, int64_t ts_ms,
                       int64_t now_mono_ns);
/* Offset from which everything at or after from_ms can be read again; next_offset when that is
 * nothing. Forgets the hours before. */
int64_t cm_partition_rebuild_offset(struct cm_partition *partition, int64_t from_ms);
/* Whether every partition has shown a record or its end, or is silent for `idle`. */
bool cm_partitions_have_begun(const struct cm_partition *partitions, uint32_t count,
                              int64_t idle_ms, int64_t now_mono_ns);
/* The least over the partitions of the greatest event time seen, leaving out those that are at
 * their end and silent for `idle`; INT64_MAX for one partition or none. INT64_MIN: one has not
 * begun. */
int64_t cm_partitions_slowest(const struct cm_partition *partitions, uint32_t count,
                              int64_t idle_ms, int64_t now_mono_ns);
/* INT64_MAX: no partition holds it back. INT64_MIN: one has not begun. */
int64_t cm_partitions_watermark(const struct cm_partition *partitions, uint32_t count,
                                int64_t lateness_ms, int64_t idle_ms, int64_t now_mono_ns);

#endif
