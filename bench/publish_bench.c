// SPDX-License-Identifier: Apache-2.0
/* publish_bench.c — seats that change, into a real Redis: the publisher of `run`, beside plain
 * hiredis that pipelines an HSET a row and layout with the same values.
 *
 *   measures in memory ─► each tick: so many seats ─┬─► cm_publisher ─► ring ──────┬─► Redis
 *                                                   └─► redisAppendCommandArgv ────┘
 *
 *   publish_bench --redis HOST:PORT [--seats N] [--rate N] [--tick MS] [--seconds N] [--repeats N]
 *                 [--layouts LIST] [--socket PATH] [--answers each] [--json FILE]
 *
 * 100,000 seats, 50,000 rows a second, ticks of 200 ms for 10 s unless given; a row is a seat in
 * one window (5m). THAT REDIS IS EMPTIED (FLUSHALL) before each run: bench/publish starts one.
 *
 * Before the clock runs every seat is written once, so that nothing appears for the first time. The
 * seats of a tick come in their order, one at random of every so many, as the engine hands them
 * over: so all teams change, and a board has a field or two a tick (more with a longer tick). A
 * tick ends when all of it is answered; the next begins when it is due, or at once when it is late.
 * CPU time is that of this process, formatting of the values in it, for both sides; the row
 * `format the values` is that part alone. CPU time of Redis is what it tells itself (INFO cpu).
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"
#include "base/prng.h"
#include "bench/bench.h"
#include "bench/centre.h"
#include "io/ring.h"
#include "publish/publisher.h"
#include "publish/row.h"

#define PATIENCE_NS (30 * CM_NS_PER_S)
#define SETTLE_NS   (CM_NS_PER_S / 2)
#define TURN_NS     (5 * CM_NS_PER_MS) /* as the service thread of `run` waits */

struct seat {
    struct cm_str id, team;
    struct cm_measures m;
};

struct bench_run {
    char host[64], address[96];
    const char *socket; /* of the same Redis, for the publisher; NULL: it takes the address */
    int port;
    uint32_t seats_count, rate, tick_ms, seconds, repeats;
    const char *answers; /* redis.answers; NULL: as it is by default */
    const char *layouts; /* "units, boards", "units", "boards"; NULL: each of them */
    struct seat *seats;
    const struct cm_config *config;
    const struct cm_roster *roster;
    redisContext *redis; /* for questions, and the peer's */
    struct cm_ring *ring;
    struct cm_publisher *publisher; /* NULL: the peer sends */
    struct cm_text value, key;
    struct cm_prng prng;
    int64_t asof_ms;
    uint64_t rows, ticks, late; /* of the timed part */
    int64_t busy_ns;            /* from the begin of ticks until they were answered */
    double redis_ns, in_bytes;
};

/* ---- asking Redis ---- */

static redisReply *ask(struct bench_run *r, const char *command)
{
    redisReply *reply = redisCommand(r->redis, command);
    if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
        cm_bench_die("publish_bench: %s: %s", command,
                     reply == NULL ? r->redis->errstr : reply->str);
    }
    return reply;
}

static uint64_t info(struct bench_run *r, const char *section, const char *name)
{
    char command[32];
    snprintf(command, sizeof(command), "INFO %s", section);
    redisReply *reply = ask(r, command);
    const char *at = strstr(reply->str, name);
    uint64_t value = at == NULL ? 0 : strtoull(at + strlen(name) + 1, NULL, 10);
    freeReplyObject(reply);
    return value;
}

static double redis_seconds(struct bench_run *r, const char *name)
{
    redisReply *reply = ask(r, "INFO cpu");
    const char *at = strstr(reply->str, name);
    double value = at == NULL ? 0 : strtod(at + strlen(name) + 1, NULL);
    freeReplyObject(reply);
    return value;
}

static double redis_cpu_ns(struct bench_run *r)
{
    return (redis_seconds(r, "used_cpu_user") + redis_seconds(r, "used_cpu_sys")) * 1e9;
}

/* ---- rows ---- */

