// SPDX-License-Identifier: Apache-2.0
#include "window/leg_log.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/memory.h"

#define CHUNK_BYTES (CM_LEG_CHUNK_LEGS * sizeof(struct cm_leg))

static struct cm_leg **chunk_of(const struct cm_leg_log *log, uint32_t place)
{
    return &log->chunks[(place >> CM_LEG_CHUNK_BITS) & log->mask];
}

static int64_t *newest_of(const struct cm_leg_log *log, uint32_t place)
{
    return &log->newest_ms[(place >> CM_LEG_BLOCK_BITS) & ((log->mask + 1) * CM_LEG_BLOCKS - 1)];
}

static int64_t *chunk_ms_of(const struct cm_leg_log *log, uint32_t place)
{
    return &log->chunk_ms[(place >> CM_LEG_CHUNK_BITS) & log->mask];
}

static void free_checks(struct cm_leg_log *log, const struct cm_leg *leg)
{
    if (CM_UNLIKELY(leg->checks_count > CM_LEG_CHECKS_FEW)) {
        log->bytes -= leg->checks_count * sizeof(*leg->checks);
        free((void *)(uintptr_t)cm_leg_checks(leg));
    }
}

void cm_leg_log_free(struct cm_leg_log *log)
{
    while (log->first != log->end) {
        cm_leg_log_drop(log);
    }
    if (log->end % CM_LEG_CHUNK_LEGS != 0) {
        free(*chunk_of(log, log->end));
    }
    free(log->spare);
    free(log->chunks);
    free(log->newest_ms);
    free(log->chunk_ms);
    *log = (struct cm_leg_log){.chunks = NULL};
}

static size_t ring_bytes(uint32_t chunks)
{
    return (size_t)chunks * (CM_LEG_BLOCKS + 1) * sizeof(int64_t);
}

/* `oldest` is where the first chunk begins. */
static void grow(struct cm_leg_log *log, uint32_t oldest)
{
    uint32_t before = log->chunks == NULL ? 0 : log->mask + 1;
    uint32_t chunks = before == 0 ? 8 : 2 * before;
    struct cm_leg_log grown = *log;
    grown.chunks = cm_alloc(chunks, sizeof(struct cm_leg *));
    grown.newest_ms = cm_alloc((size_t)chunks * CM_LEG_BLOCKS, sizeof(*grown.newest_ms));
    grown.chunk_ms = cm_alloc(chunks, sizeof(*grown.chunk_ms));
    grown.mask = chunks - 1;
    grown.bytes += ring_bytes(chunks) - ring_bytes(before);
    for (uint32_t place = oldest; place != log->end; place += CM_LEG_CHUNK_LEGS) {
        *chunk_of(&grown, place) = *chunk_of(log, place);
        *chunk_ms_of(&grown, place) = *chunk_ms_of(log, place);
        memcpy(newest_of(&grown, place), newest_of(log, place),
               CM_LEG_BLOCKS * sizeof(*grown.newest_ms));
    }
    struct cm_leg_log old = *log;
    *log = grown;
    free(old.chunks);
    free(old.newest_ms);
    free(old.chunk_ms);
}

/* The newest time of the chunks from there up to the end, which is where a chunk begins. One that
 * was far ahead of all others is forgotten with its chunk. */
static int64_t newest_ms(const struct cm_leg_log *log, uint32_t oldest)
{
    int64_t newest_ms = INT64_MIN;
    for (uint32_t place = oldest; place != log->end; place += CM_LEG_CHUNK_LEGS) {
        int64_t chunk_ms = *chunk_ms_of(log, place);
        newest_ms = chunk_ms > newest_ms ? chunk_ms : newest_ms;
    }
    return newest_ms;
}

/* The chunk of the next leg, which is the first one there. */
static CM_NOINLINE void begin_chunk(struct cm_leg_log *log)
{
    uint32_t oldest = log->first / CM_LEG_CHUNK_LEGS * CM_LEG_CHUNK_LEGS;
    CM_ASSERT(log->end - log->first <= UINT32_MAX / 2);
    if (log->chunks == NULL || (log->end - oldest) / CM_LEG_CHUNK_LEGS > log->mask) {
        grow(log, oldest);
    }
    struct cm_leg *chunk = log->spare;
    log->spare = NULL;
    if (chunk == NULL) {
        chunk = cm_alloc_huge(CHUNK_BYTES);
        log->bytes += CHUNK_BYTES;
    }
    *chunk_of(log, log->end) = chunk;
    *chunk_ms_of(log, log->end) = INT64_MIN;
    log->before_ms = newest_ms(log, oldest);
}

struct cm_leg *cm_leg_log_add(struct cm_leg_log *log, int64_t ts_ms)
{
    if (log->end % CM_LEG_CHUNK_LEGS == 0) {
        begin_chunk(log);
    }
    int64_t *chunk_ms = chunk_ms_of(log, log->end);
    *chunk_ms = ts_ms > *chunk_ms ? ts_ms : *chunk_ms;
    *newest_of(log, log->end) = *chunk_ms > log->before_ms ? *chunk_ms : log->before_ms;
    return cm_leg_log_at(log, log->end++);
}

void cm_leg_log_set_checks(struct cm_leg_log *log, struct cm_leg *leg, const uint16_t *checks,
                           uint32_t count)
{
    leg->checks_count = (uint16_t)count;
    if (CM_LIKELY(count <= CM_LEG_CHECKS_FEW)) {
        for (uint32_t i = 0; i < count; i++) {
            leg->checks[i] = checks[i];
        }
        return;
    }
    uint16_t *many = cm_alloc(count, sizeof(*many));
    memcpy(many, checks, count * sizeof(*many));
    memcpy(leg->checks, &many, sizeof(many));
    log->bytes += count * sizeof(*many);
}

void cm_leg_log_clear(struct cm_leg_log *log, struct cm_leg *leg)
{
    free_checks(log, leg);
    *leg = (struct cm_leg){
        .ts_ms = leg->ts_ms, .cell = leg->cell, .before = leg->before, .bin = CM_LEG_NO_BIN};
}

void cm_leg_log_drop(struct cm_leg_log *log)
{
    CM_ASSERT(log->first != log->end);
    free_checks(log, cm_leg_log_at(log, log->first));
    log->first++;
    if (log->first % CM_LEG_CHUNK_LEGS == 0) {
        struct cm_leg **chunk = chunk_of(log, log->first - 1);
        if (log->spare == NULL) {
            log->spare = *chunk;
        } else {
            free(*chunk);
            log->bytes -= CHUNK_BYTES;
        }
        *chunk = NULL;
    }
}
