// SPDX-License-Identifier: Apache-2.0
/* fields.h — the fields of the contract as the decoder sees them, in one table.
 *
 *   key of up to 7 bytes ──► one word ──► multiply, shift ──► slot ──► rule
 *
 * THREADS   Constants.
 */
#ifndef CM_DECODE_FIELDS_H
#define CM_DECODE_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "event/event.h"

/* A key of up to seven bytes as the word that cm_json_word() reads, zeros behind it. */
#define CM_KEY(a, b, c, d, e, f, g)                                                                \
    ((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24 |              \
     (uint64_t)(e) << 32 | (uint64_t)(f) << 40 | (uint64_t)(g) << 48)
/* `transfers` is the one longer key. It is compared apart; this word, which no short key has, is
 * its place in the table. */
#define CM_KEY_TRANSFERS UINT64_MAX

/* Perfect over the keys below (the factor was found by trial): two keys in one slot would not
 * compile (-Woverride-init). Slot 0, where the empty key falls, is taken, so that no free slot
 * matches it. */
#define CM_KEY_SLOTS     64
#define CM_KEY_SLOT(key) (((key)*UINT64_C(0x94d4e111b940c6c7)) >> 58)

/* X(CODE, key, RULE, most, word, member). `most`: bytes of a TEXT and of the names in CHECKS, else
 * the greatest value. `word`: the function that knows the words of a WORD. */
// clang-format off
#define CM_FIELDS(X) \
    X(TYPE,      CM_KEY('t','y','p','e',0,0,0),    WORD,   0, type_word, type) \
    X(ID,        CM_KEY('i','d',0,0,0,0,0),        TEXT,   CM_ID_BYTES_MAX, NULL, id) \
    X(TS,        CM_KEY('t','s',0,0,0,0,0),        TIME,   CM_TS_MS_MAX, NULL, ts_ms) \
    X(CALL,      CM_KEY('c','a','l','l',0,0,0),    TEXT,   CM_ID_BYTES_MAX, NULL, call) \
    X(SEAT,      CM_KEY('s','e','a','t',0,0,0),    TEXT,   CM_UNIT_BYTES_MAX, NULL, seat) \
    X(AGENT,     CM_KEY('a','g','e','n','t',0,0),  TEXT,   CM_UNIT_BYTES_MAX, NULL, agent) \
    X(QUEUE,     CM_KEY('q','u','e','u','e',0,0),  TEXT,   CM_UNIT_BYTES_MAX, NULL, queue) \
    X(CENTRE,    CM_KEY('c','e','n','t','r','e',0), TEXT,   CM_UNIT_BYTES_MAX, NULL, centre) \
    X(CH,        CM_KEY('c','h',0,0,0,0,0),        TEXT,   CM_CHANNEL_BYTES_MAX, NULL, channel) \
    X(OUTCOME,   CM_KEY('o','u','t','c','o','m','e'), WORD,   0, outcome_word, outcome) \
    X(WAIT,      CM_KEY('w','a','i','t','_','m','s'), COUNT,  CM_PART_MS_MAX, NULL, wait_ms) \
    X(RING,      CM_KEY('r','i','n','g','_','m','s'), COUNT,  CM_PART_MS_MAX, NULL, ring_ms) \
    X(TALK,      CM_KEY('t','a','l','k','_','m','s'), COUNT,  CM_PART_MS_MAX, NULL, talk_ms) \
    X(HOLD,      CM_KEY('h','o','l','d','_','m','s'), COUNT,  CM_PART_MS_MAX, NULL, hold_ms) \
    X(ACW,       CM_KEY('a','c','w','_','m','s',0), COUNT,  CM_PART_MS_MAX, NULL, acw_ms) \
    X(HOLD_N,    CM_KEY('h','o','l','d','_','n',0), COUNT,  UINT32_MAX, NULL, hold_n) \
    X(TRANSFERS, CM_KEY_TRANSFERS,                 COUNT,  UINT32_MAX, NULL, transfers) \
    X(END,       CM_KEY('e','n','d',0,0,0,0),      WORD,   0, end_word, end) \
    X(ON_HOLD,   CM_KEY('o','n','_','h','o','l','d'), FLAG,   0, NULL, on_hold) \
    X(RATING,    CM_KEY('r','a','t','i','n','g',0), RATING, CM_RATING_MAX, NULL, rating) \
    X(CHECKS,    CM_KEY('c','h','e','c','k','s',0), CHECKS, CM_ID_BYTES_MAX, NULL, checks) \
    X(REV,       CM_KEY('r','e','v',0,0,0,0),      COUNT,  UINT32_MAX, NULL, rev) \
    X(REASON,    CM_KEY('r','e','a','s','o','n',0), TEXT,   CM_RECORD_BYTES_MAX, NULL, reason) \
    X(STATE,     CM_KEY('s','t','a','t','e',0,0),  WORD,   0, state_word, state) \
    X(SOURCE,    CM_KEY('s','o','u','r','c','e',0), WORD,   0, source_word, source) \
    X(SCORE,     CM_KEY('s','c','o','r','e',0,0),  SCORE,  0, NULL, rating) \
    X(CASE,      CM_KEY('c','a','s','e',0,0,0),    TEXT,   CM_ID_BYTES_MAX, NULL, case_id) \
    X(KIND,      CM_KEY('k','i','n','d',0,0,0),    TEXT,   CM_UNIT_BYTES_MAX, NULL, kind) \
    X(STEP,      CM_KEY('s','t','e','p',0,0,0),    WORD,   0, step_word, step)
// clang-format on

#define X(code, key, rule, most, word, member) CM_FIELD_##code,
enum cm_field { CM_FIELDS(X) CM_FIELD_COUNT };
#undef X
_Static_assert(CM_FIELD_COUNT <= 32, "a bit a field");
#define CM_FIELD_BIT(code) (UINT32_C(1) << CM_FIELD_##code)

enum cm_field_kind {
    CM_RULE_WORD,   /* string, one of a list */
    CM_RULE_TEXT,   /* string of at most `most` bytes; an empty one counts as absent */
    CM_RULE_TIME,   /* integer ms, or RFC 3339 */
    CM_RULE_COUNT,  /* integer 0 .. most */
    CM_RULE_FLAG,   /* true or false */
    CM_RULE_RATING, /* integer 0 .. most, -1 when absent */
    CM_RULE_CHECKS, /* object of true, false and null */
    CM_RULE_SCORE   /* number 0 .. 100, judged and not kept */
};

struct cm_field_rule {
    uint64_t key; /* 0: a free slot */
    int64_t most;
    int (*word)(struct cm_str word); /* WORD only: its value, -1 when it is none of the list */
    uint16_t offset;                 /* of the member in struct cm_event */
    uint8_t rule;                    /* enum cm_field_kind */
    uint8_t field;                   /* enum cm_field */
};

/* What a type asks for, a bit a field. `relevant` includes `required`. */
struct cm_type_fields {
    uint32_t required, relevant;
};

extern const struct cm_field_rule cm_field_rules[CM_KEY_SLOTS];
extern const struct cm_type_fields cm_type_fields[CM_EVENT_COUNT];
/* Where the type is not known: the common fields. */
extern const struct cm_type_fields cm_common_fields;

/* The rule of a short key; NULL when no field has it. */
static inline const struct cm_field_rule *cm_field_find(uint64_t key)
{
    const struct cm_field_rule *rule = &cm_field_rules[CM_KEY_SLOT(key)];
    return CM_LIKELY(rule->key == key) ? rule : NULL;
}

/* The same for a key of any length and any bytes. */
const struct cm_field_rule *cm_field_find_name(struct cm_str name);
/* Gives the members of these fields (bits) their defaults. */
void cm_fields_clear(struct cm_event *event, uint32_t fields);

#endif
