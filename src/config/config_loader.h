// SPDX-License-Identifier: Apache-2.0
/* config_loader.h — what the files of the loader share; nobody outside the room includes it.
 *
 *   file ──┐                            ┌─ config_value.c    one scalar
 *   env  ──┼─► trees ─► given[] ─► read ┼─ config_windows.c  windows, periods, layouts
 *   -o   ──┘   (yaml)   (config.c)      ├─ config_maps.c     properties, queues, checks
 *   default ───────────────┘            └─ config_rules.c    rankings, rules
 *                                             │
 *                              config_check.c ▼ what needs more than one setting ─► cm_config
 *
 * Each source becomes a tree of nodes with places. Every setting that any source gives is read, so
 * that a mistake under an override shows too; the last one read stays. Names of windows are looked
 * up in the windows in force, and only for settings in force (`effective`).
 *
 * THREADS   A loader belongs to the call of cm_config_load() that made it; no static state.
 * OWNERSHIP Everything that the configuration points to, the nodes included, is in `memory`.
 */
#ifndef CM_CONFIG_CONFIG_LOADER_H
#define CM_CONFIG_CONFIG_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "config/config_yaml.h"
#include "config/expression.h"

#define CM_MISTAKES_MAX 200u /* more are counted, not kept */

/* ---- memory: blocks and expressions that live as long as the configuration */

struct cm_config_memory {
    struct cm_config_block *blocks;
    const struct cm_check_spec **checks_by_name; /* sorted by name; checks and rules together */
    uint32_t checks_count;
    const char *roster_path;
};

/* Zeroed, aligned for any type; never NULL. */
void *cm_config_alloc(struct cm_config_memory *memory, size_t count, size_t size_bytes);
const char *cm_config_strndup(struct cm_config_memory *memory, const char *text, size_t len);
/* The expression is freed with the memory. */
void cm_config_keep_expression(struct cm_config_memory *memory, struct cm_expression *expression);
void cm_config_memory_free(struct cm_config_memory *memory);

/* ---- the table of settings */

#define X(path, field, type, text, low, high, doc) CM_SETTING_##field,
enum cm_setting_id { CM_SETTINGS(X) CM_SETTING_COUNT };
#undef X

// clang-format off
/* X(TYPE, word for messages and the reference) */
#define CM_SETTING_TYPES(X) \
    X(STRING, "text") X(DURATION, "duration") X(COUNT, "integer") X(BOOL, "true or false") \
    X(WORD, "word") X(PROPERTIES, "map of properties") X(QUEUES, "map of queues") \
    X(WINDOWS, "list of windows") X(PERIODS, "list of periods") X(LAYOUTS, "list of layouts") \
    X(CHECKS, "map of checks") X(CHECK_RULES, "map of rules") X(RANKINGS, "list of rankings") \
    X(RULES, "list of rules")
// clang-format on
#define X(type, text) CM_SETTING_TYPE_##type,
enum cm_setting_type { CM_SETTING_TYPES(X) CM_SETTING_TYPES_END };
#undef X

struct cm_setting {
    const char *path;
    enum cm_setting_type type;
    size_t offset; /* of the field in cm_config */
    const char *text, *low, *high, *doc;
};

const struct cm_setting *cm_setting_get(enum cm_setting_id id);
const char *cm_setting_type_text(enum cm_setting_type type);
/* CM_SETTING_COUNT when the path is none. */
enum cm_setting_id cm_setting_find(const char *path);
/* Whether settings stand below `path`, as below "redis". */
bool cm_setting_is_section(const char *path);
/* "CALLMILL_REDIS_ADDRESS"; `out` holds CM_VARIABLE_BYTES. */
#define CM_VARIABLE_BYTES 96
const char *cm_setting_variable(const struct cm_setting *setting, char *out);
/* STRING, DURATION, COUNT, BOOL, WORD: a scalar. */
bool cm_setting_is_scalar(const struct cm_setting *setting);

/* ---- mistakes */

struct cm_place {
    const struct cm_feed *feed;
    uint32_t line, column; /* 0: the source as a whole */
};

struct cm_mistake {
    struct cm_place place;
    uint32_t number; /* in order of discovery */
    const char *text;
};

struct cm_config_origin {
    const char *text; /* "default", "callmill.yaml:3", "CALLMILL_TICK", "-o" */
};

/* One setting as one source gives it. */
struct cm_given {
    enum cm_setting_id setting;
    const struct cm_node *node;
};

struct cm_loader {
    struct cm_config *config;
    struct cm_config_memory *memory;
    const char *folder;     /* of the file with its slash; "" without one */
    struct cm_given *given; /* in order of precedence, the last of a setting is in force */
    uint32_t given_count, given_cap;
    const struct cm_node *force[CM_SETTING_COUNT]; /* the node in force */
    bool fine[CM_SETTING_COUNT]; /* the value in force was read without a mistake */
    bool effective;              /* the node that is being read is in force */
    bool incomplete;             /* a source could not be read: judge nothing across settings */
    bool windows_broken;         /* a window or period in force was refused */
    struct cm_mistake mistakes[CM_MISTAKES_MAX];
    uint32_t mistakes_count; /* may exceed CM_MISTAKES_MAX */
};

