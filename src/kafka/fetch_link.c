// SPDX-License-Identifier: Apache-2.0
#include "kafka/fetch_link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "kafka/record_fields.h"
#include "kafka/sasl_login.h"

#define LENGTH_BYTES     4u
#define FIRST_BYTES      (64u << 10)
#define MOST_BYTES       (1u << 30) /* a response that claims more is no response .. */
#define GREETING_BYTES   (1u << 20) /* .. and what comes before Fetch is small */
#define CONNECT_MS       5000
#define BACKOFF_LEAST_MS 50
#define BACKOFF_MOST_MS  2000
#define LIFETIME_MOST_MS INT64_C(2592000000) /* 30 d */

#define LINK_OF(op, member)                                                                        \
    ((struct cm_link *)(void *)((char *)(op)-offsetof(struct cm_link, member)))

void cm_link_break(struct cm_link *link, const char *why)
{
    if (link->broken || link->state == CM_LINK_DOWN) {
        return;
    }
    link->broken = true;
    snprintf(link->why, sizeof link->why, "%s", why);
    cm_ring_cancel(link->ring, &link->connect_op);
    (void)shutdown(link->fd, SHUT_RDWR); /* ends what is in flight */
}

static void break_errno(struct cm_link *link, const char *what, int error)
{
    char why[120];
    snprintf(why, sizeof why, "%s: %s", what, strerror(error));
    cm_link_break(link, why);
}

/* ---- receiving */

static size_t whole_bytes(const struct cm_link_response *r)
{
    return r->have < LENGTH_BYTES ? LENGTH_BYTES : LENGTH_BYTES + cm_be32(r->bytes);
}

static void receive(struct cm_link *link)
{
    struct cm_link_response *r = &link->responses[link->filling];
    size_t whole = whole_bytes(r);
    if (whole > (link->state == CM_LINK_READY ? MOST_BYTES : GREETING_BYTES)) {
        cm_link_break(link, "a response of impossible length");
        return;
    }
    if (r->cap < whole || r->cap < FIRST_BYTES) {
        r->cap = whole < FIRST_BYTES ? FIRST_BYTES : whole + whole / 4;
        r->bytes = cm_realloc(r->bytes, r->cap, 1);
    }
    /* One request is out, so nothing comes behind its answer. */
    cm_ring_recv(link->ring, &link->recv_op, link->fd, r->bytes + r->have, r->cap - r->have);
}

static void received(struct cm_op *op, int32_t result, uint32_t flags)
{
    struct cm_link *link = LINK_OF(op, recv_op);
    (void)flags;
    if (result <= 0) {
        break_errno(link, "receive", result == 0 ? ECONNRESET : -result);
        return;
    }
    struct cm_link_response *r = &link->responses[link->filling];
    r->have += (size_t)result;
    size_t whole = whole_bytes(r);
    if (link->closing || link->broken) {
        return;
    }
    if (r->have > whole) {
        cm_link_break(link, "more bytes than the response has");
    } else if (r->have < LENGTH_BYTES || r->have < whole) {
        receive(link);
    } else {
        link->arrived = link->filling;
        link->filling = -1;
    }
}

/* ---- sending */

static void sent(struct cm_op *op, int32_t result, uint32_t flags)
{
    struct cm_link *link = LINK_OF(op, send_op);
    (void)flags;
    if (result < 0) {
        break_errno(link, "send", -result);
        return;
    }
    link->sent += (size_t)result;
    if (!link->closing && !link->broken && link->sent < link->out.len) {
        cm_ring_send(link->ring, &link->send_op, link->fd, link->out.data + link->sent,
                     link->out.len - link->sent);
    }
}

struct cm_link_response *cm_link_begin(struct cm_link *link)
{
    int32_t free = 0;
    CM_ASSERT(link->filling < 0 && link->arrived < 0 && !link->send_op.in_flight);
    while (link->responses[free].held) { /* there is one more than may be held */
        free++;
    }
    struct cm_link_response *r = &link->responses[free];
    link->filling = free;
    link->out.len = 0;
    link->sent = 0;
    r->have = 0;
    r->count = 0;
    r->metadata = false;
    r->version = link->versions.fetch;
    r->correlation = ++link->correlation;
    return r;
}

void cm_link_hold(struct cm_link *link, int32_t response, bool held)
{
    CM_ASSERT(link->responses[response].held != held);
    link->responses[response].held = held;
    link->held_count += held ? 1 : -1u;
    CM_ASSERT(link->held_count <= CM_LINK_HELD_MOST);
}

