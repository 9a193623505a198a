// SPDX-License-Identifier: Apache-2.0
/* traffic_write.c — see traffic_write.h. */
#include "traffic/traffic_write.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/memory.h"

/* p behind a string literal that was put there. */
#define PUT(p, literal) ((char *)memcpy((p), (literal), sizeof(literal) - 1) + sizeof(literal) - 1)

static const char *const queue_names[] = {"billing",  "broadband", "mobile",     "faults",
                                          "sales",    "accounts",  "complaints", "business",
                                          "delivery", "returns",   "cards",      "loans"};
static const char machines[] = "self-service";

static char *put_label(char *p, const struct cm_label *label)
{
    memcpy(p, label->text, sizeof(label->text));
    return p + label->len;
}

static char *put_u64(char *p, uint64_t value)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233"
        "34353637383940414243444546474849505152535455565758596061626364656667"
        "68697071727374757677787980818283848586878889909192939495969798"
        "99";
    char digits[20];
    unsigned at = sizeof(digits);
    while (value >= 100) {
        at -= 2;
        memcpy(digits + at, pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        at -= 2;
        memcpy(digits + at, pairs + 2 * value, 2);
    } else {
        digits[--at] = (char)('0' + value);
    }
    memcpy(p, digits + at, sizeof(digits) - at);
    return p + sizeof(digits) - at;
}

static char *put_text(char *p, const char *text)
{
    while (*text != '\0') {
        *p++ = *text++;
    }
    return p;
}

