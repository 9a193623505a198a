// SPDX-License-Identifier: Apache-2.0
/* embed_test.c — the public header: rows equal those of `replay`, windows only move forward, every
 * mistake is told. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/prng.h"
#include "base/text.h"
#include "config/config.h"
#include "engine/replay.h"

#include "callmill/callmill.h"

#define T0 INT64_C(1793500000000)
#define YAML                                                                                       \
    "windows: [1m/1s, 5m/5s, 1h/1m]\nperiods: [day]\nallowed_lateness: 10s\ntimezone: UTC\n"

static struct cm_engine *make(const char *yaml)
{
    struct cm_engine *engine = NULL;
    if (cm_engine_create(yaml, &engine) < 0) {
        fail_msg("%s", cm_engine_error());
    }
    return engine;
}

static enum cm_push push(struct cm_engine *engine, const char *record)
{
    return cm_engine_push(engine, record, strlen(record), NULL);
}

/* An answered leg of 30 s on a seat. */
static enum cm_push push_leg(struct cm_engine *engine, const char *id, const char *seat,
                             int64_t ts_ms)
{
    char record[256];
    snprintf(record, sizeof(record),
             "{\"type\":\"cdr\",\"id\":\"%s\",\"ts\":%lld,\"seat\":\"%s\",\"outcome\":\"answered\","
             "\"talk_ms\":30000}",
             id, (long long)ts_ms, seat);
    return push(engine, record);
}

static int keep(void *context, const char *json, size_t len)
{
    cm_text_add(context, json, len);
    cm_text_addc(context, '\n');
    return 0;
}

static int stop(void *context, const char *json, size_t len)
{
    (void)json;
    (void)len;
    ++*(int *)context;
    return 17;
}

/* The rows as of asof_ms, one a line; the caller frees the text. */
static const char *rows(struct cm_engine *engine, int64_t asof_ms, struct cm_text *text)
{
    text->len = 0;
    if (cm_engine_rows(engine, asof_ms, keep, text) != 0) {
        fail_msg("%s", cm_engine_error());
    }
    return cm_text_cstr(text);
}

/* What `replay` prints for the same records, from a file. */
static void replayed(const char *yaml, const struct cm_text *records, enum cm_replay_mode mode,
                     int64_t at_ms, struct cm_text *out)
{
    char path[] = "/tmp/embed_test.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, records->data, records->len), records->len);
    close(fd);
    struct cm_config *config = NULL;
    assert_int_equal(cm_config_parse("t", yaml, strlen(yaml), NULL, 0, &config), 0);
    struct cm_roster *roster = cm_roster_empty();
    char *data = NULL;
    size_t len = 0;
    FILE *stream = open_memstream(&data, &len);
    const char *files[] = {path};
    struct cm_replay_options options = {.config = config,
                                        .roster = roster,
                                        .files = files,
                                        .files_count = 1,
                                        .mode = mode,
                                        .at_ms = at_ms,
                                        .out = stream};
    struct cm_replay_summary summary;
    int rc = cm_replay_run(&options, &summary);
    fclose(stream);
    unlink(path);
    assert_int_equal(rc, 0);
    cm_text_add(out, data, len);
    free(data);
    cm_roster_free(roster);
    cm_config_free(config);
}

/* Disorder, repeats, revisions, late ones, broken lines: whatever comes. */
static void add_record(struct cm_text *out, struct cm_prng *prng, int n)
{
    static const char *const outcomes[] = {"answered", "abandoned", "no_answer", "overflow"};
    int64_t ts_ms = T0 + n * INT64_C(700) - (int64_t)cm_prng_below(prng, 30000);
    if (cm_prng_below(prng, 50) == 0) {
        cm_text_adds(out, "{\"type\":\"cdr\",\n");
        return;
    }
    cm_text_addf(out,
                 "{\"type\":\"cdr\",\"id\":\"c%d\",\"ts\":%lld,\"seat\":\"s%d\",\"queue\":\"q%d\","
                 "\"outcome\":\"%s\",\"wait_ms\":%d,\"talk_ms\":%d,\"rev\":%d}\n",
                 n - (int)cm_prng_below(prng, 3), (long long)ts_ms, (int)cm_prng_below(prng, 20),
                 (int)cm_prng_below(prng, 3), outcomes[cm_prng_below(prng, 4)],
                 (int)cm_prng_below(prng, 60000), (int)cm_prng_below(prng, 600000),
                 (int)cm_prng_below(prng, 2));
}

static void push_all(struct cm_engine *engine, const struct cm_text *records)
{
    const char *at = records->data, *end = records->data + records->len;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        (void)cm_engine_push(engine, at, (size_t)(line_end - at), NULL);
        at = line_end + 1;
    }
}

