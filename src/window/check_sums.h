// SPDX-License-Identifier: Apache-2.0
/* check_sums.h — how often each check was evaluated and passed, by the number of its name: what a
 * unit's legs bring with them, over a window. Judgements that come later are sums.h's.
 *
 * OWNERSHIP Zero-initialised is an empty one; cm_check_sums_free() empties it, and gives back what
 * it was not lent. THREADS One writer. COST      8 bytes a name, up to the greatest number that was
 * added.
 */
#ifndef CM_WINDOW_CHECK_SUMS_H
#define CM_WINDOW_CHECK_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"

struct cm_check_sum {
    uint32_t evaluated, passed;
};

struct cm_check_sums {
    struct cm_check_sum *at;
    uint32_t count;
    bool is_lent;
};

/* Gives an empty one its first sums, all 0, which live as long as it does. */
static inline void cm_check_sums_lend(struct cm_check_sums *sums, struct cm_check_sum *at,
                                      uint32_t count)
{
    *sums = (struct cm_check_sums){at, count, true};
}

/* Makes room up to that name. */
void cm_check_sums_grow(struct cm_check_sums *sums, uint32_t name);

static inline void cm_check_sums_add(struct cm_check_sums *sums, uint32_t name, uint32_t evaluated,
                                     uint32_t passed)
{
    if (name >= sums->count) {
        cm_check_sums_grow(sums, name);
    }
    sums->at[name].evaluated += evaluated;
    sums->at[name].passed += passed;
}

/* What was added must be there (CM_ASSERT). */
static inline void cm_check_sums_subtract(struct cm_check_sums *sums, uint32_t name,
                                          uint32_t evaluated, uint32_t passed)
{
    CM_ASSERT(name < sums->count && sums->at[name].evaluated >= evaluated &&
              sums->at[name].passed >= passed);
    sums->at[name].evaluated -= evaluated;
    sums->at[name].passed -= passed;
}

void cm_check_sums_merge(struct cm_check_sums *into, const struct cm_check_sums *from);
void cm_check_sums_clear(struct cm_check_sums *sums); /* to zero; keeps the memory */
void cm_check_sums_free(struct cm_check_sums *sums);
size_t cm_check_sums_bytes(const struct cm_check_sums *sums);

#endif
