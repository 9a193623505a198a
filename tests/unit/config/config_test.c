// SPDX-License-Identifier: Apache-2.0
/* config_test.c — sources and their order, every type, mistakes with exact places, printing. */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/fail.h"
#include "config/expression.h"

#define NAME       "callmill.yaml"
#define TEST(name) cmocka_unit_test_setup(name, clean_environment)

extern char **environ;

/* The example of the documentation: every composite type is in it. */
static const char full[] =
    "source:\n"
    "  kafka: {brokers: \"127.0.0.1:9092\", topic: call-events, group: callmill,\n"
    "          start: 2h, plane: io_uring, properties: {security.protocol: PLAINTEXT}}\n"
    "workers: 2\n"
    "redis: {address: \"127.0.0.1:6379\", prefix: \"cm:\"}\n"
    "timezone: Asia/Shanghai\n"
    "centre: main\n"
    "roster: roster.csv\n"
    "queues: {broadband: {owner: \"team:t7\"}, mobile: {}}\n"
    "windows: [60s/1s, 5m/5s, 15m/15s, 1h/1m]\n"
    "periods: [day, quarter]\n"
    "tick: 200ms\n"
    "publish: [boards]\n"
    "allowed_lateness: 10s\n"
    "compliance:\n"
    "  checks: {greeting: {weight: 3}, identity: {weight: 2, veto: true}, \"a: b #\": {}}\n"
    "  rules: {hold_limit: {when: \"hold_ms <= 120000\", weight: 4, veto: true}}\n"
    "rankings: [{kind: seat, window: 1h, metric: aht_ms}, {kind: team, window: day, metric: "
    "offered}]\n"
    "rules:\n"
    "  - {name: long-handle, kind: team, window: 15m, metric: aht_ms, warn: \"> 360000\",\n"
    "     critical: \"> 480000\", clear: \"< 330000.25\", for: 60s, keep: 2m, min_n: 10, cooldown: "
    "5m,\n"
    "     escalate: [{after: 5m, to: room}, {after: 15m, to: centre}]}\n"
    "  - {name: sl, kind: queue, ids: [broadband, \"42\"], window: quarter, metric: "
    "service_level,\n"
    "     critical: \"<0.8\"}\n";

static struct cm_config *parse_with(const char *yaml, const char *const *overrides, uint32_t count)
{
    struct cm_config *config = NULL;
    if (cm_config_parse(NAME, yaml, strlen(yaml), overrides, count, &config) != 0) {
        fail_msg("%s", cm_fail_text());
    }
    return config;
}

static struct cm_config *parse(const char *yaml)
{
    return parse_with(yaml, NULL, 0);
}

static struct cm_config * override(const char *text)
{
    return parse_with("", &text, 1);
}

/* All of the text of the mistakes is compared. */
static void expect_all(const char *yaml, const char *const *overrides, uint32_t count,
                       const char *mistakes)
{
    struct cm_config *config = NULL;
    int rc = cm_config_parse(NAME, yaml, strlen(yaml), overrides, count, &config);
    cm_config_free(config);
    assert_int_equal(rc, -CM_ERR_CONFIG);
    assert_null(config);
    assert_string_equal(cm_fail_text(), mistakes);
}

static void expect_mistake(const char *yaml, const char *mistake)
{
    expect_all(yaml, NULL, 0, mistake);
}

static void expect_override(const char *text, const char *mistake)
{
    expect_all("", &text, 1, mistake);
}

static char *print(const struct cm_config *config)
{
    struct cm_text text = {0};
    cm_config_print(config, &text);
    cm_text_addc(&text, '\0');
    return text.data;
}

/* Printed without the origins. */
static char *print_bare(const struct cm_config *config)
{
    char *text = print(config);
    char *to = text;
    for (char *line = text; *line != '\0';) {
        char *end = line + strcspn(line, "\n");
        char *next = *end == '\0' ? end : end + 1;
        char *comment = NULL;
        for (char *c = line; c + 4 <= end; c++) {
            comment = memcmp(c, "  # ", 4) == 0 ? c : comment;
        }
        size_t len = (size_t)((comment == NULL ? end : comment) - line);
        memmove(to, line, len);
        to += len;
        *to++ = '\n';
        line = next;
    }
    *to = '\0';
    return text;
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

/* Neither the caller's environment nor that of a test that failed counts. */
static int clean_environment(void **state)
{
    (void)state;
    for (char **at = environ; *at != NULL;) {
        char name[128];
        if (strncmp(*at, "CALLMILL_", 9) != 0) {
            at++;
            continue;
        }
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(*at, "="), *at);
        assert_int_equal(unsetenv(name), 0);
        at = environ;
    }
    return 0;
}

static void test_defaults(void **state)
{
    (void)state;
    struct cm_config *c = NULL;
    assert_int_equal(cm_config_load(NULL, NULL, 0, &c), 0);
    assert_null(c->path);
    assert_string_equal(c->brokers, "");
    assert_string_equal(c->topic, "call-events");
    assert_string_equal(c->redis_prefix, "cm:");
    assert_int_equal(c->plane, CM_PLANE_AUTO);
    assert_int_equal(c->tick_ms, 200);
    assert_int_equal(c->history_keep_ms, INT64_C(400) * 86400000);
    assert_int_equal(c->workers, 0);
    assert_int_equal(c->windows.count, 4);
    assert_int_equal(c->all_count, 8);
    static const char *const names[] = {"1m", "5m", "15m", "1h", "day", "week", "month", "quarter"};
    for (uint32_t i = 0; i < c->all_count; i++) {
        assert_string_equal(c->all[i].name, names[i]);
        assert_int_equal(c->all[i].is_period, i >= 4);
    }
    assert_int_equal(c->all[3].length_ms, 3600000);
    assert_int_equal(c->all[3].step_ms, 60000);
    assert_int_equal(c->all[7].period, CM_PERIOD_QUARTER);
    assert_int_equal(c->all[7].step_ms, 1000);
    assert_int_equal(c->all[7].length_ms, 0);
    assert_int_equal(c->formulas.abandon, CM_ABANDON_NET);
    assert_int_equal(c->formulas.service_level, CM_SL_NEGATIVE);
    assert_true(c->publish.units && c->publish.boards);
    assert_int_equal(c->rules.count + c->rankings.count + c->queues.count + c->properties.count, 0);
    assert_string_equal(cm_zone_name(c->zone), "Asia/Shanghai");
    assert_null(cm_config_roster_path(c));
    cm_config_free(c);
    cm_config_free(NULL);
}

