// SPDX-License-Identifier: Apache-2.0
/* windows_detail_test.c — seat states, judgements and gauges through windows.h: what a wallboard
 * sees of them. Expectations are worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/fail.h"
#include "window/windows.h"

/* 2024-03-04, a Monday, 12:00 UTC. */
#define NOON_MS     INT64_C(1709553600000)
#define MIDNIGHT_MS INT64_C(1709510400000)
#define NEVER_MS    INT64_MIN
#define S(seconds)  (NOON_MS + INT64_C(1000) * (seconds))

enum { MINUTE, HOUR, DAY, WEEK, WINDOWS };

static const char yaml[] =
    "windows: [1m/1s, 1h/1m]\nperiods: [day, week]\nallowed_lateness: 10s\ntimezone: UTC\n"
    "queues: {q1: {owner: \"team:t1\"}}\norphan_after: 30m\n"
    "compliance:\n"
    "  checks: {a: {weight: 3}, b: {weight: 2, veto: true}}\n"
    "  rules: {no_transfer: {when: \"transfers == 0\", weight: 1}}\n"
    "rules: [{name: busy, kind: team, window: 1m, metric: occupancy, warn: \"> 0.9\"}]\n";

static const char roster_csv[] = "seat,team,room,centre\ns1,t1,r1,main\ns2,t1,r1,main\n";

struct bench {
    struct cm_config *config;
    struct cm_roster *roster;
    struct cm_windows *windows;
    struct cm_text text;
    int64_t watermark_ms;
    uint32_t ids;
};

static void open(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    if (cm_config_parse("test.yaml", yaml, sizeof(yaml) - 1, NULL, 0, &b->config) != 0) {
        fail_msg("%s", cm_fail_text());
    }
    assert_int_equal(
        cm_roster_parse("roster.csv", roster_csv, sizeof(roster_csv) - 1, "main", &b->roster), 0);
    b->windows = cm_windows_create(b->config, b->roster, 1u << MINUTE, 1u << CM_KIND_TEAM);
    b->watermark_ms = NEVER_MS;
}

static void close(struct bench *b)
{
    cm_text_free(&b->text);
    cm_windows_destroy(b->windows);
    cm_roster_free(b->roster);
    cm_config_free(b->config);
}

static struct cm_str str(const char *text)
{
    return (struct cm_str){text, (uint32_t)strlen(text)};
}

static enum cm_verdict apply(struct bench *b, const struct cm_event *event)
{
    enum cm_verdict verdict = cm_windows_apply(b->windows, event, NULL, b->watermark_ms);
    int64_t reached_ms = event->ts_ms - b->config->allowed_lateness_ms;
    b->watermark_ms = reached_ms > b->watermark_ms ? reached_ms : b->watermark_ms;
    return verdict;
}

/* Makes up an id where none is given. */
static struct cm_str id_of(struct bench *b, const char *id, char room[16])
{
    if (id == NULL) {
        (void)snprintf(room, 16, "#%u", b->ids++);
        id = room;
    }
    return str(id);
}

static enum cm_verdict state(struct bench *b, const char *id, const char *seat, int64_t ts_ms,
                             enum cm_state what)
{
    char room[16];
    struct cm_event event = {.type = CM_EVENT_SEAT_STATE,
                             .ts_ms = ts_ms,
                             .id = id_of(b, id, room),
                             .seat = str(seat),
                             .state = (uint8_t)what};
    return apply(b, &event);
}

static enum cm_verdict queue(struct bench *b, enum cm_event_type type, const char *call,
                             int64_t ts_ms)
{
    char room[16];
    struct cm_event event = {.type = (uint8_t)type,
                             .ts_ms = ts_ms,
                             .id = id_of(b, NULL, room),
                             .call = str(call),
                             .queue = CM_STR("q1")};
    return apply(b, &event);
}

/* a and b: 1 passed, 0 failed, -1 not applicable, 9 not there */
struct verdicts {
    int32_t a, b;
};
#define NONE     ((struct verdicts){9, 9})
#define IS(a, b) ((struct verdicts){(a), (b)})

static uint32_t fill(struct cm_check checks[2], struct verdicts verdicts)
{
    uint32_t count = 0;
    if (verdicts.a != 9) {
        checks[count++] = (struct cm_check){CM_STR("a"), verdicts.a};
    }
    if (verdicts.b != 9) {
        checks[count++] = (struct cm_check){CM_STR("b"), verdicts.b};
    }
    return count;
}

