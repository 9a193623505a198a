// SPDX-License-Identifier: Apache-2.0
/* sized.h — legs of one layout and about one size, for benchmarks: 150, 300 or 600 bytes. The same
 * seed, the same legs, on every machine.
 */
#ifndef CM_BENCH_SIZED_H
#define CM_BENCH_SIZED_H

#include <stdint.h>

#include "base/text.h"

/* The next number of a plain sequence, 31 bits. */
uint32_t cm_bench_random(uint64_t *seed);
/* Replaces `out` by a leg: under 300 only what it has to have, from 300 on the fields of the
 * contract, from 600 on fields that callmill does not know as well. No line feed. */
void cm_bench_sized_leg(struct cm_text *out, uint64_t *seed, uint32_t bytes, int64_t ts_ms);

#endif