/* What a window of five minutes holds of a seat: one to three calls, with checks. */
static void fill_measures(struct cm_measures *m, struct cm_prng *prng)
{
    static const char *const checks[] = {"greeting", "identity"};
    uint32_t legs = 1 + (uint32_t)cm_prng_below(prng, 3);
    for (uint32_t i = 0; i < legs; i++) {
        uint32_t talk_ms = 20000 + (uint32_t)cm_prng_below(prng, 250000);
        uint32_t wait_ms = (uint32_t)cm_prng_below(prng, 60000);
        m->tally.answered++;
        m->tally.wait_ms += wait_ms;
        m->tally.talk_ms += talk_ms;
        m->tally.acw_ms += 15000;
        m->tally.sl_met += wait_ms <= 20000;
        m->tally.wait_max_ms = wait_ms > m->tally.wait_max_ms ? wait_ms : m->tally.wait_max_ms;
        m->tally.handle_max_ms =
            talk_ms + 15000 > m->tally.handle_max_ms ? talk_ms + 15000 : m->tally.handle_max_ms;
        m->tally.checked++;
        m->tally.compliant++;
        m->tally.check_weight += CM_ARRAY_LEN(checks);
        m->tally.check_weight_passed += CM_ARRAY_LEN(checks);
        cm_hist_add(&m->handle, cm_hist_bin(talk_ms + 15000), 1);
    }
    for (uint32_t i = 0; i < CM_ARRAY_LEN(checks); i++) {
        const struct cm_detail check = {
            .group = CM_DETAIL_CHECK,
            .name = {checks[i], (uint32_t)strlen(checks[i])},
            .count = legs,
            .passed = legs,
        };
        cm_details_add(&m->details, &check);
    }
    const struct cm_detail source = {.group = CM_DETAIL_SOURCE,
                                     .index = CM_DETAIL_SOURCE_RECORD,
                                     .count = CM_ARRAY_LEN(checks) * legs,
                                     .passed = CM_ARRAY_LEN(checks) * legs};
    cm_details_add(&m->details, &source);
    cm_details_sort(&m->details);
}

static void make_seats(struct bench_run *r, const struct cm_roster *roster)
{
    struct cm_prng prng;
    const struct cm_seat_row *rows = cm_roster_rows(roster, &r->seats_count);
    r->seats = cm_alloc(r->seats_count, sizeof(*r->seats));
    cm_prng_seed(&prng, 1);
    for (uint32_t i = 0; i < r->seats_count; i++) {
        r->seats[i].id = rows[i].seat;
        r->seats[i].team = rows[i].place.team;
        fill_measures(&r->seats[i].m, &prng);
    }
}

/* The i-th of `count` seats that change in this tick. */
static uint32_t pick_seat(struct bench_run *r, uint32_t i, uint32_t count)
{
    uint64_t first = (uint64_t)i * r->seats_count / count;
    uint64_t behind = (uint64_t)(i + 1) * r->seats_count / count;
    return (uint32_t)(first + cm_prng_below(&r->prng, behind - first));
}

/* ---- the publisher ---- */

static void on_resync(void *context)
{
    (void)context;
}

static void turn(struct bench_run *r, int64_t wait_ns)
{
    cm_publisher_poll(r->publisher, cm_clock_mono_ns());
    cm_ring_wait(r->ring, wait_ns);
}

