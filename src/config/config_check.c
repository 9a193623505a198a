// SPDX-License-Identifier: Apache-2.0
/* config_check.c — what one setting alone does not show: texts with a grammar of their own,
 * settings that must agree, the time zone; and what is derived from several settings.
 *
 * Only settings in force are judged here, and only those whose value was read without a mistake.
 * An address is never quoted in a message: somebody may have put a password into it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "config/config_loader.h"
#include "event/event.h"

#define TOPIC_BYTES_MAX 249

/* host:port, [v6]:port; without a port where `port_optional`. */
static bool is_address(const char *text, size_t len, bool port_optional)
{
    size_t host_len = len;
    while (host_len > 0 && text[host_len - 1] != ':' && text[host_len - 1] != ']') {
        host_len--;
    }
    bool has_port = host_len > 0 && text[host_len - 1] == ':';
    if (!has_port) {
        return port_optional && len > 0 && strcspn(text, " \t\r\n/@") >= len;
    }
    uint64_t port = 0;
    if (!cm_parse_u64(text + host_len, len - host_len, &port) || port > 65535) {
        return false;
    }
    host_len--;
    bool bracketed = host_len > 2 && text[0] == '[' && text[host_len - 1] == ']';
    if (!bracketed && memchr(text, ':', host_len) != NULL) {
        return false;
    }
    return host_len > 0 && strcspn(text, " \t\r\n/@") >= host_len;
}

/* Addresses parted by commas, each with or without a port and librdkafka's "PROTOCOL://". */
static bool is_brokers(const char *text)
{
    for (const char *at = text;; at++) {
        size_t len = strcspn(at, ",");
        size_t from = 0;
        size_t to = len;
        while (from < to && at[from] == ' ') {
            from++;
        }
        while (to > from && at[to - 1] == ' ') {
            to--;
        }
        const char *scheme = strstr(at + from, "://");
        if (scheme != NULL && scheme < at + to) {
            from = (size_t)(scheme + 3 - at);
        }
        if (!is_address(at + from, to - from, true)) {
            return false;
        }
        at += len;
        if (*at == '\0') {
            return true;
        }
    }
}

static bool is_topic(const char *text)
{
    size_t len = strlen(text);
    size_t fine = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    return len > 0 && len <= TOPIC_BYTES_MAX && fine == len && strcmp(text, ".") != 0 &&
           strcmp(text, "..") != 0;
}

static bool is_start(const char *text)
{
    int64_t ms = 0;
    size_t len = strlen(text);
    return strcmp(text, "earliest") == 0 || strcmp(text, "latest") == 0 ||
           cm_parse_rfc3339(text, len, &ms) || cm_parse_duration(text, len, &ms);
}

static void refuse(struct cm_loader *loader, enum cm_setting_id id, const char *why)
{
    cm_mistake(loader, cm_at_value(loader->force[id]), "`%s` %s", cm_setting_get(id)->path, why);
}

static void check_source(struct cm_loader *loader)
{
    const struct cm_config *c = loader->config;
    const bool *fine = loader->fine;
    if (fine[CM_SETTING_brokers] && c->brokers[0] != '\0' && !is_brokers(c->brokers)) {
        refuse(loader, CM_SETTING_brokers, "must be host:port, several parted by commas");
    }
    if (fine[CM_SETTING_group] && c->group[0] == '\0') {
        refuse(loader, CM_SETTING_group, "must not be empty");
    }
    if (fine[CM_SETTING_start] && !is_start(c->start)) {
        refuse(loader, CM_SETTING_start,
               "must be earliest, latest, a time (2026-11-01T08:00:00+08:00) or a duration (2h)");
    }
}

static void check_topics(struct cm_loader *loader)
{
    const struct cm_config *c = loader->config;
    static const enum cm_setting_id ids[] = {CM_SETTING_topic, CM_SETTING_dead_letters_topic,
                                             CM_SETTING_breaches_topic};
    const char *const topics[] = {c->topic, c->dead_letters_topic, c->breaches_topic};
    for (size_t i = 0; i < CM_ARRAY_LEN(ids); i++) {
        if (!loader->fine[ids[i]] || (i > 0 && topics[i][0] == '\0')) {
            continue;
        }
        if (!is_topic(topics[i])) {
            refuse(loader, ids[i], "must be a topic: 1 to 249 letters, digits, `.`, `_` and `-`");
        } else if (i > 0 && loader->fine[CM_SETTING_topic] && strcmp(topics[i], c->topic) == 0) {
            refuse(loader, ids[i], "must not be the topic that is read: it would feed itself");
        }
    }
}