static enum cm_verdict leg(struct bench *b, const char *id, const char *call, int64_t ts_ms,
                           uint32_t rev, struct verdicts verdicts)
{
    char room[16];
    struct cm_check checks[2];
    struct cm_event event = {.type = CM_EVENT_CDR,
                             .ts_ms = ts_ms,
                             .id = id_of(b, id, room),
                             .rev = rev,
                             .call = str(call),
                             .seat = CM_STR("s1"),
                             .queue = CM_STR("q1"),
                             .rating = -1,
                             .checks = checks,
                             .checks_count = fill(checks, verdicts)};
    return apply(b, &event);
}

static enum cm_verdict check(struct bench *b, const char *call, int64_t ts_ms,
                             enum cm_source source, struct verdicts verdicts)
{
    char room[16];
    struct cm_check checks[2];
    struct cm_event event = {.type = CM_EVENT_CHECK,
                             .ts_ms = ts_ms,
                             .id = id_of(b, NULL, room),
                             .call = str(call),
                             .seat = CM_STR("s1"),
                             .source = (uint8_t)source,
                             .checks = checks,
                             .checks_count = fill(checks, verdicts)};
    return apply(b, &event);
}

static void advance(struct bench *b, uint32_t window, int64_t asof_ms)
{
    cm_windows_settle(b->windows, b->watermark_ms);
    cm_windows_advance(b->windows, CM_VIEW_ROWS, window, asof_ms);
}

static uint32_t unit(struct bench *b, enum cm_kind kind, const char *id)
{
    return cm_units_intern(cm_windows_units(b->windows), kind, str(id));
}

static struct cm_measures measure(struct bench *b, uint32_t window, enum cm_kind kind,
                                  const char *id)
{
    struct cm_measures m;
    (void)cm_windows_measure(b->windows, CM_VIEW_ROWS, window, unit(b, kind, id), &m);
    return m;
}

/* The nested objects of the JSON, without the comma in front. */
static const char *details(struct bench *b, uint32_t window, enum cm_kind kind, const char *id)
{
    struct cm_measures m = measure(b, window, kind, id);
    b->text.len = 0;
    cm_details_write(&b->text, &m.details);
    cm_text_addc(&b->text, '\0');
    return b->text.data + (m.details.count > 0);
}

static void expect_figure(struct bench *b, uint32_t window, enum cm_figure figure, bool null,
                          uint64_t value)
{
    struct cm_measures m = measure(b, window, CM_KIND_TEAM, "t1");
    struct cm_value got = cm_figure_get(figure, &m, &b->config->formulas);
    assert_int_equal(got.null, null);
    assert_int_equal(got.value, value);
}

/* checked, compliant, weight, weight passed, vetoes of t1 */
static void expect_compliance(struct bench *b, uint32_t window, const uint64_t wanted[5])
{
    static const enum cm_figure figures[5] = {CM_FIGURE_checked, CM_FIGURE_compliant,
                                              CM_FIGURE_check_weight, CM_FIGURE_check_weight_passed,
                                              CM_FIGURE_vetoes};
    for (int i = 0; i < 5; i++) {
        expect_figure(b, window, figures[i], false, wanted[i]);
    }
}
#define COMPLIANCE(...) ((const uint64_t[5]){__VA_ARGS__})

/* ---- states */

