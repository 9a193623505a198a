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
#include "kafka/record_fields.h"
#include "support/batch_builder.h"

#define RECORDS_MOST 8192u
#define VALUE_BYTES  3000u

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
    static char long_value[VALUE_BYTES];
    struct cm_record_set set;
    for (uint32_t codec = 0; codec < CM_CODEC_COUNT; codec++) {
        for (uint32_t framing = 0; framing < FRAMING_COUNT; framing++) {
            bytes.len = 0;
            uint32_t total = 0;
            for (uint32_t batches = 0; batches < 3; batches++) {
                struct batch_builder b = batch_begin(total, codec);
                b.framing = (enum batch_framing)framing;
                for (uint32_t i = 0; i < 1000; i++, total++) {
                    uint32_t len = total * 37 % VALUE_BYTES;
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
                    assert_int_equal(values[i].len, i * 37 % VALUE_BYTES);
                    for (uint32_t k = 0; k < values[i].len; k++) {
                        assert_true(values[i].data[k] == (char)('a' + (i * k / 7 + k * k) % 26));
                    }
                }
            }
        }
    }
}

/* Small compressed batches come many in one call, and all their views hold. */
static void test_small_batches_share_a_call(void **state)
{
    (void)state;
    struct cm_record views[256];
    for (uint32_t codec = 0; codec < CM_CODEC_COUNT; codec++) {
        bytes.len = 0;
        for (int64_t base = 0; base < 300; base += 3) {
            add_batch(base, codec, abc, 3);
        }
        struct cm_record_set set = whole();
        cm_record_walk_begin(&walk, &set, inflate);
        int rc = cm_record_walk_next(&walk, views, 256); /* the first makes the room */
        int first = rc;
        assert_true(rc > 0);
        rc = cm_record_walk_next(&walk, views, 256);
        assert_true(first + rc >= 256);
        for (int i = 0; i < rc; i++) {
            assert_int_equal(views[i].value_bytes, 1);
            assert_int_equal(views[i].value[0], 'a' + (first + i) % 3);
        }
    }
}

static void test_times(void **state)
{
    (void)state;
    struct batch_builder b = batch_begin(0, CM_CODEC_NONE);
    b.attributes = 8; /* the broker's time, for all of them */
    batch_add(&b, 0, NULL, "a");
    batch_add(&b, 1, NULL, "b");
    b.greatest_ms = 1234;
    batch_end(&b, &bytes);
    b = batch_begin(2, CM_CODEC_NONE);
    b.base_ms = -1;
    batch_add_full(&b, 0, 0, NULL, "c", 1, "", 1);
    batch_end(&b, &bytes);
    b = batch_begin(3, CM_CODEC_NONE);
    b.base_ms = INT64_MAX;
    batch_add_full(&b, 0, INT64_MAX, NULL, "d", 1, "", 1);
    batch_add_full(&b, 1, INT64_MIN, NULL, "e", 1, "", 1);
    batch_add_full(&b, 2, -5, NULL, "f", 1, "", 1);
    batch_end(&b, &bytes);
    struct cm_record_set set = whole();
    assert_int_equal(read_set(&set, 1), 0);
    assert_values("0=a 1=b 2=c 3=d 4=e 5=f");
    const int64_t wanted[] = {1234, 1234, -1, -1, -1, INT64_MAX - 5};
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(append_ms[i], wanted[i]);
    }
}

