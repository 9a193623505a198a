// SPDX-License-Identifier: Apache-2.0
/* client_conf.c — see client_conf.h. Event names: kafka.broker_down for trouble with a connection,
 * which librdkafka repairs on its own and which comes in floods; kafka.client for the rest of its
 * lines. Each name has its own limit in cm_log(), so a flood of the first does not hide the second.
 */
#include "kafka/client_conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/log.h"

static enum cm_log_level level_of(int syslog_level)
{
    if (syslog_level <= 3) {
        return CM_LOG_ERROR;
    }
    if (syslog_level == 4) {
        return CM_LOG_WARN;
    }
    return syslog_level <= 6 ? CM_LOG_INFO : CM_LOG_DEBUG;
}

/* Values of a log line stand in double quotes. */
static const char *unquote(const char *text, char *out, size_t out_bytes)
{
    (void)snprintf(out, out_bytes, "%s", text);
    for (char *p = out; *p != '\0'; p++) {
        if (*p == '"' || *p == '\n') {
            *p = *p == '"' ? '\'' : ' ';
        }
    }
    return out;
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    char out[512];

    (void)rk;
    /* ERROR and FAIL: connections. They come again until the broker is back, and none of them ends
     * us. */
    if (strcmp(facility, "FAIL") == 0 || strcmp(facility, "ERROR") == 0) {
        cm_log(CM_LOG_WARN, "kafka.broker_down", "text=\"%s\"", unquote(text, out, sizeof out));
        return;
    }
    /* CONFWARN: a property of the other side (consumer, producer); one map serves both. AUTOCREATE:
     * the mock broker speaks of itself. */
    if (strcmp(facility, "CONFWARN") == 0 || strcmp(facility, "AUTOCREATE") == 0) {
        level = 7;
    }
    cm_log(level_of(level), "kafka.client", "facility=%s text=\"%s\"", facility,
           unquote(text, out, sizeof out));
}

int32_t cm_client_number(const rd_kafka_conf_t *conf, const char *name)
{
    char text[32];
    size_t bytes = sizeof text;
    if (rd_kafka_conf_get(conf, name, text, &bytes) != RD_KAFKA_CONF_OK) {
        return 0;
    }
    return (int32_t)strtol(text, NULL, 10);
}

void cm_client_log_error(int code, const char *reason)
{
    rd_kafka_resp_err_t error = (rd_kafka_resp_err_t)code;
    char out[512];

    reason = unquote(reason, out, sizeof out);
    switch (error) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
        cm_log(CM_LOG_WARN, "kafka.broker_down", "error=%s text=\"%s\"", rd_kafka_err2name(error),
               reason);
        break;
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        cm_log(CM_LOG_ERROR, "kafka.all_brokers_down", "text=\"%s\"", reason);
        break;
    default:
        cm_log(CM_LOG_ERROR, "kafka.error", "error=%s text=\"%s\"", rd_kafka_err2name(error),
               reason);
        break;
    }
}

static int set_ours(rd_kafka_conf_t *conf, const struct cm_client_setting *settings, uint32_t count)
{
    char why[256];

    for (uint32_t i = 0; i < count; i++) {
        if (settings[i].value == NULL) {
            continue;
        }
        if (rd_kafka_conf_set(conf, settings[i].name, settings[i].value, why, sizeof why) !=
            RD_KAFKA_CONF_OK) {
            return cm_fail(CM_ERR_CONFIG, "Kafka client: %s", why);
        }
    }
    return 0;
}

static int set_property(rd_kafka_conf_t *conf, const struct cm_property *property)
{
    char why[256];
    rd_kafka_conf_res_t result =
        rd_kafka_conf_set(conf, property->name, property->value, why, sizeof why);

    if (result == RD_KAFKA_CONF_OK) {
        return 0;
    }
    if (property->secret) { /* librdkafka's text may repeat the value */
        return cm_fail(CM_ERR_CONFIG, "Kafka property %s: librdkafka refuses its value",
                       property->name);
    }
    return cm_fail(CM_ERR_CONFIG, "Kafka property %s: %s", property->name, why);
}

static bool is_ours(const char *name, const struct cm_client_setting *owned, uint32_t owned_count,
                    const char *const *reserved)
{
    for (uint32_t i = 0; i < owned_count; i++) {
        if (strcmp(name, owned[i].name) == 0) {
            return true;
        }
    }
    for (; reserved != NULL && *reserved != NULL; reserved++) {
        if (strcmp(name, *reserved) == 0) {
            return true;
        }
    }
    return false;
}

int cm_client_conf(const struct cm_client_setting *defaults, uint32_t defaults_count,
                   const struct cm_client_setting *owned, uint32_t owned_count,
                   const char *const *reserved, const struct cm_properties *properties,
                   rd_kafka_conf_t **out)
{
    uint32_t count = properties == NULL ? 0 : properties->count;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    int rc = set_ours(conf, defaults, defaults_count);

    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        const struct cm_property *property = &properties->at[i];
        if (is_ours(property->name, owned, owned_count, reserved)) {
            rc = cm_fail(CM_ERR_CONFIG, "Kafka property %s: callmill sets it itself",
                         property->name);
        } else {
            rc = set_property(conf, property);
        }
    }
    if (rc == 0) {
        rc = set_ours(conf, owned, owned_count);
    }
    if (rc != 0) {
        rd_kafka_conf_destroy(conf);
        return rc;
    }
    rd_kafka_conf_set_log_cb(conf, on_log);
    *out = conf;
    return 0;
}
