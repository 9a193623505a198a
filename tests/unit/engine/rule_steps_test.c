// SPDX-License-Identifier: Apache-2.0
/* rule_steps_test.c — which steps the rules see, that it does not matter how the watermark gets
 * there, and where each window ends. */
#include "engine/rule_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"

#define T0 INT64_C(1711922000000)

static const char yaml[] =
    "windows: [5s/1s, 1m/10s, 2m/1m]\nperiods: [day]\ntimezone: Europe/Berlin\ndedupe: 1m\n"
    "rules:\n"
    "  - {name: a, kind: centre, window: 5s, metric: offered, warn: \"> 1\", keep: 3s, for: 2s}\n"
    "  - {name: b, kind: queue, window: 1m, metric: abandoned, critical: \">= 1\"}\n"
    "  - {name: c, kind: queue, window: day, metric: offered, warn: \">= 3\", for: 30s}\n";

struct bench {
    struct cm_config *config;
    struct cm_roster *roster;
    struct cm_windows *windows;
    struct cm_breaches *breaches;
    struct cm_rule_feed feed;
    struct cm_rule_log log;
    struct cm_text events;
};

static void on_event(void *context, const struct cm_breach *breach)
{
    struct bench *b = context;
    cm_text_add(&b->events, breach->json.p, breach->json.len);
    cm_text_addc(&b->events, '\n');
}

static void open_bench(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    assert_int_equal(cm_config_parse("t.yaml", yaml, sizeof(yaml) - 1, NULL, 0, &b->config), 0);
    b->roster = cm_roster_empty();
    b->windows = cm_windows_create(b->config, b->roster, cm_rule_windows(b->config),
                                   cm_rule_kinds(b->config));
    b->breaches = cm_breaches_create(b->config, on_event, b);
    cm_rule_feed_init(&b->feed);
}

static void close_bench(struct bench *b)
{
    cm_rule_log_free(&b->log);
    cm_breaches_destroy(b->breaches);
    cm_windows_destroy(b->windows);
    cm_roster_free(b->roster);
    cm_config_free(b->config);
    cm_text_free(&b->events);
}

static void apply(struct bench *b, uint32_t number, int64_t ts_ms, unsigned outcome)
{
    char id[16];
    struct cm_event event = {.type = CM_EVENT_CDR,
                             .outcome = (uint8_t)outcome,
                             .ts_ms = ts_ms,
                             .rating = -1,
                             .queue = CM_STR("q")};
    event.id = (struct cm_str){id, (uint32_t)snprintf(id, sizeof(id), "e%u", number)};
    (void)cm_windows_apply(b->windows, &event, NULL, INT64_MIN);
}

static void walk(struct bench *b, int64_t watermark_ms)
{
    cm_rule_walk(b->windows, b->config, watermark_ms, &b->log);
    cm_rule_feed_run(&b->feed, b->config, b->breaches, &b->log, watermark_ms);
    cm_rule_log_clear(&b->log);
}

static void bits_name_windows_and_kinds(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b);
    assert_int_equal(cm_rule_windows(b.config), 1u << 0 | 1u << 1 | 1u << 3);
    assert_int_equal(cm_rule_kinds(b.config), 1u << CM_KIND_CENTRE | 1u << CM_KIND_QUEUE);
    close_bench(&b);
}

static void sees_changes_once_and_in_order(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b);
    cm_rule_walk(b.windows, b.config, INT64_MIN, &b.log);
    assert_int_equal(b.log.count, 0);
    apply(&b, 1, T0 + 500, CM_OUTCOME_ANSWERED);
    cm_rule_walk(b.windows, b.config, T0 + 999, &b.log);
    assert_int_equal(b.log.count, 0); /* as of T0 + 1 s only */
    cm_rule_walk(b.windows, b.config, T0 + 200000, &b.log);
    int64_t asof_ms = INT64_MIN;
    uint32_t window = 0, of_short = 0;
    for (uint32_t i = 0; i < b.log.count; i++) {
        const struct cm_observation *o = &b.log.at[i];
        assert_true(o->asof_ms > asof_ms || (o->asof_ms == asof_ms && o->window >= window));
        asof_ms = o->asof_ms;
        window = o->window;
        of_short += o->window == 0 && o->key.kind == CM_KIND_CENTRE;
        assert_int_not_equal(o->window, 2); /* no rule looks at it */
    }
    assert_int_equal(of_short, 2); /* it comes in, it leaves */
    assert_int_equal(b.log.at[0].asof_ms, T0 + 1000);
    assert_int_equal(b.log.at[0].m.tally.answered, 1);
    close_bench(&b);
}

/* The same events whether the watermark comes in one leap or in many small steps. */
static void the_way_there_does_not_matter(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct bench leap, crawl;
        struct cm_prng prng;
        cm_prng_seed(&prng, seed);
        open_bench(&leap);
        open_bench(&crawl);
        int64_t ts_ms = T0;
        for (uint32_t i = 0; i < 40; i++) {
            ts_ms += (int64_t)cm_prng_below(&prng, i % 10 == 9 ? 90000 : 2500);
            unsigned outcome = (unsigned)cm_prng_below(&prng, 2);
            apply(&leap, i, ts_ms, outcome);
            apply(&crawl, i, ts_ms, outcome);
            for (uint64_t n = cm_prng_below(&prng, 4); n > 0; n--) {
                int64_t back_ms = (int64_t)(n * cm_prng_below(&prng, 300));
                walk(&crawl, ts_ms - back_ms);
            }
        }
        walk(&leap, ts_ms + 100000000); /* over the end of the day, too */
        for (int64_t more_ms = 0; more_ms < 120000; more_ms += 700) {
            walk(&crawl, ts_ms + more_ms);
        }
        walk(&crawl, ts_ms + 100000000);
        assert_true(leap.events.len > 0);
        assert_string_equal(cm_text_cstr(&leap.events), cm_text_cstr(&crawl.events));
        close_bench(&leap);
        close_bench(&crawl);
    }
}

static void a_window_ends_where_it_is_told(void **state)
{
    (void)state;
    struct bench b;
    open_bench(&b);
    apply(&b, 1, T0 + 500, CM_OUTCOME_ABANDONED);
    apply(&b, 2, T0 + 600, CM_OUTCOME_ABANDONED);
    for (uint32_t i = 0; i < b.config->all_count; i++) {
        b.feed.end_ms[i] = cm_window_next_asof(&b.config->all[i], T0 + 600);
    }
    walk(&b, T0 + 60000);
    /* Rule a holds from T0 + 1 s on and would fire 2 s later; rule b fires as of its own step. */
    assert_null(strstr(cm_text_cstr(&b.events), "\"rule\":\"a\""));
    assert_non_null(strstr(cm_text_cstr(&b.events), "\"rule\":\"b\""));
    assert_int_equal(b.feed.last_ms[0], T0 + 1000);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_name_windows_and_kinds),
        cmocka_unit_test(sees_changes_once_and_in_order),
        cmocka_unit_test(the_way_there_does_not_matter),
        cmocka_unit_test(a_window_ends_where_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
