// SPDX-License-Identifier: Apache-2.0
/* scram.h — the client's side of SCRAM (RFC 5802, RFC 7677): proves that it knows a password
 * without sending it, and wants the same proof of the broker. Inside the room only.
 *
 *   client ── n,,n=user,r=nonce ───────────────────► broker
 *          ◄─ r=nonce+theirs,s=salt,i=iterations ───
 *          ── c=biws,r=nonce+theirs,p=proof ────────►
 *          ◄─ v=signature, or e=error ──────────────
 *
 * Names and passwords are printable ASCII: that is its own SASLprep. Anything else is the caller's
 * to refuse, see cm_scram_takes().
 *
 * THREADS   Functions of their arguments. The password is stretched by the thread that calls
 *           cm_scram_final(): a few ms for 4096 iterations, which is what brokers ask for.
 * OWNERSHIP A cm_scram borrows name, password and nonce until cm_scram_end(), which wipes what was
 *           derived from them; it may be begun anew.
 * ERRORS    -CM_ERR_KAFKA with a text, which never holds a secret: the broker's message is not one,
 *           or asks for what is not safe, or its signature is wrong.
 */
#ifndef CM_KAFKA_SCRAM_H
#define CM_KAFKA_SCRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/text.h"

/* Kafka has the latter two; RFC 5802's own example is in the first. */
enum cm_scram_hash { CM_SCRAM_SHA_1, CM_SCRAM_SHA_256, CM_SCRAM_SHA_512 };

#define CM_SCRAM_HASH_BYTES_MOST  64
#define CM_SCRAM_NONCE_BYTES      33 /* terminated */
#define CM_SCRAM_ITERATIONS_LEAST 4096
#define CM_SCRAM_ITERATIONS_MOST                                                                   \
    1000000 /* some hundred ms of the worker; Kafka's own most: 16384 */
#define CM_SCRAM_MESSAGE_MOST 8192

struct cm_scram {
    enum cm_scram_hash hash;
    const char *username, *password, *nonce;
    uint8_t signature[CM_SCRAM_HASH_BYTES_MOST]; /* the broker's, as it has to be */
    bool has_signature;
};

/* Whether that text is its own SASLprep: printable ASCII, not empty. */
bool cm_scram_takes(const char *text);
/* A fresh nonce of 192 random bits. 0 or -CM_ERR_IO. */
CM_NODISCARD int cm_scram_nonce(char out[CM_SCRAM_NONCE_BYTES]);

void cm_scram_begin(struct cm_scram *scram, enum cm_scram_hash hash, const char *username,
                    const char *password, const char *nonce);
/* Appends the first message. */
void cm_scram_first(const struct cm_scram *scram, struct cm_text *out);
/* The broker's first message; appends our second. */
CM_NODISCARD int cm_scram_final(struct cm_scram *scram, struct cm_str theirs, struct cm_text *out);
/* The broker's second message; 0: it knows the password, too. */
CM_NODISCARD int cm_scram_verify(const struct cm_scram *scram, struct cm_str theirs);
void cm_scram_end(struct cm_scram *scram);

/* Appends words of a broker to a text for the log, without what would upset one; cut where `out` is
 * full. */
void cm_scram_say(char *out, size_t out_bytes, struct cm_str words);

#endif
