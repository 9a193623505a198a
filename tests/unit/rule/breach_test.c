// SPDX-License-Identifier: Apache-2.0
/* breach_test.c — the state machine: every transition and every timer at its edges, by scripts; and
 * against a second implementation that looks at the whole list of values at once.
 *
 * A script is a letter a step of 1 s, what the unit shows from then on:
 *   o quiet (clear holds)   m between clear and warn   w warn   c critical
 *   0 critical, but n below min_n   n empty window   N null with n > 0   . not observed (no change)
 * A log is what came out: `3R:warn` = raised in step 3 with level warn; E escalated, C cleared;
 * `9E:warn>room` = escalated up the tree.
 */
#include "rule/breach.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/prng.h"

#define S      INT64_C(1000)
#define ASOF_0 INT64_C(1793491200000)

enum { RULES_MAX = 4 };

struct bench {
    struct cm_config config;
    struct cm_rule_spec rules[RULES_MAX];
    struct cm_breaches *breaches;
    struct cm_text log; /* as above */
    struct cm_text ids; /* every event id, a line each */
    bool with_units;    /* the log names rule and unit too */
};

static struct cm_rule_spec a_rule(void)
{
    return (struct cm_rule_spec){.name = "long-handle",
                                 .kind = CM_KIND_TEAM,
                                 .window = 0,
                                 .metric = CM_FIGURE_aht_ms,
                                 .warn = {CM_COMPARE_GT, 360000000},
                                 .critical = {CM_COMPARE_GT, 480000000},
                                 .clear = {CM_COMPARE_LT, 330000000},
                                 .min_n = 2};
}

static void on_event(void *context, const struct cm_breach *breach)
{
    struct bench *b = context;
    json_error_t error;
    json_t *root = json_loadb(breach->json.p, breach->json.len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        fail_msg("%s in %.*s", error.text, (int)breach->json.len, breach->json.p);
    }
    const json_t *data = json_object_get(root, "data");
    const char *key = json_string_value(json_object_get(data, "dedup_key"));
    assert_true(cm_str_eq(breach->dedup_key, (struct cm_str){key, (uint32_t)strlen(key)}));
    assert_true(json_integer_value(json_object_get(data, "asof")) == breach->asof_ms);

    if (b->log.len > 0) {
        cm_text_addc(&b->log, ' ');
    }
    cm_text_add_i64(&b->log, (breach->asof_ms - ASOF_0) / S);
    cm_text_addc(&b->log, "REC"[breach->type]);
    cm_text_addc(&b->log, ':');
    cm_text_adds(&b->log, json_string_value(json_object_get(data, "level")));
    const char *to = json_string_value(json_object_get(data, "escalated_to"));
    if (to != NULL) {
        cm_text_addc(&b->log, '>');
        cm_text_adds(&b->log, to);
    }
    if (b->with_units) {
        cm_text_addc(&b->log, '@');
        cm_text_adds(&b->log, breach->rule->name);
        cm_text_addc(&b->log, '/');
        cm_text_add(&b->log, breach->id.p, breach->id.len);
    }
    cm_text_adds(&b->ids, json_string_value(json_object_get(root, "id")));
    cm_text_addc(&b->ids, '\n');
    json_decref(root);
}

static void bench_open(struct bench *b, const struct cm_rule_spec *rules, uint32_t count)
{
    memset(b, 0, sizeof(*b));
    b->config.all_count = 2;
    memcpy(b->config.all[0].name, "15m", 4);
    memcpy(b->config.all[1].name, "day", 4);
    memcpy(b->rules, rules, count * sizeof(*rules));
    b->config.rules.at = b->rules;
    b->config.rules.count = count;
    b->breaches = cm_breaches_create(&b->config, on_event, b);
}

static void bench_close(struct bench *b)
{
    cm_breaches_destroy(b->breaches);
    cm_text_free(&b->log);
    cm_text_free(&b->ids);
}