static void check_full_rules(const struct cm_config *c)
{
    assert_int_equal(c->rules.count, 2);
    const struct cm_rule_spec *rule = &c->rules.at[0];
    assert_string_equal(rule->name, "long-handle");
    assert_int_equal(rule->kind, CM_KIND_TEAM);
    assert_int_equal(rule->ids_count, 0);
    assert_int_equal(rule->window, 2);
    assert_int_equal(rule->metric, CM_FIGURE_aht_ms);
    assert_int_equal(rule->warn.compare, CM_COMPARE_GT);
    assert_int_equal(rule->warn.micro, INT64_C(360000000000));
    assert_int_equal(rule->critical.micro, INT64_C(480000000000));
    assert_int_equal(rule->clear.compare, CM_COMPARE_LT);
    assert_int_equal(rule->clear.micro, INT64_C(330000250000));
    assert_int_equal(rule->for_ms, 60000);
    assert_int_equal(rule->keep_ms, 120000);
    assert_int_equal(rule->min_n, 10);
    assert_int_equal(rule->cooldown_ms, 300000);
    assert_int_equal(rule->escalate_count, 2);
    assert_int_equal(rule->escalate[1].after_ms, 900000);
    assert_int_equal(rule->escalate[1].to, CM_KIND_CENTRE);
    rule = &c->rules.at[1];
    assert_int_equal(rule->kind, CM_KIND_QUEUE);
    assert_int_equal(rule->ids_count, 2);
    assert_string_equal(rule->ids[1], "42");
    assert_int_equal(rule->window, 5);
    assert_int_equal(rule->warn.compare, CM_COMPARE_NONE);
    assert_int_equal(rule->critical.compare, CM_COMPARE_LT);
    assert_int_equal(rule->critical.micro, 800000);
    assert_int_equal(rule->min_n, 1);
    assert_int_equal(rule->for_ms + rule->keep_ms + rule->cooldown_ms, 0);
}

static void test_every_type(void **state)
{
    (void)state;
    struct cm_config *c = parse(full);
    assert_string_equal(c->brokers, "127.0.0.1:9092");
    assert_string_equal(c->start, "2h");
    assert_int_equal(c->plane, CM_PLANE_IO_URING);
    assert_int_equal(c->workers, 2);
    assert_int_equal(c->properties.count, 1);
    assert_string_equal(c->properties.at[0].name, "security.protocol");
    assert_string_equal(c->properties.at[0].value, "PLAINTEXT");
    assert_false(c->properties.at[0].secret);
    assert_int_equal(c->queues.count, 2);
    assert_string_equal(c->queues.at[0].id, "broadband");
    assert_int_equal(c->queues.at[0].owner_kind, CM_KIND_TEAM);
    assert_string_equal(c->queues.at[0].owner_id, "t7");
    assert_int_equal(c->queues.at[1].owner_kind, CM_KIND_CENTRE);
    assert_null(c->queues.at[1].owner_id);
    assert_int_equal(c->all_count, 6);
    assert_string_equal(c->all[0].name, "60s");
    assert_int_equal(c->all[0].length_ms, 60000);
    assert_string_equal(c->all[5].name, "quarter");
    assert_false(c->publish.units);
    assert_true(c->publish.boards);
    assert_int_equal(c->rankings.count, 2);
    assert_int_equal(c->rankings.at[0].window, 3);
    assert_int_equal(c->rankings.at[1].kind, CM_KIND_TEAM);
    assert_int_equal(c->rankings.at[1].window, 4);
    assert_int_equal(c->rankings.at[1].metric, CM_FIGURE_offered);
    assert_int_equal(c->check_rules.count, 1);
    struct cm_event event = {.rating = -1, .hold_ms = 120001};
    assert_int_equal(cm_expression_eval(c->check_rules.at[0].expression, &event), 0);
    check_full_rules(c);
    assert_string_equal(cm_config_roster_path(c), "roster.csv");
    cm_config_free(c);
}

static void test_check_lookup(void **state)
{
    (void)state;
    struct cm_config *c = parse(full);
    static const struct {
        const char *name;
        uint32_t weight;
        bool veto;
    } rows[] = {{"greeting", 3, false}, {"identity", 2, true}, {"hold_limit", 4, true},
                {"a: b #", 1, false},   {"greetin", 1, false}, {"greetings", 1, false},
                {"", 1, false}};
    for (size_t i = 0; i < CM_ARRAY_LEN(rows); i++) {
        bool veto = !rows[i].veto;
        struct cm_str name = {rows[i].name, (uint32_t)strlen(rows[i].name)};
        assert_int_equal(cm_config_check(c, name, &veto), rows[i].weight);
        assert_int_equal(veto, rows[i].veto);
    }
    cm_config_free(c);
}

