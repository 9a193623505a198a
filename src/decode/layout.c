// SPDX-License-Identifier: Apache-2.0
/* layout.c — reading by a layout, with AVX2 and without; see layout.h. */
#include <string.h>

#include "base/text.h"
#include "decode/layout_read.h"

const uint64_t cm_layout_last_bytes[9] = {0,
                                          UINT64_C(0xff00000000000000),
                                          UINT64_C(0xffff000000000000),
                                          UINT64_C(0xffffff0000000000),
                                          UINT64_C(0xffffffff00000000),
                                          UINT64_C(0xffffffffff000000),
                                          UINT64_C(0xffffffffffff0000),
                                          UINT64_C(0xffffffffffffff00),
                                          UINT64_MAX};

const uint8_t cm_layout_zeros_ones[32] = {
    [16] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff,        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
};

const struct cm_layout_flag cm_layout_flags[4] = {
    ['t' & 3] = {CM_LAYOUT_TRUE, 1},
    ['a' & 3] = {CM_LAYOUT_FALSE, 0},
    ['n' & 3] = {CM_LAYOUT_NULL, -1},
    [3] = {0, 0}, /* no four bytes before an end are zeros */
};

typedef int16_t lanes16 __attribute__((vector_size(32)));
typedef char bytes32 __attribute__((vector_size(32)));

/* All lanes: where they begin and end, how long they are, whether that may be. */
ALWAYS bool place_lanes(const struct cm_layout *layout, struct cm_layout_work *work)
{
    const struct cm_shape *shape = work->shape;
    lanes16 bad = {0};
    for (uint32_t k = 0; k < layout->lanes; k += 16) {
        lanes16 at, next, fore, back, hold, least, most, real;
        memcpy(&at, shape->at + k, sizeof at);
        memcpy(&next, shape->at + k + 1, sizeof next);
        memcpy(&fore, layout->fore + k, sizeof fore);
        memcpy(&back, layout->back + k, sizeof back);
        memcpy(&hold, layout->hold + k, sizeof hold);
        memcpy(&least, layout->least + k, sizeof least);
        memcpy(&most, layout->most + k, sizeof most);
        memcpy(&real, layout->real + k, sizeof real);
        lanes16 begin = at + fore;
        lanes16 end = next - back;
        lanes16 len = end - begin;
        lanes16 run = (next - hold) & real;
        bad |= (lanes16)(len < least) | (lanes16)(len > most);
        memcpy(work->begin + k, &begin, sizeof begin);
        memcpy(work->end + k, &end, sizeof end);
        memcpy(work->len + k, &len, sizeof len);
        memcpy(work->run + k, &run, sizeof run);
    }
    uint64_t parts[4];
    memcpy(parts, &bad, sizeof parts);
    return (parts[0] | parts[1] | parts[2] | parts[3]) == 0;
}

/* Four lanes' own runs; behind the last lane there are empty ones, so that all are done in fours.
 * Zeros when the bytes hold them. */
ALWAYS cm_bytes16 four_differ(const struct cm_layout *layout, const struct cm_layout_work *work,
                              const char *bytes, uint32_t k)
{
    cm_bytes16 differs = {0};
#pragma GCC unroll 4
    for (uint32_t i = k; i < k + 4; i++) {
        differs |= (load16(bytes + work->run[i]) & layout->masks[i]) ^ layout->stills[i];
    }
    return differs;
}

/* Zeros when the bytes hold the runs that have places of their own. */
ALWAYS cm_bytes16 places_differ(const struct cm_layout *layout, const struct cm_layout_work *work,
                                const char *bytes)
{
    cm_bytes16 differs = {0};
    for (uint32_t i = 0; i < layout->places_count; i++) {
        uint32_t run = layout->own + i;
        cm_bytes16 here =
            load16(bytes + work->shape->at[layout->place_lane[i]] + layout->place_offset[i]);
        differs |= (here & layout->masks[run]) ^ layout->stills[run];
    }
    return differs;
}

