// SPDX-License-Identifier: Apache-2.0
/* log_test.c — what a line looks like, that it stays whole between threads, and the limit on
 * repeats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static int saved_stderr = -1;
static FILE *captured;

static void capture_begin(void)
{
    fflush(stderr);
    captured = tmpfile();
    saved_stderr = dup(STDERR_FILENO);
    dup2(fileno(captured), STDERR_FILENO);
}

/* What went to standard error since capture_begin(); to be freed. */
static char *capture_end(void)
{
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    fseek(captured, 0, SEEK_END);
    long len = ftell(captured);
    rewind(captured);
    char *text = calloc((size_t)len + 1, 1);
    size_t got = fread(text, 1, (size_t)len, captured);
    text[got] = '\0';
    fclose(captured);
    return text;
}

static void test_a_line(void **state)
{
    (void)state;
    capture_begin();
    errno = ENOENT;
    cm_log(CM_LOG_WARN, "test.line", "peer=\"%s\" next_ms=%d", "a b", 400);
    int error = errno;
    char *text = capture_end();
    assert_int_equal(error, ENOENT);
    static const char shape[] = "ts=dddd-dd-ddTdd:dd:dd.dddZ";
    for (size_t i = 0; i < sizeof shape - 1; i++) {
        assert_true(shape[i] == 'd' ? isdigit((unsigned char)text[i]) != 0 : text[i] == shape[i]);
    }
    assert_string_equal(text + sizeof shape - 1,
                        " level=warn event=test.line peer=\"a b\" next_ms=400\n");
    free(text);
}

static void test_levels(void **state)
{
    (void)state;
    const char *none = "";
    capture_begin();
    cm_log(CM_LOG_DEBUG, "level.debug", "hidden=1");
    cm_log(CM_LOG_INFO, "level.info", "%s", none);
    cm_log_set_level(CM_LOG_DEBUG);
    cm_log(CM_LOG_DEBUG, "level.debug", "shown=1");
    cm_log_set_level(CM_LOG_ERROR);
    cm_log(CM_LOG_WARN, "level.warn", "hidden=2");
    cm_log(CM_LOG_ERROR, "level.error", "shown=2");
    cm_log_set_level(CM_LOG_INFO);
    char *text = capture_end();
    assert_null(strstr(text, "hidden"));
    assert_non_null(strstr(text, "level=info event=level.info"));
    assert_non_null(strstr(text, "level=debug event=level.debug shown=1\n"));
    assert_non_null(strstr(text, "level=error event=level.error shown=2\n"));
    free(text);
}

static void test_one_event_is_one_line_of_bounded_length(void **state)
{
    (void)state;
    static char big[20000];
    memset(big, 'x', sizeof big - 1);
    capture_begin();
    cm_log(CM_LOG_INFO, "line.breaks", "text=\"a\nb\tc\rd\033[1m\"");
    cm_log(CM_LOG_INFO, "line.long", "text=%s", big);
    cm_log(CM_LOG_INFO, big, "text=%s", "none");
    char *text = capture_end();
    assert_non_null(strstr(text, "text=\"a b c d [1m\"\n"));
    size_t lines = 0;
    for (char *line = text; *line != '\0'; lines++) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        assert_true(end - line < 8192);
        line = end + 1;
    }
    assert_int_equal(lines, 3);
    assert_true(strlen(text) > 16000);
    free(text);
}

static void test_repeats_are_counted(void **state)
{
    (void)state;
    const int64_t start_ns = 1000 * CM_NS_PER_S;
    uint32_t suppressed = 99;
    for (int i = 0; i < 20; i++) {
        assert_true(cm_log_admit("repeat.a", start_ns + i, &suppressed));
        assert_int_equal(suppressed, 0);
    }
    for (int i = 0; i < 41; i++) {
        assert_false(cm_log_admit("repeat.a", start_ns + CM_NS_PER_S + i, &suppressed));
        assert_int_equal(suppressed, 0);
    }
    assert_true(cm_log_admit("repeat.b", start_ns + CM_NS_PER_S, &suppressed));
    assert_int_equal(suppressed, 0);
    assert_false(cm_log_admit("repeat.a", start_ns + 10 * CM_NS_PER_S - 1, &suppressed));
    assert_true(cm_log_admit("repeat.a", start_ns + 10 * CM_NS_PER_S, &suppressed));
    assert_int_equal(suppressed, 42);
    assert_true(cm_log_admit("repeat.a", start_ns + 10 * CM_NS_PER_S, &suppressed));
    assert_int_equal(suppressed, 0);
}

static void test_many_names_do_not_fill_the_table_for_good(void **state)
{
    (void)state;
    uint32_t suppressed;
    for (int i = 0; i < 500; i++) {
        char name[80];
        snprintf(name, sizeof name, "many.%d", i);
        assert_true(cm_log_admit(name, (2000 + i) * CM_NS_PER_S, &suppressed));
    }
    /* The newest are still known. */
    for (int i = 0; i < 19; i++) {
        assert_true(cm_log_admit("many.499", 2499 * CM_NS_PER_S, &suppressed));
    }
    assert_false(cm_log_admit("many.499", 2499 * CM_NS_PER_S, &suppressed));
}

static void *write_lines(void *arg)
{
    const char *name = arg;
    for (int i = 0; i < 20; i++) {
        cm_log(CM_LOG_INFO, name, "i=%d pad=%0100d end=%s", i, 0, name);
    }
    return NULL;
}

static void test_lines_of_threads_do_not_mix(void **state)
{
    (void)state;
    static char names[4][16] = {"thread.one", "thread.two", "thread.three", "thread.four"};
    pthread_t threads[4];
    capture_begin();
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, write_lines, names[i]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    char *text = capture_end();
    size_t lines = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char event[16];
        char last[16];
        int got = sscanf(line, "ts=%*s level=info event=%15s i=%*d pad=%*s end=%15s", event, last);
        assert_int_equal(got, 2);
        assert_string_equal(event, last);
        lines++;
    }
    assert_int_equal(lines, 80);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_one_event_is_one_line_of_bounded_length),
        cmocka_unit_test(test_repeats_are_counted),
        cmocka_unit_test(test_many_names_do_not_fill_the_table_for_good),
        cmocka_unit_test(test_lines_of_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
