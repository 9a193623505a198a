// SPDX-License-Identifier: Apache-2.0
/* config_maps.c — the maps with free keys: librdkafka's properties, queues, compliance checks and
 * rules.
 *
 * A property that is a secret is never written in a configuration: it names a file or a variable of
 * the environment, and is read from there once, when the configuration is loaded. No message quotes
 * it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "config/config_loader.h"
#include "event/event.h"

#define PROPERTY_BYTES_MAX 128
#define SECRET_BYTES_MAX   65536
#define WEIGHT_MAX         "1000"

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);
    return len >= end_len && strcasecmp(text + len - end_len, end) == 0;
}

static bool is_key_material(const char *name)
{
    return strcasecmp(name, "ssl.key.pem") == 0;
}

static bool is_secret(const char *name)
{
    return ends_in(name, "password") || ends_in(name, "secret") || is_key_material(name);
}

/* The first line of a file; all of it for a PEM key. */
static bool read_secret_file(struct cm_loader *loader, const struct cm_node *node, const char *path,
                             const char **out)
{
    FILE *file = fopen(cm_config_resolve(loader, path), "rbe");
    if (file == NULL) {
        cm_mistake(loader, cm_at_value(node), "`%.80s`: cannot open %.200s: %s", node->key, path,
                   strerror(errno));
        return false;
    }
    char *bytes = cm_config_alloc(loader->memory, SECRET_BYTES_MAX, 1);
    size_t len = fread(bytes, 1, SECRET_BYTES_MAX - 1, file);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (!is_key_material(node->key)) {
        len = strcspn(bytes, "\r\n");
    }
    bytes[len] = '\0';
    if (failed || len == 0) {
        cm_mistake(loader, cm_at_value(node), "`%.80s`: %.200s %s", node->key, path,
                   failed ? "cannot be read" : "begins with an empty line");
        return false;
    }
    *out = bytes;
    return true;
}

static bool read_secret(struct cm_loader *loader, const struct cm_node *node, const char **out)
{
    bool from_file = strncmp(node->text, "file:", 5) == 0 && node->text[5] != '\0';
    bool from_env = strncmp(node->text, "env:", 4) == 0 && node->text[4] != '\0';
    *out = "";
    if (!from_file && !from_env) {
        cm_mistake(loader, cm_at_value(node),
                   "`%.80s` is a secret: write file:PATH or env:NAME, never the value itself",
                   node->key);
        return false;
    }
    if (!loader->effective) {
        return true;
    }
    if (from_file) {
        return read_secret_file(loader, node, node->text + 5, out);
    }
    const char *value = getenv(node->text + 4);
    if (value == NULL || value[0] == '\0') {
        cm_mistake(loader, cm_at_value(node), "`%.80s`: the variable %.80s is not set", node->key,
                   node->text + 4);
        return false;
    }
    *out = cm_config_strndup(loader->memory, value, strlen(value));
    return true;
}

/* A key of 1 to `most` bytes. */
static bool check_key(struct cm_loader *loader, const struct cm_node *node, const char *what,
                      size_t most)
{
    size_t len = strlen(node->key);
    if (len > 0 && len <= most) {
        return true;
    }
    cm_mistake(loader, cm_at_key(node), "the name of a %s must have 1 to %zu bytes, this has %zu",
               what, most, len);
    return false;
}

bool cm_read_properties(struct cm_loader *loader, const struct cm_node *node,
                        struct cm_properties *out)
{
    *out = (struct cm_properties){0};
    if (!cm_value_is_map(loader, node, "properties")) {
        return false;
    }
    out->at = cm_config_alloc(loader->memory, node->count, sizeof(*out->at));
    bool good = true;
    for (const struct cm_node *item = node->first; item != NULL; item = item->next) {
        struct cm_property property = {.name = item->key};
        if (item->broken || !check_key(loader, item, "property", PROPERTY_BYTES_MAX) ||
            !cm_value_text(loader, item, item->key, &property.value)) {
            good = false;
            continue;
        }
        property.secret = is_secret(item->key);
        if (property.secret && !read_secret(loader, item, &property.value)) {
            good = false;
            continue;
        }
        out->at[out->count++] = property;
    }
    return good;
}

