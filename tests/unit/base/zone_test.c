// SPDX-License-Identifier: Apache-2.0
/* zone_test.c — offsets and dates against libc, periods by table and by law, and files that are
 * broken.
 *
 * libc's zone is one a process, so all comparing is done in this one thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/prng.h"
#include "base/text.h"
#include "base/zone.h"

#define DAY_S       INT64_C(86400)
#define LAST_S      INT64_C(4102444800)
#define FOLDER_MAX  64
#define CHANGES_MAX 400

static const char *const names[] = {
    "Asia/Shanghai",    "Asia/Kolkata",   "America/New_York",    "Europe/Dublin",
    "Europe/Berlin",    "Europe/Moscow",  "Australia/Lord_Howe", "America/Sao_Paulo",
    "America/St_Johns", "America/Havana", "Africa/Cairo",        "Asia/Beirut",
    "Pacific/Apia",     "Asia/Pyongyang", "Africa/Casablanca",   "America/Nuuk",
    "Africa/Monrovia",  "Asia/Gaza",      "Pacific/Kiritimati",  "UTC",
};

static struct cm_zone *load(const char *name)
{
    struct cm_zone *zone = NULL;
    if (cm_zone_load(name, &zone) < 0) {
        fail_msg("%s", cm_fail_text());
    }
    assert_string_equal(cm_zone_name(zone), name);
    return zone;
}

static int64_t at(const char *text)
{
    int64_t ms = -1;
    if (!cm_parse_rfc3339(text, strlen(text), &ms)) {
        fail_msg("%s", text);
    }
    return ms;
}

static int64_t floor_day(int64_t s)
{
    return s / DAY_S - (s % DAY_S < 0);
}

static int64_t libc_offset_s(int64_t utc_s)
{
    struct tm tm;
    time_t t = utc_s;
    assert_non_null(localtime_r(&t, &tm));
    return tm.tm_gmtoff;
}

static int64_t libc_days(int64_t utc_s)
{
    return floor_day(utc_s + libc_offset_s(utc_s));
}

static void use_libc_zone(const char *name)
{
    setenv("TZ", name, 1);
    tzset();
}

/* The instants at which libc's offset changes, from noon to noon; two within a day that undo each
 * other would be missed. */
static size_t find_changes(int64_t *changes)
{
    size_t count = 0;
    int64_t before = libc_offset_s(0);
    for (int64_t day_s = DAY_S / 2; day_s < LAST_S; day_s += DAY_S) {
        int64_t after = libc_offset_s(day_s);
        if (after == before) {
            continue;
        }
        int64_t low = day_s - DAY_S; /* still before */
        int64_t high = day_s;
        while (high - low > 1) {
            int64_t middle = low + (high - low) / 2;
            if (libc_offset_s(middle) == before) {
                low = middle;
            } else {
                high = middle;
            }
        }
        assert_true(count < CHANGES_MAX);
        changes[count++] = high;
        before = after;
    }
    return count;
}

static void check_offset(const struct cm_zone *zone, int64_t utc_s)
{
    int64_t expected = libc_offset_s(utc_s);
    for (int64_t ms = 0; ms <= 999; ms += 999) {
        int64_t got = cm_zone_offset_s(zone, utc_s * 1000 + ms);
        if (got != expected) {
            fail_msg("%s at %lld: %lld, libc says %lld", cm_zone_name(zone), (long long)utc_s,
                     (long long)got, (long long)expected);
        }
    }
}

/* What must hold for every instant and period. */
static void check_laws(const struct cm_zone *zone, int64_t utc_ms)
{
    int64_t days = cm_zone_local_days(zone, utc_ms);
    assert_true(cm_zone_day_start_ms(zone, days) ==
                cm_zone_period_start_ms(zone, CM_PERIOD_DAY, utc_ms));
    for (int p = 0; p < CM_PERIOD_COUNT; p++) {
        enum cm_period period = (enum cm_period)p;
        char label[16];
        char same[16];
        int64_t start = cm_zone_period_start_ms(zone, period, utc_ms);
        int64_t end = cm_zone_period_end_ms(zone, period, utc_ms);
        if (start > utc_ms || utc_ms >= end) {
            fail_msg("%s %s of %lld: %lld to %lld", cm_zone_name(zone), cm_period_name(period),
                     (long long)utc_ms, (long long)start, (long long)end);
        }
        assert_true(cm_zone_period_start_ms(zone, period, start) == start);
        assert_true(cm_zone_period_end_ms(zone, period, start) == end);
        assert_true(cm_zone_period_start_ms(zone, period, end - 1) == start);
        assert_true(cm_zone_period_end_ms(zone, period, end - 1) == end);
        assert_true(cm_zone_period_start_ms(zone, period, end) == end);
        assert_true(cm_zone_period_end_ms(zone, period, start - 1) == start);
        cm_zone_period_label(zone, period, utc_ms, label);
        assert_string_equal(cm_zone_period_label(zone, period, start, same), label);
        assert_string_equal(cm_zone_period_label(zone, period, end - 1, same), label);
        assert_string_not_equal(cm_zone_period_label(zone, period, end, same), label);
    }
}

