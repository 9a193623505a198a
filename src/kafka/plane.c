// SPDX-License-Identifier: Apache-2.0
#include "kafka/plane.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "kafka/client_conf.h"
#include "kafka/sasl_login.h"

/* librdkafka's value of a setting, its defaults included. */
static void get(const rd_kafka_conf_t *conf, const char *name, char *out, size_t bytes)
{
    size_t len = bytes;
    if (rd_kafka_conf_get(conf, name, out, &len) != RD_KAFKA_CONF_OK) {
        out[0] = '\0';
    }
}

static void take_terms(struct cm_data_plane *plane, const struct cm_config *config,
                       const rd_kafka_conf_t *conf)
{
    char text[64];
    get(conf, "client.id", plane->client_id, sizeof plane->client_id);
    get(conf, "client.rack", plane->rack, sizeof plane->rack);
    snprintf(plane->topic, sizeof plane->topic, "%s", config->topic);
    get(conf, "check.crcs", text, sizeof text);
    plane->check_crc = strcmp(text, "false") != 0;
    get(conf, "isolation.level", text, sizeof text);
    plane->terms = (struct cm_fetch_terms){
        .client_id = plane->client_id,
        .topic = plane->topic,
        .sasl = plane->sasl.mechanism == CM_SASL_NONE ? NULL : &plane->sasl,
        .rack = plane->rack,
        .read_committed = strcmp(text, "read_uncommitted") != 0,
        .wait_ms = cm_client_number(conf, "fetch.wait.max.ms"),
        .least_bytes = cm_client_number(conf, "fetch.min.bytes"),
        .most_bytes = cm_client_number(conf, "fetch.max.bytes"),
        .part_bytes = cm_client_number(conf, "fetch.message.max.bytes"),
    };
}

int cm_plane_choose(struct cm_data_plane *plane, const struct cm_config *config,
                    const rd_kafka_conf_t *conf)
{
    const char *obstacle = cm_sasl_take_terms(conf, &plane->sasl);
    bool forced = config->plane == CM_PLANE_IO_URING || config->plane == CM_PLANE_EPOLL;
    plane->native = config->plane != CM_PLANE_LIBRDKAFKA && obstacle == NULL;
    if (forced && obstacle != NULL) {
        return cm_fail(CM_ERR_CONFIG, "source.kafka.plane: %s, which needs librdkafka (or auto)",
                       obstacle);
    }
    if (plane->native) {
        take_terms(plane, config, conf);
    }
    const char *mechanism = cm_sasl_name(plane->sasl.mechanism);
    if (forced || config->plane == CM_PLANE_LIBRDKAFKA) {
        obstacle = "as configured";
    }
    snprintf(
        plane->why, sizeof plane->why, "%s%s%s", obstacle != NULL ? obstacle : "plain connections",
        plane->terms.sasl != NULL ? ", SASL " : "", plane->terms.sasl != NULL ? mechanism : "");
    return 0;
}

void cm_plane_free(struct cm_data_plane *plane)
{
    cm_sasl_terms_free(&plane->sasl);
}

/* ---- leaders */

static void look_up(struct cm_broker_address *broker, const char *host, int port)
{
    char service[16];
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    snprintf(broker->name, sizeof broker->name, "%.255s:%d", host, port);
    snprintf(service, sizeof service, "%d", port);
    int rc = getaddrinfo(host, service, &hints, &found);
    if (rc != 0 || found == NULL) {
        cm_log(CM_LOG_WARN, "kafka.address", "broker=%s error=\"%s\"", broker->name,
               gai_strerror(rc));
        return;
    }
    /* IPv4 first, as librdkafka's own order is the resolver's and brokers seldom listen on both. */
    const struct addrinfo *best = found;
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        if (at->ai_family == AF_INET) {
            best = at;
            break;
        }
    }
    memcpy(&broker->address, best->ai_addr, best->ai_addrlen);
    broker->len = best->ai_addrlen;
    freeaddrinfo(found);
}

static void take_topic(const rd_kafka_metadata_topic_t *topic, struct cm_leaders *out)
{
    int32_t most = -1;
    for (int i = 0; i < topic->partition_cnt; i++) {
        most = topic->partitions[i].id > most ? topic->partitions[i].id : most;
    }
    out->partitions_count = (uint32_t)(most + 1);
    out->leader = cm_alloc(out->partitions_count + 1, sizeof *out->leader);
    for (uint32_t i = 0; i < out->partitions_count; i++) {
        out->leader[i] = -1;
    }
    for (int i = 0; i < topic->partition_cnt; i++) {
        out->leader[topic->partitions[i].id] = topic->partitions[i].leader;
    }
}

int cm_plane_ask_leaders(rd_kafka_t *rk, const char *topic, int timeout_ms, struct cm_leaders *out)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    if (handle == NULL) {
        return cm_fail(CM_ERR_KAFKA, "topic %s: %s", topic,
                       rd_kafka_err2str(rd_kafka_last_error()));
    }
    rd_kafka_resp_err_t error = rd_kafka_metadata(rk, 0, handle, &metadata, timeout_ms);
    rd_kafka_topic_destroy(handle);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return cm_fail(CM_ERR_KAFKA, "leaders of %s: %s", topic, rd_kafka_err2str(error));
    }
    *out = (struct cm_leaders){.brokers_count = (uint32_t)metadata->broker_cnt};
    out->brokers = cm_alloc((size_t)metadata->broker_cnt + 1, sizeof *out->brokers);
    for (int i = 0; i < metadata->broker_cnt; i++) {
        out->brokers[i].id = metadata->brokers[i].id;
        look_up(&out->brokers[i], metadata->brokers[i].host, metadata->brokers[i].port);
    }
    if (metadata->topic_cnt == 1) {
        take_topic(&metadata->topics[0], out);
    }
    rd_kafka_metadata_destroy(metadata);
    return 0;
}
