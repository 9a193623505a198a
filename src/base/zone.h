// SPDX-License-Identifier: Apache-2.0
/* zone.h — IANA time zones and the calendar periods of a centre.
 *
 * Reads TZif files (RFC 8536, versions 1 to 4, footer rule included) below $TZDIR or
 * /usr/share/zoneinfo. libc's own zone is one a process and not safe between threads; a centre has
 * its own.
 *
 * A day runs from the first instant that shows its date (or a later one) to the first that shows a
 * later one. So days touch and are never empty: where a change skips midnight the day starts at the
 * end of the gap; where midnight comes twice, at the first, and what comes back of the old date
 * belongs to the new day; a date that is left out (Pacific/Apia, 2011-12-30) holds no instant.
 *
 * THREADS   A loaded zone is immutable; any thread may read it.
 * TIME      UTC ms since the epoch in and out. A zone's yearly rule is followed to the year 2200.
 */
#ifndef CM_BASE_ZONE_H
#define CM_BASE_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum cm_period {
    CM_PERIOD_DAY = 0,
    CM_PERIOD_WEEK,
    CM_PERIOD_MONTH,
    CM_PERIOD_QUARTER,
    CM_PERIOD_COUNT
};

struct cm_zone;

/* 0 and *out to free with cm_zone_free(), or -CM_ERR_ZONE with the name in the text. Names with
 * ".." or a leading "/" are refused. "UTC" works without zone files. */
CM_NODISCARD int cm_zone_load(const char *name, struct cm_zone **out);
void cm_zone_free(struct cm_zone *zone);
const char *cm_zone_name(const struct cm_zone *zone);
/* Offset of local time from UTC at that instant, seconds (local = UTC + offset). */
int32_t cm_zone_offset_s(const struct cm_zone *zone, int64_t utc_ms);
/* The first instant of the local date (usually midnight; the end of the gap where a change skips
 * midnight; the earlier of two where midnight comes twice). days = local civil date as days since
 * 1970-01-01. */
int64_t cm_zone_day_start_ms(const struct cm_zone *zone, int64_t days);
/* The local civil date of an instant, by the rule for days above. */
int64_t cm_zone_local_days(const struct cm_zone *zone, int64_t utc_ms);
/* utc_ms within some million years of the epoch (CM_ASSERT), here and below.
 * First instant of the period (week: from Monday; quarter: from January, April, July, October) that
 * holds the instant; and the first instant of the period after it. */
int64_t cm_zone_period_start_ms(const struct cm_zone *zone, enum cm_period period, int64_t utc_ms);
int64_t cm_zone_period_end_ms(const struct cm_zone *zone, enum cm_period period, int64_t utc_ms);
/* "2026-11-01" of the local date on which the period that holds the instant starts; out at least 16
 * bytes. */
const char *cm_zone_period_label(const struct cm_zone *zone, enum cm_period period, int64_t utc_ms,
                                 char *out);
const char *cm_period_name(enum cm_period period); /* "day", "week", "month", "quarter" */

#endif