/* Integers of 1 .. 8 digits, one at a time: where vectors are narrow. */
ALWAYS void read_counts(const struct cm_layout *layout, const struct cm_layout_work *work,
                        const char *bytes, struct cm_event *event, uint64_t *bad)
{
    for (uint32_t i = 0; i < layout->counts_count; i++) {
        uint32_t lane = layout->counts[i].lane;
        uint32_t len = (uint32_t)work->len[lane];
        const char *end = bytes + work->end[lane];
        uint64_t digits = load_digits(end, len);
        uint32_t value = (uint32_t)join_digits(digits);
        bool leading_zero = (len != 1) & (end[-(ptrdiff_t)len] == '0');
        *bad |= no_digits(digits) | (uint64_t)leading_zero;
        memcpy((char *)event + layout->counts[i].member, &value, sizeof value);
    }
}

/* Milliseconds of 10 .. 15 digits. */
ALWAYS int64_t read_ms(const char *end, uint32_t len, uint64_t *bad)
{
    uint64_t low = load_digits(end, 8);
    uint64_t high = load_digits(end - 8, len - 8);
    uint64_t value = join_digits(high) * 100000000 + join_digits(low);
    bool leading_zero = end[-(ptrdiff_t)len] == '0';
    *bad |= no_digits(low) | no_digits(high) | (uint64_t)leading_zero;
    *bad |= (uint64_t)(value > (uint64_t)CM_TS_MS_MAX);
    return (int64_t)value;
}

bool cm_layout_learn_words(const struct cm_layout *layout, struct cm_layout_work *work,
                           const char *bytes, struct cm_event *event)
{
    for (uint32_t i = 0; i < layout->words_count; i++) {
        const struct cm_layout_word *word = &layout->words[i];
        uint32_t len = (uint32_t)work->len[word->lane];
        const char *end = bytes + work->end[word->lane];
        uint32_t slot;
        cm_bytes16 loaded = load_word(end, len, &slot);
        int value = word->rule->word((struct cm_str){end - len, len});
        if (value < 0) {
            return false;
        }
        work->words.words[word->list + slot] = loaded;
        work->words.values[word->list + slot] = (uint8_t)value;
        *((uint8_t *)event + word->member) = (uint8_t)value;
    }
    return true;
}

bool cm_layout_read_time_text(const char *begin, uint32_t len, int64_t *out)
{
    return cm_parse_rfc3339(begin, len, out) && *out >= 0 && *out <= CM_TS_MS_MAX;
}

uint32_t cm_layout_read_others(const struct cm_layout *layout, const struct cm_layout_work *work,
                               const char *bytes)
{
    uint32_t quotes = 0;
    struct cm_json_scan *scan = work->scan;
    scan->plain = true;
    scan->too_deep = false;
    for (uint32_t i = 0; i < layout->others_count; i++) {
        const struct cm_layout_other *other = &layout->others[i];
        struct cm_json_token token;
        int32_t from = work->begin[other->first];
        int32_t to = work->end[other->last];
        if (from >= to) {
            return UINT32_MAX;
        }
        const char *p = bytes + from;
        const char *end = bytes + to;
        if (cm_json_value(scan, p, 1, &token) != end || scan->too_deep) {
            return UINT32_MAX;
        }
        if (other->score && ((token.kind != CM_JSON_INTEGER && token.kind != CM_JSON_REAL) ||
                             !cm_json_percent(token.p, token.len))) {
            return UINT32_MAX;
        }
        for (; p < end; p++) {
            quotes += *p == '"';
        }
    }
    return quotes;
}

ALWAYS bool read_checks(const struct cm_layout *layout, const struct cm_layout_work *work,
                        const char *bytes, struct cm_event *event)
{
    uint64_t bad = 0;
    struct cm_scratch *scratch = work->scratch;
    struct cm_scratch_mark mark = cm_scratch_mark(scratch);
    struct cm_check *checks = cm_scratch_take(scratch, layout->checks_count * sizeof *checks);
    for (uint32_t i = 0; i < layout->checks_count; i++) {
        uint32_t lane = layout->check_lane[i];
        const char *end = bytes + work->end[lane];
        checks[i].name.p = bytes + work->begin[lane] - layout->check_name[i];
        checks[i].name.len = layout->check_name_len[i];
        checks[i].result = read_flag(end, (uint32_t)work->len[lane], &bad);
    }
    event->checks = checks;
    event->checks_count = layout->checks_count;
    if (CM_UNLIKELY(bad != 0)) {
        cm_scratch_rewind(scratch, mark);
    }
    return bad == 0;
}