static void show(struct bench *b, uint32_t window, int64_t step, const char *id, char what)
{
    struct cm_measures m = {0};
    m.tally.answered = what == '0' ? 1 : 2;
    switch (what) {
    case '.':
        return;
    case 'n':
        break;
    case 'N':
        m.tally.answered = 0;
        m.tally.abandoned = 5;
        break;
    case 'o':
        m.tally.talk_ms = 200;
        break;
    case 'm':
        m.tally.talk_ms = 700;
        break;
    case 'w':
        m.tally.talk_ms = 800;
        break;
    case 'c':
    case '0':
        m.tally.talk_ms = 1000;
        break;
    default:
        fail_msg("unknown letter %c", what);
    }
    cm_breaches_observe(b->breaches, window, ASOF_0 + step * S, CM_KIND_TEAM,
                        (struct cm_str){id, (uint32_t)strlen(id)}, what == 'n' ? NULL : &m);
}

/* Runs a script for unit t1 in window 0; a blank in the script is for the eye only. */
static void run(struct bench *b, const char *script)
{
    int64_t step = 0;
    for (const char *c = script; *c != '\0'; c++) {
        if (*c != ' ') {
            show(b, 0, step, "t1", *c);
            cm_breaches_step(b->breaches, 0, ASOF_0 + step * S);
            step++;
        }
    }
}

static void expect(const struct cm_rule_spec *rule, const char *script, const char *log,
                   uint32_t active)
{
    struct bench b;
    bench_open(&b, rule, 1);
    run(&b, script);
    if (strcmp(cm_text_cstr(&b.log), log) != 0) {
        fail_msg("script %s\n gives %s\n not   %s", script, cm_text_cstr(&b.log), log);
    }
    assert_int_equal(cm_breaches_active(b.breaches, 0), active);
    bench_close(&b);
}

static void test_fires_at_once_without_for(void **state)
{
    (void)state;
    struct cm_rule_spec rule = a_rule();
    expect(&rule, "ooo", "", 0);
    expect(&rule, "omw", "2R:warn", 1);
    expect(&rule, "c", "0R:critical", 1);
    expect(&rule, "w.....", "0R:warn", 1); /* said once */
    expect(&rule, "m", "", 0);
}

static void test_pending_timer(void **state)
{
    (void)state;
    struct cm_rule_spec rule = a_rule();
    rule.for_ms = 3 * S;
    expect(&rule, "oww.", "", 1);
    expect(&rule, "oww..", "4R:warn", 1);
    expect(&rule, "owwmwww", "", 1); /* m ends pending, the timer begins anew */
    expect(&rule, "owwmwwww", "7R:warn", 1);
    expect(&rule, "ow.o", "", 0);
    expect(&rule, "owcwc", "4R:critical", 1); /* any level keeps it up; the last one is told */
    expect(&rule, "occcw", "4R:warn", 1);
    rule.for_ms = 2500; /* between two steps: the first at or after */
    expect(&rule, "w..", "", 1);
    expect(&rule, "w...", "3R:warn", 1);
}

static void collect(void *context, const struct cm_breach *breach)
{
    struct cm_text *out = context;
    cm_text_add(out, breach->json.p, breach->json.len);
    cm_text_addc(out, '\n');
}

static void test_since_is_begin_of_pending(void **state)
{
    (void)state;
    struct cm_rule_spec rule = a_rule();
    rule.for_ms = 3 * S;
    struct bench b;
    bench_open(&b, &rule, 1);
    run(&b, "omwwww"); /* since step 2, raised in step 5 */
    struct cm_text want = {0};
    cm_text_addf(&want, "\"since\":%lld,\"asof\":%lld,", (long long)(ASOF_0 + 2 * S),
                 (long long)(ASOF_0 + 5 * S));
    struct cm_text seen = {0};
    cm_breaches_firing(b.breaches, collect, &seen);
    assert_non_null(strstr(cm_text_cstr(&seen), cm_text_cstr(&want)));
    cm_text_free(&want);
    cm_text_free(&seen);
    bench_close(&b);
}

