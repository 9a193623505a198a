// SPDX-License-Identifier: Apache-2.0
#include "engine/decode_pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "decode/decoder.h"

enum block_state { BLOCK_FREE, BLOCK_WAITING, BLOCK_DECODING, BLOCK_DONE };

struct block {
    enum block_state state; /* under the pool's mutex */
    struct cm_text bytes;
    uint64_t first_line; /* 0: the one after the block before */
    struct cm_decoder *decoder;
    struct cm_decoded_block decoded;
    uint32_t cap;
};

struct cm_decode_pool {
    pthread_mutex_t mutex;
    pthread_cond_t work, done;
    bool stop;
    struct block *ring; /* size blocks */
    uint32_t size;
    uint64_t first, next; /* blocks in use: [first, next) */
    uint64_t next_line;   /* the one after the last block that was taken out */
    pthread_t *threads;
    uint32_t threads_count;
};

static bool is_blank(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (p[i] != ' ' && p[i] != '\t' && p[i] != '\r') {
            return false;
        }
    }
    return true;
}

static void decode_block(struct block *block)
{
    struct cm_decoded_block *out = &block->decoded;
    const char *at = block->bytes.data;
    const char *end = at + block->bytes.len;

    cm_decoder_reset(block->decoder);
    out->count = 0;
    out->lines = 0;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline == NULL ? end : newline;
        uint32_t line_in_block = (uint32_t)out->lines++;
        size_t len = (size_t)(line_end - at);
        if (!is_blank(at, len)) {
            if (out->count == block->cap) {
                block->cap = block->cap == 0 ? 1024 : 2 * block->cap;
                out->at = cm_realloc(out->at, block->cap, sizeof(*out->at));
            }
            struct cm_decoded *decoded = &out->at[out->count++];
            decoded->line = (struct cm_str){at, (uint32_t)len};
            decoded->line_in_block = line_in_block;
            decoded->reason = cm_decode(block->decoder, at, len, &decoded->event);
        }
        at = line_end + 1;
    }
}

/* Takes the oldest waiting block; NULL when there is none. Mutex held. */
static struct block *claim(struct cm_decode_pool *pool)
{
    for (uint64_t i = pool->first; i < pool->next; i++) {
        struct block *block = &pool->ring[i % pool->size];
        if (block->state == BLOCK_WAITING) {
            block->state = BLOCK_DECODING;
            return block;
        }
    }
    return NULL;
}

static void *decoder_main(void *context)
{
    struct cm_decode_pool *pool = context;
    pthread_mutex_lock(&pool->mutex);
    while (!pool->stop) {
        struct block *block = claim(pool);
        if (block == NULL) {
            pthread_cond_wait(&pool->work, &pool->mutex);
            continue;
        }
        pthread_mutex_unlock(&pool->mutex);
        decode_block(block);
        pthread_mutex_lock(&pool->mutex);
        block->state = BLOCK_DONE;
        pthread_cond_signal(&pool->done);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

struct cm_decode_pool *cm_decode_pool_create(uint32_t threads)
{
    struct cm_decode_pool *pool = cm_alloc(1, sizeof(*pool));
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, NULL);
    pool->size = 4 * threads + 1; /* one of them is with the caller */
    pool->ring = cm_alloc(pool->size, sizeof(*pool->ring));
    for (uint32_t i = 0; i < pool->size; i++) {
        pool->ring[i].decoder = cm_decoder_create();
    }
    pool->threads = cm_alloc(threads, sizeof(*pool->threads));
    for (uint32_t i = 1; i < threads; i++) {
        CM_ASSERT(pthread_create(&pool->threads[pool->threads_count], NULL, decoder_main, pool) ==
                  0);
        pool->threads_count++;
    }
    return pool;
}

void cm_decode_pool_destroy(struct cm_decode_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    pool->stop = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
    for (uint32_t i = 0; i < pool->threads_count; i++) {
        pthread_join(pool->threads[i], NULL);
    }
    for (uint32_t i = 0; i < pool->size; i++) {
        cm_decoder_destroy(pool->ring[i].decoder);
        cm_text_free(&pool->ring[i].bytes);
        free(pool->ring[i].decoded.at);
    }
    free(pool->ring);
    free(pool->threads);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->done);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

bool cm_decode_pool_has_room(const struct cm_decode_pool *pool)
{
    return pool->next - pool->first < pool->size - 1;
}

void cm_decode_pool_submit(struct cm_decode_pool *pool, const char *source, const char *bytes,
                           size_t len, uint64_t first_line)
{
    CM_ASSERT(cm_decode_pool_has_room(pool));
    struct block *block = &pool->ring[pool->next % pool->size];
    block->bytes.len = 0;
    cm_text_add(&block->bytes, bytes, len);
    block->first_line = first_line;
    block->decoded.source = source;
    pthread_mutex_lock(&pool->mutex);
    block->state = BLOCK_WAITING;
    pool->next++;
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
}

const struct cm_decoded_block *cm_decode_pool_next(struct cm_decode_pool *pool)
{
    if (pool->first == pool->next) {
        return NULL;
    }
    struct block *block = &pool->ring[pool->first % pool->size];
    pthread_mutex_lock(&pool->mutex);
    while (block->state != BLOCK_DONE) {
        struct block *mine = claim(pool);
        if (mine == NULL) {
            pthread_cond_wait(&pool->done, &pool->mutex);
            continue;
        }
        pthread_mutex_unlock(&pool->mutex);
        decode_block(mine);
        pthread_mutex_lock(&pool->mutex);
        mine->state = BLOCK_DONE;
    }
    block->state = BLOCK_FREE;
    pool->first++;
    pthread_mutex_unlock(&pool->mutex);
    /* How many lines the blocks before it had is known only now. */
    struct cm_decoded_block *decoded = &block->decoded;
    decoded->first_line = block->first_line > 0 ? block->first_line : pool->next_line;
    pool->next_line = decoded->first_line + decoded->lines;
    return decoded;
}
