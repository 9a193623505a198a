// SPDX-License-Identifier: Apache-2.0
#include "engine/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/follow.h"
#include "engine/gauge_merge.h"
#include "engine/merge.h"
#include "engine/ownership.h"
#include "engine/roster_watch.h"
#include "engine/rule_merge.h"
#include "engine/run_counters.h"
#include "engine/run_time.h"
#include "engine/tick_pace.h"
#include "engine/wall_clock.h"
#include "engine/worker.h"
#include "kafka/producer.h"
#include "publish/publisher.h"
#include "rule/breach.h"

#define COMMIT_EVERY_NS CM_NS_PER_S
#define REPORT_EVERY_NS (60 * CM_NS_PER_S)
#define STOP_PUBLISH_NS (2 * CM_NS_PER_S)
#define CM_WORKERS_MAX  256 /* bound of the setting */
#define FRAME_WARN_NS   (5 * CM_NS_PER_S)
#define WAIT_NS         (5 * CM_NS_PER_MS)

struct run {
    const struct cm_config *config;
    struct cm_roster *roster;
    struct cm_roster_watch roster_watch;
    struct cm_run_signals *signals;
    struct cm_kafka *kafka;
    struct cm_worker **workers;
    uint32_t workers_count;
    struct cm_ring *ring;
    struct cm_wake frame_ready; /* posted by the workers; its ring NULL: not open */
    struct cm_publisher *publisher;
    struct cm_breaches *breaches;
    struct cm_rule_feed rule_feed;
    struct cm_merge *rows, *rules;
    struct cm_gauge_merge *gauges;
    struct cm_producer *breach_producer;
    struct cm_ownership own;
    bool resync, closing;
    bool round_open, round_ticks; /* frames are asked for; at a tick */
    bool round_emits;             /* their rows go to the publisher */
    struct cm_frame_request request;
    struct cm_run_time time;
    struct cm_follow follow;
    struct cm_tick_pace pace;
    struct cm_wall_clock wall;
    int64_t next_commit_ns, next_report_ns;
    bool dirty_positions;
    struct cm_publisher_meta meta;
    uint64_t breaches_emitted;
    struct cm_counters counters; /* written by this thread, read by the metrics server */
    struct cm_metrics *metrics;
};

/* ---- frames */

static void emit_breach(void *context, const struct cm_breach *breach)
{
    struct run *r = context;
    bool firing = breach->type != CM_BREACH_CLEARED;
    r->breaches_emitted++;
    cm_publisher_breach(r->publisher, breach->dedup_key, breach->json, firing);
    if (r->breach_producer != NULL &&
        !cm_producer_try_send(r->breach_producer, r->config->breaches_topic, -1,
                              breach->dedup_key.p, breach->dedup_key.len, breach->json.p,
                              breach->json.len)) {
        cm_log(CM_LOG_ERROR, "breach.topic_full", "topic=%s", r->config->breaches_topic);
    }
}

/* A Redis that came back empty gets the active breaches again; one that did not knows their ids. */
static void show_again(void *context, const struct cm_breach *breach)
{
    struct run *r = context;
    cm_publisher_breach(r->publisher, breach->dedup_key, breach->json, true);
}

static void feed_rules(struct run *r)
{
    if (r->breaches == NULL) {
        return;
    }
    const struct cm_rule_log **logs = cm_alloc(r->workers_count, sizeof(*logs));
    for (uint32_t w = 0; w < r->workers_count; w++) {
        logs[w] = &cm_worker_frame(r->workers[w])->rules;
    }
    struct cm_rule_log all = {0};
    cm_rule_merge(r->rules, logs, r->workers_count, &all);
    cm_rule_feed_run(&r->rule_feed, r->config, r->breaches, &all, r->request.watermark_ms);
    cm_rule_log_free(&all);
    free(logs);
}

static void publish_row(void *context, const struct cm_unit_key *key, uint32_t unit,
                        uint32_t window, int64_t asof_ms, const struct cm_measures *m)
{
    struct run *r = context;
    cm_publisher_row(r->publisher, key, unit, window, asof_ms, m);
}

