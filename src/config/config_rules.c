// SPDX-License-Identifier: Apache-2.0
/* config_rules.c — breach rules, their conditions and escalations, and rankings.
 *
 * A condition is a comparison and a decimal number of at most 6 decimals, kept as an integer of
 * millionths, so that comparing a figure with it is exact. Which windows there are is known by now:
 * windows and periods in force are read before all else.
 */
#include <string.h>

#include "base/fail.h"
#include "config/config_loader.h"
#include "event/event.h"

#define MICRO_DIGITS  6u
#define TIMER_MAX     "31d"
#define MIN_N_MAX     "1000000000"
#define RULE_ID_BYTES 64

static enum cm_compare read_compare(const char **at)
{
    static const struct {
        const char *text;
        enum cm_compare compare;
    } table[] = {{"<=", CM_COMPARE_LE}, {">=", CM_COMPARE_GE}, {"==", CM_COMPARE_EQ},
                 {"!=", CM_COMPARE_NE}, {"<", CM_COMPARE_LT},  {">", CM_COMPARE_GT}};
    for (size_t i = 0; i < CM_ARRAY_LEN(table); i++) {
        size_t len = strlen(table[i].text);
        if (strncmp(*at, table[i].text, len) == 0) {
            *at += len;
            return table[i].compare;
        }
    }
    return CM_COMPARE_NONE;
}

/* Digits, and at most 6 more behind a point; false when there is more, or it does not fit. */
static bool read_micro(const char *at, int64_t *out)
{
    bool negative = *at == '-';
    bool point = false;
    unsigned digits = 0;
    unsigned decimals = 0;
    int64_t value = 0;
    for (at += negative; *at != '\0'; at++) {
        if (*at == '.' && !point && digits > 0) {
            point = true;
            continue;
        }
        if (*at < '0' || *at > '9' || decimals == MICRO_DIGITS) {
            return false;
        }
        digits++;
        decimals += point;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *at - '0', &value)) {
            return false;
        }
    }
    if (digits == 0 || (point && decimals == 0)) {
        return false;
    }
    for (; decimals < MICRO_DIGITS; decimals++) {
        if (__builtin_mul_overflow(value, 10, &value)) {
            return false;
        }
    }
    *out = negative ? -value : value;
    return true;
}

static bool read_condition(struct cm_loader *loader, const struct cm_node *node, const char *what,
                           struct cm_condition *out)
{
    const char *text = NULL;
    if (!cm_value_text(loader, node, what, &text)) {
        return false;
    }
    const char *at = text;
    while (*at == ' ') {
        at++;
    }
    out->compare = read_compare(&at);
    while (*at == ' ') {
        at++;
    }
    if (out->compare == CM_COMPARE_NONE || !read_micro(at, &out->micro)) {
        cm_mistake(
            loader, cm_at_value(node),
            "`%s`: `%.80s` must be <, <=, >, >=, == or != and a number of at most 6 decimals,"
            " such as \"> 360000\"",
            what, text);
        return false;
    }
    return true;
}

/* Only a unit that stands above one of `kind` can be told. A queue is below the node that owns it.
 */
static bool is_above(enum cm_kind to, enum cm_kind kind)
{
    switch (kind) {
    case CM_KIND_SEAT:
    case CM_KIND_QUEUE:
        return to == CM_KIND_TEAM || to == CM_KIND_ROOM || to == CM_KIND_CENTRE;
    case CM_KIND_TEAM:
        return to == CM_KIND_ROOM || to == CM_KIND_CENTRE;
    case CM_KIND_ROOM:
        return to == CM_KIND_CENTRE;
    default:
        return false;
    }
}

static bool read_escalation(struct cm_loader *loader, const struct cm_node *node, bool kind_known,
                            const struct cm_rule_spec *rule, struct cm_escalation *out)
{
    struct cm_member members[] = {{.name = "after", .required = true},
                                  {.name = "to", .required = true}};
    bool good = cm_value_members(loader, node, "escalate", members, CM_ARRAY_LEN(members));
    if (members[0].node != NULL) {
        good =
            cm_value_duration(loader, members[0].node, "after", "0s", TIMER_MAX, &out->after_ms) &&
            good;
    }
    if (members[1].node == NULL || !cm_value_kind(loader, members[1].node, "to", &out->to)) {
        return false;
    }
    if (kind_known && !is_above(out->to, rule->kind)) {
        cm_mistake(loader, cm_at_value(members[1].node), "`to`: a %s is not a level above a %s",
                   cm_kind_name(out->to), cm_kind_name(rule->kind));
        return false;
    }
    return good;
}

