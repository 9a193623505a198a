// SPDX-License-Identifier: Apache-2.0
/* redis.c — the life of one connection.
 *
 *             poll: due                connected               PONG
 *   WAITING ────────────► CONNECTING ─────────────► SETTING_UP ──────► READY
 *      ▲                      │ refused, 5 s            │ error, 10 s     │ closed, 10 s
 *      │   nothing in flight  ▼                         ▼                 ▼
 *      └────────────────── CLOSING ◄────────────────────┴─────────────────┘
 *
 * Commands: bytes go into `out`, which sends one text while the next is filling. Answers: `runs`
 * knows how many commands wait, and for whom.
 *
 * Completions know no time, so they only leave marks (got_bytes, sent_bytes) and poll() turns these
 * into times. Where poll() itself came late (the thread was stopped or starved) the deadlines move
 * along: the server is not to blame for what we did not look at.
 *
 * The socket stays in blocking mode: a ring waits by itself, while O_NONBLOCK makes some operations
 * return EAGAIN instead. Nothing here ever blocks but the resolver.
 */
#include "redis/redis.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/prng.h"
#include "redis/redis_address.h"
#include "redis/redis_out.h"
#include "redis/redis_runs.h"
#include "redis/redis_setup.h"

#define CONNECT_TIMEOUT_NS (5 * CM_NS_PER_S)
#define STALL_NS           (10 * CM_NS_PER_S)
#define FIRST_BACKOFF_NS   (100 * CM_NS_PER_MS)
#define LAST_BACKOFF_NS    (10 * CM_NS_PER_S)
#define LATE_POLL_NS       (1 * CM_NS_PER_S)
#define RECV_BYTES         65536u
#define READER_IDLE_BYTES  ((size_t)1 << 20)

enum state { WAITING, CONNECTING, SETTING_UP, READY, CLOSING };

/* One op and its way back to the client. */
struct redis_op {
    struct cm_op op; /* first */
    struct cm_redis *redis;
};

struct cm_redis {
    struct cm_ring *ring;
    struct cm_redis_options options; /* its strings are ours */

    enum state state;
    int fd;
    struct cm_redis_address address;
    struct sockaddr_storage target;
    struct cm_redis_setup setup;
    struct redis_op connecting;
    struct redis_op timer;
    struct redis_op sending;
    struct redis_op receiving;

    struct cm_redis_out out;
    struct cm_redis_runs runs;
    redisReader *reader;
    char *received;

    bool got_bytes;
    bool sent_bytes;
    bool timed_out;
    int64_t polled_ns;   /* the last poll, -1 before the first */
    int64_t reply_ns;    /* the last sign of life while answers were owed */
    int64_t progress_ns; /* the last time that a send got further */
    int64_t delay_ns;    /* to the next connection, from the next poll on */
    int64_t due_ns;      /* of the next connection, -1: not yet known */
    int64_t backoff_ns;
    struct cm_prng prng;
    char last_error[320];
};

static struct cm_redis *redis_of(struct cm_op *op)
{
    return ((struct redis_op *)(void *)op)->redis;
}

/* --- losing a connection --- */

static bool anything_in_flight(const struct cm_redis *redis)
{
    return redis->connecting.op.in_flight || redis->timer.op.in_flight ||
           redis->sending.op.in_flight || redis->receiving.op.in_flight;
}

static void cancel_all(struct cm_redis *redis)
{
    cm_ring_cancel(redis->ring, &redis->connecting.op);
    cm_ring_cancel(redis->ring, &redis->timer.op);
    cm_ring_cancel(redis->ring, &redis->sending.op);
    cm_ring_cancel(redis->ring, &redis->receiving.op);
}

static void close_if_quiet(struct cm_redis *redis)
{
    if (redis->state != CLOSING || anything_in_flight(redis)) {
        return;
    }
    if (redis->fd >= 0) {
        (void)close(redis->fd);
        redis->fd = -1;
    }
    redis->state = WAITING;
}

/* +-25 %, so that many processes do not come back at the same instant. */
static int64_t jittered(struct cm_redis *redis, int64_t delay_ns)
{
    return delay_ns - delay_ns / 4 +
           (int64_t)cm_prng_below(&redis->prng, (uint64_t)delay_ns / 2 + 1);
}

static void log_loss(const struct cm_redis *redis, bool was_ready)
{
    const char *event = "redis.connect_failed";
    enum cm_log_level level = CM_LOG_WARN;
    if (was_ready) {
        event = "redis.lost";
    } else if (redis->setup.refused_password) {
        event = "redis.auth_failed";
        level = CM_LOG_ERROR;
    }
    cm_log(level, event, "peer=\"%s\" reason=\"%s\" next_ms=%" PRId64, redis->options.address,
           redis->last_error, redis->delay_ns / CM_NS_PER_MS);
}

