// SPDX-License-Identifier: Apache-2.0
/* command_demo.c — `callmill demo`: everything at once on this machine.
 *
 *   feeder (thread) ──► embedded broker ──► cm_run (thread) ──► redis-server (child) ──► board
 *
 * Everything that it starts it stops; what it writes lies in one temporary directory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "cli/board_show.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/demo_feeder.h"
#include "cli/redis_child.h"
#include "cli/redis_sweep.h"
#include "cli/terminal.h"
#include "engine/run.h"
#include "kafka/mock_broker.h"
#include "traffic/traffic.h"

#define PARTITIONS       4
#define BACKLOG_MS       (18 * CM_MS_PER_M)
#define AHEAD_MS         (7 * CM_MS_PER_D) /* how far before now a fast demo begins */
#define PLAIN_EVERY_MS   5000
#define PLAIN_SECONDS    30
#define INTERVAL_MS      250
#define SWEEP_MS         5000
#define PREFIX_OF_OTHERS "cm:demo:" /* in a Redis that is not the demo's own */
#define LOG_TAIL_BYTES   4096

/* What happens now and then in this traffic, so that there is something to see. */
static const char rules[] =
    "compliance: {checks: {greeting: {weight: 1}, identity: {weight: 2, veto: true}, "
    "consent: {weight: 1}}}\n"
    "rankings: [{kind: seat, window: 1h, metric: aht_ms}]\n"
    "rules:\n"
    "  - {name: abandonment, kind: queue, window: 5m, metric: abandon_rate, warn: \"> 0.12\",\n"
    "     critical: \"> 0.18\", clear: \"< 0.11\", for: 10s, keep: 20s, min_n: 40}\n"
    "  - {name: long-handle, kind: team, window: 15m, metric: aht_ms, warn: \"> 345000\",\n"
    "     critical: \"> 450000\", clear: \"< 330000\", for: 15s, keep: 30s, min_n: 10}\n"
    "  - {name: service-level, kind: room, window: 5m, metric: service_level, warn: \"< 0.65\",\n"
    "     critical: \"< 0.55\", clear: \"> 0.68\", for: 10s, keep: 20s, min_n: 30}\n";

struct demo_arguments {
    const char *redis, *brokers;
    uint64_t seats, seconds, seed;
    double speed;
    bool keep;
};

struct demo {
    const struct demo_arguments *a;
    char directory[64];
    int error_saved;
    struct cm_redis_child redis;
    struct cm_mock_broker *mock;
    char topic[64];
    struct cm_zone *load_zone;
    struct cm_traffic *traffic;
    struct cm_demo_feeder *feeder;
    struct cm_config *config;
    struct cm_roster *roster;
    struct cm_run_signals run_signals;
    pthread_t run_thread;
    bool run_started;
    _Atomic bool run_ended;
    int run_rc; /* and text: of the thread, after run_ended */
    char run_text[512];
    struct cm_board board;
    int64_t end_ns; /* INT64_MAX: none */
};

enum demo_option {
    OPT_REDIS = 256,
    OPT_BROKERS,
    OPT_SEATS,
    OPT_SECONDS,
    OPT_SPEED,
    OPT_SEED,
    OPT_KEEP
};

static const struct argp_option options[] = {
    {"redis", OPT_REDIS, "ADDRESS", 0,
     "A Redis that is there already: keys cm:demo:*, removed at "
     "the end (default: an own redis-server)",
     0},
    {"brokers", OPT_BROKERS, "HOST:PORT", 0,
     "A Kafka that is there already: a new topic, which "
     "stays (default: the embedded broker)",
     0},
    {"seats", OPT_SEATS, "N", 0, "Seats of the centre (default 1240)", 0},
    {"seconds", OPT_SECONDS, "N", 0, "Ends after N seconds (default: never in a terminal, else 30)",
     0},
    {"speed", OPT_SPEED, "X", 0,
     "Event time runs X times as fast as the clock; above 1 it begins "
     "a week ago",
     0},
    {"seed", OPT_SEED, "N", 0, "Of the traffic (default 1)", 0},
    {"keep", OPT_KEEP, NULL, 0, "Keeps the directory with the logs, and says where it is", 0},
    {0},
};

