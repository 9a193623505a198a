// SPDX-License-Identifier: Apache-2.0
#include "kafka/client_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/fail.h"

static const struct cm_client_setting defaults[] = {
    {"client.id", "default"}, {"linger.ms", "7"}, {"sasl.username", NULL}};
static const struct cm_client_setting owned[] = {{"enable.idempotence", "true"}};
static const char *const reserved[] = {"transactional.id", NULL};

static int make(struct cm_property *properties, uint32_t count, rd_kafka_conf_t **conf)
{
    struct cm_properties all = {properties, count};
    return cm_client_conf(defaults, CM_ARRAY_LEN(defaults), owned, CM_ARRAY_LEN(owned), reserved,
                          &all, conf);
}

static void assert_setting(const rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char got[64];
    size_t bytes = sizeof got;
    assert_int_equal(rd_kafka_conf_get(conf, name, got, &bytes), RD_KAFKA_CONF_OK);
    assert_string_equal(got, value);
}

static void later_layers_win(void **state)
{
    (void)state;
    rd_kafka_conf_t *conf = NULL;
    struct cm_property properties[] = {
        {"linger.ms", "1", false}, {"linger.ms", "9", false}, {"sasl.password", "p", true}};
    assert_int_equal(make(properties, 3, &conf), 0);
    assert_setting(conf, "client.id", "default");
    assert_setting(conf, "linger.ms", "9");
    assert_setting(conf, "sasl.password", "p");
    assert_setting(conf, "enable.idempotence", "true");
    rd_kafka_conf_destroy(conf);
    assert_int_equal(cm_client_conf(defaults, CM_ARRAY_LEN(defaults), NULL, 0, NULL, NULL, &conf),
                     0);
    assert_setting(conf, "linger.ms", "7");
    rd_kafka_conf_destroy(conf);
}

static void ours_are_refused(void **state)
{
    (void)state;
    rd_kafka_conf_t *conf = NULL;
    struct cm_property property = {"enable.idempotence", "true", false};
    assert_int_equal(make(&property, 1, &conf), -CM_ERR_CONFIG);
    assert_non_null(strstr(cm_fail_text(), "enable.idempotence"));
    property = (struct cm_property){"transactional.id", "t", false};
    assert_int_equal(make(&property, 1, &conf), -CM_ERR_CONFIG);
    assert_non_null(strstr(cm_fail_text(), "transactional.id"));
    assert_null(conf);
}

static void secrets_stay_secret(void **state)
{
    (void)state;
    rd_kafka_conf_t *conf = NULL;
    struct cm_property property = {"security.protocol", "hunter2", false};
    assert_int_equal(make(&property, 1, &conf), -CM_ERR_CONFIG);
    assert_non_null(strstr(cm_fail_text(), "hunter2")); /* helps, where it is no secret */
    property.secret = true;
    assert_int_equal(make(&property, 1, &conf), -CM_ERR_CONFIG);
    assert_null(strstr(cm_fail_text(), "hunter2"));
    assert_non_null(strstr(cm_fail_text(), "security.protocol"));
}

static void our_own_mistakes_are_said(void **state)
{
    (void)state;
    rd_kafka_conf_t *conf = NULL;
    const struct cm_client_setting bad = {"compression.codec", "rar"};
    assert_int_equal(cm_client_conf(&bad, 1, NULL, 0, NULL, NULL, &conf), -CM_ERR_CONFIG);
    assert_non_null(strstr(cm_fail_text(), "rar"));
    assert_null(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(later_layers_win),
        cmocka_unit_test(ours_are_refused),
        cmocka_unit_test(secrets_stay_secret),
        cmocka_unit_test(our_own_mistakes_are_said),
    };
    return cmocka_run_group_tests_name("client_conf", tests, NULL, NULL);
}