static void publish_history(void *context, const struct cm_unit_key *key, uint32_t unit,
                            uint32_t window, int64_t asof_ms, const struct cm_measures *m)
{
    struct run *r = context;
    (void)unit;
    char label[16];
    cm_zone_period_label(r->config->zone, r->config->all[window].period, asof_ms - 1, label);
    cm_publisher_history(r->publisher, key, window, label, asof_ms, m);
}

static void publish_now(void *context, const struct cm_unit_key *key, const struct cm_gauge *gauge)
{
    struct run *r = context;
    cm_publisher_now(r->publisher, key, r->request.now_ms, gauge);
}

static bool frames_ready(struct run *r)
{
    for (uint32_t w = 0; w < r->workers_count; w++) {
        if (cm_worker_frame(r->workers[w]) == NULL) {
            return false;
        }
    }
    return true;
}

/* All frames of the round are there: rules, rows, positions. */
static void take_frames(struct run *r)
{
    struct cm_frame_counters sum;
    cm_frame_counters_clear(&sum);
    r->round_open = false;
    memset(&r->meta, 0, sizeof(r->meta));
    r->meta.asof_ms = r->request.now_ms;
    r->meta.watermark_ms = r->request.watermark_ms;
    feed_rules(r);
    r->dirty_positions = r->dirty_positions || r->wall.stepped; /* they name its difference */
    r->wall.stepped = false;
    struct cm_frame *frames[CM_WORKERS_MAX];
    for (uint32_t w = 0; w < r->workers_count; w++) {
        frames[w] = cm_worker_frame(r->workers[w]);
        r->dirty_positions = cm_ownership_take(&r->own, w, frames[w]) || r->dirty_positions;
        cm_frame_counters_add(&sum, &frames[w]->counters);
    }
    if (r->round_emits) {
        if (r->request.resync) {
            cm_gauge_merge_touch_all(r->gauges);
        }
        if (r->request.emit_rows) { /* first, so that each goes out with the rows of its unit */
            cm_gauge_merge_take(r->gauges, frames, publish_now, r);
        }
        cm_merge_rows(r->rows, frames, publish_row, r);
        cm_merge_history(frames, r->workers_count, publish_history, r);
    }
    cm_frame_counters_meta(&sum, &r->meta);
    r->meta.lag = cm_ownership_lag(&r->own, r->kafka);
    cm_run_count(&r->counters, &sum, &r->meta, r->publisher, r->breaches, r->breaches_emitted);
    if (r->round_emits) {
        cm_publisher_end(r->publisher, &r->meta);
    }
}

static void note_time(struct run *r, int64_t now_ns)
{
    if (r->time.clock_ms != INT64_MIN && cm_ownership_is_read(&r->own, r->kafka)) {
        cm_run_time_take_up(&r->time, now_ns);
    }
    cm_run_time_note(&r->time, r->config->allowed_lateness_ms, r->workers, r->workers_count,
                     now_ns);
}

static uint64_t records_taken(const struct run *r)
{
    uint64_t records = 0;
    for (uint32_t w = 0; w < r->workers_count; w++) {
        records += cm_worker_records(r->workers[w]);
    }
    return records;
}

static void ask(struct run *r)
{
    cm_follow_note(&r->follow, records_taken(r), r->request.watermark_ms, !r->request.hold_periods);
    for (uint32_t w = 0; w < r->workers_count; w++) {
        cm_worker_request(r->workers[w], &r->request);
    }
    r->round_open = true;
}

/* Windows move on and positions are taken, nothing is published. */
static void begin_quiet_round(struct run *r)
{
    r->request.emit_rows = false;
    r->request.emit_history = false;
    r->request.hold_periods = r->request.hold_judgements = true;
    r->request.passed_ms = INT64_MIN;
    r->request.resync = false;
    r->request.now_ms = r->time.now_ms;
    r->request.watermark_ms = r->time.watermark_ms;
    r->round_emits = r->round_ticks = false;
    ask(r);
}