static void time_in_states_counts_for_seat_and_ancestors(void **unused)
{
    (void)unused;
    struct bench b;
    open(&b);
    (void)state(&b, NULL, "s1", S(-30), CM_STATE_AVAILABLE);
    (void)state(&b, NULL, "s1", S(-20), CM_STATE_RINGING);
    (void)state(&b, NULL, "s1", S(-18), CM_STATE_TALKING);
    (void)state(&b, NULL, "s1", S(-8), CM_STATE_HOLD);
    (void)state(&b, NULL, "s1", S(-6), CM_STATE_ACW);
    (void)state(&b, NULL, "s1", S(-5), CM_STATE_BREAK);
    advance(&b, MINUTE, S(-30));
    expect_figure(&b, MINUTE, CM_FIGURE_occupancy, true, 0); /* before anything is known */
    (void)state(&b, NULL, "s2", S(-90), CM_STATE_AVAILABLE); /* before the window began */
    (void)state(&b, NULL, "s2", S(-15), CM_STATE_OFFLINE);
    advance(&b, MINUTE, S(0));
    assert_string_equal(details(&b, MINUTE, CM_KIND_SEAT, "s1"),
                        "\"state_ms\":{\"available\":10000,\"ringing\":2000,\"talking\":10000,"
                        "\"hold\":2000,\"acw\":1000,\"break\":5000}");
    const char *team = "\"state_ms\":{\"offline\":15000,\"available\":55000,\"ringing\":2000,"
                       "\"talking\":10000,\"hold\":2000,\"acw\":1000,\"break\":5000}";
    assert_string_equal(details(&b, MINUTE, CM_KIND_TEAM, "t1"), team);
    assert_string_equal(details(&b, MINUTE, CM_KIND_ROOM, "r1"), team);
    assert_string_equal(details(&b, MINUTE, CM_KIND_CENTRE, "main"), team);
    /* 15 s busy of 70; break and offline are neither */
    expect_figure(&b, MINUTE, CM_FIGURE_occupancy, false, 2143);
    close(&b);
}

static void an_hour_with_nothing_but_offline_is_empty(void **unused)
{
    (void)unused;
    struct bench b;
    struct cm_measures m;
    open(&b);
    (void)state(&b, NULL, "s1", S(-30), CM_STATE_TALKING);
    (void)state(&b, NULL, "s1", S(-10), CM_STATE_OFFLINE);
    advance(&b, HOUR, S(0));
    uint32_t s1 = unit(&b, CM_KIND_SEAT, "s1");
    assert_true(cm_windows_measure(b.windows, CM_VIEW_ROWS, HOUR, s1, &m));
    assert_string_equal(details(&b, HOUR, CM_KIND_SEAT, "s1"),
                        "\"state_ms\":{\"offline\":10000,\"talking\":20000}");
    (void)state(&b, NULL, "s2", S(3590), CM_STATE_OFFLINE);
    advance(&b, HOUR, S(3600)); /* ten seconds before, s1 went away: an hour of offline */
    assert_false(cm_windows_measure(b.windows, CM_VIEW_ROWS, HOUR, s1, &m));
    assert_true(cm_measures_are_empty(&m));
    expect_figure(&b, HOUR, CM_FIGURE_occupancy, true, 0);
    /* A judgement alone makes it a window with something in it, and the rest is told too. */
    (void)check(&b, "c9", S(3595), CM_SOURCE_SELF, IS(1, 9));
    (void)state(&b, NULL, "s2", S(3610), CM_STATE_OFFLINE);
    advance(&b, HOUR, S(3660));
    assert_string_equal(
        details(&b, HOUR, CM_KIND_SEAT, "s1"),
        "\"state_ms\":{\"offline\":3600000},\"checks\":{\"a\":{\"evaluated\":1,\"passed\":1}},"
        "\"check_sources\":{\"self\":{\"evaluated\":1,\"passed\":1}}");
    close(&b);
}

static bool names(const struct cm_changed_unit *changed, uint32_t count, uint32_t wanted,
                  uint32_t window)
{
    for (uint32_t i = 0; i < count; i++) {
        if (changed[i].unit == wanted) {
            return (changed[i].windows >> window & 1u) != 0;
        }
    }
    return false;
}