static void test_headers(void **state)
{
    (void)state;
    /* two: "k" with "vv", "" with none */
    static const char good[] = "\x04\x02k\x04vv\x00\x01";
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"", 0},             /* not even a count */
        {"\x01", 1},         /* minus one */
        {"\x02", 1},         /* one, and nothing more */
        {"\x02\x01\x00", 3}, /* a name must be there */
        {"\x02\x02k\x04v", 5},
        {"\x02\x02k\x03\x00", 5}, /* a value of length -2 */
        {"\x02\x02k\x00!", 5},    /* something behind them */
        {"\x00!", 2},
        {"\xff\xff\xff\xff\x0f", 5},
        {"\xff\xff\xff\xff\xff\xff", 6},
        {"\x80", 1},
    };
    for (size_t i = 0; i <= CM_ARRAY_LEN(bad); i++) {
        bool right = i == CM_ARRAY_LEN(bad);
        struct batch_builder b = batch_begin(0, CM_CODEC_NONE);
        bytes.len = 0;
        batch_add_full(&b, 0, 0, "k", "a", 1, good, sizeof(good) - 1);
        batch_add_full(&b, 1, 0, "k", "b", 1, right ? good : bad[i].bytes,
                       right ? sizeof(good) - 1 : bad[i].len);
        batch_add_full(&b, 2, 0, NULL, "c", 1, good, sizeof(good) - 1);
        batch_end(&b, &bytes);
        add_batch(3, CM_CODEC_NONE, abc, 1);
        struct cm_record_set set = whole();
        assert_int_equal(read_set(&set, 9), right ? 0 : -CM_ERR_CORRUPT);
        if (!right) {
            assert_values("0=a");
            assert_int_equal(walk.bad_offset, 1);
            assert_int_equal(walk.bad_records, 2);
            assert_non_null(strstr(walk.why, "header"));
            assert_non_null(strstr(cm_fail_text(), walk.why));
            assert_int_equal(cm_record_walk_offset(&walk), 3);
            assert_int_equal(go_on(9), 0);
        }
        assert_values(right ? "0=a 1=b 2=c 3=a" : "0=a 3=a");
        assert_int_equal(cm_record_walk_offset(&walk), 4);
    }
}

/* A batch with a right checksum whose second record is wrong. */
static void test_wrong_records(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *why;
    } bad[] = {
        {"\x0c\0\0\2\1\1\0", 7, NULL},
        {"\x0c\0\0\0\1\1\0", 7, "rise"},    /* offset delta 0 again */
        {"\x0c\0\0\1\1\1\0", 7, "rise"},    /* -1 */
        {"\x0c\0\0\x06\1\1\0", 7, "rise"},  /* 3, and the batch ends at 2 */
        {"\x0a\0\0\2\1\1", 6, "too short"}, /* no headers */
        {"\0", 1, "too short"},             /* nothing */
        {"\1", 1, "negative"},              /* -1 bytes */
        {"\x0c\0\0\2\3\1\0", 7, "fit"},     /* a key of length -2 */
        {"\x0c\0\0\2\1\3\0", 7, "fit"},     /* a value of length -2 */
        {"\x0c\0\0\2\2\1\0", 7, "header"},  /* its key eats the value's length */
        {"\x0c\0\0\2\x7e\1\0", 7, "fit"},   /* a key of 63 bytes */
        {"\x7e\0\0\2\1\1\0", 7, "beyond"},  /* a record of 63 bytes */
        {"\xfe\xff\xff\xff\x0f\0\0\2\1\1\0", 11, "beyond"},
        {"\xff\xff\xff\xff\xff\xff\xff", 7, "no number"},
    };
    for (uint32_t codec = 0; codec < CM_CODEC_COUNT; codec++) {
        for (size_t i = 0; i < CM_ARRAY_LEN(bad); i++) {
            struct batch_builder b = batch_begin(10, codec);
            bytes.len = 0;
            batch_add(&b, 0, NULL, "a longer one");
            batch_add_bytes(&b, bad[i].bytes, bad[i].len);
            b.count = 2;
            b.last_delta = 2;
            batch_end(&b, &bytes);
            add_batch(13, codec, abc, 2);
            struct cm_record_set set = whole();
            int rc = read_set(&set, 9);
            assert_int_equal(rc, bad[i].why == NULL ? 0 : -CM_ERR_CORRUPT);
            if (rc < 0 && bad[i].why != NULL) {
                assert_non_null(strstr(walk.why, bad[i].why));
                assert_int_equal(walk.bad_offset, 11);
                assert_int_equal(walk.bad_records, 1);
                assert_values("10=a longer one");
                assert_int_equal(go_on(9), 0);
            }
            assert_values(rc < 0 ? "10=a longer one 13=a 14=b" : "10=a longer one 11 13=a 14=b");
        }
    }
}