static void test_many_mistakes(void **state)
{
    (void)state;
    static const char yaml[] = "workers: 300\n"
                               "window: [5m/5s]\n"
                               "tick: 200\n"
                               "redis:\n"
                               "  adress: a:1\n"
                               "  database: many\n"
                               "  prefix: [a]\n"
                               "service_level: {target: 20s, formula: negativ}\n"
                               "tick: 1s\n"
                               "windows: [5m/7s, 5m, 1x/1s]\n"
                               "brokers: a:1\n"
                               "publish: [units, bords, units]\n";
    static const char *const overrides[] = {
        "tick=5", "tik=5s", "windows=[5m/5s, 3m/7s]", "nonsense", "redis={adress: x}", "rules={"};
    setenv("CALLMILL_TICK", "fast", 1);
    setenv("CALLMILL_REDIS_ADRESS", "x:1", 1);
    struct cm_config *config = NULL;
    assert_int_equal(
        cm_config_parse(NAME, yaml, strlen(yaml), overrides, CM_ARRAY_LEN(overrides), &config),
        -CM_ERR_CONFIG);
    unsetenv("CALLMILL_TICK");
    unsetenv("CALLMILL_REDIS_ADRESS");
    assert_string_equal(
        cm_fail_text(), NAME
        ":1:10: `workers`: 300 is out of range, 0 to 256\n" NAME
        ":2:1: unknown key `window`, did you mean `windows`?\n" NAME
        ":3:7: `tick`: `200` lacks its unit, one of ms, s, m, h, d\n" NAME
        ":5:3: unknown key `adress`, did you mean `address`?\n" NAME
        ":6:13: `redis.database` must be an integer, not `many`\n" NAME
        ":7:11: `redis.prefix` must be a text, not a list\n" NAME
        ":8:39: `service_level.formula`: unknown word `negativ`, did you mean `negative`?\n" NAME
        ":9:1: repeated key `tick`, first at 3:1\n" NAME
        ":10:11: window `5m/7s`: the step does not divide the length\n" NAME
        ":10:18: window `5m`: must be length/step, such as 5m/5s\n" NAME
        ":10:22: window `1x/1s`: length and step must be durations with a unit, such as "
        "5m/5s\n" NAME ":11:1: unknown key `brokers`, did you mean `source.kafka.brokers`?\n" NAME
        ":12:18: `publish`: unknown word `bords`, did you mean `boards`?\n" NAME
        ":12:25: layout `units` is listed twice\n"
        "CALLMILL_REDIS_ADRESS: unknown variable, did you mean `CALLMILL_REDIS_ADDRESS`?\n"
        "CALLMILL_TICK: `tick`: `fast` is not a duration such as 250ms, 20s, 5m, 1h or 30d\n"
        "-o tick: `tick`: `5` lacks its unit, one of ms, s, m, h, d\n"
        "-o tik: unknown key, did you mean `tick`?\n"
        "-o windows:17: window `3m/7s`: the step does not divide the length\n"
        "-o nonsense: must be key=value, such as tick=200ms\n"
        "-o redis:8: unknown key `adress`, did you mean `address`?\n"
        "-o rules:8: while parsing a flow node: did not find expected node content");
}

static void test_yaml_mistakes(void **state)
{
    (void)state;
    expect_mistake("tick: &a 1s\nworkers: *a\n",
                   NAME ":1:7: anchors and aliases are not supported\n" NAME
                        ":2:10: anchors and aliases are not supported");
    expect_mistake("tick: !!str 1s\n", NAME ":1:7: tags are not supported");
    expect_mistake("redis: !x {address: 1}\n", NAME ":1:8: tags are not supported");
    expect_mistake("&a redis: {}\n", NAME ":1:1: anchors and aliases are not supported");
    expect_mistake("*a\n", NAME ":1:1: anchors and aliases are not supported");
    expect_mistake("tick: 1s\n---\ntick: 2s\n",
                   NAME ":2:1: a second document; a configuration is one document");
    expect_mistake("%YAML 1.1\n---\ntick: 1s\n", NAME ":1:1: directives are not supported");
    expect_mistake("? [a]\n: b\n", NAME ":1:3: a key must be a name, not a list or a map");
    expect_mistake("- a\n", NAME ":1:1: `configuration` must be a map, not a list");
    expect_mistake("hello\n", NAME ":1:1: `configuration` must be a map, not a single value");
    expect_mistake("centre: \"a\\0b\"\n", NAME ":1:9: holds a control character, or is not UTF-8");
    expect_mistake("centre: \"a\\x9Fb\"\n",
                   NAME ":1:9: holds a control character, or is not UTF-8");
    expect_mistake("centre: \xff\n", NAME ": invalid leading UTF-8 octet, at byte 9");
    expect_mistake("tick: [1\n", NAME ":2:1: while parsing a flow sequence: did not find expected "
                                      "',' or ']'");
    expect_mistake("rules:\n  - warn: > 36\n",
                   NAME ":2:13: while scanning a block scalar: did not find expected comment or "
                        "line break (a condition needs quotes: \"> 360000\")");
    expect_mistake("redis.address: a:1\n",
                   NAME ":1:1: unknown key `redis.address`; in a file each part has its own line, "
                        "nested");
    char deep[128];
    memset(deep, '[', 100);
    deep[100] = '\0';
    expect_mistake(deep, NAME ":1:33: nested too deep, at most 32 levels");
}

static void test_wrong_types(void **state)
{
    (void)state;
    expect_mistake("tick: {}\n", NAME ":1:7: `tick` must be a duration such as 20s, not a map");
    expect_mistake("roster:\n",
                   NAME ":1:8: `roster` must be a text, not nothing; write \"\" for an empty one");
    expect_mistake("roster: ~\n",
                   NAME ":1:9: `roster` must be a text, not nothing; write \"\" for an empty one");
    expect_mistake("workers: \"4\"\n",
                   NAME ":1:10: `workers` must be an integer, not the text `4`");
    expect_mistake("workers: 1.5\n", NAME ":1:10: `workers` must be an integer, not `1.5`");
    expect_mistake("workers: -1\n", NAME ":1:10: `workers`: -1 is out of range, 0 to 256");
    expect_mistake("workers: 99999999999999999999\n",
                   NAME ":1:10: `workers` must be an integer, not `99999999999999999999`");
    expect_mistake("redis: 5\n", NAME ":1:8: `redis` must be a map, not a single value");
    expect_mistake("windows: 5m/5s\n", NAME ":1:10: `windows` must be a list, not a single value");
    expect_mistake("queues: [a]\n", NAME ":1:9: `queues` must be a map, not a list");
    expect_mistake("tick: 2m\n", NAME ":1:7: `tick`: 2m is out of range, 1ms to 1m");
    expect_mistake("tick: 0ms\n", NAME ":1:7: `tick`: 0ms is out of range, 1ms to 1m");
    expect_mistake("tick: 0\n", NAME ":1:7: `tick`: `0` lacks its unit, one of ms, s, m, h, d");
    expect_mistake("source: {kafka: {plane: kernel}}\n",
                   NAME ":1:25: `source.kafka.plane`: unknown word `kernel`, must be one of auto, "
                        "io_uring, epoll, librdkafka");
    struct cm_config *c = parse("redis:\ntick: \"1s\"\nroster: \"\"\ncentre: 7\n"); /* all fine */
    assert_int_equal(c->tick_ms, 1000);
    assert_string_equal(c->centre, "7");
    cm_config_free(c);
    cm_config_free(parse("# nothing\n"));
}

