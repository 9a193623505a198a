// SPDX-License-Identifier: Apache-2.0
#include "kafka/fetch_known.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void cm_fetch_table_free(struct cm_fetch_table *table)
{
    free(table->at);
    *table = (struct cm_fetch_table){0};
}

struct cm_fetch_known *cm_fetch_known(struct cm_fetch_table *table, const struct cm_lane *lane,
                                      uint32_t partition)
{
    if (partition >= table->count) {
        uint32_t count = partition + 16;
        table->at = cm_realloc(table->at, count, sizeof *table->at);
        memset(&table->at[table->count], 0, (count - table->count) * sizeof *table->at);
        table->count = count;
    }
    struct cm_fetch_known *known = &table->at[partition];
    if (known->generation != lane->slots[partition].generation) {
        *known = (struct cm_fetch_known){.generation = lane->slots[partition].generation,
                                         .planned = -1,
                                         .epoch_at = -1,
                                         .end_told = -1,
                                         .log_end = -1,
                                         .pace = CM_FETCH_PACE_INIT};
    }
    return known;
}
