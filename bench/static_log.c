// SPDX-License-Identifier: Apache-2.0
#include "bench/static_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "bench/bench.h"
#include "support/batch_builder.h"

#define KEY_BYTES     65u
#define RECORDS_MOST  10000
#define RECORD_BEYOND 32u /* of a record: what is beside key and value, at most */

/* A partition that is being written. */
struct writer {
    struct static_partition *to;
    struct batch_builder builder;
    int64_t next; /* offset */
};

static void add_mark(struct static_partition *partition, int64_t first)
{
    if (partition->count == partition->cap) {
        partition->cap = partition->cap * 2 + 64;
        partition->batches =
            cm_realloc(partition->batches, partition->cap, sizeof(*partition->batches));
    }
    partition->batches[partition->count] =
        (struct static_batch){.first = first, .at = partition->bytes.len};
}

static void begin_batch(struct writer *writer, uint32_t codec, int64_t made_ms)
{
    writer->builder = batch_begin(writer->next, codec);
    writer->builder.base_ms = made_ms;
    writer->builder.greatest_ms = made_ms;
}

static void end_batch(struct writer *writer)
{
    add_mark(writer->to, writer->builder.base_offset);
    batch_end(&writer->builder, &writer->to->bytes);
    writer->to->count++;
}

/* The string behind `"name":"`, cut to what a key may have; "" when there is none. */
static void copy_word(const char *line, const char *name, char *out)
{
    const char *from = strstr(line, name);
    from = from == NULL ? "" : from + strlen(name);
    size_t len = strcspn(from, "\"");
    len = len < KEY_BYTES ? len : KEY_BYTES - 1;
    memcpy(out, from, len);
    out[len] = '\0';
}

static void add_line(struct static_log *log, struct writer *writers, const char *line, size_t len,
                     uint32_t codec, uint32_t batch_bytes)
{
    char key[KEY_BYTES];
    copy_word(line, "\"seat\":\"", key);
    if (key[0] == '\0') {
        copy_word(line, "\"call\":\"", key);
    }
    struct writer *writer = &writers[cm_hash64(key, strlen(key)) % log->partitions];
    struct batch_builder *builder = &writer->builder;
    bool full = builder->records.len + len + strlen(key) + RECORD_BEYOND > batch_bytes ||
                builder->count >= RECORDS_MOST;
    if (builder->count > 0 && full) {
        end_batch(writer);
        begin_batch(writer, codec, log->made_ms);
    }
    batch_add_full(builder, builder->count, 0, key, line, len, "", 1);
    writer->next++;
    log->records++;
}

void static_log_make(struct static_log *log, const char *path, uint32_t partitions, uint32_t codec,
                     uint32_t batch_bytes)
{
    struct writer writers[STATIC_PARTITIONS_MAX] = {0};
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    if (file == NULL) {
        cm_bench_die("static_broker: %s cannot be read", path);
    }
    *log = (struct static_log){.partitions = partitions, .made_ms = cm_clock_wall_ms()};
    for (uint32_t i = 0; i < partitions; i++) {
        writers[i].to = &log->at[i];
        begin_batch(&writers[i], codec, log->made_ms);
    }
    while ((len = getline(&line, &cap, file)) > 0) {
        len -= line[len - 1] == '\n';
        if (len > 0) {
            add_line(log, writers, line, (size_t)len, codec, batch_bytes);
        }
    }
    free(line);
    fclose(file);
    for (uint32_t i = 0; i < partitions; i++) {
        if (writers[i].builder.count > 0) {
            end_batch(&writers[i]);
        }
        add_mark(&log->at[i], writers[i].next);
        log->bytes += log->at[i].bytes.len;
    }
    if (log->records == 0) {
        cm_bench_die("static_broker: %s holds no record", path);
    }
}

void static_log_free(struct static_log *log)
{
    for (uint32_t i = 0; i < log->partitions; i++) {
        cm_text_free(&log->at[i].bytes);
        free(log->at[i].batches);
    }
}

int64_t static_log_end(const struct static_partition *partition)
{
    return partition->batches[partition->count].first;
}

struct cm_str static_log_read(const struct static_partition *partition, int64_t offset,
                              uint32_t most, bool first_whole)
{
    if (offset < 0 || offset >= static_log_end(partition)) {
        return (struct cm_str){"", 0};
    }
    uint32_t low = 0, high = partition->count;
    while (high - low > 1) { /* batches[low].first <= offset < batches[high].first */
        uint32_t middle = low + (high - low) / 2;
        if (partition->batches[middle].first <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    size_t from = partition->batches[low].at;
    uint32_t to = low + (first_whole ? 1 : 0);
    while (to < partition->count && partition->batches[to + 1].at - from <= most) {
        to++;
    }
    return (struct cm_str){partition->bytes.data + from,
                           (uint32_t)(partition->batches[to].at - from)};
}