static char *put_hex(char *p, uint64_t value)
{
    /* Eight nibbles at a time: spread to a byte each, then made digits; 10 .. 15 carry into bit 4.
     */
    for (int half = 0; half < 2; half++) {
        uint64_t x = half == 0 ? value >> 32 : value & UINT32_MAX;
        x = (x | (x << 16)) & UINT64_C(0x0000ffff0000ffff);
        x = (x | (x << 8)) & UINT64_C(0x00ff00ff00ff00ff);
        x = (x | (x << 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
        uint64_t letters = ((x + UINT64_C(0x0606060606060606)) >> 4) & UINT64_C(0x0101010101010101);
        x += UINT64_C(0x3030303030303030) + letters * 39u; /* 'a' - '0' - 10 */
        for (int i = 0; i < 8; i++) {
            p[i] = (char)(x >> (56 - 8 * i));
        }
        p += 8;
    }
    return p;
}

static char *put_call(char *p, uint64_t number)
{
    *p = 'c';
    return put_hex(p + 1, number);
}

static void CM_PRINTF(2, 3) label_set(struct cm_label *label, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(label->text, sizeof(label->text), format, args);
    va_end(args);
    CM_ASSERT(len >= 0 && (size_t)len < sizeof(label->text));
    label->len = (uint8_t)len;
}

static void queue_name(char *out, size_t size, const struct cm_traffic_options *options,
                       uint32_t queue)
{
    if (queue == options->queues) {
        snprintf(out, size, "%s", machines);
    } else if (queue < CM_ARRAY_LEN(queue_names)) {
        snprintf(out, size, "%s", queue_names[queue]);
    } else {
        snprintf(out, size, "queue%u", queue + 1);
    }
}

void cm_labels_make(struct cm_labels *labels, const struct cm_traffic_options *options)
{
    static const char *const channels[CM_TRAFFIC_CHANNELS] = {"voice", "ivr", "app", "web", "sms"};
    static const char *const ends[CM_END_COUNT] = {"", "caller", "agent", "system", "transfer"};
    static const char *const results[] = {"true", "false", "null"};
    memset(labels, 0, sizeof(*labels));
    labels->seats = options->seats;
    labels->queues = options->queues + 1;
    labels->agents_per_seat = options->agents_per_seat;
    labels->seat = cm_alloc(labels->seats, sizeof(*labels->seat));
    labels->queue = cm_alloc(labels->queues, sizeof(*labels->queue));
    for (uint32_t i = 0; i < labels->seats; i++) {
        label_set(&labels->seat[i], ",\"seat\":\"s%04u\"", i + 1);
    }
    for (uint32_t i = 0; i < labels->queues; i++) {
        char name[32];
        queue_name(name, sizeof(name), options, i);
        label_set(&labels->queue[i], ",\"queue\":\"%s\"", name);
    }
    for (uint32_t i = 0; i < CM_TRAFFIC_CHANNELS; i++) {
        label_set(&labels->channel[i], ",\"ch\":\"%s\"", channels[i]);
    }
    for (uint32_t i = 0; i < CM_OUTCOME_COUNT; i++) {
        label_set(&labels->outcome[i], ",\"outcome\":\"%s\"", cm_outcome_name(i));
    }
    for (uint32_t i = CM_END_CALLER; i < CM_END_COUNT; i++) {
        label_set(&labels->end[i], ",\"end\":\"%s\"", ends[i]);
    }
    for (uint32_t i = 0; i < CM_STATE_COUNT; i++) {
        label_set(&labels->state[i], ",\"state\":\"%s\"", cm_state_name(i));
    }
    for (uint32_t i = 0; i < CM_SOURCE_COUNT; i++) {
        label_set(&labels->source[i], ",\"source\":\"%s\"", cm_source_name(i));
    }
    for (uint32_t i = 0; i < CM_ARRAY_LEN(labels->checks); i++) {
        label_set(&labels->checks[i], "{\"greeting\":%s,\"identity\":%s,\"consent\":%s}",
                  results[i % 3], results[i / 3 % 3], results[i / 9]);
    }
    if (options->centre != NULL) {
        label_set(&labels->centre, ",\"centre\":\"%s\"", options->centre);
    }
}

void cm_labels_free(struct cm_labels *labels)
{
    free(labels->seat);
    free(labels->queue);
    memset(labels, 0, sizeof(*labels));
}

static void key_seat(struct cm_traffic_line *line, const struct cm_labels *labels, uint32_t seat)
{
    const struct cm_label *label = &labels->seat[seat];
    line->key_len = label->len - 10u; /* without ,"seat":" and the last quote */
    memcpy(line->key, label->text + 9, line->key_len);
}

static void key_call(struct cm_traffic_line *line, uint64_t number)
{
    line->key_len = 17;
    put_call(line->key, number);
}

/* {"type":"..","id":"e0123456789abcdef","ts":1793491200000 */
static char *put_head(char *p, const struct cm_traffic_line *line, const char *type,
                      uint64_t number)
{
    p = PUT(p, "{\"type\":\"");
    p = put_text(p, type);
    p = PUT(p, "\",\"id\":\"e");
    p = put_hex(p, number);
    p = PUT(p, "\",\"ts\":");
    return put_u64(p, (uint64_t)line->ts_ms);
}

static char *put_agent(char *p, uint32_t agent)
{
    p = PUT(p, ",\"agent\":\"a");
    for (uint32_t bound = 10000; bound > agent && bound > 1; bound /= 10) {
        *p++ = '0';
    }
    p = put_u64(p, agent);
    *p = '"';
    return p + 1;
}

static char *put_answered(char *p, const struct cm_labels *labels, const struct cm_leg *leg)
{
    p = PUT(p, ",\"talk_ms\":");
    p = put_u64(p, leg->talk_ms);
    if (leg->seat != CM_NO_SEAT) {
        p = PUT(p, ",\"hold_ms\":");
        p = put_u64(p, leg->hold_ms);
        p = PUT(p, ",\"acw_ms\":");
        p = put_u64(p, leg->acw_ms);
        p = PUT(p, ",\"hold_n\":");
        p = put_u64(p, leg->hold_n);
        p = PUT(p, ",\"transfers\":");
        p = put_u64(p, leg->transfers);
        p = leg->on_hold ? PUT(p, ",\"on_hold\":true") : PUT(p, ",\"on_hold\":false");
    }
    if (leg->rating >= 0) {
        p = PUT(p, ",\"rating\":");
        p = put_u64(p, (uint64_t)leg->rating);
    }
    if (leg->checks != CM_NO_CHECKS) {
        p = PUT(p, ",\"checks\":");
        p = put_label(p, &labels->checks[leg->checks]);
    }
    return p;
}

void cm_write_cdr(struct cm_traffic_line *line, const struct cm_labels *labels,
                  const struct cm_leg *leg)
{
    line->text.len = 0;
    char *start = cm_text_room(&line->text, CM_TRAFFIC_LINE_BYTES);
    char *p = PUT(start, "{\"type\":\"cdr\",\"id\":\"");
    p = put_call(p, leg->number);
    *p++ = '-';
    p = put_u64(p, leg->leg);
    p = PUT(p, "\",\"ts\":");
    p = put_u64(p, (uint64_t)line->ts_ms);
    p = PUT(p, ",\"call\":\"");
    p = put_call(p, leg->number);
    *p++ = '"';
    if (leg->seat != CM_NO_SEAT) {
        p = put_label(p, &labels->seat[leg->seat]);
        p = put_agent(p, leg->agent);
    }
    p = put_label(p, &labels->queue[leg->queue]);
    p = put_label(p, &labels->centre);
    p = put_label(p, &labels->channel[leg->channel]);
    p = put_label(p, &labels->outcome[leg->outcome]);
    p = PUT(p, ",\"wait_ms\":");
    p = put_u64(p, leg->wait_ms);
    if (leg->seat != CM_NO_SEAT) {
        p = PUT(p, ",\"ring_ms\":");
        p = put_u64(p, leg->ring_ms);
    }
    p = put_label(p, &labels->end[leg->end]);
    if (leg->outcome == CM_OUTCOME_ANSWERED) {
        p = put_answered(p, labels, leg);
    }
    if (leg->rev > 0) {
        p = PUT(p, ",\"rev\":");
        p = put_u64(p, leg->rev);
    }
    *p++ = '}';
    line->text.len = (size_t)(p - start);
    if (leg->seat != CM_NO_SEAT) {
        key_seat(line, labels, leg->seat);
    } else {
        key_call(line, leg->number);
    }
}

void cm_write_queue(struct cm_traffic_line *line, const struct cm_labels *labels,
                    const struct cm_leg *leg, uint64_t number, bool enter)
{
    line->text.len = 0;
    char *start = cm_text_room(&line->text, CM_TRAFFIC_LINE_BYTES);
    char *p = put_head(start, line, enter ? "queue_enter" : "queue_exit", number);
    p = PUT(p, ",\"call\":\"");
    p = put_call(p, leg->number);
    *p++ = '"';
    p = put_label(p, &labels->queue[leg->queue]);
    p = put_label(p, &labels->centre);
    if (!enter) {
        p = PUT(p, ",\"reason\":\"");
        p = put_text(p, cm_outcome_name(leg->outcome));
        *p++ = '"';
    }
    *p++ = '}';
    line->text.len = (size_t)(p - start);
    key_call(line, leg->number);
}

void cm_write_state(struct cm_traffic_line *line, const struct cm_labels *labels, uint32_t seat,
                    enum cm_state state, uint64_t number)
{
    line->text.len = 0;
    char *start = cm_text_room(&line->text, CM_TRAFFIC_LINE_BYTES);
    char *p = put_head(start, line, "seat_state", number);
    p = put_label(p, &labels->seat[seat]);
    p = put_label(p, &labels->centre);
    p = put_label(p, &labels->state[state]);
    *p++ = '}';
    line->text.len = (size_t)(p - start);
    key_seat(line, labels, seat);
}

void cm_write_check(struct cm_traffic_line *line, const struct cm_labels *labels,
                    const struct cm_leg *leg, enum cm_source source, uint32_t score,
                    uint64_t number)
{
    CM_ASSERT(leg->checks != CM_NO_CHECKS && leg->seat != CM_NO_SEAT);
    line->text.len = 0;
    char *start = cm_text_room(&line->text, CM_TRAFFIC_LINE_BYTES);
    char *p = put_head(start, line, "check", number);
    p = PUT(p, ",\"call\":\"");
    p = put_call(p, leg->number);
    *p++ = '"';
    p = put_label(p, &labels->seat[leg->seat]);
    p = put_label(p, &labels->centre);
    p = put_label(p, &labels->source[source]);
    p = PUT(p, ",\"checks\":");
    p = put_label(p, &labels->checks[leg->checks]);
    p = PUT(p, ",\"score\":");
    p = put_u64(p, score);
    *p++ = '}';
    line->text.len = (size_t)(p - start);
    key_seat(line, labels, leg->seat);
}

void cm_write_roster(struct cm_text *csv, const struct cm_traffic_options *options)
{
    cm_text_adds(csv, "seat,team,room,centre\n");
    for (uint32_t i = 0; i < options->seats; i++) {
        uint32_t team = i / options->seats_per_team;
        cm_text_addf(csv, "s%04u,t%u,r%u,%s\n", i + 1, team + 1, team / options->teams_per_room + 1,
                     options->centre != NULL ? options->centre : "");
    }
}

void cm_write_queues(struct cm_text *yaml, const struct cm_traffic_options *options)
{
    uint32_t teams = (options->seats - 1) / options->seats_per_team + 1;
    uint32_t rooms = (teams - 1) / options->teams_per_room + 1;
    cm_text_adds(yaml, "queues:\n");
    for (uint32_t i = 0; i < options->queues; i++) {
        char name[32];
        queue_name(name, sizeof(name), options, i);
        cm_text_addf(yaml, "  %s: {owner: \"room:r%u\"}\n", name, i % rooms + 1);
    }
}
