// SPDX-License-Identifier: Apache-2.0
/* crc32c.h — the checksum of record batches: CRC-32C (Castagnoli), as RFC 3720 has it.
 *
 *   bytes ─┬─ lane 0 ─► crc ─┐
 *          ├─ lane 1 ─► crc ─┼─ moved up by the lanes behind them, xor ─► crc
 *          └─ lane 2 ─► crc ─┘
 *
 * The crc instruction takes 8 bytes and gives its answer three cycles later, but a new one may
 * begin in every cycle: so three lanes run side by side and are joined at the end. Without the
 * instruction a table does it, 8 bytes a step.
 *
 * THREADS   Any. OWNERSHIP  None. ERRORS  None.
 * COST      One pass over the bytes; bench/batch_bench.c has the numbers.
 */
#ifndef CM_KAFKA_CRC32C_H
#define CM_KAFKA_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cm_crc32c_kernel { CM_CRC32C_TABLE, CM_CRC32C_SSE42, CM_CRC32C_ARMV8, CM_CRC32C_KERNELS };

/* By the best kernel of this machine. */
uint32_t cm_crc32c(const void *bytes, size_t len);

/* For tests and benchmarks: whether a kernel runs on this machine, and the checksum by it. */
bool cm_crc32c_runs(enum cm_crc32c_kernel kernel);
uint32_t cm_crc32c_by(enum cm_crc32c_kernel kernel, const void *bytes, size_t len);

#endif
