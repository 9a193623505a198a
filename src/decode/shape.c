// SPDX-License-Identifier: Apache-2.0
/* shape.c — see shape.h.
 *
 * Where vectors are narrow, a kernel turns 64 bytes into two words of bits, quotes and commas; what
 * follows is the same for all. Wide ones compare bytes with those before them instead. The record's
 * end is met by reading its last 64 bytes once more and leaving out what has been seen, so that no
 * byte outside is touched. */
#include "decode/shape.h"

#include <string.h>

#include "base/compiler.h"
#include "decode/json_scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define ON_X86 1
#else
#define ON_X86 0
#endif

#define STRIDE 64u
#define ALWAYS static inline __attribute__((always_inline))

/* Kept out of the shape, so that its stores do not get in between. */
struct progress {
    uint64_t commas; /* of the stride before */
    uint32_t at;     /* bytes done */
    uint32_t count, quotes;
};

/* Writes the positions of these bits, `base` added, from out on. Eight are written whether they are
 * there or not: there are seldom more, so the branch behind them is predicted. */
ALWAYS void spread(uint64_t bits, uint32_t base, uint16_t *out, uint32_t count)
{
    const uint64_t last = UINT64_C(1) << 63; /* C gives zero no lowest bit */
#pragma GCC unroll 8
    for (uint32_t i = 0; i < 8; i++) {
        out[i] = (uint16_t)(base + (uint32_t)__builtin_ctzll(bits | last));
        bits &= bits - 1;
    }
    if (CM_UNLIKELY(count > 8)) {
        for (uint32_t i = 8; i < count; i++) {
            out[i] = (uint16_t)(base + (uint32_t)__builtin_ctzll(bits));
            bits &= bits - 1;
        }
    }
}

/* The anchors of one stride. */
ALWAYS uint64_t take(struct progress *done, uint64_t quotes, uint64_t commas)
{
    uint64_t behind = commas << 1 | done->commas >> 63 | commas << 2 | done->commas >> 62;
    done->quotes += (uint32_t)__builtin_popcountll(quotes);
    done->commas = commas;
    return quotes & behind;
}

/* One stride: LOOK(p, &quotes, &commas) is the kernel's own. `seen` bytes at p have been done. */
#define STEP(LOOK, p, seen)                                                                        \
    do {                                                                                           \
        uint64_t quotes;                                                                           \
        uint64_t commas;                                                                           \
        LOOK((p), &quotes, &commas);                                                               \
        uint64_t anchors = take(&done, quotes >> (seen), commas >> (seen));                        \
        uint32_t count = (uint32_t)__builtin_popcountll(anchors);                                  \
        spread(anchors, done.at, at + done.count, count);                                          \
        done.count += count;                                                                       \
        done.at += STRIDE - (seen);                                                                \
    } while (0)

/* The whole record; no more anchors than there is room for. */
#define WALK(LOOK)                                                                                 \
    struct progress done = {0};                                                                    \
    uint16_t *at = shape->at + 1;                                                                  \
    while (done.at + STRIDE <= len && done.count <= CM_SHAPE_ANCHORS_MAX) {                        \
        STEP(LOOK, bytes + done.at, 0);                                                            \
    }                                                                                              \
    if (done.at < len && done.count <= CM_SHAPE_ANCHORS_MAX) {                                     \
        uint32_t seen = STRIDE - ((uint32_t)len - done.at);                                        \
        STEP(LOOK, bytes + len - STRIDE, seen);                                                    \
    }                                                                                              \
    at[done.count] = (uint16_t)len;                                                                \
    shape->at[0] = 0;                                                                              \
    shape->count = done.count;                                                                     \
    shape->quotes = done.quotes

/* ---- words of 64 bits ---- */

/* Eight bits, one for each byte of the word that is `c`. */
ALWAYS uint64_t bytes_equal(uint64_t word, unsigned char c)
{
    const uint64_t lows = ~CM_JSON_HIGHS;
    uint64_t other = word ^ (CM_JSON_ONES * c);
    uint64_t zero = ~(((other & lows) + lows) | other) & CM_JSON_HIGHS; /* exact: no borrow */
    return ((zero >> 7) * UINT64_C(0x0102040810204080)) >> 56;
}

struct swar {
    uint64_t all, specials;
};

