// SPDX-License-Identifier: Apache-2.0
/* layout_learn.c — see layout_learn.h.
 *
 *   walk:  values, in order, each with its kind and its place
 *   cut:   every value gets the lane that ends behind it; the bytes between are runs, and anchors
 *          within a run make lanes of a fixed length
 */
#include "decode/layout_learn.h"

#include <string.h>

#include "base/compiler.h"
#include "base/fail.h"

#define VALUES_MAX CM_LAYOUT_LANES_MAX

enum kind {
    KIND_TEXT,
    KIND_SKIP, /* a text that nobody asks for */
    KIND_WORD,
    KIND_TIME,
    KIND_TIME_TEXT,
    KIND_COUNT,
    KIND_FLAG,
    KIND_RATING,
    KIND_CHECK,
    KIND_SCORE,
    KIND_OTHER
};

/* Bytes that a value may have, and how many its reader loads that end where the value ends. */
static const struct {
    int16_t least, most, load;
} kinds[] = {
    [KIND_TEXT] = {0, 0, 0},          [KIND_SKIP] = {0, INT16_MAX, 0},  [KIND_WORD] = {1, 16, 16},
    [KIND_TIME] = {10, 15, 16},       [KIND_TIME_TEXT] = {1, 64, 0},    [KIND_COUNT] = {1, 8, 8},
    [KIND_FLAG] = {4, 5, 8},          [KIND_RATING] = {1, 3, 8},        [KIND_CHECK] = {4, 5, 8},
    [KIND_SCORE] = {1, INT16_MAX, 0}, [KIND_OTHER] = {1, INT16_MAX, 0},
};

struct value {
    const struct cm_field_rule *rule;
    uint32_t begin, end;
    uint32_t name, name_len; /* CHECK */
    enum kind kind;
    bool required;
};

struct learner {
    const struct cm_shape *shape;
    struct cm_json_scan *scan;
    struct cm_layout *layout;
    const char *bytes;
    uint32_t len;
    uint32_t seen; /* fields, a bit each */
    const struct cm_type_fields *fields;
    struct value values[VALUES_MAX];
    uint32_t count;
    uint32_t still_all, still; /* bytes that stand still: all; those before where cut() is */
};

/* ---- walk ---- */

static bool add_value(struct learner *l, enum kind kind, const struct cm_field_rule *rule,
                      const char *begin, const char *end)
{
    if (l->count == VALUES_MAX) {
        return false;
    }
    l->values[l->count++] = (struct value){.rule = rule,
                                           .begin = (uint32_t)(begin - l->bytes),
                                           .end = (uint32_t)(end - l->bytes),
                                           .kind = kind};
    return true;
}

/* Key and colon at p; the record is known to be good. Returns where the value begins. */
static const char *walk_key(struct learner *l, const char *p, struct cm_json_token *key)
{
    p = cm_json_string(l->scan, cm_json_next(p) + 1, key);
    CM_ASSERT(p != NULL);
    return cm_json_next(cm_json_next(p) + 1);
}

static const char *walk_checks(struct learner *l, const char *p, const struct cm_field_rule *rule)
{
    const char *at = cm_json_next(p + 1);
    while (*at != '}') {
        struct cm_json_token name;
        struct cm_json_token value;
        at = walk_key(l, at, &name);
        const char *begin = at;
        at = cm_json_value(l->scan, at, 2, &value);
        if (at == NULL || !add_value(l, KIND_CHECK, rule, begin, at)) {
            return NULL;
        }
        struct value *added = &l->values[l->count - 1];
        added->name = (uint32_t)(name.p - l->bytes);
        added->name_len = name.len;
        for (uint32_t i = l->count - 1; i-- > 0 && l->values[i].kind == KIND_CHECK;) {
            struct cm_str other = {l->bytes + l->values[i].name, l->values[i].name_len};
            if (cm_str_eq(other, (struct cm_str){name.p, name.len})) {
                return NULL;
            }
        }
        at = cm_json_next(at);
        at = *at == ',' ? cm_json_next(at + 1) : at;
    }
    return at + 1;
}

static enum kind kind_of(const struct cm_field_rule *rule, const struct cm_json_token *token)
{
    switch ((enum cm_field_kind)rule->rule) {
    case CM_RULE_TEXT:
        return KIND_TEXT;
    case CM_RULE_WORD:
        return KIND_WORD;
    case CM_RULE_TIME:
        return token->kind == CM_JSON_STRING ? KIND_TIME_TEXT : KIND_TIME;
    case CM_RULE_COUNT:
        return KIND_COUNT;
    case CM_RULE_FLAG:
        return KIND_FLAG;
    case CM_RULE_RATING:
        return KIND_RATING;
    case CM_RULE_SCORE:
        return KIND_SCORE;
    case CM_RULE_CHECKS:
        break;
    }
    return KIND_OTHER;
}