static void begin_round(struct run *r, int64_t now_ns)
{
    note_time(r, now_ns);
    cm_wall_clock_look(&r->wall, cm_clock_wall_ms(), cm_clock_mono_ns());
    bool connected = cm_publisher_is_connected(r->publisher);
    bool rebuilt = cm_ownership_is_rebuilt(&r->own, r->kafka);
    int64_t asof_ms = 0, stored_ms = 0;
    bool stored = cm_publisher_stored(r->publisher, &asof_ms, &stored_ms);
    /* Behind what an earlier life has published: not everything that it knew is read again, or a
     * period that it had begun has not begun here. The publisher's own gate looks at event time
     * only, which the fastest partition sets. */
    bool behind =
        stored && (!rebuilt || cm_run_time_is_before(&r->time, r->config, asof_ms, stored_ms));
    r->round_emits = r->time.now_ms != INT64_MIN && !behind &&
                     cm_publisher_try_begin(r->publisher, r->time.now_ms);
    r->request = (struct cm_frame_request){
        .now_ms = r->time.now_ms,
        .watermark_ms = r->time.watermark_ms,
        .first_ms = r->time.first_ms,
        .whole_ms = cm_ownership_whole_ms(&r->own),
        .clock_ms = r->time.now_ms == INT64_MIN ? INT64_MIN : r->time.now_ms - cm_clock_wall_ms(),
        .emit_rows = r->round_emits && rebuilt,
        .emit_history = r->round_emits && r->config->history_keep_ms > 0,
        .hold_periods = !connected || !r->round_emits,
        .passed_ms = stored ? stored_ms : INT64_MIN,
        .resync = r->round_emits && rebuilt && r->resync,
    };
    r->request.hold_judgements = connected && r->request.hold_periods;
    if (r->request.resync && r->breaches != NULL) {
        cm_breaches_firing(r->breaches, show_again, r);
    }
    r->resync = r->resync && !r->request.resync;
    ask(r);
}

/* Waits for the frames of an open round and takes them. */
static void finish_round(struct run *r)
{
    int64_t warn_ns = cm_clock_mono_ns() + FRAME_WARN_NS;
    while (r->round_open) {
        if (frames_ready(r)) {
            take_frames(r);
            return;
        }
        if (cm_clock_mono_ns() > warn_ns) {
            cm_log(CM_LOG_WARN, "run.slow_frame", "wait_s=%d", (int)(FRAME_WARN_NS / CM_NS_PER_S));
            warn_ns += FRAME_WARN_NS;
        }
        nanosleep(&(struct timespec){0, 200000}, NULL);
    }
}

/* ---- the group */

static void commit(struct run *r, bool sync)
{
    static struct cm_position positions[CM_PARTITIONS_MAX];
    if (cm_publisher_owes_history(r->publisher)) { /* whoever comes after a crash reads it again */
        cm_log(sync ? CM_LOG_WARN : CM_LOG_DEBUG, "kafka.commit_held",
               "reason=\"a closed period is not yet in Redis\"");
        return;
    }
    uint32_t count = cm_ownership_positions(&r->own, positions);
    if (count > 0 && cm_kafka_commit(r->kafka, positions, count, sync) < 0) {
        cm_log(CM_LOG_WARN, "kafka.commit_failed", "error=\"%s\"", cm_fail_text());
        return;
    }
    r->dirty_positions = false;
}

/* Positions as of now, without publishing. */
static void refresh_positions(struct run *r)
{
    finish_round(r);
    begin_quiet_round(r);
    finish_round(r);
}

static void on_revoke(void *context, const int32_t *partitions, uint32_t count, bool lost)
{
    struct run *r = context;
    (void)partitions;
    cm_log(CM_LOG_INFO, "group.revoked", "partitions=%u lost=%d", count, lost);
    if (r->closing) {
        return;
    }
    refresh_positions(r);
    if (!lost) {
        commit(r, true);
    }
}

