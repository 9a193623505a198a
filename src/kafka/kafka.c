// SPDX-License-Identifier: Apache-2.0
/* kafka.c — the face of the room for consuming: opens, polls, commits, closes. Which partition runs
 * where is assignment.c; what a worker gets of it is lane.c.
 *
 * THREADS   See kafka.h.
 * COST      Nothing a record.
 */
#include "kafka/kafka.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "kafka/assignment.h"
#include "kafka/client_conf.h"
#include "kafka/lane.h"
#include "kafka/plane.h"
#include "kafka/sasl_login.h"
#include "kafka/start_point.h"

#define COMMIT_MS       5000
#define CLOSE_COMMIT_MS 800
#define GHOST_MARGIN_MS 2000
#define LEAVE_MS        1200
#define DESTROY_MS      500
#define PENDING_POLL_MS 20
#define LEADERS_MS      1000
#define LEADERS_LEAST_S 1   /* between two questions, when somebody wants to know .. */
#define LEADERS_MOST_S  300 /* .. and when nobody does */

struct cm_kafka {
    rd_kafka_t *rk;
    char *topic;
    struct cm_assignment held;
    struct cm_lane *lanes;
    uint32_t lanes_count;
    struct cm_data_plane plane;
    atomic_bool parted; /* the one of two has gone that close together: the other frees this */
};

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t error,
                         rd_kafka_topic_partition_list_t *rows, void *opaque)
{
    struct cm_kafka *kafka = opaque;

    (void)rk;
    cm_assignment_rebalance(&kafka->held, error, rows);
}

static void on_error(rd_kafka_t *rk, int error, const char *reason, void *opaque)
{
    (void)rk;
    (void)opaque;
    cm_client_log_error(error, reason);
}

static void on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t error,
                      rd_kafka_topic_partition_list_t *rows, void *opaque)
{
    (void)rk;
    (void)rows;
    (void)opaque;
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR__NO_OFFSET) {
        cm_log(CM_LOG_WARN, "kafka.commit", "error=%s", rd_kafka_err2name(error));
    }
}

/* How long a member that was killed may stay in the group: until its session ends, and the others
 * have noticed it. */
static int64_t ghost_ms(const rd_kafka_conf_t *conf)
{
    return (int64_t)cm_client_number(conf, "session.timeout.ms") +
           cm_client_number(conf, "heartbeat.interval.ms") + GHOST_MARGIN_MS;
}

static int on_connect(int fd, const struct sockaddr *address, int len, const char *broker,
                      void *opaque)
{
    const struct cm_kafka *kafka = opaque;
    return cm_sasl_login(fd, address, (socklen_t)len, broker, &kafka->plane.sasl);
}

/* ---- opening */

/* Cooperative assignors change assignments piece by piece; on_rebalance() takes them as a whole. */
static int check_properties(const struct cm_properties *properties)
{
    for (uint32_t i = 0; i < properties->count; i++) {
        const struct cm_property *p = &properties->at[i];
        if (strcmp(p->name, "partition.assignment.strategy") == 0 &&
            strstr(p->value, "cooperative") != NULL) {
            return cm_fail(CM_ERR_CONFIG,
                           "Kafka property %s: only range and roundrobin are supported", p->name);
        }
    }
    return 0;
}

/* fetch.wait.max.ms: a fetch that waits holds up partitions that were started meanwhile.
 * queued.min.messages: a partition whose queue is above the limit is not looked at again for up to
 * 1 s, so the limits must hold more than a second of traffic; bytes are the limit that counts. */