static void test_wrong_counts(void **state)
{
    (void)state;
    for (uint32_t codec = 0; codec < CM_CODEC_COUNT; codec++) {
        for (int32_t count = -1; count <= 5; count++) {
            struct batch_builder b = batch_begin(0, codec);
            bytes.len = 0;
            for (int32_t i = 0; i < 3; i++) {
                batch_add(&b, i, NULL, abc[i]);
            }
            b.count = count;
            batch_end(&b, &bytes);
            add_batch(3, codec, abc, 1);
            struct cm_record_set set = whole();
            assert_int_equal(read_set(&set, 9), count == 3 ? 0 : -CM_ERR_CORRUPT);
            if (count != 3) {
                assert_int_equal(cm_record_walk_offset(&walk), 3);
                assert_int_equal(go_on(9), 0);
            }
            assert_int_equal(offsets[got - 1], 3);
            assert_int_equal(cm_record_walk_offset(&walk), 4);
        }
    }
}

/* Compaction takes records out, up to all of them, and leaves the offsets. */
static void test_compaction(void **state)
{
    (void)state;
    for (uint32_t codec = 0; codec < CM_CODEC_COUNT; codec++) {
        bytes.len = 0;
        struct batch_builder b = batch_begin(10, codec);
        batch_add(&b, 4, NULL, "a");
        batch_add(&b, 9, NULL, "b");
        b.last_delta = 89;
        batch_end(&b, &bytes);
        b = batch_begin(100, CM_CODEC_NONE); /* emptied */
        b.last_delta = 49;
        batch_end(&b, &bytes);
        struct cm_record_set set = whole();
        assert_int_equal(read_set(&set, 9), 0);
        assert_values("14=a 19=b");
        assert_int_equal(cm_record_walk_offset(&walk), 150);
        add_batch(200, codec, abc, 1);
        set = whole();
        set.from_offset = 19;
        assert_int_equal(read_set(&set, 1), 0);
        assert_values("19=b 200=a");
    }
}

/* Offsets rise, whatever comes: a batch that was seen, and one that overlaps. */
static void test_batches_again(void **state)
{
    (void)state;
    add_batch(0, CM_CODEC_NONE, abc, 3);
    add_batch(0, CM_CODEC_NONE, abc, 3);
    add_batch(2, CM_CODEC_LZ4, abc, 3);
    struct cm_record_set set = whole();
    assert_int_equal(read_set(&set, 9), 0);
    assert_values("0=a 1=b 2=c 3=b 4=c");
}

static void add_transaction(int64_t base, int64_t producer_id, uint32_t codec, const char *value)
{
    struct batch_builder b = batch_begin(base, codec);
    b.attributes = 16;
    b.producer_id = producer_id;
    batch_add(&b, 0, NULL, value);
    batch_add(&b, 1, NULL, value);
    batch_end(&b, &bytes);
}

static void test_transactions(void **state)
{
    (void)state;
    for (uint32_t codec = 0; codec < CM_CODEC_COUNT; codec++) {
        bytes.len = 0;
        add_transaction(0, 7, codec, "x");
        add_transaction(2, 8, codec, "y");
        add_transaction(4, 7, codec, "x");
        batch_add_marker(&bytes, 6, 7, 0);
        add_transaction(7, 7, codec, "good");
        add_transaction(9, 8, codec, "y");
        batch_add_marker(&bytes, 11, 7, 1);
        add_transaction(12, 7, codec, "x2");
        batch_add_marker(&bytes, 14, 8, 0);
        add_transaction(15, 8, codec, "good");
        batch_add_marker(&bytes, 17, 7, 0);
        batch_add_marker(&bytes, 18, 8, 1);
        batch_add_marker(&bytes, 19, 9, 5); /* of a kind to come */
        add_batch(20, codec, abc, 1);
        /* as brokers list them: by the end of the transaction */
        static const struct cm_aborted aborted[] = {{7, 0}, {8, 2}, {7, 12}};
        struct cm_record_set set = whole();
        set.aborted = aborted;
        set.aborted_count = 3;
        for (uint32_t at_once = 1; at_once < 4; at_once++) {
            assert_int_equal(read_set(&set, at_once), 0);
            assert_values("7=good 8=good 15=good 16=good 20=a");
            assert_int_equal(cm_record_walk_offset(&walk), 21);
        }
        set.from_offset = 13; /* in the middle of one */
        assert_int_equal(read_set(&set, 9), 0);
        assert_values("15=good 16=good 20=a");
        set.from_offset = 0;
        set.read_committed = false;
        assert_int_equal(read_set(&set, 100), 0);
        assert_int_equal(got, 15);
        set.read_committed = true;
        set.aborted_count = 0;
        assert_int_equal(read_set(&set, 100), 0);
        assert_int_equal(got, 15);
    }
}

