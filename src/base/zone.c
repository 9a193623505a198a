// SPDX-License-Identifier: Apache-2.0
/* zone.c — a zone as one sorted list of changes, and calendar arithmetic on top of it.
 *
 *   file: TZif header │ 32-bit data │ header │ 64-bit data │ "\n" rule "\n"
 *                                                 │             │ a start and an end a year, to
 * 2200 ▼             ▼ changes[]  at_s, offset_s from then on, high_s
 *
 * A day must be a run of instants without holes, but local dates may go back: at St John's in 2006
 * the clock went from 00:01 to 23:01 of the day before. So a day begins when its date, or a later
 * one, is first seen, and goes on until a later one is. With H(t) the greatest local time seen up
 * to t:
 *
 *   day of t = floor(H(t) / 1 d)          start of d = the first t with H(t) >= d * 1 d
 *
 * so t >= start of d exactly when day of t >= d: periods touch, never overlap and are never empty,
 * even where a date is left out (Apia, 2011-12-30). high_s of a change is the greatest local second
 * before it, so H(t) is one search and one maximum.
 *
 * THREADS   Nothing is written after cm_zone_load(). COST  A search over some 400 changes, no
 * memory.
 */
#include "base/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/zone_rule.h"

#define DAY_S           86400
#define FILE_MAX_BYTES  ((size_t)1 << 20)
#define PATH_MAX_BYTES  512
#define HEADER_BYTES    44
#define TYPE_BYTES      6
#define OFFSET_MAX_S    93599                 /* RFC 8536, 3.2: less than 26 h */
#define CHANGE_MIN_S    (-(INT64_C(1) << 59)) /* older than the world: what old files begin with */
#define CHANGE_MAX_S    (INT64_C(1) << 59)
#define RULE_FIRST_YEAR 1900
#define RULE_LAST_YEAR  2200
#define DAYS_LIMIT      INT64_C(1000000000)

struct change {
    int64_t at_s;   /* UTC */
    int64_t high_s; /* greatest local second of all instants before at_s */
    int32_t offset_s;
};

struct cm_zone {
    char *name;
    int32_t first_offset_s; /* before the first change */
    uint32_t count;
    uint32_t cap;
    struct change *changes;
};

/* What a header says follows it, and where. */
struct block {
    const unsigned char *data;
    uint32_t utc_count;
    uint32_t standard_count;
    uint32_t leap_count;
    uint32_t time_count;
    uint32_t type_count;
    uint32_t char_count;
    uint32_t time_bytes; /* 4 or 8 */
    size_t len;
};

/* --- reading --- */

static uint32_t read_u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t read_time(const unsigned char *p, uint32_t time_bytes)
{
    if (time_bytes == 4) {
        return (int32_t)read_u32(p);
    }
    return (int64_t)((uint64_t)read_u32(p) << 32 | read_u32(p + 4));
}

/* False when the header is none, or the data would go past the end. */
static bool read_block(const unsigned char *p, size_t left, uint32_t time_bytes,
                       struct block *block)
{
    if (left < HEADER_BYTES || memcmp(p, "TZif", 4) != 0) {
        return false;
    }
    uint32_t counts[6];
    for (size_t i = 0; i < CM_ARRAY_LEN(counts); i++) {
        counts[i] = read_u32(p + 20 + i * 4);
        if (counts[i] > left) {
            return false; /* and so no product below can overflow */
        }
    }
    *block = (struct block){
        .data = p + HEADER_BYTES,
        .utc_count = counts[0],
        .standard_count = counts[1],
        .leap_count = counts[2],
        .time_count = counts[3],
        .type_count = counts[4],
        .char_count = counts[5],
        .time_bytes = time_bytes,
    };
    block->len = (size_t)block->time_count * (time_bytes + 1) +
                 (size_t)block->type_count * TYPE_BYTES + block->char_count +
                 (size_t)block->leap_count * (time_bytes + 4) + block->standard_count +
                 block->utc_count;
    return block->len <= left - HEADER_BYTES;
}

static int32_t last_offset_s(const struct cm_zone *zone)
{
    return zone->count == 0 ? zone->first_offset_s : zone->changes[zone->count - 1].offset_s;
}