static void publish_tick(struct bench_run *r, uint32_t count)
{
    int64_t until_ns = cm_clock_mono_ns() + PATIENCE_NS;
    while (!cm_publisher_try_begin(r->publisher, r->asof_ms)) {
        turn(r, CM_NS_PER_MS);
        if (cm_clock_mono_ns() > until_ns) {
            cm_bench_die("publish_bench: no tick begins at %s", r->address);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = pick_seat(r, i, count);
        const struct seat *seat = &r->seats[number];
        const struct cm_unit_key key = {.kind = CM_KIND_SEAT, .id = seat->id};
        cm_publisher_row(r->publisher, &key, number, 0, r->asof_ms, &seat->m);
    }
    const struct cm_publisher_meta meta = {.asof_ms = r->asof_ms, .watermark_ms = r->asof_ms};
    cm_publisher_end(r->publisher, &meta);
    while (!cm_publisher_is_idle(r->publisher)) {
        turn(r, TURN_NS);
        if (cm_clock_mono_ns() > until_ns) {
            cm_bench_die("publish_bench: no answer from %s", r->address);
        }
    }
}

/* ---- the peer ---- */

static void append_hset(struct bench_run *r, struct cm_str field)
{
    const char *words[] = {"HSET", r->key.data, field.p, r->value.data};
    const size_t lens[] = {4, r->key.len, field.len, r->value.len};
    if (redisAppendCommandArgv(r->redis, 4, words, lens) != REDIS_OK) {
        cm_bench_die("publish_bench: %s", r->redis->errstr);
    }
}

static void peer_tick(struct bench_run *r, uint32_t count)
{
    const struct cm_str window = {r->config->all[0].name, (uint32_t)strlen(r->config->all[0].name)};
    uint32_t commands = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct seat *seat = &r->seats[pick_seat(r, i, count)];
        r->value.len = r->key.len = 0;
        cm_value_write(&r->value, r->config, r->asof_ms, &seat->m);
        if (r->config->publish.units) {
            cm_text_adds(&r->key, "cm:seat:");
            cm_text_add(&r->key, seat->id.p, seat->id.len);
            append_hset(r, window);
            commands++;
        }
        if (r->config->publish.boards) {
            r->key.len = 0;
            cm_text_adds(&r->key, "cm:board:team:");
            cm_text_add(&r->key, seat->team.p, seat->team.len);
            cm_text_addc(&r->key, ':');
            cm_text_add(&r->key, window.p, window.len);
            append_hset(r, seat->id);
            commands++;
        }
    }
    for (uint32_t i = 0; i < commands; i++) {
        void *reply = NULL;
        if (redisGetReply(r->redis, &reply) != REDIS_OK) {
            cm_bench_die("publish_bench: %s", r->redis->errstr);
        }
        freeReplyObject(reply);
    }
}

/* ---- runs ---- */

static void tick(struct bench_run *r, uint32_t count)
{
    r->asof_ms += r->tick_ms;
    if (r->publisher != NULL) {
        publish_tick(r, count);
    } else {
        peer_tick(r, count);
    }
}

static void wait_until(struct bench_run *r, int64_t due_ns)
{
    for (int64_t left_ns; (left_ns = due_ns - cm_clock_mono_ns()) > 0;) {
        if (r->publisher != NULL) {
            turn(r, left_ns < TURN_NS ? left_ns : TURN_NS);
        } else {
            struct timespec time = {left_ns / CM_NS_PER_S, left_ns % CM_NS_PER_S};
            nanosleep(&time, NULL);
        }
    }
}

/* Every seat once, untimed; then ticks at their pace. */
static uint64_t drive(struct bench_run *r, struct cm_bench_clock *clock)
{
    uint32_t a_tick = (uint32_t)((uint64_t)r->rate * r->tick_ms / 1000);
    cm_prng_seed(&r->prng, 1);
    tick(r, r->seats_count);
    wait_until(r, cm_clock_mono_ns() + SETTLE_NS);
    r->rows = r->ticks = r->late = 0;
    r->busy_ns = 0;
    double redis_before = redis_cpu_ns(r);
    uint64_t in_before = info(r, "stats", "total_net_input_bytes");
    int64_t tick_ns = r->tick_ms * CM_NS_PER_MS;
    uint64_t ticks = (uint64_t)r->seconds * 1000 / r->tick_ms;
    cm_bench_start(clock);
    int64_t due_ns = cm_clock_mono_ns();
    for (; r->ticks < ticks; r->ticks++) {
        int64_t begin_ns = cm_clock_mono_ns();
        tick(r, a_tick);
        r->busy_ns += cm_clock_mono_ns() - begin_ns;
        r->rows += a_tick;
        due_ns += tick_ns;
        r->late += cm_clock_mono_ns() > due_ns;
        wait_until(r, due_ns);
    }
    cm_bench_stop(clock);
    r->in_bytes = (double)(info(r, "stats", "total_net_input_bytes") - in_before);
    r->redis_ns = redis_cpu_ns(r) - redis_before;
    return r->rows;
}

