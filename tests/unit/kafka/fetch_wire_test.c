// SPDX-License-Identifier: Apache-2.0
/* fetch_wire_test.c — requests byte by byte, responses of every version, cut off at every byte. */
#include "kafka/fetch_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fail.h"
#include "base/memory.h"

static const struct cm_fetch_terms terms = {.client_id = "me",
                                            .topic = "calls",
                                            .rack = "r1",
                                            .read_committed = true,
                                            .wait_ms = 20,
                                            .least_bytes = 1,
                                            .most_bytes = 1 << 20,
                                            .part_bytes = 65536};

/* ---- a broker's side */

struct writer {
    struct cm_text text;
    bool flexible;
};

static void w(struct writer *out, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = bytes; i-- > 0;) {
        cm_text_addc(&out->text, (char)(value >> (8 * i)));
    }
}

static void w_count(struct writer *out, uint32_t count)
{
    if (out->flexible) {
        assert_true(count < 127);
        cm_text_addc(&out->text, (char)(count + 1));
    } else {
        w(out, count, 4);
    }
}

static void w_tags(struct writer *out)
{
    if (out->flexible) {
        cm_text_addc(&out->text, 0);
    }
}

static const char batches[] = "not batches at all";

static void w_part(struct writer *out, int16_t version, int32_t partition, int16_t error,
                   uint32_t aborted)
{
    w(out, (uint64_t)partition, 4);
    w(out, (uint64_t)error, 2);
    w(out, 1000, 8); /* high */
    w(out, 900, 8);  /* stable */
    if (version >= 5) {
        w(out, 5, 8); /* log start */
    }
    w_count(out, aborted);
    for (uint32_t i = 0; i < aborted; i++) {
        w(out, 70 + i, 8);
        w(out, 100 + i, 8);
        w_tags(out);
    }
    if (version >= 11) {
        w(out, UINT64_MAX, 4); /* no other replica */
    }
    w_count(out, sizeof batches);
    cm_text_add(&out->text, batches, sizeof batches);
    if (out->flexible && error == 0 && partition == 2) { /* diverges: epoch 3, offset 77 */
        w(out, 1, 1);
        w(out, 0, 1);
        w(out, 13, 1);
        w(out, 3, 4);
        w(out, 77, 8);
        w_tags(out);
    } else {
        w_tags(out);
    }
}

static void answer(struct writer *out, int16_t version)
{
    *out = (struct writer){.flexible = version >= 12};
    w(out, 42, 4); /* correlation */
    w_tags(out);
    w(out, 250, 4); /* throttle */
    if (version >= 7) {
        w(out, 0, 2);
        w(out, 0, 4);
    }
    w_count(out, 1);
    if (out->flexible) {
        w(out, 6, 1);
    } else {
        w(out, 5, 2);
    }
    cm_text_add(&out->text, "calls", 5);
    w_count(out, 3);
    w_part(out, version, 1, 0, 2);
    w_part(out, version, 7, 6, 0);
    w_part(out, version, 2, 0, 0);
    w_tags(out);
    w_tags(out);
}

static void reads_every_version(void **state)
{
    (void)state;
    for (int16_t version = CM_FETCH_VERSION_LEAST; version <= CM_FETCH_VERSION_MOST; version++) {
        struct writer out;
        struct cm_fetch_answer a;
        struct cm_fetch_part part;
        struct cm_aborted aborted[2];
        answer(&out, version);
        assert_int_equal(
            cm_fetch_begin(&a, version, 42, (const uint8_t *)out.text.data, out.text.len), 0);
        assert_int_equal(a.throttle_ms, 250);
        assert_int_equal(a.error, 0);
        assert_int_equal(cm_fetch_next(&a, &part), 1);
        assert_int_equal(part.partition, 1);
        assert_int_equal(part.high, 1000);
        assert_int_equal(part.stable, 900);
        assert_int_equal(part.replica, -1);
        assert_int_equal(part.diverging_to, -1);
        assert_int_equal(part.len, sizeof batches);
        assert_memory_equal(part.bytes, batches, sizeof batches);
        assert_int_equal(part.aborted_count, 2);
        cm_fetch_aborted(&a, &part, aborted);
        assert_int_equal(aborted[1].producer_id, 71);
        assert_int_equal(aborted[1].first_offset, 101);
        assert_int_equal(cm_fetch_next(&a, &part), 1);
        assert_int_equal(part.partition, 7);
        assert_int_equal(part.error, 6);
        assert_int_equal(cm_fetch_next(&a, &part), 1);
        assert_int_equal(part.diverging_to, version >= 12 ? 77 : -1);
        assert_int_equal(cm_fetch_next(&a, &part), 0);
        cm_text_free(&out.text);
    }
}