ALWAYS void look_swar(struct swar *swar, const char *p, uint64_t *quotes, uint64_t *commas)
{
    *quotes = 0;
    *commas = 0;
    for (uint32_t i = 0; i < STRIDE; i += 8) {
        uint64_t word = cm_json_load(p + i);
        uint64_t slash = word ^ (CM_JSON_ONES * '\\');
        *quotes |= bytes_equal(word, '"') << i;
        *commas |= bytes_equal(word, ',') << i;
        swar->all |= word;
        swar->specials |= (slash - CM_JSON_ONES) & ~slash;
        swar->specials |= (word - CM_JSON_ONES * 0x20) & ~word;
    }
}

static void shape_swar(const char *bytes, size_t len, struct cm_shape *shape)
{
    struct swar swar = {0, 0};
#define LOOK(p, q, c) look_swar(&swar, (p), (q), (c))
    WALK(LOOK);
#undef LOOK
    shape->plain = (swar.specials & CM_JSON_HIGHS) == 0;
    shape->ascii = (swar.all & CM_JSON_HIGHS) == 0;
}

#if ON_X86
#define AVX2   __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define AVX512 __attribute__((target("avx2,avx512f,avx512bw,avx512vl,avx512vbmi2,bmi,bmi2,popcnt")))

/* ---- 16 bytes: every x86-64 ---- */

struct sse {
    __m128i all, slashes, least;
};

ALWAYS void look_sse(struct sse *sse, const char *p, uint64_t *quotes, uint64_t *commas)
{
    *quotes = 0;
    *commas = 0;
#pragma GCC unroll 4
    for (uint32_t i = 0; i < STRIDE; i += 16) {
        __m128i here = _mm_loadu_si128((const void *)(p + i));
        __m128i quote = _mm_cmpeq_epi8(here, _mm_set1_epi8('"'));
        __m128i comma = _mm_cmpeq_epi8(here, _mm_set1_epi8(','));
        __m128i slash = _mm_cmpeq_epi8(here, _mm_set1_epi8('\\'));
        *quotes |= (uint64_t)(uint32_t)_mm_movemask_epi8(quote) << i;
        *commas |= (uint64_t)(uint32_t)_mm_movemask_epi8(comma) << i;
        sse->all = _mm_or_si128(sse->all, here);
        sse->slashes = _mm_or_si128(sse->slashes, slash);
        sse->least = _mm_min_epu8(sse->least, here);
    }
}

static void shape_sse2(const char *bytes, size_t len, struct cm_shape *shape)
{
    struct sse sse = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_set1_epi8(-1)};
#define LOOK(p, q, c) look_sse(&sse, (p), (q), (c))
    WALK(LOOK);
#undef LOOK
    /* Nothing is below 0x20 when the least bytes are not changed by a bound of 0x20. */
    __m128i well = _mm_cmpeq_epi8(_mm_max_epu8(sse.least, _mm_set1_epi8(0x20)), sse.least);
    shape->plain = _mm_movemask_epi8(_mm_andnot_si128(sse.slashes, well)) == 0xffff;
    shape->ascii = _mm_movemask_epi8(sse.all) == 0;
}

/* 0 .. 63 */
static const uint8_t places[STRIDE] CM_ALIGNED(64) = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
    44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

/* ---- 32 bytes ---- */

/* The processor that has no wider vectors is the usual one, so this kernel does without the words
 * of bits: whether a comma stands before is compared, too, by loads that begin one and two bytes
 * earlier, and quotes are counted in the lanes of a vector. */
struct avx2 {
    __m256i quote, comma, slash;
    __m256i quotes;  /* how many, a sum a lane; at most CM_SHAPE_BYTES_MOST / 32 */
    __m256i slashes; /* not zero where one was */
    __m256i least;   /* signed: what is beyond ASCII is below 0x20, too */
};
_Static_assert(CM_SHAPE_BYTES_MOST / 32 + 2 <= UINT8_MAX, "a lane counts to 255");

/* The anchors of 32 bytes, a bit each. `one` and `two`: the bytes that begin so much earlier. Bytes
 * whose `counts` are zero have been seen before. */
