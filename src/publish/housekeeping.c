// SPDX-License-Identifier: Apache-2.0
/* housekeeping.c — see housekeeping.h. A list of chores, answered in the order in which it was
 * sent. */
#include "publish/housekeeping.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "publish/keys.h"
#include "publish/resp.h"

#define IN_FLIGHT_MAX 64u

enum chore_kind { UNITS, MEMBERS, HISTORY };

struct chore {
    enum chore_kind kind;
    uint32_t unit; /* UNITS: a unit kind */
    uint32_t window;
};

struct cm_housekeeping {
    const struct cm_config *config;
    struct cm_placement *placement;
    struct cm_redis *redis;
    int64_t asof_ms;
    struct chore *chores;
    uint32_t answered, sent, count, cap; /* chores[answered .. sent) are in flight */
    uint32_t reconciled;                 /* units whose members are looked at anyway */
};

struct cm_housekeeping *cm_housekeeping_create(const struct cm_config *config,
                                               struct cm_placement *placement)
{
    struct cm_housekeeping *keeper = cm_alloc(1, sizeof(*keeper));
    keeper->config = config;
    keeper->placement = placement;
    return keeper;
}

void cm_housekeeping_destroy(struct cm_housekeeping *keeper)
{
    if (keeper == NULL) {
        return;
    }
    free(keeper->chores);
    free(keeper);
}

/* Moves the list to the front when half of it is done. */
static void compact(struct cm_housekeeping *keeper)
{
    if (keeper->answered > 0 && keeper->answered >= keeper->count / 2) {
        uint32_t left = keeper->count - keeper->answered;
        memmove(keeper->chores, keeper->chores + keeper->answered, left * sizeof(struct chore));
        keeper->sent -= keeper->answered;
        keeper->count = left;
        keeper->answered = 0;
    }
}

static void add(struct cm_housekeeping *keeper, enum chore_kind kind, uint32_t unit,
                uint32_t window)
{
    if (keeper->count == keeper->cap) {
        compact(keeper);
    }
    if (keeper->count == keeper->cap) {
        keeper->cap = keeper->cap == 0 ? 256 : keeper->cap * 2;
        keeper->chores = cm_realloc(keeper->chores, keeper->cap, sizeof(struct chore));
    }
    keeper->chores[keeper->count++] = (struct chore){.kind = kind, .unit = unit, .window = window};
}

static bool has_members(unsigned kind)
{
    return kind == CM_KIND_TEAM || kind == CM_KIND_ROOM || kind == CM_KIND_CENTRE;
}

void cm_housekeeping_reconcile(struct cm_housekeeping *keeper)
{
    uint32_t kept = keeper->sent; /* what is on its way stays: its answer comes */
    for (uint32_t i = keeper->sent; i < keeper->count; i++) {
        if (keeper->chores[i].kind == HISTORY) {
            keeper->chores[kept++] = keeper->chores[i];
        }
    }
    keeper->count = kept;
    for (uint32_t kind = 0; kind < CM_KIND_COUNT; kind++) {
        if (has_members(kind)) {
            add(keeper, UNITS, kind, 0);
        }
    }
    keeper->reconciled = cm_placement_count(keeper->placement);
    for (uint32_t unit = 0; unit < keeper->reconciled; unit++) {
        if (has_members(cm_placement_key(keeper->placement, unit)->kind)) {
            add(keeper, MEMBERS, unit, 0);
        }
    }
}

void cm_housekeeping_trim(struct cm_housekeeping *keeper, uint32_t unit, uint32_t window)
{
    add(keeper, HISTORY, unit, window);
}

/* --- answers --- */

static struct cm_str text_of(const struct redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING ? (struct cm_str){reply->str, (uint32_t)reply->len}
                                             : (struct cm_str){"", 0};
}

static void take_units(struct cm_housekeeping *keeper, enum cm_kind kind,
                       const struct redisReply *reply)
{
    for (size_t i = 0; i < reply->elements; i++) {
        struct cm_str id = text_of(reply->element[i]);
        if (id.len == 0 || id.len > CM_UNIT_BYTES_MAX) {
            continue;
        }
        uint32_t unit = cm_placement_intern(keeper->placement, kind, id);
        if (unit >= keeper->reconciled) {
            add(keeper, MEMBERS, unit, 0);
        }
    }
}

static void remove_member(struct cm_housekeeping *keeper, const struct cm_unit_key *parent,
                          struct cm_str id)
{
    struct cm_text *out = cm_redis_buffer(keeper->redis);
    const char *prefix = keeper->config->redis_prefix;
    uint32_t boards = keeper->config->publish.boards ? keeper->config->all_count : 0;
    for (uint32_t w = 0; w < boards; w++) {
        cm_resp_array(out, 3);
        cm_resp_word(out, "HDEL");
        cm_key_window(out, prefix, "board", parent, keeper->config->all[w].name);
        cm_resp_bulk(out, id.p, id.len);
    }
    cm_resp_array(out, 3);
    cm_resp_word(out, "SREM");
    cm_key_family(out, prefix, "members", parent);
    cm_resp_bulk(out, id.p, id.len);
    cm_redis_added(keeper->redis, boards + 1, NULL, NULL);
}