static void assign_worker(struct run *r, uint32_t worker, const struct cm_position *positions,
                          uint32_t count, struct cm_ownership *fresh)
{
    static struct cm_worker_partition mine[CM_PARTITIONS_MAX];
    uint32_t mine_count = 0;
    bool reset = cm_ownership_loses(&r->own, worker, positions, count);
    uint32_t begin = fresh->count;

    for (uint32_t k = 0; k < count; k++) {
        if ((uint32_t)positions[k].partition % r->workers_count != worker) {
            continue;
        }
        const struct cm_owned *old = cm_owned_find(&r->own, positions[k].partition);
        bool kept = old != NULL && !reset && old->offset != CM_OFFSET_NONE;
        struct cm_owned *owned = &fresh->at[fresh->count++];
        *owned = kept ? *old : cm_owned_begin(&positions[k], worker, &r->time.clock_ms);
        mine[mine_count++] =
            (struct cm_worker_partition){owned->partition, owned->known_offset, r->time.clock_ms};
    }
    if (reset) {
        cm_log(CM_LOG_INFO, "group.rebuild", "worker=%u partitions=%u", worker, mine_count);
        cm_merge_forget(r->rows, worker);
        cm_merge_forget(r->rules, worker);
        cm_gauge_merge_forget(r->gauges, worker);
        r->resync = true;
    }
    cm_worker_set_partitions(r->workers[worker], mine, mine_count, reset);
    for (uint32_t i = begin; i < fresh->count; i++) {
        cm_kafka_start(r->kafka, fresh->at[i].partition, fresh->at[i].offset, worker);
    }
}

static void on_assign(void *context, const struct cm_position *positions, uint32_t count)
{
    struct run *r = context;
    static struct cm_ownership fresh;

    CM_ASSERT(count <= CM_PARTITIONS_MAX);
    fresh.count = 0;
    cm_log(CM_LOG_INFO, "group.assigned", "partitions=%u workers=%u", count, r->workers_count);
    refresh_positions(r);
    for (uint32_t w = 0; w < r->workers_count; w++) {
        assign_worker(r, w, positions, count, &fresh);
    }
    r->own = fresh;
}

/* ---- life */

static void on_resync(void *context)
{
    ((struct run *)context)->resync = true;
}

static void reload_roster(struct run *r)
{
    const char *path = cm_config_roster_path(r->config);
    struct cm_roster *fresh = NULL;
    if (path == NULL || cm_roster_load(path, r->config->centre, &fresh) < 0) {
        cm_log(CM_LOG_ERROR, "roster.kept", "reason=\"%s\"",
               path == NULL ? "no roster is configured" : cm_fail_text());
        return;
    }
    uint32_t rows = 0;
    (void)cm_roster_rows(fresh, &rows);
    for (uint32_t w = 0; w < r->workers_count; w++) {
        cm_worker_set_roster(r->workers[w], fresh);
    }
    cm_publisher_set_roster(r->publisher, fresh);
    cm_roster_free(r->roster);
    r->roster = fresh;
    cm_log(CM_LOG_INFO, "roster.reloaded", "file=\"%s\" rows=%u", path, rows);
}

static bool wants_roster(struct run *r)
{
    /* relaxed: flags of signal handlers, nothing else hangs on them. */
    if (atomic_exchange_explicit(&r->signals->reload, false, memory_order_relaxed)) {
        cm_roster_watch_loaded(&r->roster_watch);
        return true;
    }
    return cm_roster_watch_poll(&r->roster_watch, cm_clock_mono_ns());
}

