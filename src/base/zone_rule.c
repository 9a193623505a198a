// SPDX-License-Identifier: Apache-2.0
/* zone_rule.c — parser and calendar of the yearly rule; used while a zone is loaded, never after.
 *
 * THREADS   No state. ERRORS  The parser returns false; the caller knows which file it was.
 */
#include "base/zone_rule.h"

#include <string.h>

#include "base/text.h"

#define DAY_S             86400
#define OFFSET_HOURS_MAX  24
#define TIME_HOURS_MAX    167
#define DEFAULT_CHANGE_S  7200
#define DEFAULT_SAVING_S  3600
#define SHORTEST_NAME_LEN 3

struct reader {
    const char *at;
    const char *end;
};

static bool take(struct reader *in, char c)
{
    if (in->at < in->end && *in->at == c) {
        in->at++;
        return true;
    }
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One to three digits. */
static bool take_number(struct reader *in, unsigned highest, unsigned *value)
{
    const char *first = in->at;
    unsigned sum = 0;
    while (in->at < in->end && is_digit(*in->at) && in->at - first < 3) {
        sum = sum * 10 + (unsigned)(*in->at - '0');
        in->at++;
    }
    *value = sum;
    return in->at > first && sum <= highest;
}

/* The abbreviation itself is of no use here. */
static bool skip_name(struct reader *in)
{
    const char *first = in->at;
    if (take(in, '<')) {
        while (in->at < in->end &&
               (is_letter(*in->at) || is_digit(*in->at) || *in->at == '+' || *in->at == '-')) {
            in->at++;
        }
        return in->at - first > SHORTEST_NAME_LEN && take(in, '>');
    }
    while (in->at < in->end && is_letter(*in->at)) {
        in->at++;
    }
    return in->at - first >= SHORTEST_NAME_LEN;
}

/* [+-]h[h[h]][:mm[:ss]] */
static bool take_time(struct reader *in, unsigned hours_max, int32_t *time_s)
{
    unsigned hours;
    unsigned minutes = 0;
    unsigned seconds = 0;
    bool negative = take(in, '-');
    if (!negative) {
        (void)take(in, '+');
    }
    if (!take_number(in, hours_max, &hours)) {
        return false;
    }
    if (take(in, ':')) {
        if (!take_number(in, 59, &minutes) || (take(in, ':') && !take_number(in, 59, &seconds))) {
            return false;
        }
    }
    int32_t sum = (int32_t)(hours * 3600 + minutes * 60 + seconds);
    *time_s = negative ? -sum : sum;
    return true;
}

static bool take_change(struct reader *in, struct cm_zone_change *change)
{
    *change = (struct cm_zone_change){.time_s = DEFAULT_CHANGE_S};
    if (!take(in, ',')) {
        return false;
    }
    bool good;
    if (take(in, 'M')) {
        change->form = CM_ZONE_DAY_OF_WEEK;
        good = take_number(in, 12, &change->month) && take(in, '.') &&
               take_number(in, 5, &change->week) && take(in, '.') &&
               take_number(in, 6, &change->day) && change->month >= 1 && change->week >= 1;
    } else if (take(in, 'J')) {
        change->form = CM_ZONE_DAY_JULIAN;
        good = take_number(in, 365, &change->day) && change->day >= 1;
    } else {
        change->form = CM_ZONE_DAY_OF_YEAR;
        good = take_number(in, 365, &change->day);
    }
    return good && (!take(in, '/') || take_time(in, TIME_HOURS_MAX, &change->time_s));
}

bool cm_zone_rule_parse(const char *s, size_t len, struct cm_zone_rule *rule)
{
    struct reader in = {.at = s, .end = s + len};
    int32_t west_s; /* POSIX counts westwards */
    *rule = (struct cm_zone_rule){0};
    if (!skip_name(&in) || !take_time(&in, OFFSET_HOURS_MAX, &west_s)) {
        return false;
    }
    rule->offset_s = -west_s;
    if (in.at == in.end) {
        return true;
    }
    if (!skip_name(&in)) {
        return false;
    }
    rule->has_saving = true;
    rule->saving_offset_s = rule->offset_s + DEFAULT_SAVING_S;
    if (in.at < in.end && *in.at != ',') {
        if (!take_time(&in, OFFSET_HOURS_MAX, &west_s)) {
            return false;
        }
        rule->saving_offset_s = -west_s;
    }
    return take_change(&in, &rule->start) && take_change(&in, &rule->end) && in.at == in.end;
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t change_day(const struct cm_zone_change *change, int64_t year)
{
    int64_t january = cm_days_from_civil(year, 1, 1);
    if (change->form == CM_ZONE_DAY_OF_YEAR) {
        return january + change->day;
    }
    if (change->form == CM_ZONE_DAY_JULIAN) {
        return january + change->day - 1 + (is_leap(year) && change->day > 59);
    }
    int64_t first = cm_days_from_civil(year, change->month, 1);
    int64_t next = change->month == 12 ? cm_days_from_civil(year + 1, 1, 1)
                                       : cm_days_from_civil(year, change->month + 1, 1);
    /* 1970-01-01 was a Thursday (4); the double remainder keeps it right before that. */
    int64_t weekday = ((first + 4) % 7 + 7) % 7;
    int64_t day = first + (change->day + 7 - weekday) % 7 + (int64_t)(change->week - 1) * 7;
    while (day >= next) {
        day -= 7; /* the fifth week means the last */
    }
    return day;
}

int64_t cm_zone_rule_start_s(const struct cm_zone_rule *rule, int64_t year)
{
    return change_day(&rule->start, year) * DAY_S + rule->start.time_s - rule->offset_s;
}

int64_t cm_zone_rule_end_s(const struct cm_zone_rule *rule, int64_t year)
{
    return change_day(&rule->end, year) * DAY_S + rule->end.time_s - rule->saving_offset_s;
}