/* The value at p, of a field that the type has, or NULL for any other. */
static const char *walk_value(struct learner *l, const char *p, const struct cm_field_rule *rule)
{
    struct cm_json_token token;
    if (rule != NULL && rule->rule == CM_RULE_CHECKS) {
        return walk_checks(l, p, rule);
    }
    const char *end = cm_json_value(l->scan, p, 1, &token);
    if (end == NULL || l->scan->too_deep) {
        return NULL;
    }
    if (rule != NULL && rule->field == CM_FIELD_TYPE) {
        return end; /* stands still: another type has another layout */
    }
    bool text = token.kind == CM_JSON_STRING;
    enum kind kind = rule != NULL ? kind_of(rule, &token) : text ? KIND_SKIP : KIND_OTHER;
    bool added = text ? add_value(l, kind, rule, token.p, token.p + token.len)
                      : add_value(l, kind, rule, p, end);
    if (added && rule != NULL) {
        l->values[l->count - 1].required = (l->fields->required >> rule->field & 1) != 0;
    }
    return added ? end : NULL;
}

static bool walk(struct learner *l)
{
    const char *p = cm_json_next(cm_json_next(l->bytes) + 1);
    while (*p != '}') {
        struct cm_json_token key;
        p = walk_key(l, p, &key);
        const struct cm_field_rule *rule = cm_field_find_name((struct cm_str){key.p, key.len});
        if (rule != NULL && (l->fields->relevant >> rule->field & 1) == 0) {
            rule = NULL;
        }
        if (rule != NULL) {
            uint32_t bit = UINT32_C(1) << rule->field;
            if ((l->seen & bit) != 0) {
                return false;
            }
            l->seen |= bit;
        }
        p = walk_value(l, p, rule);
        if (p == NULL) {
            return false;
        }
        p = cm_json_next(p);
        p = *p == ',' ? cm_json_next(p + 1) : p;
    }
    return true;
}

/* ---- cut ---- */

/* Up to sixteen bytes at `from`, for a load that begins `before` bytes earlier. */
static void make_run(cm_bytes16 *mask, cm_bytes16 *still, const char *from, uint32_t bytes,
                     uint32_t before)
{
    memset((char *)mask + before, 0xff, bytes);
    memcpy((char *)still + before, from, bytes);
}

/* The bytes [from, to) stand still. The first sixteen become the own run of lane `owner` (-1: of
 * none), whose end moves with them; the others are placed by at[anchor], which does, too. */
static bool add_runs(struct learner *l, int32_t owner, uint32_t anchor, uint32_t from, uint32_t to)
{
    struct cm_layout *layout = l->layout;
    while (from < to) {
        uint32_t bytes = to - from < CM_LAYOUT_RUN_BYTES ? to - from : CM_LAYOUT_RUN_BYTES;
        uint32_t before = 0; /* bytes of a neighbour within the load */
        if (l->still_all - l->still < CM_LAYOUT_RUN_BYTES) {
            before = CM_LAYOUT_RUN_BYTES - bytes;
            if (l->still + bytes < CM_LAYOUT_RUN_BYTES) {
                return false; /* the load could leave the record */
            }
        }
        if (owner >= 0) {
            make_run(&layout->masks[owner], &layout->stills[owner], l->bytes + from, bytes, before);
            layout->hold[owner] = (int16_t)(l->shape->at[owner + 1] + before - from);
            owner = -1;
        } else if (layout->places_count < CM_LAYOUT_PLACES_MAX) {
            int32_t offset = (int32_t)(from - before) - (int32_t)l->shape->at[anchor];
            uint32_t run = layout->own + layout->places_count;
            make_run(&layout->masks[run], &layout->stills[run], l->bytes + from, bytes, before);
            layout->place_lane[layout->places_count] = (uint16_t)anchor;
            layout->place_offset[layout->places_count++] = (int16_t)offset;
        } else {
            return false;
        }
        for (uint32_t i = 0; i < bytes; i++) {
            layout->quotes += l->bytes[from + i] == '"';
        }
        from += bytes;
        l->still += bytes;
    }
    return true;
}

/* A lane without a run of its own loads all the same, sixteen bytes before or behind its end: are
 * they in every such record? `still` bytes that stand still come before the end at least, and
 * `behind` are those that may lie before it. */
