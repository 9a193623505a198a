// SPDX-License-Identifier: Apache-2.0
#include "publish/unit_keys.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/memory.h"
#include "publish/keys.h"
#include "publish/resp.h"

#define BLOCK_BYTES 65536u

struct block {
    struct block *next;
    size_t used, cap;
    char bytes[];
};

struct unit_text {
    const char *bulk; /* NULL: never noted */
    uint32_t len;
    uint32_t kind : 8;
    uint32_t id_len : 24;
};

struct cm_unit_keys {
    const struct cm_config *config;
    struct cm_text names; /* of the next two */
    struct cm_str *fields;
    struct cm_str board_heads[CM_KIND_COUNT]; /* <prefix>board:<kind>: */
    struct cm_str *board_tails;               /* :<window> */
    struct unit_text *units;
    uint32_t units_cap;
    uint32_t *numbers; /* the caller's -> unit + 1; 0: not noted */
    uint32_t numbers_cap;
    struct block *blocks; /* the newest first */
    struct cm_text made;
};

static struct cm_str cut(const struct cm_text *text, size_t from)
{
    return (struct cm_str){text->data + from, (uint32_t)(text->len - from)};
}

/* What is the same in all rows; where it lies holds once it has been written a second time. */
static void make_names(struct cm_unit_keys *keys)
{
    const struct cm_config *config = keys->config;
    struct cm_text *names = &keys->names;
    names->len = 0;
    for (uint32_t i = 0; i <= config->all_count; i++) {
        const char *name = i < config->all_count ? config->all[i].name : "now";
        size_t at = names->len;
        cm_resp_word(names, name);
        keys->fields[i] = cut(names, at);
        at = names->len;
        cm_text_addc(names, ':');
        cm_text_adds(names, name);
        keys->board_tails[i] = cut(names, at);
    }
    for (uint32_t kind = 0; kind < CM_KIND_COUNT; kind++) {
        size_t at = names->len;
        cm_text_adds(names, config->redis_prefix);
        cm_text_adds(names, "board:");
        cm_text_adds(names, cm_kind_name(kind));
        cm_text_addc(names, ':');
        keys->board_heads[kind] = cut(names, at);
    }
}

struct cm_unit_keys *cm_unit_keys_create(const struct cm_config *config)
{
    struct cm_unit_keys *keys = cm_alloc(1, sizeof(*keys));
    keys->config = config;
    keys->fields = cm_alloc(config->all_count + 1, sizeof(*keys->fields));
    keys->board_tails = cm_alloc(config->all_count + 1, sizeof(*keys->board_tails));
    make_names(keys);
    make_names(keys);
    return keys;
}

void cm_unit_keys_destroy(struct cm_unit_keys *keys)
{
    if (keys == NULL) {
        return;
    }
    while (keys->blocks != NULL) {
        struct block *next = keys->blocks->next;
        free(keys->blocks);
        keys->blocks = next;
    }
    free(keys->units);
    free(keys->numbers);
    free(keys->fields);
    free(keys->board_tails);
    cm_text_free(&keys->names);
    cm_text_free(&keys->made);
    free(keys);
}

struct cm_str cm_unit_keys_bulk(const struct cm_unit_keys *keys, uint32_t unit)
{
    CM_ASSERT(unit < keys->units_cap && keys->units[unit].bulk != NULL);
    return (struct cm_str){keys->units[unit].bulk, keys->units[unit].len};
}

struct cm_str cm_unit_keys_id(const struct cm_unit_keys *keys, uint32_t unit)
{
    struct cm_str bulk = cm_unit_keys_bulk(keys, unit);
    uint32_t id_len = keys->units[unit].id_len;
    return (struct cm_str){bulk.p + bulk.len - 2 - id_len, id_len};
}

uint32_t cm_unit_keys_find(const struct cm_unit_keys *keys, uint32_t number,
                           const struct cm_unit_key *key)
{
    if (number >= keys->numbers_cap || keys->numbers[number] == 0) {
        return CM_UNIT_NONE;
    }
    uint32_t unit = keys->numbers[number] - 1;
    return keys->units[unit].kind == key->kind && cm_str_eq(cm_unit_keys_id(keys, unit), key->id)
               ? unit
               : CM_UNIT_NONE;
}

/* At least `wanted` of them, zeroed. */
static void *grown(void *items, uint32_t *cap, uint32_t wanted, size_t size)
{
    uint32_t more = *cap == 0 ? 256 : *cap;
    while (more < wanted) {
        more *= 2;
    }
    if (more == *cap) {
        return items;
    }
    char *bytes = cm_realloc(items, more, size);
    memset(bytes + *cap * size, 0, (more - *cap) * size);
    *cap = more;
    return bytes;
}

static const char *keep(struct cm_unit_keys *keys, const struct cm_text *text)
{
    struct block *block = keys->blocks;
    if (block == NULL || block->cap - block->used < text->len) {
        size_t cap = text->len > BLOCK_BYTES ? text->len : BLOCK_BYTES;
        block = cm_alloc(1, sizeof(*block) + cap);
        block->cap = cap;
        block->next = keys->blocks;
        keys->blocks = block;
    }
    char *at = block->bytes + block->used;
    memcpy(at, text->data, text->len);
    block->used += text->len;
    return at;
}

void cm_unit_keys_note(struct cm_unit_keys *keys, uint32_t number, uint32_t unit,
                       const struct cm_unit_key *key)
{
    CM_ASSERT(unit < CM_UNIT_NONE && key->id.len < UINT32_C(1) << 24);
    keys->units = grown(keys->units, &keys->units_cap, unit + 1, sizeof(*keys->units));
    if (keys->units[unit].bulk == NULL) {
        keys->made.len = 0;
        cm_key_unit(&keys->made, keys->config->redis_prefix, key);
        keys->units[unit] = (struct unit_text){.bulk = keep(keys, &keys->made),
                                               .len = (uint32_t)keys->made.len,
                                               .kind = key->kind,
                                               .id_len = key->id.len & 0xffffff};
    }
    if (number != CM_UNIT_NONE) {
        keys->numbers =
            grown(keys->numbers, &keys->numbers_cap, number + 1, sizeof(*keys->numbers));
        keys->numbers[number] = unit + 1;
    }
}

void cm_unit_keys_forget(struct cm_unit_keys *keys)
{
    if (keys->numbers_cap > 0) {
        memset(keys->numbers, 0, keys->numbers_cap * sizeof(*keys->numbers));
    }
}

struct cm_str cm_unit_keys_field(const struct cm_unit_keys *keys, uint32_t window)
{
    return keys->fields[window];
}

void cm_unit_keys_board(const struct cm_unit_keys *keys, struct cm_text *out,
                        const struct cm_unit_key *key, uint32_t window)
{
    struct cm_str pieces[] = {keys->board_heads[key->kind], key->id, keys->board_tails[window]};
    cm_resp_pieces(out, pieces, CM_ARRAY_LEN(pieces));
}