void cm_link_add_ask(struct cm_link_response *r, const struct cm_fetch_ask *ask,
                     uint32_t generation)
{
    if (r->count == r->asks_cap) {
        r->asks_cap = r->asks_cap == 0 ? 16 : 2 * r->asks_cap;
        r->asks = cm_realloc(r->asks, r->asks_cap, sizeof *r->asks);
        r->generations = cm_realloc(r->generations, r->asks_cap, sizeof *r->generations);
    }
    r->asks[r->count] = *ask;
    r->generations[r->count++] = generation;
}

uint32_t cm_link_find_ask(const struct cm_link_response *r, int32_t partition, uint32_t from)
{
    for (uint32_t i = 0; i < r->count; i++) {
        uint32_t at = from + i < r->count ? from + i : from + i - r->count;
        if (r->asks[at].partition == partition) {
            return at;
        }
    }
    return r->count;
}

void cm_link_send(struct cm_link *link, int64_t now_ns, int64_t patience_ms)
{
    link->deadline_ns = now_ns + patience_ms * CM_NS_PER_MS;
    cm_ring_send(link->ring, &link->send_op, link->fd, link->out.data, link->out.len);
    receive(link);
}

/* ---- coming up and going down */

static void connected(struct cm_op *op, int32_t result, uint32_t flags)
{
    struct cm_link *link = LINK_OF(op, connect_op);
    (void)flags;
    if (result < 0) {
        break_errno(link, "connect", -result);
    } else if (!link->broken && !link->closing) {
        int64_t now_ns = cm_clock_mono_ns();
        struct cm_link_response *r = cm_link_begin(link);
        link->state = CM_LINK_VERSIONS;
        cm_fetch_write_versions(&link->out, r->correlation, link->terms->client_id);
        cm_link_send(link, now_ns, CONNECT_MS);
    }
}

