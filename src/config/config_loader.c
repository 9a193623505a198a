// SPDX-License-Identifier: Apache-2.0
/* config_loader.c — memory, table and mistakes of the loader; see config_loader.h.
 *
 * Memory is a list of blocks that are freed together: a configuration is built once and never
 * changes, so nothing in it is freed alone. Mistakes are kept as texts with places and sorted at
 * the end, because they are found in the order of checking, which is not the order in which a
 * reader meets them.
 */
#include "config/config_loader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"

/* ---- memory */

struct cm_config_block {
    struct cm_config_block *next;
    struct cm_expression *expression; /* freed with the block */
    _Alignas(max_align_t) unsigned char bytes[];
};

static struct cm_config_block *add_block(struct cm_config_memory *memory, size_t size_bytes)
{
    struct cm_config_block *block = cm_alloc(1, sizeof(*block) + size_bytes);
    block->next = memory->blocks;
    memory->blocks = block;
    return block;
}

void *cm_config_alloc(struct cm_config_memory *memory, size_t count, size_t size_bytes)
{
    CM_ASSERT(size_bytes == 0 || count <= SIZE_MAX / 2 / size_bytes);
    return add_block(memory, count * size_bytes)->bytes;
}

const char *cm_config_strndup(struct cm_config_memory *memory, const char *text, size_t len)
{
    char *copy = cm_config_alloc(memory, len + 1, 1);
    if (len > 0) {
        memcpy(copy, text, len);
    }
    return copy;
}

void cm_config_keep_expression(struct cm_config_memory *memory, struct cm_expression *expression)
{
    add_block(memory, 0)->expression = expression;
}

void cm_config_memory_free(struct cm_config_memory *memory)
{
    while (memory->blocks != NULL) {
        struct cm_config_block *block = memory->blocks;
        memory->blocks = block->next;
        cm_expression_free(block->expression);
        free(block);
    }
    free(memory);
}

/* ---- the table */

#define X(path, field, type, text, low, high, doc)                                                 \
    {path, CM_SETTING_TYPE_##type, offsetof(struct cm_config, field), text, low, high, doc},
static const struct cm_setting settings[CM_SETTING_COUNT] = {CM_SETTINGS(X)};
#undef X

const struct cm_setting *cm_setting_get(enum cm_setting_id id)
{
    CM_ASSERT(id < CM_SETTING_COUNT);
    return &settings[id];
}

const char *cm_setting_type_text(enum cm_setting_type type)
{
#define X(code, text) text,
    static const char *const texts[] = {CM_SETTING_TYPES(X)};
#undef X
    CM_ASSERT(type < CM_SETTING_TYPES_END);
    return texts[type];
}

enum cm_setting_id cm_setting_find(const char *path)
{
    for (unsigned i = 0; i < CM_SETTING_COUNT; i++) {
        if (strcmp(settings[i].path, path) == 0) {
            return (enum cm_setting_id)i;
        }
    }
    return CM_SETTING_COUNT;
}

bool cm_setting_is_section(const char *path)
{
    size_t len = strlen(path);
    for (unsigned i = 0; i < CM_SETTING_COUNT; i++) {
        if (strncmp(settings[i].path, path, len) == 0 && settings[i].path[len] == '.') {
            return true;
        }
    }
    return false;
}

const char *cm_setting_variable(const struct cm_setting *setting, char *out)
{
    int len = snprintf(out, CM_VARIABLE_BYTES, "CALLMILL_%s", setting->path);
    CM_ASSERT(len > 0 && len < CM_VARIABLE_BYTES);
    for (char *c = out; *c != '\0'; c++) {
        if (*c >= 'a' && *c <= 'z') {
            *c = (char)(*c - 'a' + 'A');
        } else if (*c == '.') {
            *c = '_';
        }
    }
    return out;
}

bool cm_setting_is_scalar(const struct cm_setting *setting)
{
    return setting->type <= CM_SETTING_TYPE_WORD;
}

/* ---- mistakes */

struct cm_place cm_at_value(const struct cm_node *node)
{
    return (struct cm_place){node->feed, node->line, node->column};
}

struct cm_place cm_at_key(const struct cm_node *node)
{
    if (node->key == NULL) {
        return cm_at_value(node);
    }
    return (struct cm_place){node->feed, node->key_line, node->key_column};
}

void cm_mistake(struct cm_loader *loader, struct cm_place place, const char *format, ...)
{
    uint32_t number = loader->mistakes_count++;
    if (number >= CM_MISTAKES_MAX) {
        return;
    }
    char text[640];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    /* What a user wrote is quoted in it, and may hold line breaks; a mistake is one line. */
    for (char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = ' ';
        }
    }
    loader->mistakes[number] = (struct cm_mistake){
        place, number, cm_config_strndup(loader->memory, text, len < 0 ? 0 : strlen(text))};
}

