// SPDX-License-Identifier: Apache-2.0
#include "kafka/sasl_login.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "kafka/fetch_wire.h"
#include "kafka/record_fields.h"

#define LOGIN_MS    2000
#define ANSWER_MOST (1u << 20)
#define CLIENT_ID   "callmill"
#define MENDED      0x02060100 /* the version of librdkafka that answers rightly */

/* ---- what the settings say */

/* A setting of any length, on the heap. */
static char *get_setting(const rd_kafka_conf_t *conf, const char *name)
{
    size_t bytes = 0;
    if (rd_kafka_conf_get(conf, name, NULL, &bytes) != RD_KAFKA_CONF_OK) {
        return cm_strdup("");
    }
    char *out = cm_alloc(bytes + 1, 1);
    if (rd_kafka_conf_get(conf, name, out, &bytes) != RD_KAFKA_CONF_OK) {
        out[0] = '\0';
    }
    return out;
}

static const char *take_credentials(const rd_kafka_conf_t *conf, struct cm_sasl_terms *terms)
{
    char *mechanism = get_setting(conf, "sasl.mechanisms");
    terms->mechanism = cm_sasl_find(mechanism);
    free(mechanism);
    if (terms->mechanism == CM_SASL_NONE) {
        return "the mechanism is not PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512";
    }
    terms->username = get_setting(conf, "sasl.username");
    terms->password = get_setting(conf, "sasl.password");
    if (terms->username[0] == '\0' || terms->password[0] == '\0') {
        return "sasl.username or sasl.password is empty";
    }
    if (terms->mechanism != CM_SASL_PLAIN &&
        !(cm_scram_takes(terms->username) && cm_scram_takes(terms->password))) {
        return "sasl.username or sasl.password is not printable ASCII";
    }
    return NULL;
}

const char *cm_sasl_take_terms(const rd_kafka_conf_t *conf, struct cm_sasl_terms *terms)
{
    const char *obstacle = NULL;
    char *protocol = get_setting(conf, "security.protocol");
    *terms = (struct cm_sasl_terms){.mechanism = CM_SASL_NONE};
    if (strcasecmp(protocol, "sasl_plaintext") == 0) {
        obstacle = take_credentials(conf, terms);
    } else if (protocol[0] != '\0' && strcasecmp(protocol, "plaintext") != 0) {
        obstacle = "security.protocol is neither plaintext nor sasl_plaintext";
    }
    free(protocol);
    if (obstacle != NULL) {
        cm_sasl_terms_free(terms);
    }
    return obstacle;
}

bool cm_sasl_take_over(rd_kafka_conf_t *conf, const struct cm_sasl_terms *terms)
{
    char why[128];
    bool scram =
        terms->mechanism == CM_SASL_SCRAM_SHA_256 || terms->mechanism == CM_SASL_SCRAM_SHA_512;
    return scram && rd_kafka_version() < MENDED &&
           rd_kafka_conf_set(conf, "security.protocol", "plaintext", why, sizeof why) ==
               RD_KAFKA_CONF_OK;
}

void cm_sasl_log_refusal(const char *broker, const struct cm_sasl_terms *terms, const char *why)
{
    cm_log(CM_LOG_ERROR, "kafka.authentication", "broker=%s mechanism=%s text=\"%s\"", broker,
           cm_sasl_name(terms->mechanism), why);
}

/* ---- a connection that waits; all below give 0 or an errno */

struct wire {
    int fd;
    int64_t deadline_ns;
    struct cm_text out, in;
    int32_t correlation;
};

static int wait_for(const struct wire *wire, short events)
{
    for (;;) {
        int64_t left_ms = (wire->deadline_ns - cm_clock_mono_ns()) / CM_NS_PER_MS;
        struct pollfd slot = {.fd = wire->fd, .events = events};
        int ready = left_ms <= 0 ? 0 : poll(&slot, 1, (int)left_ms);
        if (ready > 0) {
            return 0;
        }
        if (ready == 0) {
            return ETIMEDOUT;
        }
        if (errno != EINTR) {
            return errno;
        }
    }
}

