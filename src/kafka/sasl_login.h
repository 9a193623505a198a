// SPDX-License-Identifier: Apache-2.0
/* sasl_login.h — the credentials in librdkafka's settings, and SCRAM for its connections where its
 * own does not work. Inside the room only.
 *
 * librdkafka before 2.6.1 (Debian 12 has 2.0.2) answers the broker's challenge with a nonce that is
 * not the broker's (confluentinc/librdkafka pull request 4895); Kafka 4 refuses that as a wrong
 * password. Over plain connections the login can be done for it: it is told that connections are
 * plain, and is given each one when the broker has let us in.
 *
 *   librdkafka ── connect_cb ──► connect, ApiVersions, SaslHandshake, SaslAuthenticate ──► 0
 *              ── ApiVersions, Metadata, .. ────────────────────────────────────────────►
 *
 * THREADS   cm_sasl_login() is called by librdkafka's threads, and waits for up to 2 s there: a
 * broker that accepts and says nothing holds up what librdkafka does with it, no more. OWNERSHIP
 * Terms that were taken are the caller's to free, when its librdkafka handle is gone.
 */
#ifndef CM_KAFKA_SASL_LOGIN_H
#define CM_KAFKA_SASL_LOGIN_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "kafka/sasl.h"

/* From settings as the user gave them. NULL: *terms is set, its mechanism NONE where connections
 * are plain; else why this is librdkafka's alone: a text. */
const char *cm_sasl_take_terms(const rd_kafka_conf_t *conf, struct cm_sasl_terms *terms);
/* Whether librdkafka needs our login; then conf says plaintext from now on, and the caller sets a
 * connect_cb that calls cm_sasl_login(). */
bool cm_sasl_take_over(rd_kafka_conf_t *conf, const struct cm_sasl_terms *terms);
/* Connects and logs in; `broker` is for the log. 0 or an errno, as librdkafka wants it. */
int cm_sasl_login(int fd, const struct sockaddr *address, socklen_t len, const char *broker,
                  const struct cm_sasl_terms *terms);
/* Says who refused us and why. */
void cm_sasl_log_refusal(const char *broker, const struct cm_sasl_terms *terms, const char *why);

#endif
