// SPDX-License-Identifier: Apache-2.0
#include "window/marks.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/expression.h"

static void mark(struct cm_marks *marks, struct cm_str name, bool passed, uint32_t weight,
                 bool veto)
{
    if (marks->count == marks->cap) {
        marks->cap = marks->cap == 0 ? 16 : 2 * marks->cap;
        marks->at = cm_realloc(marks->at, marks->cap, sizeof(*marks->at));
    }
    marks->at[marks->count++] = (struct cm_mark){name, passed};
    marks->weight += weight;
    if (passed) {
        marks->weight_passed += weight;
        return;
    }
    marks->failed = true;
    if (veto && marks->vetoes < UINT16_MAX) {
        marks->vetoes++;
    }
}

static bool is_rule(const struct cm_config *config, struct cm_str name)
{
    for (uint32_t i = 0; i < config->check_rules.count; i++) {
        const char *rule = config->check_rules.at[i].name;
        if (strlen(rule) == name.len && memcmp(rule, name.p, name.len) == 0) {
            return true;
        }
    }
    return false;
}

void cm_marks_judge(struct cm_marks *marks, const struct cm_event *event,
                    const struct cm_config *config)
{
    marks->failed = false;
    marks->vetoes = 0;
    marks->weight = 0;
    marks->weight_passed = 0;
    marks->count = 0;
    for (uint32_t i = 0; i < event->checks_count; i++) {
        const struct cm_check *check = &event->checks[i];
        if (check->result < 0 || is_rule(config, check->name)) {
            continue;
        }
        bool veto = false;
        uint32_t weight = cm_config_check(config, check->name, &veto);
        mark(marks, check->name, check->result == 1, weight, veto);
    }
    for (uint32_t i = 0; event->type == CM_EVENT_CDR && i < config->check_rules.count; i++) {
        const struct cm_check_spec *rule = &config->check_rules.at[i];
        int result = cm_expression_eval(rule->expression, event);
        if (result >= 0) {
            mark(marks, (struct cm_str){rule->name, (uint32_t)strlen(rule->name)}, result == 1,
                 rule->weight, rule->veto);
        }
    }
}

void cm_marks_free(struct cm_marks *marks)
{
    free(marks->at);
    *marks = (struct cm_marks){0};
}
