// SPDX-License-Identifier: Apache-2.0
/* sasl_login_test.c — which settings are the own plane's, and a login for librdkafka at brokers
 * that let us in, refuse, say nothing, or rubbish. The broker turns in a thread of its own. */
#include "kafka/sasl_login.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fail.h"
#include "kafka/plane.h"
#include "support/fake_broker.h"

/* ---- settings */

static rd_kafka_conf_t *conf_of(const char *const *settings)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (; *settings != NULL; settings += 2) {
        if (rd_kafka_conf_set(conf, settings[0], settings[1], why, sizeof why) !=
            RD_KAFKA_CONF_OK) {
            fail_msg("%s", why);
        }
    }
    return conf;
}

#define SETTINGS(...)                                                                              \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static const struct {
    const char *protocol, *mechanism, *username, *password;
    enum cm_sasl_mechanism want;
    const char *obstacle; /* NULL: the own plane's */
} rows[] = {
    {"plaintext", "PLAIN", "me", "secret", CM_SASL_NONE, NULL},
    {"sasl_plaintext", "PLAIN", "me",
     "s\xc3\xa9"
     "cret",
     CM_SASL_PLAIN, NULL},
    {"SASL_PLAINTEXT", "SCRAM-SHA-256", "me", "secret", CM_SASL_SCRAM_SHA_256, NULL},
    {"sasl_plaintext", "SCRAM-SHA-512", "me", "secret", CM_SASL_SCRAM_SHA_512, NULL},
    {"sasl_plaintext", "SCRAM-SHA-512", "me",
     "s\xc3\xa9"
     "cret",
     CM_SASL_NONE, "printable ASCII"},
    {"sasl_plaintext", "SCRAM-SHA-512", "m\xc3\xa9", "secret", CM_SASL_NONE, "printable ASCII"},
    {"sasl_plaintext", "SCRAM-SHA-512", "", "secret", CM_SASL_NONE, "empty"},
    {"sasl_plaintext", "PLAIN", "me", "", CM_SASL_NONE, "empty"},
    {"sasl_plaintext", "GSSAPI", "me", "secret", CM_SASL_NONE, "the mechanism is not"},
    {"sasl_plaintext", "OAUTHBEARER", "me", "secret", CM_SASL_NONE, "the mechanism is not"},
    {"sasl_ssl", "PLAIN", "me", "secret", CM_SASL_NONE, "security.protocol"},
    {"ssl", "PLAIN", "me", "secret", CM_SASL_NONE, "security.protocol"},
};

static void settings_say_whose_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < CM_ARRAY_LEN(rows); i++) {
        struct cm_sasl_terms terms;
        rd_kafka_conf_t *conf = conf_of(
            SETTINGS("security.protocol", rows[i].protocol, "sasl.mechanism", rows[i].mechanism,
                     "sasl.username", rows[i].username, "sasl.password", rows[i].password));
        const char *obstacle = cm_sasl_take_terms(conf, &terms);
        assert_int_equal(terms.mechanism, rows[i].want);
        assert_int_equal(obstacle == NULL, rows[i].obstacle == NULL);
        if (obstacle != NULL && rows[i].obstacle != NULL) {
            assert_non_null(strstr(obstacle, rows[i].obstacle));
        }
        if (terms.mechanism != CM_SASL_NONE) {
            assert_string_equal(terms.username, rows[i].username);
            assert_string_equal(terms.password, rows[i].password);
        } else {
            assert_null(terms.password);
        }
        bool scram = terms.mechanism > CM_SASL_PLAIN;
        bool over = cm_sasl_take_over(conf, &terms);
        assert_int_equal(over, scram && rd_kafka_version() < 0x02060100);
        char protocol[32];
        size_t bytes = sizeof protocol;
        assert_int_equal(rd_kafka_conf_get(conf, "security.protocol", protocol, &bytes),
                         RD_KAFKA_CONF_OK);
        assert_true(!over || strcmp(protocol, "plaintext") == 0);
        cm_sasl_terms_free(&terms);
        rd_kafka_conf_destroy(conf);
    }
}

