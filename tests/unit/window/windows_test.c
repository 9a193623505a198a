// SPDX-License-Identifier: Apache-2.0
/* windows_test.c — windows and periods against a naive oracle, moved on as a worker does it.
 *
 * The oracle keeps a list of the legs that count and adds them up afresh whenever somebody looks.
 * Streams are seeded: disorder, late events, revisions, repeats, values that overflow an entry. The
 * ROWS view runs ahead of what is folded in, the RULES view trails at the watermark. After every
 * move all figures of all units are compared, maxima and histogram included; and what
 * cm_windows_changed() names must cover every unit whose figures are not those of the call before,
 * and, in the ROWS view, every unit of which another figure than the one taken then held as of
 * then.
 */
#include "window/windows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "window/attribution.h"
#include "window/leg.h"

enum {
    SEEDS = 1000,
    LEGS_MAX = 512,
    IDS_MAX = 512,
    UNITS_MAX = 64,
    FIGURES = CM_TALLY_COUNT_N + CM_TALLY_SUM_N + 3
};

/* Counts, sums, both maxima, and the histogram as a sum over its values. */
struct figures {
    uint64_t at[FIGURES];
};

struct counted {
    struct cm_leg leg;
    struct cm_unit_set units;
    bool lives;
};

struct memory {
    char id[16];
    bool known, is_cdr;
    uint32_t rev;
    int64_t seen_ms;
    int leg; /* -1: counts nowhere */
    struct cm_event event;
};

struct variant {
    const char *yaml;
    int64_t origin_ms, scale_ms; /* where the stream lies; how far time moves at once */
    int64_t far_ms;              /* how late the latest are */
};

struct bench {
    struct cm_prng prng;
    const struct variant *variant;
    struct cm_config *config;
    struct cm_roster *roster;
    struct cm_windows *windows;
    struct cm_attribution *attribution;
    uint32_t rules_windows, rules_kinds;
    uint64_t seed;
    int64_t now_ms, clock_ms, watermark_ms;
    struct counted legs[LEGS_MAX];
    uint32_t legs_count;
    struct memory ids[IDS_MAX];
    uint32_t ids_count;
    struct figures now[UNITS_MAX]; /* of the window that was looked at last */
    struct figures taken[CM_VIEW_COUNT][CM_WINDOWS_MAX][UNITS_MAX];
    int64_t taken_ms[CM_WINDOWS_MAX][UNITS_MAX]; /* asof of the rows; 0: none yet */
    uint64_t compared, stood;
};

static struct cm_marks verdicts;

static const char roster_csv[] = "seat,team,room,centre,from\n"
                                 "s1,t1,r1,main,\n"
                                 "s2,t1,r1,main,\n"
                                 "s3,t2,r1,main,\n"
                                 "s3,t1,r1,main,2024-03-31T00:59:30Z\n";

#define COMMON                                                                                     \
    "queues: {q1: {owner: \"team:t1\"}}\nshort_abandon: 1s\n"                                      \
    "compliance: {checks: {id: {weight: 2, veto: true}}}\n"

/* Around the change to summer time in Berlin, 2024-03-31 01:00 UTC, and a quarter's end there. */
#define SPRING_MS  INT64_C(1711846800000)
#define QUARTER_MS INT64_C(1711922400000)

static const struct variant variants[] = {
    {COMMON "windows: [10s/1s, 1m/5s]\nperiods: [day, quarter]\nallowed_lateness: 2s\ndedupe: 5s\n"
            "timezone: Europe/Berlin\n",
     QUARTER_MS, 1500, 120000},
    {COMMON "windows: [5s/1s]\nperiods: [day]\nallowed_lateness: 1s\ndedupe: 1m\n"
            "timezone: Europe/Berlin\n",
     QUARTER_MS, 3000, 60000},
    {COMMON "windows: [2h/1h, 1d/2h]\nperiods: []\nallowed_lateness: 10m\ndedupe: 2h\n", SPRING_MS,
     600000, 36000000},
    {COMMON "windows: [1m/1s]\nperiods: [week, month]\nallowed_lateness: 0s\ndedupe: 0s\n"
            "timezone: Europe/Berlin\n",
     SPRING_MS, 2000, 90000},
    {COMMON "windows: [1s/250ms, 4s/500ms]\nperiods: [day]\nallowed_lateness: 2s\ndedupe: 2s\n"
            "timezone: UTC\n",
     QUARTER_MS, 400, 5000},
    {COMMON "windows: [1h/1m, 30s/30s]\nperiods: [day, week, month]\nallowed_lateness: 10s\n"
            "dedupe: 20s\ntimezone: Europe/Berlin\n",
     SPRING_MS, 40000, 5000000},
    {COMMON "windows: []\nperiods: [day, quarter]\nallowed_lateness: 3s\ndedupe: 30s\n"
            "timezone: Europe/Berlin\n",
     QUARTER_MS, 3000, 90000},
};