static void rows_equal_those_of_replay(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct cm_text records = {0}, wanted = {0}, got = {0};
        struct cm_prng prng;
        cm_prng_seed(&prng, seed);
        int count = seed == 0 ? 1 : (int)(seed * 100);
        for (int n = 0; n < count; n++) {
            add_record(&records, &prng, n);
        }
        /* A multiple of every step, past the last event: `replay` freezes no window before the end.
         */
        int64_t at_ms = (T0 + count * INT64_C(700)) / 60000 * 60000 + 60000;
        struct cm_engine *engine = make(YAML);
        push_all(engine, &records);
        if (seed % 2 == 0) {
            replayed(YAML, &records, CM_REPLAY_LAST, 0, &wanted);
            rows(engine, CM_ENGINE_LATEST, &got);
        } else {
            replayed(YAML, &records, CM_REPLAY_AT, at_ms, &wanted);
            rows(engine, at_ms, &got);
        }
        assert_true(count == 1 || wanted.len > 1000);
        assert_string_equal(got.len == 0 ? "" : cm_text_cstr(&got),
                            wanted.len == 0 ? "" : cm_text_cstr(&wanted));
        cm_engine_destroy(engine);
        cm_text_free(&records);
        cm_text_free(&wanted);
        cm_text_free(&got);
    }
}

static void each_push_says_what_became_of_it(void **state)
{
    (void)state;
    struct cm_engine *engine = make("windows: [1m/1s]\nperiods: []\n");
    const char *reason = NULL;
    assert_int_equal(cm_engine_watermark_ms(engine), INT64_MIN);
    assert_int_equal(push_leg(engine, "a", "s1", T0), CM_PUSH_COUNTED);
    assert_int_equal(cm_engine_watermark_ms(engine), T0 - 10000);
    assert_int_equal(push_leg(engine, "a", "s1", T0), CM_PUSH_DUPLICATE);
    assert_int_equal(push(engine, "{\"type\":\"cdr\",\"id\":\"a\",\"ts\":1793500000000,\"rev\":1,"
                                  "\"seat\":\"s1\",\"outcome\":\"rejected\"}"),
                     CM_PUSH_REVISED);
    assert_int_equal(cm_engine_push(engine, "{", 1, &reason), CM_PUSH_BAD);
    assert_string_equal(reason, "malformed");
    assert_int_equal(cm_engine_push(engine, "{}", 2, &reason), CM_PUSH_BAD);
    assert_string_equal(reason, "missing");
    const char *late = "{\"type\":\"cdr\",\"id\":\"b\",\"ts\":1,\"outcome\":\"rejected\"}";
    assert_int_equal(cm_engine_push(engine, late, strlen(late), &reason), CM_PUSH_BAD);
    assert_string_equal(reason, "late");
    const char *state_record = "{\"type\":\"seat_state\",\"id\":\"c\",\"ts\":1793500000001,"
                               "\"seat\":\"s1\",\"state\":\"talking\"}";
    assert_int_equal(cm_engine_push(engine, state_record, strlen(state_record), &reason),
                     CM_PUSH_COUNTED);
    assert_string_equal(reason, "none");
    struct cm_text text = {0};
    const char *json = rows(engine, CM_ENGINE_LATEST, &text);
    assert_non_null(
        strstr(json, "\"kind\":\"seat\",\"id\":\"s1\",\"window\":\"1m\",\"offered\":1,"));
    assert_non_null(strstr(json, "\"rejected\":1"));
    cm_text_free(&text);
    cm_engine_destroy(engine);
}

static void windows_only_move_forward(void **state)
{
    (void)state;
    struct cm_engine *engine = make("windows: [1m/1s, 1h/1m]\nperiods: []\nallowed_lateness: 0s\n");
    struct cm_text text = {0};
    assert_int_equal(cm_engine_rows(engine, CM_ENGINE_LATEST, keep, &text), 0);
    assert_int_equal(text.len, 0);
    assert_int_equal(push_leg(engine, "a", "s1", T0), CM_PUSH_COUNTED);

    assert_true(cm_engine_rows(engine, T0 - 1, keep, &text) < 0);
    assert_non_null(strstr(cm_engine_error(), "behind the watermark"));
    assert_true(cm_engine_rows(engine, -1, keep, &text) < 0);
    assert_true(cm_engine_rows(engine, INT64_MAX, keep, &text) < 0);
    assert_int_equal(text.len, 0);

    rows(engine, T0 + 120000, &text); /* the minute has passed, the hour holds it */
    assert_null(strstr(cm_text_cstr(&text), "\"window\":\"1m\""));
    assert_non_null(strstr(cm_text_cstr(&text), "\"window\":\"1h\""));
    assert_true(cm_engine_rows(engine, T0 + 60000, keep, &text) < 0);
    assert_non_null(strstr(cm_engine_error(), "stands at"));

    /* LATEST does not go back either, and an event that the windows have passed is still counted.
     */
    assert_int_equal(push_leg(engine, "b", "s2", T0 + 60000), CM_PUSH_COUNTED);
    const char *json = rows(engine, CM_ENGINE_LATEST, &text);
    assert_non_null(strstr(json, "\"id\":\"s2\",\"window\":\"1h\",\"offered\":1,"));
    assert_null(strstr(json, "\"asof\":1793500060"));

    /* Everything passes in the end. */
    rows(engine, T0 + 7200000, &text);
    assert_int_equal(text.len, 0);
    cm_text_free(&text);
    cm_engine_destroy(engine);
}

