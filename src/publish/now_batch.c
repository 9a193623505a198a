// SPDX-License-Identifier: Apache-2.0
#include "publish/now_batch.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/memory.h"
#include "publish/row.h"

struct now {
    uint32_t unit;
    uint32_t len; /* 0: taken */
    size_t at;    /* in text */
};

struct cm_now_batch {
    struct now *nows;
    uint32_t count, cap;
    uint32_t left;     /* not taken: among those from here on */
    uint32_t *of_unit; /* index + 1; 0: none */
    uint32_t units_cap;
    struct cm_text text;
};

struct cm_now_batch *cm_now_batch_create(void)
{
    return cm_alloc(1, sizeof(struct cm_now_batch));
}

void cm_now_batch_destroy(struct cm_now_batch *batch)
{
    if (batch == NULL) {
        return;
    }
    free(batch->nows);
    free(batch->of_unit);
    cm_text_free(&batch->text);
    free(batch);
}

static void grow_units(struct cm_now_batch *batch, uint32_t unit)
{
    uint32_t cap = batch->units_cap == 0 ? 256 : batch->units_cap;
    while (cap <= unit) {
        cap *= 2;
    }
    batch->of_unit = cm_realloc(batch->of_unit, cap, sizeof(*batch->of_unit));
    memset(batch->of_unit + batch->units_cap, 0,
           (cap - batch->units_cap) * sizeof(*batch->of_unit));
    batch->units_cap = cap;
}

void cm_now_batch_add(struct cm_now_batch *batch, uint32_t unit, int64_t asof_ms,
                      const struct cm_gauge *gauge)
{
    if (unit >= batch->units_cap) {
        grow_units(batch, unit);
    }
    CM_ASSERT(batch->of_unit[unit] == 0);
    if (batch->count == batch->cap) {
        batch->cap = batch->cap == 0 ? 256 : batch->cap * 2;
        batch->nows = cm_realloc(batch->nows, batch->cap, sizeof(*batch->nows));
    }
    size_t at = batch->text.len;
    cm_now_write(&batch->text, asof_ms, gauge);
    batch->nows[batch->count++] =
        (struct now){.unit = unit, .len = (uint32_t)(batch->text.len - at), .at = at};
    batch->of_unit[unit] = batch->count;
}

static void take(struct cm_now_batch *batch, struct now *now, struct cm_str *value)
{
    *value = (struct cm_str){batch->text.data + now->at, now->len};
    now->len = 0;
}

bool cm_now_batch_take(struct cm_now_batch *batch, uint32_t unit, struct cm_str *value)
{
    if (batch->count == 0 || unit >= batch->units_cap || batch->of_unit[unit] == 0 ||
        batch->nows[batch->of_unit[unit] - 1].len == 0) {
        return false;
    }
    take(batch, &batch->nows[batch->of_unit[unit] - 1], value);
    return true;
}

bool cm_now_batch_take_any(struct cm_now_batch *batch, uint32_t *unit, struct cm_str *value)
{
    for (; batch->left < batch->count; batch->left++) {
        struct now *now = &batch->nows[batch->left];
        if (now->len > 0) {
            *unit = now->unit;
            take(batch, now, value);
            return true;
        }
    }
    return false;
}

void cm_now_batch_clear(struct cm_now_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        batch->of_unit[batch->nows[i].unit] = 0;
    }
    batch->count = batch->left = 0;
    batch->text.len = 0;
}
