// SPDX-License-Identifier: Apache-2.0
#include "window/longest.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Modulo 2^32: below 0 when a is older. */
static int32_t compare_no(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/* Index, from `begin`, of the first one that is not older than `no`. */
static uint32_t find(const struct cm_longest_row *row, uint32_t no)
{
    uint32_t low = 0;
    uint32_t high = row->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_no(row->at[row->begin + middle].no, no) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Room for one more at the end. */
static void make_room(struct cm_longest_row *row)
{
    if (row->begin + row->count < row->cap) {
        return;
    }
    if (row->begin > row->cap / 2) {
        memmove(row->at, row->at + row->begin, row->count * sizeof(*row->at));
        row->begin = 0;
        return;
    }
    if (row->cap == 0) {
        row->at = row->few;
        row->cap = CM_LONGEST_FEW;
        return;
    }
    bool few = row->at == row->few;
    row->cap *= 2;
    row->at = cm_realloc(few ? NULL : row->at, row->cap, sizeof(*row->at));
    if (few) {
        memcpy(row->at, row->few, sizeof(row->few));
    }
}

/* In between: it takes the place of those that it hides, which lie in front of it. */
static void add_late(struct cm_longest_row *row, uint32_t no, uint32_t ms)
{
    uint32_t end = find(row, no);
    if (end < row->count && row->at[row->begin + end].ms >= ms) {
        return; /* hidden itself */
    }
    uint32_t first = end;
    while (first > 0 && row->at[row->begin + first - 1].ms <= ms) {
        first--;
    }
    end += end < row->count && row->at[row->begin + end].no == no;
    if (first == end) {
        make_room(row);
        memmove(&row->at[row->begin + first + 1], &row->at[row->begin + first],
                (row->count - first) * sizeof(*row->at));
        row->count++;
    } else {
        memmove(&row->at[row->begin + first + 1], &row->at[row->begin + end],
                (row->count - end) * sizeof(*row->at));
        row->count -= end - first - 1;
    }
    row->at[row->begin + first] = (struct cm_longest_item){no, ms};
}

static void add(struct cm_longest_row *row, uint32_t no, uint32_t ms)
{
    if (ms == 0) {
        return;
    }
    while (row->count > 0) {
        const struct cm_longest_item *last = &row->at[row->begin + row->count - 1];
        if (compare_no(last->no, no) > 0 || last->ms > ms) {
            break;
        }
        row->count--;
    }
    if (row->count > 0 && compare_no(row->at[row->begin + row->count - 1].no, no) >= 0) {
        add_late(row, no, ms);
        return;
    }
    make_room(row);
    row->at[row->begin + row->count++] = (struct cm_longest_item){no, ms};
}

void cm_longest_add(struct cm_longest *longest, int64_t no, uint32_t wait_ms, uint32_t handle_ms)
{
    add(&longest->wait, (uint32_t)(uint64_t)no, wait_ms);
    add(&longest->handle, (uint32_t)(uint64_t)no, handle_ms);
}

static bool has(const struct cm_longest_row *row, uint32_t no, uint32_t ms)
{
    uint32_t i = find(row, no);
    return i < row->count && row->at[row->begin + i].no == no && row->at[row->begin + i].ms == ms;
}

void cm_longest_take_back(struct cm_longest *longest, int64_t no, uint32_t wait_ms,
                          uint32_t handle_ms)
{
    longest->is_stale |= has(&longest->wait, (uint32_t)(uint64_t)no, wait_ms) ||
                         has(&longest->handle, (uint32_t)(uint64_t)no, handle_ms);
}

static uint32_t get(struct cm_longest_row *row, uint32_t left_no)
{
    while (row->count > 0 && compare_no(row->at[row->begin].no, left_no) < 0) {
        row->begin++;
        row->count--;
    }
    row->begin = row->count == 0 ? 0 : row->begin;
    return row->count == 0 ? 0 : row->at[row->begin].ms;
}

void cm_longest_get(struct cm_longest *longest, int64_t left_no, uint32_t *wait_ms,
                    uint32_t *handle_ms)
{
    *wait_ms = get(&longest->wait, (uint32_t)(uint64_t)left_no);
    *handle_ms = get(&longest->handle, (uint32_t)(uint64_t)left_no);
}

void cm_longest_clear(struct cm_longest *longest)
{
    longest->wait.begin = longest->wait.count = 0;
    longest->handle.begin = longest->handle.count = 0;
    longest->is_stale = false;
}

static void row_free(struct cm_longest_row *row)
{
    if (row->at != row->few) {
        free(row->at);
    }
    *row = (struct cm_longest_row){.at = NULL};
}

static size_t row_bytes(const struct cm_longest_row *row)
{
    return row->cap > CM_LONGEST_FEW ? row->cap * sizeof(*row->at) : 0;
}

void cm_longest_free(struct cm_longest *longest)
{
    row_free(&longest->wait);
    row_free(&longest->handle);
    longest->is_stale = false;
}

size_t cm_longest_bytes(const struct cm_longest *longest)
{
    return row_bytes(&longest->wait) + row_bytes(&longest->handle);
}
