// SPDX-License-Identifier: Apache-2.0
/* histogram_test.c — bins, and every operation against an array of counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/histogram.h"
#include "base/prng.h"

struct naive {
    uint32_t counts[CM_HIST_BINS];
    uint64_t total;
};

static void test_bins_cover_all_values_in_order(void **state)
{
    (void)state;
    for (uint64_t value = 0; value < 64; value++) {
        assert_int_equal(cm_hist_bin(value), value);
        assert_int_equal(cm_hist_bin_value((uint32_t)value), value);
    }
    assert_int_equal(cm_hist_bin(64), 64);
    assert_int_equal(cm_hist_bin(127), 95);
    assert_int_equal(cm_hist_bin(128), 96);
    assert_int_equal(cm_hist_bin(INT32_MAX), CM_HIST_BINS - 1);
    assert_int_equal(cm_hist_bin((uint64_t)INT32_MAX + 1), CM_HIST_BINS - 1);
    assert_int_equal(cm_hist_bin(UINT64_MAX), CM_HIST_BINS - 1);
    for (uint32_t bin = 0; bin < CM_HIST_BINS; bin++) {
        assert_int_equal(cm_hist_bin(cm_hist_bin_value(bin)), bin);
        assert_true(bin == 0 || cm_hist_bin_value(bin) > cm_hist_bin_value(bin - 1));
    }
}

static void test_reported_value_is_within_1_6_percent(void **state)
{
    (void)state;
    struct cm_prng prng;
    cm_prng_seed(&prng, 1);
    for (int i = 0; i < 200000; i++) {
        uint64_t value =
            i < 100000 ? (uint64_t)i : cm_prng_next(&prng) >> (33 + cm_prng_below(&prng, 25));
        double shown = (double)cm_hist_bin_value(cm_hist_bin(value));
        assert_true(fabs(shown - (double)value) <= 0.016 * (double)value);
    }
}

static void compare_bin(void *context, uint32_t bin, uint32_t count)
{
    struct naive *left = context;
    assert_int_equal(left->counts[bin], count);
    left->counts[bin] = 0;
}

static void check_same(const struct cm_hist *hist, const struct naive *naive)
{
    static struct naive left;
    left = *naive;
    cm_hist_each(hist, compare_bin, &left);
    for (uint32_t bin = 0; bin < CM_HIST_BINS; bin++) {
        assert_int_equal(left.counts[bin], 0);
    }
    if (naive->total == 0) {
        assert_null(hist->cells);
        assert_int_equal(cm_hist_bytes(hist), 0);
        return;
    }
    assert_true(cm_hist_bytes(hist) > 0);
    static const uint32_t per_milles[] = {0, 1, 250, 500, 900, 990, 999, 1000};
    for (size_t i = 0; i < sizeof per_milles / sizeof per_milles[0]; i++) {
        uint64_t rank = (per_milles[i] * naive->total + 999) / 1000;
        uint64_t seen = 0;
        uint32_t bin = 0;
        rank = rank == 0 ? 1 : rank;
        while ((seen += naive->counts[bin]) < rank) {
            bin++;
        }
        assert_int_equal(cm_hist_quantile(hist, naive->total, per_milles[i]),
                         cm_hist_bin_value(bin));
    }
}

static void add_both(struct cm_hist *hist, struct naive *naive, uint32_t bin, uint32_t count)
{
    cm_hist_add(hist, bin, count);
    naive->counts[bin] += count;
    naive->total += count;
}

static void sub_some(struct cm_hist *hist, struct naive *naive, struct cm_prng *prng, bool all)
{
    uint32_t first = (uint32_t)cm_prng_below(prng, CM_HIST_BINS);
    for (uint32_t i = 0; i < CM_HIST_BINS; i++) {
        uint32_t bin = (first + i) % CM_HIST_BINS;
        uint32_t held = naive->counts[bin];
        if (held > 0) {
            uint32_t count = all ? held : (uint32_t)cm_prng_below(prng, (uint64_t)held + 1);
            cm_hist_sub(hist, bin, count);
            naive->counts[bin] -= count;
            naive->total -= count;
            if (!all) {
                return;
            }
        }
    }
}

/* `spread`: how many bins are in use; `counts`: how great a single count may be. */
static void random_walk(uint64_t seed, uint32_t spread, uint32_t counts)
{
    enum { HISTS = 4 };
    static struct naive naive[HISTS];
    struct cm_hist hist[HISTS] = {{0}};
    struct cm_prng prng;
    memset(naive, 0, sizeof naive);
    cm_prng_seed(&prng, seed);
    for (int step = 0; step < 3000; step++) {
        size_t a = cm_prng_below(&prng, HISTS);
        size_t b = (a + 1 + cm_prng_below(&prng, HISTS - 1)) % HISTS;
        uint64_t what = cm_prng_below(&prng, 1000);
        if (what < 550) {
            uint32_t bin = (uint32_t)cm_prng_below(&prng, spread) * (CM_HIST_BINS / spread);
            add_both(&hist[a], &naive[a], bin, 1 + (uint32_t)cm_prng_below(&prng, counts));
        } else if (what < 980) {
            sub_some(&hist[a], &naive[a], &prng, false);
        } else if (what < 984) {
            sub_some(&hist[a], &naive[a], &prng, true);
        } else if (what < 988) {
            cm_hist_copy(&hist[a], &hist[b]);
            naive[a] = naive[b];
        } else if (naive[a].total + naive[b].total < UINT32_MAX) {
            cm_hist_merge(&hist[a], &hist[b]);
            for (uint32_t bin = 0; bin < CM_HIST_BINS; bin++) {
                naive[a].counts[bin] += naive[b].counts[bin];
            }
            naive[a].total += naive[b].total;
        } else {
            cm_hist_free(&hist[a]);
            memset(&naive[a], 0, sizeof naive[a]);
        }
        if (step % 10 == 0 || what >= 980) {
            check_same(&hist[a], &naive[a]);
        }
    }
    for (size_t i = 0; i < HISTS; i++) {
        check_same(&hist[i], &naive[i]);
        sub_some(&hist[i], &naive[i], &prng, true);
        check_same(&hist[i], &naive[i]);
    }
}