/* Flag and rating: fields of which there is one. */
ALWAYS void read_rare(const struct cm_layout *layout, const struct cm_layout_work *work,
                      const char *bytes, struct cm_event *event, uint64_t *bad)
{
    if (layout->flag_lane != 0) {
        const char *end = bytes + work->end[layout->flag_lane];
        int32_t flag = read_flag(end, (uint32_t)work->len[layout->flag_lane], bad);
        *bad |= (uint64_t)(flag < 0);
        event->on_hold = flag > 0;
    }
    if (layout->rating_lane != 0) {
        event->rating = read_rating(bytes + work->end[layout->rating_lane],
                                    (uint32_t)work->len[layout->rating_lane], bad);
    }
}

ALWAYS void read_texts(const struct cm_layout *layout, const struct cm_layout_work *work,
                       const char *bytes, struct cm_event *event)
{
    for (uint32_t i = 0; i < layout->texts_count; i++) {
        const struct cm_layout_slot *slot = &layout->texts[i];
        struct cm_str text = {bytes + work->begin[slot->lane], (uint32_t)work->len[slot->lane]};
        memcpy((char *)event + slot->member, &text, sizeof text);
    }
}

/* What comes before the runs. `quotes`: how many there are to be. */
ALWAYS bool place_values(const struct cm_layout *layout, struct cm_layout_work *work,
                         const char *bytes)
{
    uint32_t quotes = layout->quotes;
    if (CM_UNLIKELY(work->shape->count + 1 != layout->lanes || !place_lanes(layout, work))) {
        return false;
    }
    if (CM_UNLIKELY(layout->others_count != 0)) {
        uint32_t within = cm_layout_read_others(layout, work, bytes);
        if (within == UINT32_MAX) {
            return false;
        }
        quotes += within;
    }
    return work->shape->quotes == quotes;
}

/* The event before its values, a few vectors: for the whole at once gcc chooses `rep movs`, whose
 * start alone costs more. */
ALWAYS void begin_event(struct cm_event *event, const struct cm_event *blank)
{
    enum { PIECE_BYTES = 32, PIECES = sizeof *event / PIECE_BYTES };
    char *to = (char *)event;
    const char *from = (const char *)blank;
#pragma GCC unroll 8
    for (size_t i = 0; i < PIECES; i++) {
        bytes32 piece;
        memcpy(&piece, from + i * PIECE_BYTES, sizeof piece);
        memcpy(to + i * PIECE_BYTES, &piece, sizeof piece);
    }
    const size_t rest = (size_t)PIECES * PIECE_BYTES;
    memcpy(to + rest, from + rest, sizeof *event % PIECE_BYTES);
}

/* What comes behind the numbers. */
ALWAYS bool read_rest(const struct cm_layout *layout, struct cm_layout_work *work,
                      const char *bytes, struct cm_event *event, uint64_t bad)
{
    read_texts(layout, work, bytes, event);
    if (CM_UNLIKELY(layout->time == CM_LAYOUT_TIME_TEXT) &&
        !cm_layout_read_time_text(bytes + work->begin[layout->time_lane],
                                  (uint32_t)work->len[layout->time_lane], &event->ts_ms)) {
        return false;
    }
    read_rare(layout, work, bytes, event, &bad);
    if (CM_UNLIKELY(bad != 0) || !read_words(layout, work, bytes, event)) {
        return false;
    }
    return layout->checks_count == 0 || read_checks(layout, work, bytes, event);
}

static bool read_narrow(const struct cm_layout *layout, struct cm_layout_work *work,
                        const char *bytes, struct cm_event *event)
{
    uint64_t bad = 0;
    if (CM_UNLIKELY(!place_values(layout, work, bytes))) {
        return false;
    }
    cm_bytes16 differs = places_differ(layout, work, bytes);
    for (uint32_t k = 0; k < layout->lanes; k += 4) {
        differs |= four_differ(layout, work, bytes, k);
    }
    if (CM_UNLIKELY((differs[0] | differs[1]) != 0)) {
        return false;
    }
    begin_event(event, &layout->blank);
    if (CM_LIKELY(layout->time == CM_LAYOUT_TIME_MS)) {
        event->ts_ms = read_ms(bytes + work->end[layout->time_lane],
                               (uint32_t)work->len[layout->time_lane], &bad);
    }
    read_counts(layout, work, bytes, event, &bad);
    return read_rest(layout, work, bytes, event, bad);
}