static uint64_t below(struct bench *b, uint64_t bound)
{
    return cm_prng_below(&b->prng, bound);
}

static bool chance(struct bench *b, unsigned percent)
{
    return below(b, 100) < percent;
}

static int64_t span_ms(struct bench *b, int64_t most_ms)
{
    return (int64_t)below(b, (uint64_t)most_ms + 1);
}

/* ---- the oracle
 * ------------------------------------------------------------------------------------------- */

static uint64_t weigh(uint32_t bin)
{
    uint64_t mixed = (bin + 1) * UINT64_C(0x9e3779b97f4a7c15);
    return mixed ^ mixed >> 29;
}

static void weigh_bin(void *context, uint32_t bin, uint32_t count)
{
    *(uint64_t *)context += count * weigh(bin);
}

static void figures_of_measures(const struct cm_measures *m, struct figures *f)
{
    uint32_t at = 0;
    memset(f, 0, sizeof(*f));
    for (uint32_t i = 0; i < CM_TALLY_COUNT_N; i++) {
        f->at[at++] = m->tally.count[i];
    }
    for (uint32_t i = 0; i < CM_TALLY_SUM_N; i++) {
        f->at[at++] = m->tally.sum[i];
    }
    f->at[at++] = m->tally.wait_max_ms;
    f->at[at++] = m->tally.handle_max_ms;
    cm_hist_each(&m->handle, weigh_bin, &f->at[at]);
}

static void figures_add(struct figures *f, const struct cm_leg *leg)
{
    uint32_t at = 0;
    struct cm_tally tally;
    cm_leg_tally(leg, &tally); /* leg_test.c has it right */
    for (uint32_t i = 0; i < CM_TALLY_COUNT_N; i++) {
        f->at[at++] += tally.count[i];
    }
    for (uint32_t i = 0; i < CM_TALLY_SUM_N; i++) {
        f->at[at++] += tally.sum[i];
    }
    f->at[at] = tally.wait_max_ms > f->at[at] ? tally.wait_max_ms : f->at[at];
    at++;
    f->at[at] = tally.handle_max_ms > f->at[at] ? tally.handle_max_ms : f->at[at];
    at++;
    if (leg->bin != CM_LEG_NO_BIN) {
        f->at[at] += weigh(leg->bin);
    }
}

static int64_t window_left_ms(const struct bench *b, uint32_t window, int64_t asof_ms)
{
    const struct cm_window_spec *spec = &b->config->all[window];
    return spec->is_period ? cm_zone_period_start_ms(b->config->zone, spec->period, asof_ms - 1)
                           : asof_ms - spec->length_ms;
}

/* Adds up what each unit shows as of an instant. */
static void naive_at(const struct bench *b, uint32_t window, int64_t asof_ms, struct figures *units)
{
    int64_t left_ms = window_left_ms(b, window, asof_ms);
    for (uint32_t i = 0; i < b->legs_count; i++) {
        const struct cm_leg *leg = &b->legs[i].leg;
        if (!b->legs[i].lives || leg->ts_ms < left_ms || leg->ts_ms >= asof_ms) {
            continue;
        }
        for (uint32_t u = 0; u < b->legs[i].units.count; u++) {
            figures_add(&units[b->legs[i].units.units[u]], leg);
        }
    }
}

/* Fills b->now with what every unit must show. */
static void naive(struct bench *b, enum cm_view view, uint32_t window)
{
    int64_t asof_ms = cm_windows_asof(b->windows, view, window);
    memset(b->now, 0, sizeof(b->now));
    if (asof_ms != INT64_MIN) {
        naive_at(b, window, asof_ms, b->now);
    }
}

