// SPDX-License-Identifier: Apache-2.0
#include "engine/rule_merge.h"

#include <stdlib.h>

#include "base/memory.h"

struct seen {
    const struct cm_observation *observation;
    uint32_t worker;
};

static int compare(const void *a, const void *b)
{
    const struct seen *p = a, *q = b;
    const struct cm_observation *x = p->observation, *y = q->observation;
    if (x->asof_ms != y->asof_ms) {
        return x->asof_ms < y->asof_ms ? -1 : 1;
    }
    if (x->window != y->window) {
        return x->window < y->window ? -1 : 1;
    }
    int order = cm_unit_key_cmp(&x->key, &y->key);
    return order != 0 ? order : (p->worker > q->worker) - (p->worker < q->worker);
}

void cm_rule_merge(struct cm_merge *merge, const struct cm_rule_log *const *logs, uint32_t count,
                   struct cm_rule_log *out)
{
    uint32_t all = 0;
    for (uint32_t w = 0; w < count; w++) {
        all += logs[w]->count;
    }
    struct seen *seen = cm_alloc(all + 1, sizeof(*seen));
    uint32_t at = 0;
    for (uint32_t w = 0; w < count; w++) {
        for (uint32_t i = 0; i < logs[w]->count; i++) {
            seen[at++] = (struct seen){&logs[w]->at[i], w};
        }
    }
    qsort(seen, all, sizeof(*seen), compare);

    out->at = cm_alloc(all + 1, sizeof(*out->at));
    out->cap = all + 1;
    for (out->count = 0; out->count < all; out->count++) {
        const struct cm_observation *from = seen[out->count].observation;
        struct cm_measures share;
        cm_measures_own(&share, &from->m);
        const struct cm_measures *sum = cm_merge_put(merge, seen[out->count].worker, &from->key,
                                                     from->window, from->asof_ms, &share);
        struct cm_observation *to = &out->at[out->count];
        *to = *from;
        cm_measures_own(&to->m, sum);
        cm_measures_free(&share);
    }
    free(seen);
}
