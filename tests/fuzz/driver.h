// SPDX-License-Identifier: Apache-2.0
/* driver.h — what a fuzz target offers: libFuzzer's entry point, through which driver.c replays
 * files.
 *
 * A target gets `size` bytes at `data`, which may be NULL when size is 0, and returns 0. It aborts
 * on a finding (FUZZ_REQUIRE) and keeps no state that would make an input's verdict depend on
 * earlier ones.
 */
#ifndef CM_TESTS_FUZZ_DRIVER_H
#define CM_TESTS_FUZZ_DRIVER_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer named it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A finding: says what did not hold and aborts; libFuzzer and CTest take that for a failure. */
#define FUZZ_REQUIRE(condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