/* In memory of its own length, so that a sanitizer sees one byte too many. */
static int read_all(int16_t version, const char *bytes, size_t len)
{
    uint8_t *copy = malloc(len + 1);
    struct cm_fetch_answer a;
    struct cm_fetch_part part;
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    uint8_t *exact = realloc(copy, len == 0 ? 1 : len);
    int rc = cm_fetch_begin(&a, version, 42, exact, len);
    rc = rc == 0 ? 1 : rc;
    while (rc == 1) {
        rc = cm_fetch_next(&a, &part);
    }
    free(exact);
    return rc;
}

static void says_so_when_it_is_cut_off(void **state)
{
    (void)state;
    for (int16_t version = CM_FETCH_VERSION_LEAST; version <= CM_FETCH_VERSION_MOST; version++) {
        struct writer out;
        answer(&out, version);
        assert_int_equal(read_all(version, out.text.data, out.text.len), 0);
        size_t needed = out.text.len - (version >= 12 ? 1 : 0); /* the last tags are not missed */
        for (size_t len = 0; len < needed; len++) {
            assert_int_equal(read_all(version, out.text.data, len), -CM_ERR_CORRUPT);
        }
        for (size_t i = 0; i < out.text.len; i++) { /* whatever the bytes, nothing outside */
            char was = out.text.data[i];
            for (int c = 0; c < 256; c += 51) {
                out.text.data[i] = (char)c;
                (void)read_all(version, out.text.data, out.text.len);
            }
            out.text.data[i] = was;
        }
        cm_text_free(&out.text);
    }
}

static void another_answer_is_not_taken(void **state)
{
    (void)state;
    struct writer out;
    struct cm_fetch_answer a;
    answer(&out, 11);
    assert_int_equal(cm_fetch_begin(&a, 11, 41, (const uint8_t *)out.text.data, out.text.len),
                     -CM_ERR_CORRUPT);
    cm_text_free(&out.text);
}

static void takes_the_best_version(void **state)
{
    (void)state;
    static const struct {
        int16_t least, most;
        int rc, version;
        int16_t key, authenticate; /* the other key, 0 to 2 of it */
    } offers[] = {{4, 18, 0, 12, 36, 1},
                  {0, 11, 0, 11, 18, -1},
                  {0, 4, 0, 4, 36, 1},
                  {0, 3, -CM_ERR_UNSUPPORTED, -1, 36, 1},
                  {13, 18, -CM_ERR_UNSUPPORTED, -1, 18, -1}};
    for (size_t i = 0; i < CM_ARRAY_LEN(offers); i++) {
        struct writer out = {0};
        struct cm_broker_versions versions;
        w(&out, 7, 4);
        w(&out, 0, 2);
        w(&out, 2, 4);
        w(&out, (uint64_t)offers[i].key, 2);
        w(&out, 0, 2);
        w(&out, 2, 2);
        w(&out, 1, 2);
        w(&out, (uint64_t)offers[i].least, 2);
        w(&out, (uint64_t)offers[i].most, 2);
        const uint8_t *bytes = (const uint8_t *)out.text.data;
        assert_int_equal(cm_fetch_read_versions(bytes, out.text.len, 7, &versions), offers[i].rc);
        assert_int_equal(versions.fetch, offers[i].version);
        assert_int_equal(versions.authenticate, offers[i].authenticate);
        assert_int_equal(cm_fetch_read_versions(bytes, out.text.len - 1, 7, &versions),
                         -CM_ERR_CORRUPT);
        cm_text_free(&out.text);
    }
}

