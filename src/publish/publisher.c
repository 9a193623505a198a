// SPDX-License-Identifier: Apache-2.0
/* publisher.c — see publisher.h.
 *
 *   placement      who hangs under whom ─► members, which boards a row goes to
 *   appeared       units that are new  ─► SADD
 *   unit_keys      the caller's number for a unit ─► ours, and its key ready to be sent
 *   now_batch      live pictures        ─► wait for the rows of their units
 *   row_batch      rows of the tick     ─► one HSET a key
 *   rank_batch     rankings             ─► ZADD, ZREM
 *   quiet          around the rows: whether Redis took them, without an answer each
 *   breach_feed    its own queue and pace
 *   housekeeping   questions about what Redis holds ─► HDEL, SREM
 *   history        closed periods, before everything else: a watermark in `meta` says that those
 *                  that end up to it are there
 *   meta           asof before the rows: whoever comes after a crash in the middle of a tick then
 *                  waits for the newest asof that any row of that tick may carry
 *
 * A tick is put together in the publisher's own memory and handed to the client in one piece, as
 * the engine may poll in between, and the connection may go.
 *
 * What a tick loses with a connection comes again: rows, as the engine hands over everything after
 * on_resync; members, as the placement starts from nothing; closed periods, as their commands are
 * kept until they are answered.
 */
#include "publish/publisher.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "publish/appeared.h"
#include "publish/breach_feed.h"
#include "publish/housekeeping.h"
#include "publish/keys.h"
#include "publish/meta.h"
#include "publish/moves.h"
#include "publish/now_batch.h"
#include "publish/placement.h"
#include "publish/quiet.h"
#include "publish/rank_batch.h"
#include "publish/refusal.h"
#include "publish/resp.h"
#include "publish/row.h"
#include "publish/row_batch.h"
#include "publish/unit_keys.h"
#include "redis/redis.h"

#define FIRST_RETRY_NS    CM_NS_PER_S
#define LAST_RETRY_NS     (30 * CM_NS_PER_S)
#define NEVER             INT64_MAX
#define HISTORY_BYTES_MAX ((size_t)256 * 1024 * 1024)
/* How long a unit's history outlives its last closed period, beyond history.keep. */
#define HISTORY_GRACE_MS (100 * CM_MS_PER_D)
#define EXPIRE_MS_MAX    (36500 * CM_MS_PER_D)

enum gate { GATE_UNKNOWN, GATE_CLOSED, GATE_OPEN };

struct cm_publisher {
    struct cm_publisher_options options; /* instance is ours */
    const struct cm_config *config;
    struct cm_redis *redis;
    struct cm_placement *placement;
    struct cm_unit_keys *keys;
    struct cm_row_batch *rows;
    struct cm_now_batch *nows;
    struct cm_rank_batch *ranks;
    struct cm_quiet *quiet;
    struct cm_breach_feed *breaches;
    struct cm_housekeeping *keeper;

    enum gate gate;
    bool gate_asked;
    bool gate_logged;
    struct cm_meta_stored stored; /* in `meta` when Redis was reached */
    struct cm_text forget;        /* HDELs of dead processes, for the first tick */
    uint32_t forget_commands;
    bool first_tick; /* since the connect, or since a refusal */
    uint64_t connections;

    bool in_tick;
    uint64_t tick_connection; /* the one that the open tick began on */
    int64_t tick_asof_ms;
    uint64_t tick_rows;
    uint32_t row_unit, row_kind; /* of the row before: rows of a unit come together */
    struct cm_appeared appeared;
    struct cm_text value;
    struct cm_text history; /* commands not yet answered */
    uint32_t history_commands;

    uint32_t outstanding; /* answers to come for the last tick */
    uint64_t outstanding_rows;
    bool refused, doubted;
    int64_t now_ns, gate_retry_ns;
    int64_t retry_ns; /* no tick before; NEVER: none was refused */
    int64_t backoff_ns;
    uint64_t ticks, rows_written;
};