static void a_callback_may_end_the_walk(void **state)
{
    (void)state;
    struct cm_engine *engine = make("windows: [1m/1s]\nperiods: []\n");
    push_leg(engine, "a", "s1", T0);
    push_leg(engine, "b", "s2", T0);
    int calls = 0;
    assert_int_equal(cm_engine_rows(engine, CM_ENGINE_LATEST, stop, &calls), 17);
    assert_int_equal(calls, 1);
    cm_engine_destroy(engine);
}

static void a_roster_places_seats_from_then_on(void **state)
{
    (void)state;
    struct cm_engine *engine = make("windows: [1m/1s]\nperiods: []\n");
    struct cm_text text = {0};
    const char *roster = "seat,team,room,centre\ns1,t1,r1,main\n";
    push_leg(engine, "a", "s1", T0);
    assert_null(strstr(rows(engine, CM_ENGINE_LATEST, &text), "\"kind\":\"team\""));
    assert_int_equal(cm_engine_set_roster(engine, "r.csv", roster, strlen(roster)), 0);
    push_leg(engine, "b", "s1", T0);
    const char *json = rows(engine, CM_ENGINE_LATEST, &text);
    assert_non_null(
        strstr(json, "\"kind\":\"team\",\"id\":\"t1\",\"window\":\"1m\",\"offered\":1,"));

    assert_true(cm_engine_set_roster(engine, "r.csv", "seat,tean\n", 10) < 0);
    assert_non_null(strstr(cm_engine_error(), "r.csv:1:"));
    push_leg(engine, "c", "s1", T0);
    json = rows(engine, CM_ENGINE_LATEST, &text);
    assert_non_null(
        strstr(json, "\"kind\":\"team\",\"id\":\"t1\",\"window\":\"1m\",\"offered\":2,"));
    cm_text_free(&text);
    cm_engine_destroy(engine);
}

static void mistakes_are_told(void **state)
{
    (void)state;
    struct cm_engine *engine = NULL;
    assert_true(cm_engine_create("window: [5m/5s]\n", &engine) < 0);
    assert_non_null(strstr(cm_engine_error(), "configuration:1:1:"));
    assert_null(engine);
    assert_true(cm_engine_create("roster: /nowhere/roster.csv\n", &engine) < 0);
    assert_non_null(strstr(cm_engine_error(), "/nowhere/roster.csv"));
    assert_null(engine);
    cm_engine_destroy(NULL);
    assert_true(strlen(cm_engine_version()) >= 5);
    cm_engine_destroy(make(NULL));
    cm_engine_destroy(make(""));
}

/* Hours of events without a look: what no window reaches is given back on the way. */
static void memory_follows_the_windows(void **state)
{
    (void)state;
    struct cm_engine *engine = make("windows: [1m/1s]\nperiods: []\n");
    struct cm_text text = {0};
    for (int n = 0; n < 20000; n++) {
        char id[32];
        snprintf(id, sizeof(id), "c%d", n);
        assert_int_equal(push_leg(engine, id, "s1", T0 + n * INT64_C(1000)), CM_PUSH_COUNTED);
    }
    const char *json = rows(engine, CM_ENGINE_LATEST, &text);
    assert_non_null(strstr(json, "\"id\":\"s1\",\"window\":\"1m\",\"offered\":60,"));
    cm_text_free(&text);
    cm_engine_destroy(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_equal_those_of_replay),
        cmocka_unit_test(each_push_says_what_became_of_it),
        cmocka_unit_test(windows_only_move_forward),
        cmocka_unit_test(a_callback_may_end_the_walk),
        cmocka_unit_test(a_roster_places_seats_from_then_on),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(memory_follows_the_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