AVX2 static inline uint64_t look_avx2(struct avx2 *seen, __m256i here, __m256i one, __m256i two,
                                      __m256i counts)
{
    const __m256i comma = seen->comma;
    __m256i quotes = _mm256_and_si256(_mm256_cmpeq_epi8(here, seen->quote), counts);
    __m256i commas = _mm256_or_si256(_mm256_cmpeq_epi8(one, comma), _mm256_cmpeq_epi8(two, comma));
    __m256i slashes = _mm256_cmpeq_epi8(here, seen->slash);
    seen->quotes = _mm256_sub_epi8(seen->quotes, quotes);
    seen->slashes = _mm256_or_si256(seen->slashes, slashes);
    seen->least = _mm256_min_epi8(seen->least, here);
    return (uint32_t)_mm256_movemask_epi8(_mm256_and_si256(quotes, commas));
}

AVX2 static inline __m256i load_avx2(const void *p)
{
    return _mm256_loadu_si256(p);
}

/* Two or more bytes stand before p. */
AVX2 static inline uint64_t step_avx2(struct avx2 *seen, const char *p, __m256i counts)
{
    return look_avx2(seen, load_avx2(p), load_avx2(p - 1), load_avx2(p - 2), counts);
}

/* The first 32 bytes of the record: zeros stand before them. */
AVX2 static inline uint64_t start_avx2(struct avx2 *seen, const char *p)
{
    __m256i here = load_avx2(p);
    __m256i before = _mm256_permute2x128_si256(here, here, 0x08);
    return look_avx2(seen, here, _mm256_alignr_epi8(here, before, 15),
                     _mm256_alignr_epi8(here, before, 14), _mm256_set1_epi8(-1));
}

/* As spread(), but four at once: a member for every 16 bytes. `volatile` keeps gcc from gathering
 * the places in vectors, which takes twice as long. Returns how many there are. */
AVX2 static inline uint32_t spread_avx2(uint64_t bits, uint32_t base, volatile uint16_t *out)
{
    uint32_t count = (uint32_t)_mm_popcnt_u64(bits);
#pragma GCC unroll 4
    for (uint32_t i = 0; i < 4; i++) {
        out[i] = (uint16_t)(base + (uint32_t)_tzcnt_u64(bits));
        bits = _blsr_u64(bits);
    }
    for (uint32_t i = 4; CM_UNLIKELY(i < count); i++) {
        out[i] = (uint16_t)(base + (uint32_t)_tzcnt_u64(bits));
        bits = _blsr_u64(bits);
    }
    return count;
}

AVX2 static inline uint32_t sum_avx2(__m256i lanes)
{
    __m256i sums = _mm256_sad_epu8(lanes, _mm256_setzero_si256());
    __m128i two = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    return (uint32_t)_mm_cvtsi128_si32(two) + (uint32_t)_mm_extract_epi16(two, 4);
}

/* Something is beyond ASCII, a backslash or below 0x20: what? */
AVX2 static __attribute__((noinline)) void judge_avx2(const char *bytes, size_t len,
                                                      struct cm_shape *shape)
{
    const __m256i slash = _mm256_set1_epi8('\\');
    __m256i all = load_avx2(bytes + len - 32);
    __m256i least = all;
    __m256i slashes = _mm256_cmpeq_epi8(all, slash);
    for (size_t at = 0; at + 32 <= len; at += 32) {
        __m256i here = load_avx2(bytes + at);
        all = _mm256_or_si256(all, here);
        least = _mm256_min_epu8(least, here);
        slashes = _mm256_or_si256(slashes, _mm256_cmpeq_epi8(here, slash));
    }
    __m256i well = _mm256_cmpeq_epi8(_mm256_max_epu8(least, _mm256_set1_epi8(0x20)), least);
    shape->plain = _mm256_movemask_epi8(_mm256_andnot_si256(slashes, well)) == -1;
    shape->ascii = _mm256_movemask_epi8(all) == 0;
}

