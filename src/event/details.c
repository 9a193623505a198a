// SPDX-License-Identifier: Apache-2.0
#include "event/details.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "event/event.h"

#define FEW 16u /* sorted by putting in, which takes the least of so many */

static int compare(const struct cm_detail *a, const struct cm_detail *b)
{
    if (a->group != b->group) {
        return a->group < b->group ? -1 : 1;
    }
    if (a->index != b->index) {
        return a->index < b->index ? -1 : 1;
    }
    return cm_str_cmp(a->name, b->name);
}

static int compare_items(const void *a, const void *b)
{
    return compare(a, b);
}

static void reserve(struct cm_details *details, uint32_t count)
{
    if (count <= details->cap) {
        return;
    }
    uint32_t cap = details->cap == 0 ? 8 : details->cap;
    while (cap < count) {
        cap *= 2;
    }
    details->at = cm_realloc(details->at, cap, sizeof(*details->at));
    details->cap = cap;
}

void cm_details_grow(struct cm_details *details)
{
    reserve(details, details->count + 1);
}

/* A row has a handful of items, and these come nearly in order. */
void cm_details_sort(struct cm_details *details)
{
    struct cm_detail *at = details->at;
    if (details->count > FEW) {
        qsort(at, details->count, sizeof(*at), compare_items);
        return;
    }
    for (uint32_t i = 1; i < details->count; i++) {
        struct cm_detail item = at[i];
        uint32_t to = i;
        for (; to > 0 && compare(&at[to - 1], &item) > 0; to--) {
            at[to] = at[to - 1];
        }
        at[to] = item;
    }
}

void cm_details_merge(struct cm_details *into, const struct cm_details *from)
{
    uint32_t shared = 0;
    for (uint32_t i = 0, k = 0; i < into->count && k < from->count;) {
        int order = compare(&into->at[i], &from->at[k]);
        shared += order == 0;
        i += order <= 0;
        k += order >= 0;
    }
    uint32_t at = into->count + from->count - shared;
    uint32_t i = into->count;
    uint32_t k = from->count;
    reserve(into, at);
    into->count = at;
    /* From the back, so that nothing is overwritten before it was read. */
    while (k > 0) {
        int order = i == 0 ? -1 : compare(&into->at[i - 1], &from->at[k - 1]);
        struct cm_detail item = order > 0 ? into->at[i - 1] : from->at[k - 1];
        if (order == 0) {
            item.count += into->at[i - 1].count;
            item.passed += into->at[i - 1].passed;
        }
        i -= order >= 0;
        k -= order <= 0;
        into->at[--at] = item;
    }
}

void cm_details_drop_zeros(struct cm_details *details)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < details->count; i++) {
        details->at[kept] = details->at[i];
        kept += details->at[i].count != 0;
    }
    details->count = kept;
}

void cm_details_copy(struct cm_details *into, const struct cm_details *from)
{
    into->count = 0;
    reserve(into, from->count);
    if (from->count > 0) {
        memcpy(into->at, from->at, from->count * sizeof(*from->at));
    }
    into->count = from->count;
}

void cm_details_free(struct cm_details *details)
{
    free(details->at);
    *details = (struct cm_details){0};
}

const char *cm_detail_source_name(unsigned index)
{
    return index == CM_DETAIL_SOURCE_RECORD ? "record" : cm_source_name(index - 1);
}

/* More than any item takes, but for its name: heads, words, numbers. */
#define ITEM_BYTES 160u

#define PUT(to, literal)                                                                           \
    (memcpy((to), (literal), sizeof(literal) - 1), (void)((to) += sizeof(literal) - 1))

/* The name without its quotes; NULL: it needs more than a copy. */
static char *put_plain(char *to, struct cm_str name)
{
    for (uint32_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (CM_UNLIKELY(c < 0x20 || c >= 0x80 || c == '"' || c == '\\')) {
            return NULL;
        }
        *to++ = (char)c;
    }
    return to;
}

/* `"name":`, with ITEM_BYTES of room behind it. */
static char *put_name(struct cm_text *out, char *to, const struct cm_detail *item)
{
    *to = '"';
    char *end = to + 1;
    if (item->group == CM_DETAIL_STATE) {
        end = stpcpy(end, cm_state_name(item->index));
    } else if (item->group == CM_DETAIL_SOURCE) {
        end = stpcpy(end, cm_detail_source_name(item->index));
    } else {
        end = put_plain(end, item->name);
        if (end == NULL) {
            out->len = (size_t)(to - out->data);
            cm_text_add_json(out, item->name.p, item->name.len);
            end = cm_text_room(out, ITEM_BYTES) - 1; /* over the closing quote */
        }
    }
    PUT(end, "\":");
    return end;
}

static char *put_head(char *to, const struct cm_detail *item, bool first)
{
    static const char *const keys[] = {
        [CM_DETAIL_STATE] = ",\"state_ms\":{",
        [CM_DETAIL_CHECK] = ",\"checks\":{",
        [CM_DETAIL_SOURCE] = ",\"check_sources\":{",
    };
    if (first) {
        return stpcpy(to, keys[item->group]);
    }
    *to = ',';
    return to + 1;
}

void cm_details_write(struct cm_text *out, const struct cm_details *details)
{
    for (uint32_t i = 0; i < details->count; i++) {
        const struct cm_detail *item = &details->at[i];
        bool first = i == 0 || details->at[i - 1].group != item->group;
        bool last = i + 1 == details->count || details->at[i + 1].group != item->group;
        char *to = cm_text_room(out, ITEM_BYTES + item->name.len);
        to = put_name(out, put_head(to, item, first), item);
        if (item->group == CM_DETAIL_STATE) {
            to = cm_put_u64(to, item->count);
        } else {
            PUT(to, "{\"evaluated\":");
            to = cm_put_small(to, item->count);
            PUT(to, ",\"passed\":");
            to = cm_put_small(to, item->passed);
            *to++ = '}';
        }
        if (last) {
            *to++ = '}';
        }
        out->len = (size_t)(to - out->data);
    }
}
