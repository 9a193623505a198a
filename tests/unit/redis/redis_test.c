// SPDX-License-Identifier: Apache-2.0
/* redis_test.c — the client against a server played by the test itself, for what a real one does
 * rarely: replies in single bytes, replies that nobody asked for, loading, too many clients, not
 * reading. */
#include "redis/redis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"

#define SOON_NS   (20 * CM_NS_PER_MS)
#define TURNS     2000 /* only when the test fails */
#define MASTER    "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
#define BIG_BYTES (1u << 20)

static struct cm_ring *ring;
static struct cm_redis *redis;
static int listener;
static int peer; /* our end of the connection */
static int64_t now_ns;
static uint32_t readies;
static uint32_t losses;
static uint32_t answers;
static uint32_t nulls;

static void on_ready(void *context)
{
    (void)context;
    readies++;
}

static void on_lost(void *context)
{
    (void)context;
    losses++;
}

static void count(void *context, const struct redisReply *reply)
{
    (void)context;
    if (reply == NULL) {
        nulls++;
    } else {
        answers++;
    }
}

static int setup(void **state)
{
    (void)state;
    readies = losses = answers = nulls = 0;
    now_ns = 1;
    peer = -1;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof(address);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, len) != 0 ||
        listen(listener, 4) != 0 || getsockname(listener, (struct sockaddr *)&address, &len) != 0) {
        return -1;
    }
    int rc = cm_ring_create(8, &ring);
    char text[32];
    (void)snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(address.sin_port));
    struct cm_redis_options options = {.address = text,
                                       .username = "",
                                       .password_file = "",
                                       .client_name = "",
                                       .on_ready = on_ready,
                                       .on_lost = on_lost};
    redis = rc == 0 ? cm_redis_create(ring, &options) : NULL;
    return rc;
}

static int teardown(void **state)
{
    (void)state;
    cm_redis_destroy(redis);
    cm_ring_destroy(ring);
    if (peer >= 0) {
        (void)close(peer);
    }
    (void)close(listener);
    return 0;
}

/* One turn of the client; its clock stands still. */
static void turn(void)
{
    cm_redis_poll(redis, now_ns);
    (void)cm_ring_wait(ring, SOON_NS);
}

#define TURN_UNTIL(condition)                                                                      \
    do {                                                                                           \
        for (int turns = 0; !(condition); turns++) {                                               \
            assert_true(turns < TURNS);                                                            \
            turn();                                                                                \
        }                                                                                          \
    } while (0)

static void say_bytes(const char *bytes, size_t len)
{
    assert_int_equal(send(peer, bytes, len, MSG_NOSIGNAL), len);
}

static void say(const char *text)
{
    say_bytes(text, strlen(text));
}

/* Takes the connection and what the client says first. */
static void take_connection(void)
{
    cm_redis_poll(redis, now_ns);
    (void)cm_ring_wait(ring, 0); /* the knock is out: accept() will not wait for ever */
    peer = accept(listener, NULL, NULL);
    assert_true(peer >= 0);
    char heard[256];
    size_t len = 0;
    while (len < strlen("*1\r\n$4\r\nROLE\r\n*1\r\n$4\r\nPING\r\n")) {
        turn();
        ssize_t n = recv(peer, heard + len, sizeof(heard) - len, MSG_DONTWAIT);
        len += n > 0 ? (size_t)n : 0;
    }
    assert_memory_equal(heard, "*1\r\n$4\r\nROLE\r\n*1\r\n$4\r\nPING\r\n", len);
}

static void make_ready(void)
{
    take_connection();
    say(MASTER "+PONG\r\n");
    TURN_UNTIL(cm_redis_is_ready(redis));
    assert_int_equal(readies, 1);
}

static void puts_bytes_together(void **state)
{
    (void)state;
    take_connection();
    const char *words = MASTER "+PONG\r\n";
    for (size_t i = 0; i < strlen(words); i++) {
        assert_false(cm_redis_is_ready(redis));
        say_bytes(words + i, 1);
        turn();
    }
    TURN_UNTIL(cm_redis_is_ready(redis));
    for (int i = 0; i < 3; i++) {
        cm_redis_command(redis, 1, (const char *[]){"PING"}, NULL, count, NULL);
    }
    const char *replies = "*2\r\n$3\r\na\r\n\r\n*1\r\n:7\r\n$-1\r\n-ERR no\r\n";
    for (size_t i = 0; i < strlen(replies); i++) {
        say_bytes(replies + i, 1);
        turn();
    }
    TURN_UNTIL(answers == 3);
    assert_int_equal(cm_redis_pending(redis), 0);
    assert_int_equal(losses, 0);
}

