// SPDX-License-Identifier: Apache-2.0
/* board_feed.c — see board_feed.h. Answers gather in `next`; a whole round replaces the board's
 * content at once, so that a frame never mixes two. */
#include "cli/board_feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"
#include "redis/redis.h"

#define WORDS_MAX   4
#define KEY_BYTES   512
#define QUEUES_MAX  256u
#define SETTLE_MOST 8u /* rounds in a row without the interval between */

struct cm_board_feed {
    struct cm_redis *redis;
    const struct cm_config *config;
    struct cm_board *board;
    int64_t interval_ns, next_ns;
    uint32_t pending; /* answers to come */
    bool open, broken, changed, settled;
    uint32_t hurried;
    uint64_t view; /* of the open round */
    struct cm_board next;
    struct cm_board_unit asked; /* the unit and window that the round asks about */
    bool asks_board;
    char asked_window[24];
    char first_centre[CM_BOARD_ID_BYTES];
    struct cm_board_rows rooms, teams; /* all ids, to tell what a centre's child is */
    struct cm_board_rows queue_ids;
    uint32_t queue_at, queue_now_at; /* of the next answer to a queue */
};

static struct cm_str str_of(const struct redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING ? (struct cm_str){reply->str, (uint32_t)reply->len}
                                             : (struct cm_str){"", 0};
}

static bool is(struct cm_str text, const char *other)
{
    return cm_str_eq(text, (struct cm_str){other, (uint32_t)strlen(other)});
}

static void copy_word(char *out, size_t bytes, struct cm_str text)
{
    (void)snprintf(out, bytes, "%.*s", (int)text.len, text.p);
}

/* ---- answers -------------------------------------------------------------------------------- */

static bool good(struct cm_board_feed *feed, const struct redisReply *reply)
{
    feed->pending--;
    if (reply == NULL) {
        feed->broken = true;
        return false;
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        (void)snprintf(feed->next.trouble, sizeof(feed->next.trouble), "Redis says: %.*s",
                       (int)(reply->len < 180 ? reply->len : 180), reply->str);
        return false;
    }
    return true;
}

/* Names parted by commas. */
static void add_windows(struct cm_board *board, struct cm_str names)
{
    const char *end = names.p + names.len;
    for (const char *p = names.p; p < end && board->windows_count < CM_BOARD_WINDOWS_MAX;) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        comma = comma == NULL ? end : comma;
        copy_word(board->windows[board->windows_count++], sizeof(board->windows[0]),
                  (struct cm_str){p, (uint32_t)(comma - p)});
        p = comma + 1;
    }
}

static bool ends_with(struct cm_str text, const char *tail)
{
    size_t len = strlen(tail);
    return text.len >= len && memcmp(text.p + text.len - len, tail, len) == 0;
}

static void take_meta(struct cm_board *b, struct cm_str field, struct cm_str value)
{
    uint64_t number = 0;
    bool is_number = cm_parse_u64(value.p, value.len, &number);
    if (is(field, "asof") && is_number) {
        b->asof_ms = (int64_t)number;
        b->has_meta = true;
    } else if (is(field, "watermark") && is_number) {
        b->watermark_ms = (int64_t)number;
    } else if (is(field, "version")) {
        copy_word(b->version, sizeof(b->version), value);
    } else if (is(field, "abandonment.formula")) {
        copy_word(b->abandon_formula, sizeof(b->abandon_formula), value);
    } else if (is(field, "service_level.formula")) {
        copy_word(b->sl_formula, sizeof(b->sl_formula), value);
    } else if (is(field, "service_level.target")) {
        copy_word(b->sl_target, sizeof(b->sl_target), value);
    } else if (field.len > 9 && memcmp(field.p, "instance:", 9) == 0 && is_number) {
        b->lag += ends_with(field, ":lag") ? number : 0;
        b->records += ends_with(field, ":records") ? number : 0;
        b->instances += ends_with(field, ":heartbeat") ? 1 : 0;
    }
}

static void on_meta(void *context, const struct redisReply *reply)
{
    struct cm_board_feed *feed = context;
    struct cm_str periods = {"", 0};
    if (!good(feed, reply)) {
        return;
    }
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        struct cm_str field = str_of(reply->element[i]);
        struct cm_str value = str_of(reply->element[i + 1]);
        take_meta(&feed->next, field, value);
        if (is(field, "windows")) {
            add_windows(&feed->next, value);
        } else if (is(field, "periods")) {
            periods = value;
        }
    }
    add_windows(&feed->next, periods);
}