/* In rising order of time. */
static void add_change(struct cm_zone *zone, int64_t at_s, int32_t offset_s)
{
    if (offset_s == last_offset_s(zone)) {
        return; /* only the abbreviation changes */
    }
    if (zone->count == zone->cap) {
        zone->cap = zone->cap == 0 ? 64 : zone->cap * 2;
        zone->changes = cm_realloc(zone->changes, zone->cap, sizeof *zone->changes);
    }
    zone->changes[zone->count++] = (struct change){.at_s = at_s, .offset_s = offset_s};
}

static bool read_changes(struct cm_zone *zone, const struct block *block)
{
    const unsigned char *times = block->data;
    const unsigned char *indexes = times + (size_t)block->time_count * block->time_bytes;
    const unsigned char *types = indexes + block->time_count;
    if (block->type_count == 0) {
        return false;
    }
    for (uint32_t i = 0; i < block->type_count; i++) {
        int32_t offset_s = (int32_t)read_u32(types + (size_t)i * TYPE_BYTES);
        if (offset_s < -OFFSET_MAX_S || offset_s > OFFSET_MAX_S) {
            return false;
        }
    }
    int64_t last_s = INT64_MIN;
    zone->first_offset_s = (int32_t)read_u32(types);
    for (uint32_t i = 0; i < block->time_count; i++) {
        int64_t at_s = read_time(times + (size_t)i * block->time_bytes, block->time_bytes);
        if (at_s <= last_s || at_s < CHANGE_MIN_S || at_s > CHANGE_MAX_S ||
            indexes[i] >= block->type_count) {
            return false;
        }
        add_change(zone, at_s, (int32_t)read_u32(types + (size_t)indexes[i] * TYPE_BYTES));
        last_s = at_s;
    }
    return true;
}

/* The rule holds after the last change of the file (`after_s`), or always when the file has none.
 */
static void expand_rule(struct cm_zone *zone, const struct cm_zone_rule *rule, int64_t after_s)
{
    struct change pending = {0};
    bool has_pending = false;
    if (!rule->has_saving) {
        return; /* then the file's last change has led to it already */
    }
    for (int64_t year = RULE_FIRST_YEAR; year <= RULE_LAST_YEAR; year++) {
        struct change pair[2] = {
            {.at_s = cm_zone_rule_start_s(rule, year), .offset_s = rule->saving_offset_s},
            {.at_s = cm_zone_rule_end_s(rule, year), .offset_s = rule->offset_s},
        };
        bool end_first = pair[1].at_s < pair[0].at_s; /* south of the equator */
        for (unsigned i = 0; i < 2; i++) {
            struct change next = pair[end_first ? 1 - i : i];
            if (next.at_s <= after_s) {
                continue;
            }
            /* An end that reaches beyond the next year's start cuts nothing: saving goes on. */
            if (has_pending && pending.at_s < next.at_s) {
                add_change(zone, pending.at_s, pending.offset_s);
            }
            pending = next;
            has_pending = true;
        }
    }
    if (has_pending) {
        add_change(zone, pending.at_s, pending.offset_s);
    }
}

/* "\nRULE\n"; an empty rule says nothing. */
static bool read_footer(struct cm_zone *zone, const unsigned char *p, size_t left, bool has_times,
                        int64_t after_s)
{
    const unsigned char *end = left < 2 ? NULL : memchr(p + 1, '\n', left - 1);
    if (end == NULL || p[0] != '\n') {
        return false;
    }
    if (end == p + 1) {
        return true;
    }
    struct cm_zone_rule rule;
    if (!cm_zone_rule_parse((const char *)p + 1, (size_t)(end - p) - 1, &rule)) {
        return false;
    }
    if (!has_times) {
        zone->first_offset_s = rule.offset_s;
    }
    expand_rule(zone, &rule, after_s);
    return true;
}