static void test_wrong_control(void **state)
{
    (void)state;
    for (int what = 0; what < 3; what++) {
        struct batch_builder b = batch_begin(0, what == 0 ? CM_CODEC_LZ4 : CM_CODEC_NONE);
        bytes.len = 0;
        b.attributes = 32;
        if (what == 1) {
            batch_add(&b, 0, "abc", NULL); /* a key too short */
        } else if (what == 2) {
            batch_add_bytes(&b, "\x7e\0\0\0\1\1\0", 7);
            b.count = 1;
        } else {
            batch_add(&b, 0, "abcd", NULL);
        }
        b.last_delta = 0;
        batch_end(&b, &bytes);
        b = batch_begin(1, CM_CODEC_NONE); /* emptied by compaction */
        b.attributes = 32;
        b.last_delta = 3;
        batch_end(&b, &bytes);
        add_batch(5, CM_CODEC_NONE, abc, 1);
        struct cm_record_set set = whole();
        assert_int_equal(read_set(&set, 9), -CM_ERR_CORRUPT);
        assert_non_null(strstr(walk.why, "control"));
        assert_int_equal(go_on(9), 0);
        assert_values("5=a");
    }
}

static void test_old_formats(void **state)
{
    (void)state;
    for (uint8_t magic = 0; magic < 2; magic++) {
        bytes.len = 0;
        add_batch(0, CM_CODEC_NONE, abc, 2);
        struct batch_builder b = batch_begin(2, CM_CODEC_NONE);
        b.magic = magic;
        batch_end(&b, &bytes);
        struct cm_record_set set = whole();
        assert_int_equal(read_set(&set, 9), -CM_ERR_UNSUPPORTED);
        assert_values("0=a 1=b");
        assert_int_equal(walk.bad_offset, 2);
        assert_int_equal(go_on(9), -CM_ERR_UNSUPPORTED);
        assert_int_equal(cm_record_walk_offset(&walk), 2);
    }
    struct batch_builder b = batch_begin(0, CM_CODEC_NONE);
    bytes.len = 0;
    b.attributes = 5; /* a codec to come */
    batch_add(&b, 0, NULL, "a");
    batch_end(&b, &bytes);
    struct cm_record_set set = whole();
    assert_int_equal(read_set(&set, 9), -CM_ERR_UNSUPPORTED);
    assert_int_equal(go_on(9), -CM_ERR_UNSUPPORTED);
    b = batch_begin(0, CM_CODEC_NONE);
    bytes.len = 0;
    b.magic = 3;
    batch_add(&b, 0, NULL, "a");
    batch_end(&b, &bytes);
    set = whole();
    assert_int_equal(read_set(&set, 9), -CM_ERR_CORRUPT);
    assert_int_equal(go_on(9), 0);
}

static void test_impossible_length(void **state)
{
    (void)state;
    static const uint8_t lengths[][4] = {
        {0, 0, 0, 48}, {0, 0, 0, 0}, {0x80, 0, 0, 0}, {255, 255, 255, 255}};
    for (size_t i = 0; i < CM_ARRAY_LEN(lengths); i++) {
        bytes.len = 0;
        add_batch(0, CM_CODEC_NONE, abc, 3);
        size_t at = bytes.len;
        add_batch(3, CM_CODEC_NONE, abc, 3);
        memcpy(bytes.data + at + 8, lengths[i], 4);
        struct cm_record_set set = whole();
        assert_int_equal(read_set(&set, 9), -CM_ERR_CORRUPT);
        assert_values("0=a 1=b 2=c");
        assert_int_equal(walk.bad_offset, 3);
        assert_int_equal(go_on(9), 0);
        assert_int_equal(cm_record_walk_offset(&walk), 3); /* fetched again */
    }
}

