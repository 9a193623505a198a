// SPDX-License-Identifier: Apache-2.0
/* sasl_test.c — conversations byte by byte, and answers that are none. */
#include "kafka/sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fail.h"
#include "kafka/record_fields.h"

#define NONCE "rOprNGfwEbeRWgbNEkqO"
#define FIRST ("r=" NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
#define LAST  "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

static char user[] = "user", password[] = "pencil";
static const struct cm_sasl_terms plain = {CM_SASL_PLAIN, user, password};
static const struct cm_sasl_terms scram = {CM_SASL_SCRAM_SHA_256, user, password};

/* ---- a broker's side */

static void w(struct cm_text *out, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = bytes; i-- > 0;) {
        cm_text_addc(out, (char)(value >> (8 * i)));
    }
}

static void w_string(struct cm_text *out, const char *s)
{
    if (s == NULL) {
        w(out, UINT16_MAX, 2);
        return;
    }
    w(out, strlen(s), 2);
    cm_text_adds(out, s);
}

static void handshake(struct cm_text *out, int16_t error)
{
    out->len = 0;
    w(out, 7, 4);
    w(out, (uint64_t)error, 2);
    w(out, 2, 4);
    w_string(out, "GSSAPI");
    w_string(out, "SCRAM-\"X");
}

static void token(struct cm_text *out, int16_t version, int16_t error, const char *message,
                  const char *bytes, int64_t lifetime_ms)
{
    out->len = 0;
    w(out, 7, 4);
    w(out, (uint64_t)error, 2);
    w_string(out, message);
    w(out, strlen(bytes), 4);
    cm_text_adds(out, bytes);
    if (version >= 1) {
        w(out, (uint64_t)lifetime_ms, 8);
    }
}

/* In memory of its own length, so that a sanitizer sees one byte too many. */
static int read_some(struct cm_sasl *sasl, const struct cm_text *text, size_t len)
{
    uint8_t *exact = malloc(len == 0 ? 1 : len);
    assert_non_null(exact);
    memcpy(exact, text->data, len);
    int rc = cm_sasl_read(sasl, 7, exact, len);
    free(exact);
    return rc;
}

static int read_all(struct cm_sasl *sasl, const struct cm_text *text)
{
    return read_some(sasl, text, text->len);
}

/* What is asked next, without its length. */
static void asks(struct cm_sasl *sasl, const void *want, size_t len)
{
    struct cm_text out = {0};
    cm_sasl_write(sasl, 7, "me", &out);
    assert_int_equal(cm_be32((const uint8_t *)out.data), out.len - 4);
    assert_int_equal(out.len - 4, len);
    assert_memory_equal(out.data + 4, want, len);
    cm_sasl_wipe(&out);
    for (size_t i = 0; i < out.cap; i++) {
        assert_int_equal(out.data[i], 0);
    }
    cm_text_free(&out);
}

#define ASKS(sasl, literal) asks((sasl), (literal), sizeof(literal) - 1)

static void plain_is_one_message(void **state)
{
    (void)state;
    for (int16_t version = 0; version <= CM_SASL_AUTHENTICATE_VERSION_MOST; version++) {
        struct cm_sasl sasl = {0};
        struct cm_text text = {0};
        cm_sasl_begin(&sasl, &plain, version, NONCE);
        ASKS(&sasl, "\0\x11\0\1\0\0\0\7\0\2me\0\5PLAIN");
        handshake(&text, 0);
        assert_int_equal(read_all(&sasl, &text), 1);
        if (version == 0) {
            ASKS(&sasl, "\0\x24\0\0\0\0\0\7\0\2me\0\0\0\x0c\0user\0pencil");
        } else {
            ASKS(&sasl, "\0\x24\0\1\0\0\0\7\0\2me\0\0\0\x0c\0user\0pencil");
        }
        assert_int_equal(sasl.token.len, 0);
        token(&text, version, 0, NULL, "", 3600000);
        assert_int_equal(read_all(&sasl, &text), 0);
        assert_int_equal(sasl.step, CM_SASL_DONE);
        assert_int_equal(sasl.lifetime_ms, version == 0 ? 0 : 3600000);
        cm_sasl_end(&sasl);
        cm_text_free(&text);
    }
}

