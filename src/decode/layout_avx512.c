// SPDX-License-Identifier: Apache-2.0
/* layout_avx512.c — reading by a layout with vectors of 64 bytes; see layout.h.
 *
 * All lanes are in one vector or two, so that one permutation brings the values of a kind into the
 * order in which the event has them; counts, texts and checks are then written by whole vectors.
 *
 *   lanes   id ts call wait talk …
 *            └──┬────┘    └──┬──┘        one permutation
 *   slots    id call seat …  wait ring talk …     ──► event, zeros where there is none
 */
#include <stddef.h>
#include <string.h>

#include "decode/layout_read.h"

#if defined(__x86_64__)
#define AVX512 __attribute__((target("avx2,avx512f,avx512bw,avx512vl,bmi,bmi2")))
#define WIDE   AVX512 ALWAYS

#define LANES     32u /* of a vector */
#define LANES_TWO 63u /* so many, and the place behind the last, are in two vectors */
#define COUNTS    8u
#define TEXTS     10u

/* The event's members as the vectors write them. */
#define AT(member) offsetof(struct cm_event, member)
_Static_assert(AT(ts_ms) == 8 && AT(wait_ms) == 16, "what stands still in a layout comes first");
_Static_assert(AT(rev) - AT(wait_ms) == (COUNTS - 1) * sizeof(uint32_t), "counts lie together");
_Static_assert(AT(id) == AT(rev) + sizeof(uint32_t), "texts come behind them");
_Static_assert(AT(kind) - AT(id) == (TEXTS - 1) * sizeof(struct cm_str), "texts lie together");
_Static_assert(AT(checks) == AT(kind) + sizeof(struct cm_str), "checks come last");
_Static_assert(sizeof(struct cm_str) == 16 && sizeof(struct cm_check) == 24, "words of eight");

/* Lanes 0 .. 31, 32 .. 63. */
struct lanes {
    __m512i at[2], begin[2], len[2];
};

WIDE __m512i load64(const void *p)
{
    return _mm512_loadu_si512(p);
}

/* The lanes of one vector. Returns a bit for each that has a length it may not have. */
WIDE __mmask32 place_vector(const struct cm_layout *layout, struct cm_layout_work *work,
                            struct lanes *lanes, uint32_t part)
{
    uint32_t k = part * LANES;
    __m512i at = load64(work->shape->at + k);
    __m512i next = load64(work->shape->at + k + 1);
    __m512i begin = _mm512_add_epi16(at, load64(layout->fore + k));
    __m512i end = _mm512_sub_epi16(next, load64(layout->back + k));
    __m512i len = _mm512_sub_epi16(end, begin);
    __m512i run = _mm512_sub_epi16(next, load64(layout->hold + k));
    run = _mm512_and_si512(run, load64(layout->real + k));
    lanes->at[part] = at;
    lanes->begin[part] = begin;
    lanes->len[part] = len;
    _mm512_storeu_si512(work->begin + k, begin);
    _mm512_storeu_si512(work->end + k, end);
    _mm512_storeu_si512(work->len + k, len);
    _mm512_storeu_si512(work->run + k, run);
    return _mm512_cmplt_epi16_mask(len, load64(layout->least + k)) |
           _mm512_cmpgt_epi16_mask(len, load64(layout->most + k));
}

WIDE bool place_all(const struct cm_layout *layout, struct cm_layout_work *work,
                    struct lanes *lanes)
{
    __mmask32 bad = place_vector(layout, work, lanes, 0);
    if (CM_LIKELY(layout->lanes < LANES)) {
        lanes->at[1] = lanes->begin[1] = lanes->len[1] = _mm512_setzero_si512();
    } else {
        bad |= place_vector(layout, work, lanes, 1);
    }
    /* Behind the lanes' own runs come those that have a place; behind them, at 0, empty ones. */
    for (uint32_t i = 0; i < layout->places_count; i += LANES) {
        __m512i anchors =
            _mm512_permutex2var_epi16(lanes->at[0], load64(layout->place_lane + i), lanes->at[1]);
        _mm512_storeu_si512(work->run + layout->own + i,
                            _mm512_add_epi16(anchors, load64(layout->place_offset + i)));
    }
    return bad == 0;
}