/* Around a change: the day of an instant is the latest date that libc has shown by then. Instants a
 * step apart, each with the second before it, so that the change itself is met exactly. */
static void check_days_around(const struct cm_zone *zone, int64_t change_s, int64_t step_s)
{
    const int64_t from_s = change_s - INT64_C(93600) / step_s * step_s;
    int64_t latest = libc_days(from_s - 1);
    int64_t checked = latest;
    for (int64_t s = from_s; s <= change_s + INT64_C(93600); s += step_s) {
        for (int64_t t = s - 1; t <= s; t++) {
            int64_t days = libc_days(t);
            latest = days > latest ? days : latest;
            int64_t got = cm_zone_local_days(zone, t * 1000);
            if (got != latest) {
                fail_msg("%s at %lld: day %lld, not %lld", cm_zone_name(zone), (long long)t,
                         (long long)got, (long long)latest);
            }
        }
        if (latest != checked) { /* a date began within this step, on the second or before */
            int64_t start_s = cm_zone_day_start_ms(zone, latest) / 1000;
            assert_true(start_s > s - step_s && start_s <= s);
            assert_true(libc_days(start_s) >= latest && libc_days(start_s - 1) < latest);
            checked = latest;
        }
    }
}

static void check_zone(const char *name, uint64_t seed)
{
    static int64_t changes[CHANGES_MAX];
    struct cm_zone *zone = load(name);
    struct cm_prng prng;
    use_libc_zone(name);
    size_t count = find_changes(changes);
    for (size_t i = 0; i < count; i++) {
        check_offset(zone, changes[i] - 1);
        check_offset(zone, changes[i]);
        check_laws(zone, changes[i] * 1000);
        check_laws(zone, changes[i] * 1000 - 1);
        /* Many years follow one rule: look closely at those that differ, and at some of the others.
         */
        if (i < 130 || i % 10 == 0) {
            bool odd = strcmp(name, "America/St_Johns") == 0 && changes[i] < INT64_C(1325376000);
            check_days_around(zone, changes[i], odd ? 60 : 900);
        }
    }
    cm_prng_seed(&prng, seed);
    for (int i = 0; i < 3000; i++) {
        int64_t utc_ms = (int64_t)cm_prng_below(&prng, (uint64_t)LAST_S * 1000);
        check_offset(zone, utc_ms / 1000);
        if (i % 4 == 0) {
            check_laws(zone, utc_ms);
        }
    }
    check_laws(zone, 0);
    check_laws(zone, LAST_S * 1000);
    cm_zone_free(zone);
}

static void test_against_libc(void **state)
{
    (void)state;
    for (size_t i = 0; i < CM_ARRAY_LEN(names); i++) {
        check_zone(names[i], i);
    }
}

static void test_days_touch_from_first_to_last(void **state)
{
    (void)state;
    for (size_t i = 0; i < CM_ARRAY_LEN(names); i++) {
        struct cm_zone *zone = load(names[i]);
        int64_t before = cm_zone_day_start_ms(zone, -1);
        unsigned missing = 0;
        for (int64_t days = 0; days < LAST_S / DAY_S; days++) {
            int64_t start = cm_zone_day_start_ms(zone, days);
            assert_true(start >= before);
            if (start == before) { /* days - 1 has no instant */
                missing++;
                assert_true(cm_zone_local_days(zone, start) == days);
                assert_true(cm_zone_local_days(zone, start - 1) == days - 2);
            } else {
                assert_true(cm_zone_local_days(zone, start - 1) == days - 1);
            }
            before = start;
        }
        bool crossed =
            strcmp(names[i], "Pacific/Apia") == 0 || strcmp(names[i], "Pacific/Kiritimati") == 0;
        assert_int_equal(missing, crossed ? 1 : 0);
        cm_zone_free(zone);
    }
}