AVX2 static void shape_avx2(const char *bytes, size_t len, struct cm_shape *shape)
{
    const __m256i all = _mm256_set1_epi8(-1);
    struct avx2 seen = {.quote = _mm256_set1_epi8('"'),
                        .comma = _mm256_set1_epi8(','),
                        .slash = _mm256_set1_epi8('\\'),
                        .quotes = _mm256_setzero_si256(),
                        .slashes = _mm256_setzero_si256(),
                        .least = _mm256_set1_epi8(0x7f)};
    /* Kept in registers, not made anew for every part. */
    __asm__("" : "+x"(seen.quote), "+x"(seen.comma), "+x"(seen.slash));
    uint16_t *at = shape->at + 1;
    uint32_t base = STRIDE;
    uint64_t bits = start_avx2(&seen, bytes) | step_avx2(&seen, bytes + 32, all) << 32;
    uint32_t count = spread_avx2(bits, 0, at);
    for (; base + STRIDE <= len; base += STRIDE) {
        const char *p = bytes + base;
        bits = step_avx2(&seen, p, all) | step_avx2(&seen, p + 32, all) << 32;
        count += spread_avx2(bits, base, at + count);
    }
    if (CM_LIKELY(base < len)) {
        const char *p = bytes + len - STRIDE;
        const __m256i done = _mm256_set1_epi8((char)(STRIDE - 1 - (len - base)));
        bits = step_avx2(&seen, p, _mm256_cmpgt_epi8(load_avx2(places), done)) |
               step_avx2(&seen, p + 32, _mm256_cmpgt_epi8(load_avx2(places + 32), done)) << 32;
        count += spread_avx2(bits, (uint32_t)len - STRIDE, at + count);
    }
    at[count] = (uint16_t)len;
    shape->at[0] = 0;
    shape->count = count;
    shape->quotes = sum_avx2(seen.quotes);
    shape->plain = true;
    shape->ascii = true;
    __m256i odd =
        _mm256_or_si256(seen.slashes, _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), seen.least));
    if (CM_UNLIKELY(!_mm256_testz_si256(odd, odd))) {
        judge_avx2(bytes, len, shape);
    }
}

/* ---- 64 bytes ---- */

/* As for 32 bytes, commas before a quote are looked for by loads that begin earlier: compares under
 * a mask give the anchors as they are needed, and no word of bits is moved, shifted and moved back.
 */
struct avx512 {
    __m512i quote, comma, slash;
    __m512i slashes;        /* zero where one was */
    __m512i least;          /* signed: what is beyond ASCII is below 0x20, too */
    uint32_t quotes, count; /* quotes, anchors */
};

/* Writes the anchors' positions: up to sixteen in one store. Returns how many there are. */
AVX512 static inline uint32_t spread_avx512(uint64_t anchors, uint32_t base, uint16_t *out)
{
    uint32_t count = (uint32_t)_mm_popcnt_u64(anchors);
    __m512i found = _mm512_maskz_compress_epi8(anchors, _mm512_load_si512(places));
    const __m256i bases = _mm256_set1_epi16((short)base);
    __m256i wide = _mm256_cvtepu8_epi16(_mm512_castsi512_si128(found));
    _mm256_storeu_si256((void *)out, _mm256_add_epi16(wide, bases));
    if (CM_UNLIKELY(count > 16)) { /* `,"","",""` has two anchors in three bytes: up to 43 */
        wide = _mm256_cvtepu8_epi16(_mm512_extracti32x4_epi32(found, 1));
        _mm256_storeu_si256((void *)(out + 16), _mm256_add_epi16(wide, bases));
        wide = _mm256_cvtepu8_epi16(_mm512_extracti32x4_epi32(found, 2));
        _mm256_storeu_si256((void *)(out + 32), _mm256_add_epi16(wide, bases));
    }
    return count;
}

AVX512 static inline __m512i load_avx512(const void *p)
{
    return _mm512_loadu_si512(p);
}

/* The quotes among those bytes of `here` that are `fresh`. */
AVX512 static inline __mmask64 look_avx512(struct avx512 *seen, __m512i here, __mmask64 fresh)
{
    __mmask64 quotes = _mm512_mask_cmpeq_epi8_mask(fresh, here, seen->quote);
    seen->quotes += (uint32_t)_mm_popcnt_u64(quotes);
    seen->slashes = _mm512_min_epu8(seen->slashes, _mm512_xor_si512(here, seen->slash));
    seen->least = _mm512_min_epi8(seen->least, here);
    return quotes;
}

/* 64 bytes, of which the fresh have not been seen; two or more bytes stand before p. */
AVX512 static inline void step_avx512(struct avx512 *seen, const char *p, uint32_t base,
                                      __mmask64 fresh, uint16_t *at)
{
    __mmask64 quotes = look_avx512(seen, load_avx512(p), fresh);
    __mmask64 anchors = _mm512_mask_cmpeq_epi8_mask(quotes, load_avx512(p - 1), seen->comma) |
                        _mm512_mask_cmpeq_epi8_mask(quotes, load_avx512(p - 2), seen->comma);
    seen->count += spread_avx512(anchors, base, at + seen->count);
}

