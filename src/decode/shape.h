// SPDX-License-Identifier: Apache-2.0
/* shape.h — one look over a record that finds where its members begin.
 *
 * An anchor is a quote right behind a comma, or behind a comma and one more byte (`,"` and `, "`):
 * in the usual records the opening quote of every key but the first.
 *
 *   {"type":"cdr","id":"c1-1","ts":1793581200083,"call":"c1"}
 *                 ▲           ▲                  ▲            count 3, quotes 14
 *
 * Nothing is assumed: commas within strings can make more anchors, and whoever uses them compares
 * the bytes around them. What this look does prove holds for the whole record: `plain` and `ascii`,
 * and the number of quotes.
 *
 * Several kernels do the same with what the processor has; the best that runs here is chosen at
 * run time. Words of 64 bits (`swar`) run everywhere, and are there for the tests: without vectors
 * the general parser is faster.
 *
 * THREADS   A kernel is a pure function of the bytes. The choice is a constant of the program's
 *           run. MEMORY Reads the record's own bytes only.
 * COST      A few instructions for every 16 to 64 bytes, one store an anchor.
 */
#ifndef CM_DECODE_SHAPE_H
#define CM_DECODE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CM_SHAPE_BYTES_LEAST 66u /* a kernel's stride, and two bytes before the last one */
#define CM_SHAPE_BYTES_MOST  4096u
#define CM_SHAPE_ANCHORS_MAX 95u

struct cm_shape {
    uint32_t count;  /* anchors; more than CM_SHAPE_ANCHORS_MAX: `at` is not complete */
    uint32_t quotes; /* bytes that are a quote */
    bool plain;      /* no byte is a backslash or below 0x20 */
    bool ascii;      /* no byte is above 0x7f */
    /* 0, the anchors, the record's length. Room for whatever a kernel stores: a comma makes two
     * anchors at most, in three bytes, and stores go beyond. */
    _Alignas(64) uint16_t at[CM_SHAPE_BYTES_MOST / 3 * 2 + 2 + 64];
};

struct cm_shape_kernel {
    const char *name; /* "swar", "sse2", "avx2" or "avx512" */
    /* What runs it has vectors of so many bytes: 64 AVX-512 (with VBMI2), 32 AVX2. */
    uint32_t vector_bytes;
    /* least <= len <= most of the bounds above. */
    void (*look)(const char *bytes, size_t len, struct cm_shape *shape);
};

/* The kernel of that name; NULL when it does not run here. */
const struct cm_shape_kernel *cm_shape_find(const char *name);
/* The best one that runs here; NULL when there is but "swar", which costs more than it saves. */
const struct cm_shape_kernel *cm_shape_best(void);

#endif