static bool idle_lane(struct learner *l, uint32_t lane, uint32_t still, uint32_t behind)
{
    l->layout->hold[lane] = still >= CM_LAYOUT_RUN_BYTES ? CM_LAYOUT_RUN_BYTES : 0;
    return still >= CM_LAYOUT_RUN_BYTES || l->still_all - behind >= CM_LAYOUT_RUN_BYTES;
}

/* The lane that ends with the first anchor at `at` or behind. */
static uint32_t lane_behind(const struct cm_shape *shape, uint32_t lane, uint32_t at)
{
    while (shape->at[lane + 1] < at) {
        lane++;
    }
    return lane;
}

/* The number of the rule's list of words. */
static uint16_t list_of(const struct cm_field_rule *rule)
{
    switch (rule->field) {
    case CM_FIELD_OUTCOME:
        return 0;
    case CM_FIELD_END:
        return 1;
    case CM_FIELD_STATE:
        return 2;
    case CM_FIELD_SOURCE:
        return 3;
    default:
        return 4;
    }
}

/* Counts and texts lie together in the event; layout_avx512.c says so. */
#define MEMBER_COUNTS offsetof(struct cm_event, wait_ms)
#define MEMBER_TEXTS  offsetof(struct cm_event, id)

static void set_slot(struct cm_layout *layout, size_t slot, uint16_t lane)
{
    CM_ASSERT(slot < CM_LAYOUT_SLOTS);
    layout->slots[slot] = lane;
    layout->slots_there |= UINT32_C(1) << slot;
}

/* Enters the value into the list of its kind. */
static bool add_slot(struct cm_layout *layout, const struct value *value, uint16_t first,
                     uint16_t last)
{
    uint16_t member = value->rule == NULL ? 0 : value->rule->offset;
    switch (value->kind) {
    case KIND_SKIP:
        return true;
    case KIND_TEXT:
        set_slot(layout, CM_LAYOUT_SLOT_TEXTS + (member - MEMBER_TEXTS) / sizeof(struct cm_str),
                 last);
        layout->texts[layout->texts_count++] = (struct cm_layout_slot){last, member};
        return true;
    case KIND_COUNT:
        set_slot(layout, (member - MEMBER_COUNTS) / sizeof(uint32_t), last);
        layout->counts[layout->counts_count++] = (struct cm_layout_slot){last, member};
        return true;
    case KIND_WORD:
        CM_ASSERT(value->rule != NULL);
        layout->words[layout->words_count++] = (struct cm_layout_word){
            value->rule, last, member, (uint16_t)(list_of(value->rule) * CM_LAYOUT_WORDS)};
        return true;
    case KIND_TIME:
    case KIND_TIME_TEXT:
        layout->time = value->kind == KIND_TIME ? CM_LAYOUT_TIME_MS : CM_LAYOUT_TIME_TEXT;
        layout->time_lane = last;
        return true;
    case KIND_FLAG:
        layout->flag_lane = last;
        return last != 0;
    case KIND_RATING:
        layout->rating_lane = last;
        return last != 0;
    case KIND_CHECK:
        if (layout->checks_count == CM_LAYOUT_CHECKS_MAX) {
            return false;
        }
        layout->check_lane[layout->checks_count] = last;
        layout->check_name[layout->checks_count] = (int16_t)(value->begin - value->name);
        layout->check_name_len[layout->checks_count++] = (uint16_t)value->name_len;
        return true;
    case KIND_SCORE:
    case KIND_OTHER:
        if (layout->others_count == CM_ARRAY_LEN(layout->others)) {
            return false;
        }
        layout->others[layout->others_count++] =
            (struct cm_layout_other){first, last, value->kind == KIND_SCORE};
        return true;
    }
    return false;
}

/* Lanes of one value: `first` where it begins and `last` where it ends. */
static bool place_value(struct learner *l, const struct value *value, uint32_t first, uint32_t last)
{
    struct cm_layout *layout = l->layout;
    int32_t least = kinds[value->kind].least;
    int32_t most = kinds[value->kind].most;
    if (value->kind == KIND_TEXT) {
        least = value->required ? 1 : 0;
        most = (int32_t)(value->rule->most < INT16_MAX ? value->rule->most : INT16_MAX);
    }
    layout->fore[first] = (int16_t)(value->begin - l->shape->at[first]);
    layout->back[last] = (int16_t)(l->shape->at[last + 1] - value->end);
    if (first == last) {
        layout->least[last] = (int16_t)least;
        layout->most[last] = (int16_t)most;
    } else if (value->kind != KIND_OTHER) {
        return false; /* anchors within a number or text: there are none */
    }
    int32_t len = (int32_t)(value->end - value->begin);
    if (len < least || len > most) {
        return false;
    }
    bool inside = (int32_t)l->still + least >= kinds[value->kind].load;
    return inside && add_slot(layout, value, (uint16_t)first, (uint16_t)last);
}

