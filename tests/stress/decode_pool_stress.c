// SPDX-License-Identifier: Apache-2.0
/* decode_pool_stress.c — the decode pool under many threads and uneven blocks, and shares merged
 * while their workers decode: made to be run under ThreadSanitizer (preset tsan).
 *
 * Usage: decode_pool_stress [ROUNDS]. Exit status 1 when a block came out of order or not whole.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/prng.h"
#include "engine/decode_pool.h"
#include "engine/merge.h"

enum { BLOCKS = 400, PIPELINES = 3, TEAMS = 5 };

struct pipeline {
    uint32_t index, threads;
    uint64_t seed;
    uint64_t answered[TEAMS]; /* of all its legs */
    bool failed;
};

static void fill(struct cm_text *text, struct cm_prng *prng, uint64_t *number)
{
    uint64_t lines = cm_prng_below(prng, 10) == 0 ? 400 : cm_prng_below(prng, 9);
    text->len = 0;
    for (uint64_t i = 0; i <= lines; i++) {
        if (cm_prng_below(prng, 20) == 0) {
            cm_text_adds(text, cm_prng_below(prng, 2) == 0 ? "no record\n" : "\n");
        }
        uint64_t n = (*number)++;
        cm_text_addf(text,
                     "{\"type\":\"cdr\",\"id\":\"e%" PRIu64 "\",\"ts\":%" PRIu64
                     ",\"outcome\":\"answered\",\"seat\":\"\\u0073%" PRIu64 "\"}\n",
                     n, n, n % TEAMS);
    }
}

/* Every event in the order of its number; escapes make the decoder use its scratch. */
static void take(struct pipeline *p, const struct cm_decoded_block *block, uint64_t *expected)
{
    for (uint32_t i = 0; i < block->count; i++) {
        const struct cm_decoded *decoded = &block->at[i];
        if (decoded->reason != CM_REASON_NONE) {
            continue;
        }
        uint64_t n = (*expected)++;
        char digit = (char)('0' + n % TEAMS);
        if ((uint64_t)decoded->event.ts_ms != n || decoded->event.seat.len != 2 ||
            decoded->event.seat.p[0] != 's' || decoded->event.seat.p[1] != digit) {
            p->failed = true;
        }
        p->answered[n % TEAMS]++;
    }
}

static void *run(void *context)
{
    struct pipeline *p = context;
    struct cm_decode_pool *pool = cm_decode_pool_create(p->threads);
    struct cm_text text = {0};
    struct cm_prng prng;
    uint64_t number = 0, expected = 0, line = 1;
    cm_prng_seed(&prng, p->seed);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        while (!cm_decode_pool_has_room(pool) || cm_prng_below(&prng, 3) == 0) {
            const struct cm_decoded_block *block = cm_decode_pool_next(pool);
            if (block == NULL) {
                break;
            }
            take(p, block, &expected);
        }
        fill(&text, &prng, &number);
        cm_decode_pool_submit(pool, "stress", text.data, text.len, line++);
    }
    /* Now and then everything is given up with blocks on the way. */
    const struct cm_decoded_block *block = NULL;
    while (p->seed % 4 != 3 && (block = cm_decode_pool_next(pool)) != NULL) {
        take(p, block, &expected);
    }
    p->failed = p->failed || (p->seed % 4 != 3 && expected != number);
    cm_decode_pool_destroy(pool);
    cm_text_free(&text);
    return NULL;
}

/* The sum of the pipelines' shares is what all of them together have counted. */
static bool merged_right(struct pipeline *pipelines)
{
    struct cm_merge *merge = cm_merge_create(PIPELINES, 1);
    bool right = true;
    for (uint32_t team = 0; team < TEAMS; team++) {
        char id = (char)('0' + team);
        struct cm_unit_key key = {CM_KIND_TEAM, {&id, 1}};
        uint64_t wanted = 0;
        const struct cm_measures *sum = NULL;
        for (uint32_t p = 0; p < PIPELINES; p++) {
            struct cm_measures m = {.busy_ms = 0};
            m.tally.answered = (uint32_t)pipelines[p].answered[team];
            cm_hist_add(&m.handle, team, m.tally.answered);
            wanted += m.tally.answered;
            sum = cm_merge_put(merge, p, &key, 0, 10, &m);
        }
        right = right && sum->tally.answered == wanted;
    }
    cm_merge_destroy(merge);
    return right;
}

int main(int argc, char **argv)
{
    uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 4;
    for (uint64_t round = 0; round < rounds; round++) {
        struct pipeline pipelines[PIPELINES] = {{0}};
        pthread_t threads[PIPELINES];
        for (uint32_t i = 0; i < PIPELINES; i++) {
            pipelines[i].index = i;
            pipelines[i].threads = 1 + (uint32_t)((round + i) % 4);
            pipelines[i].seed = round * PIPELINES + i;
            if (pthread_create(&threads[i], NULL, run, &pipelines[i]) != 0) {
                fprintf(stderr, "cannot start a thread\n");
                return 1;
            }
        }
        for (uint32_t i = 0; i < PIPELINES; i++) {
            pthread_join(threads[i], NULL);
        }
        for (uint32_t i = 0; i < PIPELINES; i++) {
            if (pipelines[i].failed) {
                fprintf(stderr, "round %" PRIu64 ": pipeline %u lost or swapped records\n", round,
                        i);
                return 1;
            }
        }
        if (!merged_right(pipelines)) {
            fprintf(stderr, "round %" PRIu64 ": the merged sum is wrong\n", round);
            return 1;
        }
    }
    return 0;
}
