// SPDX-License-Identifier: Apache-2.0
/* layout_read.h — what the readers of layout.c and layout_avx512.c share: values one at a time.
 * Private to them.
 *
 * Findings are gathered in a word of bits and looked at once, at the end: a branch that is seldom
 * taken costs little, but there would be fifty of them. */
#ifndef CM_DECODE_LAYOUT_READ_H
#define CM_DECODE_LAYOUT_READ_H

#include <string.h>

#include "base/compiler.h"
#include "decode/layout.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2,bmi,bmi2")))
#endif

#define ALWAYS static inline __attribute__((always_inline))

/* What is seldom needed; work->begin, end and len are set. */

/* The words, where one has not been met lately. */
bool cm_layout_learn_words(const struct cm_layout *layout, struct cm_layout_work *work,
                           const char *bytes, struct cm_event *event);
/* What the general scanner has to say about values that have no slot. Returns how many quotes they
 * hold; UINT32_MAX: I cannot tell. */
uint32_t cm_layout_read_others(const struct cm_layout *layout, const struct cm_layout_work *work,
                               const char *bytes);
/* A time in letters. false: none, or out of range. */
bool cm_layout_read_time_text(const char *begin, uint32_t len, int64_t *out);

#if defined(__x86_64__)
cm_layout_reader cm_layout_read_wide, cm_layout_read_avx512;
#endif

/* The last 0 .. 8 bytes of a word. */
extern const uint64_t cm_layout_last_bytes[9];
/* Sixteen zeros, sixteen bytes of ones. */
extern const uint8_t cm_layout_zeros_ones[32];
/* Flags by two bits of the fourth byte from the end. */
struct cm_layout_flag {
    uint64_t word;
    int64_t value;
};
extern const struct cm_layout_flag cm_layout_flags[4];

ALWAYS cm_bytes16 load16(const void *bytes)
{
    cm_bytes16 here;
    memcpy(&here, bytes, sizeof here);
    return here;
}

/* The value of eight digits, 0 .. 9 a byte, the first lowest. */
ALWAYS uint64_t join_digits(uint64_t digits)
{
    digits = digits * 10 + (digits >> 8);
    uint64_t even = (digits & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064);
    uint64_t odd = ((digits >> 16) & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001);
    return (even + odd) >> 32;
}

/* Not zero when one of the bytes is no digit. */
ALWAYS uint64_t no_digits(uint64_t digits)
{
    return ((digits + CM_JSON_ONES * 0x76) | digits) & CM_JSON_HIGHS;
}

/* The last `len` <= 8 digits before `end`, zeros before them. */
ALWAYS uint64_t load_digits(const char *end, uint32_t len)
{
    return (cm_json_load(end - 8) ^ (CM_JSON_ONES * '0')) & cm_layout_last_bytes[len];
}