/* All runs, the lanes' own and those that have places. */
WIDE bool runs_differ(const struct cm_layout *layout, const struct cm_layout_work *work,
                      const char *bytes)
{
    __m256i differs = _mm256_setzero_si256();
    uint32_t count = layout->own + layout->places_count;
    for (uint32_t i = 0; i < count; i += 4) {
        differs = _mm256_or_si256(differs, four_differ_wide(layout, work->run, bytes, i));
    }
    return !_mm256_testz_si256(differs, differs);
}

/* The counts, of which `ends` and `lens` are the first eight. Returns whether they are such
 * numbers: integers of 1 .. 8 digits, or none. */
WIDE bool read_counts_512(const uint16_t *ends, const uint16_t *lens, const char *bytes,
                          struct cm_event *event)
{
#define WORD(i) (long long)cm_json_load(bytes + ends[i] - 8)
    __m512i digits =
        _mm512_set_epi64(WORD(7), WORD(6), WORD(5), WORD(4), WORD(3), WORD(2), WORD(1), WORD(0));
#undef WORD
    /* The last `len` bytes of each. */
    __m512i len = _mm512_cvtepu16_epi64(_mm_loadu_si128((const void *)lens));
    __m512i without = _mm512_sub_epi64(_mm512_set1_epi64(64), _mm512_slli_epi64(len, 3));
    __m512i mask = _mm512_sllv_epi64(_mm512_set1_epi64(-1), without);
    digits = _mm512_and_si512(_mm512_xor_si512(digits, _mm512_set1_epi8('0')), mask);
    /* A zero that comes first, when it is not the last byte, too. */
    __m512i first = _mm512_andnot_si512(_mm512_slli_epi64(mask, 8), mask);
    first = _mm512_and_si512(first, _mm512_set1_epi64(INT64_MAX >> 7));
    __mmask8 zero =
        _mm512_mask_testn_epi64_mask(_mm512_test_epi64_mask(first, first), digits, first);
    __mmask64 others = _mm512_cmpgt_epu8_mask(digits, _mm512_set1_epi8(9));
    /* Pairs, fours, eights. */
    __m512i twos = _mm512_maddubs_epi16(digits, _mm512_set1_epi16(10 | 1 << 8));
    __m512i fours = _mm512_madd_epi16(twos, _mm512_set1_epi32(100 | 1 << 16));
    __m512i eights =
        _mm512_madd_epi16(_mm512_packus_epi32(fours, fours), _mm512_set1_epi32(10000 | 1 << 16));
    eights = _mm512_permutexvar_epi64(_mm512_set_epi64(0, 0, 0, 0, 6, 4, 2, 0), eights);
    _mm256_storeu_si256((void *)&event->wait_ms, _mm512_castsi512_si256(eights));
    return (others | zero) == 0;
}

/* Texts, pointer and length in turns. */
WIDE void read_texts_512(const uint16_t *begins, const uint16_t *lens, uint32_t there,
                         const char *bytes, struct cm_event *event)
{
    const __m512i low = _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0);
    const __m512i high = _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4);
    const __m512i base = _mm512_set1_epi64((long long)(uintptr_t)bytes);
    __m512i begin = _mm512_cvtepu16_epi64(_mm_loadu_si128((const void *)begins));
    __m512i len = _mm512_cvtepu16_epi64(_mm_loadu_si128((const void *)lens));
    begin = _mm512_maskz_add_epi64((__mmask8)there, begin, base);
    _mm512_storeu_si512(&event->id, _mm512_permutex2var_epi64(begin, low, len));
    _mm512_storeu_si512(&event->id + 4, _mm512_permutex2var_epi64(begin, high, len));
    begin = _mm512_cvtepu16_epi64(_mm_loadu_si128((const void *)(begins + 8)));
    len = _mm512_cvtepu16_epi64(_mm_loadu_si128((const void *)(lens + 8)));
    begin = _mm512_maskz_add_epi64((__mmask8)(there >> 8), begin, base);
    begin = _mm512_permutex2var_epi64(begin, low, len);
    _mm256_storeu_si256((void *)&event->case_id, _mm512_castsi512_si256(begin));
}

