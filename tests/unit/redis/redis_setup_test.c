// SPDX-License-Identifier: Apache-2.0
/* redis_setup_test.c — the opening words byte by byte, and what each answer to them means. */
#include "redis/redis_setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"

static char path[64];
static struct cm_text text;
static struct cm_redis_setup setup;

static int make_file(void **state)
{
    (void)state;
    (void)strcpy(path, "/tmp/cm_password_XXXXXX");
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(path);
    cm_text_free(&text);
    return 0;
}

static void put_password(const char *content)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static struct cm_redis_options plain(void)
{
    return (struct cm_redis_options){
        .address = "127.0.0.1:1", .username = "", .password_file = "", .client_name = ""};
}

static void says_no_more_than_needed(void **state)
{
    (void)state;
    struct cm_redis_options options = plain();
    assert_int_equal(cm_redis_setup_start(&setup, &options, &text), 2);
    assert_string_equal(cm_text_cstr(&text), "*1\r\n$4\r\nROLE\r\n*1\r\n$4\r\nPING\r\n");
}

static void says_everything(void **state)
{
    (void)state;
    struct cm_redis_options options = plain();
    options.username = "mill";
    options.password_file = path;
    options.database = 12;
    options.client_name = "callmill-1";
    put_password("two words\r\nnot this\n");
    assert_int_equal(cm_redis_setup_start(&setup, &options, &text), 5);
    assert_string_equal(cm_text_cstr(&text),
                        "*3\r\n$4\r\nAUTH\r\n$4\r\nmill\r\n$9\r\ntwo words\r\n"
                        "*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n"
                        "*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$10\r\ncallmill-1\r\n"
                        "*1\r\n$4\r\nROLE\r\n*1\r\n$4\r\nPING\r\n");
    text.len = 0;
    options = plain();
    options.password_file = path;
    put_password("changed"); /* read anew, and no end of line is fine */
    assert_int_equal(cm_redis_setup_start(&setup, &options, &text), 3);
    assert_int_equal(strncmp(cm_text_cstr(&text), "*2\r\n$4\r\nAUTH\r\n$7\r\nchanged\r\n*", 28), 0);
}

static void needs_a_password_when_told_of_one(void **state)
{
    (void)state;
    struct cm_redis_options options = plain();
    options.password_file = path;
    static const char *const empty[] = {"", "\n", "\r\nsecret\n"};
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        put_password(empty[i]);
        assert_int_equal(cm_redis_setup_start(&setup, &options, &text), -CM_ERR_REDIS);
        assert_true(setup.refused_password);
        assert_non_null(strstr(setup.reason, "first line is empty"));
        assert_null(strstr(setup.reason, "secret"));
    }
    (void)unlink(path);
    assert_int_equal(cm_redis_setup_start(&setup, &options, &text), -CM_ERR_REDIS);
    assert_non_null(strstr(setup.reason, "No such file"));
    options.password_file = "/tmp";
    assert_int_equal(cm_redis_setup_start(&setup, &options, &text), -CM_ERR_REDIS);
    assert_non_null(strstr(setup.reason, "Is a directory"));
    assert_int_equal(text.len, 0);
}

/* Feeds the bytes of a server; the verdict on all of them. */
static enum cm_redis_verdict judge(const char *bytes)
{
    redisReader *reader = redisReaderCreate();
    assert_int_equal(redisReaderFeed(reader, bytes, strlen(bytes)), REDIS_OK);
    enum cm_redis_verdict verdict = CM_REDIS_MORE;
    for (;;) {
        void *reply = NULL;
        assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
        if (reply == NULL) {
            break;
        }
        assert_int_equal(verdict, CM_REDIS_MORE);
        verdict = cm_redis_setup_answer(&setup, reply);
        freeReplyObject(reply);
    }
    redisReaderFree(reader);
    return verdict;
}

#define MASTER "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"

static void judges_answers(void **state)
{
    (void)state;
    static const struct {
        const char *answers; /* to AUTH, SELECT, CLIENT SETNAME, ROLE, PING */
        enum cm_redis_verdict verdict;
        bool password;
        const char *reason;
    } cases[] = {
        {"+OK\r\n+OK\r\n+OK\r\n" MASTER "+PONG\r\n", CM_REDIS_FINE, false, ""},
        {"+OK\r\n+OK\r\n+OK\r\n" MASTER, CM_REDIS_MORE, false, ""},
        {"-WRONGPASS invalid\r\n-NOAUTH x\r\n-NOAUTH x\r\n-NOAUTH x\r\n-NOAUTH x\r\n",
         CM_REDIS_REFUSED, true, "AUTH: WRONGPASS invalid"},
        {"+OK\r\n-ERR DB index is out of range\r\n+OK\r\n" MASTER "+PONG\r\n", CM_REDIS_REFUSED,
         false, "SELECT: ERR DB index is out of range"},
        {"+OK\r\n+OK\r\n-NOPERM a\r\n-NOPERM b\r\n+PONG\r\n", CM_REDIS_FINE, false, "NOPERM b"},
        {"+OK\r\n+OK\r\n+OK\r\n" MASTER "-LOADING Redis is loading\r\n", CM_REDIS_REFUSED, false,
         "PING: LOADING Redis is loading"},
        {"+OK\r\n+OK\r\n+OK\r\n*1\r\n$5\r\nslave\r\n+PONG\r\n", CM_REDIS_REFUSED, false,
         "READONLY: this server is a replica; give the address of its primary"},
        {"+OK\r\n+OK\r\n+OK\r\n*1\r\n$8\r\nsentinel\r\n+PONG\r\n", CM_REDIS_REFUSED, false,
         "ROLE: this is a sentinel; give the address of a primary"},
        {"+OK\r\n+OK\r\n+OK\r\n*0\r\n+PONG\r\n", CM_REDIS_FINE, false, ""},
        {"-ERR max number of clients reached\r\n", CM_REDIS_MORE, false,
         "AUTH: ERR max number of clients reached"},
    };
    struct cm_redis_options options = plain();
    options.password_file = path;
    options.database = 1;
    options.client_name = "x";
    put_password("p\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(cm_redis_setup_start(&setup, &options, &text), 5);
        assert_int_equal(judge(cases[i].answers), cases[i].verdict);
        assert_int_equal(setup.refused_password, cases[i].password);
        assert_string_equal(setup.reason, cases[i].reason);
    }
}

static void notices_that_a_password_is_missing(void **state)
{
    (void)state;
    struct cm_redis_options options = plain();
    assert_int_equal(cm_redis_setup_start(&setup, &options, &text), 2);
    assert_int_equal(judge("-NOAUTH Authentication required.\r\n-NOAUTH Authentication "
                           "required.\r\n"),
                     CM_REDIS_REFUSED);
    assert_true(setup.refused_password);
    assert_string_equal(setup.reason, "PING: NOAUTH Authentication required.");
}

int main(void)
{
#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, make_file, teardown)
    const struct CMUnitTest tests[] = {
        WITH_FILE(says_no_more_than_needed),           WITH_FILE(says_everything),
        WITH_FILE(needs_a_password_when_told_of_one),  WITH_FILE(judges_answers),
        WITH_FILE(notices_that_a_password_is_missing),
    };
#undef WITH_FILE
    return cmocka_run_group_tests_name("redis_setup", tests, NULL, NULL);
}
