// SPDX-License-Identifier: Apache-2.0
#include "kafka/sasl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "kafka/wire_put.h"
#include "kafka/wire_take.h"

enum { API_HANDSHAKE = 17, API_AUTHENTICATE = 36 };
enum { HANDSHAKE_VERSION = 1 };
enum { UNSUPPORTED_MECHANISM = 33, ILLEGAL_STATE = 34, AUTHENTICATION_FAILED = 58 };

#define HEAD_BYTES 64u /* of a request, without the client's name and the token */
#define SAY_BYTES  200u

static const char *const names[CM_SASL_MECHANISMS] = {
    [CM_SASL_NONE] = "none",
    [CM_SASL_PLAIN] = "PLAIN",
    [CM_SASL_SCRAM_SHA_256] = "SCRAM-SHA-256",
    [CM_SASL_SCRAM_SHA_512] = "SCRAM-SHA-512",
};

const char *cm_sasl_name(enum cm_sasl_mechanism mechanism)
{
    return names[mechanism];
}

enum cm_sasl_mechanism cm_sasl_find(const char *name)
{
    for (int i = CM_SASL_NONE + 1; i < CM_SASL_MECHANISMS; i++) {
        if (strcmp(name, names[i]) == 0) {
            return (enum cm_sasl_mechanism)i;
        }
    }
    return CM_SASL_NONE;
}

static void wipe_string(char *s)
{
    if (s != NULL) {
        explicit_bzero(s, strlen(s));
        free(s);
    }
}

void cm_sasl_terms_free(struct cm_sasl_terms *terms)
{
    wipe_string(terms->username);
    wipe_string(terms->password);
    *terms = (struct cm_sasl_terms){0};
}

void cm_sasl_wipe(struct cm_text *text)
{
    if (text->data != NULL) {
        explicit_bzero(text->data, text->cap);
    }
    text->len = 0;
}

/* ---- requests */

void cm_sasl_begin(struct cm_sasl *sasl, const struct cm_sasl_terms *terms, int16_t version,
                   const char *nonce)
{
    CM_ASSERT(terms->mechanism != CM_SASL_NONE);
    CM_ASSERT(version >= 0 && version <= CM_SASL_AUTHENTICATE_VERSION_MOST);
    cm_sasl_end(sasl);
    *sasl = (struct cm_sasl){.terms = terms, .version = version, .step = CM_SASL_HANDSHAKE};
    snprintf(sasl->nonce, sizeof sasl->nonce, "%s", nonce);
    enum cm_scram_hash hash =
        terms->mechanism == CM_SASL_SCRAM_SHA_256 ? CM_SCRAM_SHA_256 : CM_SCRAM_SHA_512;
    cm_scram_begin(&sasl->scram, hash, terms->username, terms->password, sasl->nonce);
}

/* The text is large enough before a secret goes into it: one that grew would leave a copy behind.
 */
static void make_first(struct cm_sasl *sasl)
{
    const struct cm_sasl_terms *terms = sasl->terms;
    if (terms->mechanism != CM_SASL_PLAIN) {
        cm_scram_first(&sasl->scram, &sasl->token);
        return;
    }
    (void)cm_text_room(&sasl->token, strlen(terms->username) + strlen(terms->password) + 2);
    cm_text_addc(&sasl->token, '\0');
    cm_text_adds(&sasl->token, terms->username);
    cm_text_addc(&sasl->token, '\0');
    cm_text_adds(&sasl->token, terms->password);
}

void cm_sasl_write(struct cm_sasl *sasl, int32_t correlation, const char *client_id,
                   struct cm_text *out)
{
    CM_ASSERT(sasl->step != CM_SASL_DONE);
    if (sasl->step == CM_SASL_HANDSHAKE) {
        size_t at =
            cm_wire_begin(out, API_HANDSHAKE, HANDSHAKE_VERSION, correlation, client_id, false);
        cm_wire_put_string(out, names[sasl->terms->mechanism], false);
        cm_wire_end(out, at);
        return;
    }
    (void)cm_text_room(out, HEAD_BYTES + strlen(client_id) + sasl->token.len);
    size_t at = cm_wire_begin(out, API_AUTHENTICATE, sasl->version, correlation, client_id, false);
    cm_wire_put32(out, (int32_t)sasl->token.len);
    cm_text_add(out, sasl->token.data, sasl->token.len);
    cm_wire_end(out, at);
    cm_sasl_wipe(&sasl->token);
}

