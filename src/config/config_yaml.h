// SPDX-License-Identifier: Apache-2.0
/* config_yaml.h — YAML text to a small tree that knows where each node stands.
 *
 * The part of YAML that a configuration needs: maps with scalar keys, lists, scalars. Anchors,
 * aliases, tags, directives, several documents, and keys that are not scalars are mistakes, as is a
 * repeated key.
 *
 * OWNERSHIP Nodes and their texts are in the memory of the configuration.
 */
#ifndef CM_CONFIG_CONFIG_YAML_H
#define CM_CONFIG_CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cm_loader;

enum cm_feed_kind { CM_FEED_DEFAULT, CM_FEED_FILE, CM_FEED_ENV, CM_FEED_OVERRIDE };

/* Where a tree comes from. Mistakes are sorted by kind, then `order`, then place. */
struct cm_feed {
    enum cm_feed_kind kind;
    uint32_t order;
    uint32_t column_shift; /* bytes before the value: "windows=" of -o */
    const char *name; /* path of the file, name of the variable, key of -o, path of the setting */
};

enum cm_node_kind { CM_NODE_SCALAR, CM_NODE_LIST, CM_NODE_MAP };

struct cm_node {
    const struct cm_feed *feed;
    struct cm_node *parent, *first, *last, *next;
    const char *key;  /* in a map; NULL elsewhere */
    const char *text; /* scalar; terminated, holds no NUL */
    uint32_t len;
    uint32_t count;                              /* children that are not broken */
    uint32_t line, column, key_line, key_column; /* from 1 */
    enum cm_node_kind kind;
    bool plain;  /* a scalar without quotes */
    bool broken; /* already reported: to be passed over in silence */
};

/* The tree of a text; NULL after a mistake that leaves none. An empty text gives an empty map. */
struct cm_node *cm_yaml_parse(struct cm_loader *loader, const struct cm_feed *feed,
                              const char *text, size_t len);
/* A plain scalar of that text as it is; NULL (and a mistake) when it is not printable UTF-8. */
struct cm_node *cm_yaml_scalar(struct cm_loader *loader, const struct cm_feed *feed,
                               const char *text, size_t len);

#endif
