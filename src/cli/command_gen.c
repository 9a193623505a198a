// SPDX-License-Identifier: Apache-2.0
/* command_gen.c — `callmill gen`: seeded, realistic call traffic. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/gen_sink.h"
#include "cli/pace.h"
#include "traffic/traffic.h"

/* Monday, 2026-11-02, 09:00 in Shanghai: a busy hour, and the same one whenever it is run. */
#define FROM_DEFAULT_MS INT64_C(1793581200000)
#define FOR_DEFAULT_MS  CM_MS_PER_H
#define PROGRESS_NS     (CM_NS_PER_S / 2)
#define SLEEP_NS        (50 * CM_NS_PER_MS)
#define LOOK_EVERY      64u                 /* records, between two looks at the clock */
#define SIGNAL_NS       (10 * CM_NS_PER_MS) /* between two looks for a signal, at most, if paced */

enum gen_option {
    OPT_SEED = 256,
    OPT_SEATS,
    OPT_FROM,
    OPT_TO,
    OPT_FOR,
    OPT_COUNT,
    OPT_RATE,
    OPT_LIVE,
    OPT_SPEED,
    OPT_TIMEZONE,
    OPT_CENTRE,
    OPT_CALLS,
    OPT_LIVE_EVENTS,
    OPT_JUDGEMENTS,
    OPT_DISORDER,
    OPT_DISORDER_MAX,
    OPT_DUPLICATES,
    OPT_RUBBISH,
    OPT_REVISIONS,
    OPT_BROKERS,
    OPT_TOPIC,
    OPT_CODEC,
    OPT_PARTITIONS,
    OPT_KEY,
    OPT_ROSTER,
    OPT_QUEUES,
};

enum key_mode { KEY_SEAT, KEY_CALL, KEY_NONE };

struct gen_arguments {
    struct cm_traffic_options traffic;
    const char *timezone, *output, *brokers, *topic, *codec, *roster;
    int64_t from_ms, to_ms, for_ms; /* -1: not given */
    uint64_t count, rate;           /* 0: not given */
    uint64_t partitions;
    double speed; /* 0: not given */
    enum key_mode key;
    bool live, queues, quiet, topic_given;
};

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "What is generated:", 1},
    {"seed", OPT_SEED, "N", 0, "The same seed and options give the same bytes (default 1)", 1},
    {"seats", OPT_SEATS, "N", 0, "Seats of the centre (default 1240)", 1},
    {"calls-per-month", OPT_CALLS, "N", 0, "Default 13000000 for 1,240 seats", 1},
    {"centre", OPT_CENTRE, "ID", 0, "Default main", 1},
    {"timezone", OPT_TIMEZONE, "ZONE", 0, "Whose day the load follows (default Asia/Shanghai)", 1},
    {"live-events", OPT_LIVE_EVENTS, NULL, 0, "queue_enter, queue_exit and seat_state too", 1},
    {"judgements", OPT_JUDGEMENTS, "SHARE", 0, "Answered calls that a check event judges later", 1},
    {"revisions", OPT_REVISIONS, "SHARE", 0, "Answered legs that are sent again, revised", 1},
    {NULL, 0, NULL, 0, "When (event time):", 2},
    {"from", OPT_FROM, "TS", 0, "RFC 3339, or ms (default 2026-11-02T01:00:00Z)", 2},
    {"to", OPT_TO, "TS", 0, "The end, exclusive", 2},
    {"for", OPT_FOR, "DUR", 0, "Or how long (default 1h; endless with --count or --live)", 2},
    {"count", OPT_COUNT, "N", 0, "Ends after N records", 2},
    {"live", OPT_LIVE, NULL, 0, "Event time is the wall clock's: begins now, paced, endless", 2},
    {"speed", OPT_SPEED, "X", 0, "Paced: event time runs X times as fast as the clock", 2},
    {"rate", OPT_RATE, "N", 0, "N records a second; without it, as fast as possible", 2},
    {NULL, 0, NULL, 0, "What a wire does to it:", 3},
    {"disorder", OPT_DISORDER, "SHARE", 0, "Records that come late", 3},
    {"disorder-max", OPT_DISORDER_MAX, "DUR", 0, "How late at most (default 5s)", 3},
    {"duplicates", OPT_DUPLICATES, "SHARE", 0, "Records that are sent twice", 3},
    {"rubbish", OPT_RUBBISH, "SHARE", 0, "Malformed records, as a share of the good ones", 3},
    {NULL, 0, NULL, 0, "Where to:", 4},
    {"output", 'O', "FILE", 0, "File, - for standard output (default)", 4},
    {"brokers", OPT_BROKERS, "HOST:PORT", 0, "Kafka instead", 4},
    {"topic", OPT_TOPIC, "NAME", 0, "Default call-events", 4},
    {"partitions", OPT_PARTITIONS, "N", 0, "Creates the topic, if there is none", 4},
    {"codec", OPT_CODEC, "NAME", 0, "none (default), gzip, snappy, lz4 or zstd", 4},
    {"key", OPT_KEY, "WHAT", 0, "seat (default; the call where there is none), call or none", 4},
    {"roster", OPT_ROSTER, "FILE", 0,
     "Writes the roster of these seats (CSV), - for standard "
     "output",
     4},
    {"queues", OPT_QUEUES, NULL, 0, "Prints the `queues:` part of a configuration", 4},
    {"quiet", 'q', NULL, 0, "No progress and no summary", 5},
    {0},
};

