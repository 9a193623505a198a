// SPDX-License-Identifier: Apache-2.0
/* rank_batch.c — see rank_batch.h. */
#include "publish/rank_batch.h"

#include <stdlib.h>

#include "base/memory.h"
#include "publish/keys.h"
#include "publish/resp.h"

/* Words of one command, and where in `text` they begin. */
struct words {
    struct cm_text text;
    size_t *starts; /* of every CM_RESP_ITEMS_MAX-th item */
    uint32_t items, starts_cap;
};

struct ranking {
    struct words in, out; /* score and id; id */
    bool replace;
};

struct cm_rank_batch {
    const struct cm_config *config;
    struct ranking *rankings;
};

struct cm_rank_batch *cm_rank_batch_create(const struct cm_config *config)
{
    struct cm_rank_batch *batch = cm_alloc(1, sizeof(*batch));
    batch->config = config;
    batch->rankings =
        cm_alloc(config->rankings.count == 0 ? 1 : config->rankings.count, sizeof(struct ranking));
    return batch;
}

static void free_words(struct words *words)
{
    cm_text_free(&words->text);
    free(words->starts);
}

void cm_rank_batch_destroy(struct cm_rank_batch *batch)
{
    if (batch == NULL) {
        return;
    }
    for (uint32_t i = 0; i < batch->config->rankings.count; i++) {
        free_words(&batch->rankings[i].in);
        free_words(&batch->rankings[i].out);
    }
    free(batch->rankings);
    free(batch);
}

static void begin_item(struct words *words)
{
    uint32_t part = words->items / CM_RESP_ITEMS_MAX;
    if (words->items % CM_RESP_ITEMS_MAX == 0) {
        if (part == words->starts_cap) {
            words->starts_cap = words->starts_cap == 0 ? 8 : words->starts_cap * 2;
            words->starts = cm_realloc(words->starts, words->starts_cap, sizeof(*words->starts));
        }
        words->starts[part] = words->text.len;
    }
    words->items++;
}

static void add_score(struct words *words, enum cm_figure metric, uint64_t value)
{
    char digits[32];
    struct cm_text text = {.data = digits, .cap = sizeof(digits)}; /* never grows: at most 21 */
    unsigned decimals = cm_figure_decimals(metric);
    if (decimals == 0) {
        cm_text_add_u64(&text, value);
    } else {
        cm_text_add_fixed(&text, value, decimals);
    }
    cm_resp_bulk(&words->text, text.data, text.len);
}

void cm_rank_batch_add(struct cm_rank_batch *batch, const struct cm_unit_key *key, uint32_t window,
                       const struct cm_measures *m)
{
    for (uint32_t i = 0; i < batch->config->rankings.count; i++) {
        const struct cm_ranking_spec *spec = &batch->config->rankings.at[i];
        if (spec->window != window || spec->kind != (enum cm_kind)key->kind) {
            continue;
        }
        struct ranking *ranking = &batch->rankings[i];
        struct cm_value value = cm_figure_get(spec->metric, m, &batch->config->formulas);
        struct words *words = value.null ? &ranking->out : &ranking->in;
        begin_item(words);
        if (!value.null) {
            add_score(words, spec->metric, value.value);
        }
        cm_resp_bulk(&words->text, key->id.p, key->id.len);
    }
}

static void add_key(const struct cm_rank_batch *batch, uint32_t i, struct cm_text *out)
{
    const struct cm_ranking_spec *spec = &batch->config->rankings.at[i];
    cm_key_rank(out, batch->config->redis_prefix, (unsigned)spec->kind,
                batch->config->all[spec->window].name, cm_figure_name(spec->metric));
}

static uint32_t write_words(const struct cm_rank_batch *batch, uint32_t i, const char *verb,
                            const struct words *words, uint32_t words_an_item, struct cm_text *out)
{
    uint32_t commands = 0;
    for (uint32_t item = 0; item < words->items; item += CM_RESP_ITEMS_MAX) {
        uint32_t items =
            words->items - item < CM_RESP_ITEMS_MAX ? words->items - item : CM_RESP_ITEMS_MAX;
        size_t start = words->starts[item / CM_RESP_ITEMS_MAX];
        size_t end = item + items < words->items ? words->starts[item / CM_RESP_ITEMS_MAX + 1]
                                                 : words->text.len;
        cm_resp_array(out, 2 + (uint64_t)items * words_an_item);
        cm_resp_word(out, verb);
        add_key(batch, i, out);
        cm_text_add(out, words->text.data + start, end - start);
        commands++;
    }
    return commands;
}

uint32_t cm_rank_batch_write(struct cm_rank_batch *batch, struct cm_text *out)
{
    uint32_t commands = 0;
    for (uint32_t i = 0; i < batch->config->rankings.count; i++) {
        struct ranking *ranking = &batch->rankings[i];
        bool replace = ranking->replace && ranking->in.items > 0;
        if (replace) {
            cm_resp_array(out, 1);
            cm_resp_word(out, "MULTI");
            cm_resp_array(out, 2);
            cm_resp_word(out, "DEL");
            add_key(batch, i, out);
            commands += 2;
        }
        commands += write_words(batch, i, "ZADD", &ranking->in, 2, out);
        if (replace) {
            cm_resp_array(out, 1);
            cm_resp_word(out, "EXEC");
            commands++;
            ranking->replace = false;
        }
        commands += write_words(batch, i, "ZREM", &ranking->out, 1, out);
    }
    return commands;
}

void cm_rank_batch_clear(struct cm_rank_batch *batch)
{
    for (uint32_t i = 0; i < batch->config->rankings.count; i++) {
        struct ranking *ranking = &batch->rankings[i];
        ranking->in.text.len = ranking->out.text.len = 0;
        ranking->in.items = ranking->out.items = 0;
    }
}

void cm_rank_batch_replace(struct cm_rank_batch *batch)
{
    for (uint32_t i = 0; i < batch->config->rankings.count; i++) {
        batch->rankings[i].replace = true;
    }
}