static void on_centres(void *context, const struct redisReply *reply)
{
    struct cm_board_feed *feed = context;
    feed->first_centre[0] = '\0';
    if (!good(feed, reply)) {
        return;
    }
    struct cm_board_rows centres = {0};
    for (size_t i = 0; i < reply->elements; i++) {
        cm_board_rows_add(&centres, str_of(reply->element[i]), CM_KIND_CENTRE);
    }
    cm_board_rows_sort(&centres);
    if (centres.count > 0) {
        memcpy(feed->first_centre, centres.at[0].id, sizeof(feed->first_centre));
    }
    free(centres.at);
}

static void take_ids(struct cm_board_feed *feed, const struct redisReply *reply,
                     struct cm_board_rows *rows, enum cm_kind kind)
{
    if (good(feed, reply)) {
        rows->count = 0;
        for (size_t i = 0; i < reply->elements; i++) {
            cm_board_rows_add(rows, str_of(reply->element[i]), kind);
        }
        cm_board_rows_sort(rows);
    }
}

static void on_rooms(void *context, const struct redisReply *reply)
{
    struct cm_board_feed *feed = context;
    take_ids(feed, reply, &feed->rooms, CM_KIND_ROOM);
}

static void on_teams(void *context, const struct redisReply *reply)
{
    struct cm_board_feed *feed = context;
    take_ids(feed, reply, &feed->teams, CM_KIND_TEAM);
}