static bool oracle_covers(const struct bench *b, int64_t ts_ms)
{
    int64_t from_ms = ts_ms > b->watermark_ms ? ts_ms : b->watermark_ms;
    for (uint32_t i = 0; i < b->config->all_count; i++) {
        int64_t step_ms = b->config->all[i].step_ms;
        int64_t asof_ms = from_ms - from_ms % step_ms + step_ms;
        if (window_left_ms(b, i, asof_ms) <= ts_ms) {
            return true;
        }
    }
    return false;
}

/* What the event does, and what must be said of it. `memory` is that of its id. */
static enum cm_verdict oracle_take(struct bench *b, struct memory *memory,
                                   const struct cm_event *event)
{
    bool known = memory->known && b->clock_ms - memory->seen_ms <= b->config->dedupe_ms;
    bool revises =
        known && memory->is_cdr && event->type == CM_EVENT_CDR && event->rev > memory->rev;
    b->clock_ms = event->ts_ms > b->clock_ms ? event->ts_ms : b->clock_ms;
    if (known && !revises) {
        return CM_VERDICT_DUPLICATE;
    }
    if (revises && memory->leg >= 0) {
        b->legs[memory->leg].lives = false;
    }
    bool counts = oracle_covers(b, event->ts_ms);
    int leg = -1;
    if (counts && event->type == CM_EVENT_CDR) {
        leg = (int)b->legs_count++;
        cm_leg_judge(&b->legs[leg].leg, event, b->config, &verdicts);
        (void)cm_attribution_resolve(b->attribution, event, &b->legs[leg].units);
        b->legs[leg].lives = true;
    }
    if ((counts || revises) && b->config->dedupe_ms > 0) {
        memory->known = true;
        memory->is_cdr = event->type == CM_EVENT_CDR;
        memory->rev = event->rev;
        memory->seen_ms = b->clock_ms;
        memory->leg = leg;
    }
    if (!counts) {
        return CM_VERDICT_LATE;
    }
    return revises ? CM_VERDICT_REVISED : CM_VERDICT_COUNTED;
}

/* ---- looking
 * ------------------------------------------------------------------------------------------- */

static bool in_view(const struct bench *b, enum cm_view view, uint32_t window, uint32_t unit)
{
    const struct cm_unit_key *key = cm_units_key(cm_windows_units(b->windows), unit);
    return view == CM_VIEW_ROWS ||
           ((b->rules_windows >> window & 1u) != 0 && (b->rules_kinds >> key->kind & 1u) != 0);
}

static void compare_window(struct bench *b, enum cm_view view, uint32_t window)
{
    uint32_t units = cm_units_count(cm_windows_units(b->windows));
    assert_true(units <= UNITS_MAX);
    naive(b, view, window);
    for (uint32_t u = 0; u < units; u++) {
        if (!in_view(b, view, window, u)) {
            continue;
        }
        struct cm_measures m;
        struct figures got;
        static const struct figures nothing;
        bool counts = cm_windows_measure(b->windows, view, window, u, &m);
        figures_of_measures(&m, &got);
        bool equal = memcmp(&got, &b->now[u], sizeof(got)) == 0 &&
                     counts == (memcmp(&nothing, &b->now[u], sizeof(got)) != 0);
        for (uint32_t i = 0; i < FIGURES && !equal; i++) {
            if (got.at[i] != b->now[u].at[i]) {
                fail_msg("seed %llu variant %d view %d window %s unit %u figure %u: %llu, not %llu",
                         (unsigned long long)b->seed, (int)(b->variant - variants), view,
                         b->config->all[window].name, u, i, (unsigned long long)got.at[i],
                         (unsigned long long)b->now[u].at[i]);
            }
        }
        assert_true(equal);
        b->compared++;
    }
}

/* What was taken before still holds as of the instant of then, where there is no mark. */
static void check_standing(struct bench *b, uint32_t window, const uint32_t *marks)
{
    int64_t asof_ms = cm_windows_asof(b->windows, CM_VIEW_ROWS, window);
    int64_t then_ms = 0;
    static struct figures then[UNITS_MAX];
    for (uint32_t u = 0; u < cm_units_count(cm_windows_units(b->windows)); u++) {
        if ((marks[u] >> window & 1u) != 0) {
            b->taken_ms[window][u] = asof_ms;
            continue;
        }
        if (b->taken_ms[window][u] == 0) {
            continue;
        }
        if (b->taken_ms[window][u] != then_ms) {
            then_ms = b->taken_ms[window][u];
            memset(then, 0, sizeof(then));
            naive_at(b, window, then_ms, then);
        }
        if (memcmp(&then[u], &b->taken[CM_VIEW_ROWS][window][u], sizeof(then[u])) != 0) {
            fail_msg(
                "seed %llu variant %d window %s unit %u: the row as of %lld was not taken again",
                (unsigned long long)b->seed, (int)(b->variant - variants),
                b->config->all[window].name, u, (long long)then_ms);
        }
        b->stood++;
    }
}

