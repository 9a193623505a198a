// SPDX-License-Identifier: Apache-2.0
/* config.c — gathers what the four sources give, has it read, and keeps the result.
 *
 *   1. collect   defaults, file, CALLMILL_ variables (by name), -o in order: each becomes entries
 *                (setting, node) in `given`, in order of precedence
 *   2. read      windows and periods first, because rules and rankings name them; then all others
 *   3. check     what needs several settings; then all mistakes at once, or the configuration
 *
 * An override may name a setting (`tick`, `service_level.target`) or a section (`service_level`,
 * whose value is then a map). Its value is YAML flow text where it begins with a quote, a bracket
 * or a brace; anything else is taken as it stands, so that `-o redis.prefix=cm:` needs no quoting.
 */
#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "config/config_loader.h"

#define FILE_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define PATH_BYTES_MAX 256
#define VARIABLE_START "CALLMILL_"

extern char **environ;

static struct cm_feed *new_feed(struct cm_loader *loader, enum cm_feed_kind kind, uint32_t order,
                                const char *name, size_t name_len)
{
    struct cm_feed *feed = cm_config_alloc(loader->memory, 1, sizeof(*feed));
    feed->kind = kind;
    feed->order = order;
    feed->name = cm_config_strndup(loader->memory, name, name_len);
    return feed;
}

static void give(struct cm_loader *loader, enum cm_setting_id setting, const struct cm_node *node)
{
    if (loader->given_count == loader->given_cap) {
        loader->given_cap = loader->given_cap == 0 ? 2 * CM_SETTING_COUNT : 2 * loader->given_cap;
        loader->given = cm_realloc(loader->given, loader->given_cap, sizeof(loader->given[0]));
    }
    loader->given[loader->given_count++] = (struct cm_given){setting, node};
    loader->force[setting] = node;
}

/* "source.kafka" of a node two maps deep below `top`, whose own path is `prefix`. false: too long.
 */
static bool node_path(const struct cm_node *node, const struct cm_node *top, const char *prefix,
                      char *out)
{
    const struct cm_node *chain[3]; /* no setting is deeper */
    uint32_t deep = 0;
    out[0] = '\0';
    for (; node != top; node = node->parent) {
        if (deep == CM_ARRAY_LEN(chain)) {
            return false;
        }
        chain[deep++] = node;
    }
    int len = snprintf(out, PATH_BYTES_MAX, "%s", prefix);
    while (deep > 0 && len >= 0 && len < PATH_BYTES_MAX) {
        int more = snprintf(out + len, (size_t)(PATH_BYTES_MAX - len), "%s%s", len > 0 ? "." : "",
                            chain[--deep]->key);
        len = more < 0 ? more : len + more;
    }
    return len >= 0 && len < PATH_BYTES_MAX;
}

/* The next names below a section, each once. */
static size_t names_below(struct cm_loader *loader, const char *section, const char **names)
{
    size_t skip = section[0] == '\0' ? 0 : strlen(section) + 1;
    size_t count = 0;
    for (unsigned i = 0; i < CM_SETTING_COUNT; i++) {
        const char *path = cm_setting_get((enum cm_setting_id)i)->path;
        if (skip > 0 && (strncmp(path, section, skip - 1) != 0 || path[skip - 1] != '.')) {
            continue;
        }
        size_t len = strcspn(path + skip, ".");
        bool listed = count > 0 && strncmp(names[count - 1], path + skip, len) == 0 &&
                      names[count - 1][len] == '\0';
        if (!listed) {
            names[count++] = cm_config_strndup(loader->memory, path + skip, len);
        }
    }
    return count;
}

/* The setting that has `key` as its last name, as `source.kafka.brokers` for brokers; NULL for
 * none. */
static const char *elsewhere(const char *key)
{
    for (unsigned i = 0; i < CM_SETTING_COUNT; i++) {
        const char *path = cm_setting_get((enum cm_setting_id)i)->path;
        const char *last = strrchr(path, '.');
        if (last != NULL && strcmp(last + 1, key) == 0) {
            return path;
        }
    }
    return NULL;
}

