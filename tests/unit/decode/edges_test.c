// SPDX-License-Identifier: Apache-2.0
/* edges_test.c — records between pages that nobody may read, and values that change where vectors
 * end: every kernel says what the general parser says, and reads no byte outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "unit/decode/layout_kit.h"

static const char *const kernels[] = {"swar", "sse2", "avx2", "avx512"};

struct edges {
    char *map, *page; /* three pages; the middle one can be read */
    size_t bytes;
    struct cm_decoder *general, *tested[CM_ARRAY_LEN(kernels)];
};

static void edges_init(struct edges *edges)
{
    edges->bytes = (size_t)sysconf(_SC_PAGESIZE);
    edges->map = mmap(NULL, 3 * edges->bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(edges->map != MAP_FAILED);
    edges->page = edges->map + edges->bytes;
    assert_int_equal(mprotect(edges->page, edges->bytes, PROT_READ | PROT_WRITE), 0);
    edges->general = cm_decoder_create();
    assert_true(cm_decoder_use(edges->general, NULL));
    for (uint32_t i = 0; i < CM_ARRAY_LEN(kernels); i++) {
        edges->tested[i] = cm_decoder_create();
        if (!cm_decoder_use(edges->tested[i], kernels[i])) {
            cm_decoder_destroy(edges->tested[i]);
            edges->tested[i] = NULL;
        }
    }
}

static void edges_free(struct edges *edges)
{
    for (uint32_t i = 0; i < CM_ARRAY_LEN(kernels); i++) {
        cm_decoder_destroy(edges->tested[i]);
    }
    cm_decoder_destroy(edges->general);
    assert_int_equal(munmap(edges->map, 3 * edges->bytes), 0);
}

static void check_at(struct edges *edges, const char *at, size_t len)
{
    struct cm_event expected;
    enum cm_reason reason = cm_decode(edges->general, at, len, &expected);
    for (uint32_t i = 0; i < CM_ARRAY_LEN(kernels); i++) {
        struct cm_event event;
        if (edges->tested[i] == NULL) {
            continue;
        }
        memset(&event, 0x5a, sizeof event);
        enum cm_reason got = cm_decode(edges->tested[i], at, len, &event);
        if (got != reason || (reason == CM_REASON_NONE && !kit_same(&event, &expected))) {
            fail_msg("%s: %d, not %d: %.*s", kernels[i], (int)got, (int)reason, (int)len, at);
        }
        cm_decoder_reset(edges->tested[i]);
    }
    cm_decoder_reset(edges->general);
}

/* At both ends of the page. */
static void check(struct edges *edges, const char *record, size_t len)
{
    assert_in_range(len, 1, edges->bytes);
    memcpy(edges->page, record, len);
    check_at(edges, edges->page, len);
    memcpy(edges->page + edges->bytes - len, record, len);
    check_at(edges, edges->page + edges->bytes - len, len);
}

/* KIT_HEAD with a text of every length, so that everything behind it lies at every place of a
 * vector; and cut off anywhere near its end. */
static void records_of_every_length(void **state)
{
    static const char text[] = "abcdefghijklmnopqrstuvwxyz, ABCDEFGHIJKLMNOPQRSTUVWXYZ; 0123456789 "
                               "abcdefghijklmnopqrstuvwxyz";
    struct edges edges;
    char record[512];
    (void)state;
    edges_init(&edges);
    for (size_t n = 0; n < sizeof text; n++) {
        int len = snprintf(record, sizeof record, "%s,\"note\":\"%.*s\",\"wait_ms\":%zu}", KIT_HEAD,
                           (int)n, text, n * 37);
        for (int cut = 0; cut < 40; cut++) {
            check(&edges, record, (size_t)len - (size_t)cut);
        }
        (void)snprintf(record + len, sizeof record - (size_t)len, "\r\n ");
        for (int more = 1; more <= 3; more++) {
            check(&edges, record, (size_t)len + (size_t)more);
        }
    }
    edges_free(&edges);
}

/* A number in the place of another: longer by a digit, with a sign, a point, a zero before it. */
static void numbers_in_each_others_place(void **state)
{
    static const char *const numbers[] = {
        "0",        "9",         "10",         "99",         "100",     "9999999", "10000000",
        "99999999", "100000000", "604800000",  "604800001",  "-1",      "-0",      "00",
        "01",       "1.0",       "1e2",        "4294967295", "null",    "\"1\"",   "",
        " 7",       "7 ",        "4294967296", "7x",         "1234567", "12345678"};
    struct edges edges;
    char record[512];
    (void)state;
    edges_init(&edges);
    for (uint32_t i = 0; i < CM_ARRAY_LEN(numbers); i++) {
        for (uint32_t k = 0; k < CM_ARRAY_LEN(numbers); k++) {
            int len =
                snprintf(record, sizeof record, "%s,\"ring_ms\":%s,\"talk_ms\":%u,\"rev\":%s}",
                         KIT_HEAD, numbers[i], i * 1000, numbers[k]);
            check(&edges, record, (size_t)len);
        }
    }
    edges_free(&edges);
}

/* What ends or spoils a text, at every place of a vector. */
static void odd_bytes_in_texts(void **state)
{
    static const char *const odd[] = {"\\\"", "\"",     "\\",       "\\u0041",      "\x1f",
                                      "\x7f", "\xff",   "\xc3\xa9", "\xe4\xb8\xad", ",\"",
                                      "\\\\", "\\\\\"", "\x01",     "\xc3",         "\",\""};
    struct edges edges;
    char record[512];
    (void)state;
    edges_init(&edges);
    for (uint32_t i = 0; i < CM_ARRAY_LEN(odd); i++) {
        for (int n = 0; n < 70; n++) {
            int len = snprintf(record, sizeof record, "%s,\"note\":\"%*s%s\",\"seat\":\"s%sx\"}",
                               KIT_HEAD, n, "", odd[i], n % 2 == 0 ? odd[i] : "");
            check(&edges, record, (size_t)len);
        }
    }
    edges_free(&edges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_every_length),
        cmocka_unit_test(numbers_in_each_others_place),
        cmocka_unit_test(odd_bytes_in_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