/* Where a damaged batch cannot be believed, the offset moves no further than is certain. */
static void test_offset_behind_damage(void **state)
{
    (void)state;
    add_batch(10, CM_CODEC_NONE, abc, 3);
    bytes.data[bytes.len - 2] ^= 1;
    struct cm_record_set set = whole();
    assert_int_equal(read_set(&set, 9), -CM_ERR_CORRUPT);
    assert_string_equal(walk.why, "checksum differs");
    assert_int_equal(walk.bad_offset, 10);
    assert_int_equal(walk.bad_records, 3);
    assert_int_equal(cm_record_walk_offset(&walk), 13); /* its two counts agree */
    bytes.data[26] ^= 64;                               /* the last offset delta */
    set.from_offset = 11;
    assert_int_equal(read_set(&set, 9), -CM_ERR_CORRUPT);
    assert_int_equal(cm_record_walk_offset(&walk), 12);
    add_batch(40, CM_CODEC_NONE, abc, 3);
    set = whole();
    assert_int_equal(read_set(&set, 9), -CM_ERR_CORRUPT);
    assert_int_equal(cm_record_walk_offset(&walk), 40);
    assert_int_equal(go_on(9), 0);
    assert_values("40=a 41=b 42=c");
    bytes.len = 0; /* and it does not wrap */
    add_batch(0, CM_CODEC_NONE, abc, 1);
    add_batch(INT64_MAX, CM_CODEC_NONE, abc, 1);
    bytes.data[30] ^= 1;
    set = whole();
    assert_int_equal(read_set(&set, 9), -CM_ERR_CORRUPT);
    assert_int_equal(go_on(9), -CM_ERR_CORRUPT);
    assert_int_equal(cm_record_walk_offset(&walk), INT64_MAX);
    assert_int_equal(go_on(9), 0);
}

/* Every length of a set: whole batches come, the cut one does not, nothing behind is read (the copy
 * ends where the set ends, so a sanitizer would see it). */
static void test_cut_at_every_byte(void **state)
{
    (void)state;
    for (uint32_t codec = 0; codec < CM_CODEC_COUNT; codec++) {
        size_t ends[3];
        bytes.len = 0;
        for (int64_t i = 0; i < 3; i++) {
            add_batch(3 * i, codec, abc, 3);
            ends[i] = bytes.len;
        }
        for (size_t len = 0; len <= bytes.len; len++) {
            uint8_t *copy = malloc(len + 1);
            memcpy(copy + 1, bytes.data, len);
            struct cm_record_set set = whole();
            set.bytes = copy + 1;
            set.len = (uint32_t)len;
            int batches = (len >= ends[0]) + (len >= ends[1]) + (len >= ends[2]);
            assert_int_equal(read_set(&set, 2), 0);
            assert_int_equal(got, 3 * batches);
            assert_int_equal(cm_record_walk_offset(&walk), 3 * batches);
            assert_int_equal(walk.cut,
                             len != 0 && len != ends[0] && len != ends[1] && len != ends[2]);
            free(copy);
        }
    }
}

static void walk_to_the_end(const struct cm_record_set *set)
{
    uint32_t errors = 0;
    int rc = read_set(set, 2);
    while (rc == -CM_ERR_CORRUPT) {
        assert_true(++errors < 10);
        rc = go_on(2);
    }
}

/* Every bit of the middle batch, in all codecs. What the checksum covers loses that batch and no
 * other; without the checksum only order and bounds are promised. */
