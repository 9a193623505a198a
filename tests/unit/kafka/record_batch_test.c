// SPDX-License-Identifier: Apache-2.0
/* record_batch_test.c — what comes out of right batches, what is left out, and that one damaged
 * batch loses only itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/fail.h"
#include "base/memory.h"
#include "kafka/record_batch.h"
#include "support/batch_builder.h"

#define RECORDS_MOST 8192u

static struct cm_inflate *inflate;
static struct cm_text bytes;
static struct cm_record_walk walk;

/* What a walk gave: offsets and values, copied, for views do not last. */
static int64_t offsets[RECORDS_MOST];
static struct cm_text values[RECORDS_MOST];
static bool tombstone[RECORDS_MOST];
static int64_t append_ms[RECORDS_MOST];
static uint32_t got;

static int setup(void **state)
{
    (void)state;
    inflate = cm_inflate_create(CM_INFLATE_MOST_BYTES);
    bytes = (struct cm_text){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cm_inflate_destroy(inflate);
    cm_text_free(&bytes);
    for (uint32_t i = 0; i < RECORDS_MOST; i++) {
        cm_text_free(&values[i]);
    }
    return 0;
}

static struct cm_record_set whole(void)
{
    return (struct cm_record_set){
        .bytes = (const uint8_t *)bytes.data,
        .len = (uint32_t)bytes.len,
        .partition = 3,
        .check_crc = true,
        .read_committed = true,
    };
}

/* Goes on until the end or an error; returns which. */
static int go_on(uint32_t at_once)
{
    struct cm_record views[256];
    int rc;
    while ((rc = cm_record_walk_next(&walk, views, at_once)) > 0) {
        for (int i = 0; i < rc; i++, got++) {
            assert_true(got < RECORDS_MOST);
            assert_int_equal(views[i].partition, 3);
            assert_true(got == 0 || views[i].offset > offsets[got - 1]);
            offsets[got] = views[i].offset;
            append_ms[got] = views[i].append_ms;
            tombstone[got] = views[i].value == NULL;
            values[got].len = 0;
            cm_text_add(&values[got], views[i].value, views[i].value_bytes);
        }
        assert_true(cm_record_walk_offset(&walk) > offsets[got - 1]);
    }
    return rc;
}

static int read_set(const struct cm_record_set *set, uint32_t at_once)
{
    got = 0;
    cm_record_walk_begin(&walk, set, inflate);
    return go_on(at_once);
}

static void assert_values(const char *wanted)
{
    struct cm_text all = {0};
    for (uint32_t i = 0; i < got; i++) {
        cm_text_addf(&all, "%s%lld%s%s", i == 0 ? "" : " ", (long long)offsets[i],
                     tombstone[i] ? "" : "=", tombstone[i] ? "" : cm_text_cstr(&values[i]));
    }
    assert_string_equal(cm_text_cstr(&all), wanted);
    cm_text_free(&all);
}

static void add_batch(int64_t base, uint32_t codec, const char *const *texts, uint32_t count)
{
    struct batch_builder b = batch_begin(base, codec);
    for (uint32_t i = 0; i < count; i++) {
        batch_add(&b, (int32_t)i, "k", texts[i]);
    }
    batch_end(&b, &bytes);
}

static const char *const abc[] = {"a", "b", "c"};

static void test_plain(void **state)
{
    (void)state;
    static const char *const more[] = {"d", NULL, ""};
    add_batch(100, CM_CODEC_NONE, abc, 3);
    add_batch(103, CM_CODEC_NONE, more, 3);
    struct cm_record_set set = whole();
    for (uint32_t at_once = 1; at_once < 8; at_once++) {
        assert_int_equal(read_set(&set, at_once), 0);
        assert_values("100=a 101=b 102=c 103=d 104 105=");
        assert_int_equal(cm_record_walk_offset(&walk), 106);
        assert_int_equal(append_ms[2], BATCH_MS + 2);
        assert_false(walk.cut);
    }
    set.from_offset = 104;
    assert_int_equal(read_set(&set, 9), 0);
    assert_values("104 105=");
    set.from_offset = 200;
    assert_int_equal(read_set(&set, 9), 0);
    assert_values("");
    assert_int_equal(cm_record_walk_offset(&walk), 200);
}

static void test_views_of_a_plain_batch_lie_in_the_set(void **state)
{
    (void)state;
    struct cm_record view;
    add_batch(0, CM_CODEC_NONE, abc, 3);
    struct cm_record_set set = whole();
    cm_record_walk_begin(&walk, &set, inflate);
    assert_int_equal(cm_record_walk_next(&walk, &view, 1), 1);
    assert_true(view.value > bytes.data && view.value < bytes.data + bytes.len);
}

/* Many records of many lengths, so that pieces end anywhere. */
static void test_codecs(void **state)
{
    (void)state;
    static char long_value[3000];
    struct cm_record_set set;
    for (uint32_t codec = 0; codec < CM_CODEC_COUNT; codec++) {
        for (uint32_t framing = 0; framing < FRAMING_COUNT; framing++) {
            bytes.len = 0;
            uint32_t total = 0;
            for (uint32_t batches = 0; batches < 3; batches++) {
                struct batch_builder b = batch_begin(total, codec);
                b.framing = (enum batch_framing)framing;
                for (uint32_t i = 0; i < 1000; i++, total++) {
                    uint32_t len = total * 37 % sizeof(long_value);
                    for (uint32_t k = 0; k < len; k++) {
                        long_value[k] = (char)('a' + (total * k / 7 + k * k) % 26);
                    }
                    batch_add_full(&b, (int32_t)i, i, "key", long_value, len, "", 1);
                }
                batch_end(&b, &bytes);
            }
            set = whole();
            for (uint32_t at_once = 1; at_once <= 256; at_once += 85) {
                assert_int_equal(read_set(&set, at_once), 0);
                assert_int_equal(got, total);
                for (uint32_t i = 0; i < total; i++) {
                    assert_int_equal(offsets[i], i);
                    assert_int_equal(values[i].len, i * 37 % sizeof(long_value));
                    for (uint32_t k = 0; k < values[i].len; k++) {
                        assert_true(values[i].data[k] == (char)('a' + (i * k / 7 + k * k) % 26));
                    }
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_views_of_a_plain_batch_lie_in_the_set, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_codecs, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