static void take_members(struct cm_housekeeping *keeper, uint32_t parent,
                         const struct redisReply *reply)
{
    uint32_t removed = 0;
    const struct cm_unit_key *key = cm_placement_key(keeper->placement, parent);
    for (size_t i = 0; i < reply->elements; i++) {
        struct cm_str id = text_of(reply->element[i]);
        if (id.len > 0 && !cm_placement_has_child(keeper->placement, parent, id)) {
            remove_member(keeper, key, id);
            removed++;
        }
    }
    if (removed > 0) {
        cm_log(CM_LOG_INFO, "publish.members_removed", "kind=%s id=\"%.*s\" removed=%u",
               cm_kind_name(key->kind), (int)key->id.len, key->id.p, removed);
    }
}

static bool parse_digits(const char *s, uint32_t len, uint32_t *value)
{
    uint64_t wide;
    if (!cm_parse_u64(s, len, &wide)) {
        return false;
    }
    *value = (uint32_t)wide;
    return true;
}

/* Whether the period with that start date ended longer ago than it is to be kept. A field that is
 * no date is not ours. */
static bool is_expired(const struct cm_housekeeping *keeper, uint32_t window, struct cm_str label)
{
    uint32_t year;
    uint32_t month;
    uint32_t day;
    if (label.len != 10 || label.p[4] != '-' || label.p[7] != '-' ||
        !parse_digits(label.p, 4, &year) || !parse_digits(label.p + 5, 2, &month) ||
        !parse_digits(label.p + 8, 2, &day) || month < 1 || month > 12 || day < 1 || day > 31) {
        return false;
    }
    const struct cm_zone *zone = keeper->config->zone;
    int64_t start_ms = cm_zone_day_start_ms(zone, cm_days_from_civil(year, month, day));
    int64_t end_ms = cm_zone_period_end_ms(zone, keeper->config->all[window].period, start_ms);
    return end_ms + keeper->config->history_keep_ms <= keeper->asof_ms;
}

static void take_history(struct cm_housekeeping *keeper, const struct chore *chore,
                         const struct redisReply *reply)
{
    struct cm_text labels = {0};
    uint32_t expired = 0;
    for (size_t i = 0; i < reply->elements && expired < CM_RESP_ITEMS_MAX; i++) {
        struct cm_str label = text_of(reply->element[i]);
        if (is_expired(keeper, chore->window, label)) {
            cm_resp_bulk(&labels, label.p, label.len);
            expired++;
        }
    }
    if (expired > 0) {
        struct cm_text *out = cm_redis_buffer(keeper->redis);
        cm_resp_array(out, 2 + (uint64_t)expired);
        cm_resp_word(out, "HDEL");
        cm_key_window(out, keeper->config->redis_prefix, "history",
                      cm_placement_key(keeper->placement, chore->unit),
                      keeper->config->all[chore->window].name);
        cm_text_add(out, labels.data, labels.len);
        cm_redis_added(keeper->redis, 1, NULL, NULL);
    }
    cm_text_free(&labels);
}

static void send_more(struct cm_housekeeping *keeper);

static void chore_answered(void *context, const struct redisReply *reply)
{
    struct cm_housekeeping *keeper = context;
    if (reply == NULL) {
        return; /* cm_housekeeping_lost() sees to it */
    }
    CM_ASSERT(keeper->answered < keeper->sent);
    const struct chore chore = keeper->chores[keeper->answered++];
    if (reply->type == REDIS_REPLY_ERROR) {
        cm_log(CM_LOG_WARN, "publish.housekeeping_refused", "error=\"%s\"", reply->str);
    } else if (reply->type == REDIS_REPLY_ARRAY && chore.kind == UNITS) {
        take_units(keeper, (enum cm_kind)chore.unit, reply);
    } else if (reply->type == REDIS_REPLY_ARRAY && chore.kind == MEMBERS) {
        take_members(keeper, chore.unit, reply);
    } else if (reply->type == REDIS_REPLY_ARRAY) {
        take_history(keeper, &chore, reply);
    }
    send_more(keeper);
}

/* --- questions --- */

static void ask(struct cm_housekeeping *keeper, const struct chore *chore)
{
    struct cm_text *out = cm_redis_buffer(keeper->redis);
    const char *prefix = keeper->config->redis_prefix;
    cm_resp_array(out, 2);
    cm_resp_word(out, chore->kind == HISTORY ? "HKEYS" : "SMEMBERS");
    if (chore->kind == UNITS) {
        cm_key_units(out, prefix, chore->unit);
    } else if (chore->kind == MEMBERS) {
        cm_key_family(out, prefix, "members", cm_placement_key(keeper->placement, chore->unit));
    } else {
        cm_key_window(out, prefix, "history", cm_placement_key(keeper->placement, chore->unit),
                      keeper->config->all[chore->window].name);
    }
    cm_redis_added(keeper->redis, 1, chore_answered, keeper);
}

static void send_more(struct cm_housekeeping *keeper)
{
    while (keeper->sent < keeper->count && keeper->sent - keeper->answered < IN_FLIGHT_MAX) {
        ask(keeper, &keeper->chores[keeper->sent]);
        keeper->sent++;
    }
    if (keeper->answered == keeper->count) {
        keeper->answered = keeper->sent = keeper->count = 0;
    }
}

void cm_housekeeping_poll(struct cm_housekeeping *keeper, struct cm_redis *redis, int64_t asof_ms)
{
    keeper->redis = redis;
    keeper->asof_ms = asof_ms;
    send_more(keeper);
}

void cm_housekeeping_lost(struct cm_housekeeping *keeper)
{
    keeper->sent = keeper->answered;
}

uint32_t cm_housekeeping_waiting(const struct cm_housekeeping *keeper)
{
    return keeper->count - keeper->answered;
}
