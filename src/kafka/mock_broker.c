// SPDX-License-Identifier: Apache-2.0
/* mock_broker.c — one mock broker inside a librdkafka handle that does nothing else. Its answers
 * come from a thread of librdkafka's own; it writes nothing to disk. Cost: idle, a few wake-ups a
 * second. */
#include "kafka/mock_broker.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/memory.h"
#include "kafka/client_conf.h"

struct cm_mock_broker {
    rd_kafka_t *rk; /* the cluster's keeper; never connects */
    rd_kafka_mock_cluster_t *cluster;
    char *address;
};

int cm_mock_broker_topic(struct cm_mock_broker *mock, const char *topic, int32_t partitions)
{
    rd_kafka_resp_err_t error = rd_kafka_mock_topic_create(mock->cluster, topic, partitions, 1);

    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return cm_fail(CM_ERR_KAFKA, "mock broker: topic %s with %d partitions: %s", topic,
                       (int)partitions, rd_kafka_err2str(error));
    }
    return 0;
}

int cm_mock_broker_open(const char *topic, int32_t partitions, struct cm_mock_broker **out)
{
    static const struct cm_client_setting settings[] = {{"client.id", "callmill-mock"}};
    char why[256];
    rd_kafka_conf_t *conf = NULL;
    int rc = cm_client_conf(settings, CM_ARRAY_LEN(settings), NULL, 0, NULL, NULL, &conf);
    if (rc != 0) {
        return rc;
    }

    struct cm_mock_broker *mock = cm_alloc(1, sizeof *mock);
    mock->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (mock->rk == NULL) {
        rd_kafka_conf_destroy(conf);
        free(mock);
        return cm_fail(CM_ERR_KAFKA, "mock broker: %s", why);
    }
    mock->cluster = rd_kafka_mock_cluster_new(mock->rk, 1);
    if (mock->cluster == NULL) {
        rd_kafka_destroy(mock->rk);
        free(mock);
        return cm_fail(CM_ERR_KAFKA, "mock broker: no port to listen on");
    }
    mock->address = cm_strdup(rd_kafka_mock_cluster_bootstraps(mock->cluster));
    rc = cm_mock_broker_topic(mock, topic, partitions);
    if (rc != 0) {
        cm_mock_broker_close(mock);
        return rc;
    }
    *out = mock;
    return 0;
}

const char *cm_mock_broker_address(const struct cm_mock_broker *mock)
{
    return mock->address;
}

void cm_mock_broker_set_up(struct cm_mock_broker *mock, bool up)
{
    rd_kafka_resp_err_t error = up ? rd_kafka_mock_broker_set_up(mock->cluster, -1)
                                   : rd_kafka_mock_broker_set_down(mock->cluster, -1);
    CM_ASSERT(error == RD_KAFKA_RESP_ERR_NO_ERROR);
}

void cm_mock_broker_fail_requests(struct cm_mock_broker *mock, int16_t api_key, int error,
                                  uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        rd_kafka_mock_push_request_errors(mock->cluster, api_key, 1, (rd_kafka_resp_err_t)error);
    }
}

void cm_mock_broker_close(struct cm_mock_broker *mock)
{
    if (mock == NULL) {
        return;
    }
    rd_kafka_mock_cluster_destroy(mock->cluster);
    rd_kafka_destroy(mock->rk);
    free(mock->address);
    free(mock);
}
