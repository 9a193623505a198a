// SPDX-License-Identifier: Apache-2.0
/* breach_event.c — see breach_event.h. Fields that people read first come first. */
#include "rule/breach_event.h"

#include "base/hash.h"

static void add_hex(struct cm_text *out, uint64_t value)
{
    char *at = cm_text_room(out, 16);
    for (int i = 0; i < 16; i++) {
        at[i] = "0123456789abcdef"[(value >> (60 - 4 * i)) & 15u];
    }
    out->len += 16;
}

static void add_string(struct cm_text *out, const char *text)
{
    cm_text_add_json(out, text, strlen(text));
}

void cm_breach_key_write(struct cm_text *out, const struct cm_rule_spec *rule, const char *window,
                         struct cm_str id)
{
    for (const char *c = rule->name; *c != '\0'; c++) {
        if (*c == ':') {
            cm_text_adds(out, "%3A");
        } else if (*c == '%') {
            cm_text_adds(out, "%25");
        } else {
            cm_text_addc(out, *c);
        }
    }
    cm_text_addc(out, ':');
    cm_text_adds(out, cm_kind_name(rule->kind));
    cm_text_addc(out, ':');
    cm_text_add(out, id.p, id.len);
    cm_text_addc(out, ':');
    cm_text_adds(out, window);
}

static void add_id(struct cm_text *out, const struct cm_breach_facts *f)
{
    struct cm_text seed = {0};
    cm_text_add_i64(&seed, f->since_ms);
    cm_text_addc(&seed, ' ');
    cm_text_adds(&seed, cm_breach_type_name(f->type));
    cm_text_addc(&seed, ' ');
    cm_text_adds(&seed, cm_level_name(f->level));
    cm_text_addc(&seed, ' ');
    cm_text_add_i64(&seed, f->asof_ms);
    cm_text_addc(&seed, ' ');
    cm_text_adds(&seed, f->escalated_to != NULL ? f->escalated_to : "");
    cm_text_addc(&seed, ' ');
    cm_text_add(&seed, f->dedup_key.p, f->dedup_key.len);
    struct cm_hash128 hash = cm_hash128(seed.data, seed.len);
    add_hex(out, hash.high);
    add_hex(out, hash.low);
    cm_text_free(&seed);
}

static void add_episode(struct cm_text *out, const struct cm_breach_facts *f)
{
    struct cm_text seed = {0};
    cm_text_add_i64(&seed, f->since_ms);
    cm_text_addc(&seed, ' ');
    cm_text_add(&seed, f->dedup_key.p, f->dedup_key.len);
    add_hex(out, cm_hash64(seed.data, seed.len));
    cm_text_free(&seed);
}

static void add_value(struct cm_text *out, enum cm_figure metric, const struct cm_value *value)
{
    unsigned decimals = cm_figure_decimals(metric);
    if (value->null) {
        cm_text_adds(out, "null");
    } else if (decimals == 0) {
        cm_text_add_u64(out, value->value);
    } else {
        cm_text_add_fixed(out, value->value, decimals);
    }
}

static void add_data(struct cm_text *out, const struct cm_breach_facts *f)
{
    cm_text_adds(out, "{\"rule\":");
    add_string(out, f->rule->name);
    cm_text_adds(out, ",\"kind\":");
    add_string(out, cm_kind_name(f->rule->kind));
    cm_text_adds(out, ",\"id\":");
    cm_text_add_json(out, f->id.p, f->id.len);
    cm_text_adds(out, ",\"window\":");
    add_string(out, f->window);
    cm_text_adds(out, ",\"metric\":");
    add_string(out, cm_figure_name(f->rule->metric));
    cm_text_adds(out, ",\"value\":");
    add_value(out, f->rule->metric, &f->sample.value);
    cm_text_adds(out, ",\"threshold\":\"");
    cm_condition_write(out, f->type == CM_BREACH_CLEARED ? cm_rule_clear_condition(f->rule)
                                                         : cm_rule_condition(f->rule, f->level));
    cm_text_adds(out, "\",\"level\":\"");
    cm_text_adds(out, cm_level_name(f->level));
    cm_text_adds(out, "\",\"n\":");
    cm_text_add_u64(out, f->sample.n);
    cm_text_adds(out, ",\"since\":");
    cm_text_add_i64(out, f->since_ms);
    cm_text_adds(out, ",\"asof\":");
    cm_text_add_i64(out, f->asof_ms);
    if (f->escalated_to != NULL) {
        cm_text_adds(out, ",\"escalated_to\":");
        add_string(out, f->escalated_to);
    }
    cm_text_adds(out, ",\"episode\":\"");
    add_episode(out, f);
    cm_text_adds(out, "\",\"dedup_key\":");
    cm_text_add_json(out, f->dedup_key.p, f->dedup_key.len);
    cm_text_addc(out, '}');
}

void cm_breach_event_write(struct cm_text *out, const struct cm_breach_facts *facts)
{
    char time[32];
    struct cm_text subject = {0};
    cm_text_adds(&subject, cm_kind_name(facts->rule->kind));
    cm_text_addc(&subject, '/');
    cm_text_add(&subject, facts->id.p, facts->id.len);

    cm_text_adds(out, "{\"specversion\":\"1.0\",\"id\":\"");
    add_id(out, facts);
    cm_text_adds(out, "\",\"source\":\"callmill\",\"type\":\"callmill.breach.");
    cm_text_adds(out, cm_breach_type_name(facts->type));
    cm_text_adds(out, "\",\"time\":\"");
    cm_text_adds(out, cm_format_rfc3339(facts->asof_ms, time));
    cm_text_adds(out, "\",\"subject\":");
    cm_text_add_json(out, subject.data, subject.len);
    cm_text_adds(out, ",\"datacontenttype\":\"application/json\",\"data\":");
    add_data(out, facts);
    cm_text_addc(out, '}');
    cm_text_free(&subject);
}

const char *cm_breach_type_name(enum cm_breach_type type)
{
    static const char *const names[] = {"raised", "escalated", "cleared"};
    return names[type];
}