static void scram_is_two(void **state)
{
    (void)state;
    struct cm_sasl sasl = {0};
    struct cm_text text = {0};
    cm_sasl_begin(&sasl, &scram, 1, NONCE);
    ASKS(&sasl, "\0\x11\0\1\0\0\0\7\0\2me\0\x0dSCRAM-SHA-256");
    handshake(&text, 0);
    assert_int_equal(read_all(&sasl, &text), 1);
    ASKS(&sasl, "\0\x24\0\1\0\0\0\7\0\2me\0\0\0\x20n,,n=user,r=" NONCE);
    token(&text, 1, 0, "", FIRST, 0);
    assert_int_equal(read_all(&sasl, &text), 1);
    ASKS(&sasl, "\0\x24\0\1\0\0\0\7\0\2me\0\0\0\x6a"
                "c=biws,r=" NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    token(&text, 1, 0, NULL, LAST, -5);
    assert_int_equal(read_all(&sasl, &text), 0);
    assert_int_equal(sasl.lifetime_ms, 0);
    cm_sasl_end(&sasl);
    cm_text_free(&text);
}

static struct cm_sasl begun; /* must not move */

/* To the answer to that step. */
static void begin_at(enum cm_sasl_step step, const struct cm_sasl_terms *terms)
{
    struct cm_text text = {0};
    cm_sasl_begin(&begun, terms, 1, NONCE);
    handshake(&text, 0);
    for (int at = CM_SASL_HANDSHAKE; at < (int)step; at++) {
        assert_int_equal(read_all(&begun, &text), 1);
        token(&text, 1, 0, NULL, FIRST, 0);
    }
    text.len = 0;
    cm_sasl_write(&begun, 7, "me", &text);
    cm_text_free(&text);
}

static void the_broker_says_why_not(void **state)
{
    (void)state;
    struct cm_text text = {0};
    begin_at(CM_SASL_HANDSHAKE, &scram);
    handshake(&text, 33);
    assert_int_equal(read_all(&begun, &text), -CM_ERR_KAFKA);
    assert_string_equal(cm_fail_text(),
                        "SASL: the broker has no SCRAM-SHA-256; it has GSSAPI, SCRAM-?X");
    begin_at(CM_SASL_HANDSHAKE, &scram);
    handshake(&text, 34);
    assert_int_equal(read_all(&begun, &text), -CM_ERR_KAFKA);
    assert_non_null(strstr(cm_fail_text(), "wants no authentication"));
    begin_at(CM_SASL_FIRST, &plain);
    token(&text, 1, 58, "Authentication failed: Invalid username or password", "", 0);
    assert_int_equal(read_all(&begun, &text), -CM_ERR_KAFKA);
    assert_string_equal(cm_fail_text(),
                        "SASL: Authentication failed: Invalid username or password (error 58)");
    begin_at(CM_SASL_FIRST, &plain);
    token(&text, 1, 58, NULL, "", 0);
    assert_int_equal(read_all(&begun, &text), -CM_ERR_KAFKA);
    assert_string_equal(cm_fail_text(), "SASL: authentication failed (error 58)");
    cm_sasl_end(&begun);
    cm_text_free(&text);
}

/* An accepted proof is not enough: the broker must show that it knows the password, too. */
static void success_without_the_signature_is_none(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "v=", "v=AAAA", FIRST,
                                        "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="};
    struct cm_text text = {0};
    for (size_t i = 0; i < CM_ARRAY_LEN(wrong); i++) {
        begin_at(CM_SASL_LAST, &scram);
        token(&text, 1, 0, NULL, wrong[i], 0);
        assert_int_equal(read_all(&begun, &text), -CM_ERR_KAFKA);
        assert_int_equal(begun.step, CM_SASL_DONE);
    }
    begin_at(CM_SASL_FIRST, &scram); /* nor is one that leaves the middle out */
    token(&text, 1, 0, NULL, LAST, 0);
    assert_int_equal(read_all(&begun, &text), -CM_ERR_KAFKA);
    cm_sasl_end(&begun);
    cm_text_free(&text);
}

/* What is made for each step, cut off and spoilt at every byte. */
static void rubbish_is_no_answer(void **state)
{
    (void)state;
    struct cm_text text = {0};
    for (int step = CM_SASL_HANDSHAKE; step <= CM_SASL_LAST; step++) {
        if (step == CM_SASL_HANDSHAKE) {
            handshake(&text, 0);
        } else {
            token(&text, 1, 0, "fine", step == CM_SASL_FIRST ? FIRST : LAST, 1000);
        }
        for (size_t len = 0; len < text.len; len++) {
            begin_at((enum cm_sasl_step)step, &scram);
            assert_int_equal(read_some(&begun, &text, len), -CM_ERR_KAFKA);
        }
        for (size_t i = 0; i < text.len; i++) {
            char was = text.data[i];
            for (int c = 0; c < 256; c += 85) {
                text.data[i] = (char)c;
                begin_at((enum cm_sasl_step)step, &scram);
                (void)read_all(&begun, &text);
            }
            text.data[i] = was;
        }
    }
    token(&text, 1, 0, NULL, FIRST, 0);
    text.data[3] = 8; /* an answer to another request */
    begin_at(CM_SASL_FIRST, &scram);
    assert_int_equal(read_all(&begun, &text), -CM_ERR_KAFKA);
    cm_sasl_end(&begun);
    cm_text_free(&text);
}

static void mechanisms_have_names(void **state)
{
    (void)state;
    for (int i = CM_SASL_PLAIN; i < CM_SASL_MECHANISMS; i++) {
        assert_int_equal(cm_sasl_find(cm_sasl_name((enum cm_sasl_mechanism)i)), i);
    }
    assert_int_equal(cm_sasl_find("GSSAPI"), CM_SASL_NONE);
    assert_int_equal(cm_sasl_find("plain"), CM_SASL_NONE); /* librdkafka refuses it, too */
    assert_int_equal(cm_sasl_find("none"), CM_SASL_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_is_one_message),
        cmocka_unit_test(scram_is_two),
        cmocka_unit_test(the_broker_says_why_not),
        cmocka_unit_test(success_without_the_signature_is_none),
        cmocka_unit_test(rubbish_is_no_answer),
        cmocka_unit_test(mechanisms_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