static uint64_t parse_count(struct argp_state *state, const char *name, const char *arg,
                            uint64_t most)
{
    uint64_t value = 0;
    if (!cm_parse_u64(arg, strlen(arg), &value) || value == 0 || value > most) {
        argp_error(state, "--%s %s: not a number from 1 to %llu", name, arg,
                   (unsigned long long)most);
    }
    return value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct demo_arguments *a = state->input;
    char *end = NULL;
    switch (key) {
    case OPT_REDIS:
        a->redis = arg;
        return 0;
    case OPT_BROKERS:
        a->brokers = arg;
        return 0;
    case OPT_SEATS:
        a->seats = parse_count(state, "seats", arg, CM_TRAFFIC_SEATS_MAX);
        return 0;
    case OPT_SECONDS:
        a->seconds = parse_count(state, "seconds", arg, 100000000);
        return 0;
    case OPT_SEED:
        a->seed = parse_count(state, "seed", arg, UINT64_MAX);
        return 0;
    case OPT_SPEED:
        a->speed = strtod(arg, &end);
        if (end == arg || *end != '\0' || !(a->speed >= 0.1 && a->speed <= 1000)) {
            argp_error(state, "--speed %s: not a number from 0.1 to 1000", arg);
        }
        return 0;
    case OPT_KEEP:
        a->keep = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- the directory and its log -------------------------------------------------------------- */

static int open_directory(struct demo *d)
{
    const char *parent = getenv("TMPDIR");
    parent = parent == NULL || parent[0] == '\0' || strlen(parent) > 30 ? "/tmp" : parent;
    (void)snprintf(d->directory, sizeof(d->directory), "%s/callmill-demo-XXXXXX", parent);
    if (mkdtemp(d->directory) == NULL) {
        int rc = cm_fail(CM_ERR_IO, "%s: %s", d->directory, strerror(errno));
        d->directory[0] = '\0';
        return rc;
    }
    return 0;
}

static void remove_directory(struct demo *d)
{
    DIR *directory = d->directory[0] == '\0' ? NULL : opendir(d->directory);
    const struct dirent *entry;
    if (directory == NULL) {
        return;
    }
    while ((entry = readdir(directory)) != NULL) {
        (void)unlinkat(dirfd(directory), entry->d_name, 0);
    }
    (void)closedir(directory);
    (void)rmdir(d->directory);
}

/* Standard error goes to callmill.log: a line of the log would tear the board. */
static int redirect_errors(struct demo *d)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/callmill.log", d->directory);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (fd < 0 || saved < 0 || dup2(fd, STDERR_FILENO) < 0) {
        return cm_fail(CM_ERR_IO, "%s: %s", path, strerror(errno));
    }
    (void)close(fd);
    d->error_saved = saved;
    return 0;
}

static void restore_errors(struct demo *d)
{
    if (d->error_saved >= 0) {
        (void)dup2(d->error_saved, STDERR_FILENO);
        (void)close(d->error_saved);
        d->error_saved = -1;
    }
}

