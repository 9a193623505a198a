// SPDX-License-Identifier: Apache-2.0
/* producer.c — librdkafka's idempotent producer behind three calls: try_send, poll, flush.
 *
 *   try_send ──► librdkafka's queue (200,000 records, 64 MiB) ──► batches of up to 5 ms ──► broker
 *   poll     ◄── delivery reports: delivered and failed are counted, failures are logged
 *
 * Topic handles are kept: looking one up by name for every record costs more than producing it.
 * OWNERSHIP Everything belongs to the producer; bytes given to try_send are copied.
 */
#include "kafka/producer.h"

#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "kafka/client_conf.h"
#include "kafka/sasl_login.h"

#define TOPICS_MAX     16
#define CLOSE_FLUSH_MS 1000
#define ADMIN_MS       10000

struct topic_handle {
    char *name;
    rd_kafka_topic_t *rkt;
};

struct cm_producer {
    rd_kafka_t *rk;
    struct topic_handle
        topics[TOPICS_MAX]; /* the last one stands for "any other" when all are taken */
    uint32_t topics_count;
    uint64_t delivered;
    uint64_t failed;
    uint64_t failed_before_flush;
    struct cm_sasl_terms sasl; /* for on_connect() */
};

static void count_failure(struct cm_producer *producer, rd_kafka_resp_err_t error,
                          const char *topic)
{
    producer->failed++;
    cm_log(CM_LOG_ERROR, "kafka.not_delivered", "topic=%s error=%s failed=%llu", topic,
           rd_kafka_err2name(error), (unsigned long long)producer->failed);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct cm_producer *producer = opaque;

    (void)rk;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        producer->delivered++;
    } else {
        count_failure(producer, message->err, rd_kafka_topic_name(message->rkt));
    }
}

static void on_error(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
    (void)rk;
    (void)opaque;
    cm_client_log_error(error, reason);
}

static int on_connect(int fd, const struct sockaddr *address, int len, const char *broker,
                      void *opaque)
{
    const struct cm_producer *producer = opaque;
    return cm_sasl_login(fd, address, (socklen_t)len, broker, &producer->sasl);
}

int cm_producer_open(const char *brokers, const struct cm_properties *properties, const char *codec,
                     struct cm_producer **out)
{
    const struct cm_client_setting defaults[] = {
        {"client.id", "callmill"},
        {"linger.ms", "5"},
        {"partitioner", "murmur2_random"},
        {"queue.buffering.max.messages", "200000"},
        {"queue.buffering.max.kbytes", "65536"},
        {"reconnect.backoff.max.ms", "2000"},
        {"socket.keepalive.enable", "true"},
        {"log.connection.close", "false"},
    };
    const struct cm_client_setting owned[] = {
        {"bootstrap.servers", brokers},
        {"enable.idempotence", "true"},
        {"compression.codec", codec},
    };
    static const char *const reserved[] = {"metadata.broker.list", "compression.type",
                                           "transactional.id", "log.queue", NULL};
    char why[256];
    rd_kafka_conf_t *conf = NULL;

    if (brokers == NULL || brokers[0] == '\0') {
        return cm_fail(CM_ERR_CONFIG, "Kafka producer: no brokers are configured");
    }
    int rc = cm_client_conf(defaults, CM_ARRAY_LEN(defaults), owned, CM_ARRAY_LEN(owned), reserved,
                            properties, &conf);
    if (rc != 0) {
        return rc;
    }

    struct cm_producer *producer = cm_alloc(1, sizeof *producer);
    (void)cm_sasl_take_terms(conf, &producer->sasl);
    if (cm_sasl_take_over(conf, &producer->sasl)) {
        rd_kafka_conf_set_connect_cb(conf, on_connect);
    }
    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_error_cb(conf, on_error);
    producer->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (producer->rk == NULL) {
        rd_kafka_conf_destroy(conf);
        cm_sasl_terms_free(&producer->sasl);
        free(producer);
        return cm_fail(CM_ERR_CONFIG, "Kafka producer: %s", why);
    }
    *out = producer;
    return 0;
}

static rd_kafka_topic_t *topic_handle(struct cm_producer *producer, const char *topic)
{
    uint32_t i = 0;

    while (i < producer->topics_count && strcmp(producer->topics[i].name, topic) != 0) {
        i++;
    }
    if (i < producer->topics_count) {
        return producer->topics[i].rkt;
    }
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(producer->rk, topic, NULL);
    if (rkt == NULL) {
        return NULL;
    }
    if (i == TOPICS_MAX) { /* librdkafka keeps the topic itself while records of it are under way */
        i--;
        rd_kafka_topic_destroy(producer->topics[i].rkt);
        free(producer->topics[i].name);
    } else {
        producer->topics_count++;
    }
    producer->topics[i] = (struct topic_handle){cm_strdup(topic), rkt};
    return rkt;
}

/* librdkafka takes `void *` for bytes that it only copies. */
static void *unconst(const char *bytes)
{
    union {
        const char *in;
        void *out;
    } cast = {.in = bytes};
    return cast.out;
}

bool cm_producer_try_send(struct cm_producer *producer, const char *topic, int32_t partition,
                          const char *key, size_t key_len, const char *value, size_t value_len)
{
    rd_kafka_topic_t *rkt = topic_handle(producer, topic);

    if (rkt == NULL) {
        count_failure(producer, rd_kafka_last_error(), topic);
        return true;
    }
    if (rd_kafka_produce(rkt, partition < 0 ? RD_KAFKA_PARTITION_UA : partition,
                         RD_KAFKA_MSG_F_COPY, unconst(value), value_len, key, key_len, NULL) == 0) {
        return true;
    }
    rd_kafka_resp_err_t error = rd_kafka_last_error();
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return false;
    }
    /* Trying again would not help (too large, no such partition): it counts as failed. */
    count_failure(producer, error, topic);
    return true;
}