/* Takes the marks of one window (or of all, `only` negative) and holds them against the figures. */
static void take_changed(struct bench *b, enum cm_view view, int only)
{
    uint32_t marks[UNITS_MAX] = {0};
    uint32_t count = 0;
    const struct cm_changed_unit *changed =
        only < 0 ? cm_windows_changed(b->windows, view, &count)
                 : cm_windows_changed_in(b->windows, view, (uint32_t)only, &count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(marks[changed[i].unit], 0); /* each once */
        assert_int_not_equal(changed[i].windows, 0);
        marks[changed[i].unit] = changed[i].windows;
    }
    uint32_t units = cm_units_count(cm_windows_units(b->windows));
    for (uint32_t window = 0; window < b->config->all_count; window++) {
        if (only >= 0 && (uint32_t)only != window) {
            continue;
        }
        compare_window(b, view, window);
        for (uint32_t u = 0; u < units; u++) {
            if (in_view(b, view, window, u) && (marks[u] >> window & 1u) == 0 &&
                memcmp(&b->now[u], &b->taken[view][window][u], sizeof(b->now[u])) != 0) {
                fail_msg("seed %llu variant %d view %d window %s unit %u changed without a mark",
                         (unsigned long long)b->seed, (int)(b->variant - variants), view,
                         b->config->all[window].name, u);
            }
        }
        if (view == CM_VIEW_ROWS) {
            check_standing(b, window, marks);
        }
        memcpy(b->taken[view][window], b->now, sizeof(b->now));
    }
}

/* ---- moving on, as a worker does
 * ------------------------------------------------------------------------------------------ */

static int64_t close_periods(struct bench *b, uint32_t window, int64_t asof_ms)
{
    for (;;) {
        int64_t at_ms = cm_windows_asof(b->windows, CM_VIEW_ROWS, window);
        if (at_ms == INT64_MIN) {
            return asof_ms;
        }
        int64_t end_ms =
            cm_zone_period_end_ms(b->config->zone, b->config->all[window].period, at_ms - 1);
        if (asof_ms <= end_ms) {
            return asof_ms;
        }
        if (b->watermark_ms < end_ms) {
            return end_ms;
        }
        cm_windows_advance(b->windows, CM_VIEW_ROWS, window, end_ms);
        compare_window(b, CM_VIEW_ROWS, window);
        int64_t next_ms = end_ms + b->config->all[window].step_ms;
        cm_windows_advance(b->windows, CM_VIEW_ROWS, window, next_ms);
    }
}

static void advance_rows(struct bench *b)
{
    for (uint32_t i = 0; i < b->config->all_count; i++) {
        int64_t asof_ms = cm_window_next_asof(&b->config->all[i], b->now_ms);
        if (b->config->all[i].is_period) {
            asof_ms = close_periods(b, i, asof_ms);
        }
        if (asof_ms < cm_windows_asof(b->windows, CM_VIEW_ROWS, i)) {
            continue;
        }
        cm_windows_advance(b->windows, CM_VIEW_ROWS, i, asof_ms);
        compare_window(b, CM_VIEW_ROWS, i);
    }
}