static void test_level_rises_and_never_falls(void **state)
{
    (void)state;
    struct cm_rule_spec rule = a_rule();
    expect(&rule, "wcwcwmc", "0R:warn 1E:critical", 1);
    expect(&rule, "cwwo", "0R:critical 3C:critical", 0);
    expect(&rule, "wcwo", "0R:warn 1E:critical 3C:critical", 0);
}

static void test_clear_and_keep(void **state)
{
    (void)state;
    struct cm_rule_spec rule = a_rule();
    expect(&rule, "wmmo", "0R:warn 3C:warn", 0); /* m is neither breach nor clear */
    rule.keep_ms = 3 * S;
    expect(&rule, "woo.", "0R:warn", 1);
    expect(&rule, "woo..", "0R:warn 4C:warn", 0);
    expect(&rule, "woomo..", "0R:warn", 1); /* m: back to firing, keep begins anew */
    expect(&rule, "woomo...", "0R:warn 7C:warn", 0);
    expect(&rule, "wowo...", "0R:warn 6C:warn", 0);   /* no second raise in between */
    expect(&rule, "wococ", "0R:warn 2E:critical", 1); /* firing again, and higher */
    rule.clear.compare = CM_COMPARE_NONE;             /* then m is clear */
    expect(&rule, "wm...", "0R:warn 4C:warn", 0);
}

static void test_null_and_min_n(void **state)
{
    (void)state;
    struct cm_rule_spec rule = a_rule();
    expect(&rule, "0000", "", 0);
    expect(&rule, "NNnn", "", 0);
    expect(&rule, "c0", "0R:critical 1C:critical", 0);
    expect(&rule, "cN", "0R:critical 1C:critical", 0);
    expect(&rule, "cn", "0R:critical 1C:critical", 0);
    rule.for_ms = 2 * S;
    expect(&rule, "c0cc", "", 1);
    expect(&rule, "c0ccc", "4R:critical", 1);
}

static void test_cooldown(void **state)
{
    (void)state;
    struct cm_rule_spec rule = a_rule();
    rule.cooldown_ms = 4 * S;
    /* Cleared in step 1, so nothing before step 5. */
    expect(&rule, "wow...", "0R:warn 1C:warn 5R:warn", 1);
    expect(&rule, "wow..", "0R:warn 1C:warn", 1);
    expect(&rule, "wowow.", "0R:warn 1C:warn 5R:warn", 1);
    expect(&rule, "wo....w", "0R:warn 1C:warn 6R:warn", 1);
    expect(&rule, "wo...", "0R:warn 1C:warn", 1);  /* remembered while it lasts */
    expect(&rule, "wo....", "0R:warn 1C:warn", 0); /* and not longer */
    rule.for_ms = 2 * S;                           /* both must be over */
    expect(&rule, "w..ow.....", "2R:warn 3C:warn 7R:warn", 1);
    expect(&rule, "w..o..w...", "2R:warn 3C:warn 8R:warn", 1);
}

static void test_flapping_is_one_breach(void **state)
{
    (void)state;
    struct cm_rule_spec rule = a_rule();
    rule.keep_ms = 2 * S;
    expect(&rule, "wowowowowo..", "0R:warn 11C:warn", 0);
    rule.for_ms = 2 * S;
    expect(&rule, "wowowowowo..", "", 0);
}

