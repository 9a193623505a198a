// SPDX-License-Identifier: Apache-2.0
/* meta.c — see meta.h. */
#include "publish/meta.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "publish/keys.h"
#include "publish/resp.h"

#define INSTANCE     "instance:"
#define HEARTBEAT    ":heartbeat"
#define DEAD_MS      CM_MS_PER_D
#define NAME_MAX_LEN 256u

/* X(field of cm_publisher_meta, the same in `meta`) */
#define INSTANCE_COUNTERS(X) X(lag) X(records) X(counted) X(duplicates) X(revised) X(late) X(bad)

struct fields {
    struct cm_text text;
    uint64_t count;
};

static void add_text(struct fields *fields, const char *name, const char *value)
{
    cm_resp_word(&fields->text, name);
    cm_resp_word(&fields->text, value);
    fields->count++;
}

static void add_number(struct fields *fields, const char *name, int64_t value)
{
    cm_resp_word(&fields->text, name);
    cm_resp_i64(&fields->text, value);
    fields->count++;
}

static void add_instance_name(struct cm_text *out, struct cm_str instance, const char *name)
{
    struct cm_str pieces[] = {
        CM_STR(INSTANCE), instance, CM_STR(":"), {name, (uint32_t)strlen(name)}};
    cm_resp_pieces(out, pieces, CM_ARRAY_LEN(pieces));
}

static void add_instance(struct fields *fields, const char *instance, const char *name,
                         uint64_t value)
{
    add_instance_name(&fields->text, (struct cm_str){instance, (uint32_t)strlen(instance)}, name);
    cm_resp_i64(&fields->text, value > INT64_MAX ? INT64_MAX : (int64_t)value);
    fields->count++;
}

static void add_names(struct fields *fields, const struct cm_config *config, bool periods)
{
    struct cm_text names = {0};
    for (uint32_t w = 0; w < config->all_count; w++) {
        if (config->all[w].is_period == periods) {
            if (names.len > 0) {
                cm_text_addc(&names, ',');
            }
            cm_text_adds(&names, config->all[w].name);
        }
    }
    add_text(fields, periods ? "periods" : "windows", cm_text_cstr(&names));
    cm_text_free(&names);
}

static void add_constants(struct fields *fields, const struct cm_config *config)
{
    char duration[24];
    char hash[17];
    (void)snprintf(hash, sizeof(hash), "%016" PRIx64, config->hash);
    add_text(fields, "version", CM_VERSION);
    add_text(fields, "config", hash);
    add_text(fields, "timezone", config->timezone);
    add_text(fields, "centre", config->centre);
    add_text(fields, "abandonment.formula", cm_abandon_formula_name(config->formulas.abandon));
    add_text(fields, "service_level.formula", cm_sl_formula_name(config->formulas.service_level));
    add_text(fields, "service_level.target",
             cm_format_duration(config->service_target_ms, duration));
    add_text(fields, "short_abandon", cm_format_duration(config->short_abandon_ms, duration));
    add_names(fields, config, false);
    add_names(fields, config, true);
}

static void write_fields(struct cm_text *out, const struct cm_config *config, struct fields *fields)
{
    cm_resp_array(out, 2 + 2 * fields->count);
    cm_resp_word(out, "HSET");
    cm_key_plain(out, config->redis_prefix, "meta");
    cm_text_add(out, fields->text.data, fields->text.len);
    cm_text_free(&fields->text);
}

void cm_meta_begin(struct cm_text *out, const struct cm_config *config,
                   const struct cm_publisher_meta *meta, bool everything)
{
    struct fields fields = {0};
    add_number(&fields, "asof", meta->asof_ms);
    add_number(&fields, "watermark", meta->watermark_ms);
    if (everything) {
        add_constants(&fields, config);
    }
    write_fields(out, config, &fields);
}

void cm_meta_end(struct cm_text *out, const struct cm_config *config, const char *instance,
                 const struct cm_publisher_meta *meta, int64_t wall_ms)
{
    struct fields fields = {0};
    add_instance(&fields, instance, "heartbeat", (uint64_t)wall_ms);
#define X(name) add_instance(&fields, instance, #name, meta->name);
    INSTANCE_COUNTERS(X)
#undef X
    write_fields(out, config, &fields);
}

void cm_meta_ask(struct cm_text *out, const struct cm_config *config)
{
    cm_resp_array(out, 2);
    cm_resp_word(out, "HGETALL");
    cm_key_plain(out, config->redis_prefix, "meta");
}

/* --- reading --- */

static bool is(const struct redisReply *word, const char *text)
{
    return word->len == strlen(text) && memcmp(word->str, text, word->len) == 0;
}

/* The name of the process whose heartbeat this field is; len 0: it is another field. */
static struct cm_str heartbeat_of(const struct redisReply *field)
{
    size_t before = sizeof(INSTANCE) - 1;
    size_t behind = sizeof(HEARTBEAT) - 1;
    if (field->len <= before + behind || field->len > NAME_MAX_LEN ||
        memcmp(field->str, INSTANCE, before) != 0 ||
        memcmp(field->str + field->len - behind, HEARTBEAT, behind) != 0) {
        return (struct cm_str){"", 0};
    }
    return (struct cm_str){field->str + before, (uint32_t)(field->len - before - behind)};
}

static void forget_instance(struct cm_text *out, const struct cm_config *config,
                            struct cm_str instance)
{
#define X(name) +1
    cm_resp_array(out, 2 + 1 INSTANCE_COUNTERS(X));
#undef X
    cm_resp_word(out, "HDEL");
    cm_key_plain(out, config->redis_prefix, "meta");
    add_instance_name(out, instance, "heartbeat");
#define X(name) add_instance_name(out, instance, #name);
    INSTANCE_COUNTERS(X)
#undef X
}

uint32_t cm_meta_read(const struct redisReply *reply, const struct cm_config *config,
                      const char *instance, int64_t wall_ms, struct cm_meta_stored *stored,
                      struct cm_text *forget)
{
    char hash[17];
    (void)snprintf(hash, sizeof(hash), "%016" PRIx64, config->hash);
    *stored = (struct cm_meta_stored){.watermark_ms = INT64_MIN};
    uint32_t commands = 0;
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i + 1 < reply->elements; i += 2) {
        const struct redisReply *field = reply->element[i];
        const struct redisReply *value = reply->element[i + 1];
        uint64_t number;
        bool is_number = cm_parse_u64(value->str, value->len, &number) && number <= INT64_MAX;
        struct cm_str beating = heartbeat_of(field);
        if (is(field, "asof")) {
            stored->has_asof = is_number;
            stored->asof_ms = is_number ? (int64_t)number : 0;
            if (!is_number) {
                cm_log(CM_LOG_WARN, "publish.meta_unreadable", "field=asof value=\"%s\"",
                       value->str);
            }
        } else if (is(field, "watermark")) {
            stored->watermark_ms = is_number ? (int64_t)number : INT64_MIN;
        } else if (is(field, "config")) {
            stored->other_config = !is(value, hash);
        } else if (beating.len > 0 && is_number && (int64_t)number < wall_ms - DEAD_MS &&
                   !cm_str_eq(beating, (struct cm_str){instance, (uint32_t)strlen(instance)})) {
            forget_instance(forget, config, beating);
            commands++;
        }
    }
    return commands;
}