static void test_random_against_counters(void **state)
{
    (void)state;
    static const uint32_t spreads[] = {1, 3, 16, 100, 200, 432, 864};
    for (size_t i = 0; i < sizeof spreads / sizeof spreads[0]; i++) {
        random_walk(10 + i, spreads[i], 3);
        random_walk(20 + i, spreads[i], 1500000); /* past 22 bits */
    }
}

static void test_the_change_to_dense(void **state)
{
    (void)state;
    static struct naive naive;
    struct cm_hist hist = {0};
    memset(&naive, 0, sizeof naive);
    for (uint32_t i = 0; i < 192; i++) {
        add_both(&hist, &naive, (i * 7) % CM_HIST_BINS, 1);
    }
    assert_true(cm_hist_bytes(&hist) <= (size_t)192 * 4);
    add_both(&hist, &naive, 863, 1);
    assert_int_equal(cm_hist_bytes(&hist), CM_HIST_BINS * 4);
    check_same(&hist, &naive);
    cm_hist_free(&hist);

    memset(&naive, 0, sizeof naive);
    add_both(&hist, &naive, 5, (1U << 22) - 1);
    assert_true(cm_hist_bytes(&hist) < 100);
    add_both(&hist, &naive, 5, 1);
    assert_int_equal(cm_hist_bytes(&hist), CM_HIST_BINS * 4);
    check_same(&hist, &naive);
    cm_hist_sub(&hist, 5, 1U << 22);
    assert_int_equal(cm_hist_bytes(&hist), 0);

    memset(&naive, 0, sizeof naive);
    add_both(&hist, &naive, 9, UINT32_MAX); /* at once past 22 bits */
    check_same(&hist, &naive);
    cm_hist_free(&hist);
}