static void test_periods_by_table(void **state)
{
    (void)state;
    static const struct {
        const char *zone;
        enum cm_period period;
        const char *instant;
        const char *start;
        const char *end;
        const char *label;
    } table[] = {
        {"UTC", CM_PERIOD_DAY, "2026-11-01T23:59:59.999Z", "2026-11-01T00:00:00Z",
         "2026-11-02T00:00:00Z", "2026-11-01"},
        {"Asia/Shanghai", CM_PERIOD_DAY, "2026-11-01T00:00:00Z", "2026-10-31T16:00:00Z",
         "2026-11-01T16:00:00Z", "2026-11-01"},
        {"Asia/Shanghai", CM_PERIOD_WEEK, "2026-11-01T15:59:59.999Z", "2026-10-25T16:00:00Z",
         "2026-11-01T16:00:00Z", "2026-10-26"},
        {"Asia/Shanghai", CM_PERIOD_WEEK, "2026-11-01T16:00:00Z", "2026-11-01T16:00:00Z",
         "2026-11-08T16:00:00Z", "2026-11-02"},
        {"Asia/Shanghai", CM_PERIOD_MONTH, "2028-02-29T15:00:00Z", "2028-01-31T16:00:00Z",
         "2028-02-29T16:00:00Z", "2028-02-01"},
        {"Asia/Shanghai", CM_PERIOD_QUARTER, "2026-12-31T15:59:59Z", "2026-09-30T16:00:00Z",
         "2026-12-31T16:00:00Z", "2026-10-01"},
        {"Asia/Shanghai", CM_PERIOD_QUARTER, "2026-12-31T16:00:00Z", "2026-12-31T16:00:00Z",
         "2027-03-31T16:00:00Z", "2027-01-01"},
        {"Asia/Kolkata", CM_PERIOD_DAY, "2026-11-01T18:29:59.999Z", "2026-10-31T18:30:00Z",
         "2026-11-01T18:30:00Z", "2026-11-01"},
        /* 23 and 25 hours. */
        {"America/New_York", CM_PERIOD_DAY, "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z",
         "2026-03-09T04:00:00Z", "2026-03-08"},
        {"America/New_York", CM_PERIOD_DAY, "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z",
         "2026-11-02T05:00:00Z", "2026-11-01"},
        {"America/New_York", CM_PERIOD_WEEK, "2026-11-01T12:00:00Z", "2026-10-26T04:00:00Z",
         "2026-11-02T05:00:00Z", "2026-10-26"},
        {"America/New_York", CM_PERIOD_DAY, "2090-03-12T12:00:00Z", "2090-03-12T05:00:00Z",
         "2090-03-13T04:00:00Z", "2090-03-12"},
        {"Europe/Dublin", CM_PERIOD_DAY, "2050-03-27T12:00:00Z", "2050-03-27T00:00:00Z",
         "2050-03-27T23:00:00Z", "2050-03-27"},
        /* Half an hour. */
        {"Australia/Lord_Howe", CM_PERIOD_DAY, "2026-04-05T00:00:00Z", "2026-04-04T13:00:00Z",
         "2026-04-05T13:30:00Z", "2026-04-05"},
        {"Australia/Lord_Howe", CM_PERIOD_DAY, "2026-10-04T00:00:00Z", "2026-10-03T13:30:00Z",
         "2026-10-04T13:00:00Z", "2026-10-04"},
        /* No midnight. */
        {"America/Sao_Paulo", CM_PERIOD_DAY, "2018-11-04T03:00:00Z", "2018-11-04T03:00:00Z",
         "2018-11-05T02:00:00Z", "2018-11-04"},
        {"Africa/Cairo", CM_PERIOD_DAY, "2023-04-28T00:00:00Z", "2023-04-27T22:00:00Z",
         "2023-04-28T21:00:00Z", "2023-04-28"},
        {"Asia/Beirut", CM_PERIOD_DAY, "2022-03-27T00:00:00Z", "2022-03-26T22:00:00Z",
         "2022-03-27T21:00:00Z", "2022-03-27"},
        /* Back at midnight: the hour before comes twice, 25 hours. */
        {"America/Sao_Paulo", CM_PERIOD_DAY, "2018-02-18T02:30:00Z", "2018-02-17T02:00:00Z",
         "2018-02-18T03:00:00Z", "2018-02-17"},
        /* Midnight twice: the first counts. */
        {"America/Havana", CM_PERIOD_DAY, "2026-11-01T05:00:00Z", "2026-11-01T04:00:00Z",
         "2026-11-02T05:00:00Z", "2026-11-01"},
        {"America/Havana", CM_PERIOD_MONTH, "2026-11-01T04:00:00Z", "2026-11-01T04:00:00Z",
         "2026-12-01T05:00:00Z", "2026-11-01"},
        /* From 00:01 back to 23:01: what comes again belongs to the new day. */
        {"America/St_Johns", CM_PERIOD_DAY, "2006-10-29T02:45:00Z", "2006-10-29T02:30:00Z",
         "2006-10-30T03:30:00Z", "2006-10-29"},
        {"America/St_Johns", CM_PERIOD_DAY, "2006-10-29T02:29:59.999Z", "2006-10-28T02:30:00Z",
         "2006-10-29T02:30:00Z", "2006-10-28"},
        /* 30 December 2011 is left out. */
        {"Pacific/Apia", CM_PERIOD_DAY, "2011-12-30T09:59:59.999Z", "2011-12-29T10:00:00Z",
         "2011-12-30T10:00:00Z", "2011-12-29"},
        {"Pacific/Apia", CM_PERIOD_DAY, "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z",
         "2011-12-31T10:00:00Z", "2011-12-31"},
        {"Pacific/Apia", CM_PERIOD_WEEK, "2011-12-30T10:00:00Z", "2011-12-26T10:00:00Z",
         "2012-01-01T10:00:00Z", "2011-12-26"},
        /* Rules that changed. */
        {"Europe/Moscow", CM_PERIOD_DAY, "2012-01-15T12:00:00Z", "2012-01-14T20:00:00Z",
         "2012-01-15T20:00:00Z", "2012-01-15"},
        {"Europe/Moscow", CM_PERIOD_DAY, "2014-10-26T12:00:00Z", "2014-10-25T20:00:00Z",
         "2014-10-26T21:00:00Z", "2014-10-26"},
        {"Asia/Pyongyang", CM_PERIOD_DAY, "2018-05-04T12:00:00Z", "2018-05-03T15:30:00Z",
         "2018-05-04T15:00:00Z", "2018-05-04"},
    };
    for (size_t i = 0; i < CM_ARRAY_LEN(table); i++) {
        struct cm_zone *zone = load(table[i].zone);
        int64_t instant = at(table[i].instant);
        char out[32];
        assert_string_equal(
            cm_format_rfc3339(cm_zone_period_start_ms(zone, table[i].period, instant), out),
            table[i].start);
        assert_string_equal(
            cm_format_rfc3339(cm_zone_period_end_ms(zone, table[i].period, instant), out),
            table[i].end);
        assert_string_equal(cm_zone_period_label(zone, table[i].period, instant, out),
                            table[i].label);
        cm_zone_free(zone);
    }
    struct cm_zone *apia = load("Pacific/Apia");
    int64_t missing = cm_days_from_civil(2011, 12, 30);
    assert_true(cm_zone_day_start_ms(apia, missing) == at("2011-12-30T10:00:00Z"));
    assert_true(cm_zone_day_start_ms(apia, missing + 1) == at("2011-12-30T10:00:00Z"));
    cm_zone_free(apia);
}