static int connect_in_time(const struct wire *wire, const struct sockaddr *address, socklen_t len)
{
    int error = 0;
    socklen_t error_len = sizeof error;
    (void)fcntl(wire->fd, F_SETFL, fcntl(wire->fd, F_GETFL) | O_NONBLOCK);
    if (connect(wire->fd, address, len) == 0) {
        return 0;
    }
    if (errno != EINPROGRESS) {
        return errno;
    }
    int rc = wait_for(wire, POLLOUT);
    if (rc == 0 && getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &error, &error_len) != 0) {
        return errno;
    }
    return rc != 0 ? rc : error;
}

static int send_all(const struct wire *wire)
{
    for (size_t at = 0; at < wire->out.len;) {
        int rc = wait_for(wire, POLLOUT);
        if (rc != 0) {
            return rc;
        }
        ssize_t n =
            send(wire->fd, wire->out.data + at, wire->out.len - at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return errno;
        }
        at += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int receive_all(struct wire *wire, size_t bytes)
{
    for (size_t end = wire->in.len + bytes; wire->in.len < end;) {
        int rc = wait_for(wire, POLLIN);
        if (rc != 0) {
            return rc;
        }
        size_t left = end - wire->in.len;
        ssize_t n = recv(wire->fd, cm_text_room(&wire->in, left), left, MSG_DONTWAIT);
        if (n == 0) {
            return ECONNRESET;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return errno;
        }
        wire->in.len += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* Sends what is in `out`; its answer, without the length, is in `in`. */
static int exchange(struct wire *wire)
{
    wire->in.len = 0;
    int rc = send_all(wire);
    cm_sasl_wipe(&wire->out);
    rc = rc == 0 ? receive_all(wire, 4) : rc;
    if (rc != 0) {
        return rc;
    }
    uint32_t bytes = cm_be32((const uint8_t *)wire->in.data);
    wire->in.len = 0;
    return bytes > ANSWER_MOST ? EPROTO : receive_all(wire, bytes);
}

/* ---- the login */

static int ask_versions(struct wire *wire, struct cm_broker_versions *versions)
{
    cm_fetch_write_versions(&wire->out, ++wire->correlation, CLIENT_ID);
    int rc = exchange(wire);
    if (rc != 0) {
        return rc;
    }
    if (cm_fetch_read_versions((const uint8_t *)wire->in.data, wire->in.len, wire->correlation,
                               versions) != 0) {
        return EPROTO;
    }
    return versions->authenticate < 0 ? EPROTONOSUPPORT : 0;
}

static int converse(struct wire *wire, struct cm_sasl *sasl, const char *broker)
{
    for (;;) {
        cm_sasl_write(sasl, ++wire->correlation, CLIENT_ID, &wire->out);
        const struct cm_sasl_terms *terms = sasl->terms;
        int rc = exchange(wire);
        if (rc != 0) {
            return rc;
        }
        rc = cm_sasl_read(sasl, wire->correlation, (const uint8_t *)wire->in.data, wire->in.len);
        if (rc < 0) {
            cm_sasl_log_refusal(broker, terms, cm_fail_text());
            return EACCES;
        }
        if (rc == 0) {
            return 0;
        }
    }
}

int cm_sasl_login(int fd, const struct sockaddr *address, socklen_t len, const char *broker,
                  const struct cm_sasl_terms *terms)
{
    struct wire wire = {.fd = fd, .deadline_ns = cm_clock_mono_ns() + LOGIN_MS * CM_NS_PER_MS};
    struct cm_sasl sasl = {0};
    struct cm_broker_versions versions;
    char nonce[CM_SCRAM_NONCE_BYTES];
    int rc = connect_in_time(&wire, address, len);
    rc = rc == 0 ? ask_versions(&wire, &versions) : rc;
    if (rc == 0 && cm_scram_nonce(nonce) != 0) {
        rc = EIO;
    }
    if (rc == 0) {
        cm_sasl_begin(&sasl, terms, versions.authenticate, nonce);
        rc = converse(&wire, &sasl, broker);
        cm_sasl_end(&sasl);
    }
    cm_sasl_wipe(&wire.out);
    cm_text_free(&wire.out);
    cm_text_free(&wire.in);
    return rc;
}
