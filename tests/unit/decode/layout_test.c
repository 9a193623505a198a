// SPDX-License-Identifier: Apache-2.0
/* layout_test.c — reading by a layout: yes only where the general parser says the same, and slots
 * at their limits. All readers that the processor has the vectors for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "unit/decode/layout_kit.h"

#define READERS 3

/* false: not on this processor. */
static bool use_reader(struct kit *kit, int round)
{
    kit_init(kit);
    static const char *const kernels[READERS] = {"swar", "avx2", "avx512"};
    const struct cm_shape_kernel *kernel = cm_shape_find(kernels[round]);
    if (kernel == NULL) {
        kit_free(kit);
        return false;
    }
    kit->read = cm_layout_reader_for(kernel->vector_bytes);
    return true;
}

/* KIT_FULL with one value replaced. */
static int judge_with(struct kit *kit, const char *from, const char *to)
{
    char record[2048];
    const char *at = strstr(KIT_FULL, from);
    assert_non_null(at);
    int len = snprintf(record, sizeof record, "%.*s%s%s", (int)(at - KIT_FULL), KIT_FULL, to,
                       at + strlen(from));
    assert_true(len > 0 && (size_t)len < sizeof record);
    return kit_judge(kit, record, (size_t)len);
}

static void values_at_their_limits(void **state)
{
    static const struct {
        const char *from, *to;
        int yes;
    } cases[] = {
        {"\"wait_ms\":0", "\"wait_ms\":7", 1},
        {"\"wait_ms\":0", "\"wait_ms\":99999999", 1},
        {"\"wait_ms\":0", "\"wait_ms\":100000000", 0},
        {"\"wait_ms\":0", "\"wait_ms\":00", 0},
        {"\"wait_ms\":0", "\"wait_ms\":07", 0},
        {"\"wait_ms\":0", "\"wait_ms\":-1", 0},
        {"\"wait_ms\":0", "\"wait_ms\":1.5", 0},
        {"\"wait_ms\":0", "\"wait_ms\":1e3", 0},
        {"\"wait_ms\":0", "\"wait_ms\":", 0},
        {"\"wait_ms\":0", "\"wait_ms\":null", 0},
        {"\"wait_ms\":0", "\"wait_ms\":\"0\"", 0},
        {"\"wait_ms\":0", "\"wait_ms\": 0", 0},
        {"\"wait_ms\":0", "\"wait_ms\":1/", 0},
        {"\"wait_ms\":0", "\"wait_ms\":1:", 0},
        {"1793581200083", "1000000000", 1},
        {"1793581200083", "999999999", 0},
        {"1793581200083", "4102444800000", 1},
        {"1793581200083", "4102444800001", 0},
        {"1793581200083", "999999999999999", 0},
        {"1793581200083", "1000000000000000", 0},
        {"1793581200083", "0793581200083", 0},
        {"1793581200083", "179358120008x", 0},
        {"1793581200083", "17935812x0083", 0},
        {"1793581200083", "\"2026-11-02T01:00:00Z\"", 0},
        {"\"rating\":90", "\"rating\":100", 1},
        {"\"rating\":90", "\"rating\":101", 0},
        {"\"rating\":90", "\"rating\":0", 1},
        {"\"rating\":90", "\"rating\":09", 0},
        {"\"rating\":90", "\"rating\":1000", 0},
        {"\"on_hold\":false", "\"on_hold\":true", 1},
        {"\"on_hold\":false", "\"on_hold\":null", 0},
        {"\"on_hold\":false", "\"on_hold\":fals", 0},
        {"\"on_hold\":false", "\"on_hold\":True", 0},
        {"\"greeting\":true", "\"greeting\":null", 1},
        {"\"greeting\":true", "\"greeting\":false", 1},
        {"\"greeting\":true", "\"greeting\":nulL", 0},
        {"\"greeting\":true", "\"greeting\":1", 0},
        {"\"greeting\":true", "\"greetinG\":true", 0},
        {"\"answered\"", "\"abandoned\"", 1},
        {"\"answered\"", "\"callback\"", 1},
        {"\"answered\"", "\"answereD\"", 0},
        {"\"answered\"", "\"\"", 0},
        {"\"answered\"", "\"xxxxxxxxxanswered\"", 0},
        {"\"answered\"", "\"xxxxxxxxxxxxxxxxx\"", 0},
        {"\"caller\"", "\"transfer\"", 1},
        {"\"caller\"", "\"answered\"", 0},
        {"\"s0001\"", "\"\"", 1},
        {"\"s0001\"", "\"12345678901234567890123456789012\"", 1},
        {"\"s0001\"", "\"123456789012345678901234567890123\"", 0},
        {"\"s0001\"", "\"\xc3\xa9\xe4\xb8\xad\"", 1},
        {"\"s0001\"", "\"\xc3\"", 0},
        {"\"s0001\"", "\"\\u0041\"", 0},
        {"\"s0001\"", "\"a\tb\"", 0},
        {"\"s0001\"", "7", 0},
        {"\"id\":\"c1-1\"", "\"id\":\"\"", 0},
        {"\"id\":\"c1-1\"", "\"ib\":\"c1-1\"", 0},
        {"\"note\":\"x\"", "\"note\":\"\"", 1},
        {"\"note\":\"x\"", "\"note\":\"a longer text, with a comma\"", 1},
        {"\"note\":\"x\"", "\"note\":5", 0},
        {"[1,{\"a\":\"b\",\"c\":\"d\"}]", "[-2.5e3,{\"a\":\"bcd\",\"c\":\"\"}]", 1},
        {"[1,{\"a\":\"b\",\"c\":\"d\"}]", "[{},{\"c\":\"e\",\"a\":\"d\"}]", 1},
        {"[1,{\"a\":\"b\",\"c\":\"d\"}]", "[1,{\"a\":\"b\",\"c\":\"d\"]}", 0},
        {"[1,{\"a\":\"b\",\"c\":\"d\"}]", "[01,{\"a\":\"b\",\"c\":\"d\"}]", 0},
        {"\"rev\":2}", "\"rev\":2,}", 0},
        {"\"rev\":2}", "\"rev\":2}}", 0},
        {"\"rev\":2}", "\"rev\":2", 0},
        {"\"type\":\"cdr\"", "\"type\":\"cdx\"", 0},
        {"\"call\":\"c1\"", "\"seat\":\"c1\"", 0},
    };
    (void)state;
    for (int round = 0; round < READERS; round++) {
        struct kit kit;
        if (!use_reader(&kit, round)) {
            continue;
        }
        assert_true(kit_learn(&kit, KIT_FULL));
        for (uint32_t i = 0; i < CM_ARRAY_LEN(cases); i++) {
            int yes = judge_with(&kit, cases[i].from, cases[i].to);
            if (yes != cases[i].yes) {
                fail_msg("%s -> %s: %d", cases[i].from, cases[i].to, yes);
            }
        }
        kit_free(&kit);
    }
}