/* --- connecting --- */

static void resync(struct cm_publisher *p)
{
    if (p->options.on_resync != NULL) {
        p->options.on_resync(p->options.context);
    }
}

/* What Redis was told no longer counts. */
static void start_anew(struct cm_publisher *p)
{
    p->first_tick = true;
    cm_placement_forget(p->placement);
    cm_unit_keys_forget(p->keys); /* `first` comes with the slow way */
    cm_rank_batch_replace(p->ranks);
}

static void gate_answered(void *context, const struct redisReply *reply)
{
    struct cm_publisher *p = context;
    p->gate_asked = false;
    if (reply == NULL) {
        return;
    }
    if (reply->type != REDIS_REPLY_ARRAY) {
        cm_log(CM_LOG_ERROR, "publish.meta_unreadable", "error=\"%s\" retry_ms=%" PRId64,
               reply->type == REDIS_REPLY_ERROR ? reply->str : "not a hash",
               FIRST_RETRY_NS / CM_NS_PER_MS);
        p->gate_retry_ns = p->now_ns + FIRST_RETRY_NS;
        return;
    }
    p->forget.len = 0;
    p->forget_commands = cm_meta_read(reply, p->config, p->options.instance, cm_clock_wall_ms(),
                                      &p->stored, &p->forget);
    p->gate = p->stored.has_asof ? GATE_CLOSED : GATE_OPEN;
    p->gate_logged = false;
    if (p->stored.other_config) {
        cm_log(CM_LOG_INFO, "publish.other_config",
               "note=\"the figures there were made with another configuration\"");
    }
    resync(p);
}

static void ask_gate(struct cm_publisher *p)
{
    p->gate_asked = true;
    cm_meta_ask(cm_redis_buffer(p->redis), p->config);
    cm_redis_added(p->redis, 1, gate_answered, p);
}

static void on_ready(void *context)
{
    struct cm_publisher *p = context;
    p->connections++;
    p->gate = GATE_UNKNOWN;
    p->retry_ns = NEVER;
    p->backoff_ns = FIRST_RETRY_NS;
    p->tick_asof_ms = INT64_MIN;
    start_anew(p);
    ask_gate(p);
    if (p->config->redis_answers == CM_ANSWERS_AUTO) {
        cm_quiet_connected(p->quiet, p->redis);
    }
    cm_breach_feed_connected(p->breaches, p->redis);
}

static void on_lost(void *context)
{
    struct cm_publisher *p = context;
    p->gate = GATE_UNKNOWN;
    p->outstanding = 0;
    cm_quiet_lost(p->quiet);
    cm_breach_feed_lost(p->breaches);
    cm_housekeeping_lost(p->keeper);
}

static void rows_checked(void *context, bool all_taken);

struct cm_publisher *cm_publisher_create(struct cm_ring *ring,
                                         const struct cm_publisher_options *options)
{
    struct cm_publisher *p = cm_alloc(1, sizeof(*p));
    p->options = *options;
    p->options.instance = cm_strdup(options->instance);
    p->config = options->config;
    p->tick_asof_ms = INT64_MIN;
    p->retry_ns = NEVER;
    p->backoff_ns = FIRST_RETRY_NS;
    p->placement = cm_placement_create(p->config, options->roster);
    p->keys = cm_unit_keys_create(p->config);
    p->rows = cm_row_batch_create(p->config->all_count);
    p->nows = cm_now_batch_create();
    p->ranks = cm_rank_batch_create(p->config);
    p->quiet = cm_quiet_create(rows_checked, p);
    p->breaches = cm_breach_feed_create(p->config);
    p->keeper = cm_housekeeping_create(p->config, p->placement);
    struct cm_redis_options redis = {
        .address = p->config->redis_address,
        .username = p->config->redis_username,
        .password_file = p->config->redis_password_file,
        .database = p->config->redis_database,
        .client_name = "callmill-publish",
        .on_ready = on_ready,
        .on_lost = on_lost,
        .context = p,
    };
    p->redis = cm_redis_create(ring, &redis);
    return p;
}