/* The last lines of a log, for somebody who has to find out what failed. */
static void show_tail(const struct demo *d, const char *name)
{
    char path[128];
    char bytes[LOG_TAIL_BYTES];
    (void)snprintf(path, sizeof(path), "%s/%s", d->directory, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    off_t from = end > LOG_TAIL_BYTES ? end - LOG_TAIL_BYTES : 0;
    ssize_t len = fd < 0 ? 0 : pread(fd, bytes, sizeof(bytes), from);
    if (fd >= 0) {
        (void)close(fd);
    }
    if (len > 0) {
        fprintf(stderr, "--- %s\n%.*s", name, (int)len, bytes);
    }
}

/* ---- parts ---------------------------------------------------------------------------------- */

/* The name of this machine's zone, Asia/Shanghai where it has none. */
static void local_zone(char *out, size_t bytes)
{
    char link[256] = "";
    const char *name = getenv("TZ");
    struct cm_zone *zone = NULL;
    if (name == NULL || name[0] == '\0') {
        ssize_t len = readlink("/etc/localtime", link, sizeof(link) - 1);
        link[len > 0 ? len : 0] = '\0';
        const char *root = strstr(link, "zoneinfo/");
        name = root == NULL ? "" : root + strlen("zoneinfo/");
    }
    name += name[0] == ':' ? 1 : 0;
    bool known = name[0] != '\0' && strchr(name, '"') == NULL && strchr(name, '\\') == NULL &&
                 strstr(name, "UTC") == NULL && cm_zone_load(name, &zone) == 0;
    (void)snprintf(out, bytes, "%s", known ? name : "Asia/Shanghai");
    cm_zone_free(zone);
}

/* A zone in which it is about a quarter to eight in the evening of a working day now, or as near
 * to that as can be: a demo at night should not show an empty centre, nor one at its limits. */
static struct cm_zone *busy_zone(int64_t now_ms)
{
    int best = 0;
    int64_t best_ms = INT64_MAX;
    for (int hours = -12; hours <= 14; hours++) {
        int64_t local_ms = now_ms + hours * CM_MS_PER_H;
        int64_t weekday = (local_ms / CM_MS_PER_D + 3) % 7; /* the epoch was a Thursday */
        int64_t off_ms = llabs(local_ms % CM_MS_PER_D - 79 * CM_MS_PER_H / 4);
        off_ms += weekday >= 5 ? 6 * CM_MS_PER_H : 0;
        if (off_ms < best_ms) {
            best_ms = off_ms;
            best = hours;
        }
    }
    char name[24];
    struct cm_zone *zone = NULL;
    (void)snprintf(name, sizeof(name), "Etc/GMT%+d", -best); /* POSIX's sign: east is minus */
    return cm_zone_load(best == 0 ? "UTC" : name, &zone) == 0 ? zone : NULL;
}

static int open_traffic(struct demo *d, int64_t now_ms)
{
    struct cm_traffic_options o;
    cm_traffic_defaults(&o);
    o.seed = d->a->seed;
    o.seats = (uint32_t)d->a->seats;
    o.start_ms = now_ms - BACKLOG_MS;
    o.end_ms = INT64_MAX;
    o.centre = "main";
    o.live_events = true;
    o.judgements = 0.05;
    d->load_zone = busy_zone(now_ms);
    o.zone = d->load_zone;
    return cm_traffic_create(&o, &d->traffic);
}

static int make_config(struct demo *d, const char *brokers, const char *redis)
{
    struct cm_text yaml = {0};
    struct cm_text csv = {0};
    char zone[64];
    char words[4][512];
    local_zone(zone, sizeof(zone));
    cm_text_addf(&yaml, "timezone: \"%s\"\ncentre: main\n", zone);
    cm_text_adds(&yaml, rules);
    cm_traffic_queues(d->traffic, &yaml);
    (void)snprintf(words[0], sizeof(words[0]), "source.kafka.brokers=\"%s\"", brokers);
    (void)snprintf(words[1], sizeof(words[1]), "source.kafka.topic=%s", d->topic);
    (void)snprintf(words[2], sizeof(words[2]), "redis.address=\"%s\"", redis);
    (void)snprintf(words[3], sizeof(words[3]), "redis.prefix=\"%s\"",
                   d->a->redis == NULL ? "cm:" : PREFIX_OF_OTHERS);
    const char *overrides[] = {words[0], words[1], words[2], words[3]};
    int rc = cm_config_parse("demo", yaml.data, yaml.len, overrides, CM_ARRAY_LEN(overrides),
                             &d->config);
    if (rc == 0) {
        cm_traffic_roster(d->traffic, &csv);
        rc = cm_roster_parse("demo.csv", csv.data, csv.len, "main", &d->roster);
    }
    cm_text_free(&yaml);
    cm_text_free(&csv);
    return rc;
}

static void *run_engine(void *argument)
{
    struct demo *d = argument;
    const struct cm_run_options run = {d->config, d->roster, &d->run_signals};
    d->run_rc = cm_run(&run);
    if (d->run_rc < 0) {
        (void)snprintf(d->run_text, sizeof(d->run_text), "%s", cm_fail_text());
    }
    /* release: pairs with the acquire in on_turn(); rc and text are there. */
    atomic_store_explicit(&d->run_ended, true, memory_order_release);
    return NULL;
}

/* Threads leave signals to the main one, whose waits they end. */
static int start_threads(struct demo *d, const char *brokers, int64_t now_ms)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const struct cm_demo_feeder_options feeder = {
        .traffic = d->traffic,
        .brokers = brokers,
        .topic = d->topic,
        .partitions = PARTITIONS,
        .pace = {now_ms, cm_clock_mono_ns(), d->a->speed},
    };
    int rc = cm_demo_feeder_start(&feeder, &d->feeder);
    if (rc == 0) {
        int error = pthread_create(&d->run_thread, NULL, run_engine, d);
        d->run_started = error == 0;
        rc = error == 0 ? 0 : cm_fail(CM_ERR_IO, "no thread for the engine: %s", strerror(error));
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

/* ---- the show ------------------------------------------------------------------------------- */

static bool on_turn(void *context)
{
    struct demo *d = context;
    cm_demo_feeder_note_read(d->feeder, d->board.records);
    /* acquire: pairs with the release in run_engine(). */
    return !atomic_load_explicit(&d->run_ended, memory_order_acquire) &&
           cm_clock_mono_ns() < d->end_ns;
}

static int64_t on_now_ms(void *context)
{
    const struct demo *d = context;
    return cm_demo_feeder_now_ms(d->feeder);
}

static int show(struct demo *d, const char *brokers)
{
    char note[256];
    bool plain = isatty(STDOUT_FILENO) == 0;
    uint64_t seconds = d->a->seconds > 0 ? d->a->seconds : plain ? PLAIN_SECONDS : 0;
    d->end_ns = seconds > 0 ? cm_clock_mono_ns() + (int64_t)seconds * CM_NS_PER_S : INT64_MAX;
    (void)snprintf(note, sizeof(note), "redis %s   kafka %s", d->config->redis_address, brokers);
    const struct cm_board_show options_of_show = {
        .config = d->config,
        .board = &d->board,
        .interval_ms = INTERVAL_MS,
        .plain = plain,
        .plain_every_ms = PLAIN_EVERY_MS,
        .note = note,
        .waiting = "starting: the engine joins its consumer group ...",
        .now_ms = on_now_ms,
        .turn = on_turn,
        .context = d,
    };
    return cm_board_show(&options_of_show);
}

static int start(struct demo *d, const char **brokers)
{
    int64_t now_ms = cm_clock_wall_ms();
    int rc = 0;
    if (d->a->speed > 1) {
        int64_t needed_ms = (int64_t)((double)d->a->seconds * 1e3 * d->a->speed);
        now_ms -= d->a->seconds > 0 && needed_ms < AHEAD_MS ? needed_ms : AHEAD_MS;
    }
    (void)snprintf(d->topic, sizeof(d->topic), "callmill-demo-%lld", (long long)cm_clock_wall_ms());
    if (d->a->redis == NULL) {
        rc = cm_redis_child_start(&d->redis, d->directory);
    } else {
        rc = cm_redis_sweep(d->a->redis, PREFIX_OF_OTHERS, SWEEP_MS);
    }
    if (rc == 0 && d->a->brokers == NULL) {
        rc = cm_mock_broker_open(d->topic, PARTITIONS, &d->mock);
    }
    if (rc == 0) {
        *brokers = d->a->brokers != NULL ? d->a->brokers : cm_mock_broker_address(d->mock);
        rc = open_traffic(d, now_ms);
    }
    rc = rc < 0 ? rc
                : make_config(d, *brokers, d->a->redis != NULL ? d->a->redis : d->redis.address);
    return rc < 0 ? rc : start_threads(d, *brokers, now_ms);
}

/* From the source to the sink, so that nothing waits for something that is gone. */
static int stop(struct demo *d)
{
    int rc = 0;
    cm_demo_feeder_stop(d->feeder);
    if (d->run_started) {
        atomic_store(&d->run_signals.stop, true);
        (void)pthread_join(d->run_thread, NULL);
        rc = d->run_rc < 0 ? cm_fail((enum cm_error) - d->run_rc, "%s", d->run_text) : 0;
    } else {
        cm_roster_free(d->roster);
    }
    if (d->a->redis != NULL && d->run_started &&
        cm_redis_sweep(d->a->redis, PREFIX_OF_OTHERS, SWEEP_MS) < 0 && rc == 0) {
        rc = cm_fail(CM_ERR_REDIS, "keys %s* are left in Redis: %s", PREFIX_OF_OTHERS,
                     cm_fail_text());
    }
    cm_redis_child_stop(&d->redis);
    cm_mock_broker_close(d->mock);
    cm_traffic_free(d->traffic);
    cm_zone_free(d->load_zone);
    cm_config_free(d->config);
    cm_board_free(&d->board);
    return rc;
}

static int run_demo(const struct demo_arguments *a)
{
    struct demo d = {.a = a, .error_saved = -1};
    const char *brokers = "";
    char text[1024] = "";
    int rc = open_directory(&d);
    rc = rc < 0 ? rc : redirect_errors(&d);
    rc = rc < 0 ? rc : start(&d, &brokers);
    rc = rc < 0 ? rc : show(&d, brokers);
    (void)snprintf(text, sizeof(text), "%s", rc < 0 ? cm_fail_text() : "");
    int stop_rc = stop(&d);
    if (rc == 0 && stop_rc < 0) {
        rc = stop_rc;
        (void)snprintf(text, sizeof(text), "%s", cm_fail_text());
    }
    restore_errors(&d);
    if (rc < 0) {
        show_tail(&d, "redis.log");
        show_tail(&d, "callmill.log");
        rc = cm_fail((enum cm_error) - rc, "%s", text);
    }
    if (a->brokers != NULL && d.topic[0] != '\0') {
        fprintf(stderr, "callmill demo: topic %s stays on %s\n", d.topic, a->brokers);
    }
    if (a->keep && d.directory[0] != '\0') {
        fprintf(stderr, "callmill demo: logs are in %s\n", d.directory);
    } else {
        remove_directory(&d);
    }
    return rc;
}

int cm_command_demo(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc =
            "Shows callmill at work, without preparations: a centre's traffic, an embedded "
            "broker, the engine, a Redis of its own, and the board of `callmill top`.\v"
            "The figures begin with the last 18 minutes. Keys are those of `callmill top`. "
            "Ctrl-C, SIGTERM or q ends it and leaves nothing behind. Where standard output is no "
            "terminal, a plain frame is printed every 5 s.",
    };
    struct demo_arguments a = {.seats = 1240, .seed = 1, .speed = 1};
    int status = cm_parse_arguments(&argp, argc, argv, &a);
    if (status != 0) {
        return status;
    }
    cm_terminal_catch_signals();
    return cm_report(run_demo(&a));
}