/* ---- arguments ------------------------------------------------------------------------------ */

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

/* "0.05" or "5%" */
static double parse_share(struct argp_state *state, const char *name, const char *arg)
{
    char *end = NULL;
    double value = strtod(arg, &end);
    if (end != arg && *end == '%') {
        value /= 100;
        end++;
    }
    if (end == arg || *end != '\0' || !(value >= 0.0 && value <= 1.0)) {
        argp_error(state, "--%s %s: not a share such as 0.05 or 5%%", name, arg);
    }
    return value;
}

static double parse_positive(struct argp_state *state, const char *name, const char *arg,
                             double low, double high)
{
    char *end = NULL;
    double value = strtod(arg, &end);
    if (end == arg || *end != '\0' || !(value >= low && value <= high)) {
        argp_error(state, "--%s %s: not a number from %g to %g", name, arg, low, high);
    }
    return value;
}

static int64_t parse_instant(struct argp_state *state, const char *name, const char *arg)
{
    uint64_t number = 0;
    int64_t ms = 0;
    if (cm_parse_u64(arg, strlen(arg), &number) && number <= (uint64_t)INT64_MAX) {
        return (int64_t)number;
    }
    if (!cm_parse_rfc3339(arg, strlen(arg), &ms)) {
        argp_error(state, "--%s %s: neither RFC 3339 nor ms since 1970", name, arg);
    }
    return ms;
}

static int64_t parse_duration(struct argp_state *state, const char *name, const char *arg)
{
    int64_t ms = 0;
    if (!cm_parse_duration(arg, strlen(arg), &ms) || ms == 0) {
        argp_error(state, "--%s %s: not a duration such as 30s or 2h", name, arg);
    }
    return ms;
}

static enum key_mode parse_key(struct argp_state *state, const char *arg)
{
    static const char *const names[] = {"seat", "call", "none"};
    for (size_t i = 0; i < CM_ARRAY_LEN(names); i++) {
        if (strcmp(arg, names[i]) == 0) {
            return (enum key_mode)i;
        }
    }
    argp_error(state, "--key %s: seat, call or none", arg);
    return KEY_NONE;
}