void cm_publisher_destroy(struct cm_publisher *p)
{
    if (p == NULL) {
        return;
    }
    cm_redis_destroy(p->redis);
    cm_housekeeping_destroy(p->keeper);
    cm_breach_feed_destroy(p->breaches);
    cm_rank_batch_destroy(p->ranks);
    cm_quiet_destroy(p->quiet);
    cm_row_batch_destroy(p->rows);
    cm_now_batch_destroy(p->nows);
    cm_unit_keys_destroy(p->keys);
    cm_placement_destroy(p->placement);
    cm_appeared_free(&p->appeared);
    cm_text_free(&p->forget);
    cm_text_free(&p->value);
    cm_text_free(&p->history);
    free((void *)(uintptr_t)p->options.instance);
    free(p);
}

void cm_publisher_set_roster(struct cm_publisher *p, const struct cm_roster *roster)
{
    cm_placement_set_roster(p->placement, roster);
}

void cm_publisher_poll(struct cm_publisher *p, int64_t now_mono_ns)
{
    p->now_ns = now_mono_ns;
    cm_redis_poll(p->redis, now_mono_ns);
    if (!cm_redis_is_ready(p->redis)) {
        return;
    }
    if (p->gate == GATE_UNKNOWN && !p->gate_asked && now_mono_ns >= p->gate_retry_ns) {
        ask_gate(p);
    }
    if (p->retry_ns != NEVER && now_mono_ns >= p->retry_ns && !p->in_tick) {
        p->retry_ns = NEVER;
        start_anew(p);
        resync(p);
    }
    cm_breach_feed_poll(p->breaches, now_mono_ns);
    if (p->gate == GATE_OPEN && !p->first_tick) {
        cm_housekeeping_poll(p->keeper, p->redis, p->tick_asof_ms);
    }
    cm_redis_poll(p->redis, now_mono_ns); /* what was queued just now goes out at once */
}

/* --- a tick --- */

static bool gate_is_open(struct cm_publisher *p, int64_t asof_ms)
{
    if (p->gate == GATE_OPEN && asof_ms < p->tick_asof_ms) {
        p->gate = GATE_CLOSED; /* back behind what went out on this connection */
        p->stored.asof_ms = p->tick_asof_ms;
        p->gate_logged = false;
    }
    if (p->gate != GATE_CLOSED) {
        return p->gate == GATE_OPEN;
    }
    char there[32];
    char here[32];
    if (asof_ms < p->stored.asof_ms) {
        if (!p->gate_logged) {
            cm_log(CM_LOG_INFO, "publish.gate", "waiting_for=%s asof=%s",
                   cm_format_rfc3339(p->stored.asof_ms, there), cm_format_rfc3339(asof_ms, here));
            p->gate_logged = true;
        }
        return false;
    }
    if (p->gate_logged) {
        cm_log(CM_LOG_INFO, "publish.gate_open", "asof=%s", cm_format_rfc3339(asof_ms, here));
    }
    p->gate = GATE_OPEN;
    return true;
}

bool cm_publisher_try_begin(struct cm_publisher *p, int64_t asof_ms)
{
    CM_ASSERT(!p->in_tick);
    if (!cm_redis_is_ready(p->redis) || p->outstanding > 0 || p->retry_ns != NEVER ||
        !gate_is_open(p, asof_ms)) {
        return false;
    }
    if (cm_placement_update(p->placement, asof_ms) && p->config->publish.boards) {
        /* Other boards now show what has moved, and only the engine knows its figures. */
        resync(p);
        return false;
    }
    p->in_tick = true;
    p->tick_connection = p->connections;
    p->tick_asof_ms = asof_ms;
    p->tick_rows = 0;
    p->row_unit = CM_UNIT_NONE;
    return true;
}

