// SPDX-License-Identifier: Apache-2.0
#include "window/check_sums.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void cm_check_sums_grow(struct cm_check_sums *sums, uint32_t name)
{
    uint32_t count = name + 1 < 4 ? 4 : name + 1;
    struct cm_check_sum *lent = sums->is_lent ? sums->at : NULL;
    sums->at = cm_realloc(lent != NULL ? NULL : sums->at, count, sizeof(*sums->at));
    if (lent != NULL) {
        memcpy(sums->at, lent, sums->count * sizeof(*sums->at));
        sums->is_lent = false;
    }
    memset(&sums->at[sums->count], 0, (count - sums->count) * sizeof(*sums->at));
    sums->count = count;
}

void cm_check_sums_merge(struct cm_check_sums *into, const struct cm_check_sums *from)
{
    if (from->count > into->count) {
        cm_check_sums_grow(into, from->count - 1);
    }
    for (uint32_t i = 0; i < from->count; i++) {
        into->at[i].evaluated += from->at[i].evaluated;
        into->at[i].passed += from->at[i].passed;
    }
}

void cm_check_sums_clear(struct cm_check_sums *sums)
{
    if (sums->count > 0) {
        memset(sums->at, 0, sums->count * sizeof(*sums->at));
    }
}

void cm_check_sums_free(struct cm_check_sums *sums)
{
    if (!sums->is_lent) {
        free(sums->at);
    }
    *sums = (struct cm_check_sums){.at = NULL};
}

size_t cm_check_sums_bytes(const struct cm_check_sums *sums)
{
    return sums->is_lent ? 0 : sums->count * sizeof(*sums->at);
}
