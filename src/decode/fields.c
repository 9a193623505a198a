// SPDX-License-Identifier: Apache-2.0
/* fields.c — the tables of fields.h, and the words of the enumerations. */
#include "decode/fields.h"

#include <string.h>

/* The value of a word of each enumeration, -1 when it is none of them. The lengths are constants,
 * so a comparison is one or two loads and no call. */
#define X(code, text)                                                                              \
    if (word.len == sizeof(text) - 1 && memcmp(word.p, (text), sizeof(text) - 1) == 0) {           \
        return WORD_VALUE(code);                                                                   \
    }
#define WORD_LIST(name, list)                                                                      \
    static int name(struct cm_str word)                                                            \
    {                                                                                              \
        list(X) return -1;                                                                         \
    }
#define WORD_VALUE(code) CM_EVENT_##code
WORD_LIST(type_word, CM_EVENT_TYPES)
#undef WORD_VALUE
#define WORD_VALUE(code) CM_OUTCOME_##code
WORD_LIST(outcome_word, CM_OUTCOMES)
#undef WORD_VALUE
#define WORD_VALUE(code) CM_END_##code
WORD_LIST(end_word, CM_ENDS)
#undef WORD_VALUE
#define WORD_VALUE(code) CM_STATE_##code
WORD_LIST(state_word, CM_STATES)
#undef WORD_VALUE
#define WORD_VALUE(code) CM_SOURCE_##code
WORD_LIST(source_word, CM_SOURCES)
#undef WORD_VALUE
#define WORD_VALUE(code) CM_STEP_##code
WORD_LIST(step_word, CM_STEPS)
#undef WORD_VALUE
#undef X

#define X(code, key, rule, most, word, member)                                                     \
    [CM_KEY_SLOT(                                                                                  \
        key)] = {(key),          (most),         (word), offsetof(struct cm_event, member),        \
                 CM_RULE_##rule, CM_FIELD_##code},
const struct cm_field_rule cm_field_rules[CM_KEY_SLOTS] = {CM_FIELDS(X)};
#undef X

#define COMMON_REQUIRED (CM_FIELD_BIT(TYPE) | CM_FIELD_BIT(ID) | CM_FIELD_BIT(TS))
#define COMMON_FIELDS                                                                              \
    (COMMON_REQUIRED | CM_FIELD_BIT(CALL) | CM_FIELD_BIT(SEAT) | CM_FIELD_BIT(AGENT) |             \
     CM_FIELD_BIT(QUEUE) | CM_FIELD_BIT(CENTRE) | CM_FIELD_BIT(CH))
#define CDR_OPTIONAL                                                                               \
    (CM_FIELD_BIT(WAIT) | CM_FIELD_BIT(RING) | CM_FIELD_BIT(TALK) | CM_FIELD_BIT(HOLD) |           \
     CM_FIELD_BIT(ACW) | CM_FIELD_BIT(HOLD_N) | CM_FIELD_BIT(TRANSFERS) | CM_FIELD_BIT(END) |      \
     CM_FIELD_BIT(ON_HOLD) | CM_FIELD_BIT(RATING) | CM_FIELD_BIT(CHECKS) | CM_FIELD_BIT(REV))
/* What a type has beyond the common fields. */
#define OWN(required, optional)                                                                    \
    {                                                                                              \
        COMMON_REQUIRED | (required), COMMON_FIELDS | (required) | (optional)                      \
    }

const struct cm_type_fields cm_common_fields = {COMMON_REQUIRED, COMMON_FIELDS};
const struct cm_type_fields cm_type_fields[CM_EVENT_COUNT] = {
    [CM_EVENT_CDR] = OWN(CM_FIELD_BIT(OUTCOME), CDR_OPTIONAL),
    [CM_EVENT_QUEUE_ENTER] = OWN(CM_FIELD_BIT(CALL) | CM_FIELD_BIT(QUEUE), CM_FIELD_BIT(REASON)),
    [CM_EVENT_QUEUE_EXIT] = OWN(CM_FIELD_BIT(CALL) | CM_FIELD_BIT(QUEUE), CM_FIELD_BIT(REASON)),
    [CM_EVENT_SEAT_STATE] = OWN(CM_FIELD_BIT(SEAT) | CM_FIELD_BIT(STATE), CM_FIELD_BIT(REASON)),
    [CM_EVENT_CHECK] =
        OWN(CM_FIELD_BIT(SEAT) | CM_FIELD_BIT(CALL) | CM_FIELD_BIT(SOURCE) | CM_FIELD_BIT(CHECKS),
            CM_FIELD_BIT(SCORE)),
    [CM_EVENT_CASE] =
        OWN(CM_FIELD_BIT(CASE) | CM_FIELD_BIT(SEAT) | CM_FIELD_BIT(KIND) | CM_FIELD_BIT(STEP), 0),
};

const struct cm_field_rule *cm_field_find_name(struct cm_str name)
{
    uint64_t key = 0;
    if (cm_str_eq(name, CM_STR("transfers"))) {
        return cm_field_find(CM_KEY_TRANSFERS);
    }
    if (name.len >= sizeof key) {
        return NULL;
    }
    for (uint32_t i = 0; i < name.len; i++) {
        if (name.p[i] == 0) {
            return NULL; /* would look like the end of a shorter key */
        }
        key |= (uint64_t)(unsigned char)name.p[i] << (8 * i);
    }
    return cm_field_find(key);
}

void cm_fields_clear(struct cm_event *event, uint32_t fields)
{
    for (uint32_t i = 0; i < CM_KEY_SLOTS; i++) {
        const struct cm_field_rule *rule = &cm_field_rules[i];
        void *member = (char *)event + rule->offset;
        if (rule->key == 0 || (fields >> rule->field & 1) == 0) {
            continue;
        }
        switch ((enum cm_field_kind)rule->rule) {
        case CM_RULE_TEXT:
            *(struct cm_str *)member = (struct cm_str){0};
            break;
        case CM_RULE_WORD:
        case CM_RULE_FLAG:
            *(uint8_t *)member = 0;
            break;
        case CM_RULE_RATING:
            *(int8_t *)member = -1;
            break;
        case CM_RULE_COUNT:
            *(uint32_t *)member = 0;
            break;
        case CM_RULE_CHECKS:
            event->checks = NULL;
            event->checks_count = 0;
            break;
        case CM_RULE_TIME:
        case CM_RULE_SCORE:
            break;
        }
    }
}