struct cm_place cm_at_value(const struct cm_node *node);
struct cm_place cm_at_key(const struct cm_node *node); /* of the value where there is no key */
void cm_mistake(struct cm_loader *loader, struct cm_place place, const char *format, ...)
    CM_PRINTF(3, 4);
/* ", did you mean `windows`?" when a candidate is near or alone begins with the word, or "". `out`
 * holds CM_HINT_BYTES. */
#define CM_HINT_BYTES 160
const char *cm_hint(const char *word, const char *const *candidates, size_t count, char *out);
/* All mistakes, sorted, one a line; returns cm_fail(). */
int cm_mistakes_fail(struct cm_loader *loader);

/* ---- values. Each says why and returns false on a mistake; `what` is the name in the message. */

#define CM_WORDS_MAX 16
bool cm_value_text(struct cm_loader *loader, const struct cm_node *node, const char *what,
                   const char **out);
/* A text of 1 to `most` bytes. */
bool cm_value_id(struct cm_loader *loader, const struct cm_node *node, const char *what,
                 size_t most, const char **out);
bool cm_value_duration(struct cm_loader *loader, const struct cm_node *node, const char *what,
                       const char *low, const char *high, int64_t *out);
bool cm_value_count(struct cm_loader *loader, const struct cm_node *node, const char *what,
                    const char *low, const char *high, int64_t *out);
bool cm_value_bool(struct cm_loader *loader, const struct cm_node *node, const char *what,
                   bool *out);
/* words: "net|gross", at most CM_WORDS_MAX; *out its index. */
bool cm_value_word(struct cm_loader *loader, const struct cm_node *node, const char *what,
                   const char *words, int *out);
bool cm_value_kind(struct cm_loader *loader, const struct cm_node *node, const char *what,
                   enum cm_kind *out);
bool cm_value_figure(struct cm_loader *loader, const struct cm_node *node, const char *what,
                     enum cm_figure *out);
/* Index in config->all of the window or period; a name that is none is a mistake when effective. */
bool cm_value_window(struct cm_loader *loader, const struct cm_node *node, const char *what,
                     uint32_t *out);

/* Whether the node is a list (a map), said if not. An empty plain value is neither. */
bool cm_value_is_list(struct cm_loader *loader, const struct cm_node *node, const char *what);
bool cm_value_is_map(struct cm_loader *loader, const struct cm_node *node, const char *what);

/* The keys that a map may hold; `node` stays NULL where a key is absent. */
struct cm_member {
    const char *name;
    bool required;
    const struct cm_node *node;
};
bool cm_value_members(struct cm_loader *loader, const struct cm_node *map, const char *what,
                      struct cm_member *members, size_t count);

/* ---- composite types; each fills `out` anew */

bool cm_read_windows(struct cm_loader *loader, const struct cm_node *node,
                     struct cm_window_specs *out);
bool cm_read_periods(struct cm_loader *loader, const struct cm_node *node,
                     struct cm_period_specs *out);
bool cm_read_layouts(struct cm_loader *loader, const struct cm_node *node, struct cm_layouts *out);
bool cm_read_properties(struct cm_loader *loader, const struct cm_node *node,
                        struct cm_properties *out);
bool cm_read_queues(struct cm_loader *loader, const struct cm_node *node,
                    struct cm_queue_specs *out);
bool cm_read_checks(struct cm_loader *loader, const struct cm_node *node, bool rules,
                    struct cm_check_specs *out);
bool cm_read_rankings(struct cm_loader *loader, const struct cm_node *node,
                      struct cm_ranking_specs *out);
bool cm_read_rules(struct cm_loader *loader, const struct cm_node *node, struct cm_rule_specs *out);

/* config->all from windows and periods. */
void cm_config_join_windows(struct cm_config *config);
/* What needs several settings, or the world: zone, addresses, names; fills what is derived. */
void cm_config_check_all(struct cm_loader *loader);
/* `path` as it is when absolute or empty, else below the folder of the file. */
const char *cm_config_resolve(struct cm_loader *loader, const char *path);

/* ---- printing */

/* One setting with its last key, at `indent`, with `comment` behind each line unless it is NULL. */
void cm_config_print_setting(const struct cm_config *config, enum cm_setting_id id, unsigned indent,
                             const char *comment, struct cm_text *out);
/* The lines "a:" and "  b:" that lead from the section of `before` (NULL: none) to that of `path`;
 * returns the depth of the section. */
unsigned cm_config_print_sections(const char *before, const char *path, struct cm_text *out);
/* XXH3 of the printed settings that decide figures. */
uint64_t cm_config_figures_hash(const struct cm_config *config);

#endif