static void refuse_key(struct cm_loader *loader, const struct cm_node *node, const char *section)
{
    const char *names[CM_SETTING_COUNT];
    char hint[CM_HINT_BYTES];
    size_t count = names_below(loader, section, names);
    const char *other = elsewhere(node->key);
    cm_hint(node->key, names, count, hint);
    if (other != NULL) {
        snprintf(hint, sizeof(hint), ", did you mean `%s`?", other);
    } else if (hint[0] == '\0' && strchr(node->key, '.') != NULL) {
        snprintf(hint, sizeof(hint), "; in a file each part has its own line, nested");
    }
    cm_mistake(loader, cm_at_key(node), "unknown key `%.80s`%s", node->key, hint);
}

/* The node behind `node` in the order of the text, below `top`; into it when `enter`. */
static const struct cm_node *next_node(const struct cm_node *node, const struct cm_node *top,
                                       bool enter)
{
    if (enter && node->first != NULL) {
        return node->first;
    }
    while (node != top && node->next == NULL) {
        node = node->parent;
    }
    return node == top ? NULL : node->next;
}

/* A section without anything in it is one whose lines are commented out. */
static bool is_empty_section(const struct cm_node *node)
{
    return node->kind == CM_NODE_SCALAR && node->plain && node->len == 0;
}

/* Gives all settings of a map that stands for the section `prefix`. */
static void walk(struct cm_loader *loader, const struct cm_node *top, const char *prefix)
{
    if (top->broken || is_empty_section(top) ||
        !cm_value_is_map(loader, top, prefix[0] == '\0' ? "configuration" : prefix)) {
        return;
    }
    const struct cm_node *node = next_node(top, top, true);
    while (node != NULL) {
        char path[PATH_BYTES_MAX];
        char section[PATH_BYTES_MAX];
        bool enter = false;
        bool known = node_path(node->parent, top, prefix, section) &&
                     node_path(node, top, prefix, path) && strchr(node->key, '.') == NULL;
        if (node->broken) {
            node = next_node(node, top, false);
            continue;
        }
        enum cm_setting_id id = known ? cm_setting_find(path) : CM_SETTING_COUNT;
        if (id != CM_SETTING_COUNT) {
            give(loader, id, node);
        } else if (known && cm_setting_is_section(path)) {
            enter = !is_empty_section(node) && cm_value_is_map(loader, node, path);
        } else {
            refuse_key(loader, node, section);
        }
        node = next_node(node, top, enter);
    }
}

/* Value text of -o, of a variable or of the table. */
static struct cm_node *parse_value(struct cm_loader *loader, const struct cm_feed *feed,
                                   const char *text)
{
    size_t len = strlen(text);
    size_t spaces = strspn(text, " ");
    bool flow = text[spaces] != '\0' && strchr("\"'[{", text[spaces]) != NULL;
    struct cm_node *node =
        flow ? cm_yaml_parse(loader, feed, text, len) : cm_yaml_scalar(loader, feed, text, len);
    loader->incomplete = loader->incomplete || node == NULL;
    return node;
}

static void collect_defaults(struct cm_loader *loader)
{
    for (unsigned i = 0; i < CM_SETTING_COUNT; i++) {
        const struct cm_setting *setting = cm_setting_get((enum cm_setting_id)i);
        struct cm_feed *feed =
            new_feed(loader, CM_FEED_DEFAULT, i, setting->path, strlen(setting->path));
        struct cm_node *node = parse_value(loader, feed, setting->text);
        CM_ASSERT(node != NULL);
        give(loader, (enum cm_setting_id)i, node);
    }
}

static void collect_file(struct cm_loader *loader, const char *name, const char *yaml, size_t len)
{
    struct cm_feed *feed = new_feed(loader, CM_FEED_FILE, 0, name, strlen(name));
    struct cm_node *root = cm_yaml_parse(loader, feed, yaml, len);
    if (root == NULL) {
        loader->incomplete = true;
    } else {
        walk(loader, root, "");
    }
}