void cm_producer_poll(struct cm_producer *producer, int timeout_ms)
{
    (void)rd_kafka_poll(producer->rk, timeout_ms);
}

bool cm_producer_flush(struct cm_producer *producer, int timeout_ms)
{
    bool empty = rd_kafka_flush(producer->rk, timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR;
    bool clean = producer->failed == producer->failed_before_flush;

    producer->failed_before_flush = producer->failed;
    return empty && clean;
}

uint64_t cm_producer_delivered(const struct cm_producer *producer)
{
    return producer->delivered;
}

uint64_t cm_producer_failed(const struct cm_producer *producer)
{
    return producer->failed;
}

/* Asking for a topic's metadata creates it where brokers create topics by themselves. */
static int touch_topic(struct cm_producer *producer, const char *topic)
{
    int64_t end_ns = cm_clock_mono_ns() + ADMIN_MS * CM_NS_PER_MS;
    rd_kafka_topic_t *rkt = topic_handle(producer, topic);
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;

    while (rkt != NULL && cm_clock_mono_ns() < end_ns) {
        const struct rd_kafka_metadata *metadata = NULL;
        error = rd_kafka_metadata(producer->rk, 0, rkt, &metadata, 2000);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
            error = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                             : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
            rd_kafka_metadata_destroy(metadata);
            if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
                return 0;
            }
        }
        cm_producer_poll(producer, 50);
    }
    return cm_fail(CM_ERR_KAFKA, "topic %s cannot be created: %s", topic, rd_kafka_err2str(error));
}

/* Whether a broker that is there answers for the whole cluster. The mock broker names none, and an
 * admin request would wait for it until its time is over. False too when no broker answers. */
static bool has_controller(struct cm_producer *producer)
{
    const struct rd_kafka_metadata *metadata = NULL;
    bool found = false;

    if (rd_kafka_metadata(producer->rk, 0, NULL, &metadata, ADMIN_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        return false;
    }
    int32_t controller = rd_kafka_controllerid(producer->rk, ADMIN_MS);
    for (int i = 0; i < metadata->broker_cnt && !found; i++) {
        found = metadata->brokers[i].id == controller;
    }
    rd_kafka_metadata_destroy(metadata);
    return found;
}

/* The answer to one CreateTopics request. */
static rd_kafka_resp_err_t created(rd_kafka_queue_t *queue, char *why, size_t why_bytes)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ADMIN_MS + 1000);

    if (event == NULL) {
        (void)snprintf(why, why_bytes, "no answer");
        return RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    rd_kafka_resp_err_t error = rd_kafka_event_error(event);
    const char *text = rd_kafka_event_error_string(event);
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && result != NULL) {
        size_t count = 0;
        const rd_kafka_topic_result_t **topics =
            rd_kafka_CreateTopics_result_topics(result, &count);
        if (count == 1) {
            error = rd_kafka_topic_result_error(topics[0]);
            text = rd_kafka_topic_result_error_string(topics[0]);
        }
    }
    (void)snprintf(why, why_bytes, "%s", text == NULL ? rd_kafka_err2str(error) : text);
    rd_kafka_event_destroy(event);
    return error;
}

int cm_producer_create_topic(struct cm_producer *producer, const char *topic, int32_t partitions)
{
    char why[256];

    if (partitions < 1) {
        return cm_fail(CM_ERR_KAFKA, "topic %s with %d partitions: at least 1 is needed", topic,
                       (int)partitions);
    }
    /* -1: as many replicas as the broker's default says */
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, partitions, -1, why, sizeof why);
    if (wanted == NULL) {
        return cm_fail(CM_ERR_KAFKA, "topic %s with %d partitions: %s", topic, (int)partitions,
                       why);
    }
    if (!has_controller(producer)) {
        rd_kafka_NewTopic_destroy(wanted);
        return touch_topic(producer, topic);
    }

    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(producer->rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(producer->rk);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, ADMIN_MS, why, sizeof why);
    (void)rd_kafka_AdminOptions_set_operation_timeout(options, ADMIN_MS, why, sizeof why);
    rd_kafka_CreateTopics(producer->rk, &wanted, 1, options, queue);
    rd_kafka_resp_err_t error = created(queue, why, sizeof why);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(wanted);

    switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
        return 0;
    default:
        return cm_fail(CM_ERR_KAFKA, "topic %s cannot be created: %s", topic, why);
    }
}

void cm_producer_close(struct cm_producer *producer)
{
    if (producer == NULL) {
        return;
    }
    if (rd_kafka_flush(producer->rk, CLOSE_FLUSH_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        cm_log(CM_LOG_ERROR, "kafka.dropped", "records=%d text=\"not acknowledged at the end\"",
               rd_kafka_outq_len(producer->rk));
        (void)rd_kafka_purge(producer->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        (void)rd_kafka_flush(producer->rk, CLOSE_FLUSH_MS);
    }
    for (uint32_t i = 0; i < producer->topics_count; i++) {
        rd_kafka_topic_destroy(producer->topics[i].rkt);
        free(producer->topics[i].name);
    }
    rd_kafka_destroy(producer->rk);
    cm_sasl_terms_free(&producer->sasl);
    free(producer);
}
