// SPDX-License-Identifier: Apache-2.0
/* figures_test.c — each formula by hand, the rounding against floating point's absence, the row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/prng.h"
#include "event/figures.h"

static const struct cm_formulas defaults = {CM_ABANDON_NET, CM_SL_NEGATIVE};

static struct cm_value get(enum cm_figure figure, const struct cm_measures *m)
{
    return cm_figure_get(figure, m, &defaults);
}

static void assert_is(struct cm_value value, uint64_t expected)
{
    assert_false(value.null);
    assert_true(value.value == expected);
}

static void add_handle(struct cm_measures *m, uint32_t handle_ms)
{
    m->tally.answered++;
    m->tally.talk_ms += handle_ms;
    if (handle_ms > m->tally.handle_max_ms) {
        m->tally.handle_max_ms = handle_ms;
    }
    cm_hist_add(&m->handle, cm_hist_bin(handle_ms), 1);
}

static void names_kinds_decimals(void **state)
{
    (void)state;
    enum cm_figure figure = CM_FIGURE_vetoes;
    for (unsigned i = 0; i < CM_FIGURE_COUNT; i++) {
        const char *name = cm_figure_name((enum cm_figure)i);
        assert_true(cm_figure_parse((struct cm_str){name, (uint32_t)strlen(name)}, &figure));
        assert_int_equal(figure, i);
    }
    figure = CM_FIGURE_vetoes;
    assert_false(cm_figure_parse(CM_STR("aht"), &figure));
    assert_false(cm_figure_parse(CM_STR("aht_ms "), &figure));
    assert_false(cm_figure_parse((struct cm_str){NULL, 0}, &figure));
    assert_int_equal(figure, CM_FIGURE_vetoes);
    assert_string_equal(cm_figure_name(CM_FIGURE_COUNT), "?");
    assert_int_equal(cm_figure_kind(CM_FIGURE_aht_ms), CM_FIGURE_KIND_MEAN);
    assert_int_equal(cm_figure_kind(CM_FIGURE_handle_p99_ms), CM_FIGURE_KIND_QUANTILE);
    assert_int_equal(cm_figure_decimals(CM_FIGURE_offered), 0);
    assert_int_equal(cm_figure_decimals(CM_FIGURE_handle_ms), 0);
    assert_int_equal(cm_figure_decimals(CM_FIGURE_aht_ms), 0);
    assert_int_equal(cm_figure_decimals(CM_FIGURE_handle_p50_ms), 0);
    assert_int_equal(cm_figure_decimals(CM_FIGURE_rating_avg), 2);
    assert_int_equal(cm_figure_decimals(CM_FIGURE_occupancy), 4);
    assert_string_equal(cm_abandon_formula_name(CM_ABANDON_GROSS), "gross");
    assert_string_equal(cm_abandon_formula_name(CM_ABANDON_NET), "net");
    assert_string_equal(cm_sl_formula_name(CM_SL_ANSWERED), "answered");
    assert_string_equal(cm_sl_formula_name(CM_SL_IGNORE), "ignore");
    assert_string_equal(cm_sl_formula_name(CM_SL_POSITIVE), "positive");
    assert_string_equal(cm_sl_formula_name(CM_SL_NEGATIVE), "negative");
    assert_string_equal(cm_sl_formula_name((enum cm_sl_formula)4), "?");
}

/* The order of rows is part of the contract; so is the list. */
static void the_list_of_the_contract(void **state)
{
    (void)state;
    static const char *const names[] = {"offered",
                                        "answered",
                                        "abandoned",
                                        "no_answer",
                                        "rejected",
                                        "flow_out",
                                        "short_abandoned",
                                        "hold_abandoned",
                                        "sl_met",
                                        "sl_abandoned",
                                        "wait_ms",
                                        "talk_ms",
                                        "hold_ms",
                                        "acw_ms",
                                        "abandon_wait_ms",
                                        "wait_max_ms",
                                        "handle_ms",
                                        "handle_max_ms",
                                        "transfers",
                                        "ratings",
                                        "rating_sum",
                                        "checked",
                                        "compliant",
                                        "check_weight",
                                        "check_weight_passed",
                                        "vetoes",
                                        "aht_ms",
                                        "asa_ms",
                                        "handle_p50_ms",
                                        "handle_p90_ms",
                                        "handle_p99_ms",
                                        "abandon_rate",
                                        "service_level",
                                        "compliance_rate",
                                        "compliant_rate",
                                        "rating_avg",
                                        "occupancy"};
    assert_int_equal(CM_ARRAY_LEN(names), CM_FIGURE_COUNT);
    for (unsigned i = 0; i < CM_FIGURE_COUNT; i++) {
        assert_string_equal(cm_figure_name((enum cm_figure)i), names[i]);
    }
}