/* A unit that the caller's number does not lead to. */
static uint32_t look_up(struct cm_publisher *p, const struct cm_unit_key *key, uint32_t number)
{
    bool first;
    uint32_t unit = cm_placement_hand_over(p->placement, key, &first);
    cm_unit_keys_note(p->keys, number, unit, key);
    if (first) {
        cm_appeared_add(&p->appeared, key->kind, unit);
    }
    return unit;
}

static uint32_t unit_of(struct cm_publisher *p, const struct cm_unit_key *key, uint32_t number)
{
    uint32_t unit = cm_unit_keys_find(p->keys, number, key);
    return CM_LIKELY(unit != CM_UNIT_NONE) ? unit : look_up(p, key, number);
}

static void write_now(struct cm_publisher *p, uint32_t unit, struct cm_str value)
{
    struct cm_text *out = cm_row_batch_begin(p->rows, cm_unit_keys_bulk(p->keys, unit),
                                             cm_unit_keys_field(p->keys, p->config->all_count));
    cm_text_add(out, value.p, value.len);
    cm_row_batch_end(p->rows);
}

/* The unit of a row; when it is another than before, with what waits for it. */
static uint32_t row_unit_of(struct cm_publisher *p, const struct cm_unit_key *key, uint32_t number)
{
    struct cm_str now;
    if (p->row_unit != CM_UNIT_NONE && p->row_kind == key->kind &&
        cm_str_eq(cm_unit_keys_id(p->keys, p->row_unit), key->id)) {
        return p->row_unit;
    }
    p->row_kind = key->kind;
    p->row_unit = unit_of(p, key, number);
    if (cm_now_batch_take(p->nows, p->row_unit, &now)) {
        write_now(p, p->row_unit, now);
    }
    return p->row_unit;
}

void cm_publisher_row(struct cm_publisher *p, const struct cm_unit_key *key, uint32_t number,
                      uint32_t window, int64_t asof_ms, const struct cm_measures *m)
{
    CM_ASSERT(p->in_tick && window < p->config->all_count);
    uint32_t unit = row_unit_of(p, key, number);
    bool hashes = p->config->publish.units;
    struct cm_str hash = hashes ? cm_unit_keys_bulk(p->keys, unit) : (struct cm_str){NULL, 0};
    struct cm_text *out = cm_row_batch_begin(p->rows, hash, cm_unit_keys_field(p->keys, window));
    cm_value_write(out, p->config, asof_ms, m);
    cm_row_batch_end(p->rows);
    if (p->config->publish.boards) {
        uint32_t parent = cm_placement_parent(p->placement, unit);
        if (key->kind != CM_KIND_SEAT) {
            cm_row_batch_add(p->rows, unit, window, CM_STR("."));
        }
        if (parent != CM_UNIT_NONE) {
            cm_row_batch_add(p->rows, parent, window, cm_unit_keys_id(p->keys, unit));
        }
    }
    cm_rank_batch_add(p->ranks, key, window, m);
    p->tick_rows++;
}

void cm_publisher_now(struct cm_publisher *p, const struct cm_unit_key *key, int64_t asof_ms,
                      const struct cm_gauge *gauge)
{
    CM_ASSERT(p->in_tick);
    if (p->config->publish.units) {
        cm_now_batch_add(p->nows, unit_of(p, key, CM_UNIT_NONE), asof_ms, gauge);
    }
}

