// SPDX-License-Identifier: Apache-2.0
/* config.h — the effective configuration, made from the table in settings_table.h.
 *
 * Sources, later ones win: default, file, environment (CALLMILL_REDIS_ADDRESS), command line (-o).
 * Strict: an unknown key, a repeated key, a value out of range, a missing unit, an anchor or a tag
 * are mistakes; every mistake is reported, with file:line:column and the nearest name.
 *
 * THREADS   Immutable once loaded; any thread may read.
 * OWNERSHIP A cm_config owns everything that it points to.
 */
#ifndef CM_CONFIG_CONFIG_H
#define CM_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "base/zone.h"
#include "config/settings_table.h"
#include "event/figures.h"
#include "event/unit.h"

#define CM_WINDOWS_MAX 16 /* sliding windows and calendar periods together */

struct cm_window_spec {
    char name[24];  /* "5m": the length as written; field of Redis, "window" of a row */
    bool is_period; /* then `period` is set and length_ms is 0 */
    enum cm_period period;
    int64_t length_ms;
    int64_t step_ms; /* periods slide by 1,000 */
};

struct cm_property {
    const char *name, *value; /* secrets already read from their file or the environment */
    bool secret;              /* printed as *** */
};

struct cm_queue_spec {
    const char *id;
    enum cm_kind owner_kind; /* TEAM, ROOM or CENTRE */
    const char *owner_id;    /* NULL: none given, the centre */
};

struct cm_check_spec {
    const char *name;
    uint32_t weight; /* 0 .. 1,000 */
    bool veto;
    const char *when;                       /* compliance.rules only; NULL for compliance.checks */
    const struct cm_expression *expression; /* compiled `when` */
};

struct cm_ranking_spec {
    enum cm_kind kind;
    uint32_t window; /* index in all[] */
    enum cm_figure metric;
};

enum cm_compare {
    CM_COMPARE_NONE = 0,
    CM_COMPARE_LT,
    CM_COMPARE_LE,
    CM_COMPARE_GT,
    CM_COMPARE_GE,
    CM_COMPARE_EQ,
    CM_COMPARE_NE
};

/* "> 360000": a comparison with a decimal number, at most 6 decimals; exact, as value * 10^6. */
struct cm_condition {
    enum cm_compare compare; /* NONE: not given */
    int64_t micro;
};

struct cm_escalation {
    int64_t after_ms;
    enum cm_kind to; /* TEAM, ROOM or CENTRE, a level above the rule's kind */
};

struct cm_rule_spec {
    const char *name;
    enum cm_kind kind;
    const char *const *ids; /* ids_count of them; none: all units of the kind */
    uint32_t ids_count;
    uint32_t window; /* index in all[] */
    enum cm_figure metric;
    struct cm_condition warn, critical, clear;
    int64_t for_ms, keep_ms, cooldown_ms;
    uint64_t min_n; /* least number of legs, or of seconds, behind the figure: docs/rules.md */
    const struct cm_escalation *escalate; /* in rising order of after_ms */
    uint32_t escalate_count;
};

#define CM_TYPE_STRING      const char *
#define CM_TYPE_DURATION    int64_t
#define CM_TYPE_COUNT       int64_t
#define CM_TYPE_BOOL        bool
#define CM_TYPE_WORD        int
#define CM_TYPE_PROPERTIES  struct cm_properties
#define CM_TYPE_QUEUES      struct cm_queue_specs
#define CM_TYPE_WINDOWS     struct cm_window_specs
#define CM_TYPE_PERIODS     struct cm_period_specs
#define CM_TYPE_LAYOUTS     struct cm_layouts
#define CM_TYPE_CHECKS      struct cm_check_specs
#define CM_TYPE_CHECK_RULES struct cm_check_specs
#define CM_TYPE_RANKINGS    struct cm_ranking_specs
#define CM_TYPE_RULES       struct cm_rule_specs

struct cm_properties {
    struct cm_property *at;
    uint32_t count;
};
struct cm_queue_specs {
    struct cm_queue_spec *at;
    uint32_t count;
};
struct cm_window_specs {
    struct cm_window_spec at[CM_WINDOWS_MAX];
    uint32_t count;
};
struct cm_period_specs {
    enum cm_period at[CM_PERIOD_COUNT];
    uint32_t count;
};
struct cm_layouts {
    bool units, boards;
};
struct cm_check_specs {
    struct cm_check_spec *at;
    uint32_t count;
};
struct cm_ranking_specs {
    struct cm_ranking_spec *at;
    uint32_t count;
};
struct cm_rule_specs {
    struct cm_rule_spec *at;
    uint32_t count;
};

enum cm_answers { CM_ANSWERS_AUTO, CM_ANSWERS_EACH };
enum cm_plane { CM_PLANE_AUTO, CM_PLANE_IO_URING, CM_PLANE_EPOLL, CM_PLANE_LIBRDKAFKA };

struct cm_config {
#define X(path, field, type, text, low, high, doc) CM_TYPE_##type field;
    CM_SETTINGS(X)
#undef X
    /* Derived: windows, then periods, as configured; rules, rankings and rows index this. */
    struct cm_window_spec all[CM_WINDOWS_MAX];
    uint32_t all_count;
    struct cm_formulas formulas;
    struct cm_zone *zone;             /* owned */
    const char *path;                 /* of the file, NULL when there was none */
    uint64_t hash;                    /* of everything that decides figures */
    struct cm_config_origin *origins; /* where each setting came from, for `check` */
    struct cm_config_memory *memory;
};

/* path may be NULL (defaults, environment and overrides only). overrides: "key=value" texts of -o.
 * 0, or -CM_ERR_CONFIG: then cm_fail_text() holds all mistakes, a line each:
 *   callmill.yaml:12:9: unknown key `window`, did you mean `windows`?
 * A file that cannot be opened is one such line. */
CM_NODISCARD int cm_config_load(const char *path, const char *const *overrides,
                                uint32_t overrides_count, struct cm_config **out);
/* The same from memory; `name` stands for the path in messages, relative paths resolve against the
 * current folder. */
CM_NODISCARD int cm_config_parse(const char *name, const char *yaml, size_t len,
                                 const char *const *overrides, uint32_t overrides_count,
                                 struct cm_config **out);
void cm_config_free(struct cm_config *config);

/* The effective configuration as YAML that loads to the same one, each line with where it came from
 * (`# default`, `# callmill.yaml:3`, `# CALLMILL_TICK`, `# -o`). Secrets are ***, which does not
 * load again. */
void cm_config_print(const struct cm_config *config, struct cm_text *out);
/* The reference page, Markdown, from the table. */
void cm_config_reference(struct cm_text *out);
/* configs/callmill.yaml: every setting with its default and what it means, from the table. */
void cm_config_example(struct cm_text *out);
/* Weight and veto of a check name; weight 1, no veto when it is not listed. */
uint32_t cm_config_check(const struct cm_config *config, struct cm_str name, bool *veto);
/* `roster` resolved against the folder of the configuration file; NULL when there is none. */
const char *cm_config_roster_path(const struct cm_config *config);

#endif
