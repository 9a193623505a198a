// SPDX-License-Identifier: Apache-2.0
/* inflate_test.c — every codec and framing at many sizes, the bound, cut and joined streams, and
 * what is kept when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/fail.h"
#include "base/memory.h"
#include "base/prng.h"
#include "kafka/inflate.h"
#include "support/batch_builder.h"

#define RAW_BYTES (5u << 20)

static uint8_t *raw; /* half of it compresses well, in turns of 1 KiB */

static int setup(void **state)
{
    (void)state;
    struct cm_prng prng;
    cm_prng_seed(&prng, 7);
    raw = cm_alloc(RAW_BYTES, 1);
    for (uint32_t i = 0; i < RAW_BYTES; i++) {
        uint64_t n = cm_prng_next(&prng);
        raw[i] = (uint8_t)((i >> 10) % 2 == 0 ? n : i >= 3000 ? raw[i - 3000] : 'a' + n % 4);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(raw);
    return 0;
}

/* To the end; what came out, or the error. */
static int run(struct cm_inflate *inflate, uint32_t codec, const void *bytes, size_t len,
               size_t *out_len)
{
    int rc = cm_inflate_begin(inflate, codec, bytes, len, false);
    size_t before = 0;
    *out_len = 0;
    while (rc > 0) {
        assert_int_equal(rc, CM_INFLATE_MORE);
        rc = cm_inflate_more(inflate, true);
        (void)cm_inflate_bytes(inflate, out_len);
        assert_true(rc != CM_INFLATE_MORE || *out_len > before);
        before = *out_len;
    }
    if (rc < 0) {
        assert_true(cm_fail_text()[0] != '\0');
    }
    return rc;
}

static void test_round_trips(void **state)
{
    (void)state;
    static const size_t sizes[] = {
        0,      1,      2,      100,     999,    1000,   1001,   65535,         65536,   65537,
        131072, 131073, 300000, 1 << 20, 262144, 262145, 524288, (1 << 20) + 1, 1500000, RAW_BYTES};
    struct cm_text text = {0};
    for (uint32_t codec = 1; codec < CM_CODEC_COUNT; codec++) {
        struct cm_inflate *inflate = cm_inflate_create(CM_INFLATE_MOST_BYTES);
        for (uint32_t framing = 0; framing < FRAMING_COUNT; framing++) {
            for (size_t i = 0; i < CM_ARRAY_LEN(sizes); i++) {
                size_t out_len;
                text.len = 0;
                batch_compress(&text, codec, (enum batch_framing)framing, raw + i,
                               sizes[i] - (i < sizes[i] ? i : 0));
                size_t wanted = sizes[i] - (i < sizes[i] ? i : 0);
                assert_int_equal(run(inflate, codec, text.data, text.len, &out_len), 0);
                assert_int_equal(out_len, wanted);
                assert_memory_equal(cm_inflate_bytes(inflate, &out_len), raw + i, wanted);
                assert_int_equal(cm_inflate_more(inflate, false), CM_INFLATE_END);
            }
        }
        cm_inflate_destroy(inflate);
    }
    cm_text_free(&text);
}

/* Streams one behind the other are one. */
static void test_joined(void **state)
{
    (void)state;
    struct cm_inflate *inflate = cm_inflate_create(CM_INFLATE_MOST_BYTES);
    struct cm_text text = {0};
    for (uint32_t codec = 1; codec < CM_CODEC_COUNT; codec++) {
        size_t out_len;
        enum batch_framing framing = codec == CM_CODEC_SNAPPY ? FRAMING_CHUNKS : FRAMING_LINKED;
        text.len = 0;
        if (codec >= CM_CODEC_LZ4) { /* and frames to skip */
            cm_text_add(&text, "\x5f\x2a\x4d\x18\x03\0\0\0abc", 11);
        }
        batch_compress(&text, codec, framing, raw, 100000);
        if (codec >= CM_CODEC_LZ4) {
            cm_text_add(&text, "\x50\x2a\x4d\x18\0\0\0\0", 8);
        }
        batch_compress(&text, codec, framing, raw + 100000, 0);
        batch_compress(&text, codec, framing, raw + 100000, 100001);
        assert_int_equal(run(inflate, codec, text.data, text.len, &out_len), 0);
        assert_int_equal(out_len, 200001);
        assert_memory_equal(cm_inflate_bytes(inflate, &out_len), raw, out_len);
        cm_text_add(&text, "rest that is none", 17);
        assert_int_equal(run(inflate, codec, text.data, text.len, &out_len), -CM_ERR_CORRUPT);
    }
    cm_text_free(&text);
    cm_inflate_destroy(inflate);
}

/* Exactly the limit comes out, one byte more does not. */
static void test_limit(void **state)
{
    (void)state;
    static const uint32_t limits[] = {1, 1000, 65536, 100000, 131072, 1 << 20};
    struct cm_text text = {0};
    for (size_t i = 0; i < CM_ARRAY_LEN(limits); i++) {
        struct cm_inflate *inflate = cm_inflate_create(limits[i]);
        for (uint32_t codec = 1; codec < CM_CODEC_COUNT; codec++) {
            for (uint32_t framing = 0; framing < FRAMING_COUNT; framing++) {
                for (uint32_t more = 0; more < 2; more++) {
                    size_t out_len;
                    text.len = 0;
                    batch_compress(&text, codec, (enum batch_framing)framing, raw,
                                   limits[i] + more);
                    int rc = run(inflate, codec, text.data, text.len, &out_len);
                    assert_int_equal(rc, more == 0 ? 0 : -CM_ERR_CORRUPT);
                    assert_true(out_len <= limits[i]);
                    assert_true(more == 1 || out_len == limits[i]);
                    if (more == 1) {
                        assert_non_null(strstr(cm_fail_text(), "more than"));
                    }
                }
            }
        }
        cm_inflate_destroy(inflate);
    }
    cm_text_free(&text);
}

static void test_cut_at_every_byte(void **state)
{
    (void)state;
    struct cm_inflate *inflate = cm_inflate_create(CM_INFLATE_MOST_BYTES);
    struct cm_text text = {0};
    for (uint32_t codec = 1; codec < CM_CODEC_COUNT; codec++) {
        for (uint32_t framing = 0; framing < FRAMING_COUNT; framing++) {
            text.len = 0;
            batch_compress(&text, codec, (enum batch_framing)framing, raw, 3000);
            for (size_t len = 0; len < text.len; len++) {
                size_t out_len;
                uint8_t *copy = malloc(len + 1); /* ends where the input ends */
                memcpy(copy + 1, text.data, len);
                int rc = run(inflate, codec, copy + 1, len, &out_len);
                /* Chunks, and members, may end between two. */
                bool joint = framing == FRAMING_CHUNKS && codec <= CM_CODEC_SNAPPY && len > 0;
                assert_true(rc == -CM_ERR_CORRUPT || (joint && rc == 0 && out_len % 500 == 0));
                free(copy);
            }
        }
    }
    cm_text_free(&text);
    cm_inflate_destroy(inflate);
}

/* Any byte other than it was: an error or other bytes, within the bound; and the context goes on.
 */
static void test_damage(void **state)
{
    (void)state;
    struct cm_inflate *inflate = cm_inflate_create(1 << 20);
    struct cm_text text = {0};
    struct cm_prng prng;
    cm_prng_seed(&prng, 3);
    for (uint32_t codec = 1; codec < CM_CODEC_COUNT; codec++) {
        for (uint32_t framing = 0; framing < FRAMING_COUNT; framing++) {
            size_t out_len;
            text.len = 0;
            batch_compress(&text, codec, (enum batch_framing)framing, raw, 3000);
            uint8_t *copy = malloc(text.len);
            for (uint32_t round = 0; round < 3000; round++) {
                memcpy(copy, text.data, text.len);
                uint64_t at = round < text.len ? round : cm_prng_below(&prng, text.len);
                copy[at] ^= (uint8_t)(1 + cm_prng_below(&prng, 255));
                (void)run(inflate, codec, copy, text.len, &out_len);
                assert_true(out_len <= 1 << 20);
            }
            free(copy);
            assert_int_equal(run(inflate, codec, text.data, text.len, &out_len), 0);
            assert_int_equal(out_len, 3000);
            assert_memory_equal(cm_inflate_bytes(inflate, &out_len), raw, 3000);
        }
    }
    cm_text_free(&text);
    cm_inflate_destroy(inflate);
}

/* A gzip trailer that promises less than comes: the room grows, but only when things may move. */
static void test_gzip_grows(void **state)
{
    (void)state;
    struct cm_inflate *inflate = cm_inflate_create(CM_INFLATE_MOST_BYTES);
    struct cm_text text = {0};
    size_t out_len;
    batch_compress(&text, CM_CODEC_GZIP, FRAMING_PLAIN, raw, 2 << 20);
    batch_compress(&text, CM_CODEC_GZIP, FRAMING_PLAIN, raw + (2 << 20), 100);
    assert_int_equal(cm_inflate_begin(inflate, CM_CODEC_GZIP, text.data, text.len, false),
                     CM_INFLATE_MORE);
    int rc;
    while ((rc = cm_inflate_more(inflate, false)) == CM_INFLATE_MORE) {
    }
    assert_int_equal(rc, CM_INFLATE_FULL);
    assert_int_equal(cm_inflate_more(inflate, false), CM_INFLATE_FULL);
    while ((rc = cm_inflate_more(inflate, true)) == CM_INFLATE_MORE) {
    }
    assert_int_equal(rc, CM_INFLATE_END);
    assert_memory_equal(cm_inflate_bytes(inflate, &out_len), raw, (2 << 20) + 100);
    assert_int_equal(out_len, (2 << 20) + 100);
    cm_text_free(&text);
    cm_inflate_destroy(inflate);
}

static void test_keep(void **state)
{
    (void)state;
    struct cm_inflate *inflate = cm_inflate_create(CM_INFLATE_MOST_BYTES);
    struct cm_text text = {0};
    for (uint32_t codec = 1; codec < CM_CODEC_COUNT; codec++) {
        const uint8_t *kept[64];
        size_t out_len;
        uint32_t count = 0;
        text.len = 0;
        batch_compress(&text, codec, FRAMING_PLAIN, raw, 30000);
        assert_int_equal(run(inflate, codec, text.data, text.len, &out_len), 0);
        kept[count++] = cm_inflate_bytes(inflate, &out_len);
        uint64_t turn = cm_inflate_turn(inflate);
        while (cm_inflate_begin(inflate, codec, text.data, text.len, true) == CM_INFLATE_MORE) {
            assert_int_equal(cm_inflate_more(inflate, false), CM_INFLATE_MORE);
            assert_int_equal(cm_inflate_more(inflate, false), CM_INFLATE_END);
            kept[count++] = cm_inflate_bytes(inflate, &out_len);
        }
        assert_true(count >= CM_INFLATE_KEEP_BYTES / 30000 - 4);
        for (uint32_t i = 0; i < count; i++) {
            assert_memory_equal(kept[i], raw, 30000);
        }
        assert_int_equal(cm_inflate_turn(inflate), turn);
        assert_int_equal(cm_inflate_begin(inflate, codec, text.data, text.len, false),
                         CM_INFLATE_MORE);
        assert_int_not_equal(cm_inflate_turn(inflate), turn);
    }
    cm_text_free(&text);
    cm_inflate_destroy(inflate);
}

static void test_errors(void **state)
{
    (void)state;
    struct cm_inflate *inflate = cm_inflate_create(1000);
    struct cm_text text = {0};
    assert_int_equal(cm_inflate_begin(inflate, CM_CODEC_NONE, "a", 1, false), -CM_ERR_UNSUPPORTED);
    assert_int_equal(cm_inflate_begin(inflate, 5, "a", 1, false), -CM_ERR_UNSUPPORTED);
    /* An error stays until the next begin, and says the same. */
    batch_compress(&text, CM_CODEC_ZSTD, FRAMING_PLAIN, raw, 1001);
    assert_int_equal(cm_inflate_begin(inflate, CM_CODEC_ZSTD, text.data, text.len, false),
                     CM_INFLATE_MORE);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cm_inflate_more(inflate, true), -CM_ERR_CORRUPT);
        assert_string_equal(cm_fail_text(), "more than 1000 bytes come out of it");
        cm_fail(CM_ERR_IO, "something else");
    }
    /* Blocks that promise what they cannot hold. */
    assert_int_equal(cm_inflate_begin(inflate, CM_CODEC_SNAPPY,
                                      "\xff\xff\xff\xff\x0f"
                                      "a",
                                      6, false),
                     -CM_ERR_CORRUPT);
    assert_int_equal(
        cm_inflate_begin(inflate, CM_CODEC_LZ4, "\x02\x21\x4c\x18\x64\x40\xa7", 7, false),
        -CM_ERR_CORRUPT);
    assert_string_equal(cm_codec_name(CM_CODEC_SNAPPY), "snappy");
    assert_string_equal(cm_codec_name(CM_CODEC_NONE), "none");
    assert_string_equal(cm_codec_name(7), "?");
    memset(cm_inflate_scratch(inflate, 100), 1, 100);
    memset(cm_inflate_scratch(inflate, 100000), 1, 100000);
    cm_text_free(&text);
    cm_inflate_destroy(inflate);
    cm_inflate_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips), cmocka_unit_test(test_joined),
        cmocka_unit_test(test_limit),       cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_damage),      cmocka_unit_test(test_gzip_grows),
        cmocka_unit_test(test_keep),        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
