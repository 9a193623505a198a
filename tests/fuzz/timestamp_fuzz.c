// SPDX-License-Identifier: Apache-2.0
/* timestamp_fuzz.c — cm_parse_rfc3339() against libc's calendar.
 *
 * The oracle holds the text against a pattern and leaves the arithmetic to timegm(); a date that
 * does not exist is one that gmtime() does not give back. What is parsed must also print to the
 * same instant.
 */
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "driver.h"

#define LAST_MS INT64_C(4102444800000) /* 2100-01-01, the end of event time */

static bool digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* d a digit, T one of "Tt ", anything else itself. */
static bool matches(const uint8_t *s, const char *pattern)
{
    for (size_t i = 0; pattern[i] != '\0'; i++) {
        bool fits = pattern[i] == 'd'   ? digit(s[i])
                    : pattern[i] == 'T' ? s[i] == 'T' || s[i] == 't' || s[i] == ' '
                                        : s[i] == (uint8_t)pattern[i];
        if (!fits) {
            return false;
        }
    }
    return true;
}

static int number(const uint8_t *s, size_t digits)
{
    char text[8] = {0};
    memcpy(text, s, digits);
    return (int)strtol(text, NULL, 10);
}

/* The offset from UTC at s, minutes; false when there is none. */
static bool offset_of(const uint8_t *s, size_t len, int *minutes)
{
    *minutes = 0;
    if (len == 1) {
        return s[0] == 'Z' || s[0] == 'z';
    }
    if (len != 6 || (s[0] != '+' && s[0] != '-') || !matches(s + 1, "dd:dd") ||
        number(s + 1, 2) > 23 || number(s + 4, 2) > 59) {
        return false;
    }
    *minutes = number(s + 1, 2) * 60 + number(s + 4, 2);
    *minutes = s[0] == '-' ? -*minutes : *minutes;
    return true;
}

static bool oracle(const uint8_t *s, size_t len, int64_t *ms)
{
    int fraction_ms = 0;
    int minutes;
    if (len < 20 || !matches(s, "dddd-dd-ddTdd:dd:dd")) {
        return false;
    }
    size_t at = 19;
    if (s[at] == '.') {
        int place = 100;
        for (at++; at < len && digit(s[at]); at++) {
            fraction_ms += place * (s[at] - '0');
            place /= 10;
        }
        if (at == 20) {
            return false;
        }
    }
    struct tm tm = {.tm_year = number(s, 4) - 1900,
                    .tm_mon = number(s + 5, 2) - 1,
                    .tm_mday = number(s + 8, 2),
                    .tm_hour = number(s + 11, 2),
                    .tm_min = number(s + 14, 2)};
    int second = number(s + 17, 2);
    struct tm wanted = tm;
    time_t minute = timegm(&tm);
    if (tm.tm_year != wanted.tm_year || tm.tm_mon != wanted.tm_mon ||
        tm.tm_mday != wanted.tm_mday || tm.tm_hour != wanted.tm_hour ||
        tm.tm_min != wanted.tm_min || second > 60 || !offset_of(s + at, len - at, &minutes)) {
        return false;
    }
    fraction_ms = second == 60 ? 0 : fraction_ms;
    *ms = ((int64_t)minute + second - (int64_t)minutes * 60) * 1000 + fraction_ms;
    return *ms >= 0 && *ms <= LAST_MS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t got = -1;
    int64_t expected = -1;
    int64_t again = -1;
    char text[32];
    bool valid = cm_parse_rfc3339((const char *)data, size, &got);
    FUZZ_REQUIRE(valid == oracle(data, size, &expected));
    if (!valid) {
        FUZZ_REQUIRE(got == -1);
        return 0;
    }
    FUZZ_REQUIRE(got == expected);
    cm_format_rfc3339(got, text);
    FUZZ_REQUIRE(cm_parse_rfc3339(text, strlen(text), &again));
    FUZZ_REQUIRE(again == got);
    return 0;
}
