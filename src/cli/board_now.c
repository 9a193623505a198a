// SPDX-License-Identifier: Apache-2.0
#include "cli/board_now.h"

#include <string.h>

#include "cli/board_format.h"
#include "cli/board_json.h"

#define WAIT_AMBER_MS 60000u
#define WAIT_RED_MS   120000u

static bool count_of(struct cm_str object, const char *name, uint64_t *out)
{
    struct cm_str text;
    int64_t number = 0;
    bool found =
        cm_json_member(object, name, &text) && cm_json_integer(text, &number) && number >= 0;
    *out = found ? (uint64_t)number : 0;
    return found;
}

bool cm_board_now_parse(struct cm_str json, struct cm_board_now *now)
{
    struct cm_json_walk walk;
    struct cm_str text;
    memset(now, 0, sizeof(*now));
    if (!cm_json_open(&walk, json)) {
        return false;
    }
    if (cm_json_member(json, "asof", &text)) {
        (void)cm_json_integer(text, &now->asof_ms);
    }
    now->has_waits = count_of(json, "calls_waiting", &now->calls_waiting) &&
                     count_of(json, "longest_wait_ms", &now->longest_wait_ms);
    now->has_seats = cm_json_member(json, "seats", &text);
    for (uint32_t i = 0; now->has_seats && i < CM_STATE_COUNT; i++) {
        (void)count_of(text, cm_state_name(i), &now->seats[i]);
    }
    return true;
}

uint64_t cm_board_now_wait_ms(const struct cm_board_now *now, int64_t asof_ms)
{
    if (now->calls_waiting == 0) {
        return 0;
    }
    return now->longest_wait_ms + (asof_ms > now->asof_ms ? (uint64_t)(asof_ms - now->asof_ms) : 0);
}

void cm_board_now_draw(const struct cm_board_now *now, int64_t asof_ms, struct cm_pen *pen)
{
    char text[CM_BOARD_VALUE_BYTES];
    if (!now->has_waits && !now->has_seats) {
        return;
    }
    cm_pen_text(pen, CM_STYLE_HEAD, "  now");
    if (now->has_waits) {
        uint64_t wait_ms = cm_board_now_wait_ms(now, asof_ms);
        cm_board_format_count(now->calls_waiting, text);
        cm_pen_text(pen, CM_STYLE_DIM, "  waiting ");
        cm_pen_text(pen, CM_STYLE_BOLD, text);
        cm_board_format_clock(wait_ms, text);
        cm_pen_text(pen, CM_STYLE_DIM, "  longest ");
        cm_pen_text(pen,
                    wait_ms > WAIT_RED_MS     ? CM_STYLE_BAD
                    : wait_ms > WAIT_AMBER_MS ? CM_STYLE_WARN
                                              : CM_STYLE_BOLD,
                    text);
    }
    cm_pen_text(pen, CM_STYLE_NORMAL, " ");
    for (uint32_t i = 0; now->has_seats && i < CM_STATE_COUNT; i++) {
        if (now->seats[i] > 0) {
            cm_board_format_count(now->seats[i], text);
            cm_pen_textf(pen, CM_STYLE_DIM, "  %s ", cm_state_name(i));
            cm_pen_text(pen, CM_STYLE_BOLD, text);
        }
    }
    cm_pen_end_line(pen, false);
}
