// SPDX-License-Identifier: Apache-2.0
/* words.h — short texts as two words: compared and hashed without a loop and without a call.
 *
 * THREADS   Any.
 */
#ifndef CM_BASE_WORDS_H
#define CM_BASE_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define CM_WORDS_BYTES 16u /* as long as a text may be */

/* The bytes of a short text, some of them twice: with its length they say all of it. */
struct cm_words {
    uint64_t a, b;
};

static inline uint64_t cm_load_64(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return word;
}

static inline uint32_t cm_load_32(const char *p)
{
    uint32_t word;
    memcpy(&word, p, sizeof(word));
    return word;
}

/* len: 0 to CM_WORDS_BYTES; p may be NULL when it is 0. */
static inline struct cm_words cm_words_of(const char *p, uint32_t len)
{
    if (len >= 8) {
        return (struct cm_words){cm_load_64(p), cm_load_64(p + len - 8)};
    }
    if (len >= 4) {
        return (struct cm_words){cm_load_32(p), cm_load_32(p + len - 4)};
    }
    if (len == 0) {
        return (struct cm_words){0, 0};
    }
    return (struct cm_words){(uint8_t)p[0],
                             (uint64_t)(uint8_t)p[len / 2] << 8 | (uint8_t)p[len - 1]};
}

/* Whether those are the words of a text of that length. */
static inline bool cm_words_are(struct cm_words words, const char *p, uint32_t len)
{
    if (len >= 8) {
        return cm_load_64(p) == words.a && cm_load_64(p + len - 8) == words.b;
    }
    if (len >= 4) {
        return cm_load_32(p) == words.a && cm_load_32(p + len - 4) == words.b;
    }
    struct cm_words there = cm_words_of(p, len);
    return there.a == words.a && there.b == words.b;
}

#endif
