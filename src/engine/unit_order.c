// SPDX-License-Identifier: Apache-2.0
#include "engine/unit_order.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

#define DIGIT_BITS 11u
#define DIGITS     (1u << DIGIT_BITS)

void cm_unit_order_add(struct cm_unit_order *order, uint32_t unit, uint32_t windows)
{
    if (order->count == order->cap) {
        order->cap = order->cap == 0 ? 1024 : 2 * order->cap;
        order->items = cm_realloc(order->items, order->cap, sizeof(*order->items));
    }
    order->items[order->count++] = (struct cm_changed_unit){unit, windows};
}

/* By one digit, into the spare, which then changes places with the items. */
static void pass(struct cm_unit_order *order, unsigned shift)
{
    uint32_t begins[DIGITS] = {0};
    for (uint32_t i = 0; i < order->count; i++) {
        begins[(order->items[i].unit >> shift) % DIGITS]++;
    }
    uint32_t before = 0;
    for (uint32_t digit = 0; digit < DIGITS; digit++) {
        uint32_t count = begins[digit];
        begins[digit] = before;
        before += count;
    }
    for (uint32_t i = 0; i < order->count; i++) {
        order->spare[begins[(order->items[i].unit >> shift) % DIGITS]++] = order->items[i];
    }
    struct cm_changed_unit *items = order->items;
    order->items = order->spare;
    order->spare = items;
    uint32_t cap = order->cap;
    order->cap = order->spare_cap;
    order->spare_cap = cap;
}

void cm_unit_order_sort(struct cm_unit_order *order)
{
    uint32_t most = 0;
    bool sorted = true;
    for (uint32_t i = 0; i < order->count; i++) {
        sorted = sorted && order->items[i].unit >= most;
        most = order->items[i].unit > most ? order->items[i].unit : most;
    }
    if (sorted) {
        return;
    }
    if (order->spare_cap < order->count) {
        order->spare_cap = order->cap;
        order->spare = cm_realloc(order->spare, order->spare_cap, sizeof(*order->spare));
    }
    for (unsigned shift = 0; shift < 32 && most >> shift > 0; shift += DIGIT_BITS) {
        pass(order, shift);
    }
}

void cm_unit_order_free(struct cm_unit_order *order)
{
    free(order->items);
    free(order->spare);
    *order = (struct cm_unit_order){0};
}