/* Ends the connection, or the attempt at one: answers what waits, sets the delay to the next one.
 */
static void lose(struct cm_redis *redis, const char *format, ...) CM_PRINTF(2, 3);
static void lose(struct cm_redis *redis, const char *format, ...)
{
    CM_ASSERT(redis->state != CLOSING && redis->state != WAITING);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(redis->last_error, sizeof(redis->last_error), format, args);
    va_end(args);
    bool was_ready = redis->state == READY;
    bool try_next = redis->state == CONNECTING && cm_redis_address_has_more(&redis->address);
    redis->state = CLOSING;
    if (redis->fd >= 0) {
        (void)shutdown(redis->fd, SHUT_RDWR);
    }
    cancel_all(redis);
    redis->due_ns = -1;
    if (try_next) {
        redis->delay_ns = 0;
        cm_log(CM_LOG_DEBUG, "redis.next_address", "peer=\"%s\" reason=\"%s\"",
               redis->options.address, redis->last_error);
    } else {
        redis->delay_ns = jittered(redis, redis->backoff_ns);
        redis->backoff_ns =
            redis->backoff_ns * 2 < LAST_BACKOFF_NS ? redis->backoff_ns * 2 : LAST_BACKOFF_NS;
        log_loss(redis, was_ready);
    }
    while (redis->runs.commands > 0) {
        cm_redis_runs_answer(&redis->runs, NULL);
    }
    if (was_ready && redis->options.on_lost != NULL) {
        redis->options.on_lost(redis->options.context);
    }
    close_if_quiet(redis);
}

/* --- sending --- */

static void start_send(struct cm_redis *redis)
{
    const char *bytes;
    size_t len;
    if (!redis->sending.op.in_flight && cm_redis_out_next(&redis->out, &bytes, &len)) {
        cm_ring_send(redis->ring, &redis->sending.op, redis->fd, bytes, len);
    }
}

static void send_done(struct cm_op *op, int32_t result, uint32_t flags)
{
    (void)flags;
    struct cm_redis *redis = redis_of(op);
    if (redis->state == CLOSING) {
        close_if_quiet(redis);
        return;
    }
    if (result < 0 && result != -EINTR && result != -EAGAIN) {
        lose(redis, "cannot send: %s", strerror(-result));
        return;
    }
    if (result > 0) {
        cm_redis_out_sent(&redis->out, (size_t)result);
        redis->sent_bytes = true;
    }
    start_send(redis);
}

/* --- setting up --- */

/* Answers to the opening words; when the connection is lost over them, lose() has it all. */
static void setup_answered(void *context, const struct redisReply *reply)
{
    struct cm_redis *redis = context;
    if (reply == NULL) {
        return;
    }
    enum cm_redis_verdict verdict = cm_redis_setup_answer(&redis->setup, reply);
    if (verdict == CM_REDIS_MORE) {
        return;
    }
    if (verdict == CM_REDIS_REFUSED) {
        lose(redis, "%s", redis->setup.reason);
        return;
    }
    cm_redis_out_wipe(&redis->out);
    redis->state = READY;
    redis->backoff_ns = FIRST_BACKOFF_NS;
    cm_redis_address_reset(&redis->address);
    cm_log(CM_LOG_INFO, "redis.connected", "peer=\"%s\" database=%" PRId64, redis->options.address,
           redis->options.database);
    if (redis->options.on_ready != NULL) {
        redis->options.on_ready(redis->options.context);
    }
}

static void start_setup(struct cm_redis *redis)
{
    int commands = cm_redis_setup_start(&redis->setup, &redis->options, &redis->out.filling);
    if (commands < 0) {
        lose(redis, "%s", redis->setup.reason);
        return;
    }
    cm_redis_runs_push(&redis->runs, (uint32_t)commands, setup_answered, redis);
    start_send(redis);
}

/* --- receiving --- */

static bool is_open(const struct cm_redis *redis)
{
    return redis->state == SETTING_UP || redis->state == READY;
}

/* Hands out every whole reply, until there is none or the connection is lost over one. */
static void parse_replies(struct cm_redis *redis)
{
    while (is_open(redis)) {
        void *object = NULL;
        if (redisReaderGetReply(redis->reader, &object) != REDIS_OK) {
            lose(redis, "protocol: %s", redis->reader->errstr);
            return;
        }
        if (object == NULL) {
            return;
        }
        redisReply *reply = object;
        if (redis->runs.commands > 0) {
            cm_redis_runs_answer(&redis->runs, reply);
        } else {
            lose(redis, "protocol: %s",
                 reply->type == REDIS_REPLY_ERROR ? reply->str : "a reply that nobody asked for");
        }
        freeReplyObject(reply);
    }
}

