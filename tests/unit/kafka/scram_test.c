// SPDX-License-Identifier: Apache-2.0
/* scram_test.c — the examples of RFC 5802 (SHA-1), RFC 7677 (SHA-256) and one of SHA-512, and
 * brokers that say what they should not. */
#include "kafka/scram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fail.h"

#define NONCE "rOprNGfwEbeRWgbNEkqO"
#define FIRST "r=" NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define LAST  "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

/* In memory of its own length, so that a sanitizer sees one byte too many. */
static struct cm_str exact(const char *text, size_t len)
{
    char *copy = malloc(len == 0 ? 1 : len);
    assert_non_null(copy);
    memcpy(copy, text, len);
    return (struct cm_str){copy, (uint32_t)len};
}

static void drop(struct cm_str text)
{
    free((void *)(uintptr_t)text.p);
}

static int answer(struct cm_scram *scram, const char *first, struct cm_text *out)
{
    struct cm_str theirs = exact(first, strlen(first));
    out->len = 0;
    int rc = cm_scram_final(scram, theirs, out);
    drop(theirs);
    return rc;
}

static int verify(const struct cm_scram *scram, const char *last)
{
    struct cm_str theirs = exact(last, strlen(last));
    int rc = cm_scram_verify(scram, theirs);
    drop(theirs);
    return rc;
}

static void the_examples_come_out(void **state)
{
    (void)state;
    static const struct {
        enum cm_scram_hash hash;
        const char *nonce, *hello, *first, *proof, *last;
    } examples[] = {
        {CM_SCRAM_SHA_1, "fyko+d2lbbFgONRv9qkxdawL", "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
         "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
         "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
         "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="},
        {CM_SCRAM_SHA_256, NONCE, "n,,n=user,r=" NONCE, FIRST,
         "c=biws,r=" NONCE
         "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
         LAST},
        {CM_SCRAM_SHA_512, NONCE, "n,,n=user,r=" NONCE,
         "r=" NONCE "02431b08-2f89-4bad-a4e6-80c0564ec865,"
         "s=Yin2FuHTt/M0kJWb0t9OI32n2VmOGi3m+JfjOvuDF88=,i=4096",
         "c=biws,r=" NONCE "02431b08-2f89-4bad-a4e6-80c0564ec865,"
         "p=Hc5yec3NmCD7t+kFRw4/3yD6/F3SQHc7AVYschRja+Bc3sbdjlA0eH1OjJc0DD4ghn1tnXN5/"
         "Wr6qm9xmaHt4A==",
         "v=BQuhnKHqYDwQWS5jAw4sZed+C9KFUALsbrq81bB0mh+bcUUbbMPNNmBIupnS2AmyyDnG5CTBQtkjJ9kyY4kzmw="
         "="},
    };
    for (size_t i = 0; i < CM_ARRAY_LEN(examples); i++) {
        struct cm_scram scram;
        struct cm_text out = {0};
        cm_scram_begin(&scram, examples[i].hash, "user", "pencil", examples[i].nonce);
        cm_scram_first(&scram, &out);
        assert_string_equal(cm_text_cstr(&out), examples[i].hello);
        assert_int_equal(answer(&scram, examples[i].first, &out), 0);
        assert_string_equal(cm_text_cstr(&out), examples[i].proof);
        assert_int_equal(verify(&scram, examples[i].last), 0);
        cm_scram_end(&scram);
        cm_text_free(&out);
    }
}

static void names_are_escaped(void **state)
{
    (void)state;
    struct cm_scram scram;
    struct cm_text out = {0};
    cm_scram_begin(&scram, CM_SCRAM_SHA_256, "a,b=c", "p", "x");
    cm_scram_first(&scram, &out);
    assert_string_equal(cm_text_cstr(&out), "n,,n=a=2Cb=3Dc,r=x");
    cm_text_free(&out);
}

static void a_bad_challenge_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *first, *why;
    } bad[] = {
        {"", "no nonce, salt"},
        {"r=" NONCE "x", "no nonce, salt"},
        {"r=" NONCE "x,s=W22ZaJ0S", "no nonce, salt"},
        {"s=W22ZaJ0S,r=" NONCE "x,i=4096", "no nonce, salt"},
        {"e=other-error", "no nonce, salt"},
        {"m=ext,r=" NONCE "x,s=W22ZaJ0S,i=4096", "extension"},
        {"r=" NONCE ",s=W22ZaJ0S,i=4096", "does not begin with ours"},
        {"r=rOprNGfwEbeRWgbNEkqP3,s=W22ZaJ0S,i=4096", "does not begin with ours"},
        {"r=,s=W22ZaJ0S,i=4096", "does not begin with ours"},
        {"r=" NONCE "x,s=,i=4096", "salt"},
        {"r=" NONCE "x,s=W22ZaJ0,i=4096", "salt"},
        {"r=" NONCE "x,s=W22 aJ0S,i=4096", "salt"},
        {"r=" NONCE "x,s=W===,i=4096", "salt"},
        {"r=" NONCE "x,s=====,i=4096", "salt"},
        {"r=" NONCE "x,s=W22=aJ0S,i=4096", "salt"},
        {"r=" NONCE "x,s=W22ZaJ0S,i=", "no number"},
        {"r=" NONCE "x,s=W22ZaJ0S,i=4096 ", "no number"},
        {"r=" NONCE "x,s=W22ZaJ0S,i=-4096", "no number"},
        {"r=" NONCE "x,s=W22ZaJ0S,i=99999999999999999999999", "no number"},
        {"r=" NONCE "x,s=W22ZaJ0S,i=4095", "4095 iterations; 4096 to 1000000"},
        {"r=" NONCE "x,s=W22ZaJ0S,i=0", "0 iterations"},
        {"r=" NONCE "x,s=W22ZaJ0S,i=1000001", "1000001 iterations"},
        {"r=" NONCE "x,s=W22ZaJ0S,i=4294967296", "4294967296 iterations"},
    };
    for (size_t i = 0; i < CM_ARRAY_LEN(bad); i++) {
        struct cm_scram scram;
        struct cm_text out = {0};
        cm_scram_begin(&scram, CM_SCRAM_SHA_256, "user", "pencil", NONCE);
        assert_int_equal(answer(&scram, bad[i].first, &out), -CM_ERR_KAFKA);
        assert_int_equal(out.len, 0);
        if (strstr(cm_fail_text(), bad[i].why) == NULL) {
            fail_msg("%s: %s", bad[i].first, cm_fail_text());
        }
        assert_null(strstr(cm_fail_text(), "pencil"));
        assert_int_equal(verify(&scram, LAST), -CM_ERR_KAFKA); /* nothing to hold it against */
        cm_text_free(&out);
    }
}

