// SPDX-License-Identifier: Apache-2.0
/* traffic_mix.h — what a wire does to lines: some come late, some twice, and rubbish between.
 *
 *   lines in order ──► keep ──► out at once
 *                       └─► put away with the time at which it comes out ──► due ──► out
 *
 * Only lines that come late, copies and rubbish are held here.
 *
 * THREADS   One. OWNERSHIP a cm_mix owns the lines put away.
 */
#ifndef CM_TRAFFIC_TRAFFIC_MIX_H
#define CM_TRAFFIC_TRAFFIC_MIX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/prng.h"
#include "traffic/traffic_heap.h"
#include "traffic/traffic_model.h"
#include "traffic/traffic_write.h"

#define CM_MIX_AGAIN_MS_MAX 30000 /* a copy comes within so long */

struct cm_mix {
    struct cm_prng prng;
    uint64_t disorder, duplicates, rubbish; /* chances of 2^32 */
    uint64_t late_ms_max;
    bool active;
    struct cm_heap heap; /* ref: slot */
    struct cm_traffic_line *slots;
    uint32_t slots_count, slots_cap;
    uint32_t *unused;
    uint32_t unused_count;
};

void cm_mix_init(struct cm_mix *mix, const struct cm_traffic_options *options);
void cm_mix_free(struct cm_mix *mix);
/* Whether a line that was put away comes out before one of now_ms; then it is swapped into *line.
 */
bool cm_mix_due(struct cm_mix *mix, int64_t now_ms, struct cm_traffic_line *line);
/* Decides on a line: true, it goes out now; false, it was put away (and *line is spent). */
bool cm_mix_keep(struct cm_mix *mix, struct cm_traffic_line *line);

#endif