static error_t parse_traffic(int key, char *arg, struct argp_state *state)
{
    struct gen_arguments *a = state->input;
    struct cm_traffic_options *t = &a->traffic;
    switch (key) {
    case OPT_SEED:
        if (!cm_parse_u64(arg, strlen(arg), &t->seed)) {
            argp_error(state, "--seed %s: not a number", arg);
        }
        return 0;
    case OPT_SEATS:
        t->seats = (uint32_t)parse_count(state, "seats", arg, CM_TRAFFIC_SEATS_MAX);
        return 0;
    case OPT_CALLS:
        t->calls_per_month = parse_positive(state, "calls-per-month", arg, 1, 1e12);
        return 0;
    case OPT_CENTRE:
        t->centre = arg;
        return 0;
    case OPT_LIVE_EVENTS:
        t->live_events = true;
        return 0;
    case OPT_JUDGEMENTS:
        t->judgements = parse_share(state, "judgements", arg);
        return 0;
    case OPT_REVISIONS:
        t->revisions = parse_share(state, "revisions", arg);
        return 0;
    case OPT_DISORDER:
        t->disorder = parse_share(state, "disorder", arg);
        return 0;
    case OPT_DISORDER_MAX:
        t->disorder_ms_max = parse_duration(state, "disorder-max", arg);
        return 0;
    case OPT_DUPLICATES:
        t->duplicates = parse_share(state, "duplicates", arg);
        return 0;
    case OPT_RUBBISH:
        t->rubbish = parse_share(state, "rubbish", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_time(int key, char *arg, struct argp_state *state)
{
    struct gen_arguments *a = state->input;
    switch (key) {
    case OPT_TIMEZONE:
        a->timezone = arg;
        return 0;
    case OPT_FROM:
        a->from_ms = parse_instant(state, "from", arg);
        return 0;
    case OPT_TO:
        a->to_ms = parse_instant(state, "to", arg);
        return 0;
    case OPT_FOR:
        a->for_ms = parse_duration(state, "for", arg);
        return 0;
    case OPT_COUNT:
        a->count = parse_count(state, "count", arg, INT64_MAX);
        return 0;
    case OPT_RATE:
        a->rate = parse_count(state, "rate", arg, 1000000000);
        return 0;
    case OPT_LIVE:
        a->live = true;
        return 0;
    case OPT_SPEED:
        a->speed = parse_positive(state, "speed", arg, 0.001, 100000);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct gen_arguments *a = state->input;
    if (parse_traffic(key, arg, state) == 0 || parse_time(key, arg, state) == 0) {
        return 0;
    }
    switch (key) {
    case 'O':
        a->output = arg;
        return 0;
    case OPT_BROKERS:
        a->brokers = arg;
        return 0;
    case OPT_TOPIC:
        a->topic = arg;
        a->topic_given = true;
        return 0;
    case OPT_CODEC:
        a->codec = arg;
        a->topic_given = true;
        return 0;
    case OPT_PARTITIONS:
        a->partitions = parse_count(state, "partitions", arg, 10000);
        a->topic_given = true;
        return 0;
    case OPT_KEY:
        a->key = parse_key(state, arg);
        return 0;
    case OPT_ROSTER:
        a->roster = arg;
        return 0;
    case OPT_QUEUES:
        a->queues = true;
        return 0;
    case 'q':
        a->quiet = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What excludes what, and what follows from it. */
static int settle(struct gen_arguments *a, struct cm_zone **zone)
{
    if (a->live && (a->from_ms >= 0 || a->to_ms >= 0)) {
        return cm_fail(CM_ERR_USAGE, "--live begins now: no --from and no --to");
    }
    if (a->rate > 0 && (a->live || a->speed > 0)) {
        return cm_fail(CM_ERR_USAGE, "--rate excludes --live and --speed");
    }
    if (a->to_ms >= 0 && a->for_ms >= 0) {
        return cm_fail(CM_ERR_USAGE, "--to and --for exclude each other");
    }
    if (a->brokers != NULL && a->output != NULL) {
        return cm_fail(CM_ERR_USAGE, "--output and --brokers exclude each other");
    }
    if (a->brokers == NULL && a->topic_given) {
        return cm_fail(CM_ERR_USAGE, "--topic, --codec and --partitions need --brokers");
    }
    struct cm_traffic_options *t = &a->traffic;
    t->start_ms = a->live ? cm_clock_wall_ms() : a->from_ms >= 0 ? a->from_ms : FROM_DEFAULT_MS;
    t->end_ms = a->to_ms >= 0             ? a->to_ms
                : a->for_ms >= 0          ? t->start_ms + a->for_ms
                : a->live || a->count > 0 ? INT64_MAX
                                          : t->start_ms + FOR_DEFAULT_MS;
    a->speed = a->live && a->speed == 0 ? 1 : a->speed;
    int rc = cm_zone_load(a->timezone, zone);
    t->zone = *zone;
    return rc;
}

/* ---- the run -------------------------------------------------------------------------------- */

struct gen_run {
    const struct gen_arguments *a;
    struct cm_traffic *traffic;
    struct cm_gen_sink *sink;
    struct cm_pace pace;
    int64_t begin_ns, next_progress_ns, next_signal_ns;
    uint64_t records;
    int64_t latest_ms; /* event time */
    sigset_t signals;  /* those that end it: blocked, and taken in wait_stopped() only */
    bool shows_progress, showed, stopped;
};

/* From here on a signal waits until it is looked for: none can come between a look and a pause. */
static void hold_signals(struct gen_run *g)
{
    sigemptyset(&g->signals);
    sigaddset(&g->signals, SIGINT);
    sigaddset(&g->signals, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &g->signals, NULL);
}

/* Pauses for that long (< 1 s; 0: only looks), or until a signal comes. */
static void wait_stopped(struct gen_run *g, int64_t pause_ns)
{
    g->stopped = sigtimedwait(&g->signals, NULL, &(struct timespec){0, pause_ns}) > 0;
}

static void show_progress(struct gen_run *g, int64_t now_ns)
{
    if (!g->shows_progress || now_ns < g->next_progress_ns) {
        return;
    }
    char time[32];
    double seconds = (double)(now_ns - g->begin_ns) / 1e9;
    fprintf(stderr, "\rcallmill gen: %llu records, %.0f/s, up to %s\x1b[K",
            (unsigned long long)g->records, (double)g->records / seconds,
            cm_format_rfc3339(g->latest_ms, time));
    g->next_progress_ns = now_ns + PROGRESS_NS;
    g->showed = true;
}

/* How long until the next record may go out; <= 0: now. */
static int64_t wait_ns(const struct gen_run *g, int64_t now_ns)
{
    if (g->a->speed > 0) {
        return cm_pace_wait_ns(&g->pace, g->latest_ms, now_ns, SLEEP_NS);
    }
    if (g->a->rate == 0) {
        return 0;
    }
    double due_ns = (double)g->records * 1e9 / (double)g->a->rate;
    double left_ns = due_ns - (double)(now_ns - g->begin_ns);
    return left_ns > (double)SLEEP_NS ? SLEEP_NS : (int64_t)left_ns;
}

/* Waits for a record's time, with everything before it handed on. */
static int keep_pace(struct gen_run *g)
{
    bool paced = g->a->speed > 0 || g->a->rate > 0;
    if (!paced && g->records % LOOK_EVERY != 0) {
        return 0;
    }
    int64_t now_ns = cm_clock_mono_ns();
    show_progress(g, now_ns);
    if (!paced || now_ns >= g->next_signal_ns) {
        wait_stopped(g, 0);
        g->next_signal_ns = now_ns + SIGNAL_NS;
    }
    for (int64_t left_ns = wait_ns(g, now_ns); left_ns > 0 && !g->stopped;
         left_ns = wait_ns(g, now_ns)) {
        int rc = cm_gen_sink_push(g->sink);
        if (rc < 0) {
            return rc;
        }
        wait_stopped(g, left_ns);
        now_ns = cm_clock_mono_ns();
        show_progress(g, now_ns);
    }
    return 0;
}

/* The value of "call" in a line that the generator wrote; len 0 where there is none. */
static struct cm_str call_of(const struct cm_text *line)
{
    static const char name[] = "\"call\":\"";
    const char *at = memmem(line->data, line->len, name, sizeof(name) - 1);
    if (at == NULL) {
        return (struct cm_str){"", 0};
    }
    at += sizeof(name) - 1;
    const char *end = memchr(at, '"', (size_t)(line->data + line->len - at));
    return end == NULL ? (struct cm_str){"", 0} : (struct cm_str){at, (uint32_t)(end - at)};
}

static int generate(struct gen_run *g)
{
    const struct gen_arguments *a = g->a;
    struct cm_text line = {0};
    struct cm_str key;
    int64_t ts_ms;
    int rc = 0;
    while (rc == 0 && (a->count == 0 || g->records < a->count) &&
           cm_traffic_next(g->traffic, &line, &ts_ms, &key)) {
        g->latest_ms = ts_ms > g->latest_ms ? ts_ms : g->latest_ms;
        rc = keep_pace(g);
        if (rc < 0 || g->stopped) {
            break;
        }
        if (a->key != KEY_SEAT) {
            key = a->key == KEY_CALL ? call_of(&line) : (struct cm_str){"", 0};
        }
        rc = cm_gen_sink_put(g->sink, &line, key);
        g->records += rc == 0 ? 1 : 0;
    }
    cm_text_free(&line);
    return rc < 0 ? rc : cm_gen_sink_finish(g->sink);
}

static int write_traffic(const struct gen_arguments *a, struct cm_traffic *traffic)
{
    struct gen_run g = {.a = a, .traffic = traffic, .latest_ms = a->traffic.start_ms};
    char time[32];
    int rc = a->brokers != NULL ? cm_gen_sink_kafka(a->brokers, a->topic, a->codec,
                                                    (int32_t)a->partitions, &g.sink)
                                : cm_gen_sink_file(a->output != NULL ? a->output : "-", &g.sink);
    if (rc < 0) {
        return rc;
    }
    hold_signals(&g); /* not before: an output may take long to open, and a signal ends that */
    g.begin_ns = cm_clock_mono_ns();
    g.pace = (struct cm_pace){a->traffic.start_ms, g.begin_ns, a->speed};
    g.next_progress_ns = g.begin_ns + 2 * PROGRESS_NS;
    bool to_terminal = a->brokers == NULL && (a->output == NULL || strcmp(a->output, "-") == 0) &&
                       isatty(STDOUT_FILENO) != 0;
    g.shows_progress = !a->quiet && !to_terminal && isatty(STDERR_FILENO) != 0;
    rc = generate(&g);
    if (g.showed) {
        fprintf(stderr, "\r\x1b[K");
    }
    if (rc == 0 && !a->quiet) {
        fprintf(stderr, "callmill gen: %llu records, event time up to %s; %.2f s\n",
                (unsigned long long)g.records, cm_format_rfc3339(g.latest_ms, time),
                (double)(cm_clock_mono_ns() - g.begin_ns) / 1e9);
    }
    cm_gen_sink_close(g.sink);
    return rc;
}

/* A text that is no traffic: roster or queues. */
static int write_text(const char *path, struct cm_text *text)
{
    FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    if (out == NULL) {
        return cm_fail(CM_ERR_IO, "%s: %s", path, strerror(errno));
    }
    bool good = fwrite(text->data, 1, text->len, out) == text->len && fflush(out) == 0;
    int why = errno;
    if (out != stdout && fclose(out) != 0 && good) {
        good = false;
        why = errno;
    }
    return good ? 0 : cm_fail(CM_ERR_IO, "%s: %s", path, strerror(why));
}

static int run_gen(const struct gen_arguments *a)
{
    struct cm_traffic *traffic = NULL;
    struct cm_text text = {0};
    int rc = cm_traffic_create(&a->traffic, &traffic);
    if (rc == 0 && a->roster != NULL) {
        cm_traffic_roster(traffic, &text);
        rc = write_text(a->roster, &text);
    }
    if (rc == 0 && a->queues) {
        text.len = 0;
        cm_traffic_queues(traffic, &text);
        rc = write_text("-", &text);
    }
    bool only_texts = (a->roster != NULL || a->queues) && a->output == NULL && a->brokers == NULL;
    if (rc == 0 && !only_texts) {
        rc = write_traffic(a, traffic);
    }
    cm_text_free(&text);
    cm_traffic_free(traffic);
    return rc;
}

int cm_command_gen(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Writes seeded, realistic call traffic of a contact centre: JSON lines, to standard "
               "output, a file or Kafka.\v"
               "A SHARE is 0.05 or 5%. With --roster or --queues there is traffic only where an "
               "output is named, too (-O or --brokers). SIGINT ends it; what was generated is "
               "written. To Kafka, everything is acknowledged before it ends, or the status is 1.",
    };
    struct gen_arguments a = {.timezone = "Asia/Shanghai",
                              .topic = "call-events",
                              .codec = "none",
                              .from_ms = -1,
                              .to_ms = -1,
                              .for_ms = -1};
    struct cm_zone *zone = NULL;
    cm_traffic_defaults(&a.traffic);
    a.traffic.centre = "main";
    a.traffic.disorder_ms_max = 5000;
    int status = cm_parse_arguments(&argp, argc, argv, &a);
    if (status != 0) {
        return status;
    }
    int rc = settle(&a, &zone);
    rc = rc < 0 ? rc : run_gen(&a);
    cm_zone_free(zone);
    return cm_report(rc);
}