/* Counts and texts, and what the event is without its other values. */
WIDE bool read_slots(const struct cm_layout *layout, const struct lanes *lanes, const char *bytes,
                     struct cm_event *event)
{
    /* Where there is no value, eight bytes are loaded all the same, and these are in any record. */
    uint16_t begins[LANES], ends[LANES], lens[LANES];
    const __m512i index = load64(layout->slots);
    const __mmask32 there = layout->slots_there;
    __m512i len = _mm512_maskz_permutex2var_epi16(there, lanes->len[0], index, lanes->len[1]);
    __m512i begin = _mm512_permutex2var_epi16(lanes->begin[0], index, lanes->begin[1]);
    begin = _mm512_mask_blend_epi16(there, _mm512_set1_epi16(16), begin);
    _mm512_storeu_si512(begins, begin);
    _mm512_storeu_si512(ends, _mm512_add_epi16(begin, len));
    _mm512_storeu_si512(lens, len);
    memcpy(event, &layout->blank, AT(ts_ms));
    event->checks = NULL;
    event->checks_count = 0;
    read_texts_512(begins + COUNTS, lens + COUNTS, there >> COUNTS, bytes, event);
    if (layout->counts_count == 0 && !layout->rating_slot) {
        _mm256_storeu_si256((void *)&event->wait_ms, _mm256_setzero_si256());
        return true;
    }
    bool good = read_counts_512(ends, lens, bytes, event);
    if (layout->rating_slot) {
        good = good && event->rev <= CM_RATING_MAX;
        event->rating = (int8_t)event->rev;
        event->rev = 0;
    }
    return good;
}

#define FOUR(word)                                                                                 \
    {                                                                                              \
        (word), (word), (word), (word)                                                             \
    }
static const uint64_t yes[4] CM_ALIGNED(32) = FOUR(CM_LAYOUT_TRUE);
static const uint64_t no[4] CM_ALIGNED(32) = FOUR(CM_LAYOUT_FALSE);
static const uint64_t none[4] CM_ALIGNED(32) = FOUR(CM_LAYOUT_NULL);
#undef FOUR

WIDE __m256i four_words(const uint64_t *words)
{
    return _mm256_load_si256((const void *)words);
}

/* Four flags, `true`, `false` or `null`, as numbers 1, 0, -1; what is none of them is noted. */
WIDE __m256i read_four_flags(const uint16_t *ends, const uint16_t *lens, const char *bytes,
                             __m256i *good)
{
#define WORD(i) (long long)cm_json_load(bytes + ends[i] - 8)
    __m256i words = _mm256_set_epi64x(WORD(3), WORD(2), WORD(1), WORD(0));
#undef WORD
    __m256i len = _mm256_cvtepu16_epi64(_mm_loadl_epi64((const void *)lens));
    __m256i without = _mm256_sub_epi64(_mm256_set1_epi64x(64), _mm256_slli_epi64(len, 3));
    words = _mm256_and_si256(words, _mm256_sllv_epi64(_mm256_set1_epi64x(-1), without));
    __m256i is_yes = _mm256_cmpeq_epi64(words, four_words(yes));
    __m256i is_none = _mm256_cmpeq_epi64(words, four_words(none));
    __m256i is_no = _mm256_cmpeq_epi64(words, four_words(no));
    __m256i known = _mm256_or_si256(_mm256_or_si256(is_yes, is_none), is_no);
    *good = _mm256_and_si256(*good, known);
    return _mm256_sub_epi64(is_none, is_yes);
}

/* Four checks: name, its length and the result in turns. */
WIDE void write_four_checks(struct cm_check *checks, __m256i names, __m256i lens, __m256i results)
{
    char *out = (char *)checks;
    __m256i one = _mm256_permutex2var_epi64(names, _mm256_set_epi64x(1, 0, 4, 0), lens);
    __m256i two = _mm256_permutex2var_epi64(names, _mm256_set_epi64x(6, 2, 0, 5), lens);
    __m256i three = _mm256_permutex2var_epi64(names, _mm256_set_epi64x(0, 7, 3, 0), lens);
    one = _mm256_blend_epi32(one, _mm256_permute4x64_epi64(results, 0x00), 0x30);
    two = _mm256_blend_epi32(two, _mm256_permute4x64_epi64(results, 1 << 2), 0x0c);
    three = _mm256_blend_epi32(three, _mm256_permute4x64_epi64(results, 2 | 3 << 6), 0xc3);
    _mm256_storeu_si256((void *)out, one);
    _mm256_storeu_si256((void *)(out + 32), two);
    _mm256_storeu_si256((void *)(out + 64), three);
}

