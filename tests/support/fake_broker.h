// SPDX-License-Identifier: Apache-2.0
/* fake_broker.h — a broker that says what the test wants: it listens, reads requests, and gives
 * each to the test's function, which appends the answer. One connection at a time, no thread: the
 * test turns it. It answers ApiVersions itself. */
#ifndef CM_TESTS_SUPPORT_FAKE_BROKER_H
#define CM_TESTS_SUPPORT_FAKE_BROKER_H

#include <stdint.h>

#include "base/text.h"
#include "kafka/fetcher.h"

enum { FAKE_FETCH = 1, FAKE_METADATA = 3, FAKE_HANDSHAKE = 17, FAKE_AUTHENTICATE = 36 };

struct fake_request {
    int16_t key, version;
    const uint8_t *body; /* behind the header */
    uint32_t len;
};

struct fake_broker {
    int listen_fd, fd;
    int32_t id;
    uint16_t port;
    int16_t fetch_version;    /* best that it offers */
    int16_t metadata_version; /* -1: none */
    uint32_t connections;
    uint32_t requests[64]; /* by key */
    struct cm_text in, out;
    /* Appends the body of the answer, behind the header. */
    void (*serve)(struct fake_broker *broker, const struct fake_request *request,
                  struct cm_text *out);
    void *context;
};

void fake_broker_open(struct fake_broker *broker, int32_t id);
void fake_broker_address(const struct fake_broker *broker, struct cm_broker_address *out);
void fake_broker_turn(struct fake_broker *broker);
/* Ends its connection. */
void fake_broker_hang_up(struct fake_broker *broker);
void fake_broker_close(struct fake_broker *broker);

/* Big endian. */
void fake_put(struct cm_text *out, int64_t value, uint32_t bytes);
void fake_put_string(struct cm_text *out, const char *s);

#endif