/* ---- responses */

static int no_answer(void)
{
    return cm_fail(CM_ERR_KAFKA, "SASL: the broker's answer cannot be read");
}

static int read_handshake(struct cm_sasl *sasl, struct cm_wire_reader *r)
{
    int16_t error;
    int32_t count;
    char offers[SAY_BYTES] = "";
    if (!cm_wire_take16(r, &error) || !cm_wire_take32(r, &count)) {
        return no_answer();
    }
    for (int32_t i = 0; i < count; i++) {
        struct cm_str name;
        if (!cm_wire_take_string(r, &name)) {
            return no_answer();
        }
        cm_scram_say(offers, sizeof offers, i == 0 ? CM_STR("") : CM_STR(", "));
        cm_scram_say(offers, sizeof offers, name);
    }
    const char *name = names[sasl->terms->mechanism];
    if (error == UNSUPPORTED_MECHANISM) {
        return cm_fail(CM_ERR_KAFKA, "SASL: the broker has no %s; it has %s", name, offers);
    }
    if (error == ILLEGAL_STATE) {
        return cm_fail(CM_ERR_KAFKA, "SASL: the broker's listener wants no authentication");
    }
    if (error != 0) {
        return cm_fail(CM_ERR_KAFKA, "SASL: the broker refuses %s: error %d", name, error);
    }
    sasl->step = CM_SASL_FIRST;
    make_first(sasl);
    return 1;
}

static int refused(int16_t error, struct cm_str message)
{
    char text[SAY_BYTES] = "";
    cm_scram_say(text, sizeof text, message);
    if (message.len == 0) {
        cm_scram_say(text, sizeof text,
                     error == AUTHENTICATION_FAILED ? CM_STR("authentication failed")
                                                    : CM_STR("no reason"));
    }
    return cm_fail(CM_ERR_KAFKA, "SASL: %s (error %d)", text, error);
}

static int read_token(struct cm_sasl *sasl, struct cm_wire_reader *r)
{
    int16_t error;
    int32_t len;
    const uint8_t *lifetime = NULL;
    struct cm_str message;
    struct cm_str token;
    if (!cm_wire_take16(r, &error) || !cm_wire_take_string(r, &message)) {
        return no_answer();
    }
    if (error != 0) {
        return refused(error, message);
    }
    if (!cm_wire_take32(r, &len) || !cm_wire_take_run(r, len, &token) ||
        (sasl->version >= 1 && !cm_wire_take(r, 8, &lifetime))) {
        return no_answer();
    }
    int rc = 0;
    if (sasl->terms->mechanism != CM_SASL_PLAIN && sasl->step == CM_SASL_FIRST) {
        rc = cm_scram_final(&sasl->scram, token, &sasl->token);
        sasl->step = CM_SASL_LAST;
        return rc == 0 ? 1 : rc;
    }
    if (sasl->terms->mechanism != CM_SASL_PLAIN) {
        rc = cm_scram_verify(&sasl->scram, token);
    }
    if (rc == 0) {
        int64_t lifetime_ms = lifetime == NULL ? 0 : cm_be64(lifetime);
        sasl->lifetime_ms = lifetime_ms > 0 ? lifetime_ms : 0;
        sasl->step = CM_SASL_DONE;
    }
    return rc;
}

int cm_sasl_read(struct cm_sasl *sasl, int32_t correlation, const uint8_t *bytes, size_t len)
{
    CM_ASSERT(sasl->step != CM_SASL_DONE);
    struct cm_wire_reader r = {bytes, bytes + len};
    int32_t number;
    int rc = 0;
    if (!cm_wire_take32(&r, &number) || number != correlation) {
        rc = no_answer();
    } else {
        rc = sasl->step == CM_SASL_HANDSHAKE ? read_handshake(sasl, &r) : read_token(sasl, &r);
    }
    if (rc <= 0) {
        int64_t lifetime_ms = sasl->lifetime_ms;
        cm_sasl_end(sasl);
        sasl->lifetime_ms = lifetime_ms;
        sasl->step = CM_SASL_DONE;
    }
    return rc;
}

void cm_sasl_end(struct cm_sasl *sasl)
{
    cm_sasl_wipe(&sasl->token);
    cm_text_free(&sasl->token);
    cm_scram_end(&sasl->scram);
    explicit_bzero(sasl, sizeof *sasl);
}