static void test_windows(void **state)
{
    (void)state;
    expect_mistake("windows: [5m/5s, 5m/1s]\n", NAME ":1:18: window `5m` is listed twice");
    expect_mistake("windows: [32d/1d]\n",
                   NAME ":1:11: window `32d/1d`: the length is out of range, 10ms to 31d");
    expect_mistake("windows: [0s/1s]\n",
                   NAME ":1:11: window `0s/1s`: the length is out of range, 10ms to 31d");
    expect_mistake("windows: [1s/5ms]\n",
                   NAME ":1:11: window `1s/5ms`: the step must be at least 10ms");
    expect_mistake("windows: [1s/1m]\n",
                   NAME ":1:11: window `1s/1m`: the step does not divide the length");
    expect_mistake("windows: [31d/1s]\n",
                   NAME ":1:11: window `31d/1s`: more than 100000 steps in the length");
    expect_mistake("windows: [1s/1s,2s/1s,3s/1s,4s/1s,5s/1s,6s/1s,7s/1s,8s/1s,9s/1s,10s/1s,11s/1s,"
                   "12s/1s,13s/1s]\n",
                   NAME ":1:10: `windows` lists 13 windows, at most 12");
    expect_mistake("windows: [000000000000000000000005m/1m]\n",
                   NAME ":1:11: window `000000000000000000000005m/1m`: the length is written too "
                        "long, at most 23 bytes");
    expect_mistake("windows: []\nperiods: []\n",
                   NAME ":2:10: `periods` leaves nothing to count: there is neither a window nor a "
                        "period");
    expect_mistake("periods: [day, days, day]\n",
                   NAME ":1:16: `periods`: unknown word `days`, did you mean `day`?\n" NAME
                        ":1:22: period `day` is listed twice");
    struct cm_config *c = parse("windows: []\nperiods: [week]\n");
    assert_int_equal(c->all_count, 1);
    cm_config_free(c);
    c = parse(
        "periods: []\nwindows: [1s/10ms,2s/1s,3s/1s,4s/1s,5s/1s,6s/1s,7s/1s,8s/1s,9s/1s,10s/1s,"
        "100000s/1s, 31d/1m]\n");
    assert_int_equal(c->all_count, 12);
    cm_config_free(c);
}

static void test_compliance(void **state)
{
    (void)state;
    expect_mistake("compliance:\n"
                   "  checks: {greeting: {wieght: 2}, b: {weight: 1001, veto: yes}, c: 5}\n"
                   "  rules:\n"
                   "    greeting: {when: \"true\"}\n"
                   "    r2: {weight: 1}\n"
                   "    r3: {when: \"hold_ms <= 1 and hodl_ms\"}\n",
                   NAME ":2:23: unknown key `wieght`, did you mean `weight`?\n" NAME
                        ":2:47: `weight`: 1001 is out of range, 0 to 1000\n" NAME
                        ":2:59: `veto` must be true or false, not `yes`\n" NAME
                        ":2:68: `c` must be a map, not a single value\n" NAME
                        ":4:5: `greeting` is in compliance.checks too; a check is one or the "
                        "other\n" NAME ":5:9: `r2` lacks `when`\n" NAME
                        ":6:16: `when`, at its column 18: unknown name `hodl_ms`, did you mean "
                        "`hold_ms`?");
    expect_mistake("compliance: {checks: {a: {when: \"true\"}}}\n",
                   NAME ":1:27: unknown key `when`");
}

static void test_queues(void **state)
{
    (void)state;
    static const char *const owners[] = {"seat:a",
                                         "queue:b",
                                         "team",
                                         "team:",
                                         "tem:x",
                                         ":x",
                                         "team:123456789012345678901234567890123"};
    for (size_t i = 0; i < CM_ARRAY_LEN(owners); i++) {
        char yaml[128];
        char mistake[256];
        snprintf(yaml, sizeof(yaml), "queues: {a: {owner: \"%s\"}}\n", owners[i]);
        snprintf(mistake, sizeof(mistake),
                 NAME ":1:21: `owner`: `%s` must be team:ID, room:ID or centre:ID, the id of 1 to "
                      "32 bytes",
                 owners[i]);
        expect_mistake(yaml, mistake);
    }
    expect_mistake("queues: {a: {ower: \"team:x\"}, 123456789012345678901234567890123: {}}\n",
                   NAME ":1:14: unknown key `ower`, did you mean `owner`?\n" NAME
                        ":1:31: the name of a queue must have 1 to 32 bytes, this has 33");
}

static void test_rules(void **state)
{
    (void)state;
    expect_mistake("rules:\n"
                   "- {name: a b, kind: tem, window: 7m, metric: aht, warn: \"over 5\", form: 1s}\n"
                   "- {name: ok, kind: team, window: 5m, metric: aht_ms}\n"
                   "- {name: ok, kind: room, window: 5m, metric: aht_ms, warn: \"> 1\",\n"
                   "   escalate: [{after: 5m, to: team}, {after: 5m, to: centre}, {to: room}]}\n"
                   "- {ids: [], min_n: -1, for: 40d}\n"
                   "- hello\n",
                   NAME
                   ":2:10: `name`: `a b` may hold letters, digits, `_`, `.` and `-` only\n" NAME
                   ":2:21: `kind`: unknown word `tem`, did you mean `team`?\n" NAME
                   ":2:34: `window`: `7m` is neither a configured window nor a period, did "
                   "you mean `1m`?\n" NAME
                   ":2:46: `metric`: unknown figure `aht`, did you mean `aht_ms`?\n" NAME
                   ":2:57: `warn`: `over 5` must be <, <=, >, >=, == or != and a number of at "
                   "most 6 decimals, such as \"> 360000\"\n" NAME
                   ":2:67: unknown key `form`, did you mean `for`?\n" NAME
                   ":3:3: a rule needs `warn`, `critical` or both\n" NAME
                   ":4:10: `name`: a rule `ok` stands above already\n" NAME
                   ":5:31: `to`: a team is not a level above a room\n" NAME
                   ":5:63: `escalate` lacks `after`\n" NAME
                   ":5:68: `to`: a room is not a level above a room\n" NAME
                   ":6:3: `rule` lacks `name`\n" NAME ":6:3: `rule` lacks `kind`\n" NAME
                   ":6:3: `rule` lacks `window`\n" NAME ":6:3: `rule` lacks `metric`\n" NAME
                   ":6:3: a rule needs `warn`, `critical` or both\n" NAME
                   ":6:9: `ids` is empty; leave it out to mean all units\n" NAME
                   ":6:20: `min_n`: -1 is out of range, 0 to 1000000000\n" NAME
                   ":6:29: `for`: 40d is out of range, 0s to 31d\n" NAME
                   ":7:3: `rules` must be a map, not a single value");
    expect_mistake("rankings: [{kind: seat, window: 9h, metric: aht_ms}, {kind: seat}, \n"
                   "  {kind: seat, window: 1h, metric: aht_ms}, {metric: aht_ms, kind: seat, "
                   "window: 1h}]\n",
                   NAME ":1:33: `window`: `9h` is neither a configured window nor a period, did "
                        "you mean `1h`?\n" NAME ":1:54: `ranking` lacks `window`\n" NAME
                        ":1:54: `ranking` lacks `metric`\n" NAME
                        ":2:45: this ranking stands above already");
}