static void the_plane_follows(void **state)
{
    (void)state;
    static const int planes[] = {CM_PLANE_AUTO, CM_PLANE_IO_URING, CM_PLANE_EPOLL,
                                 CM_PLANE_LIBRDKAFKA};
    for (size_t i = 0; i < CM_ARRAY_LEN(rows); i++) {
        rd_kafka_conf_t *conf =
            conf_of(SETTINGS("security.protocol", rows[i].protocol, "sasl.mechanism",
                             rows[i].mechanism, "sasl.username", rows[i].username, "sasl.password",
                             rows[i].password, "client.rack", "east"));
        for (size_t p = 0; p < CM_ARRAY_LEN(planes); p++) {
            struct cm_config config = {.topic = "calls"};
            struct cm_data_plane plane = {0};
            config.plane = planes[p];
            bool forced = planes[p] == CM_PLANE_IO_URING || planes[p] == CM_PLANE_EPOLL;
            bool ours = rows[i].obstacle == NULL;
            int rc = cm_plane_choose(&plane, &config, conf);
            assert_int_equal(rc, forced && !ours ? -CM_ERR_CONFIG : 0);
            assert_null(strstr(rc == 0 ? plane.why : cm_fail_text(), "cret"));
            assert_int_equal(plane.native, ours && planes[p] != CM_PLANE_LIBRDKAFKA);
            if (plane.native) {
                assert_ptr_equal(plane.terms.sasl,
                                 rows[i].want == CM_SASL_NONE ? NULL : &plane.sasl);
                assert_string_equal(plane.terms.rack, "east");
            }
            cm_plane_free(&plane);
            assert_null(plane.sasl.password);
        }
        rd_kafka_conf_destroy(conf);
    }
}

/* ---- logins */

static struct fake_broker broker;
static atomic_bool ended;
static pthread_t thread;
static bool refuses, hangs_up;

static void serve(struct fake_broker *from, const struct fake_request *request, struct cm_text *out)
{
    if (hangs_up) {
        fake_broker_hang_up(from);
        return;
    }
    fake_put(out, refuses && request->key == FAKE_AUTHENTICATE ? 58 : 0, 2);
    if (request->key == FAKE_HANDSHAKE) {
        fake_put(out, 0, 4);
        return;
    }
    fake_put(out, -1, 2);
    fake_put(out, 0, 4);
    fake_put(out, 0, 8);
}

static void *turn(void *unused)
{
    (void)unused;
    while (!atomic_load(&ended)) {
        fake_broker_turn(&broker);
        (void)usleep(500);
    }
    return NULL;
}

static int setup(void **state)
{
    (void)state;
    refuses = hangs_up = false;
    fake_broker_open(&broker, 0);
    broker.serve = serve;
    atomic_store(&ended, false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    atomic_store(&ended, true);
    (void)pthread_join(thread, NULL);
    fake_broker_close(&broker);
    return 0;
}

static int login(void)
{
    static char user[] = "me";
    static char password[] = "secret";
    const struct cm_sasl_terms terms = {CM_SASL_PLAIN, user, password};
    struct cm_broker_address address;
    fake_broker_address(&broker, &address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    int rc = cm_sasl_login(fd, (const struct sockaddr *)&address.address, address.len, address.name,
                           &terms);
    (void)close(fd);
    return rc;
}

static void run_broker(void)
{
    assert_int_equal(pthread_create(&thread, NULL, turn, NULL), 0);
}

static void it_is_let_in(void **state)
{
    (void)state;
    run_broker();
    assert_int_equal(login(), 0);
}

static void it_is_refused(void **state)
{
    (void)state;
    refuses = true;
    run_broker();
    assert_int_equal(login(), EACCES);
}

static void a_broker_that_hangs_up_is_an_error(void **state)
{
    (void)state;
    hangs_up = true;
    run_broker();
    assert_int_equal(login(), ECONNRESET);
}

/* It accepts (the kernel does), and answers nothing: the wait has an end. */
static void a_silent_broker_is_not_waited_for_long(void **state)
{
    (void)state;
    assert_int_equal(login(), ETIMEDOUT);
    run_broker();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_say_whose_it_is),
        cmocka_unit_test(the_plane_follows),
        cmocka_unit_test_setup_teardown(it_is_let_in, setup, teardown),
        cmocka_unit_test_setup_teardown(it_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broker_that_hangs_up_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(a_silent_broker_is_not_waited_for_long, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
