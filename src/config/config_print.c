// SPDX-License-Identifier: Apache-2.0
/* config_print.c — the effective configuration as YAML, each line with where it came from, and its
 * hash.
 *
 * What is printed loads again to the same configuration; but a secret is printed as ***, which the
 * loader refuses. The hash is over the same text of the settings that decide figures, without
 * origins, so that it does not depend on how a value was written or which source gave it.
 */
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "base/hash.h"
#include "config/config_loader.h"

/* Whether a text may stand without quotes: no reader of YAML takes it for anything but a text. */
static bool is_bare(const char *text)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no",
                                        "on",   "off",  "y",     "n"};
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz/";
    if (text[0] == '\0' || strchr(letters, text[0]) == NULL) {
        return false;
    }
    for (size_t i = 0; i < CM_ARRAY_LEN(words); i++) {
        if (strcasecmp(words[i], text) == 0) {
            return false;
        }
    }
    return text[strspn(
               text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-")] == '\0';
}

static void add_text(struct cm_text *out, const char *text)
{
    if (is_bare(text)) {
        cm_text_adds(out, text);
    } else {
        cm_text_add_json(out, text, strlen(text));
    }
}

static void add_duration(struct cm_text *out, int64_t ms)
{
    char text[32];
    cm_text_adds(out, cm_format_duration(ms, text));
}

static void add_comment(struct cm_text *out, const char *comment)
{
    if (comment != NULL) {
        cm_text_addf(out, "  # %s", comment);
    }
    cm_text_addc(out, '\n');
}

static void add_indent(struct cm_text *out, unsigned indent)
{
    for (unsigned i = 0; i < indent; i++) {
        cm_text_addc(out, ' ');
    }
}

static void add_word(struct cm_text *out, const char *words, int index)
{
    for (; index > 0; index--) {
        words = strchr(words, '|');
        CM_ASSERT(words != NULL);
        words++;
    }
    cm_text_add(out, words, strcspn(words, "|"));
}

static void add_condition(struct cm_text *out, const char *name,
                          const struct cm_condition *condition)
{
    static const char *const signs[] = {"", "<", "<=", ">", ">=", "==", "!="};
    if (condition->compare == CM_COMPARE_NONE) {
        return;
    }
    uint64_t micro =
        condition->micro < 0 ? (uint64_t)-condition->micro : (uint64_t)condition->micro;
    unsigned decimals = 6;
    while (decimals > 0 && micro % 10 == 0) {
        micro /= 10;
        decimals--;
    }
    cm_text_addf(out, ", %s: \"%s %s", name, signs[condition->compare],
                 condition->micro < 0 ? "-" : "");
    if (decimals == 0) {
        cm_text_add_u64(out, micro);
    } else {
        cm_text_add_fixed(out, micro, decimals);
    }
    cm_text_addc(out, '"');
}

static void add_rule(struct cm_text *out, const struct cm_config *config,
                     const struct cm_rule_spec *rule)
{
    cm_text_adds(out, "- {name: ");
    add_text(out, rule->name);
    cm_text_addf(out, ", kind: %s", cm_kind_name(rule->kind));
    for (uint32_t i = 0; i < rule->ids_count; i++) {
        cm_text_adds(out, i == 0 ? ", ids: [" : ", ");
        add_text(out, rule->ids[i]);
    }
    cm_text_addf(out, "%s, window: %s, metric: %s", rule->ids_count > 0 ? "]" : "",
                 config->all[rule->window].name, cm_figure_name(rule->metric));
    add_condition(out, "warn", &rule->warn);
    add_condition(out, "critical", &rule->critical);
    add_condition(out, "clear", &rule->clear);
    cm_text_adds(out, ", for: ");
    add_duration(out, rule->for_ms);
    cm_text_adds(out, ", keep: ");
    add_duration(out, rule->keep_ms);
    cm_text_adds(out, ", min_n: ");
    cm_text_add_u64(out, rule->min_n);
    cm_text_adds(out, ", cooldown: ");
    add_duration(out, rule->cooldown_ms);
    for (uint32_t i = 0; i < rule->escalate_count; i++) {
        cm_text_adds(out, i == 0 ? ", escalate: [{after: " : ", {after: ");
        add_duration(out, rule->escalate[i].after_ms);
        cm_text_addf(out, ", to: %s}", cm_kind_name(rule->escalate[i].to));
    }
    cm_text_adds(out, rule->escalate_count > 0 ? "]}" : "}");
}

static void add_check(struct cm_text *out, const struct cm_check_spec *check)
{
    add_text(out, check->name);
    cm_text_adds(out, ": {");
    if (check->when != NULL) {
        cm_text_adds(out, "when: ");
        cm_text_add_json(out, check->when, strlen(check->when));
        cm_text_adds(out, ", ");
    }
    cm_text_addf(out, "weight: %u, veto: %s}", check->weight, check->veto ? "true" : "false");
}

static void add_queue(struct cm_text *out, const struct cm_queue_spec *queue)
{
    add_text(out, queue->id);
    cm_text_adds(out, ": {");
    if (queue->owner_id != NULL) {
        struct cm_text owner = {0};
        cm_text_addf(&owner, "%s:%s", cm_kind_name(queue->owner_kind), queue->owner_id);
        cm_text_adds(out, "owner: ");
        cm_text_add_json(out, owner.data, owner.len);
        cm_text_free(&owner);
    }
    cm_text_addc(out, '}');
}

static void add_property(struct cm_text *out, const struct cm_property *property)
{
    add_text(out, property->name);
    cm_text_adds(out, ": ");
    if (property->secret) {
        cm_text_adds(out, "\"***\"");
    } else {
        add_text(out, property->value);
    }
}

/* How many lines a composite setting has below its key; 0 for those that stand on one line. */
static uint32_t lines_below(const struct cm_config *c, const struct cm_setting *s)
{
    switch (s->type) {
    case CM_SETTING_TYPE_PROPERTIES:
        return c->properties.count;
    case CM_SETTING_TYPE_QUEUES:
        return c->queues.count;
    case CM_SETTING_TYPE_CHECKS:
        return c->checks.count;
    case CM_SETTING_TYPE_CHECK_RULES:
        return c->check_rules.count;
    case CM_SETTING_TYPE_RANKINGS:
        return c->rankings.count;
    case CM_SETTING_TYPE_RULES:
        return c->rules.count;
    default:
        return 0;
    }
}

static void add_line_below(struct cm_text *out, const struct cm_config *c,
                           const struct cm_setting *s, uint32_t i)
{
    switch (s->type) {
    case CM_SETTING_TYPE_PROPERTIES:
        add_property(out, &c->properties.at[i]);
        break;
    case CM_SETTING_TYPE_QUEUES:
        add_queue(out, &c->queues.at[i]);
        break;
    case CM_SETTING_TYPE_CHECKS:
        add_check(out, &c->checks.at[i]);
        break;
    case CM_SETTING_TYPE_CHECK_RULES:
        add_check(out, &c->check_rules.at[i]);
        break;
    case CM_SETTING_TYPE_RANKINGS:
        cm_text_addf(out, "- {kind: %s, window: %s, metric: %s}",
                     cm_kind_name(c->rankings.at[i].kind), c->all[c->rankings.at[i].window].name,
                     cm_figure_name(c->rankings.at[i].metric));
        break;
    default:
        add_rule(out, c, &c->rules.at[i]);
        break;
    }
}

static void add_windows(struct cm_text *out, const struct cm_window_specs *windows)
{
    cm_text_addc(out, '[');
    for (uint32_t i = 0; i < windows->count; i++) {
        cm_text_addf(out, "%s%s/", i > 0 ? ", " : "", windows->at[i].name);
        add_duration(out, windows->at[i].step_ms);
    }
    cm_text_addc(out, ']');
}

static void add_periods(struct cm_text *out, const struct cm_period_specs *periods)
{
    cm_text_addc(out, '[');
    for (uint32_t i = 0; i < periods->count; i++) {
        cm_text_addf(out, "%s%s", i > 0 ? ", " : "", cm_period_name(periods->at[i]));
    }
    cm_text_addc(out, ']');
}

static void add_value(struct cm_text *out, const struct cm_config *c, const struct cm_setting *s)
{
    const void *field = (const char *)c + s->offset;
    switch (s->type) {
    case CM_SETTING_TYPE_STRING:
        add_text(out, *(const char *const *)field);
        break;
    case CM_SETTING_TYPE_DURATION:
        add_duration(out, *(const int64_t *)field);
        break;
    case CM_SETTING_TYPE_COUNT:
        cm_text_add_i64(out, *(const int64_t *)field);
        break;
    case CM_SETTING_TYPE_BOOL:
        cm_text_adds(out, *(const bool *)field ? "true" : "false");
        break;
    case CM_SETTING_TYPE_WORD:
        add_word(out, s->low, *(const int *)field);
        break;
    case CM_SETTING_TYPE_WINDOWS:
        add_windows(out, field);
        break;
    case CM_SETTING_TYPE_PERIODS:
        add_periods(out, field);
        break;
    case CM_SETTING_TYPE_LAYOUTS:
        cm_text_addf(out, "[%s%s%s]", c->publish.units ? "units" : "",
                     c->publish.units && c->publish.boards ? ", " : "",
                     c->publish.boards ? "boards" : "");
        break;
    default: /* an empty map or list */
        cm_text_adds(out, s->text);
        break;
    }
}

void cm_config_print_setting(const struct cm_config *config, enum cm_setting_id id, unsigned indent,
                             const char *comment, struct cm_text *out)
{
    const struct cm_setting *s = cm_setting_get(id);
    const char *dot = strrchr(s->path, '.');
    uint32_t lines = lines_below(config, s);
    add_indent(out, indent);
    cm_text_addf(out, "%s:", dot == NULL ? s->path : dot + 1);
    if (lines == 0) {
        cm_text_addc(out, ' ');
        add_value(out, config, s);
    }
    add_comment(out, comment);
    for (uint32_t i = 0; i < lines; i++) {
        add_indent(out, indent + 2);
        add_line_below(out, config, s, i);
        add_comment(out, comment);
    }
}

unsigned cm_config_print_sections(const char *before, const char *path, struct cm_text *out)
{
    unsigned depth = 0;
    const char *from = path;
    for (const char *dot = strchr(path, '.'); dot != NULL; dot = strchr(from, '.')) {
        size_t len = (size_t)(dot - path) + 1; /* "source.kafka." */
        if (before == NULL || strncmp(before, path, len) != 0) {
            add_indent(out, 2 * depth);
            cm_text_add(out, from, (size_t)(dot - from));
            cm_text_adds(out, ":\n");
        }
        from = dot + 1;
        depth++;
    }
    return depth;
}

void cm_config_print(const struct cm_config *config, struct cm_text *out)
{
    const char *before = NULL;
    for (unsigned i = 0; i < CM_SETTING_COUNT; i++) {
        const char *path = cm_setting_get((enum cm_setting_id)i)->path;
        unsigned depth = cm_config_print_sections(before, path, out);
        cm_config_print_setting(config, (enum cm_setting_id)i, 2 * depth, config->origins[i].text,
                                out);
        before = path;
    }
}

uint64_t cm_config_figures_hash(const struct cm_config *config)
{
    static const enum cm_setting_id ids[] = {CM_SETTING_windows,
                                             CM_SETTING_periods,
                                             CM_SETTING_timezone,
                                             CM_SETTING_centre,
                                             CM_SETTING_queues,
                                             CM_SETTING_dedupe_ms,
                                             CM_SETTING_allowed_lateness_ms,
                                             CM_SETTING_short_abandon_ms,
                                             CM_SETTING_abandonment_formula,
                                             CM_SETTING_service_target_ms,
                                             CM_SETTING_service_formula,
                                             CM_SETTING_checks,
                                             CM_SETTING_check_rules};
    struct cm_text text = {0};
    for (size_t i = 0; i < CM_ARRAY_LEN(ids); i++) {
        cm_text_addf(&text, "%s\n", cm_setting_get(ids[i])->path);
        cm_config_print_setting(config, ids[i], 0, NULL, &text);
    }
    uint64_t hash = cm_hash64(text.data, text.len);
    cm_text_free(&text);
    return hash;
}
