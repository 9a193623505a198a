// SPDX-License-Identifier: Apache-2.0
/* redis_client_test.c — the Redis client against a real redis-server: answers in order, big values,
 * servers that die, stop, refuse, and come back. */
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
#include "support/redis_server.h"

#define COMMANDS  100000u
#define LIMIT_NS  (60 * CM_NS_PER_S) /* only when the test fails */
#define BIG_BYTES (1u << 20)

static struct redis_server server;
static struct cm_ring *ring;
static struct cm_redis *redis;
static uint32_t readies;
static uint32_t losses;
static uint32_t pending_at_loss;
static char password_path[64];

static void on_ready(void *context)
{
    assert_ptr_equal(context, &server);
    assert_true(cm_redis_is_ready(redis));
    readies++;
}

static void on_lost(void *context)
{
    assert_ptr_equal(context, &server);
    assert_false(cm_redis_is_ready(redis));
    pending_at_loss = cm_redis_pending(redis);
    losses++;
}

static void open_client(const char *address, const char *username, const char *password_file,
                        int64_t database)
{
    struct cm_redis_options options = {
        .address = address,
        .username = username,
        .password_file = password_file,
        .database = database,
        .client_name = "callmill-test",
        .on_ready = on_ready,
        .on_lost = on_lost,
        .context = &server,
    };
    readies = 0;
    losses = 0;
    pending_at_loss = UINT32_MAX;
    redis = cm_redis_create(ring, &options);
}

static int setup(void **state)
{
    (void)state;
    (void)strcpy(password_path, "/tmp/cm_password_XXXXXX");
    int fd = mkstemp(password_path);
    if (fd < 0 || close(fd) != 0) {
        return -1;
    }
    return cm_ring_create(64, &ring);
}

static int teardown(void **state)
{
    (void)state;
    cm_redis_destroy(redis);
    redis = NULL;
    cm_ring_destroy(ring);
    redis_server_stop(&server);
    (void)unlink(password_path);
    return 0;
}

static void turn(int64_t wait_ns)
{
    cm_redis_poll(redis, cm_clock_mono_ns());
    (void)cm_ring_wait(ring, wait_ns);
}

#define TURN_UNTIL(condition)                                                                      \
    do {                                                                                           \
        int64_t limit_ns = cm_clock_mono_ns() + LIMIT_NS;                                          \
        while (!(condition)) {                                                                     \
            assert_true(cm_clock_mono_ns() < limit_ns);                                            \
            turn(20 * CM_NS_PER_MS);                                                               \
        }                                                                                          \
    } while (0)

/* --- remembering answers --- */

struct answer {
    uint32_t calls;
    uint32_t lost;
    int type;
    long long integer;
    size_t elements;
    size_t len;
    char text[256];
};

static void keep(void *context, const struct redisReply *reply)
{
    struct answer *answer = context;
    answer->calls++;
    if (reply == NULL) {
        answer->lost++;
        return;
    }
    answer->type = reply->type;
    answer->integer = reply->integer;
    answer->elements = reply->elements;
    answer->len = 0;
    answer->text[0] = '\0';
    if (reply->str != NULL) {
        answer->len = (size_t)reply->len;
        (void)snprintf(answer->text, sizeof(answer->text), "%s", reply->str);
    }
    /* Arrays of strings as one text. */
    for (size_t i = 0; i < reply->elements; i++) {
        size_t at = strlen(answer->text);
        (void)snprintf(answer->text + at, sizeof(answer->text) - at, "%s%s", i == 0 ? "" : " ",
                       reply->element[i]->str != NULL ? reply->element[i]->str : "-");
    }
}