static void refuse_variable(struct cm_loader *loader, const struct cm_feed *feed)
{
    const char *names[CM_SETTING_COUNT];
    char hint[CM_HINT_BYTES];
    for (unsigned i = 0; i < CM_SETTING_COUNT; i++) {
        char name[CM_VARIABLE_BYTES];
        cm_setting_variable(cm_setting_get((enum cm_setting_id)i), name);
        names[i] = cm_config_strndup(loader->memory, name, strlen(name));
    }
    cm_mistake(loader, (struct cm_place){feed, 0, 0}, "unknown variable%s",
               cm_hint(feed->name, names, CM_SETTING_COUNT, hint));
}

static void collect_variable(struct cm_loader *loader, const char *entry, uint32_t order)
{
    size_t name_len = strcspn(entry, "=");
    struct cm_feed *feed = new_feed(loader, CM_FEED_ENV, order, entry, name_len);
    for (unsigned i = 0; i < CM_SETTING_COUNT; i++) {
        char name[CM_VARIABLE_BYTES];
        cm_setting_variable(cm_setting_get((enum cm_setting_id)i), name);
        if (strcmp(name, feed->name) == 0) {
            struct cm_node *node = parse_value(loader, feed, entry + name_len + 1);
            if (node != NULL) {
                give(loader, (enum cm_setting_id)i, node);
            }
            return;
        }
    }
    refuse_variable(loader, feed);
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* By name, so that messages come in the same order whatever the order of the environment. */
static void collect_environment(struct cm_loader *loader)
{
    size_t count = 0;
    for (char **at = environ; at != NULL && *at != NULL; at++) {
        count += strncmp(*at, VARIABLE_START, strlen(VARIABLE_START)) == 0;
    }
    const char **entries = cm_config_alloc(loader->memory, count, sizeof(char *));
    size_t filled = 0;
    for (char **at = environ; at != NULL && *at != NULL && filled < count; at++) {
        if (strncmp(*at, VARIABLE_START, strlen(VARIABLE_START)) == 0 && strchr(*at, '=') != NULL) {
            entries[filled++] = *at;
        }
    }
    qsort(entries, filled, sizeof(char *), compare_texts);
    for (size_t i = 0; i < filled; i++) {
        collect_variable(loader, entries[i], (uint32_t)i);
    }
}

static void refuse_override(struct cm_loader *loader, const struct cm_feed *feed)
{
    const char *paths[CM_SETTING_COUNT];
    char hint[CM_HINT_BYTES];
    for (unsigned i = 0; i < CM_SETTING_COUNT; i++) {
        paths[i] = cm_setting_get((enum cm_setting_id)i)->path;
        size_t len = strlen(paths[i]);
        if (strncmp(paths[i], feed->name, len) == 0 && feed->name[len] == '.') {
            cm_mistake(loader, (struct cm_place){feed, 0, 0},
                       "unknown key; `%s` is given as a whole: -o '%s=...'", paths[i], paths[i]);
            return;
        }
    }
    cm_hint(feed->name, paths, CM_SETTING_COUNT, hint);
    const char *other = elsewhere(feed->name);
    if (other != NULL) {
        snprintf(hint, sizeof(hint), ", did you mean `%s`?", other);
    }
    cm_mistake(loader, (struct cm_place){feed, 0, 0}, "unknown key%s", hint);
}

static void collect_override(struct cm_loader *loader, const char *text, uint32_t order)
{
    /* The value may be a secret, so that only the key is ever quoted. */
    size_t key_len =
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");
    struct cm_feed *feed = new_feed(loader, CM_FEED_OVERRIDE, order, text, key_len);
    feed->column_shift = (uint32_t)key_len + 1;
    if (text[key_len] != '=' || key_len == 0) {
        cm_mistake(loader, (struct cm_place){feed, 0, 0}, "must be key=value, such as tick=200ms");
        return;
    }
    enum cm_setting_id id = cm_setting_find(feed->name);
    if (id == CM_SETTING_COUNT && !cm_setting_is_section(feed->name)) {
        refuse_override(loader, feed);
        return;
    }
    struct cm_node *node = parse_value(loader, feed, text + key_len + 1);
    if (node != NULL && id != CM_SETTING_COUNT) {
        give(loader, id, node);
    } else if (node != NULL) {
        walk(loader, node, feed->name);
    }
}

static bool read_setting(struct cm_loader *loader, const struct cm_setting *s,
                         const struct cm_node *node)
{
    void *field = (char *)loader->config + s->offset;
    switch (s->type) {
    case CM_SETTING_TYPE_STRING:
        return cm_value_text(loader, node, s->path, field);
    case CM_SETTING_TYPE_DURATION:
        return cm_value_duration(loader, node, s->path, s->low, s->high, field);
    case CM_SETTING_TYPE_COUNT:
        return cm_value_count(loader, node, s->path, s->low, s->high, field);
    case CM_SETTING_TYPE_BOOL:
        return cm_value_bool(loader, node, s->path, field);
    case CM_SETTING_TYPE_WORD:
        return cm_value_word(loader, node, s->path, s->low, field);
    case CM_SETTING_TYPE_PROPERTIES:
        return cm_read_properties(loader, node, field);
    case CM_SETTING_TYPE_QUEUES:
        return cm_read_queues(loader, node, field);
    case CM_SETTING_TYPE_WINDOWS:
        return cm_read_windows(loader, node, field);
    case CM_SETTING_TYPE_PERIODS:
        return cm_read_periods(loader, node, field);
    case CM_SETTING_TYPE_LAYOUTS:
        return cm_read_layouts(loader, node, field);
    case CM_SETTING_TYPE_CHECKS:
    case CM_SETTING_TYPE_CHECK_RULES:
        return cm_read_checks(loader, node, s->type == CM_SETTING_TYPE_CHECK_RULES, field);
    case CM_SETTING_TYPE_RANKINGS:
        return cm_read_rankings(loader, node, field);
    case CM_SETTING_TYPE_RULES:
        return cm_read_rules(loader, node, field);
    default:
        cm_assert_failed("a type outside the table", __FILE__, __LINE__);
    }
}

static const char *origin_text(struct cm_loader *loader, const struct cm_node *node)
{
    const struct cm_feed *feed = node->feed;
    switch (feed->kind) {
    case CM_FEED_FILE: {
        struct cm_text text = {0};
        cm_text_addf(&text, "%s:%u", feed->name, cm_at_key(node).line);
        const char *out = cm_config_strndup(loader->memory, text.data, text.len);
        cm_text_free(&text);
        return out;
    }
    case CM_FEED_ENV:
        return feed->name;
    case CM_FEED_OVERRIDE:
        return "-o";
    default:
        return "default";
    }
}

static void read_given(struct cm_loader *loader, bool windows)
{
    for (uint32_t i = 0; i < loader->given_count; i++) {
        const struct cm_given *given = &loader->given[i];
        const struct cm_setting *setting = cm_setting_get(given->setting);
        bool is_window =
            setting->type == CM_SETTING_TYPE_WINDOWS || setting->type == CM_SETTING_TYPE_PERIODS;
        if (is_window != windows) {
            continue;
        }
        loader->effective = loader->force[given->setting] == given->node;
        bool good = read_setting(loader, setting, given->node);
        if (loader->effective) {
            loader->fine[given->setting] = good;
            loader->windows_broken = loader->windows_broken || (is_window && !good);
            loader->config->origins[given->setting].text = origin_text(loader, given->node);
        }
    }
}

static int finish(struct cm_loader *loader, struct cm_config **out)
{
    struct cm_config *config = loader->config;
    read_given(loader, true);
    cm_config_join_windows(config);
    read_given(loader, false);
    cm_config_check_all(loader);
    free(loader->given);
    loader->given = NULL;
    if (loader->mistakes_count > 0) {
        int rc = cm_mistakes_fail(loader);
        cm_config_free(config);
        return rc;
    }
    config->hash = cm_config_figures_hash(config);
    *out = config;
    return 0;
}

/* The folder of a path with its slash, "" for none. */
static const char *folder_of(struct cm_config_memory *memory, const char *path)
{
    const char *slash = path == NULL ? NULL : strrchr(path, '/');
    return slash == NULL ? "" : cm_config_strndup(memory, path, (size_t)(slash - path) + 1);
}

static void start(struct cm_loader *loader, const char *path)
{
    struct cm_config *config = cm_alloc(1, sizeof(*config));
    config->memory = cm_alloc(1, sizeof(*config->memory));
    loader->config = config;
    loader->memory = config->memory;
    loader->folder = folder_of(config->memory, path);
    config->path = path == NULL ? NULL : cm_config_strndup(config->memory, path, strlen(path));
    config->origins =
        cm_config_alloc(config->memory, CM_SETTING_COUNT, sizeof(struct cm_config_origin));
    collect_defaults(loader);
}

static void collect_overrides(struct cm_loader *loader, const char *const *overrides,
                              uint32_t overrides_count)
{
    collect_environment(loader);
    for (uint32_t i = 0; i < overrides_count; i++) {
        collect_override(loader, overrides[i], i);
    }
}

/* The whole file; false, and a mistake, when it cannot be had. */
static bool read_file(struct cm_loader *loader, const char *path, struct cm_text *out)
{
    struct cm_feed *feed = new_feed(loader, CM_FEED_FILE, 0, path, strlen(path));
    struct cm_place place = {feed, 0, 0};
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        cm_mistake(loader, place, "cannot open: %s", strerror(errno));
        return false;
    }
    for (;;) {
        size_t n = fread(cm_text_room(out, 65536), 1, 65536, file);
        out->len += n;
        if (n == 0 || out->len > FILE_BYTES_MAX) {
            break;
        }
    }
    int error = ferror(file) != 0 ? errno : 0;
    fclose(file);
    if (error != 0) {
        cm_mistake(loader, place, "cannot read: %s", strerror(error));
    } else if (out->len > FILE_BYTES_MAX) {
        cm_mistake(loader, place, "longer than 4 MiB");
        error = EFBIG;
    }
    return error == 0;
}