static bool holds(const struct cm_board_rows *rows, const char *id)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        if (strcmp(rows->at[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

/* Boards name their children by id only. */
static enum cm_kind kind_of_child(const struct cm_board_feed *feed, const char *id)
{
    switch (feed->asked.kind) {
    case CM_KIND_TEAM:
        return CM_KIND_SEAT;
    case CM_KIND_ROOM:
        return CM_KIND_TEAM;
    default:
        return holds(&feed->rooms, id)   ? CM_KIND_ROOM
               : holds(&feed->teams, id) ? CM_KIND_TEAM
                                         : CM_KIND_SEAT;
    }
}

static void on_board(void *context, const struct redisReply *reply)
{
    struct cm_board_feed *feed = context;
    if (!good(feed, reply)) {
        return;
    }
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        struct cm_str id = str_of(reply->element[i]);
        struct cm_str json = str_of(reply->element[i + 1]);
        if (is(id, ".")) {
            (void)cm_board_row_parse(id, feed->asked.kind, json, &feed->next.total);
            continue;
        }
        struct cm_board_row *row = cm_board_rows_add(&feed->next.children, id, CM_KIND_SEAT);
        (void)cm_board_row_parse(id, kind_of_child(feed, row->id), json, row);
    }
    cm_board_rows_sort(&feed->next.children);
}

static void on_queue_ids(void *context, const struct redisReply *reply)
{
    struct cm_board_feed *feed = context;
    uint32_t before = feed->queue_ids.count;
    take_ids(feed, reply, &feed->queue_ids, CM_KIND_QUEUE);
    feed->queue_ids.count = feed->queue_ids.count < QUEUES_MAX ? feed->queue_ids.count : QUEUES_MAX;
    feed->settled = feed->settled && feed->queue_ids.count == before;
}

static void on_queue(void *context, const struct redisReply *reply)
{
    struct cm_board_feed *feed = context;
    struct cm_board_row *row = &feed->next.queues.at[feed->queue_at++];
    if (good(feed, reply) && reply->type == REDIS_REPLY_STRING) {
        char id[CM_BOARD_ID_BYTES];
        memcpy(id, row->id, sizeof(id));
        (void)cm_board_row_parse((struct cm_str){id, (uint32_t)strlen(id)}, CM_KIND_QUEUE,
                                 str_of(reply), row);
    }
}

static void on_queue_now(void *context, const struct redisReply *reply)
{
    struct cm_board_feed *feed = context;
    struct cm_board_row *row = &feed->next.queues.at[feed->queue_now_at++];
    if (good(feed, reply)) {
        (void)cm_board_now_parse(str_of(reply), &row->now);
    }
}

static void on_now(void *context, const struct redisReply *reply)
{
    struct cm_board_feed *feed = context;
    if (good(feed, reply)) {
        (void)cm_board_now_parse(str_of(reply), &feed->next.now);
    }
}

static void on_breaches(void *context, const struct redisReply *reply)
{
    struct cm_board_feed *feed = context;
    if (!good(feed, reply)) {
        return;
    }
    for (size_t i = 1; i < reply->elements; i += 2) {
        struct cm_board_breach breach;
        if (cm_board_breach_parse(str_of(reply->element[i]), &breach)) {
            *cm_board_breach_add(&feed->next) = breach;
        }
    }
    cm_board_breaches_sort(&feed->next);
}

/* ---- a round -------------------------------------------------------------------------------- */

/* `command` <prefix>key [field] */
static void ask(struct cm_board_feed *feed, const char *command, const char *key, const char *field,
                cm_redis_reply_fn done)
{
    char full[KEY_BYTES];
    (void)snprintf(full, sizeof(full), "%s%s", feed->config->redis_prefix, key);
    const char *words[WORDS_MAX] = {command, full, field};
    size_t lens[WORDS_MAX] = {strlen(command), strlen(full), field == NULL ? 0 : strlen(field)};
    feed->pending++;
    cm_redis_command(feed->redis, field == NULL ? 2 : 3, words, lens, done, feed);
}

static void ask_queues(struct cm_board_feed *feed)
{
    feed->queue_at = 0;
    feed->queue_now_at = 0;
    for (uint32_t i = 0; i < feed->queue_ids.count; i++) {
        const char *id = feed->queue_ids.at[i].id;
        char key[CM_BOARD_ID_BYTES + 64];
        cm_board_rows_add(&feed->next.queues, (struct cm_str){id, (uint32_t)strlen(id)},
                          CM_KIND_QUEUE);
        (void)snprintf(key, sizeof(key), "board:queue:%s:%s", id, feed->asked_window);
        ask(feed, "HGET", key, ".", on_queue);
        (void)snprintf(key, sizeof(key), "queue:%s", id);
        ask(feed, "HGET", key, "now", on_queue_now);
    }
}

static void begin_round(struct cm_board_feed *feed, int64_t now_ns)
{
    const struct cm_board_unit *unit = cm_board_unit(feed->board);
    feed->open = true;
    feed->broken = false;
    feed->view = feed->board->view;
    feed->next_ns = now_ns + feed->interval_ns;
    feed->asks_board = unit != NULL && feed->board->window[0] != '\0';
    feed->settled = feed->asks_board;
    feed->next.windows_count = 0;
    feed->next.children.count = 0;
    feed->next.queues.count = 0;
    feed->next.breaches_count = 0;
    feed->next.has_meta = false;
    feed->next.lag = 0;
    feed->next.records = 0;
    feed->next.instances = 0;
    feed->next.trouble[0] = '\0';
    feed->next.total.asof_ms = 0;
    feed->next.now = (struct cm_board_now){0};

    ask(feed, "HGETALL", "meta", NULL, on_meta);
    ask(feed, "SMEMBERS", "units:centre", NULL, on_centres);
    if (unit != NULL && feed->asks_board) {
        char key[CM_BOARD_ID_BYTES + 64];
        feed->asked = *unit;
        (void)snprintf(feed->asked_window, sizeof(feed->asked_window), "%s", feed->board->window);
        (void)snprintf(key, sizeof(key), "board:%s:%s:%s", cm_kind_name(unit->kind), unit->id,
                       feed->asked_window);
        if (unit->kind == CM_KIND_CENTRE) {
            ask(feed, "SMEMBERS", "units:room", NULL, on_rooms);
            ask(feed, "SMEMBERS", "units:team", NULL, on_teams);
        }
        ask(feed, "HGETALL", key, NULL, on_board);
        (void)snprintf(key, sizeof(key), "%s:%s", cm_kind_name(unit->kind), unit->id);
        ask(feed, "HGET", key, "now", on_now);
        ask_queues(feed);
        ask(feed, "SMEMBERS", "units:queue", NULL, on_queue_ids);
    }
    ask(feed, "HGETALL", "breaches:active", NULL, on_breaches);
}

/* The lists change places: the old ones are filled next time. */
static void swap_content(struct cm_board_feed *feed)
{
    struct cm_board *b = feed->board;
    struct cm_board *n = &feed->next;
    struct cm_board old = *b;

    *b = *n;
    *n = old;
    memcpy(b->path, old.path, sizeof(b->path));
    b->depth = old.depth;
    b->view = old.view;
    memcpy(b->window, old.window, sizeof(b->window));
    memcpy(b->selected, old.selected, sizeof(b->selected));
    b->connected = true;
    b->filled = true;
}

/* Where to look, for whoever did not say. */
static bool settle_view(struct cm_board_feed *feed)
{
    struct cm_board *b = feed->board;
    bool moved = false;
    if (b->depth == 0 && feed->first_centre[0] != '\0') {
        b->path[0].kind = CM_KIND_CENTRE;
        memcpy(b->path[0].id, feed->first_centre, sizeof(b->path[0].id));
        b->depth = 1;
        moved = true;
    }
    const char *window = cm_board_default_window(b);
    if (b->window[0] == '\0' && window != NULL) {
        memcpy(b->window, window, sizeof(b->window));
        moved = true;
    }
    return moved;
}

static void end_round(struct cm_board_feed *feed)
{
    feed->open = false;
    if (feed->broken || feed->view != feed->board->view) {
        feed->settled = false;
        feed->next_ns = 0;
        return;
    }
    swap_content(feed);
    bool moved = settle_view(feed);
    feed->changed = true;
    if (feed->settled && !moved) {
        feed->hurried = 0;
    } else if ((moved || feed->asks_board) && feed->hurried < SETTLE_MOST) {
        feed->settled = false;
        feed->hurried++;
        feed->next_ns = 0;
    }
}

/* ---- life ----------------------------------------------------------------------------------- */

static void on_lost(void *context)
{
    struct cm_board_feed *feed = context;
    feed->board->connected = false;
    feed->changed = true;
    feed->settled = false;
}

struct cm_board_feed *cm_board_feed_create(struct cm_ring *ring, const struct cm_config *config,
                                           struct cm_board *board, int64_t interval_ms)
{
    struct cm_board_feed *feed = cm_alloc(1, sizeof(*feed));
    feed->config = config;
    feed->board = board;
    feed->interval_ns = interval_ms * CM_NS_PER_MS;
    const struct cm_redis_options options = {.address = config->redis_address,
                                             .username = config->redis_username,
                                             .password_file = config->redis_password_file,
                                             .database = config->redis_database,
                                             .client_name = "callmill-top",
                                             .on_lost = on_lost,
                                             .context = feed};
    feed->redis = cm_redis_create(ring, &options);
    return feed;
}

void cm_board_feed_destroy(struct cm_board_feed *feed)
{
    if (feed == NULL) {
        return;
    }
    cm_redis_destroy(feed->redis);
    cm_board_free(&feed->next);
    free(feed->rooms.at);
    free(feed->teams.at);
    free(feed->queue_ids.at);
    free(feed);
}

static void note_trouble(struct cm_board_feed *feed)
{
    const char *text = cm_redis_last_error(feed->redis);
    struct cm_board *b = feed->board;
    if (b->connected || strncmp(b->trouble, text, sizeof(b->trouble) - 1) != 0) {
        (void)snprintf(b->trouble, sizeof(b->trouble), "%s", text);
        feed->changed = true;
    }
    b->connected = false;
}

bool cm_board_feed_poll(struct cm_board_feed *feed, int64_t now_mono_ns)
{
    cm_redis_poll(feed->redis, now_mono_ns);
    if (feed->open && feed->pending == 0) {
        end_round(feed);
    }
    if (!cm_redis_is_ready(feed->redis)) {
        note_trouble(feed);
    } else if (!feed->open && now_mono_ns >= feed->next_ns) {
        begin_round(feed, now_mono_ns);
        cm_redis_poll(feed->redis, now_mono_ns);
    }
    bool changed = feed->changed;
    feed->changed = false;
    return changed;
}

bool cm_board_feed_is_settled(const struct cm_board_feed *feed)
{
    return feed->settled && !feed->open;
}

void cm_board_feed_hurry(struct cm_board_feed *feed)
{
    feed->next_ns = 0;
    feed->hurried = 0;
}
