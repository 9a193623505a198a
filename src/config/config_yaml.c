// SPDX-License-Identifier: Apache-2.0
/* config_yaml.c — the only file that knows libyaml: its events, one after the other, become nodes.
 *
 * The open map or list is `open`; a node is added to it, and closing one goes back to its parent,
 * so there is no recursion. In a map, a scalar is first a key and then, with the next node, has its
 * value. A broken construct that can be skipped (an alias, a tag) leaves a node marked `broken`, so
 * that it is reported once; one that cannot (a syntax error, a map as a key) ends the source.
 */
#include "config/config_yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/fail.h"
#include "config/config_loader.h"

#define NODES_DEEP_MAX 32u

struct builder {
    struct cm_loader *loader;
    const struct cm_feed *feed;
    struct cm_node *root, *open;
    uint32_t deep;
    uint32_t documents;
    const char *key; /* read, its value still to come */
    uint32_t key_line, key_column;
    bool key_broken;
};

/* The value of -o and of a variable is one line to its writer, even where libyaml has gone on. */
static struct cm_place place_of(const struct cm_feed *feed, const yaml_mark_t *mark)
{
    if (feed->kind != CM_FEED_FILE) {
        return (struct cm_place){feed, 1, (uint32_t)mark->index + 1};
    }
    return (struct cm_place){feed, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1};
}

/* One code point of UTF-8 at p: its bytes, 0 when it is malformed or not to be printed as it is.
 * Line breaks and tabs may stand in a value; other controls and the byte order mark may not, for a
 * value is printed as YAML again. */
static size_t printable_bytes(const unsigned char *p, size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (n == 0 || n > len || p[0] > 0xf4) {
        return 0;
    }
    uint32_t point = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (p[i] & 0x3fu);
    }
    if (n == 1) {
        return (point >= 0x20 && point != 0x7f) || point == '\t' || point == '\n' || point == '\r';
    }
    bool hidden = point < least[n] || point < 0xa0 || (point >= 0xd800 && point < 0xe000) ||
                  point == 0xfeff || point == 0xfffe || point == 0xffff || point > 0x10ffff;
    return hidden ? 0 : n;
}

static bool is_printable(const char *text, size_t len)
{
    size_t at = 0;
    while (at < len) {
        size_t n = printable_bytes((const unsigned char *)text + at, len - at);
        if (n == 0) {
            return false;
        }
        at += n;
    }
    return true;
}

static bool check_printable(struct cm_loader *loader, struct cm_place place, const char *text,
                            size_t len)
{
    if (len > UINT32_MAX / 2 || !is_printable(text, len)) {
        cm_mistake(loader, place, "holds a control character, or is not UTF-8");
        return false;
    }
    return true;
}

static struct cm_node *new_node(struct builder *b, enum cm_node_kind kind,
                                const yaml_event_t *event)
{
    struct cm_node *node = cm_config_alloc(b->loader->memory, 1, sizeof(*node));
    struct cm_place place = place_of(b->feed, &event->start_mark);
    *node = (struct cm_node){.feed = b->feed,
                             .parent = b->open,
                             .kind = kind,
                             .line = place.line,
                             .column = place.column,
                             .text = ""};
    if (b->open == NULL) {
        b->root = node;
        return node;
    }
    if (b->open->kind == CM_NODE_MAP) {
        CM_ASSERT(b->key != NULL);
        node->key = b->key;
        node->key_line = b->key_line;
        node->key_column = b->key_column;
        node->broken = b->key_broken;
        b->key = NULL;
    }
    if (b->open->last == NULL) {
        b->open->first = node;
    } else {
        b->open->last->next = node;
    }
    b->open->last = node;
    b->open->count++;
    return node;
}

static void refuse_decoration(struct builder *b, const yaml_event_t *event, const void *anchor,
                              const void *tag, bool *broken)
{
    if (anchor != NULL) {
        cm_mistake(b->loader, place_of(b->feed, &event->start_mark),
                   "anchors and aliases are not supported");
        *broken = true;
    } else if (tag != NULL) {
        cm_mistake(b->loader, place_of(b->feed, &event->start_mark), "tags are not supported");
        *broken = true;
    }
}