static bool read_escalate(struct cm_loader *loader, const struct cm_node *node, bool kind_known,
                          struct cm_rule_spec *rule)
{
    if (!cm_value_is_list(loader, node, "escalate")) {
        return false;
    }
    struct cm_escalation *steps =
        cm_config_alloc(loader->memory, node->count, sizeof(struct cm_escalation));
    bool good = true;
    for (const struct cm_node *item = node->first; item != NULL; item = item->next) {
        struct cm_escalation step = {0};
        if (item->broken || !read_escalation(loader, item, kind_known, rule, &step)) {
            good = false;
            continue;
        }
        uint32_t n = rule->escalate_count;
        if (n > 0 && steps[n - 1].after_ms >= step.after_ms) {
            cm_mistake(loader, cm_at_value(item),
                       "`escalate`: each step must come after the one before it");
            good = false;
        }
        steps[rule->escalate_count++] = step;
    }
    rule->escalate = steps;
    return good;
}

static bool read_ids(struct cm_loader *loader, const struct cm_node *node,
                     struct cm_rule_spec *rule)
{
    if (!cm_value_is_list(loader, node, "ids")) {
        return false;
    }
    if (node->first == NULL) {
        cm_mistake(loader, cm_at_value(node), "`ids` is empty; leave it out to mean all units");
        return false;
    }
    const char **ids = cm_config_alloc(loader->memory, node->count, sizeof(char *));
    bool good = true;
    for (const struct cm_node *item = node->first; item != NULL; item = item->next) {
        const char *id = NULL;
        if (!cm_value_id(loader, item, "ids", CM_UNIT_BYTES_MAX, &id)) {
            good = false;
            continue;
        }
        bool repeated = false;
        for (uint32_t i = 0; i < rule->ids_count; i++) {
            repeated = repeated || strcmp(ids[i], id) == 0;
        }
        if (repeated) {
            cm_mistake(loader, cm_at_value(item), "`ids`: `%s` is listed twice", id);
            good = false;
            continue;
        }
        ids[rule->ids_count++] = id;
    }
    rule->ids = ids;
    return good;
}

