// SPDX-License-Identifier: Apache-2.0
/* config_value.c — one node to one value: texts, durations, integers, words, names of other tables.
 *
 * Strict: a duration has its unit, an integer and a truth value stand without quotes, a word is one
 * of a list. A value that YAML would call null (nothing, ~, null) is no text: "" is the empty one.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "config/config_loader.h"

static bool is_null(const struct cm_node *node)
{
    return node->kind == CM_NODE_SCALAR && node->plain &&
           (node->len == 0 || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0 ||
            strcmp(node->text, "Null") == 0 || strcmp(node->text, "NULL") == 0);
}

static const char *node_word(const struct cm_node *node)
{
    switch (node->kind) {
    case CM_NODE_MAP:
        return "a map";
    case CM_NODE_LIST:
        return "a list";
    default:
        return is_null(node) ? "nothing" : "a single value";
    }
}

/* A scalar that is not null; `expected` says what the value should be. */
static bool is_scalar(struct cm_loader *loader, const struct cm_node *node, const char *what,
                      const char *expected)
{
    if (node->broken) {
        return false;
    }
    /* Of a variable or -o, nothing is the empty text. */
    bool empty = is_null(node) && !(node->len == 0 && node->feed->kind != CM_FEED_FILE);
    if (node->kind != CM_NODE_SCALAR || empty) {
        cm_mistake(loader, cm_at_value(node), "`%.80s` must be %s, not %s%s", what, expected,
                   node_word(node),
                   empty && strcmp(expected, "a text") == 0 ? "; write \"\" for an empty one" : "");
        return false;
    }
    return true;
}

bool cm_value_text(struct cm_loader *loader, const struct cm_node *node, const char *what,
                   const char **out)
{
    if (!is_scalar(loader, node, what, "a text")) {
        return false;
    }
    *out = node->text;
    return true;
}

bool cm_value_id(struct cm_loader *loader, const struct cm_node *node, const char *what,
                 size_t most, const char **out)
{
    const char *text = NULL;
    if (!cm_value_text(loader, node, what, &text)) {
        return false;
    }
    if (node->len == 0 || node->len > most) {
        cm_mistake(loader, cm_at_value(node), "`%.80s` must have 1 to %zu bytes, this has %u", what,
                   most, node->len);
        return false;
    }
    *out = text;
    return true;
}

static bool is_digits(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return len > 0;
}

static int64_t bound_duration(const char *text)
{
    int64_t ms = 0;
    bool good = cm_parse_duration(text, strlen(text), &ms);
    CM_ASSERT(good);
    return ms;
}

bool cm_value_duration(struct cm_loader *loader, const struct cm_node *node, const char *what,
                       const char *low, const char *high, int64_t *out)
{
    if (!is_scalar(loader, node, what, "a duration such as 20s")) {
        return false;
    }
    int64_t ms = 0;
    if (!cm_parse_duration(node->text, node->len, &ms)) {
        if (is_digits(node->text, node->len)) {
            cm_mistake(loader, cm_at_value(node),
                       "`%.80s`: `%.40s` lacks its unit, one of ms, s, m, h, d", what, node->text);
        } else {
            cm_mistake(loader, cm_at_value(node),
                       "`%.80s`: `%.40s` is not a duration such as 250ms, 20s, 5m, 1h or 30d", what,
                       node->text);
        }
        return false;
    }
    if (ms < bound_duration(low) || ms > bound_duration(high)) {
        cm_mistake(loader, cm_at_value(node), "`%.80s`: %.40s is out of range, %s to %s", what,
                   node->text, low, high);
        return false;
    }
    *out = ms;
    return true;
}

static bool parse_i64(const char *text, size_t len, int64_t *out)
{
    bool negative = len > 0 && text[0] == '-';
    uint64_t value = 0;
    if (!cm_parse_u64(text + negative, len - negative, &value) || value > INT64_MAX) {
        return false;
    }
    *out = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

static int64_t bound_count(const char *text)
{
    int64_t value = 0;
    bool good = parse_i64(text, strlen(text), &value);
    CM_ASSERT(good);
    return value;
}

bool cm_value_count(struct cm_loader *loader, const struct cm_node *node, const char *what,
                    const char *low, const char *high, int64_t *out)
{
    if (!is_scalar(loader, node, what, "an integer")) {
        return false;
    }
    int64_t value = 0;
    if (!node->plain || !parse_i64(node->text, node->len, &value)) {
        cm_mistake(loader, cm_at_value(node), "`%.80s` must be an integer, not %s`%.40s`", what,
                   node->plain ? "" : "the text ", node->text);
        return false;
    }
    if (value < bound_count(low) || value > bound_count(high)) {
        cm_mistake(loader, cm_at_value(node), "`%.80s`: %.40s is out of range, %s to %s", what,
                   node->text, low, high);
        return false;
    }
    *out = value;
    return true;
}

bool cm_value_bool(struct cm_loader *loader, const struct cm_node *node, const char *what,
                   bool *out)
{
    if (!is_scalar(loader, node, what, "true or false")) {
        return false;
    }
    bool is_true = strcmp(node->text, "true") == 0;
    if (!node->plain || (!is_true && strcmp(node->text, "false") != 0)) {
        cm_mistake(loader, cm_at_value(node), "`%.80s` must be true or false, not %s`%.40s`", what,
                   node->plain ? "" : "the text ", node->text);
        return false;
    }
    *out = is_true;
    return true;
}

static bool refuse_word(struct cm_loader *loader, const struct cm_node *node, const char *what,
                        const char *const *words, size_t count)
{
    char hint[CM_HINT_BYTES];
    cm_hint(node->text, words, count, hint);
    if (hint[0] != '\0') {
        cm_mistake(loader, cm_at_value(node), "`%.80s`: unknown word `%.80s`%s", what, node->text,
                   hint);
        return false;
    }
    struct cm_text list = {0};
    for (size_t i = 0; i < count; i++) {
        cm_text_addf(&list, "%s%s", i == 0 ? "" : ", ", words[i]);
    }
    cm_mistake(loader, cm_at_value(node), "`%.80s`: unknown word `%.80s`, must be one of %.400s",
               what, node->text, cm_text_cstr(&list));
    cm_text_free(&list);
    return false;
}

bool cm_value_word(struct cm_loader *loader, const struct cm_node *node, const char *what,
                   const char *words, int *out)
{
    if (!is_scalar(loader, node, what, "a word")) {
        return false;
    }
    char copy[256];
    const char *list[CM_WORDS_MAX];
    size_t count = 0;
    int len = snprintf(copy, sizeof(copy), "%s", words);
    CM_ASSERT(len >= 0 && (size_t)len < sizeof(copy));
    for (char *at = copy; at != NULL;) {
        CM_ASSERT(count < CM_WORDS_MAX);
        list[count++] = at;
        at = strchr(at, '|');
        if (at != NULL) {
            *at++ = '\0';
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], node->text) == 0) {
            *out = (int)i;
            return true;
        }
    }
    return refuse_word(loader, node, what, list, count);
}