static int make_conf(const struct cm_config *config, rd_kafka_conf_t **out)
{
    static const struct cm_client_setting defaults[] = {
        {"client.id", "callmill"},
        {"session.timeout.ms", "10000"},
        {"partition.assignment.strategy", "range,roundrobin"},
        {"isolation.level", "read_committed"},
        {"check.crcs", "true"},
        {"fetch.wait.max.ms", "20"},
        {"fetch.error.backoff.ms", "50"},
        {"fetch.max.bytes", "4194304"},
        {"queued.min.messages", "1000000"},
        {"queued.max.messages.kbytes", "65536"},
        {"reconnect.backoff.max.ms", "2000"},
        {"topic.metadata.refresh.interval.ms", "30000"},
        {"socket.keepalive.enable", "true"},
        {"socket.nagle.disable", "true"},
        {"statistics.interval.ms", "0"},
        {"log.connection.close", "false"},
    };
    const struct cm_client_setting owned[] = {
        {"bootstrap.servers", config->brokers}, {"group.id", config->group},
        {"enable.auto.commit", "false"},        {"enable.auto.offset.store", "false"},
        {"enable.partition.eof", "true"},       {"auto.offset.reset", "earliest"},
        {"allow.auto.create.topics", "false"},
    };
    static const char *const reserved[] = {"metadata.broker.list", "auto.commit.enable",
                                           "log.queue", "offset.store.method", NULL};

    if (config->brokers == NULL || config->brokers[0] == '\0') {
        return cm_fail(CM_ERR_CONFIG, "source.kafka.brokers: no brokers are configured");
    }
    if (config->group == NULL || config->group[0] == '\0') {
        return cm_fail(CM_ERR_CONFIG, "source.kafka.group: a name is needed");
    }
    /* librdkafka takes a leading ^ for a pattern. */
    if (config->topic == NULL || config->topic[0] == '\0' || config->topic[0] == '^') {
        return cm_fail(CM_ERR_CONFIG, "source.kafka.topic: the name of one topic is needed");
    }
    int rc = check_properties(&config->properties);
    if (rc != 0) {
        return rc;
    }
    return cm_client_conf(defaults, CM_ARRAY_LEN(defaults), owned, CM_ARRAY_LEN(owned), reserved,
                          &config->properties, out);
}

static int join(struct cm_kafka *kafka)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);

    (void)rd_kafka_topic_partition_list_add(topics, kafka->topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_subscribe(kafka->rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return cm_fail(CM_ERR_KAFKA, "cannot subscribe to %s: %s", kafka->topic,
                       rd_kafka_err2str(error));
    }
    return 0;
}

int cm_kafka_open(const struct cm_config *config, uint32_t workers,
                  const struct cm_kafka_callbacks *callbacks, struct cm_kafka **out)
{
    CM_ASSERT(workers > 0);
    char why[256];
    struct cm_start_point start;
    rd_kafka_conf_t *conf = NULL;
    int rc = cm_start_point_parse(config->start, &start);
    if (rc == 0) {
        rc = make_conf(config, &conf);
    }
    if (rc != 0) {
        return rc;
    }

    struct cm_kafka *kafka = cm_alloc(1, sizeof *kafka);
    rc = cm_plane_choose(&kafka->plane, config, conf);
    if (rc != 0) {
        rd_kafka_conf_destroy(conf);
        free(kafka);
        return rc;
    }
    if (cm_sasl_take_over(conf, &kafka->plane.sasl)) {
        rd_kafka_conf_set_connect_cb(conf, on_connect);
    }
    rd_kafka_conf_set_opaque(conf, kafka);
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_offset_commit_cb(conf, on_commit);
    int64_t killed_ms = ghost_ms(conf);
    kafka->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (kafka->rk == NULL) {
        rd_kafka_conf_destroy(conf);
        cm_plane_free(&kafka->plane);
        free(kafka);
        return cm_fail(CM_ERR_CONFIG, "Kafka consumer: %s", why);
    }
    (void)rd_kafka_poll_set_consumer(kafka->rk);
    kafka->topic = cm_strdup(config->topic);
    kafka->lanes = cm_alloc(workers, sizeof *kafka->lanes);
    kafka->lanes_count = workers;
    kafka->held = (struct cm_assignment){
        .rk = kafka->rk,
        .topic = kafka->topic,
        .lanes = kafka->lanes,
        .lanes_count = workers,
        .native = kafka->plane.native,
        .callbacks = *callbacks,
        .start = start,
        .ghost_ms = killed_ms,
    };
    for (uint32_t i = 0; rc == 0 && i < workers; i++) {
        rc = cm_lane_open(&kafka->lanes[i], kafka->rk);
        if (rc == 0 && kafka->plane.native) {
            kafka->lanes[i].fetcher =
                cm_fetcher_create(&kafka->plane.terms, kafka->plane.check_crc);
        }
    }
    if (rc == 0) {
        rc = join(kafka);
    }
    if (rc != 0) {
        cm_kafka_close(kafka);
        return rc;
    }
    *out = kafka;
    return 0;
}

