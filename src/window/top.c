// SPDX-License-Identifier: Apache-2.0
#include "window/top.h"

static bool is_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

/* Takes out those that are neither newer nor longer; returns whether any was. */
static bool hide(struct cm_top_row *row, uint32_t no, uint32_t ms)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < row->count; i++) {
        if (row->ms[i] > ms || is_before(no, row->no[i])) {
            row->ms[kept] = row->ms[i];
            row->no[kept++] = row->no[i];
        }
    }
    bool hidden = kept < row->count;
    row->count = (uint8_t)kept;
    return hidden;
}

static void leave_out(struct cm_top_row *row, uint32_t no)
{
    if (!row->is_short || is_before(row->out_no, no)) {
        row->out_no = no;
    }
    row->is_short = true;
}

static void row_add(struct cm_top_row *row, uint32_t no, uint32_t ms)
{
    if (ms == 0) {
        return;
    }
    for (uint32_t i = 0; i < row->count; i++) {
        if (row->ms[i] >= ms && !is_before(row->no[i], no)) {
            return; /* hidden by a newer one */
        }
    }
    bool hidden = hide(row, no, ms);
    uint32_t at = row->count;
    while (at > 0 && row->ms[at - 1] < ms) { /* those are newer: it came late */
        at--;
    }
    if (row->is_short && at == row->count) {
        if (!hidden) { /* what was left out may be longer */
            leave_out(row, no);
            return;
        }
        row->is_short = is_before(no, row->out_no); /* it is longer, and hides what is older */
    }
    if (row->count == CM_TOP_ITEMS) {
        leave_out(row, row->no[CM_TOP_ITEMS - 1]);
        if (at == CM_TOP_ITEMS) {
            leave_out(row, no);
            return;
        }
        row->count--;
    }
    for (uint32_t i = row->count++; i > at; i--) {
        row->ms[i] = row->ms[i - 1];
        row->no[i] = row->no[i - 1];
    }
    row->ms[at] = ms;
    row->no[at] = no;
}

static void row_leave(struct cm_top_row *row, uint32_t left_no)
{
    uint32_t gone = 0;
    while (gone < row->count && is_before(row->no[gone], left_no)) {
        gone++;
    }
    for (uint32_t i = gone; i < row->count && gone > 0; i++) {
        row->ms[i - gone] = row->ms[i];
        row->no[i - gone] = row->no[i];
    }
    row->count = (uint8_t)(row->count - gone);
    if (row->is_short && row->count == 0 && is_before(row->out_no, left_no)) {
        row->is_short = false;
    }
}

static bool row_has(const struct cm_top_row *row, uint32_t no, uint32_t ms)
{
    bool has = false;
    for (uint32_t i = 0; i < row->count; i++) {
        has |= row->ms[i] == ms && row->no[i] == no;
    }
    return has;
}

void cm_top_add(struct cm_top *top, int64_t no, uint32_t wait_ms, uint32_t handle_ms)
{
    row_add(&top->wait, (uint32_t)(uint64_t)no, wait_ms);
    row_add(&top->handle, (uint32_t)(uint64_t)no, handle_ms);
}

bool cm_top_has(const struct cm_top *top, int64_t no, uint32_t wait_ms, uint32_t handle_ms)
{
    return row_has(&top->wait, (uint32_t)(uint64_t)no, wait_ms) ||
           row_has(&top->handle, (uint32_t)(uint64_t)no, handle_ms);
}

bool cm_top_leave(struct cm_top *top, int64_t left_no)
{
    row_leave(&top->wait, (uint32_t)(uint64_t)left_no);
    row_leave(&top->handle, (uint32_t)(uint64_t)left_no);
    return (top->wait.count > 0 || !top->wait.is_short) &&
           (top->handle.count > 0 || !top->handle.is_short);
}