static void connect_now(struct cm_link *link, int64_t now_ns)
{
    const int one = 1;
    link->fd = socket(link->broker.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (link->fd < 0) {
        link->retry_ns = now_ns + BACKOFF_MOST_MS * CM_NS_PER_MS;
        cm_log(CM_LOG_ERROR, "kafka.socket", "error=\"%s\"", strerror(errno));
        return;
    }
    (void)setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)setsockopt(link->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    link->state = CM_LINK_CONNECTING;
    link->deadline_ns = now_ns + CONNECT_MS * CM_NS_PER_MS;
    cm_ring_connect(link->ring, &link->connect_op, link->fd,
                    (const struct sockaddr *)&link->broker.address, link->broker.len);
}

static void go_down(struct cm_link *link)
{
    (void)close(link->fd);
    link->fd = -1;
    link->broken = false;
    link->state = CM_LINK_DOWN;
    link->filling = link->arrived = -1;
    link->renew_ns = 0;
    cm_sasl_end(&link->sasl);
    cm_sasl_wipe(&link->out);
}

static void close_broken(struct cm_link *link, int64_t now_ns)
{
    if (link->connect_op.in_flight || link->send_op.in_flight || link->recv_op.in_flight) {
        return;
    }
    go_down(link);
    /* Spread a little, so that many that lost the same broker do not come back at once. */
    int64_t wait_ms = link->backoff_ms + (now_ns / 1000) % (link->backoff_ms / 2 + 1);
    link->retry_ns = now_ns + wait_ms * CM_NS_PER_MS;
    cm_log(CM_LOG_WARN, "kafka.disconnected", "broker=%s reason=\"%s\" again_ms=%lld",
           link->broker.name, link->why, (long long)wait_ms);
    link->backoff_ms =
        2 * link->backoff_ms < BACKOFF_MOST_MS ? 2 * link->backoff_ms : BACKOFF_MOST_MS;
}

static void become_ready(struct cm_link *link)
{
    const struct cm_sasl_terms *sasl = link->terms->sasl;
    link->state = CM_LINK_READY;
    link->backoff_ms = BACKOFF_LEAST_MS;
    cm_log(CM_LOG_INFO, "kafka.connected", "broker=%s fetch=%d sasl=%s", link->broker.name,
           link->versions.fetch, cm_sasl_name(sasl == NULL ? CM_SASL_NONE : sasl->mechanism));
}

/* ---- authentication */

static void ask_sasl(struct cm_link *link, int64_t now_ns)
{
    struct cm_link_response *r = cm_link_begin(link);
    cm_sasl_write(&link->sasl, r->correlation, link->terms->client_id, &link->out);
    cm_link_send(link, now_ns, CONNECT_MS);
}

static void refuse_sasl(struct cm_link *link, const char *why)
{
    cm_sasl_log_refusal(link->broker.name, link->terms->sasl, why);
    cm_link_break(link, "not authenticated");
}

static void begin_sasl(struct cm_link *link, int64_t now_ns)
{
    char nonce[CM_SCRAM_NONCE_BYTES];
    if (link->versions.authenticate < 0) {
        refuse_sasl(link, "the broker knows no SaslAuthenticate of version 0 or 1; set "
                          "source.kafka.plane to librdkafka");
    } else if (cm_scram_nonce(nonce) != 0) {
        refuse_sasl(link, cm_fail_text());
    } else {
        cm_sasl_begin(&link->sasl, link->terms->sasl, link->versions.authenticate, nonce);
        link->state = CM_LINK_SASL;
        ask_sasl(link, now_ns);
    }
}

static void take_sasl(struct cm_link *link, int64_t now_ns)
{
    const struct cm_link_response *r = &link->responses[link->arrived];
    link->arrived = -1;
    cm_sasl_wipe(&link->out);
    int rc =
        cm_sasl_read(&link->sasl, r->correlation, r->bytes + LENGTH_BYTES, r->have - LENGTH_BYTES);
    if (rc < 0) {
        refuse_sasl(link, cm_fail_text());
    } else if (rc > 0) {
        ask_sasl(link, now_ns);
    } else {
        int64_t ms = link->sasl.lifetime_ms;
        ms = ms < LIFETIME_MOST_MS ? ms : LIFETIME_MOST_MS;
        link->renew_ns = ms == 0 ? 0 : now_ns + ms * CM_NS_PER_MS / 5 * 4;
        become_ready(link);
    }
}

static bool is_renewal_due(const struct cm_link *link, int64_t now_ns)
{
    return link->renew_ns != 0 && now_ns >= link->renew_ns;
}

static void take_versions(struct cm_link *link, int64_t now_ns)
{
    const struct cm_link_response *r = &link->responses[link->arrived];
    link->arrived = -1;
    if (cm_fetch_read_versions(r->bytes + LENGTH_BYTES, r->have - LENGTH_BYTES, r->correlation,
                               &link->versions) != 0) {
        cm_link_break(link, cm_fail_text());
    } else if (link->terms->sasl != NULL) {
        begin_sasl(link, now_ns);
    } else {
        become_ready(link);
    }
}

/* Nothing is in flight, and no answer is waited for. */
static bool is_idle(const struct cm_link *link)
{
    return link->filling < 0 && link->arrived < 0 && !link->send_op.in_flight;
}

void cm_link_step(struct cm_link *link, int64_t now_ns, bool wanted)
{
    if (link->broken) {
        close_broken(link, now_ns);
        return;
    }
    if (link->state == CM_LINK_READY && is_idle(link) && is_renewal_due(link, now_ns)) {
        go_down(link);
    }
    if (link->state == CM_LINK_DOWN) {
        if (wanted && link->broker.len > 0 && now_ns >= link->retry_ns) {
            connect_now(link, now_ns);
        }
        return;
    }
    bool waits = link->state == CM_LINK_CONNECTING || link->filling >= 0 || link->send_op.in_flight;
    bool greeted = link->arrived >= 0 && !link->send_op.in_flight;
    if (waits && now_ns > link->deadline_ns) {
        cm_link_break(link, "no answer in time");
    } else if (link->state == CM_LINK_VERSIONS && greeted) {
        take_versions(link, now_ns);
    } else if (link->state == CM_LINK_SASL && greeted) {
        take_sasl(link, now_ns);
    }
}

bool cm_link_is_free(const struct cm_link *link, int64_t now_ns)
{
    return link->state == CM_LINK_READY && !link->broken && is_idle(link) &&
           now_ns >= link->mute_ns && !is_renewal_due(link, now_ns);
}

void cm_link_init(struct cm_link *link, struct cm_ring *ring, const struct cm_fetch_terms *terms,
                  const struct cm_broker_address *broker)
{
    *link = (struct cm_link){.ring = ring,
                             .broker = *broker,
                             .terms = terms,
                             .fd = -1,
                             .backoff_ms = BACKOFF_LEAST_MS,
                             .filling = -1,
                             .arrived = -1};
    link->connect_op.done = connected;
    link->send_op.done = sent;
    link->recv_op.done = received;
}

void cm_link_free(struct cm_link *link)
{
    if (link->fd >= 0) {
        (void)close(link->fd);
    }
    for (uint32_t i = 0; i < CM_ARRAY_LEN(link->responses); i++) {
        free(link->responses[i].bytes);
        free(link->responses[i].asks);
        free(link->responses[i].generations);
    }
    cm_sasl_end(&link->sasl);
    cm_sasl_wipe(&link->out);
    cm_text_free(&link->out);
}