static void add_scalar(struct builder *b, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    struct cm_place place = place_of(b->feed, &event->start_mark);
    bool broken = false;
    refuse_decoration(b, event, event->data.scalar.anchor, event->data.scalar.tag, &broken);
    if (!broken && !check_printable(b->loader, place, text, len)) {
        broken = true;
    }
    if (b->open != NULL && b->open->kind == CM_NODE_MAP && b->key == NULL) {
        b->key = cm_config_strndup(b->loader->memory, text, broken ? 0 : len);
        b->key_line = place.line;
        b->key_column = place.column;
        b->key_broken = broken;
        return;
    }
    struct cm_node *node = new_node(b, CM_NODE_SCALAR, event);
    node->text = cm_config_strndup(b->loader->memory, text, broken ? 0 : len);
    node->len = broken ? 0 : (uint32_t)len;
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->broken = node->broken || broken;
}

static bool open_node(struct builder *b, const yaml_event_t *event)
{
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    if (b->open != NULL && b->open->kind == CM_NODE_MAP && b->key == NULL) {
        cm_mistake(b->loader, place_of(b->feed, &event->start_mark),
                   "a key must be a name, not a list or a map");
        return false;
    }
    if (++b->deep > NODES_DEEP_MAX) {
        cm_mistake(b->loader, place_of(b->feed, &event->start_mark),
                   "nested too deep, at most %u levels", NODES_DEEP_MAX);
        return false;
    }
    bool broken = false;
    if (is_map) {
        refuse_decoration(b, event, event->data.mapping_start.anchor, event->data.mapping_start.tag,
                          &broken);
    } else {
        refuse_decoration(b, event, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag, &broken);
    }
    b->open = new_node(b, is_map ? CM_NODE_MAP : CM_NODE_LIST, event);
    b->open->broken = b->open->broken || broken;
    return true;
}

static int compare_keys(const void *left, const void *right)
{
    const struct cm_node *a = *(struct cm_node *const *)left;
    const struct cm_node *b = *(struct cm_node *const *)right;
    int order = strcmp(a->key, b->key);
    if (order == 0) {
        order = (a->key_line > b->key_line) - (a->key_line < b->key_line);
    }
    return order != 0 ? order : (a->key_column > b->key_column) - (a->key_column < b->key_column);
}

/* Of a repeated key the first stays, so that what it holds is judged too. */
static void refuse_repeated(struct builder *b, const struct cm_node *map)
{
    if (map->count < 2) {
        return;
    }
    struct cm_node **sorted =
        cm_config_alloc(b->loader->memory, map->count, sizeof(struct cm_node *));
    size_t count = 0;
    for (struct cm_node *node = map->first; node != NULL; node = node->next) {
        if (!node->broken) {
            sorted[count++] = node;
        }
    }
    qsort(sorted, count, sizeof(struct cm_node *), compare_keys);
    const struct cm_node *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (first == NULL || strcmp(first->key, sorted[i]->key) != 0) {
            first = sorted[i];
            continue;
        }
        if (b->feed->kind == CM_FEED_FILE) {
            cm_mistake(b->loader, cm_at_key(sorted[i]), "repeated key `%.80s`, first at %u:%u",
                       first->key, first->key_line, first->key_column);
        } else {
            cm_mistake(b->loader, cm_at_key(sorted[i]), "repeated key `%.80s`", first->key);
        }
        sorted[i]->broken = true;
    }
}

static void count_children(struct cm_node *parent)
{
    parent->count = 0;
    for (const struct cm_node *node = parent->first; node != NULL; node = node->next) {
        parent->count += !node->broken;
    }
}

static void close_node(struct builder *b)
{
    CM_ASSERT(b->open != NULL);
    if (b->open->kind == CM_NODE_MAP) {
        refuse_repeated(b, b->open);
    }
    count_children(b->open);
    b->open = b->open->parent;
    b->deep--;
}