static struct answer ask(int argc, const char *const *argv)
{
    struct answer answer = {.calls = 0};
    cm_redis_command(redis, argc, argv, NULL, keep, &answer);
    TURN_UNTIL(answer.calls > 0);
    return answer;
}
#define ASK(...)                                                                                   \
    ask((int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                             \
        (const char *[]){__VA_ARGS__})

/* --- tests --- */

static void talks(void **state)
{
    (void)state;
    assert_int_equal(redis_server_start(&server, NULL), 0);
    open_client(server.address, "", "", 3);
    assert_false(cm_redis_is_ready(redis));
    assert_string_equal(cm_redis_last_error(redis), "");
    TURN_UNTIL(cm_redis_is_ready(redis));
    assert_int_equal(readies, 1);
    assert_int_equal(cm_redis_pending(redis), 0);
    assert_int_equal(cm_redis_unsent_bytes(redis), 0);

    struct answer answer = ASK("HSET", "seat", "answered", "12", "aht", "340 s", "empty", "");
    assert_int_equal(answer.type, REDIS_REPLY_INTEGER);
    assert_int_equal(answer.integer, 3);
    answer = ASK("HGETALL", "seat");
    assert_int_equal(answer.type, REDIS_REPLY_ARRAY);
    assert_string_equal(answer.text, "answered 12 aht 340 s empty ");
    answer = ASK("GET", "nothing");
    assert_int_equal(answer.type, REDIS_REPLY_NIL);
    answer = ASK("HGET", "seat"); /* wrong number of arguments: an answer like any other */
    assert_int_equal(answer.type, REDIS_REPLY_ERROR);
    assert_int_equal(strncmp(answer.text, "ERR wrong number", 16), 0);
    answer = ASK("CLIENT", "GETNAME");
    assert_string_equal(answer.text, "callmill-test");
    answer = ASK("CLIENT", "INFO");
    assert_non_null(strstr(answer.text, " db=3 "));

    const char *argv[] = {"SET", "bytes", "a\0b\r\n"};
    const size_t argv_len[] = {3, 5, 5};
    struct answer set = {.calls = 0};
    cm_redis_command(redis, 3, argv, argv_len, keep, &set);
    cm_redis_command(redis, 2, (const char *[]){"STRLEN", "bytes"}, NULL, keep, &answer);
    assert_int_equal(cm_redis_pending(redis), 2);
    assert_true(cm_redis_unsent_bytes(redis) > 0);
    TURN_UNTIL(cm_redis_pending(redis) == 0);
    assert_string_equal(set.text, "OK");
    assert_int_equal(answer.integer, 5);
    assert_int_equal(losses, 0);
}

static void talks_through_a_unix_socket(void **state)
{
    (void)state;
    assert_int_equal(redis_server_start(&server, NULL), 0);
    open_client(server.unix_address, "", "", 0);
    TURN_UNTIL(cm_redis_is_ready(redis));
    assert_string_equal(ASK("PING", "hello").text, "hello");
}

static void finds_the_right_address_of_a_name(void **state)
{
    (void)state;
    assert_int_equal(redis_server_start(&server, NULL), 0); /* on 127.0.0.1 only */
    char address[64];
    (void)snprintf(address, sizeof(address), "localhost:%d", server.port);
    open_client(address, "", "", 0);
    TURN_UNTIL(cm_redis_is_ready(redis));
    assert_int_equal(readies, 1);
}

/* Hot and cold commands mixed, a hundred thousand of them, each answer in its place. */
struct sequence {
    uint32_t next; /* the number that the next answer must hold */
    bool wrong;
};

static void check_number(void *context, const struct redisReply *reply)
{
    struct sequence *sequence = context;
    if (reply == NULL || reply->type != REDIS_REPLY_STRING ||
        strtoul(reply->str, NULL, 10) != sequence->next) {
        sequence->wrong = true;
    }
    sequence->next++;
}

static void check_number_too(void *context, const struct redisReply *reply)
{
    check_number(context, reply); /* another owner, so that runs do not melt */
}

static void pipelines(void **state)
{
    (void)state;
    assert_int_equal(redis_server_start(&server, NULL), 0);
    open_client(server.address, "", "", 0);
    TURN_UNTIL(cm_redis_is_ready(redis));
    struct sequence sequence = {.next = 0};
    uint32_t put = 0;
    while (put < COMMANDS) {
        char number[16];
        if (put % 1000 == 999) {
            (void)snprintf(number, sizeof(number), "%u", put++);
            cm_redis_command(redis, 2, (const char *[]){"ECHO", number}, NULL, check_number_too,
                             &sequence);
        }
        struct cm_text *buffer = cm_redis_buffer(redis);
        uint32_t n = 0;
        for (; put < COMMANDS && put % 1000 != 999; put++, n++) {
            int len = snprintf(number, sizeof(number), "%u", put);
            cm_text_addf(buffer, "*2\r\n$4\r\nECHO\r\n$%d\r\n%s\r\n", len, number);
        }
        cm_redis_added(redis, n, check_number, &sequence);
        if (put % 7 == 0) {
            turn(0); /* answers come in while more is being queued */
        }
    }
    TURN_UNTIL(cm_redis_pending(redis) == 0);
    assert_int_equal(sequence.next, COMMANDS);
    assert_false(sequence.wrong);
    assert_int_equal(cm_redis_unsent_bytes(redis), 0);
    assert_int_equal(losses, 0);
}

struct big {
    uint32_t calls;
    bool equal;
    const char *expected;
};

static void check_big(void *context, const struct redisReply *reply)
{
    struct big *big = context;
    big->calls++;
    big->equal = reply != NULL && reply->type == REDIS_REPLY_STRING && reply->len == BIG_BYTES &&
                 memcmp(reply->str, big->expected, BIG_BYTES) == 0;
}

static void moves_large_values(void **state)
{
    (void)state;
    assert_int_equal(redis_server_start(&server, NULL), 0);
    open_client(server.address, "", "", 0);
    TURN_UNTIL(cm_redis_is_ready(redis));
    char *value = malloc(BIG_BYTES);
    for (uint32_t i = 0; i < BIG_BYTES; i++) {
        value[i] = (char)(unsigned char)(i * 2654435761u >> 11);
    }
    struct big bigs[20];
    struct answer sets = {.calls = 0};
    for (int i = 0; i < 20; i++) { /* 20 MB out, 20 MB in, all queued at once */
        bigs[i] = (struct big){.expected = value};
        const size_t lens[] = {3, 3, BIG_BYTES};
        cm_redis_command(redis, 3, (const char *[]){"SET", "big", value}, lens, keep, &sets);
        cm_redis_command(redis, 2, (const char *[]){"GET", "big"}, NULL, check_big, &bigs[i]);
    }
    TURN_UNTIL(cm_redis_pending(redis) == 0);
    assert_int_equal(sets.calls, 20);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(bigs[i].calls, 1);
        assert_true(bigs[i].equal);
    }
    free(value);
}