const char *cm_hint(const char *word, const char *const *candidates, size_t count, char *out)
{
    const char *near = cm_nearest(word, candidates, count);
    size_t len = strlen(word);
    size_t longer = 0; /* candidates that begin with the word: as good a hint, when there is one */
    const char *only = NULL;
    for (size_t i = 0; i < count && near == NULL && len >= 3; i++) {
        if (strncmp(candidates[i], word, len) == 0) {
            only = candidates[i];
            longer++;
        }
    }
    near = longer == 1 ? only : near;
    out[0] = '\0';
    if (near != NULL) {
        snprintf(out, CM_HINT_BYTES, ", did you mean `%s`?", near);
    }
    return out;
}

static int compare_u32(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int compare_mistakes(const void *left, const void *right)
{
    const struct cm_mistake *a = left;
    const struct cm_mistake *b = right;
    int order = compare_u32((uint32_t)a->place.feed->kind, (uint32_t)b->place.feed->kind);
    order = order != 0 ? order : compare_u32(a->place.feed->order, b->place.feed->order);
    order = order != 0 ? order : compare_u32(a->place.line, b->place.line);
    order = order != 0 ? order : compare_u32(a->place.column, b->place.column);
    return order != 0 ? order : compare_u32(a->number, b->number);
}

static void add_place(struct cm_text *out, const struct cm_place *place)
{
    const struct cm_feed *feed = place->feed;
    switch (feed->kind) {
    case CM_FEED_DEFAULT:
        cm_text_addf(out, "default of %s", feed->name);
        break;
    case CM_FEED_FILE:
        cm_text_adds(out, feed->name);
        if (place->line > 0) {
            cm_text_addf(out, ":%u:%u", place->line, place->column);
        }
        break;
    case CM_FEED_ENV:
    case CM_FEED_OVERRIDE:
        cm_text_addf(out, "%s%s", feed->kind == CM_FEED_OVERRIDE ? "-o " : "", feed->name);
        if (place->line > 0) {
            cm_text_addf(out, ":%u", feed->column_shift + place->column);
        }
        break;
    }
    cm_text_adds(out, ": ");
}

int cm_mistakes_fail(struct cm_loader *loader)
{
    CM_ASSERT(loader->mistakes_count > 0);
    uint32_t kept =
        loader->mistakes_count < CM_MISTAKES_MAX ? loader->mistakes_count : CM_MISTAKES_MAX;
    qsort(loader->mistakes, kept, sizeof(loader->mistakes[0]), compare_mistakes);
    struct cm_text out = {0};
    for (uint32_t i = 0; i < kept; i++) {
        if (i > 0) {
            cm_text_addc(&out, '\n');
        }
        add_place(&out, &loader->mistakes[i].place);
        cm_text_adds(&out, loader->mistakes[i].text);
    }
    if (loader->mistakes_count > kept) {
        cm_text_addf(&out, "\n... and %u more", loader->mistakes_count - kept);
    }
    int rc = cm_fail(CM_ERR_CONFIG, "%s", cm_text_cstr(&out));
    cm_text_free(&out);
    return rc;
}