static void a_reply_that_nobody_asked_for(void **state)
{
    (void)state;
    make_ready();
    cm_redis_command(redis, 1, (const char *[]){"PING"}, NULL, count, NULL);
    say("+PONG\r\n+PONG\r\n");
    TURN_UNTIL(losses == 1);
    assert_int_equal(answers, 1);
    assert_int_equal(nulls, 0);
    assert_string_equal(cm_redis_last_error(redis), "protocol: a reply that nobody asked for");
}

static void what_is_not_the_protocol(void **state)
{
    (void)state;
    make_ready();
    cm_redis_command(redis, 1, (const char *[]){"PING"}, NULL, count, NULL);
    say("HTTP/1.1 400 Bad Request\r\n\r\n");
    TURN_UNTIL(losses == 1);
    assert_int_equal(nulls, 1);
    assert_int_equal(strncmp(cm_redis_last_error(redis), "protocol: ", 10), 0);
}

static void a_connection_that_closes(void **state)
{
    (void)state;
    make_ready();
    cm_redis_command(redis, 1, (const char *[]){"PING"}, NULL, count, NULL);
    cm_redis_added(redis, 0, count, NULL); /* none: nothing */
    assert_int_equal(cm_redis_pending(redis), 1);
    assert_int_equal(shutdown(peer, SHUT_WR), 0);
    TURN_UNTIL(losses == 1);
    assert_int_equal(nulls, 1);
    assert_string_equal(cm_redis_last_error(redis), "the server closed the connection");
}

/* From a callback: the answers behind it go to nobody. */
static void give_up(void *context, const struct redisReply *reply)
{
    (void)context;
    if (reply != NULL) {
        cm_redis_drop(redis, "no sense");
        cm_redis_drop(redis, "once more");
    }
}

static void a_connection_that_is_given_up(void **state)
{
    (void)state;
    make_ready();
    cm_redis_command(redis, 1, (const char *[]){"PING"}, NULL, give_up, NULL);
    cm_redis_command(redis, 1, (const char *[]){"PING"}, NULL, count, NULL);
    say("+PONG\r\n+PONG\r\n");
    TURN_UNTIL(losses == 1);
    assert_int_equal(answers, 0);
    assert_int_equal(nulls, 1);
    assert_false(cm_redis_is_ready(redis));
    assert_string_equal(cm_redis_last_error(redis), "no sense");
    cm_redis_drop(redis, "is not there");
    assert_int_equal(losses, 1);
}

static void not_ready_while_the_server_is_not(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        const char *error;
    } cases[] = {
        {MASTER "-LOADING Redis is loading the dataset in memory\r\n", "PING: LOADING Redis"},
        {"-ERR max number of clients reached\r\n",
         "the server closed the connection: ERR max number of clients reached"},
        {"", "the server closed the connection"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        take_connection();
        say(cases[i].words);
        if (i > 0) {
            assert_int_equal(shutdown(peer, SHUT_WR), 0);
        }
        char before[400];
        (void)snprintf(before, sizeof(before), "%s", cm_redis_last_error(redis));
        TURN_UNTIL(strcmp(cm_redis_last_error(redis), before) != 0);
        assert_int_equal(
            strncmp(cm_redis_last_error(redis), cases[i].error, strlen(cases[i].error)), 0);
        (void)close(peer);
        peer = -1;
        now_ns += 1; /* the next poll sets the time of the next attempt ... */
        cm_redis_poll(redis, now_ns);
        now_ns += 1 * CM_NS_PER_S; /* ... and this is beyond it: 400 ms + 25 % at most */
    }
    assert_int_equal(readies, 0);
    assert_int_equal(losses, 0);
    make_ready();
}