bool cm_value_kind(struct cm_loader *loader, const struct cm_node *node, const char *what,
                   enum cm_kind *out)
{
    if (!is_scalar(loader, node, what, "a kind of unit")) {
        return false;
    }
    if (cm_kind_parse((struct cm_str){node->text, node->len}, out)) {
        return true;
    }
#define X(code, text) text,
    static const char *const kinds[] = {CM_KINDS(X)};
#undef X
    return refuse_word(loader, node, what, kinds, CM_ARRAY_LEN(kinds));
}

bool cm_value_figure(struct cm_loader *loader, const struct cm_node *node, const char *what,
                     enum cm_figure *out)
{
    if (!is_scalar(loader, node, what, "the name of a figure")) {
        return false;
    }
    if (cm_figure_parse((struct cm_str){node->text, node->len}, out)) {
        return true;
    }
#define X(name, kind, unit, formula, meaning) #name,
    static const char *const figures[] = {CM_FIGURES(X)};
#undef X
    char hint[CM_HINT_BYTES];
    cm_mistake(loader, cm_at_value(node), "`%.80s`: unknown figure `%.80s`%s", what, node->text,
               cm_hint(node->text, figures, CM_ARRAY_LEN(figures), hint));
    return false;
}

bool cm_value_window(struct cm_loader *loader, const struct cm_node *node, const char *what,
                     uint32_t *out)
{
    if (!is_scalar(loader, node, what, "the name of a window or period")) {
        return false;
    }
    const struct cm_config *config = loader->config;
    const char *names[CM_WINDOWS_MAX];
    for (uint32_t i = 0; i < config->all_count; i++) {
        names[i] = config->all[i].name;
        if (strcmp(names[i], node->text) == 0) {
            *out = i;
            return true;
        }
    }
    if (loader->effective && !loader->incomplete && !loader->windows_broken) {
        char hint[CM_HINT_BYTES];
        cm_mistake(loader, cm_at_value(node),
                   "`%.80s`: `%.80s` is neither a configured window nor a period%s", what,
                   node->text, cm_hint(node->text, names, config->all_count, hint));
    }
    return false;
}

bool cm_value_is_list(struct cm_loader *loader, const struct cm_node *node, const char *what)
{
    if (node->broken || node->kind == CM_NODE_LIST) {
        return !node->broken;
    }
    cm_mistake(loader, cm_at_value(node), "`%.80s` must be a list, not %s", what, node_word(node));
    return false;
}

bool cm_value_is_map(struct cm_loader *loader, const struct cm_node *node, const char *what)
{
    if (node->broken || node->kind == CM_NODE_MAP) {
        return !node->broken;
    }
    cm_mistake(loader, cm_at_value(node), "`%.80s` must be a map, not %s", what, node_word(node));
    return false;
}

static struct cm_member *find_member(struct cm_member *members, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(members[i].name, name) == 0) {
            return &members[i];
        }
    }
    return NULL;
}

bool cm_value_members(struct cm_loader *loader, const struct cm_node *map, const char *what,
                      struct cm_member *members, size_t count)
{
    const char *names[CM_WORDS_MAX];
    bool good = true;
    CM_ASSERT(count <= CM_WORDS_MAX);
    if (!cm_value_is_map(loader, map, what)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = members[i].name;
    }
    for (const struct cm_node *node = map->first; node != NULL; node = node->next) {
        struct cm_member *member = find_member(members, count, node->key);
        if (member != NULL && member->node == NULL) {
            member->node = node;
        } else if (!node->broken) {
            char hint[CM_HINT_BYTES];
            cm_mistake(loader, cm_at_key(node), "unknown key `%.80s`%s", node->key,
                       cm_hint(node->key, names, count, hint));
            good = false;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (members[i].required && members[i].node == NULL) {
            cm_mistake(loader, cm_at_value(map), "`%.80s` lacks `%s`", what, members[i].name);
            good = false;
        }
    }
    return good;
}
