// SPDX-License-Identifier: Apache-2.0
/* publish_stage.c — see publish_stage.h. */
#include "support/publish_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "publish/row.h"

struct redis_server server;
struct cm_ring *ring;
struct cm_config *config;
struct cm_roster *roster;
struct cm_publisher *publisher;
uint32_t resyncs;
static redisContext *client;

const char stage_rows[] = "seat,team,room,centre,from\n"
                          "1001,t1,r1,main,\n"
                          "1002,t1,r1,main,\n"
                          "2001,t2,r1,main,\n"
                          "3001,,,main,\n"
                          "3002,,r2,main,\n"
                          "5001,t5,,main,\n";

/* --- the stage --- */

static void on_resync(void *context)
{
    assert_ptr_equal(context, &server);
    resyncs++;
}

static void connect_client(void)
{
    if (client != NULL) {
        redisFree(client);
    }
    client = redisConnect("127.0.0.1", server.port);
    assert_non_null(client);
    assert_int_equal(client->err, 0);
}

void lose_server(void)
{
    redis_server_kill(&server);
    UNTIL(!cm_publisher_is_connected(publisher));
}

void restart_server(void)
{
    assert_int_equal(redis_server_restart(&server), 0);
    connect_client();
}

struct cm_roster *roster_of(const char *csv)
{
    struct cm_roster *made = NULL;
    int rc = cm_roster_parse("roster.csv", csv, strlen(csv), "main", &made);
    if (rc != 0) {
        fail_msg("%s", cm_fail_text());
    }
    return made;
}

void load_config(const char *yaml)
{
    char address[64];
    (void)snprintf(address, sizeof(address), "redis.address=%s", server.address);
    const char *overrides[] = {address};
    if (cm_config_parse("test.yaml", yaml, strlen(yaml), overrides, 1, &config) != 0) {
        fail_msg("%s", cm_fail_text());
    }
}

void open_publisher(void)
{
    struct cm_publisher_options options = {.config = config,
                                           .roster = roster,
                                           .instance = "host:7",
                                           .on_resync = on_resync,
                                           .context = &server};
    resyncs = 0;
    publisher = cm_publisher_create(ring, &options);
}

void close_publisher(void)
{
    cm_publisher_destroy(publisher);
    publisher = NULL;
}

void turn(void)
{
    cm_publisher_poll(publisher, cm_clock_mono_ns());
    (void)cm_ring_wait(ring, 2 * CM_NS_PER_MS);
}

void stage(const char *yaml)
{
    load_config(yaml);
    roster = roster_of(stage_rows);
    open_publisher();
    UNTIL(cm_publisher_is_connected(publisher));
    assert_int_equal(resyncs, 1);
}

int stage_is_missing(void)
{
    int rc = redis_server_start(&server, NULL);
    redis_server_stop(&server);
    return rc;
}

int setup(void **state)
{
    (void)state;
    if (redis_server_start(&server, NULL) != 0) {
        return -1;
    }
    connect_client();
    return cm_ring_create(64, &ring);
}

int teardown(void **state)
{
    (void)state;
    close_publisher();
    cm_ring_destroy(ring);
    ring = NULL;
    cm_config_free(config);
    config = NULL;
    cm_roster_free(roster);
    roster = NULL;
    redisFree(client);
    client = NULL;
    redis_server_stop(&server);
    return 0;
}

/* --- asking Redis --- */

redisReply *ask(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = redisvCommand(client, format, args);
    va_end(args);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR) {
        fail_msg("%s: %s", format, reply->str);
    }
    return reply;
}

void tell(const char *command)
{
    freeReplyObject(ask(command));
}

long long number(const char *command)
{
    redisReply *reply = ask(command);
    long long value = reply->type == REDIS_REPLY_INTEGER ? reply->integer : atoll(reply->str);
    freeReplyObject(reply);
    return value;
}

