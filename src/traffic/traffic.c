// SPDX-License-Identifier: Apache-2.0
/* traffic.c — options, and the way of a line: out of the simulation, through the wire, to the
 * caller. */
#include "traffic/traffic.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"
#include "traffic/traffic_mix.h"
#include "traffic/traffic_model.h"
#include "traffic/traffic_sim.h"
#include "traffic/traffic_write.h"

#define SEATS_DEFAULT    1240u
#define CALLS_DEFAULT    13e6
#define CENTRE_BYTES_MAX 32u
/* How much of the calls the seats can carry at the busiest time of the week. */
#define BUSY_SHARE    0.85
#define SEAT_S_A_CALL 212.0

struct cm_traffic {
    struct cm_traffic_options options;
    char centre[CENTRE_BYTES_MAX + 1];
    struct cm_sim *sim;
    struct cm_mix mix;
    struct cm_traffic_line out; /* the last line handed out: its key is borrowed by the caller */
};

void cm_traffic_defaults(struct cm_traffic_options *options)
{
    *options = (struct cm_traffic_options){.seed = 1,
                                           .seats = SEATS_DEFAULT,
                                           .seats_per_team = 12,
                                           .teams_per_room = 13,
                                           .agents_per_seat = 3,
                                           .queues = 8,
                                           .calls_per_month = CM_TRAFFIC_AUTO,
                                           .self_service = CM_TRAFFIC_AUTO,
                                           .checks = 1.0};
}

static int check_count(const char *name, uint64_t value, uint64_t low, uint64_t high)
{
    if (value < low || value > high) {
        return cm_fail(CM_ERR_USAGE, "traffic: %s is %llu, must lie between %llu and %llu", name,
                       (unsigned long long)value, (unsigned long long)low,
                       (unsigned long long)high);
    }
    return 0;
}

static int check_share(const char *name, double value)
{
    if (!(value >= 0.0 && value <= 1.0)) {
        return cm_fail(CM_ERR_USAGE, "traffic: %s is %g, must be a share between 0 and 1", name,
                       value);
    }
    return 0;
}