static void test_ladder(void **state)
{
    (void)state;
    static const struct cm_escalation up[] = {{5 * S, CM_KIND_CENTRE}, {2 * S, CM_KIND_ROOM}};
    struct cm_rule_spec rule = a_rule();
    rule.escalate = up;
    rule.escalate_count = 2;
    expect(&rule, "w......", "0R:warn 2E:warn>room 5E:warn>centre", 1);
    expect(&rule, "w.c....", "0R:warn 2E:critical 2E:critical>room 5E:critical>centre", 1);
    expect(&rule, "w.o", "0R:warn 2C:warn", 0); /* cleared before anybody was told */
    rule.keep_ms = 10 * S;
    expect(&rule, "wo......", "0R:warn", 1); /* recovering: nobody is told */
    expect(&rule, "wo.....m.", "0R:warn 7E:warn>room 7E:warn>centre", 1);
    rule.keep_ms = 0;
    expect(&rule, "w..ow..", "0R:warn 2E:warn>room 3C:warn 4R:warn 6E:warn>room", 1);
    rule.for_ms = 1 * S; /* counted from raised, not from since */
    expect(&rule, "w...", "1R:warn 3E:warn>room", 1);
    static const struct cm_escalation now[] = {{0, CM_KIND_ROOM}};
    rule.escalate = now;
    rule.escalate_count = 1;
    expect(&rule, "w.", "1R:warn 1E:warn>room", 1);
}

static void test_clear_wins_over_level(void **state)
{
    (void)state;
    struct cm_rule_spec rule = a_rule();
    rule.clear = (struct cm_condition){CM_COMPARE_GT, 0}; /* holds beside warn */
    /* Raised and cleared in turn, never both in one step, and not forgotten though never observed.
     */
    expect(&rule, "w...", "0R:warn 1C:warn 2R:warn 3C:warn", 1);
    expect(&rule, "w...o", "0R:warn 1C:warn 2R:warn 3C:warn", 0);
}

static void test_only_one_level(void **state)
{
    (void)state;
    struct cm_rule_spec rule = a_rule();
    rule.warn.compare = CM_COMPARE_NONE;
    expect(&rule, "wwcwo", "2R:critical 4C:critical", 0);
    rule = a_rule();
    rule.critical.compare = CM_COMPARE_NONE;
    expect(&rule, "wcwo", "0R:warn 3C:warn", 0);
}

static void test_last_observation_counts(void **state)
{
    (void)state;
    struct cm_rule_spec rule = a_rule();
    struct bench b;
    bench_open(&b, &rule, 1);
    show(&b, 0, 0, "t1", 'c');
    show(&b, 0, 0, "t1", 'o');
    assert_int_equal(cm_breaches_active(b.breaches, 0), 1);
    cm_breaches_step(b.breaches, 0, ASOF_0);
    assert_int_equal(cm_breaches_active(b.breaches, 0), 0);
    assert_int_equal(b.log.len, 0);
    bench_close(&b);
}

static void test_scope(void **state)
{
    (void)state;
    static const char *const ids[] = {"t9", "t1", "t5"};
    struct cm_rule_spec rules[2] = {a_rule(), a_rule()};
    rules[0].ids = ids;
    rules[0].ids_count = 3;
    rules[1].name = "all-day";
    rules[1].window = 1;
    struct bench b;
    bench_open(&b, rules, 2);
    assert_true(cm_breaches_wants(b.breaches, 0, CM_KIND_TEAM));
    assert_true(cm_breaches_wants(b.breaches, 1, CM_KIND_TEAM));
    assert_false(cm_breaches_wants(b.breaches, 0, CM_KIND_SEAT));
    assert_false(cm_breaches_wants(b.breaches, 2, CM_KIND_TEAM));
    b.with_units = true;
    show(&b, 0, 0, "t1", 'w');
    show(&b, 0, 0, "t2", 'w'); /* not of the rule's */
    show(&b, 0, 0, "t9", 'w');
    struct cm_measures seat = {.tally = {.answered = 2, .talk_ms = 1000}};
    cm_breaches_observe(b.breaches, 0, ASOF_0, CM_KIND_SEAT, CM_STR("t1"), &seat);
    show(&b, 1, 0, "t2", 'w');
    cm_breaches_step(b.breaches, 0, ASOF_0);
    assert_string_equal(cm_text_cstr(&b.log), "0R:warn@long-handle/t1 0R:warn@long-handle/t9");
    assert_int_equal(cm_breaches_active(b.breaches, 0), 2);
    assert_int_equal(cm_breaches_active(b.breaches, 1), 1);
    b.log.len = 0;
    cm_breaches_step(b.breaches, 1, ASOF_0); /* windows step apart */
    assert_string_equal(cm_text_cstr(&b.log), "0R:warn@all-day/t2");
    bench_close(&b);
}

