// SPDX-License-Identifier: Apache-2.0
/* event_ids.c — see event_ids.h. */
#include "publish/event_ids.h"

#include <stdlib.h>

#include "base/memory.h"

#define GENERATION_IDS 32768u
#define SLOTS          UINT64_C(65536) /* twice as many: half full at most */

static struct cm_hash128 hash_of(struct cm_str id)
{
    struct cm_hash128 hash = cm_hash128(id.len == 0 ? "" : id.p, id.len);
    hash.low |= 1; /* never all zero, which means free */
    return hash;
}

/* The slot that holds the hash, or the free one where it belongs. */
static struct cm_hash128 *probe(struct cm_hash128 *slots, struct cm_hash128 hash)
{
    for (uint64_t at = hash.high % SLOTS;; at = (at + 1) % SLOTS) {
        struct cm_hash128 *slot = &slots[at];
        if (slot->low == 0 || (slot->low == hash.low && slot->high == hash.high)) {
            return slot;
        }
    }
}

bool cm_event_ids_has(const struct cm_event_ids *ids, struct cm_str id)
{
    struct cm_hash128 hash = hash_of(id);
    for (uint32_t i = 0; i < 2; i++) {
        if (ids->slots[i] != NULL && probe(ids->slots[i], hash)->low != 0) {
            return true;
        }
    }
    return false;
}

void cm_event_ids_add(struct cm_event_ids *ids, struct cm_str id)
{
    if (ids->used[ids->newer] == GENERATION_IDS) {
        ids->newer = 1 - ids->newer;
        ids->used[ids->newer] = 0;
        free(ids->slots[ids->newer]);
        ids->slots[ids->newer] = NULL;
    }
    if (ids->slots[ids->newer] == NULL) {
        ids->slots[ids->newer] = cm_alloc(SLOTS, sizeof(struct cm_hash128));
    }
    struct cm_hash128 hash = hash_of(id);
    struct cm_hash128 *slot = probe(ids->slots[ids->newer], hash);
    if (slot->low == 0) {
        *slot = hash;
        ids->used[ids->newer]++;
    }
}

void cm_event_ids_clear(struct cm_event_ids *ids)
{
    free(ids->slots[0]);
    free(ids->slots[1]);
    *ids = (struct cm_event_ids){0};
}

/* Behind the closing quote of the string that begins at json.p[at]; 0: it is not closed. */
static uint32_t skip_string(struct cm_str json, uint32_t at)
{
    for (at++; at < json.len && json.p[at] != '"'; at++) {
        at += json.p[at] == '\\';
    }
    return at < json.len ? at + 1 : 0;
}

static uint32_t skip_space(struct cm_str json, uint32_t at)
{
    while (at < json.len &&
           (json.p[at] == ' ' || json.p[at] == '\t' || json.p[at] == '\n' || json.p[at] == '\r')) {
        at++;
    }
    return at;
}

struct cm_str cm_event_id_of(struct cm_str json)
{
    uint32_t depth = 0;
    for (uint32_t at = 0; at < json.len;) {
        char c = json.p[at];
        if (c != '"') {
            depth += c == '{' || c == '[';
            depth -= (c == '}' || c == ']') && depth > 0;
            at++;
            continue;
        }
        uint32_t end = skip_string(json, at);
        if (end == 0) {
            break;
        }
        uint32_t colon = skip_space(json, end);
        bool is_id = depth == 1 && end - at == 4 && memcmp(json.p + at, "\"id\"", 4) == 0 &&
                     colon < json.len && json.p[colon] == ':';
        at = end;
        if (is_id) {
            uint32_t value = skip_space(json, colon + 1);
            if (value >= json.len || json.p[value] != '"') {
                break;
            }
            uint32_t behind = skip_string(json, value);
            if (behind == 0) {
                break;
            }
            return (struct cm_str){json.p + value + 1, behind - value - 2};
        }
    }
    return (struct cm_str){"", 0};
}