static int check_counts(const struct cm_traffic_options *o)
{
    const struct {
        const char *name;
        uint64_t value, low, high;
    } rows[] = {{"seats", o->seats, 1, CM_TRAFFIC_SEATS_MAX},
                {"seats_per_team", o->seats_per_team, 1, CM_TRAFFIC_SEATS_MAX},
                {"teams_per_room", o->teams_per_room, 1, CM_TRAFFIC_SEATS_MAX},
                {"agents_per_seat", o->agents_per_seat, 1, 24},
                {"queues", o->queues, 1, CM_TRAFFIC_QUEUES_MAX},
                {"disorder_ms_max", (uint64_t)o->disorder_ms_max, 0, CM_PART_MS_MAX}};
    for (size_t i = 0; i < CM_ARRAY_LEN(rows); i++) {
        int rc = check_count(rows[i].name, rows[i].value, rows[i].low, rows[i].high);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int check_shares(const struct cm_traffic_options *o)
{
    const struct {
        const char *name;
        double value;
    } rows[] = {{"checks", o->checks},
                {"judgements", o->judgements},
                {"revisions", o->revisions},
                {"duplicates", o->duplicates},
                {"disorder", o->disorder},
                {"rubbish", o->rubbish},
                {"self_service", o->self_service}};
    for (size_t i = 0; i < CM_ARRAY_LEN(rows); i++) {
        int rc = check_share(rows[i].name, rows[i].value);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int check_centre(const char *centre)
{
    size_t len = centre != NULL ? strlen(centre) : 1;
    bool good = len >= 1 && len <= CENTRE_BYTES_MAX;
    for (size_t i = 0; good && centre != NULL && i < len; i++) {
        char c = centre[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    }
    return good ? 0
                : cm_fail(CM_ERR_USAGE, "traffic: centre must be 1 to %u letters, digits, - _ or .",
                          CENTRE_BYTES_MAX);
}

static int check_options(const struct cm_traffic_options *o)
{
    int rc = check_counts(o);
    rc = rc < 0 ? rc : check_shares(o);
    rc = rc < 0 ? rc : check_centre(o->centre);
    if (rc < 0) {
        return rc;
    }
    if (!(o->calls_per_month >= 1.0 && o->calls_per_month <= 1e12)) {
        return cm_fail(CM_ERR_USAGE, "traffic: calls_per_month is %g, must lie between 1 and 1e12",
                       o->calls_per_month);
    }
    if (o->start_ms < 2 * CM_MS_PER_D || o->start_ms > CM_TS_MS_MAX || o->end_ms <= o->start_ms) {
        return cm_fail(
            CM_ERR_USAGE,
            "traffic: start_ms must lie between 1970-01-03 and 2100-01-01, end_ms after it");
    }
    return 0;
}

/* What is left to machines so that the seats are not busier than BUSY_SHARE at the busiest time. */
static double share_of_machines(const struct cm_traffic_options *o)
{
    double wanted = cm_arrivals_peak_per_s(o->calls_per_month) * SEAT_S_A_CALL;
    double carried = o->seats * BUSY_SHARE;
    return wanted <= carried ? 0.0 : 1.0 - carried / wanted;
}

int cm_traffic_create(const struct cm_traffic_options *options, struct cm_traffic **out)
{
    struct cm_traffic_options o = *options;
    if (o.calls_per_month < 0.0) {
        o.calls_per_month = CALLS_DEFAULT * o.seats / SEATS_DEFAULT;
    }
    if (o.self_service < 0.0) {
        o.self_service = share_of_machines(&o);
    }
    int rc = check_options(&o);
    if (rc < 0) {
        return rc;
    }
    if (o.end_ms > CM_TS_MS_MAX) {
        o.end_ms = CM_TS_MS_MAX;
    }
    struct cm_traffic *traffic = cm_alloc(1, sizeof(*traffic));
    if (o.centre != NULL) {
        memcpy(traffic->centre, o.centre, strlen(o.centre));
        o.centre = traffic->centre;
    }
    traffic->options = o;
    traffic->sim = cm_sim_create(&o);
    cm_mix_init(&traffic->mix, &o);
    *out = traffic;
    return 0;
}

void cm_traffic_free(struct cm_traffic *traffic)
{
    if (traffic == NULL) {
        return;
    }
    cm_sim_free(traffic->sim);
    cm_mix_free(&traffic->mix);
    cm_text_free(&traffic->out.text);
    free(traffic);
}

/* Fills traffic->out; false at the end. */
static bool next_line(struct cm_traffic *traffic)
{
    for (;;) {
        struct cm_traffic_line *line = cm_sim_peek(traffic->sim);
        if (line == NULL) {
            return cm_mix_due(&traffic->mix, INT64_MAX, &traffic->out);
        }
        if (cm_mix_due(&traffic->mix, line->ts_ms, &traffic->out)) {
            return true;
        }
        bool now = cm_mix_keep(&traffic->mix, line);
        if (now) {
            struct cm_traffic_line spare = traffic->out;
            traffic->out = *line;
            *line = spare;
        }
        cm_sim_pop(traffic->sim);
        if (now) {
            return true;
        }
    }
}

bool cm_traffic_next(struct cm_traffic *traffic, struct cm_text *line, int64_t *ts_ms,
                     struct cm_str *key)
{
    if (!next_line(traffic)) {
        return false;
    }
    struct cm_text spare = *line;
    *line = traffic->out.text;
    traffic->out.text = spare;
    *ts_ms = traffic->out.ts_ms;
    *key = (struct cm_str){traffic->out.key, traffic->out.key_len};
    return true;
}

void cm_traffic_roster(const struct cm_traffic *traffic, struct cm_text *csv)
{
    cm_write_roster(csv, &traffic->options);
}

void cm_traffic_queues(const struct cm_traffic *traffic, struct cm_text *yaml)
{
    cm_write_queues(yaml, &traffic->options);
}

double cm_traffic_self_service(const struct cm_traffic *traffic)
{
    return traffic->options.self_service;
}
