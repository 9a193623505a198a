// SPDX-License-Identifier: Apache-2.0
#include "event/details.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "event/event.h"

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

void cm_details_add(struct cm_details *details, const struct cm_detail *item)
{
    reserve(details, details->count + 1);
    details->at[details->count++] = *item;
}

void cm_details_sort(struct cm_details *details)
{
    if (details->count > 1) {
        qsort(details->at, details->count, sizeof(*details->at), compare_items);
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

static void write_item(struct cm_text *out, const struct cm_detail *item)
{
    if (item->group == CM_DETAIL_CHECK) {
        cm_text_add_json(out, item->name.p, item->name.len);
    } else {
        cm_text_addc(out, '"');
        cm_text_adds(out, item->group == CM_DETAIL_STATE ? cm_state_name(item->index)
                                                         : cm_detail_source_name(item->index));
        cm_text_addc(out, '"');
    }
    cm_text_addc(out, ':');
    if (item->group == CM_DETAIL_STATE) {
        cm_text_add_u64(out, item->count);
        return;
    }
    cm_text_adds(out, "{\"evaluated\":");
    cm_text_add_u64(out, item->count);
    cm_text_adds(out, ",\"passed\":");
    cm_text_add_u64(out, item->passed);
    cm_text_addc(out, '}');
}

void cm_details_write(struct cm_text *out, const struct cm_details *details)
{
    static const char *const keys[] = {
        [CM_DETAIL_STATE] = ",\"state_ms\":{",
        [CM_DETAIL_CHECK] = ",\"checks\":{",
        [CM_DETAIL_SOURCE] = ",\"check_sources\":{",
    };
    for (uint32_t i = 0; i < details->count; i++) {
        const struct cm_detail *item = &details->at[i];
        bool first = i == 0 || details->at[i - 1].group != item->group;
        cm_text_adds(out, first ? keys[item->group] : ",");
        write_item(out, item);
        if (i + 1 == details->count || details->at[i + 1].group != item->group) {
            cm_text_addc(out, '}');
        }
    }
}
