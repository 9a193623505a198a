// SPDX-License-Identifier: Apache-2.0
/* row_batch.c — see row_batch.h. Entries of a group are a list through one array.
 *
 * How long a value is, and how many a command has, is known when they are written: their heads are
 * guessed from those before, which differ in digits seldom, and what follows is moved when the
 * guess was wrong. */
#include "publish/row_batch.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/memory.h"
#include "publish/resp.h"

#define NONE              UINT32_MAX
#define VALUES_IDLE_BYTES ((size_t)64 * 1024 * 1024) /* more than this is given back */
#define NUMBER_BYTES      20u

struct entry {
    struct cm_str field;
    size_t value_at; /* the encoded bulk, in `values` */
    uint32_t value_len;
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

    struct cm_text values;  /* the commands of the hashes; without keys values alone */
    size_t value_at;        /* of the current value's bulk */
    uint32_t value_len;     /* of the bulk; 0: not yet whole */
    unsigned value_digits;  /* in its head, until it is known: those of the value before */
    const char *open_key;   /* of the command that may grow; NULL: none */
    size_t command_at;      /* where it begins ... */
    uint32_t command_entry; /* ... and the first entry since */
    uint32_t fields;        /* in it */
    unsigned words_digits;  /* in its head: as in the command before */
    uint32_t commands;
};

struct cm_row_batch *cm_row_batch_create(uint32_t slots)
{
    CM_ASSERT(slots > 0);
    struct cm_row_batch *batch = cm_alloc(1, sizeof(*batch));
    batch->slots = slots;
    batch->value_digits = 3;
    batch->words_digits = 1;
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

/* ---- the hashes */

/* Writes a number over the `guessed` digits at `at`, and moves what is behind when there are more
 * or fewer; returns by how much. */
static ptrdiff_t set_number(struct cm_text *text, size_t at, unsigned guessed, uint64_t number,
                            unsigned *digits)
{
    char bytes[NUMBER_BYTES];
    *digits = (unsigned)(cm_put_u64(bytes, number) - bytes);
    ptrdiff_t more = (ptrdiff_t)*digits - (ptrdiff_t)guessed;
    if (more != 0) {
        (void)cm_text_room(text, NUMBER_BYTES);
        char *behind = text->data + at + guessed;
        memmove(behind + more, behind, text->len - at - guessed);
        text->len += (size_t)more;
    }
    memcpy(text->data + at, bytes, *digits);
    return more;
}

static void close_command(struct cm_row_batch *batch)
{
    if (batch->open_key == NULL) {
        return;
    }
    batch->open_key = NULL;
    ptrdiff_t more = set_number(&batch->values, batch->command_at + 1, batch->words_digits,
                                2 + 2 * (uint64_t)batch->fields, &batch->words_digits);
    for (uint32_t i = batch->command_entry; more != 0 && i < batch->entries_count; i++) {
        batch->entries[i].value_at += (size_t)more;
    }
}

static void open_command(struct cm_row_batch *batch, struct cm_str key)
{
    static const char head[] = "*00000000000000000000";
    static const char verb[] = "\r\n$4\r\nHSET\r\n";
    batch->open_key = key.p;
    batch->command_at = batch->values.len;
    batch->command_entry = batch->entries_count;
    batch->fields = 0;
    batch->commands++;
    cm_text_add(&batch->values, head, 1 + batch->words_digits);
    cm_text_add(&batch->values, verb, sizeof(verb) - 1);
    cm_text_add(&batch->values, key.p, key.len);
}

struct cm_text *cm_row_batch_begin(struct cm_row_batch *batch, struct cm_str key,
                                   struct cm_str field)
{
    static const char head[] = "$00000000000000000000";
    struct cm_text *values = &batch->values;
    CM_ASSERT(key.len > 0 ? batch->commands > 0 || values->len == 0 : batch->commands == 0);
    if (key.len > 0) {
        if (batch->open_key != key.p || batch->fields == CM_RESP_ITEMS_MAX) {
            close_command(batch);
            open_command(batch, key);
        }
        cm_text_add(values, field.p, field.len);
        batch->fields++;
    }
    batch->value_at = values->len;
    batch->value_len = 0;
    cm_text_add(values, head, 1 + batch->value_digits);
    cm_text_add(values, "\r\n", 2);
    return values;
}

void cm_row_batch_end(struct cm_row_batch *batch)
{
    struct cm_text *values = &batch->values;
    size_t len = values->len - batch->value_at - 1 - batch->value_digits - 2;
    CM_ASSERT(batch->value_len == 0 && len < UINT32_MAX - NUMBER_BYTES);
    (void)set_number(values, batch->value_at + 1, batch->value_digits, len, &batch->value_digits);
    cm_text_add(values, "\r\n", 2);
    batch->value_len = (uint32_t)(values->len - batch->value_at);
}

struct cm_text *cm_row_batch_hashes(struct cm_row_batch *batch, uint32_t *commands)
{
    close_command(batch);
    *commands = batch->commands;
    return &batch->values;
}

/* ---- the boards */

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
    CM_ASSERT(batch->value_len > 0);
    if (batch->entries_count == batch->entries_cap) {
        batch->entries_cap = batch->entries_cap == 0 ? 1024 : batch->entries_cap * 2;
        batch->entries = cm_realloc(batch->entries, batch->entries_cap, sizeof(*batch->entries));
    }
    uint32_t number = batch->entries_count++;
    batch->entries[number] = (struct entry){
        .field = field, .value_at = batch->value_at, .value_len = batch->value_len, .next = NONE};
    struct group *group = group_for(batch, unit, slot);
    if (group->count == 0) {
        group->first = number;
    } else {
        batch->entries[group->last].next = number;
    }
    group->last = number;
    group->count++;
}

static void write_field(struct cm_text *out, const struct entry *entry, const char *values)
{
    uint32_t len = entry->field.len;
    char *begin = cm_text_room(out, 1 + NUMBER_BYTES + 4 + (size_t)len + entry->value_len);
    char *to = begin;
    *to++ = '$';
    to = cm_resp_end(cm_put_small(to, len));
    memcpy(to, entry->field.p, len);
    to = cm_resp_end(to + len);
    memcpy(to, values + entry->value_at, entry->value_len);
    out->len += (size_t)(to - begin) + entry->value_len;
}

uint32_t cm_row_batch_boards(const struct cm_row_batch *batch, struct cm_text *out,
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
                write_field(out, &batch->entries[at], batch->values.data);
                at = batch->entries[at].next;
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
    batch->value_len = 0;
    batch->open_key = NULL;
    batch->commands = 0;
}