static void backs_off_up_to_ten_seconds(void **state)
{
    (void)state;
    (void)close(listener); /* refused from now on */
    listener = -1;
    int64_t base_ns = 100 * CM_NS_PER_MS;
    for (int i = 0; i < 10; i++) {
        cm_redis_poll(redis, now_ns); /* due: starts to connect */
        uint32_t done = 0;
        while (done < 2) { /* the connection and its timer */
            done += cm_ring_wait(ring, SOON_NS);
        }
        cm_redis_poll(redis, now_ns); /* sets the time of the next attempt */
        /* Not before 75 % of the delay, and not after 125 % of it. */
        cm_redis_poll(redis, now_ns + base_ns * 3 / 4 - 1);
        assert_int_equal(cm_ring_wait(ring, 0), 0);
        now_ns += base_ns * 5 / 4 + 1;
        base_ns = base_ns * 2 < 10 * CM_NS_PER_S ? base_ns * 2 : 10 * CM_NS_PER_S;
    }
    assert_non_null(strstr(cm_redis_last_error(redis), "Connection refused"));
}

/* A server that answers, but does not read. */
static void a_send_that_gets_no_further(void **state)
{
    (void)state;
    make_ready();
    char *value = calloc(1, BIG_BYTES);
    const size_t lens[] = {3, 1, BIG_BYTES};
    for (int i = 0; i < 40; i++) { /* more than two sockets hold */
        cm_redis_command(redis, 3, (const char *[]){"SET", "k", value}, lens, count, NULL);
    }
    size_t unsent = 0;
    for (int quiet = 0; quiet < 10; quiet++) { /* until nothing moves any more */
        turn();
        quiet = cm_redis_unsent_bytes(redis) == unsent ? quiet : 0;
        unsent = cm_redis_unsent_bytes(redis);
    }
    assert_true(unsent > 0);
    for (int i = 1; i <= 20; i++) {
        now_ns += 500 * CM_NS_PER_MS;
        say("+OK\r\n");
        TURN_UNTIL(answers == (uint32_t)i);
        assert_true(cm_redis_is_ready(redis));
    }
    now_ns += 500 * CM_NS_PER_MS;
    cm_redis_poll(redis, now_ns);
    assert_int_equal(losses, 1);
    assert_int_equal(nulls, 20);
    assert_string_equal(cm_redis_last_error(redis), "nothing could be sent for 10 s");
    free(value);
}

/* Callbacks that queue more commands, in the middle of a batch of replies. */
static void ask_again(void *context, const struct redisReply *reply)
{
    uint32_t *left = context;
    answers += reply != NULL ? 1 : 0;
    if (reply != NULL && *left > 0) {
        (*left)--;
        cm_redis_command(redis, 1, (const char *[]){"PING"}, NULL, ask_again, context);
    }
}

static void callbacks_may_ask_again(void **state)
{
    (void)state;
    make_ready();
    uint32_t left = 500;
    cm_redis_command(redis, 1, (const char *[]){"PING"}, NULL, ask_again, &left);
    uint32_t said = 0;
    size_t heard = 0;
    char bytes[4096];
    while (answers < 501) {
        turn();
        ssize_t n = recv(peer, bytes, sizeof(bytes), MSG_DONTWAIT);
        heard += n > 0 ? (size_t)n : 0;
        for (; said < heard / strlen("*1\r\n$4\r\nPING\r\n"); said++) {
            say("+PONG\r\n");
        }
    }
    assert_int_equal(cm_redis_pending(redis), 0);
    assert_int_equal(said, 501);
}

int main(void)
{
    struct cm_ring *probe = NULL;
    if (cm_ring_create(8, &probe) < 0) {
        (void)fprintf(stderr, "skipped: %s\n", cm_fail_text());
        return 77;
    }
    cm_ring_destroy(probe);
#define WITH_PEER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_PEER(puts_bytes_together),           WITH_PEER(a_reply_that_nobody_asked_for),
        WITH_PEER(what_is_not_the_protocol),      WITH_PEER(a_connection_that_closes),
        WITH_PEER(a_connection_that_is_given_up), WITH_PEER(not_ready_while_the_server_is_not),
        WITH_PEER(backs_off_up_to_ten_seconds),   WITH_PEER(a_send_that_gets_no_further),
        WITH_PEER(callbacks_may_ask_again),
    };
#undef WITH_PEER
    return cmocka_run_group_tests_name("redis", tests, NULL, NULL);
}