static int parse(struct cm_zone *zone, const unsigned char *bytes, size_t len, const char *path)
{
    struct block block;
    if (!read_block(bytes, len, 4, &block)) {
        return cm_fail(CM_ERR_ZONE, "time zone \"%s\": %s is not a TZif file", zone->name, path);
    }
    bool has_footer = bytes[4] >= '2';
    if (has_footer) {
        const unsigned char *second = block.data + block.len;
        if (!read_block(second, len - HEADER_BYTES - block.len, 8, &block)) {
            return cm_fail(CM_ERR_ZONE, "time zone \"%s\": %s lacks its 64-bit data", zone->name,
                           path);
        }
    }
    if (block.leap_count > 0) {
        return cm_fail(CM_ERR_ZONE,
                       "time zone \"%s\": %s counts leap seconds, which Unix time does not",
                       zone->name, path);
    }
    if (!read_changes(zone, &block)) {
        return cm_fail(CM_ERR_ZONE, "time zone \"%s\": %s is damaged", zone->name, path);
    }
    if (has_footer) {
        const unsigned char *footer = block.data + block.len;
        bool has_times = block.time_count > 0;
        int64_t after_s =
            has_times ? read_time(block.data + (size_t)(block.time_count - 1) * 8, 8) : INT64_MIN;
        if (!read_footer(zone, footer, len - (size_t)(footer - bytes), has_times, after_s)) {
            return cm_fail(CM_ERR_ZONE, "time zone \"%s\": the rule at the end of %s is damaged",
                           zone->name, path);
        }
    }
    return 0;
}

static void fill_highs(struct cm_zone *zone)
{
    int64_t high_s = INT64_MIN;
    int32_t offset_s = zone->first_offset_s;
    for (uint32_t i = 0; i < zone->count; i++) {
        int64_t last_local_s = zone->changes[i].at_s - 1 + offset_s;
        high_s = last_local_s > high_s ? last_local_s : high_s;
        zone->changes[i].high_s = high_s;
        offset_s = zone->changes[i].offset_s;
    }
}

static bool good_name(const char *name)
{
    return name[0] != '\0' && name[0] != '/' && strstr(name, "..") == NULL;
}

/* The bytes of the file, or NULL with errno. */
static unsigned char *read_file(const char *path, size_t *len)
{
    struct stat status;
    unsigned char *bytes = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return NULL;
    }
    if (fstat(fd, &status) != 0) {
        goto done;
    }
    if (!S_ISREG(status.st_mode)) {
        errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
        goto done;
    }
    if (status.st_size < 0 || (uint64_t)status.st_size > FILE_MAX_BYTES) {
        errno = EFBIG;
        goto done;
    }
    size_t size = (size_t)status.st_size;
    bytes = cm_alloc(size + 1, 1);
    *len = 0;
    while (*len < size) {
        ssize_t n = read(fd, bytes + *len, size - *len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            free(bytes);
            bytes = NULL;
            break;
        }
        if (n == 0) {
            break;
        }
        *len += (size_t)n;
    }
done:;
    int error = errno;
    close(fd);
    errno = error;
    return bytes;
}

int cm_zone_load(const char *name, struct cm_zone **out)
{
    const char *folder = getenv("TZDIR");
    char path[PATH_MAX_BYTES];
    size_t len = 0;
    int rc = 0;
    if (!good_name(name)) {
        return cm_fail(CM_ERR_ZONE,
                       "\"%s\" is not the name of a time zone, such as \"Asia/Shanghai\"", name);
    }
    folder = folder == NULL || folder[0] == '\0' ? "/usr/share/zoneinfo" : folder;
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof path) {
        return cm_fail(CM_ERR_ZONE, "time zone \"%.64s...\": the name is too long", name);
    }
    struct cm_zone *zone = cm_alloc(1, sizeof *zone);
    zone->name = cm_strdup(name);
    unsigned char *bytes = read_file(path, &len);
    if (bytes != NULL) {
        rc = parse(zone, bytes, len, path);
    } else if (errno != ENOENT || strcmp(name, "UTC") != 0) { /* UTC needs no tzdata */
        rc = cm_fail(CM_ERR_ZONE, "unknown time zone \"%s\": %s: %s", name, path, strerror(errno));
    }
    free(bytes);
    if (rc < 0) {
        cm_zone_free(zone);
        return rc;
    }
    fill_highs(zone);
    *out = zone;
    return 0;
}

void cm_zone_free(struct cm_zone *zone)
{
    if (zone != NULL) {
        free(zone->changes);
        free(zone->name);
        free(zone);
    }
}

const char *cm_zone_name(const struct cm_zone *zone)
{
    return zone->name;
}

