// SPDX-License-Identifier: Apache-2.0
/* sasl.h — authentication to a broker, as the messages that go to and fro: the link (fetch_link.h)
 * carries them. Inside the room only.
 *
 *   SaslHandshake 1       the name of the mechanism
 *   SaslAuthenticate 0, 1 PLAIN: one message; SCRAM: two (scram.h). 1: how long it will hold
 *
 * Source: the protocol guide of Apache Kafka (kafka.apache.org/protocol), KIP-43, 152 and 368; RFC
 * 4616. GSSAPI and OAUTHBEARER are librdkafka's.
 *
 * THREADS   Functions of their arguments.
 * OWNERSHIP A conversation borrows its terms. Messages that hold secrets are wiped when they are no
 *           longer needed: cm_sasl_read() and _end() wipe what the conversation has, cm_sasl_wipe()
 *           what the caller had written. The configuration and librdkafka keep copies of their own.
 * ERRORS    -CM_ERR_KAFKA: refused, with the broker's own words, or what it says is no answer. No
 *           byte outside of a response is read, and no text holds a secret.
 */
#ifndef CM_KAFKA_SASL_H
#define CM_KAFKA_SASL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/text.h"
#include "kafka/scram.h"

#define CM_SASL_AUTHENTICATE_VERSION_MOST 1

enum cm_sasl_mechanism {
    CM_SASL_NONE,
    CM_SASL_PLAIN,
    CM_SASL_SCRAM_SHA_256,
    CM_SASL_SCRAM_SHA_512,
    CM_SASL_MECHANISMS
};

struct cm_sasl_terms {
    enum cm_sasl_mechanism mechanism; /* NONE: brokers are not asked for anything */
    char *username, *password;        /* on the heap */
};

/* "SCRAM-SHA-256"; NONE for a name that is not ours. */
const char *cm_sasl_name(enum cm_sasl_mechanism mechanism);
enum cm_sasl_mechanism cm_sasl_find(const char *name);
/* Wipes. */
void cm_sasl_terms_free(struct cm_sasl_terms *terms);
/* The bytes, and those behind them that were in use once. It may be filled again. */
void cm_sasl_wipe(struct cm_text *text);

enum cm_sasl_step { CM_SASL_HANDSHAKE, CM_SASL_FIRST, CM_SASL_LAST, CM_SASL_DONE };

/* Must not move between begin and end: its parts point into it. */
struct cm_sasl {
    const struct cm_sasl_terms *terms;
    enum cm_sasl_step step; /* of the request that is next, or out */
    int16_t version;        /* of SaslAuthenticate */
    char nonce[CM_SCRAM_NONCE_BYTES];
    struct cm_scram scram;
    struct cm_text token; /* of the next request */
    int64_t lifetime_ms;  /* DONE: how long it holds; 0: for ever */
};

/* nonce: fresh, see cm_scram_nonce(); of 32 bytes at most. */
void cm_sasl_begin(struct cm_sasl *sasl, const struct cm_sasl_terms *terms, int16_t version,
                   const char *nonce);
/* Appends the request that is next, its length included. */
void cm_sasl_write(struct cm_sasl *sasl, int32_t correlation, const char *client_id,
                   struct cm_text *out);
/* bytes: its response, behind the length. 1: another request is next; 0: DONE; -CM_ERR_KAFKA. */
CM_NODISCARD int cm_sasl_read(struct cm_sasl *sasl, int32_t correlation, const uint8_t *bytes,
                              size_t len);
/* Wipes; again is allowed. */
void cm_sasl_end(struct cm_sasl *sasl);

#endif