/* team:ID, room:ID or centre:ID */
static bool read_owner(struct cm_loader *loader, const struct cm_node *node,
                       struct cm_queue_spec *queue)
{
    const char *text = NULL;
    if (!cm_value_text(loader, node, "owner", &text)) {
        return false;
    }
    const char *colon = strchr(text, ':');
    struct cm_str kind = {text, colon == NULL ? 0 : (uint32_t)(colon - text)};
    size_t id_len = colon == NULL ? 0 : strlen(colon + 1);
    if (colon == NULL || !cm_kind_parse(kind, &queue->owner_kind) ||
        queue->owner_kind == CM_KIND_SEAT || queue->owner_kind == CM_KIND_QUEUE || id_len == 0 ||
        id_len > CM_UNIT_BYTES_MAX) {
        cm_mistake(
            loader, cm_at_value(node),
            "`owner`: `%.80s` must be team:ID, room:ID or centre:ID, the id of 1 to %d bytes", text,
            CM_UNIT_BYTES_MAX);
        return false;
    }
    queue->owner_id = colon + 1;
    return true;
}

bool cm_read_queues(struct cm_loader *loader, const struct cm_node *node,
                    struct cm_queue_specs *out)
{
    *out = (struct cm_queue_specs){0};
    if (!cm_value_is_map(loader, node, "queues")) {
        return false;
    }
    out->at = cm_config_alloc(loader->memory, node->count, sizeof(*out->at));
    bool good = true;
    for (const struct cm_node *item = node->first; item != NULL; item = item->next) {
        struct cm_member members[] = {{.name = "owner"}};
        struct cm_queue_spec queue = {.id = item->key, .owner_kind = CM_KIND_CENTRE};
        bool fine = !item->broken && check_key(loader, item, "queue", CM_UNIT_BYTES_MAX) &&
                    cm_value_members(loader, item, item->key, members, CM_ARRAY_LEN(members)) &&
                    (members[0].node == NULL || read_owner(loader, members[0].node, &queue));
        if (fine) {
            out->at[out->count++] = queue;
        }
        good = good && fine;
    }
    return good;
}

static bool read_when(struct cm_loader *loader, const struct cm_node *node,
                      struct cm_check_spec *check)
{
    if (!cm_value_text(loader, node, "when", &check->when)) {
        return false;
    }
    struct cm_expression *expression = NULL;
    uint32_t column = 0;
    if (cm_expression_compile(node->text, node->len, &expression, &column) != 0) {
        cm_mistake(loader, cm_at_value(node), "`when`, at its column %u: %.300s", column,
                   cm_fail_text());
        return false;
    }
    cm_config_keep_expression(loader->memory, expression);
    check->expression = expression;
    return true;
}

static bool read_check(struct cm_loader *loader, const struct cm_node *node, bool is_rule,
                       struct cm_check_spec *out)
{
    struct cm_member members[] = {{.name = "weight"}, {.name = "veto"}, {.name = "when"}};
    members[2].required = is_rule;
    *out = (struct cm_check_spec){.name = node->key, .weight = 1};
    if (node->broken || !check_key(loader, node, "check", CM_ID_BYTES_MAX)) {
        return false;
    }
    bool good = cm_value_members(loader, node, node->key, members, is_rule ? 3 : 2);
    int64_t weight = 1;
    if (members[0].node != NULL) {
        good = cm_value_count(loader, members[0].node, "weight", "0", WEIGHT_MAX, &weight) && good;
    }
    if (members[1].node != NULL) {
        good = cm_value_bool(loader, members[1].node, "veto", &out->veto) && good;
    }
    if (members[2].node != NULL) {
        good = read_when(loader, members[2].node, out) && good;
    }
    out->weight = (uint32_t)weight;
    return good;
}

bool cm_read_checks(struct cm_loader *loader, const struct cm_node *node, bool rules,
                    struct cm_check_specs *out)
{
    *out = (struct cm_check_specs){0};
    if (!cm_value_is_map(loader, node, rules ? "compliance.rules" : "compliance.checks")) {
        return false;
    }
    out->at = cm_config_alloc(loader->memory, node->count, sizeof(*out->at));
    bool good = true;
    for (const struct cm_node *item = node->first; item != NULL; item = item->next) {
        struct cm_check_spec check;
        if (read_check(loader, item, rules, &check)) {
            out->at[out->count++] = check;
        } else {
            good = false;
        }
    }
    return good;
}
