// SPDX-License-Identifier: Apache-2.0
/* gen_sink.c — see gen_sink.h. */
#include "cli/gen_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/memory.h"
#include "kafka/producer.h"

#define WRITE_BYTES   ((size_t)256 * 1024)
#define SILENCE_NS    (30 * CM_NS_PER_S)
#define POLL_EVERY    256u
#define FLUSH_TURN_MS 500

struct cm_gen_sink {
    const char *name; /* of the file, or the brokers; borrowed */
    /* file */
    int fd;
    struct cm_text held;
    /* Kafka */
    struct cm_producer *producer;
    const char *topic;
    uint64_t sent, delivered_before;
    int64_t progress_ns;
};

int cm_gen_sink_file(const char *path, struct cm_gen_sink **out)
{
    int fd = STDOUT_FILENO;
    if (strcmp(path, "-") != 0) {
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0) {
            return cm_fail(CM_ERR_IO, "%s: %s", path, strerror(errno));
        }
    }
    struct cm_gen_sink *sink = cm_alloc(1, sizeof(*sink));
    sink->name = fd == STDOUT_FILENO ? "standard output" : path;
    sink->fd = fd;
    *out = sink;
    return 0;
}

int cm_gen_sink_kafka(const char *brokers, const char *topic, const char *codec, int32_t partitions,
                      struct cm_gen_sink **out)
{
    struct cm_producer *producer = NULL;
    int rc = cm_producer_open(brokers, NULL, codec, &producer);
    if (rc == 0 && partitions > 0) {
        rc = cm_producer_create_topic(producer, topic, partitions);
    }
    if (rc < 0) {
        cm_producer_close(producer);
        return rc;
    }
    struct cm_gen_sink *sink = cm_alloc(1, sizeof(*sink));
    sink->name = brokers;
    sink->fd = -1;
    sink->producer = producer;
    sink->topic = topic;
    sink->progress_ns = cm_clock_mono_ns();
    *out = sink;
    return 0;
}

static int write_held(struct cm_gen_sink *sink)
{
    size_t at = 0;
    while (at < sink->held.len) {
        ssize_t wrote = write(sink->fd, sink->held.data + at, sink->held.len - at);
        if (wrote < 0 && errno != EINTR) {
            return cm_fail(CM_ERR_IO, "%s: %s", sink->name,
                           errno == EPIPE ? "closed by its reader" : strerror(errno));
        }
        at += wrote > 0 ? (size_t)wrote : 0;
    }
    sink->held.len = 0;
    return 0;
}

/* A broker that acknowledges nothing for a long time is as good as absent. */
static int check_progress(struct cm_gen_sink *sink)
{
    uint64_t answered = cm_producer_delivered(sink->producer) + cm_producer_failed(sink->producer);
    int64_t now_ns = cm_clock_mono_ns();
    if (answered != sink->delivered_before || answered == sink->sent) {
        sink->delivered_before = answered;
        sink->progress_ns = now_ns;
    }
    if (now_ns - sink->progress_ns < SILENCE_NS) {
        return 0;
    }
    return cm_fail(CM_ERR_KAFKA, "%s: no answer for 30 s; %llu of %llu records were not delivered",
                   sink->name, (unsigned long long)(sink->sent - answered),
                   (unsigned long long)sink->sent);
}

int cm_gen_sink_put(struct cm_gen_sink *sink, const struct cm_text *line, struct cm_str key)
{
    if (sink->producer == NULL) {
        cm_text_add(&sink->held, line->data, line->len);
        cm_text_addc(&sink->held, '\n');
        return sink->held.len >= WRITE_BYTES ? write_held(sink) : 0;
    }
    while (!cm_producer_try_send(sink->producer, sink->topic, -1, key.len > 0 ? key.p : NULL,
                                 key.len, line->data, line->len)) {
        cm_producer_poll(sink->producer, 20);
        int rc = check_progress(sink);
        if (rc < 0) {
            return rc;
        }
    }
    sink->sent++;
    if (sink->sent % POLL_EVERY == 0) {
        cm_producer_poll(sink->producer, 0);
    }
    return 0;
}

int cm_gen_sink_push(struct cm_gen_sink *sink)
{
    if (sink->producer == NULL) {
        return write_held(sink);
    }
    cm_producer_poll(sink->producer, 0);
    return check_progress(sink);
}

int cm_gen_sink_finish(struct cm_gen_sink *sink)
{
    if (sink->producer == NULL) {
        int rc = write_held(sink);
        int fd = sink->fd;
        sink->fd = -1;
        if (rc == 0 && close(fd) != 0) { /* network file systems say it only here */
            rc = cm_fail(CM_ERR_IO, "%s: %s", sink->name, strerror(errno));
        }
        return rc;
    }
    int rc = 0;
    while (rc == 0 && cm_producer_delivered(sink->producer) + cm_producer_failed(sink->producer) <
                          sink->sent) {
        (void)cm_producer_flush(sink->producer, FLUSH_TURN_MS);
        rc = check_progress(sink);
    }
    uint64_t failed = cm_producer_failed(sink->producer);
    if (rc == 0 && failed > 0) {
        rc = cm_fail(CM_ERR_KAFKA, "%s: %llu of %llu records were not delivered", sink->name,
                     (unsigned long long)failed, (unsigned long long)sink->sent);
    }
    return rc;
}

void cm_gen_sink_close(struct cm_gen_sink *sink)
{
    if (sink == NULL) {
        return;
    }
    if (sink->fd >= 0 && sink->fd != STDOUT_FILENO) {
        (void)close(sink->fd);
    }
    cm_producer_close(sink->producer);
    cm_text_free(&sink->held);
    free(sink);
}
