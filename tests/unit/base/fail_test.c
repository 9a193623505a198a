// SPDX-License-Identifier: Apache-2.0
/* fail_test.c — error texts are a thread's own and may be long; codes have names and exit statuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fail.h"

static void test_code_is_negative_and_text_is_kept(void **state)
{
    (void)state;
    assert_int_equal(cm_fail(CM_ERR_IO, "cannot open %s: %d", "a b", 7), -CM_ERR_IO);
    assert_string_equal(cm_fail_text(), "cannot open a b: 7");
    assert_int_equal(cm_fail(CM_ERR_REDIS, "%s", ""), -CM_ERR_REDIS);
    assert_string_equal(cm_fail_text(), "");
}

static void test_the_last_text_may_be_an_argument(void **state)
{
    (void)state;
    cm_fail(CM_ERR_IO, "no such file");
    cm_fail(CM_ERR_CONFIG, "roster.csv: %s (%s)", cm_fail_text(), cm_fail_text());
    assert_string_equal(cm_fail_text(), "roster.csv: no such file (no such file)");
}

static void test_long_texts_are_whole_up_to_64_kib(void **state)
{
    (void)state;
    static char text[80000];
    memset(text, 'x', sizeof text);
    text[60000] = '\0';
    cm_fail(CM_ERR_CONFIG, "%s", text);
    assert_string_equal(cm_fail_text(), text);
    text[60000] = 'x';
    text[79999] = '\0';
    cm_fail(CM_ERR_CONFIG, "%s", text);
    assert_int_equal(strlen(cm_fail_text()), 65535);
    assert_string_equal(cm_fail_text() + 65531, "x...");
}

static void *other_thread(void *arg)
{
    int *bad = arg;
    *bad += strcmp(cm_fail_text(), "") != 0;
    cm_fail(CM_ERR_KAFKA, "of the other");
    *bad += strcmp(cm_fail_text(), "of the other") != 0;
    return NULL;
}

static void test_the_text_belongs_to_its_thread(void **state)
{
    (void)state;
    pthread_t thread;
    int bad = 0;
    cm_fail(CM_ERR_IO, "mine");
    assert_int_equal(pthread_create(&thread, NULL, other_thread, &bad), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(bad, 0);
    assert_string_equal(cm_fail_text(), "mine");
}

static void test_names_and_summaries(void **state)
{
    (void)state;
    assert_string_equal(cm_error_name(CM_ERR_USAGE), "USAGE");
    assert_string_equal(cm_error_name(-CM_ERR_URING), "URING");
    assert_string_equal(cm_error_summary(-CM_ERR_ZONE), "unknown or unreadable time zone");
    assert_string_equal(cm_error_name(0), "?");
    assert_string_equal(cm_error_name(99), "?");
    assert_string_equal(cm_error_summary(-99), "?");
}

static void test_exit_status(void **state)
{
    (void)state;
    assert_int_equal(cm_exit_status(0), 0);
    const int user_mistakes[] = {CM_ERR_USAGE, CM_ERR_CONFIG, CM_ERR_ROSTER, CM_ERR_ZONE};
    for (size_t i = 0; i < CM_ARRAY_LEN(user_mistakes); i++) {
        assert_int_equal(cm_exit_status(-user_mistakes[i]), 2);
    }
    const int failures[] = {CM_ERR_IO,    CM_ERR_MEMORY, CM_ERR_KAFKA,
                            CM_ERR_REDIS, CM_ERR_INPUT,  CM_ERR_URING};
    for (size_t i = 0; i < CM_ARRAY_LEN(failures); i++) {
        assert_int_equal(cm_exit_status(-failures[i]), 1);
    }
    assert_int_equal(cm_exit_status(-1000), 1);
}

static void test_a_bug_aborts_and_says_where(void **state)
{
    (void)state;
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL); /* cmocka's handler is not for this process */
        dup2(pipe_fds[1], STDERR_FILENO);
        int one = 1;
        CM_ASSERT(one == 1);
        CM_ASSERT(one == 2);
        _exit(0);
    }
    close(pipe_fds[1]);
    char said[512] = "";
    size_t len = 0;
    ssize_t n;
    while ((n = read(pipe_fds[0], said + len, sizeof said - 1 - len)) > 0) {
        len += (size_t)n;
    }
    close(pipe_fds[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(said, "one == 2"));
    assert_non_null(strstr(said, "fail_test.c:"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_code_is_negative_and_text_is_kept),
        cmocka_unit_test(test_the_last_text_may_be_an_argument),
        cmocka_unit_test(test_long_texts_are_whole_up_to_64_kib),
        cmocka_unit_test(test_the_text_belongs_to_its_thread),
        cmocka_unit_test(test_names_and_summaries),
        cmocka_unit_test(test_exit_status),
        cmocka_unit_test(test_a_bug_aborts_and_says_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