static int open_run(struct run *r)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    r->workers_count = r->config->workers > 0 ? (uint32_t)r->config->workers
                       : cores > 0            ? (uint32_t)cores
                                              : 1;
    r->workers_count = r->workers_count < CM_WORKERS_MAX ? r->workers_count : CM_WORKERS_MAX;
    r->workers = cm_alloc(r->workers_count, sizeof(struct cm_worker *));
    r->rows = cm_merge_create(r->workers_count, r->config->all_count);
    r->rules = cm_merge_create(r->workers_count, r->config->all_count);
    r->gauges = cm_gauge_merge_create(r->workers_count);
    int rc = cm_ring_open(64, cm_worker_ring(r->config), &r->ring);
    if (rc < 0 || (rc = cm_wake_open(&r->frame_ready, r->ring)) < 0) {
        return rc;
    }
    char instance[128] = "callmill";
    gethostname(instance, 64);
    instance[63] = '\0';
    snprintf(instance + strlen(instance), 32, ":%d", (int)getpid());
    const struct cm_publisher_options publisher = {r->config, r->roster, instance, on_resync, r};
    r->publisher = cm_publisher_create(r->ring, &publisher);
    if (r->config->rules.count > 0) {
        r->breaches = cm_breaches_create(r->config, emit_breach, r);
        cm_rule_feed_init(&r->rule_feed);
    }
    if (r->config->metrics_listen[0] != '\0') {
        r->metrics = cm_metrics_start(r->config->metrics_listen, &r->counters);
        if (r->metrics == NULL) {
            return -CM_ERR_IO;
        }
        cm_log(CM_LOG_INFO, "metrics.listening", "address=\"%s\" port=%u",
               r->config->metrics_listen, cm_metrics_port(r->metrics));
    }
    if (r->config->breaches_topic[0] != '\0') {
        rc = cm_producer_open(r->config->brokers, &r->config->properties, "none",
                              &r->breach_producer);
    }
    for (uint32_t w = 0; rc == 0 && w < r->workers_count; w++) {
        rc = cm_worker_start(w, r->config, r->roster, &r->kafka, &r->frame_ready, &r->workers[w]);
    }
    const struct cm_kafka_callbacks callbacks = {on_assign, on_revoke, r};
    return rc == 0 ? cm_kafka_open(r->config, r->workers_count, &callbacks, &r->kafka) : rc;
}

static void report(struct run *r, int64_t now_ns)
{
    if (now_ns < r->next_report_ns) {
        return;
    }
    r->next_report_ns = now_ns + REPORT_EVERY_NS;
    cm_run_report(&r->meta, r->publisher);
}

static void begin_due_round(struct run *r, int64_t now_ns)
{
    enum cm_follow_step step = CM_FOLLOW_STAY;
    bool busy = cm_publisher_is_busy(r->publisher);
    if (!cm_tick_pace_is_due(&r->pace, now_ns, busy)) {
        uint64_t records = records_taken(r);
        note_time(r, now_ns);
        step = cm_follow_step(&r->follow, r->config, records, r->time.watermark_ms);
        if (step == CM_FOLLOW_STAY) {
            return;
        }
    }
    if (step == CM_FOLLOW_MOVE ||
        (step == CM_FOLLOW_CLOSE && !cm_publisher_is_idle(r->publisher))) {
        begin_quiet_round(r);
        return;
    }
    cm_tick_pace_begin(&r->pace, now_ns, busy);
    begin_round(r, now_ns);
    r->round_ticks = true;
}

static int turn(struct run *r)
{
    int rc = cm_kafka_poll(r->kafka, 0);
    int64_t now_ns = cm_clock_mono_ns();
    if (r->round_open && frames_ready(r)) {
        take_frames(r);
        now_ns = cm_clock_mono_ns();
        if (r->round_ticks) {
            cm_tick_pace_end(&r->pace, now_ns, r->meta.records, r->meta.lag);
        }
    }
    if (!r->round_open) {
        begin_due_round(r, now_ns);
    }
    cm_publisher_poll(r->publisher, now_ns);
    if (r->breach_producer != NULL) {
        cm_producer_poll(r->breach_producer, 0);
    }
    if (r->dirty_positions && now_ns >= r->next_commit_ns) {
        commit(r, false);
        r->next_commit_ns = now_ns + COMMIT_EVERY_NS;
    }
    report(r, now_ns);
    /* A frame, and an answer of Redis, end the wait. */
    int64_t wait_ns = r->pace.next_ns - cm_clock_mono_ns();
    bool for_others = r->round_open || cm_publisher_is_busy(r->publisher);
    wait_ns = for_others || wait_ns > WAIT_NS ? WAIT_NS : wait_ns < 0 ? 0 : wait_ns;
    cm_ring_wait(r->ring, wait_ns);
    return rc;
}