static uint64_t run_publisher(void *context, struct cm_bench_clock *clock)
{
    struct bench_run *r = context;
    const struct cm_publisher_options options = {
        .config = r->config, .roster = r->roster, .instance = "bench:1", .on_resync = on_resync};
    freeReplyObject(ask(r, "FLUSHALL"));
    if (cm_ring_open(64, CM_RING_AUTO, &r->ring) < 0) {
        return 0;
    }
    r->publisher = cm_publisher_create(r->ring, &options);
    uint64_t rows = drive(r, clock);
    cm_publisher_destroy(r->publisher);
    cm_ring_destroy(r->ring);
    r->publisher = NULL;
    return rows;
}

static uint64_t run_peer(void *context, struct cm_bench_clock *clock)
{
    struct bench_run *r = context;
    freeReplyObject(ask(r, "FLUSHALL"));
    return drive(r, clock);
}

static uint64_t run_format(void *context, struct cm_bench_clock *clock)
{
    struct bench_run *r = context;
    r->in_bytes = 0;
    cm_bench_start(clock);
    for (uint32_t i = 0; i < r->seats_count; i++) {
        r->value.len = 0;
        cm_value_write(&r->value, r->config, CM_BENCH_START_MS, &r->seats[i].m);
        r->in_bytes += (double)r->value.len;
    }
    cm_bench_stop(clock);
    return r->seats_count;
}

/* ---- rows of the table ---- */

static struct cm_bench_row *measure_run(struct cm_bench *bench, struct bench_run *r,
                                        const char *name,
                                        uint64_t (*run)(void *context, struct cm_bench_clock *c))
{
    struct cm_bench_row *row = cm_bench_measure(bench, name, false, r->repeats, run, r);
    double rows = (double)r->rows;
    cm_bench_set(row, "redis_ns/row", r->redis_ns / rows);
    cm_bench_set(row, "bytes/row", r->in_bytes / rows);
    cm_bench_set(row, "redis_core%", 100 * r->redis_ns / rows * r->rate / 1e9);
    cm_bench_set(row, "tick_ms", (double)r->busy_ns / 1e6 / (double)r->ticks);
    cm_bench_set(row, "late_ticks", (double)r->late);
    return row;
}

static void measure_layouts(struct cm_bench *bench, struct bench_run *r,
                            struct cm_bench_centre *centre, const char *layouts)
{
    char address[512], answers[64], publish[64], name[64];
    const char *overrides[] = {address, publish, answers, "windows=[5m/5s]", "periods=[]"};
    snprintf(address, sizeof(address), "redis.address=%s%s",
             r->socket == NULL ? "" : "unix:", r->socket == NULL ? r->address : r->socket);
    snprintf(answers, sizeof(answers), "redis.answers=%s",
             r->answers == NULL ? "auto" : r->answers);
    snprintf(publish, sizeof(publish), "publish=[%s]", layouts);
    struct cm_config *config = cm_bench_config(centre, overrides, CM_ARRAY_LEN(overrides));
    r->config = config;
    snprintf(name, sizeof(name), "%s: peer, hiredis pipeline", layouts);
    struct cm_bench_row *peer = measure_run(bench, r, name, run_peer);
    double peer_redis_ns = r->redis_ns / (double)r->rows;
    snprintf(name, sizeof(name), "%s: publisher", layouts);
    struct cm_bench_row *row = measure_run(bench, r, name, run_publisher);
    cm_bench_set(row, "x_peer", cm_bench_cpu_ns(row) / cm_bench_cpu_ns(peer));
    cm_bench_set(row, "redis_x_peer", r->redis_ns / (double)r->rows / peer_redis_ns);
    r->config = NULL;
    cm_config_free(config);
}

