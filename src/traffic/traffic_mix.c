// SPDX-License-Identifier: Apache-2.0
/* traffic_mix.c — see traffic_mix.h. */
#include "traffic/traffic_mix.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/memory.h"

void cm_mix_init(struct cm_mix *mix, const struct cm_traffic_options *options)
{
    memset(mix, 0, sizeof(*mix));
    cm_prng_seed(&mix->prng, options->seed ^ UINT64_C(0x6d6978));
    mix->disorder = options->disorder_ms_max > 0 ? cm_chance_of(options->disorder) : 0;
    mix->duplicates = cm_chance_of(options->duplicates);
    mix->rubbish = cm_chance_of(options->rubbish);
    mix->late_ms_max = (uint64_t)options->disorder_ms_max;
    mix->active = (mix->disorder | mix->duplicates | mix->rubbish) != 0;
}

void cm_mix_free(struct cm_mix *mix)
{
    for (uint32_t i = 0; i < mix->slots_count; i++) {
        cm_text_free(&mix->slots[i].text);
    }
    free(mix->slots);
    free(mix->unused);
    cm_heap_free(&mix->heap);
}

static void swap_lines(struct cm_traffic_line *a, struct cm_traffic_line *b)
{
    struct cm_traffic_line kept = *a;
    *a = *b;
    *b = kept;
}

/* An empty slot that comes out at at_ms; valid until the next one is taken. */
static struct cm_traffic_line *put_away(struct cm_mix *mix, int64_t at_ms)
{
    uint32_t slot;
    if (mix->unused_count > 0) {
        slot = mix->unused[--mix->unused_count];
    } else {
        if (mix->slots_count == mix->slots_cap) {
            uint32_t cap = mix->slots_cap > 0 ? mix->slots_cap * 2 : 64;
            mix->slots = cm_realloc(mix->slots, cap, sizeof(*mix->slots));
            mix->unused = cm_realloc(mix->unused, cap, sizeof(*mix->unused));
            mix->slots_cap = cap;
        }
        slot = mix->slots_count++;
        memset(&mix->slots[slot], 0, sizeof(mix->slots[slot]));
    }
    cm_heap_push(&mix->heap, at_ms, slot);
    mix->slots[slot].text.len = 0;
    return &mix->slots[slot];
}

bool cm_mix_due(struct cm_mix *mix, int64_t now_ms, struct cm_traffic_line *line)
{
    if (mix->heap.count == 0 || cm_heap_due_ms(&mix->heap) > now_ms) {
        return false;
    }
    uint32_t slot = cm_heap_pop(&mix->heap).ref;
    swap_lines(line, &mix->slots[slot]);
    mix->unused[mix->unused_count++] = slot;
    return true;
}

/* Every form is a bad record, whatever the good line was. */
static void write_rubbish(struct cm_mix *mix, struct cm_text *out, const struct cm_text *good)
{
    static const char *const texts[] = {
        "{\"type\":\"cdr\",\"id\":\"no-time\",\"outcome\":\"answered\"}",
        "{\"type\":\"cdr\",\"ts\":1793491200000,\"outcome\":\"answered\"}",
        "{\"type\":\"cdr\",\"id\":\"no-word\",\"ts\":1793491200000,\"outcome\":\"perhaps\"}",
        "{\"type\":\"cdr\",\"id\":\"low\",\"ts\":1,\"outcome\":\"timeout\",\"acw_ms\":-1}",
        "{\"type\":\"cdr\",\"id\":\"text\",\"ts\":true,\"outcome\":\"answered\"}",
        "{\"type\":\"cdr\",\"id\":\"\xc3\x28\",\"ts\":1793491200000,\"outcome\":\"answered\"}",
        "[\"cdr\",1793491200000]",
        "2026-11-01 08:00:00 WARN no route to recorder"};
    uint64_t which = cm_prng_below(&mix->prng, CM_ARRAY_LEN(texts) + 2);
    if (which < CM_ARRAY_LEN(texts)) {
        cm_text_adds(out, texts[which]);
    } else {
        cm_text_add(out, good->data, 1 + cm_prng_below(&mix->prng, good->len - 1)); /* a cut line */
    }
}

bool cm_mix_keep(struct cm_mix *mix, struct cm_traffic_line *line)
{
    if (!mix->active) {
        return true;
    }
    CM_ASSERT(line->text.len > 1);
    if (cm_chance(&mix->prng, mix->rubbish)) {
        struct cm_traffic_line *slot = put_away(mix, line->ts_ms);
        write_rubbish(mix, &slot->text, &line->text);
        slot->ts_ms = line->ts_ms;
        slot->key_len = 0;
    }
    if (cm_chance(&mix->prng, mix->duplicates)) {
        uint64_t after_ms = 1 + cm_prng_below(&mix->prng, CM_MIX_AGAIN_MS_MAX);
        struct cm_traffic_line *slot = put_away(mix, line->ts_ms + (int64_t)after_ms);
        cm_text_add(&slot->text, line->text.data, line->text.len);
        slot->ts_ms = line->ts_ms;
        slot->key_len = line->key_len;
        memcpy(slot->key, line->key, sizeof(slot->key));
    }
    if (cm_chance(&mix->prng, mix->disorder)) {
        uint64_t after_ms = 1 + cm_prng_below(&mix->prng, mix->late_ms_max);
        swap_lines(put_away(mix, line->ts_ms + (int64_t)after_ms), line);
        return false;
    }
    return true;
}
