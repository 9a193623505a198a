// SPDX-License-Identifier: Apache-2.0
/* appeared.c — see appeared.h. */
#include "publish/appeared.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "publish/keys.h"
#include "publish/resp.h"

void cm_appeared_add(struct cm_appeared *appeared, uint8_t kind, uint32_t unit)
{
    uint32_t count = appeared->kinds[kind].count;
    if (count == appeared->kinds[kind].cap) {
        uint32_t cap = count == 0 ? 64 : count * 2;
        appeared->kinds[kind].at = cm_realloc(appeared->kinds[kind].at, cap, sizeof(unit));
        appeared->kinds[kind].cap = cap;
    }
    appeared->kinds[kind].at[count] = unit;
    appeared->kinds[kind].count++;
}

uint32_t cm_appeared_write(const struct cm_appeared *appeared, const struct cm_placement *placement,
                           const struct cm_config *config, struct cm_text *out)
{
    uint32_t commands = 0;
    for (uint32_t kind = 0; kind < CM_KIND_COUNT; kind++) {
        uint32_t count = appeared->kinds[kind].count;
        for (uint32_t i = 0; i < count;) {
            uint32_t items = count - i < CM_RESP_ITEMS_MAX ? count - i : CM_RESP_ITEMS_MAX;
            cm_resp_array(out, 2 + (uint64_t)items);
            cm_resp_word(out, "SADD");
            cm_key_units(out, config->redis_prefix, kind);
            for (uint32_t end = i + items; i < end; i++) {
                struct cm_str id = cm_placement_key(placement, appeared->kinds[kind].at[i])->id;
                cm_resp_bulk(out, id.p, id.len);
            }
            commands++;
        }
    }
    return commands;
}

void cm_appeared_clear(struct cm_appeared *appeared)
{
    for (uint32_t kind = 0; kind < CM_KIND_COUNT; kind++) {
        appeared->kinds[kind].count = 0;
    }
}

void cm_appeared_free(struct cm_appeared *appeared)
{
    for (uint32_t kind = 0; kind < CM_KIND_COUNT; kind++) {
        free(appeared->kinds[kind].at);
    }
    memset(appeared, 0, sizeof(*appeared));
}