/* More behind the iteration count is an extension that may be passed over. */
static void an_optional_extension_is_passed_over(void **state)
{
    (void)state;
    struct cm_scram scram;
    struct cm_text out = {0};
    cm_scram_begin(&scram, CM_SCRAM_SHA_256, "user", "pencil", NONCE);
    assert_int_equal(answer(&scram, FIRST ",x=1", &out), 0);
    assert_int_equal(verify(&scram, LAST), -CM_ERR_KAFKA); /* it is signed */
    cm_text_free(&out);
}

static void a_long_message_is_refused(void **state)
{
    (void)state;
    struct cm_scram scram;
    struct cm_text out = {0};
    struct cm_text first = {0};
    cm_scram_begin(&scram, CM_SCRAM_SHA_256, "user", "pencil", NONCE);
    cm_text_adds(&first, "r=" NONCE "x,s=");
    while (first.len < 2000) { /* more than a salt may have */
        cm_text_adds(&first, "W22ZaJ0S");
    }
    cm_text_adds(&first, ",i=4096");
    assert_int_equal(answer(&scram, cm_text_cstr(&first), &out), -CM_ERR_KAFKA);
    assert_non_null(strstr(cm_fail_text(), "salt"));
    while (first.len <= CM_SCRAM_MESSAGE_MOST) {
        cm_text_adds(&first, ",x=more");
    }
    assert_int_equal(answer(&scram, cm_text_cstr(&first), &out), -CM_ERR_KAFKA);
    assert_non_null(strstr(cm_fail_text(), "too long"));
    first.data[0] = 'v';
    assert_int_equal(verify(&scram, cm_text_cstr(&first)), -CM_ERR_KAFKA);
    cm_text_free(&first);
    cm_text_free(&out);
}

static void a_broker_that_does_not_know_the_password_is_not_believed(void **state)
{
    (void)state;
    struct cm_scram scram;
    struct cm_text out = {0};
    char last[] = LAST;
    cm_scram_begin(&scram, CM_SCRAM_SHA_256, "user", "pencil", NONCE);
    assert_int_equal(answer(&scram, FIRST, &out), 0);
    for (size_t i = 0; i < sizeof last - 1; i++) {
        char was = last[i];
        last[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(verify(&scram, last), -CM_ERR_KAFKA);
        last[i] = was;
    }
    for (size_t len = 0; len < strlen(LAST); len++) {
        struct cm_str part = exact(LAST, len);
        assert_int_equal(cm_scram_verify(&scram, part), -CM_ERR_KAFKA);
        drop(part);
    }
    assert_int_equal(verify(&scram, "e=invalid-proof\n\"x"), -CM_ERR_KAFKA);
    assert_string_equal(cm_fail_text(), "SCRAM: the broker says invalid-proof??x");
    assert_int_equal(verify(&scram, LAST), 0);
    cm_scram_end(&scram);
    cm_text_free(&out);
}

static void a_nonce_is_new_each_time(void **state)
{
    (void)state;
    char a[CM_SCRAM_NONCE_BYTES];
    char b[CM_SCRAM_NONCE_BYTES];
    assert_int_equal(cm_scram_nonce(a), 0);
    assert_int_equal(cm_scram_nonce(b), 0);
    assert_int_equal(strlen(a), CM_SCRAM_NONCE_BYTES - 1);
    assert_null(strchr(a, ','));
    assert_string_not_equal(a, b);
}

static void only_ascii_is_taken(void **state)
{
    (void)state;
    assert_true(cm_scram_takes("a b~!"));
    assert_false(cm_scram_takes(""));
    assert_false(cm_scram_takes("tab\t"));
    assert_false(cm_scram_takes("\x7f"));
    assert_false(cm_scram_takes("gr\xc3\xbc\xc3\x9f"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_come_out),
        cmocka_unit_test(names_are_escaped),
        cmocka_unit_test(a_bad_challenge_is_refused),
        cmocka_unit_test(an_optional_extension_is_passed_over),
        cmocka_unit_test(a_long_message_is_refused),
        cmocka_unit_test(a_broker_that_does_not_know_the_password_is_not_believed),
        cmocka_unit_test(a_nonce_is_new_each_time),
        cmocka_unit_test(only_ascii_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
