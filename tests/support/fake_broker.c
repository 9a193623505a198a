// SPDX-License-Identifier: Apache-2.0
#include "support/fake_broker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fail.h"
#include "kafka/record_fields.h"

enum { VERSIONS = 18, FLEXIBLE_FETCH = 12 };

void fake_put(struct cm_text *out, int64_t value, uint32_t bytes)
{
    for (uint32_t i = bytes; i-- > 0;) {
        cm_text_addc(out, (char)((uint64_t)value >> (8 * i)));
    }
}

void fake_put_string(struct cm_text *out, const char *s)
{
    fake_put(out, (int64_t)strlen(s), 2);
    cm_text_adds(out, s);
}

void fake_broker_open(struct fake_broker *broker, int32_t id)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    memset(broker, 0, sizeof *broker);
    broker->id = id;
    broker->fd = -1;
    broker->fetch_version = 11;
    broker->metadata_version = -1;
    broker->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CM_ASSERT(broker->listen_fd >= 0);
    CM_ASSERT(bind(broker->listen_fd, (struct sockaddr *)&address, len) == 0);
    CM_ASSERT(listen(broker->listen_fd, 8) == 0);
    CM_ASSERT(getsockname(broker->listen_fd, (struct sockaddr *)&address, &len) == 0);
    broker->port = ntohs(address.sin_port);
}

void fake_broker_address(const struct fake_broker *broker, struct cm_broker_address *out)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons(broker->port)};
    *out = (struct cm_broker_address){.id = broker->id, .len = sizeof address};
    memcpy(&out->address, &address, sizeof address);
    (void)snprintf(out->name, sizeof out->name, "127.0.0.1:%u", broker->port);
}

static void offer(struct cm_text *out, int16_t key, int16_t least, int16_t most)
{
    fake_put(out, key, 2);
    fake_put(out, least, 2);
    fake_put(out, most, 2);
}

static void tell_versions(const struct fake_broker *broker, struct cm_text *out)
{
    bool metadata = broker->metadata_version >= 0;
    fake_put(out, 0, 2);
    fake_put(out, metadata ? 4 : 3, 4);
    offer(out, FAKE_FETCH, 4, broker->fetch_version);
    offer(out, FAKE_HANDSHAKE, 0, 1);
    offer(out, FAKE_AUTHENTICATE, 0, 2);
    if (metadata) {
        offer(out, FAKE_METADATA, 0, broker->metadata_version);
    }
}

static void answer(struct fake_broker *broker, const uint8_t *bytes, uint32_t len)
{
    struct fake_request request = {(int16_t)cm_be16(bytes), (int16_t)cm_be16(bytes + 2), NULL, 0};
    bool flexible = request.key == FAKE_FETCH && request.version >= FLEXIBLE_FETCH;
    uint32_t head = 10u + cm_be16(bytes + 8) + (flexible ? 1 : 0);
    CM_ASSERT(head <= len && request.key >= 0 && request.key < 64);
    request.body = bytes + head;
    request.len = len - head;
    broker->out.len = 0;
    fake_put(&broker->out, 0, 4);
    cm_text_add(&broker->out, bytes + 4, 4); /* the correlation */
    if (flexible) {
        cm_text_addc(&broker->out, 0);
    }
    broker->requests[request.key]++;
    if (request.key == VERSIONS) {
        tell_versions(broker, &broker->out);
    } else {
        broker->serve(broker, &request, &broker->out);
    }
    uint32_t size = htonl((uint32_t)broker->out.len - 4);
    memcpy(broker->out.data, &size, sizeof size);
    if (broker->fd >= 0) { /* not hung up meanwhile */
        CM_ASSERT(send(broker->fd, broker->out.data, broker->out.len, MSG_NOSIGNAL) ==
                      (ssize_t)broker->out.len ||
                  errno == EPIPE || errno == ECONNRESET);
    }
}

void fake_broker_hang_up(struct fake_broker *broker)
{
    if (broker->fd >= 0) {
        (void)close(broker->fd);
    }
    broker->fd = -1;
    broker->in.len = 0;
}

void fake_broker_turn(struct fake_broker *broker)
{
    int fd = accept4(broker->listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        fake_broker_hang_up(broker);
        broker->fd = fd;
        broker->connections++;
    }
    if (broker->fd < 0) {
        return;
    }
    ssize_t n = recv(broker->fd, cm_text_room(&broker->in, 65536), 65536, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        fake_broker_hang_up(broker);
        return;
    }
    broker->in.len += n > 0 ? (size_t)n : 0;
    while (broker->in.len >= 4) {
        uint32_t len = cm_be32((const uint8_t *)broker->in.data);
        if (broker->in.len < 4 + (size_t)len) {
            return;
        }
        struct cm_text whole = broker->in;
        broker->in = (struct cm_text){0};
        cm_text_add(&broker->in, whole.data + 4 + len, whole.len - 4 - len);
        answer(broker, (const uint8_t *)whole.data + 4, len);
        cm_text_free(&whole);
    }
}

void fake_broker_close(struct fake_broker *broker)
{
    fake_broker_hang_up(broker);
    (void)close(broker->listen_fd);
    cm_text_free(&broker->in);
    cm_text_free(&broker->out);
}