/* Every single byte replaced by every other, taken out, doubled. */
static void one_byte_differs(void **state)
{
    (void)state;
    for (int round = 0; round < READERS; round++) {
        struct kit kit;
        char record[1024];
        const size_t len = strlen(KIT_FULL);
        if (!use_reader(&kit, round)) {
            continue;
        }
        assert_true(kit_learn(&kit, KIT_FULL));
        int accepted = 0;
        for (size_t i = 0; i < len; i++) {
            memcpy(record, KIT_FULL, len);
            for (int c = 0; c < 256; c++) {
                record[i] = (char)c;
                int yes = kit_judge(&kit, record, len);
                assert_int_not_equal(yes, -1);
                accepted += yes;
            }
            memmove(record + i, &KIT_FULL[i + 1], len - i - 1);
            assert_int_not_equal(kit_judge(&kit, record, len - 1), -1);
            memcpy(record, KIT_FULL, i + 1);
            memcpy(record + i + 1, &KIT_FULL[i], len - i);
            assert_int_not_equal(kit_judge(&kit, record, len + 1), -1);
        }
        assert_in_range(accepted, 1000, 100000);
        kit_free(&kit);
    }
}

/* A text that holds quotes is none, though all runs are in their place. */
static void quotes_are_counted(void **state)
{
    struct kit kit;
    (void)state;
    if (!use_reader(&kit, READERS - 1)) {
        kit_init(&kit);
    }
    assert_true(kit_learn(&kit, KIT_FULL));
    assert_int_equal(judge_with(&kit, "\"s0001\"", "\"s\"0\"001\""), 0);
    /* Two quotes less in a value that nobody knows, two more in a text. */
    char record[1024];
    (void)snprintf(record, sizeof record, "%s",
                   "{\"type\":\"cdr\",\"id\":\"c1\"x\"1\",\"ts\":1793581200083,\"call\":\"c1\","
                   "\"seat\":\"s0001\",\"agent\":\"a01\",\"outcome\":\"answered\",\"wait_ms\":0,"
                   "\"ring_ms\":3544,\"end\":\"caller\",\"transfers\":0,\"on_hold\":false,"
                   "\"rating\":90,\"checks\":{\"greeting\":true,\"identity\":null},\"more\":[1,{"
                   "\"a\":7,\"c\":\"d\"}],\"note\":\"x\",\"rev\":2}");
    assert_int_equal(kit_judge(&kit, record, strlen(record)), 0);
    kit_free(&kit);
}

