// SPDX-License-Identifier: Apache-2.0
/* intervals.h — the load of a day, interval by interval, as a table in CSV.
 *
 *   start,calls,aht          a header line; columns in any order, others are passed over
 *   08:00,120,240            start: any text, kept as it is; calls: a number, 0 or more, decimals
 *   08:30,151.5,4m           allowed; aht: seconds, or a duration such as 240s or 4m; empty or no
 *                            such column: the one that was given beside the file
 *
 * Fields have no commas; quotes around a field go. LF and CRLF end a line; blank lines and a byte
 * order mark are skipped.
 *
 * THREADS   One. OWNERSHIP A cm_intervals owns its rows: cm_intervals_free().
 * ERRORS    -CM_ERR_CONFIG; cm_fail_text() holds all mistakes, a line each: day.csv:3:7: ...
 */
#ifndef CM_PLAN_INTERVALS_H
#define CM_PLAN_INTERVALS_H

#include "base/text.h"

struct cm_interval {
    char *start;
    double calls;
    double aht_s;
};

struct cm_intervals {
    struct cm_interval *at;
    uint32_t count;
};

/* aht_s: for rows without one; 0: then such a row is a mistake. */
CM_NODISCARD int cm_intervals_parse(const char *name, const char *bytes, size_t len, double aht_s,
                                    struct cm_intervals *out);
/* The same from a file. */
CM_NODISCARD int cm_intervals_load(const char *path, double aht_s, struct cm_intervals *out);
void cm_intervals_free(struct cm_intervals *intervals);

/* A plain decimal number, 0 or more, the whole of s: "12", "0.5". No sign, no exponent, no "inf".
 */
bool cm_parse_decimal(const char *s, size_t len, double *value);
/* Seconds: a decimal number, or a duration ("4m", "240s", "500ms"). */
bool cm_parse_seconds(const char *s, size_t len, double *seconds);

#endif
