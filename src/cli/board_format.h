// SPDX-License-Identifier: Apache-2.0
/* board_format.h — numbers as a board shows them, in a few cells.
 *
 * THREADS   Stateless.
 */
#ifndef CM_CLI_BOARD_FORMAT_H
#define CM_CLI_BOARD_FORMAT_H

#include <stdint.h>

#define CM_BOARD_VALUE_BYTES 32u

/* 1234567 -> "1,234,567"; from ten millions on "12.34M", "12345M": never wider than 9 cells. */
void cm_board_format_count(uint64_t value, char out[CM_BOARD_VALUE_BYTES]);
/* ms, rounded to seconds: "3:05", "62:03"; from 1,000 minutes on "16.7h": never wider than 6 cells,
 * up to a year. */
void cm_board_format_clock(uint64_t ms, char out[CM_BOARD_VALUE_BYTES]);

#endif