/* No event comes, and still the figures change: rows say so every 5 s, rules at each step. */
static void time_alone_changes_figures(void **unused)
{
    (void)unused;
    struct bench b;
    uint32_t count = 0;
    open(&b);
    (void)state(&b, NULL, "s1", S(0), CM_STATE_AVAILABLE);
    (void)state(&b, NULL, "s1", S(10), CM_STATE_TALKING);
    uint32_t s1 = unit(&b, CM_KIND_SEAT, "s1");
    advance(&b, MINUTE, S(11));
    (void)cm_windows_changed(b.windows, CM_VIEW_ROWS, &count);
    for (int64_t second = 12; second <= 130; second++) {
        advance(&b, MINUTE, S(second));
        uint64_t talking = (uint64_t)(second < 70 ? second - 10 : 60);
        uint64_t available = (uint64_t)(second < 60 ? 10 : second < 70 ? 70 - second : 0);
        expect_figure(&b, MINUTE, CM_FIGURE_occupancy, false,
                      (talking * 20000 + talking + available) / (2 * (talking + available)));
        const struct cm_changed_unit *changed = cm_windows_changed(b.windows, CM_VIEW_ROWS, &count);
        if (second % 5 == 0) {
            assert_true(names(changed, count, s1, MINUTE));
        }
    }
    cm_windows_advance(b.windows, CM_VIEW_RULES, MINUTE, S(100));
    assert_int_equal(cm_windows_next_change(b.windows, CM_VIEW_RULES, MINUTE), S(101));
    (void)cm_windows_changed_in(b.windows, CM_VIEW_RULES, MINUTE, &count);
    cm_windows_advance(b.windows, CM_VIEW_RULES, MINUTE, S(101));
    const struct cm_changed_unit *changed =
        cm_windows_changed_in(b.windows, CM_VIEW_RULES, MINUTE, &count);
    assert_true(names(changed, count, unit(&b, CM_KIND_TEAM, "t1"), MINUTE));
    assert_false(names(changed, count, s1, MINUTE)); /* the rule is for teams */
    (void)state(&b, NULL, "s1", S(102), CM_STATE_OFFLINE);
    cm_windows_advance(b.windows, CM_VIEW_RULES, MINUTE, S(163));
    (void)cm_windows_changed_in(b.windows, CM_VIEW_RULES, MINUTE, &count);
    assert_int_equal(cm_windows_next_change(b.windows, CM_VIEW_RULES, MINUTE), INT64_MAX);
    close(&b);
}

static void a_state_may_be_late_or_a_repeat(void **unused)
{
    (void)unused;
    struct bench b;
    open(&b);
    assert_int_equal(state(&b, "x", "s1", S(0), CM_STATE_AVAILABLE), CM_VERDICT_COUNTED);
    assert_int_equal(state(&b, "x", "s1", S(0), CM_STATE_TALKING), CM_VERDICT_DUPLICATE);
    /* The longest window and the lateness before the newest event: 3,610 s. */
    assert_int_equal(state(&b, "y", "s1", S(-3610), CM_STATE_TALKING), CM_VERDICT_COUNTED);
    assert_int_equal(state(&b, "z", "s1", S(-3610) - 1, CM_STATE_TALKING), CM_VERDICT_LATE);
    advance(&b, HOUR, S(60));
    assert_string_equal(details(&b, HOUR, CM_KIND_SEAT, "s1"),
                        "\"state_ms\":{\"available\":60000,\"talking\":3540000}");
    close(&b);
}

static void a_state_goes_on_into_the_next_day(void **unused)
{
    (void)unused;
    struct bench b;
    open(&b);
    const int64_t next_ms = MIDNIGHT_MS + INT64_C(86400000);
    (void)state(&b, NULL, "s1", next_ms - 7000, CM_STATE_AVAILABLE);
    advance(&b, DAY, next_ms);
    assert_string_equal(details(&b, DAY, CM_KIND_TEAM, "t1"), "\"state_ms\":{\"available\":7000}");
    (void)state(&b, NULL, "s1", next_ms + 4000, CM_STATE_TALKING);
    advance(&b, DAY, next_ms + 10000);
    assert_string_equal(details(&b, DAY, CM_KIND_TEAM, "t1"),
                        "\"state_ms\":{\"available\":4000,\"talking\":6000}");
    advance(&b, WEEK, next_ms + 10000);
    assert_string_equal(details(&b, WEEK, CM_KIND_TEAM, "t1"),
                        "\"state_ms\":{\"available\":11000,\"talking\":6000}");
    close(&b);
}

/* ---- judgements */