#define WORD4(a, b, c, d)                                                                          \
    ((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24)

/* As the last bytes of a word. */
#define CM_LAYOUT_TRUE  (WORD4('t', 'r', 'u', 'e') << 32)
#define CM_LAYOUT_FALSE (WORD4('f', 'a', 'l', 's') << 24 | (uint64_t)'e' << 56)
#define CM_LAYOUT_NULL  (WORD4('n', 'u', 'l', 'l') << 32)

/* 1 `true`, 0 `false`, -1 `null` of 4 or 5 bytes; else bad. The fourth byte from the end tells
 * which it must be. */
ALWAYS int32_t read_flag(const char *end, uint32_t len, uint64_t *bad)
{
    uint64_t word = cm_json_load(end - 8) & cm_layout_last_bytes[len];
    uint32_t which = (uint32_t)(word >> 32) & 3;
    *bad |= word ^ cm_layout_flags[which].word;
    return (int32_t)cm_layout_flags[which].value;
}

/* A word of 1 .. 16 bytes before `end`, zeros before it, and its slot in the table of its list. The
 * factor was found by trial: no two words of a list share a slot. */
ALWAYS cm_bytes16 load_word(const char *end, uint32_t len, uint32_t *slot)
{
    cm_bytes16 word = load16(end - 16) & load16(cm_layout_zeros_ones + len);
    *slot = (uint32_t)((word[1] * UINT64_C(0x16f134f956e51af5)) >> 60);
    return word;
}

ALWAYS bool read_words(const struct cm_layout *layout, struct cm_layout_work *work,
                       const char *bytes, struct cm_event *event)
{
    cm_bytes16 differs = {0};
    for (uint32_t i = 0; i < layout->words_count; i++) {
        const struct cm_layout_word *word = &layout->words[i];
        uint32_t slot;
        cm_bytes16 loaded =
            load_word(bytes + work->end[word->lane], (uint32_t)work->len[word->lane], &slot);
        differs |= loaded ^ work->words.words[word->list + slot];
        *((uint8_t *)event + word->member) = work->words.values[word->list + slot];
    }
    return CM_LIKELY((differs[0] | differs[1]) == 0) ||
           cm_layout_learn_words(layout, work, bytes, event);
}

/* An integer 0 .. CM_RATING_MAX. */
ALWAYS int8_t read_rating(const char *end, uint32_t len, uint64_t *bad)
{
    uint64_t digits = load_digits(end, len);
    uint64_t rating = join_digits(digits);
    bool leading_zero = len > 1 && end[-(ptrdiff_t)len] == '0';
    *bad |= no_digits(digits) | (uint64_t)(leading_zero || rating > CM_RATING_MAX);
    return (int8_t)rating;
}

#if defined(__x86_64__)
AVX2 ALWAYS __m256i join_halves(const void *low, const void *high)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(low)),
                                   _mm_loadu_si128(high), 1);
}

/* Four runs, two in a vector. Zeros when the bytes hold them. Their places, none of them negative,
 * come with one load: loads are what there is most of. */
AVX2 ALWAYS __m256i four_differ_wide(const struct cm_layout *layout, const int16_t *run,
                                     const char *bytes, uint32_t k)
{
    uint64_t four = cm_json_load((const char *)(run + k));
    __m256i low = join_halves(bytes + (uint16_t)four, bytes + (uint16_t)(four >> 16));
    __m256i high = join_halves(bytes + (uint16_t)(four >> 32), bytes + (four >> 48));
    low = _mm256_and_si256(low, _mm256_loadu_si256((const void *)(layout->masks + k)));
    high = _mm256_and_si256(high, _mm256_loadu_si256((const void *)(layout->masks + k + 2)));
    low = _mm256_xor_si256(low, _mm256_loadu_si256((const void *)(layout->stills + k)));
    high = _mm256_xor_si256(high, _mm256_loadu_si256((const void *)(layout->stills + k + 2)));
    return _mm256_or_si256(low, high);
}

/* Milliseconds of 10 .. 15 digits. */
AVX2 ALWAYS int64_t read_ms_wide(const char *end, int32_t len, uint64_t *bad)
{
    __m128i digits = _mm_loadu_si128((const void *)(end - 16));
    digits = _mm_xor_si128(digits, _mm_set1_epi8('0'));
    digits = _mm_and_si128(digits, _mm_loadu_si128((const void *)(cm_layout_zeros_ones + len)));
    __m128i others = _mm_subs_epu8(digits, _mm_set1_epi8(9));
    __m128i twos = _mm_maddubs_epi16(digits, _mm_set1_epi16(10 | 1 << 8));
    __m128i fours = _mm_madd_epi16(twos, _mm_set1_epi32(100 | 1 << 16));
    __m128i eights =
        _mm_madd_epi16(_mm_packus_epi32(fours, fours), _mm_set1_epi32(10000 | 1 << 16));
    uint64_t both = (uint64_t)_mm_cvtsi128_si64(eights);
    uint64_t value = (both & UINT32_MAX) * 100000000 + (both >> 32);
    bool leading_zero = end[-(ptrdiff_t)len] == '0';
    *bad |= (uint64_t)(!_mm_testz_si128(others, others) | leading_zero);
    *bad |= (uint64_t)(value > (uint64_t)CM_TS_MS_MAX);
    return (int64_t)value;
}

#endif

#endif