void assert_text(const char *command, const char *expected)
{
    redisReply *reply = ask(command);
    if (expected == NULL) {
        assert_int_equal(reply->type, REDIS_REPLY_NIL);
    } else {
        assert_int_equal(reply->type, REDIS_REPLY_STRING);
        assert_string_equal(reply->str, expected);
    }
    freeReplyObject(reply);
}

static int by_text(const void *a, const void *b)
{
    const redisReply *const *x = a;
    const redisReply *const *y = b;
    return strcmp((*x)->str, (*y)->str);
}

/* The words of the answer, sorted, parted by blanks. */
void assert_words(const char *command, const char *expected)
{
    redisReply *reply = ask(command);
    assert_int_equal(reply->type, REDIS_REPLY_ARRAY);
    if (reply->elements > 1) {
        qsort(reply->element, reply->elements, sizeof(*reply->element), by_text);
    }
    char words[4096] = "";
    for (size_t i = 0; i < reply->elements; i++) {
        (void)strncat(words, i == 0 ? "" : " ", sizeof(words) - strlen(words) - 1);
        (void)strncat(words, reply->element[i]->str, sizeof(words) - strlen(words) - 1);
    }
    assert_string_equal(words, expected);
    freeReplyObject(reply);
}

/* --- handing over --- */

struct cm_unit_key key_of(enum cm_kind kind, const char *id)
{
    return (struct cm_unit_key){.kind = (uint8_t)kind, .id = {id, (uint32_t)strlen(id)}};
}

uint32_t window_of(const char *name)
{
    for (uint32_t w = 0; w < config->all_count; w++) {
        if (strcmp(config->all[w].name, name) == 0) {
            return w;
        }
    }
    fail_msg("no window %s", name);
    return 0;
}

/* `answered` legs of 100 s each. */
struct cm_measures legs(uint32_t answered)
{
    struct cm_measures m = {.tally = {.answered = answered,
                                      .sl_met = answered,
                                      .talk_ms = UINT64_C(100000) * answered,
                                      .handle_max_ms = answered > 0 ? 100000 : 0}};
    if (answered > 0) {
        cm_hist_add(&m.handle, cm_hist_bin(100000), answered);
    }
    return m;
}

void row(enum cm_kind kind, const char *id, const char *window, int64_t asof_ms, uint32_t answered)
{
    struct cm_measures m = legs(answered);
    struct cm_unit_key key = key_of(kind, id);
    cm_publisher_row(publisher, &key, CM_UNIT_NONE, window_of(window), asof_ms, &m);
    cm_hist_free(&m.handle);
}

void assert_figures(const char *command, int64_t asof_ms, uint32_t answered)
{
    struct cm_measures m = legs(answered);
    struct cm_text text = {0};
    cm_value_write(&text, config, asof_ms, &m);
    assert_text(command, cm_text_cstr(&text));
    cm_text_free(&text);
    cm_hist_free(&m.handle);
}

void begin(int64_t asof_ms)
{
    UNTIL(cm_publisher_try_begin(publisher, asof_ms));
}

void end_only(int64_t asof_ms)
{
    struct cm_publisher_meta meta = {.asof_ms = asof_ms,
                                     .watermark_ms = asof_ms - 10000,
                                     .lag = 5,
                                     .records = 100,
                                     .counted = 90,
                                     .duplicates = 4,
                                     .revised = 3,
                                     .late = 2,
                                     .bad = 1};
    cm_publisher_end(publisher, &meta);
}

void end(int64_t asof_ms)
{
    uint64_t ticks = cm_publisher_counts(publisher).ticks;
    end_only(asof_ms);
    UNTIL(cm_publisher_counts(publisher).ticks == ticks + 1);
}

void breach(const char *id, const char *dedup_key, bool firing)
{
    char json[256];
    (void)snprintf(json, sizeof(json),
                   "{\"specversion\":\"1.0\",\"id\":\"%s\",\"data\":{\"id\":\"1001\"}}", id);
    cm_publisher_breach(publisher, (struct cm_str){dedup_key, (uint32_t)strlen(dedup_key)},
                        (struct cm_str){json, (uint32_t)strlen(json)}, firing);
}