static bool read_name(struct cm_loader *loader, const struct cm_node *node, const char **out)
{
    if (!cm_value_id(loader, node, "name", RULE_ID_BYTES, out)) {
        return false;
    }
    size_t fine = strspn(*out, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");
    if (fine != node->len) {
        cm_mistake(loader, cm_at_value(node),
                   "`name`: `%.80s` may hold letters, digits, `_`, `.` and `-` only", *out);
        return false;
    }
    return true;
}

enum member {
    NAME,
    KIND,
    IDS,
    WINDOW,
    METRIC,
    WARN,
    CRITICAL,
    CLEAR,
    FOR,
    KEEP,
    MIN_N,
    COOLDOWN,
    ESCALATE,
    MEMBER_COUNT
};

static bool read_rule_timers(struct cm_loader *loader, const struct cm_member *members,
                             struct cm_rule_spec *rule)
{
    static const enum member which[] = {FOR, KEEP, COOLDOWN};
    int64_t *const fields[] = {&rule->for_ms, &rule->keep_ms, &rule->cooldown_ms};
    bool good = true;
    for (size_t i = 0; i < CM_ARRAY_LEN(which); i++) {
        const struct cm_member *member = &members[which[i]];
        if (member->node != NULL) {
            good =
                cm_value_duration(loader, member->node, member->name, "0s", TIMER_MAX, fields[i]) &&
                good;
        }
    }
    int64_t min_n = 1;
    if (members[MIN_N].node != NULL) {
        good = cm_value_count(loader, members[MIN_N].node, "min_n", "0", MIN_N_MAX, &min_n) && good;
    }
    rule->min_n = (uint64_t)min_n;
    return good;
}

static bool read_rule_conditions(struct cm_loader *loader, const struct cm_node *node,
                                 const struct cm_member *members, struct cm_rule_spec *rule)
{
    static const enum member which[] = {WARN, CRITICAL, CLEAR};
    struct cm_condition *const fields[] = {&rule->warn, &rule->critical, &rule->clear};
    bool good = true;
    for (size_t i = 0; i < CM_ARRAY_LEN(which); i++) {
        const struct cm_member *member = &members[which[i]];
        if (member->node != NULL) {
            good = read_condition(loader, member->node, member->name, fields[i]) && good;
        }
    }
    if (members[WARN].node == NULL && members[CRITICAL].node == NULL) {
        cm_mistake(loader, cm_at_value(node), "a rule needs `warn`, `critical` or both");
        good = false;
    }
    return good;
}

static bool read_rule(struct cm_loader *loader, const struct cm_node *node,
                      struct cm_rule_spec *rule)
{
    struct cm_member m[MEMBER_COUNT] = {
        [NAME] = {"name", true, NULL},          [KIND] = {"kind", true, NULL},
        [IDS] = {"ids", false, NULL},           [WINDOW] = {"window", true, NULL},
        [METRIC] = {"metric", true, NULL},      [WARN] = {"warn", false, NULL},
        [CRITICAL] = {"critical", false, NULL}, [CLEAR] = {"clear", false, NULL},
        [FOR] = {"for", false, NULL},           [KEEP] = {"keep", false, NULL},
        [MIN_N] = {"min_n", false, NULL},       [COOLDOWN] = {"cooldown", false, NULL},
        [ESCALATE] = {"escalate", false, NULL}};
    *rule = (struct cm_rule_spec){0};
    if (node->broken || !cm_value_is_map(loader, node, "rules")) {
        return false;
    }
    bool good = cm_value_members(loader, node, "rule", m, CM_ARRAY_LEN(m));
    bool kind_known = false;
    if (m[NAME].node != NULL) {
        good = read_name(loader, m[NAME].node, &rule->name) && good;
    }
    if (m[KIND].node != NULL) {
        kind_known = cm_value_kind(loader, m[KIND].node, "kind", &rule->kind);
    }
    if (m[IDS].node != NULL) {
        good = read_ids(loader, m[IDS].node, rule) && good;
    }
    if (m[WINDOW].node != NULL) {
        good = cm_value_window(loader, m[WINDOW].node, "window", &rule->window) && good;
    }
    if (m[METRIC].node != NULL) {
        good = cm_value_figure(loader, m[METRIC].node, "metric", &rule->metric) && good;
    }
    good = read_rule_conditions(loader, node, m, rule) && good;
    good = read_rule_timers(loader, m, rule) && good;
    if (m[ESCALATE].node != NULL) {
        good = read_escalate(loader, m[ESCALATE].node, kind_known, rule) && good;
    }
    return good && kind_known;
}

/* Names are compared as written, so that a rule with another mistake still takes its name. */
static bool refuse_repeated_names(struct cm_loader *loader, const struct cm_node *rules)
{
    const struct cm_node **names =
        cm_config_alloc(loader->memory, rules->count, sizeof(struct cm_node *));
    uint32_t count = 0;
    bool good = true;
    for (const struct cm_node *rule = rules->first; rule != NULL; rule = rule->next) {
        const struct cm_node *name = rule->broken ? NULL : rule->first;
        while (name != NULL && (name->key == NULL || strcmp(name->key, "name") != 0)) {
            name = name->next;
        }
        if (name == NULL || name->broken || name->kind != CM_NODE_SCALAR) {
            continue;
        }
        bool repeated = false;
        for (uint32_t i = 0; i < count; i++) {
            repeated = repeated || strcmp(names[i]->text, name->text) == 0;
        }
        if (repeated) {
            cm_mistake(loader, cm_at_value(name), "`name`: a rule `%.80s` stands above already",
                       name->text);
            good = false;
        }
        names[count++] = name;
    }
    return good;
}

bool cm_read_rules(struct cm_loader *loader, const struct cm_node *node, struct cm_rule_specs *out)
{
    *out = (struct cm_rule_specs){0};
    if (!cm_value_is_list(loader, node, "rules")) {
        return false;
    }
    out->at = cm_config_alloc(loader->memory, node->count, sizeof(*out->at));
    bool good = refuse_repeated_names(loader, node);
    for (const struct cm_node *item = node->first; item != NULL; item = item->next) {
        struct cm_rule_spec rule;
        if (read_rule(loader, item, &rule)) {
            out->at[out->count++] = rule;
        } else {
            good = false;
        }
    }
    return good;
}

static bool read_ranking(struct cm_loader *loader, const struct cm_node *node,
                         struct cm_ranking_spec *out)
{
    struct cm_member m[] = {{.name = "kind", .required = true},
                            {.name = "window", .required = true},
                            {.name = "metric", .required = true}};
    *out = (struct cm_ranking_spec){0};
    if (node->broken || !cm_value_is_map(loader, node, "rankings")) {
        return false;
    }
    bool good = cm_value_members(loader, node, "ranking", m, CM_ARRAY_LEN(m));
    if (m[0].node != NULL) {
        good = cm_value_kind(loader, m[0].node, "kind", &out->kind) && good;
    }
    if (m[1].node != NULL) {
        good = cm_value_window(loader, m[1].node, "window", &out->window) && good;
    }
    if (m[2].node != NULL) {
        good = cm_value_figure(loader, m[2].node, "metric", &out->metric) && good;
    }
    return good;
}

bool cm_read_rankings(struct cm_loader *loader, const struct cm_node *node,
                      struct cm_ranking_specs *out)
{
    *out = (struct cm_ranking_specs){0};
    if (!cm_value_is_list(loader, node, "rankings")) {
        return false;
    }
    out->at = cm_config_alloc(loader->memory, node->count, sizeof(*out->at));
    bool good = true;
    for (const struct cm_node *item = node->first; item != NULL; item = item->next) {
        struct cm_ranking_spec ranking;
        if (!read_ranking(loader, item, &ranking)) {
            good = false;
            continue;
        }
        bool repeated = false;
        for (uint32_t i = 0; i < out->count; i++) {
            const struct cm_ranking_spec *other = &out->at[i];
            repeated =
                repeated || (other->kind == ranking.kind && other->window == ranking.window &&
                             other->metric == ranking.metric);
        }
        if (repeated) {
            cm_mistake(loader, cm_at_value(item), "this ranking stands above already");
            good = false;
            continue;
        }
        out->at[out->count++] = ranking;
    }
    return good;
}
