// SPDX-License-Identifier: Apache-2.0
/* zone_rule.h — the yearly rule at the end of a TZif file: a POSIX TZ string with RFC 8536's
 * extensions.
 *
 *   CST-8                                 no daylight saving
 *   EST5EDT,M3.2.0,M11.1.0                second Sunday of March to first Sunday of November, 02:00
 *   IST-1GMT0,M10.5.0,M3.5.0/1            Dublin: "daylight saving" is winter, an hour less
 *   <-02>2<-01>,M3.5.0/-1,M10.5.0/0       Nuuk: quoted names, hours outside 0 to 24
 *
 * THREADS   Values; no state. TIME  Offsets as in local = UTC + offset, seconds; instants in UTC
 * seconds.
 */
#ifndef CM_BASE_ZONE_RULE_H
#define CM_BASE_ZONE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cm_zone_day_form {
    CM_ZONE_DAY_JULIAN = 0, /* Jn: day 1..365, 29 February is never counted */
    CM_ZONE_DAY_OF_YEAR,    /* n: day 0..365, 29 February is counted */
    CM_ZONE_DAY_OF_WEEK     /* Mm.w.d: weekday d (0 Sunday) of week w (5: the last) of month m */
};

struct cm_zone_change {
    enum cm_zone_day_form form;
    unsigned month;
    unsigned week;
    unsigned day;
    int32_t time_s; /* local time of day by the clock before the change; -167 h to 167 h */
};

struct cm_zone_rule {
    int32_t offset_s;
    int32_t saving_offset_s; /* below the two only when has_saving */
    bool has_saving;
    struct cm_zone_change start;
    struct cm_zone_change end;
};

/* The whole of s. False on a mistake; *rule is then undefined. */
bool cm_zone_rule_parse(const char *s, size_t len, struct cm_zone_rule *rule);
/* The instants of a (civil) year at which daylight saving starts and ends, UTC seconds. */
int64_t cm_zone_rule_start_s(const struct cm_zone_rule *rule, int64_t year);
int64_t cm_zone_rule_end_s(const struct cm_zone_rule *rule, int64_t year);

#endif
