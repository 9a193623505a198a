// SPDX-License-Identifier: Apache-2.0
/* traffic_mix_test.c — nothing is lost, nothing is invented, and lateness keeps its bound. */
#include "traffic/traffic_mix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N = 20000, STEP_MS = 10 };

struct seen {
    uint32_t times[N];
    uint32_t out, late, rubbish;
    int64_t now_ms; /* of the newest line in order */
};

static void note(struct seen *seen, struct cm_traffic_line *line, int64_t bound_ms)
{
    seen->out++;
    if (line->key_len == 0) {
        seen->rubbish++;
        return;
    }
    assert_int_equal(line->key_len, 3);
    assert_memory_equal(line->key, "key", 3);
    unsigned long number = strtoul(cm_text_cstr(&line->text), NULL, 10);
    assert_true(number < N);
    assert_true(line->ts_ms == (int64_t)number * STEP_MS); /* the ts never changes */
    seen->times[number]++;
    if (line->ts_ms < seen->now_ms) {
        seen->late++;
        assert_true(seen->now_ms - line->ts_ms <= bound_ms);
    }
}

static void run(const struct cm_traffic_options *options, struct seen *seen, int64_t bound_ms)
{
    struct cm_mix mix;
    struct cm_traffic_line line = {0};
    struct cm_traffic_line out = {0};
    cm_mix_init(&mix, options);
    memset(seen, 0, sizeof(*seen));
    for (int64_t i = 0; i < N; i++) {
        while (cm_mix_due(&mix, i * STEP_MS, &out)) {
            note(seen, &out, bound_ms);
        }
        line.text.len = 0;
        cm_text_addf(&line.text, "%lld and some more", (long long)i);
        line.ts_ms = i * STEP_MS;
        memcpy(line.key, "key", 3);
        line.key_len = 3;
        if (cm_mix_keep(&mix, &line)) {
            seen->now_ms = i * STEP_MS;
            note(seen, &line, bound_ms);
        }
    }
    while (cm_mix_due(&mix, INT64_MAX, &out)) {
        note(seen, &out, bound_ms);
    }
    cm_text_free(&line.text);
    cm_text_free(&out.text);
    cm_mix_free(&mix);
}

static void test_nothing_to_do(void **state)
{
    (void)state;
    struct cm_traffic_options options = {.disorder = 1.0}; /* by 0 ms */
    struct seen seen;
    run(&options, &seen, 0);
    assert_int_equal(seen.out, N);
    assert_int_equal(seen.late + seen.rubbish, 0);
}

static void test_disorder(void **state)
{
    (void)state;
    struct cm_traffic_options options = {.seed = 3, .disorder = 0.2, .disorder_ms_max = 5000};
    struct seen seen;
    run(&options, &seen, 5000);
    assert_int_equal(seen.out, N);
    assert_in_range(seen.late, N / 10, N / 4);
    for (uint32_t i = 0; i < N; i++) {
        assert_int_equal(seen.times[i], 1);
    }
    options.disorder = 1.0; /* every line */
    run(&options, &seen, 5000);
    assert_int_equal(seen.out, N);
}

static void test_duplicates(void **state)
{
    (void)state;
    struct cm_traffic_options options = {.seed = 4, .duplicates = 0.1};
    struct seen seen;
    run(&options, &seen, CM_MIX_AGAIN_MS_MAX);
    uint32_t twice = 0;
    for (uint32_t i = 0; i < N; i++) {
        assert_in_range(seen.times[i], 1, 2);
        twice += seen.times[i] == 2;
    }
    assert_in_range(twice, N / 12, N / 8);
    assert_int_equal(seen.out, N + twice);
}

static void test_rubbish_beside_all(void **state)
{
    (void)state;
    struct cm_traffic_options options = {
        .seed = 5, .rubbish = 0.05, .duplicates = 0.05, .disorder = 0.3, .disorder_ms_max = 2000};
    struct seen seen;
    run(&options, &seen, CM_MIX_AGAIN_MS_MAX);
    assert_in_range(seen.rubbish, N / 25, N / 16);
    uint32_t good = 0;
    for (uint32_t i = 0; i < N; i++) {
        assert_in_range(seen.times[i], 1, 2);
        good += seen.times[i];
    }
    assert_int_equal(seen.out, good + seen.rubbish);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_do),
        cmocka_unit_test(test_disorder),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_rubbish_beside_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