/* The bytes [at, begin) before the next value stand still, and the lanes that end among them have a
 * fixed length. `owner` as for add_runs(). Returns the lane where the value begins, -1: no layout.
 */
static int32_t cut_still(struct learner *l, int32_t owner, uint32_t lane, uint32_t at,
                         uint32_t begin, bool end)
{
    const struct cm_shape *shape = l->shape;
    uint32_t anchor = lane;
    uint32_t still = l->still;
    if (owner < 0 && shape->at[1] < begin) {
        owner = 0; /* the head of the record, with an anchor in it */
    }
    if (!add_runs(l, owner, anchor, at, begin)) {
        return -1;
    }
    for (; end ? lane < l->layout->lanes : shape->at[lane + 1] < begin; lane++) {
        l->layout->fore[lane] = (int16_t)(shape->at[lane + 1] - shape->at[lane]);
        l->layout->least[lane] = 0;
        l->layout->most[lane] = 0;
        if ((int32_t)lane != owner && !idle_lane(l, lane, still, l->still)) {
            return -1;
        }
    }
    return (int32_t)lane;
}

static bool cut(struct learner *l)
{
    const struct cm_shape *shape = l->shape;
    int32_t owner = -1;
    int32_t lane = 0; /* the first that is not spoken for */
    uint32_t at = 0;  /* the same in bytes */
    l->still_all = l->len;
    for (uint32_t i = 0; i < l->count; i++) {
        l->still_all -= l->values[i].end - l->values[i].begin;
    }
    for (uint32_t i = 0; i < l->count; i++) {
        const struct value *value = &l->values[i];
        lane = cut_still(l, owner, (uint32_t)lane, at, value->begin, false);
        if (lane < 0) {
            return false;
        }
        uint32_t last = lane_behind(shape, (uint32_t)lane, value->end);
        for (uint32_t k = (uint32_t)lane; k < last; k++) {
            if (!idle_lane(l, k, l->still, l->still)) {
                return false;
            }
        }
        /* The run behind it must hold the anchor that ends its lane. */
        uint32_t next = i + 1 < l->count ? l->values[i + 1].begin : l->len + 1;
        if (!place_value(l, value, (uint32_t)lane, last) || shape->at[last + 1] >= next) {
            return false;
        }
        owner = (int32_t)last;
        lane = (int32_t)last + 1;
        at = value->end;
    }
    return cut_still(l, owner, (uint32_t)lane, at, l->len, true) >= 0;
}

bool cm_layout_learn(struct cm_layout *layout, const struct cm_shape *shape, const char *bytes,
                     uint32_t len, unsigned type, struct cm_json_scan *scan)
{
    struct learner l = {.shape = shape,
                        .scan = scan,
                        .layout = layout,
                        .bytes = bytes,
                        .len = len,
                        .fields = &cm_type_fields[type]};
    uint64_t key = layout->key;
    uint8_t next = layout->next;
    CM_ASSERT(type < CM_EVENT_COUNT && shape->count <= CM_SHAPE_ANCHORS_MAX && shape->plain);
    memset(layout, 0, sizeof *layout);
    layout->key = key;
    layout->next = next;
    layout->lanes = (uint16_t)(shape->count + 1);
    layout->own = (uint16_t)((layout->lanes + 3u) & ~3u);
    layout->blank.type = (uint8_t)type;
    layout->blank.rating = -1;
    for (uint32_t i = 0; i < CM_LAYOUT_LANES_MAX; i++) {
        layout->least[i] = INT16_MIN;
        layout->most[i] = INT16_MAX;
        layout->real[i] = i < layout->lanes ? -1 : 0;
    }
    if (!walk(&l) || !cut(&l)) {
        return false;
    }
    for (uint32_t i = layout->counts_count; i % 4 != 0; i++) {
        layout->counts[i] = layout->counts[0];
    }
    uint32_t flags = layout->checks_count;
    if (layout->flag_lane != 0) {
        layout->check_lane[flags++] = layout->flag_lane;
    }
    for (; flags % 4 != 0; flags++) {
        layout->check_lane[flags] = layout->check_lane[0];
    }
    if (layout->rating_lane != 0 && (layout->slots_there >> CM_LAYOUT_SLOT_REV & 1) == 0) {
        set_slot(layout, CM_LAYOUT_SLOT_REV, layout->rating_lane);
        layout->rating_slot = true;
    }
    return true;
}