void cm_publisher_history(struct cm_publisher *p, const struct cm_unit_key *key, uint32_t window,
                          const char *label, int64_t asof_ms, const struct cm_measures *m)
{
    CM_ASSERT(p->in_tick && window < p->config->all_count && p->config->all[window].is_period);
    if (p->config->history_keep_ms == 0) {
        return;
    }
    if (p->history.len > HISTORY_BYTES_MAX) {
        cm_log(CM_LOG_ERROR, "publish.history_dropped", "writes=%u", p->history_commands);
        p->history.len = 0;
        p->history_commands = 0;
    }
    const struct cm_config *config = p->config;
    const char *name = config->all[window].name;
    int64_t expire_ms = config->history_keep_ms + HISTORY_GRACE_MS;
    p->value.len = 0;
    cm_value_write(&p->value, config, asof_ms, m);
    cm_resp_array(&p->history, 4);
    cm_resp_word(&p->history, "HSET");
    cm_key_window(&p->history, config->redis_prefix, "history", key, name);
    cm_resp_word(&p->history, label);
    cm_resp_bulk(&p->history, p->value.data, p->value.len);
    cm_resp_array(&p->history, 3);
    cm_resp_word(&p->history, "PEXPIRE");
    cm_key_window(&p->history, config->redis_prefix, "history", key, name);
    cm_resp_i64(&p->history, expire_ms < EXPIRE_MS_MAX ? expire_ms : EXPIRE_MS_MAX);
    p->history_commands += 2;
    cm_housekeeping_trim(p->keeper, unit_of(p, key, CM_UNIT_NONE), window);
}

/* --- what goes out --- */

static void write_board_key(void *context, struct cm_text *out, uint32_t unit, uint32_t window)
{
    const struct cm_publisher *p = context;
    cm_unit_keys_board(p->keys, out, cm_placement_key(p->placement, unit), window);
}

/* Boards, which copy, and then the hashes, which change hands. */
static uint32_t write_rows(struct cm_publisher *p, struct cm_text *out)
{
    uint32_t hashes = 0;
    uint32_t unit;
    struct cm_str now;
    while (cm_now_batch_take_any(p->nows, &unit, &now)) { /* of units without a row */
        write_now(p, unit, now);
    }
    uint32_t boards = cm_row_batch_boards(p->rows, out, write_board_key, p);
    struct cm_text *text = cm_row_batch_hashes(p->rows, &hashes);
    if (hashes > 0) {
        cm_redis_give(p->redis, text);
    }
    return boards + hashes;
}

static void close_tick(struct cm_publisher *p)
{
    cm_row_batch_clear(p->rows);
    cm_now_batch_clear(p->nows);
    cm_rank_batch_clear(p->ranks);
    cm_appeared_clear(&p->appeared);
    p->in_tick = false;
}

static void tick_done(struct cm_publisher *p)
{
    if (p->refused) {
        p->retry_ns = p->now_ns + p->backoff_ns;
        p->backoff_ns = p->backoff_ns * 2 < LAST_RETRY_NS ? p->backoff_ns * 2 : LAST_RETRY_NS;
        return;
    }
    if (p->doubted) {
        p->retry_ns = p->now_ns; /* at once: most likely nothing is wrong with ours */
        return;
    }
    p->backoff_ns = FIRST_RETRY_NS;
    p->history.len = 0;
    p->history_commands = 0;
    p->ticks++;
    p->rows_written += p->outstanding_rows;
}

static void one_answered(struct cm_publisher *p)
{
    p->outstanding--;
    if (p->outstanding == 0) {
        tick_done(p);
    }
}

static void rows_checked(void *context, bool all_taken)
{
    struct cm_publisher *p = context;
    p->doubted = !all_taken;
    one_answered(p);
}

static void tick_answered(void *context, const struct redisReply *reply)
{
    struct cm_publisher *p = context;
    if (reply == NULL) {
        return; /* on_lost() sees to it */
    }
    const char *error;
    enum cm_refusal refusal = cm_refusal_of(reply, &error);
    if (refusal != CM_REFUSAL_NONE) {
        cm_log(CM_LOG_ERROR, "publish.refused", "error=\"%s\" retry=%s", error,
               refusal == CM_REFUSAL_RETRY ? "yes" : "no");
    }
    p->refused = p->refused || refusal == CM_REFUSAL_RETRY;
    one_answered(p);
}