static void test_order_of_events(void **state)
{
    (void)state;
    struct cm_rule_spec rules[2] = {a_rule(), a_rule()};
    rules[0].name = "zulu"; /* the configured order, not that of the names */
    rules[1].name = "alfa";
    struct bench b;
    bench_open(&b, rules, 2);
    b.with_units = true;
    show(&b, 0, 0, "t2", 'w');
    show(&b, 0, 0, "t10", 'c');
    show(&b, 0, 0, "\xc3\xa9", 'w');
    show(&b, 0, 0, "T", 'w');
    cm_breaches_step(b.breaches, 0, ASOF_0);
    assert_string_equal(
        cm_text_cstr(&b.log),
        "0R:warn@zulu/T 0R:critical@zulu/t10 0R:warn@zulu/t2 0R:warn@zulu/\xc3\xa9 "
        "0R:warn@alfa/T 0R:critical@alfa/t10 0R:warn@alfa/t2 0R:warn@alfa/\xc3\xa9");
    b.log.len = 0;
    show(&b, 0, 1, "t1", 'w'); /* a new one between two that stay */
    show(&b, 0, 1, "t2", 'o');
    show(&b, 0, 1, "T", 'o');
    cm_breaches_step(b.breaches, 0, ASOF_0 + S);
    assert_string_equal(cm_text_cstr(&b.log), "1C:warn@zulu/T 1R:warn@zulu/t1 1C:warn@zulu/t2 "
                                              "1C:warn@alfa/T 1R:warn@alfa/t1 1C:warn@alfa/t2");
    bench_close(&b);
}

static void test_firing_lists_the_latest(void **state)
{
    (void)state;
    struct cm_rule_spec rule = a_rule();
    rule.keep_ms = 60 * S;
    struct bench b;
    bench_open(&b, &rule, 1);
    show(&b, 0, 0, "t3", 'w');
    show(&b, 0, 0, "t1", 'w');
    show(&b, 0, 0, "t2", 'c');
    cm_breaches_step(b.breaches, 0, ASOF_0);
    show(&b, 0, 1, "t3", 'c');
    show(&b, 0, 1, "t2", 'o'); /* recovering still counts */
    cm_breaches_step(b.breaches, 0, ASOF_0 + S);
    show(&b, 0, 2, "t0", 'w'); /* observed, not stepped: not firing */
    b.log.len = 0;
    b.with_units = true;
    cm_breaches_firing(b.breaches, on_event, &b);
    assert_string_equal(cm_text_cstr(&b.log), "0R:warn@long-handle/t1 0R:critical@long-handle/t2 "
                                              "1E:critical@long-handle/t3");
    bench_close(&b);
}

static void test_many_units(void **state)
{
    (void)state;
    struct cm_rule_spec rule = a_rule();
    struct bench b;
    bench_open(&b, &rule, 1);
    char id[16];
    for (int64_t round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++) {
            snprintf(id, sizeof(id), "t%d", (i * 37) % 1000);
            show(&b, 0, 2 * round, id, 'w');
        }
        cm_breaches_step(b.breaches, 0, ASOF_0 + 2 * round * S);
        assert_int_equal(cm_breaches_active(b.breaches, 0), 1000);
        for (int64_t i = 0; i < 1000; i += 1 + round) {
            snprintf(id, sizeof(id), "t%d", (int)i);
            show(&b, 0, 2 * round + 1, id, 'o');
        }
        cm_breaches_step(b.breaches, 0, ASOF_0 + (2 * round + 1) * S);
        assert_int_equal(cm_breaches_active(b.breaches, 0), 1000 - (1000 + round) / (1 + round));
    }
    bench_close(&b);
}