/* The checks and the flag `on_hold`, four at a time. */
WIDE bool read_flags(const struct cm_layout *layout, struct cm_layout_work *work,
                     const struct lanes *lanes, const char *bytes, struct cm_event *event)
{
    uint16_t names[LANES], ends[LANES], lens[LANES];
    uint32_t count = layout->checks_count;
    uint32_t flags = count + (layout->flag_lane != 0);
    struct cm_check unnamed[4]; /* the flag alone */
    struct cm_check *checks = unnamed;
    if (CM_LIKELY(count != 0)) {
        checks = cm_scratch_take(work->scratch, ((flags + 3) & ~3u) * sizeof *checks);
        event->checks = checks;
        event->checks_count = count;
    }
    __m256i good = _mm256_set1_epi64x(-1);
    const __m256i base = _mm256_set1_epi64x((long long)(uintptr_t)bytes);
    const __m512i index = load64(layout->check_lane);
    __m512i begin = _mm512_permutex2var_epi16(lanes->begin[0], index, lanes->begin[1]);
    __m512i len = _mm512_permutex2var_epi16(lanes->len[0], index, lanes->len[1]);
    _mm512_storeu_si512(names, _mm512_sub_epi16(begin, load64(layout->check_name)));
    _mm512_storeu_si512(ends, _mm512_add_epi16(begin, len));
    _mm512_storeu_si512(lens, len);
    for (uint32_t i = 0; i < flags; i += 4) {
        __m256i results = read_four_flags(ends + i, lens + i, bytes, &good);
        __m256i name = _mm256_cvtepu16_epi64(_mm_loadl_epi64((const void *)(names + i)));
        __m256i name_len =
            _mm256_cvtepu16_epi64(_mm_loadl_epi64((const void *)(layout->check_name_len + i)));
        write_four_checks(checks + i, _mm256_add_epi64(name, base), name_len, results);
    }
    bool known = _mm256_movemask_epi8(good) == -1;
    if (layout->flag_lane != 0) {
        event->on_hold = checks[count].result > 0;
        known = known && checks[count].result >= 0;
    }
    if (CM_UNLIKELY(!known && count != 0)) {
        cm_scratch_trim(work->scratch, checks, 0);
    }
    return known;
}

AVX512 bool cm_layout_read_avx512(const struct cm_layout *layout, struct cm_layout_work *work,
                                  const char *bytes, struct cm_event *event)
{
    struct lanes lanes;
    uint64_t bad = 0;
    uint32_t quotes = layout->quotes;
    if (CM_UNLIKELY(layout->lanes > LANES_TWO)) {
        return cm_layout_read_wide(layout, work, bytes, event);
    }
    if (CM_UNLIKELY(work->shape->count + 1 != layout->lanes || !place_all(layout, work, &lanes))) {
        return false;
    }
    if (CM_UNLIKELY(layout->others_count != 0)) {
        uint32_t within = cm_layout_read_others(layout, work, bytes);
        if (within == UINT32_MAX) {
            return false;
        }
        quotes += within;
    }
    if (CM_UNLIKELY(work->shape->quotes != quotes || runs_differ(layout, work, bytes) ||
                    !read_slots(layout, &lanes, bytes, event))) {
        return false;
    }
    const int32_t time_len = work->len[layout->time_lane];
    if (CM_LIKELY(layout->time == CM_LAYOUT_TIME_MS)) {
        event->ts_ms = read_ms_wide(bytes + work->end[layout->time_lane], time_len, &bad);
    } else if (!cm_layout_read_time_text(bytes + work->begin[layout->time_lane], (uint32_t)time_len,
                                         &event->ts_ms)) {
        return false;
    }
    if (CM_UNLIKELY(layout->rating_lane != 0 && !layout->rating_slot)) {
        event->rating = read_rating(bytes + work->end[layout->rating_lane],
                                    (uint32_t)work->len[layout->rating_lane], &bad);
    }
    if (CM_UNLIKELY(bad != 0) || !read_words(layout, work, bytes, event)) {
        return false;
    }
    return (layout->checks_count == 0 && layout->flag_lane == 0) ||
           read_flags(layout, work, &lanes, bytes, event);
}
#endif