static void times_and_scores(void **state)
{
#define CHECK(ts, score)                                                                           \
    "{\"ts\":" ts ",\"type\":\"check\",\"id\":\"k\",\"call\":\"c\",\"seat\":\"s\",\"source\":"     \
    "\"self\",\"checks\":{\"a\":true},\"score\":" score "}"
    static const struct {
        const char *record;
        int yes;
    } cases[] = {
        {CHECK("\"2026-11-02T01:00:00Z\"", "100"), 1},
        {CHECK("\"2026-11-02T01:00:00.5+08:00\"", "99.9"), 1},
        {CHECK("\"2026-11-02T01:00:00Z\"", "101"), 0},
        {CHECK("\"2026-11-02T01:00:00Z\"", "-1"), 0},
        {CHECK("\"2026-11-02T01:00:00Z\"", "true"), 0},
        {CHECK("\"2026-13-02T01:00:00Z\"", "7"), 0},
        {CHECK("\"2101-01-01T00:00:00Z\"", "7"), 0},
        {CHECK("\"\"", "7"), 0},
    };
    struct kit kit;
    (void)state;
    if (!use_reader(&kit, READERS - 1)) {
        kit_init(&kit);
    }
    assert_true(kit_learn(&kit, CHECK("\"2026-11-02T01:00:00Z\"", "7")));
    for (uint32_t i = 0; i < CM_ARRAY_LEN(cases); i++) {
        assert_int_equal(kit_judge(&kit, cases[i].record, strlen(cases[i].record)), cases[i].yes);
    }
    kit_free(&kit);
}

/* A leg with so many checks and members that nobody knows, the flags' bits say what else. */
static size_t make_leg(char *record, size_t room, int checks, int unknown, int flags)
{
    size_t len =
        (size_t)snprintf(record, room, "%s,\"talk_ms\":46689,\"seat\":\"s0001\"", KIT_HEAD);
    static const char *const more[] = {",\"on_hold\":true", ",\"rating\":90", ",\"rev\":12"};
    for (uint32_t i = 0; i < CM_ARRAY_LEN(more); i++) {
        if ((flags >> i & 1) != 0) {
            len += (size_t)snprintf(record + len, room - len, "%s", more[i]);
        }
    }
    for (int i = 0; i < unknown; i++) {
        len += (size_t)snprintf(record + len, room - len, ",\"u%d\":\"%d\"", i, i * i);
    }
    static const char *const results[] = {"true", "false", "null"};
    for (int i = 0; i < checks; i++) {
        len += (size_t)snprintf(record + len, room - len, "%s\"c%d\":%s",
                                i == 0 ? ",\"checks\":{" : ",", i, results[i % 3]);
    }
    len += (size_t)snprintf(record + len, room - len, checks == 0 ? "}" : "}}");
    assert_true(len < room);
    return len;
}

/* Lanes in one vector, in two, in more; checks and flag in one group of four and in several. */
static void layouts_of_many_sizes(void **state)
{
    static const int checks[] = {0, 1, 3, 4, 5, 8, 24};
    static const int unknown[] = {0, 14, 40, 60};
    (void)state;
    for (int n = 0; n < READERS * 8; n++) {
        for (uint32_t i = 0; i < CM_ARRAY_LEN(checks) * CM_ARRAY_LEN(unknown); i++) {
            char record[2048];
            struct kit kit;
            if (!use_reader(&kit, n / 8)) {
                continue;
            }
            size_t len = make_leg(record, sizeof record, checks[i % CM_ARRAY_LEN(checks)],
                                  unknown[i / CM_ARRAY_LEN(checks)], n % 8);
            assert_true(kit_learn(&kit, record));
            assert_int_equal(kit_judge(&kit, record, len), 1);
            for (size_t at = 0; at < len; at++) {
                const char is = record[at];
                record[at] = is == 'e' ? '1' : (char)(is ^ 1);
                assert_int_not_equal(kit_judge(&kit, record, len), -1);
                record[at] = is;
            }
            kit_free(&kit);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_at_their_limits), cmocka_unit_test(one_byte_differs),
        cmocka_unit_test(quotes_are_counted),     cmocka_unit_test(times_and_scores),
        cmocka_unit_test(layouts_of_many_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