/* ---- against a second implementation -------------------------------------------------------- */

enum { STEPS_MAX = 80 };

static int oracle_level(char what)
{
    return what == 'c' ? 2 : what == 'w' ? 1 : 0;
}

static bool oracle_clear(char what)
{
    return what != 'c' && what != 'w' && what != 'm';
}

static void oracle_say(struct cm_text *log, int step, char type, int level, const char *to)
{
    cm_text_addf(log, "%s%d%c:%s%s%s", log->len > 0 ? " " : "", step, type,
                 level == 2 ? "critical" : "warn", to != NULL ? ">" : "", to != NULL ? to : "");
}

/* The first step at or after `from` at which the rule raises. */
static int oracle_raise(const struct cm_rule_spec *rule, const char *values, int from,
                        int64_t barred)
{
    int run_begin = from;
    for (int t = from; values[t] != '\0'; t++) {
        if (oracle_level(values[t]) == 0) {
            run_begin = t + 1;
        } else if ((t - run_begin) * S >= rule->for_ms && t * S >= barred) {
            return t;
        }
    }
    return -1;
}

/* All that a rule says about a list of values, episode by episode. */
static void oracle(const struct cm_rule_spec *rule, const char *values, struct cm_text *log)
{
    int64_t barred = INT64_MIN;
    int t = oracle_raise(rule, values, 0, barred);
    while (t >= 0) {
        int raised = t;
        int level = oracle_level(values[t]);
        int clear_run = 0;
        uint32_t climbed = 0;
        bool cleared = false;
        oracle_say(log, t, 'R', level, NULL);
        for (; values[t] != '\0' && !cleared; t++) {
            clear_run = t > raised && oracle_clear(values[t]) ? clear_run + 1 : 0;
            if (clear_run > 0) {
                cleared = (clear_run - 1) * S >= rule->keep_ms;
                continue;
            }
            if (oracle_level(values[t]) > level) {
                level = oracle_level(values[t]);
                oracle_say(log, t, 'E', level, NULL);
            }
            for (; climbed < rule->escalate_count &&
                   (t - raised) * S >= rule->escalate[climbed].after_ms;
                 climbed++) {
                oracle_say(log, t, 'E', level, cm_kind_name(rule->escalate[climbed].to));
            }
        }
        if (!cleared) {
            return;
        }
        oracle_say(log, t - 1, 'C', level, NULL);
        barred = (t - 1) * S + rule->cooldown_ms;
        t = oracle_raise(rule, values, t, barred);
    }
}

/* Values that stay for a while, so that every timer gets its chance. */
static void random_values(struct cm_prng *prng, char *values, int steps)
{
    char now = 'o';
    unsigned sticky = 1 + (unsigned)cm_prng_below(prng, 6);
    for (int t = 0; t < steps; t++) {
        if (cm_prng_below(prng, sticky) == 0) {
            now = "oomwwcc0nN"[cm_prng_below(prng, 10)];
        }
        values[t] = now;
    }
    values[steps] = '\0';
}

static struct cm_rule_spec random_rule(struct cm_prng *prng, struct cm_escalation *up)
{
    struct cm_rule_spec rule = a_rule();
    rule.for_ms = (int64_t)cm_prng_below(prng, 10) * 500;
    rule.keep_ms = (int64_t)cm_prng_below(prng, 10) * 500;
    rule.cooldown_ms = (int64_t)cm_prng_below(prng, 30) * 500;
    up[0] = (struct cm_escalation){(int64_t)cm_prng_below(prng, 10) * 500, CM_KIND_ROOM};
    up[1] = (struct cm_escalation){up[0].after_ms + (int64_t)cm_prng_below(prng, 10) * 500,
                                   CM_KIND_CENTRE};
    rule.escalate = up;
    rule.escalate_count = (uint32_t)cm_prng_below(prng, 3);
    return rule;
}