static void comes_back_after_a_crash(void **state)
{
    (void)state;
    assert_int_equal(redis_server_start(&server, NULL), 0);
    open_client(server.address, "", "", 0);
    TURN_UNTIL(cm_redis_is_ready(redis));
    for (uint32_t round = 1; round <= 2; round++) {
        redis_server_pause(&server); /* so that nothing is answered before it dies */
        struct answer answers = {.calls = 0};
        for (int i = 0; i < 1000; i++) {
            cm_redis_command(redis, 1, (const char *[]){"PING"}, NULL, keep, &answers);
        }
        turn(0);
        assert_int_equal(cm_redis_pending(redis), 1000);
        redis_server_kill(&server);
        TURN_UNTIL(!cm_redis_is_ready(redis));
        assert_int_equal(losses, round);
        assert_int_equal(pending_at_loss, 0); /* on_lost comes after the last NULL */
        assert_int_equal(answers.calls, 1000);
        assert_int_equal(answers.lost, 1000);
        assert_int_equal(cm_redis_unsent_bytes(redis), 0);
        for (int i = 0; i < 30; i++) { /* nobody there for a while */
            turn(20 * CM_NS_PER_MS);
        }
        assert_false(cm_redis_is_ready(redis));
        assert_non_null(strstr(cm_redis_last_error(redis), "Connection refused"));
        assert_int_equal(redis_server_restart(&server), 0);
        TURN_UNTIL(cm_redis_is_ready(redis));
        assert_int_equal(readies, round + 1);
        assert_int_equal(losses, round); /* attempts that failed are no losses */
        assert_string_equal(ASK("PING").text, "PONG");
    }
}

static void waits_for_a_server_that_comes_later(void **state)
{
    (void)state;
    assert_int_equal(redis_server_start(&server, NULL), 0);
    redis_server_kill(&server);
    open_client(server.address, "", "", 0);
    for (int i = 0; i < 10; i++) {
        turn(20 * CM_NS_PER_MS);
    }
    assert_non_null(strstr(cm_redis_last_error(redis), "Connection refused"));
    assert_int_equal(redis_server_restart(&server), 0);
    TURN_UNTIL(cm_redis_is_ready(redis));
    assert_int_equal(losses, 0);
}

static void put_password(const char *password)
{
    FILE *file = fopen(password_path, "we");
    assert_non_null(file);
    assert_true(fprintf(file, "%s\n", password) > 0);
    assert_int_equal(fclose(file), 0);
}

