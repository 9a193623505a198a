// SPDX-License-Identifier: Apache-2.0
/* row_batch.c — see row_batch.h. Entries of a group are a list through one array. */
#include "publish/row_batch.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/memory.h"
#include "publish/resp.h"

#define NONE              UINT32_MAX
#define VALUES_IDLE_BYTES ((size_t)64 * 1024 * 1024) /* more than this is given back */

struct entry {
    struct cm_str field;
    size_t value_at; /* the encoded bulk, in `values` */
    size_t value_len;
    uint32_t next;
};

struct group {
    uint32_t unit, slot;
    uint32_t first, last; /* entries */
    uint32_t count;
};

struct cm_row_batch {
    uint32_t slots;
    uint32_t *group_of; /* unit * slots + slot -> group + 1; 0: none in this tick */
    uint64_t group_of_cap;
    struct group *groups;
    uint32_t groups_count, groups_cap;
    struct entry *entries;
    uint32_t entries_count, entries_cap;
    struct cm_text values;
    size_t value_at; /* of the current value */
};

struct cm_row_batch *cm_row_batch_create(uint32_t slots)
{
    CM_ASSERT(slots > 0);
    struct cm_row_batch *batch = cm_alloc(1, sizeof(*batch));
    batch->slots = slots;
    return batch;
}

void cm_row_batch_destroy(struct cm_row_batch *batch)
{
    if (batch == NULL) {
        return;
    }
    free(batch->group_of);
    free(batch->groups);
    free(batch->entries);
    cm_text_free(&batch->values);
    free(batch);
}

void cm_row_batch_value(struct cm_row_batch *batch, const char *bytes, size_t len)
{
    batch->value_at = batch->values.len;
    cm_resp_bulk(&batch->values, bytes, len);
}

static uint32_t *group_slot(struct cm_row_batch *batch, uint32_t unit, uint32_t slot)
{
    CM_ASSERT(slot < batch->slots);
    uint64_t at = (uint64_t)unit * batch->slots + slot;
    if (at >= batch->group_of_cap) {
        uint64_t cap = batch->group_of_cap == 0 ? 1024 : batch->group_of_cap;
        while (cap <= at) {
            cap *= 2;
        }
        batch->group_of = cm_realloc(batch->group_of, cap, sizeof(*batch->group_of));
        memset(batch->group_of + batch->group_of_cap, 0,
               (cap - batch->group_of_cap) * sizeof(*batch->group_of));
        batch->group_of_cap = cap;
    }
    return &batch->group_of[at];
}

static struct group *group_for(struct cm_row_batch *batch, uint32_t unit, uint32_t slot)
{
    uint32_t *at = group_slot(batch, unit, slot);
    if (*at == 0) {
        if (batch->groups_count == batch->groups_cap) {
            batch->groups_cap = batch->groups_cap == 0 ? 256 : batch->groups_cap * 2;
            batch->groups = cm_realloc(batch->groups, batch->groups_cap, sizeof(*batch->groups));
        }
        batch->groups[batch->groups_count++] =
            (struct group){.unit = unit, .slot = slot, .first = NONE, .last = NONE};
        *at = batch->groups_count;
    }
    return &batch->groups[*at - 1];
}

void cm_row_batch_add(struct cm_row_batch *batch, uint32_t unit, uint32_t slot, struct cm_str field)
{
    CM_ASSERT(batch->value_at < batch->values.len);
    if (batch->entries_count == batch->entries_cap) {
        batch->entries_cap = batch->entries_cap == 0 ? 1024 : batch->entries_cap * 2;
        batch->entries = cm_realloc(batch->entries, batch->entries_cap, sizeof(*batch->entries));
    }
    uint32_t number = batch->entries_count++;
    batch->entries[number] = (struct entry){.field = field,
                                            .value_at = batch->value_at,
                                            .value_len = batch->values.len - batch->value_at,
                                            .next = NONE};
    struct group *group = group_for(batch, unit, slot);
    if (group->count == 0) {
        group->first = number;
    } else {
        batch->entries[group->last].next = number;
    }
    group->last = number;
    group->count++;
}

uint32_t cm_row_batch_write(const struct cm_row_batch *batch, struct cm_text *out,
                            cm_row_batch_key_fn key, void *context)
{
    uint32_t commands = 0;
    for (uint32_t i = 0; i < batch->groups_count; i++) {
        const struct group *group = &batch->groups[i];
        uint32_t at = group->first;
        for (uint32_t left = group->count; left > 0;) {
            uint32_t fields = left < CM_RESP_ITEMS_MAX ? left : CM_RESP_ITEMS_MAX;
            left -= fields;
            commands++;
            cm_resp_array(out, 2 + 2 * (uint64_t)fields);
            cm_resp_word(out, "HSET");
            key(context, out, group->unit, group->slot);
            for (; fields > 0; fields--) {
                const struct entry *entry = &batch->entries[at];
                cm_resp_bulk(out, entry->field.p, entry->field.len);
                cm_text_add(out, batch->values.data + entry->value_at, entry->value_len);
                at = entry->next;
            }
        }
        CM_ASSERT(at == NONE);
    }
    return commands;
}

void cm_row_batch_clear(struct cm_row_batch *batch)
{
    for (uint32_t i = 0; i < batch->groups_count; i++) {
        batch->group_of[(uint64_t)batch->groups[i].unit * batch->slots + batch->groups[i].slot] = 0;
    }
    batch->groups_count = 0;
    batch->entries_count = 0;
    if (batch->values.cap > VALUES_IDLE_BYTES) {
        cm_text_free(&batch->values);
    }
    batch->values.len = 0;
    batch->value_at = 0;
}