/* --- days --- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* How many changes there are up to that instant. */
static uint32_t changes_until(const struct cm_zone *zone, int64_t utc_s)
{
    uint32_t low = 0;
    uint32_t high = zone->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->changes[middle].at_s <= utc_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int32_t cm_zone_offset_s(const struct cm_zone *zone, int64_t utc_ms)
{
    uint32_t past = changes_until(zone, floor_div(utc_ms, CM_MS_PER_S));
    return past == 0 ? zone->first_offset_s : zone->changes[past - 1].offset_s;
}

int64_t cm_zone_local_days(const struct cm_zone *zone, int64_t utc_ms)
{
    int64_t utc_s = floor_div(utc_ms, CM_MS_PER_S);
    uint32_t past = changes_until(zone, utc_s);
    if (past == 0) {
        return floor_div(utc_s + zone->first_offset_s, DAY_S);
    }
    const struct change *change = &zone->changes[past - 1];
    int64_t local_s = utc_s + change->offset_s;
    return floor_div(local_s > change->high_s ? local_s : change->high_s, DAY_S);
}

int64_t cm_zone_day_start_ms(const struct cm_zone *zone, int64_t days)
{
    CM_ASSERT(days > -DAYS_LIMIT && days < DAYS_LIMIT);
    int64_t local_s = days * DAY_S;
    /* The first change before which the local time was reached ends the stretch that is sought. */
    uint32_t low = 0;
    uint32_t high = zone->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->changes[middle].high_s < local_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return (local_s - zone->first_offset_s) * CM_MS_PER_S;
    }
    const struct change *change = &zone->changes[low - 1];
    int64_t utc_s = local_s - change->offset_s;
    return (utc_s > change->at_s ? utc_s : change->at_s) * CM_MS_PER_S;
}

/* --- periods --- */

/* The dates on which the period that holds the instant and the one after it start. */
static void period_days(const struct cm_zone *zone, enum cm_period period, int64_t utc_ms,
                        int64_t *first, int64_t *next)
{
    int64_t days = cm_zone_local_days(zone, utc_ms);
    int64_t year;
    unsigned month;
    unsigned day;
    unsigned months = 1;
    switch (period) {
    case CM_PERIOD_DAY:
        *first = days;
        *next = days + 1;
        return;
    case CM_PERIOD_WEEK:
        /* Day 0 was a Thursday, so day -3 a Monday. */
        *first = floor_div(days + 3, 7) * 7 - 3;
        *next = *first + 7;
        return;
    case CM_PERIOD_MONTH:
    case CM_PERIOD_QUARTER:
        cm_civil_from_days(days, &year, &month, &day);
        if (period == CM_PERIOD_QUARTER) {
            months = 3;
            month -= (month - 1) % 3;
        }
        *first = cm_days_from_civil(year, month, 1);
        *next = month + months > 12 ? cm_days_from_civil(year + 1, 1, 1)
                                    : cm_days_from_civil(year, month + months, 1);
        return;
    case CM_PERIOD_COUNT:
        break;
    }
    CM_ASSERT(period < CM_PERIOD_COUNT);
}

int64_t cm_zone_period_start_ms(const struct cm_zone *zone, enum cm_period period, int64_t utc_ms)
{
    int64_t first = 0;
    int64_t next = 0;
    period_days(zone, period, utc_ms, &first, &next);
    return cm_zone_day_start_ms(zone, first);
}

int64_t cm_zone_period_end_ms(const struct cm_zone *zone, enum cm_period period, int64_t utc_ms)
{
    int64_t first = 0;
    int64_t next = 0;
    period_days(zone, period, utc_ms, &first, &next);
    return cm_zone_day_start_ms(zone, next);
}

const char *cm_zone_period_label(const struct cm_zone *zone, enum cm_period period, int64_t utc_ms,
                                 char *out)
{
    char stamp[32];
    int64_t first = 0;
    int64_t next = 0;
    period_days(zone, period, utc_ms, &first, &next);
    cm_format_rfc3339(first * CM_MS_PER_D, stamp);
    memcpy(out, stamp, 10);
    out[10] = '\0';
    return out;
}

const char *cm_period_name(enum cm_period period)
{
    static const char *const names[CM_PERIOD_COUNT] = {"day", "week", "month", "quarter"};
    CM_ASSERT(period < CM_PERIOD_COUNT);
    return names[period];
}