static void gives_the_password(void **state)
{
    (void)state;
    static const char *const extra[] = {"--requirepass", "correct horse", NULL};
    assert_int_equal(redis_server_start(&server, extra), 0);
    put_password("wrong");
    open_client(server.address, "", password_path, 1);
    TURN_UNTIL(cm_redis_last_error(redis)[0] != '\0');
    assert_false(cm_redis_is_ready(redis));
    assert_int_equal(strncmp(cm_redis_last_error(redis), "AUTH: WRONGPASS", 15), 0);
    assert_null(strstr(cm_redis_last_error(redis), "wrong\n"));
    put_password("correct horse"); /* a rotated password needs no restart */
    TURN_UNTIL(cm_redis_is_ready(redis));
    assert_int_equal(readies, 1);
    assert_int_equal(losses, 0);
    assert_string_equal(ASK("SET", "a", "b").text, "OK");
}

static void gives_user_and_password(void **state)
{
    (void)state;
    static const char *const extra[] = {"--user", "mill",  "on",      ">secret", "~cm:*",
                                        "+@all",  "-role", "-client", NULL};
    assert_int_equal(redis_server_start(&server, extra), 0);
    put_password("secret");
    open_client(server.address, "mill", password_path, 0);
    TURN_UNTIL(cm_redis_is_ready(redis)); /* though CLIENT and ROLE are forbidden */
    assert_string_equal(ASK("SET", "cm:a", "b").text, "OK");
    assert_int_equal(strncmp(ASK("SET", "other", "b").text, "NOPERM", 6), 0);
}

static void says_that_a_password_is_wanted(void **state)
{
    (void)state;
    static const char *const extra[] = {"--requirepass", "x", NULL};
    assert_int_equal(redis_server_start(&server, extra), 0);
    open_client(server.address, "", "", 0);
    TURN_UNTIL(cm_redis_last_error(redis)[0] != '\0');
    assert_non_null(strstr(cm_redis_last_error(redis), "NOAUTH"));
    assert_int_equal(readies, 0);
}

static void will_not_publish_to_a_replica(void **state)
{
    (void)state;
    static const char *const extra[] = {"--replicaof", "127.0.0.1 1", NULL};
    assert_int_equal(redis_server_start(&server, extra), 0);
    open_client(server.address, "", "", 0);
    TURN_UNTIL(cm_redis_last_error(redis)[0] != '\0');
    assert_int_equal(strncmp(cm_redis_last_error(redis), "READONLY", 8), 0);
    assert_int_equal(readies, 0);
}

static void goes_on_when_the_server_paused(void **state)
{
    (void)state;
    assert_int_equal(redis_server_start(&server, NULL), 0);
    open_client(server.address, "", "", 0);
    TURN_UNTIL(cm_redis_is_ready(redis));
    redis_server_pause(&server);
    struct sequence sequence = {.next = 0};
    /* More than the sockets hold, so that sending comes to a halt, too. */
    char *value = malloc(BIG_BYTES);
    memset(value, 'x', BIG_BYTES);
    struct answer sets = {.calls = 0};
    const size_t lens[] = {3, 3, BIG_BYTES};
    for (uint32_t i = 0; i < 30; i++) {
        char number[16];
        (void)snprintf(number, sizeof(number), "%u", i);
        cm_redis_command(redis, 3, (const char *[]){"SET", "big", value}, lens, keep, &sets);
        cm_redis_command(redis, 2, (const char *[]){"ECHO", number}, NULL, check_number, &sequence);
    }
    for (int i = 0; i < 20; i++) {
        turn(10 * CM_NS_PER_MS);
    }
    assert_true(cm_redis_unsent_bytes(redis) > 0);
    assert_int_equal(cm_redis_pending(redis), 60);
    redis_server_resume(&server);
    TURN_UNTIL(cm_redis_pending(redis) == 0);
    assert_int_equal(sequence.next, 30);
    assert_false(sequence.wrong);
    assert_int_equal(sets.lost, 0);
    assert_int_equal(losses, 0);
    free(value);
}