/* Step by step to the watermark; between two changes nothing may change. */
static void advance_rules(struct bench *b)
{
    for (uint32_t i = 0; i < b->config->all_count; i++) {
        if ((b->rules_windows >> i & 1u) == 0 || b->watermark_ms == INT64_MIN) {
            continue;
        }
        int64_t step_ms = b->config->all[i].step_ms;
        int64_t last_ms = cm_window_next_asof(&b->config->all[i], b->watermark_ms) - step_ms;
        for (;;) {
            int64_t at_ms = cm_windows_asof(b->windows, CM_VIEW_RULES, i);
            int64_t next_ms = cm_windows_next_change(b->windows, CM_VIEW_RULES, i);
            assert_true(at_ms == INT64_MIN || next_ms > at_ms);
            if (at_ms != INT64_MIN && next_ms > at_ms + step_ms && at_ms + step_ms <= last_ms) {
                int64_t still_ms = next_ms - step_ms < last_ms ? next_ms - step_ms : last_ms;
                cm_windows_advance(b->windows, CM_VIEW_RULES, i, still_ms);
                uint32_t count = 0;
                (void)cm_windows_changed_in(b->windows, CM_VIEW_RULES, i, &count);
                assert_int_equal(count, 0);
                take_changed(b, CM_VIEW_RULES, (int)i);
            }
            if (next_ms > last_ms) {
                break;
            }
            cm_windows_advance(b->windows, CM_VIEW_RULES, i, next_ms);
            take_changed(b, CM_VIEW_RULES, (int)i);
        }
        if (last_ms > cm_windows_asof(b->windows, CM_VIEW_RULES, i)) {
            cm_windows_advance(b->windows, CM_VIEW_RULES, i, last_ms);
            take_changed(b, CM_VIEW_RULES, (int)i);
        }
    }
}

static void tick(struct bench *b)
{
    if (chance(b, 30)) {
        /* Idle: the watermark follows the clock. */
        int64_t wanted_ms = b->now_ms - b->config->allowed_lateness_ms;
        b->watermark_ms = wanted_ms > b->watermark_ms ? wanted_ms : b->watermark_ms;
    }
    advance_rules(b);
    advance_rows(b);
    if (chance(b, 10)) {
        cm_windows_touch_all(b->windows, CM_VIEW_ROWS);
    }
    if (chance(b, 70)) {
        take_changed(b, CM_VIEW_ROWS, -1);
    }
    cm_windows_trim(b->windows);
}

/* ---- events
 * ------------------------------------------------------------------------------------------- */

static struct cm_str text(const char *cstr)
{
    return (struct cm_str){cstr, (uint32_t)strlen(cstr)};
}

static uint32_t part_ms(struct bench *b)
{
    if (chance(b, 4)) {
        return (uint32_t)CM_PART_MS_MAX - (uint32_t)below(b, 3); /* seven of these fill an entry */
    }
    return chance(b, 50) ? (uint32_t)below(b, 5) * 1000 : (uint32_t)below(b, 100000);
}

static void fill_event(struct bench *b, struct cm_event *event)
{
    static const char *const seats[] = {"s1", "s2", "s3", "stranger", ""};
    static const char *const queues[] = {"q1", "q2", ""};
    static const struct cm_check checks[] = {{{"id", 2}, 0}, {{"other", 5}, 1}};
    memset(event, 0, sizeof(*event));
    event->type = chance(b, 95) ? CM_EVENT_CDR : CM_EVENT_CASE;
    event->outcome = (uint8_t)(chance(b, 60) ? CM_OUTCOME_ANSWERED : below(b, CM_OUTCOME_COUNT));
    event->rating = (int8_t)(chance(b, 30) ? (int)below(b, 101) : -1);
    event->seat = text(seats[below(b, 5)]);
    event->queue = text(queues[below(b, 3)]);
    event->wait_ms = part_ms(b);
    event->talk_ms = part_ms(b);
    event->hold_ms = chance(b, 30) ? part_ms(b) : 0;
    event->acw_ms = chance(b, 30) ? part_ms(b) : 0;
    event->transfers = chance(b, 5) ? UINT32_MAX - (uint32_t)below(b, 9) : (uint32_t)below(b, 3);
    event->rev = (uint32_t)below(b, 2);
    event->checks = checks;
    event->checks_count = (uint32_t)below(b, 3);
}

static int64_t event_time(struct bench *b)
{
    uint64_t roll = below(b, 100);
    int64_t ts_ms = b->now_ms;
    if (roll < 50) {
        ts_ms -= span_ms(b, b->config->allowed_lateness_ms);
    } else if (roll < 65) {
        ts_ms -= span_ms(b, 3 * b->config->allowed_lateness_ms + 1000);
    } else if (roll < 75) {
        ts_ms -= span_ms(b, b->variant->far_ms);
    } else if (roll < 80) {
        ts_ms += span_ms(b, b->variant->scale_ms);
    }
    if (chance(b, 40)) { /* right at an edge */
        int64_t pane_ms = cm_windows_pane_ms(b->windows);
        ts_ms = ts_ms / pane_ms * pane_ms - (int64_t)below(b, 2);
    }
    return ts_ms;
}

