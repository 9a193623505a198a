// SPDX-License-Identifier: Apache-2.0
#include "cli/board_format.h"

#include <stdbool.h>
#include <stdio.h>

void cm_board_format_count(uint64_t value, char out[CM_BOARD_VALUE_BYTES])
{
    char digits[24];
    if (value >= 10000000) {
        bool short_one = value < 1000000000;
        (void)snprintf(out, CM_BOARD_VALUE_BYTES, short_one ? "%.2fM" : "%.0fM",
                       (double)value / 1e6);
        return;
    }
    int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    char *p = out;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            *p++ = ',';
        }
        *p++ = digits[i];
    }
    *p = '\0';
}

void cm_board_format_clock(uint64_t ms, char out[CM_BOARD_VALUE_BYTES])
{
    uint64_t s = ms / 1000 + (ms % 1000 >= 500 ? 1 : 0);
    if (s >= 60000) {
        (void)snprintf(out, CM_BOARD_VALUE_BYTES, s < 3600000 ? "%.1fh" : "%.0fh",
                       (double)s / 3600);
    } else {
        (void)snprintf(out, CM_BOARD_VALUE_BYTES, "%llu:%02llu", (unsigned long long)(s / 60),
                       (unsigned long long)(s % 60));
    }
}