static void test_before_the_epoch_and_far_ahead(void **state)
{
    (void)state;
    struct cm_zone *zone = load("America/New_York");
    assert_int_equal(cm_zone_offset_s(zone, INT64_C(-3000000000000)), -17762); /* 1874: sun time */
    assert_int_equal(cm_zone_offset_s(zone, -1), -18000);
    assert_true(cm_zone_local_days(zone, -1) == -1);
    check_laws(zone, -1);
    check_laws(zone, INT64_C(-3000000000000));
    check_laws(zone, INT64_C(32503680000000)); /* 3000 */
    cm_zone_free(zone);
}

static void test_period_names(void **state)
{
    (void)state;
    assert_string_equal(cm_period_name(CM_PERIOD_DAY), "day");
    assert_string_equal(cm_period_name(CM_PERIOD_WEEK), "week");
    assert_string_equal(cm_period_name(CM_PERIOD_MONTH), "month");
    assert_string_equal(cm_period_name(CM_PERIOD_QUARTER), "quarter");
}

static void test_names_that_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",          "/etc/localtime", "../zoneinfo/UTC", "Asia/../UTC", "Asia/Shangai",  "Asia",
        "tzdata.zi", "zone.tab",       "Asia/Shanghai/",  "utc\n1",      "No/Such/Place",
    };
    for (size_t i = 0; i < CM_ARRAY_LEN(bad); i++) {
        struct cm_zone *zone = NULL;
        assert_int_equal(cm_zone_load(bad[i], &zone), -CM_ERR_ZONE);
        assert_null(zone);
        assert_non_null(strstr(cm_fail_text(), bad[i]));
    }
    char name[2000];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct cm_zone *zone = NULL;
    assert_int_equal(cm_zone_load(name, &zone), -CM_ERR_ZONE);
    cm_zone_free(NULL);
}

