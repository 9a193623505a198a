// SPDX-License-Identifier: Apache-2.0
#include "engine/run_counters.h"

#include "base/log.h"

#include <string.h>

void cm_frame_counters_clear(struct cm_frame_counters *sum)
{
    memset(sum, 0, sizeof(*sum));
}

void cm_frame_counters_add(struct cm_frame_counters *sum, const struct cm_frame_counters *worker)
{
    sum->records += worker->records;
    sum->counted += worker->counted;
    sum->duplicates += worker->duplicates;
    sum->revised += worker->revised;
    sum->orphans += worker->orphans;
    for (int i = 0; i < CM_REASON_COUNT; i++) {
        sum->dead[i] += worker->dead[i];
    }
    sum->dead_lost += worker->dead_lost;
    sum->entries += worker->entries;
    sum->units += worker->units;
}

void cm_frame_counters_meta(const struct cm_frame_counters *sum, struct cm_publisher_meta *meta)
{
    meta->records = sum->records;
    meta->counted = sum->counted;
    meta->duplicates = sum->duplicates;
    meta->revised = sum->revised;
    meta->late = sum->dead[CM_REASON_LATE];
    meta->bad = 0;
    for (int i = 1; i < CM_REASON_COUNT; i++) {
        meta->bad += i == CM_REASON_LATE ? 0 : sum->dead[i];
    }
}

static void count_one(void *context, const struct cm_breach *breach)
{
    (void)breach;
    (*(uint64_t *)context)++;
}

void cm_run_count(struct cm_counters *counters, const struct cm_frame_counters *sum,
                  const struct cm_publisher_meta *meta, const struct cm_publisher *publisher,
                  const struct cm_breaches *breaches, uint64_t breaches_emitted)
{
    cm_counter_set(&counters->records_total, sum->records);
    cm_counter_set(&counters->counted_total, sum->counted);
    cm_counter_set(&counters->duplicates_total, sum->duplicates);
    cm_counter_set(&counters->revised_total, sum->revised);
    cm_counter_set(&counters->orphans_total, sum->orphans);
    cm_counter_set(&counters->dead_letters_lost_total, sum->dead_lost);
    for (int i = 1; i < CM_REASON_COUNT; i++) {
        cm_counter_set(&counters->dead_letters_total[i], sum->dead[i]);
    }
    cm_counter_set(&counters->pane_entries, sum->entries);
    cm_counter_set(&counters->units, sum->units);
    cm_counter_set(&counters->lag_records, meta->lag);
    cm_counter_set(&counters->watermark_ms,
                   meta->watermark_ms > 0 ? (uint64_t)meta->watermark_ms : 0);
    cm_counter_set(&counters->asof_ms, meta->asof_ms > 0 ? (uint64_t)meta->asof_ms : 0);
    struct cm_publisher_counts published = cm_publisher_counts(publisher);
    cm_counter_set(&counters->ticks_total, published.ticks);
    cm_counter_set(&counters->rows_published_total, published.rows);
    cm_counter_set(&counters->quiet_ticks_total, published.quiet_ticks);
    cm_counter_set(&counters->doubted_ticks_total, published.doubts);
    cm_counter_set(&counters->redis_reconnects_total,
                   published.connections > 0 ? published.connections - 1 : 0);
    cm_counter_set(&counters->redis_connected, cm_publisher_is_connected(publisher));
    cm_counter_set(&counters->breaches_dropped_total, published.breaches_dropped);
    cm_counter_set(&counters->breaches_total, breaches_emitted);
    uint64_t firing = 0;
    if (breaches != NULL) {
        cm_breaches_firing(breaches, count_one, &firing);
    }
    cm_counter_set(&counters->breaches_active, firing);
}

void cm_run_report(const struct cm_publisher_meta *meta, const struct cm_publisher *publisher)
{
    struct cm_publisher_counts published = cm_publisher_counts(publisher);
    cm_log(CM_LOG_INFO, "run.figures",
           "records=%llu counted=%llu duplicates=%llu revised=%llu late=%llu bad=%llu lag=%llu "
           "ticks=%llu rows=%llu",
           (unsigned long long)meta->records, (unsigned long long)meta->counted,
           (unsigned long long)meta->duplicates, (unsigned long long)meta->revised,
           (unsigned long long)meta->late, (unsigned long long)meta->bad,
           (unsigned long long)meta->lag, (unsigned long long)published.ticks,
           (unsigned long long)published.rows);
}