static void primitives_are_those_of_the_tally(void **state)
{
    (void)state;
    struct cm_measures m = {0};
    uint64_t at = 1;
    enum cm_figure figure;
#define X(name) m.tally.name = (uint32_t)(at++ * 1000);
    CM_TALLY_COUNTS(X)
    CM_TALLY_SUMS(X)
    X(wait_max_ms)
    X(handle_max_ms)
#undef X
#define X(name)                                                                                    \
    assert_true(cm_figure_parse(CM_STR(#name), &figure));                                          \
    assert_is(get(figure, &m), m.tally.name);
    CM_TALLY_COUNTS(X)
    CM_TALLY_SUMS(X)
    X(wait_max_ms)
    X(handle_max_ms)
#undef X
    assert_is(get(CM_FIGURE_offered, &m), cm_tally_offered(&m.tally));
    assert_is(get(CM_FIGURE_handle_ms, &m), m.tally.talk_ms + m.tally.hold_ms + m.tally.acw_ms);
}

static void nothing_is_zeros_and_nulls(void **state)
{
    (void)state;
    struct cm_measures m = {0};
    for (unsigned i = 0; i < CM_FIGURE_COUNT; i++) {
        enum cm_figure_kind kind = cm_figure_kind((enum cm_figure)i);
        struct cm_value value = get((enum cm_figure)i, &m);
        assert_int_equal(value.null, kind != CM_FIGURE_KIND_COUNT && kind != CM_FIGURE_KIND_SUM);
        assert_true(value.value == 0);
    }
}

static void means_round_half_up(void **state)
{
    (void)state;
    struct cm_measures m = {0};
    m.tally.answered = 2;
    m.tally.talk_ms = 1;
    m.tally.hold_ms = 1;
    m.tally.acw_ms = 1;
    assert_is(get(CM_FIGURE_aht_ms, &m), 2); /* 1.5 */
    m.tally.wait_ms = 5;
    assert_is(get(CM_FIGURE_asa_ms, &m), 3); /* 2.5 */
    m.tally.answered = 3;
    m.tally.wait_ms = 4;
    assert_is(get(CM_FIGURE_asa_ms, &m), 1); /* 1.33 */
    m.tally.wait_ms = 5;
    assert_is(get(CM_FIGURE_asa_ms, &m), 2); /* 1.67 */
    m.tally.wait_ms = 0;
    assert_is(get(CM_FIGURE_asa_ms, &m), 0); /* waited not at all: 0, not null */
}

static void rates_round_half_up(void **state)
{
    (void)state;
    struct cm_measures m = {0};
    m.tally.check_weight = 3;
    m.tally.check_weight_passed = 1;
    assert_is(get(CM_FIGURE_compliance_rate, &m), 3333);
    m.tally.check_weight_passed = 2;
    assert_is(get(CM_FIGURE_compliance_rate, &m), 6667);
    m.tally.check_weight = 20000; /* 0.00005 rounds up to 0.0001, 0.00015 to 0.0002 */
    m.tally.check_weight_passed = 1;
    assert_is(get(CM_FIGURE_compliance_rate, &m), 1);
    m.tally.check_weight_passed = 3;
    assert_is(get(CM_FIGURE_compliance_rate, &m), 2);
    m.tally.check_weight = 20001;
    m.tally.check_weight_passed = 1;
    assert_is(get(CM_FIGURE_compliance_rate, &m), 0);
    m.tally.checked = 7;
    m.tally.compliant = 7;
    assert_is(get(CM_FIGURE_compliant_rate, &m), 10000);
    m.tally.ratings = 3;
    m.tally.rating_sum = 200;
    assert_is(get(CM_FIGURE_rating_avg, &m), 6667); /* 66.67 */
    m.tally.ratings = 8;
    m.tally.rating_sum = 1;
    assert_is(get(CM_FIGURE_rating_avg, &m), 13); /* 0.125 */
}

/* r is n/d rounded half up at this scale when 0 <= 2 n s + d - 2 d r < 2 d, all exact in 128 bits.
 */
static void rounding_holds_for_any_size(void **state)
{
    (void)state;
    __extension__ typedef unsigned __int128 wide;
    struct cm_prng prng;
    cm_prng_seed(&prng, 11);
    for (int round = 0; round < 20000; round++) {
        struct cm_measures m = {0};
        unsigned bits = 1 + (unsigned)cm_prng_below(&prng, 62);
        uint64_t d = 1 + cm_prng_below(&prng, UINT64_C(1) << bits);
        uint64_t n = cm_prng_below(&prng, d + 1);
        m.tally.check_weight = d;
        m.tally.check_weight_passed = n;
        struct cm_value value = get(CM_FIGURE_compliance_rate, &m);
        assert_false(value.null);
        wide left = 2 * (wide)n * 10000 + d;
        wide right = 2 * (wide)d * value.value;
        assert_true(right <= left && left - right < 2 * (wide)d);
        assert_true(value.value <= 10000);
    }
}

static void abandonment_by_formula(void **state)
{
    (void)state;
    struct cm_measures m = {0};
    struct cm_formulas f = {CM_ABANDON_GROSS, CM_SL_NEGATIVE};
    m.tally.answered = 70;
    m.tally.abandoned = 20;
    m.tally.short_abandoned = 5;
    m.tally.no_answer = 4;
    m.tally.rejected = 3;
    m.tally.flow_out = 3;
    assert_is(cm_figure_get(CM_FIGURE_abandon_rate, &m, &f), 2000); /* 20 / 100 */
    f.abandon = CM_ABANDON_NET;
    assert_is(cm_figure_get(CM_FIGURE_abandon_rate, &m, &f), 1579); /* 15 / 95 */
    m = (struct cm_measures){0};
    m.tally.abandoned = 3;
    m.tally.short_abandoned = 3; /* all were short: net has nothing to judge */
    assert_true(cm_figure_get(CM_FIGURE_abandon_rate, &m, &f).null);
    f.abandon = CM_ABANDON_GROSS;
    assert_is(cm_figure_get(CM_FIGURE_abandon_rate, &m, &f), 10000);
}

static void service_level_by_formula(void **state)
{
    (void)state;
    struct cm_measures m = {0};
    struct cm_formulas f = {CM_ABANDON_NET, CM_SL_ANSWERED};
    m.tally.answered = 80;
    m.tally.sl_met = 60;
    m.tally.abandoned = 20;
    m.tally.sl_abandoned = 12;
    m.tally.short_abandoned = 5;
    m.tally.no_answer = 50; /* in none of the four */
    m.tally.flow_out = 50;
    assert_is(cm_figure_get(CM_FIGURE_service_level, &m, &f), 7500); /* 60 / 80 */
    f.service_level = CM_SL_IGNORE;
    assert_is(cm_figure_get(CM_FIGURE_service_level, &m, &f), 6818); /* 60 / 88 */
    f.service_level = CM_SL_POSITIVE;
    assert_is(cm_figure_get(CM_FIGURE_service_level, &m, &f), 7200); /* 72 / 100 */
    f.service_level = CM_SL_NEGATIVE;
    assert_is(cm_figure_get(CM_FIGURE_service_level, &m, &f), 6316); /* 60 / 95 */
}

static void service_level_of_abandons_alone(void **state)
{
    (void)state;
    struct cm_measures m = {0};
    struct cm_formulas f = {CM_ABANDON_NET, CM_SL_ANSWERED};
    m.tally.abandoned = 4;
    m.tally.sl_abandoned = 4;
    m.tally.short_abandoned = 4;
    assert_true(cm_figure_get(CM_FIGURE_service_level, &m, &f).null);
    f.service_level = CM_SL_IGNORE;
    assert_true(cm_figure_get(CM_FIGURE_service_level, &m, &f).null);
    f.service_level = CM_SL_POSITIVE;
    assert_is(cm_figure_get(CM_FIGURE_service_level, &m, &f), 10000);
    f.service_level = CM_SL_NEGATIVE;
    assert_true(cm_figure_get(CM_FIGURE_service_level, &m, &f).null);
    m.tally.short_abandoned = 1;
    assert_is(cm_figure_get(CM_FIGURE_service_level, &m, &f), 0);
}

static void occupancy_is_of_busy_and_available(void **state)
{
    (void)state;
    struct cm_measures m = {0};
    m.busy_ms = 45000;
    assert_is(get(CM_FIGURE_occupancy, &m), 10000);
    m.available_ms = 15000;
    assert_is(get(CM_FIGURE_occupancy, &m), 7500);
    m.busy_ms = 0;
    assert_is(get(CM_FIGURE_occupancy, &m), 0);
    m.busy_ms = UINT64_C(1) << 60; /* beyond what 64 bits can scale */
    m.available_ms = UINT64_C(1) << 60;
    assert_is(get(CM_FIGURE_occupancy, &m), 5000);
}

static void a_quantile_never_exceeds_the_longest(void **state)
{
    (void)state;
    struct cm_measures m = {0};
    add_handle(&m, 59500);
    assert_true(cm_hist_bin_value(cm_hist_bin(59500)) > 59500); /* or this tests nothing */
    assert_is(get(CM_FIGURE_handle_p50_ms, &m), 59500);
    assert_is(get(CM_FIGURE_handle_p99_ms, &m), 59500);
    cm_hist_free(&m.handle);
    m = (struct cm_measures){0};
    add_handle(&m, 60001);
    assert_true(get(CM_FIGURE_handle_p99_ms, &m).value <= 60001);
    assert_true(get(CM_FIGURE_handle_p99_ms, &m).value >= 58801); /* 2 % */
    cm_hist_free(&m.handle);
    m = (struct cm_measures){0};
    add_handle(&m, 0);
    assert_is(get(CM_FIGURE_handle_p90_ms, &m), 0); /* 0 ms is an answer, not null */
    cm_hist_free(&m.handle);
}

static int compare_u32(const void *a, const void *b)
{
    const uint32_t *x = a;
    const uint32_t *y = b;
    return (*x > *y) - (*x < *y);
}

static void quantiles_are_nearest_rank(void **state)
{
    (void)state;
    static const struct {
        enum cm_figure figure;
        uint32_t percent;
    } quantiles[] = {{CM_FIGURE_handle_p50_ms, 50},
                     {CM_FIGURE_handle_p90_ms, 90},
                     {CM_FIGURE_handle_p99_ms, 99}};
    uint32_t values[257];
    struct cm_prng prng;
    cm_prng_seed(&prng, 12);
    for (uint32_t n = 1; n <= CM_ARRAY_LEN(values); n++) {
        struct cm_measures m = {0};
        for (uint32_t i = 0; i < n; i++) {
            values[i] = (uint32_t)cm_prng_below(&prng, n % 2 == 0 ? 64 : 2000000);
            add_handle(&m, values[i]);
        }
        qsort(values, n, sizeof(values[0]), compare_u32);
        for (size_t q = 0; q < CM_ARRAY_LEN(quantiles); q++) {
            uint64_t exact = values[(quantiles[q].percent * n + 99) / 100 - 1];
            struct cm_value value = get(quantiles[q].figure, &m);
            uint64_t off = value.value > exact ? value.value - exact : exact - value.value;
            assert_false(value.null);
            assert_true(off * 50 <= exact); /* 2 %; and exact below 64 */
            assert_true(n % 2 != 0 || off == 0);
        }
        cm_hist_free(&m.handle);
    }
}

static void the_row_as_text(void **state)
{
    (void)state;
    struct cm_measures m = {0};
    struct cm_text out = {0};
    cm_figures_write(&out, &m, &defaults);
    assert_string_equal(
        cm_text_cstr(&out),
        "\"offered\":0,\"answered\":0,\"abandoned\":0,\"no_answer\":0,\"rejected\":0,"
        "\"flow_out\":0,\"short_abandoned\":0,\"hold_abandoned\":0,\"sl_met\":0,"
        "\"sl_abandoned\":0,\"wait_ms\":0,\"talk_ms\":0,\"hold_ms\":0,\"acw_ms\":0,"
        "\"abandon_wait_ms\":0,\"wait_max_ms\":0,\"handle_ms\":0,\"handle_max_ms\":0,"
        "\"transfers\":0,\"ratings\":0,\"rating_sum\":0,\"checked\":0,\"compliant\":0,"
        "\"check_weight\":0,\"check_weight_passed\":0,\"vetoes\":0,\"aht_ms\":null,"
        "\"asa_ms\":null,\"handle_p50_ms\":null,\"handle_p90_ms\":null,\"handle_p99_ms\":null,"
        "\"abandon_rate\":null,\"service_level\":null,\"compliance_rate\":null,"
        "\"compliant_rate\":null,\"rating_avg\":null,\"occupancy\":null");
    cm_text_free(&out);
}

static void the_row_as_json(void **state)
{
    (void)state;
    struct cm_measures m = {0};
    struct cm_text out = {0};
    add_handle(&m, 295000);
    m.tally.sl_met = 1;
    m.tally.abandoned = 7;
    m.tally.check_weight = 10000;
    m.tally.check_weight_passed = 1;
    m.tally.ratings = 2;
    m.tally.rating_sum = 199;
    m.busy_ms = 1;
    cm_text_adds(&out, "head {");
    cm_figures_write(&out, &m, &defaults);
    cm_text_addc(&out, '}');
    const char *text = cm_text_cstr(&out);
    assert_non_null(strstr(text, "{\"offered\":8,"));
    assert_non_null(strstr(text, ",\"abandon_rate\":0.8750,"));
    assert_non_null(strstr(text, ",\"service_level\":0.1250,"));
    assert_non_null(strstr(text, ",\"compliance_rate\":0.0001,"));
    assert_non_null(strstr(text, ",\"rating_avg\":99.50,"));
    assert_non_null(strstr(text, ",\"occupancy\":1.0000}"));
    json_error_t error;
    json_t *row = json_loads(text + 5, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(row);
    assert_int_equal(json_object_size(row), CM_FIGURE_COUNT);
    assert_int_equal(json_integer_value(json_object_get(row, "aht_ms")), 295000);
    assert_int_equal(json_integer_value(json_object_get(row, "handle_p99_ms")), 295000);
    assert_true(json_is_null(json_object_get(row, "compliant_rate")));
    json_decref(row);
    cm_text_free(&out);
    cm_hist_free(&m.handle);
}

/* It is kept for whoever has another share of the unit, and not told alone. */
static void time_in_offline_alone_is_nothing(void **state)
{
    (void)state;
    struct cm_formulas formulas = {CM_ABANDON_NET, CM_SL_NEGATIVE};
    struct cm_measures m = {.busy_ms = 0};
    cm_details_add(&m.details, &(struct cm_detail){CM_DETAIL_STATE, CM_STATE_OFFLINE, {0}, 9, 0});
    assert_true(cm_measures_are_empty(&m));
    struct cm_text text = {0};
    cm_figures_write(&text, &m, &formulas);
    cm_text_addc(&text, '\0');
    assert_null(strstr(text.data, "state_ms"));
    m.tally.abandoned = 1;
    assert_false(cm_measures_are_empty(&m));
    text.len = 0;
    cm_figures_write(&text, &m, &formulas);
    cm_text_addc(&text, '\0');
    assert_non_null(strstr(text.data, ",\"state_ms\":{\"offline\":9}"));
    m.tally.abandoned = 0;
    m.details.at[0].index = CM_STATE_BREAK;
    assert_false(cm_measures_are_empty(&m));
    cm_measures_free(&m);
    cm_text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_kinds_decimals),
        cmocka_unit_test(the_list_of_the_contract),
        cmocka_unit_test(primitives_are_those_of_the_tally),
        cmocka_unit_test(nothing_is_zeros_and_nulls),
        cmocka_unit_test(means_round_half_up),
        cmocka_unit_test(rates_round_half_up),
        cmocka_unit_test(rounding_holds_for_any_size),
        cmocka_unit_test(abandonment_by_formula),
        cmocka_unit_test(service_level_by_formula),
        cmocka_unit_test(service_level_of_abandons_alone),
        cmocka_unit_test(occupancy_is_of_busy_and_available),
        cmocka_unit_test(a_quantile_never_exceeds_the_longest),
        cmocka_unit_test(quantiles_are_nearest_rank),
        cmocka_unit_test(the_row_as_text),
        cmocka_unit_test(the_row_as_json),
        cmocka_unit_test(time_in_offline_alone_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