/* --- files of our own --- */

static char folder[FOLDER_MAX];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/callmill-zone-XXXXXX");
    return mkdtemp(folder) == NULL || setenv("TZDIR", folder, 1) != 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char path[FOLDER_MAX + 8];
    snprintf(path, sizeof path, "%s/Own", folder);
    (void)unlink(path);
    (void)unsetenv("TZDIR");
    return rmdir(folder);
}

/* Writes the file as zone "Own" and loads it. */
static int load_bytes(const void *bytes, size_t len, struct cm_zone **zone)
{
    char path[FOLDER_MAX + 8];
    snprintf(path, sizeof path, "%s/Own", folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    return cm_zone_load("Own", zone);
}

static void add_be(struct cm_text *text, uint64_t value, unsigned bytes)
{
    while (bytes-- > 0) {
        cm_text_addc(text, (char)(value >> (8 * bytes)));
    }
}

/* A header and data with three types (an offset each) and `count` changes to type 1, 2, 0, 1, ...
 */
static void add_block(struct cm_text *text, char version, unsigned time_bytes, const int64_t *times,
                      uint32_t count, const int32_t offsets[3], uint32_t leaps)
{
    cm_text_adds(text, "TZif");
    cm_text_addc(text, version);
    add_be(text, 0, 15 - 8);
    add_be(text, 0, 8);
    add_be(text, 0, 4);
    add_be(text, 0, 4);
    add_be(text, leaps, 4);
    add_be(text, count, 4);
    add_be(text, 3, 4);
    add_be(text, 4, 4);
    for (uint32_t i = 0; i < count; i++) {
        add_be(text, (uint64_t)times[i], time_bytes);
    }
    for (uint32_t i = 0; i < count; i++) {
        add_be(text, (i + 1) % 3, 1);
    }
    for (unsigned i = 0; i < 3; i++) {
        add_be(text, (uint32_t)offsets[i], 4);
        add_be(text, i, 1);
        add_be(text, 0, 1);
    }
    cm_text_add(text, "XYZ", 4);
    for (uint32_t i = 0; i < leaps; i++) {
        add_be(text, 78796800, time_bytes);
        add_be(text, 1, 4);
    }
}

static void test_version_1(void **state)
{
    (void)state;
    static const int64_t times[] = {-1000000, 500000000, 1000000000};
    static const int32_t offsets[3] = {3600, -5400, 1800};
    struct cm_text file = {0};
    struct cm_zone *zone = NULL;
    add_block(&file, '\0', 4, times, 3, offsets, 0);
    assert_int_equal(load_bytes(file.data, file.len, &zone), 0);
    assert_int_equal(cm_zone_offset_s(zone, -1000000001), 3600);
    assert_int_equal(cm_zone_offset_s(zone, -1000000000), -5400);
    assert_int_equal(cm_zone_offset_s(zone, 500000000000), 1800);
    assert_int_equal(cm_zone_offset_s(zone, 1000000000000), 3600);
    assert_int_equal(cm_zone_offset_s(zone, 4000000000000), 3600);
    cm_zone_free(zone);
    for (size_t len = 0; len < file.len; len++) {
        assert_int_equal(load_bytes(file.data, len, &zone), -CM_ERR_ZONE);
    }
    cm_text_free(&file);
}

/* A day back, and an hour later an hour on: the date seen before both changes still holds. */
static void test_a_date_once_seen_does_not_come_back(void **state)
{
    (void)state;
    static const int64_t times[] = {1000000800, 1000004400}; /* 2001-09-09T02:00Z, 03:00Z */
    static const int32_t offsets[3] = {43200, -43200, -39600};
    struct cm_text file = {0};
    struct cm_zone *zone = NULL;
    add_block(&file, '\0', 4, times, 2, offsets, 0);
    assert_int_equal(load_bytes(file.data, file.len, &zone), 0);
    cm_text_free(&file);
    int64_t day = cm_days_from_civil(2001, 9, 9);
    assert_true(cm_zone_day_start_ms(zone, day) == at("2001-09-08T12:00:00Z"));
    assert_true(cm_zone_day_start_ms(zone, day + 1) == at("2001-09-10T11:00:00Z"));
    for (int64_t ms = at("2001-09-08T12:00:00Z"); ms < at("2001-09-10T11:00:00Z"); ms += 600000) {
        assert_true(cm_zone_local_days(zone, ms) == day);
        check_laws(zone, ms);
    }
    cm_zone_free(zone);
}

static int load_footer(char version, const char *footer, uint32_t count, struct cm_zone **zone)
{
    static const int64_t times[] = {INT64_C(-576460752303423488), 1000000000};
    static const int32_t offsets[3] = {0, 3600, 0};
    struct cm_text file = {0};
    add_block(&file, version, 4, times, 0, offsets, 0);
    add_block(&file, version, 8, times, count, offsets, 0);
    cm_text_adds(&file, footer);
    int rc = load_bytes(file.data, file.len, zone);
    cm_text_free(&file);
    return rc;
}

static void test_rules_at_the_end(void **state)
{
    (void)state;
    struct cm_zone *zone = NULL;
    for (int version = '2'; version <= '4'; version++) {
        /* No change in the file: the rule holds always. */
        assert_int_equal(load_footer((char)version, "\n<+03>-3\n", 0, &zone), 0);
        assert_int_equal(cm_zone_offset_s(zone, -1), 10800);
        assert_int_equal(cm_zone_offset_s(zone, 4000000000000), 10800);
        cm_zone_free(zone);
    }
    assert_int_equal(load_footer('2', "\nAAA0BBB,M3.5.0/1,M10.5.0\n", 0, &zone), 0);
    assert_int_equal(cm_zone_offset_s(zone, at("1980-07-01T00:00:00Z")), 3600);
    assert_int_equal(cm_zone_offset_s(zone, at("1980-12-01T00:00:00Z")), 0);
    cm_zone_free(zone);
    /* With changes: only after the last (2001-09-09). */
    assert_int_equal(load_footer('3', "\nAAA0BBB,J100/0,J300/0\n", 2, &zone), 0);
    assert_int_equal(cm_zone_offset_s(zone, at("1990-01-01T00:00:00Z")), 3600);
    assert_int_equal(cm_zone_offset_s(zone, at("2001-09-20T00:00:00Z")), 0);
    assert_int_equal(cm_zone_offset_s(zone, at("2002-04-09T23:59:59Z")), 0);
    assert_int_equal(cm_zone_offset_s(zone, at("2002-04-10T00:00:00Z")), 3600);
    assert_int_equal(cm_zone_offset_s(zone, at("2002-10-26T23:00:00Z")), 0);
    cm_zone_free(zone);
    /* Daylight saving all the year: one ends where the next starts, or even after that. */
    static const char *const always[] = {"\nXXX3EDT4,0/0,J365/23\n", "\nXXX3EDT4,0/0,J365/167\n"};
    for (size_t i = 0; i < CM_ARRAY_LEN(always); i++) {
        assert_int_equal(load_footer('3', always[i], 2, &zone), 0);
        for (int64_t day = 12000; day < 40000; day++) {
            assert_int_equal(cm_zone_offset_s(zone, day * CM_MS_PER_D + 3 * CM_MS_PER_H), -14400);
        }
        cm_zone_free(zone);
    }
    /* No rule: the last offset stays. */
    assert_int_equal(load_footer('2', "\n\n", 1, &zone), 0);
    assert_int_equal(cm_zone_offset_s(zone, 4000000000000), 3600);
    cm_zone_free(zone);
    static const char *const bad[] = {
        "", "\n", "UTC0", "\nUTC0", "xUTC0\n", "\n8\n", "\nEST5EDT,M3.2.0\n"};
    for (size_t i = 0; i < CM_ARRAY_LEN(bad); i++) {
        assert_int_equal(load_footer('2', bad[i], 1, &zone), -CM_ERR_ZONE);
        assert_non_null(strstr(cm_fail_text(), "Own"));
    }
}

static void test_contents_that_are_refused(void **state)
{
    (void)state;
    static const int64_t backwards[] = {1000, 999};
    static const int64_t twice[] = {1000, 1000};
    static const int64_t good_times[] = {1000, 2000};
    static const int32_t good[3] = {0, 3600, 0};
    static const int32_t too_far[3] = {0, 100000, 0};
    static const int32_t lowest[3] = {INT32_MIN, 0, 0};
    struct cm_zone *zone = NULL;
    const struct {
        const int64_t *times;
        const int32_t *offsets;
        uint32_t leaps;
        int rc;
    } cases[] = {
        {backwards, good, 0, -CM_ERR_ZONE},     {twice, good, 0, -CM_ERR_ZONE},
        {good_times, too_far, 0, -CM_ERR_ZONE}, {good_times, lowest, 0, -CM_ERR_ZONE},
        {good_times, good, 1, -CM_ERR_ZONE},    {good_times, good, 0, 0},
    };
    for (size_t i = 0; i < CM_ARRAY_LEN(cases); i++) {
        struct cm_text file = {0};
        add_block(&file, '\0', 4, cases[i].times, 2, cases[i].offsets, cases[i].leaps);
        assert_int_equal(load_bytes(file.data, file.len, &zone), cases[i].rc);
        if (cases[i].rc == 0) {
            cm_zone_free(zone);
            /* A change to a type that is not there: its index follows the times. */
            file.data[44 + 2 * 4] = 3;
            assert_int_equal(load_bytes(file.data, file.len, &zone), -CM_ERR_ZONE);
        }
        cm_text_free(&file);
    }
}

/* Whatever the bytes: an error, or a zone that obeys the laws. */
static void test_damaged_files(void **state)
{
    (void)state;
    static unsigned char bytes[16384];
    static unsigned char damaged[sizeof bytes];
    FILE *file = fopen("/usr/share/zoneinfo/America/New_York", "rb");
    if (file == NULL) {
        skip();
    }
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    struct cm_zone *zone = NULL;
    for (size_t cut = 0; cut < len; cut += cut < 100 || cut > len - 100 ? 1 : 7) {
        assert_int_equal(load_bytes(bytes, cut, &zone), -CM_ERR_ZONE);
    }
    struct cm_prng prng;
    cm_prng_seed(&prng, 5);
    for (int i = 0; i < 2000; i++) {
        memcpy(damaged, bytes, len);
        uint64_t edits = 1 + cm_prng_below(&prng, 4);
        for (uint64_t e = 0; e < edits; e++) {
            uint64_t where = i % 2 == 0 ? cm_prng_below(&prng, 44) : cm_prng_below(&prng, len);
            damaged[where] = (unsigned char)cm_prng_next(&prng);
        }
        int rc = load_bytes(damaged, len, &zone);
        if (rc == 0) {
            for (int64_t day = 0; day < 47482; day += 1009) {
                check_laws(zone, day * CM_MS_PER_D);
            }
            cm_zone_free(zone);
        } else {
            assert_int_equal(rc, -CM_ERR_ZONE);
        }
    }
}

static void test_utc_needs_no_files(void **state)
{
    (void)state;
    struct cm_zone *zone = NULL;
    assert_int_equal(cm_zone_load("UTC", &zone), 0);
    assert_int_equal(cm_zone_offset_s(zone, 4000000000000), 0);
    check_laws(zone, 4000000000000);
    cm_zone_free(zone);
    assert_int_equal(cm_zone_load("Asia/Shanghai", &zone), -CM_ERR_ZONE);
    assert_non_null(strstr(cm_fail_text(), folder));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_libc),
        cmocka_unit_test(test_days_touch_from_first_to_last),
        cmocka_unit_test(test_periods_by_table),
        cmocka_unit_test(test_before_the_epoch_and_far_ahead),
        cmocka_unit_test(test_period_names),
        cmocka_unit_test(test_names_that_are_refused),
        cmocka_unit_test_setup_teardown(test_version_1, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_a_date_once_seen_does_not_come_back, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(test_rules_at_the_end, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_contents_that_are_refused, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_damaged_files, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_utc_needs_no_files, make_folder, remove_folder),
    };
    if (access("/usr/share/zoneinfo/Asia/Shanghai", R_OK) != 0) {
        return 77; /* no tzdata: skipped */
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