/* Publishes what is there, commits it. Waits for a Redis that answers, lest a part of a tick's rows
 * be its last word; two seconds for one that is absent or lets no tick begin. */
static void drain(struct run *r)
{
    int64_t until_ns = cm_clock_mono_ns() + STOP_PUBLISH_NS;
    finish_round(r);
    bool published = false;
    while (cm_clock_mono_ns() < until_ns && !(published && cm_publisher_is_idle(r->publisher))) {
        int64_t now_ns = cm_clock_mono_ns();
        cm_publisher_poll(r->publisher, now_ns);
        until_ns = cm_publisher_awaits_answer(r->publisher) ? now_ns + STOP_PUBLISH_NS : until_ns;
        if (!published && cm_publisher_is_idle(r->publisher)) {
            begin_round(r, now_ns);
            finish_round(r);
            published = r->round_emits || r->time.now_ms == INT64_MIN;
        }
        cm_ring_wait(r->ring, CM_NS_PER_MS);
    }
    refresh_positions(r);
    commit(r, true);
}

static void close_run(struct run *r)
{
    r->closing = true; /* everything is committed; nobody is left to ask for positions */
    for (uint32_t w = 0; w < r->workers_count; w++) {
        cm_worker_stop(r->workers[w]);
    }
    if (r->kafka != NULL) {
        cm_kafka_close(r->kafka);
        r->kafka = NULL;
    }
    if (r->breach_producer != NULL) {
        cm_producer_flush(r->breach_producer, 1000);
        cm_producer_close(r->breach_producer);
    }
    cm_metrics_stop(r->metrics);
    cm_publisher_destroy(r->publisher);
    if (r->frame_ready.ring != NULL) {
        cm_wake_close(&r->frame_ready);
    }
    if (r->ring != NULL) {
        cm_ring_destroy(r->ring);
    }
    cm_breaches_destroy(r->breaches);
    cm_merge_destroy(r->rows);
    cm_merge_destroy(r->rules);
    cm_gauge_merge_destroy(r->gauges);
    cm_roster_free(r->roster);
    free(r->workers);
}

int cm_run(const struct cm_run_options *options)
{
    struct run *r = cm_alloc(1, sizeof(*r));
    r->config = options->config;
    r->roster = options->roster;
    r->signals = options->signals;
    cm_run_time_init(&r->time);
    cm_follow_init(&r->follow);
    r->request.now_ms = r->request.first_ms = INT64_MIN;
    r->request.whole_ms = r->request.clock_ms = INT64_MIN;
    r->pace.tick_ns = r->config->tick_ms * CM_NS_PER_MS;
    int64_t now_ns = cm_clock_mono_ns();
    r->next_report_ns = now_ns + REPORT_EVERY_NS;
    cm_wall_clock_init(&r->wall, cm_clock_wall_ms(), now_ns);
    cm_roster_watch_init(&r->roster_watch, cm_config_roster_path(r->config),
                         r->config->roster_watch_ms, now_ns);

    int rc = open_run(r);
    if (rc == 0) {
        const char *why = "";
        const char *plane = cm_kafka_plane(r->kafka, &why);
        cm_log(CM_LOG_INFO, "run.started",
               "workers=%u topic=%s group=%s redis=%s plane=%s reason=\"%s\" io=\"%s\"",
               r->workers_count, r->config->topic, r->config->group, r->config->redis_address,
               plane, why, cm_ring_describe(r->ring));
    }
    /* relaxed: as in wants_roster(). */
    while (rc == 0 && !atomic_load_explicit(&r->signals->stop, memory_order_relaxed)) {
        if (wants_roster(r)) {
            finish_round(r);
            reload_roster(r);
        }
        rc = turn(r);
    }
    if (rc == 0) {
        drain(r);
        cm_log(CM_LOG_INFO, "run.stopped", "records=%llu", (unsigned long long)r->meta.records);
    }
    char text[512];
    snprintf(text, sizeof(text), "%s", rc < 0 ? cm_fail_text() : "");
    close_run(r);
    free(r);
    return rc < 0 ? cm_fail((enum cm_error) - rc, "%s", text) : 0;
}