static void test_escalate(void **state)
{
    (void)state;
    expect_mistake("rules: [{name: a, kind: seat, window: 5m, metric: offered, warn: \"> 1\",\n"
                   "  escalate: [{after: 5m, to: team}, {after: 5m, to: room}]}]\n",
                   NAME ":2:37: `escalate`: each step must come after the one before it");
    static const struct {
        const char *kind, *to;
        bool allowed;
    } rows[] = {{"seat", "team", true},    {"seat", "room", true},    {"seat", "centre", true},
                {"seat", "seat", false},   {"seat", "queue", false},  {"team", "room", true},
                {"team", "centre", true},  {"team", "team", false},   {"team", "seat", false},
                {"room", "centre", true},  {"room", "room", false},   {"room", "team", false},
                {"queue", "team", true},   {"queue", "room", true},   {"queue", "centre", true},
                {"queue", "queue", false}, {"centre", "room", false}, {"centre", "centre", false}};
    for (size_t i = 0; i < CM_ARRAY_LEN(rows); i++) {
        char yaml[256];
        snprintf(
            yaml, sizeof(yaml),
            "rules: [{name: a, kind: %s, window: 5m, metric: offered, warn: \"> 1\", escalate: "
            "[{after: 1m, to: %s}]}]\n",
            rows[i].kind, rows[i].to);
        struct cm_config *config = NULL;
        int rc = cm_config_parse(NAME, yaml, strlen(yaml), NULL, 0, &config);
        cm_config_free(config);
        assert_int_equal(rc, rows[i].allowed ? 0 : -CM_ERR_CONFIG);
    }
}

static void test_conditions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum cm_compare compare; /* NONE: refused */
        int64_t micro;
    } rows[] = {{"> 360000", CM_COMPARE_GT, INT64_C(360000000000)},
                {"<= 0.8", CM_COMPARE_LE, 800000},
                {" >=   0.000001", CM_COMPARE_GE, 1},
                {"==1", CM_COMPARE_EQ, 1000000},
                {"!= -2.50", CM_COMPARE_NE, -2500000},
                {"<9223372036854.775807", CM_COMPARE_LT, INT64_MAX},
                {"<9223372036854.775808", CM_COMPARE_NONE, 0},
                {"<9223372036855", CM_COMPARE_NONE, 0},
                {"< 0.0000001", CM_COMPARE_NONE, 0},
                {"< .5", CM_COMPARE_NONE, 0},
                {"< 5.", CM_COMPARE_NONE, 0},
                {"< 1.2.3", CM_COMPARE_NONE, 0},
                {"< 1e3", CM_COMPARE_NONE, 0},
                {"< ", CM_COMPARE_NONE, 0},
                {"< -", CM_COMPARE_NONE, 0},
                {"=> 5", CM_COMPARE_NONE, 0},
                {"= 5", CM_COMPARE_NONE, 0},
                {"< 5 ", CM_COMPARE_NONE, 0},
                {"5", CM_COMPARE_NONE, 0},
                {"", CM_COMPARE_NONE, 0}};
    for (size_t i = 0; i < CM_ARRAY_LEN(rows); i++) {
        char yaml[256];
        snprintf(yaml, sizeof(yaml),
                 "rules: [{name: a, kind: seat, window: 5m, metric: offered, warn: \"%s\"}]\n",
                 rows[i].text);
        struct cm_config *config = NULL;
        int rc = cm_config_parse(NAME, yaml, strlen(yaml), NULL, 0, &config);
        assert_int_equal(rc, rows[i].compare == CM_COMPARE_NONE ? -CM_ERR_CONFIG : 0);
        if (rc == 0) {
            assert_int_equal(config->rules.at[0].warn.compare, rows[i].compare);
            assert_int_equal(config->rules.at[0].warn.micro, rows[i].micro);
        }
        cm_config_free(config);
    }
}

static void test_overrides(void **state)
{
    (void)state;
    struct cm_config *c = override("windows=[5m/5s]");
    assert_int_equal(c->windows.count, 1);
    cm_config_free(c);
    c = override("queues={a: {owner: \"team:t1\"}}");
    assert_string_equal(c->queues.at[0].owner_id, "t1");
    cm_config_free(c);
    c = override("source.kafka.properties={client.id: x, linger.ms: 5}");
    assert_string_equal(c->properties.at[1].value, "5");
    cm_config_free(c);
    c = override("service_level={target: 30s, formula: ignore}");
    assert_int_equal(c->service_target_ms, 30000);
    assert_int_equal(c->formulas.service_level, CM_SL_IGNORE);
    cm_config_free(c);
    c = override("source={kafka: {topic: t2}}");
    assert_string_equal(c->topic, "t2");
    cm_config_free(c);
    c = override("redis.prefix=x y: #z:");
    assert_string_equal(c->redis_prefix, "x y: #z:");
    cm_config_free(c);
    c = override("redis.prefix=\"q\\u0041:\"");
    assert_string_equal(c->redis_prefix, "qA:");
    cm_config_free(c);
    c = override("dead_letters.file=");
    assert_string_equal(c->dead_letters_file, "");
    cm_config_free(c);
    static const char *const twice[] = {"tick=1s", "tick=2s"};
    c = parse_with("tick: 3s\n", twice, 2);
    assert_int_equal(c->tick_ms, 2000);
    cm_config_free(c);
    expect_override("queues.a={}", "-o queues.a: unknown key; `queues` is given as a whole: -o "
                                   "'queues=...'");
}

