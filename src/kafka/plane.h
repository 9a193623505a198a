// SPDX-License-Identifier: Apache-2.0
/* plane.h — who carries the records, and what the own data plane needs from librdkafka: terms and
 * leaders. Inside the room only.
 *
 *   source.kafka.plane   auto         own where it can be, over io_uring, else over epoll
 *                        io_uring     own, or an error at start
 *                        epoll        own, without io_uring
 *                        librdkafka   librdkafka's threads and queues
 *
 * The own plane speaks plain connections (security.protocol plaintext), and over those SASL PLAIN,
 * SCRAM-SHA-256 and SCRAM-SHA-512 (sasl_plaintext); names and passwords of SCRAM in ASCII. TLS,
 * GSSAPI and OAUTHBEARER are librdkafka's, and so is a SCRAM password of other letters. The group,
 * commits, starts by time and the list of leaders come from librdkafka in any case.
 *
 * THREADS   The coordinator.
 */
#ifndef CM_KAFKA_PLANE_H
#define CM_KAFKA_PLANE_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "config/config.h"
#include "kafka/fetcher.h"
#include "kafka/sasl.h"

struct cm_data_plane {
    bool native;
    char why[128]; /* for the log */
    struct cm_fetch_terms terms;
    struct cm_sasl_terms
        sasl; /* whoever carries the records; NONE also where SASL is librdkafka's */
    bool check_crc;
    char client_id[128], topic[256], rack[256];
    int64_t leaders_ns; /* when to ask for leaders again */
};

/* Chooses, and takes the terms from librdkafka's settings. The plane must not move afterwards, for
 * the terms point into it. 0 or -CM_ERR_CONFIG: what is asked for cannot be. */
CM_NODISCARD int cm_plane_choose(struct cm_data_plane *plane, const struct cm_config *config,
                                 const rd_kafka_conf_t *conf);
/* Wipes what it knows of credentials; its fetchers are gone. */
void cm_plane_free(struct cm_data_plane *plane);
/* Asks for brokers and leaders of the topic, and looks up the brokers' addresses. Waits up to
 * timeout_ms. 0 and *out, to be freed with cm_leaders_free(), or -CM_ERR_KAFKA. */
CM_NODISCARD int cm_plane_ask_leaders(rd_kafka_t *rk, const char *topic, int timeout_ms,
                                      struct cm_leaders *out);

#endif