/* ---- polling */

/* What comes on the main queue beside callbacks: errors. */
static void take_message(rd_kafka_message_t *message)
{
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR &&
        message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        cm_log(CM_LOG_WARN, "kafka.consumer", "error=%s text=\"%s\"",
               rd_kafka_err2name(message->err), rd_kafka_message_errstr(message));
    }
    rd_kafka_message_destroy(message);
}

/* Tells the lanes' fetchers who leads what, when one of them wants to know or it was long ago. */
static void look_for_leaders(struct cm_kafka *kafka)
{
    int64_t now_ns = cm_clock_mono_ns();
    bool wanted = false;
    for (uint32_t i = 0; kafka->plane.native && i < kafka->lanes_count; i++) {
        wanted = cm_fetcher_wants_leaders(kafka->lanes[i].fetcher) || wanted;
    }
    if (wanted && kafka->plane.leaders_ns > now_ns + LEADERS_LEAST_S * CM_NS_PER_S) {
        kafka->plane.leaders_ns = 0;
    }
    if (!kafka->plane.native || now_ns < kafka->plane.leaders_ns) {
        return;
    }
    struct cm_leaders leaders = {0};
    if (cm_plane_ask_leaders(kafka->rk, kafka->topic, LEADERS_MS, &leaders) != 0) {
        cm_log(CM_LOG_WARN, "kafka.leaders", "text=\"%s\"", cm_fail_text());
        kafka->plane.leaders_ns = now_ns + LEADERS_LEAST_S * CM_NS_PER_S;
        return;
    }
    kafka->plane.leaders_ns = now_ns + LEADERS_MOST_S * CM_NS_PER_S;
    for (uint32_t i = 0; i < kafka->lanes_count; i++) {
        cm_lane_lock(&kafka->lanes[i]);
        cm_fetcher_set_leaders(kafka->lanes[i].fetcher, &leaders);
        cm_lane_unlock(&kafka->lanes[i]);
    }
    cm_leaders_free(&leaders);
}

int cm_kafka_poll(struct cm_kafka *kafka, int timeout_ms)
{
    char why[256];
    bool soon = cm_assignment_pending(&kafka->held) && timeout_ms > PENDING_POLL_MS;
    int wait_ms = soon ? PENDING_POLL_MS : timeout_ms;

    for (int i = 0; i < 64; i++) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka->rk, i == 0 ? wait_ms : 0);
        if (message == NULL) {
            break;
        }
        take_message(message);
    }
    rd_kafka_resp_err_t error = rd_kafka_fatal_error(kafka->rk, why, sizeof why);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return cm_fail(CM_ERR_KAFKA, "Kafka consumer: %s: %s", rd_kafka_err2name(error), why);
    }
    cm_assignment_service(&kafka->held);
    look_for_leaders(kafka);
    return 0;
}

void cm_kafka_start(struct cm_kafka *kafka, int32_t partition, int64_t offset, uint32_t worker)
{
    cm_assignment_start(&kafka->held, partition, offset, worker);
}

/* ---- the worker's side */

int cm_kafka_fd(const struct cm_kafka *kafka, uint32_t worker)
{
    CM_ASSERT(worker < kafka->lanes_count);
    return kafka->lanes[worker].fd;
}