/* Ten seconds pass on a clock of our own. */
static void gives_up_on_a_server_that_is_silent(void **state)
{
    (void)state;
    assert_int_equal(redis_server_start(&server, NULL), 0);
    open_client(server.address, "", "", 0);
    TURN_UNTIL(cm_redis_is_ready(redis));
    redis_server_pause(&server);
    struct answer answers = {.calls = 0};
    int64_t now_ns = cm_clock_mono_ns();
    cm_redis_poll(redis, now_ns);
    cm_redis_command(redis, 1, (const char *[]){"PING"}, NULL, keep, &answers);
    for (int ms = 500; ms <= 10000; ms += 500) {
        cm_redis_poll(redis, now_ns + ms * CM_NS_PER_MS);
        (void)cm_ring_wait(ring, 0);
        assert_true(cm_redis_is_ready(redis));
    }
    /* We looked away for a minute: that is not the server's fault. */
    now_ns += 70 * CM_NS_PER_S;
    cm_redis_poll(redis, now_ns);
    assert_true(cm_redis_is_ready(redis));
    cm_redis_poll(redis, now_ns + 500 * CM_NS_PER_MS);
    assert_false(cm_redis_is_ready(redis));
    assert_string_equal(cm_redis_last_error(redis), "no answer for 10 s");
    assert_int_equal(answers.lost, 1);
    assert_int_equal(losses, 1);
    redis_server_resume(&server);
}

/* A listener whose queue is full drops what knocks: the connection neither comes nor fails. */
static void gives_up_connecting(void **state)
{
    (void)state;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof(address);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    int knocks[4];
    for (int i = 0; i < 4; i++) {
        knocks[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(knocks[i], (struct sockaddr *)&address, len);
    }
    char text[32];
    (void)snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(address.sin_port));
    open_client(text, "", "", 0);
    TURN_UNTIL(cm_redis_last_error(redis)[0] != '\0');
    assert_string_equal(cm_redis_last_error(redis), "no connection within 5 s");
    for (int i = 0; i < 4; i++) {
        (void)close(knocks[i]);
    }
    (void)close(listener);
}

static void rejects_what_is_no_redis(void **state)
{
    (void)state;
    open_client("127.0.0.1", "", "", 0);
    turn(0);
    assert_string_equal(cm_redis_last_error(redis),
                        "address 127.0.0.1 is neither host:port nor unix:PATH");
    cm_redis_destroy(redis);
    open_client("unix:/nonexistent/redis.sock", "", "", 0);
    TURN_UNTIL(cm_redis_last_error(redis)[0] != '\0');
    assert_non_null(strstr(cm_redis_last_error(redis), "No such file"));
}

static void answers_null_when_destroyed(void **state)
{
    (void)state;
    assert_int_equal(redis_server_start(&server, NULL), 0);
    open_client(server.address, "", "", 0);
    cm_redis_destroy(redis); /* never polled */
    open_client(server.address, "", "", 0);
    turn(0);
    cm_redis_destroy(redis); /* on its way to connect */
    open_client(server.address, "", "", 0);
    TURN_UNTIL(cm_redis_is_ready(redis));
    redis_server_pause(&server);
    struct answer answers = {.calls = 0};
    cm_redis_command(redis, 1, (const char *[]){"PING"}, NULL, keep, &answers);
    cm_redis_command(redis, 1, (const char *[]){"PING"}, NULL, NULL, NULL);
    turn(0);
    cm_redis_destroy(redis);
    redis = NULL;
    assert_int_equal(answers.calls, 1);
    assert_int_equal(answers.lost, 1);
    assert_int_equal(losses, 0);
    cm_redis_destroy(NULL);
}

int main(void)
{
    int rc = redis_server_start(&server, NULL);
    if (rc != 0) {
        return rc;
    }
    redis_server_stop(&server);
    struct cm_ring *probe = NULL;
    if (cm_ring_create(8, &probe) < 0) {
        (void)fprintf(stderr, "skipped: %s\n", cm_fail_text());
        return 77;
    }
    cm_ring_destroy(probe);
#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_SERVER(talks),
        WITH_SERVER(talks_through_a_unix_socket),
        WITH_SERVER(finds_the_right_address_of_a_name),
        WITH_SERVER(pipelines),
        WITH_SERVER(moves_large_values),
        WITH_SERVER(comes_back_after_a_crash),
        WITH_SERVER(waits_for_a_server_that_comes_later),
        WITH_SERVER(gives_the_password),
        WITH_SERVER(gives_user_and_password),
        WITH_SERVER(says_that_a_password_is_wanted),
        WITH_SERVER(will_not_publish_to_a_replica),
        WITH_SERVER(goes_on_when_the_server_paused),
        WITH_SERVER(gives_up_on_a_server_that_is_silent),
        WITH_SERVER(gives_up_connecting),
        WITH_SERVER(rejects_what_is_no_redis),
        WITH_SERVER(answers_null_when_destroyed),
    };
#undef WITH_SERVER
    return cmocka_run_group_tests_name("redis_client", tests, NULL, NULL);
}