static void await(struct cm_publisher *p, uint32_t commands)
{
    p->outstanding += commands;
    cm_redis_added(p->redis, commands, tick_answered, p);
}

void cm_publisher_end(struct cm_publisher *p, const struct cm_publisher_meta *meta)
{
    CM_ASSERT(p->in_tick);
    if (!cm_redis_is_ready(p->redis) || p->tick_connection != p->connections) {
        close_tick(p); /* everything is handed over again */
        return;
    }
    struct cm_text *out = cm_redis_buffer(p->redis);
    uint32_t commands = 1 + p->history_commands;
    cm_text_add(out, p->history.data, p->history.len);
    cm_meta_begin(out, p->config, meta, p->first_tick);
    if (p->first_tick) {
        cm_text_add(out, p->forget.data, p->forget.len);
        commands += p->forget_commands;
        p->forget.len = 0;
        p->forget_commands = 0;
    }
    commands += cm_moves_write(p->placement, p->config, out);
    cm_placement_clear(p->placement);
    commands += cm_appeared_write(&p->appeared, p->placement, p->config, out);
    await(p, commands);
    bool quiet = !p->first_tick && cm_quiet_begin(p->quiet, p->tick_rows, p->now_ns);
    commands = write_rows(p, out);
    if (quiet) {
        cm_quiet_end(p->quiet, commands);
        p->outstanding++;
    } else {
        await(p, commands);
    }
    out = cm_redis_buffer(p->redis);
    commands = 1 + cm_rank_batch_write(p->ranks, out);
    cm_meta_end(out, p->config, p->options.instance, meta, cm_clock_wall_ms());

    p->refused = p->doubted = false;
    p->outstanding_rows = p->tick_rows;
    await(p, commands);
    close_tick(p);
    if (p->first_tick) {
        p->first_tick = false;
        cm_housekeeping_reconcile(p->keeper);
    }
    cm_redis_poll(p->redis, p->now_ns);
}

/* --- the rest --- */

void cm_publisher_breach(struct cm_publisher *p, struct cm_str dedup_key, struct cm_str json,
                         bool firing)
{
    cm_breach_feed_add(p->breaches, dedup_key, json, firing);
}

bool cm_publisher_is_idle(const struct cm_publisher *p)
{
    return !p->in_tick && p->outstanding == 0 && p->history_commands == 0 &&
           cm_breach_feed_waiting(p->breaches) == 0;
}

bool cm_publisher_is_busy(const struct cm_publisher *p)
{
    return p->in_tick || p->outstanding > 0;
}

bool cm_publisher_awaits_answer(const struct cm_publisher *p)
{
    return cm_publisher_is_connected(p) && cm_redis_pending(p->redis) > 0;
}

bool cm_publisher_stored(const struct cm_publisher *p, int64_t *asof_ms, int64_t *watermark_ms)
{
    *asof_ms = p->stored.asof_ms;
    *watermark_ms = p->stored.other_config ? INT64_MIN : p->stored.watermark_ms;
    return cm_publisher_is_connected(p) && p->stored.has_asof;
}

bool cm_publisher_owes_history(const struct cm_publisher *p)
{
    return p->history_commands > 0;
}

bool cm_publisher_is_connected(const struct cm_publisher *p)
{
    return cm_redis_is_ready(p->redis) && p->gate != GATE_UNKNOWN;
}

struct cm_publisher_counts cm_publisher_counts(const struct cm_publisher *p)
{
    return (struct cm_publisher_counts){p->ticks,
                                        p->rows_written,
                                        p->connections,
                                        cm_breach_feed_dropped(p->breaches),
                                        cm_quiet_taken(p->quiet),
                                        cm_quiet_doubts(p->quiet)};
}