/* The first 64 bytes of the record. */
AVX512 static inline void start_avx512(struct avx512 *seen, const char *p, uint16_t *at)
{
    __m512i here = load_avx512(p);
    __mmask64 quotes = look_avx512(seen, here, UINT64_MAX);
    __mmask64 commas = _mm512_cmpeq_epi8_mask(here, seen->comma);
    seen->count = spread_avx512(quotes & (commas << 1 | commas << 2), 0, at);
}

/* Something is beyond ASCII, a backslash or below 0x20: what? */
AVX512 static __attribute__((noinline)) void judge_avx512(const char *bytes, size_t len,
                                                          uint64_t slashes, struct cm_shape *shape)
{
    const __m512i bound = _mm512_set1_epi8(0x20);
    __m512i here = load_avx512(bytes + len - STRIDE);
    uint64_t high = _mm512_movepi8_mask(here);
    uint64_t low = _mm512_cmplt_epu8_mask(here, bound);
    for (size_t at = 0; at + STRIDE <= len; at += STRIDE) {
        here = load_avx512(bytes + at);
        high |= _mm512_movepi8_mask(here);
        low |= _mm512_cmplt_epu8_mask(here, bound);
    }
    shape->plain = (slashes | low) == 0;
    shape->ascii = high == 0;
}

AVX512 static void shape_avx512(const char *bytes, size_t len, struct cm_shape *shape)
{
    struct avx512 seen = {.quote = _mm512_set1_epi8('"'),
                          .comma = _mm512_set1_epi8(','),
                          .slash = _mm512_set1_epi8('\\'),
                          .slashes = _mm512_set1_epi8(-1),
                          .least = _mm512_set1_epi8(0x7f)};
    /* Kept in registers, not made anew for every part. */
    __asm__("" : "+v"(seen.quote), "+v"(seen.comma), "+v"(seen.slash));
    uint16_t *at = shape->at + 1;
    uint32_t base = STRIDE;
    start_avx512(&seen, bytes, at);
    for (; base + STRIDE <= len; base += STRIDE) {
        step_avx512(&seen, bytes + base, base, UINT64_MAX, at);
    }
    if (CM_LIKELY(base < len)) {
        uint32_t last = (uint32_t)len - STRIDE;
        step_avx512(&seen, bytes + last, last, UINT64_MAX << (base - last), at);
    }
    at[seen.count] = (uint16_t)len;
    shape->at[0] = 0;
    shape->count = seen.count;
    shape->quotes = seen.quotes;
    shape->plain = true;
    shape->ascii = true;
    uint64_t slashes = _mm512_testn_epi8_mask(seen.slashes, seen.slashes);
    uint64_t odd = slashes | _mm512_cmplt_epi8_mask(seen.least, _mm512_set1_epi8(0x20));
    if (CM_UNLIKELY(odd != 0)) {
        judge_avx512(bytes, len, slashes, shape);
    }
}
#endif

/* ---- choice ---- */

/* The best comes first. */
static const struct cm_shape_kernel kernels[] = {
#if ON_X86
    {"avx512", 64, shape_avx512},
    {"avx2", 32, shape_avx2},
    {"sse2", 16, shape_sse2},
#endif
    {"swar", 8, shape_swar},
};

static bool runs_here(const struct cm_shape_kernel *kernel)
{
    bool runs = true;
#if ON_X86
    __builtin_cpu_init();
    if (kernel->vector_bytes >= 32) {
        runs = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
               __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
    }
    if (kernel->vector_bytes == 64) {
        runs = runs && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512vbmi2");
    }
#else
    (void)kernel;
#endif
    return runs;
}

const struct cm_shape_kernel *cm_shape_find(const char *name)
{
    for (uint32_t i = 0; i < CM_ARRAY_LEN(kernels); i++) {
        if (strcmp(kernels[i].name, name) == 0 && runs_here(&kernels[i])) {
            return &kernels[i];
        }
    }
    return NULL;
}

const struct cm_shape_kernel *cm_shape_best(void)
{
    for (uint32_t i = 0; i < CM_ARRAY_LEN(kernels); i++) {
        if (kernels[i].look != shape_swar && runs_here(&kernels[i])) {
            return &kernels[i];
        }
    }
    return NULL;
}
