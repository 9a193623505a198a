// SPDX-License-Identifier: Apache-2.0
/* layout.c — reading by a layout; see layout.h.
 *
 * Findings are gathered in a word of bits and looked at once, at the end: a branch that is seldom
 * taken costs little, but there would be fifty of them. */
#include "decode/layout.h"

#include <string.h>

#include "base/text.h"

#define ALWAYS static inline __attribute__((always_inline))

typedef int16_t lanes16 __attribute__((vector_size(32)));
typedef uint8_t bytes32 __attribute__((vector_size(32)));
typedef uint64_t longs4 __attribute__((vector_size(32)));
typedef uint16_t pairs16 __attribute__((vector_size(32)));
typedef uint32_t fours8 __attribute__((vector_size(32)));

/* The last 0 .. 8 bytes of a word. */
static const uint64_t last_bytes[9] = {0,
                                       UINT64_C(0xff00000000000000),
                                       UINT64_C(0xffff000000000000),
                                       UINT64_C(0xffffff0000000000),
                                       UINT64_C(0xffffffff00000000),
                                       UINT64_C(0xffffffffff000000),
                                       UINT64_C(0xffffffffffff0000),
                                       UINT64_C(0xffffffffffffff00),
                                       UINT64_MAX};

/* All lanes: where they begin and end, how long they are, whether that may be. */
ALWAYS bool place_lanes(const struct cm_layout *layout, struct cm_layout_work *work)
{
    const struct cm_shape *shape = work->shape;
    lanes16 bad = {0};
    for (uint32_t k = 0; k < layout->lanes; k += 16) {
        lanes16 at, next, fore, back, hold, least, most;
        memcpy(&at, shape->at + k, sizeof at);
        memcpy(&next, shape->at + k + 1, sizeof next);
        memcpy(&fore, layout->fore + k, sizeof fore);
        memcpy(&back, layout->back + k, sizeof back);
        memcpy(&hold, layout->hold + k, sizeof hold);
        memcpy(&least, layout->least + k, sizeof least);
        memcpy(&most, layout->most + k, sizeof most);
        lanes16 begin = at + fore;
        lanes16 end = next - back;
        lanes16 len = end - begin;
        lanes16 run = next - hold;
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

/* Zeros when the sixteen bytes hold the run. */
ALWAYS cm_bytes16 run_differs(const struct cm_layout_run *run, const char *bytes)
{
    cm_bytes16 here;
    memcpy(&here, bytes, sizeof here);
    return (here & run->mask) ^ run->bytes;
}

ALWAYS bool same_runs(const struct cm_layout *layout, const struct cm_layout_work *work,
                      const char *bytes)
{
    cm_bytes16 differs = {0};
    const struct cm_layout_run *run = layout->runs;
    const int16_t *at = work->run;
    uint32_t k = layout->lanes;
    for (; k >= 4; k -= 4, at += 4, run += 4) {
        differs |= run_differs(&run[0], bytes + at[0]) | run_differs(&run[1], bytes + at[1]) |
                   run_differs(&run[2], bytes + at[2]) | run_differs(&run[3], bytes + at[3]);
    }
    for (; k > 0; k--, at++, run++) {
        differs |= run_differs(run, bytes + *at);
    }
    for (uint32_t i = 0; i < layout->places_count; i++) {
        const struct cm_layout_place *place = &layout->places[i];
        differs |=
            run_differs(&layout->placed[i], bytes + work->shape->at[place->lane] + place->offset);
    }
    return (differs[0] | differs[1]) == 0;
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
    return (cm_json_load(end - 8) ^ (CM_JSON_ONES * '0')) & last_bytes[len];
}

/* Four words of eight bytes that end with 1 .. 8 digits each: their values. Returns not zero when
 * one is no such number. */
ALWAYS uint64_t join_fours(const uint64_t words[4], const uint64_t lens[4], uint64_t values[4])
{
    longs4 digits, len, parts;
    memcpy(&digits, words, sizeof digits);
    memcpy(&len, lens, sizeof len);
    longs4 shift = (8 - len) * 8;
    digits = (digits ^ (CM_JSON_ONES * '0')) >> shift;
    /* A zero that comes first, when it is not the only digit. */
    longs4 bad = (longs4)((digits & 0xff) == 0) & (longs4)(len != 1);
    digits <<= shift;
    bad |= (((longs4)((bytes32)digits + 0x76)) | digits) & CM_JSON_HIGHS;
    pairs16 twos = (pairs16)digits;
    twos = (twos & 0xff) * 10 + (twos >> 8);
    fours8 fours = (fours8)(twos * 100);
    fours = (fours & 0xffff) + ((fours8)twos >> 16);
    parts = (longs4)(fours * (fours8){10000, 1, 10000, 1, 10000, 1, 10000, 1});
    parts = (parts & UINT32_MAX) + (parts >> 32);
    memcpy(values, &parts, sizeof parts);
    return bad[0] | bad[1] | bad[2] | bad[3];
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

/* The same, four at a time. */
ALWAYS void read_counts_wide(const struct cm_layout *layout, const struct cm_layout_work *work,
                             const char *bytes, struct cm_event *event, uint64_t *bad)
{
    uint64_t words[CM_LAYOUT_COUNTS_MAX];
    uint64_t lens[CM_LAYOUT_COUNTS_MAX];
    uint64_t values[CM_LAYOUT_COUNTS_MAX];
    const uint32_t count = layout->counts_count;
    uint32_t i;
    for (i = 0; i < CM_LAYOUT_COUNTS_MAX; i += 4) { /* what is no count reads as `0` */
        const longs4 zeros = {CM_JSON_ONES * '0', CM_JSON_ONES * '0', CM_JSON_ONES * '0',
                              CM_JSON_ONES * '0'};
        const longs4 ones = {1, 1, 1, 1};
        memcpy(words + i, &zeros, sizeof zeros);
        memcpy(lens + i, &ones, sizeof ones);
    }
    for (i = 0; i < count; i++) {
        uint32_t lane = layout->counts[i].lane;
        words[i] = cm_json_load(bytes + work->end[lane] - 8);
        lens[i] = (uint64_t)work->len[lane];
    }
    for (i = 0; i < count; i += 4) {
        *bad |= join_fours(words + i, lens + i, values + i);
    }
    for (i = 0; i < count; i++) {
        uint32_t value = (uint32_t)values[i];
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

#define WORD4(a, b, c, d)                                                                          \
    ((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24)

/* 1 `true`, 0 `false`, -1 `null` of 4 or 5 bytes; else bad. The fourth byte from the end tells
 * which it must be. */
ALWAYS int32_t read_flag(const char *end, uint32_t len, uint64_t *bad)
{
    static const struct {
        uint64_t word;
        int64_t value;
    } flags[4] = {
        ['t' & 3] = {WORD4('t', 'r', 'u', 'e') << 32, 1},
        ['a' & 3] = {WORD4('f', 'a', 'l', 's') << 24 | (uint64_t)'e' << 56, 0},
        ['n' & 3] = {WORD4('n', 'u', 'l', 'l') << 32, -1},
        [3] = {0, 0}, /* no four bytes before an end are zeros */
    };
    uint64_t word = cm_json_load(end - 8) & last_bytes[len];
    uint32_t which = (uint32_t)(word >> 32) & 3;
    *bad |= word ^ flags[which].word;
    return (int32_t)flags[which].value;
}

static __attribute__((noinline)) int64_t learn_word(struct cm_layout_words *words, uint32_t slot,
                                                    const struct cm_field_rule *rule,
                                                    struct cm_str word, uint64_t head,
                                                    uint64_t tail)
{
    int value = rule->word(word);
    if (value >= 0) {
        words->at[slot].head = head;
        words->at[slot].tail = tail;
        words->at[slot].value = value;
    }
    return value;
}

/* A word of 1 .. 16 bytes of the rule's list. The factor was found by trial: no two words of a list
 * share a slot. */
ALWAYS uint8_t read_word(struct cm_layout_words *words, const struct cm_field_rule *rule,
                         const char *end, uint32_t len, uint64_t *bad)
{
    uint32_t tail_len = len < 8 ? len : 8;
    uint64_t tail = cm_json_load(end - 8) & last_bytes[tail_len];
    uint64_t head = cm_json_load(end - 16) & last_bytes[len - tail_len];
    uint32_t slot = (uint32_t)((tail * UINT64_C(0x16f134f956e51af5)) >> 60);
    int64_t value = words->at[slot].value;
    if (CM_UNLIKELY(((words->at[slot].tail ^ tail) | (words->at[slot].head ^ head)) != 0)) {
        value = learn_word(words, slot, rule, (struct cm_str){end - len, len}, head, tail);
        *bad |= (uint64_t)(value < 0);
    }
    return (uint8_t)value;
}

static bool read_time_text(const char *begin, uint32_t len, int64_t *out)
{
    return cm_parse_rfc3339(begin, len, out) && *out >= 0 && *out <= CM_TS_MS_MAX;
}

/* What the general scanner has to say about values that have no slot. `quotes` are added up. */
static bool read_others(const struct cm_layout *layout, const struct cm_layout_work *work,
                        const char *bytes, uint32_t *quotes)
{
    struct cm_json_scan *scan = work->scan;
    for (uint32_t i = 0; i < layout->others_count; i++) {
        const struct cm_layout_other *other = &layout->others[i];
        struct cm_json_token token;
        int32_t from = work->begin[other->first];
        int32_t to = work->end[other->last];
        if (from >= to) {
            return false;
        }
        const char *p = bytes + from;
        const char *end = bytes + to;
        if (cm_json_value(scan, p, 1, &token) != end || scan->too_deep) {
            return false;
        }
        if (other->score && ((token.kind != CM_JSON_INTEGER && token.kind != CM_JSON_REAL) ||
                             !cm_json_percent(token.p, token.len))) {
            return false;
        }
        for (; p < end; p++) {
            *quotes += *p == '"';
        }
    }
    return true;
}

ALWAYS bool read_checks(const struct cm_layout *layout, const struct cm_layout_work *work,
                        const char *bytes, struct cm_event *event)
{
    uint64_t bad = 0;
    struct cm_scratch *scratch = work->scratch;
    struct cm_scratch_mark mark = cm_scratch_mark(scratch);
    struct cm_check *checks = cm_scratch_take(scratch, layout->checks_count * sizeof *checks);
    for (uint32_t i = 0; i < layout->checks_count; i++) {
        const struct cm_layout_check *check = &layout->checks[i];
        const char *end = bytes + work->end[check->lane];
        checks[i].name.p = bytes + work->begin[check->lane] - check->name;
        checks[i].name.len = check->name_len;
        checks[i].result = read_flag(end, (uint32_t)work->len[check->lane], &bad);
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
        uint32_t len = (uint32_t)work->len[layout->rating_lane];
        uint64_t digits = load_digits(bytes + work->end[layout->rating_lane], len);
        uint64_t rating = join_digits(digits);
        bool leading_zero = len > 1 && bytes[work->begin[layout->rating_lane]] == '0';
        *bad |= no_digits(digits) | (uint64_t)(leading_zero || rating > CM_RATING_MAX);
        event->rating = (int8_t)rating;
    }
}

ALWAYS void read_texts(const struct cm_layout *layout, struct cm_layout_work *work,
                       const char *bytes, struct cm_event *event, uint64_t *bad)
{
    for (uint32_t i = 0; i < layout->texts_count; i++) {
        const struct cm_layout_slot *slot = &layout->texts[i];
        struct cm_str text = {bytes + work->begin[slot->lane], (uint32_t)work->len[slot->lane]};
        memcpy((char *)event + slot->member, &text, sizeof text);
    }
    for (uint32_t i = 0; i < layout->words_count; i++) {
        const struct cm_layout_word *word = &layout->words[i];
        *((uint8_t *)event + word->rule->offset) =
            read_word(&work->words[word->list], word->rule, bytes + work->end[word->lane],
                      (uint32_t)work->len[word->lane], bad);
    }
}

ALWAYS bool read_record(const struct cm_layout *layout, struct cm_layout_work *work,
                        const char *bytes, struct cm_event *event, bool wide)
{
    uint32_t quotes = layout->quotes;
    uint64_t bad = 0;
    if (CM_UNLIKELY(work->shape->count + 1 != layout->lanes || !place_lanes(layout, work))) {
        return false;
    }
    if (CM_UNLIKELY(layout->others_count != 0) && !read_others(layout, work, bytes, &quotes)) {
        return false;
    }
    if (CM_UNLIKELY(work->shape->quotes != quotes || !same_runs(layout, work, bytes))) {
        return false;
    }
    memcpy(event, &layout->blank, sizeof *event);
    read_texts(layout, work, bytes, event, &bad);
    if (wide) {
        read_counts_wide(layout, work, bytes, event, &bad);
    } else {
        read_counts(layout, work, bytes, event, &bad);
    }
    uint32_t time_len = (uint32_t)work->len[layout->time_lane];
    const char *time_end = bytes + work->end[layout->time_lane];
    if (CM_LIKELY(layout->time == CM_LAYOUT_TIME_MS)) {
        event->ts_ms = read_ms(time_end, time_len, &bad);
    } else if (!read_time_text(time_end - time_len, time_len, &event->ts_ms)) {
        return false;
    }
    read_rare(layout, work, bytes, event, &bad);
    if (CM_UNLIKELY(bad != 0)) {
        return false;
    }
    return layout->checks_count == 0 || read_checks(layout, work, bytes, event);
}

static bool read_narrow(const struct cm_layout *layout, struct cm_layout_work *work,
                        const char *bytes, struct cm_event *event)
{
    return read_record(layout, work, bytes, event, false);
}

#if defined(__x86_64__)
__attribute__((target("avx2,bmi,bmi2"))) static bool read_wide(const struct cm_layout *layout,
                                                               struct cm_layout_work *work,
                                                               const char *bytes,
                                                               struct cm_event *event)
{
    return read_record(layout, work, bytes, event, true);
}
#else
#define read_wide read_narrow
#endif

cm_layout_reader *cm_layout_reader_for(bool wide)
{
    return wide ? read_wide : read_narrow;
}