static void test_override_mistakes(void **state)
{
    (void)state;
    expect_override("queues={a: {owner: x}}",
                    "-o queues:20: `owner`: `x` must be team:ID, room:ID or centre:ID, the id of 1 "
                    "to 32 bytes");
    expect_override("windows=5m/5s", "-o windows: `windows` must be a list, not a single value");
    expect_override("windows=[5m/5s", "-o windows:15: while parsing a flow sequence: did not find "
                                      "expected ',' or ']'");
    expect_override("brokers=a:1", "-o brokers: unknown key, did you mean `source.kafka.brokers`?");
    expect_override("=5", "-o : must be key=value, such as tick=200ms");
    expect_override("centre=a\x01", "-o centre: holds a control character, or is not UTF-8");
    expect_override("centre=\xc3", "-o centre: holds a control character, or is not UTF-8");
    expect_override("service_level=5",
                    "-o service_level: `service_level` must be a map, not a single value");
    /* A mistake in the file shows even where an override hides the value. */
    static const char *const tick[] = {"tick=1s"};
    expect_all("tick: 5\n", tick, 1,
               NAME ":1:7: `tick`: `5` lacks its unit, one of ms, s, m, h, d");
    /* Windows are looked up in those in force, and only for what is in force. */
    static const char *const narrow[] = {"windows=[7m/7s]", "rules=[]"};
    static const char rule[] = "rules: [{name: a, kind: seat, window: 15m, metric: offered, warn: "
                               "\"> 1\"}]\n";
    expect_all(rule, narrow, 1,
               NAME ":1:39: `window`: `15m` is neither a configured window nor a period");
    cm_config_free(parse_with(rule, narrow, 2));
    static const char *const broken[] = {"windows=[15m/7s]"};
    expect_all(rule, broken, 1,
               "-o windows:10: window `15m/7s`: the step does not divide the length");
}

static void test_environment(void **state)
{
    (void)state;
    setenv("CALLMILL_SOURCE_KAFKA_BROKERS", "k1:9092,k2:9092", 1);
    setenv("CALLMILL_REDIS_ADDRESS", "unix:/run/redis.sock", 1);
    setenv("CALLMILL_SERVICE_LEVEL_TARGET", "30s", 1);
    setenv("CALLMILL_WINDOWS", "[5m/5s]", 1);
    setenv("CALLMILL_ROSTER", "", 1);
    static const char *const overrides[] = {"service_level.target=40s"};
    struct cm_config *c =
        parse_with("roster: x.csv\nredis: {address: \"h:1\"}\ntick: 1s\n", overrides, 1);
    assert_string_equal(c->brokers, "k1:9092,k2:9092");
    assert_string_equal(c->redis_address, "unix:/run/redis.sock");
    assert_int_equal(c->service_target_ms, 40000);
    assert_int_equal(c->windows.count, 1);
    assert_string_equal(c->roster, "");
    char *text = print(c);
    assert_true(has(text, "    brokers: \"k1:9092,k2:9092\"  # CALLMILL_SOURCE_KAFKA_BROKERS\n"));
    assert_true(has(text, "  target: 40s  # -o\n"));
    assert_true(has(text, "\ntick: 1s  # " NAME ":3\n"));
    assert_true(has(text, "    topic: call-events  # default\n"));
    free(text);
    cm_config_free(c);
    setenv("CALLMILL_WINDOWS", "[5m/5s, 7m/2m]", 1);
    setenv("CALLMILL_", "x", 1);
    expect_mistake("", "CALLMILL_: unknown variable\n"
                       "CALLMILL_WINDOWS:9: window `7m/2m`: the step does not divide the length");
    unsetenv("CALLMILL_");
    unsetenv("CALLMILL_SOURCE_KAFKA_BROKERS");
    unsetenv("CALLMILL_REDIS_ADDRESS");
    unsetenv("CALLMILL_SERVICE_LEVEL_TARGET");
    unsetenv("CALLMILL_WINDOWS");
    unsetenv("CALLMILL_ROSTER");
}

static void test_text_grammars(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } rows[] = {{"source.kafka.brokers=a", true},
                {"source.kafka.brokers=a:1, b:2", true},
                {"source.kafka.brokers=[::1]:9092", false}, /* flow text: a list */
                {"source.kafka.brokers=\"[::1]:9092,[fe80::1]\"", true},
                {"source.kafka.brokers=SSL://a:1,b", true},
                {"source.kafka.brokers=a:b", false},
                {"source.kafka.brokers=a:1,", false},
                {"source.kafka.brokers=a:99999", false},
                {"source.kafka.brokers=:1", false},
                {"source.kafka.brokers=a b:1", false},
                {"source.kafka.group=", false},
                {"source.kafka.topic=", false},
                {"source.kafka.topic=a b", false},
                {"source.kafka.topic=..", false},
                {"source.kafka.topic=a.b_c-1", true},
                {"source.kafka.start=latest", true},
                {"source.kafka.start=2026-11-01T08:00:00+08:00", true},
                {"source.kafka.start=3d", true},
                {"source.kafka.start=yesterday", false},
                {"redis.address=localhost", false},
                {"redis.address=localhost:6379", true},
                {"redis.address=\"[::1]:6379\"", true},
                {"redis.address=::1:6379", false},
                {"redis.address=u:p@h:6379", false},
                {"redis.address=unix:", false},
                {"redis.address=unix:/x", true},
                {"metrics.listen=127.0.0.1:0", true},
                {"metrics.listen=:9", false},
                {"metrics.listen=", true},
                {"centre=", false},
                {"centre=12345678901234567890123456789012", true},
                {"centre=123456789012345678901234567890123", false},
                {"dead_letters.topic=call-events", false},
                {"breaches.topic=call-events", false},
                {"breaches.topic=b", true},
                {"timezone=Europe/Berlin", true},
                {"timezone=Mars/Olympus", false},
                {"timezone=../etc/passwd", false}};
    for (size_t i = 0; i < CM_ARRAY_LEN(rows); i++) {
        struct cm_config *config = NULL;
        int rc = cm_config_parse(NAME, "", 0, &rows[i].text, 1, &config);
        cm_config_free(config);
        if (rc != (rows[i].good ? 0 : -CM_ERR_CONFIG)) {
            fail_msg("`%s` gave %d: %s", rows[i].text, rc, cm_fail_text());
        }
    }
}

