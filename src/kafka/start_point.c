// SPDX-License-Identifier: Apache-2.0
/* start_point.c — see start_point.h. */
#include "kafka/start_point.h"

#include <string.h>

#include "base/fail.h"
#include "base/log.h"
#include "base/text.h"

int cm_start_point_parse(const char *text, struct cm_start_point *out)
{
    int64_t ms = 0;
    size_t len = text == NULL ? 0 : strlen(text);

    if (len == 0 || strcmp(text, "earliest") == 0) {
        *out = (struct cm_start_point){CM_START_EARLIEST, 0};
    } else if (strcmp(text, "latest") == 0) {
        *out = (struct cm_start_point){CM_START_LATEST, 0};
    } else if (cm_parse_rfc3339(text, len, &ms)) {
        *out = (struct cm_start_point){CM_START_TIME, ms};
    } else if (cm_parse_duration(text, len, &ms)) {
        *out = (struct cm_start_point){CM_START_BACK, ms};
    } else {
        return cm_fail(CM_ERR_CONFIG,
                       "source.kafka.start: `%s` is not earliest, latest, a time like "
                       "2026-11-01T08:00:00Z, or a duration like 2h",
                       text);
    }
    return 0;
}

bool cm_start_point_resolve(const struct cm_start_point *start, rd_kafka_t *rk, int64_t wall_ms,
                            rd_kafka_topic_partition_list_t *rows, int timeout_ms)
{
    int64_t fixed =
        start->kind == CM_START_LATEST ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
    bool timed = start->kind == CM_START_TIME || start->kind == CM_START_BACK;
    int64_t at_ms = start->kind == CM_START_BACK ? wall_ms - start->ms : start->ms;

    for (int i = 0; i < rows->cnt; i++) {
        rows->elems[i].offset = !timed ? fixed : at_ms < 0 ? 0 : at_ms;
    }
    if (!timed || rows->cnt == 0) {
        return true;
    }
    rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(rk, rows, timeout_ms);
    for (int i = 0; i < rows->cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        error = rows->elems[i].err;
        if (rows->elems[i].offset < 0) { /* no record so late */
            rows->elems[i].offset = RD_KAFKA_OFFSET_END;
        }
    }
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        cm_log(CM_LOG_WARN, "kafka.start_unknown", "error=%s text=\"asking again\"",
               rd_kafka_err2name(error));
    }
    return error == RD_KAFKA_RESP_ERR_NO_ERROR;
}