int cm_config_load(const char *path, const char *const *overrides, uint32_t overrides_count,
                   struct cm_config **out)
{
    struct cm_loader *loader = cm_alloc(1, sizeof(*loader));
    struct cm_text yaml = {0};
    *out = NULL;
    start(loader, path);
    if (path != NULL) {
        if (read_file(loader, path, &yaml)) {
            collect_file(loader, path, yaml.data, yaml.len);
        } else {
            loader->incomplete = true;
        }
    }
    cm_text_free(&yaml);
    collect_overrides(loader, overrides, overrides_count);
    int rc = finish(loader, out);
    free(loader);
    return rc;
}

int cm_config_parse(const char *name, const char *yaml, size_t len, const char *const *overrides,
                    uint32_t overrides_count, struct cm_config **out)
{
    struct cm_loader *loader = cm_alloc(1, sizeof(*loader));
    *out = NULL;
    start(loader, NULL);
    collect_file(loader, name, yaml, len);
    collect_overrides(loader, overrides, overrides_count);
    int rc = finish(loader, out);
    free(loader);
    return rc;
}

void cm_config_free(struct cm_config *config)
{
    if (config == NULL) {
        return;
    }
    if (config->zone != NULL) {
        cm_zone_free(config->zone);
    }
    cm_config_memory_free(config->memory);
    free(config);
}

uint32_t cm_config_check(const struct cm_config *config, struct cm_str name, bool *veto)
{
    const struct cm_config_memory *memory = config->memory;
    uint32_t low = 0;
    uint32_t high = memory->checks_count;
    *veto = false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct cm_check_spec *check = memory->checks_by_name[middle];
        int order = cm_str_cmp(name, (struct cm_str){check->name, (uint32_t)strlen(check->name)});
        if (order == 0) {
            *veto = check->veto;
            return check->weight;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return 1;
}

const char *cm_config_roster_path(const struct cm_config *config)
{
    return config->memory->roster_path;
}