static void checks_count_by_name_and_by_source(void **unused)
{
    (void)unused;
    struct bench b;
    open(&b);
    (void)leg(&b, NULL, "c1", S(-40), 0, IS(1, -1)); /* and the rule: passed */
    (void)leg(&b, NULL, "c2", S(-39), 0, NONE);      /* the rule alone */
    advance(&b, MINUTE, S(0));
    expect_compliance(&b, MINUTE, COMPLIANCE(2, 2, 3 + 1 + 1, 5, 0));
    assert_string_equal(details(&b, MINUTE, CM_KIND_QUEUE, "q1"),
                        "\"checks\":{\"a\":{\"evaluated\":1,\"passed\":1},"
                        "\"no_transfer\":{\"evaluated\":2,\"passed\":2}},"
                        "\"check_sources\":{\"record\":{\"evaluated\":3,\"passed\":3}}");
    (void)check(&b, "c1", S(-20), CM_SOURCE_SPOT, IS(1, 0));
    expect_compliance(&b, MINUTE, COMPLIANCE(2, 2, 5, 5, 0)); /* it waits */
    (void)leg(&b, NULL, "c3", S(-9), 0, NONE);                /* watermark S(-19) */
    advance(&b, MINUTE, S(1));
    expect_compliance(&b, MINUTE, COMPLIANCE(3, 2, 6 + 5, 6 + 3, 1));
    assert_string_equal(details(&b, MINUTE, CM_KIND_QUEUE, "q1"),
                        "\"checks\":{\"a\":{\"evaluated\":2,\"passed\":2},"
                        "\"b\":{\"evaluated\":1,\"passed\":0},"
                        "\"no_transfer\":{\"evaluated\":3,\"passed\":3}},"
                        "\"check_sources\":{\"record\":{\"evaluated\":4,\"passed\":4},"
                        "\"spot\":{\"evaluated\":2,\"passed\":1}}");
    advance(&b, MINUTE, S(22)); /* the judgement goes with its leg, not with its own moment */
    expect_compliance(&b, MINUTE, COMPLIANCE(1, 1, 1, 1, 0));
    close(&b);
}

static void a_judgement_may_come_before_its_leg(void **unused)
{
    (void)unused;
    struct bench b;
    open(&b);
    (void)check(&b, "c1", S(-5), CM_SOURCE_SELF, IS(0, 9));
    (void)leg(&b, NULL, "c1", S(-8), 0, NONE);
    (void)leg(&b, NULL, "c2", S(5) + 1, 0, NONE); /* the watermark has passed the check */
    advance(&b, MINUTE, S(6));
    expect_compliance(&b, MINUTE, COMPLIANCE(2, 1, 1 + 1 + 3, 2, 0));
    close(&b);
}

