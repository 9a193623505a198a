// SPDX-License-Identifier: Apache-2.0
/* layout_learn.h — from a good record to its layout.
 *
 * The record is walked once more, by the scanner of the general parser, and cut into runs and
 * values. What a layout cannot say is not learnt: a key of the contract twice, two values without
 * an anchor between them, integers of more digits than a slot takes, more parts than it has room
 * for.
 *
 * THREADS   Pure, but for the layout. COST About a microsecond; the cache says how often.
 */
#ifndef CM_DECODE_LAYOUT_LEARN_H
#define CM_DECODE_LAYOUT_LEARN_H

#include "decode/layout.h"

/* The record is one that the general parser took, and `type` is what it found; the shape is its
 * shape, plain; the scan has begun on it. false: no layout; its content is undefined. The fields
 * `key` and `next` are the cache's and left alone. */
bool cm_layout_learn(struct cm_layout *layout, const struct cm_shape *shape, const char *bytes,
                     uint32_t len, unsigned type, struct cm_json_scan *scan);

#endif
