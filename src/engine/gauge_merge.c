// SPDX-License-Identifier: Apache-2.0
#include "engine/gauge_merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct picture {
    struct cm_gauge sum; /* waits: of this round */
    bool marked;
};

struct cm_gauge_merge {
    uint32_t workers;
    struct cm_units *units;
    struct picture *pictures; /* by unit */
    struct cm_gauge *states;  /* by unit * workers + worker: has_states and what goes with it */
    uint32_t cap;
    uint32_t *marked; /* units to hand over */
    uint32_t marked_count, marked_cap;
};

struct cm_gauge_merge *cm_gauge_merge_create(uint32_t workers)
{
    struct cm_gauge_merge *m = cm_alloc(1, sizeof(*m));
    m->workers = workers;
    m->units = cm_units_create();
    return m;
}

void cm_gauge_merge_destroy(struct cm_gauge_merge *m)
{
    if (m == NULL) {
        return;
    }
    cm_units_destroy(m->units);
    free(m->pictures);
    free(m->states);
    free(m->marked);
    free(m);
}

static void grow(struct cm_gauge_merge *m, uint32_t unit)
{
    uint32_t cap = m->cap == 0 ? 256 : m->cap;
    while (cap <= unit) {
        cap *= 2;
    }
    if (cap == m->cap) {
        return;
    }
    size_t old = (size_t)m->cap * m->workers;
    size_t now = (size_t)cap * m->workers;
    m->states = cm_realloc(m->states, now, sizeof(*m->states));
    memset(&m->states[old], 0, (now - old) * sizeof(*m->states));
    m->pictures = cm_realloc(m->pictures, cap, sizeof(*m->pictures));
    memset(&m->pictures[m->cap], 0, (cap - m->cap) * sizeof(*m->pictures));
    m->cap = cap;
}

static void mark(struct cm_gauge_merge *m, uint32_t unit)
{
    if (m->pictures[unit].marked) {
        return;
    }
    m->pictures[unit].marked = true;
    if (m->marked_count == m->marked_cap) {
        m->marked_cap = m->marked_cap == 0 ? 256 : 2 * m->marked_cap;
        m->marked = cm_realloc(m->marked, m->marked_cap, sizeof(*m->marked));
    }
    m->marked[m->marked_count++] = unit;
}

void cm_gauge_merge_forget(struct cm_gauge_merge *m, uint32_t worker)
{
    for (uint32_t u = 0; u < cm_units_count(m->units); u++) {
        m->states[(size_t)u * m->workers + worker].has_states = false;
        mark(m, u);
    }
}

void cm_gauge_merge_touch_all(struct cm_gauge_merge *m)
{
    for (uint32_t u = 0; u < cm_units_count(m->units); u++) {
        mark(m, u);
    }
}

static void take_gauge(struct cm_gauge_merge *m, uint32_t worker, const struct cm_unit_key *key,
                       const struct cm_gauge *gauge)
{
    uint32_t unit = cm_units_intern(m->units, key->kind, key->id);
    grow(m, unit);
    mark(m, unit);
    struct cm_gauge *sum = &m->pictures[unit].sum;
    if (gauge->has_states) {
        m->states[(size_t)unit * m->workers + worker] = *gauge;
    }
    if (!gauge->has_waits) {
        return;
    }
    sum->has_waits = true;
    if (gauge->calls_waiting > 0 &&
        (sum->calls_waiting == 0 || gauge->waiting_since_ms < sum->waiting_since_ms)) {
        sum->waiting_since_ms = gauge->waiting_since_ms;
    }
    sum->calls_waiting += gauge->calls_waiting;
}

static void add_states(struct cm_gauge *sum, const struct cm_gauge *part)
{
    if (!part->has_states) {
        return;
    }
    sum->has_states = true;
    for (uint32_t i = 0; i < CM_STATE_COUNT; i++) {
        sum->seats[i] += part->seats[i];
    }
    if (part->since_ms > sum->since_ms) {
        sum->since_ms = part->since_ms;
        sum->state = part->state;
    }
}

void cm_gauge_merge_take(struct cm_gauge_merge *m, struct cm_frame *const *frames, cm_gauge_fn emit,
                         void *context)
{
    for (uint32_t w = 0; w < m->workers; w++) {
        for (uint32_t i = 0; i < frames[w]->gauges_count; i++) {
            take_gauge(m, w, &frames[w]->gauges[i].key, &frames[w]->gauges[i].gauge);
        }
    }
    for (uint32_t i = 0; i < m->marked_count; i++) {
        uint32_t unit = m->marked[i];
        struct cm_gauge *sum = &m->pictures[unit].sum;
        memset(sum->seats, 0, sizeof(sum->seats));
        sum->has_states = false; /* until a worker says so: one that begins again does not */
        sum->since_ms = INT64_MIN;
        for (uint32_t w = 0; w < m->workers; w++) {
            add_states(sum, &m->states[(size_t)unit * m->workers + w]);
        }
        emit(context, cm_units_key(m->units, unit), sum);
        m->pictures[unit].marked = false;
        sum->calls_waiting = 0; /* every frame names all that wait */
        sum->waiting_since_ms = 0;
    }
    m->marked_count = 0;
}