/* The leg's record is replaced, what was judged of it stays; and a leg is one leg. */
static void a_revision_replaces_the_leg_not_the_judgement(void **unused)
{
    (void)unused;
    static const struct {
        struct verdicts first, judged, second;
        uint64_t wanted[5];
    } cases[] = {
        /* The rule passes always: weight 1 of 1, and every leg is checked. */
        {{1, 9}, {0, 9}, {0, 9}, {1, 0, 1 + 3 + 3, 1, 0}},
        {{0, 9}, {1, 9}, {1, 9}, {1, 1, 1 + 3 + 3, 1 + 3 + 3, 0}},
        {{1, 9}, {0, 9}, {1, 9}, {1, 0, 1 + 3 + 3, 1 + 3, 0}},
        {{0, 9}, {0, 0}, {9, 9}, {1, 0, 1 + 3 + 2, 1, 1}},
        {{9, 9}, {1, 1}, {9, 0}, {1, 0, 1 + 2 + 3 + 2, 1 + 3 + 2, 1}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench b;
        open(&b);
        (void)leg(&b, "one", "c1", S(-40), 0, cases[i].first);
        (void)check(&b, "c1", S(-30), CM_SOURCE_SPOT, cases[i].judged);
        (void)state(&b, NULL, "s2", S(-15), CM_STATE_OFFLINE);
        advance(&b, MINUTE, S(-15));
        assert_int_equal(leg(&b, "one", "c1", S(-38), 1, cases[i].second), CM_VERDICT_REVISED);
        advance(&b, MINUTE, S(-14));
        expect_compliance(&b, MINUTE, cases[i].wanted);
        /* A further judgement finds the new revision. */
        (void)check(&b, "c1", S(-20), CM_SOURCE_SELF, IS(0, 9));
        (void)state(&b, NULL, "s2", S(-5), CM_STATE_OFFLINE);
        advance(&b, MINUTE, S(-5));
        expect_figure(&b, MINUTE, CM_FIGURE_checked, false, 1);
        expect_figure(&b, MINUTE, CM_FIGURE_compliant, false, 0);
        advance(&b, MINUTE, S(23)); /* all of it leaves with the two moments of the leg */
        expect_figure(&b, MINUTE, CM_FIGURE_checked, false, 0);
        expect_figure(&b, MINUTE, CM_FIGURE_compliant, false, 0);
        expect_figure(&b, MINUTE, CM_FIGURE_check_weight, false, 0);
        close(&b);
    }
}

static void a_closed_day_does_not_change(void **unused)
{
    (void)unused;
    struct bench b;
    open(&b);
    const int64_t next_ms = MIDNIGHT_MS + INT64_C(86400000);
    (void)leg(&b, NULL, "c1", next_ms - 20000, 0, NONE);
    advance(&b, DAY, next_ms);
    advance(&b, WEEK, next_ms);
    (void)check(&b, "c1", next_ms + 5000, CM_SOURCE_SELF, IS(0, 9));
    (void)state(&b, NULL, "s2", next_ms + 20000, CM_STATE_AVAILABLE);
    advance(&b, DAY, next_ms + 20000);
    advance(&b, WEEK, next_ms + 20000);
    expect_compliance(&b, DAY, COMPLIANCE(0, 0, 0, 0, 0)); /* nor has the new day a leg */
    expect_compliance(&b, WEEK, COMPLIANCE(1, 0, 1 + 3, 1, 0));
    close(&b);
}

/* Whatever the order within the lateness, the same comes out. */
static void the_order_of_arrival_does_not_matter(void **unused)
{
    (void)unused;
    enum { EVENTS = 6, ORDERS = 720 };
    char first[1024] = "";
    for (int order = 0; order < ORDERS; order++) {
        struct bench b;
        open(&b);
        int left[EVENTS] = {0, 1, 2, 3, 4, 5};
        for (int n = EVENTS, code = order; n > 0; code /= n, n--) {
            int at = code % n;
            int event = left[at];
            memmove(&left[at], &left[at + 1], (size_t)(n - at - 1) * sizeof(left[0]));
            if (event < 3) {
                static const enum cm_state states[] = {CM_STATE_AVAILABLE, CM_STATE_TALKING,
                                                       CM_STATE_HOLD};
                static const char *const ids[] = {"s-0", "s-1", "s-2"};
                (void)state(&b, ids[event], "s1", event == 0 ? S(-9) : S(-6), states[event]);
            } else if (event < 5) {
                (void)leg(&b, NULL, "c1", event == 3 ? S(-8) : S(-4), 0, IS(1, 9));
            } else {
                (void)check(&b, "c1", S(-5), CM_SOURCE_SPOT, IS(0, 1));
            }
        }
        (void)state(&b, NULL, "s2", S(20), CM_STATE_OFFLINE);
        advance(&b, MINUTE, S(20));
        struct cm_measures m = measure(&b, MINUTE, CM_KIND_TEAM, "t1");
        struct cm_text row = {0};
        cm_figures_write(&row, &m, &b.config->formulas);
        cm_text_addc(&row, '\0');
        if (order == 0) {
            assert_true(row.len < sizeof(first));
            memcpy(first, row.data, row.len);
            expect_compliance(&b, MINUTE, COMPLIANCE(2, 1, 4 + 4 + 5, 4 + 4 + 2, 0));
            assert_non_null(strstr(first, "\"state_ms\":{\"available\":3000,\"hold\":26000}"));
        }
        assert_string_equal(row.data, first);
        cm_text_free(&row);
        close(&b);
    }
}

/* ---- gauges */

static bool gauge(struct bench *b, enum cm_kind kind, const char *id, bool waits, int64_t now_ms,
                  struct cm_gauge *out)
{
    uint32_t count = 0;
    bool found = false;
    const struct cm_unit_gauge *all = cm_windows_gauges(b->windows, now_ms, &count);
    uint32_t wanted = unit(b, kind, id);
    for (uint32_t i = 0; i < count; i++) {
        if (all[i].unit == wanted && (waits ? all[i].gauge.has_waits : all[i].gauge.has_states)) {
            *out = all[i].gauge;
            found = true;
        }
    }
    return found;
}

static void waiting_calls_show_in_queue_and_owner(void **unused)
{
    (void)unused;
    struct bench b;
    struct cm_gauge seen = {0};
    open(&b);
    assert_false(gauge(&b, CM_KIND_QUEUE, "q1", true, S(0), &seen));
    (void)queue(&b, CM_EVENT_QUEUE_ENTER, "c1", S(-9));
    (void)queue(&b, CM_EVENT_QUEUE_ENTER, "c2", S(-7));
    assert_true(gauge(&b, CM_KIND_QUEUE, "q1", true, S(0), &seen));
    assert_int_equal(seen.calls_waiting, 2);
    assert_true(gauge(&b, CM_KIND_CENTRE, "main", true, S(0), &seen));
    assert_int_equal(seen.calls_waiting, 2);
    assert_int_equal(seen.waiting_since_ms, S(-9));
    (void)leg(&b, NULL, "c1", S(-3), 0, NONE); /* answered */
    assert_true(gauge(&b, CM_KIND_TEAM, "t1", true, S(0), &seen));
    assert_int_equal(seen.calls_waiting, 1);
    assert_int_equal(seen.waiting_since_ms, S(-7));
    (void)queue(&b, CM_EVENT_QUEUE_EXIT, "c2", S(-1));
    assert_true(gauge(&b, CM_KIND_TEAM, "t1", true, S(0), &seen)); /* once as empty */
    assert_int_equal(seen.calls_waiting, 0);
    assert_false(gauge(&b, CM_KIND_TEAM, "t1", true, S(0), &seen));
    close(&b);
}

static void one_that_never_leaves_is_an_orphan(void **unused)
{
    (void)unused;
    struct bench b;
    struct cm_gauge seen = {0};
    open(&b);
    (void)queue(&b, CM_EVENT_QUEUE_ENTER, "c1", S(0));
    assert_true(gauge(&b, CM_KIND_QUEUE, "q1", true, S(1800), &seen));
    assert_int_equal(seen.calls_waiting, 1);
    assert_int_equal(cm_windows_orphans(b.windows), 0);
    assert_true(gauge(&b, CM_KIND_QUEUE, "q1", true, S(1800) + 1, &seen));
    assert_int_equal(seen.calls_waiting, 0);
    assert_int_equal(cm_windows_orphans(b.windows), 1);
    close(&b);
}

static void seats_show_their_state_and_teams_their_seats(void **unused)
{
    (void)unused;
    struct bench b;
    struct cm_gauge seen = {0};
    open(&b);
    (void)state(&b, NULL, "s1", S(-9), CM_STATE_TALKING);
    (void)state(&b, NULL, "s2", S(-8), CM_STATE_TALKING);
    assert_true(gauge(&b, CM_KIND_SEAT, "s1", false, S(0), &seen));
    assert_int_equal(seen.state, CM_STATE_TALKING);
    assert_int_equal(seen.since_ms, S(-9));
    assert_false(gauge(&b, CM_KIND_TEAM, "t1", false, S(0), &seen)); /* it was told just now */
    (void)state(&b, NULL, "s2", S(-6), CM_STATE_BREAK);
    assert_true(gauge(&b, CM_KIND_TEAM, "t1", false, S(0), &seen));
    assert_int_equal(seen.seats[CM_STATE_TALKING], 1);
    assert_int_equal(seen.seats[CM_STATE_BREAK], 1);
    assert_int_equal(seen.since_ms, INT64_MIN);
    cm_windows_touch_all(b.windows, CM_VIEW_ROWS);
    assert_true(gauge(&b, CM_KIND_SEAT, "s1", false, S(0), &seen));
    close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_in_states_counts_for_seat_and_ancestors),
        cmocka_unit_test(an_hour_with_nothing_but_offline_is_empty),
        cmocka_unit_test(time_alone_changes_figures),
        cmocka_unit_test(a_state_may_be_late_or_a_repeat),
        cmocka_unit_test(a_state_goes_on_into_the_next_day),
        cmocka_unit_test(checks_count_by_name_and_by_source),
        cmocka_unit_test(a_judgement_may_come_before_its_leg),
        cmocka_unit_test(a_revision_replaces_the_leg_not_the_judgement),
        cmocka_unit_test(a_closed_day_does_not_change),
        cmocka_unit_test(the_order_of_arrival_does_not_matter),
        cmocka_unit_test(waiting_calls_show_in_queue_and_owner),
        cmocka_unit_test(one_that_never_leaves_is_an_orphan),
        cmocka_unit_test(seats_show_their_state_and_teams_their_seats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