static void one_event(struct bench *b)
{
    struct memory *memory = NULL;
    struct cm_event event;
    fill_event(b, &event);
    event.ts_ms = event_time(b);
    if (b->ids_count > 0 && chance(b, 35)) {
        uint64_t back = below(b, b->ids_count < 12 ? b->ids_count : 12);
        memory = &b->ids[b->ids_count - 1 - back];
        if (chance(b, 20)) {
            event = memory->event; /* a copy */
        } else {
            event.rev = memory->rev + (uint32_t)below(b, 3);
            if (chance(b, 50)) { /* small changes of the same leg */
                uint32_t talk_ms = chance(b, 50) ? event.talk_ms : memory->event.talk_ms;
                uint32_t rev = event.rev;
                event = memory->event;
                event.rev = rev;
                event.talk_ms = talk_ms;
            }
        }
    } else {
        memory = &b->ids[b->ids_count];
        snprintf(memory->id, sizeof(memory->id), "e%u", b->ids_count++);
        if (b->ids_count > 4 && chance(b, 15)) { /* a twin of another leg */
            struct cm_event twin = b->ids[b->ids_count - 2 - below(b, 3)].event;
            twin.ts_ms = event.ts_ms;
            event = twin;
        }
    }
    event.id = text(memory->id);
    memory->event = event;
    enum cm_verdict got = cm_windows_apply(b->windows, &event, NULL, b->watermark_ms);
    enum cm_verdict want = oracle_take(b, memory, &event);
    assert_int_equal(got, want);
    int64_t watermark_ms = b->clock_ms - b->config->allowed_lateness_ms;
    if (watermark_ms > b->watermark_ms && chance(b, 60)) {
        b->watermark_ms = watermark_ms;
    }
}

/* ---- streams
 * ------------------------------------------------------------------------------------------ */

static void open_bench(struct bench *b, uint64_t seed)
{
    memset(b, 0, sizeof(*b));
    cm_prng_seed(&b->prng, seed);
    b->seed = seed;
    b->variant = &variants[seed % (sizeof(variants) / sizeof(variants[0]))];
    assert_int_equal(cm_config_parse("test.yaml", b->variant->yaml, strlen(b->variant->yaml), NULL,
                                     0, &b->config),
                     0);
    assert_int_equal(
        cm_roster_parse("roster.csv", roster_csv, sizeof(roster_csv) - 1, "main", &b->roster), 0);
    b->rules_windows = (uint32_t)below(b, UINT64_C(1) << b->config->all_count);
    b->rules_kinds = 1 + (uint32_t)below(b, (1u << CM_KIND_COUNT) - 1);
    b->windows = cm_windows_create(b->config, b->roster, b->rules_windows, b->rules_kinds);
    b->attribution = cm_attribution_create(b->config, b->roster, cm_windows_units(b->windows));
    b->now_ms = b->variant->origin_ms - span_ms(b, 40 * b->variant->scale_ms);
    b->clock_ms = INT64_MIN;
    b->watermark_ms = INT64_MIN;
}

static void close_bench(struct bench *b)
{
    cm_attribution_destroy(b->attribution);
    cm_windows_destroy(b->windows);
    cm_roster_free(b->roster);
    cm_config_free(b->config);
}

static void equals_the_naive_sum(void **state)
{
    (void)state;
    static struct bench b;
    uint64_t compared = 0, stood = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        open_bench(&b, seed);
        uint32_t events = 20 + (uint32_t)below(&b, 180);
        for (uint32_t i = 0; i < events; i++) {
            uint64_t burst = chance(&b, 20) ? 12 : 1 + below(&b, 4);
            for (uint64_t e = 0; e < burst && i < events; e++, i++) {
                one_event(&b);
            }
            b.now_ms += chance(&b, 30) ? 0 : span_ms(&b, b.variant->scale_ms);
            if (chance(&b, 3)) {
                b.now_ms += span_ms(&b, 20 * b.variant->scale_ms);
            }
            tick(&b);
        }
        b.now_ms += 1000 * b.variant->scale_ms; /* everything slides out */
        b.watermark_ms = b.now_ms - b.config->allowed_lateness_ms;
        tick(&b);
        compared += b.compared;
        stood += b.stood;
        close_bench(&b);
    }
    assert_true(compared > 100 * SEEDS);
    assert_true(stood > 10 * SEEDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_naive_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