/* Even where another source cannot be read. */
static void test_timezone(void **state)
{
    (void)state;
    static const char yaml[] = "timezone: Mars/Olympus\n";
    static const char *const overrides[] = {"rules={"};
    struct cm_config *c = NULL;
    assert_int_equal(cm_config_parse(NAME, yaml, strlen(yaml), overrides, 1, &c), -CM_ERR_CONFIG);
    assert_true(has(cm_fail_text(), NAME ":1:11: `timezone`: "));
    assert_true(has(cm_fail_text(), "Mars/Olympus"));
    assert_true(has(cm_fail_text(), "\n-o rules:8: "));
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_file(void **state)
{
    (void)state;
    char folder[] = "/tmp/cm_config_XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64];
    char secret[64];
    char wanted[128];
    snprintf(path, sizeof(path), "%s/c.yaml", folder);
    snprintf(secret, sizeof(secret), "%s/kafka", folder);
    struct cm_config *c = NULL;
    assert_int_equal(cm_config_load(path, NULL, 0, &c), -CM_ERR_CONFIG);
    snprintf(wanted, sizeof(wanted), "%s: cannot open: No such file or directory", path);
    assert_string_equal(cm_fail_text(), wanted);

    write_file(path,
               "roster: r.csv\nsource: {kafka: {properties: {sasl.password: \"file:kafka\"}}}\n");
    write_file(secret, "hunter2\r\nsecond\n");
    assert_int_equal(cm_config_load(path, NULL, 0, &c), 0);
    snprintf(wanted, sizeof(wanted), "%s/r.csv", folder);
    assert_string_equal(cm_config_roster_path(c), wanted);
    assert_string_equal(c->path, path);
    assert_string_equal(c->properties.at[0].value, "hunter2");
    assert_true(c->properties.at[0].secret);
    char *text = print(c);
    assert_false(has(text, "hunter2"));
    assert_true(has(text, "      sasl.password: \"***\"  # "));
    free(text);
    cm_config_free(c);

    static const char *const absolute[] = {"roster=/r.csv"};
    assert_int_equal(cm_config_load(path, absolute, 1, &c), 0);
    assert_string_equal(cm_config_roster_path(c), "/r.csv");
    cm_config_free(c);

    write_file(secret, "\nhunter2\n");
    assert_int_equal(cm_config_load(path, NULL, 0, &c), -CM_ERR_CONFIG);
    snprintf(wanted, sizeof(wanted), "%s:2:46: `sasl.password`: kafka begins with an empty line",
             path);
    assert_string_equal(cm_fail_text(), wanted);
    assert_int_equal(unlink(secret), 0);
    assert_int_equal(cm_config_load(path, NULL, 0, &c), -CM_ERR_CONFIG);
    assert_true(has(cm_fail_text(), "cannot open kafka: No such file or directory"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void test_secrets(void **state)
{
    (void)state;
    static const char *const names[] = {"sasl.password",         "ssl.key.password",
                                        "ssl.keystore.password", "sasl.oauthbearer.client.secret",
                                        "SASL.PASSWORD",         "ssl.key.pem"};
    for (size_t i = 0; i < CM_ARRAY_LEN(names); i++) {
        char text[128];
        char mistake[256];
        snprintf(text, sizeof(text), "source.kafka.properties={%s: hunter2}", names[i]);
        snprintf(mistake, sizeof(mistake),
                 "-o source.kafka.properties:%zu: `%s` is a secret: write file:PATH or env:NAME, "
                 "never the value itself",
                 strlen("source.kafka.properties={: ") + strlen(names[i]) + 1, names[i]);
        expect_override(text, mistake);
    }
    static const char *const leaks[] = {"sasl.password: hunter2",
                                        "source.kafka.properties.sasl.password=hunter2",
                                        "source.kafka.properties={sasl.password: [hunter2]}",
                                        "source.kafka.properties={sasl.password: {a: hunter2}",
                                        "source.kafka.properties={sasl.password: \"hunter2}",
                                        "redis.address=u:hunter2@h:1",
                                        "source.kafka.brokers=u:hunter2@h:1"};
    for (size_t i = 0; i < CM_ARRAY_LEN(leaks); i++) {
        struct cm_config *config = NULL;
        int rc = cm_config_parse(NAME, "", 0, &leaks[i], 1, &config);
        assert_int_equal(rc, -CM_ERR_CONFIG);
        assert_false(has(cm_fail_text(), "hunter2"));
    }
    setenv("KAFKA_PASSWORD_TEST", "hunter2", 1);
    struct cm_config *c =
        override("source.kafka.properties={sasl.password: \"env:KAFKA_PASSWORD_TEST\"}");
    assert_string_equal(c->properties.at[0].value, "hunter2");
    char *text = print(c);
    assert_false(has(text, "hunter2"));
    assert_true(has(text, "***"));
    free(text);
    cm_config_free(c);
    unsetenv("KAFKA_PASSWORD_TEST");
    expect_override("source.kafka.properties={sasl.password: \"env:KAFKA_PASSWORD_TEST\"}",
                    "-o source.kafka.properties:41: `sasl.password`: the variable "
                    "KAFKA_PASSWORD_TEST is not set");
}

static void round_trip(const char *yaml)
{
    struct cm_config *first = parse(yaml);
    char *text = print(first);
    struct cm_config *second = parse(text);
    char *bare = print_bare(first);
    char *again = print_bare(second);
    assert_string_equal(bare, again);
    assert_int_equal(first->hash, second->hash);
    free(text);
    free(bare);
    free(again);
    cm_config_free(first);
    cm_config_free(second);
}

static void test_round_trip(void **state)
{
    (void)state;
    round_trip("");
    round_trip(full);
    round_trip("windows: []\npublish: []\n");
    round_trip("periods: []\npublish: [boards, units]\n");
    round_trip(
        "centre: \"null\"\nroster: \"a\\\"b\\\\c: #x\"\nredis: {prefix: \"-\", username: \"1e5\","
        " password_file: \"~\"}\ndead_letters: {file: \"multi\\nline\\ttab\"}\n");
    round_trip("centre: \u4e2d\u5fc3\nqueues: {\u5bbd\u5e26: {owner: \"room:a:b\"}, \"\\\"\": {}, "
               "\"null\": {}, \"? x\": {}, \"- y\": {}}\n");
    struct cm_config *c = parse("tick: 60000ms\ndedupe: 90m\nallowed_lateness: 0s\n");
    char *text = print(c);
    assert_true(has(text, "\ntick: 1m  #"));
    assert_true(has(text, "\ndedupe: 90m  #"));
    assert_true(has(text, "\nallowed_lateness: 0s  #"));
    free(text);
    cm_config_free(c);
}

/* Printed values are what was meant, not only stable. */
static void test_print(void **state)
{
    (void)state;
    struct cm_config *c = parse(full);
    char *text = print_bare(c);
    assert_true(has(text, "\nwindows: [60s/1s, 5m/5s, 15m/15s, 1h/1m]\n"));
    assert_true(has(text, "\nqueues:\n  broadband: {owner: \"team:t7\"}\n  mobile: {}\n"));
    assert_true(has(text, "\n  - {name: long-handle, kind: team, window: 15m, metric: aht_ms, "
                          "warn: \"> 360000\", critical: \"> 480000\", clear: \"< 330000.25\", "
                          "for: 1m, keep: 2m, min_n: 10, cooldown: 5m, "
                          "escalate: [{after: 5m, to: room}, {after: 15m, to: centre}]}\n"));
    assert_true(has(text,
                    "\n  - {name: sl, kind: queue, ids: [broadband, \"42\"], window: quarter, "
                    "metric: service_level, critical: \"< 0.8\", for: 0s, keep: 0s, min_n: 1, "
                    "cooldown: 0s}\n"));
    assert_true(has(text, "    \"a: b #\": {weight: 1, veto: false}\n"));
    assert_true(
        has(text, "    hold_limit: {when: \"hold_ms <= 120000\", weight: 4, veto: true}\n"));
    assert_true(has(text, "    plane: io_uring\n"));
    free(text);
    cm_config_free(c);
}

static void test_hash(void **state)
{
    (void)state;
    struct cm_config *base = parse("");
    static const char *const same[] = {"tick=1s", "redis.prefix=x:", "workers=3",
                                       "service_level.target=20000ms",
                                       "rankings=[{kind: seat, window: 1h, metric: aht_ms}]"};
    static const char *const other[] = {"windows=[5m/5s]",
                                        "periods=[day]",
                                        "timezone=Europe/Berlin",
                                        "centre=x",
                                        "queues={a: {}}",
                                        "dedupe=11m",
                                        "allowed_lateness=11s",
                                        "short_abandon=6s",
                                        "abandonment.formula=gross",
                                        "service_level.target=21s",
                                        "service_level.formula=ignore",
                                        "compliance.checks={a: {weight: 2}}",
                                        "compliance.rules={a: {when: \"true\"}}"};
    for (size_t i = 0; i < CM_ARRAY_LEN(same); i++) {
        struct cm_config *c = override(same[i]);
        assert_int_equal(c->hash, base->hash);
        cm_config_free(c);
    }
    for (size_t i = 0; i < CM_ARRAY_LEN(other); i++) {
        struct cm_config *c = override(other[i]);
        assert_int_not_equal(c->hash, base->hash);
        cm_config_free(c);
    }
    cm_config_free(base);
}

static void test_generated(void **state)
{
    (void)state;
    struct cm_text example = {0};
    cm_config_example(&example);
    struct cm_config *defaults = parse("");
    struct cm_config *c = parse(cm_text_cstr(&example));
    char *left = print_bare(defaults);
    char *right = print_bare(c);
    assert_string_equal(left, right);
    assert_int_equal(defaults->hash, c->hash);
    free(left);
    free(right);
    cm_config_free(c);
    cm_config_free(defaults);

    struct cm_text page = {0};
    cm_config_reference(&page);
    const char *text = cm_text_cstr(&page);
#define X(path, field, type, def, low, high, doc)                                                  \
    assert_true(has(text, "### `" path "`\n\n" doc "\n"));
    CM_SETTINGS(X)
#undef X
    for (const char *at = cm_text_cstr(&example); *at != '\0'; at += strcspn(at, "\n") + 1) {
        assert_true(strcspn(at, "\n") <= 100);
    }
    assert_true(has(text, "- environment: `CALLMILL_SOURCE_KAFKA_BROKERS`\n"));
    assert_true(has(text, "- type: duration, 1ms to 1m\n- default: `200ms`\n"));
    cm_text_free(&example);
    cm_text_free(&page);
}

/* More mistakes than are kept: the first by discovery, and how many there were. */
static void test_flood(void **state)
{
    (void)state;
    struct cm_text yaml = {0};
    for (unsigned i = 0; i < 500; i++) {
        cm_text_addf(&yaml, "zzzzzzzzz%u: 1\n", i);
    }
    struct cm_config *c = NULL;
    assert_int_equal(cm_config_parse(NAME, yaml.data, yaml.len, NULL, 0, &c), -CM_ERR_CONFIG);
    assert_true(has(cm_fail_text(), NAME ":200:1: unknown key `zzzzzzzzz199`\n... and 300 more"));
    cm_text_free(&yaml);
}

/* Cut anywhere, a configuration is either read or refused, and nothing is lost on the way. */
static void test_cut(void **state)
{
    (void)state;
    for (size_t len = 0; len < strlen(full); len += 3) {
        struct cm_config *c = NULL;
        int rc = cm_config_parse(NAME, full, len, NULL, 0, &c);
        assert_true(rc == 0 || rc == -CM_ERR_CONFIG);
        assert_int_equal(rc == 0, c != NULL);
        cm_config_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_defaults),      TEST(test_every_type),        TEST(test_check_lookup),
        TEST(test_many_mistakes), TEST(test_yaml_mistakes),     TEST(test_wrong_types),
        TEST(test_windows),       TEST(test_compliance),        TEST(test_queues),
        TEST(test_rules),         TEST(test_escalate),          TEST(test_conditions),
        TEST(test_overrides),     TEST(test_override_mistakes), TEST(test_environment),
        TEST(test_text_grammars), TEST(test_timezone),          TEST(test_file),
        TEST(test_secrets),       TEST(test_round_trip),        TEST(test_print),
        TEST(test_hash),          TEST(test_generated),         TEST(test_flood),
        TEST(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