void cm_kafka_attach(struct cm_kafka *kafka, uint32_t worker, struct cm_ring *ring)
{
    CM_ASSERT(worker < kafka->lanes_count);
    struct cm_lane *lane = &kafka->lanes[worker];
    if (lane->fetcher != NULL) {
        cm_lane_lock(lane);
        cm_fetcher_attach(lane->fetcher, ring);
        cm_lane_unlock(lane);
    }
}

const char *cm_kafka_plane(const struct cm_kafka *kafka, const char **why)
{
    *why = kafka->plane.why;
    return kafka->plane.native ? "native" : "librdkafka";
}

uint32_t cm_kafka_fetch(struct cm_kafka *kafka, uint32_t worker, struct cm_batch *batch)
{
    CM_ASSERT(worker < kafka->lanes_count);
    return cm_lane_fetch(&kafka->lanes[worker], batch);
}

void cm_kafka_note_time(struct cm_kafka *kafka, uint32_t worker, int32_t partition,
                        int64_t newest_ms)
{
    struct cm_lane *lane = &kafka->lanes[worker];
    /* Taken: the coordinator changes something; the next batch tells as well. */
    if (lane->fetcher != NULL && pthread_mutex_trylock(&lane->lock) == 0) {
        cm_fetcher_note(lane->fetcher, lane, partition, newest_ms);
        CM_ASSERT(pthread_mutex_unlock(&lane->lock) == 0);
    }
}

void cm_kafka_release(struct cm_kafka *kafka, struct cm_batch *batch)
{
    (void)kafka;
    for (uint32_t i = 0; i < batch->owner_count; i++) {
        rd_kafka_message_destroy(batch->owner[i]);
    }
    batch->owner_count = 0;
    batch->count = 0;
    batch->ends_count = 0;
}

int64_t cm_kafka_high(const struct cm_kafka *kafka, int32_t partition)
{
    int64_t low = 0;
    int64_t high = -1;

    for (uint32_t i = 0; kafka->plane.native && i < kafka->lanes_count; i++) {
        struct cm_lane *lane = &kafka->lanes[i];
        CM_ASSERT(pthread_mutex_lock(&lane->lock) == 0);
        bool ours = partition >= 0 && (uint32_t)partition < lane->slots_count &&
                    lane->slots[partition].active;
        high = ours ? lane->slots[partition].high : high;
        CM_ASSERT(pthread_mutex_unlock(&lane->lock) == 0);
    }
    if (kafka->plane.native) {
        return high;
    }
    if (partition < 0 || rd_kafka_get_watermark_offsets(kafka->rk, kafka->topic, partition, &low,
                                                        &high) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return -1;
    }
    return high < 0 ? -1 : high;
}

/* ---- committing */

/* Waits in the event queue, not in rd_kafka_commit(): that one waits for as long as brokers are
 * away. */
static rd_kafka_resp_err_t commit_and_wait(struct cm_kafka *kafka,
                                           const rd_kafka_topic_partition_list_t *rows)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->rk);
    rd_kafka_resp_err_t error = rd_kafka_commit_queue(kafka->rk, rows, queue, NULL, NULL);

    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_event_t *event =
            rd_kafka_queue_poll(queue, kafka->held.closing ? CLOSE_COMMIT_MS : COMMIT_MS);
        error = event == NULL ? RD_KAFKA_RESP_ERR__TIMED_OUT : rd_kafka_event_error(event);
        rd_kafka_topic_partition_list_t *done =
            event == NULL ? NULL : rd_kafka_event_topic_partition_list(event);
        for (int i = 0; done != NULL && i < done->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
            error = done->elems[i].err;
        }
        if (event != NULL) {
            rd_kafka_event_destroy(event);
        }
    }
    rd_kafka_queue_destroy(queue);
    return error;
}