/* Runs values as the engine would: a value is shown when it changed (and now and then when it did
 * not), and a step is left out whenever it may be. */
static void drive(struct bench *b, struct cm_prng *prng, const char *values)
{
    char before = 'n';
    for (int t = 0; values[t] != '\0'; t++) {
        bool shown = values[t] != before || cm_prng_below(prng, 8) == 0;
        if (shown) {
            show(b, 0, t, "t1", values[t]);
            before = values[t];
        }
        bool due = cm_breaches_wake_ms(b->breaches, 0) <= ASOF_0 + t * S;
        if (shown || due || cm_prng_below(prng, 4) == 0) {
            cm_breaches_step(b->breaches, 0, ASOF_0 + t * S);
        }
    }
}

static void test_equals_second_implementation(void **state)
{
    (void)state;
    struct cm_prng prng;
    cm_prng_seed(&prng, 20261101);
    size_t events = 0;
    for (int i = 0; i < 2000; i++) {
        char values[STEPS_MAX + 1];
        struct cm_escalation up[2] = {{0}};
        struct cm_rule_spec rule = random_rule(&prng, up);
        random_values(&prng, values, 1 + (int)cm_prng_below(&prng, STEPS_MAX));
        struct cm_text want = {0};
        oracle(&rule, values, &want);
        struct bench b;
        bench_open(&b, &rule, 1);
        drive(&b, &prng, values);
        if (strcmp(cm_text_cstr(&b.log), cm_text_cstr(&want)) != 0) {
            fail_msg("sequence %d: %s\n for %lld keep %lld cooldown %lld\n gives %s\n not   %s", i,
                     values, (long long)rule.for_ms, (long long)rule.keep_ms,
                     (long long)rule.cooldown_ms, b.log.data, want.data);
        }
        events += b.log.len;
        cm_text_free(&want);
        bench_close(&b);
    }
    assert_true(events > 20000); /* the sequences do say something */
}

static void test_ids_repeat_and_differ(void **state)
{
    (void)state;
    struct cm_prng prng;
    cm_prng_seed(&prng, 7);
    size_t compared = 0;
    for (int i = 0; i < 200; i++) {
        char values[STEPS_MAX + 1];
        struct cm_escalation up[2] = {{0}};
        struct cm_rule_spec rule = random_rule(&prng, up);
        random_values(&prng, values, STEPS_MAX);
        struct bench one;
        struct bench two;
        bench_open(&one, &rule, 1);
        bench_open(&two, &rule, 1);
        drive(&one, &prng, values); /* observed and left out in other steps */
        drive(&two, &prng, values);
        assert_string_equal(cm_text_cstr(&one.ids), cm_text_cstr(&two.ids));
        for (size_t at = 0; at < one.ids.len; at += 33) { /* 32 digits and a newline */
            for (size_t other = 0; other < at; other += 33) {
                assert_memory_not_equal(one.ids.data + at, one.ids.data + other, 32);
                compared++;
            }
        }
        bench_close(&one);
        bench_close(&two);
    }
    assert_true(compared > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fires_at_once_without_for),
        cmocka_unit_test(test_pending_timer),
        cmocka_unit_test(test_since_is_begin_of_pending),
        cmocka_unit_test(test_level_rises_and_never_falls),
        cmocka_unit_test(test_clear_and_keep),
        cmocka_unit_test(test_null_and_min_n),
        cmocka_unit_test(test_cooldown),
        cmocka_unit_test(test_flapping_is_one_breach),
        cmocka_unit_test(test_ladder),
        cmocka_unit_test(test_clear_wins_over_level),
        cmocka_unit_test(test_only_one_level),
        cmocka_unit_test(test_last_observation_counts),
        cmocka_unit_test(test_scope),
        cmocka_unit_test(test_order_of_events),
        cmocka_unit_test(test_firing_lists_the_latest),
        cmocka_unit_test(test_many_units),
        cmocka_unit_test(test_equals_second_implementation),
        cmocka_unit_test(test_ids_repeat_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