static void requests_are_what_the_guide_says(void **state)
{
    (void)state;
    static const uint8_t v4[] = {
        0,   0,   0,   68,  0, 1, 0,   4,   0,   0,   0,   9, 0, 2,  'm', 'e', /* header */
        255, 255, 255, 255, 0, 0, 0,   20,  0,   0,   0,   1, 0, 16, 0,   0,
        1,                                                              /* replica .. isolation */
        0,   0,   0,   1,   0, 5, 'c', 'a', 'l', 'l', 's', 0, 0, 0,  1, /* topics, partitions */
        0,   0,   0,   3,   0, 0, 0,   0,   0,   0,   1,   0, 0, 1,  0,   0};
    static const uint8_t v12[] = {
        0,   0,   0,   88,  0,   1,   0,   12,  0, 0, 0,   9,   0,   2,
        'm', 'e', 0,   255, 255, 255, 255, 0,   0, 0, 20,  0,   0,   0,
        1,   0,   16,  0,   0,   1,   0,   0,   0, 0, 255, 255, 255, 255, /* no session */
        2,   6,   'c', 'a', 'l', 'l', 's', 2,   0, 0, 0,   3,   0,   0,
        0,   6,   0,   0,   0,   0,   0,   0,   1, 0, 0,   0,   0,   5, /* the epochs */
        255, 255, 255, 255, 255, 255, 255, 255, 0, 1, 0,   0,   0,   0, /* and the tags */
        1,   3,   'r', '1', 0};
    struct cm_fetch_ask ask = {3, 256, 6, 5, 65536};
    struct cm_text out = {0};
    cm_fetch_write(&out, 4, 9, &terms, &ask, 1);
    assert_int_equal(out.data[3], (int)out.len - 4);
    assert_int_equal(out.len, sizeof v4);
    assert_memory_equal(out.data + 4, v4 + 4, sizeof v4 - 4);
    out.len = 0;
    cm_fetch_write(&out, 12, 9, &terms, &ask, 1);
    assert_int_equal(out.data[3], (int)out.len - 4);
    assert_int_equal(out.len, sizeof v12);
    assert_memory_equal(out.data + 4, v12 + 4, sizeof v12 - 4);
    cm_text_free(&out);
}

static void the_end_is_behind_the_last_whole_batch(void **state)
{
    (void)state;
    uint8_t bytes[200] = {0};
    struct cm_fetch_part part = {.bytes = bytes, .len = 61 + 80};
    bytes[7] = 10;       /* base offset 10 */
    bytes[11] = 61 - 12; /* no records */
    bytes[16] = 2;
    bytes[26] = 4; /* last offset delta */
    bytes[61 + 7] = 15;
    bytes[61 + 11] = 80 - 12;
    bytes[61 + 16] = 2;
    bytes[61 + 26] = 9;
    bytes[15] = 4; /* epochs */
    bytes[61 + 15] = 6;
    int32_t epoch = -1;
    struct cm_fetch_batches whole;
    assert_int_equal(cm_fetch_end(&part, 3, &epoch, &whole), 25);
    assert_int_equal(epoch, 6);
    assert_int_equal(whole.count, 2);
    assert_int_equal(whole.bytes, 61 + 80);
    assert_int_equal(whole.largest, 80);
    part.len--; /* the second is cut off */
    assert_int_equal(cm_fetch_end(&part, 3, &epoch, &whole), 15);
    assert_int_equal(epoch, 4);
    assert_int_equal(whole.bytes, 61);
    epoch = 9;
    assert_int_equal(cm_fetch_end(&part, 20, &epoch, &whole), 20);
    part.len = 60;
    assert_int_equal(cm_fetch_end(&part, 3, &epoch, &whole), 3);
    assert_int_equal(epoch, 9);
    assert_int_equal(whole.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_version),
        cmocka_unit_test(says_so_when_it_is_cut_off),
        cmocka_unit_test(another_answer_is_not_taken),
        cmocka_unit_test(takes_the_best_version),
        cmocka_unit_test(requests_are_what_the_guide_says),
        cmocka_unit_test(the_end_is_behind_the_last_whole_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
