// SPDX-License-Identifier: Apache-2.0
/* metrics_test.c — the page, the reference and the server. */
#include "publish/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fail.h"

static void the_page(void **state)
{
    (void)state;
    struct cm_counters counters = {0};
    cm_counter_add(&counters.records_total, 40);
    cm_counter_add(&counters.records_total, 2);
    cm_counter_set(&counters.lag_records, UINT64_MAX);
    cm_counter_set(&counters.dead_letters_total[CM_REASON_LATE], 7);
    struct cm_text page = {0};
    cm_counters_write(&page, &counters);
    const char *text = cm_text_cstr(&page);
    assert_non_null(strstr(text, "# HELP callmill_records_total Records read"));
    assert_non_null(strstr(text, "\n# TYPE callmill_records_total counter\n"
                                 "callmill_records_total 42\n"));
    assert_non_null(strstr(text, "\n# TYPE callmill_lag_records gauge\n"
                                 "callmill_lag_records 18446744073709551615\n"));
    assert_non_null(strstr(text, "\ncallmill_dead_letters_total{reason=\"late\"} 7\n"));
    assert_non_null(strstr(text, "\ncallmill_dead_letters_total{reason=\"malformed\"} 0\n"));
    assert_null(strstr(text, "reason=\"none\""));
    assert_int_equal(text[page.len - 1], '\n');
    cm_text_free(&page);
}

/* The names of the Prometheus format: a counter ends in _total, nothing else does; each once. */
static void names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *type;
    } rows[] = {
#define X(name, type, unit, help, advice) {#name, #type},
        CM_COUNTERS(X) CM_COUNTERS_BY_REASON(X)
#undef X
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].name);
        bool total = len > 6 && strcmp(rows[i].name + len - 6, "_total") == 0;
        assert_int_equal(total, strcmp(rows[i].type, "COUNTER") == 0);
        assert_int_equal(strspn(rows[i].name, "abcdefghijklmnopqrstuvwxyz_"), len);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(rows[i].name, rows[k].name);
        }
    }
}

static void the_reference(void **state)
{
    (void)state;
    struct cm_text page = {0};
    cm_counters_reference(&page);
    const char *text = cm_text_cstr(&page);
#define X(name, type, unit, help, advice) assert_non_null(strstr(text, "| `callmill_" #name));
    CM_COUNTERS(X)
    CM_COUNTERS_BY_REASON(X)
#undef X
    assert_non_null(strstr(text, "| `late` | "));
    cm_text_free(&page);
}

static void fetch(uint16_t port, const char *request, char *answer, size_t size)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(send(fd, request, strlen(request), 0), (ssize_t)strlen(request));
    size_t len = 0;
    for (ssize_t got = 1; got > 0 && len < size - 1; len += (size_t)got) {
        got = recv(fd, answer + len, size - 1 - len, 0);
        assert_true(got >= 0);
    }
    answer[len] = '\0';
    assert_int_equal(close(fd), 0);
}

static void the_server(void **state)
{
    (void)state;
    static char answer[65536];
    struct cm_counters counters = {0};
    struct cm_metrics *metrics = cm_metrics_start("127.0.0.1:0", &counters);
    if (metrics == NULL) {
        fail_msg("%s", cm_fail_text());
    }
    uint16_t port = cm_metrics_port(metrics);
    assert_true(port > 0);
    cm_counter_set(&counters.ticks_total, 11);
    fetch(port, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", answer,
          sizeof(answer));
    assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
    assert_non_null(strstr(answer, "Content-Type: text/plain; version=0.0.4"));
    assert_non_null(strstr(answer, "\ncallmill_ticks_total 11\n"));
    cm_counter_set(&counters.ticks_total, 12);
    fetch(port, "GET /metrics?x=y HTTP/1.0\r\n\r\n", answer, sizeof(answer));
    assert_non_null(strstr(answer, "\ncallmill_ticks_total 12\n"));
    fetch(port, "HEAD /metrics HTTP/1.0\r\n\r\n", answer, sizeof(answer));
    assert_non_null(strstr(answer, " 200 "));
    assert_null(strstr(answer, "callmill_ticks_total"));
    fetch(port, "GET / HTTP/1.0\r\n\r\n", answer, sizeof(answer));
    assert_non_null(strstr(answer, " 404 "));
    fetch(port, "POST /metrics HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", answer, sizeof(answer));
    assert_non_null(strstr(answer, " 405 "));

    char taken[32];
    (void)snprintf(taken, sizeof(taken), "127.0.0.1:%u", (unsigned)port);
    assert_null(cm_metrics_start(taken, &counters));
    assert_non_null(strstr(cm_fail_text(), "cannot listen"));
    cm_metrics_stop(metrics);
    metrics = cm_metrics_start(taken, &counters); /* free again at once */
    assert_non_null(metrics);
    cm_metrics_stop(metrics);
    cm_metrics_stop(NULL);
}

static void wrong_addresses(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "9464",
                                        ":9464",
                                        "127.0.0.1",
                                        "127.0.0.1:",
                                        "127.0.0.1:x",
                                        "::1:9464",
                                        "127.0.0.1:65536",
                                        "127.0.0.1:-1"};
    struct cm_counters counters = {0};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_null(cm_metrics_start(wrong[i], &counters));
        assert_non_null(strstr(cm_fail_text(), "metrics.listen: "));
    }
    assert_null(cm_metrics_start("203.0.113.1:0", &counters)); /* nobody's address here */
    assert_non_null(strstr(cm_fail_text(), "cannot listen"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page),        cmocka_unit_test(names),
        cmocka_unit_test(the_reference),   cmocka_unit_test(the_server),
        cmocka_unit_test(wrong_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