static void check_addresses(struct cm_loader *loader)
{
    const struct cm_config *c = loader->config;
    const bool *fine = loader->fine;
    if (fine[CM_SETTING_redis_address]) {
        const char *text = c->redis_address;
        bool unix_path = strncmp(text, "unix:", 5) == 0 && text[5] != '\0';
        if (!unix_path && !is_address(text, strlen(text), false)) {
            refuse(loader, CM_SETTING_redis_address, "must be host:port or unix:PATH");
        }
    }
    if (fine[CM_SETTING_metrics_listen] && c->metrics_listen[0] != '\0' &&
        !is_address(c->metrics_listen, strlen(c->metrics_listen), false)) {
        refuse(loader, CM_SETTING_metrics_listen, "must be host:port");
    }
}

static void check_centre(struct cm_loader *loader)
{
    struct cm_config *c = loader->config;
    if (loader->fine[CM_SETTING_centre]) {
        size_t len = strlen(c->centre);
        if (len == 0 || len > CM_UNIT_BYTES_MAX) {
            refuse(loader, CM_SETTING_centre, "must have 1 to 32 bytes");
        }
    }
    if (loader->fine[CM_SETTING_timezone] && cm_zone_load(c->timezone, &c->zone) != 0) {
        cm_mistake(loader, cm_at_value(loader->force[CM_SETTING_timezone]), "`timezone`: %.300s",
                   cm_fail_text());
    }
}

static void check_windows(struct cm_loader *loader)
{
    if (loader->fine[CM_SETTING_windows] && loader->fine[CM_SETTING_periods] &&
        loader->config->all_count == 0) {
        enum cm_setting_id id = loader->force[CM_SETTING_windows]->feed->kind >
                                        loader->force[CM_SETTING_periods]->feed->kind
                                    ? CM_SETTING_windows
                                    : CM_SETTING_periods;
        refuse(loader, id, "leaves nothing to count: there is neither a window nor a period");
    }
}

/* A judgement comes either with the record or from a rule, not from both under one name. */
static void check_check_names(struct cm_loader *loader)
{
    const struct cm_node *checks = loader->force[CM_SETTING_checks];
    const struct cm_node *rules = loader->force[CM_SETTING_check_rules];
    for (const struct cm_node *rule = rules->first; rule != NULL; rule = rule->next) {
        const struct cm_node *check = checks->first;
        while (check != NULL &&
               (check->key == NULL || rule->key == NULL || strcmp(check->key, rule->key) != 0)) {
            check = check->next;
        }
        if (check != NULL && !rule->broken) {
            cm_mistake(loader, cm_at_key(rule),
                       "`%.80s` is in compliance.checks too; a check is one or the other",
                       rule->key);
        }
    }
}

static int compare_checks(const void *left, const void *right)
{
    const struct cm_check_spec *a = *(const struct cm_check_spec *const *)left;
    const struct cm_check_spec *b = *(const struct cm_check_spec *const *)right;
    return strcmp(a->name, b->name);
}

static void index_checks(struct cm_loader *loader)
{
    const struct cm_config *c = loader->config;
    struct cm_config_memory *memory = loader->memory;
    memory->checks_by_name = cm_config_alloc(memory, (size_t)c->checks.count + c->check_rules.count,
                                             sizeof(struct cm_check_spec *));
    for (uint32_t i = 0; i < c->checks.count; i++) {
        memory->checks_by_name[memory->checks_count++] = &c->checks.at[i];
    }
    for (uint32_t i = 0; i < c->check_rules.count; i++) {
        memory->checks_by_name[memory->checks_count++] = &c->check_rules.at[i];
    }
    qsort(memory->checks_by_name, memory->checks_count, sizeof(struct cm_check_spec *),
          compare_checks);
}

const char *cm_config_resolve(struct cm_loader *loader, const char *path)
{
    if (path[0] == '/' || path[0] == '\0' || loader->folder[0] == '\0') {
        return path;
    }
    struct cm_text joined = {0};
    cm_text_adds(&joined, loader->folder);
    cm_text_adds(&joined, path);
    const char *out = cm_config_strndup(loader->memory, joined.data, joined.len);
    cm_text_free(&joined);
    return out;
}

void cm_config_check_all(struct cm_loader *loader)
{
    check_source(loader);
    check_topics(loader);
    check_addresses(loader);
    check_centre(loader);
    if (!loader->incomplete) {
        check_windows(loader);
        check_check_names(loader);
    }
    if (loader->mistakes_count > 0) {
        return;
    }
    struct cm_config *c = loader->config;
    c->formulas.abandon = (enum cm_abandon_formula)c->abandonment_formula;
    c->formulas.service_level = (enum cm_sl_formula)c->service_formula;
    index_checks(loader);
    if (c->roster[0] != '\0') {
        loader->memory->roster_path = cm_config_resolve(loader, c->roster);
    }
}