static void test_every_bit(void **state)
{
    (void)state;
    for (uint32_t codec = 0; codec < CM_CODEC_COUNT; codec++) {
        bytes.len = 0;
        add_batch(0, codec, abc, 3);
        size_t from = bytes.len;
        add_batch(3, codec, abc, 3);
        size_t to = bytes.len;
        add_batch(6, codec, abc, 3);
        uint8_t *copy = malloc(bytes.len);
        memcpy(copy, bytes.data, bytes.len);
        struct cm_record_set set = whole();
        set.bytes = copy;
        for (size_t bit = 8 * from; bit < 8 * to; bit++) {
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            set.check_crc = true;
            size_t at = bit / 8 - from;
            if (at >= 17) {
                assert_int_equal(read_set(&set, 2), -CM_ERR_CORRUPT);
                assert_string_equal(walk.why, "checksum differs");
                assert_values("0=a 1=b 2=c");
                assert_int_equal(cm_record_walk_offset(&walk), 6);
                assert_int_equal(go_on(2), 0);
                assert_values("0=a 1=b 2=c 6=a 7=b 8=c");
            } else {
                walk_to_the_end(&set);
                assert_true(got >= 3);
            }
            set.check_crc = false;
            walk_to_the_end(&set);
            assert_true(got >= 3);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        free(copy);
    }
}

/* A batch that grows beyond the limit loses itself; its neighbours come. */
static void test_bombs(void **state)
{
    (void)state;
    cm_inflate_destroy(inflate);
    inflate = cm_inflate_create(1 << 20);
    char *zeros = cm_alloc(4 << 20, 1);
    for (uint32_t codec = 1; codec < CM_CODEC_COUNT; codec++) {
        for (uint32_t framing = 0; framing < FRAMING_COUNT; framing++) {
            bytes.len = 0;
            add_batch(0, codec, abc, 3);
            struct batch_builder b = batch_begin(3, codec);
            b.framing = (enum batch_framing)framing;
            batch_add(&b, 0, NULL, "d");
            batch_add_full(&b, 1, 0, NULL, zeros, 4 << 20, "", 1);
            batch_end(&b, &bytes);
            add_batch(5, codec, abc, 1);
            struct cm_record_set set = whole();
            assert_int_equal(read_set(&set, 9), -CM_ERR_CORRUPT);
            assert_non_null(strstr(walk.why, "more than 1048576 bytes"));
            assert_int_equal(go_on(9), 0);
            assert_int_equal(offsets[got - 1], 5);
        }
    }
    free(zeros);
}

/* tests/data/record_batches: segments of Apache Kafka 4.1.0, written by its Java producer in three
 * transactions of 40, 10 (aborted) and 5 records. Record n has its number in all that it holds. */
static void test_written_by_java(void **state)
{
    (void)state;
    struct cm_text wanted = {0};
    for (uint32_t codec = 0; codec < CM_CODEC_COUNT; codec++) {
        char path[256];
        snprintf(path, sizeof(path), CM_SOURCE_DIR "/tests/data/record_batches/%s.log",
                 cm_codec_name(codec));
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        bytes.len = 0;
        bytes.len = fread(cm_text_room(&bytes, 1 << 16), 1, 1 << 16, file);
        assert_int_equal(fclose(file), 0);
        struct cm_record_set set = whole();
        const struct cm_aborted aborted = {cm_be64(set.bytes + 43), 41};
        set.aborted = &aborted;
        set.aborted_count = 1;
        assert_int_equal(read_set(&set, 7), 0);
        assert_int_equal(got, 45);
        assert_int_equal(cm_record_walk_offset(&walk), 58);
        for (uint32_t i = 0; i < got; i++) {
            uint32_t n = i < 40 ? i : i + 10;
            wanted.len = 0;
            cm_text_addf(&wanted, "{\"type\":\"cdr\",\"id\":\"c%u\",\"wait_ms\":%u,\"pad\":\"", n,
                         n * n);
            for (uint32_t k = 0; k < n % 40; k++) {
                cm_text_adds(&wanted, "padding ");
            }
            cm_text_adds(&wanted, "\"}");
            assert_int_equal(offsets[i], i < 40 ? i : i + 12);
            assert_int_equal(append_ms[i], INT64_C(1700000000000) + n);
            assert_int_equal(tombstone[i], n % 10 == 9);
            assert_string_equal(cm_text_cstr(&values[i]),
                                tombstone[i] ? "" : cm_text_cstr(&wanted));
        }
        set.read_committed = false;
        assert_int_equal(read_set(&set, 7), 0);
        assert_int_equal(got, 55);
    }
    cm_text_free(&wanted);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_plain),
        TEST(test_views_of_a_plain_batch_lie_in_the_set),
        TEST(test_codecs),
        TEST(test_small_batches_share_a_call),
        TEST(test_times),
        TEST(test_headers),
        TEST(test_wrong_records),
        TEST(test_wrong_counts),
        TEST(test_compaction),
        TEST(test_batches_again),
        TEST(test_transactions),
        TEST(test_wrong_control),
        TEST(test_old_formats),
        TEST(test_impossible_length),
        TEST(test_offset_behind_damage),
        TEST(test_cut_at_every_byte),
        TEST(test_every_bit),
        TEST(test_bombs),
        TEST(test_written_by_java),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