static bool start_document(struct builder *b, const yaml_event_t *event)
{
    struct cm_place place = place_of(b->feed, &event->start_mark);
    if (b->documents++ > 0) {
        cm_mistake(b->loader, place, "a second document; a configuration is one document");
        return false;
    }
    if (event->data.document_start.tag_directives.start !=
            event->data.document_start.tag_directives.end ||
        event->data.document_start.version_directive != NULL) {
        cm_mistake(b->loader, place, "directives are not supported");
        return false;
    }
    return true;
}

/* false: this source is at its end for good. */
static bool take_event(struct builder *b, const yaml_event_t *event)
{
    bool broken = false;
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return start_document(b, event);
    case YAML_SCALAR_EVENT:
        add_scalar(b, event);
        return true;
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return open_node(b, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        close_node(b);
        return true;
    case YAML_ALIAS_EVENT:
        refuse_decoration(b, event, event->data.alias.anchor, NULL, &broken);
        if (b->open != NULL && b->open->kind == CM_NODE_MAP && b->key == NULL) {
            return false;
        }
        new_node(b, CM_NODE_SCALAR, event)->broken = true;
        return true;
    default:
        return true;
    }
}

static void refuse_syntax(struct builder *b, const yaml_parser_t *parser)
{
    const char *problem = parser->problem == NULL ? "not YAML" : parser->problem;
    if (parser->error == YAML_READER_ERROR) {
        cm_mistake(b->loader, (struct cm_place){b->feed, 0, 0}, "%s, at byte %zu", problem,
                   parser->problem_offset + 1);
        return;
    }
    const char *context = parser->context == NULL ? "" : parser->context;
    bool block = strstr(context, "block scalar") != NULL;
    cm_mistake(b->loader, place_of(b->feed, &parser->problem_mark), "%s%s%s%s", context,
               context[0] == '\0' ? "" : ": ", problem,
               block ? " (a condition needs quotes: \"> 360000\")" : "");
}

static struct cm_node *empty_map(struct cm_loader *loader, const struct cm_feed *feed)
{
    struct cm_node *node = cm_config_alloc(loader->memory, 1, sizeof(*node));
    *node = (struct cm_node){.feed = feed, .kind = CM_NODE_MAP, .text = "", .line = 1, .column = 1};
    return node;
}

/* The place of a value of -o or of a variable says nothing, unless it is inside a list or a map. */
static void drop_outer_place(struct cm_node *root)
{
    if (root->feed->kind != CM_FEED_FILE) {
        root->line = 0;
        root->column = 0;
    }
}

struct cm_node *cm_yaml_parse(struct cm_loader *loader, const struct cm_feed *feed,
                              const char *text, size_t len)
{
    yaml_parser_t parser;
    CM_ASSERT(yaml_parser_initialize(&parser) == 1);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    struct builder b = {.loader = loader, .feed = feed};
    bool good = true;
    bool more = true;
    while (good && more) {
        yaml_event_t event;
        if (yaml_parser_parse(&parser, &event) != 1) {
            refuse_syntax(&b, &parser);
            good = false;
            break;
        }
        more = event.type != YAML_STREAM_END_EVENT;
        good = take_event(&b, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (!good) {
        return NULL;
    }
    if (b.root == NULL) {
        return empty_map(loader, feed);
    }
    drop_outer_place(b.root);
    return b.root;
}

struct cm_node *cm_yaml_scalar(struct cm_loader *loader, const struct cm_feed *feed,
                               const char *text, size_t len)
{
    if (!check_printable(loader, (struct cm_place){feed, 0, 0}, text, len)) {
        return NULL;
    }
    struct cm_node *node = cm_config_alloc(loader->memory, 1, sizeof(*node));
    *node = (struct cm_node){.feed = feed,
                             .kind = CM_NODE_SCALAR,
                             .text = cm_config_strndup(loader->memory, text, len),
                             .len = (uint32_t)len,
                             .plain = true};
    return node;
}