static void measure(struct cm_bench *bench, struct bench_run *r)
{
    struct cm_bench_centre centre;
    cm_bench_centre_open(&centre, r->seats_count, true, NULL, 0);
    r->asof_ms = CM_BENCH_START_MS;
    r->config = centre.config;
    r->roster = centre.roster;
    make_seats(r, centre.roster);
    struct cm_bench_row *row =
        cm_bench_measure(bench, "format the values", true, r->repeats, run_format, r);
    cm_bench_set(row, "bytes/row", r->in_bytes / (double)row->events);
    static const char *const all[] = {"units, boards", "units", "boards"};
    for (uint32_t i = 0; i < CM_ARRAY_LEN(all); i++) {
        if (r->layouts == NULL || strcmp(r->layouts, all[i]) == 0) {
            measure_layouts(bench, r, &centre, all[i]);
        }
    }
    cm_bench_note(bench, "%u seats, %u rows/s, ticks of %u ms, %u s; Redis %s.", r->seats_count,
                  r->rate, r->tick_ms, r->seconds, r->address);
    for (uint32_t i = 0; i < r->seats_count; i++) {
        cm_measures_free(&r->seats[i].m);
    }
    free(r->seats);
    cm_text_free(&r->value);
    cm_text_free(&r->key);
    cm_bench_centre_close(&centre);
}

static void connect_redis(struct bench_run *r, const char *address)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || (size_t)(colon - address) >= sizeof(r->host)) {
        cm_bench_die("publish_bench: --redis HOST:PORT");
    }
    snprintf(r->address, sizeof(r->address), "%s", address);
    snprintf(r->host, sizeof(r->host), "%.*s", (int)(colon - address), address);
    r->port = (int)cm_bench_number("--redis", colon + 1, 1, 65535);
    r->redis = redisConnect(r->host, r->port);
    if (r->redis == NULL || r->redis->err != 0) {
        cm_bench_die("publish_bench: %s does not answer", address);
    }
}

int main(int argc, char **argv)
{
    struct bench_run r = {
        .seats_count = 100000, .rate = 50000, .tick_ms = 200, .seconds = 10, .repeats = 1};
    const char *json = NULL, *address = NULL;
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--redis") == 0 && value != NULL) {
            address = value;
        } else if (strcmp(argv[i], "--seats") == 0) {
            r.seats_count = (uint32_t)cm_bench_number(argv[i], value, 100, CM_TRAFFIC_SEATS_MAX);
        } else if (strcmp(argv[i], "--rate") == 0) {
            r.rate = (uint32_t)cm_bench_number(argv[i], value, 1000, 10000000);
        } else if (strcmp(argv[i], "--tick") == 0) {
            r.tick_ms = (uint32_t)cm_bench_number(argv[i], value, 1, 1000);
        } else if (strcmp(argv[i], "--seconds") == 0) {
            r.seconds = (uint32_t)cm_bench_number(argv[i], value, 1, 3600);
        } else if (strcmp(argv[i], "--repeats") == 0) {
            r.repeats = (uint32_t)cm_bench_number(argv[i], value, 1, CM_BENCH_REPEATS_MAX);
        } else if (strcmp(argv[i], "--layouts") == 0 && value != NULL) {
            r.layouts = value;
        } else if (strcmp(argv[i], "--socket") == 0 && value != NULL) {
            r.socket = value;
        } else if (strcmp(argv[i], "--answers") == 0 && value != NULL) {
            r.answers = value;
        } else if (strcmp(argv[i], "--json") == 0 && value != NULL) {
            json = value;
        } else {
            fputs(
                "publish_bench --redis HOST:PORT [--seats N] [--rate N] [--tick MS] [--seconds N]"
                " [--repeats N] [--layouts LIST] [--socket PATH] [--answers each] [--json FILE]\n",
                stderr);
            return 2;
        }
    }
    if (address == NULL) {
        fputs("publish_bench: --redis HOST:PORT is needed; bench/publish starts one\n", stderr);
        return 2;
    }
    if ((uint64_t)r.rate * r.tick_ms / 1000 > r.seats_count) {
        fputs("publish_bench: a tick has more rows than there are seats\n", stderr);
        return 2;
    }
    connect_redis(&r, address);
    struct cm_bench *bench = cm_bench_open("publish_bench", json);
    measure(bench, &r);
    redisFree(r.redis);
    return cm_bench_close(bench);
}
