// SPDX-License-Identifier: Apache-2.0
#include "bench/plain_consumer.h"

#include "bench/bench.h"

rd_kafka_t *cm_bench_consumer(const char *brokers)
{
    const char *const settings[][2] = {
        {"bootstrap.servers", brokers},
        {"group.id", "callmill-bench"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "earliest"},
        {"isolation.level", "read_committed"},
        {"check.crcs", "true"},
        {"fetch.wait.max.ms", "20"},
        {"fetch.max.bytes", "4194304"},
        {"queued.min.messages", "1000000"},
        {"queued.max.messages.kbytes", "65536"},
        {"socket.nagle.disable", "true"},
    };
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < CM_ARRAY_LEN(settings); i++) {
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof(why)) !=
            RD_KAFKA_CONF_OK) {
            cm_bench_die("consumer: %s", why);
        }
    }
    rd_kafka_t *kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (kafka == NULL) {
        cm_bench_die("consumer: %s", why);
    }
    rd_kafka_poll_set_consumer(kafka);
    return kafka;
}

void cm_bench_assign(rd_kafka_t *kafka, const char *topic, int64_t offset)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(kafka, topic, NULL);
    if (rd_kafka_metadata(kafka, 0, handle, &metadata, 10000) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        metadata->topic_cnt != 1 || metadata->topics[0].partition_cnt < 1) {
        cm_bench_die("consumer: no metadata of %s", topic);
    }
    int count = metadata->topics[0].partition_cnt;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int i = 0; i < count; i++) {
        rd_kafka_topic_partition_list_add(list, topic, metadata->topics[0].partitions[i].id)
            ->offset = offset;
    }
    rd_kafka_resp_err_t error = rd_kafka_assign(kafka, list);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        cm_bench_die("consumer: %s", rd_kafka_err2str(error));
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
}
