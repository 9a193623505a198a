// SPDX-License-Identifier: Apache-2.0
/* quiet_stats.c — see quiet_stats.h. A line is
 * `cmdstat_hset:calls=3,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0`, and there is
 * none of a command that nobody has sent. */
#include "publish/quiet_stats.h"

#include <string.h>

#include "base/text.h"

/* The number behind `name` in this line; -1 and its like do not come. */
static bool number_in(const char *line, const char *end, const char *name, uint64_t *value)
{
    size_t len = strlen(name);
    for (const char *at = line; at + len < end; at++) {
        if (memcmp(at, name, len) == 0) {
            const char *digits = at + len;
            const char *behind = digits;
            while (behind < end && *behind >= '0' && *behind <= '9') {
                behind++;
            }
            return cm_parse_u64(digits, (size_t)(behind - digits), value);
        }
    }
    return false;
}

bool cm_quiet_stats_read(const struct redisReply *reply, struct cm_quiet_stats *stats)
{
    *stats = (struct cm_quiet_stats){0};
    if (reply->type != REDIS_REPLY_STRING || strstr(reply->str, ",rejected_calls=") == NULL ||
        strstr(reply->str, ",failed_calls=") == NULL) {
        return false;
    }
    const char *line = strstr(reply->str, "cmdstat_hset:");
    if (line == NULL) {
        return true;
    }
    const char *end = line + strcspn(line, "\r\n");
    return number_in(line, end, ":calls=", &stats->calls) &&
           number_in(line, end, ",rejected_calls=", &stats->rejected) &&
           number_in(line, end, ",failed_calls=", &stats->failed);
}

/* Counters that somebody has set back (CONFIG RESETSTAT) have not grown by that much. */
bool cm_quiet_stats_taken(const struct cm_quiet_stats *before, const struct cm_quiet_stats *after,
                          uint32_t commands)
{
    return after->rejected == before->rejected && after->failed == before->failed &&
           after->calls >= before->calls && after->calls - before->calls >= commands;
}