/* ---- 32 bytes ---- */

#if defined(__x86_64__)
AVX2 ALWAYS __m256i join_words(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return _mm256_set_epi64x((long long)d, (long long)c, (long long)b, (long long)a);
}

/* Four counts of 1 .. 8 digits. Not zero when one is no such number. */
AVX2 ALWAYS __m256i read_four_counts(const struct cm_layout_slot *slots,
                                     const struct cm_layout_work *work, const char *bytes,
                                     struct cm_event *event)
{
#define WORD(i) cm_json_load(bytes + work->end[slots[i].lane] - 8)
#define MASK(i) cm_layout_last_bytes[work->len[slots[i].lane]]
    const __m256i mask = join_words(MASK(0), MASK(1), MASK(2), MASK(3));
    __m256i digits = join_words(WORD(0), WORD(1), WORD(2), WORD(3));
#undef WORD
#undef MASK
    digits = _mm256_and_si256(_mm256_xor_si256(digits, _mm256_set1_epi8('0')), mask);
    /* A zero that comes first, when it is not the last byte, too. */
    __m256i first = _mm256_andnot_si256(_mm256_slli_epi64(mask, 8), mask);
    first = _mm256_and_si256(first, _mm256_set1_epi64x(INT64_MAX >> 7));
    __m256i zero = _mm256_cmpeq_epi64(_mm256_and_si256(digits, first), _mm256_setzero_si256());
    __m256i bad = _mm256_and_si256(zero, first);
    bad = _mm256_or_si256(bad, _mm256_subs_epu8(digits, _mm256_set1_epi8(9)));
    /* Pairs, fours, eights. */
    __m256i twos = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(10 | 1 << 8));
    __m256i fours = _mm256_madd_epi16(twos, _mm256_set1_epi32(100 | 1 << 16));
    __m256i values =
        _mm256_madd_epi16(_mm256_packus_epi32(fours, fours), _mm256_set1_epi32(10000 | 1 << 16));
    uint64_t low = (uint64_t)_mm_cvtsi128_si64(_mm256_castsi256_si128(values));
    uint64_t high = (uint64_t)_mm_cvtsi128_si64(_mm256_extracti128_si256(values, 1));
#define WRITE(i, value)                                                                            \
    do {                                                                                           \
        uint32_t written = (uint32_t)(value);                                                      \
        memcpy((char *)event + slots[i].member, &written, sizeof written);                         \
    } while (0)
    WRITE(0, low);
    WRITE(1, low >> 32);
    WRITE(2, high);
    WRITE(3, high >> 32);
#undef WRITE
    return bad;
}

AVX2 bool cm_layout_read_wide(const struct cm_layout *layout, struct cm_layout_work *work,
                              const char *bytes, struct cm_event *event)
{
    if (CM_UNLIKELY(!place_values(layout, work, bytes))) {
        return false;
    }
    cm_bytes16 placed = places_differ(layout, work, bytes);
    __m256i differs = _mm256_setzero_si256();
    for (uint32_t k = 0; k < layout->lanes; k += 4) {
        differs = _mm256_or_si256(differs, four_differ_wide(layout, work->run, bytes, k));
    }
    if (CM_UNLIKELY((placed[0] | placed[1]) != 0 || !_mm256_testz_si256(differs, differs))) {
        return false;
    }
    begin_event(event, &layout->blank);
    __m256i bad = _mm256_setzero_si256();
    uint64_t bad_ms = 0;
    if (CM_LIKELY(layout->time == CM_LAYOUT_TIME_MS)) {
        event->ts_ms = read_ms_wide(bytes + work->end[layout->time_lane],
                                    work->len[layout->time_lane], &bad_ms);
    }
    for (uint32_t i = 0; i < layout->counts_count; i += 4) {
        bad = _mm256_or_si256(bad, read_four_counts(layout->counts + i, work, bytes, event));
    }
    return read_rest(layout, work, bytes, event, bad_ms | !_mm256_testz_si256(bad, bad));
}
#endif

cm_layout_reader *cm_layout_reader_for(uint32_t vector_bytes)
{
#if defined(__x86_64__)
    if (vector_bytes >= 32) {
        return vector_bytes >= 64 ? cm_layout_read_avx512 : cm_layout_read_wide;
    }
#else
    (void)vector_bytes;
#endif
    return read_narrow;
}