int cm_kafka_commit(struct cm_kafka *kafka, const struct cm_position *positions, uint32_t count,
                    bool sync)
{
    int32_t foreign = -1;
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_topic_partition_list_t *rows = rd_kafka_topic_partition_list_new((int)count);

    for (uint32_t i = 0; i < count; i++) {
        /* The broker checks the member, not the owner: a late commit for a partition that has moved
         * on would be taken, and set its new owner back. */
        if (!cm_assignment_owns(&kafka->held, positions[i].partition) || kafka->held.lost) {
            foreign = positions[i].partition;
            continue;
        }
        CM_ASSERT(positions[i].offset >= 0);
        rd_kafka_topic_partition_t *row =
            rd_kafka_topic_partition_list_add(rows, kafka->topic, positions[i].partition);
        row->offset = positions[i].offset;
        row->metadata_size = strnlen(positions[i].metadata, sizeof positions[i].metadata);
        if (row->metadata_size > 0) { /* the list frees it */
            row->metadata = cm_strndup(positions[i].metadata, row->metadata_size);
        }
    }
    if (rows->cnt > 0) {
        error = sync ? commit_and_wait(kafka, rows) : rd_kafka_commit(kafka->rk, rows, 1);
    }
    rd_kafka_topic_partition_list_destroy(rows);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return cm_fail(CM_ERR_KAFKA, "commit: %s", rd_kafka_err2str(error));
    }
    if (foreign >= 0) {
        return cm_fail(CM_ERR_KAFKA, "commit: partition %d is not ours", (int)foreign);
    }
    return 0;
}

/* ---- closing */

/* Leaves the group; false when brokers do not let us in time. */
static bool leave(struct cm_kafka *kafka)
{
    int64_t end_ns = cm_clock_mono_ns() + LEAVE_MS * CM_NS_PER_MS;
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(kafka->rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(kafka->rk, queue);

    if (error != NULL) {
        rd_kafka_error_destroy(error);
        rd_kafka_queue_destroy(queue);
        return false;
    }
    while (!rd_kafka_consumer_closed(kafka->rk) && cm_clock_mono_ns() < end_ns) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka->rk, 20);
        if (message != NULL) {
            take_message(message);
        }
    }
    rd_kafka_queue_destroy(queue);
    return rd_kafka_consumer_closed(kafka->rk) != 0;
}

static void release(struct cm_kafka *kafka)
{
    cm_plane_free(&kafka->plane);
    free(kafka);
}

static void *destroy_without_leaving(void *context)
{
    struct cm_kafka *kafka = context;
    rd_kafka_destroy_flags(kafka->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    if (atomic_exchange(&kafka->parted, true)) {
        release(kafka);
    }
    return NULL;
}

/* A commit that waits for its coordinator holds up librdkafka's end until the session would have
 * timed out. We do not wait so long: the handle then ends by itself, in a thread that touches
 * nothing of ours but what on_connect() reads. false: that thread still runs. */
static bool destroy(struct cm_kafka *kafka, bool left)
{
    pthread_t thread;

    if (left) {
        rd_kafka_destroy(kafka->rk);
        return true;
    }
    if (pthread_create(&thread, NULL, destroy_without_leaving, kafka) != 0) {
        rd_kafka_destroy_flags(kafka->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
        return true;
    }
    if (!cm_thread_join_within(thread, DESTROY_MS)) {
        (void)pthread_detach(thread);
        return false;
    }
    return true;
}

void cm_kafka_close(struct cm_kafka *kafka)
{
    if (kafka == NULL) {
        return;
    }
    kafka->held.closing = true;
    cm_assignment_give_up(&kafka->held, false);
    bool left = leave(kafka);
    if (!left) {
        cm_log(CM_LOG_WARN, "kafka.not_left",
               "text=\"the brokers did not answer; the group waits for the session to time out\"");
    }
    if (!cm_assignment_unassigned(&kafka->held)) {
        (void)pthread_detach(kafka->held.unassign_thread);
    }
    for (uint32_t i = 0; i < kafka->lanes_count; i++) {
        cm_lane_close(&kafka->lanes[i]);
    }
    bool gone = destroy(kafka, left);
    free(kafka->lanes);
    free(kafka->held.partitions);
    free(kafka->topic);
    if (gone || atomic_exchange(&kafka->parted, true)) {
        release(kafka);
    }
}
