// SPDX-License-Identifier: Apache-2.0
#include "publish/moves.h"

#include <stdlib.h>

#include "base/memory.h"
#include "publish/keys.h"
#include "publish/resp.h"

static uint32_t write_leaving(const struct cm_placement *placement, const struct cm_config *config,
                              struct cm_text *out, const struct cm_placement_change *change)
{
    const struct cm_unit_key *parent = cm_placement_key(placement, change->from);
    struct cm_str id = cm_placement_key(placement, change->unit)->id;
    if (cm_placement_has_child(placement, change->from, id)) {
        return 0; /* back again, or another kind's unit of that id */
    }
    uint32_t boards = config->publish.boards ? config->all_count : 0;
    for (uint32_t w = 0; w < boards; w++) {
        cm_resp_array(out, 3);
        cm_resp_word(out, "HDEL");
        cm_key_window(out, config->redis_prefix, "board", parent, config->all[w].name);
        cm_resp_bulk(out, id.p, id.len);
    }
    cm_resp_array(out, 3);
    cm_resp_word(out, "SREM");
    cm_key_family(out, config->redis_prefix, "members", parent);
    cm_resp_bulk(out, id.p, id.len);
    return boards + 1;
}

/* SADD of joins[0 .. count), which have one parent. */
static uint32_t write_joining(const struct cm_placement *placement, const struct cm_config *config,
                              struct cm_text *out, const struct cm_placement_change *joins,
                              uint32_t count)
{
    uint32_t commands = 0;
    for (uint32_t i = 0; i < count;) {
        uint32_t items = count - i < CM_RESP_ITEMS_MAX ? count - i : CM_RESP_ITEMS_MAX;
        cm_resp_array(out, 2 + (uint64_t)items);
        cm_resp_word(out, "SADD");
        cm_key_family(out, config->redis_prefix, "members",
                      cm_placement_key(placement, joins[i].to));
        for (uint32_t end = i + items; i < end; i++) {
            struct cm_str id = cm_placement_key(placement, joins[i].unit)->id;
            cm_resp_bulk(out, id.p, id.len);
        }
        commands++;
    }
    return commands;
}

uint32_t cm_moves_write(const struct cm_placement *placement, const struct cm_config *config,
                        struct cm_text *out)
{
    uint32_t count;
    const struct cm_placement_change *changes = cm_placement_changes(placement, &count);
    struct cm_placement_change *joins = cm_alloc(count == 0 ? 1 : count, sizeof(*joins));
    uint32_t joins_count = 0;
    uint32_t commands = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (changes[i].from != CM_UNIT_NONE) {
            commands += write_leaving(placement, config, out, &changes[i]);
        }
        if (changes[i].to != CM_UNIT_NONE &&
            changes[i].to == cm_placement_parent(placement, changes[i].unit)) {
            joins[joins_count++] = changes[i];
        }
    }
    qsort(joins, joins_count, sizeof(*joins), cm_placement_by_parent);
    for (uint32_t first = 0; first < joins_count;) {
        uint32_t behind = first + 1;
        while (behind < joins_count && joins[behind].to == joins[first].to) {
            behind++;
        }
        commands += write_joining(placement, config, out, joins + first, behind - first);
        first = behind;
    }
    free(joins);
    return commands;
}