static void test_nearest_rank_by_example(void **state)
{
    (void)state;
    struct cm_hist hist = {0};
    static const uint32_t values[] = {15, 20, 35, 40, 50};
    for (size_t i = 0; i < 5; i++) {
        cm_hist_add(&hist, cm_hist_bin(values[i]), 1);
    }
    assert_int_equal(cm_hist_quantile(&hist, 5, 50), 15);
    assert_int_equal(cm_hist_quantile(&hist, 5, 300), 20);
    assert_int_equal(cm_hist_quantile(&hist, 5, 400), 20);
    assert_int_equal(cm_hist_quantile(&hist, 5, 401), 35);
    assert_int_equal(cm_hist_quantile(&hist, 5, 500), 35);
    assert_int_equal(cm_hist_quantile(&hist, 5, 1000), 50);
    cm_hist_free(&hist);
    cm_hist_add(&hist, 3, 0);
    assert_null(hist.cells);
}

/* Each must end in a bug message. */
static void misuse(int which)
{
    struct cm_hist hist = {0};
    struct cm_hist dense = {0};
    cm_hist_add(&hist, 10, 2);
    cm_hist_add(&dense, 10, UINT32_MAX);
    switch (which) {
    case 0:
        cm_hist_sub(&hist, 11, 1);
        break;
    case 1:
        cm_hist_sub(&hist, 10, 3);
        break;
    case 2:
        cm_hist_sub(&dense, 11, 1);
        break;
    case 3:
        cm_hist_add(&dense, 10, 1);
        break;
    case 4:
        cm_hist_add(&hist, CM_HIST_BINS, 1);
        break;
    case 5:
        (void)cm_hist_quantile(&hist, 0, 500);
        break;
    default:
        (void)cm_hist_quantile(&hist, 3, 1000);
        break;
    }
}

static void test_misuse_is_a_bug(void **state)
{
    (void)state;
    for (int which = 0; which < 7; which++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
            dup2(null, STDERR_FILENO);
            signal(SIGABRT, SIG_DFL);
            misuse(which);
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

/* In cells that were lent, outgrown and lent again, it counts as in its own. */
static void test_lent_cells(void **state)
{
    (void)state;
    struct {
        uint32_t before, cells[5], after;
    } lent = {0xabcdef01, {0}, 0xabcdef02};
    struct cm_hist hist = {0};
    struct cm_hist own = {0};
    for (int round = 0; round < 3; round++) {
        cm_hist_lend(&hist, lent.cells, 5);
        for (uint32_t bins = 0; bins < 200; bins += 3) { /* until it is dense */
            assert_int_equal(cm_hist_bytes(&hist) == 0, hist.cells == lent.cells);
            assert_int_equal(hist.cells == lent.cells, bins / 3 <= 5);
            cm_hist_add(&hist, 600 - bins, 2);
            cm_hist_add(&own, 600 - bins, 2);
            uint64_t total = 2 * (bins / 3 + 1);
            assert_int_equal(cm_hist_quantile(&hist, total, 500),
                             cm_hist_quantile(&own, total, 500));
        }
        struct cm_hist copy = {0};
        cm_hist_copy(&copy, &hist);
        for (uint32_t bins = 0; bins < 200; bins += 3) {
            cm_hist_sub(&hist, 600 - bins, 2);
        }
        cm_hist_free(&hist);
        cm_hist_lend(&hist, lent.cells, 5);
        cm_hist_merge(&hist, &copy);
        assert_int_equal(cm_hist_quantile(&hist, 134, 1000), cm_hist_bin_value(600));
        cm_hist_free(&copy);
        cm_hist_free(&hist);
        cm_hist_free(&own);
        assert_int_equal(lent.before, 0xabcdef01);
        assert_int_equal(lent.after, 0xabcdef02);
    }
    cm_hist_lend(&hist, lent.cells, 5);
    cm_hist_add(&hist, 7, 1);
    struct cm_hist copy = {0};
    cm_hist_copy(&copy, &hist); /* has cells of its own */
    cm_hist_sub(&hist, 7, 1);
    assert_ptr_equal(hist.cells, lent.cells);
    assert_int_equal(cm_hist_quantile(&copy, 1, 500), 7);
    cm_hist_free(&copy);
    cm_hist_free(&hist);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bins_cover_all_values_in_order),
        cmocka_unit_test(test_reported_value_is_within_1_6_percent),
        cmocka_unit_test(test_random_against_counters),
        cmocka_unit_test(test_the_change_to_dense),
        cmocka_unit_test(test_nearest_rank_by_example),
        cmocka_unit_test(test_lent_cells),
        cmocka_unit_test(test_misuse_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
