// SPDX-License-Identifier: Apache-2.0
/* config_windows.c — the lists of sliding windows, calendar periods and layouts.
 *
 * A window is written length/step, its name is the length as written: `60s/5s` is named 60s, so
 * that readers find in Redis the very word that stands in the configuration.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "config/config_loader.h"

#define WINDOWS_LISTED_MAX 12u
#define LENGTH_MAX_MS      (31 * CM_MS_PER_D)
#define STEP_MIN_MS        10
#define STEPS_MAX          100000

static bool refuse_window(struct cm_loader *loader, const struct cm_node *node, const char *why)
{
    cm_mistake(loader, cm_at_value(node), "window `%.40s`: %s", node->text, why);
    return false;
}

static bool read_window(struct cm_loader *loader, const struct cm_node *node,
                        struct cm_window_spec *out)
{
    const char *text = NULL;
    if (!cm_value_text(loader, node, "windows", &text)) {
        return false;
    }
    const char *slash = strchr(text, '/');
    if (slash == NULL) {
        return refuse_window(loader, node, "must be length/step, such as 5m/5s");
    }
    size_t name_len = (size_t)(slash - text);
    if (!cm_parse_duration(text, name_len, &out->length_ms) ||
        !cm_parse_duration(slash + 1, node->len - name_len - 1, &out->step_ms)) {
        return refuse_window(loader, node,
                             "length and step must be durations with a unit, such as 5m/5s");
    }
    if (name_len >= sizeof(out->name)) {
        return refuse_window(loader, node, "the length is written too long, at most 23 bytes");
    }
    if (out->length_ms > LENGTH_MAX_MS || out->length_ms == 0) {
        return refuse_window(loader, node, "the length is out of range, 10ms to 31d");
    }
    if (out->step_ms < STEP_MIN_MS) {
        return refuse_window(loader, node, "the step must be at least 10ms");
    }
    if (out->length_ms % out->step_ms != 0) {
        return refuse_window(loader, node, "the step does not divide the length");
    }
    if (out->length_ms / out->step_ms > STEPS_MAX) {
        return refuse_window(loader, node, "more than 100000 steps in the length");
    }
    snprintf(out->name, sizeof(out->name), "%.*s", (int)name_len, text);
    return true;
}

static bool is_listed(const struct cm_window_specs *specs, const char *name)
{
    for (uint32_t i = 0; i < specs->count; i++) {
        if (strcmp(specs->at[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

bool cm_read_windows(struct cm_loader *loader, const struct cm_node *node,
                     struct cm_window_specs *out)
{
    *out = (struct cm_window_specs){0};
    if (!cm_value_is_list(loader, node, "windows")) {
        return false;
    }
    bool good = true;
    if (node->count > WINDOWS_LISTED_MAX) {
        cm_mistake(loader, cm_at_value(node), "`windows` lists %u windows, at most %u", node->count,
                   WINDOWS_LISTED_MAX);
        return false;
    }
    for (const struct cm_node *item = node->first; item != NULL; item = item->next) {
        struct cm_window_spec spec = {0};
        if (!read_window(loader, item, &spec)) {
            good = false;
        } else if (is_listed(out, spec.name)) {
            cm_mistake(loader, cm_at_value(item), "window `%s` is listed twice", spec.name);
            good = false;
        } else {
            out->at[out->count++] = spec;
        }
    }
    return good;
}

bool cm_read_periods(struct cm_loader *loader, const struct cm_node *node,
                     struct cm_period_specs *out)
{
    *out = (struct cm_period_specs){0};
    if (!cm_value_is_list(loader, node, "periods")) {
        return false;
    }
    bool seen[CM_PERIOD_COUNT] = {false};
    bool good = true;
    for (const struct cm_node *item = node->first; item != NULL; item = item->next) {
        int period = 0;
        if (!cm_value_word(loader, item, "periods", "day|week|month|quarter", &period)) {
            good = false;
        } else if (seen[period]) {
            cm_mistake(loader, cm_at_value(item), "period `%s` is listed twice", item->text);
            good = false;
        } else {
            seen[period] = true;
            out->at[out->count++] = (enum cm_period)period;
        }
    }
    return good;
}

bool cm_read_layouts(struct cm_loader *loader, const struct cm_node *node, struct cm_layouts *out)
{
    *out = (struct cm_layouts){false, false};
    if (!cm_value_is_list(loader, node, "publish")) {
        return false;
    }
    bool good = true;
    for (const struct cm_node *item = node->first; item != NULL; item = item->next) {
        int layout = 0;
        if (!cm_value_word(loader, item, "publish", "units|boards", &layout)) {
            good = false;
            continue;
        }
        bool *chosen = layout == 0 ? &out->units : &out->boards;
        if (*chosen) {
            cm_mistake(loader, cm_at_value(item), "layout `%s` is listed twice", item->text);
            good = false;
        }
        *chosen = true;
    }
    return good;
}

void cm_config_join_windows(struct cm_config *config)
{
    config->all_count = 0;
    for (uint32_t i = 0; i < config->windows.count; i++) {
        config->all[config->all_count++] = config->windows.at[i];
    }
    for (uint32_t i = 0; i < config->periods.count; i++) {
        CM_ASSERT(config->all_count < CM_WINDOWS_MAX);
        struct cm_window_spec *spec = &config->all[config->all_count++];
        *spec = (struct cm_window_spec){
            .is_period = true, .period = config->periods.at[i], .step_ms = CM_MS_PER_S};
        snprintf(spec->name, sizeof(spec->name), "%s", cm_period_name(spec->period));
    }
}