static void receive(struct cm_redis *redis)
{
    cm_ring_recv(redis->ring, &redis->receiving.op, redis->fd, redis->received, RECV_BYTES);
}

static void receive_done(struct cm_op *op, int32_t result, uint32_t flags)
{
    (void)flags;
    struct cm_redis *redis = redis_of(op);
    if (redis->state == CLOSING) {
        close_if_quiet(redis);
        return;
    }
    if (result == 0) {
        bool told = redis->state == SETTING_UP && redis->setup.reason[0] != '\0';
        lose(redis, "the server closed the connection%s%s", told ? ": " : "",
             told ? redis->setup.reason : "");
        return;
    }
    if (result < 0 && result != -EINTR && result != -EAGAIN) {
        lose(redis, "cannot receive: %s", strerror(-result));
        return;
    }
    if (result > 0) {
        redis->got_bytes = true;
        if (redisReaderFeed(redis->reader, redis->received, (size_t)result) != REDIS_OK) {
            lose(redis, "protocol: %s", redis->reader->errstr);
            return;
        }
        parse_replies(redis);
    }
    if (is_open(redis)) {
        receive(redis);
    }
}

/* --- connecting --- */

static void connect_done(struct cm_op *op, int32_t result, uint32_t flags)
{
    (void)flags;
    struct cm_redis *redis = redis_of(op);
    if (redis->state == CLOSING) {
        close_if_quiet(redis);
        return;
    }
    cm_ring_cancel(redis->ring, &redis->timer.op);
    if (result < 0) {
        if (redis->timed_out) {
            lose(redis, "no connection within %d s", (int)(CONNECT_TIMEOUT_NS / CM_NS_PER_S));
        } else {
            lose(redis, "cannot connect: %s", strerror(-result));
        }
        return;
    }
    redis->state = SETTING_UP;
    if (redis->target.ss_family != AF_UNIX) {
        int on = 1;
        (void)setsockopt(redis->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        (void)setsockopt(redis->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    }
    redis->got_bytes = true; /* the clocks of both directions start with the next poll */
    redis->sent_bytes = true;
    receive(redis);
    start_setup(redis);
}

static void timer_done(struct cm_op *op, int32_t result, uint32_t flags)
{
    (void)flags;
    struct cm_redis *redis = redis_of(op);
    if (redis->state == CONNECTING && result == -ETIME) {
        redis->timed_out = true;
        cm_ring_cancel(redis->ring, &redis->connecting.op);
    }
    close_if_quiet(redis);
}

static void start_connect(struct cm_redis *redis)
{
    redis->state = CONNECTING;
    redis->timed_out = false;
    memset(&redis->setup, 0, sizeof(redis->setup));
    cm_redis_out_free(&redis->out);
    if (redis->reader != NULL) {
        redisReaderFree(redis->reader);
    }
    redis->reader = redisReaderCreate();
    CM_ASSERT(redis->reader != NULL);
    redis->reader->maxbuf = READER_IDLE_BYTES;
    socklen_t len;
    if (cm_redis_address_next(&redis->address, redis->options.address, &redis->target, &len) < 0) {
        lose(redis, "%s", cm_fail_text());
        return;
    }
    redis->fd = socket(redis->target.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (redis->fd < 0) {
        lose(redis, "cannot create a socket: %s", strerror(errno));
        return;
    }
    cm_ring_connect(redis->ring, &redis->connecting.op, redis->fd,
                    (const struct sockaddr *)&redis->target, len);
    cm_ring_timer(redis->ring, &redis->timer.op, CONNECT_TIMEOUT_NS);
}

/* --- the agent --- */

static void watch(struct cm_redis *redis, int64_t now_ns)
{
    int64_t late_ns = now_ns - redis->polled_ns;
    if (late_ns > LATE_POLL_NS) {
        redis->reply_ns += late_ns;
        redis->progress_ns += late_ns;
    }
    if (redis->got_bytes || redis->runs.commands == 0) {
        redis->got_bytes = false;
        redis->reply_ns = now_ns;
    }
    if (redis->sent_bytes || !redis->sending.op.in_flight) {
        redis->sent_bytes = false;
        redis->progress_ns = now_ns;
    }
    if (now_ns - redis->reply_ns > STALL_NS) {
        lose(redis, "no answer for %d s", (int)(STALL_NS / CM_NS_PER_S));
    } else if (now_ns - redis->progress_ns > STALL_NS) {
        lose(redis, "nothing could be sent for %d s", (int)(STALL_NS / CM_NS_PER_S));
    } else {
        start_send(redis);
    }
}

void cm_redis_poll(struct cm_redis *redis, int64_t now_mono_ns)
{
    if (redis->polled_ns < 0) {
        cm_prng_seed(&redis->prng,
                     (uint64_t)now_mono_ns ^ (uint64_t)(uintptr_t)redis ^ (uint64_t)getpid() << 40);
        redis->polled_ns = now_mono_ns;
    }
    if (is_open(redis)) {
        watch(redis, now_mono_ns);
    }
    if (redis->state == WAITING) {
        if (redis->due_ns < 0) {
            redis->due_ns = now_mono_ns + redis->delay_ns;
        }
        if (now_mono_ns >= redis->due_ns) {
            start_connect(redis);
        }
    }
    redis->polled_ns = now_mono_ns;
}

struct cm_redis *cm_redis_create(struct cm_ring *ring, const struct cm_redis_options *options)
{
    _Static_assert(offsetof(struct redis_op, op) == 0, "redis_of() relies on it");
    struct cm_redis *redis = cm_alloc(1, sizeof(*redis));
    redis->ring = ring;
    redis->options = *options;
    redis->options.address = cm_strdup(options->address);
    redis->options.username = cm_strdup(options->username);
    redis->options.password_file = cm_strdup(options->password_file);
    redis->options.client_name = cm_strdup(options->client_name);
    redis->state = WAITING;
    redis->fd = -1;
    redis->polled_ns = -1;
    redis->due_ns = -1;
    redis->backoff_ns = FIRST_BACKOFF_NS;
    redis->received = cm_alloc(1, RECV_BYTES);
    redis->connecting = (struct redis_op){{.done = connect_done}, redis};
    redis->timer = (struct redis_op){{.done = timer_done}, redis};
    redis->sending = (struct redis_op){{.done = send_done}, redis};
    redis->receiving = (struct redis_op){{.done = receive_done}, redis};
    return redis;
}

/* The copies of create(); the options show them as const to everybody else. */
static void free_string(const char *string)
{
    free((void *)(uintptr_t)string);
}

void cm_redis_destroy(struct cm_redis *redis)
{
    if (redis == NULL) {
        return;
    }
    redis->state = CLOSING;
    while (anything_in_flight(redis)) {
        cancel_all(redis);
        (void)cm_ring_wait(redis->ring, -1);
    }
    while (redis->runs.commands > 0) {
        cm_redis_runs_answer(&redis->runs, NULL);
    }
    if (redis->fd >= 0) {
        (void)close(redis->fd);
    }
    if (redis->reader != NULL) {
        redisReaderFree(redis->reader);
    }
    cm_redis_address_reset(&redis->address);
    cm_redis_out_free(&redis->out);
    cm_redis_runs_free(&redis->runs);
    free(redis->received);
    free_string(redis->options.address);
    free_string(redis->options.username);
    free_string(redis->options.password_file);
    free_string(redis->options.client_name);
    free(redis);
}

bool cm_redis_is_ready(const struct cm_redis *redis)
{
    return redis->state == READY;
}

void cm_redis_drop(struct cm_redis *redis, const char *reason)
{
    if (redis->state == READY) {
        lose(redis, "%s", reason);
    }
}

void cm_redis_command(struct cm_redis *redis, int argc, const char *const *argv,
                      const size_t *argv_len, cm_redis_reply_fn done, void *context)
{
    CM_ASSERT(redis->state == READY);
    const char **plain; /* hiredis does not write to it, but does not say so either */
    memcpy(&plain, &argv, sizeof(plain));
    char *command = NULL;
    int len = redisFormatCommandArgv(&command, argc, plain, argv_len);
    CM_ASSERT(len > 0);
    cm_text_add(&redis->out.filling, command, (size_t)len);
    redisFreeCommand(command);
    cm_redis_runs_push(&redis->runs, 1, done, context);
}

struct cm_text *cm_redis_buffer(struct cm_redis *redis)
{
    CM_ASSERT(redis->state == READY);
    return &redis->out.filling;
}

void cm_redis_give(struct cm_redis *redis, struct cm_text *text)
{
    CM_ASSERT(redis->state == READY);
    cm_redis_out_give(&redis->out, text);
}

void cm_redis_added(struct cm_redis *redis, uint32_t commands, cm_redis_reply_fn done,
                    void *context)
{
    CM_ASSERT(redis->state == READY);
    if (commands > 0) {
        cm_redis_runs_push(&redis->runs, commands, done, context);
    }
}

uint32_t cm_redis_pending(const struct cm_redis *redis)
{
    return redis->state == SETTING_UP ? 0 : redis->runs.commands;
}

size_t cm_redis_unsent_bytes(const struct cm_redis *redis)
{
    return is_open(redis) ? cm_redis_out_unsent(&redis->out) : 0;
}

const char *cm_redis_last_error(const struct cm_redis *redis)
{
    return redis->last_error;
}
